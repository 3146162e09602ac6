//! What a handler is given for one invocation, and in which turn. Pure, and the same for an event that has
//! just been accepted and for one that is replayed years later.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use super::decide::{Cause, CompletedInvocation, InvocationResult};
use super::item::Invocation;
use super::project::{project_changes, project_event, project_profile, unfit_proposal};
use super::route::Target;
use samsyn_journal::{ANSWERS_A_DAY_MAX, Answered, Due, PartitionState, ProfileState, TIMERS_A_DAY_MAX};
use samsyn_registry::{Routed, Routing};
use samsyn_sandbox::{Access, HandlerInput, InvocationReport, Plugin};
use samsyn_vocabulary::{Event, Failure, FailureKind, Projection, Proposal, Refusal, Role};

/// An invocation that spent its time is tried again twice, with ten times as much: some customer's data may
/// need it once, and a machine that gave it none may give it some.
const TIMEOUT_RETRIES: u32 = 2;
const TIMEOUT_RETRY_FACTOR: u32 = 10;

/// An invocation with everything that the handler's input is made from.
pub struct InvocationInput<'a> {
    pub invocation: Invocation<'a>,
    /// Where it stands and when it happened.
    pub cause: &'a Cause,
    /// The cursors and generations of the profile's partition.
    pub partition_state: &'a PartitionState,
    /// The tables of the revision in use.
    pub routing: &'a Routing,
    /// The capability as they have it.
    pub routed: &'a Routed,
    pub generation: u32,
    /// The profile as this capability finds it.
    pub state: &'a ProfileState,
}

impl InvocationInput<'_> {
    /// Has the handler called with what it may know; or says why there is nothing to call it with.
    pub fn run(&self, invoke: impl FnOnce(HandlerInput<'_>) -> InvocationReport) -> InvocationResult {
        match self.invocation {
            Invocation::Event(event) => self.run_subscriber(event, invoke),
            Invocation::Emitted { record, index, emitted } => {
                let position = self.cause.item.record();
                let event = Event {
                    id: format!("{position}.{index}"),
                    application: None,
                    name: emitted.name.clone(),
                    at: record.observed_at,
                    received_at: self.cause.observed_at,
                    properties: emitted.properties.clone(),
                };
                self.run_subscriber(&event, invoke)
            }
            Invocation::Proposals(proposals) => self.run_source(proposals.iter().map(Cow::Borrowed), invoke),
            Invocation::Offered(offered) => {
                self.run_source(offered.iter().map(|held| Cow::Owned(held.as_proposal())), invoke)
            }
            Invocation::Changes(changes) => {
                let changes = project_changes(changes, self.routed);
                let (at, profile) = (self.cause.observed_at, &self.profile());
                InvocationResult::Called(invoke(HandlerInput::Changes { changes: &changes, at, profile }))
            }
            Invocation::Timer(due) => self.run_timed(due, invoke),
            Invocation::Answer(answered) => self.run_caller(answered, invoke),
            Invocation::Doubt(doubted) => {
                let (endpoint, note) = (&doubted.endpoint, doubted.note.as_ref());
                let (note, profile) = (note.map(|note| note.0.as_slice()), &self.profile());
                InvocationResult::Called(invoke(HandlerInput::Doubt { endpoint, note, profile }))
            }
            Invocation::Lookup(Answered { answer, note, .. }) => {
                let (note, profile) = (note.as_ref().map(|note| note.0.as_slice()), &self.profile());
                InvocationResult::Called(invoke(HandlerInput::Lookup { answer, note, profile }))
            }
        }
    }

    fn profile(&self) -> Projection<'_> {
        let generations = &self.partition_state.adopted.visible;
        project_profile(self.state, self.routed, self.generation, generations, self.routing)
    }

    fn run_timed(
        &self,
        due: &Due,
        invoke: impl FnOnce(HandlerInput<'_>) -> InvocationReport,
    ) -> InvocationResult {
        if !self.routed.capability.roles.contains(&Role::Timed) {
            let reason = "role.gone: this version of the plug-in has no role timed";
            return InvocationResult::Undeliverable(reason.to_owned());
        }
        let timers = self.state.timers(&self.routed.name, self.generation);
        // What is retried was counted.
        let counts = self.cause.timer.is_some();
        if counts && timers.is_some_and(|timers| timers.fired_on_day_of(due.at) >= TIMERS_A_DAY_MAX) {
            let message = format!(
                "budget.day: {TIMERS_A_DAY_MAX} of its timers fired for this customer today (UTC); retry it when the plug-in is repaired, or skip it"
            );
            let failure = Failure { kind: FailureKind::Limit, message, backtrace: Vec::new() };
            return InvocationResult::Failed(failure);
        }
        let Due { name, due, at: now, .. } = due;
        let profile = &self.profile();
        InvocationResult::Called(invoke(HandlerInput::Timer { name, due: *due, now: *now, profile }))
    }

    fn run_caller(
        &self,
        answered: &Answered,
        invoke: impl FnOnce(HandlerInput<'_>) -> InvocationReport,
    ) -> InvocationResult {
        if !self.routed.capability.roles.contains(&Role::Caller) {
            let reason = "role.gone: this version of the plug-in has no role caller";
            return InvocationResult::Undeliverable(reason.to_owned());
        }
        let calls = self.state.calls(&self.routed.name, self.generation);
        // What is retried was counted.
        let counts = self.cause.call.is_some();
        if counts && calls.is_some_and(|calls| calls.answered_on_day_of(answered.at) > ANSWERS_A_DAY_MAX) {
            let message = format!(
                "budget.day: {ANSWERS_A_DAY_MAX} of its calls were answered for this customer today (UTC); retry it when the plug-in is repaired, or skip it"
            );
            let failure = Failure { kind: FailureKind::Limit, message, backtrace: Vec::new() };
            return InvocationResult::Failed(failure);
        }
        let Answered { endpoint, answer, note, at, .. } = answered;
        let (note, profile) = (note.as_ref().map(|note| note.0.as_slice()), &self.profile());
        InvocationResult::Called(invoke(HandlerInput::Answer { endpoint, answer, note, at: *at, profile }))
    }

    fn run_subscriber(
        &self,
        event: &Event,
        invoke: impl FnOnce(HandlerInput<'_>) -> InvocationReport,
    ) -> InvocationResult {
        // It was heard of when it was routed; a grant taken back since makes it nothing.
        let Some(declared) = self.routed.hears(&event.name) else {
            return InvocationResult::Skipped("the plug-in no longer hears this event".to_owned());
        };
        match project_event(event, declared) {
            Ok(event) => InvocationResult::Called(invoke(HandlerInput::Event {
                event: &event,
                profile: &self.profile(),
            })),
            Err(refusal) => InvocationResult::Unfit(refusal),
        }
    }

    fn run_source<'p>(
        &self,
        proposals: impl Iterator<Item = Cow<'p, Proposal>>,
        invoke: impl FnOnce(HandlerInput<'_>) -> InvocationReport,
    ) -> InvocationResult {
        let mine = proposals.filter(|proposal| self.routed.sources(&proposal.field));
        let mut proposed: Vec<Proposal> = mine.map(Cow::into_owned).collect();
        if proposed.is_empty() {
            return InvocationResult::Skipped("the item proposes nothing it sources".to_owned());
        }
        let mut refused: Vec<Refusal> = proposed.iter().filter_map(unfit_proposal).collect();
        if refused.len() == proposed.len() {
            // The first says why; there is nothing to call the handler with.
            return InvocationResult::Unfit(refused.swap_remove(0));
        }
        proposed.retain(|proposal| unfit_proposal(proposal).is_none());
        let input = HandlerInput::Proposals { proposed: &proposed, profile: &self.profile() };
        let mut report = invoke(input);
        report.refusals.append(&mut refused);
        InvocationResult::Called(report)
    }
}

/// Invokes each target in order. A capability that has two roles here has them called one after the other,
/// and the second invocation sees what the first did; the others don't.
pub fn invoke_in_order<'t>(
    targets: &[(Target<'t>, u32)],
    state: &ProfileState,
    mut invoke: impl FnMut(Target<'t>, u32, &ProfileState) -> InvocationResult,
    fold_own: impl Fn(&ProfileState, &CompletedInvocation) -> ProfileState,
) -> Vec<CompletedInvocation> {
    let mut completed: Vec<CompletedInvocation> = Vec::with_capacity(targets.len());
    let mut own: Option<(usize, ProfileState)> = None;
    for (index, (target, generation)) in targets.iter().enumerate() {
        let state = match &own {
            Some((capability, state)) if *capability == target.capability => state,
            _ => state,
        };
        let result = invoke(*target, *generation, state);
        completed.push(CompletedInvocation {
            capability: target.capability,
            generation: *generation,
            role: target.role(),
            result,
        });
        let again = targets.get(index + 1).is_some_and(|(next, _)| next.capability == target.capability);
        own = again.then(|| (target.capability, fold_own(state, &completed[index])));
    }
    completed
}

/// Calls a handler within its time, and again with more of it when that is spent, while `go_on` says so of
/// the newest. `called` hears of every invocation.
pub fn invoke_with_retries(
    plugin: &Plugin,
    access: &Arc<Access>,
    input: HandlerInput<'_>,
    time: Duration,
    go_on: impl Fn(&InvocationReport) -> bool,
    called: impl Fn(&InvocationReport),
) -> InvocationReport {
    let mut report = plugin.invoke_within(access, input, time);
    called(&report);
    let mut tries = 1;
    while is_timeout(&report) && tries <= TIMEOUT_RETRIES && go_on(&report) {
        report = plugin.invoke_within(access, input, time * TIMEOUT_RETRY_FACTOR);
        called(&report);
        tries += 1;
    }
    report
}

/// Whether the invocation spent its time.
pub fn is_timeout(report: &InvocationReport) -> bool {
    matches!(&report.result, Err(failure) if failure.kind == FailureKind::Timeout)
}
