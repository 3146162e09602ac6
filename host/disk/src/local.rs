//! The file system of this machine.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use super::{Access, Disk, DiskFile, DiskLock};

struct Local;

/// The file system of this machine. In a debug build it has the faults that
/// `SAMSYN_TEST_DISK_FAULTS` names, so that the end-to-end tests can break the real command's disk.
pub fn local() -> Arc<dyn Disk> {
    static LOCAL: LazyLock<Arc<dyn Disk>> = LazyLock::new(|| {
        #[cfg(debug_assertions)]
        if let Some(faults) = super::Faults::of_environment() {
            return Arc::new(super::Faulty::new(Arc::new(Local), faults));
        }
        Arc::new(Local)
    });
    LOCAL.clone()
}

impl Disk for Local {
    fn list(&self, dir: &Path) -> io::Result<Vec<OsString>> {
        fs::read_dir(dir)?.map(|entry| Ok(entry?.file_name())).collect()
    }

    fn make_dir(&self, dir: &Path) -> io::Result<()> {
        fs::create_dir(dir)
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        path.try_exists()
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        File::open(dir)?.sync_all()
    }

    fn open(&self, path: &Path, access: Access) -> io::Result<Arc<dyn DiskFile>> {
        let write = access == Access::Write;
        Ok(Arc::new(OpenOptions::new().read(true).write(write).open(path)?))
    }

    fn create(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        Ok(Arc::new(OpenOptions::new().read(true).write(true).create_new(true).open(path)?))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn room(&self, dir: &Path) -> io::Result<Option<u64>> {
        let found = rustix::fs::statvfs(dir)?;
        Ok(Some(found.f_bavail.saturating_mul(found.f_frsize)))
    }

    fn lock(&self, path: &Path) -> io::Result<Option<Box<dyn DiskLock>>> {
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(path)?;
        let locked = file.try_lock();
        held(file, locked)
    }

    fn lock_to_read(&self, path: &Path) -> io::Result<Option<Box<dyn DiskLock>>> {
        let file = File::open(path)?;
        let locked = file.try_lock_shared();
        held(file, locked)
    }
}

fn held(file: File, locked: Result<(), TryLockError>) -> io::Result<Option<Box<dyn DiskLock>>> {
    match locked {
        Ok(()) => Ok(Some(Box::new(file))),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(cause)) => Err(cause),
    }
}

impl DiskFile for File {
    fn length(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
        loop {
            match FileExt::read_at(self, bytes, offset) {
                Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
                read => return read,
            }
        }
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.write_all_at(bytes, offset)
    }

    fn set_length(&self, length: u64) -> io::Result<()> {
        self.set_len(length)
    }

    // Its times needn't last, so that a write in place costs the disk one write less.
    fn sync(&self) -> io::Result<()> {
        self.sync_data()
    }
}

impl DiskLock for File {
    fn release(&self) {
        // An unlock that fails leaves it to the file's end.
        let _ = self.unlock();
    }
}
