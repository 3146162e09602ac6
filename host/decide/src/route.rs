//! Who gets an invocation of what: pure functions of the item and the registry.

use super::item::Item;
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

/// The targets of an item that are this capability's; `propose` says whether its proposals count. Most items in
/// a log concern other plug-ins, so a replay finds them without asking for all the others.
pub fn targets_of<'a>(
    item: &'a Item,
    routing: &'a Routing,
    capability: usize,
    propose: bool,
) -> impl Iterator<Item = Target> + Clone + 'a {
    let roles = Role::ALL.into_iter();
    let gets = roles.filter(move |role| gets(item, routing, capability, *role, propose));
    let targets = gets.map(move |role| Target { capability, role });
    debug_assert!(
        item.targets(routing, propose)
            .into_iter()
            .filter(|target| target.capability == capability)
            .eq(targets.clone()),
        "{item:?} goes elsewhere"
    );
    targets
}

fn gets(item: &Item, routing: &Routing, capability: usize, role: Role, propose: bool) -> bool {
    let routed = &routing.capabilities[capability];
    if !routed.capability.roles.contains(&role) {
        return false;
    }
    match (item, role) {
        (Item::Event(accepted), role) if accepted.shared_by.is_some() => {
            role == Role::Subscriber && routed.hears_shared(&accepted.event.name)
        }
        (Item::Event(accepted), Role::Source) => {
            let mut proposals = accepted.proposals.iter().filter(|_| propose);
            proposals.any(|proposal| routing.deciders(&proposal.field).contains(&capability))
        }
        (Item::Event(accepted), Role::Subscriber) => hears_of(&accepted.event.name, None, routed),
        (Item::Emitted(decided, index), Role::Subscriber) => decided
            .emitted
            .get(usize::from(*index) - 1)
            .is_some_and(|emitted| hears_of(&emitted.name, Some(&emitted.by), routed)),
        (Item::Changes(decided), Role::Observer) => {
            decided.changes.iter().any(|changed| is_notified_of(changed, routed))
        }
        // Held proposals go to the sources that their fields have now.
        (Item::Offered(_), Role::Source) => {
            item.targets(routing, propose).iter().any(|target| target.capability == capability)
        }
        _ => false,
    }
}
