//! Invocations that waited are run again, or given up: on the partition's lane, or on the thread of a slow
//! capability.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::QueryError;
use super::decision_input::When;
use super::fault::{Fault, StopCause};
use super::held::HeldQueue;
use super::lanes::Lanes;
use super::run::Run;
use super::work::Work;
use samsyn_decide::decide::{Cause, CompletedInvocation, InvocationResult};
use samsyn_decide::item::{Item, items_of};
use samsyn_decide::route::Target;
use samsyn_identity::belongs_to;
use samsyn_journal::{Blocked, Decided, PartitionState};
use samsyn_state::view::StoreError;
use samsyn_vocabulary::{CapabilityName, Failure, FailureKind, FullPosition, Partition, ProfileId};

/// Retries that are left to their capabilities' own threads, because they may take long.
#[derive(Default)]
pub struct LeftRetries {
    of: BTreeMap<CapabilityName, BTreeSet<(Partition, ProfileId)>>,
    under_way: usize,
}

impl LeftRetries {
    /// Whether there are any, of this capability.
    pub fn has(&self, capability: &CapabilityName) -> bool {
        self.of.contains_key(capability)
    }

    /// Whether there are none and none runs.
    pub fn is_settled(&self) -> bool {
        self.of.is_empty() && self.under_way == 0
    }

    /// Forgets those of capabilities that don't run any more.
    pub fn keep(&mut self, runs: impl Fn(&CapabilityName) -> bool) {
        self.of.retain(|capability, _| runs(capability));
    }

    fn leave(&mut self, retried: RetriedInvocation<'_>) {
        let of = self.of.entry(retried.capability.clone()).or_default();
        of.insert((retried.partition, retried.profile));
    }

    fn begin(&mut self, capability: &CapabilityName) -> Option<(Partition, ProfileId)> {
        let of = self.of.get_mut(capability)?;
        let first = of.pop_first();
        if of.is_empty() {
            self.of.remove(capability);
        }
        self.under_way += usize::from(first.is_some());
        first
    }
}

/// Why an invocation was given up by the host itself.
const GONE: &str = "its event left the log by retention while the capability was not installed";
impl Lanes {
    /// Runs again what waits of these capabilities, because they are others now.
    pub(super) fn retry_changed(&self, partition: Partition, changed: &[CapabilityName]) {
        if changed.is_empty() {
            return;
        }
        for profile in self.shared.view.waiting_in(partition) {
            for capability in changed {
                let capability = capability.clone();
                self.shared.schedule.push(partition, Work::Retry { profile, capability, skip: None });
            }
        }
    }

    /// Runs what is held behind nothing: its parked invocation was given up or retried when the host
    /// stopped or the plug-in was in quarantine.
    pub(super) fn resume_held(&self, partition: Partition) -> Result<(), StoreError> {
        for profile in self.shared.view.waiting_in(partition) {
            let Some(state) = self.shared.view.profile(profile)? else { continue };
            for capability_state in &state.capabilities {
                let is_parked = capability_state.blocked.first().is_some_and(|first| first.failure.is_some());
                if capability_state.waits() && !is_parked {
                    let capability = capability_state.capability.clone();
                    self.shared.schedule.push(partition, Work::Retry { profile, capability, skip: None });
                }
            }
        }
        Ok(())
    }

    /// Runs a capability's waiting invocations of one customer in their order, until one fails again. With
    /// `skip` the first parked one is given up instead. The worker leaves those of a slow capability to its
    /// own thread, `apart`.
    pub(super) fn retry_blocked(
        &self,
        partition: Partition,
        profile: ProfileId,
        capability: &CapabilityName,
        mut skip: Option<String>,
        on_own_thread: bool,
    ) -> Result<(), StopCause> {
        let mut queue = HeldQueue::default();
        loop {
            // What is given up needn't run, so a plug-in in quarantine is no hindrance.
            let runs = skip.is_none();
            let Some((blocked, generation)) =
                self.first_blocked(partition, profile, capability, runs, &mut queue)?
            else {
                return Ok(());
            };
            let give_up = if blocked.failure.is_some() { skip.take() } else { None };
            let retried = RetriedInvocation { partition, profile, capability, generation, on_own_thread };
            if give_up.is_none() && !on_own_thread && self.is_slow(capability) {
                self.leave_to_its_thread(retried);
                return Ok(());
            }
            if !self.retry_one(retried, &blocked, give_up)? {
                return Ok(());
            }
        }
    }

    fn leave_to_its_thread(&self, retried: RetriedInvocation<'_>) {
        self.left_retries.lock().leave(retried);
        self.shared.requests.look();
    }

    /// A capability's own thread runs the retries that were left to it.
    pub(super) fn run_left_retries(&self, capability: &CapabilityName) -> Result<(), StopCause> {
        while !self.shared.is_stopping() {
            let Some((partition, profile)) = self.left_retries.lock().begin(capability) else { break };
            let done = self.retry_blocked(partition, profile, capability, None, true);
            self.left_retries.lock().under_way -= 1;
            done?;
        }
        Ok(())
    }

    fn first_blocked(
        &self,
        partition: Partition,
        profile: ProfileId,
        capability: &CapabilityName,
        runs: bool,
        queue: &mut HeldQueue,
    ) -> Result<Option<(Blocked, u32)>, StopCause> {
        let mut core = self.core(partition);
        let quarantined = |partition_state: &PartitionState| {
            let runtime = core.runtime.as_ref()?;
            let (_, routed) = runtime.registry.routing.capability(capability)?;
            Some(routed.capability.is_quarantined() || partition_state.generation(capability).is_none())
        };
        if runs && quarantined(&core.state).unwrap_or(true) {
            return Ok(None);
        }
        let Some(generation) = core.state.generation(capability) else { return Ok(None) };
        let state = core.profile(profile, &self.shared.view)?;
        drop(core);
        let Some(state) = state else { return Ok(None) };
        let Some(capability_state) = state.capability_state(capability, generation) else { return Ok(None) };
        let blocked = match capability_state.blocked.first() {
            Some(first) => Some(first.clone()),
            None if capability_state.held_more.is_some() => {
                match queue.next(&self.shared, &state, capability_state) {
                    // The rest of the partition doesn't wait for it.
                    Err(error @ QueryError::AnothersRecord { .. }) => {
                        tracing::error!(%error, %capability, "what is held can't be found, and waits on");
                        None
                    }
                    next => next?,
                }
            }
            None => None,
        };
        Ok(blocked.map(|blocked| (blocked, generation)))
    }

    /// The item that an invocation waits with, whoever's it is.
    fn waiting_item(&self, item: FullPosition) -> Result<Option<Item>, StopCause> {
        let Some(record) = self.shared.records().read(item.record())? else { return Ok(None) };
        let found = items_of(&record)?.into_iter().find(|(index, _)| *index == item.index);
        Ok(found.map(|(_, item)| item))
    }

    /// Runs one waiting invocation; whether the next one may run.
    fn retry_one(
        &self,
        retried: RetriedInvocation<'_>,
        blocked: &Blocked,
        give_up: Option<String>,
    ) -> Result<bool, StopCause> {
        let RetriedInvocation { partition, profile, capability, generation, on_own_thread } = retried;
        let position = blocked.item.record();
        // Only what is on the disk can be read, and this may have been held a moment ago.
        self.shared.wait_until_durable(position);
        let stands_for_it = || Item::Changes(Arc::new(nothing_of(profile, blocked)));
        let (item, refused, give_up) = match self.waiting_item(blocked.item)? {
            Some(item) if belongs_to(item.profile(), profile) => (item, None, give_up),
            Some(_) => {
                tracing::error!(%position, %profile, %capability, "a parked delivery names another customer's record: it isn't run");
                (stands_for_it(), Some(of_another(blocked.item)), give_up)
            }
            None if self.shared.is_removed(position) => {
                tracing::warn!(%position, %capability, "what a parked delivery delivers has left the log: it is given up");
                (stands_for_it(), None, Some(give_up.unwrap_or_else(|| GONE.to_owned())))
            }
            None => {
                tracing::error!(%position, %capability, "the log doesn't have what a parked delivery delivers");
                return Ok(false);
            }
        };
        let _turn = (on_own_thread && give_up.is_none()).then(|| self.fair_share.take(capability));
        loop {
            let mut input = self.decision_input(profile, blocked.item, &item)?;
            let Blocked { root, depth, kind, .. } = *blocked;
            // A timer or a call ended when it was first decided.
            input.cause = Cause { root, depth, kind, timer: None, call: None, ..input.cause };
            let Some((index, routed)) = input.runtime.registry.routing.capability(capability) else {
                return Ok(false);
            };
            let run = Run { hurried: !on_own_thread, ..input.run(self, &item) };
            let result = match (&give_up, &refused) {
                (Some(reason), _) => InvocationResult::Skipped(reason.clone()),
                (None, Some(failure)) => InvocationResult::Failed(failure.clone()),
                (None, None) => {
                    let invocation = item
                        .invocation(blocked.role)
                        .ok_or(Fault::Bug("an invocation waits in a role that its item is nothing for"))?;
                    let target = Target { capability: index, invocation };
                    run.invoke_one_now(target, routed, generation, &input.state)
                }
            };
            let failed = match &result {
                InvocationResult::Called(report) => report.result.is_err(),
                result => matches!(result, InvocationResult::Failed(_)),
            };
            let completed =
                vec![CompletedInvocation { capability: index, generation, role: blocked.role, result }];
            if !on_own_thread && self.move_to_slow_lane(partition, run.too_slow(&completed))? {
                self.leave_to_its_thread(retried);
                return Ok(false);
            }
            let decision = input.decision(self, &item, completed, true, When::Retried);
            let mut core = self.core(partition);
            if input.still_holds(&mut core, self)? {
                self.commit(partition, &mut core, input.before.as_deref(), decision, None)?;
                return Ok(!failed);
            }
        }
    }
}

/// Why an invocation isn't run whose record is another customer's. It stays parked, so that an admin sees it.
fn of_another(item: FullPosition) -> Failure {
    let message = format!("{item} belongs to another customer, so it is not run; skip it");
    Failure { kind: FailureKind::Error, message, backtrace: Vec::new() }
}

/// Whose invocation it is, to whom.
#[derive(Clone, Copy)]
struct RetriedInvocation<'a> {
    partition: Partition,
    profile: ProfileId,
    capability: &'a CapabilityName,
    generation: u32,
    /// On the capability's own thread; else on the worker, which others wait for.
    on_own_thread: bool,
}

/// Stands for a record that has left the log, so that its invocation can be given up.
fn nothing_of(profile: ProfileId, blocked: &Blocked) -> Decided {
    Decided {
        kind: blocked.kind,
        root: blocked.root,
        depth: blocked.depth,
        ..Decided::nothing(profile, blocked.item, blocked.since)
    }
}
