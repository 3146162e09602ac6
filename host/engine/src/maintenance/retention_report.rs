//! What the log keeps, what may leave, and who needs what stays.

use samsyn_vocabulary::{CapabilityName, FieldName, Position, Timestamp};

/// Snapshots that must cover a segment before it may leave.
pub(super) const SNAPSHOTS_COVERING: usize = 2;

/// What keeps a segment that should leave.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Holder {
    /// Too few snapshots cover it.
    Snapshots {
        /// How many do.
        covering: usize,
    },
    /// A backup, or another long reader of the log's files.
    Reader,
    /// Events that were accepted and aren't decided.
    Undecided,
    /// A capability's own cursor: it catches up, is slow or in quarantine.
    Cursor { capability: CapabilityName, generation: u32 },
    /// Invocations of a capability that are parked, or held behind parked ones.
    Parked { capability: CapabilityName },
    /// Calls of a capability that wait for their answers.
    Calls { capability: CapabilityName },
    /// Proposals of a field that has no source.
    Proposals { field: FieldName },
}

/// What the log keeps, and what may leave.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RetentionReport {
    /// Segments there are, the growing one included.
    pub segments: usize,
    /// Bytes in them.
    pub bytes: u64,
    /// When the oldest record that is kept was appended.
    pub oldest: Option<Timestamp>,
    /// Segments that are too old or too much.
    pub wanted: usize,
    /// Those of them that may leave, from the oldest on.
    pub removable: usize,
    /// Bytes of the removable segments.
    pub removable_bytes: u64,
    /// Segments removed just now.
    pub removed: usize,
    /// Who needs the first segment that should leave and can't, each with the oldest record needed,
    /// where it is one.
    pub held_by: Vec<(Holder, Option<Position>)>,
}

impl Holder {
    /// Who it is and what to do about it, for an administrator.
    pub fn in_words(&self) -> String {
        match self {
            Holder::Snapshots { covering } => format!(
                "{covering} snapshots cover it, and {SNAPSHOTS_COVERING} must: the next ones are made by themselves, or with `samsyn snapshot make`"
            ),
            Holder::Reader => "a backup, or another command, is reading the log's files".to_owned(),
            Holder::Undecided => "events in it aren't decided yet".to_owned(),
            Holder::Cursor { capability, .. } => format!(
                "{capability} has yet to look at it: it catches up, is slow or stands in quarantine (`samsyn plugin show {capability}`)"
            ),
            Holder::Parked { capability } => format!(
                "{capability} has parked deliveries of it: retry or skip them (`samsyn parked list --capability {capability}`)"
            ),
            Holder::Calls { capability } => {
                format!("{capability} has calls that wait for their answers: `samsyn call list` shows them")
            }
            Holder::Proposals { field } => {
                format!(
                    "proposals of {field} in it wait for a source (`samsyn field assign {field} CAPABILITY`)"
                )
            }
        }
    }
}
