//! Who gets an invocation of what: pure functions of the item and the registry.

use samsyn_journal::Changed;
use samsyn_registry::{Routed, Routing};
use samsyn_vocabulary::{CapabilityName, EventName, FieldName, Role};

/// An invocation to make: the capability's index in the routing, and the role to call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Target {
    pub capability: usize,
    pub role: Role,
}

/// Who hears an application's event and decides what it proposes. A capability that does both
/// decides first: [`Role::Source`] sorts before [`Role::Subscriber`].
pub fn route_event<'a>(
    event: &EventName,
    proposed: impl IntoIterator<Item = &'a FieldName>,
    routing: &Routing,
) -> Vec<Target> {
    let mut targets = Vec::new();
    for field in proposed {
        let deciders = routing.deciders(field).iter();
        targets.extend(deciders.map(|capability| Target { capability: *capability, role: Role::Source }));
    }
    targets.extend(subscribers(event, None, routing));
    targets.sort_unstable();
    targets.dedup();
    targets
}

/// Who hears the copy of an event for a customer who only shares its identifiers.
pub fn route_shared(event: &EventName, routing: &Routing) -> Vec<Target> {
    let capabilities = routing.capabilities.iter().enumerate();
    let hearing = capabilities.filter(|(_, routed)| routed.hears_shared(event));
    hearing.map(|(capability, _)| Target { capability, role: Role::Subscriber }).collect()
}

/// Who hears an event that a capability emitted: nobody hears of their own.
pub fn route_emitted(event: &EventName, by: &CapabilityName, routing: &Routing) -> Vec<Target> {
    subscribers(event, Some(by), routing).collect()
}

/// Who decides held proposals: the sources that their fields have now, and nobody else.
pub fn route_offered<'a>(fields: impl IntoIterator<Item = &'a FieldName>, routing: &Routing) -> Vec<Target> {
    let deciders = fields.into_iter().filter_map(|field| {
        let source = routing.field(field)?.source.as_ref()?;
        let mut deciders = routing.deciders(field).iter();
        deciders.find(|capability| routing.capabilities[**capability].name == *source)
    });
    let mut targets: Vec<Target> =
        deciders.map(|capability| Target { capability: *capability, role: Role::Source }).collect();
    targets.sort_unstable();
    targets.dedup();
    targets
}

/// Who is notified of changed values: everyone who observes one of them that isn't their own.
pub fn route_changes(changes: &[Changed], routing: &Routing) -> Vec<Target> {
    let mut targets = Vec::new();
    // An opt-out that is latched without having changed is nobody's news.
    for changed in changes.iter().filter(|changed| changed.before != changed.after) {
        for &capability in routing.observers(&changed.field) {
            if routing.capabilities[capability].name != changed.by {
                targets.push(Target { capability, role: Role::Observer });
            }
        }
    }
    targets.sort_unstable();
    targets.dedup();
    targets
}

/// Whether a capability is notified of a changed value: it observes it, and nobody hears of their own.
pub fn is_notified_of(changed: &Changed, routed: &Routed) -> bool {
    changed.by != routed.name && changed.before != changed.after && routed.observes(&changed.field)
}

/// Whether a capability hears an event that this one emitted; none is an application's.
pub fn hears_of(event: &EventName, by: Option<&CapabilityName>, routed: &Routed) -> bool {
    Some(&routed.name) != by && routed.hears(event).is_some()
}

fn subscribers<'a>(
    event: &'a EventName,
    except: Option<&'a CapabilityName>,
    routing: &'a Routing,
) -> impl Iterator<Item = Target> + 'a {
    let capabilities = routing.capabilities.iter().enumerate();
    let hearing = capabilities.filter(move |(_, routed)| hears_of(event, except, routed));
    hearing.map(|(capability, _)| Target { capability, role: Role::Subscriber })
}
