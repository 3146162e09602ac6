//! Settings of followers.

use serde::{Deserialize, Serialize};

/// Settings of followers.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FollowConfig {
    /// Whether changes are counted by field.
    pub field_changes: bool,
    /// Milliseconds from one write of a follower's file to the next, at least. A change after a quiet time is
    /// written at once.
    pub commit_ms: u64,
}

impl Default for FollowConfig {
    fn default() -> FollowConfig {
        FollowConfig { field_changes: true, commit_ms: 1_000 }
    }
}
