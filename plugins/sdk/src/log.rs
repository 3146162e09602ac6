//! Lines for the host's log. The host keeps 64 lines an invocation of 1 KiB each, and drops the rest.
//! Don't log personal data.
//!
//! A native test finds the lines in [`testing::Run::log`](crate::testing::Run::log).

#[cfg(target_family = "wasm")]
use crate::guest::log;
#[cfg(not(target_family = "wasm"))]
use crate::testing::recorder::log;

/// The severity of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// For the plug-in's author.
    Debug,
    /// Normal, worth recording.
    Info,
    /// Unexpected, worth a check.
    Warn,
    /// A failure.
    Error,
}

/// Logs a line for the plug-in's author.
pub fn debug(message: impl AsRef<str>) {
    log(Level::Debug, message.as_ref());
}

/// Logs a normal line.
pub fn info(message: impl AsRef<str>) {
    log(Level::Info, message.as_ref());
}

/// Logs a warning.
pub fn warn(message: impl AsRef<str>) {
    log(Level::Warn, message.as_ref());
}

/// Logs a failure.
pub fn error(message: impl AsRef<str>) {
    log(Level::Error, message.as_ref());
}
