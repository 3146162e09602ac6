//! What a handler is given for one invocation, and in which turn. Pure, and the same for an event that has
//! just been accepted and for one that is replayed years later.

use std::sync::Arc;
use std::time::Duration;

use super::decide::{Cause, CompletedInvocation, InvocationResult};
use super::item::Item;
use super::project::{project_changes, project_event, project_profile, unfit_proposal};
use super::route::Target;
use samsyn_journal::{PartitionState, ProfileState};
use samsyn_registry::{Routed, Routing};
use samsyn_sandbox::{Access, HandlerInput, InvocationReport, Plugin};
use samsyn_vocabulary::{FailureKind, Proposal, Refusal, Role};

/// An invocation that spent its time is tried again twice, with ten times as much: some customer's data may
/// need it once, and a machine that gave it none may give it some.
const TIMEOUT_RETRIES: u32 = 2;
const TIMEOUT_RETRY_FACTOR: u32 = 10;

/// One invocation: everything that what the handler is given is made from.
pub struct Invocation<'a> {
    pub item: &'a Item,
    /// Where it stands and when it happened.
    pub cause: &'a Cause,
    /// The cursors and generations of the profile's partition.
    pub partition_state: &'a PartitionState,
    /// The tables of the revision in use.
    pub routing: &'a Routing,
    /// The capability as they have it.
    pub routed: &'a Routed,
    pub generation: u32,
    pub role: Role,
    /// The profile as this capability finds it.
    pub state: &'a ProfileState,
}

impl Invocation<'_> {
    /// Has the handler called with what it may know; or says why there is nothing to call it with.
    pub fn run(&self, invoke: impl FnOnce(HandlerInput<'_>) -> InvocationReport) -> InvocationResult {
        let Invocation { item, cause, routed, generation, .. } = *self;
        let generations = &self.partition_state.adopted.visible;
        let profile = project_profile(self.state, routed, generation, generations, self.routing);
        let profile = &profile;
        let report = match self.role {
            Role::Subscriber => {
                let Some(event) = item.event(cause.item.record(), cause.observed_at) else {
                    return InvocationResult::Skipped("the item is no event".to_owned());
                };
                // It was heard of when it was routed; a grant taken back since makes it nothing.
                let Some(declared) = routed.hears(&event.name) else {
                    return InvocationResult::Skipped("the plug-in no longer hears this event".to_owned());
                };
                match project_event(&event, declared) {
                    Ok(event) => invoke(HandlerInput::Event { event: &event, profile }),
                    Err(refusal) => return InvocationResult::Unfit(refusal),
                }
            }
            Role::Source => {
                let proposals = item.proposals();
                let mine = proposals.iter().filter(|proposal| routed.sources(&proposal.field));
                let mut proposed: Vec<Proposal> = mine.cloned().collect();
                if proposed.is_empty() {
                    return InvocationResult::Skipped("the item proposes nothing it sources".to_owned());
                }
                let mut refused: Vec<Refusal> = proposed.iter().filter_map(unfit_proposal).collect();
                if refused.len() == proposed.len() {
                    // The first says why; there is nothing to call the handler with.
                    return InvocationResult::Unfit(refused.swap_remove(0));
                }
                proposed.retain(|proposal| unfit_proposal(proposal).is_none());
                let mut report = invoke(HandlerInput::Proposals { proposed: &proposed, profile });
                report.refusals.append(&mut refused);
                report
            }
            Role::Observer => {
                let Item::Changes(decided) = item else {
                    return InvocationResult::Skipped("the item is no change".to_owned());
                };
                let changes = project_changes(&decided.changes, routed);
                invoke(HandlerInput::Changes { changes: &changes, at: cause.observed_at, profile })
            }
        };
        InvocationResult::Called(report)
    }
}

/// Invokes each target in order. A capability that has two roles here has them called one after the other,
/// and the second invocation sees what the first did; the others don't.
pub fn invoke_in_order(
    targets: &[(Target, u32)],
    state: &ProfileState,
    mut invoke: impl FnMut(Target, u32, &ProfileState) -> InvocationResult,
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
            role: target.role,
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
