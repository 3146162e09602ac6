//! What the host asks of its machine besides the disk.
//!
//! | file | what it does |
//! |---|---|
//! | [`clock`] | the time, which a test can set |
//! | [`niceness`] | threads that give way to others |
//! | [`fair_share`] | threads that compute for long take turns |
//! | [`place`] | where a data directory is, so that a copy is noticed |
//!
//! It must not know what the host does with any of them.

pub mod clock;
pub mod fair_share;
pub mod niceness;
pub mod place;
