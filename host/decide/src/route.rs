//! Who gets an invocation of what: pure functions of the item and the registry.

use super::item::{Invocation, Item};
use samsyn_journal::{Answered, Changed, PartitionState};
use samsyn_registry::{Routed, Routing};
use samsyn_vocabulary::{CapabilityName, EventName, FieldName, Role};

/// An invocation to make.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// The capability's index in the routing.
    pub capability: usize,
    /// What it is invoked with.
    pub invocation: Invocation<'a>,
}

impl Target<'_> {
    /// The role that is invoked.
    pub fn role(&self) -> Role {
        self.invocation.role()
    }
}

/// Which capabilities get an item, in the order in which they are invoked: by their place in the routing, and
/// one that is the source of what an event proposes and hears it decides first. `propose` says whether an
/// event's proposals count.
pub fn route<'a>(item: &'a Item, routing: &Routing, propose: bool) -> Vec<Target<'a>> {
    let with = |invocation: Invocation<'a>| move |capability: usize| Target { capability, invocation };
    let mut targets: Vec<Target<'a>> = match item {
        Item::Event(accepted) => {
            let event = with(Invocation::Event(&accepted.event));
            if item.is_copy() {
                return shared_subscribers(&accepted.event.name, routing).map(event).collect();
            }
            let sources = accepted.proposals.iter().filter(|_| propose);
            let sources = sources.flat_map(|proposal| routing.deciders(&proposal.field).iter().copied());
            let sources = sources.map(with(Invocation::Proposals(&accepted.proposals)));
            sources.chain(subscribers(&accepted.event.name, None, routing).map(event)).collect()
        }
        Item::Emitted(record, index) => {
            let emitted = record.emitted.get(usize::from(*index).wrapping_sub(1));
            let heard = emitted.map(|emitted| {
                let invocation = Invocation::Emitted { record, index: *index, emitted };
                subscribers(&emitted.name, Some(&emitted.by), routing).map(with(invocation))
            });
            return heard.into_iter().flatten().collect();
        }
        Item::Changes(record) => {
            observers(&record.changes, routing).map(with(Invocation::Changes(&record.changes))).collect()
        }
        Item::Offered(record) => {
            let sources = record.offered.iter().filter_map(|held| source_of(&held.field, routing));
            sources.map(with(Invocation::Offered(&record.offered))).collect()
        }
        Item::Timer(due) => {
            let own = routing.capability(&due.capability).map(|(index, _)| index);
            return own.map(with(Invocation::Timer(due))).into_iter().collect();
        }
        Item::Answer(answered) => {
            let own = routing.capability(&answered.call.capability);
            let role = if answered.looks_up.is_none() { Role::Caller } else { Role::Judge };
            let own = own.filter(|(_, routed)| wants_answer(answered, role, routed));
            let invocation = own.and_then(|(index, _)| Some((index, item.invocation(role)?)));
            return invocation.map(|(index, invocation)| with(invocation)(index)).into_iter().collect();
        }
        Item::Doubt(doubted) => {
            let own = routing.capability(&doubted.call.capability);
            let own = own.filter(|(_, routed)| routed.capability.roles.contains(&Role::Prober));
            return own.map(|(index, _)| index).map(with(Invocation::Doubt(doubted))).into_iter().collect();
        }
    };
    let order = |target: &Target<'_>| (target.capability, target.role());
    targets.sort_unstable_by_key(order);
    targets.dedup_by_key(|target| order(target));
    targets
}

/// Whether a plug-in gets the answer to one of its calls. Who has no role for answers calls without wanting any; but when
/// this version doesn't request the endpoint, an earlier one called, and its answer ends visibly.
fn wants_answer(answered: &Answered, role: Role, routed: &Routed) -> bool {
    let requests = routed.capability.manifest.calls.contains_key(&answered.endpoint);
    routed.capability.roles.contains(&role) || (role == Role::Caller && !requests)
}

/// Who hears the copy of an event for a customer who only shares its identifiers.
fn shared_subscribers(event: &EventName, routing: &Routing) -> impl Iterator<Item = usize> {
    let capabilities = routing.capabilities.iter().enumerate();
    capabilities.filter(|(_, routed)| routed.hears_shared(event)).map(|(capability, _)| capability)
}

/// The source that a field has now, among the capabilities that decide proposals.
fn source_of(field: &FieldName, routing: &Routing) -> Option<usize> {
    let source = routing.field(field)?.source.as_ref()?;
    let mut deciders = routing.deciders(field).iter().copied();
    deciders.find(|capability| routing.capabilities[*capability].name == *source)
}

/// Everyone who observes one of these values that isn't their own.
fn observers(changes: &[Changed], routing: &Routing) -> impl Iterator<Item = usize> {
    // An opt-out that is latched without having changed is nobody's news.
    let changed = changes.iter().filter(|changed| changed.before != changed.after);
    changed.flat_map(|changed| {
        let observers = routing.observers(&changed.field).iter().copied();
        observers.filter(|capability| routing.capabilities[*capability].name != changed.by)
    })
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
) -> impl Iterator<Item = usize> + 'a {
    let capabilities = routing.capabilities.iter().enumerate();
    let hearing = capabilities.filter(move |(_, routed)| hears_of(event, except, routed));
    hearing.map(|(capability, _)| capability)
}

/// The targets of an item that are this capability's; `propose` says whether its proposals count. Most items in
/// a log concern other plug-ins, so a replay finds them without asking for all the others.
pub fn targets_of<'a>(
    item: &'a Item,
    routing: &Routing,
    capability: usize,
    propose: bool,
) -> impl Iterator<Item = Target<'a>> + Clone {
    let invocations = Role::ALL.into_iter().filter_map(|role| item.invocation(role));
    let gets = invocations.filter(move |invocation| gets(item, *invocation, routing, capability, propose));
    let targets = gets.map(move |invocation| Target { capability, invocation });
    debug_assert!(
        route(item, routing, propose)
            .into_iter()
            .filter(|target| target.capability == capability)
            .map(|target| target.role())
            .eq(targets.clone().map(|target| target.role())),
        "{item:?} goes elsewhere"
    );
    targets
}

fn gets(
    item: &Item,
    invocation: Invocation<'_>,
    routing: &Routing,
    capability: usize,
    propose: bool,
) -> bool {
    let routed = &routing.capabilities[capability];
    // A plug-in that has lost the role gets its timers, too: they end visibly.
    if let Invocation::Timer(due) = invocation {
        return due.capability == routed.name;
    }
    if let Invocation::Answer(answered) = invocation {
        return answered.call.capability == routed.name && wants_answer(answered, Role::Caller, routed);
    }
    if !routed.capability.roles.contains(&invocation.role()) {
        return false;
    }
    match invocation {
        Invocation::Timer(_) | Invocation::Answer(_) => false,
        Invocation::Lookup(answered) => answered.call.capability == routed.name,
        Invocation::Doubt(doubted) => doubted.call.capability == routed.name,
        Invocation::Event(event) if item.is_copy() => routed.hears_shared(&event.name),
        Invocation::Event(event) => hears_of(&event.name, None, routed),
        Invocation::Emitted { emitted, .. } => hears_of(&emitted.name, Some(&emitted.by), routed),
        Invocation::Proposals(_) if item.is_copy() => false,
        Invocation::Proposals(proposals) => {
            let mut proposals = proposals.iter().filter(|_| propose);
            proposals.any(|proposal| routing.deciders(&proposal.field).contains(&capability))
        }
        Invocation::Offered(offered) => {
            offered.iter().any(|held| source_of(&held.field, routing) == Some(capability))
        }
        Invocation::Changes(changes) => changes.iter().any(|changed| is_notified_of(changed, routed)),
    }
}

/// Whether a capability moves with the partition's cursor, and with which generation.
pub fn live_generation(partition_state: &PartitionState, capability: &CapabilityName) -> Option<u32> {
    let generation = partition_state.generation(capability)?;
    (!partition_state.is_lagging(capability)).then_some(generation)
}
