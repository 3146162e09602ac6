//! The calls about what the host keeps: snapshots, and how far back the log goes.

use serde::Deserialize;

use super::call::Call;
use super::{Answer, Client, ClientError};

/// The snapshots there are.
#[derive(Debug, Clone, Deserialize)]
pub struct Snapshots {
    /// Newest first.
    #[serde(default)]
    pub items: Vec<Snapshot>,
    /// The one that is being made.
    #[serde(default)]
    pub making: Option<SnapshotMaking>,
    /// Why the last one could not be made.
    #[serde(default)]
    pub failure: Option<String>,
    /// Bytes the log has grown since the newest.
    #[serde(default)]
    pub log_bytes_since: u64,
    /// How often one was asked for since the host's start.
    #[serde(default)]
    pub asked: u64,
    /// How many of those have had it, or its failure.
    #[serde(default)]
    pub answered: u64,
}

/// One snapshot.
#[derive(Debug, Clone, Deserialize)]
pub struct Snapshot {
    /// Its file's name.
    pub name: String,
    /// `usable` or `bad`.
    pub state: String,
    /// Why it can't be used.
    #[serde(default)]
    pub reason: Option<String>,
    /// When it was made.
    #[serde(default)]
    pub made_at: Option<String>,
    /// Its file's length.
    #[serde(default)]
    pub bytes: Option<u64>,
    /// Customers in it.
    #[serde(default)]
    pub profiles: Option<u64>,
}

/// The snapshot that is being made.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct SnapshotMaking {
    /// Of `bytes_total`.
    #[serde(default)]
    pub bytes_done: u64,
    /// Bytes in total, about.
    #[serde(default)]
    pub bytes_total: u64,
}

/// What the log keeps, and what may leave.
#[derive(Debug, Clone, Deserialize)]
pub struct Retention {
    /// Segment files.
    pub segments: u64,
    /// Bytes in them.
    pub bytes: u64,
    /// When the oldest record was made.
    #[serde(default)]
    pub oldest: Option<String>,
    /// Segments older or more than the settings keep.
    pub wanted: u64,
    /// Those that may leave.
    pub removable: u64,
    /// Their bytes.
    pub removable_bytes: u64,
    /// Those that left.
    pub removed: u64,
    /// What keeps the first that can't.
    #[serde(default)]
    pub held_by: Vec<SegmentHolder>,
}

/// What keeps a segment.
#[derive(Debug, Clone, Deserialize)]
pub struct SegmentHolder {
    /// What it is and what to do about it.
    pub explanation: String,
    /// The oldest record that is needed.
    #[serde(default)]
    pub position: Option<String>,
}

impl Client {
    /// The snapshots there are.
    pub fn snapshots(&self) -> Result<Answer<Snapshots>, ClientError> {
        self.call(Call::new("GET", "/v1/snapshots"))
    }

    /// Has a snapshot made, in the background.
    pub fn make_snapshot(&self) -> Result<Answer<Snapshots>, ClientError> {
        self.call(Call::new("POST", "/v1/snapshots"))
    }

    /// Has old segments leave, or says which would.
    pub fn retain(&self, dry_run: bool) -> Result<Answer<Retention>, ClientError> {
        self.call(Call::new("POST", "/v1/log/retain").flag("dry_run", dry_run))
    }
}
