//! Reading a snapshot: its header and where its blocks are at once, all of it to check it or to load
//! it, one profile to fold on from it.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::error::BadSnapshot;
use super::format::{
    BLOCK_HEADER_BYTES, BadBytes, BlockHeader, FORMAT_VERSION, HEADER_BYTES, Header, Kind, TRAILER_BYTES,
    TRAILER_COUNTS_BYTES, Trailer,
};
use super::merge::Item;
use super::state::{self, StoredProfile};
use super::{SnapshotInfo, upgrade};
use crate::view::{Base, Entries, Entry, StoreError};
use samsyn_log::{Head, LogReader, array, checksum, head_after, split_records, u32_at};
use samsyn_vocabulary::{Partition, Position, ProfileId};

/// How much is read at once when all is.
const READ_BYTES: usize = 1 << 20;

/// A snapshot that was opened: its header, its trailer and the headers of its blocks hold.
pub struct SnapshotFile {
    path: PathBuf,
    file: File,
    length: u64,
    header: Header,
    trailer: Trailer,
    blocks: Vec<BlockAt>,
}

/// A block, and where its body starts.
#[derive(Clone, Copy)]
struct BlockAt {
    header: BlockHeader,
    body_at: u64,
}

impl SnapshotFile {
    /// Opens a snapshot; its blocks' bodies aren't looked at.
    pub fn open(path: &Path) -> Result<SnapshotFile, BadSnapshot> {
        let io = BadSnapshot::io(path);
        let file = File::open(path).map_err(&io)?;
        let length = file.metadata().map_err(&io)?.len();
        let damaged = |offset, cause: &str| BadSnapshot::Damaged {
            path: path.to_owned(),
            offset,
            cause: cause.to_owned(),
        };
        let bad = |offset: u64, bad: BadBytes| match bad {
            BadBytes::Newer(found) => {
                BadSnapshot::NewerFormat { path: path.to_owned(), found, known: FORMAT_VERSION }
            }
            BadBytes::Shape(cause) => damaged(offset, cause),
        };
        let mut first = [0; HEADER_BYTES];
        if length < (HEADER_BYTES + TRAILER_BYTES) as u64 {
            return Err(damaged(length, "the file ends before a snapshot could"));
        }
        file.read_exact_at(&mut first, 0).map_err(&io)?;
        let header_bytes = Header::length(&first).map_err(|error| bad(0, error))?;
        let trailer_at = length - TRAILER_BYTES as u64;
        if header_bytes as u64 > trailer_at {
            return Err(damaged(length, "the file ends within its header"));
        }
        let mut bytes = vec![0; header_bytes];
        file.read_exact_at(&mut bytes, 0).map_err(&io)?;
        let header = Header::decode(&bytes).map_err(|error| bad(0, error))?;
        let mut trailer = [0; TRAILER_BYTES];
        file.read_exact_at(&mut trailer, trailer_at).map_err(&io)?;
        let trailer = Trailer::decode(&trailer).map_err(|error| bad(trailer_at, error))?;
        let mut blocks = Vec::new();
        let mut at = header_bytes as u64;
        while at < trailer_at {
            let mut block = [0; BLOCK_HEADER_BYTES];
            if at + block.len() as u64 > trailer_at {
                return Err(damaged(at, "the file ends within a block"));
            }
            file.read_exact_at(&mut block, at).map_err(&io)?;
            let block = BlockHeader::decode(&block, &header.cut, at).map_err(|error| bad(at, error))?;
            blocks.push(BlockAt { header: block, body_at: at + BLOCK_HEADER_BYTES as u64 });
            at += BLOCK_HEADER_BYTES as u64 + u64::from(block.body_bytes);
        }
        if at != trailer_at || trailer.blocks != blocks.len() as u64 {
            return Err(damaged(trailer_at, "the trailer counts other blocks than there are"));
        }
        Ok(SnapshotFile { path: path.to_owned(), file, length, header, trailer, blocks })
    }

    /// What it is of.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// What it is, for people.
    pub fn info(&self) -> SnapshotInfo {
        SnapshotInfo {
            name: self.path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            place: self.header.cut.place,
            made_at: self.header.made_at,
            fold: self.header.fold,
            bytes: self.length,
            profiles: self.trailer.profiles,
        }
    }

    /// Its file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where a partition stands at its cut.
    pub fn head(&self, partition: Partition) -> Head {
        let heads = &self.header.cut.heads;
        let found = heads.iter().find(|(is, _)| *is == partition);
        found.map(|(_, head)| *head).unwrap_or_default()
    }

    /// Checks every byte. `progress` is told how many were.
    pub fn check(&self, mut progress: impl FnMut(u64, u64)) -> Result<(), BadSnapshot> {
        let covered = self.length - (TRAILER_BYTES - TRAILER_COUNTS_BYTES) as u64;
        let mut hasher = blake3::Hasher::new();
        let mut buffer = vec![0; READ_BYTES];
        let mut at = 0;
        while at < covered {
            let piece = &mut buffer[..READ_BYTES.min((covered - at) as usize)];
            self.file.read_exact_at(piece, at).map_err(BadSnapshot::io(&self.path))?;
            hasher.update(piece);
            at += piece.len() as u64;
            progress(at, covered);
        }
        if *hasher.finalize().as_bytes() == self.trailer.digest {
            return Ok(());
        }
        // The digest says that something is wrong, the blocks say where.
        for block in &self.blocks {
            self.body(block)?;
        }
        Err(self.damaged(0, "the digest over all of it doesn't match"))
    }

    /// Whether it is of this log, of this history, goes right up to what the log still has, and is of
    /// a fold that can be read.
    pub fn fits(&self, log: &LogReader) -> Result<(), BadSnapshot> {
        if self.header.cut.log_id != log.log_id() {
            return Err(BadSnapshot::OtherLog);
        }
        upgrade::check(self.header.fold, log.is_whole()).map_err(BadSnapshot::Fold)?;
        for (partition, head) in &self.header.cut.heads {
            let position = Position { partition: *partition, seq: head.seq };
            let oldest = log.oldest(*partition);
            if oldest > head.seq + 1 {
                return Err(BadSnapshot::TooOld(Position { seq: oldest - 1, ..position }));
            }
            if head.seq > 0 && log.chain_at(position)? != Some(head.chain) {
                return Err(BadSnapshot::OtherHistory(position));
            }
        }
        Ok(())
    }

    /// The registry's records, as the log had them, from the first on. Their chain is checked up to
    /// the cut: nothing else of the file needs to hold.
    pub fn registry(&self) -> Result<Vec<Arc<[u8]>>, BadSnapshot> {
        let mut records: Vec<Arc<[u8]>> = Vec::new();
        for block in self.of(Kind::Registry) {
            let body = self.body(block)?;
            records.extend(split_records(Partition::REGISTRY, &body, records.len() as u64 + 1)?);
        }
        if head_after(Partition::REGISTRY, &records)? != self.head(Partition::REGISTRY) {
            return Err(self.damaged(0, "the registry's records don't end where the cut says"));
        }
        Ok(records)
    }

    /// One profile, found by its id.
    pub fn profile(&self, id: ProfileId) -> Result<Option<StoredProfile>, BadSnapshot> {
        let key = *id.0.as_bytes();
        let start = self.blocks.partition_point(|block| block.header.kind < Kind::Profiles);
        let end = self.blocks.partition_point(|block| block.header.kind <= Kind::Profiles);
        let blocks = &self.blocks[start..end];
        let behind = blocks.partition_point(|block| block.header.first_key <= key);
        let Some(block) = behind.checked_sub(1).map(|at| &blocks[at]) else { return Ok(None) };
        let body = self.body(block)?;
        for item in Sized(&body) {
            let item =
                item.ok_or_else(|| self.damaged(block.body_at, "a profile is longer than its block"))?;
            if item.get(..16) == Some(key.as_slice()) {
                return self.stored(block, item).map(Some);
            }
        }
        Ok(None)
    }

    /// The profiles' entries as they are stored, in the order of their ids: key, and all of it.
    pub fn raw_profiles(&self) -> impl Iterator<Item = Result<Item, BadSnapshot>> + '_ {
        self.of(Kind::Profiles).flat_map(|block| self.items(block, true))
    }

    /// The links, in the order of their keys; a profile of zeros where one ended.
    pub fn raw_links(&self) -> impl Iterator<Item = Result<Item, BadSnapshot>> + '_ {
        self.of(Kind::Links).flat_map(|block| self.items(block, false))
    }

    /// The blocks of event ids, in their order: their bodies, and how many ids each has.
    pub fn event_blocks(&self) -> impl Iterator<Item = Result<(Vec<u8>, u32), BadSnapshot>> + '_ {
        self.of(Kind::Events).map(|block| Ok((self.body(block)?, block.header.entries)))
    }

    /// Counters and places.
    pub fn numbers(&self) -> impl Iterator<Item = Result<Entry, BadSnapshot>> + '_ {
        let kinds = [Kind::Counters, Kind::Places];
        kinds.into_iter().flat_map(|kind| self.of(kind)).flat_map(|block| self.decoded(block))
    }

    fn of(&self, kind: Kind) -> impl Iterator<Item = &BlockAt> {
        self.blocks.iter().filter(move |block| block.header.kind == kind)
    }

    fn body(&self, block: &BlockAt) -> Result<Vec<u8>, BadSnapshot> {
        let mut body = vec![0; block.header.body_bytes as usize];
        self.file.read_exact_at(&mut body, block.body_at).map_err(BadSnapshot::io(&self.path))?;
        if checksum(&[&body]) != block.header.body_checksum {
            return Err(self.damaged(block.body_at, "the block's checksum doesn't match"));
        }
        Ok(body)
    }

    fn items(&self, block: &BlockAt, sized: bool) -> Vec<Result<Item, BadSnapshot>> {
        let body = match self.body(block) {
            Ok(body) => body,
            Err(bad) => return vec![Err(bad)],
        };
        let keyed = |item: &[u8]| Ok((array(item, 0), item.to_vec()));
        if !sized {
            return body.chunks_exact(state::LINK_BYTES).map(keyed).collect();
        }
        let whole = |item: Option<&[u8]>| match item.filter(|item| item.len() > 16) {
            Some(item) => keyed(item),
            None => Err(self.damaged(block.body_at, "an entry is longer than its block")),
        };
        Sized(&body).map(whole).collect()
    }

    fn stored(&self, block: &BlockAt, item: &[u8]) -> Result<StoredProfile, BadSnapshot> {
        let stored = StoredProfile::decode(item).map_err(|cause| self.damaged(block.body_at, &cause))?;
        Ok(match upgrade::entry(self.header.fold, stored.into()) {
            Entry::Profile { partition, state } => StoredProfile { partition, state },
            _ => return Err(self.damaged(block.body_at, "a profile became something else")),
        })
    }

    /// The entries of a block.
    fn decoded(&self, block: &BlockAt) -> Vec<Result<Entry, BadSnapshot>> {
        let body = match self.body(block) {
            Ok(body) => body,
            Err(bad) => return vec![Err(bad)],
        };
        let upgraded = |entry: Result<Entry, String>| {
            let entry = entry.map_err(|cause| self.damaged(block.body_at, &cause))?;
            Ok(upgrade::entry(self.header.fold, entry))
        };
        let sized = |decode: fn(&[u8]) -> Result<Entry, String>| {
            let one = |item: Option<&[u8]>| {
                upgraded(item.ok_or_else(|| "it is cut short".to_owned()).and_then(decode))
            };
            Sized(&body).map(one).collect()
        };
        match block.header.kind {
            Kind::Registry => Vec::new(),
            Kind::Profiles => sized(|item| StoredProfile::decode(item).map(Entry::from)),
            Kind::Links => {
                body.chunks_exact(state::LINK_BYTES).map(|item| upgraded(Ok(state::link(item)))).collect()
            }
            Kind::Events => vec![upgraded(state::events(&body))],
            Kind::Counters => sized(state::counter),
            Kind::Places => sized(state::applied),
        }
    }

    fn damaged(&self, offset: u64, cause: &str) -> BadSnapshot {
        BadSnapshot::Damaged { path: self.path.clone(), offset, cause: cause.to_owned() }
    }
}

impl Base for SnapshotFile {
    fn name(&self) -> String {
        self.info().name
    }

    fn entries(&self) -> Result<Entries<'_>, StoreError> {
        let entries = self.blocks.iter().flat_map(|block| self.decoded(block));
        Ok(Box::new(entries.map(|entry| entry.map_err(StoreError::unreadable))))
    }
}

/// Cuts entries apart whose length stands before them; none where one is cut short.
struct Sized<'a>(&'a [u8]);

impl<'a> Iterator for Sized<'a> {
    type Item = Option<&'a [u8]>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let rest = self.0;
        self.0 = &[];
        let item = (rest.len() >= 4).then(|| u32_at(rest, 0) as usize).and_then(|length| {
            let item = rest[4..].get(..length)?;
            self.0 = &rest[4 + length..];
            Some(item)
        });
        Some(item)
    }
}
