//! Endpoints: those that nobody bound, those that are paused, and capabilities that know a customer's address and call
//! a system.

use super::Registry;
use super::finding::{Finding, Severity, listed};
use crate::endpoint::{Endpoint, EndpointState, addresses_read};
use samsyn_contract::calls::Reaches;
use samsyn_vocabulary::{CapabilityName, Timestamp};

/// How long all sending may be paused before that is a finding: shorter, somebody is at it.
const OUTGOING_PAUSED_MS: i64 = 10 * 60 * 1000;

/// Each capability with its endpoints that fulfil a condition.
fn by_capability<'a>(
    registry: &'a Registry,
    is: impl Fn(&Endpoint<'a>) -> bool,
) -> Vec<(&'a CapabilityName, Vec<Endpoint<'a>>)> {
    let mut all: Vec<(&CapabilityName, Vec<Endpoint<'_>>)> = Vec::new();
    for endpoint in registry.endpoints().filter(|endpoint| is(endpoint)) {
        match all.last_mut() {
            Some((name, endpoints)) if *name == endpoint.capability => endpoints.push(endpoint),
            _ => all.push((endpoint.capability, vec![endpoint])),
        }
    }
    all
}

fn names(endpoints: &[Endpoint<'_>]) -> String {
    listed(endpoints.iter().map(|endpoint| endpoint.name))
}

/// Endpoints that a plug-in requests and nobody bound.
pub fn not_bound(registry: &Registry) -> Vec<Finding> {
    // One for customers can't be bound yet.
    let is = |endpoint: &Endpoint<'_>| {
        endpoint.state == EndpointState::Requested && endpoint.request.reaches == Reaches::Systems
    };
    let finding = |(name, endpoints): (&CapabilityName, Vec<Endpoint<'_>>)| Finding {
        capabilities: vec![name.clone()],
        explanation: format!(
            "{name} requests to call {}, which isn't bound to a system: its calls are refused.",
            names(&endpoints)
        ),
        mend: format!(
            "Bind it to the system's address and secrets. If it isn't needed, revoke it with `samsyn plugin revoke \
             {name} --endpoint ENDPOINT`."
        ),
        command: format!("samsyn endpoint bind {name} {} --dry-run", endpoints[0].name),
        ..Finding::new(Severity::Warning, "endpoint-not-bound")
    };
    by_capability(registry, is).into_iter().map(finding).collect()
}

/// Endpoints that are paused.
pub fn paused(registry: &Registry) -> Vec<Finding> {
    let finding = |endpoint: Endpoint<'_>| {
        let pause = endpoint.bound?.paused.as_ref()?;
        let Endpoint { capability, name, .. } = endpoint;
        Some(Finding {
            capabilities: vec![capability.clone()],
            explanation: format!(
                "{} paused the endpoint {name} of {capability} at {}, so its calls wait: {}.",
                pause.by,
                pause.at,
                pause.reason.as_str().trim_end_matches('.')
            ),
            mend: "Remove the cause, then resume it.".to_owned(),
            command: format!("samsyn endpoint resume {capability} {name}"),
            ..Finding::new(Severity::Warning, "endpoint-paused")
        })
    };
    registry.endpoints().filter_map(finding).collect()
}

/// Capabilities that know an address of the customer and call a system.
pub fn knows_addresses(registry: &Registry) -> Vec<Finding> {
    let is = |endpoint: &Endpoint<'_>| {
        endpoint.bound.is_some_and(|bound| bound.binding.reaches == Reaches::Systems)
    };
    let finding = |(name, endpoints): (&CapabilityName, Vec<Endpoint<'_>>)| {
        let capability = registry.capabilities.get(name)?;
        let read = addresses_read(registry, &capability.manifest, &capability.grant);
        (!read.is_empty()).then(|| Finding {
            capabilities: vec![name.clone()],
            explanation: format!(
                "{name} knows {} and calls {}: that system could write to the customer, past the checks of consent.",
                listed(&read),
                names(&endpoints)
            ),
            mend: "Check that the system sends nothing to customers. If it needs no address, revoke the field or \
                identifier."
                .to_owned(),
            command: format!("samsyn plugin show {name}"),
            ..Finding::new(Severity::Note, "endpoint-and-address")
        })
    };
    by_capability(registry, is).into_iter().filter_map(finding).collect()
}

/// All sending has been paused for a while.
pub fn outgoing_paused(registry: &Registry, now: Timestamp) -> Option<Finding> {
    let pause = registry.outgoing_paused.as_ref()?;
    if now.0.saturating_sub(pause.at.0) < OUTGOING_PAUSED_MS {
        return None;
    }
    let mut capabilities: Vec<CapabilityName> =
        registry.endpoints().filter(|is| is.bound.is_some()).map(|is| is.capability.clone()).collect();
    capabilities.dedup();
    Some(Finding {
        capabilities,
        explanation: format!(
            "{} paused all sending at {}, so no capability's calls leave: {}.",
            pause.by,
            pause.at,
            pause.reason.as_str().trim_end_matches('.')
        ),
        mend: "Check that no other host sends from a copy of this data, then resume sending.".to_owned(),
        command: "samsyn outgoing resume".to_owned(),
        ..Finding::new(Severity::Warning, "outgoing-paused")
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Plugin, apply, registry};
    use super::*;
    use crate::RegistryChange;
    use crate::endpoint::{EndpointChange, Pause};
    use samsyn_vocabulary::{Application, Reason};

    fn bound() -> Registry {
        let mut registry =
            registry(&[Plugin::new("sync").consumes(&["email"]).calls("members").calls("stock")]);
        let request = toml::from_str("url = \"https://members.example.com\"\nauth = \"none\"").unwrap();
        let plan =
            registry.plan_endpoint("sync", "members", EndpointChange::Bind(Box::new(request))).unwrap();
        apply(&mut registry, &plan.change.unwrap());
        registry
    }

    fn pause(at: i64) -> Pause {
        let (by, reason) = (Application::new("ops").unwrap(), Reason::new("moving. ").unwrap());
        Pause { by, reason, at: Timestamp(at) }
    }

    #[test]
    fn what_isn_t_bound_is_named_and_so_is_who_knows_an_address() {
        let registry = bound();
        let [unbound] = &not_bound(&registry)[..] else { panic!() };
        assert!(unbound.explanation.contains("call stock,") && !unbound.explanation.contains("members"));
        assert_eq!(unbound.command, "samsyn endpoint bind sync stock --dry-run");
        let [knows] = &knows_addresses(&registry)[..] else { panic!() };
        assert!(knows.explanation.starts_with("sync knows the field email and calls members:"), "{knows:?}");
        assert_eq!(paused(&registry), []);
    }

    #[test]
    fn a_pause_is_a_finding_and_one_of_everything_after_ten_minutes() {
        let mut registry = bound();
        let plan = registry.plan_endpoint("sync", "members", EndpointChange::Pause(pause(0))).unwrap();
        apply(&mut registry, &plan.change.unwrap());
        let [finding] = &paused(&registry)[..] else { panic!() };
        assert!(finding.explanation.ends_with("wait: moving."), "{finding:?}");
        apply(&mut registry, &RegistryChange::OutgoingPaused { pause: pause(1_000) });
        assert_eq!(outgoing_paused(&registry, Timestamp(600_999)), None);
        let finding = outgoing_paused(&registry, Timestamp(601_000)).unwrap();
        assert_eq!((finding.code, finding.capabilities.len()), ("outgoing-paused", 1));
        apply(&mut registry, &RegistryChange::OutgoingResumed {});
        assert_eq!(outgoing_paused(&registry, Timestamp(601_000)), None);
    }
}
