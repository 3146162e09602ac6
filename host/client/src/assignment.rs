//! The answers of docs/http.md about who is the source of what: plans, claims, disagreements, jobs.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::call::{Call, percent_encoded};
use super::{Answer, Client, ClientError, List};
use samsyn_vocabulary::Reason;
use samsyn_wire::{FieldDisagreements, ProfileClaims};

/// Which fields go to whom.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Assignment {
    /// The fields; or, with `from`, none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<String>,
    /// Whose fields go, all of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Said together with `from`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub all: bool,
    /// Their source from then on; none leaves them without one.
    pub to: Option<String>,
    /// `inherit` or `clear`.
    pub mode: &'static str,
    /// The revision of the plan that was looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision: Option<u64>,
}

/// What an assignment would change.
#[derive(Debug, Clone, Deserialize)]
pub struct AssignmentPlan {
    /// The registry's revision.
    pub revision: u64,
    /// Whether it would change nothing.
    #[serde(default)]
    pub unchanged: bool,
    /// Each field.
    pub fields: Vec<FieldPlan>,
}

/// What it would change of one field.
#[derive(Debug, Clone, Deserialize)]
pub struct FieldPlan {
    /// The field.
    pub field: String,
    /// Its source now.
    pub from: Option<String>,
    /// Its source then.
    pub to: Option<String>,
    /// Whose claims stand in where that one has none.
    #[serde(default)]
    pub inherits: Vec<String>,
    /// Whether it stays as it is.
    #[serde(default)]
    pub unchanged: bool,
    /// Customers whose value would be another one.
    pub changed: u64,
    /// Customers the new source has no claim for.
    pub without_claim: WithoutClaim,
    /// Opt-outs that stay.
    #[serde(default)]
    pub opt_outs: u64,
    /// Held proposals it would be offered.
    #[serde(default)]
    pub held: u64,
    /// Customers that are not counted exactly.
    #[serde(default)]
    pub uncounted: u64,
    /// Who hears of it.
    #[serde(default)]
    pub consumers: Vec<ConsumerPlan>,
    /// A few customers.
    #[serde(default)]
    pub samples: Vec<SamplePlan>,
}

/// Customers the new source has no claim for.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct WithoutClaim {
    /// All of them.
    pub profiles: u64,
    /// Those that keep their value.
    pub inherit: u64,
    /// Those that have none then.
    pub none: u64,
}

/// Who hears of changed values.
#[derive(Debug, Clone, Deserialize)]
pub struct ConsumerPlan {
    /// Which capability.
    pub capability: String,
    /// Of how many customers.
    pub profiles: u64,
}

/// A customer whose value would be another one.
#[derive(Debug, Clone, Deserialize)]
pub struct SamplePlan {
    /// The customer's profile.
    pub profile: String,
    /// The value now.
    #[serde(default)]
    pub before: Value,
    /// The value then.
    #[serde(default)]
    pub after: Value,
}

/// An assignment that was carried out.
#[derive(Debug, Clone, Deserialize)]
pub struct Applied {
    /// Whether anything changed.
    pub applied: bool,
    /// The registry's revision now.
    pub revision: u64,
    /// What it changed.
    pub plan: AssignmentPlan,
}

/// How far telling consumers of moved sources is.
#[derive(Debug, Clone, Deserialize)]
pub struct Job {
    /// The revision that moved them.
    pub revision: u64,
    /// The fields.
    pub fields: Vec<String>,
    /// `running` or `done`.
    pub state: String,
    /// Customers looked at.
    pub done: u64,
    /// Customers there are.
    pub total: u64,
    /// Customers whose consumers were told something; none when that was before the host's last start.
    pub told: Option<u64>,
    /// When it began.
    pub started_at: String,
}

impl Client {
    /// What an assignment would change. Changes nothing.
    pub fn plan_assignment(&self, wanted: &Assignment) -> Result<Answer<AssignmentPlan>, ClientError> {
        self.call(Call::new("POST", "/v1/assignments").flag("dry_run", true).json(wanted)?)
    }

    /// Carries an assignment out.
    pub fn assign(
        &self,
        wanted: &Assignment,
        reason: Option<&Reason>,
    ) -> Result<Answer<Applied>, ClientError> {
        self.call(Call::new("POST", "/v1/assignments").reason(reason).json(wanted)?)
    }

    /// What everybody says of a field, customer by customer; or of one alone.
    pub fn claims(
        &self,
        field: &str,
        profile: Option<&str>,
        limit: usize,
    ) -> Result<List<ProfileClaims<'static>>, ClientError> {
        let filters: Vec<(&'static str, String)> =
            profile.map(|profile| ("profile", profile.to_owned())).into_iter().collect();
        self.list(&format!("/v1/fields/{}/claims", percent_encoded(field)), &filters, limit)
    }

    /// How far capabilities agree about a field.
    pub fn disagreements_of(&self, field: &str) -> Result<Answer<FieldDisagreements<'static>>, ClientError> {
        self.call(Call::new("GET", format!("/v1/fields/{}/disagreements", percent_encoded(field))))
    }

    /// How far capabilities agree about every field that two speak of.
    pub fn disagreements(&self) -> Result<List<FieldDisagreements<'static>>, ClientError> {
        self.list("/v1/disagreements", &[], usize::MAX)
    }

    /// What consumers are told of moved sources, newest first.
    pub fn jobs(&self) -> Result<List<Job>, ClientError> {
        self.list("/v1/jobs", &[], usize::MAX)
    }
}
