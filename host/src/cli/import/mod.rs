//! `samsyn event import`: many events from a file, quickly, each exactly once.
//!
//! - [`engine`] takes [`row`]s from any iterator and sends them in batches over several lanes.
//! - [`json_lines`] makes rows of JSON lines, [`source`] of columns, through a [`mapping`].
//! - [`ids`] gives a row an id that is the same on every run: a second run sends everything again,
//!   and the host takes what it hasn't got.
//! - [`note`] keeps when the first run began, as a host remembers ids so far and no further.
//! - [`report`] lists what was refused, in a form that can be imported.
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
pub mod members;
mod note;
mod options;
mod patience;
mod progress;
mod report;
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
