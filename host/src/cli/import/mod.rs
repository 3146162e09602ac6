//! `samsyn event import`: many events from a file, quickly, each exactly once.
//!
//! - [`engine`] takes [`row`]s from any iterator and sends them in batches over several lanes.
//! - [`json_lines`] makes rows of JSON lines, [`source`] of columns, through a [`mapping`].
//! - [`ids`] gives a row an id that is the same on every run, so that [`resume`] can find how far
//!   an earlier run got by asking the host, and no file on this side remembers anything.
//! - [`command`] is what a person types, [`progress`] what they see meanwhile.

pub mod command;
pub mod engine;
pub mod ids;
pub mod json_lines;
mod lane;
mod lines;
#[cfg(test)]
mod losses;
pub mod mapping;
mod options;
mod progress;
mod resume;
mod row;
pub mod source;
mod stop;
#[cfg(test)]
mod story;
mod value;
#[cfg(test)]
mod verbatim;

pub use engine::{ImportError, Progress, Summary, run};
pub use options::Options;
pub use progress::for_terminal;
pub use row::{BadRow, Refused, Row, SourceError};
pub use stop::Stop;
