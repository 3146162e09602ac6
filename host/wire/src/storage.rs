//! What the host keeps on its disk.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Lenient;
use samsyn_vocabulary::{Position, Timestamp};

/// One snapshot.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct Snapshot {
    /// Its file's name.
    pub name: String,
    /// `usable`, or `bad`: then the one before it is used, and `reason` says why.
    #[schemars(extend("enum" = ["usable", "bad"]))]
    pub state: String,
    /// Why it can't be used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The log-wide offset it covers the log up to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset: Option<u64>,
    /// When it was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub made_at: Option<Lenient<Timestamp>>,
    /// Its file's length.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// Customers in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profiles: Option<u64>,
    /// The version of the fold that made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fold: Option<u32>,
}

/// The snapshot that is being made.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct SnapshotMaking {
    /// Since when.
    pub since: Lenient<Timestamp>,
    /// Of `bytes_total`, about.
    pub bytes_done: u64,
    /// Bytes of the log to fold, and about those the snapshot will have.
    pub bytes_total: u64,
    /// Records folded.
    pub records: u64,
}

/// What `/v1/snapshots` answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct Snapshots {
    /// Newest first.
    pub items: Vec<Snapshot>,
    /// The one that is being made; null when none is.
    pub making: Option<SnapshotMaking>,
    /// Why the last one could not be made; null when it could.
    pub failure: Option<String>,
    /// Bytes the log has grown since the newest one that can be used.
    pub log_bytes_since: u64,
    /// How often one was asked for since the host's start.
    pub asked: u64,
    /// How many of those have had it: one that began after they asked, or its failure.
    pub answered: u64,
    /// Made since the host's start.
    pub made: u64,
    /// Tried since the host's start, and not made.
    pub failed: u64,
}

/// What keeps a segment that should leave.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct SegmentHolder {
    /// `snapshots`: too few cover it; `reader`: a backup reads it; `undecided`: events of it; `cursor`:
    /// a capability that lags; `parked`: deliveries that wait; `proposals`: of a field without a source.
    #[schemars(extend("enum" = ["snapshots", "reader", "undecided", "cursor", "parked", "proposals"]))]
    pub kind: String,
    /// The capability, where it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capability: Option<String>,
    /// The field, where it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The oldest record that is needed, where it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<Lenient<Position>>,
    /// What it is and what to do about it.
    pub explanation: String,
}

/// What `POST /v1/log/retain` answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct Retention {
    /// Segment files of the log, the growing one included.
    pub segments: usize,
    /// Bytes in them.
    pub bytes: u64,
    /// When the oldest record that is kept was made; null when there is none.
    pub oldest: Option<Lenient<Timestamp>>,
    /// Segments that are older or more than the settings keep.
    pub wanted: usize,
    /// Those of them that may leave, from the oldest on.
    pub removable: usize,
    /// Their bytes.
    pub removable_bytes: u64,
    /// Segments that left just now.
    pub removed: usize,
    /// What keeps the first segment that should leave and can't.
    pub held_by: Vec<SegmentHolder>,
}

/// The part of `/v1/status` that says what is kept.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct StorageStatus {
    /// Bytes of the log that are kept.
    pub log_bytes: u64,
    /// When the oldest record that is kept was made, once older ones have left by retention; null
    /// while the log holds all.
    pub oldest_retained: Option<Lenient<Timestamp>>,
    /// Segments that left since the start.
    pub segments_removed: u64,
    /// What kept segments that should leave, at the last look.
    pub held_by: Vec<SegmentHolder>,
    /// When the newest snapshot that can be used was made; null when there is none.
    pub snapshot_at: Option<Lenient<Timestamp>>,
    /// Snapshots that can't be used.
    pub snapshots_bad: usize,
    /// Bytes the log has grown since the newest snapshot.
    pub log_bytes_since_snapshot: u64,
    /// Why the last snapshot could not be made; null when it could.
    pub snapshot_failure: Option<String>,
}
