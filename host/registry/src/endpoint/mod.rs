//! Endpoints: the systems that plug-ins call. A manifest requests one, and an administrator binds it to an address,
//! to secrets and to limits. Without that nothing is sent.
//!
//! | file | what it has |
//! |---|---|
//! | this one | what the registry keeps of an endpoint, and its state |
//! | `auth` | how a system knows its callers: kinds of authentication, with secrets by name |
//! | `binding` | what an administrator binds, whether it can be, and what stays the same binding |
//! | `network_check` | which addresses a binding may name |
//! | `plan` | what a change of an endpoint would change, with warnings |
//! | `message_api` | services that send messages to people |
//! | `reads_address` | which capabilities know an e-mail address or a phone number |
//!
//! It must not know how anything is sent, nor the value of a secret.

mod auth;
mod binding;
mod message_api;
mod network_check;
mod plan;
mod reads_address;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use auth::{Auth, BasicAuth, HeaderSecret, Oauth2, Oauth2Refresh, QuerySecret, Sigv4};
pub use binding::{Binding, BindingRequest, ClientCertificate, NETWORKS_MAX, Proxy};
pub(crate) use plan::warnings_of_request;
pub use plan::{EndpointAction, EndpointChange, EndpointPlan, OutgoingPlan};
pub use reads_address::addresses_read;

use super::manifest::Manifest;
use super::{Capability, Registry, RegistryError};
use samsyn_contract::calls::CallRequest;
use samsyn_vocabulary::{Application, CapabilityName, EndpointName, Reason, Seq, Timestamp};

/// Who paused an endpoint or all sending, when and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// The application; `host` when the host did it itself.
    pub by: Application,
    /// Why.
    pub reason: Reason,
    /// Since when.
    pub at: Timestamp,
}

/// An endpoint that an administrator bound.
#[derive(Clone, Debug, PartialEq)]
pub struct Bound {
    /// To what.
    pub binding: Binding,
    /// The registry's revision that bound it so.
    pub revision: Seq,
    /// Set while nothing is sent to it.
    pub paused: Option<Pause>,
}

/// What can be done with an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum EndpointState {
    /// The manifest requests it, and nobody has bound it: calls are refused.
    Requested,
    /// An administrator revoked it: calls are refused, and it can't be bound.
    Revoked,
    /// It is bound: calls are sent.
    Bound,
    /// It is bound and paused: calls wait.
    Paused,
}

/// An endpoint of a capability: what its manifest requests, and to what it is bound.
#[derive(Clone, Copy, Debug)]
pub struct Endpoint<'a> {
    /// The capability that calls it.
    pub capability: &'a CapabilityName,
    /// Its name in the manifest.
    pub name: &'a EndpointName,
    /// What the manifest requests.
    pub request: &'a CallRequest,
    /// What an administrator bound.
    pub bound: Option<&'a Arc<Bound>>,
    /// What can be done with it.
    pub state: EndpointState,
}

impl Capability {
    /// The state of an endpoint that its manifest requests.
    pub fn endpoint_state(&self, name: &EndpointName) -> EndpointState {
        if !self.grant.calls.contains(name) {
            return EndpointState::Revoked;
        }
        match self.endpoints.get(name) {
            None => EndpointState::Requested,
            Some(bound) if bound.paused.is_some() => EndpointState::Paused,
            Some(_) => EndpointState::Bound,
        }
    }

    /// The bindings that stay when the manifest becomes this one. What the new version drops is gone, and what it
    /// no longer requests of an endpoint is no longer bound; an endpoint that reaches others than before has to be
    /// bound again.
    pub(super) fn endpoints_under(
        &self,
        manifest: &Manifest,
    ) -> impl Iterator<Item = (EndpointName, Arc<Bound>)> {
        self.endpoints.iter().filter_map(|(name, bound)| {
            let (before, after) = (self.manifest.calls.get(name)?, manifest.calls.get(name)?);
            let binding = bound.binding.under(before, after)?;
            let kept = if binding == bound.binding {
                bound.clone()
            } else {
                Arc::new(Bound { binding, ..Bound::clone(bound) })
            };
            Some((name.clone(), kept))
        })
    }
}

impl Registry {
    /// Every endpoint that an installed plug-in requests, by capability and name.
    pub fn endpoints(&self) -> impl Iterator<Item = Endpoint<'_>> {
        self.capabilities.iter().flat_map(|(name, capability)| {
            capability.manifest.calls.iter().map(move |(endpoint, request)| Endpoint {
                capability: name,
                name: endpoint,
                request,
                bound: capability.endpoints.get(endpoint),
                state: capability.endpoint_state(endpoint),
            })
        })
    }

    /// An endpoint of a capability.
    pub fn endpoint(&self, capability: &str, name: &str) -> Result<Endpoint<'_>, RegistryError> {
        let unknown = || RegistryError::Unknown { kind: "plugin", name: capability.to_owned() };
        let (capability, installed) = self.capabilities.get_key_value(capability).ok_or_else(unknown)?;
        let (name, request) =
            installed.manifest.calls.get_key_value(name).ok_or_else(|| RegistryError::UnknownEndpoint {
                capability: capability.clone(),
                name: name.chars().take(64).collect(),
                known: installed.manifest.calls.keys().cloned().collect(),
            })?;
        let (bound, state) = (installed.endpoints.get(name), installed.endpoint_state(name));
        Ok(Endpoint { capability, name, request, bound, state })
    }
}
