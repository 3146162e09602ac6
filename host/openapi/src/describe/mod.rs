//! What each call does, in the words of whoever uses it: one file for each file of handlers.

pub mod assignments;
pub mod audit;
pub mod calls;
pub mod capabilities;
pub mod claims;
pub mod endpoints;
pub mod events;
pub mod fields;
pub mod grants;
pub mod host;
pub mod parked;
pub mod profiles;
pub mod registry_file;
pub mod registry_report;
pub mod replays;
pub mod secrets;
pub mod storage;
pub mod timers;
pub mod tokens;

/// A profile's id, in examples.
const PROFILE: &str = "0b6c5f4e-7f4f-4d7e-9c8e-0d6a51a1c0de";
/// A component's digest, in examples.
const DIGEST: &str = "b1946ac92492d2347c6235b4d2611184b1946ac92492d2347c6235b4d2611184";
