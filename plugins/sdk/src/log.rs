//! Lines for the host's log. The host takes 64 lines a call of 1 KiB each, and drops the rest.
//! Personal data doesn't belong in them.
//!
//! In a native test they are collected in [`testing::Run::log`](crate::testing::Run::log).

#[cfg(target_family = "wasm")]
use crate::guest::log;
#[cfg(not(target_family = "wasm"))]
use crate::testing::recorder::log;

/// How serious a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// For the plug-in's author.
    Debug,
    /// Worth knowing.
    Info,
    /// Worth looking at.
    Warn,
    /// Went wrong.
    Error,
}

/// Logs for the plug-in's author.
pub fn debug(message: impl AsRef<str>) {
    log(Level::Debug, message.as_ref());
}

/// Logs what is worth knowing.
pub fn info(message: impl AsRef<str>) {
    log(Level::Info, message.as_ref());
}

/// Logs what is worth looking at.
pub fn warn(message: impl AsRef<str>) {
    log(Level::Warn, message.as_ref());
}

/// Logs what went wrong.
pub fn error(message: impl AsRef<str>) {
    log(Level::Error, message.as_ref());
}
