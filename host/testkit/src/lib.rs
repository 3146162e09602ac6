//! What the tests of several crates share. Only tests depend on it.
//!
//! | file | what it gives |
//! |---|---|
//! | [`seed`] | the seed of a run, printed so that the run can be repeated |
//! | [`mutate`] | bytes made wrong by chance |
//! | [`memory`] · [`image`] | a disk in memory that notes what is done to it, and what is on a disk |
//! | [`crash`] | what a power cut leaves of such a disk |
//! | [`peer`] | a system at the other end of a call: a server that writes down what arrives, and is wrong as told |
//! | [`survival_json`] | where the survival suites count: `target/survival.json` |
//!
//! It must not know anything above the disk's trait: a helper that needs a log, a registry or an engine
//! stands with the crate it belongs to.

pub mod crash;
pub mod image;
pub mod memory;
pub mod mutate;
#[cfg(feature = "peer")]
pub mod peer;
pub mod seed;
pub mod survival_json;

pub use seed::{Seed, rounds};
