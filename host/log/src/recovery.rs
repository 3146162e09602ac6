//! Opening a log: what is there is checked, a torn tail is cut, damage is refused.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::error::{Damage, LogError};
use super::files::LogDir;
use super::floor::Floor;
use super::format::{BadBytes, FORMAT_VERSION, LogId, SegmentHeader};
use super::index::{Head, Heads, Runs, SealedSegment};
use super::state::{Active, State};
use super::walk::{Bad, Ending, Walk, later_proof, walk, without_zeros};
use samsyn_disk::failpoint::{Step, step};
use samsyn_disk::{Access, DiskLock};
use samsyn_vocabulary::{Partition, Position};

/// What opening a log found.
#[derive(Clone, Debug)]
pub struct Recovered {
    /// The log's own random id: a view that was folded from another log doesn't fit this one.
    pub log_id: LogId,
    /// Where each partition that has records ends.
    pub heads: BTreeMap<Partition, Head>,
    /// Segment files, the growing one included.
    pub segments: usize,
    /// Records in all of them.
    pub records: u64,
    /// Bytes in all of them.
    pub bytes: u64,
    /// Whether the log ended with the mark of a clean close, or is new.
    pub clean: bool,
    /// What a crash cut short, if anything.
    pub tail: Option<CutTail>,
}

/// Bytes after the last whole frame. No event among them was ever acknowledged.
#[derive(Clone, Debug)]
pub struct CutTail {
    /// The segment they were cut from.
    pub segment: PathBuf,
    /// Where they started in it.
    pub offset: u64,
    /// How many they are, without a long rest of zeros that nothing was written to.
    pub bytes: u64,
    /// The file that keeps them.
    pub kept_in: PathBuf,
    /// Why they are no frame.
    pub cause: String,
}

/// A log that is checked, locked and ready to be served.
pub(super) struct Ready {
    pub lock: Box<dyn DiskLock>,
    pub state: State,
    pub recovered: Recovered,
}

/// Checks, repairs and locks the log in `dir`; makes a new one where there is none.
pub(super) fn recover(dir: &LogDir) -> Result<Ready, LogError> {
    dir.make()?;
    let lock = dir.lock()?;
    dir.make_hold();
    dir.remove_unfinished()?;
    let floor = Floor::read(dir)?;
    remove_below(dir, floor.as_ref())?;
    let Some(found) = find(dir, floor)? else { return create(dir, lock) };
    let tail = mend(dir, &found.last)?;
    let recovered = found.recovered(tail);
    let Found { mut sealed, floor, before_last, heads, last } = found;
    let active = if matches!(last.walk.ending, Ending::Sealed) {
        let segment = read_sealed(dir, last.header.number, &before_last)?;
        let next = after(&segment);
        sealed.push(Arc::new(segment));
        start_segment(dir, next, heads)?
    } else {
        Active { header: last.header, durable: last.walk.end, runs: last.walk.runs, heads }
    };
    Ok(Ready { lock, state: State { sealed, active, floor }, recovered })
}

/// The segments of a log as they lie there, checked, before anything is repaired.
pub(super) struct Found {
    /// All but the last one.
    pub sealed: Vec<Arc<SealedSegment>>,
    /// Where each partition stood before the first segment that is kept.
    pub floor: Heads,
    /// What the last one goes on from.
    pub before_last: Before,
    /// Where each partition ends.
    pub heads: Heads,
    pub last: Last,
}

/// The last segment.
pub(super) struct Last {
    pub header: SegmentHeader,
    pub bytes: Vec<u8>,
    pub walk: Walk,
    /// Where and why it is torn, if it is.
    pub torn: Option<Torn>,
}

/// The end of a log that a crash cut short. No event in it was ever acknowledged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Torn {
    /// Where it starts in its segment.
    pub offset: u64,
    /// Bytes of it.
    pub bytes: u64,
    /// Why they are no frame.
    pub cause: String,
}

/// Looks at the segments there are and changes nothing; none when there are none. Damage is an error.
pub(super) fn find(dir: &LogDir, floor: Option<Floor>) -> Result<Option<Found>, LogError> {
    let numbers = kept_numbers(dir, floor.as_ref())?;
    let Some((last, earlier)) = numbers.split_last() else { return Ok(None) };
    let mut sealed: Vec<Arc<SealedSegment>> = Vec::with_capacity(numbers.len());
    let mut before = Before::first(floor);
    let floor = before.heads.clone();
    for number in earlier {
        let segment = read_sealed(dir, *number, &before)?;
        before = Before::after(&segment);
        sealed.push(Arc::new(segment));
    }
    let mut heads = before.heads.clone();
    let last = find_last(dir, *last, before.header, &mut heads)?;
    Ok(Some(Found { sealed, floor, before_last: before, heads, last }))
}

impl Found {
    fn recovered(&self, tail: Option<CutTail>) -> Recovered {
        let Last { header, walk, .. } = &self.last;
        let records_before: u64 = self.sealed.iter().map(|segment| segment.records).sum();
        Recovered {
            log_id: header.log_id,
            heads: self.heads.clone(),
            segments: self.sealed.len() + 1,
            records: records_before + walk.records,
            bytes: header.base + walk.end,
            clean: matches!(walk.ending, Ending::Closed),
            tail,
        }
    }
}

/// The header of the segment that follows a sealed one.
pub(super) fn after(segment: &SealedSegment) -> SegmentHeader {
    SegmentHeader {
        log_id: segment.header.log_id,
        number: segment.header.number + 1,
        base: segment.header.base + segment.length,
    }
}

/// Makes a new log's first segment.
fn create(dir: &LogDir, lock: Box<dyn DiskLock>) -> Result<Ready, LogError> {
    let header = SegmentHeader { log_id: LogId(rand::random()), number: 1, base: 0 };
    let active = start_segment(dir, header, Heads::new())?;
    let recovered = Recovered {
        log_id: header.log_id,
        heads: Heads::new(),
        segments: 1,
        records: 0,
        bytes: active.durable,
        clean: true,
        tail: None,
    };
    Ok(Ready { lock, state: State { sealed: Vec::new(), active, floor: Heads::new() }, recovered })
}

/// Puts an empty segment in place. A segment file is never seen without its whole header, and
/// never before the one before it is sealed and synced.
pub(super) fn start_segment(dir: &LogDir, header: SegmentHeader, heads: Heads) -> Result<Active, LogError> {
    let bytes = header.encode();
    step(Step::SegmentStart, || dir.replace(&dir.segment(header.number), &[&bytes]))?;
    Ok(Active { header, durable: bytes.len() as u64, runs: Runs::default(), heads })
}

/// The segments there are, from the floor or 1 on and without a gap: they leave only by retention.
pub(super) fn kept_numbers(dir: &LogDir, floor: Option<&Floor>) -> Result<Vec<u64>, LogError> {
    let first = floor.map_or(1, |floor| floor.first.number);
    let mut numbers = dir.segment_numbers()?;
    numbers.retain(|number| *number >= first);
    for (expected, number) in (first..).zip(&numbers) {
        if *number != expected {
            return Err(damage(dir, expected, 0, None, "the segment is missing, a later one is there"));
        }
    }
    if floor.is_some() && numbers.is_empty() {
        return Err(damage(dir, first, 0, None, "the segment is missing, though the log goes on with it"));
    }
    Ok(numbers)
}

/// Removes what a crash left of segments that retention was removing.
fn remove_below(dir: &LogDir, floor: Option<&Floor>) -> Result<(), LogError> {
    let Some(floor) = floor else { return Ok(()) };
    for number in dir.segment_numbers()?.into_iter().filter(|number| *number < floor.first.number) {
        step(Step::BelowFloorRemove, || dir.remove_segment(number))?;
    }
    Ok(())
}

/// What a segment goes on from.
pub(super) struct Before {
    /// What its header must say; none when any log id will do.
    pub header: Option<SegmentHeader>,
    /// Where each partition stands.
    pub heads: Heads,
}

impl Before {
    /// Before the first segment that is kept.
    pub fn first(floor: Option<Floor>) -> Before {
        match floor {
            Some(floor) => Before { header: Some(floor.first), heads: floor.heads },
            None => Before { header: None, heads: Heads::new() },
        }
    }

    pub fn after(segment: &SealedSegment) -> Before {
        Before { header: Some(after(segment)), heads: heads_of(segment) }
    }
}

/// Checks a segment's header against the one before it.
pub(super) fn check_header(
    dir: &LogDir,
    number: u64,
    bytes: &[u8],
    expected: Option<SegmentHeader>,
) -> Result<SegmentHeader, LogError> {
    let header = SegmentHeader::decode(bytes).map_err(|bad| bad_header(dir, number, bad))?;
    let expected = expected.unwrap_or(SegmentHeader { log_id: header.log_id, number, base: 0 });
    if header != expected || header.number != number {
        return Err(damage(dir, number, 0, None, "the segment belongs to another place or log"));
    }
    Ok(header)
}

fn bad_header(dir: &LogDir, number: u64, bad: BadBytes) -> LogError {
    match bad {
        BadBytes::Newer(found) => {
            LogError::NewerFormat { segment: dir.segment(number), offset: 0, found, known: FORMAT_VERSION }
        }
        bad => damage(dir, number, 0, None, &bad.to_string()),
    }
}

fn damage(dir: &LogDir, number: u64, offset: u64, position: Option<Position>, cause: &str) -> LogError {
    let segment = dir.segment(number);
    LogError::Damaged(Box::new(Damage { segment, offset, position, cause: cause.to_owned() }))
}

/// What is bad in a segment, as an error.
pub(super) fn refusal(dir: &LogDir, number: u64, bad: &Bad) -> LogError {
    if let Some(found) = bad.newer {
        return LogError::NewerFormat {
            segment: dir.segment(number),
            offset: bad.offset,
            found,
            known: FORMAT_VERSION,
        };
    }
    damage(dir, number, bad.offset, bad.position, &bad.cause)
}

/// Reads the directory of a sealed segment and checks that it follows the one before it.
pub(super) fn read_sealed(dir: &LogDir, number: u64, before: &Before) -> Result<SealedSegment, LogError> {
    let file = dir.open_segment(number)?;
    let read = SealedSegment::read(&*file);
    let segment = match read.map_err(LogError::io("read", &dir.segment(number)))? {
        Ok(segment) => segment,
        Err(bad) => return Err(find_damage(dir, number, bad, before)),
    };
    check_header(dir, number, &segment.header.encode(), before.header)?;
    for entry in &segment.directory {
        let from = before.heads.get(&entry.partition).copied().unwrap_or_default();
        if entry.head.seq != from.seq + u64::from(entry.count) {
            let cause = format!("partition {} doesn't go on after {}", entry.partition, from.seq);
            return Err(damage(dir, number, segment.frames_end, None, &cause));
        }
    }
    Ok(segment)
}

/// A segment that ends in its index by one look and not by another.
pub(super) fn not_sealed(dir: &LogDir, number: u64, bad: BadBytes) -> LogError {
    damage(dir, number, 0, None, &bad.to_string())
}

/// A sealed segment doesn't end in its index: walks it for the place where it breaks.
fn find_damage(dir: &LogDir, number: u64, bad: BadBytes, before: &Before) -> LogError {
    let bytes = match dir.read_segment(number) {
        Ok(bytes) => bytes,
        Err(unreadable) => return unreadable,
    };
    let header = match check_header(dir, number, &bytes, before.header) {
        Ok(header) => header,
        Err(refused) => return refused,
    };
    let mut heads = before.heads.clone();
    let walk = walk(&bytes, &header, &mut heads);
    match walk.ending {
        Ending::Bad(place) => refusal(dir, number, &place),
        _ => damage(dir, number, walk.end, walk.last, &bad.to_string()),
    }
}

pub(super) fn heads_of(segment: &SealedSegment) -> Heads {
    segment.directory.iter().map(|entry| (entry.partition, entry.head)).collect()
}

/// Reads the last segment and checks it whole.
fn find_last(
    dir: &LogDir,
    number: u64,
    expected: Option<SegmentHeader>,
    heads: &mut Heads,
) -> Result<Last, LogError> {
    let bytes = dir.read_segment(number)?;
    let header = check_header(dir, number, &bytes, expected)?;
    let walk = walk(&bytes, &header, heads);
    let torn = match &walk.ending {
        Ending::Bad(bad) => Some(tell_torn(dir, &header, &bytes, bad)?),
        _ => None,
    };
    Ok(Last { header, bytes, walk, torn })
}

/// Tells a torn end from damage, which is an error.
fn tell_torn(dir: &LogDir, header: &SegmentHeader, bytes: &[u8], bad: &Bad) -> Result<Torn, LogError> {
    if !bad.may_be_torn {
        return Err(refusal(dir, header.number, bad));
    }
    if let Some(later) = later_proof(bytes, header, bad.offset) {
        let cause = format!("{}; the frame at byte {later} shows that it was synced once", bad.cause);
        return Err(damage(dir, header.number, bad.offset, bad.position, &cause));
    }
    let tail = without_zeros(&bytes[bad.offset as usize..]);
    Ok(Torn { offset: bad.offset, bytes: tail.len() as u64, cause: bad.cause.clone() })
}

/// Keeps and cuts the torn end of the last segment, and makes sure that what is served is on the disk.
fn mend(dir: &LogDir, last: &Last) -> Result<Option<CutTail>, LogError> {
    let Last { header, bytes, walk, torn } = last;
    let path = dir.segment(header.number);
    let tail = match torn {
        Some(torn) => Some(keep_tail(dir, header.number, bytes, torn)?),
        None => None,
    };
    if matches!(walk.ending, Ending::Closed) {
        // Everything before the mark was synced before it was written; the mark itself may not be.
        let sync = || -> std::io::Result<()> {
            let file = dir.disk.open(&path, Access::Write)?;
            if walk.zeroed > 0 {
                // The stop came between the mark and the cut.
                file.set_length(walk.end)?;
            }
            file.sync()
        };
        step(Step::LastSync, sync).map_err(LogError::io("sync", &path))?;
        dir.sync()?;
    } else if walk.end as usize != bytes.len() || walk.frames > 0 {
        // What was read may be in the page cache alone, left there by a sync that failed, and the
        // kernel would not write it again: only a new file is sure.
        step(Step::LastRewrite, || dir.replace(&path, &[&bytes[..walk.end as usize]]))?;
    }
    Ok(tail)
}

fn keep_tail(dir: &LogDir, number: u64, bytes: &[u8], torn: &Torn) -> Result<CutTail, LogError> {
    let tail = without_zeros(&bytes[torn.offset as usize..]);
    let tail = CutTail {
        segment: dir.segment(number),
        offset: torn.offset,
        bytes: tail.len() as u64,
        kept_in: dir.keep_tail(number, torn.offset, tail)?,
        cause: torn.cause.clone(),
    };
    tracing::warn!(
        segment = %tail.segment.display(),
        offset = tail.offset,
        bytes = tail.bytes,
        kept_in = %tail.kept_in.display(),
        cause = tail.cause,
        "cut a torn tail off the log: a stop came before its sync, nothing in it was acknowledged"
    );
    Ok(tail)
}
