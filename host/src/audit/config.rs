//! Settings of the audit of reads.

use serde::{Deserialize, Serialize};

/// Settings of the audit of reads.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AuditConfig {
    /// Days a record of who read what is kept. It leaves with the segment file it lies in.
    pub keep_days: u32,
    /// Bytes kept at most; beyond it the oldest segment files leave, however young they are.
    pub keep_bytes: u64,
    /// Where a segment file is sealed and the next begins, in bytes; 1 KiB to 1 GiB. One is read
    /// whole at start.
    pub segment_bytes: u64,
}

impl Default for AuditConfig {
    fn default() -> AuditConfig {
        AuditConfig { keep_days: 400, keep_bytes: 10 << 30, segment_bytes: 16 << 20 }
    }
}
