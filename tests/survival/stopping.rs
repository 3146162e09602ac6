//! Stopping in order, and the lock that keeps two processes from one data directory.

use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;

use crate::arena::Arena;
use crate::chore::Chore;
use crate::dice::{Dice, seed};
use samsyn_harness::world::{Said, World, until};

/// How long the host lives under load, in milliseconds, at most.
const LIFE_MS_MAX: u64 = 300;
/// Stops under load.
const STOPS: u64 = 5;

#[test]
fn sigterm_under_load_drains_and_leaves_a_clean_log() {
    let seed = seed();
    println!("SAMSYN_SEED={seed}");
    let mut arena = Arena::new(Dice::new(seed));
    for _ in 0..STOPS {
        arena.under_load(Chore::None, |world, dice| {
            std::thread::sleep(Duration::from_millis(dice.between(1, LIFE_MS_MAX)));
            assert!(world.stop().success(), "SIGTERM ends a host well");
        });
        let verified = arena.world.run_on_data(&["log", "verify", "--json"]).ok().json();
        assert_eq!(verified["problem"], Value::Null, "{verified}");
        arena.start();
        arena.make_sure();
    }
    arena.check();
    arena.stop_and_inspect();
}

#[test]
fn a_data_directory_belongs_to_one_process() {
    let mut world = World::new();
    let mut second =
        world.serve().stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it can be started");
    let ended = until("the second host gives up", || second.try_wait().expect("it can be waited for"));
    let said = Said::of(second.wait_with_output().expect("its output can be read"));
    assert_eq!(ended.code(), Some(1), "{said:?}");
    assert!(said.err.contains("locked by a running host"), "{said:?}");
    assert!(said.err.contains("next: "), "{said:?}");
    for command in [["log", "cat"], ["view", "rebuild"], ["view", "check"]] {
        let said = world.run_on_data(&command);
        assert_eq!(said.code, Some(1), "{command:?}: {said:?}");
        assert!(said.err.contains("locked by a running host") && said.err.contains("next: "), "{said:?}");
    }
    assert_eq!(world.status()["profiles"], 0, "the first goes on");
    world.kill();
    // The lock is the process's: nothing has to be cleaned up after a kill.
    world.run_on_data(&["log", "cat"]).ok();
    let checked = world.run_on_data(&["view", "check", "--json"]).ok().json();
    assert_eq!(checked["equal"], true, "{checked}");
    world.start();
    world.signal("INT");
    assert!(world.ended().success(), "Ctrl-C is no failure either");
}

#[test]
fn a_view_that_is_no_fold_of_the_log_is_named() {
    let mut arena = Arena::new(Dice::new(seed()));
    arena.load(Chore::None, 5, |_, _| {});
    assert!(arena.world.stop().success());
    let view = arena.world.data().join("view");
    std::fs::remove_dir_all(&view).expect("the view can be deleted");
    let said = arena.world.run_on_data(&["view", "check"]);
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(
        said.err.contains("does not belong to this log") && said.err.contains("view rebuild"),
        "{said:?}"
    );
    arena.world.run_on_data(&["view", "rebuild"]).ok();
    assert!(arena.world.run_on_data(&["view", "check"]).ok().out.contains("the view matches the log"));
    arena.start();
}
