//! An item that is replayed: how the log came to it, and in which roles each candidate is invoked with
//! it. Most items in a log concern other plug-ins, so the targets of one capability are found without
//! asking for all the others.

use smol_str::SmolStr;

use super::partition::FollowedPartition;
use super::revisions::Fit;
use super::shadow::{ItemOutcome, ReplayedItem, Shadow};
use crate::run::live_generation;
use samsyn_decide::decide::Cause;
use samsyn_decide::item::Item;
use samsyn_decide::route::{Target, hears_of, is_notified_of};
use samsyn_journal::{Cursor, Outcome, ProfileState};
use samsyn_registry::Routing;
use samsyn_vocabulary::{CapabilityName, FieldName, ItemPosition, Partition, Role, Seq, Timestamp};

/// How the log came to a decision.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// With all live capabilities, in the order of the log.
    Live,
    /// One invocation of a capability that lags.
    CatchUp,
    /// One invocation that had waited.
    Retry,
    /// None: nobody wanted the item.
    Unwanted,
}

/// An item as it comes by, and what the log says of it.
pub struct LoggedItem<'a> {
    pub partition: Partition,
    /// The record that decides it.
    pub seq: Seq,
    /// How the log came to it.
    pub way: When,
    pub item: &'a Item,
    pub cause: Cause,
    /// The lagging capability whose cursor the record moves.
    pub cursor: Option<Cursor>,
    /// The record's time.
    pub at: Timestamp,
    /// Whether its proposals count.
    pub propose: bool,
    /// What the log's own outcomes are, of the plug-in.
    pub logged: &'a [&'a Outcome],
}

impl<'a> LoggedItem<'a> {
    /// An item that nobody decided.
    pub fn unwanted(partition: Partition, position: ItemPosition, item: &'a Item) -> LoggedItem<'a> {
        let ((root, depth), observed_at) = (item.chain(position.seq), item.observed_at());
        LoggedItem {
            partition,
            seq: 0,
            way: When::Unwanted,
            item,
            cause: Cause {
                item: position,
                kind: item.kind(),
                root,
                depth,
                spent: 0,
                observed_at,
                shared: item.is_copy(),
            },
            cursor: None,
            at: observed_at,
            propose: true,
            logged: &[],
        }
    }

    /// Invokes one candidate with an item, as the log did.
    pub fn invoke(
        &self,
        shadow: &Shadow<'_>,
        fit: &Fit,
        followed: &FollowedPartition,
        state: &mut ProfileState,
        own: &mut ProfileState,
    ) -> ItemOutcome<'static> {
        let replayed = ReplayedItem {
            partition: self.partition,
            partition_state: &followed.state,
            seq: self.seq,
            item: self.item,
            cause: self.cause.clone(),
            cursor: self.cursor.clone(),
            at: self.at,
            logged: self.logged,
        };
        if self.way == When::Retry {
            return shadow.retry(fit, state, own, &replayed);
        }
        let targets = self.targets(shadow.capability, fit, followed);
        shadow.invoke(fit, &targets, state, own, &replayed)
    }

    /// In which roles, and of which generation, a candidate gets an item.
    fn targets(
        &self,
        capability: &CapabilityName,
        fit: &Fit,
        followed: &FollowedPartition,
    ) -> Vec<(Target, u32)> {
        let propose = self.propose || self.way == When::CatchUp;
        let gets = wanted(self.item, &fit.routing, fit.index, propose);
        let logged = |target: &Target| self.logged.iter().find(|outcome| outcome.role == target.role);
        if self.way == When::CatchUp {
            return gets.filter_map(|target| Some((target, logged(&target)?.generation))).collect();
        }
        if let Some(generation) = live_generation(&followed.state, capability) {
            return gets.map(|target| (target, generation)).collect();
        }
        // It lags: its invocations in the log come later. What only the candidate hears comes never.
        let Some(generation) = followed.state.generation(capability) else { return Vec::new() };
        let routing = &followed.revision.registry.routing;
        let Some((index, _)) = routing.capability(capability) else { return Vec::new() };
        let comes = wanted(self.item, routing, index, self.propose);
        let never = |target: &Target| !comes.clone().any(|is| is.role == target.role);
        gets.filter(never).map(|target| (target, generation)).collect()
    }

    /// What an item is, in a word that says nothing about the customer.
    pub fn input(&self) -> SmolStr {
        let names = |mut fields: Vec<&FieldName>| {
            fields.sort();
            fields.dedup();
            fields.iter().map(|field| field.as_str()).collect::<Vec<_>>().join(", ")
        };
        match self.item {
            Item::Event(accepted) => SmolStr::new(accepted.event.name.as_str()),
            Item::Emitted(decided, index) => {
                let emitted = decided.emitted.get(usize::from(*index) - 1);
                emitted.map(|emitted| SmolStr::new(emitted.name.as_str())).unwrap_or_default()
            }
            Item::Changes(decided) => {
                let names = names(decided.changes.iter().map(|changed| &changed.field).collect());
                format!("change of {names}").into()
            }
            Item::Offered(decided) => {
                let names = names(decided.offered.iter().map(|held| &held.field).collect());
                format!("proposal of {names}").into()
            }
        }
    }
}

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
