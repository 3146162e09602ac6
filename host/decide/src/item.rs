//! What handlers are invoked with: an event, or something that followed from one.

use std::borrow::Cow;
use std::sync::Arc;

use super::route::{Target, route_changes, route_emitted, route_event, route_offered, route_shared};
use samsyn_journal::{Accepted, CauseKind, Decided, HeldProposal};
use samsyn_registry::Routing;
use samsyn_vocabulary::{Event, Position, Proposal, Timestamp};

/// An item of the log, with the record it stands in.
#[derive(Clone, Debug)]
pub enum Item {
    /// An application's event.
    Event(Arc<Accepted>),
    /// The event number `index - 1` that a record's capabilities emitted.
    Emitted(Arc<Decided>, u16),
    /// A record's changes.
    Changes(Arc<Decided>),
    /// Held proposals that a record offers to the source of now.
    Offered(Arc<Decided>),
}

impl Item {
    /// The items of a `Decided`: its changes are item 0, the events it emitted 1 and up.
    pub fn of_decided(decided: &Arc<Decided>, index: u16) -> Option<Item> {
        match index {
            0 => (!decided.changes.is_empty()).then(|| Item::Changes(decided.clone())),
            index => match decided.emitted.get(usize::from(index) - 1) {
                Some(emitted) => (!emitted.silent).then(|| Item::Emitted(decided.clone(), index)),
                None => (index == decided.last_item()).then(|| Item::Offered(decided.clone())),
            },
        }
    }

    /// What kind of item it is.
    pub fn kind(&self) -> CauseKind {
        match self {
            Item::Event(_) => CauseKind::Event,
            Item::Emitted(..) => CauseKind::Emitted,
            Item::Changes(_) => CauseKind::Change,
            Item::Offered(_) => CauseKind::Offered,
        }
    }

    /// When it happened.
    pub fn observed_at(&self) -> Timestamp {
        match self {
            // Nothing happened after it arrived: a fast clock would else outlast whatever is said until then.
            Item::Event(accepted) => accepted.event.at.min(accepted.event.received_at),
            // What was proposed long ago is no word of today; of several the oldest says when.
            Item::Offered(decided) => {
                let proposed = decided.offered.iter().map(|held| held.at).min();
                proposed.map_or(decided.observed_at, |at| at.min(decided.observed_at))
            }
            Item::Emitted(decided, _) | Item::Changes(decided) => decided.observed_at,
        }
    }

    /// Whether it is a copy of another customer's event, about a number or address that both share.
    pub fn is_copy(&self) -> bool {
        matches!(self, Item::Event(accepted) if accepted.shared_by.is_some())
    }

    /// Whose it is.
    pub fn profile(&self) -> samsyn_vocabulary::ProfileId {
        match self {
            Item::Event(accepted) => accepted.profile,
            Item::Emitted(decided, _) | Item::Changes(decided) | Item::Offered(decided) => decided.profile,
        }
    }

    /// The chain of causes it stands in, by the record that it is in: root and generations since.
    pub fn chain(&self, record: Position) -> (Position, u16) {
        match self {
            Item::Event(_) => (record, 0),
            Item::Emitted(decided, _) | Item::Changes(decided) | Item::Offered(decided) => {
                (decided.root, decided.depth + 1)
            }
        }
    }

    /// What the root had spent when it was caused.
    pub fn spent(&self) -> u32 {
        match self {
            Item::Event(_) => 0,
            Item::Emitted(decided, _) | Item::Changes(decided) | Item::Offered(decided) => decided.spent,
        }
    }

    /// Who is to get it.
    pub fn targets(&self, routing: &Routing, propose: bool) -> Vec<Target> {
        match self {
            Item::Event(accepted) if self.is_copy() => route_shared(&accepted.event.name, routing),
            Item::Event(accepted) => {
                let fields = accepted.proposals.iter().filter(|_| propose).map(|proposal| &proposal.field);
                route_event(&accepted.event.name, fields, routing)
            }
            Item::Emitted(decided, index) => match decided.emitted.get(usize::from(*index) - 1) {
                Some(emitted) => route_emitted(&emitted.name, &emitted.by, routing),
                None => Vec::new(),
            },
            Item::Changes(decided) => route_changes(&decided.changes, routing),
            Item::Offered(decided) => route_offered(decided.offered.iter().map(|held| &held.field), routing),
        }
    }

    /// The event that a subscriber hears.
    pub fn event(&self, position: Position, received_at: Timestamp) -> Option<Cow<'_, Event>> {
        match self {
            Item::Event(accepted) => Some(Cow::Borrowed(&accepted.event)),
            Item::Emitted(decided, index) => {
                let emitted = decided.emitted.get(usize::from(*index) - 1)?;
                Some(Cow::Owned(Event {
                    id: format!("{position}.{index}"),
                    application: None,
                    name: emitted.name.clone(),
                    at: decided.observed_at,
                    received_at,
                    properties: emitted.properties.clone(),
                }))
            }
            Item::Changes(_) | Item::Offered(_) => None,
        }
    }

    /// What it proposes.
    pub fn proposals(&self) -> Cow<'_, [Proposal]> {
        match self {
            Item::Event(accepted) => Cow::Borrowed(&accepted.proposals),
            Item::Offered(decided) => decided.offered.iter().map(HeldProposal::as_proposal).collect(),
            Item::Emitted(..) | Item::Changes(_) => Cow::Borrowed(&[]),
        }
    }
}
