//! `kill -9` at random moments: of load, of what admins do meanwhile, of the start, of folding the
//! view anew.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use serde_json::json;

use crate::arena::Arena;
use crate::chore::{Admins, Chore};
use crate::dice::{Dice, seed};
use crate::files;
use crate::plugins::template;
use samsyn_testkit::survival_json;

/// Kills in `make test`; with those of `egress.rs` they are its budget of 200.
const KILLS: u64 = 160;
/// Hosts that are killed at the same time.
const ARENAS: u64 = 2;
/// Kills of one data directory before its log and view are read whole.
const KILLS_A_CHECK: u64 = 10;
/// Checks of one data directory; then a new one is begun.
const CHECKS_A_LIFE: u64 = 2;
/// How long the host lives under load, in milliseconds, at most.
const LIFE_MS_MAX: u64 = 250;
/// The same when a component is compiled meanwhile.
const INSTALL_MS_MAX: u64 = 600;

/// What was done and seen.
#[derive(Default)]
pub struct Tally {
    pub kills: u64,
    /// Of each kind.
    kinds: BTreeMap<String, u64>,
    events: u64,
    records: u64,
    deliveries: u64,
    changes: u64,
    ready_ms_max: u64,
}

/// When the host is killed.
#[derive(Debug)]
enum Moment {
    /// Under load, with an admin at work.
    Load(Chore),
    /// While it starts.
    Start,
    /// While it folds the view anew.
    Rebuild,
}

impl Moment {
    fn choose(dice: &mut Dice) -> Moment {
        match dice.below(100) {
            0..75 => Moment::Load(Admins::choose(dice)),
            75..90 => Moment::Start,
            _ => Moment::Rebuild,
        }
    }
}

/// One kill and the start after it. The host runs before and after.
pub fn kill_once(arena: &mut Arena, tally: &mut Tally) {
    let moment = Moment::choose(&mut arena.dice);
    match moment {
        Moment::Load(chore) => {
            let slow = matches!(chore, Chore::Install | Chore::Upgrade | Chore::CatchUp);
            let life_ms_max = if slow { INSTALL_MS_MAX } else { LIFE_MS_MAX };
            arena.under_load(chore, |world, dice| {
                // The moment is what is random here.
                std::thread::sleep(Duration::from_millis(dice.between(1, life_ms_max)));
                world.kill();
            });
        }
        Moment::Start | Moment::Rebuild => {
            arena.world.kill();
            if matches!(moment, Moment::Rebuild) {
                std::fs::remove_dir_all(arena.world.data().join("view")).expect("there is a view");
            }
            let ready_us = arena.ready_in.as_micros() as u64;
            arena.world.launch(&[], &[]);
            std::thread::sleep(Duration::from_micros(arena.dice.below(ready_us + 1)));
            arena.world.kill();
        }
    }
    tally.kills += 1;
    *tally.kinds.entry(format!("{moment:?}")).or_default() += 1;
    arena.start();
    tally.ready_ms_max = tally.ready_ms_max.max(arena.ready_in.as_millis() as u64);
    arena.make_sure();
}

/// A data directory's life: kills, and every now and then a look at everything.
pub fn live(dice: Dice, tally: &mut Tally, mut goes_on: impl FnMut(&Tally) -> bool) {
    let mut arena = Arena::varied(dice);
    for check in 1..=CHECKS_A_LIFE {
        for _ in 0..KILLS_A_CHECK {
            if goes_on(tally) {
                kill_once(&mut arena, tally);
            }
        }
        arena.check();
        if check == CHECKS_A_LIFE {
            arena.unstick();
            arena.check();
        }
        arena.stop_and_inspect();
        if check < CHECKS_A_LIFE {
            arena.start();
        }
    }
    tally.events += arena.acknowledged();
    tally.records += arena.records;
    tally.deliveries += arena.deliveries;
    tally.changes += arena.changes;
}

impl Tally {
    fn add(&mut self, other: &Tally) {
        self.kills += other.kills;
        self.events += other.events;
        self.records += other.records;
        self.deliveries += other.deliveries;
        self.changes += other.changes;
        self.ready_ms_max = self.ready_ms_max.max(other.ready_ms_max);
        for (kind, count) in &other.kinds {
            *self.kinds.entry(kind.clone()).or_default() += count;
        }
    }

    /// What `target/survival.json` says of it. That nothing was lost or doubled is what was
    /// checked: the first violation ends the run.
    pub fn counts(&self, seed: u64) -> serde_json::Value {
        json!({
            "tried": self.kills, "lost": 0, "duplicated": 0, "moments": self.kinds, "seed": seed,
            "events_acknowledged": self.events, "records_checked": self.records,
            "deliveries_ended_once": self.deliveries, "changes_counted_once": self.changes, "ready_ms_max": self.ready_ms_max,
        })
    }
}

#[test]
fn the_harness_notices_an_event_that_is_lost() {
    let start = template();
    let mut arena = Arena::new(Dice::new(seed()));
    arena.load(Chore::None, 5, |_, _| {});
    arena.world.kill();
    // The log ends where the template was stopped: what was acknowledged since is gone.
    let log = arena.world.data().join("log");
    let last = files::newest_segment(&start.data().join("log"));
    let length = std::fs::metadata(&last).expect("it is there").len();
    let last = log.join(last.file_name().expect("it has a name"));
    files::all(&log).iter().filter(|file| **file > last).for_each(|file| {
        // The lock stays: its name sorts behind.
        if file.extension().is_some() {
            std::fs::remove_file(file).expect("a segment can be deleted");
        }
    });
    let file = std::fs::OpenOptions::new().write(true).open(&last).expect("it can be opened");
    assert!(file.metadata().expect("it is there").len() > length, "something was sent");
    file.set_len(length).expect("it can be cut");
    arena.start();
    let noticed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| arena.make_sure()));
    let said = noticed.expect_err("nobody noticed").downcast::<String>().expect("a panic says why");
    assert!(said.contains("an acknowledged event is lost") || said.contains("an answer told"), "{said}");
}

#[test]
fn what_was_acknowledged_survives_kill_9_exactly_once() {
    let seed = seed();
    println!("SAMSYN_SEED={seed}");
    let mut dice = Dice::new(seed);
    let all = Mutex::new(Tally::default());
    std::thread::scope(|scope| {
        for _ in 0..ARENAS {
            let (mut dice, all) = (dice.split(), &all);
            scope.spawn(move || {
                let mut tally = Tally::default();
                while tally.kills < KILLS / ARENAS {
                    live(dice.split(), &mut tally, |tally| tally.kills < KILLS / ARENAS);
                }
                all.lock().expect("no other arena has failed").add(&tally);
            });
        }
    });
    let tally = all.into_inner().expect("no arena has failed");
    println!("{}", tally.counts(seed));
    survival_json::record("kills", tally.counts(seed));
}
