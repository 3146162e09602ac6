//! Why a snapshot can't be used, or made.

use std::io;
use std::path::{Path, PathBuf};

use samsyn_journal::RecordError;
use samsyn_log::{CarryError, LogError};
use samsyn_vocabulary::Position;

/// Why a snapshot can't be used.
#[derive(Debug, thiserror::Error)]
pub enum BadSnapshot {
    /// The file system refused.
    #[error("can't read {}: {cause}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system answered.
        cause: io::Error,
    },
    /// The bytes are not those that were written.
    #[error("{} is damaged at byte {offset}: {cause}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where.
        offset: u64,
        /// What doesn't hold.
        cause: String,
    },
    /// A newer host wrote it.
    #[error("{} has format version {found}; this host supports {known}; use a newer host", path.display())]
    NewerFormat {
        /// The file.
        path: PathBuf,
        /// The version met.
        found: u16,
        /// The newest this host knows.
        known: u16,
    },
    /// It was folded in a way this host can't go on from.
    #[error("{0}")]
    Fold(String),
    /// It is another log's.
    #[error("it is the snapshot of another log")]
    OtherLog,
    /// Its log is this one, but not with this history.
    #[error("the log has another record at {0}, or none: it is the snapshot of another history")]
    OtherHistory(Position),
    /// The log doesn't go on where it ends.
    #[error("the log begins after it: retention removed record {0}")]
    TooOld(Position),
    /// What it carries of the registry doesn't hold.
    #[error(transparent)]
    Registry(#[from] CarryError),
    /// The log it is compared with can't be read.
    #[error(transparent)]
    Log(#[from] LogError),
}

impl BadSnapshot {
    pub(super) fn io(path: &Path) -> impl Fn(io::Error) -> BadSnapshot {
        move |cause| BadSnapshot::Io { path: path.to_owned(), cause }
    }
}

/// Why no snapshot was made. What there was before is untouched.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// The host is stopping.
    #[error("it was stopped")]
    Stopped,
    /// The file can't be written.
    #[error("can't write {}: {cause}; check the disk", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system answered.
        cause: io::Error,
    },
    /// The log can't be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The snapshot it goes on from can't be read.
    #[error(transparent)]
    Base(#[from] BadSnapshot),
    /// A record can't be read.
    #[error("{position}: {cause}")]
    Record {
        /// Where it stands.
        position: Position,
        /// What is wrong with it.
        cause: RecordError,
    },
    /// A record that must be folded isn't there.
    #[error("record {0} is needed, retention removed it, and no snapshot has its content")]
    Gap(Position),
    /// What was folded doesn't end where the log did.
    #[error("the fold ended elsewhere than the log, at {0}; see `samsyn log verify`")]
    Ended(Position),
}
