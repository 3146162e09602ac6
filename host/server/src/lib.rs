//! A running host: its settings, and the engine with HTTP in front of it.
//!
//! | file | what it does |
//! |---|---|
//! | [`settings`] | every setting, read from a file and the environment |
//! | [`host`] | starts everything in order, and stops it |
//!
//! It must not answer or decide anything itself. It is the one crate that knows every setting: only the command, its program and what measures them
//! depend on it.

pub mod host;
pub mod settings;
