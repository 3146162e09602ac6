//! What a plug-in gets to see: only what it declared and was granted. This is the security
//! boundary: what isn't put in here never enters the sandbox's memory.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::route::is_notified_of;
use samsyn_contract::RefusalCode;
use samsyn_journal::{Changed, ProfileState};
use samsyn_registry::{Routed, Routing, manifest::Properties};
use samsyn_vocabulary::{
    CapabilityName, Change, CoerceError, DataPoint, Event, HeardEvent, Projection, Proposal, Refusal, Type,
    Value,
};

/// The profile as one capability may know it.
pub fn project_profile<'a>(
    state: &'a ProfileState,
    routed: &Routed,
    generation: u32,
    generations: &BTreeMap<CapabilityName, u32>,
    routing: &'a Routing,
) -> Projection<'a> {
    let granted = &routed.capability.grant.identifiers;
    let asked = &routed.capability.manifest.plugin.identifiers;
    let seen = |name| granted.contains(name) && asked.contains(name);
    let identifiers = state.identifiers.iter().filter(|identifier| seen(&identifier.name));
    let identifiers = identifiers.map(Cow::Borrowed).collect();
    let capability_state = state.capability_state(&routed.name, generation);
    let mut points = Vec::new();
    for claim in capability_state.map(|own| own.claims.as_slice()).unwrap_or_default() {
        if let Some(value) = claim.value.as_ref().filter(|_| routed.sources(&claim.field)) {
            let (field, observed_at) = (claim.field.clone(), claim.observed_at);
            points.push(DataPoint { field, value: Cow::Borrowed(value), observed_at });
        }
    }
    for name in &routed.reads {
        let visible = routing.field(name).and_then(|field| state.visible(name, field, generations));
        if let Some(visible) = visible {
            let (field, observed_at) = (name.clone(), visible.observed_at);
            points.push(DataPoint { field, value: Cow::Borrowed(visible.value), observed_at });
        }
    }
    let memory =
        capability_state.and_then(|own| own.memory.as_ref()).map(|memory| Cow::Borrowed(memory.0.as_slice()));
    let timers = capability_state.and_then(|own| own.timers.as_ref()).into_iter().flat_map(|own| own.set());
    let timers = timers.map(|timer| timer.name.clone()).collect();
    let calls = capability_state.and_then(|own| own.calls.as_ref()).map_or(0, |calls| calls.waiting().len());
    Projection { id: state.id, identifiers, points, memory, timers, calls }
}

/// The event with only its declared properties, each of its declared type; or why this plug-in
/// can't be given it.
pub fn project_event<'a>(event: &'a Event, declared: &'a Properties) -> Result<HeardEvent<'a>, Refusal> {
    let mut properties = Vec::with_capacity(declared.len());
    for (name, wanted) in declared {
        let sent = event.properties.iter().find(|property| property.name == *name);
        // JSON's null says that there is no value, as leaving the property out does.
        let sent = sent.map(|property| &property.value);
        let sent = sent.filter(|value| !matches!(value, Value::Json(json) if json == "null"));
        match sent.map(|value| coerced(value, wanted.kind)) {
            Some(Ok(value)) => properties.push((name.as_str(), value)),
            Some(Err(why)) => {
                return Err(refusal(RefusalCode::PropertyType, format!("property {name}: {why}")));
            }
            None if wanted.required => {
                return Err(refusal(
                    RefusalCode::PropertyMissing,
                    format!("property {name} is required and missing"),
                ));
            }
            None => {}
        }
    }
    Ok(HeardEvent { properties, ..event.without_properties() })
}

fn coerced(value: &Value, wanted: Type) -> Result<Cow<'_, Value>, CoerceError> {
    // JSON is always looked at: what one reader takes, another one refuses.
    match value.kind() == wanted && wanted != Type::Json {
        true => Ok(Cow::Borrowed(value)),
        false => value.coerce_property(wanted).map(Cow::Owned),
    }
}

/// Why a plug-in can't be given a proposed value: one that a host of before took, whose decimals were
/// longer than a plug-in's. `None` when it can.
pub fn unfit_proposal(proposal: &Proposal) -> Option<Refusal> {
    let value = proposal.value.as_ref().filter(|value| !value.is_readable())?;
    let message = format!("this {} is more than a plug-in can read: propose it anew", value.kind());
    Some(Refusal { field: Some(proposal.field.to_string()), ..refusal(RefusalCode::PropertyType, message) })
}

fn refusal(code: RefusalCode, message: String) -> Refusal {
    Refusal { field: None, code: code.into(), message }
}

/// The changes that one observer is told of.
pub fn project_changes(changes: &[Changed], routed: &Routed) -> Vec<Change> {
    let observed = changes.iter().filter(|changed| is_notified_of(changed, routed));
    observed
        .map(|changed| Change {
            field: changed.field.clone(),
            before: changed.before.clone(),
            after: changed.after.clone(),
        })
        .collect()
}

#[cfg(test)]
#[path = "project_tests.rs"]
mod tests;
