//! What can go wrong with a log, each with its cause and the next step.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use samsyn_vocabulary::{Partition, Position, Seq};

/// A place in the log that holds something else than what was written there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} is damaged at byte {offset}{}: {cause}", segment.display(), near(position))]
pub struct Damage {
    /// The segment's file.
    pub segment: PathBuf,
    /// The first byte of the damaged header, frame, record or index, from the file's start.
    pub offset: u64,
    /// The damaged record where it can be named, else the last whole record before the place.
    pub position: Option<Position>,
    /// What doesn't hold.
    pub cause: String,
}

fn near(position: &Option<Position>) -> String {
    position.map_or_else(String::new, |position| format!(", at or right after record {position}"))
}

/// The write or sync that ended this log's life in this process.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the log stopped for good: can't {action} {}: {cause}; check the disk, then start again", path.display())]
pub struct Failure {
    /// What was tried.
    pub action: &'static str,
    /// The file it was tried on.
    pub path: PathBuf,
    /// What the system answered.
    pub cause: Arc<io::Error>,
}

/// Why a log can't be opened or read.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The file system refused.
    #[error("can't {action} {}: {cause}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file it was tried on.
        path: PathBuf,
        /// What the system answered.
        #[source]
        cause: io::Error,
    },
    /// Another process, or another opening in this one, holds the log.
    #[error("{} is locked by a running host; stop that host first", .0.display())]
    Locked(PathBuf),
    /// Somebody reads the segments, such as a backup: none is removed meanwhile.
    #[error("{} is locked by a backup or another reader; no segment is removed until it ends", .0.display())]
    Held(PathBuf),
    /// The bytes are not those that were written. Nothing was changed.
    #[error(
        "{0}; nothing was changed: copy the directory, then restore a backup or see `samsyn log \
        repair --dry-run`"
    )]
    Damaged(#[from] Box<Damage>),
    /// A newer host wrote this.
    #[error("{} has format version {found} at byte {offset}; this host supports {known}; use a newer host", segment.display())]
    NewerFormat {
        /// The segment's file.
        segment: PathBuf,
        /// Where the version was met, in bytes from the file's start.
        offset: u64,
        /// The version met.
        found: u16,
        /// The newest version this host knows.
        known: u16,
    },
    /// An option is out of its range.
    #[error("{option} is {value}; it must be {rule}")]
    Option {
        /// The option.
        option: &'static str,
        /// Its value.
        value: u64,
        /// What it must be.
        rule: &'static str,
    },
    /// The writer runs already: a log is started once.
    #[error("the log's writer was started before")]
    Started,
}

impl LogError {
    /// Names the action and the file of an input or output error.
    pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> LogError {
        move |cause| LogError::Io { action, path: path.to_owned(), cause }
    }
}

/// Why nothing was appended.
#[derive(Clone, Debug, thiserror::Error)]
pub enum AppendError {
    /// Somebody else appended to the partition: this caller no longer owns it and must stop.
    #[error(
        "partition {partition} ends at {head}, not at {expected}: another process owns it now; stop this one"
    )]
    Fenced {
        /// The partition.
        partition: Partition,
        /// The last sequence the caller knew.
        expected: Seq,
        /// The last sequence there is.
        head: Seq,
    },
    /// One append may fill one frame.
    #[error("an append of {bytes} bytes is more than the {max} bytes of a frame")]
    TooLarge {
        /// The append's size in bytes, envelopes included.
        bytes: usize,
        /// The most a frame holds, in bytes.
        max: usize,
    },
    /// A write or sync failed before: nothing is appended until the host starts again.
    #[error(transparent)]
    Failed(#[from] Failure),
    /// The log was closed.
    #[error("the log is closed")]
    Closed,
}
