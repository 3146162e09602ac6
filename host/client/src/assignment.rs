//! The answers of docs/http.md about who is the source of what: plans, claims, disagreements, jobs.

use serde::Serialize;

use super::call::{Call, percent_encoded};
use super::{Answer, Client, ClientError, List};
use samsyn_vocabulary::Reason;
use samsyn_wire::{Applied, AssignmentPlan, FieldDisagreements, Job, ProfileClaims};

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

impl Client {
    /// What an assignment would change. Changes nothing.
    pub fn plan_assignment(
        &self,
        wanted: &Assignment,
    ) -> Result<Answer<AssignmentPlan<'static>>, ClientError> {
        self.call(Call::new("POST", "/v1/assignments").flag("dry_run", true).json(wanted)?)
    }

    /// Carries an assignment out.
    pub fn assign(
        &self,
        wanted: &Assignment,
        reason: Option<&Reason>,
    ) -> Result<Answer<Applied<'static>>, ClientError> {
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
