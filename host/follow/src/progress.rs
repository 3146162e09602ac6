//! How far a follower is in the log, and what it has not seen of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use samsyn_log::{Head, LogId};
use samsyn_vocabulary::{Partition, Seq, Timestamp};

/// Stretches of missed records that are named; the oldest are forgotten first.
const RANGES_MAX: usize = 100;

/// How far a follower is.
#[derive(Clone, Debug, PartialEq)]
pub struct Progress {
    /// The log that it follows.
    pub log_id: LogId,
    /// The last record of each partition that it took in, with its link: so another history is noticed.
    pub cursors: BTreeMap<Partition, Head>,
    /// When the oldest record was made that it began with; none when it began with the log's first.
    pub since: Option<Timestamp>,
    /// What it missed.
    pub missed: Missed,
    /// When and why it was rebuilt the last time.
    pub rebuilt: Option<Rebuilt>,
}

impl Progress {
    /// Before the first record of a log.
    pub fn new(log_id: LogId) -> Progress {
        Progress { log_id, cursors: BTreeMap::new(), since: None, missed: Missed::default(), rebuilt: None }
    }

    /// The last record of a partition that it took in; 0 when none.
    pub fn seq(&self, partition: Partition) -> Seq {
        self.cursors.get(&partition).map_or(0, |head| head.seq)
    }
}

/// Records that were removed from the log before a follower read them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Missed {
    /// How many, since it began.
    pub records: u64,
    /// Which, oldest first: at most the newest hundred stretches.
    pub ranges: Vec<MissedRange>,
}

/// A stretch of missed records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MissedRange {
    pub partition: Partition,
    /// The first of them.
    pub first: Seq,
    /// The last of them.
    pub last: Seq,
    /// When the follower found that they were gone.
    pub noticed_at: Timestamp,
}

impl Missed {
    /// Adds a stretch.
    pub fn add(&mut self, range: MissedRange) {
        self.records += range.last - range.first + 1;
        self.ranges.push(range);
        let surplus = self.ranges.len().saturating_sub(RANGES_MAX);
        self.ranges.drain(..surplus);
    }
}

/// That a follower was rebuilt from the oldest record of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rebuilt {
    pub at: Timestamp,
    /// Why what it had was no longer right.
    pub reason: String,
}
