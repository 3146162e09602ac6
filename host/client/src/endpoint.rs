//! The calls about endpoints, and about all sending.

use super::call::{Call, percent_encoded};
use super::{Answer, Client, ClientError, List};
use samsyn_vocabulary::Reason;
use samsyn_wire::request::EndpointBinding;
use samsyn_wire::{Endpoint, EndpointChange, EndpointTest, Outgoing, OutgoingChange};

/// How a change is asked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct ChangeHow<'a> {
    /// Only what would change.
    pub dry_run: bool,
    /// The revision of the plan that was looked at.
    pub revision: Option<u64>,
    /// Why.
    pub reason: Option<&'a Reason>,
}

impl ChangeHow<'_> {
    fn on<'a>(self, call: Call<'a>) -> Call<'a> {
        let call = call.flag("dry_run", self.dry_run).reason(self.reason);
        match self.revision {
            Some(revision) => call.query("revision", revision),
            None => call,
        }
    }
}

impl Client {
    /// The systems that capabilities call.
    pub fn endpoints(&self) -> Result<List<Endpoint>, ClientError> {
        self.list("/v1/endpoints", &[], usize::MAX)
    }

    /// One of them.
    pub fn endpoint(&self, capability: &str, name: &str) -> Result<Answer<Endpoint>, ClientError> {
        self.call(Call::new("GET", path(capability, name, "")))
    }

    /// Binds an endpoint.
    pub fn bind_endpoint(
        &self,
        capability: &str,
        name: &str,
        binding: &EndpointBinding,
        how: ChangeHow<'_>,
    ) -> Result<Answer<EndpointChange>, ClientError> {
        self.call(how.on(Call::new("PUT", path(capability, name, ""))).json(binding)?)
    }

    /// Removes the binding of an endpoint.
    pub fn unbind_endpoint(
        &self,
        capability: &str,
        name: &str,
        how: ChangeHow<'_>,
    ) -> Result<Answer<EndpointChange>, ClientError> {
        self.call(how.on(Call::new("DELETE", path(capability, name, ""))))
    }

    /// Pauses an endpoint; a reason is needed.
    pub fn pause_endpoint(
        &self,
        capability: &str,
        name: &str,
        how: ChangeHow<'_>,
    ) -> Result<Answer<EndpointChange>, ClientError> {
        self.call(how.on(Call::new("POST", path(capability, name, "/pause"))))
    }

    /// Resumes an endpoint.
    pub fn resume_endpoint(
        &self,
        capability: &str,
        name: &str,
        how: ChangeHow<'_>,
    ) -> Result<Answer<EndpointChange>, ClientError> {
        self.call(how.on(Call::new("POST", path(capability, name, "/resume"))))
    }

    /// Sends one request to an endpoint's system; without a method the one that is granted.
    pub fn test_endpoint(
        &self,
        capability: &str,
        name: &str,
        method: Option<&str>,
        below: Option<&str>,
    ) -> Result<Answer<EndpointTest>, ClientError> {
        let call = Call::new("POST", path(capability, name, "/test"));
        let call = method.into_iter().fold(call, |call, method| call.query("method", method));
        self.call(below.into_iter().fold(call, |call, below| call.query("path", below)))
    }

    /// Whether calls are sent.
    pub fn outgoing(&self) -> Result<Answer<Outgoing>, ClientError> {
        self.call(Call::new("GET", "/v1/outgoing"))
    }

    /// Pauses all sending; a reason is needed.
    pub fn pause_outgoing(&self, how: ChangeHow<'_>) -> Result<Answer<OutgoingChange>, ClientError> {
        self.call(how.on(Call::new("POST", "/v1/outgoing/pause")))
    }

    /// Resumes sending.
    pub fn resume_outgoing(&self, how: ChangeHow<'_>) -> Result<Answer<OutgoingChange>, ClientError> {
        self.call(how.on(Call::new("POST", "/v1/outgoing/resume")))
    }
}

fn path(capability: &str, name: &str, what: &str) -> String {
    format!("/v1/endpoints/{}/{}{what}", percent_encoded(capability), percent_encoded(name))
}
