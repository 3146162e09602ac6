//! Calls and kills: a system writes down what arrived, the host that calls it is killed at random moments, and in the
//! end the two agree. `once` arrives at most once, `keyed` has one effect, every call has one answer, and what is in
//! doubt was under way.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::os::unix::process::ExitStatusExt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use samsyn::disk::DataDir;
use samsyn::failpoint::Step;
use samsyn::log::{ScanFrom, StoppedLog};
use samsyn::record::{AttemptEnd, CallEnd, CallRecord, Reader, Record, RowId};
use samsyn::vocabulary::ProfileId;
use serde_json::{Value, json};

use crate::dice::{Dice, seed};
use crate::egress_rows;
use crate::failpoints::SIGABRT;
use samsyn_harness::caller::Caller;
use samsyn_harness::components::{USUAL, calling_probe, row_probe};
use samsyn_harness::world::{World, until_ok};
use samsyn_testkit::peer::{Act, Arrival, Cut, Mode, Peer, Setup};
use samsyn_testkit::survival_json;

/// Kills in `make test`; with those of `kills.rs` they are its budget. Every second one is an abort at a step on the disk.
const KILLS: u64 = 40;
/// Kills in `make torture`.
const TORTURE_KILLS: u64 = 1_000;
/// Hosts that are killed at the same time.
const ARENAS: u64 = 2;
/// Kills of one data directory before its log is read whole.
const KILLS_A_LIFE: u64 = 10;
/// How long the host lives under load, in milliseconds, at most.
const LIFE_MS_MAX: u64 = 400;
/// Events within which a step of [`STEPS`] must have come.
const EVENTS_MAX: u64 = 20_000;
/// Steps on the disk that a host takes while it calls, each with how often it may be passed before the abort.
const STEPS: [(Step, u64); 10] = [
    (Step::FrameWrite, 150),
    (Step::FrameSync, 150),
    (Step::SegmentSeal, 3),
    (Step::SegmentStart, 3),
    (Step::AheadZeros, 2),
    (Step::ZerosCut, 2),
    (Step::ReplaceWrite, 2),
    (Step::ReplaceDirectory, 2),
    (Step::ViewIndexes, 5),
    (Step::ViewPartition, 20),
];
/// Customers of an arena.
const CUSTOMERS: u64 = 60;
/// Exchanges with one endpoint at the same time.
const PARALLEL: u64 = 4;
/// The classes of the endpoints, each a capability of its own with a system of its own.
const CLASSES: [&str; 4] = ["once", "keyed", "safe", egress_rows::CLASS];

const SETTINGS: &[(&str, &str)] = &[
    ("SAMSYN_REGISTRY_ACCEPT_NEW_FIELDS", "true"),
    ("SAMSYN_ENGINE_PARTITIONS", "4"),
    ("SAMSYN_LOG_SEGMENT_BYTES", "65536"),
    ("SAMSYN_VIEW_BATCH_ENTRIES", "8"),
    ("SAMSYN_VIEW_BATCH_MS", "50"),
];

/// What was done and seen.
#[derive(Default)]
struct Seen {
    kills: u64,
    calls: u64,
    arrivals: u64,
    retried: u64,
    in_doubt: u64,
    shared: u64,
}

impl Seen {
    fn add(&mut self, other: &Seen) {
        self.kills += other.kills;
        self.calls += other.calls;
        self.arrivals += other.arrivals;
        self.retried += other.retried;
        self.in_doubt += other.in_doubt;
        self.shared += other.shared;
    }

    /// What `target/survival.json` says of it. The first violation ends the run.
    fn counts(&self, seed: u64) -> Value {
        json!({
            "tried": self.calls, "lost": 0, "doubled": 0, "silent": 0, "kills": self.kills, "arrivals": self.arrivals,
            "in_doubt": self.in_doubt, "tried_again": self.retried, "requests_of_rows": self.shared, "seed": seed,
        })
    }
}

/// A host that calls a system of each class.
struct Arena {
    world: World,
    peers: BTreeMap<&'static str, Peer>,
    dice: Dice,
    next: u64,
    /// Events that aren't acknowledged.
    perhaps: Vec<Value>,
}

/// The probe in one class's capability: its own events, its own fields.
pub fn capability(class: &str) -> Vec<u8> {
    let tables = USUAL.replace("probe.", &format!("{class}."));
    // The probe says `probe.` itself, so its fields keep their names.
    let tables = tables.replace(&format!("\"{class}.count\""), "\"probe.count\"");
    let tables = tables.replace(&format!("\"{class}.note\""), "\"probe.note\"");
    let tables = tables.replace(&format!("\"{class}.seen\""), "\"probe.seen\"");
    if class == egress_rows::CLASS {
        return row_probe(class, &format!("timers = true\n{}{tables}", egress_rows::CALLS));
    }
    let calls = "[calls.system]\nreason = \"A system that writes down what arrived\"\nmethods = [\"PUT\"]\n";
    calling_probe(class, &format!("timers = true\n{calls}{tables}"))
}

/// What a system does with a request: mostly it answers, sometimes late, and sometimes the connection ends.
fn act(seed: u64, number: u64) -> Act {
    let mut dice = Dice::new(seed.wrapping_add(number));
    match dice.below(256) {
        0..180 => Act::ok(),
        180..230 => Act { late_ms: dice.between(1, 60), ..Act::ok() },
        230..240 => Act::ok().cut_answer(dice.below(32) as usize, Cut::Reset),
        _ => Act { closes: true, ..Act::ok() },
    }
}

impl Arena {
    fn new(mut dice: Dice) -> Arena {
        let world = World::with(SETTINGS);
        let chance = dice.below(u64::MAX / 2);
        let mut peers = BTreeMap::new();
        for class in CLASSES {
            let dedupes = repeat(class) == "keyed";
            let peer = Peer::with(Setup { dedupes, ..Setup::default() }, None);
            let peer = peer.expect("a system can listen");
            let number = AtomicU64::new(0);
            let usual = move || act(chance, number.fetch_add(1, Ordering::Relaxed));
            judge(&peer, class, usual);
            world.install(&capability(class));
            bind(&world, class, &peer);
            peers.insert(class, peer);
        }
        Arena { world, peers, dice, next: 0, perhaps: Vec::new() }
    }

    /// Sends events that call, until the host is gone or so many were taken.
    fn load(&mut self, events_max: u64) {
        let mut taken = 0;
        while taken < events_max {
            let events: Vec<Value> = (0..self.dice.between(1, 4)).map(|_| self.event()).collect();
            self.perhaps.extend(events);
            let body = json!({ "events": self.perhaps }).to_string();
            let sent = self.world.try_send(
                "POST",
                "/v1/events",
                &[("content-type", "application/json")],
                body.as_bytes(),
            );
            let Ok(answer) = sent else { return };
            let answer = answer.of(202);
            assert_eq!(answer["refused"], 0, "{answer}");
            taken += self.perhaps.len() as u64;
            self.perhaps.clear();
        }
    }

    fn event(&mut self) -> Value {
        let (number, class) = (self.next, *self.dice.one_of(&CLASSES));
        self.next += 1;
        let customer = format!("c{}", self.dice.below(CUSTOMERS));
        let command = match class {
            egress_rows::CLASS => format!("row system {number} {number}"),
            _ => format!("call system PUT /{number} {number}"),
        };
        json!({
            "id": format!("{class}-{number}"), "name": format!("{class}.asked"),
            "identifiers": { "customer_id": customer }, "properties": { "script": [command] },
        })
    }

    /// One kill under load, and the start after it, which may be one that ends at a step.
    fn kill_once(&mut self, armed: Option<&str>) {
        let life = Duration::from_millis(self.dice.between(1, LIFE_MS_MAX));
        let id = self.world.id();
        let killer = std::thread::spawn(move || {
            // The moment is what is random here.
            std::thread::sleep(life);
            let killed = std::process::Command::new("kill").args(["-s", "KILL", &id.to_string()]).status();
            assert!(killed.expect("kill can be run").success());
        });
        self.load(u64::MAX);
        killer.join().expect("it kills");
        self.world.gone();
        match armed {
            None => self.go_on(),
            Some(failpoint) => {
                self.world.launch(&[], &[("SAMSYN_FAILPOINT", failpoint)]);
                if self.world.is_ready() {
                    self.load(EVENTS_MAX);
                }
                let ended = self.world.gone();
                assert_eq!(ended.signal(), Some(SIGABRT), "{failpoint} was never come to: {ended:?}");
                self.go_on();
            }
        }
    }

    fn go_on(&mut self) {
        self.world.start();
        // What was under way is sent again: the host knows what it has taken.
        self.load(self.perhaps.len() as u64);
    }

    /// Waits until every call has its answer, stops, and holds the log against what arrived.
    fn finish(mut self, kills: u64) -> Seen {
        // A call that met three bad connections in a row would wait for ten minutes: from here on there are none.
        self.peers.iter().for_each(|(class, peer)| judge(peer, class, Act::ok));
        let caller: &Caller = &self.world;
        until_ok("every call is answered", || {
            let waiting = caller.status()["calls"]["waiting"].as_u64();
            if waiting == Some(0) { Ok(()) } else { Err(format!("{waiting:?} wait")) }
        });
        caller.settle();
        assert!(self.world.stop().success(), "SIGTERM ends a host well");
        let arrivals = self.peers.iter().map(|(class, peer)| (*class, peer.arrivals())).collect();
        let exchanges = Exchanges::of(&self.world.data());
        let found = exchanges.violations(&arrivals);
        assert!(found.is_empty(), "{found:#?}");
        assert_eq!(exchanges.calls.len() as u64, self.next, "every event that was taken called once");
        assert!(
            exchanges.crashed <= kills * PARALLEL * CLASSES.len() as u64,
            "{} in doubt after {kills} kills",
            exchanges.crashed
        );
        Seen {
            kills,
            calls: exchanges.calls.len() as u64,
            arrivals: arrivals.values().map(Vec::len).sum::<usize>() as u64,
            retried: exchanges.retried,
            in_doubt: exchanges.crashed,
            shared: exchanges.rows.shared() as u64,
        }
    }
}

/// Binds the endpoint of a class to its system.
pub fn bind(caller: &Caller, class: &str, peer: &Peer) {
    let mut binding = json!({
        "url": peer.url(), "auth": "none", "repeat": repeat(class), "networks": ["127.0.0.0/8"], "rate": "10000 per 1s",
        "parallel": PARALLEL, "timeout": "5s",
    });
    if repeat(class) == "keyed" {
        binding["key"] = json!({ "header": "Idempotency-Key", "hours": 24 });
    }
    caller.json("PUT", &format!("/v1/endpoints/{class}/system"), &binding).of(200);
}

/// The retry class of a class's endpoint.
fn repeat(class: &str) -> &str {
    if class == egress_rows::CLASS { "keyed" } else { class }
}

/// Has a class's system usually do this.
fn judge(peer: &Peer, class: &str, usual: impl Fn() -> Act + Send + Sync + 'static) {
    let has_rows = class == egress_rows::CLASS;
    peer.judge(move |arrival| if has_rows { egress_rows::act(arrival, usual()) } else { usual() });
}

/// One call as the log has it.
#[derive(Debug, Default)]
struct Exchange {
    key: String,
    begun: u64,
    ended: u64,
    answers: Vec<CallEnd>,
    /// Decisions that invoked its handler.
    heard: u64,
}

/// All calls of a log: by class and path.
#[derive(Default)]
struct Exchanges {
    calls: BTreeMap<(String, String), Exchange>,
    rows: egress_rows::Requests,
    /// The path of each call: of a row what it says.
    paths: HashMap<(ProfileId, String, u32), String>,
    crashed: u64,
    retried: u64,
}

impl Exchanges {
    fn of(data: &std::path::Path) -> Exchanges {
        let log = StoppedLog::open(&DataDir(data.to_owned()).log()).expect("the log can be opened");
        let mut scan = Reader::new(log.reader().clone()).scan_all(ScanFrom::Start);
        let mut all = Exchanges::default();
        let mut numbers: HashMap<(ProfileId, String), u32> = HashMap::new();
        while let Some(read) = scan.next().expect("the log can be read") {
            match read.record().expect("every record can be read") {
                Record::Decided(decided) => {
                    for outcome in &decided.outcomes {
                        let class = outcome.capability.to_string();
                        for call in &outcome.calls {
                            let number = numbers.entry((decided.profile, class.clone())).or_default();
                            *number += 1;
                            let note =
                                call.note.as_ref().map(|note| String::from_utf8_lossy(&note.0).into_owned());
                            let path = note.filter(|_| call.is_row).unwrap_or(call.path.clone());
                            all.paths.insert((decided.profile, class.clone(), *number), path.clone());
                            let key = call.key.expect("a call has a key").to_string();
                            let exchange = Exchange { key, ..Exchange::default() };
                            let before = all.calls.insert((class.clone(), path.clone()), exchange);
                            assert!(before.is_none(), "{path} is begun twice");
                        }
                    }
                    if let Some(ended) = &decided.call {
                        let path = &all.paths[&(decided.profile, ended.capability.to_string(), ended.number)];
                        let key = (ended.capability.to_string(), path.clone());
                        all.calls.get_mut(&key).expect("it was begun").heard += decided.outcomes.len() as u64;
                    }
                }
                Record::Call(record) => {
                    let call = record.call();
                    let class = call.capability.to_string();
                    let path = all.paths[&(record.profile(), class.clone(), call.number)].clone();
                    let exchange = all.calls.get_mut(&(class.clone(), path)).expect("it was begun");
                    if class == egress_rows::CLASS {
                        all.rows.take(&record);
                    }
                    match &record {
                        CallRecord::Sending(_) => exchange.begun += 1,
                        CallRecord::Retrying(retrying) => {
                            exchange.ended += 1;
                            all.retried += 1;
                            let crashed = matches!(&retrying.how, AttemptEnd::Unknown { code, .. } if code == "crashed");
                            all.crashed += u64::from(crashed);
                        }
                        CallRecord::Answered(answered) => {
                            exchange.ended += 1;
                            let end = CallEnd::from(&answered.answer);
                            let crashed = matches!(&end, CallEnd::Unknown { code } if code == "crashed");
                            all.crashed += u64::from(crashed);
                            exchange.answers.push(end);
                        }
                        CallRecord::Settled(_) | CallRecord::Doubted(_) | CallRecord::Framed(_) => {}
                    }
                }
                _ => {}
            }
        }
        all
    }

    /// Where the log and the systems disagree.
    fn violations(&self, arrivals: &BTreeMap<&str, Vec<Arrival>>) -> Vec<String> {
        let mut found = Vec::new();
        let mut arrived: HashMap<(String, String), Vec<&Arrival>> = HashMap::new();
        for (class, arrivals) in arrivals {
            if *class == egress_rows::CLASS {
                let row_of = |row: RowId| self.paths[&(row.profile, (*class).to_owned(), row.number)].clone();
                let rows = self.calls.iter().filter(|((of, _), _)| of == class);
                let ends = rows.map(|((_, row), exchange)| (row.clone(), &exchange.answers[..]));
                found.extend(self.rows.violations(arrivals, row_of, ends));
                continue;
            }
            for arrival in arrivals {
                arrived.entry(((*class).to_owned(), arrival.target.clone())).or_default().push(arrival);
            }
        }
        // No byte without a durable intent.
        for (key, arrivals) in &arrived {
            let Some(exchange) = self.calls.get(key) else {
                found.push(format!("{key:?} arrived, and the log has no such call"));
                continue;
            };
            if key.0 != "safe" && arrivals.len() as u64 > exchange.begun {
                found.push(format!(
                    "{key:?} arrived {} times, and {} were intended",
                    arrivals.len(),
                    exchange.begun
                ));
            }
            let keys: BTreeSet<_> = arrivals.iter().filter_map(|arrival| arrival.key.as_ref()).collect();
            if key.0 == "keyed" && keys.iter().any(|key| **key != exchange.key) {
                found.push(format!("{key:?} arrived with the keys {keys:?}, not {}", exchange.key));
            }
        }
        for (key, exchange) in &self.calls {
            let arrivals = arrived.get(key).map_or(&[][..], Vec::as_slice);
            let complete = arrivals.iter().filter(|arrival| arrival.complete).count();
            let effects = arrivals.iter().filter(|arrival| arrival.effect).count();
            let [answer] = &exchange.answers[..] else {
                found.push(format!("{key:?} has the answers {:?}", exchange.answers));
                continue;
            };
            if exchange.heard != 1 {
                found.push(format!("{key:?} was heard {} times", exchange.heard));
            }
            if key.0 == egress_rows::CLASS {
                continue;
            }
            if key.0 == "once" && arrivals.len() > 1 {
                found.push(format!("{key:?} arrived {} times", arrivals.len()));
            }
            let answered = matches!(answer, CallEnd::Response { .. });
            if key.0 != "safe" && effects > 1 {
                found.push(format!("{key:?} had {effects} effects"));
            }
            if answered && (complete == 0 || (key.0 != "safe" && effects != 1)) {
                found.push(format!("{key:?} was answered, and had {effects} effects of {complete} arrivals"));
            }
            if matches!(answer, CallEnd::NotSent { .. }) && !arrivals.is_empty() {
                found.push(format!("{key:?} was not sent, and arrived"));
            }
            if key.0 != "safe" && exchange.begun > exchange.ended {
                found.push(format!("{key:?}: {} attempts began, {} ended", exchange.begun, exchange.ended));
            }
        }
        found
    }
}

/// The abort of this number: each step in turn, on either side.
fn failpoint(number: u64, dice: &mut Dice) -> String {
    let (step, passes_max) = STEPS[(number / 2 % STEPS.len() as u64) as usize];
    let side = if number.is_multiple_of(2) { "before" } else { "after" };
    format!("{}:{side}:{}", step.name(), dice.between(1, passes_max))
}

fn kill(kills: u64) -> Seen {
    let seed = seed();
    println!("SAMSYN_SEED={seed}");
    let mut dice = Dice::new(seed);
    let (all, aborts) = (Mutex::new(Seen::default()), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for _ in 0..ARENAS {
            let (mut dice, all, aborts) = (dice.split(), &all, &aborts);
            scope.spawn(move || {
                let mut left = kills / ARENAS;
                while left > 0 {
                    let mut arena = Arena::new(dice.split());
                    let some = left.min(KILLS_A_LIFE);
                    for _ in 0..some / 2 {
                        let number = aborts.fetch_add(1, Ordering::Relaxed);
                        let failpoint = failpoint(number, &mut arena.dice);
                        arena.kill_once(Some(&failpoint));
                    }
                    (0..some % 2).for_each(|_| arena.kill_once(None));
                    left -= some;
                    let seen = arena.finish(some);
                    all.lock().expect("no other arena has failed").add(&seen);
                }
            });
        }
    });
    let seen = all.into_inner().expect("no arena has failed");
    println!("{}", seen.counts(seed));
    survival_json::record("egress", seen.counts(seed));
    seen
}

#[test]
fn a_system_and_the_log_agree_though_the_host_is_killed() {
    let seen = kill(KILLS);
    assert!(seen.calls > KILLS && seen.arrivals > KILLS, "something was called");
    assert!(seen.shared > 0, "some rows travelled together");
}

#[test]
#[ignore = "a thousand kills: make torture"]
fn torture_calls() {
    kill(TORTURE_KILLS);
}

/// A system that has two effects for each request, and one that keeps nothing, must be found out.
#[test]
fn a_system_that_lies_is_found_out() {
    for mode in [Mode::Twice, Mode::Loses] {
        let mut arena = Arena::new(Dice::new(seed()));
        let peer = Peer::with(Setup { mode, dedupes: true, ..Setup::default() }, None).expect("it listens");
        bind(&arena.world, "keyed", &peer);
        arena.peers.insert("keyed", peer);
        arena.load(60);
        let caller: &Caller = &arena.world;
        until_ok("every call is answered", || {
            let waiting = caller.status()["calls"]["waiting"].as_u64();
            if waiting == Some(0) { Ok(()) } else { Err(format!("{waiting:?} wait")) }
        });
        assert!(arena.world.stop().success());
        let arrivals = arena.peers.iter().map(|(class, peer)| (*class, peer.arrivals())).collect();
        let found = Exchanges::of(&arena.world.data()).violations(&arrivals);
        assert!(
            found.iter().any(|found| found.contains("keyed") && found.contains("effects")),
            "{mode:?}: {found:?}"
        );
    }
}

/// What is under way when the host is told to stop is answered, and written down.
#[test]
fn sigterm_drains_calls_to_none_in_doubt() {
    let mut arena = Arena::new(Dice::new(seed()));
    for (class, peer) in &arena.peers {
        judge(peer, class, || Act { late_ms: 30, ..Act::ok() });
    }
    for _ in 0..3 {
        arena.load(40);
        assert!(arena.world.stop().success(), "SIGTERM ends a host well");
        let exchanges = Exchanges::of(&arena.world.data());
        let open: Vec<_> =
            exchanges.calls.iter().filter(|(_, exchange)| exchange.begun > exchange.ended).collect();
        assert!(open.is_empty(), "{open:?}");
        assert_eq!(exchanges.crashed, 0);
        arena.world.start();
    }
    arena.finish(0);
}
