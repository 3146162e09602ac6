//! Settings of snapshots and of retention.

use serde::{Deserialize, Serialize};

/// Settings of snapshots.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SnapshotConfig {
    /// Bytes the log grows by until a snapshot is made in the background; 0: only when asked for. A
    /// view that must be folded anew reads at most about so much of the log. Where a snapshot is
    /// larger than this, the log must grow by the snapshot's size: then no more is written for
    /// snapshots than for the log.
    pub every_bytes: u64,
    /// Snapshots kept. A bad one is passed over for the one before, so two are the least that help.
    pub keep: usize,
}

impl Default for SnapshotConfig {
    fn default() -> SnapshotConfig {
        SnapshotConfig { every_bytes: 512 << 20, keep: 2 }
    }
}

/// How long the log is kept. Never beyond what snapshots, cursors and waiting deliveries need.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RetentionConfig {
    /// Days a record is kept; 0: for ever. It leaves with the segment file it lies in.
    pub days: u32,
    /// Bytes of the log that are kept; 0: all. Beyond it the oldest segment files leave.
    pub bytes: u64,
}

impl RetentionConfig {
    /// Whether anything is ever to leave.
    pub fn is_on(&self) -> bool {
        self.days > 0 || self.bytes > 0
    }
}
