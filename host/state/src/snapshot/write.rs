//! Writing a snapshot: beside its place, block after block, and there only when it is whole and
//! synced.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::error::SnapshotError;
use super::format::{BlockHeader, Header, Kind, Trailer};
use samsyn_disk::failpoint::{Step, step};
use samsyn_log::checksum;

/// Where a block ends and the next begins. One is read to find one profile, so they are small.
const BLOCK_BYTES: usize = 32 * 1024;
/// Bytes between two syncs: a large one would make the log's wait behind it. As long as one takes, the
/// disk is left alone after it.
const SYNC_EVERY_BYTES: u64 = 1 << 20;
/// The longest it is left alone.
const REST_MAX: Duration = Duration::from_millis(100);
const BUFFER_BYTES: usize = 256 * 1024;

/// What a file that isn't whole yet is called.
pub fn unfinished(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    PathBuf::from(name)
}

/// A snapshot that is being written.
pub struct SnapshotWriter {
    path: PathBuf,
    file: BufWriter<File>,
    header: Header,
    hasher: blake3::Hasher,
    length: u64,
    synced: u64,
    trailer: Trailer,
    body: Vec<u8>,
    kind: Kind,
    entries: u32,
    first_key: [u8; 16],
    syncs: bool,
}

impl SnapshotWriter {
    /// Begins a file at exactly this path. One that `syncs` does so bit by bit, for it is to last.
    pub fn create(path: PathBuf, header: Header, syncs: bool) -> Result<SnapshotWriter, SnapshotError> {
        let failed = |cause| SnapshotError::Write { path: path.clone(), cause };
        let file = File::create(&path).map_err(failed)?;
        let mut writer = SnapshotWriter {
            path,
            file: BufWriter::with_capacity(BUFFER_BYTES, file),
            header,
            hasher: blake3::Hasher::new(),
            length: 0,
            synced: 0,
            trailer: Trailer::default(),
            body: Vec::with_capacity(BLOCK_BYTES + BLOCK_BYTES / 4),
            kind: Kind::Registry,
            entries: 0,
            first_key: [0; 16],
            syncs,
        };
        let header = writer.header.encode();
        writer.put(&header)?;
        Ok(writer)
    }

    /// Adds an entry. Kinds come in their order, keys in theirs.
    pub fn entry(&mut self, kind: Kind, key: [u8; 16], parts: &[&[u8]]) -> Result<(), SnapshotError> {
        let bytes: usize = parts.iter().map(|part| part.len()).sum();
        if kind != self.kind || self.body.len() + bytes > BLOCK_BYTES {
            self.end_block()?;
            self.kind = kind;
        }
        if self.entries == 0 {
            self.first_key = key;
        }
        parts.iter().for_each(|part| self.body.extend_from_slice(part));
        self.entries += 1;
        Ok(())
    }

    /// Adds an entry whose length stands before it.
    pub fn sized(&mut self, kind: Kind, key: [u8; 16], parts: &[&[u8]]) -> Result<(), SnapshotError> {
        let bytes: usize = parts.iter().map(|part| part.len()).sum();
        let length = (bytes as u32).to_le_bytes();
        match parts {
            [one] => self.entry(kind, key, &[&length, one]),
            [one, two] => self.entry(kind, key, &[&length, one, two]),
            parts => self.entry(kind, key, &[&length, &parts.concat()]),
        }
    }

    /// Adds a whole block.
    pub fn block(&mut self, kind: Kind, body: &[u8], entries: u32) -> Result<(), SnapshotError> {
        self.end_block()?;
        self.kind = kind;
        self.body.extend_from_slice(body);
        self.entries = entries;
        self.end_block()
    }

    fn end_block(&mut self) -> Result<(), SnapshotError> {
        if self.entries == 0 {
            return Ok(());
        }
        let body = std::mem::take(&mut self.body);
        let header = BlockHeader {
            kind: self.kind,
            body_bytes: body.len() as u32,
            entries: self.entries,
            first_key: std::mem::take(&mut self.first_key),
            body_checksum: checksum(&[&body]),
        };
        let header = header.encode(&self.header.cut, self.length);
        self.put(&header)?;
        self.put(&body)?;
        self.trailer.blocks += 1;
        self.trailer.entries += u64::from(self.entries);
        if self.kind == Kind::Profiles {
            self.trailer.profiles += u64::from(self.entries);
        }
        self.entries = 0;
        self.body = body;
        self.body.clear();
        Ok(())
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), SnapshotError> {
        self.hasher.update(bytes);
        self.length += bytes.len() as u64;
        let mut put = || -> io::Result<()> {
            self.file.write_all(bytes)?;
            if self.syncs && self.length - self.synced >= SYNC_EVERY_BYTES {
                let started = Instant::now();
                self.file.flush()?;
                self.file.get_ref().sync_data()?;
                self.synced = self.length;
                std::thread::sleep(started.elapsed().min(REST_MAX));
            }
            Ok(())
        };
        put().map_err(|cause| SnapshotError::Write { path: self.path.clone(), cause })
    }

    /// Bytes written so far.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Ends the file, which then holds.
    pub fn finish(mut self) -> Result<(), SnapshotError> {
        self.end_block()?;
        let counts = self.trailer.counts();
        self.put(&counts)?;
        let digest = *self.hasher.finalize().as_bytes();
        let path = self.path.clone();
        let failed = |cause| SnapshotError::Write { path, cause };
        let mut file = self.file;
        let mut end = || -> io::Result<()> {
            file.write_all(&digest)?;
            file.flush()?;
            if self.syncs { step(Step::SnapshotSync, || file.get_ref().sync_all()) } else { Ok(()) }
        };
        end().map_err(failed)
    }
}

/// Puts a finished file in its place: after a crash it is there whole, or not.
pub fn put_in_place(path: &Path) -> Result<(), SnapshotError> {
    let put = || -> io::Result<()> {
        step(Step::SnapshotRename, || fs::rename(unfinished(path), path))?;
        let directory = path.parent().unwrap_or(Path::new("."));
        step(Step::SnapshotDirectory, || File::open(directory)?.sync_all())
    };
    put().map_err(|cause| SnapshotError::Write { path: path.to_owned(), cause })
}
