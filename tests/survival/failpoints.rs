//! The process aborts before and after every step that touches the disk, and nothing is lost.

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use samsyn::failpoint::Step;
use serde_json::{Value, json};

use crate::arena::Arena;
use crate::chore::Chore;
use crate::dice::{Dice, seed};
use crate::files;
use crate::plugins::SETTINGS;
use samsyn_harness::caller::Caller;
use samsyn_harness::world::{World, until};
use samsyn_testkit::survival_json;

/// How often the process aborts at each side of each step.
const TIMES: u64 = 3;
/// Hosts at the same time.
const ARENAS: usize = 2;
/// Aborts of one data directory before its log and view are read whole.
const ABORTS_A_CHECK: u64 = 12;
/// Requests of each sender in which a step of the load must have come.
const REQUESTS_MAX: u64 = 600;
/// Requests before a host is stopped, so that there is something to write.
const REQUESTS_BEFORE_STOP: u64 = 8;
/// Snapshots after which the oldest has left.
const SNAPSHOTS_MAX: usize = 4;
/// Bytes of a torn write.
const TORN_BYTES: u64 = 300;
/// The signal of an abort.
pub const SIGABRT: i32 = 6;

/// What makes a host take a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scenario {
    /// Events, proposals and reads: the step comes within so many of its kind.
    Load(u64),
    /// Snapshots, so many that the oldest leaves.
    Snapshots,
    /// A new plug-in.
    Install,
    /// SIGTERM.
    Stop,
    /// The start after a kill.
    Start,
    /// The start after SIGTERM.
    StartClean,
    /// The start after a kill that left a file unfinished.
    StartUnfinished,
    /// The start after a kill that tore the last write.
    StartTorn,
    /// The start after a kill that kept a segment from leaving.
    StartBelowFloor,
    /// The start after somebody overwrote the view.
    StartNoView,
    /// The first start of a data directory.
    First,
}

/// Every step has a scenario: a new one doesn't compile before it is given one.
fn scenario(step: Step, time: u64) -> Scenario {
    match step {
        Step::LogDirectory => Scenario::Start,
        Step::FrameWrite | Step::FrameSync => Scenario::Load(120),
        Step::SegmentSeal | Step::SegmentStart => Scenario::Load(4),
        Step::AheadZeros | Step::ZerosCut => Scenario::Load(3),
        Step::ReplaceWrite | Step::ReplaceSync | Step::ReplaceRename | Step::ReplaceDirectory => match time {
            0 => Scenario::Start,
            _ => Scenario::Load(6),
        },
        Step::FloorWrite | Step::SegmentRemove | Step::SegmentRemoveSync => Scenario::Load(3),
        Step::SnapshotRun
        | Step::SnapshotWrite
        | Step::SnapshotSync
        | Step::SnapshotRename
        | Step::SnapshotDirectory
        | Step::SnapshotTidy
        | Step::SnapshotRemove => Scenario::Snapshots,
        Step::FollowerWrite | Step::FollowerSync | Step::FollowerRename | Step::FollowerDirectory => {
            Scenario::Load(4)
        }
        Step::ViewIndexes => Scenario::Load(5),
        Step::ViewPartition => Scenario::Load(30),
        Step::CloseMark | Step::ViewFlush | Step::TokenUses => Scenario::Stop,
        Step::UnfinishedRemove => Scenario::StartUnfinished,
        Step::TailWrite | Step::TailSync => Scenario::StartTorn,
        Step::LastRewrite => Scenario::Start,
        Step::LastSync => Scenario::StartClean,
        Step::BelowFloorRemove => Scenario::StartBelowFloor,
        Step::ViewRemove | Step::ViewMake | Step::ViewProfiles | Step::ViewSign => Scenario::StartNoView,
        Step::DurableWrite | Step::DurableSync | Step::DurableRename | Step::DurableDirectory => match time {
            0 => Scenario::Stop,
            1 => Scenario::First,
            _ => Scenario::Install,
        },
        Step::DataSettings => Scenario::First,
        Step::ComponentKeep | Step::CompiledWrite | Step::CompiledRename | Step::CompiledDirectory => {
            Scenario::Install
        }
    }
}

/// One abort.
#[derive(Clone, Copy, Debug)]
pub struct Abort {
    step: Step,
    side: &'static str,
    time: u64,
}

/// Every abort of `make test`.
pub fn all() -> Vec<Abort> {
    let mut aborts = Vec::new();
    for step in Step::ALL {
        for side in ["before", "after"] {
            aborts.extend((0..TIMES).map(|time| Abort { step: *step, side, time }));
        }
    }
    aborts
}

impl Abort {
    /// Has the host abort and starts it again. The host runs before and after.
    pub fn carry_out(self, arena: &mut Arena) {
        let Abort { step, side, time } = self;
        let scenario = scenario(step, time);
        let passes = match scenario {
            Scenario::Load(passes_max) => arena.dice.between(1, passes_max),
            _ => 1,
        };
        let failpoint = format!("{}:{side}:{passes}", step.name());
        let armed = [("SAMSYN_FAILPOINT", failpoint.as_str())];
        if scenario == Scenario::First {
            return first_start(&armed);
        }
        prepare(scenario, arena);
        let ready = arena.start_with(&armed);
        match scenario {
            Scenario::Load(_) if ready => arena.load(Chore::None, REQUESTS_MAX, |_, _| {}),
            Scenario::Snapshots if ready => {
                for _ in 0..SNAPSHOTS_MAX {
                    arena.load(Chore::None, REQUESTS_BEFORE_STOP, |_, _| {});
                    if !snapshot_made(&arena.world) {
                        break;
                    }
                }
            }
            Scenario::Install if ready => arena.load(Chore::Install, REQUESTS_BEFORE_STOP, |_, _| {}),
            Scenario::Stop if ready => {
                arena.load(Chore::None, REQUESTS_BEFORE_STOP, |_, _| {});
                arena.world.signal("TERM");
            }
            _ => {}
        }
        let ended = arena.world.gone();
        assert_eq!(ended.signal(), Some(SIGABRT), "{failpoint} was never come to: {self:?} {ended:?}");
        arena.start();
        arena.make_sure();
    }
}

/// Ends the host in the way that lets its next start take the step.
fn prepare(scenario: Scenario, arena: &mut Arena) {
    let data = arena.world.data();
    match scenario {
        Scenario::StartClean => assert!(arena.world.stop().success()),
        Scenario::StartBelowFloor => {
            arena.world.kill();
            let armed = [("SAMSYN_FAILPOINT", "segment-remove:before:1")];
            if arena.start_with(&armed) {
                arena.load(Chore::None, REQUESTS_MAX, |_, _| {});
            }
            assert_eq!(arena.world.gone().signal(), Some(SIGABRT), "no segment left");
        }
        _ => {
            // Something to write anew: a log that ended well and got nothing more is left alone.
            arena.load(Chore::None, REQUESTS_BEFORE_STOP, |_, _| {});
            arena.world.kill();
        }
    }
    match scenario {
        Scenario::StartUnfinished => write(&data.join("log/0000000999.segment.new"), b"half a file"),
        Scenario::StartTorn => {
            let segment = files::newest_segment(&data.join("log"));
            let mut bytes = std::fs::read(&segment).expect("a segment can be read");
            bytes.extend((0..TORN_BYTES).map(|_| arena.dice.below(256) as u8));
            write(&segment, &bytes);
        }
        Scenario::StartNoView => {
            for file in files::all(&data.join("view")) {
                write(&file, b"nothing of a view");
            }
        }
        _ => {}
    }
}

/// Has the host make a snapshot and waits for it; false when the host is gone.
fn snapshot_made(caller: &Caller) -> bool {
    let made = |answer: &Value| answer["made"].as_u64();
    let ask = |method| caller.try_send(method, "/v1/snapshots", &[], b"").ok().map(|answer| answer.json());
    let Some(before) = ask("GET").as_ref().and_then(made) else { return false };
    if ask("POST").is_none() {
        return false;
    }
    until("the snapshot is made", || match ask("GET") {
        None => Some(false),
        Some(now) => (made(&now) > Some(before)).then_some(true),
    })
}

fn write(path: &Path, bytes: &[u8]) {
    std::fs::write(path, bytes).expect("a file can be written");
}

/// The very first start is cut short; the next one makes do with what there is.
fn first_start(armed: &[(&str, &str)]) {
    let mut world = World::stopped(SETTINGS, "");
    world.launch(&[], armed);
    world.is_ready();
    assert_eq!(world.gone().signal(), Some(SIGABRT), "{armed:?} was never come to");
    world.start();
    world.json("PUT", "/v1/fields/city", &json!({"type": "text"})).of(200);
    assert!(world.stop().success());
}

#[test]
fn the_process_may_end_before_and_after_every_step_on_the_disk() {
    let seed = seed();
    println!("SAMSYN_SEED={seed}");
    let mut dice = Dice::new(seed);
    let (aborts, next, seen) = (all(), AtomicUsize::new(0), Mutex::new(Seen::default()));
    std::thread::scope(|scope| {
        for _ in 0..ARENAS {
            let (dice, aborts, next, seen) = (dice.split(), &aborts, &next, &seen);
            scope.spawn(move || {
                let take = || aborts.get(next.fetch_add(1, Ordering::Relaxed)).copied();
                let found = live(dice, take);
                seen.lock().expect("no other arena has failed").add(found);
            });
        }
    });
    let seen = seen.into_inner().expect("no arena has failed");
    for step in Step::ALL {
        assert_eq!(seen.steps.get(step.name()), Some(&(2 * TIMES)), "{} times", step.name());
    }
    println!("{}", seen.counts(seed));
    survival_json::record("failpoints", seen.counts(seed));
}

/// What was done and seen.
#[derive(Default)]
pub struct Seen {
    steps: BTreeMap<&'static str, u64>,
    events: u64,
    deliveries: u64,
}

impl Seen {
    pub fn add(&mut self, other: Seen) {
        for (step, count) in other.steps {
            *self.steps.entry(step).or_default() += count;
        }
        self.events += other.events;
        self.deliveries += other.deliveries;
    }

    pub fn counts(&self, seed: u64) -> Value {
        json!({
            "steps": self.steps.len(), "aborts": self.steps.values().sum::<u64>(), "lost": 0, "duplicated": 0,
            "seed": seed, "events_acknowledged": self.events, "deliveries_ended_once": self.deliveries,
        })
    }
}

/// Aborts on data directories of one thread, each read whole now and then.
pub fn live(mut dice: Dice, mut take: impl FnMut() -> Option<Abort>) -> Seen {
    let mut seen = Seen::default();
    let mut next = take();
    while next.is_some() {
        let mut arena = Arena::new(dice.split());
        for _ in 0..ABORTS_A_CHECK {
            let Some(abort) = next else { break };
            abort.carry_out(&mut arena);
            *seen.steps.entry(abort.step.name()).or_default() += 1;
            next = take();
        }
        arena.check();
        arena.unstick();
        arena.check();
        arena.stop_and_inspect();
        seen.events += arena.acknowledged();
        seen.deliveries += arena.deliveries;
    }
    seen
}
