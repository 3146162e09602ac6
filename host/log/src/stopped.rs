//! The read-only open: the log of a host that is stopped, read as it lies there. Nothing is repaired and no
//! byte of the log is written: what a start would cut is left out, and told. Every command that only reads goes
//! this way; [`LocalLog`](super::LocalLog), whose opening repairs, is for the process that appends.

use std::path::Path;
use std::sync::Arc;

use super::error::LogError;
use super::files::LogDir;
use super::floor::Floor;
use super::index::{Runs, SealedSegment};
use super::reader::LogReader;
use super::recovery::{Found, Torn, after, find};
use super::state::{Active, Shared, State};
use super::walk::Ending;
use samsyn_disk::{self as disk, Disk, DiskLock};

/// A log that is read and never written. While it lives no host starts on it, and others may read it too.
pub struct StoppedLog {
    reader: LogReader,
    torn: Option<Torn>,
    _lock: Option<Box<dyn DiskLock>>,
}

impl StoppedLog {
    /// Opens the log in `dir`, with the same checks as a start: damage is refused, and so is a log that
    /// a host holds.
    pub fn open(dir: &Path) -> Result<StoppedLog, LogError> {
        StoppedLog::open_on(disk::local(), dir)
    }

    /// [`open`](StoppedLog::open) for a process that writes something else beside the log meanwhile, such as
    /// the view: nobody else may read it either.
    pub fn open_alone(dir: &Path) -> Result<StoppedLog, LogError> {
        let dir = LogDir::new(disk::local(), dir);
        let lock = dir.lock()?;
        StoppedLog::read(dir, Some(lock))
    }

    /// [`open`](StoppedLog::open) on another disk than this machine's.
    pub(super) fn open_on(disk: Arc<dyn Disk>, dir: &Path) -> Result<StoppedLog, LogError> {
        let dir = LogDir::new(disk, dir);
        let lock = dir.lock_to_read()?;
        StoppedLog::read(dir, lock)
    }

    fn read(dir: LogDir, lock: Option<Box<dyn DiskLock>>) -> Result<StoppedLog, LogError> {
        let floor = Floor::read(&dir)?;
        let Some(Found { mut sealed, floor, heads, last, .. }) = find(&dir, floor)? else {
            return Err(LogError::io("find a segment in", &dir.path)(std::io::ErrorKind::NotFound.into()));
        };
        let log_id = last.header.log_id;
        let active = if matches!(last.walk.ending, Ending::Sealed) {
            let whole = SealedSegment::of_bytes(&last.bytes[..last.walk.end as usize]);
            let whole = whole.map_err(|bad| super::recovery::not_sealed(&dir, last.header.number, bad))?;
            // The one behind it isn't there yet, and holds nothing.
            let active = Active { header: after(&whole), durable: 0, runs: Runs::default(), heads };
            sealed.push(Arc::new(whole));
            active
        } else {
            Active { header: last.header, durable: last.walk.end, runs: last.walk.runs, heads }
        };
        let shared = Shared::new(dir, log_id, State { sealed, active, floor });
        Ok(StoppedLog { reader: LogReader(Arc::new(shared)), torn: last.torn, _lock: lock })
    }

    /// What reads it.
    pub fn reader(&self) -> &LogReader {
        &self.reader
    }

    /// The end that a crash cut short and the next start cuts off, if there is one.
    pub fn torn(&self) -> Option<&Torn> {
        self.torn.as_ref()
    }
}
