//! Settings that more than one floor reads. Where they come from is `settings.rs`.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::vocabulary::Date;

/// Settings that bound the engine.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EngineConfig {
    /// Threads that decide. 0: one for each core. A partition is worked on by one at a time.
    pub workers: usize,
    /// Partitions of a data directory, written into it when it is made. More give more room to
    /// spread over workers later; each costs a little memory.
    pub partitions: u16,
    /// Events taken but not decided, beyond which new ones get 503. Bounds memory and waiting.
    pub undecided_max: usize,
    /// Profiles kept decoded in memory, of all partitions together.
    pub cached_profiles: usize,
    /// Days an event id is remembered, by the records' own times.
    pub event_id_days: u32,
    /// Event ids remembered at least, at some 30 bytes of memory each; the oldest are forgotten first.
    /// A file with more rows can't be imported.
    pub event_ids_max: u64,
    /// Hours an event's own time may lie ahead of the host's clock.
    pub event_ahead_hours: u64,
    /// The first day, in UTC, that an event's own time may lie on. A time before it is one that a
    /// program made of an empty or a short year.
    #[serde(deserialize_with = "Date::deserialize_checked")]
    pub event_earliest: Date,
    /// Failures in a row, each with another customer, after which a plug-in is quarantined.
    pub quarantine_after: u32,
    /// Derived deliveries one accepted event may cause.
    pub derived_max: u32,
    /// Generations of cause one accepted event may have.
    pub depth_max: u16,
    /// A capability whose calls take longer than this on average, in microseconds, gets a thread
    /// of its own, so that the others don't wait for it.
    pub slow_call_us: u64,
    /// Customers that a replay holds in memory, at some 1.5 KiB each; a share of more is replayed.
    pub replay_profiles_max: u64,
}

impl Default for EngineConfig {
    fn default() -> EngineConfig {
        EngineConfig {
            workers: 0,
            partitions: 64,
            undecided_max: 50_000,
            cached_profiles: 32_768,
            event_id_days: 30,
            event_ids_max: 5_000_000,
            event_ahead_hours: 24,
            event_earliest: Date::of_year(1900),
            quarantine_after: 20,
            derived_max: 1_000,
            depth_max: 16,
            slow_call_us: 5_000,
            replay_profiles_max: 250_000,
        }
    }
}

/// Settings of the registry.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RegistryConfig {
    /// Whether a field that a plug-in brings and nobody defined is accepted by itself.
    pub accept_new_fields: bool,
}

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

/// Where a data directory keeps what.
#[derive(Clone, Debug)]
pub struct DataDir(pub PathBuf);

impl DataDir {
    /// The log: the truth.
    pub fn log(&self) -> PathBuf {
        self.0.join("log")
    }

    /// Who read whose personal data: a log of its own.
    pub fn audit(&self) -> PathBuf {
        self.0.join("audit")
    }

    /// The view: can be deleted.
    pub fn view(&self) -> PathBuf {
        self.0.join("view")
    }

    /// A second view, while the first is checked: can be deleted.
    pub fn view_check(&self) -> PathBuf {
        self.0.join("view.check")
    }

    /// Snapshots: what the log folds into. Where segments have left, nothing else says what they said.
    pub fn snapshots(&self) -> PathBuf {
        self.0.join("snapshots")
    }

    /// The installed components, by digest: what the log names but does not hold.
    pub fn components(&self) -> PathBuf {
        self.0.join("components")
    }

    /// Compiled components: can be deleted.
    pub fn compiled(&self) -> PathBuf {
        self.0.join("compiled")
    }

    /// When each token was used last: can be deleted.
    pub fn token_uses(&self) -> PathBuf {
        self.0.join("token-uses.json")
    }

    /// What was decided when the directory was made.
    pub fn settings(&self) -> PathBuf {
        self.0.join("data.toml")
    }

    /// Everything that a host keeps here.
    pub fn all(&self) -> [PathBuf; 9] {
        [
            self.log(),
            self.audit(),
            self.view(),
            self.view_check(),
            self.snapshots(),
            self.components(),
            self.compiled(),
            self.token_uses(),
            self.settings(),
        ]
    }
}
