//! Letting go of the oldest segments. Whole ones, in order, and never the one that grows.

use super::error::LogError;
use super::floor::Floor;
use super::local::LocalLog;
use super::reader::LogReader;
use super::recovery::heads_of;
use crate::failpoint::{Step, step};
use crate::vocabulary::{Partition, Seq};

/// A sealed segment, for whoever decides how long it is kept.
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

    /// Bytes of all segments that are kept.
    pub fn bytes_kept(&self) -> u64 {
        let state = self.0.state.read();
        state.sealed.iter().map(|segment| segment.length).sum::<u64>() + state.active.durable
    }
}

impl<T> LocalLog<T> {
    /// Removes the sealed segments with a smaller number than `first`; answers how many. What they
    /// ended with is noted first, so that the rest of every chain can still be checked.
    pub fn remove_before(&self, first: u64) -> Result<usize, LogError> {
        let _one_at_a_time = self.retaining.lock();
        let shared = &self.reader().0;
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
