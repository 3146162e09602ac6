//! Snapshots, and the log's segments.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Lenient;
use samsyn_vocabulary::{Position, Timestamp};

/// One snapshot.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct Snapshot {
    /// The file's name.
    pub name: String,
    /// `usable`, or `bad`: then the host uses an older one, and `reason` says why.
    #[schemars(extend("enum" = ["usable", "bad"]))]
    pub state: String,
    /// Why it can't be used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// It covers the log up to this offset, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset: Option<u64>,
    /// When it was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub made_at: Option<Lenient<Timestamp>>,
    /// The file's size in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// The number of customers in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profiles: Option<u64>,
    /// The version of the format that it was made with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fold: Option<u32>,
}

/// The snapshot that is being created.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct SnapshotMaking {
    /// When it was started.
    pub since: Lenient<Timestamp>,
    /// The progress, as a part of `bytes_total`; an estimate.
    pub bytes_done: u64,
    /// Bytes of the log to read and of the snapshot to write; an estimate.
    pub bytes_total: u64,
    /// Records read so far.
    pub records: u64,
}

/// The snapshots.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct Snapshots {
    /// The snapshots, newest first.
    pub items: Vec<Snapshot>,
    /// The snapshot that is being created; null if there is none.
    pub making: Option<SnapshotMaking>,
    /// Why the last snapshot failed; null if it didn't.
    pub failure: Option<String>,
    /// How much the log has grown since the newest usable snapshot, in bytes.
    pub log_bytes_since: u64,
    /// How many snapshots were requested since the host's start.
    pub asked: u64,
    /// How many of these requests are done: a snapshot that started after the request was created, or failed.
    pub answered: u64,
    /// Snapshots created since the host's start.
    pub made: u64,
    /// Snapshots that failed since the host's start.
    pub failed: u64,
}

/// The reason why a segment can't be removed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct SegmentHolder {
    /// `snapshots`: too few cover it. `reader`: a backup reads it. `undecided`: it has events that are not
    /// decided. `cursor`: a capability has not processed it yet. `parked`: invocations wait. `proposals`:
    /// proposals wait for a source.
    #[schemars(extend("enum" = ["snapshots", "reader", "undecided", "cursor", "parked", "calls", "proposals"]))]
    pub kind: String,
    /// The capability, if it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capability: Option<String>,
    /// The field, if it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The oldest record that is needed, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<Lenient<Position>>,
    /// The reason in words, and what to do.
    pub explanation: String,
}

/// The log's segments, and which can be removed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct Retention {
    /// The number of segments, with the one that is written now.
    pub segments: usize,
    /// Their size in bytes.
    pub bytes: u64,
    /// The time of the oldest record; null if there is none.
    pub oldest: Option<Lenient<Timestamp>>,
    /// Segments beyond what the settings keep.
    pub wanted: usize,
    /// Those of `wanted` that can be removed, from the oldest on.
    pub removable: usize,
    /// The size of the removable segments in bytes.
    pub removable_bytes: u64,
    /// Segments that this request removed.
    pub removed: usize,
    /// Why the oldest segment of `wanted` that stays can't be removed.
    pub held_by: Vec<SegmentHolder>,
}

/// The log and its snapshots, in the host's status.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct StorageStatus {
    /// The size of the log in bytes.
    pub log_bytes: u64,
    /// The time of the oldest record, if older segments were removed; null if the log has everything.
    pub oldest_retained: Option<Lenient<Timestamp>>,
    /// Segments removed since the start.
    pub segments_removed: u64,
    /// Why segments could not be removed, at the last check.
    pub held_by: Vec<SegmentHolder>,
    /// The time of the newest usable snapshot; null if there is none.
    pub snapshot_at: Option<Lenient<Timestamp>>,
    /// The number of bad snapshots.
    pub snapshots_bad: usize,
    /// How much the log has grown since the newest usable snapshot, in bytes.
    pub log_bytes_since_snapshot: u64,
    /// Why the last snapshot failed; null if it didn't.
    pub snapshot_failure: Option<String>,
}
