//! Invocations that are held behind a parked one and too many to be listed in the profile: the profile's
//! own records say which they are, in the order in which they are to run.

use std::collections::{HashSet, VecDeque};

use super::QueryError;
use super::shared::Shared;
use samsyn_journal::{Blocked, CapabilityState, InvocationStatus, ProfileState, Record};
use samsyn_vocabulary::{FullPosition, Position, Role};

/// Those of one generation of a capability, while they are run one after the other: the profile's
/// records are read once for all of them.
#[derive(Default)]
pub struct HeldQueue {
    generation: u32,
    items: VecDeque<Blocked>,
}

impl HeldQueue {
    /// The next to be run, which then belongs to the caller.
    pub fn next(
        &mut self,
        shared: &Shared,
        state: &ProfileState,
        capability_state: &CapabilityState,
    ) -> Result<Option<Blocked>, QueryError> {
        if self.generation != capability_state.generation || self.items.is_empty() {
            // Only what is on the disk can be read.
            state.head.into_iter().for_each(|head| shared.wait_until_durable(head));
            *self = HeldQueue {
                generation: capability_state.generation,
                items: shared.held_more(state, capability_state)?.into(),
            };
        }
        Ok(self.items.pop_front())
    }
}

impl Shared {
    /// The invocations of a capability that are held and not listed, in their order. Reads the profile's
    /// records back to the first of them.
    pub(super) fn held_more(
        &self,
        state: &ProfileState,
        capability_state: &CapabilityState,
    ) -> Result<Vec<Blocked>, QueryError> {
        let Some(more) = capability_state.held_more else { return Ok(Vec::new()) };
        // The newest word on an invocation counts, and what is listed is listed.
        let mut known: HashSet<(FullPosition, Role)> =
            capability_state.blocked.iter().map(|blocked| (blocked.item, blocked.role)).collect();
        let mut held = Vec::new();
        let mut next = state.head;
        // What decides an item stands behind it.
        let is_behind = |at: &Position| at.partition != more.first.partition || at.seq > more.first.seq;
        while let Some(at) = next.filter(is_behind) {
            let Some(Record::Decided(record)) = self.own_record(state.id, at)? else { break };
            let of_it = |is: &&samsyn_journal::Outcome| {
                is.capability == capability_state.capability && is.generation == capability_state.generation
            };
            for outcome in record.outcomes.iter().rev().filter(of_it) {
                let is_newest = known.insert((record.cause, outcome.role));
                if is_newest && matches!(outcome.result, InvocationStatus::Held) {
                    held.push(Blocked {
                        item: record.cause,
                        kind: record.kind,
                        role: outcome.role,
                        since: record.at,
                        failure: None,
                        root: record.root,
                        depth: record.depth,
                    });
                }
            }
            next = record.previous;
        }
        held.reverse();
        Ok(held)
    }
}
