//! A disk with faults: what a full one, a dying one or a lying one answers. It isn't in a release
//! build.
//!
//! A fault is a line of words: what is done, a part of the path it is done to, what comes of it,
//! and perhaps how many times it goes well first.
//!
//! ```text
//! write /log/ full
//! sync /audit/ io 3
//! ```

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

use super::{Access, Disk, DiskFile, DiskLock};

/// Names a file of faults, which are in force while it is there. Read again at every operation, so that a
/// test can break and fix the disk of a host that runs.
const ENVIRONMENT: &str = "SAMSYN_TEST_DISK_FAULTS";

/// What a disk answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing of it is done: no space left (`ENOSPC`).
    Full,
    /// Half of a write is done, then there is no space left.
    Short,
    /// Nothing of it is done: an input or output error (`EIO`).
    Io,
    /// Nothing of it is done: the file system was made read-only (`EROFS`), as after an error.
    ReadOnly,
}

impl Fault {
    fn of_word(word: &str) -> Option<Fault> {
        match word {
            "full" => Some(Fault::Full),
            "short" => Some(Fault::Short),
            "io" => Some(Fault::Io),
            "readonly" => Some(Fault::ReadOnly),
            _ => None,
        }
    }

    fn error(self) -> io::Error {
        const EIO: i32 = 5;
        const ENOSPC: i32 = 28;
        const EROFS: i32 = 30;
        io::Error::from_raw_os_error(match self {
            Fault::Full | Fault::Short => ENOSPC,
            Fault::Io => EIO,
            Fault::ReadOnly => EROFS,
        })
    }
}

struct Rule {
    operation: String,
    part: String,
    fault: Fault,
    /// How many times it goes well yet.
    well: AtomicU64,
}

/// Faults, in the order in which they are looked for.
#[derive(Default)]
pub struct Faults {
    file: Option<PathBuf>,
    rules: Mutex<(String, Vec<Rule>)>,
}

impl Faults {
    pub(crate) fn of_environment() -> Option<Faults> {
        std::env::var_os(ENVIRONMENT).map(|file| Faults { file: Some(file.into()), ..Faults::default() })
    }

    /// Puts these faults, a line each, in the place of those before.
    ///
    /// # Panics
    ///
    /// When a line is no fault: a test that broke nothing must not pass.
    pub fn set(&self, text: &str) {
        *self.rules.lock() = (text.to_owned(), text.lines().map(rule).collect());
    }

    fn read_again(&self) {
        let Some(file) = &self.file else { return };
        let text = std::fs::read_to_string(file).unwrap_or_default();
        if self.rules.lock().0 != text {
            self.set(&text);
        }
    }

    fn of(&self, operation: &str, path: &Path) -> Option<Fault> {
        self.read_again();
        let path = path.to_string_lossy();
        let rules = self.rules.lock();
        let concerned = |rule: &&Rule| rule.operation == operation && path.contains(&rule.part);
        let broken = |rule: &&Rule| {
            let well =
                rule.well.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |well| well.checked_sub(1));
            well.is_err()
        };
        rules.1.iter().filter(concerned).find(broken).map(|rule| rule.fault)
    }

    fn check(&self, operation: &str, path: &Path) -> io::Result<()> {
        self.of(operation, path).map_or(Ok(()), |fault| Err(fault.error()))
    }
}

fn rule(line: &str) -> Rule {
    let words: Vec<&str> = line.split_whitespace().collect();
    let known = match words.as_slice() {
        [operation, part, fault] => Fault::of_word(fault).map(|fault| (operation, part, fault, Some(0))),
        [operation, part, fault, well] => {
            Fault::of_word(fault).map(|fault| (operation, part, fault, well.parse().ok()))
        }
        _ => None,
    };
    match known {
        Some((operation, part, fault, Some(well))) => Rule {
            operation: (*operation).to_owned(),
            part: (*part).to_owned(),
            fault,
            well: AtomicU64::new(well),
        },
        _ => panic!("no fault of a disk: {line:?}"),
    }
}

/// A disk with faults.
pub struct Faulty {
    disk: Arc<dyn Disk>,
    faults: Arc<Faults>,
}

impl Faulty {
    /// This disk with these faults.
    pub fn new(disk: Arc<dyn Disk>, faults: Faults) -> Faulty {
        Faulty { disk, faults: Arc::new(faults) }
    }

    /// Its faults, to change them.
    pub fn faults(&self) -> Arc<Faults> {
        self.faults.clone()
    }

    fn file(&self, path: &Path, file: Arc<dyn DiskFile>) -> Arc<dyn DiskFile> {
        Arc::new(FaultyFile { file, path: path.to_owned(), faults: self.faults.clone() })
    }
}

impl Disk for Faulty {
    fn list(&self, dir: &Path) -> io::Result<Vec<OsString>> {
        self.faults.check("list", dir)?;
        self.disk.list(dir)
    }

    fn make_dir(&self, dir: &Path) -> io::Result<()> {
        self.faults.check("create", dir)?;
        self.disk.make_dir(dir)
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        self.disk.exists(path)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.faults.check("sync-dir", dir)?;
        self.disk.sync_dir(dir)
    }

    fn open(&self, path: &Path, access: Access) -> io::Result<Arc<dyn DiskFile>> {
        self.faults.check("open", path)?;
        Ok(self.file(path, self.disk.open(path, access)?))
    }

    fn create(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        self.faults.check("create", path)?;
        Ok(self.file(path, self.disk.create(path)?))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.faults.check("rename", to)?;
        self.disk.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.faults.check("remove", path)?;
        self.disk.remove(path)
    }

    fn room(&self, dir: &Path) -> io::Result<Option<u64>> {
        match self.faults.of("room", dir) {
            None => self.disk.room(dir),
            Some(Fault::Full | Fault::Short) => Ok(Some(0)),
            Some(fault) => Err(fault.error()),
        }
    }

    fn lock(&self, path: &Path) -> io::Result<Option<Box<dyn DiskLock>>> {
        self.faults.check("lock", path)?;
        self.disk.lock(path)
    }

    fn lock_to_read(&self, path: &Path) -> io::Result<Option<Box<dyn DiskLock>>> {
        self.faults.check("lock", path)?;
        self.disk.lock_to_read(path)
    }
}

struct FaultyFile {
    file: Arc<dyn DiskFile>,
    path: PathBuf,
    faults: Arc<Faults>,
}

impl DiskFile for FaultyFile {
    fn length(&self) -> io::Result<u64> {
        self.file.length()
    }

    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
        self.faults.check("read", &self.path)?;
        self.file.read_at(bytes, offset)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        match self.faults.of("write", &self.path) {
            None => self.file.write_at(bytes, offset),
            Some(Fault::Short) => {
                self.file.write_at(&bytes[..bytes.len() / 2], offset)?;
                Err(Fault::Short.error())
            }
            Some(fault) => Err(fault.error()),
        }
    }

    fn set_length(&self, length: u64) -> io::Result<()> {
        self.faults.check("cut", &self.path)?;
        self.file.set_length(length)
    }

    fn sync(&self) -> io::Result<()> {
        self.faults.check("sync", &self.path)?;
        self.file.sync()
    }
}
