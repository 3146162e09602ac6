//! The host itself: whether it lives, how it is, and what it takes.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Lenient, StorageStatus};
use samsyn_vocabulary::{CapabilityName, Position, Timestamp};

/// What `/healthz` answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct Health {
    /// The process lives.
    pub alive: bool,
}

/// What `/readyz` answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct Readiness {
    /// Events are taken.
    pub ready: bool,
    /// There while personal data isn't answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub personal_reads: Option<PersonalReads>,
}

/// Why personal data isn't answered.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct PersonalReads {
    /// Who reads it can't be recorded, because of this.
    pub refused: String,
}

/// What `/v1/limits` answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct Limits {
    /// Bytes of one event's JSON.
    pub event_bytes: usize,
    /// Events in one request.
    pub events: usize,
    /// Bytes of a request's body, after decompression.
    pub body_bytes: usize,
    /// How far the ids of events are remembered.
    pub event_ids: EventIds,
}

/// What is remembered of the ids of events: so far, sending an event again is harmless.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct EventIds {
    /// Days an id is remembered (`event_id_days`).
    pub days: u32,
    /// How many ids are remembered, of all applications together (`event_ids_max`).
    pub max: u64,
    /// How many are remembered now.
    pub remembered: u64,
    /// The ids of all events that were accepted since then are remembered; null when none was ever
    /// forgotten.
    pub complete_since: Option<Timestamp>,
    /// The host's own time, to compare with.
    pub now: Timestamp,
}

/// What `/v1/status` answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct Status {
    /// Of the host.
    pub version: String,
    /// Since when it runs.
    pub started_at: Lenient<Timestamp>,
    /// Profiles there are.
    pub profiles: u64,
    /// Events taken since the start, with those that were taken and not decided when it came.
    pub accepted: u64,
    /// Those of them that are decided; what follows from an event is part of it.
    pub decided: u64,
    /// Decisions since the start: of events, and of what follows from them.
    pub decisions: u64,
    /// Events accepted and not decided.
    pub undecided: usize,
    /// Nothing is under way: all that was taken, and all that followed from it, is decided, durable and
    /// can be read. What a lagging capability has yet to look at doesn't count.
    pub settled: bool,
    /// Fresh sandboxes since the start.
    pub sandboxes: u64,
    /// Invocations since the start, by result: `done`, `failed` (and parked then), `held` (behind one that
    /// was), `skipped`, `undeliverable`.
    pub deliveries: BTreeMap<String, u64>,
    /// What waits now.
    // Hosts of before don't say.
    #[schemars(with = "Waiting")]
    pub waiting: Option<Waiting>,
    /// The registry's newest revision.
    pub registry_revision: u64,
    /// What waits for workers.
    pub queue: QueueStatus,
    /// What is remembered of the ids of events.
    pub event_ids: EventIds,
    /// Whether the log can be written: else no event is accepted.
    pub log: DiskStatus,
    /// Whether the view can be written: else no event is accepted.
    pub view: DiskStatus,
    /// All but one in a hundred events took less from being taken to their decision's being durable, in
    /// microseconds; 5000001 stands for more than 5 s.
    pub accept_to_decided_p99_us: u64,
    /// The slowest events since the start, and where they waited.
    pub slowest: SlowestEvents,
    /// Each capability.
    pub capabilities: Vec<CapabilityStatus>,
    /// Memory of the process in bytes; 0 where the system doesn't tell.
    pub rss_bytes: u64,
    /// How the audit of reads is doing.
    pub audit: AuditStatus,
    /// What is kept: the log, and snapshots of it.
    pub storage: StorageStatus,
    /// What follows the log, each with a durable cursor of its own.
    pub followers: Vec<FollowerStatus>,
    /// How often the value of each field of the dictionary changed, as everybody sees it; kept over restarts.
    /// `since` of the follower `field-changes` says since when. Null when the host doesn't count, or can't read
    /// what it counted.
    pub field_changes: Option<BTreeMap<String, u64>>,
}

/// How a follower of the log is doing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct FollowerStatus {
    /// Which.
    pub name: String,
    /// `ok`, or `failed`: then it stands still and tries again by itself, and everything else goes on.
    #[schemars(extend("enum" = ["ok", "failed"]))]
    pub state: String,
    /// Why it failed.
    pub reason: Option<String>,
    /// How often it failed since the start.
    pub failures: u64,
    /// Durable records that it has yet to take in.
    pub lag_records: u64,
    /// How old the oldest of them is, in milliseconds; 0 when there is none.
    pub lag_ms: u64,
    /// When the oldest record was made that it began with; null when it began with the log's first.
    pub since: Option<Lenient<Timestamp>>,
    /// Records that left the log by retention before it had taken them in.
    pub missed: MissedRecords,
    /// When and why it was rebuilt from the oldest record of the log the last time; null when it never was.
    pub rebuilt: Option<Rebuilt>,
}

/// Records that a follower missed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct MissedRecords {
    /// How many.
    pub records: u64,
    /// Which, oldest first; of more than a hundred stretches the newest.
    pub ranges: Vec<MissedRange>,
}

/// A stretch of missed records of one partition.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct MissedRange {
    /// The first of them.
    pub first: Lenient<Position>,
    /// The last of them.
    pub last: Lenient<Position>,
    /// When the follower found that they were gone.
    pub noticed_at: Lenient<Timestamp>,
}

/// That a follower was rebuilt.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct Rebuilt {
    /// When.
    pub at: Lenient<Timestamp>,
    /// Why what it had was no longer right.
    pub reason: String,
}

/// What waits now, of all capabilities.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct Waiting {
    /// Invocations that failed and wait for a fixed plug-in or an admin.
    pub parked: u64,
    /// Invocations that wait behind those.
    pub held: u64,
    /// Customers of whom an invocation or a proposal waits.
    pub customers: usize,
    /// Whether all of them were counted; else there are more invocations.
    pub all_counted: bool,
}

/// What waits for workers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct QueueStatus {
    /// Events that wait.
    pub depth: usize,
    /// How many may.
    pub limit: usize,
}

/// Whether something can be written to its disk.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct DiskStatus {
    /// `ok`, or `failed`: then no event is accepted until the disk is fixed and the host started again.
    #[schemars(extend("enum" = ["ok", "failed"]))]
    pub state: String,
    /// Why it failed.
    pub reason: Option<String>,
}

/// The slowest events since the start, and where they waited.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct SlowestEvents {
    /// How many they are: at most a hundred.
    pub events: usize,
    /// What the slowest took from being taken to being told, in microseconds.
    pub slowest_us: u64,
    /// What they took on average, in microseconds.
    pub average_us: u64,
    /// Where that went, in microseconds an event: `lock` (locks of the host), `queue` (for a worker), `run`
    /// (in plug-ins), `log` (behind earlier commits), `sync` (the disk), `view`, `other`.
    pub average_waits_us: BTreeMap<String, u64>,
}

/// How a capability is doing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct CapabilityStatus {
    /// Which.
    #[schemars(with = "CapabilityName")]
    pub name: String,
    /// Calls since the start.
    pub calls: u64,
    /// Half of the invocations took less, in microseconds; 5000001 stands for more than 5 s.
    pub p50_us: u64,
    /// All but one in a hundred took less, likewise.
    pub p99_us: u64,
    /// Invocations that failed since the start.
    pub failures: u64,
    /// Records it has yet to look at, in all partitions.
    pub lag: u64,
}

/// How the audit of reads is doing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct AuditStatus {
    /// `ok`, or `failed`: then personal data isn't answered.
    #[schemars(extend("enum" = ["ok", "failed"]))]
    pub state: String,
    /// Why it failed.
    pub reason: Option<String>,
    /// Reads recorded since the start.
    pub reads: u64,
    /// Records they are in.
    pub records: u64,
    /// Answers that were not given because their read could not be recorded.
    pub refused: u64,
    /// When the oldest record that is kept was made.
    pub oldest: Option<Lenient<Timestamp>>,
    /// Bytes of the files that are kept.
    pub bytes: u64,
    /// All but one in a hundred answers waited less for their record, in microseconds; 5000001 stands for
    /// more than 5 s.
    pub wait_p99_us: u64,
}
