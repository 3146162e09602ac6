//! What handlers are invoked with: an event, or something that followed from one.

use std::borrow::Cow;
use std::sync::Arc;

use samsyn_journal::{
    Accepted, Answered, CallNumber, CallRecord, CauseKind, Changed, Decided, DoubtStep, Doubted, Due,
    Emitted, HeldProposal, Record, RecordError, Stored,
};
use samsyn_vocabulary::{Event, Finding, Position, Proposal, Role, Timestamp};

/// What a handler is invoked with. Each belongs to one role, so that no role is ever given what it can't take.
#[derive(Clone, Copy, Debug)]
pub enum Invocation<'a> {
    /// An application's event, for a subscriber.
    Event(&'a Event),
    /// An event that a capability emitted, for a subscriber.
    Emitted {
        /// The record that holds it.
        record: &'a Decided,
        /// The item's number in the record, counted from 1.
        index: u16,
        /// The event.
        emitted: &'a Emitted,
    },
    /// Values that an event proposes, for their sources.
    Proposals(&'a [Proposal]),
    /// Proposals that were held, for the sources of now.
    Offered(&'a [HeldProposal]),
    /// Values that changed, for an observer.
    Changes(&'a [Changed]),
    /// A timer is due, for the plug-in that set it.
    Timer(&'a Due),
    /// A call was answered, for the plug-in that began it.
    Answer(&'a Answered),
    /// A call is in doubt, for the plug-in that began it.
    Doubt(&'a Doubted),
    /// A look-up was answered, for the plug-in that began it.
    Lookup(&'a Answered),
}

impl Invocation<'_> {
    /// The role that it is for.
    pub fn role(&self) -> Role {
        match self {
            Invocation::Event(_) | Invocation::Emitted { .. } => Role::Subscriber,
            Invocation::Proposals(_) | Invocation::Offered(_) => Role::Source,
            Invocation::Changes(_) => Role::Observer,
            Invocation::Timer(_) => Role::Timed,
            Invocation::Answer(_) => Role::Caller,
            Invocation::Doubt(_) => Role::Prober,
            Invocation::Lookup(_) => Role::Judge,
        }
    }
}

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
    /// A timer that is due.
    Timer(Arc<Due>),
    /// A call that was answered.
    Answer(Arc<Answered>),
    /// A call that is in doubt.
    Doubt(Arc<Doubted>),
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

    /// The item that a record about a call brings.
    pub fn of_call(record: &CallRecord) -> Option<Item> {
        match record {
            CallRecord::Answered(answered) => Some(Item::Answer(Arc::new(Answered::clone(answered)))),
            CallRecord::Doubted(doubted) => Some(Item::Doubt(Arc::new(Doubted::clone(doubted)))),
            _ => None,
        }
    }

    /// What kind of item it is.
    pub fn kind(&self) -> CauseKind {
        match self {
            Item::Event(_) => CauseKind::Event,
            Item::Emitted(..) => CauseKind::Emitted,
            Item::Changes(_) => CauseKind::Change,
            Item::Offered(_) => CauseKind::Offered,
            Item::Timer(_) => CauseKind::Timer,
            Item::Answer(_) => CauseKind::Answer,
            Item::Doubt(_) => CauseKind::Doubt,
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
            Item::Timer(due) => due.at,
            Item::Answer(answered) => answered.at,
            Item::Doubt(doubted) => doubted.at,
        }
    }

    /// Whose call it is about.
    pub fn caller(&self) -> Option<&CallNumber> {
        match self {
            Item::Answer(answered) => Some(&answered.call),
            Item::Doubt(doubted) => Some(&doubted.call),
            _ => None,
        }
    }

    /// What its decision says of a call in doubt, before any handler has judged.
    pub fn doubt(&self) -> Option<Box<DoubtStep>> {
        match self {
            Item::Doubt(doubted) => Some(Box::new(DoubtStep { call: doubted.call.clone(), finding: None })),
            Item::Answer(answered) => {
                let call = CallNumber { number: answered.looks_up?, ..answered.call.clone() };
                Some(Box::new(DoubtStep { call, finding: Some(Finding::Unknown) }))
            }
            _ => None,
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
            Item::Timer(due) => due.profile,
            Item::Answer(answered) => answered.profile,
            Item::Doubt(doubted) => doubted.profile,
        }
    }

    /// The chain of causes it stands in, by the record that it is in: root and generations since.
    pub fn chain(&self, record: Position) -> (Position, u16) {
        match self {
            Item::Event(_) => (record, 0),
            Item::Emitted(decided, _) | Item::Changes(decided) | Item::Offered(decided) => {
                (decided.root, decided.depth + 1)
            }
            Item::Timer(due) => due.root.map_or((record, 0), |root| (root, due.depth + 1)),
            Item::Answer(answered) => answered.root.map_or((record, 0), |root| (root, answered.depth + 1)),
            Item::Doubt(doubted) => doubted.root.map_or((record, 0), |root| (root, doubted.depth + 1)),
        }
    }

    /// What the root had spent when it was caused.
    pub fn spent(&self) -> u32 {
        match self {
            Item::Event(_) => 0,
            Item::Emitted(decided, _) | Item::Changes(decided) | Item::Offered(decided) => decided.spent,
            Item::Timer(due) => due.spent,
            Item::Answer(answered) => answered.spent,
            Item::Doubt(doubted) => doubted.spent,
        }
    }

    /// What a handler of this role is invoked with; none when the item is nothing for the role.
    pub fn invocation(&self, role: Role) -> Option<Invocation<'_>> {
        match (self, role) {
            (Item::Event(accepted), Role::Subscriber) => Some(Invocation::Event(&accepted.event)),
            (Item::Event(accepted), Role::Source) => Some(Invocation::Proposals(&accepted.proposals)),
            (Item::Emitted(record, index), Role::Subscriber) => Some(Invocation::Emitted {
                record,
                index: *index,
                emitted: record.emitted.get(usize::from(*index).checked_sub(1)?)?,
            }),
            (Item::Changes(record), Role::Observer) => Some(Invocation::Changes(&record.changes)),
            (Item::Offered(record), Role::Source) => Some(Invocation::Offered(&record.offered)),
            (Item::Timer(due), Role::Timed) => Some(Invocation::Timer(due)),
            (Item::Answer(answered), Role::Caller) if answered.looks_up.is_none() => {
                Some(Invocation::Answer(answered))
            }
            (Item::Answer(answered), Role::Judge) if answered.is_judged() => {
                Some(Invocation::Lookup(answered))
            }
            (Item::Doubt(doubted), Role::Prober) => Some(Invocation::Doubt(doubted)),
            _ => None,
        }
    }

    /// What it proposes.
    pub fn proposals(&self) -> Cow<'_, [Proposal]> {
        match self {
            Item::Event(accepted) => Cow::Borrowed(&accepted.proposals),
            Item::Offered(decided) => decided.offered.iter().map(HeldProposal::as_proposal).collect(),
            Item::Emitted(..) | Item::Changes(_) | Item::Timer(_) | Item::Answer(_) | Item::Doubt(_) => {
                Cow::Borrowed(&[])
            }
        }
    }
}

/// The items of a record, with their numbers.
pub fn items_of(record: &Stored) -> Result<Vec<(u16, Item)>, RecordError> {
    Ok(match record.record()? {
        Record::Accepted(accepted) => vec![(0, Item::Event(Arc::new(accepted)))],
        Record::Due(due) => vec![(0, Item::Timer(Arc::new(due)))],
        Record::Call(record) => Item::of_call(&record).map(|item| (0, item)).into_iter().collect(),
        Record::Decided(decided) => {
            let decided = Arc::new(decided);
            let indexes = 0..=decided.last_item();
            indexes.filter_map(|index| Some((index, Item::of_decided(&decided, index)?))).collect()
        }
        _ => Vec::new(),
    })
}
