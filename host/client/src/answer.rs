//! The answers of docs/http.md about events, profiles and the host, as far as the command reads them. Members may be added by a newer
//! host; what isn't needed to go on may be missing.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use samsyn_vocabulary::Timestamp;

/// One page of a list.
#[derive(Debug, Deserialize)]
pub struct Page {
    /// The elements.
    pub items: Vec<Box<RawValue>>,
    /// Where the next page starts; absent on the last.
    #[serde(default)]
    pub next: Option<String>,
}

/// An event that is on disk.
#[derive(Debug, Clone, Deserialize)]
pub struct Accepted {
    /// Its id.
    pub id: String,
    /// The profile it concerns.
    #[serde(default)]
    pub profile: String,
    /// Where it stands in the log.
    #[serde(default)]
    pub position: String,
    /// Whether the host had it already.
    #[serde(default)]
    pub duplicate: bool,
}

/// An identifier that two customers go by.
#[derive(Debug, Clone, Deserialize)]
pub struct IdentifierConflict {
    /// Which identifier.
    pub identifier: String,
    /// Its value.
    pub value: String,
    /// The profile that it finds.
    #[serde(default)]
    pub belongs_to: Option<String>,
}

/// A customer with the identifiers that find somebody else.
#[derive(Debug, Clone, Deserialize)]
pub struct ProfileConflicts {
    /// The customer.
    pub profile: String,
    /// The identifiers.
    pub conflicts: Vec<IdentifierConflict>,
}

/// What became of a batch.
#[derive(Debug, Clone, Deserialize)]
pub struct BatchAnswer {
    /// How many were taken, duplicates included.
    pub accepted: u64,
    /// How many were not.
    pub refused: u64,
    /// One element for each event, in the order sent.
    pub events: Vec<BatchItem>,
    /// How long to wait before sending those again that can be.
    #[serde(skip)]
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

/// What became of one event of a batch.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum BatchItem {
    /// It was not taken.
    Refused {
        /// Its number in the batch, from 0.
        index: usize,
        /// The problem document.
        problem: Value,
    },
    /// It is on disk.
    Taken(Accepted),
}

/// An event as `GET /v1/events/{id}` shows it, or as much as a 202 says.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct EventAnswer {
    /// Its id.
    pub id: String,
    /// Who sent it.
    #[serde(default)]
    pub application: Option<String>,
    /// What happened.
    #[serde(default)]
    pub name: Option<String>,
    /// The profile.
    #[serde(default)]
    pub profile: String,
    /// Where it stands in the log.
    #[serde(default)]
    pub position: String,
    /// When it happened.
    #[serde(default)]
    pub at: Option<String>,
    /// When the host took it.
    #[serde(default)]
    pub received_at: Option<String>,
    /// Whether the host had it already.
    #[serde(default)]
    pub duplicate: bool,
    /// Identifiers of the event that are another customer's.
    #[serde(default)]
    pub conflicts: Vec<IdentifierConflict>,
    /// `accepted`, `decided` or `parked`; absent in a 202.
    #[serde(default)]
    pub state: Option<String>,
    /// `taken`, `refused`, `unheard` or `open`; absent in a 202, and from hosts of before.
    #[serde(default)]
    pub verdict: Option<String>,
    /// Each proposed field's outcome.
    #[serde(default)]
    pub fields: BTreeMap<String, FieldOutcome>,
    /// What each capability made of it.
    #[serde(default)]
    pub outcomes: Vec<Outcome>,
}

impl EventAnswer {
    /// Whether anything of it was refused, or no source gave an answer.
    pub fn is_refused(&self) -> bool {
        match self.verdict.as_deref() {
            Some(verdict) => verdict == "refused",
            None => self.fields.values().any(FieldOutcome::is_refused),
        }
    }

    /// Whether it is decided and no capability hears events of its name.
    pub fn is_unheard(&self) -> bool {
        self.verdict.as_deref() == Some("unheard")
    }
}

/// What became of one proposed field.
#[derive(Debug, Clone, Deserialize)]
pub struct FieldOutcome {
    /// `accepted`, `refused`, `no-source`, …
    pub outcome: String,
    /// Who decided.
    #[serde(default)]
    pub source: Option<String>,
    /// The value it has now.
    #[serde(default)]
    pub value: Value,
    /// Why it was refused, as a stable word.
    #[serde(default)]
    pub code: Option<String>,
    /// Why it was refused, as a sentence.
    #[serde(default)]
    pub message: Option<String>,
}

impl FieldOutcome {
    /// Whether it was not taken, and won't be.
    pub fn is_refused(&self) -> bool {
        matches!(self.outcome.as_str(), "refused" | "no-answer" | "precondition-failed")
    }
}

/// What one capability made of an event.
#[derive(Debug, Clone, Deserialize)]
pub struct Outcome {
    /// The capability's name.
    pub capability: String,
    /// As what: `subscriber`, `source`, `observer`.
    #[serde(default)]
    pub role: String,
    /// `done`, `parked`, `held`, `skipped`, `undeliverable`.
    #[serde(default)]
    pub result: String,
    /// Where the decision stands in the log.
    #[serde(default)]
    pub position: Option<String>,
    /// What it said about fields it sources.
    #[serde(default)]
    pub claims: Vec<ReplyValue>,
    /// What it refused.
    #[serde(default)]
    pub refusals: Vec<Refusal>,
    /// Names of the events it emitted.
    #[serde(default)]
    pub emitted: Vec<String>,
    /// What else it asked for.
    #[serde(default)]
    pub actions: Vec<Action>,
    /// Why, for all but `done`.
    #[serde(default)]
    pub reason: Option<String>,
}

/// A field and the value claimed for it.
#[derive(Debug, Clone, Deserialize)]
pub struct ReplyValue {
    /// The field.
    pub field: String,
    /// The value; null when it was cleared.
    #[serde(default)]
    pub value: Value,
}

/// An effect that is no claim, refusal or event.
#[derive(Debug, Clone, Deserialize)]
pub struct Action {
    /// The effect's name in the contract.
    pub action: String,
    /// What it is about.
    pub subject: String,
    /// What else it says.
    #[serde(default)]
    pub value: Value,
}

/// A no, and why.
#[derive(Debug, Clone, Deserialize)]
pub struct Refusal {
    /// The field; none when the whole delivery was refused.
    #[serde(default)]
    pub field: Option<String>,
    /// A stable word.
    pub code: String,
    /// A sentence; empty when the token may not see what plug-ins write.
    #[serde(default)]
    pub message: String,
}

/// A customer.
#[derive(Debug, Clone, Deserialize)]
pub struct Profile {
    /// Its id.
    pub id: String,
    /// What the customer goes by.
    #[serde(default)]
    pub identifiers: BTreeMap<String, Vec<String>>,
    /// Identifiers that it came with or shows, and that find another customer.
    #[serde(default)]
    pub conflicts: Vec<IdentifierConflict>,
    /// Visible values.
    #[serde(default)]
    pub fields: BTreeMap<String, Value>,
    /// Where each visible value comes from.
    #[serde(default)]
    pub meta: BTreeMap<String, Meta>,
    /// Every capability's claim, for administrators that ask.
    #[serde(default)]
    pub claims: BTreeMap<String, Vec<Claim>>,
}

/// Where a visible value comes from.
#[derive(Debug, Clone, Deserialize)]
pub struct Meta {
    /// The capability (or `app:NAME`) whose claim it is.
    #[serde(default)]
    pub source: Option<String>,
    /// When it was observed.
    #[serde(default)]
    pub observed_at: Option<String>,
    /// The position of the event that caused it.
    #[serde(default)]
    pub cause: Option<String>,
}

/// What one capability says of a field.
#[derive(Debug, Clone, Deserialize)]
pub struct Claim {
    /// Who says so.
    pub by: String,
    /// What; null when it says that there is no value.
    #[serde(default)]
    pub value: Value,
    /// When it was observed.
    #[serde(default)]
    pub observed_at: Option<String>,
    /// The position of the event that caused it.
    #[serde(default)]
    pub cause: Option<String>,
    /// Whether everybody sees it.
    #[serde(default)]
    pub visible: bool,
}

/// One step of a profile's story.
#[derive(Debug, Clone, Deserialize)]
pub struct TimelineItem {
    /// Where the decision stands in the log.
    pub position: String,
    /// When it was decided.
    #[serde(default)]
    pub decided_at: Option<String>,
    /// The position of what caused it.
    #[serde(default)]
    pub cause: Option<String>,
    /// `event`, `emitted`, `change` or `retry`.
    #[serde(default)]
    pub kind: String,
    /// The event, where there is one.
    #[serde(default)]
    pub event: Option<EventHead>,
    /// Fields that somebody proposed.
    #[serde(default)]
    pub proposed: Vec<String>,
    /// Visible values that changed.
    #[serde(default)]
    pub changes: Vec<Change>,
    /// What each capability made of it.
    #[serde(default)]
    pub outcomes: Vec<Outcome>,
}

/// An event's label on a timeline.
#[derive(Debug, Clone, Deserialize)]
pub struct EventHead {
    /// Its id.
    #[serde(default)]
    pub id: String,
    /// What happened.
    #[serde(default)]
    pub name: String,
    /// When it happened.
    #[serde(default)]
    pub at: Option<String>,
    /// Who sent it; none when a capability emitted it.
    #[serde(default)]
    pub application: Option<String>,
}

/// A visible value before and after.
#[derive(Debug, Clone, Deserialize)]
pub struct Change {
    /// The field.
    pub field: String,
    /// Before; null when there was none.
    #[serde(default)]
    pub before: Value,
    /// After; null when there is none.
    #[serde(default)]
    pub after: Value,
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
