//! Why there is no backup, or why it can't be used.

use std::io;
use std::path::{Path, PathBuf};

use crate::log::LogError;

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
    #[error("{} is no host's data directory: it has no log", .0.display())]
    NoData(PathBuf),
    /// A log can't be read, or is damaged: a backup of it would be no better.
    #[error(transparent)]
    Log(#[from] LogError),
    /// Segments have left the log, and there is no snapshot that says what they said.
    #[error("segments have left the log, and no snapshot in {} is whole: nothing could be restored from a copy", .0.display())]
    NoSnapshot(PathBuf),
    /// Another backup is being made there.
    #[error("another backup is being made in {}", .0.display())]
    Busy(PathBuf),
    /// It holds another host's backup.
    #[error("{} holds the backup of another log; choose another directory", .0.display())]
    OtherLog(PathBuf),
    /// It holds something else.
    #[error("{} isn't empty and holds no backup; choose another directory", .0.display())]
    NoBackupDirectory(PathBuf),
    /// There is no backup.
    #[error("{} holds no whole backup: there is no backup.json", .0.display())]
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
            BackupError::NoData(_) => "name the host's data directory with --data",
            BackupError::Log(_) => "see what `samsyn log verify` says of the data directory",
            BackupError::NoSnapshot(_) => "make one: `samsyn snapshot make`, then back up again",
            BackupError::Busy(_) => "wait for it to end",
            BackupError::OtherLog(_) | BackupError::NoBackupDirectory(_) => {
                "name an empty directory, or the one of this host's last backup"
            }
            BackupError::NoBackup(_) => {
                "name the directory that `samsyn backup` was given; one that was interrupted at first holds none: run it again"
            }
            BackupError::Manifest { .. } | BackupError::Damaged { .. } => {
                "use another copy of the backup; what is damaged can't be restored from this one"
            }
            BackupError::TargetNotEmpty(_) => {
                "name another directory, or put what is there aside with --replace"
            }
            BackupError::TargetInUse(_) => "stop that host, or restore into another directory",
            BackupError::Io { .. } => {
                "see to the disk and the directory's permissions, then run it again: it goes on where it was"
            }
        }
    }
}
