//! Why there is no backup, or why it can't be used.

use std::io;
use std::path::{Path, PathBuf};

use samsyn_log::LogError;

/// Why there is no backup, or why it can't be used.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The file system refused.
    #[error("can't {action} {}: {cause}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system answered.
        cause: io::Error,
    },
    /// There is no data directory of a host.
    #[error("{} is not a host's data directory: it has no log", .0.display())]
    NoData(PathBuf),
    /// A log can't be read, or is damaged: a backup of it would be no better.
    #[error(transparent)]
    Log(#[from] LogError),
    /// Segments have left the log, and there is no snapshot that says what they said.
    #[error("retention removed segments of the log, and {} has no complete snapshot: a backup could not be restored", .0.display())]
    NoSnapshot(PathBuf),
    /// Another backup is being made there.
    #[error("another backup is being made in {}", .0.display())]
    Busy(PathBuf),
    /// It holds another host's backup.
    #[error("{} has the backup of another log; choose another directory", .0.display())]
    OtherLog(PathBuf),
    /// It holds something else.
    #[error("{} is not empty and has no backup; choose another directory", .0.display())]
    NoBackupDirectory(PathBuf),
    /// There is no backup.
    #[error("{} has no complete backup: backup.json is missing", .0.display())]
    NoBackup(PathBuf),
    /// Its list can't be read.
    #[error("{} can't be read: {cause}", path.display())]
    Manifest {
        path: PathBuf,
        /// What is wrong with it.
        cause: String,
    },
    /// A file isn't what was copied.
    #[error("{} is damaged: {cause}", path.display())]
    Damaged {
        path: PathBuf,
        /// What doesn't hold.
        cause: String,
    },
    /// Something is there already.
    #[error("{} isn't empty", .0.display())]
    TargetNotEmpty(PathBuf),
    /// A host runs on it.
    #[error("a host runs on {}; stop it first", .0.display())]
    TargetInUse(PathBuf),
}

impl BackupError {
    pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> BackupError {
        move |cause| BackupError::Io { action, path: path.to_owned(), cause }
    }

    /// What to do about it.
    pub fn next_step(&self) -> &'static str {
        match self {
            BackupError::NoData(_) => "give the host's data directory with --data",
            BackupError::Log(_) => "check the data directory with `samsyn log verify`",
            BackupError::NoSnapshot(_) => "create a snapshot with `samsyn snapshot make`, then back up again",
            BackupError::Busy(_) => "wait until it ends",
            BackupError::OtherLog(_) | BackupError::NoBackupDirectory(_) => {
                "choose an empty directory, or the directory of this host's last backup"
            }
            BackupError::NoBackup(_) => {
                "give the directory of `samsyn backup`; if the first backup was interrupted, run it again"
            }
            BackupError::Manifest { .. } | BackupError::Damaged { .. } => {
                "use another copy of the backup; this one can't be restored"
            }
            BackupError::TargetNotEmpty(_) => {
                "choose another directory, or rename the old one with --replace"
            }
            BackupError::TargetInUse(_) => "stop that host, or restore into another directory",
            BackupError::Io { .. } => {
                "check the disk and the directory's permissions, then run it again: it continues where it stopped"
            }
        }
    }
}
