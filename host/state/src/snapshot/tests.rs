//! Snapshots over histories made up at random: what a snapshot and the log behind it fold into is
//! what the log folds into, wherever the cut is and whatever the file went through.

use std::collections::BTreeMap;
use std::fs;

use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};
use tempfile::TempDir;

use super::*;
use crate::view::{Dump, Opened, View};
use crate::view::{EventIdLimits, ViewConfig};
use samsyn_journal::testing::accepted;
use samsyn_journal::{
    Adopted, Answer, AnswerKind, Decided, Encoded, HeldProposal, InvocationStatus, Linked, Memory, Outcome,
    Reader, Record, RegistryRecord,
};
use samsyn_log::{Cut, Head, LocalLog, LogPlace, LogReader, Options, ScanFrom};
use samsyn_registry::RegistryChange;
use samsyn_testkit::survival_json;
use samsyn_vocabulary::*;

const MILLIS_A_DAY: i64 = 24 * 3600 * 1000;
const REMEMBER: Remember = Remember { millis: 30 * MILLIS_A_DAY, max: 5_000_000 };
/// Customers held at once while a snapshot is made: so few that there are runs.
const HELD: usize = 3;
const PARTITIONS: u16 = 2;

/// One thing that happens.
#[derive(Clone, Debug)]
enum Step {
    /// A customer gets a claim, by one of two capabilities, of a value or of none.
    Claim { customer: u8, by: bool, value: Option<u8> },
    /// An invocation parks, or what is parked is skipped.
    Park { customer: u8, parks: bool },
    /// A proposal of a field without a source, or a source's answer to it.
    Hold { customer: u8, holds: bool },
    /// A capability remembers something, or forgets.
    Remember { customer: u8, bytes: Option<Vec<u8>> },
    /// An identifier is linked or retired.
    Link { number: u8, customer: u8, retired: bool },
    /// An event comes with an id of some few.
    Event { customer: u8, id: u8 },
    /// The registry changes, and a partition takes it into use.
    Change,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let customer = || 0..12u8;
    let step = prop_oneof![
        6 => (customer(), any::<bool>(), prop::option::of(0..3u8))
            .prop_map(|(customer, by, value)| Step::Claim { customer, by, value }),
        2 => (customer(), any::<bool>()).prop_map(|(customer, parks)| Step::Park { customer, parks }),
        2 => (customer(), any::<bool>()).prop_map(|(customer, holds)| Step::Hold { customer, holds }),
        1 => (customer(), prop::option::of(prop::collection::vec(any::<u8>(), 0..9_000)))
            .prop_map(|(customer, bytes)| Step::Remember { customer, bytes }),
        3 => (0..6u8, customer(), any::<bool>())
            .prop_map(|(number, customer, retired)| Step::Link { number, customer, retired }),
        3 => (customer(), 0..20u8).prop_map(|(customer, id)| Step::Event { customer, id }),
        1 => Just(Step::Change),
    ];
    prop::collection::vec(step, 1..120)
}

fn profile(customer: u8) -> ProfileId {
    ProfileId(uuid::Uuid::from_bytes(*blake3::hash(&[customer]).as_bytes().first_chunk().unwrap()))
}

fn homes() -> Homes {
    Homes::among(PARTITIONS)
}

fn home(customer: u8) -> Partition {
    homes().of(profile(customer))
}

/// A record that something of a customer names: every third customer has what a merge may leave, names of
/// records in another partition.
fn named(customer: u8, seq: Seq) -> Position {
    let partition = if customer.is_multiple_of(3) { Partition(PARTITIONS) } else { home(customer) };
    Position { partition, seq }
}

/// A log of its own in a directory, several segments long.
struct World {
    dir: TempDir,
    log: LocalLog<()>,
    heads: BTreeMap<Partition, Seq>,
    newest: BTreeMap<u8, Seq>,
    revision: Seq,
}

impl World {
    fn new() -> World {
        let dir = tempfile::tempdir().unwrap();
        let options = Options { segment_bytes: 4 << 10, commit_interval_us: 0, ..Options::default() };
        let (log, _) = LocalLog::open(&dir.path().join("log"), options).unwrap();
        log.start(|_| {}, |failure| panic!("{failure}")).unwrap();
        World { dir, log, heads: BTreeMap::new(), newest: BTreeMap::new(), revision: 0 }
    }

    fn of(steps: &[Step]) -> World {
        let mut world = World::new();
        steps.iter().for_each(|step| world.play(step));
        world.wait();
        world
    }

    fn wait(&self) {
        let behind =
            || self.heads.iter().any(|(partition, seq)| self.log.durable_head(*partition).seq < *seq);
        while behind() {
            std::thread::yield_now();
        }
    }

    fn append(&mut self, partition: Partition, record: &Record) -> Seq {
        let seq = self.heads.get(&partition).copied().unwrap_or(0) + 1;
        let encoded = Encoded::of_record(partition, record).expect("it isn't erased");
        let entry = encoded.entry(Timestamp(seq as i64), ()).numbered(seq);
        self.log.append(entry.into_entry()).unwrap();
        self.heads.insert(partition, seq);
        seq
    }

    fn decide(&mut self, customer: u8, change: impl FnOnce(&mut Decided)) {
        let partition = home(customer);
        let seq = self.heads.get(&partition).copied().unwrap_or(0) + 1;
        let cause = named(customer, seq.saturating_sub(1).max(1)).item(0);
        let mut decided = Decided {
            revision: self.revision,
            previous: self.newest.get(&customer).map(|newest| Position { partition, seq: *newest }),
            root: named(customer, 1),
            ..Decided::nothing(profile(customer), cause, Timestamp(seq as i64))
        };
        change(&mut decided);
        let seq = self.append(partition, &Record::Decided(decided));
        self.newest.insert(customer, seq);
    }

    fn play(&mut self, step: &Step) {
        match step {
            Step::Claim { customer, by, value } => self.decide(*customer, |decided| {
                let value = value.map(|value| Value::Text(format!("v{value}")));
                let mut outcome = outcome(if *by { "one" } else { "two" });
                outcome.claims.push(("note".parse().unwrap(), value));
                decided.outcomes.push(outcome);
            }),
            Step::Park { customer, parks } => self.decide(*customer, |decided| {
                let failure =
                    Failure { kind: FailureKind::Error, message: "no".into(), backtrace: Vec::new() };
                let parked = InvocationStatus::Parked(failure);
                decided.cause = named(*customer, 1).item(0);
                let result = if *parks { parked } else { InvocationStatus::Skipped { reason: "so".into() } };
                decided.outcomes.push(Outcome { result, ..outcome("one") });
            }),
            Step::Hold { customer, holds: true } => self.decide(*customer, |decided| {
                decided.held.push(HeldProposal {
                    by: "app:web".parse().unwrap(),
                    field: "phone".parse().unwrap(),
                    value: Some(Value::Text("1".into())),
                    at: Timestamp(1),
                    event: Some(named(*customer, 1)),
                });
            }),
            Step::Hold { customer, holds: false } => self.decide(*customer, |decided| {
                let field = "phone".parse().unwrap();
                decided.answers.push(Answer { field, source: None, outcome: AnswerKind::Cleared });
            }),
            Step::Remember { customer, bytes } => self.decide(*customer, |decided| {
                let memory = bytes.clone().map_or(Memory::Forgotten, Memory::Kept);
                decided.outcomes.push(Outcome { memory: Some(memory), ..outcome("two") });
            }),
            Step::Link { number, customer, retired } => {
                let (identifier, normal) = ("customer_id".parse().unwrap(), number.to_string());
                let linked = Linked {
                    identifier,
                    normal,
                    profile: profile(*customer),
                    retired: *retired,
                    line_position: None,
                    version: 1,
                };
                self.append(Partition::IDENTITY, &Record::Linked(linked));
            }
            Step::Event { customer, id } => {
                let accepted = accepted(profile(*customer), &id.to_string());
                self.append(home(*customer), &Record::Accepted(accepted));
            }
            Step::Change => self.change(),
        }
    }

    fn change(&mut self) {
        let change = RegistryChange::SourceAssigned { field: "note".parse().unwrap(), source: None };
        let record = RegistryRecord {
            change,
            by: "tests".parse().unwrap(),
            reason: None,
            at: Timestamp(self.revision as i64),
        };
        self.revision = self.append(Partition::REGISTRY, &Record::Registry(record));
        let adopted = Adopted { revision: self.revision, ..Adopted::default() };
        self.append(Partition(0), &Record::Adopted(adopted));
    }

    fn shelf(&self) -> Shelf {
        Shelf::new(self.dir.path().join("snapshots"))
    }

    /// Where the log stands after so many of its records.
    fn cut_after(&self, records: usize) -> Cut {
        let mut heads: BTreeMap<Partition, Head> = BTreeMap::new();
        let mut scan = self.log.scan_all(ScanFrom::Start);
        for _ in 0..records {
            let Some(record) = scan.next().unwrap() else { break };
            let Position { partition, seq } = record.position;
            heads.insert(partition, Head { seq, chain: record.chain });
        }
        let place = LogPlace::from_number(records as u64);
        Cut { log_id: self.log.log_id(), place, heads: heads.into_iter().collect() }
    }

    fn make(&self, cut: Cut, base: Option<SnapshotFile>) -> Result<SnapshotInfo, SnapshotError> {
        let shelf = self.shelf();
        let made_at = Timestamp(7);
        let (log, dir) = (self.log.reader(), shelf.dir());
        SnapshotJob { log, dir, base, cut, made_at, remember: REMEMBER, profiles_held_max: Some(HELD) }
            .run(|_| Proceed::GoOn)
    }

    /// What a view that is folded anew holds, from a snapshot when there is one that can be used.
    fn fold(&self) -> (Dump, Opened) {
        fold(self.log.reader(), &self.shelf())
    }
}

fn fold(log: &LogReader, shelf: &Shelf) -> (Dump, Opened) {
    let dir = tempfile::tempdir().unwrap();
    let config = ViewConfig { cache_bytes: 4 << 20, ..ViewConfig::default() };
    let bases = shelf.bases(log);
    let (view, opened) = View::open_from(
        &dir.path().join("view"),
        log,
        homes(),
        &config,
        EventIdLimits::default(),
        bases,
        |_| {},
    )
    .unwrap();
    (view.dump().unwrap(), opened)
}

fn outcome(capability: &str) -> Outcome {
    Outcome {
        capability: capability.parse().unwrap(),
        generation: 1,
        role: Role::Observer,
        digest: Digest::of(b"component"),
        settings: 0,
        result: InvocationStatus::Done,
        claims: Vec::new(),
        refusals: Vec::new(),
        memory: None,
        actions: Vec::new(),
        calls: Vec::new(),
    }
}

/// Histories made up for the property.
const HISTORIES: u32 = 150;

/// A property over random values, whose seed is printed and can be set with `SAMSYN_SEED`.
fn runner() -> TestRunner {
    let seed = std::env::var("SAMSYN_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed: u64 = seed.unwrap_or_else(rand::random);
    println!("SAMSYN_SEED={seed}");
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, blake3::hash(&seed.to_le_bytes()).as_bytes());
    let config = ProptestConfig { cases: HISTORIES, failure_persistence: None, ..ProptestConfig::default() };
    TestRunner::new_with_rng(config, rng)
}

/// Makes a snapshot at each cut, from the one before, and folds on from it.
fn snapshots_fold(steps: &[Step], cuts: &[prop::sample::Index]) -> Result<usize, TestCaseError> {
    let world = World::of(steps);
    let (whole, _) = world.fold();
    let records = world.heads.values().sum::<u64>() as usize;
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(records + 1)).collect();
    cuts.sort_unstable();
    cuts.dedup();
    for cut in &cuts {
        let base = world.shelf().usable(world.log.reader()).next();
        world.make(world.cut_after(*cut), base).unwrap();
        let (folded, opened) = world.fold();
        prop_assert_eq!(&folded, &whole);
        prop_assert_eq!(opened.folded as usize, records - cut);
        prop_assert!(opened.base.is_some());
    }
    let left = fs::read_dir(world.shelf().dir()).unwrap().count();
    prop_assert_eq!(left, cuts.len(), "nothing unfinished is left");
    Ok(cuts.len())
}

#[test]
fn a_snapshot_and_the_log_behind_it_fold_into_what_the_log_folds_into() {
    let cuts = prop::collection::vec(any::<prop::sample::Index>(), 1..4);
    let made = std::cell::Cell::new(0);
    let ran = runner().run(&(steps(), cuts), |(steps, cuts)| {
        made.set(made.get() + snapshots_fold(&steps, &cuts)?);
        Ok(())
    });
    ran.unwrap_or_else(|failure| panic!("{failure}"));
    let counts = serde_json::json!({ "histories": HISTORIES, "snapshots": made.get(), "different": 0 });
    survival_json::record("snapshots", counts);
}

/// Everything that is said of one customer is erased, and of a link: whoever folds gets the same, and what
/// the others have is what it was.
#[test]
fn what_was_erased_folds_to_nothing_for_everybody_who_folds() {
    const GONE: u8 = 3;
    let mut world = World::new();
    for number in 0..60u8 {
        let customer = number % 12;
        world.play(&Step::Event { customer, id: number });
        world.play(&Step::Claim { customer, by: number % 2 == 0, value: Some(number % 3) });
        world.play(&Step::Link { number: customer, customer, retired: false });
        world.play(&Step::Park { customer, parks: number % 4 == 0 });
        if number % 20 == 0 {
            world.play(&Step::Change);
        }
        world.wait();
    }
    let view_of = |log: &LogReader, dir: &std::path::Path| {
        let (config, ids) = (ViewConfig::default(), EventIdLimits::default());
        View::open(dir, log, homes(), &config, ids, |_| {}).unwrap().0
    };
    let dir = tempfile::tempdir().unwrap();
    let before = view_of(world.log.reader(), &dir.path().join("before"));
    let mut scan = Reader::new(world.log.reader().clone()).scan_all(ScanFrom::Start);
    let mut gone = Vec::new();
    while let Some(record) = scan.next().unwrap() {
        let of = match record.record().unwrap() {
            Record::Accepted(accepted) => Some(accepted.profile),
            Record::Decided(decided) => Some(decided.profile),
            Record::Linked(linked) => Some(linked.profile),
            _ => None,
        };
        gone.extend((of == Some(profile(GONE))).then_some(record.position));
    }
    assert!(gone.len() >= 15, "{gone:?}");
    world.log.close().unwrap();
    let path = world.dir.path().join("log");
    for position in &gone {
        assert!(samsyn_log::erasing::erase(&path, *position).unwrap());
    }
    let options = Options { segment_bytes: 4 << 10, ..Options::default() };
    world.log = LocalLog::open(&path, options).unwrap().0;

    let after = view_of(world.log.reader(), &dir.path().join("after"));
    assert_eq!(after.profile(profile(GONE)).unwrap(), None);
    assert_eq!(after.profiles(), before.profiles() - 1);
    for customer in (0..12).filter(|customer| *customer != GONE) {
        assert_eq!(after.profile(profile(customer)).unwrap(), before.profile(profile(customer)).unwrap());
    }
    let link = |view: &View, number: u8| {
        view.link(crate::view::LinkKey::at(&"customer_id".parse().unwrap(), &number.to_string(), None))
    };
    assert_eq!((link(&before, GONE), link(&after, GONE)), (Some(profile(GONE)), None));
    assert_eq!((link(&after, 4), link(&before, 4)), (Some(profile(4)), Some(profile(4))));
    for (partition, head) in world.log.durable_heads() {
        let applied = after.applied(partition);
        assert_eq!((applied.seq, &applied.chain[..]), (head.seq, &head.chain.0[..]), "all were passed");
        assert_eq!(applied.chain, before.applied(partition).chain, "and are linked as they were");
    }
    // A snapshot in the middle, and the log behind it.
    let (whole, _) = world.fold();
    let records = world.heads.values().sum::<u64>() as usize;
    for cut in [records / 2, records] {
        let base = world.shelf().usable(world.log.reader()).next();
        world.make(world.cut_after(cut), base).unwrap();
        let (folded, opened) = world.fold();
        assert!(opened.base.is_some());
        assert_eq!(folded, whole);
    }
}

/// A history with everything in it, and snapshots at two places.
fn two_snapshots() -> (World, Dump) {
    let mut world = World::new();
    for number in 0..60u8 {
        let customer = number % 12;
        world.play(&Step::Event { customer, id: number });
        world.play(&Step::Claim { customer, by: number % 2 == 0, value: Some(number % 3) });
        world.play(&Step::Link { number: number % 6, customer, retired: number % 5 == 0 });
        if number % 10 == 0 {
            world.play(&Step::Change);
            world.play(&Step::Park { customer, parks: true });
            world.play(&Step::Remember { customer, bytes: Some(vec![number; 9_000]) });
        }
        // A commit each, so that there are segments.
        world.wait();
    }
    let whole = world.fold().0;
    let records = world.heads.values().sum::<u64>() as usize;
    world.make(world.cut_after(records / 3), None).unwrap();
    let base = world.shelf().usable(world.log.reader()).next();
    world.make(world.cut_after(2 * records / 3), base).unwrap();
    (world, whole)
}

#[test]
fn a_view_that_was_folded_anew_only_in_part_is_thrown_away_and_comes_out_equal() {
    let (world, whole) = two_snapshots();
    let (log, shelf) = (world.log.reader(), world.shelf());
    let (config, engine) =
        (ViewConfig { cache_bytes: 4 << 20, ..ViewConfig::default() }, EventIdLimits::default());
    for has_base in [false, true] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("view");
        let mut bases = shelf.bases(log);
        let bases = || if has_base { bases() } else { None };
        // Everything is collected, and written while the view is dropped; only that it is whole isn't
        // said.
        let cut_short = |_| panic!("cut short");
        let opening = || View::open_from(&path, log, homes(), &config, engine, bases, cut_short).map(drop);
        let opened = std::panic::catch_unwind(std::panic::AssertUnwindSafe(opening));
        assert!(opened.is_err(), "it was stopped");
        let existing = View::open_existing(&path, log, homes(), &config, engine, |_| {}).unwrap();
        assert_eq!(existing.err().as_deref(), Some("folding it anew was cut short"));
        let (view, opened) = View::open(&path, log, homes(), &config, engine, |_| {}).unwrap();
        assert_eq!(opened.rebuilt.as_deref(), Some("folding it anew was cut short"));
        assert_eq!(view.dump().unwrap(), whole);
        drop(view);
        let (_, opened) = View::open(&path, log, homes(), &config, engine, |_| {}).unwrap();
        assert_eq!(opened, Opened { rebuilt: None, base: None, folded: 0 }, "now it is kept");
    }
}

#[test]
fn a_bad_snapshot_is_passed_over_for_the_one_before() {
    let (world, whole) = two_snapshots();
    let files = world.shelf().files().unwrap();
    let (newest, older) = (&files[0], files[1].file_name().unwrap().to_str().unwrap());
    let good = fs::read(newest).unwrap();
    assert_eq!(world.fold().1.base.as_deref(), newest.file_name().unwrap().to_str());
    let spoil: [(&str, Vec<u8>); 6] = [
        ("cut short", good[..good.len() / 2].to_vec()),
        ("without its end", good[..good.len() - 1].to_vec()),
        ("empty", Vec::new()),
        ("of the other's bytes", fs::read(&files[1]).unwrap()[..good.len().min(500)].to_vec()),
        ("longer", [good.clone(), vec![0; 40]].concat()),
        ("noise", vec![0xA5; good.len()]),
    ];
    for (how, bytes) in spoil {
        fs::write(newest, bytes).unwrap();
        let (folded, opened) = world.fold();
        assert_eq!(opened.base.as_deref(), Some(older), "{how}");
        assert_eq!(folded, whole, "{how}");
    }
    // Both bad: the log still holds everything.
    fs::write(&files[1], b"nothing").unwrap();
    let (folded, opened) = world.fold();
    assert_eq!((opened.base, folded), (None, whole));
    let listed = world.shelf().list(world.log.reader(), true).unwrap();
    assert!(listed.iter().all(|listed| listed.found.is_err()));
}

#[test]
fn every_flipped_bit_is_found() {
    let (world, _) = two_snapshots();
    let path = world.shelf().files().unwrap().remove(0);
    let good = fs::read(&path).unwrap();
    let log = world.log.reader();
    let is_good = |path: &std::path::Path| {
        SnapshotFile::open(path).and_then(|file| file.fits(log).and_then(|()| file.check(|_, _| {}))).is_ok()
    };
    assert!(is_good(&path));
    // Every bit of the header and the trailer, and one in each stretch between.
    let ends = (0..600 * 8).chain((good.len() - 64) * 8..good.len() * 8);
    let between = (600 * 8..(good.len() - 64) * 8).step_by(997);
    let mut bits = 0;
    for bit in ends.chain(between) {
        let mut bytes = good.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        fs::write(&path, bytes).unwrap();
        assert!(!is_good(&path), "bit {bit}");
        bits += 1;
    }
    assert!(bits > 5_000);
    survival_json::record("snapshot_bit_flips", serde_json::json!({ "flipped": bits, "unnoticed": 0 }));
}

#[test]
fn a_snapshot_of_another_log_or_history_or_a_newer_fold_is_refused() {
    let (world, _) = two_snapshots();
    let path = world.shelf().files().unwrap().remove(0);
    let file = SnapshotFile::open(&path).unwrap();
    let other = World::of(&[Step::Change]);
    assert!(matches!(file.fits(other.log.reader()), Err(BadSnapshot::OtherLog)));
    // The same log, another past: what a repair that cut the log leaves.
    let copy = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(world.dir.path().join("log")).unwrap() {
        let entry = entry.unwrap();
        if entry.file_name().to_string_lossy().starts_with("0000000001.segment") {
            fs::copy(entry.path(), copy.path().join(entry.file_name())).unwrap();
        }
    }
    let (cut_back, _) = LocalLog::<()>::open(copy.path(), Options::default()).unwrap();
    assert!(matches!(file.fits(cut_back.reader()), Err(BadSnapshot::OtherHistory(_))));
    let mut bytes = fs::read(&path).unwrap();
    let header = format::Header { fold: file.header().fold + 1, ..file.header().clone() }.encode();
    bytes[..header.len()].copy_from_slice(&header);
    fs::write(&path, &bytes).unwrap();
    let newer = SnapshotFile::open(&path).unwrap().fits(world.log.reader());
    assert!(matches!(&newer, Err(BadSnapshot::Fold(why)) if why.contains("newer host")), "{newer:?}");
}

#[test]
fn segments_leave_and_a_snapshot_says_what_they_said() {
    let (world, whole) = two_snapshots();
    let log = world.log.reader();
    let changes: Vec<_> = log.scan(Partition::REGISTRY, 1).map(|record| record.unwrap()).collect();
    // What the older snapshot covers may go, its registry carried on.
    let older = SnapshotFile::open(&world.shelf().files().unwrap()[1]).unwrap();
    let covered = |segment: &samsyn_log::SegmentInfo| {
        segment.last.iter().all(|(partition, seq)| older.head(*partition).seq >= *seq)
    };
    let first_kept = log.segments().into_iter().find(|segment| !covered(segment)).unwrap();
    assert!(first_kept.number > 1, "something may go");
    world.log.remove_before(first_kept.number).unwrap();
    assert!(!log.is_readable_from_start(Partition::REGISTRY));
    assert!(world.shelf().carry_registry(log));
    let now: Vec<_> = log.scan(Partition::REGISTRY, 1).map(|record| record.unwrap()).collect();
    assert_eq!(now, changes, "the registry reads as before");
    assert_eq!(log.read(changes[0].position).unwrap().as_ref(), Some(&changes[0]));
    assert_eq!(world.fold().0, whole);
    // And the next snapshot goes on from it.
    let base = world.shelf().usable(log).next();
    world.make(log.cut(), base).unwrap();
    assert_eq!(world.fold().0, whole);
    // Without any snapshot nothing is made up.
    fs::remove_dir_all(world.shelf().dir()).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let opened =
        View::open(dir.path(), log, homes(), &ViewConfig::default(), EventIdLimits::default(), |_| {});
    let error = opened.err().expect("it is refused").to_string();
    assert!(error.contains("left the log"), "{error}");
    let made = world.make(log.cut(), None);
    assert!(matches!(made, Err(SnapshotError::Gap(_))), "{made:?}");
}

#[test]
fn what_is_stopped_or_killed_leaves_nothing_that_counts() {
    let (world, _) = two_snapshots();
    let shelf = world.shelf();
    let files = shelf.files().unwrap();
    let (log, dir) = (world.log.reader(), shelf.dir());
    let cut = log.cut();
    let make = SnapshotJob {
        log,
        dir,
        base: None,
        cut,
        made_at: Timestamp(1),
        remember: REMEMBER,
        profiles_held_max: None,
    };
    // There are fewer than a report's worth of records: the first report is never made.
    make.run(|_| Proceed::GoOn).unwrap();
    fs::write(shelf.dir().join("run-0001.new"), b"half").unwrap();
    fs::write(shelf.dir().join("00000000000000000009.snapshot.new"), b"half").unwrap();
    shelf.tidy().unwrap();
    assert_eq!(shelf.files().unwrap().len(), files.len() + 1);
    assert_eq!(fs::read_dir(shelf.dir()).unwrap().count(), files.len() + 1);
    assert_eq!(shelf.prune(log, 2).unwrap(), 1);
    assert_eq!(shelf.files().unwrap()[1], files[0]);
}

#[test]
fn old_event_ids_are_forgotten_with_their_block() {
    let mut world = World::new();
    for id in 0..40u8 {
        world.play(&Step::Event { customer: 0, id });
    }
    world.wait();
    let shelf = world.shelf();
    let (log, dir) = (world.log.reader(), shelf.dir());
    let remember = Remember { millis: MILLIS_A_DAY, max: 10 };
    let make = SnapshotJob {
        log,
        dir,
        base: None,
        cut: log.cut(),
        made_at: Timestamp(1),
        remember,
        profiles_held_max: None,
    };
    make.run(|_| Proceed::GoOn).unwrap();
    let (dump, opened) = world.fold();
    assert!(opened.base.is_some());
    assert_eq!(dump.events.len(), 40, "all in one block, without which less would be left than may be");
}
