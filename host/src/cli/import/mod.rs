//! `samsyn event import`: many events from a file, quickly, each exactly once.
//!
//! - [`engine`] takes [`row`]s from any iterator and sends them in batches over several lanes.
//! - [`source`] opens a file and makes rows of JSON lines; `columns` makes them of columns, through
//!   a [`mapping`]: `encoding` makes text of bytes, `records` takes it apart as RFC 4180 says, and
//!   `value` reads a cell as the mapping says it is written.
//! - [`ids`] gives a row an id that is the same on every run, so that [`resume`] can find how far
//!   an earlier run got by asking the host, and no file on this side remembers anything.
//! - [`command`] is what a person types, [`progress`] what they see meanwhile.

mod columns;
pub mod command;
mod encoding;
pub mod engine;
mod exact_json;
mod file_kind;
pub mod ids;
mod lane;
pub mod mapping;
mod number;
mod options;
mod pattern;
mod progress;
mod records;
mod resume;
pub mod rounded;
mod row;
mod serial;
pub mod source;
mod stop;
#[cfg(test)]
mod story;
mod template;
#[cfg(test)]
mod tests;
mod value;
mod value_map;
mod zone;

pub use engine::{ImportError, Progress, Summary, run};
pub use options::Options;
pub use progress::for_terminal;
pub use row::{BadRow, Refused, Row, SourceError};
pub use stop::Stop;
