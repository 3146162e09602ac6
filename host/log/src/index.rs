//! Where the records of one segment stand: kept in memory while it grows, its last bytes once it
//! is sealed.

use std::collections::BTreeMap;
use std::io;

use super::format::{
    BadBytes, ChainHash, FRAME_HEADER_BYTES, FrameBuilder, FrameKind, LogId, SEGMENT_HEADER_BYTES,
    SegmentHeader, array, checksum, u16_at, u32_at, u64_at,
};
use samsyn_disk::DiskFile;
use samsyn_vocabulary::{Partition, Position, Seq};

const TRAILER_BYTES: usize = 32;
const DIRECTORY_ENTRY_BYTES: usize = 52;
const TRAILER_MAGIC: [u8; 8] = *b"SAMSYNIX";

/// Where a partition ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Head {
    /// The last record's sequence; 0 when there is none.
    pub seq: Seq,
    /// The last record's link.
    pub chain: ChainHash,
}

/// Every partition's head.
pub(super) type Heads = BTreeMap<Partition, Head>;

/// The records of one partition in one segment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Run {
    pub first: Seq,
    /// Each record's offset from the segment's first byte.
    pub offsets: Vec<u32>,
}

/// The records of one segment, by partition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Runs(BTreeMap<Partition, Run>);

impl Runs {
    /// Notes a record; they come in order.
    pub fn push(&mut self, position: Position, offset: u32) {
        let run = self.0.entry(position.partition).or_default();
        if run.offsets.is_empty() {
            run.first = position.seq;
        }
        run.offsets.push(offset);
    }

    pub fn get(&self, partition: Partition) -> Option<&Run> {
        self.0.get(&partition)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The first sequence of each partition that has records here.
    pub fn first_seqs(&self) -> impl Iterator<Item = (Partition, Seq)> + '_ {
        self.0.iter().map(|(partition, run)| (*partition, run.first))
    }

    /// The last sequence of each partition that has records here.
    pub fn last_seqs(&self) -> impl Iterator<Item = (Partition, Seq)> + '_ {
        self.0.iter().map(|(partition, run)| (*partition, run.first + run.offsets.len() as u64 - 1))
    }
}

/// The bytes that seal a segment of `length` bytes so far: the index frame and the trailer.
pub(super) fn seal(segment: &SegmentHeader, length: u64, runs: &Runs, heads: &Heads) -> Vec<u8> {
    let mut tables = Vec::new();
    let mut directory = Vec::with_capacity(heads.len() * DIRECTORY_ENTRY_BYTES);
    let tables_at = length as u32 + FRAME_HEADER_BYTES as u32;
    let mut records = 0;
    for (partition, head) in heads {
        let run = runs.get(*partition);
        let count = run.map_or(0, |run| run.offsets.len() as u32);
        directory.extend_from_slice(&partition.0.to_le_bytes());
        directory.extend_from_slice(&[0; 2]);
        directory.extend_from_slice(&count.to_le_bytes());
        directory.extend_from_slice(&head.seq.to_le_bytes());
        directory.extend_from_slice(&(tables_at + tables.len() as u32).to_le_bytes());
        directory.extend_from_slice(&head.chain.0);
        for offset in run.map_or(&[][..], |run| &run.offsets) {
            tables.extend_from_slice(&offset.to_le_bytes());
        }
        records += count;
    }
    let mut trailer = [0; TRAILER_BYTES];
    trailer[0..4].copy_from_slice(&(tables_at + tables.len() as u32).to_le_bytes());
    trailer[4..8].copy_from_slice(&(heads.len() as u32).to_le_bytes());
    trailer[8..12].copy_from_slice(&(length as u32).to_le_bytes());
    trailer[12..16].copy_from_slice(&records.to_le_bytes());
    trailer[24..32].copy_from_slice(&TRAILER_MAGIC);
    let crc = trailer_checksum(segment, &directory, &trailer);
    trailer[20..24].copy_from_slice(&crc.to_le_bytes());

    let mut frame = FrameBuilder::default();
    frame.begin();
    frame.extend(&tables);
    frame.extend(&directory);
    let mut bytes = frame.finish(FrameKind::Index, segment.log_id, segment.base + length).to_vec();
    bytes.extend_from_slice(&trailer);
    bytes
}

fn trailer_checksum(segment: &SegmentHeader, directory: &[u8], trailer: &[u8]) -> u32 {
    let LogId(log_id) = segment.log_id;
    checksum(&[&log_id, &segment.number.to_le_bytes(), directory, &trailer[..20], &trailer[24..]])
}

/// One partition's line in a sealed segment's directory.
#[derive(Clone, Copy, Debug)]
pub(super) struct DirectoryEntry {
    pub partition: Partition,
    /// Records of the partition in this segment.
    pub count: u32,
    /// The partition's head at the segment's end, also when it has no record here.
    pub head: Head,
    /// Where its table of offsets stands in the file.
    table: u32,
}

impl DirectoryEntry {
    pub fn first(&self) -> Seq {
        self.head.seq + 1 - u64::from(self.count)
    }
}

/// A segment that gets no more records. Only its directory is in memory; offsets are read.
#[derive(Debug)]
pub(super) struct SealedSegment {
    pub header: SegmentHeader,
    /// The file's length in bytes.
    pub length: u64,
    /// Where the frames of records end and the index starts.
    pub frames_end: u64,
    pub records: u64,
    /// By partition, ascending.
    pub directory: Vec<DirectoryEntry>,
}

impl SealedSegment {
    /// Reads header, trailer and directory: what a host checks of every sealed segment at start.
    pub fn read(file: &dyn DiskFile) -> io::Result<Result<SealedSegment, BadBytes>> {
        let length = file.length()?;
        let mut header = [0; SEGMENT_HEADER_BYTES];
        let mut trailer = [0; TRAILER_BYTES];
        if length < (header.len() + trailer.len()) as u64 {
            return Ok(Err(BadBytes::Short));
        }
        file.read_exact_at(&mut header, 0)?;
        let header = match SegmentHeader::decode(&header) {
            Ok(header) => header,
            Err(bad) => return Ok(Err(bad)),
        };
        let trailer_at = length - TRAILER_BYTES as u64;
        file.read_exact_at(&mut trailer, trailer_at)?;
        let directory_at = u64::from(u32_at(&trailer, 0));
        let entries = u32_at(&trailer, 4) as usize;
        let expected_end = directory_at + (entries as u64) * DIRECTORY_ENTRY_BYTES as u64;
        if trailer[24..32] != TRAILER_MAGIC || expected_end != trailer_at {
            return Ok(Err(BadBytes::Shape("the segment doesn't end as a sealed one")));
        }
        let mut directory = vec![0; entries * DIRECTORY_ENTRY_BYTES];
        file.read_exact_at(&mut directory, directory_at)?;
        if u32_at(&trailer, 20) != trailer_checksum(&header, &directory, &trailer) {
            return Ok(Err(BadBytes::Shape("the index directory's checksum doesn't match")));
        }
        Ok(Ok(SealedSegment {
            header,
            length,
            frames_end: u64::from(u32_at(&trailer, 8)),
            records: u64::from(u32_at(&trailer, 12)),
            directory: directory.chunks_exact(DIRECTORY_ENTRY_BYTES).map(directory_entry).collect(),
        }))
    }

    /// [`read`](SealedSegment::read) of a segment that is in memory whole.
    pub fn of_bytes(bytes: &[u8]) -> Result<SealedSegment, BadBytes> {
        // A read of memory fails only where it ends.
        SealedSegment::read(&InMemory(bytes)).unwrap_or(Err(BadBytes::Short))
    }

    pub fn entry(&self, partition: Partition) -> Option<&DirectoryEntry> {
        let at = self.directory.binary_search_by_key(&partition, |entry| entry.partition).ok()?;
        Some(&self.directory[at])
    }

    /// Reads the offsets of up to `max` records of a partition, from `seq` on.
    pub fn offsets(
        &self,
        file: &dyn DiskFile,
        entry: &DirectoryEntry,
        seq: Seq,
        max: usize,
    ) -> io::Result<Vec<u32>> {
        let skipped = seq - entry.first();
        let count = (u64::from(entry.count) - skipped).min(max as u64) as usize;
        let mut table = vec![0; count * 4];
        file.read_exact_at(&mut table, u64::from(entry.table) + 4 * skipped)?;
        Ok(table.chunks_exact(4).map(|offset| u32_at(offset, 0)).collect())
    }
}

/// Bytes that are read as a file is.
struct InMemory<'a>(&'a [u8]);

impl DiskFile for InMemory<'_> {
    fn length(&self) -> io::Result<u64> {
        Ok(self.0.len() as u64)
    }

    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
        let rest = usize::try_from(offset).ok().and_then(|offset| self.0.get(offset..)).unwrap_or_default();
        let length = rest.len().min(bytes.len());
        bytes[..length].copy_from_slice(&rest[..length]);
        Ok(length)
    }

    fn write_at(&self, _: &[u8], _: u64) -> io::Result<()> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }

    fn set_length(&self, _: u64) -> io::Result<()> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }
}

fn directory_entry(bytes: &[u8]) -> DirectoryEntry {
    DirectoryEntry {
        partition: Partition(u16_at(bytes, 0)),
        count: u32_at(bytes, 4),
        head: Head { seq: u64_at(bytes, 8), chain: ChainHash(array(bytes, 20)) },
        table: u32_at(bytes, 16),
    }
}
