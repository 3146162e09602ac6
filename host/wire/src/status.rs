//! The host itself: whether it runs, its status and its limits.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{CallsStatus, Lenient, Outgoing, StorageStatus, TimersStatus};
use samsyn_vocabulary::{CapabilityName, Position, SecretName, Timestamp};

/// Whether the process runs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct Health {
    /// Always true.
    pub alive: bool,
}

/// Whether the host accepts events.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct Readiness {
    /// Always true. Otherwise the answer is a problem.
    pub ready: bool,
    /// Present while the host doesn't answer requests for personal data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub personal_reads: Option<PersonalReads>,
}

/// Why the host doesn't answer requests for personal data.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct PersonalReads {
    /// Why reads can't be recorded.
    pub refused: String,
}

/// The limits of requests.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct Limits {
    /// The most bytes of one event's JSON.
    pub event_bytes: usize,
    /// The most events in one request.
    pub events: usize,
    /// The most bytes of a request's body, after decompression.
    pub body_bytes: usize,
    /// How long the host remembers the ids of events.
    pub event_ids: EventIds,
}

/// How long the host remembers the ids of events. Until then, sending an event again adds nothing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct EventIds {
    /// For how many days an id is remembered (`event_id_days`).
    pub days: u32,
    /// How many ids are remembered at most, of all applications together (`event_ids_max`).
    pub max: u64,
    /// How many ids are remembered now.
    pub remembered: u64,
    /// The ids of all events that were accepted since this time are remembered. Null: the host has never
    /// forgotten one.
    pub complete_since: Option<Timestamp>,
    /// The time of the host's clock.
    pub now: Timestamp,
}

/// The host's status. Counts are since its start.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct Status {
    /// The host's version.
    pub version: String,
    /// When the host started.
    pub started_at: Lenient<Timestamp>,
    /// The number of profiles.
    pub profiles: u64,
    /// Events accepted since the start, and events that were accepted before and not decided.
    pub accepted: u64,
    /// Those of `accepted` that are decided, with everything that follows from them.
    pub decided: u64,
    /// Decisions since the start: about events, and about what follows from them.
    pub decisions: u64,
    /// Events that are accepted and not decided yet.
    pub undecided: usize,
    /// True: every accepted event, and everything that follows from it, is decided, on disk and readable.
    /// Records that a slow capability has not processed yet don't count.
    pub settled: bool,
    /// Sandboxes created since the start.
    pub sandboxes: u64,
    /// Invocations since the start, by result: `done`, `failed` (then parked), `held` (behind a parked one),
    /// `skipped`, `undeliverable`.
    pub deliveries: BTreeMap<String, u64>,
    /// Invocations and proposals that wait now.
    // Older hosts don't write it.
    #[schemars(with = "Waiting")]
    pub waiting: Option<Waiting>,
    /// The registry's newest revision.
    pub registry_revision: u64,
    /// The queue of events that wait for a worker.
    pub queue: QueueStatus,
    /// How long the host remembers the ids of events.
    pub event_ids: EventIds,
    /// Whether the log can be written. If not, the host accepts no event.
    pub log: DiskStatus,
    /// Whether the view can be written. If not, the host accepts no event.
    pub view: DiskStatus,
    /// 99 % of the events took less than this, from acceptance until the decision is on disk, in microseconds.
    /// 5000001 means more than 5 s.
    pub accept_to_decided_p99_us: u64,
    /// The slowest events since the start, and where they waited.
    pub slowest: SlowestEvents,
    /// Whether calls are sent.
    // Older hosts don't write it.
    #[schemars(with = "Outgoing")]
    pub outgoing: Option<Outgoing>,
    /// One entry for each capability.
    pub capabilities: Vec<CapabilityStatus>,
    /// The memory of the process in bytes; 0 if the system doesn't report it.
    pub rss_bytes: u64,
    /// The audit of reads.
    pub audit: AuditStatus,
    /// The log and its snapshots.
    pub storage: StorageStatus,
    /// The secrets whose value the host doesn't have.
    // Older hosts don't write it.
    #[schemars(with = "SecretsStatus")]
    pub secrets: Option<SecretsStatus>,
    /// What follows the log, each with a durable cursor of its own.
    pub followers: Vec<FollowerStatus>,
    /// The timers of all plug-ins. Null if the view can't be read.
    pub timers: Option<TimersStatus>,
    /// The calls of all plug-ins to systems.
    pub calls: Option<CallsStatus>,
    /// How often the value of each field of the dictionary changed, as everybody sees it; kept over restarts.
    /// `since` of the follower `field-changes` says since when. Null when the host doesn't count, or can't read
    /// what it counted.
    pub field_changes: Option<BTreeMap<String, u64>>,
}

/// The secrets, and whether the host has their values.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct SecretsStatus {
    /// Where the sealing key came from: `file`, `credential` or `environment`. Null: the host has none.
    #[schemars(extend("enum" = ["file", "credential", "environment", null]))]
    pub key: Option<String>,
    /// Why the host has none.
    pub key_reason: Option<String>,
    /// How many secrets the registry names.
    pub named: usize,
    /// Those whose newest value the host doesn't have.
    pub unusable: Vec<UnusableSecret>,
}

/// A secret whose newest value the host doesn't have.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct UnusableSecret {
    /// Which.
    #[schemars(with = "SecretName")]
    pub name: String,
    /// Why not.
    pub reason: String,
    /// What to do.
    pub next: String,
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

/// Invocations and proposals that wait, of all capabilities.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct Waiting {
    /// Invocations that failed and wait for a fixed plug-in or an admin.
    pub parked: u64,
    /// Invocations that wait behind parked ones.
    pub held: u64,
    /// Customers with an invocation or a proposal that waits.
    pub customers: usize,
    /// Whether all invocations were counted. False: there are more.
    pub all_counted: bool,
}

/// The queue of events that wait for a worker.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct QueueStatus {
    /// How many events wait.
    pub depth: usize,
    /// How many events may wait.
    pub limit: usize,
}

/// Whether something can be written to its disk.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct DiskStatus {
    /// `ok`, or `failed`: then the host accepts no event until the disk is fixed and the host is restarted.
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
    /// How many events: at most a hundred.
    pub events: usize,
    /// The time of the slowest event, from acceptance to its answer, in microseconds.
    pub slowest_us: u64,
    /// Their average time, in microseconds.
    pub average_us: u64,
    /// The parts of that time, in microseconds for each event: `lock` (locks of the host), `queue` (for a
    /// worker), `run` (in plug-ins), `log` (behind earlier commits), `sync` (the disk), `view`, `other`.
    pub average_waits_us: BTreeMap<String, u64>,
}

/// The status of a capability.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct CapabilityStatus {
    /// Its name.
    #[schemars(with = "CapabilityName")]
    pub name: String,
    /// Invocations since the start.
    pub calls: u64,
    /// 50 % of the invocations took less than this, in microseconds. 5000001 means more than 5 s.
    pub p50_us: u64,
    /// 99 % of the invocations took less than this, in microseconds. 5000001 means more than 5 s.
    pub p99_us: u64,
    /// Invocations that failed since the start.
    pub failures: u64,
    /// Records that it has not processed yet, in all partitions.
    pub lag: u64,
}

/// The audit of reads.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct AuditStatus {
    /// `ok`, or `failed`: then the host doesn't answer requests for personal data.
    #[schemars(extend("enum" = ["ok", "failed"]))]
    pub state: String,
    /// Why it failed.
    pub reason: Option<String>,
    /// Reads recorded since the start.
    pub reads: u64,
    /// Records written for these reads.
    pub records: u64,
    /// Requests that were not answered because the read could not be recorded.
    pub refused: u64,
    /// The time of the oldest record.
    pub oldest: Option<Lenient<Timestamp>>,
    /// The size of the audit's files in bytes.
    pub bytes: u64,
    /// 99 % of the answers waited less than this for their record, in microseconds. 5000001 means more than 5 s.
    pub wait_p99_us: u64,
}
