//! Settings of the view.

use serde::{Deserialize, Serialize};

/// Settings of the view.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ViewConfig {
    /// Memory of the store's page cache, in bytes. Taken only as far as the view is that large; a
    /// customer's profile that isn't in it costs several times as much to read.
    pub cache_bytes: u64,
    /// Changed profiles that are collected before they are written in one batch.
    pub batch_entries: usize,
    /// Milliseconds after which they are written though they are fewer.
    pub batch_ms: u64,
}

impl Default for ViewConfig {
    fn default() -> ViewConfig {
        ViewConfig { cache_bytes: 1 << 30, batch_entries: 20_000, batch_ms: 3_000 }
    }
}

/// What the view remembers of event ids. Part of the engine's settings.
#[derive(Clone, Copy, Debug)]
pub struct EventIdLimits {
    /// Days an event id is remembered, by the records' own times.
    pub days: u32,
    /// Event ids remembered at least, at some 30 bytes of memory each; the oldest are forgotten first.
    pub at_least: u64,
}

impl Default for EventIdLimits {
    fn default() -> EventIdLimits {
        EventIdLimits { days: 30, at_least: 5_000_000 }
    }
}
