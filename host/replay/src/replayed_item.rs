//! An item that is replayed: how the log came to it, and in which roles each candidate is invoked with it.

use smol_str::SmolStr;

use super::partition::FollowedPartition;
use super::revisions::Fit;
use super::shadow::{ItemOutcome, ReplayedItem, Shadow};
use samsyn_decide::decide::Cause;
use samsyn_decide::item::Item;
use samsyn_decide::route::{Target, live_generation, targets_of};
use samsyn_journal::{Cursor, Outcome, ProfileState};
use samsyn_vocabulary::{CapabilityName, FieldName, FullPosition, ItemPosition, Partition, Timestamp};

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
        let position = FullPosition::new(partition, position);
        let ((root, depth), observed_at) = (item.chain(position.record()), item.observed_at());
        LoggedItem {
            partition,
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
                timer: None,
                call: None,
                doubt: item.doubt(),
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
            partition_state: &followed.state,
            item: self.item,
            cause: self.cause.clone(),
            cursor: self.cursor.clone(),
            at: self.at,
            logged: self.logged,
        };
        if self.way == When::Retry {
            return shadow.retry(fit, state, own, &replayed);
        }
        let mut targets = self.targets(shadow.capability, fit, followed);
        if let Item::Timer(due) = self.item {
            // A version that never set it isn't invoked for it, which differs from the log.
            targets.retain(|(_, generation)| {
                let timers = own.timers(shadow.capability, *generation);
                timers.is_some_and(|timers| timers.get(&due.name).is_some())
            });
        }
        shadow.invoke(fit, &targets, state, own, &replayed)
    }

    /// In which roles, and of which generation, a candidate gets an item.
    fn targets(
        &self,
        capability: &CapabilityName,
        fit: &Fit,
        followed: &FollowedPartition,
    ) -> Vec<(Target<'_>, u32)> {
        let propose = self.propose || self.way == When::CatchUp;
        let gets = targets_of(self.item, &fit.routing, fit.index, propose);
        let logged = |target: &Target<'_>| self.logged.iter().find(|outcome| outcome.role == target.role());
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
        let comes = targets_of(self.item, routing, index, self.propose);
        let never = |target: &Target<'_>| !comes.clone().any(|coming| coming.role() == target.role());
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
            Item::Timer(due) => format!("timer {}", due.name).into(),
            Item::Answer(answered) => format!("answer of {}", answered.endpoint).into(),
            Item::Doubt(doubted) => format!("doubt about {}", doubted.endpoint).into(),
        }
    }
}
