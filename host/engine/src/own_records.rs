//! Records that something of a customer names: the timeline's next one, the cause of a decision, the item of an
//! invocation that waits. A name is a full position, because the records of a profile that became this one stand
//! in another partition. Each record is read here by its name, and one of somebody else is never handed out.

use super::QueryError;
use super::shared::Shared;
use samsyn_identity::belongs_to;
use samsyn_journal::{Decided, Record};
use samsyn_vocabulary::{Position, ProfileId};

/// Whose record it is; none when it concerns a whole partition.
fn owner_of(record: &Record) -> Option<ProfileId> {
    match record {
        Record::Accepted(accepted) => Some(accepted.profile),
        Record::Decided(decided) => Some(decided.profile),
        Record::Linked(linked) => Some(linked.profile),
        Record::Late(late) => Some(late.profile),
        Record::Due(due) => Some(due.profile),
        Record::Body(body) => Some(body.profile),
        Record::Call(call) => Some(call.profile()),
        Record::Adopted(_) | Record::Registry(_) | Record::Erased => None,
    }
}

impl Shared {
    /// A record that something of a profile names; none when it isn't there. It is an error when it is another
    /// customer's.
    pub(super) fn own_record(
        &self,
        profile: ProfileId,
        position: Position,
    ) -> Result<Option<Record>, QueryError> {
        let Some(record) = self.record(position)? else { return Ok(None) };
        match owner_of(&record) {
            Some(owner) if !belongs_to(owner, profile) => {
                Err(QueryError::AnothersRecord { position, profile })
            }
            _ => Ok(Some(record)),
        }
    }

    /// The record whose item a decision answers, as far as it may be shown for it: nothing of one that is another
    /// customer's. A decision that refuses such an item names it all the same.
    pub(super) fn cause_of(&self, decided: &Decided) -> Result<Option<Record>, QueryError> {
        match self.own_record(decided.profile, decided.cause.record()) {
            Err(QueryError::AnothersRecord { .. }) => Ok(None),
            read => read,
        }
    }
}
