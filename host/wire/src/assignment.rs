//! Who is the source of what: plans, what was done, and who is told.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use crate::{Field, JsonValue, Lenient};
use samsyn_registry::Action;
use samsyn_registry::assignment::Mode;
use samsyn_vocabulary::{CapabilityName, FieldName, ProfileId, Timestamp};

/// A plan as it is answered.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct AssignmentPlan<'a> {
    /// The registry's revision: applied with it, the plan is what happens.
    pub revision: u64,
    /// What becomes of customers the new source has no claim for.
    #[schemars(with = "Mode")]
    pub mode: String,
    /// It is so already.
    pub unchanged: bool,
    /// Each field.
    pub fields: Vec<FieldAssignmentPlan<'a>>,
}

/// What an assignment would change of one field; counts are of customers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct FieldAssignmentPlan<'a> {
    #[schemars(with = "FieldName")]
    pub field: String,
    /// Its source now.
    #[schemars(with = "Option<CapabilityName>")]
    pub from: Option<String>,
    /// Its source then.
    #[schemars(with = "Option<CapabilityName>")]
    pub to: Option<String>,
    /// Whose claims stand in where that one has none, newest first.
    #[schemars(with = "Vec<CapabilityName>")]
    pub inherits: Vec<String>,
    /// It is so already.
    pub unchanged: bool,
    /// An opt-out, which no assignment ends.
    pub protective: bool,
    /// Whose visible value would be another one.
    pub changed: u64,
    /// Those the new source has no claim for.
    pub without_claim: WithoutClaim,
    /// Whose opt-out stays in force.
    pub opt_outs: u64,
    /// Held proposals it would be offered.
    pub held: u64,
    /// Those with too many claims to be counted exactly.
    pub uncounted: u64,
    /// Who hears of it.
    pub consumers: Vec<ConsumerPlan>,
    /// A few of them; none while reads of personal data can't be recorded.
    pub samples: Vec<ChangedValue<'a>>,
}

/// Customers with a value that the new source has no claim for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct WithoutClaim {
    /// All of them.
    pub profiles: u64,
    /// Those that keep a value.
    pub inherit: u64,
    /// Those that have none then.
    pub none: u64,
}

/// A capability that hears of changed values.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct ConsumerPlan {
    /// Which.
    #[schemars(with = "CapabilityName")]
    pub capability: String,
    /// Of how many customers.
    pub profiles: u64,
}

/// A customer whose value would be another one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct ChangedValue<'a> {
    pub profile: Lenient<ProfileId>,
    pub before: JsonValue<'a>,
    pub after: JsonValue<'a>,
}

/// The plan of an assignment, or what was done.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum AssignAnswer<'a> {
    /// What it would change.
    Plan(AssignmentPlan<'a>),
    /// It was carried out.
    Applied(Applied<'a>),
}

impl<'de> Deserialize<'de> for AssignAnswer<'_> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let answer = serde_json::Value::deserialize(deserializer)?;
        // Every member may be missing, so which it is can't be found out by trying.
        let read = match answer.get("plan") {
            Some(_) => serde_json::from_value(answer).map(AssignAnswer::Applied),
            None => serde_json::from_value(answer).map(AssignAnswer::Plan),
        };
        read.map_err(serde::de::Error::custom)
    }
}

/// An assignment that was carried out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct Applied<'a> {
    /// Whether anything changed.
    pub applied: bool,
    /// The registry's revision now.
    pub revision: u64,
    /// What it changed.
    pub plan: AssignmentPlan<'a>,
}

/// The field as it is now, or the plan.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
#[expect(clippy::large_enum_variant, reason = "there is one for a request, and it is written at once")]
pub enum OneAnswer<'a> {
    /// As it is now.
    Field(Field),
    /// What it would change.
    Plan(AssignmentPlan<'a>),
}

impl<'de> Deserialize<'de> for OneAnswer<'_> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let answer = serde_json::Value::deserialize(deserializer)?;
        // Every member may be missing, so which it is can't be found out by trying.
        let read = match answer.get("name") {
            Some(_) => serde_json::from_value(answer).map(OneAnswer::Field),
            None => serde_json::from_value(answer).map(OneAnswer::Plan),
        };
        read.map_err(serde::de::Error::custom)
    }
}

/// How far telling consumers of moved sources is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct Job {
    /// The revision that moved the sources.
    pub revision: u64,
    #[schemars(with = "Vec<FieldName>")]
    pub fields: Vec<String>,
    pub state: String,
    /// Customers looked at.
    pub done: u64,
    /// Customers there are.
    pub total: u64,
    /// Customers whose consumers were told something; null when that was before the host's last start.
    pub told: Option<u64>,
    pub started_at: Lenient<Timestamp>,
    pub ended_at: Option<Lenient<Timestamp>>,
}

/// The job that runs and the last that ended.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct Jobs {
    pub items: Vec<Job>,
    /// The revision that is in use everywhere: jobs of newer ones have yet to begin.
    pub adopted: u64,
}

/// What applying a registry file would change, or changed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct RegistryPlan<'a> {
    /// The revision of the registry that it was planned for, or that it made.
    pub revision: u64,
    /// What becomes of customers that a new source has no claim for.
    #[schemars(with = "Mode")]
    pub mode: String,
    /// What changes, for people; empty when the registry matches the file.
    pub steps: Vec<Step>,
    /// Each field that gets another source, with whom that concerns.
    pub moves: Vec<FieldAssignmentPlan<'a>>,
    /// What an administrator should know first.
    pub notes: Vec<String>,
}

/// One thing that changes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct Step {
    /// What happens to it.
    #[schemars(with = "Action")]
    pub action: String,
    /// `field`, `identifier`, `source` or `plugin`.
    pub what: String,
    /// Which.
    pub name: String,
    /// What of it, such as `class: none → personal`.
    pub details: Vec<String>,
}
