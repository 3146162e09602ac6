//! `samsyn event import`: many events from a file, quickly, each exactly once.
//!
//! - [`engine`] takes rows from any iterator and sends them in batches over several lanes.
//! - [`source`] makes rows of JSON lines or of columns, through a [`mapping`].
//! - [`ids`] gives a row an id that is the same on every run, so that [`resume`] can find how far
//!   an earlier run got by asking the host, and no file on this side remembers anything.
//! - [`command`] is what a person types, [`progress`] what they see meanwhile.

pub mod command;
pub mod engine;
pub mod ids;
mod lane;
pub mod mapping;
mod progress;
mod resume;
pub mod source;
mod stop;
#[cfg(test)]
mod story;
mod value;

pub use engine::{BadRow, ImportError, Options, Progress, Refused, Row, SourceError, Summary, run};
pub use progress::for_terminal;
pub use stop::Stop;
