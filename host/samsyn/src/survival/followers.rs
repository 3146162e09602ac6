//! A follower that stands still keeps no event waiting.

use std::sync::{Arc, Barrier};
use std::time::Instant;

use crate::clock::Clock;
use crate::disk;
use crate::engine::testing::{Bench, PATIENCE, USUAL};
use crate::follow::{ApplyError, FieldChanges, FollowConfig, Follower, Followers, Pace};
use crate::record::Undecoded;
use crate::vocabulary::{FieldName, Value};

/// Stands still at its first record until both sides of the barrier are there.
struct Blocked(Arc<Barrier>, bool);

impl Follower for Blocked {
    const NAME: &'static str = "blocked";
    const STATE_VERSION: u16 = 1;
    type State = u64;

    fn apply(&mut self, count: &mut u64, _: &Undecoded<'_>) -> Result<(), ApplyError> {
        if !std::mem::replace(&mut self.1, true) {
            self.0.wait();
            self.0.wait();
        }
        *count += 1;
        Ok(())
    }
}

#[test]
fn events_are_decided_while_a_follower_stands_still() {
    const EVENTS: i64 = 300;
    let bench = Bench::new();
    let pace = Pace::of(&FollowConfig { commit_ms: 0, ..FollowConfig::default() });
    let (records, dir) = (bench.engine.records().clone(), bench.path().join("followers"));
    let followers = Followers::new(records, disk::local(), dir, Clock::system(), pace);
    let barrier = Arc::new(Barrier::new(2));
    followers.start(Blocked(barrier.clone(), false)).expect("it starts");
    let counting = FieldChanges::default();
    let counts = counting.counts();
    followers.start(counting).expect("it starts");
    bench.install("probe", USUAL);
    // From here on it stands in the middle of a record, and goes on only when it is let.
    barrier.wait();
    for _ in 0..EVENTS {
        bench.script("anna", &["add probe.count"]);
    }
    bench.settle();
    assert_eq!(
        bench.value("anna", "probe.count"),
        Some(Value::Integer(EVENTS)),
        "all are decided and durable"
    );
    let until = |what: &str, holds: &dyn Fn() -> bool| {
        let started = Instant::now();
        while !holds() {
            assert!(started.elapsed() < PATIENCE, "it never came about: {what}");
            std::thread::yield_now();
        }
    };
    let field = FieldName::new("probe.count").expect("a name");
    let changes = || counts.get().and_then(|counts| counts.get(&field).copied());
    until("another follower goes on", &|| changes() == Some(EVENTS as u64));
    let lag = || followers.status()[0].lag_records;
    assert!(lag() as i64 > 2 * EVENTS, "it has taken in nothing");
    barrier.wait();
    until("it catches up", &|| lag() == 0);
}
