//! Backups: a copy of a data directory that is consistent whatever the host does meanwhile, and that
//! grows by what is new.
//!
//! ```text
//! samsyn-data ─▶ copy ─▶ DIR ─▶ check
//!                         └───▶ restore ─▶ another data directory
//! ```
//!
//! It reads the files beside the running host and asks it nothing: the log is append-only, so what is
//! read of it is a prefix, and everything that was acknowledged before the backup began is in it.
//! While it reads, no segment and no snapshot is removed. The view isn't copied; it is folded from a
//! snapshot and the log.
//!
//! # The directory
//!
//! ```text
//! backup.json                      what belongs to the backup, each file with its digest; written last
//! log/0000000001.segment           sealed: copied once
//! log/0000000002.segment           the last: its whole frames, copied anew each time
//! log/floor.1a2b3c4d               files that change have a piece of their digest in their name
//! audit/…                          the audit of reads, likewise
//! followers/field-changes.state.…  what followers keep: read before the log, so never ahead of it
//! components/…  snapshots/…        copied once
//! data.toml.5e6f7a8b
//! backup.lock                      held while a backup is made
//! ```
//!
//! A backup that is interrupted leaves the last one whole: files are added under their own names, and
//! a longer last segment begins with the bytes of the shorter. What is no longer needed goes after the
//! new `backup.json` is in place.
//!
//! | file | what it does |
//! |---|---|
//! | `copy` · `manifest` | copies what a host keeps, and notes every file with its digest |
//! | `restore` | makes a data directory of a copy |
//! | `error` | why either can't be done |
//!
//! It must not know what a record says.

mod copy;
mod error;
mod manifest;
mod restore;

#[cfg(test)]
mod tests;

pub use copy::{Copied, back_up, check};
pub use error::BackupError;
pub use manifest::{BackedUpLog, FileEntry, Manifest};
pub use restore::{Restored, restore};

/// How far a backup, a check or a restore is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Bytes looked at.
    pub bytes_done: u64,
    /// Bytes there are to look at.
    pub bytes_total: u64,
}
