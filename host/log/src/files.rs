//! The files of a log directory: their names, and the order of syncs that makes a file last.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::error::LogError;
use samsyn_disk::failpoint::{Step, step};
use samsyn_disk::{self as disk, Access, Disk, DiskFile, DiskLock, ReplaceSteps, UNFINISHED_SUFFIX};

const SEGMENT_SUFFIX: &str = ".segment";
/// The file that long readers of a log's segments, such as a backup, have a shared lock on.
pub(super) const HOLD_FILE: &str = "hold";
const STEPS: ReplaceSteps = ReplaceSteps {
    write: Step::ReplaceWrite,
    sync: Step::ReplaceSync,
    rename: Step::ReplaceRename,
    directory: Step::ReplaceDirectory,
};

pub(super) fn segment_path(dir: &Path, number: u64) -> PathBuf {
    dir.join(format!("{number:010}{SEGMENT_SUFFIX}"))
}

/// The directory of a log, on a disk.
#[derive(Clone)]
pub(super) struct LogDir {
    pub disk: Arc<dyn Disk>,
    pub path: PathBuf,
}

impl LogDir {
    pub fn new(disk: Arc<dyn Disk>, path: &Path) -> LogDir {
        LogDir { disk, path: path.to_owned() }
    }

    /// Where a segment lies.
    pub fn segment(&self, number: u64) -> PathBuf {
        segment_path(&self.path, number)
    }

    /// Where the file lies that is to be the next segment. What a crash leaves of it is removed at a start.
    pub fn ahead(&self) -> PathBuf {
        self.path.join(format!("ahead{SEGMENT_SUFFIX}{UNFINISHED_SUFFIX}"))
    }

    /// The numbers of the segments there are, ascending.
    pub fn segment_numbers(&self) -> Result<Vec<u64>, LogError> {
        let names = self.disk.list(&self.path).map_err(LogError::io("list", &self.path))?;
        let number = |name: &std::ffi::OsString| {
            name.to_str().and_then(|name| name.strip_suffix(SEGMENT_SUFFIX))?.parse::<u64>().ok()
        };
        let mut numbers: Vec<u64> = names.iter().filter_map(number).collect();
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// Opens a segment for reading.
    pub fn open_segment(&self, number: u64) -> Result<Arc<dyn DiskFile>, LogError> {
        let path = self.segment(number);
        self.disk.open(&path, Access::Read).map_err(LogError::io("open", &path))
    }

    /// Reads a whole segment.
    pub fn read_segment(&self, number: u64) -> Result<Vec<u8>, LogError> {
        let path = self.segment(number);
        disk::read(&*self.disk, &path).map_err(LogError::io("read", &path))
    }

    /// Removes a segment.
    pub fn remove_segment(&self, number: u64) -> Result<(), LogError> {
        let path = self.segment(number);
        self.disk.remove(&path).map_err(LogError::io("remove", &path))
    }

    /// Holds the directory until the lock is given up.
    pub fn lock(&self) -> Result<Box<dyn DiskLock>, LogError> {
        let path = self.path.join("lock");
        let lock = self.disk.lock(&path).map_err(LogError::io("lock", &path))?;
        lock.ok_or_else(|| LogError::Locked(self.path.clone()))
    }

    /// Keeps a host from starting while somebody only reads, without a trace; none when the directory
    /// was never served.
    pub fn lock_to_read(&self) -> Result<Option<Box<dyn DiskLock>>, LogError> {
        let path = self.path.join("lock");
        match self.disk.lock_to_read(&path) {
            Ok(Some(lock)) => Ok(Some(lock)),
            Ok(None) => Err(LogError::Locked(self.path.clone())),
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(cause) => Err(LogError::io("lock", &path)(cause)),
        }
    }

    /// Makes the file that long readers of the segments have a lock on, so that a reader never
    /// has to make it.
    pub fn make_hold(&self) {
        // Where it can't be made nothing is held either, and nothing removed.
        let _ = self.disk.lock(&self.path.join(HOLD_FILE));
    }

    /// Keeps others from holding the segments until the lock is dropped; refused while one does.
    pub fn lock_against_holds(&self) -> Result<Box<dyn DiskLock>, LogError> {
        let path = self.path.join(HOLD_FILE);
        let lock = self.disk.lock(&path).map_err(LogError::io("lock", &path))?;
        lock.ok_or_else(|| LogError::Held(self.path.clone()))
    }

    /// Makes the directory, and its name lasting.
    pub fn make(&self) -> Result<(), LogError> {
        step(Step::LogDirectory, || disk::make_dirs(&*self.disk, &self.path))
            .map_err(LogError::io("create", &self.path))
    }

    /// Makes it last that files came or went.
    pub fn sync(&self) -> Result<(), LogError> {
        self.disk.sync_dir(&self.path).map_err(LogError::io("sync", &self.path))
    }

    /// Puts a whole file in place: after a crash there is the old one or the new one, synced.
    pub fn replace(&self, path: &Path, parts: &[&[u8]]) -> Result<(), LogError> {
        disk::replace(&*self.disk, path, parts, STEPS).map_err(LogError::io("write", path))
    }

    /// Removes what a crash left unfinished.
    pub fn remove_unfinished(&self) -> Result<(), LogError> {
        for name in self.disk.list(&self.path).map_err(LogError::io("list", &self.path))? {
            if name.to_string_lossy().ends_with(UNFINISHED_SUFFIX) {
                let path = self.path.join(name);
                step(Step::UnfinishedRemove, || self.disk.remove(&path))
                    .map_err(LogError::io("remove", &path))?;
            }
        }
        Ok(())
    }

    /// Keeps the bytes of a cut tail in a file of their own; answers its path.
    pub fn keep_tail(&self, number: u64, offset: u64, tail: &[u8]) -> Result<PathBuf, LogError> {
        // The same place may be cut again after another crash.
        for attempt in 1u32.. {
            let path = self.path.join(format!("{number:010}-{offset}-{attempt}.tail"));
            match self.disk.create(&path) {
                Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => continue,
                Err(cause) => return Err(LogError::io("create", &path)(cause)),
                Ok(file) => {
                    let write = || {
                        step(Step::TailWrite, || disk::write_all(&*file, &[tail]))?;
                        step(Step::TailSync, || file.sync().and_then(|()| self.disk.sync_dir(&self.path)))
                    };
                    write().map_err(LogError::io("write", &path))?;
                    return Ok(path);
                }
            }
        }
        unreachable!("a directory doesn't hold four thousand million tails")
    }
}
