//! The seed of a run, and how often a long test repeats itself.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

/// The seed of a run: what `SAMSYN_SEED` says, else another one each time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seed(pub u64);

impl Seed {
    /// The seed of this run, which is printed so that the run can be had again.
    pub fn of_run(suite: &str) -> Seed {
        let seed = match std::env::var("SAMSYN_SEED") {
            Ok(text) => text.parse().expect("SAMSYN_SEED is a number"),
            Err(_) => {
                let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is later than 1970");
                now.as_nanos() as u64 % 1_000_000_000
            }
        };
        println!("{suite}: SAMSYN_SEED={seed}");
        Seed(seed)
    }

    /// The seed of one part of the run.
    pub fn of(self, part: u64) -> u64 {
        // Two odd constants, so that neighbours have nothing in common.
        self.0.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(part.wrapping_mul(0xD1B5_4A32_D192_ED03))
    }
}

impl fmt::Display for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How often a long test repeats itself: what `SAMSYN_ROUNDS` says, else until it is stopped.
pub fn rounds() -> u64 {
    match std::env::var("SAMSYN_ROUNDS") {
        Ok(text) => text.parse().expect("SAMSYN_ROUNDS is a number"),
        Err(_) => u64::MAX,
    }
}
