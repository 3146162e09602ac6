//! In which roles one plug-in gets an item: of an item's targets those of one capability, without
//! asking for all the others first. Most items in a log concern other plug-ins.

use crate::engine::item::Item;
use crate::engine::route::{Target, hears_of, is_notified_of};
use crate::registry::Routing;
use crate::vocabulary::Role;

/// The targets of an item that are this capability's; `propose` says whether its proposals count.
pub fn wanted<'a>(
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
            .filter(|is| is.capability == capability)
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
