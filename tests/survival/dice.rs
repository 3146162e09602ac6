//! Random numbers from a seed: the same on every machine and with every version of everything.

use std::time::{SystemTime, UNIX_EPOCH};

/// A generator (SplitMix64): small, quick, and good enough to choose what to break.
#[derive(Clone, Debug)]
pub struct Dice(u64);

/// The seed of this run: `SAMSYN_SEED`, else the time. A suite prints it.
pub fn seed() -> u64 {
    match std::env::var("SAMSYN_SEED") {
        Ok(text) => text.parse().expect("SAMSYN_SEED is a number"),
        Err(_) => SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |since| since.as_millis() as u64),
    }
}

impl Dice {
    pub fn new(seed: u64) -> Dice {
        Dice(seed)
    }

    /// Dice of their own for a part of the run, so that its parts don't depend on each other.
    pub fn split(&mut self) -> Dice {
        Dice(self.next())
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// A number from `first` to `last`.
    pub fn between(&mut self, first: u64, last: u64) -> u64 {
        first + self.below(last - first + 1)
    }

    /// True in so many of a hundred cases.
    pub fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// One of them.
    pub fn one_of<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.below(choices.len() as u64) as usize]
    }
}
