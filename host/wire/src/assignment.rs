//! Sources of fields: plans, what was done, and which capabilities are notified.

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
    /// The registry's revision. Send it with the assignment, and exactly this plan is applied.
    pub revision: u64,
    /// What happens to customers for whom the new source has no claim.
    #[schemars(with = "Mode")]
    pub mode: String,
    /// True: nothing would change.
    pub unchanged: bool,
    /// One plan for each field.
    pub fields: Vec<FieldAssignmentPlan<'a>>,
}

/// What an assignment would change for one field. Counts are numbers of customers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct FieldAssignmentPlan<'a> {
    #[schemars(with = "FieldName")]
    pub field: String,
    /// The source now.
    #[schemars(with = "Option<CapabilityName>")]
    pub from: Option<String>,
    /// The source after the change.
    #[schemars(with = "Option<CapabilityName>")]
    pub to: Option<String>,
    /// Former sources, newest first. Their claims are used for customers without a claim of the new source.
    #[schemars(with = "Vec<CapabilityName>")]
    pub inherits: Vec<String>,
    /// True: nothing would change.
    pub unchanged: bool,
    /// True: the field is an opt-out, and no assignment ends one.
    pub protective: bool,
    /// Customers whose visible value changes.
    pub changed: u64,
    /// Customers for whom the new source has no claim.
    pub without_claim: WithoutClaim,
    /// Customers whose opt-out stays in force.
    pub opt_outs: u64,
    /// Held proposals that go to the new source.
    pub held: u64,
    /// Customers with too many claims to be counted exactly.
    pub uncounted: u64,
    /// The capabilities that are notified.
    pub consumers: Vec<ConsumerPlan>,
    /// Examples. Empty while reads of personal data can't be recorded.
    pub samples: Vec<ChangedValue<'a>>,
}

/// Customers with a value that the new source has no claim for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct WithoutClaim {
    /// All such customers.
    pub profiles: u64,
    /// Customers who keep a value, of a former source.
    pub inherit: u64,
    /// Customers who then have no value.
    pub none: u64,
}

/// A capability that is notified of changed values.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct ConsumerPlan {
    /// The capability.
    #[schemars(with = "CapabilityName")]
    pub capability: String,
    /// How many customers it is notified about.
    pub profiles: u64,
}

/// A customer whose value changes.
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

/// The field after the change, or the plan.
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

/// A job that notifies the consumers of fields with a new source.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct Job {
    /// The registry's revision that changed the sources.
    pub revision: u64,
    #[schemars(with = "Vec<FieldName>")]
    pub fields: Vec<String>,
    pub state: String,
    /// Customers who were checked.
    pub done: u64,
    /// All customers.
    pub total: u64,
    /// Customers for whom a capability was notified. Null: the job ended before the host's last start.
    pub told: Option<u64>,
    pub started_at: Lenient<Timestamp>,
    pub ended_at: Option<Lenient<Timestamp>>,
}

/// The running job, and the last one that ended.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct Jobs {
    pub items: Vec<Job>,
    /// The registry's revision that the whole host uses. Jobs of newer revisions have not started yet.
    pub adopted: u64,
}

/// What applying a registry file would change, or changed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct RegistryPlan<'a> {
    /// The registry's revision: of a plan the one that it is for, after applying the new one.
    pub revision: u64,
    /// What happens to customers for whom a new source has no claim.
    #[schemars(with = "Mode")]
    pub mode: String,
    /// The changes, for people to read. Empty when the registry matches the file.
    pub steps: Vec<Step>,
    /// Each field that gets another source, and the number of customers this affects.
    pub moves: Vec<FieldAssignmentPlan<'a>>,
    /// What an administrator should know before applying it.
    pub notes: Vec<String>,
}

/// One change.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct Step {
    /// What happens.
    #[schemars(with = "Action")]
    pub action: String,
    /// What is changed: `field`, `identifier`, `source` or `plugin`.
    pub what: String,
    /// Its name.
    pub name: String,
    /// Details, such as `class: none → personal`.
    pub details: Vec<String>,
}
