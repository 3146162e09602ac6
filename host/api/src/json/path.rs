//! Where in a request something stands, made a text only when something is wrong.

use std::fmt;

use crate::problem::{Kind, Problem};

/// How much of a key is repeated in a path, in bytes.
const KEY_SHOWN_BYTES_MAX: usize = 64;

/// Where in the request something stands: `events[3].identifiers.customer_id`. Built on the stack
/// while going down, and made a text only when something is wrong.
#[derive(Clone, Copy)]
pub enum JsonPath<'a> {
    /// The whole body.
    Root,
    /// An element of a list.
    Index(&'a JsonPath<'a>, usize),
    /// A member of an object.
    Key(&'a JsonPath<'a>, &'a str),
}

impl<'a> JsonPath<'a> {
    /// The path of a member.
    pub fn key(&'a self, key: &'a str) -> JsonPath<'a> {
        JsonPath::Key(self, key)
    }

    /// The path of an element.
    pub fn index(&'a self, index: usize) -> JsonPath<'a> {
        JsonPath::Index(self, index)
    }

    /// A problem at this path.
    pub fn problem(&self, kind: Kind, detail: impl Into<String>) -> Problem {
        let problem = Problem::new(kind, detail);
        if matches!(self, JsonPath::Root) { problem } else { problem.at(self.to_string()) }
    }
}

impl fmt::Display for JsonPath<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            JsonPath::Root => Ok(()),
            JsonPath::Index(parent, index) => write!(f, "{parent}[{index}]"),
            JsonPath::Key(parent, key) => {
                let dot = if matches!(parent, JsonPath::Root) { "" } else { "." };
                write!(f, "{parent}{dot}{}", shortened(key))
            }
        }
    }
}

/// The start of a text that somebody sent, for a detail.
pub fn shortened(text: &str) -> &str {
    &text[..text.floor_char_boundary(KEY_SHOWN_BYTES_MAX)]
}
