//! A machine that is busy with something else: nobody's plug-in is blamed for it.

use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;

use crate::demo::{demo, directory};
use samsyn_harness::world::World;

/// Purchases of the smoke run, which says nothing about time.
const FEW: &str = "400";

/// Does `work` while twice as many threads as there are cores compute.
fn beside_busy_threads<T>(work: impl FnOnce() -> T) -> T {
    let threads = 2 * std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let mut sum = 0_u64;
                while !done.load(Ordering::Relaxed) {
                    sum = std::hint::black_box(sum.wrapping_mul(31).wrapping_add(1));
                }
            });
        }
        // Also when it panics: the threads must not go on for ever.
        let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
        done.store(true, Ordering::Relaxed);
        ended.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// The demo beside busy threads: every capability does its work, and none is set aside.
fn assert_nobody_blamed(purchases: &[&str]) {
    let directory = directory();
    let more: Vec<&str> = ["--json"].iter().chain(purchases).copied().collect();
    let said = beside_busy_threads(|| demo(directory.path(), &more));
    for blamed in ["thread of its own", "quarantined", "a delivery is parked", "cut off"] {
        assert!(!said.err.contains(blamed), "{blamed:?}:\n{}", said.err);
    }
    let world = World::after_demo(directory);
    assert_eq!(world.get("/v1/parked").of(200)["items"], json!([]));
}

#[test]
fn a_busy_machine_cuts_nobody_off() {
    assert_nobody_blamed(&["--events", FEW]);
}

#[test]
#[ignore = "the longer one, with fifty times the purchases: make torture"]
fn torture_a_busy_machine_cuts_nobody_off_in_the_whole_demo() {
    assert_nobody_blamed(&["--events", "20000"]);
}
