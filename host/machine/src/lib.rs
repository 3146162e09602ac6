//! What the host asks of its machine besides the disk.
//!
//! | file | what it does |
//! |---|---|
//! | [`clock`] | the time, which a test can set |
//! | [`niceness`] | threads that give way to others |
//!
//! It must not know what the host does with either.

pub mod clock;
pub mod niceness;
