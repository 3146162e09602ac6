//! The calls about sources: plans, assignments, claims, disagreements, jobs.

use super::call::{Call, percent_encoded};
use super::{Answer, Client, ClientError, List};
use samsyn_vocabulary::Reason;
use samsyn_wire::request::Assignment;
use samsyn_wire::{Applied, AssignmentPlan, FieldDisagreements, Job, ProfileClaims};

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
