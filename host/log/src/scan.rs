//! Streaming the whole log in file order, frame by frame: for rebuilding a view.

use std::collections::{HashMap, VecDeque};
use std::io::{BufReader, Read};
use std::sync::Arc;

use super::cut::LogPlace;
use super::error::LogError;
use super::format::{
    BadBytes, FORMAT_VERSION, FRAME_HEADER_BYTES, FrameHeader, FrameKind, RecordRef, SEGMENT_HEADER_BYTES,
};
use super::state::Shared;
use samsyn_disk::Sequential;
use samsyn_vocabulary::{Partition, Position, Seq};

/// Small frames are common; larger pieces than this gain nothing.
const READ_BUFFER_BYTES: usize = 256 * 1024;

/// Where a scan of all partitions begins.
#[derive(Clone, Debug, Default)]
pub enum ScanFrom {
    /// With the oldest record.
    #[default]
    Start,
    /// In each partition with this sequence; in a partition that isn't named, with its oldest.
    Seqs(HashMap<Partition, Seq>),
}

impl ScanFrom {
    pub(super) fn takes(&self, position: Position) -> bool {
        match self {
            ScanFrom::Start => true,
            ScanFrom::Seqs(seqs) => seqs.get(&position.partition).is_none_or(|from| position.seq >= *from),
        }
    }
}

/// How far a scan or a check is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Bytes passed, those skipped included.
    pub bytes_done: u64,
    /// Bytes there are.
    pub bytes_total: u64,
    /// Records passed.
    pub records: u64,
}

/// A piece of the log that is to be read.
struct Stretch {
    number: u64,
    base: u64,
    /// Where its frames begin and end in the file.
    begin: u64,
    frames_end: u64,
}

/// The durable records of all partitions, in the order of the log, up to what was durable when
/// the scan began. Frames' checksums are checked, digests and links are not (`verify` does).
///
/// Not an iterator, because its records borrow from its buffer: `while let Some(record) =
/// scan.next()? { … }`.
pub struct LogScan {
    shared: Arc<Shared>,
    from: ScanFrom,
    left: VecDeque<Stretch>,
    current: Option<(Stretch, BufReader<Sequential>)>,
    /// Where the next frame starts in the current file.
    at: u64,
    /// The current frame's body, and where its next record starts.
    body: Vec<u8>,
    next: usize,
    progress: Progress,
    /// Where the first segment that is kept starts, and the place the scan is at: log-wide.
    begins: u64,
    offset: u64,
    /// The segment that grew at the last look, and its length then: what is durable behind that is for
    /// [`extend`](LogScan::extend).
    end: (u64, u64),
}

impl LogScan {
    pub(super) fn new(shared: Arc<Shared>, from: ScanFrom) -> LogScan {
        let mut left = VecDeque::new();
        let mut progress = Progress::default();
        let (begins, end);
        {
            let state = shared.state.read();
            begins = state.sealed.first().map_or(state.active.header, |segment| segment.header).base;
            for segment in &state.sealed {
                progress.bytes_total += segment.length;
                let wanted = |seq, partition| seq > 0 && from.takes(Position { partition, seq });
                if segment.directory.iter().any(|e| e.count > 0 && wanted(e.head.seq, e.partition)) {
                    let (number, base) = (segment.header.number, segment.header.base);
                    let (begin, frames_end) = (SEGMENT_HEADER_BYTES as u64, segment.frames_end);
                    left.push_back(Stretch { number, base, begin, frames_end });
                }
            }
            let active = &state.active;
            end = (active.header.number, active.durable);
            progress.bytes_total += active.durable;
            if active.runs.last_seqs().any(|(partition, seq)| from.takes(Position { partition, seq })) {
                let (number, base) = (active.header.number, active.header.base);
                let begin = SEGMENT_HEADER_BYTES as u64;
                left.push_back(Stretch { number, base, begin, frames_end: active.durable });
            }
        }
        if left.is_empty() {
            progress.bytes_done = progress.bytes_total;
        }
        let (body, offset) = (Vec::new(), begins);
        LogScan { shared, from, left, current: None, at: 0, body, next: 0, progress, begins, offset, end }
    }

    /// Has the scan go on with what became durable since: nothing is read twice. When what comes next was
    /// removed meanwhile, the next record is an error.
    pub fn extend(&mut self) {
        let (number, read) = self.end;
        let state = self.shared.state.read();
        let active = &state.active;
        let sealed = state.sealed.iter().map(|segment| (segment.header, segment.frames_end));
        let segments = sealed.chain([(active.header, active.durable)]);
        let mut found = false;
        for (header, frames_end) in segments.filter(|(header, _)| header.number >= number) {
            let is_same = header.number == number;
            found |= is_same;
            let begin = if is_same { read } else { SEGMENT_HEADER_BYTES as u64 };
            if frames_end > begin {
                let (number, base) = (header.number, header.base);
                self.left.push_back(Stretch { number, base, begin, frames_end });
            }
        }
        if !found {
            // Its file is gone: opening it says so.
            self.left.push_front(Stretch { number, base: 0, begin: read, frames_end: u64::MAX });
        }
        self.end = (active.header.number, active.durable);
        self.progress.bytes_total = active.header.base + active.durable - self.begins;
    }

    /// How far the scan is.
    pub fn progress(&self) -> Progress {
        self.progress
    }

    /// The place the scan is at.
    pub fn place(&self) -> LogPlace {
        LogPlace(self.offset)
    }

    /// The next record; none at the end. It must not be asked again after an error.
    #[expect(clippy::should_implement_trait, reason = "an iterator's items can't borrow from it")]
    pub fn next(&mut self) -> Result<Option<RecordRef<'_>>, LogError> {
        loop {
            if self.next >= self.body.len() {
                if !self.next_frame()? {
                    return Ok(None);
                }
                continue;
            }
            let record = RecordRef::decode(&self.body[self.next..]).map_err(|bad| self.damage(bad))?;
            let (position, length) = (record.position, record.bytes_on_disk());
            self.progress.records += 1;
            if self.from.takes(position) {
                let start = self.next;
                self.next += length;
                // Decoded again, a few nanoseconds, because the borrow above can't leave the loop.
                return RecordRef::decode(&self.body[start..]).map(Some).map_err(|bad| self.damage(bad));
            }
            self.next += length;
        }
    }

    /// Reads the next frame of records into `body`; false at the end.
    fn next_frame(&mut self) -> Result<bool, LogError> {
        loop {
            let Some((stretch, file)) = &mut self.current else {
                if !self.next_segment()? {
                    self.progress.bytes_done = self.progress.bytes_total;
                    return Ok(false);
                }
                continue;
            };
            if self.at >= stretch.frames_end {
                self.current = None;
                continue;
            }
            self.next = 0;
            let kind = match read_frame(&self.shared, stretch, file, self.at, &mut self.body)? {
                Ok((header, kind)) => {
                    self.at += header;
                    self.offset = stretch.base + self.at;
                    self.progress.bytes_done = self.offset - self.begins;
                    kind
                }
                Err(bad) => {
                    self.body.clear();
                    return Err(self.damage(bad));
                }
            };
            if kind == FrameKind::Records {
                return Ok(true);
            }
            self.body.clear();
        }
    }

    fn next_segment(&mut self) -> Result<bool, LogError> {
        let Some(stretch) = self.left.pop_front() else {
            return Ok(false);
        };
        self.at = stretch.begin;
        let file = Sequential::new(self.shared.dir.open_segment(stretch.number)?, self.at);
        let length = usize::try_from(stretch.frames_end - stretch.begin).unwrap_or(usize::MAX);
        let file = BufReader::with_capacity(READ_BUFFER_BYTES.min(length), file);
        self.current = Some((stretch, file));
        Ok(true)
    }

    fn damage(&self, bad: BadBytes) -> LogError {
        let number = self.current.as_ref().map_or(0, |(stretch, _)| stretch.number);
        match bad {
            BadBytes::Newer(found) => LogError::NewerFormat {
                segment: self.shared.dir.segment(number),
                offset: self.at,
                found,
                known: FORMAT_VERSION,
            },
            bad => self.shared.damage(number, self.at, None, bad),
        }
    }
}

/// Reads one frame that must lie before the stretch's end; answers its length and kind.
fn read_frame(
    shared: &Shared,
    stretch: &Stretch,
    file: &mut BufReader<Sequential>,
    at: u64,
    body: &mut Vec<u8>,
) -> Result<Result<(u64, FrameKind), BadBytes>, LogError> {
    let mut header = [0; FRAME_HEADER_BYTES];
    if at + header.len() as u64 > stretch.frames_end {
        return Ok(Err(BadBytes::Short));
    }
    file.read_exact(&mut header).map_err(|cause| shared.io(stretch.number, cause))?;
    let header = match FrameHeader::decode(&header, shared.log_id, stretch.base + at) {
        Ok(header) => header,
        Err(bad) => return Ok(Err(bad)),
    };
    if at + header.frame_bytes() as u64 > stretch.frames_end {
        return Ok(Err(BadBytes::Short));
    }
    // What it held before is written over, so that only what it grows by is filled with zeros.
    body.resize(header.body_bytes, 0);
    file.read_exact(body).map_err(|cause| shared.io(stretch.number, cause))?;
    Ok(header.body(body).map(|_| (header.frame_bytes() as u64, header.kind)))
}
