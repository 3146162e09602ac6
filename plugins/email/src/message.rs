//! Which message a report is about.

use samsyn_plugin::Timestamp;
use serde::{Deserialize, Serialize};

use crate::address::hash;

/// A message's id as a short hash: it only has to tell a customer's few dozen newest apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Message(u32);

impl Message {
    /// None when the id is blank. Angle brackets around it are the header's, not part of it.
    pub fn named(id: &str) -> Option<Message> {
        let id = id.trim();
        let id = id.strip_prefix('<').and_then(|id| id.strip_suffix('>')).unwrap_or(id).trim();
        (!id.is_empty()).then(|| Message(short(hash(id.chars()))))
    }

    /// One report about it: that it was opened, or clicked in, at that moment.
    pub fn report(self, clicked: bool, at: Timestamp) -> u32 {
        let text = format!("{} {clicked} {}", self.0, at.millis());
        short(hash(text.chars()))
    }
}

fn short(hash: u64) -> u32 {
    (hash ^ (hash >> 32)) as u32
}
