//! What a change of an endpoint would change, before it does: a pure function of the registry.

use schemars::JsonSchema;
use serde::Serialize;

use super::{Binding, BindingRequest, Endpoint, EndpointState, Pause, addresses_read, network_check};
use crate::difference::{Difference, differences};
use crate::manifest::Manifest;
use crate::{Grant, Registry, RegistryChange, RegistryError};
use samsyn_contract::calls::{CallRequest, Reaches, Repeat};
use samsyn_vocabulary::{CapabilityName, EndpointName, SecretName, Seq};

/// What is to become of an endpoint.
#[derive(Clone, Debug)]
pub enum EndpointChange {
    /// It is bound, or bound otherwise. A pause stays.
    Bind(Box<BindingRequest>),
    /// It is bound no more: its calls are refused.
    Unbind,
    /// Nothing is sent to it until it is resumed.
    Pause(Pause),
    /// What waits is sent.
    Resume,
}

/// The kind of a change of an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum EndpointAction {
    /// It is bound.
    Bind,
    /// It is bound no more.
    Unbind,
    /// It is paused.
    Pause,
    /// It is resumed.
    Resume,
}

/// What a change of an endpoint would change.
#[derive(Clone, Debug)]
pub struct EndpointPlan {
    /// The capability that calls it.
    pub capability: CapabilityName,
    /// Its name.
    pub name: EndpointName,
    /// The revision of the registry that it was planned for.
    pub revision: Seq,
    /// The kind of change.
    pub action: EndpointAction,
    /// Its state now.
    pub before: EndpointState,
    /// Its state then.
    pub after: EndpointState,
    /// What of its binding becomes another.
    pub changes: Vec<Difference>,
    /// It is another system or another account then: exchanges in doubt aren't repeated.
    pub other_account: bool,
    /// The secrets that it needs then.
    pub secrets: Vec<SecretName>,
    /// What an administrator should know first.
    pub warnings: Vec<String>,
    /// The change of the registry; none when it is so already.
    pub change: Option<RegistryChange>,
}

/// What pausing or resuming all sending would change.
#[derive(Clone, Debug)]
pub struct OutgoingPlan {
    /// The revision of the registry that it was planned for.
    pub revision: Seq,
    /// Whether nothing is sent now.
    pub before: bool,
    /// Whether nothing is sent then.
    pub after: bool,
    /// Endpoints that are bound and not paused themselves: what it is about.
    pub endpoints: usize,
    /// The change of the registry; none when it is so already.
    pub change: Option<RegistryChange>,
}

impl Registry {
    /// What a change of an endpoint would change, and the change; or why it can't be made.
    pub fn plan_endpoint(
        &self,
        capability: &str,
        name: &str,
        wanted: EndpointChange,
    ) -> Result<EndpointPlan, RegistryError> {
        let endpoint = self.endpoint(capability, name)?;
        let (capability, name) = (endpoint.capability.clone(), endpoint.name.clone());
        let paused = endpoint.bound.is_some_and(|bound| bound.paused.is_some());
        let of = |action, after, change: Option<RegistryChange>| EndpointPlan {
            capability: capability.clone(),
            name: name.clone(),
            revision: self.revision,
            action,
            before: endpoint.state,
            after,
            changes: Vec::new(),
            other_account: false,
            secrets: endpoint.bound.map(|bound| bound.binding.secrets()).unwrap_or_default(),
            warnings: Vec::new(),
            change,
        };
        let names = || (capability.clone(), name.clone());
        let plan = match wanted {
            EndpointChange::Bind(request) => {
                let invalid = |why| RegistryError::EndpointInvalid {
                    capability: capability.clone(),
                    name: name.clone(),
                    why,
                };
                let binding = request.resolved(endpoint.request).map_err(invalid)?;
                let after = if paused { EndpointState::Paused } else { EndpointState::Bound };
                let now = endpoint.bound.map(|bound| &bound.binding);
                let unchanged = now == Some(&binding);
                let (capability, name) = names();
                EndpointPlan {
                    changes: differences(now, &binding),
                    other_account: now.is_some_and(|now| now.identity() != binding.identity()),
                    secrets: binding.secrets(),
                    warnings: self.warnings_of_binding(&endpoint, &binding),
                    ..of(
                        EndpointAction::Bind,
                        after,
                        (!unchanged).then(|| RegistryChange::EndpointBound {
                            capability,
                            name,
                            binding: Box::new(binding),
                        }),
                    )
                }
            }
            EndpointChange::Unbind => {
                let (capability, name) = names();
                let bound = endpoint.bound.is_some();
                let change = bound.then(|| RegistryChange::EndpointUnbound { capability, name });
                let mut plan = of(EndpointAction::Unbind, unbound(endpoint.state), change);
                plan.secrets = Vec::new();
                plan
            }
            EndpointChange::Pause(pause) => {
                let (capability, name) = names();
                let same = endpoint.bound.and_then(|bound| bound.paused.as_ref());
                let same = same.is_some_and(|is| is.reason == pause.reason);
                let change = (!same).then(|| RegistryChange::EndpointPaused { capability, name, pause });
                of(EndpointAction::Pause, EndpointState::Paused, change)
            }
            EndpointChange::Resume => {
                let (capability, name) = names();
                let change = paused.then(|| RegistryChange::EndpointResumed { capability, name });
                let after = if paused { EndpointState::Bound } else { endpoint.state };
                let mut plan = of(EndpointAction::Resume, after, change);
                if self.outgoing_paused.is_some() {
                    plan.warnings.push(
                        "all sending is paused: nothing is sent before `samsyn outgoing resume`".to_owned(),
                    );
                }
                plan
            }
        };
        if let Some(change) = &plan.change {
            self.check(change)?;
        }
        Ok(plan)
    }

    /// What pausing all sending would change, or resuming it where `pause` is none.
    pub fn plan_outgoing(&self, pause: Option<Pause>) -> OutgoingPlan {
        let endpoints = self.endpoints().filter(|endpoint| endpoint.state == EndpointState::Bound).count();
        let (before, after) = (self.outgoing_paused.is_some(), pause.is_some());
        let change = match (&self.outgoing_paused, pause) {
            (None, None) => None,
            (Some(now), Some(pause)) if now.reason == pause.reason => None,
            (_, Some(pause)) => Some(RegistryChange::OutgoingPaused { pause }),
            (Some(_), None) => Some(RegistryChange::OutgoingResumed {}),
        };
        OutgoingPlan { revision: self.revision, before, after, endpoints, change }
    }

    /// Whether a change of an endpoint can be made now.
    pub(crate) fn check_endpoint(&self, change: &RegistryChange) -> Result<(), RegistryError> {
        let (capability, name) = match change {
            RegistryChange::EndpointBound { capability, name, .. }
            | RegistryChange::EndpointUnbound { capability, name }
            | RegistryChange::EndpointPaused { capability, name, .. }
            | RegistryChange::EndpointResumed { capability, name } => (capability, name),
            _ => return Ok(()),
        };
        let endpoint = self.endpoint(capability.as_str(), name.as_str())?;
        let (capability, name) = (capability.clone(), name.clone());
        match (change, endpoint.state) {
            (RegistryChange::EndpointBound { .. }, EndpointState::Revoked) => {
                Err(RegistryError::EndpointRevoked { capability, name })
            }
            (RegistryChange::EndpointBound { binding, .. }, _) => {
                let invalid = |why| RegistryError::EndpointInvalid { capability, name, why };
                binding.check(endpoint.request).map_err(invalid)
            }
            (_, EndpointState::Requested | EndpointState::Revoked) => {
                Err(RegistryError::EndpointNotBound { capability, name })
            }
            _ => Ok(()),
        }
    }

    fn warnings_of_binding(&self, endpoint: &Endpoint<'_>, binding: &Binding) -> Vec<String> {
        let request = endpoint.request;
        let mut warnings = Vec::new();
        let mut warn = |warning: String| warnings.push(warning);
        if binding.repeat > request.repeat() {
            warn(format!(
                "{} is wider than the {} that its author requests: a call of which it isn't known whether it arrived is \
                 repeated more readily",
                binding.repeat,
                request.repeat()
            ));
        }
        let twice = binding.methods.iter().filter(|method| !method.is_idempotent());
        let twice: Vec<&str> = twice.map(|method| method.as_str()).collect();
        if binding.repeat == Repeat::Probe && request.repeat() != Repeat::Probe {
            warn(
                "probe needs a plug-in that looks calls up, and this one doesn't request it: a call in doubt ends \
                 unknown"
                    .to_owned(),
            );
        }
        if binding.repeat == Repeat::Safe && !twice.is_empty() {
            warn(format!(
                "safe repeats {} without a key: the system may do the same twice",
                twice.join(", ")
            ));
        }
        if !binding.url.is_https() {
            let and = if binding.auth.secrets().is_empty() { "" } else { ", and with them the secret" };
            warn(format!("http isn't encrypted: whoever is on the network can read the calls{and}"));
        }
        if let Some(proxy) =
            binding.proxy.as_ref().filter(|proxy| proxy.secret.is_some() && !proxy.url.is_https())
        {
            warn(format!("the password for the proxy {} is sent without encryption", proxy.url));
        }
        for network in binding.networks.iter().filter(|network| network_check::has_metadata(**network)) {
            warn(format!(
                "the network {network} has addresses at which clouds give out a machine's credentials, such as \
                 169.254.169.254; name a smaller network"
            ));
        }
        let withheld = request.methods.iter().filter(|method| !binding.methods.contains(method));
        let withheld: Vec<&str> = withheld.map(|method| method.as_str()).collect();
        if !withheld.is_empty() {
            warn(format!("it requests {} as well: such calls will be refused", withheld.join(", ")));
        }
        if let Some(suggested) = request.auth.as_ref().filter(|kind| **kind != binding.auth.kind()) {
            warn(format!("its author expects the authentication {suggested}, not {}", binding.auth.kind()));
        }
        let more = [
            (binding.rate.exceeds(request.rate()), format!("rate {}", request.rate())),
            (binding.parallel > request.parallel(), format!("parallel {}", request.parallel())),
            (binding.timeout < request.timeout(), format!("timeout {}", request.timeout())),
            (binding.answer_max < request.answer_max(), format!("answer_max {}", request.answer_max())),
        ];
        for (_, requested) in more.into_iter().filter(|(differs, _)| *differs) {
            warn(format!("its author requests {requested}"));
        }
        if let Some(service) = binding.sends_messages() {
            warn(format!("{service} sends messages to people, and no consent is checked before these calls"));
        }
        for secret in binding.secrets().iter().filter(|name| !self.secrets.contains_key(*name)) {
            warn(format!(
                "there is no secret {secret} yet, and nothing is sent without it: `samsyn secret set {secret} --file FILE`"
            ));
        }
        let now = endpoint.bound.map(|bound| &bound.binding);
        if now.is_some_and(|now| now.identity() != binding.identity()) {
            warn(
                "it is another system or account: exchanges in doubt end as unknown, and aren't repeated there"
                    .to_owned(),
            );
        }
        let installed = self.capabilities.get(endpoint.capability);
        let read = installed.map(|is| addresses_read(self, &is.manifest, &is.grant)).unwrap_or_default();
        warnings.extend(address_warning(&read));
        warnings
    }
}

fn unbound(state: EndpointState) -> EndpointState {
    if state == EndpointState::Revoked { state } else { EndpointState::Requested }
}

/// Says that a plug-in could have a customer written to.
fn address_warning(read: &[String]) -> Option<String> {
    (!read.is_empty()).then(|| {
        format!(
            "it knows {}: whoever may send an address to a system can have that system write to the customer, past the \
             checks of consent",
            read.join(", ")
        )
    })
}

/// What an administrator should know of the endpoints that a manifest requests, before it is installed.
pub(crate) fn warnings_of_request(registry: &Registry, manifest: &Manifest, grant: &Grant) -> Vec<String> {
    let mut warnings = Vec::new();
    let requested = |reaches: Reaches| {
        let of = move |(_, call): &(&EndpointName, &CallRequest)| call.reaches == reaches;
        let names: Vec<&str> = manifest.calls.iter().filter(of).map(|(name, _)| name.as_str()).collect();
        names.join(", ")
    };
    let customers = requested(Reaches::Customers);
    if !customers.is_empty() {
        warnings.push(format!(
            "wants to send to customers ({customers}), which this host doesn't do yet: these endpoints can't be bound"
        ));
    }
    let systems = requested(Reaches::Systems);
    let read = addresses_read(registry, manifest, grant);
    if !systems.is_empty() {
        warnings
            .extend(address_warning(&read).map(|warning| format!("wants to call {systems}, and {warning}")));
    }
    warnings
}
