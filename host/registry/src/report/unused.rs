//! Plug-ins that declare more than they ever used. What a plug-in may do and never does is access
//! without a reason, or a sign that something isn't connected.

use super::finding::{Finding, INSTALL, Severity, listed};
use super::usage::Usage;
use crate::{Capability, Registry};
use samsyn_vocabulary::{CapabilityName, EventName, EventPattern, FieldName};

/// What each capability declares and has not used; nothing for those that used all of it.
fn unused<'a, T: Clone + 'a>(
    registry: &'a Registry,
    of: impl Fn(&'a CapabilityName, &'a Capability) -> Vec<T>,
    finding: impl Fn(&CapabilityName, Vec<T>) -> Finding,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (name, capability) in &registry.capabilities {
        let never = of(name, capability);
        if !never.is_empty() {
            let finding = finding(name, never);
            findings.push(Finding {
                capabilities: vec![name.clone()],
                command: INSTALL.to_owned(),
                ..finding
            });
        }
    }
    findings
}

/// Subscriptions for which there never was an event.
pub fn never_heard(registry: &Registry, usage: &Usage) -> Vec<Finding> {
    if usage.events_overflow || usage.pairs_overflow {
        return Vec::new();
    }
    let of = |name: &CapabilityName, capability: &Capability| {
        let hears = capability.grant.hears.iter();
        hears.filter(|pattern| !usage.could_hear(name, pattern)).cloned().collect()
    };
    unused(registry, of, |name, never: Vec<EventPattern>| Finding {
        explanation: format!("{name} subscribes to {}, and no such event was ever accepted.", listed(&never)),
        mend: "Compare the spelling with the events that applications send. If the event is not \
        needed, remove it from [subscribes] and install that version."
            .to_owned(),
        events: never.iter().map(ToString::to_string).collect(),
        ..Finding::new(Severity::Note, "subscription-never-heard")
    })
}

/// Sourced fields that it never made a claim for.
pub fn never_claimed(registry: &Registry, usage: &Usage) -> Vec<Finding> {
    if usage.pairs_overflow {
        return Vec::new();
    }
    let of = |name: &CapabilityName, capability: &Capability| {
        let sources = capability.grant.sources().iter();
        sources.filter(|field| !usage.has_claimed(name, field)).cloned().collect()
    };
    unused(registry, of, |name, never: Vec<FieldName>| Finding {
        explanation: format!("{name} declares {} under [sources], and never made a claim.", listed(&never)),
        mend: "Check whether the events for this claim ever happen. If not, remove the field from \
        [sources] and install that version."
            .to_owned(),
        fields: never,
        ..Finding::new(Severity::Note, "source-never-claimed")
    })
}

/// Declared events that it never emitted.
pub fn never_emitted(registry: &Registry, usage: &Usage) -> Vec<Finding> {
    if usage.pairs_overflow {
        return Vec::new();
    }
    let of = |name: &CapabilityName, capability: &Capability| {
        let emits = capability.manifest.emits.keys();
        emits.filter(|event| !usage.has_emitted(name, event)).cloned().collect()
    };
    unused(registry, of, |name, never: Vec<EventName>| Finding {
        explanation: format!("{name} declares {} under [emits], and never emitted it.", listed(&never)),
        mend: "If you expect that, remove it from [emits] and install that version.".to_owned(),
        events: never.iter().map(ToString::to_string).collect(),
        ..Finding::new(Severity::Note, "event-never-emitted")
    })
}

/// Fields that it may read, for which nobody ever made a claim.
pub fn never_had_a_value(registry: &Registry, usage: &Usage) -> Vec<Finding> {
    if usage.pairs_overflow {
        return Vec::new();
    }
    let of = |_: &CapabilityName, capability: &Capability| {
        let reads =
            capability.manifest.consumes.keys().filter(|field| capability.grant.reads.contains(field));
        // Without a source it is another finding.
        let sourced = reads.filter(|field| registry.source_of(field.as_str()).is_some());
        sourced.filter(|field| !usage.was_claimed(field)).cloned().collect()
    };
    unused(registry, of, |name, never: Vec<FieldName>| Finding {
        explanation: format!("{name} may read {}, which never had a value for any customer.", listed(&never)),
        mend: "Check whether the source works. If the field is not needed, remove it from [consumes] \
        and install that version."
            .to_owned(),
        fields: never,
        ..Finding::new(Severity::Note, "read-never-valued")
    })
}

/// Too many different names to tell which were never used.
pub fn too_many_names(usage: &Usage) -> Option<Finding> {
    if !usage.events_overflow && !usage.pairs_overflow {
        return None;
    }
    let explanation = if usage.events_overflow {
        "Applications sent events with more different names than the host counts, so unused \
        subscriptions are not known. Often a number or an id is a part of the name."
    } else {
        "Capabilities claimed and emitted more different things than the host counts, so unused \
        declarations are not known."
    };
    Some(Finding {
        explanation: explanation.to_owned(),
        mend: "Use few event names, and send the differences as properties.".to_owned(),
        command: "samsyn log cat".to_owned(),
        ..Finding::new(Severity::Note, "usage-not-counted")
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Plugin, registry};
    use super::*;

    fn shop() -> Registry {
        registry(&[
            Plugin::new("crm").sources(&["email", "phone"]),
            Plugin::new("loyalty")
                .hears("order.*")
                .hears("loyalty.redeemed")
                .emits("loyalty.tier_reached")
                .sources(&["loyalty.points"])
                .consumes(&["email", "phone"]),
        ])
    }

    fn only(findings: &[Finding]) -> &Finding {
        let [finding] = findings else { panic!("{findings:#?}") };
        finding
    }

    #[test]
    fn everything_used_leaves_nothing_to_say() {
        let mut usage = Usage::default();
        let (crm, loyalty) = (CapabilityName::new("crm").unwrap(), CapabilityName::new("loyalty").unwrap());
        for event in ["order.completed", "loyalty.redeemed"] {
            usage.event(&EventName::new(event).unwrap());
        }
        usage.emission(&loyalty, &EventName::new("loyalty.tier_reached").unwrap());
        let fields = ["email", "phone", "loyalty.points"].map(|name| FieldName::new(name).unwrap());
        usage.claims(&crm, fields[..2].iter());
        usage.claims(&loyalty, fields[2..].iter());
        for finding in [never_heard, never_claimed, never_emitted, never_had_a_value] {
            assert_eq!(finding(&shop(), &usage), []);
        }
        assert_eq!(too_many_names(&usage), None);
    }

    #[test]
    fn what_was_never_used_is_named() {
        let mut usage = Usage::default();
        usage.event(&EventName::new("order.completed").unwrap());
        let email = FieldName::new("email").unwrap();
        usage.claims(&CapabilityName::new("crm").unwrap(), [&email].into_iter());
        let shop = shop();
        let heard = never_heard(&shop, &usage);
        assert_eq!(
            only(&heard).explanation,
            "loyalty subscribes to loyalty.redeemed, and no such event was ever accepted."
        );
        assert_eq!(only(&never_emitted(&shop, &usage)).events, ["loyalty.tier_reached"]);
        assert_eq!(listed(&only(&never_had_a_value(&shop, &usage)).fields), "phone");
        let claimed = never_claimed(&shop, &usage);
        assert_eq!(claimed.len(), 2);
        assert_eq!(listed(&claimed[0].fields), "phone");
        assert_eq!(listed(&claimed[1].fields), "loyalty.points");
    }

    #[test]
    fn what_can_t_be_said_is_not_said_but_told() {
        let usage = Usage { events_overflow: true, ..Usage::default() };
        assert_eq!(never_heard(&shop(), &usage), []);
        assert_eq!(too_many_names(&usage).unwrap().code, "usage-not-counted");
        let usage = Usage { pairs_overflow: true, ..Usage::default() };
        assert_eq!(never_claimed(&shop(), &usage), []);
        assert!(too_many_names(&usage).is_some());
    }
}
