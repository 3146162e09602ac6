//! The fold: records in order, state out. Pure, and the same live, after a crash and in a rebuild.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::calls::fold_doubt;
use super::profile_state::{CONFLICTS_MAX, Latch, MemoryBytes};
use super::timers::is_of_timers;
use super::{
    Adopted, AnswerKind, Blocked, Claim, Conflict, Cursor, Decided, InvocationStatus, Memory, Outcome,
    ProfileState, ReassignmentJob,
};
use samsyn_vocabulary::{CapabilityName, ItemPosition, Position, Seq, Value};

/// The profile after this record, which stands `at` its place.
pub fn fold_profile(before: Option<&ProfileState>, at: Position, decided: &Decided) -> ProfileState {
    let mut state = match before {
        Some(before) => before.clone(),
        None => ProfileState::new(decided.profile, decided.at),
    };
    fold_into(&mut state, at, decided);
    state
}

/// [`fold_profile`] on a state that nobody else needs as it was.
pub fn fold_into(state: &mut ProfileState, at: Position, decided: &Decided) {
    state.head = Some(at);
    fold(state, Some(at), decided);
}

/// The profile as a record would leave it that has no place in the log: its newest record stays.
pub fn fold_ahead(before: &ProfileState, decided: &Decided) -> ProfileState {
    let mut state = before.clone();
    fold_effects(&mut state, decided);
    state
}

/// [`fold_ahead`] on a state that nobody else needs as it was.
pub fn fold_effects(state: &mut ProfileState, decided: &Decided) {
    fold(state, None, decided);
}

fn fold(state: &mut ProfileState, at: Option<Position>, decided: &Decided) {
    fold_identifiers(state, decided);
    // First: a handler may set the timer anew for which it was invoked.
    if let Some(ended) = &decided.timer {
        state.end_timer(ended, decided.at);
    }
    let mut calls = 0;
    for outcome in &decided.outcomes {
        fold_outcome(state, outcome, calls, decided, at);
        calls += outcome.calls.len();
    }
    fold_doubt(state, decided);
    for answer in &decided.answers {
        // A source has answered: what was held for the field has been dealt with.
        if !matches!(
            answer.outcome,
            AnswerKind::NoSource | AnswerKind::Waiting | AnswerKind::PreconditionFailed
        ) {
            state.held.retain(|held| held.field != answer.field);
        }
    }
    for held in &decided.held {
        state.held.retain(|other| other.field != held.field || other.by != held.by);
        state.held.push(held.clone());
    }
    for changed in decided.changes.iter().filter(|changed| changed.protective) {
        state.latched.retain(|latch| latch.field != changed.field);
        if changed.after == Some(Value::Boolean(true)) {
            state.latched.push(Latch {
                field: changed.field.clone(),
                by: changed.by.clone(),
                observed_at: decided.observed_at,
                cause: decided.cause,
            });
        }
    }
}

/// What it goes by, and what it can't go by because another profile does.
fn fold_identifiers(state: &mut ProfileState, decided: &Decided) {
    let Decided { identifiers, retired, conflicts, .. } = decided;
    if identifiers.is_empty() && retired.is_empty() && conflicts.is_empty() {
        return;
    }
    let is_own = |conflict: &Conflict| identifiers.contains(&conflict.identifier);
    state.conflicts.retain(|conflict| !retired.contains(&conflict.identifier) && !is_own(conflict));
    state.identifiers.retain(|identifier| !retired.contains(identifier));
    for identifier in identifiers {
        if !state.identifiers.contains(identifier) {
            state.identifiers.push(identifier.clone());
        }
    }
    for conflict in conflicts {
        // Older hosts listed it as one that the profile goes by.
        state.identifiers.retain(|identifier| *identifier != conflict.identifier);
        state.conflicts.retain(|known| known.identifier != conflict.identifier);
        state.conflicts.push(conflict.clone());
    }
    let surplus = state.conflicts.len().saturating_sub(CONFLICTS_MAX);
    state.conflicts.drain(..surplus);
}

fn fold_outcome(
    state: &mut ProfileState,
    outcome: &Outcome,
    first_call: usize,
    decided: &Decided,
    at: Option<Position>,
) {
    let waits = matches!(outcome.result, InvocationStatus::Parked(_) | InvocationStatus::Held);
    let sets_timers = outcome.actions.iter().any(is_of_timers);
    let begins_calls = outcome.calls.iter().any(|call| !call.silent);
    let says_nothing =
        outcome.claims.is_empty() && outcome.memory.is_none() && !waits && !sets_timers && !begins_calls;
    if says_nothing
        && state.capability_state(&outcome.capability, outcome.generation).is_none_or(|own| !own.waits())
    {
        return;
    }
    let capability_state = state.capability_state_to_change(outcome);
    let same_invocation = |blocked: &Blocked| blocked.item == decided.cause && blocked.role == outcome.role;
    if waits {
        let failure = match &outcome.result {
            InvocationStatus::Parked(failure) => Some(failure.clone()),
            _ => None,
        };
        match capability_state.blocked.iter_mut().find(|blocked| same_invocation(blocked)) {
            Some(blocked) => blocked.failure = failure,
            None => capability_state.wait(Blocked {
                item: decided.cause,
                kind: decided.kind,
                role: outcome.role,
                since: decided.at,
                failure,
                root: decided.root,
                depth: decided.depth,
            }),
        }
        return;
    }
    match capability_state.blocked.iter().position(same_invocation) {
        Some(listed) => drop(capability_state.blocked.remove(listed)),
        None if capability_state.held_more.is_some_and(|more| more.reaches(decided.cause)) => {
            capability_state.pass(decided.cause)
        }
        None => {}
    }
    if capability_state.claims.is_empty() {
        // Most say the same fields for ever: no room for more.
        capability_state.claims.reserve_exact(outcome.claims.len());
    }
    for (field, value) in &outcome.claims {
        let claim = Claim {
            field: field.clone(),
            value: value.clone(),
            observed_at: decided.observed_at,
            cause: decided.cause,
        };
        match capability_state.claims.iter_mut().find(|known| known.field == *field) {
            Some(is) => *is = claim,
            None => capability_state.claims.push(claim),
        }
    }
    if sets_timers {
        let timers = capability_state.timers.get_or_insert_default();
        outcome.actions.iter().for_each(|action| timers.act(action, decided));
    }
    if begins_calls {
        let calls = capability_state.calls.get_or_insert_default();
        calls.begin(outcome, first_call, decided, at);
    }
    match &outcome.memory {
        Some(Memory::Kept(bytes)) => capability_state.memory = Some(MemoryBytes(bytes.clone())),
        Some(Memory::Forgotten) => capability_state.memory = None,
        None => {}
    }
}

/// A partition's cursors and the registry revision it uses. Cheap to clone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartitionState {
    /// Items up to and with this one are decided for live capabilities.
    pub through: ItemPosition,
    /// The newest `Adopted`, the cursors of lagging capabilities moved by every `Decided` since.
    pub adopted: Arc<Adopted>,
    /// Customers notified by the jobs that run.
    #[serde(rename = "told", default)]
    pub notified: u64,
}

impl PartitionState {
    /// The partition after this record, its number `seq`.
    pub fn fold_adopted(&mut self, seq: Seq, adopted: &Arc<Adopted>) {
        self.through = self.through.max(adopted.through);
        self.adopted = adopted.clone();
        if adopted.jobs.iter().any(|job| job.since == 0) {
            let jobs = &mut Arc::make_mut(&mut self.adopted).jobs;
            jobs.iter_mut().filter(|job| job.since == 0).for_each(|job| job.since = seq);
        }
        if adopted.jobs.is_empty() {
            self.notified = 0;
        }
    }

    /// The partition after this record.
    pub fn fold_decided(&mut self, decided: &Decided) {
        self.through = self.through.max(decided.through);
        self.notified += u64::from(decided.notifies);
        if let Some(cursor) = &decided.cursor {
            self.move_cursor(cursor);
        }
    }

    /// Moves the cursor of a lagging capability on.
    pub fn move_cursor(&mut self, to: &Cursor) {
        let same =
            |cursor: &&mut Cursor| cursor.generation == to.generation && cursor.capability == to.capability;
        if let Some(lagging) = Arc::make_mut(&mut self.adopted).lagging.iter_mut().find(same) {
            lagging.through = lagging.through.max(to.through);
        }
    }

    /// The generation of a capability whose claims count here.
    pub fn generation(&self, capability: &CapabilityName) -> Option<u32> {
        self.adopted.visible.get(capability).copied()
    }

    /// Jobs whose notification is pending for a customer: those begun after its newest record, which is one of
    /// this partition.
    pub fn pending_jobs(&self, head: Option<Position>) -> &[ReassignmentJob] {
        let head = head.map_or(0, |head| head.seq);
        let jobs = &self.adopted.jobs;
        // Oldest first, so that pending jobs are at the end.
        &jobs[jobs.partition_point(|job| job.since <= head)..]
    }

    /// Whether any generation of the capability lags here.
    pub fn is_lagging(&self, capability: &CapabilityName) -> bool {
        self.adopted.lagging.iter().any(|cursor| cursor.capability == *capability)
    }

    /// Whether the same invocations are due in both: the revision, the generations and who lags are the
    /// same. Cursors may have moved.
    pub fn invokes_same_as(&self, other: &PartitionState) -> bool {
        if Arc::ptr_eq(&self.adopted, &other.adopted) {
            return true;
        }
        let (one, two) = (&self.adopted, &other.adopted);
        one.revision == two.revision
            && one.visible == two.visible
            && one.lagging.len() == two.lagging.len()
            && one.lagging.iter().zip(&two.lagging).all(|(one, two)| one.capability == two.capability)
    }
}
