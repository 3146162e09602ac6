//! The one fold of a record, for everybody who folds: the view as records become durable, a view that is made
//! anew, a snapshot. They differ in where they keep what comes of it, and that is all a [`Folder`] says.

use std::sync::Arc;

use crate::view::{Applied, CommittedRecord, EventKey, LinkKey};
use samsyn_journal::{Adopted, CallRecord, Decided, PartialRecord, PendingMoves, RecordError, Undecoded};
use samsyn_log::ChainHash;
use samsyn_vocabulary::{EventName, Position, ProfileId, Timestamp};

/// What a record says, as far as it is folded.
pub(crate) enum Said<'a> {
    /// An event was accepted.
    Accepted { key: EventKey, name: &'a EventName, received_at: Timestamp },
    /// An item was decided.
    Decided(&'a Decided),
    /// Something about a call.
    Call(&'a CallRecord),
    /// A partition took a registry revision into use.
    Adopted(&'a Arc<Adopted>),
    /// An identifier, or a place in the line for it, is a profile's now; none: nobody's.
    Linked { key: LinkKey, profile: Option<ProfileId> },
    /// The registry changed, which is folded by the registry's own keeper; or a late record changes nothing; or a
    /// timer is due, which its decision folds; or the record's content was erased.
    Nothing,
}

/// What a decision does to the counts of its partition.
#[derive(Clone, Copy, Default)]
pub(crate) struct Counted {
    /// Its profile is new.
    pub created: bool,
    /// How many more timers are set since.
    pub more_timers: i64,
    /// How many more calls wait since.
    pub more_calls: i64,
}

impl Counted {
    /// Of a record that moves this.
    pub fn of(created: bool, moves: &PendingMoves) -> Counted {
        let more_timers = moves.timers.iter().map(|timer_move| if timer_move.is_set { 1 } else { -1 }).sum();
        Counted { created, more_timers, more_calls: moves.more_calls }
    }
}

/// Where what records fold into is kept.
pub(crate) trait Folder {
    /// Why it can't be kept.
    type Error;

    /// Where the fold of the record's partition is.
    fn applied(&mut self, position: Position) -> &mut Applied;

    /// Folds a decision into its profile.
    fn decided(&mut self, position: Position, decided: &Decided) -> Result<Counted, Self::Error>;

    /// Folds a record about a call into its profile.
    fn call(&mut self, position: Position, record: &CallRecord) -> Result<Counted, Self::Error>;

    /// Remembers where an event stands.
    fn event(&mut self, position: Position, key: EventKey, received_at: Timestamp);

    /// Remembers whose an identifier is.
    fn link(&mut self, key: LinkKey, profile: Option<ProfileId>);
}

/// Folds the next record of a partition.
pub(crate) fn step<F: Folder>(
    folder: &mut F,
    position: Position,
    chain: &ChainHash,
    said: Said<'_>,
) -> Result<(), F::Error> {
    let applied = folder.applied(position);
    applied.reach(position.seq, chain);
    match said {
        Said::Accepted { key, name, received_at } => {
            applied.fold_event(name);
            // What no application sent, nobody asks for.
            if key != EventKey::NONE {
                folder.event(position, key, received_at);
            }
        }
        Said::Decided(decided) => {
            let counted = folder.decided(position, decided)?;
            folder.applied(position).fold_decided(decided, counted);
        }
        Said::Call(record) => {
            let counted = folder.call(position, record)?;
            folder.applied(position).count_pending(counted);
        }
        Said::Adopted(adopted) => applied.partition.fold_adopted(position.seq, adopted),
        Said::Linked { key, profile } => folder.link(key, profile),
        Said::Nothing => {}
    }
    Ok(())
}

impl CommittedRecord {
    /// What it says.
    pub(crate) fn said(&self) -> Said<'_> {
        match self {
            CommittedRecord::Accepted { key, accepted } => Said::Accepted {
                key: *key,
                name: &accepted.event.name,
                received_at: accepted.event.received_at,
            },
            CommittedRecord::Decided { decided, .. } => Said::Decided(decided),
            CommittedRecord::Call { record, .. } => Said::Call(record),
            CommittedRecord::Adopted(adopted) => Said::Adopted(adopted),
            CommittedRecord::Linked(linked) => Said::Linked {
                key: LinkKey::at(&linked.identifier, &linked.normal, linked.line_position),
                profile: (!linked.retired).then_some(linked.profile),
            },
            CommittedRecord::Registry | CommittedRecord::Late | CommittedRecord::Due => Said::Nothing,
        }
    }
}

/// A record as it was read to be folded, on its own.
pub(crate) enum Read {
    Accepted { key: EventKey, name: EventName, received_at: Timestamp },
    Decided(Box<Decided>),
    Call(Box<CallRecord>),
    Adopted(Arc<Adopted>),
    Linked { key: LinkKey, profile: Option<ProfileId> },
    Nothing,
}

impl Read {
    /// Reads what of a record is folded.
    pub fn of(record: &Undecoded<'_>) -> Result<Read, RecordError> {
        Ok(match record.partial()? {
            PartialRecord::Accepted(event) => Read::Accepted {
                key: EventKey::of_accepted(event.application.as_ref(), event.id),
                name: event.name,
                received_at: event.received_at,
            },
            PartialRecord::Decided(decided) => Read::Decided(decided),
            PartialRecord::Call(record) => Read::Call(Box::new(record)),
            PartialRecord::Adopted(adopted) => Read::Adopted(Arc::new(adopted)),
            PartialRecord::Linked(linked) => Read::Linked {
                key: LinkKey::at(&linked.identifier, linked.normal, linked.line_position),
                profile: (!linked.retired).then_some(linked.profile),
            },
            PartialRecord::Registry | PartialRecord::Late(_) | PartialRecord::Due | PartialRecord::Erased => {
                Read::Nothing
            }
        })
    }

    /// What it says.
    pub fn said(&self) -> Said<'_> {
        match self {
            Read::Accepted { key, name, received_at } => {
                Said::Accepted { key: *key, name, received_at: *received_at }
            }
            Read::Decided(decided) => Said::Decided(decided),
            Read::Call(record) => Said::Call(record),
            Read::Adopted(adopted) => Said::Adopted(adopted),
            Read::Linked { key, profile } => Said::Linked { key: *key, profile: *profile },
            Read::Nothing => Said::Nothing,
        }
    }
}
