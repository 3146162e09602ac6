//! What stops a follower until it tries again.

use std::io;
use std::path::PathBuf;

use samsyn_log::LogError;
use samsyn_vocabulary::Position;

use crate::ApplyError;

/// Why a follower doesn't go on. It tries again by itself, from what its file says.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    /// Its file can't be read or written.
    #[error("can't {action} {path}: {cause}")]
    File {
        /// Such as `write`.
        action: &'static str,
        path: PathBuf,
        cause: io::Error,
    },
    /// A newer host wrote its file.
    #[error(
        "{path} has {what} {found}, and this host knows {known}: a newer host wrote it. Start the newer host, or \
         move the file away; it then begins again with the oldest record of the log"
    )]
    Newer {
        path: PathBuf,
        /// Which version it is.
        what: &'static str,
        found: u16,
        /// The newest this host can read.
        known: u16,
    },
    /// The log can't be read.
    #[error("can't read the log: {0}")]
    Log(#[from] LogError),
    /// A record can't be applied.
    #[error("can't apply the record {position}: {cause}")]
    Apply { position: Position, cause: ApplyError },
    /// A record isn't where it must be.
    #[error("the log has no record {0}, and others behind it")]
    NoRecord(Position),
    /// The follower panicked: a bug.
    #[error("it panicked: {0}")]
    Panicked(String),
}
