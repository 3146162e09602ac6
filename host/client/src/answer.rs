//! The answers of docs/http.md about events, profiles and the host, as far as the command reads them. Members may be added by a newer
//! host; what isn't needed to go on may be missing.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use samsyn_vocabulary::Timestamp;
use samsyn_wire::TakenOrRefused;

/// What became of a batch.
#[derive(Debug, Clone)]
pub struct BatchAnswer {
    /// One element for each event, in the order sent; a problem is as the host wrote it.
    pub events: Vec<TakenOrRefused<Value>>,
    /// How long to wait before sending those again that can be.
    pub retry_after: Option<Duration>,
}

/// What one request may hold, and how long ids are remembered.
#[derive(Debug, Clone, Deserialize)]
pub struct Limits {
    /// How far the ids of events are remembered.
    pub event_ids: EventIds,
}

/// How far a host remembers the ids of events: so far, sending an event again is harmless.
#[derive(Debug, Clone, Deserialize)]
pub struct EventIds {
    /// Days an id is remembered.
    pub days: u32,
    /// How many are, of all applications together.
    pub max: u64,
    /// Since when all ids are remembered; none when none was ever forgotten.
    #[serde(default)]
    pub complete_since: Option<Timestamp>,
    /// The host's own time.
    pub now: Timestamp,
}

/// A delivery that waits.
#[derive(Debug, Clone, Deserialize)]
pub struct Parked {
    /// The customer.
    pub profile: String,
    /// Whose delivery it is.
    pub capability: String,
    /// Of which generation.
    #[serde(default)]
    pub generation: u64,
    /// What it is about: record and item.
    #[serde(default)]
    pub item: String,
    /// As what it is delivered.
    #[serde(default)]
    pub role: String,
    /// `parked`, or `held` behind a parked one.
    #[serde(default)]
    pub state: String,
    /// The kind of failure: `trap`, `error`, `timeout`, …
    #[serde(default)]
    pub kind: Option<String>,
    /// What went wrong, in words.
    #[serde(default)]
    pub reason: Option<String>,
    /// Where in the guest.
    #[serde(default)]
    pub backtrace: Vec<String>,
    /// Since when.
    #[serde(default)]
    pub since: Option<String>,
}

/// How many deliveries a retry or a skip reaches.
#[derive(Debug, Clone, Deserialize)]
pub struct Matched {
    /// How many there were.
    pub matched: u64,
}

/// How the host is.
#[derive(Debug, Clone, Deserialize)]
pub struct Status {
    /// Its version.
    #[serde(default)]
    pub version: String,
    /// Since when it runs.
    #[serde(default)]
    pub started_at: Option<String>,
    /// Customers.
    #[serde(default)]
    pub profiles: u64,
    /// Events taken since the start.
    #[serde(default)]
    pub accepted: u64,
    /// Those of them that are decided.
    #[serde(default)]
    pub decided: u64,
    /// Nothing is under way but what lagging capabilities have yet to look at.
    #[serde(default)]
    pub settled: bool,
    /// Sandboxes started.
    #[serde(default)]
    pub sandboxes: u64,
    /// Deliveries since the start, by result.
    #[serde(default)]
    pub deliveries: BTreeMap<String, u64>,
    /// What waits now.
    #[serde(default)]
    pub waiting: Option<Waiting>,
    /// The slowest events since the start.
    #[serde(default)]
    pub slowest: Option<SlowestEvents>,
    /// The registry's revision.
    #[serde(default)]
    pub registry_revision: Value,
    /// Events waiting for a worker.
    #[serde(default)]
    pub queue: Option<Queue>,
    /// Whether the log can be written.
    #[serde(default)]
    pub log: Option<DiskStatus>,
    /// Whether the view can be written.
    #[serde(default)]
    pub view: Option<DiskStatus>,
    /// Each capability's work.
    #[serde(default)]
    pub capabilities: Vec<CapabilityStatus>,
    /// Memory in use, bytes.
    #[serde(default)]
    pub rss_bytes: Option<u64>,
    /// The audit of reads.
    #[serde(default)]
    pub audit: Option<AuditStatus>,
}

/// Whether something can be written to its disk.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct DiskStatus {
    /// `ok` or `failed`.
    #[serde(default)]
    pub state: String,
    /// Why it failed.
    #[serde(default)]
    pub reason: Option<String>,
}

/// How the audit of reads is.
#[derive(Debug, Clone, Deserialize)]
pub struct AuditStatus {
    /// `ok` or `failed`.
    pub state: String,
    /// Why it failed.
    #[serde(default)]
    pub reason: Option<String>,
    /// Reads recorded since the start.
    #[serde(default)]
    pub reads: u64,
}

/// What waits now.
#[derive(Debug, Clone, Deserialize)]
pub struct Waiting {
    /// Deliveries that failed.
    pub parked: u64,
    /// Deliveries that wait behind those.
    pub held: u64,
    /// Customers of whom something waits.
    pub customers: u64,
    /// Whether the invocations of all of them were counted.
    #[serde(default)]
    pub all_counted: bool,
}

/// The slowest events, and where they waited.
#[derive(Debug, Clone, Deserialize)]
pub struct SlowestEvents {
    /// How many they are.
    pub events: u64,
    /// What the slowest took, microseconds.
    pub slowest_us: u64,
    /// What they took on average, microseconds.
    pub average_us: u64,
    /// Where that went, microseconds an event.
    #[serde(default)]
    pub average_waits_us: BTreeMap<String, u64>,
}

/// A bounded queue.
#[derive(Debug, Clone, Deserialize)]
pub struct Queue {
    /// How many wait.
    pub depth: u64,
    /// How many may.
    pub limit: u64,
}

/// A capability's work.
#[derive(Debug, Clone, Deserialize)]
pub struct CapabilityStatus {
    /// Its name.
    pub name: String,
    /// How often it was called.
    #[serde(default)]
    pub calls: u64,
    /// Half of its calls took less, microseconds.
    #[serde(default)]
    pub p50_us: Option<f64>,
    /// 99 of 100 calls took less, microseconds.
    #[serde(default)]
    pub p99_us: Option<f64>,
    /// Calls that failed.
    #[serde(default)]
    pub failures: u64,
    /// Events it has yet to hear.
    #[serde(default)]
    pub lag: u64,
}
