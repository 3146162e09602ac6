//! `samsyn event import`: many events from a file, quickly, each exactly once.
//!
//! - [`dispatcher`] takes [`row`]s from any iterator and sends them in batches over several lanes.
//! - [`source`] opens a file. [`json_lines`] makes rows of JSON lines; `columns` makes them of columns,
//!   through a [`mapping`]: `encoding` makes text of bytes, `records` takes it apart as RFC 4180 says,
//!   and `value` reads a cell as the mapping says it is written.
//! - [`ids`] gives a row an id that is the same on every run: a second run sends everything again,
//!   and the host takes what it hasn't got.
//! - [`note`] keeps when the first run began, as a host remembers ids so far and no further.
//! - `added` keeps where the new events stand, and `capability_refusals` counts what was refused of them.
//! - [`report`] lists what was refused, in a form that can be imported.
//! - [`command`] is what a person types, [`progress`] what they see meanwhile.
//!
//! - `file_kind`, `encoding`, `lines`, `records`, [`source`]: a file's bytes as lines and records.
//! - `columns`, [`mapping`], `template`, `value`, `value_map`, `number`, `serial`, `pattern`, `zone`, `exact_json`,
//!   [`rounded`]: cells as values.
//! - [`json_lines`], `json_text`, `row`, [`ids`]: one row as an event.
//! - [`dispatcher`], `lane`, `patience`, `options`, `note`: sending.
//!
//! It must not know the host's insides: it speaks HTTP through the client.

mod added;
mod capability_refusals;
mod columns;
pub mod command;
pub mod dispatcher;
mod encoding;
mod exact_json;
#[cfg(any(test, feature = "testing"))]
pub mod fake_host;
mod file_kind;
pub mod ids;
pub mod json_lines;
mod json_text;
mod lane;
mod lines;
pub mod mapping;
mod note;
mod number;
mod options;
mod patience;
mod pattern;
mod progress;
mod records;
mod report;
pub mod rounded;
mod row;
mod serial;
pub mod source;
mod template;
#[cfg(test)]
mod tests;
mod value;
mod value_map;
mod zone;

pub use dispatcher::{ImportError, Progress, Summary, run};
pub use options::Options;
pub use progress::for_terminal;
pub use row::{BadRow, Refused, Row, SourceError};
