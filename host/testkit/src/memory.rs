//! A disk in memory that notes everything that is done to it, so that `crash` can tell what a
//! power cut at any moment would have left.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;

use super::image::{Image, Inode, Node};
use samsyn_disk::{Access, Disk, DiskFile, DiskLock};

/// Something that was done to a disk. `M` is what the test wants to remember in between.
#[derive(Clone, Debug)]
pub enum Op<M> {
    MakeDir(PathBuf),
    Create(PathBuf, Inode),
    Write(Inode, u64, Vec<u8>),
    /// It has this length now: what was behind is gone, what wasn't there is zeros.
    Length(Inode, u64),
    Sync(Inode),
    /// It was answered with an error, and what it should have written counts as written from then on.
    FailedSync(Inode),
    Rename(PathBuf, PathBuf),
    Remove(PathBuf),
    SyncDir(PathBuf),
    Mark(M),
}

/// A disk in memory. A clone is the same disk.
pub struct Memory<M>(Arc<Mutex<State<M>>>);

struct State<M> {
    base: Image,
    ops: Vec<Op<M>>,
    names: BTreeMap<PathBuf, Node>,
    files: Vec<Vec<u8>>,
    /// Files that were locked, with the holder of each.
    locks: BTreeMap<PathBuf, Holders>,
    dead: bool,
    /// Syncs until one fails.
    syncs_left: Option<u32>,
    /// Bytes that all files together may have.
    capacity: u64,
}

/// The holder of a lock.
#[derive(Clone, Copy)]
enum Holders {
    One,
    Readers(u32),
}

impl<M> Clone for Memory<M> {
    fn clone(&self) -> Memory<M> {
        Memory(self.0.clone())
    }
}

impl<M: Send + 'static> Memory<M> {
    /// The disk that was left.
    pub fn new(base: Image) -> Memory<M> {
        let (names, files) = (base.names.clone(), base.files.clone());
        let (ops, locks) = (Vec::new(), BTreeMap::new());
        let (dead, syncs_left, capacity) = (false, None, u64::MAX);
        Memory(Arc::new(Mutex::new(State { base, ops, names, files, locks, dead, syncs_left, capacity })))
    }

    pub fn disk(&self) -> Arc<dyn Disk> {
        Arc::new(self.clone())
    }

    /// Notes something between the operations.
    pub fn mark(&self, mark: M) {
        self.0.lock().ops.push(Op::Mark(mark));
    }

    /// The process is killed: whatever it still tries fails and leaves no trace.
    pub fn kill(&self) {
        self.0.lock().dead = true;
    }

    /// The next process starts: it finds everything that was written, synced or not.
    pub fn restart(&self) {
        let mut state = self.0.lock();
        state.dead = false;
        state.syncs_left = None;
        state.locks.clear();
    }

    /// What a file holds changes by itself, while it is open.
    pub fn rot(&self, path: &Path, rot: impl FnOnce(&mut Vec<u8>)) {
        let mut state = self.0.lock();
        let Some(Node::File(inode)) = state.names.get(path).copied() else { panic!("no {}", path.display()) };
        rot(&mut state.files[inode]);
    }

    /// The sync after so many more fails, and all after it.
    pub fn fail_sync_after(&self, syncs: u32) {
        self.0.lock().syncs_left = Some(syncs);
    }

    /// It has room for so many bytes.
    pub fn has_room_for(&self, bytes: u64) {
        self.0.lock().capacity = bytes;
    }

    /// What is on it now, synced or not.
    pub fn image(&self) -> Image {
        let state = self.0.lock();
        Image { names: state.names.clone(), files: state.files.clone() }
    }

    /// What it was made with, and what was done to it since.
    pub fn history(&self) -> (Image, Vec<Op<M>>)
    where
        M: Clone,
    {
        let state = self.0.lock();
        (state.base.clone(), state.ops.clone())
    }

    fn alive(&self) -> io::Result<parking_lot::MutexGuard<'_, State<M>>> {
        let state = self.0.lock();
        if state.dead { Err(io::Error::other("the process is dead")) } else { Ok(state) }
    }
}

fn missing<T>() -> io::Result<T> {
    Err(io::ErrorKind::NotFound.into())
}

impl<M: Send + 'static> Disk for Memory<M> {
    fn list(&self, dir: &Path) -> io::Result<Vec<OsString>> {
        let state = self.alive()?;
        let inside = state.names.keys().filter(|path| path.parent() == Some(dir));
        Ok(inside.filter_map(|path| path.file_name().map(OsString::from)).collect())
    }

    fn make_dir(&self, dir: &Path) -> io::Result<()> {
        let mut state = self.alive()?;
        if state.names.contains_key(dir) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        state.names.insert(dir.to_owned(), Node::Dir);
        state.ops.push(Op::MakeDir(dir.to_owned()));
        Ok(())
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        Ok(path.parent().is_none() || self.alive()?.names.contains_key(path))
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.alive()?.ops.push(Op::SyncDir(dir.to_owned()));
        Ok(())
    }

    fn open(&self, path: &Path, _: Access) -> io::Result<Arc<dyn DiskFile>> {
        match self.alive()?.names.get(path) {
            Some(Node::File(inode)) => Ok(Arc::new(MemoryFile { disk: self.clone(), inode: *inode })),
            _ => missing(),
        }
    }

    fn create(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        let mut state = self.alive()?;
        if state.names.contains_key(path) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let inode = state.files.len();
        state.files.push(Vec::new());
        state.names.insert(path.to_owned(), Node::File(inode));
        state.ops.push(Op::Create(path.to_owned(), inode));
        Ok(Arc::new(MemoryFile { disk: self.clone(), inode }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.alive()?;
        let Some(node) = state.names.remove(from) else { return missing() };
        state.names.insert(to.to_owned(), node);
        state.ops.push(Op::Rename(from.to_owned(), to.to_owned()));
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut state = self.alive()?;
        if state.names.remove(path).is_none() {
            return missing();
        }
        state.ops.push(Op::Remove(path.to_owned()));
        Ok(())
    }

    fn room(&self, _: &Path) -> io::Result<Option<u64>> {
        let state = self.alive()?;
        Ok(Some(state.capacity.saturating_sub(state.used())))
    }

    fn lock(&self, path: &Path) -> io::Result<Option<Box<dyn DiskLock>>> {
        let mut state = self.alive()?;
        if state.locks.contains_key(path) {
            return Ok(None);
        }
        state.locks.insert(path.to_owned(), Holders::One);
        if !state.names.contains_key(path) {
            let inode = state.files.len();
            state.files.push(Vec::new());
            state.names.insert(path.to_owned(), Node::File(inode));
            state.ops.push(Op::Create(path.to_owned(), inode));
        }
        Ok(Some(Box::new(MemoryLock { disk: self.clone(), path: path.to_owned() })))
    }

    fn lock_to_read(&self, path: &Path) -> io::Result<Option<Box<dyn DiskLock>>> {
        let mut state = self.alive()?;
        if !state.names.contains_key(path) {
            return missing();
        }
        match state.locks.entry(path.to_owned()).or_insert(Holders::Readers(0)) {
            Holders::One => return Ok(None),
            Holders::Readers(count) => *count += 1,
        }
        Ok(Some(Box::new(MemoryLock { disk: self.clone(), path: path.to_owned() })))
    }
}

struct MemoryFile<M> {
    disk: Memory<M>,
    inode: Inode,
}

impl<M: Send + 'static> DiskFile for MemoryFile<M> {
    fn length(&self) -> io::Result<u64> {
        Ok(self.disk.alive()?.files[self.inode].len() as u64)
    }

    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
        let state = self.disk.alive()?;
        let rest = state.files[self.inode].get(offset as usize..).unwrap_or_default();
        let length = rest.len().min(bytes.len());
        bytes[..length].copy_from_slice(&rest[..length]);
        Ok(length)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let mut state = self.disk.alive()?;
        let grows = (offset + bytes.len() as u64).saturating_sub(state.files[self.inode].len() as u64);
        if grows > state.capacity.saturating_sub(state.used()) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        overwrite(&mut state.files[self.inode], offset as usize, bytes);
        state.ops.push(Op::Write(self.inode, offset, bytes.to_owned()));
        Ok(())
    }

    fn set_length(&self, length: u64) -> io::Result<()> {
        let mut state = self.disk.alive()?;
        state.files[self.inode].resize(length as usize, 0);
        state.ops.push(Op::Length(self.inode, length));
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        let mut state = self.disk.alive()?;
        match &mut state.syncs_left {
            Some(0) => {
                state.ops.push(Op::FailedSync(self.inode));
                return Err(io::Error::from_raw_os_error(5));
            }
            Some(left) => *left -= 1,
            None => {}
        }
        state.ops.push(Op::Sync(self.inode));
        Ok(())
    }
}

/// Puts bytes into a file, which grows when they lie beyond its end.
pub(super) fn overwrite(file: &mut Vec<u8>, offset: usize, bytes: &[u8]) {
    let end = offset + bytes.len();
    if file.len() < end {
        file.resize(end, 0);
    }
    file[offset..end].copy_from_slice(bytes);
}

struct MemoryLock<M> {
    disk: Memory<M>,
    path: PathBuf,
}

impl<M: Send> DiskLock for MemoryLock<M> {
    fn release(&self) {
        self.disk.0.lock().let_go(&self.path);
    }
}

impl<M> State<M> {
    /// Bytes of all files that have a name.
    fn used(&self) -> u64 {
        let files = self.names.values().filter_map(|node| match node {
            Node::File(inode) => Some(self.files[*inode].len() as u64),
            Node::Dir => None,
        });
        files.sum()
    }

    fn let_go(&mut self, path: &Path) {
        match self.locks.get_mut(path) {
            Some(Holders::Readers(count)) if *count > 1 => *count -= 1,
            _ => drop(self.locks.remove(path)),
        }
    }
}

impl<M> Drop for MemoryLock<M> {
    fn drop(&mut self) {
        let mut state = self.disk.0.lock();
        // A lock of a process that was killed is gone already, and may be another's by now.
        if !state.dead {
            state.let_go(&self.path);
        }
    }
}
