//! What the host asks of a file system where bytes must last, and the real one behind it.
//!
//! A trait, so that tests can stand other disks behind the log: one that forgets what wasn't
//! synced, one that is full, one that fails a sync. The log costs one call through it a commit.
//!
//! | file | what it does |
//! |---|---|
//! | `local` | the file system of this machine |
//! | `data_dir` | where a data directory keeps what |
//! | [`durable_file`] | a small file that is there whole or not at all |
//! | [`failpoint`] | every step that touches the data directory, by name |
//! | `faults` | another disk with faults: debug builds alone |
//!
//! It must not know what is written: no record, no log, no setting. A disk in memory that power cuts
//! can hit is the test kit's.

mod data_dir;
pub mod durable_file;
pub mod failpoint;
#[cfg(debug_assertions)]
mod faults;
mod local;

use std::ffi::OsString;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::failpoint::{Step, step};

pub use data_dir::DataDir;
#[cfg(debug_assertions)]
pub use faults::{Fault, Faults, Faulty};
pub use local::local;

/// What a file that isn't whole yet is called besides. One that is left over is worth nothing.
pub const UNFINISHED_SUFFIX: &str = ".new";

/// A file system.
pub trait Disk: Send + Sync {
    /// The names in a directory, in no order.
    fn list(&self, dir: &Path) -> io::Result<Vec<OsString>>;

    /// Makes one directory, whose parent is there.
    fn make_dir(&self, dir: &Path) -> io::Result<()>;

    /// Whether there is a file or directory of this name.
    fn exists(&self, path: &Path) -> io::Result<bool>;

    /// Makes it last that names entered or left a directory.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;

    /// Opens a file that is there: for reading, and if it says so for writing.
    fn open(&self, path: &Path, access: Access) -> io::Result<Arc<dyn DiskFile>>;

    /// Makes an empty file and opens it for reading and writing; `AlreadyExists` when there is one.
    fn create(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>>;

    /// Gives a file another name, in place of what had it.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file's name.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Bytes that this user may still fill on the file system a directory lies on; none where it doesn't
    /// tell.
    fn room(&self, dir: &Path) -> io::Result<Option<u64>>;

    /// Takes the lock of a file, which is made when there is none; none when another holds it.
    fn lock(&self, path: &Path) -> io::Result<Option<Box<dyn DiskLock>>>;

    /// Takes the lock of a file that is there, shared with any number of other readers; none when
    /// another holds it for itself. Nothing is written.
    fn lock_to_read(&self, path: &Path) -> io::Result<Option<Box<dyn DiskLock>>>;
}

/// What an open file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Reading.
    Read,
    /// Reading and writing.
    Write,
}

/// An open file.
pub trait DiskFile: Send + Sync {
    /// Its length in bytes.
    fn length(&self) -> io::Result<u64>;

    /// Reads what stands at an offset; fewer bytes than there is room for only at the end.
    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize>;

    /// Writes all bytes at an offset. After an error some of them may have been written.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()>;

    /// Cuts it to a length, or makes it as long with zeros; lasting after the next sync.
    fn set_length(&self, length: u64) -> io::Result<()>;

    /// Makes its bytes and its length last. After an error nothing is known of what was written
    /// since the last success, whatever a later sync says.
    fn sync(&self) -> io::Result<()>;

    /// Reads as many bytes as there is room for, or fails.
    fn read_exact_at(&self, mut bytes: &mut [u8], mut offset: u64) -> io::Result<()> {
        while !bytes.is_empty() {
            let read = self.read_at(bytes, offset)?;
            if read == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            (bytes, offset) = (&mut bytes[read..], offset + read as u64);
        }
        Ok(())
    }
}

/// A lock that is held until it is given up or dropped.
pub trait DiskLock: Send + Sync {
    /// Gives it up.
    fn release(&self);
}

/// A file read from an offset on, one piece after the other.
pub struct Sequential {
    file: Arc<dyn DiskFile>,
    at: u64,
}

impl Sequential {
    /// Starts at an offset.
    pub fn new(file: Arc<dyn DiskFile>, at: u64) -> Sequential {
        Sequential { file, at }
    }
}

impl Read for Sequential {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(bytes, self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}

/// A whole file's bytes.
pub fn read(disk: &dyn Disk, path: &Path) -> io::Result<Vec<u8>> {
    let file = disk.open(path, Access::Read)?;
    let mut bytes = Vec::with_capacity(file.length()? as usize);
    Sequential::new(file, 0).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Makes a directory and those above it that are missing, each lasting before anything is put into
/// it. The name of one that is there is synced once more: it may have been made right before a crash.
pub fn make_dirs(disk: &dyn Disk, dir: &Path) -> io::Result<()> {
    let parent = match dir.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None => return Ok(()),
    };
    if disk.exists(dir)? {
        return match disk.sync_dir(parent) {
            // Then this process hasn't made it.
            Err(cause) if cause.kind() == io::ErrorKind::PermissionDenied => Ok(()),
            synced => synced,
        };
    }
    make_dirs(disk, parent)?;
    match disk.make_dir(dir) {
        Err(cause) if cause.kind() != io::ErrorKind::AlreadyExists => Err(cause),
        _ => disk.sync_dir(parent),
    }
}

/// The steps of [`replace`], as a test names them to end the process at one.
#[derive(Clone, Copy, Debug)]
pub struct ReplaceSteps {
    /// The file beside it is written.
    pub write: Step,
    /// And synced.
    pub sync: Step,
    /// It takes the old one's place.
    pub rename: Step,
    /// Its new name is synced.
    pub directory: Step,
}

/// Puts a whole file in place: after a crash there is the old one or the new one, synced.
pub fn replace(disk: &dyn Disk, path: &Path, parts: &[&[u8]], steps: ReplaceSteps) -> io::Result<()> {
    let unfinished = unfinished(path);
    let create = || match disk.create(&unfinished) {
        Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => {
            disk.remove(&unfinished)?;
            disk.create(&unfinished)
        }
        created => created,
    };
    let file = step(steps.write, || {
        let file = create()?;
        write_all(&*file, parts).map(|()| file)
    })?;
    step(steps.sync, || file.sync())?;
    step(steps.rename, || disk.rename(&unfinished, path))?;
    step(steps.directory, || disk.sync_dir(folder_of(path)))
}

/// Fills an empty file.
pub fn write_all(file: &dyn DiskFile, parts: &[&[u8]]) -> io::Result<()> {
    let mut at = 0;
    for part in parts {
        file.write_at(part, at)?;
        at += part.len() as u64;
    }
    Ok(())
}

fn unfinished(path: &Path) -> PathBuf {
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(UNFINISHED_SUFFIX);
    PathBuf::from(unfinished)
}

/// The directory a file lies in.
pub fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}
