//! Letting go of the oldest segments. Whole ones, in order, and never the one that grows; and not
//! while somebody holds them, as a backup does.

use std::fs::File;
use std::path::Path;

use super::cut::LogPlace;
use super::error::LogError;
use super::files::HOLD_FILE;
use super::floor::Floor;
use super::local::LocalLog;
use super::reader::LogReader;
use super::recovery::heads_of;
use samsyn_disk::failpoint::{Step, step};
use samsyn_vocabulary::{Partition, Position, Seq, Timestamp};

/// Keeps every segment of a log where it is, in this process and in others, until it is dropped.
#[derive(Debug)]
pub struct Hold {
    _file: Option<File>,
}

/// Holds the log in `dir`. Waits while segments are being removed, which takes milliseconds. Whoever
/// holds it leaves no trace: where no host ever ran there is nothing to hold, and nothing is removed.
pub fn hold(dir: &Path) -> Result<Hold, LogError> {
    let path = dir.join(HOLD_FILE);
    match File::open(&path) {
        Ok(file) => {
            file.lock_shared().map_err(LogError::io("lock", &path))?;
            Ok(Hold { _file: Some(file) })
        }
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => Ok(Hold { _file: None }),
        Err(cause) => Err(LogError::io("open", &path)(cause)),
    }
}

/// A sealed segment, with where every partition stands at its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SegmentInfo {
    /// Its number; [`LocalLog::remove_before`] takes one.
    pub number: u64,
    /// Its file's length.
    pub bytes: u64,
    /// Where it ends.
    pub end: LogPlace,
    /// The last record of each partition in it or before it.
    pub last: Vec<(Partition, Seq)>,
    /// Partitions that have records in it.
    own: Vec<Partition>,
}

/// A sealed segment, with what decides how long it is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SealedInfo {
    /// Its number; [`LocalLog::remove_before`] takes one.
    pub number: u64,
    /// Its file's length.
    pub bytes: u64,
    /// The last record of the partition that was asked about which lies in it or before it; 0 when
    /// there is none.
    pub last: Seq,
}

impl LogReader {
    /// [`hold`]s the log that is read.
    pub fn hold(&self) -> Result<Hold, LogError> {
        hold(&self.0.dir.path)
    }

    /// The sealed segments, oldest first, as one partition sees them.
    pub fn sealed(&self, partition: Partition) -> Vec<SealedInfo> {
        let state = self.0.state.read();
        let info = |segment: &std::sync::Arc<super::index::SealedSegment>| SealedInfo {
            number: segment.header.number,
            bytes: segment.length,
            last: segment.entry(partition).map_or(0, |entry| entry.head.seq),
        };
        state.sealed.iter().map(info).collect()
    }

    /// The sealed segments, oldest first.
    pub fn segments(&self) -> Vec<SegmentInfo> {
        let state = self.0.state.read();
        let info = |segment: &std::sync::Arc<super::index::SealedSegment>| {
            let own = segment.directory.iter().filter(|entry| entry.count > 0);
            SegmentInfo {
                number: segment.header.number,
                bytes: segment.length,
                end: LogPlace(segment.header.base + segment.length),
                last: segment.directory.iter().map(|entry| (entry.partition, entry.head.seq)).collect(),
                own: own.map(|entry| entry.partition).collect(),
            }
        };
        state.sealed.iter().map(info).collect()
    }

    /// When the newest record of a sealed segment was appended; none when it was removed meanwhile.
    pub fn newest_in(&self, segment: &SegmentInfo) -> Result<Option<Timestamp>, LogError> {
        let mut newest = None;
        for (partition, seq) in segment.last.iter().filter(|(partition, _)| segment.own.contains(partition)) {
            let record = self.read(Position { partition: *partition, seq: *seq })?;
            newest = newest.max(record.map(|record| record.appended_at));
        }
        Ok(newest)
    }

    /// When the oldest record that is kept was appended; none when there is none.
    pub fn oldest_at(&self) -> Result<Option<Timestamp>, LogError> {
        let record = self.scan_all(super::ScanFrom::Start).next()?.map(|record| record.appended_at);
        Ok(record)
    }

    /// When the oldest record of the growing segment was appended; none when it has none.
    pub fn growing_since(&self) -> Result<Option<Timestamp>, LogError> {
        let first: Vec<Position> = {
            let state = self.0.state.read();
            let runs = state.active.runs.first_seqs();
            runs.map(|(partition, seq)| Position { partition, seq }).collect()
        };
        let mut oldest: Option<Timestamp> = None;
        for position in first {
            let at = self.read(position)?.map(|record| record.appended_at);
            oldest = at.map(|at| oldest.map_or(at, |oldest| oldest.min(at))).or(oldest);
        }
        Ok(oldest)
    }

    /// Whether somebody [holds](hold) the log.
    pub fn is_held(&self) -> Result<bool, LogError> {
        match self.0.dir.lock_against_holds() {
            Ok(_) => Ok(false),
            Err(LogError::Held(_)) => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// Bytes of all segments that are kept.
    pub fn bytes_kept(&self) -> u64 {
        let state = self.0.state.read();
        state.sealed.iter().map(|segment| segment.length).sum::<u64>() + state.active.durable
    }
}

impl<T> LocalLog<T> {
    /// Removes the sealed segments with a smaller number than `first`; answers how many. What they
    /// ended with is noted first, so that the rest of every chain can still be checked. Refused while
    /// somebody [holds](hold) the log.
    pub fn remove_before(&self, first: u64) -> Result<usize, LogError> {
        let _one_at_a_time = self.retaining.lock();
        let shared = &self.reader().0;
        let _nobody_holds_it = shared.dir.lock_against_holds()?;
        let (floor, gone) = {
            let state = shared.state.read();
            let gone = state.sealed.partition_point(|segment| segment.header.number < first);
            let Some(last) = gone.checked_sub(1).map(|at| &state.sealed[at]) else { return Ok(0) };
            let next = state.sealed.get(gone).map_or(state.active.header, |segment| segment.header);
            (Floor { first: next, heads: heads_of(last) }, gone)
        };
        floor.write(&shared.dir)?;
        let gone: Vec<u64> = {
            let mut state = shared.state.write();
            state.floor = floor.heads;
            state.sealed.drain(..gone).map(|segment| segment.header.number).collect()
        };
        for number in &gone {
            shared.forget(*number);
            step(Step::SegmentRemove, || shared.dir.remove_segment(*number))?;
        }
        step(Step::SegmentRemoveSync, || shared.dir.sync())?;
        Ok(gone.len())
    }
}
