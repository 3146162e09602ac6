//! A decision before its last step: whose identifiers are whose. That step needs to know what nobody else may
//! change meanwhile, and what is linked by it, so it is made when the record is about to be appended.
//!
//! A record comes out of a draft only by that step: nothing is added to it afterwards.

use samsyn_identity::{Basis, DecidedNames, LookUp, concerns_links, decide_names, looks_up};
use samsyn_journal::{Accepted, Body, Decided};

/// All of a decision but the profile's identifiers.
pub struct Draft<'a> {
    pub(crate) decided: Decided,
    /// The event, when this is its first decision.
    pub(crate) accepted: Option<&'a Accepted>,
    /// How often each outcome's handler said no itself.
    pub(crate) own_refusals: Vec<u64>,
    /// The bodies of the requests that it begins, in their order.
    pub(crate) bodies: Vec<Body>,
}

/// A record that is ready, with what goes with it.
pub struct Ready {
    pub decided: Decided,
    /// The bodies of its requests, which are to stand before it in their order.
    pub bodies: Vec<Body>,
    /// How often each of its outcomes' handlers said no itself; the rest of an outcome's refusals are the host's.
    pub own_refusals: Vec<u64>,
}

/// What a draft has to do with links.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkConcern {
    /// Nothing: its names are none.
    Nothing,
    /// It looks links up. Only if some are missing it makes them.
    LooksUp,
    /// It may change links: nobody else may do that from its last step until it is appended.
    Changes,
}

impl Draft<'_> {
    /// A draft of a record that no handler had a part in.
    pub fn of(decided: Decided) -> Draft<'static> {
        Draft { decided, accepted: None, own_refusals: Vec::new(), bodies: Vec::new() }
    }

    /// What it has to do with links.
    pub fn concern(&self, basis: &Basis<'_>) -> LinkConcern {
        if concerns_links(&self.decided, basis) {
            return LinkConcern::Changes;
        }
        match self.accepted.is_some_and(|accepted| looks_up(accepted, basis)) {
            true => LinkConcern::LooksUp,
            false => LinkConcern::Nothing,
        }
    }

    /// The last step: its identifiers, and the links that are to be appended before it.
    pub fn names<L: LookUp>(&self, basis: &Basis<'_>, look_up: &L) -> Result<DecidedNames, L::Error> {
        decide_names(&self.decided, self.accepted, basis, look_up)
    }

    /// The record with what goes with it. `key` makes the idempotency keys of its requests: each another one.
    pub fn complete(self, names: DecidedNames, mut key: impl FnMut() -> uuid::Uuid) -> Ready {
        let DecidedNames { identifiers, retired, conflicts, links: _ } = names;
        let Draft { mut decided, own_refusals, bodies, .. } = self;
        let calls = decided.outcomes.iter_mut().flat_map(|outcome| &mut outcome.calls);
        let mut before = u16::try_from(bodies.len()).unwrap_or(u16::MAX);
        for call in calls.filter(|call| !call.silent) {
            call.key = Some(key());
            if let Some(body) = &mut call.body {
                body.before = before;
                before = before.saturating_sub(1);
            }
        }
        Ready { decided: Decided { identifiers, retired, conflicts, ..decided }, bodies, own_refusals }
    }

    /// What handlers said and its consequences, for who folds it and appends no record.
    pub fn without_names(self) -> Decided {
        self.decided
    }
}
