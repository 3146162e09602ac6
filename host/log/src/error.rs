//! What can go wrong with a log, each with its cause and the next step.

use std::fmt;
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

/// What was read or written when something failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A file or directory of a log on local disks.
    File(PathBuf),
    /// What another backend writes to, as its administrators call it: a stream of a service, a store.
    Named(String),
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::File(path) => path.display().fmt(f),
            Target::Named(name) => f.write_str(name),
        }
    }
}

/// What ended this log's life in this process: records could not be made durable.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the log stopped for good: can't {action} {target}: {cause}; check the disk, then start again")]
pub struct Failure {
    /// What was tried.
    pub action: &'static str,
    /// What it was tried on.
    pub target: Target,
    /// What the system or the service answered.
    pub cause: Arc<io::Error>,
}

/// Why a log can't be opened or read.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The file system, or the service that keeps the log, refused.
    #[error("can't {action} {target}: {cause}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// What it was tried on.
        target: Target,
        /// What was answered.
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
        move |cause| LogError::Io { action, target: Target::File(path.to_owned()), cause }
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
        partition: Partition,
        /// The last sequence the caller knew.
        expected: Seq,
        /// The last sequence there is.
        head: Seq,
    },
    /// One append is written at once: a log on local disks writes it as one frame.
    #[error("an append of {bytes} bytes is more than the {max} bytes of a frame")]
    TooLarge {
        /// The append's size in bytes, envelopes included.
        bytes: usize,
        /// The most that is written at once, in bytes.
        max: usize,
    },
    /// Records could not be made durable before: nothing is appended until the host starts again.
    #[error(transparent)]
    Failed(#[from] Failure),
    /// The log was closed.
    #[error("the log is closed")]
    Closed,
}
