//! JSON taken apart level by level, without building a tree: every value stays the text it was,
//! so numbers lose nothing, and every complaint can name its path.
//!
//! - `body`: a whole body; `extract`: members, elements, strings; `path`: where something stands.
//! - `scan`: one pass before anything is read; `strings`: control characters.

mod body;
mod extract;
mod path;
mod scan;
mod strings;

pub use body::{body, body_as, body_object, mistyped, utf8};
pub use extract::{Elements, members, text};
pub use path::{JsonPath, shortened};
pub use scan::{Scan, kind_of, scan, text_length};
pub use strings::{refuse_control_characters, taken_texts};

/// How deep lists and objects may stand in each other: more than data of a person made needs, and
/// far below what a reader in a plug-in can recurse.
pub const DEPTH_MAX: usize = 32;

#[cfg(test)]
mod tests;
