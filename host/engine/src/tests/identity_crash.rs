//! What a crash may leave of events and links: every state is opened, everything is sent again, and nobody is two
//! customers, no identifier has two owners, and no event is decided twice.
//!
//! Each partition keeps a beginning of its own, in every combination. Two promises of the log limit them: a
//! link is not there without the event that it was made for, and a decision that names identifiers is not there
//! without the links before it. An event may well be there without its links.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use rand::SeedableRng;
use rand::rngs::SmallRng;
use rand::seq::SliceRandom;

use super::identity::{CRM, STORIES, identified};
use super::properties::{rebuilt, records};
use super::replay::replayed_without_difference;
use super::*;
use samsyn_disk::{DataDir, durable_file};
use samsyn_journal::{Appender, CauseKind, Decided, Encoded, Record};
use samsyn_log::{HostLog, Options, ScanFrom};
use samsyn_testkit::image::Image;
use samsyn_testkit::memory::Memory;
use samsyn_testkit::{Seed, survival_json};

/// States that are opened of one history. A short history has fewer.
const STATES_MAX: usize = 40;
/// Hosts that are looked at at once.
const THREADS: usize = 8;
const PARTITIONS: u16 = 2;
const PHONE: &str = "+46701234567";
const OTHER_PHONE: &str = "+46701234568";

/// One event of a history: what it comes with, the number that it proposes, and whose it is.
#[derive(Clone)]
struct Sent {
    identifiers: Vec<(&'static str, &'static str)>,
    phone: Option<&'static str>,
    customer: char,
}

impl Sent {
    fn event(&self, number: usize) -> NewEvent {
        let proposing = self.phone.map(|phone| proposing("", &[("phone", text(phone))]).proposals);
        NewEvent {
            id: Some(format!("E{number}")),
            proposals: proposing.unwrap_or_default(),
            ..identified("page.seen", &self.identifiers)
        }
    }

    /// The identifier that says who it is, whatever else the event has.
    fn strongest(&self) -> Option<(&'static str, &'static str)> {
        let of = |kind| self.identifiers.iter().copied().find(|(name, _)| *name == kind);
        of("customer_id").or_else(|| of("user_id"))
    }
}

/// When events are decided in the history that a crash cuts.
#[derive(Clone, Copy, Debug)]
enum Pace {
    /// Each before the next one is sent.
    OneByOne,
    /// When all were sent.
    AtTheEnd,
}

/// A history, as its records were appended.
struct History {
    bench: Bench,
    sent: Vec<Sent>,
    appended: Vec<(Position, Timestamp, Record)>,
}

fn bench() -> Bench {
    let config = EngineConfig { partitions: PARTITIONS, workers: 1, ..EngineConfig::default() };
    Bench::with(config, Limits::default())
}

fn play(bench: Bench, sent: &[Sent], pace: Pace) -> History {
    let held: Vec<_> = match pace {
        Pace::OneByOne => Vec::new(),
        Pace::AtTheEnd => {
            bench.engine.shared.partitions().map(|partition| bench.engine.lanes.core(partition)).collect()
        }
    };
    for (number, sent) in sent.iter().enumerate() {
        bench.engine.accepting().accept(sent.event(number)).expect("it is taken");
        if held.is_empty() {
            bench.settle();
        }
    }
    drop(held);
    bench.settle();
    let mut appended = Vec::new();
    let mut scan = bench.engine.records().scan_all(ScanFrom::Start);
    while let Some(record) = scan.next().expect("it can be read") {
        appended.push((record.position, record.appended_at, record.record().expect("it is a record")));
    }
    History { bench, sent: sent.to_vec(), appended }
}

impl History {
    /// The records that each record relies on, by their places in the order of appends.
    fn reliances(&self) -> Vec<(usize, usize)> {
        let mut reliances = Vec::new();
        let (mut event, mut links) = (None, Vec::new());
        for (at, (_, _, record)) in self.appended.iter().enumerate() {
            match record {
                Record::Accepted(_) => event = Some(at),
                Record::Linked(_) => {
                    reliances.extend(event.map(|event| (at, event)));
                    links.push(at);
                }
                Record::Decided(decided) => {
                    event = None;
                    let Decided { identifiers, retired, conflicts, .. } = decided;
                    if !(identifiers.is_empty() && retired.is_empty() && conflicts.is_empty()) {
                        reliances.extend(links.iter().map(|link| (at, *link)));
                    }
                }
                _ => event = None,
            }
        }
        reliances
    }

    /// The combinations of beginnings that a crash may leave: how many records of each partition. What was
    /// there before the first event is always there.
    fn states(&self) -> Vec<BTreeMap<Partition, u64>> {
        let is_event =
            |(_, _, record): &&(Position, Timestamp, Record)| matches!(record, Record::Accepted(_));
        let before = self.appended.iter().position(|record| is_event(&record)).expect("it has events");
        let (mut least, mut most) = (BTreeMap::new(), BTreeMap::new());
        for (at, (position, ..)) in self.appended.iter().enumerate() {
            most.insert(position.partition, position.seq);
            if at < before || position.partition == Partition::REGISTRY {
                least.insert(position.partition, position.seq);
            }
        }
        let mut states = vec![BTreeMap::new()];
        for (partition, most) in most {
            let least = least.get(&partition).copied().unwrap_or_default();
            let with = |state: BTreeMap<Partition, u64>| {
                (least..=most).map(move |seq| {
                    let mut state = state.clone();
                    state.insert(partition, seq);
                    state
                })
            };
            states = states.into_iter().flat_map(with).collect();
        }
        let reliances = self.reliances();
        let has = |state: &BTreeMap<Partition, u64>, at: usize| {
            let position = self.appended[at].0;
            position.seq <= state[&position.partition]
        };
        states.retain(|state| reliances.iter().all(|(record, on)| !has(state, *record) || has(state, *on)));
        states
    }

    /// A host on what the crash left.
    fn crashed(&self, state: &BTreeMap<Partition, u64>) -> Bench {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let disk = Memory::<()>::new(Image::default()).disk();
        let (from, to) = (DataDir(self.bench.path().to_owned()), DataDir(directory.path().to_owned()));
        copy(&from.components(), &to.components(), &|path, bytes| {
            durable_file::write_on(&*disk, path, bytes)
        });
        copy(&from.compiled(), &to.compiled(), &|path, bytes| std::fs::write(path, bytes));
        let (log, _) = HostLog::<()>::open_on(disk.clone(), &to.log(), Options::default()).expect("it opens");
        let journal = Appender::new(log);
        journal.start(|_| {}, |failure| panic!("{failure}")).expect("it starts");
        for (position, at, record) in &self.appended {
            if position.seq <= state[&position.partition] {
                let encoded = Encoded::of_record(position.partition, record).expect("nothing was erased");
                let appended = journal.append(encoded.entry(*at, ()).numbered(position.seq));
                assert_eq!(appended.expect("it is appended"), *position);
            }
        }
        journal.close().expect("it closes");
        drop(journal);
        let Bench { config, limits, keeping, .. } = &self.bench;
        Bench::on(directory, disk, (config.clone(), limits.clone(), keeping.clone()))
    }

    /// Opens a state, sends everything again, and looks. What was left is decided before if it `settles`.
    fn check(&self, state: &BTreeMap<Partition, u64>, settles: bool, what: &str) {
        let bench = self.crashed(state);
        let what = format!("{what}, {state:?}");
        let survived: BTreeMap<String, ProfileId> = self
            .appended
            .iter()
            .filter(|(position, ..)| position.seq <= state[&position.partition])
            .filter_map(|(_, _, record)| match record {
                Record::Accepted(accepted) => Some((accepted.event.id.clone(), accepted.profile)),
                _ => None,
            })
            .collect();
        for (number, sent) in self.sent.iter().enumerate() {
            if survived.contains_key(&format!("E{number}")) {
                // Before anything is decided: whoever asks now finds somebody, and makes nobody else.
                for (name, value) in &sent.identifiers {
                    assert!(
                        found(&bench, name, value).is_some(),
                        "{what}: {name} {value} of E{number} is lost"
                    );
                }
            }
        }
        if settles {
            bench.settle();
        }
        let mut profiles = Vec::new();
        for (number, sent) in self.sent.iter().enumerate() {
            let acceptance = bench.engine.accepting().accept(sent.event(number)).expect("it is taken");
            let known = survived.get(&acceptance.id);
            assert_eq!(acceptance.duplicate, known.is_some(), "{what}: E{number}");
            assert!(known.is_none_or(|profile| *profile == acceptance.profile), "{what}: E{number} moved");
            profiles.push(acceptance.profile);
        }
        bench.settle();
        self.check_customers(&profiles, &what);
        check_identifiers(&bench, &what);
        self.check_records(&bench, &what);
        let dump = bench.engine.view().dump().expect("it can be read");
        assert_eq!(dump, rebuilt(&bench), "{what}");
        for (number, sent) in self.sent.iter().enumerate() {
            for (name, value) in &sent.identifiers {
                assert!(
                    found(&bench, name, value).is_some(),
                    "{what}: {name} {value} of E{number} is nobody's"
                );
            }
        }
        if self.sent.iter().any(|sent| sent.phone.is_some()) {
            let customer = |customer| found(&bench, "customer_id", customer);
            assert_eq!(found(&bench, "phone", PHONE), customer("c2"), "{what}: it was passed on");
            assert_eq!(found(&bench, "phone", OTHER_PHONE), customer("c1"), "{what}");
            replayed_without_difference(&bench, "crm", CRM);
        }
    }

    /// Who says by the strongest identifier to be the same is the same, and strangers are strangers.
    fn check_customers(&self, profiles: &[ProfileId], what: &str) {
        let events: Vec<_> = self.sent.iter().zip(profiles).collect();
        for (one, profile) in &events {
            for (other, others) in &events {
                let (Some(own), Some(theirs)) = (one.strongest(), other.strongest()) else { continue };
                if own == theirs {
                    assert_eq!(profile, others, "{what}: {own:?} is two customers");
                }
                if one.customer != other.customer {
                    assert_ne!(profile, others, "{what}: {own:?} and {theirs:?} are one customer");
                }
            }
        }
    }

    /// Each event is in the log once, and was decided once.
    fn check_records(&self, bench: &Bench, what: &str) {
        let (mut events, mut decided) = (BTreeMap::new(), BTreeMap::new());
        for (position, record) in records(bench) {
            match record {
                Record::Accepted(accepted) => *events.entry(accepted.event.id).or_insert(0) += 1,
                Record::Decided(is) if is.kind == CauseKind::Event => {
                    *decided.entry((position.partition, is.cause)).or_insert(0) += 1;
                }
                _ => {}
            }
        }
        assert_eq!(events.len(), self.sent.len(), "{what}");
        assert!(events.values().all(|count| *count == 1), "{what}: {events:?}");
        assert_eq!(decided.len(), self.sent.len(), "{what}");
        assert!(decided.values().all(|count| *count == 1), "{what}: {decided:?}");
    }
}

/// What a profile lists finds it, and no other profile lists it.
fn check_identifiers(bench: &Bench, what: &str) {
    let mut owners: BTreeSet<String> = BTreeSet::new();
    for state in bench.engine.view().dump().expect("it can be read").profiles.values() {
        assert!(!state.identifiers.is_empty(), "{what}: {state:?} is nobody");
        for Identifier { name, value } in &state.identifiers {
            assert_eq!(found(bench, name.as_str(), value), Some(state.id), "{what}: {name} {value}");
            let own = format!("{name}={}", value.to_lowercase());
            owners.insert(own);
        }
    }
    let listed = bench.engine.view().dump().expect("it can be read").profiles;
    let mut spelled: Vec<String> = Vec::new();
    for state in listed.values() {
        let own: BTreeSet<String> = state
            .identifiers
            .iter()
            .map(|identifier| format!("{}={}", identifier.name, identifier.value.to_lowercase()))
            .collect();
        spelled.extend(own);
    }
    assert_eq!(spelled.len(), owners.len(), "{what}: an identifier has two owners: {spelled:?}");
}

fn found(bench: &Bench, name: &str, value: &str) -> Option<ProfileId> {
    let name = IdentifierName::new(name).expect("an identifier's name");
    bench.engine.query().resolve(&name, value).expect("it can be looked up")
}

/// Copies the files of a folder.
fn copy(from: &Path, to: &Path, write: &dyn Fn(&Path, &[u8]) -> std::io::Result<()>) {
    std::fs::create_dir_all(to).expect("a directory can be made");
    let Ok(files) = std::fs::read_dir(from) else { return };
    for path in files.map(|file| file.expect("a file").path()).filter(|path| path.is_file()) {
        let bytes = std::fs::read(&path).expect("it can be read");
        write(&to.join(path.file_name().expect("it has a name")), &bytes).expect("it is copied");
    }
}

/// Opens the states of a history, or as many as there is time for, and says how many.
fn check_all(history: &History, what: &str, seed: u64) -> usize {
    let mut states = history.states();
    states.shuffle(&mut SmallRng::seed_from_u64(seed));
    states.truncate(STATES_MAX);
    let states: Vec<_> = states.iter().zip([true, false].into_iter().cycle()).collect();
    // A host that starts or stops mostly waits for the disk.
    std::thread::scope(|scope| {
        for some in states.chunks(states.len().div_ceil(THREADS)) {
            scope.spawn(|| some.iter().for_each(|(state, settles)| history.check(state, *settles, what)));
        }
    });
    states.len()
}

#[test]
fn whatever_a_crash_leaves_of_events_and_links_nobody_is_two_customers() {
    let seed = Seed::of_run("identity_crash_states");
    let mut opened = 0;
    for (number, (what, events)) in STORIES.iter().enumerate() {
        let sent: Vec<Sent> = events
            .iter()
            .map(|(identifiers, customer)| Sent {
                identifiers: identifiers.to_vec(),
                phone: None,
                customer: *customer,
            })
            .collect();
        for pace in [Pace::OneByOne, Pace::AtTheEnd] {
            let history = play(bench(), &sent, pace);
            opened += check_all(&history, &format!("{what}, {pace:?}"), seed.of(number as u64));
        }
    }
    survival_json::record("identity_crash_states", serde_json::json!({ "states": opened }));
}

/// A number is shown by two customers, is given up by the first and passed on to the second.
#[test]
fn whatever_a_crash_leaves_of_a_number_that_is_passed_on_it_has_one_owner() {
    let seed = Seed::of_run("identity_crash_states_of_values");
    let event = |identifiers: &[(&'static str, &'static str)], phone, customer| Sent {
        identifiers: identifiers.to_vec(),
        phone,
        customer,
    };
    let sent = [
        event(&[("customer_id", "c1")], Some(PHONE), 'a'),
        event(&[("customer_id", "c2")], Some(PHONE), 'b'),
        event(&[("customer_id", "c1")], Some(OTHER_PHONE), 'a'),
        event(&[("customer_id", "c2"), ("phone", PHONE)], None, 'b'),
    ];
    for (number, pace) in [Pace::OneByOne, Pace::AtTheEnd].into_iter().enumerate() {
        let bench = bench();
        bench.install("crm", CRM);
        bench.settle();
        let history = play(bench, &sent, pace);
        check_all(&history, &format!("a number, {pace:?}"), seed.of(number as u64));
    }
}
