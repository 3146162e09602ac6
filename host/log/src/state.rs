//! What the writer and the readers of a log share: its segments, and what is durable in them.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;

use parking_lot::{Mutex, RwLock};

use super::carried::Carried;
use super::error::{Damage, LogError};
use super::files::LogDir;
use super::format::{BadBytes, CHAIN_AT, ChainHash, LogId, RECORD_HEADER_BYTES, RecordRef, SegmentHeader};
use super::growth::Growth;
use super::index::{Heads, Runs, SealedSegment};
use super::stored::StoredRecord;
use samsyn_disk::DiskFile;
use samsyn_vocabulary::{Partition, Position, Seq};

/// How much is read at a record's offset at once: most records fit, so that one call does.
const READ_GUESS_BYTES: usize = 1024;
/// How many segment files stay open for reading; beyond it all are closed and the game restarts.
const OPEN_FILES_MAX: usize = 64;

/// What the writer and the readers share.
pub(super) struct Shared {
    pub dir: LogDir,
    pub log_id: LogId,
    pub state: RwLock<State>,
    open_files: Mutex<HashMap<u64, Arc<dyn DiskFile>>>,
    /// Records of removed segments that somebody kept.
    pub carried: RwLock<Carried>,
    pub growth: Arc<Growth>,
}

/// The segments of a log and what is durable in them.
pub(super) struct State {
    /// In order; each starts where the one before it ends.
    pub sealed: Vec<Arc<SealedSegment>>,
    pub active: Active,
    /// Where each partition stood before the first segment that is kept; empty when all are.
    pub floor: Heads,
}

impl State {
    /// The link of a partition's last record before a segment, which is counted from the oldest
    /// sealed one on.
    fn link_before(&self, segment: usize, partition: Partition) -> ChainHash {
        let head = match segment.checked_sub(1).map(|at| &self.sealed[at]) {
            Some(earlier) => earlier.entry(partition).map(|entry| entry.head),
            None => self.floor.get(&partition).copied(),
        };
        head.unwrap_or_default().chain
    }
}

/// The segment that grows.
pub(super) struct Active {
    pub header: SegmentHeader,
    /// Its length known synced, in bytes.
    pub durable: u64,
    pub runs: Runs,
    /// Every partition's durable head.
    pub heads: Heads,
}

impl Shared {
    pub fn new(dir: LogDir, log_id: LogId, state: State) -> Shared {
        Shared {
            dir,
            log_id,
            state: RwLock::new(state),
            open_files: Mutex::default(),
            carried: RwLock::default(),
            growth: Arc::default(),
        }
    }

    pub fn open(&self, number: u64) -> Result<Arc<dyn DiskFile>, LogError> {
        let mut open_files = self.open_files.lock();
        if let Some(file) = open_files.get(&number) {
            return Ok(file.clone());
        }
        if open_files.len() >= OPEN_FILES_MAX {
            open_files.clear();
        }
        let file = self.dir.open_segment(number)?;
        open_files.insert(number, file.clone());
        Ok(file)
    }

    /// Closes the file of a segment that is being removed.
    pub fn forget(&self, number: u64) {
        self.open_files.lock().remove(&number);
    }

    pub fn io(&self, number: u64, cause: io::Error) -> LogError {
        LogError::io("read", &self.dir.segment(number))(cause)
    }

    pub fn damage(&self, number: u64, offset: u64, position: Option<Position>, cause: BadBytes) -> LogError {
        let segment = self.dir.segment(number);
        LogError::Damaged(Box::new(Damage { segment, offset, position, cause: cause.to_string() }))
    }

    /// Where the records of a partition stand, from `seq` or the oldest after it on: as many as
    /// one segment holds, at most `max`.
    ///
    /// A segment that retention removes meanwhile is looked for again: then the oldest is another.
    pub fn locate(&self, partition: Partition, seq: Seq, max: usize) -> Result<Option<Place>, LogError> {
        loop {
            let located = self.try_locate(partition, seq, max).and_then(|located| match located {
                Some(located) => Ok(Some((self.open(located.number)?, located))),
                None => Ok(None),
            });
            match located {
                Err(LogError::Io { cause, .. })
                    if cause.kind() == io::ErrorKind::NotFound && self.oldest(partition) > seq.max(1) => {}
                Err(error) => return Err(error),
                Ok(located) => return Ok(located.map(|(file, located)| (located, file))),
            }
        }
    }

    /// The first record of a partition that isn't removed, or will be its first.
    pub fn oldest(&self, partition: Partition) -> Seq {
        self.state.read().floor.get(&partition).map_or(0, |head| head.seq) + 1
    }

    fn try_locate(&self, partition: Partition, seq: Seq, max: usize) -> Result<Option<Located>, LogError> {
        let (segment, seq, link) = {
            let state = self.state.read();
            // A segment that has none of its records lists what left before it all the same.
            let gone = state.floor.get(&partition).map_or(0, |head| head.seq);
            let seq = seq.max(gone + 1);
            let sealed = &state.sealed;
            let before = |segment: &Arc<SealedSegment>| {
                segment.entry(partition).is_none_or(|entry| entry.head.seq < seq)
            };
            let at = sealed.partition_point(before);
            let link = state.link_before(at, partition);
            match sealed.get(at) {
                Some(segment) => (segment.clone(), seq, link),
                None => return Ok(state.active.locate(partition, seq, max, link)),
            }
        };
        let number = segment.header.number;
        let Some(entry) = segment.entry(partition) else {
            return Ok(None);
        };
        let first = seq.max(entry.first());
        let file = self.open(number)?;
        let link = if first == entry.first() {
            Link::Known(link)
        } else {
            let before = segment.offsets(&*file, entry, first - 1, 1);
            Link::At(before.map_err(|cause| self.io(number, cause))?[0])
        };
        let offsets = segment.offsets(&*file, entry, first, max).map_err(|cause| self.io(number, cause))?;
        Ok(Some(Located { number, end: segment.frames_end, first, offsets, link }))
    }

    /// The link of the record before those that were located.
    pub fn link_before(&self, located: &Located, file: &dyn DiskFile) -> Result<ChainHash, LogError> {
        match located.link {
            Link::Known(link) => Ok(link),
            Link::At(offset) => {
                let mut link = ChainHash::default();
                let at = u64::from(offset) + CHAIN_AT;
                if at + link.0.len() as u64 > located.end {
                    return Err(self.damage(located.number, u64::from(offset), None, BadBytes::Short));
                }
                let read = file.read_exact_at(&mut link.0, at);
                read.map(|()| link).map_err(|cause| self.io(located.number, cause))
            }
        }
    }

    /// A record as it stands in its segment.
    pub fn read_raw(&self, position: Position) -> Result<Option<Arc<[u8]>>, LogError> {
        match self.locate(position.partition, position.seq, 1)? {
            Some((located, file)) if located.first == position.seq => {
                let link = self.link_before(&located, &*file)?;
                let raw = |record: RecordRef<'_>, bytes: &[u8]| Arc::from(&bytes[..record.bytes_on_disk()]);
                self.look_at(&located, &*file, (located.offsets[0], position), &link, raw).map(Some)
            }
            _ => Ok(None),
        }
    }

    /// The record at an offset.
    pub fn read_at(
        &self,
        located: &Located,
        file: &dyn DiskFile,
        at: (u32, Position),
        link: &ChainHash,
    ) -> Result<StoredRecord, LogError> {
        self.look_at(located, file, at, link, |record, _| record.to_stored())
    }

    /// Reads the record at an offset, checks that it is the one that should stand there, with what
    /// was appended, after the record before it, and shows it and the bytes that start with it.
    fn look_at<T>(
        &self,
        located: &Located,
        file: &dyn DiskFile,
        (offset, position): (u32, Position),
        link: &ChainHash,
        look: impl FnOnce(RecordRef<'_>, &[u8]) -> T,
    ) -> Result<T, LogError> {
        let offset = u64::from(offset);
        let damage = |bad| self.damage(located.number, offset, Some(position), bad);
        let available = located.end.saturating_sub(offset) as usize;
        let mut guess = [0; READ_GUESS_BYTES];
        let guess = &mut guess[..available.min(READ_GUESS_BYTES)];
        file.read_exact_at(guess, offset).map_err(|cause| self.io(located.number, cause))?;
        let length = RECORD_HEADER_BYTES + RecordRef::payload_bytes(guess).map_err(damage)?;
        let mut long;
        let bytes: &[u8] = if length <= guess.len() {
            guess
        } else if length > available {
            return Err(damage(BadBytes::Short));
        } else {
            long = vec![0; length];
            file.read_exact_at(&mut long, offset).map_err(|cause| self.io(located.number, cause))?;
            &long
        };
        let record = RecordRef::decode(bytes).map_err(damage)?;
        if record.position != position {
            return Err(damage(BadBytes::Shape("another record stands where the index says")));
        }
        if !record.digest_holds() {
            return Err(damage(BadBytes::Shape("the payload isn't that of its digest")));
        }
        if !record.is_linked_to(link) {
            return Err(damage(BadBytes::Shape("the record isn't linked to the one before it")));
        }
        Ok(look(record, bytes))
    }
}

impl Active {
    fn locate(&self, partition: Partition, seq: Seq, max: usize, link: ChainHash) -> Option<Located> {
        let run = self.runs.get(partition)?;
        let first = seq.max(run.first);
        let skipped = (first - run.first) as usize;
        let offsets = run.offsets.get(skipped..)?;
        let offsets = offsets[..offsets.len().min(max)].to_vec();
        let link = skipped.checked_sub(1).map_or(Link::Known(link), |before| Link::At(run.offsets[before]));
        let (number, end) = (self.header.number, self.durable);
        (!offsets.is_empty()).then_some(Located { number, end, first, offsets, link })
    }
}

/// Some records, and the file they are in.
pub(super) type Place = (Located, Arc<dyn DiskFile>);

/// Some records of one partition in one segment.
pub(super) struct Located {
    number: u64,
    /// Where the segment's frames end, in bytes.
    end: u64,
    /// The sequence of the first of them.
    pub first: Seq,
    pub offsets: Vec<u32>,
    link: Link,
}

/// The link of the record before some records.
enum Link {
    Known(ChainHash),
    /// It stands in the record at this offset of the same segment.
    At(u32),
}
