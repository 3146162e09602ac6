//! The files of a log directory: their names, and the order of syncs that makes a file last.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::error::LogError;
use crate::failpoint::{Step, step};

const SEGMENT_SUFFIX: &str = ".segment";
/// A file that is not yet whole. One that is left over is worth nothing.
const UNFINISHED_SUFFIX: &str = ".new";

pub(super) fn segment_path(dir: &Path, number: u64) -> PathBuf {
    dir.join(format!("{number:010}{SEGMENT_SUFFIX}"))
}

/// The numbers of the segments in `dir`, ascending.
pub(super) fn segment_numbers(dir: &Path) -> Result<Vec<u64>, LogError> {
    let mut numbers = Vec::new();
    for entry in fs::read_dir(dir).map_err(LogError::io("list", dir))? {
        let entry = entry.map_err(LogError::io("list", dir))?;
        let name = entry.file_name();
        let number = name.to_str().and_then(|name| name.strip_suffix(SEGMENT_SUFFIX));
        numbers.extend(number.and_then(|number| number.parse::<u64>().ok()));
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// Holds the directory until the file is dropped.
pub(super) fn lock(dir: &Path) -> Result<File, LogError> {
    let path = dir.join("lock");
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(LogError::io("open", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(LogError::Locked(dir.to_owned())),
        Err(TryLockError::Error(cause)) => Err(LogError::io("lock", &path)(cause)),
    }
}

/// Makes the directory, and its name lasting.
pub(super) fn make_dir(dir: &Path) -> Result<(), LogError> {
    step(Step::LogDirectory, || fs::create_dir_all(dir)).map_err(LogError::io("create", dir))?;
    match dir.canonicalize().map_err(LogError::io("find", dir))?.parent() {
        Some(parent) => sync_dir(parent).map_err(LogError::io("sync", parent)),
        None => Ok(()),
    }
}

pub(super) fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

/// Puts a whole file in place: after a crash there is the old one or the new one, synced.
pub(super) fn replace(path: &Path, parts: &[&[u8]]) -> Result<(), LogError> {
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(UNFINISHED_SUFFIX);
    let unfinished = PathBuf::from(unfinished);
    let write = || -> io::Result<()> {
        let file = step(Step::ReplaceWrite, || {
            let mut file = File::create(&unfinished)?;
            parts.iter().try_for_each(|part| file.write_all(part)).map(|()| file)
        })?;
        step(Step::ReplaceSync, || file.sync_all())?;
        step(Step::ReplaceRename, || fs::rename(&unfinished, path))?;
        step(Step::ReplaceDirectory, || sync_dir(path.parent().unwrap_or(Path::new("."))))
    };
    write().map_err(LogError::io("write", path))
}

/// Removes what a crash left unfinished.
pub(super) fn remove_unfinished(dir: &Path) -> Result<(), LogError> {
    for entry in fs::read_dir(dir).map_err(LogError::io("list", dir))? {
        let path = entry.map_err(LogError::io("list", dir))?.path();
        if path.to_string_lossy().ends_with(UNFINISHED_SUFFIX) {
            step(Step::UnfinishedRemove, || fs::remove_file(&path)).map_err(LogError::io("remove", &path))?;
        }
    }
    Ok(())
}

/// Keeps the bytes of a cut tail in a file of their own; answers its path.
pub(super) fn keep_tail(dir: &Path, number: u64, offset: u64, tail: &[u8]) -> Result<PathBuf, LogError> {
    // The same place may be cut again after another crash.
    for attempt in 1u32.. {
        let path = dir.join(format!("{number:010}-{offset}-{attempt}.tail"));
        match OpenOptions::new().create_new(true).write(true).open(&path) {
            Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => continue,
            Err(cause) => return Err(LogError::io("create", &path)(cause)),
            Ok(mut file) => {
                let write = |file: &mut File| -> io::Result<()> {
                    step(Step::TailWrite, || file.write_all(tail))?;
                    step(Step::TailSync, || file.sync_all().and_then(|()| sync_dir(dir)))
                };
                write(&mut file).map_err(LogError::io("write", &path))?;
                return Ok(path);
            }
        }
    }
    unreachable!("a directory doesn't hold four thousand million tails")
}
