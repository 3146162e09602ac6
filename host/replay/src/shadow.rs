//! A component's shadow run: it is called as it would have been, and keeps its own claims and memory.

use std::borrow::Cow;
use std::cell::Cell;
use std::time::Duration;

use super::control::Control;
use super::input::Candidate;
use super::revisions::Fit;
use samsyn_decide::decide::{Cause, CompletedInvocation, Decision, InvocationResult};
use samsyn_decide::invoke::{InvocationInput, invoke_in_order, invoke_with_retries, is_timeout};
use samsyn_decide::item::Item;
use samsyn_decide::route::Target;
use samsyn_journal::{
    Cursor, Decided, Emitted, InvocationStatus, Outcome, PartitionState, ProfileState, fold_ahead,
    fold_effects,
};
use samsyn_sandbox::{HandlerInput, InvocationReport};
use samsyn_vocabulary::{CapabilityName, Finding, FullPosition, Role, Timestamp};

/// One item that the plug-in is invoked with, and what the log says of that.
pub struct ReplayedItem<'a> {
    /// The cursors of the partition before the record.
    pub partition_state: &'a PartitionState,
    pub item: &'a Item,
    pub cause: Cause,
    /// The lagging capability whose cursor the record moves.
    pub cursor: Option<Cursor>,
    /// The record's time.
    pub at: Timestamp,
    /// What the log's own outcomes are, of this plug-in.
    pub logged: &'a [&'a Outcome],
}

/// What came of an item.
#[derive(Default)]
pub struct ItemOutcome<'a> {
    /// Outcomes, one a role.
    pub outcomes: Vec<Cow<'a, Outcome>>,
    /// What was emitted, by all roles.
    pub emitted: Vec<Cow<'a, Emitted>>,
    /// What a look-up was judged to have found; none when nothing was judged.
    pub finding: Option<Finding>,
    /// This run had completed it already when the log retried it.
    pub was_done: bool,
}

/// A component that runs.
pub struct Shadow<'a> {
    pub candidate: &'a Candidate,
    /// The plug-in's name.
    pub capability: &'a CapabilityName,
    /// Whether to go on.
    pub control: &'a Control,
    /// The time of one invocation.
    pub time: Duration,
    /// What one capability may keep of one customer.
    pub customer_bytes: u64,
    /// How many invocations were made.
    pub invocations: &'a Cell<u64>,
}

impl ReplayedItem<'_> {
    fn decision<'a>(
        &'a self,
        customer_bytes: u64,
        fit: &'a Fit,
        state: &'a ProfileState,
        completed: Vec<CompletedInvocation>,
        cursor: Option<Cursor>,
    ) -> Decision<'a, 'static> {
        Decision {
            cause: self.cause.clone(),
            routing: &fit.routing,
            revision: fit.revision,
            partition: self.partition_state,
            state,
            accepted: None,
            proposals: &[],
            precondition_met: true,
            completed,
            through: None,
            cursor,
            late: false,
            customer_bytes,
            at: self.at,
        }
    }

    fn logged(&self, role: Role) -> Option<&Outcome> {
        self.logged.iter().copied().find(|outcome| outcome.role == role)
    }
}

/// Whether an invocation waits in this state.
fn waits(
    own: &ProfileState,
    capability: &CapabilityName,
    generation: u32,
    item: FullPosition,
    role: Role,
) -> bool {
    let capability_state = own.capability_state(capability, generation);
    capability_state.is_some_and(|own| own.may_wait(item, role))
}

impl Shadow<'_> {
    /// Invokes these roles with an item. `state` is the profile as the log has it, `own` what this run told
    /// of it.
    pub fn invoke(
        &self,
        fit: &Fit,
        targets: &[(Target<'_>, u32)],
        state: &mut ProfileState,
        own: &mut ProfileState,
        replayed: &ReplayedItem<'_>,
    ) -> ItemOutcome<'static> {
        if targets.is_empty() {
            return ItemOutcome::default();
        }
        let logged = std::mem::take(&mut state.capabilities);
        let others = logged.iter().filter(|own| own.capability != *self.capability);
        state.capabilities = others.chain(&own.capabilities).cloned().collect();
        let decided = self.decide(fit, targets, state, replayed);
        state.capabilities = logged;
        self.fold(&decided, own, replayed);
        let judged = decided.outcomes.iter().any(has_judged);
        let finding = decided.doubt.as_ref().filter(|_| judged).and_then(|doubt| doubt.finding);
        let outcomes = decided.outcomes.into_iter().map(Cow::Owned).collect();
        let emitted = decided.emitted.into_iter().map(Cow::Owned).collect();
        ItemOutcome { outcomes, emitted, finding, was_done: false }
    }

    /// Runs an invocation that the log ran again, or gave up, after it had waited.
    pub fn retry(
        &self,
        fit: &Fit,
        state: &mut ProfileState,
        own: &mut ProfileState,
        replayed: &ReplayedItem<'_>,
    ) -> ItemOutcome<'static> {
        let waited = |outcome: &&&Outcome| {
            waits(own, self.capability, outcome.generation, replayed.cause.item, outcome.role)
        };
        let waiting = replayed.logged.iter().filter(waited);
        let target = |outcome: &&Outcome| {
            let invocation = replayed.item.invocation(outcome.role)?;
            Some((Target { capability: fit.index, invocation }, outcome.generation))
        };
        let targets: Vec<(Target<'_>, u32)> = waiting.filter_map(target).collect();
        let was_done = targets.len() < replayed.logged.len();
        ItemOutcome { was_done, ..self.invoke(fit, &targets, state, own, replayed) }
    }

    fn decide(
        &self,
        fit: &Fit,
        targets: &[(Target<'_>, u32)],
        state: &ProfileState,
        replayed: &ReplayedItem<'_>,
    ) -> Decided {
        let fold_own = |state: &ProfileState, completed: &CompletedInvocation| {
            let draft =
                replayed.decision(self.customer_bytes, fit, state, vec![completed.clone()], None).decide();
            fold_ahead(state, &draft.without_names())
        };
        let invoke = |target: Target<'_>, generation, state: &ProfileState| {
            self.invoke_one(fit, target, generation, state, replayed)
        };
        let completed = invoke_in_order(targets, state, invoke, fold_own);
        // Visible values are the log's; only what the plug-in itself said and keeps is this run's.
        replayed.decision(self.customer_bytes, fit, state, completed, replayed.cursor.clone()).decide_said()
    }

    fn invoke_one(
        &self,
        fit: &Fit,
        target: Target<'_>,
        generation: u32,
        state: &ProfileState,
        replayed: &ReplayedItem<'_>,
    ) -> InvocationResult {
        match replayed.logged(target.role()).map(|logged| &logged.result) {
            Some(InvocationStatus::Undeliverable { reason }) => {
                return InvocationResult::Undeliverable(reason.clone());
            }
            Some(InvocationStatus::Skipped { reason }) => return InvocationResult::Skipped(reason.clone()),
            Some(InvocationStatus::Held) => {
                let capability_state = state.capability_state(self.capability, generation);
                if capability_state.is_some_and(|own| own.waits()) {
                    return InvocationResult::Held;
                }
            }
            _ => {}
        }
        let input = InvocationInput {
            invocation: target.invocation,
            cause: &replayed.cause,
            partition_state: replayed.partition_state,
            routing: &fit.routing,
            routed: &fit.routing.capabilities[fit.index],
            generation,
            state,
        };
        input.run(|input| self.try_invoke(fit, input))
    }

    fn try_invoke(&self, fit: &Fit, input: HandlerInput<'_>) -> InvocationReport {
        let plugin = &self.candidate.plugin;
        let go_on = |_: &InvocationReport| !self.control.is_stopped();
        let invoked = |_: &InvocationReport| self.invocations.set(self.invocations.get() + 1);
        let report = invoke_with_retries(plugin, &fit.access, input, self.time, go_on, invoked);
        if is_timeout(&report) {
            self.control.timed_out();
        }
        report
    }

    /// Folds what this run told into its own state of the customer.
    fn fold(&self, decided: &Decided, own: &mut ProfileState, replayed: &ReplayedItem<'_>) {
        if let Some(ended) = &decided.timer {
            own.forget_timer(ended);
        }
        let failed_alone = |outcome: &Outcome| {
            let waits_in_log = replayed.logged(outcome.role).is_some_and(|logged| !logged.result.is_final());
            matches!(outcome.result, InvocationStatus::Parked(_)) && !waits_in_log
        };
        if !decided.outcomes.iter().any(failed_alone) {
            fold_effects(own, decided);
            return;
        }
        let mut skipped = decided.clone();
        for outcome in skipped.outcomes.iter_mut().filter(|outcome| failed_alone(outcome)) {
            outcome.result = InvocationStatus::Skipped { reason: String::new() };
        }
        fold_effects(own, &skipped);
    }
}

impl<'a> ItemOutcome<'a> {
    /// What the log has: outcomes of the plug-in in a record, and what it emitted with it.
    pub fn of_log(
        outcomes: &[&'a Outcome],
        decided: &'a Decided,
        capability: &CapabilityName,
    ) -> ItemOutcome<'a> {
        let emitted = decided.emitted.iter().filter(|emitted| emitted.by == *capability);
        let own = decided.doubt.as_ref().filter(|doubt| doubt.call.capability == *capability);
        let judged = outcomes.iter().any(|outcome| has_judged(outcome));
        ItemOutcome {
            outcomes: outcomes.iter().map(|outcome| Cow::Borrowed(*outcome)).collect(),
            emitted: emitted.map(Cow::Borrowed).collect(),
            finding: own.filter(|_| judged).and_then(|doubt| doubt.finding),
            was_done: false,
        }
    }
}

/// Whether it is a look-up's finding that the handler itself said.
fn has_judged(outcome: &Outcome) -> bool {
    outcome.role == Role::Judge && outcome.result == InvocationStatus::Done
}

/// A customer as a run knows it: only what it told itself.
pub fn without_capabilities(state: &ProfileState) -> ProfileState {
    ProfileState::new(state.id, state.created_at)
}
