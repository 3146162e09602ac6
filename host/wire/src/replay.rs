//! Replays: their progress and their reports.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Lenient;
use crate::lenient::present;
use samsyn_vocabulary::{CapabilityName, Digest, ProfileId, Timestamp};

/// A replay: its progress, and its report.
// A client may keep the report as the text that came.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default, rename = "Replay")]
pub struct Replay<R = ReplayReport> {
    pub id: String,
    #[schemars(with = "CapabilityName")]
    pub capability: String,
    /// The part of the customers that is replayed, in percent.
    pub percent: f64,
    /// `running`, `done`, `stopped` or `failed`.
    pub state: String,
    /// Why it failed.
    pub error: Option<String>,
    /// Bytes of the log that were read. 0, as `bytes_total`, while components are compiled.
    pub bytes_done: u64,
    pub bytes_total: u64,
    /// Invocations that were compared so far.
    pub deliveries: u64,
    pub started_at: Lenient<Timestamp>,
    pub ended_at: Option<Lenient<Timestamp>>,
    /// The report, when the replay is done. A list has no reports.
    pub report: Option<R>,
}

/// The replays of this host, newest first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct Replays {
    pub items: Vec<Replay>,
}

/// The differences between a new version's decisions and those of the log or of another component.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct ReplayReport {
    /// The plug-in.
    #[schemars(with = "CapabilityName")]
    pub capability: String,
    /// The component that was run.
    pub new: ReplayVersion,
    /// The component that it was compared with; null if it was compared with the log.
    pub against: Option<ReplayVersion>,
    /// The components that decided in the log.
    pub decided_by: Vec<ReplayDecidedBy>,
    /// The part of the customers that was replayed, in percent.
    pub percent: f64,
    /// Customers that were replayed.
    pub profiles: u64,
    /// Customers with a difference.
    pub profiles_different: u64,
    /// Customers who were left out because the log no longer has their first records.
    pub profiles_skipped: u64,
    /// Events of the replayed customers.
    pub events: u64,
    /// Invocations that were compared.
    pub deliveries: u64,
    /// Invocations with a difference.
    pub different: u64,
    /// Effects, counted by how they compare.
    pub effects: ReplayEffects,
    /// The differences, the most severe first.
    pub findings: Vec<ReplayFinding>,
    /// Invocations that could not be replayed, counted by reason.
    pub not_replayed: BTreeMap<String, u64>,
    /// What the component requests beyond what is granted now. The replay granted it.
    pub wants: Vec<String>,
    /// Why the replay ended before the end of the log.
    pub gave_up: Option<String>,
    /// How long it took, in seconds.
    pub seconds: f64,
}

/// A component of the plug-in.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct ReplayVersion {
    /// The version in its manifest.
    pub version: String,
    /// The component's digest.
    #[schemars(with = "Digest")]
    pub digest: String,
}

/// A component that decided in the log.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct ReplayDecidedBy {
    /// The version in its manifest.
    pub version: Option<String>,
    /// The component's digest.
    #[schemars(with = "Digest")]
    pub digest: String,
    /// Compared invocations that it decided.
    pub deliveries: u64,
    /// Invocations with a difference.
    pub different: u64,
}

/// Effects, counted by how they compare. An invocation counts once for its end, and once for each claim, event,
/// memory and refusal.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct ReplayEffects {
    /// Both versions have it, and it is the same.
    pub same: u64,
    /// Both versions have it, with different values.
    pub changed: u64,
    /// Only the new version has it.
    pub added: u64,
    /// The new version no longer has it.
    pub gone: u64,
    /// The new version rejects it.
    pub refused: u64,
    /// The new version fails.
    pub failed: u64,
    /// The old version failed, and the new version doesn't.
    pub mended: u64,
}

/// The severity of a difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ReplaySeverity {
    /// The new version fails, or a protective or personal value changes or disappears.
    Error,
    /// Values or events change or disappear, or something is rejected.
    Warning,
    /// Something is added, or only messages or memory differ.
    Note,
}

/// The kind of difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "Kind")]
pub enum ReplayDifference {
    /// The invocation failed only with the new version.
    Failed,
    /// Both versions have it, with different values.
    Changed,
    /// Only the old version has it.
    Gone,
    /// The new version rejects what the old version accepted.
    Refused,
    /// Only the new version has it.
    Added,
    /// The invocation failed only with the old version.
    Mended,
}

/// A difference, with how often it occurs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct ReplayFinding {
    /// The severity.
    #[schemars(with = "ReplaySeverity")]
    pub severity: String,
    /// What differs: `field`, `event`, `refusal`, `memory`, `delivery` (the invocation), or `other` if there are
    /// too many kinds.
    pub what: String,
    /// The name of the field or event, the code of the refusal, or what the invocation is for.
    pub name: String,
    /// The kind of difference.
    #[schemars(with = "ReplayDifference")]
    pub kind: String,
    /// How often.
    pub count: u64,
    /// The number of customers.
    pub profiles: u64,
    /// A few examples, each of another customer.
    pub samples: Vec<ReplaySample>,
}

/// An example of a difference.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct ReplaySample {
    /// The customer.
    pub profile: Lenient<ProfileId>,
    /// The record that the invocation is for, such as `12-345`.
    pub position: String,
    /// What the record is: an event's name, a proposal or a change.
    pub on: String,
    /// The old value. Only with `values=true`.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub before: Option<serde_json::Value>,
    /// The new version's value. Only with `values=true`.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub after: Option<serde_json::Value>,
}
