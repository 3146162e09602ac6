//! The calls that change the registry, beside those that every command uses.

use super::call::{Call, Sent, field_path, percent_encoded};
use super::problem_or_unreadable;
use super::{Answer, Client, ClientError, List};
use samsyn_vocabulary::Reason;
use samsyn_wire::request::{Deprecation, FieldDefinition, GrantChange, IdentifierDefinition};
use samsyn_wire::{Capability, Field, Identifier, Installed, ProfileConflicts, RegistryPlan};

impl Client {
    /// Defines or changes a field.
    pub fn define_field(
        &self,
        name: &str,
        definition: &FieldDefinition,
        reason: Option<&Reason>,
    ) -> Result<Answer<Field>, ClientError> {
        self.call(Call::new("PUT", field_path(name, "")).reason(reason).json(definition)?)
    }

    /// Accepts a field that a plug-in brought.
    pub fn accept_field(&self, name: &str, reason: Option<&Reason>) -> Result<Answer<Field>, ClientError> {
        self.call(Call::new("POST", field_path(name, "/accept")).reason(reason))
    }

    /// Deprecates a field with a note; none takes that back.
    pub fn deprecate_field(
        &self,
        name: &str,
        note: Option<String>,
        reason: Option<&Reason>,
    ) -> Result<Answer<Field>, ClientError> {
        let body = Deprecation { note };
        self.call(Call::new("POST", field_path(name, "/deprecate")).reason(reason).json(&body)?)
    }

    /// Removes a field that nothing sources or reads.
    pub fn remove_field(&self, name: &str, reason: Option<&Reason>) -> Result<(), ClientError> {
        self.call_for_nothing(Call::new("DELETE", field_path(name, "")).reason(reason))
    }

    /// Defines or changes an identifier.
    pub fn define_identifier(
        &self,
        name: &str,
        definition: &IdentifierDefinition,
        reason: Option<&Reason>,
    ) -> Result<Answer<Identifier>, ClientError> {
        let path = format!("/v1/identifiers/{}", percent_encoded(name));
        self.call(Call::new("PUT", path).reason(reason).json(definition)?)
    }

    /// Customers who share an identifier with another, by profile.
    pub fn identifier_conflicts(&self, limit: usize) -> Result<List<ProfileConflicts<'static>>, ClientError> {
        self.list("/v1/identifiers/conflicts", &[], limit)
    }

    /// Gives and takes back what a capability may do.
    pub fn regrant(
        &self,
        capability: &str,
        change: &GrantChange,
        reason: Option<&Reason>,
    ) -> Result<Answer<Capability<'static>>, ClientError> {
        let path = format!("/v1/capabilities/{}/grant", percent_encoded(capability));
        self.call(Call::new("PATCH", path).reason(reason).json(change)?)
    }

    /// Installs the upgrade of a capability that waits for approval, if it is this component. With
    /// `accept_fields` those that it brings are defined ones at once.
    pub fn approve(
        &self,
        capability: &str,
        digest: &str,
        accept_fields: bool,
        reason: Option<&Reason>,
    ) -> Result<Answer<Installed<'static>>, ClientError> {
        let path = format!("/v1/capabilities/{}/approve", percent_encoded(capability));
        let call = Call::new("POST", path).query("digest", digest).flag("accept_fields", accept_fields);
        self.call(call.reason(reason))
    }

    /// Gives the upgrade of a capability up that waits for approval, if it is this component.
    pub fn reject(
        &self,
        capability: &str,
        digest: &str,
        reason: Option<&Reason>,
    ) -> Result<Answer<Capability<'static>>, ClientError> {
        let path = format!("/v1/capabilities/{}/reject", percent_encoded(capability));
        self.call(Call::new("POST", path).query("digest", digest).reason(reason))
    }

    /// The registry as the text of a file.
    pub fn export_registry(&self) -> Result<String, ClientError> {
        let (status, raw, retry_after) = self.exchange(Call::new("GET", "/v1/registry/export"))?;
        if status == 200 { Ok(raw) } else { Err(problem_or_unreadable(status, raw, retry_after)) }
    }

    /// What applying a registry file would change. `mode` is `inherit` or `clear`, as of an assignment.
    /// Changes nothing.
    pub fn plan_registry(
        &self,
        file: &str,
        remove: bool,
        mode: &'static str,
    ) -> Result<Answer<RegistryPlan<'static>>, ClientError> {
        let mut call = Call::new("POST", "/v1/registry/plan").flag("remove", remove).query("mode", mode);
        call.sent = Sent::Toml(file.as_bytes());
        self.call(call)
    }

    /// Applies a registry file as it was planned at this revision.
    pub fn apply_registry(
        &self,
        file: &str,
        remove: bool,
        mode: &'static str,
        revision: u64,
        reason: Option<&Reason>,
    ) -> Result<Answer<RegistryPlan<'static>>, ClientError> {
        let call = Call::new("POST", "/v1/registry/apply").query("revision", revision);
        let mut call = call.flag("remove", remove).query("mode", mode).reason(reason);
        call.sent = Sent::Toml(file.as_bytes());
        self.call(call)
    }
}
