//! The firing of a timer, by the worker of its partition: the record that says so, and what follows from it when its
//! turn comes.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::fault::StopCause;
use super::lanes::Lanes;
use super::partition::Core;
use samsyn_decide::item::Item;
use samsyn_journal::{Cursor, Due, EndedTimer, PartitionState, PendingTimer, ProfileState, TimerEnd};
use samsyn_registry::Registry;
use samsyn_vocabulary::{ItemPosition, Partition, Seq, Timestamp};

impl Lanes {
    /// Fires a timer if it is still set and nothing holds it back: its record is appended, and stands behind all that
    /// was accepted before.
    pub(super) fn fire(&self, partition: Partition, pending: &PendingTimer) -> Result<(), StopCause> {
        let mut core = self.core(partition);
        let Some(state) = core.profile(pending.profile, &self.shared.view)? else { return Ok(()) };
        let timers = state.timers(&pending.capability, pending.generation);
        let timer = timers.and_then(|timers| timers.get(&pending.name));
        let Some(timer) = timer.filter(|timer| timer.fires_at() == pending.fires_at) else { return Ok(()) };
        if is_held_back(&core, pending) {
            return Ok(());
        }
        let now = self.shared.clock.now();
        let due = Due::of(timer, pending.profile, &pending.capability, pending.generation, now);
        if core.firing.insert(due.ended(TimerEnd::Fired), state.id) {
            self.sequencer.append_due(partition, due)?;
            self.shared.metrics.timers_fired.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Decides a timer that has fired.
    pub(super) fn decide_due(&self, partition: Partition, seq: Seq, due: Arc<Due>) -> Result<(), StopCause> {
        let decided = self.decide_live(partition, ItemPosition { seq, index: 0 }, &Item::Timer(due), None);
        self.sequencer.undecided.fetch_sub(1, Ordering::Relaxed);
        decided
    }
}

/// Whether a timer waits: a plug-in in quarantine is invoked with nothing, and one that catches up fires its timers in
/// the course of that.
fn is_held_back(core: &Core, pending: &PendingTimer) -> bool {
    let Some(runtime) = &core.runtime else { return true };
    let Some((_, routed)) = runtime.registry.routing.capability(&pending.capability) else { return false };
    let catches_up = core.state.adopted.lagging.iter().any(|cursor| {
        cursor.catching_up
            && cursor.generation == pending.generation
            && cursor.capability == pending.capability
    });
    routed.capability.is_quarantined() || catches_up
}

/// How the timer of an item ends when it is decided now; none when the item is no timer.
pub fn ended_timer(
    item: &Item,
    state: &ProfileState,
    partition_state: &PartitionState,
    registry: &Registry,
) -> Option<EndedTimer> {
    let Item::Timer(due) = item else { return None };
    let Some(timer) = due.timer(state) else { return Some(due.ended(TimerEnd::Cancelled)) };
    let is_used =
        partition_state.generation(&due.capability) == Some(due.generation) || lags(due, partition_state);
    // One that was removed and installed again inherits none.
    let capability = registry.capabilities.get(&due.capability);
    let is_there = capability.is_some_and(|capability| capability.since <= timer.revision);
    Some(due.ended(if is_used && is_there { TimerEnd::Fired } else { TimerEnd::Removed }))
}

/// Whether the generation that set a timer has a cursor of its own, so that its own thread decides it.
pub fn lags(due: &Due, partition_state: &PartitionState) -> bool {
    let mut lagging = partition_state.adopted.lagging.iter();
    lagging.any(|cursor| cursor.capability == due.capability && cursor.generation == due.generation)
}

/// The firing of the first timer of a generation that catches up that is due by a time, at its own time.
pub fn first_due(state: &ProfileState, cursor: &Cursor, by: Timestamp) -> Option<Due> {
    let timers = state.timers(&cursor.capability, cursor.generation)?.set().iter();
    let due = timers.filter(|timer| timer.fires_at() <= by);
    let first = due.min_by_key(|timer| (timer.fires_at(), timer.name.clone()))?;
    let due = Due::of(first, state.id, &cursor.capability, cursor.generation, first.fires_at());
    Some(Due { in_passing: true, ..due })
}
