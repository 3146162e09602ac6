//! Replays: how far they are, and what came of them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Lenient;
use crate::lenient::present;
use samsyn_vocabulary::{CapabilityName, Digest, ProfileId, Timestamp};

/// A replay: how far it is, and what came of it.
// A client may keep the report as the text that came.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default, rename = "Replay")]
pub struct Replay<R = ReplayReport> {
    pub id: String,
    #[schemars(with = "CapabilityName")]
    pub capability: String,
    /// Percent of the customers.
    pub percent: f64,
    /// `running`, `done`, `stopped` or `failed`.
    pub state: String,
    /// Why it failed.
    pub error: Option<String>,
    /// Bytes of the log that were read; 0 of 0 while components are compiled.
    pub bytes_done: u64,
    pub bytes_total: u64,
    /// Deliveries that were compared so far.
    pub deliveries: u64,
    pub started_at: Lenient<Timestamp>,
    pub ended_at: Option<Lenient<Timestamp>>,
    /// When it is done; in a list none has it.
    pub report: Option<R>,
}

/// The replays of this host, newest first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct Replays {
    pub items: Vec<Replay>,
}

/// What a new version of a plug-in would have decided otherwise.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct ReplayReport {
    /// The plug-in.
    #[schemars(with = "CapabilityName")]
    pub capability: String,
    /// What was run.
    pub new: ReplayVersion,
    /// What it was compared with: another component that was run; none when it was the log.
    pub against: Option<ReplayVersion>,
    /// Who decided in the log.
    pub decided_by: Vec<ReplayDecidedBy>,
    /// Percent of the customers that were replayed.
    pub percent: f64,
    /// Customers that were replayed.
    pub profiles: u64,
    /// Those with a difference.
    pub profiles_different: u64,
    /// Customers left out because the log no longer has their beginning.
    pub profiles_skipped: u64,
    /// Their events.
    pub events: u64,
    /// Invocations that were compared.
    pub deliveries: u64,
    /// Those that differ in anything.
    pub different: u64,
    /// Effects by how they compare.
    pub effects: ReplayEffects,
    /// The differences, the worst first.
    pub findings: Vec<ReplayFinding>,
    /// Invocations that could not be made again, by why.
    pub not_replayed: BTreeMap<String, u64>,
    /// What it asks for beyond what is granted now; the run gave it that.
    pub wants: Vec<String>,
    /// Why the run ended before the log did.
    pub gave_up: Option<String>,
    /// How long it took, in seconds.
    pub seconds: f64,
}

/// A component of the plug-in.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct ReplayVersion {
    /// As its manifest has it.
    pub version: String,
    /// Its hash.
    #[schemars(with = "Digest")]
    pub digest: String,
}

/// A component that decided in the log.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct ReplayDecidedBy {
    /// As its manifest has it.
    pub version: Option<String>,
    /// Its hash.
    #[schemars(with = "Digest")]
    pub digest: String,
    /// Invocations it decided, of those that were compared.
    pub deliveries: u64,
    /// Those that differ.
    pub different: u64,
}

/// Effects by how they compare. An invocation counts by its end, and by each claim, event, memory and
/// refusal.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct ReplayEffects {
    /// The same on both sides.
    pub same: u64,
    /// Another value or content.
    pub changed: u64,
    /// Only the new version has it.
    pub added: u64,
    /// The new version no longer has it.
    pub gone: u64,
    /// The new version refuses it.
    pub refused: u64,
    /// The new version fails there.
    pub failed: u64,
    /// It failed there and the new version doesn't.
    pub mended: u64,
}

/// How bad a difference is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ReplaySeverity {
    /// The new version fails, or changes or loses what is protective or personal.
    Error,
    /// Values or events are others or gone, or something is refused.
    Warning,
    /// There is more than before, or only wording and memory are others.
    Note,
}

/// How it differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "Kind")]
pub enum ReplayDifference {
    /// The invocation fails, and didn't.
    Failed,
    /// Both have it, each another.
    Changed,
    /// The new one no longer has it.
    Gone,
    /// The new one refuses what was accepted.
    Refused,
    /// Only the new one has it.
    Added,
    /// The invocation failed, and no longer does.
    Mended,
}

/// A difference.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct ReplayFinding {
    /// How bad it is.
    #[schemars(with = "ReplaySeverity")]
    pub severity: String,
    /// `field`, `event`, `refusal`, `memory`, `delivery`, or `other` when there are too many kinds.
    pub what: String,
    /// Which field, event or refusal, or what the invocation is of.
    pub name: String,
    /// How it differs.
    #[schemars(with = "ReplayDifference")]
    pub kind: String,
    /// How often.
    pub count: u64,
    /// With how many customers.
    pub profiles: u64,
    /// The first few, each of another customer.
    pub samples: Vec<ReplaySample>,
}

/// An example of a difference.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct ReplaySample {
    /// Whose.
    pub profile: Lenient<ProfileId>,
    /// The record that was delivered, such as `12-345`.
    pub position: String,
    /// What it was: an event's name, a proposal or a change.
    pub on: String,
    /// What was there before, when values are asked for.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub before: Option<serde_json::Value>,
    /// What the new version makes of it, when values are asked for.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub after: Option<serde_json::Value>,
}
