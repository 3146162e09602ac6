//! Invocations that wait: parked ones, and those held behind them. Listed, run again, or given up.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde::Serialize;

use super::decision_input::When;
use super::held::HeldQueue;
use super::own_records::belongs_to;
use super::run::Run;
use super::work::Work;
use super::{AcceptError, Engine, QueryError};
use samsyn_decide::decide::{Cause, CompletedInvocation, InvocationResult};
use samsyn_decide::item::Item;
use samsyn_decide::route::Target;
use samsyn_journal::{Blocked, CapabilityState, Decided, PartitionState, ProfileState};
use samsyn_state::view::StoreError;
use samsyn_vocabulary::{CapabilityName, Failure, FailureKind, FullPosition, Partition, ProfileId};

/// Which waiting invocations are meant.
#[derive(Clone, Debug, Default)]
pub struct ParkedFilter {
    /// Of this capability.
    pub capability: Option<CapabilityName>,
    /// Of this customer.
    pub profile: Option<ProfileId>,
    /// That failed in this way.
    pub kind: Option<FailureKind>,
}

/// An invocation that waits.
#[derive(Clone, Debug)]
pub struct ParkedItem {
    /// Whose.
    pub profile: ProfileId,
    /// Of which capability.
    pub capability: CapabilityName,
    /// Of which generation.
    pub generation: u32,
    /// Where the profile's records are.
    pub partition: Partition,
    /// What waits and why.
    pub blocked: Blocked,
}

/// A page of waiting invocations.
#[derive(Clone, Debug)]
pub struct ParkedPage {
    /// The invocations, by partition and profile.
    pub items: Vec<ParkedItem>,
    /// Where the next page starts; none on the last.
    pub next: Option<ParkedCursor>,
}

/// The last profile of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ParkedCursor(pub Partition, pub ProfileId);

impl ParkedFilter {
    fn takes(&self, item: &ParkedItem) -> bool {
        let kind = item.blocked.failure.as_ref().map(|failure| failure.kind);
        self.capability.as_ref().is_none_or(|capability| *capability == item.capability)
            && self.profile.is_none_or(|profile| profile == item.profile)
            && self.kind.is_none_or(|wanted| kind == Some(wanted))
    }
}

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

/// What waits now, of all capabilities.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Waiting {
    /// Invocations that failed and wait for a fixed plug-in or an admin.
    pub parked: u64,
    /// Invocations that wait behind those.
    pub held: u64,
    /// Customers of whom an invocation or a proposal waits.
    pub customers: usize,
    /// Whether all of them were counted; else there are more invocations.
    pub all_counted: bool,
}

/// Customers whose waiting invocations are counted whenever somebody asks how the host is.
const CUSTOMERS_COUNTED_MAX: usize = 1_000;

/// Why an invocation was given up by the host itself.
const GONE: &str = "its event left the log by retention while the capability was not installed";
/// Profiles looked at for one page, beyond which it ends though it isn't full.
const PROFILES_A_PAGE_MAX: usize = 10_000;

impl Engine {
    /// What waits now. Invocations are counted of the first thousand customers: with more, there are more.
    pub fn waiting_now(&self) -> Waiting {
        let customers = self.view.waiting_count();
        let mut now =
            Waiting { customers, all_counted: customers <= CUSTOMERS_COUNTED_MAX, parked: 0, held: 0 };
        for (partition, profile) in self.view.waiting(None, CUSTOMERS_COUNTED_MAX) {
            // One that can't be read is told of by whoever needs it.
            let Ok(Some(state)) = self.view.profile(profile) else { continue };
            let partition_state = self.view.applied(partition).partition;
            let current = |capability_state: &&Arc<CapabilityState>| {
                is_current(&capability_state.capability, capability_state.generation, &partition_state)
            };
            for capability_state in state.capabilities.iter().filter(current) {
                let parked =
                    capability_state.blocked.iter().filter(|blocked| blocked.failure.is_some()).count();
                now.parked += parked as u64;
                now.held += (capability_state.waiting() - parked) as u64;
            }
        }
        now
    }

    /// The waiting invocations that the filter takes, at most `limit` and those of one profile.
    pub fn parked(
        &self,
        filter: &ParkedFilter,
        after: Option<ParkedCursor>,
        limit: usize,
    ) -> Result<ParkedPage, QueryError> {
        let mut page = ParkedPage { items: Vec::new(), next: None };
        let after = after.map(|ParkedCursor(partition, profile)| (partition, profile));
        let waiting = self.view.waiting(after, PROFILES_A_PAGE_MAX);
        let all = waiting.len() < PROFILES_A_PAGE_MAX;
        let mut last = None;
        for (partition, profile) in waiting {
            if page.items.len() >= limit {
                page.next = last;
                return Ok(page);
            }
            last = Some(ParkedCursor(partition, profile));
            if filter.profile.is_some_and(|wanted| wanted != profile) {
                continue;
            }
            let Some(state) = self.view.profile(profile)? else { continue };
            let partition_state = self.view.applied(partition).partition;
            let all = self.blocked_of(&state, partition)?;
            let counts = |item: &ParkedItem| is_current(&item.capability, item.generation, &partition_state);
            page.items.extend(all.into_iter().filter(|item| filter.takes(item) && counts(item)));
        }
        page.next = if all { None } else { last };
        Ok(page)
    }

    /// How many invocations of a capability wait.
    pub fn parked_count(&self, capability: &CapabilityName) -> usize {
        let filter = ParkedFilter { capability: Some(capability.clone()), ..ParkedFilter::default() };
        self.parked(&filter, None, usize::MAX).map_or(0, |page| page.items.len())
    }

    /// Runs the waiting invocations of each customer and capability that the filter takes; how many.
    pub fn retry(&self, filter: &ParkedFilter) -> Result<usize, QueryError> {
        self.act_on(filter, None)
    }

    /// Gives up the parked invocations that the filter takes, and runs those held behind them.
    pub fn skip(&self, filter: &ParkedFilter, reason: &str) -> Result<usize, QueryError> {
        self.act_on(filter, Some(reason))
    }

    /// All invocations of a customer that wait, listed in the profile or not.
    fn blocked_of(&self, state: &ProfileState, partition: Partition) -> Result<Vec<ParkedItem>, QueryError> {
        let mut items = Vec::new();
        for capability_state in &state.capabilities {
            let more = self.held_more(state, capability_state)?;
            items.extend(capability_state.blocked.iter().cloned().chain(more).map(|blocked| ParkedItem {
                profile: state.id,
                capability: capability_state.capability.clone(),
                generation: capability_state.generation,
                partition,
                blocked,
            }));
        }
        Ok(items)
    }

    fn act_on(&self, filter: &ParkedFilter, skip: Option<&str>) -> Result<usize, QueryError> {
        let mut after = None;
        let mut matched = 0;
        loop {
            let page = self.parked(filter, after, 1_000)?;
            let mut asked: Vec<(ProfileId, CapabilityName)> = Vec::new();
            for item in &page.items {
                matched += 1;
                let who = (item.profile, item.capability.clone());
                if asked.last() != Some(&who) {
                    asked.push(who.clone());
                    let (profile, capability) = who;
                    let (partition, skip) = (item.partition, skip.map(str::to_owned));
                    self.schedule.push(partition, Work::Retry { profile, capability, skip });
                }
            }
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(matched),
            }
        }
    }

    /// Runs again what waits of these capabilities, because they are others now.
    pub(super) fn retry_changed(&self, partition: Partition, changed: &[CapabilityName]) {
        if changed.is_empty() {
            return;
        }
        for profile in self.view.waiting_in(partition) {
            for capability in changed {
                let capability = capability.clone();
                self.schedule.push(partition, Work::Retry { profile, capability, skip: None });
            }
        }
    }

    /// Runs what is held behind nothing: its parked invocation was given up or retried when the host
    /// stopped or the plug-in was in quarantine.
    pub(super) fn resume_held(&self, partition: Partition) -> Result<(), StoreError> {
        for profile in self.view.waiting_in(partition) {
            let Some(state) = self.view.profile(profile)? else { continue };
            for capability_state in &state.capabilities {
                let is_parked = capability_state.blocked.first().is_some_and(|first| first.failure.is_some());
                if capability_state.waits() && !is_parked {
                    let capability = capability_state.capability.clone();
                    self.schedule.push(partition, Work::Retry { profile, capability, skip: None });
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
    ) -> Result<(), AcceptError> {
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
        self.wake_supervisor();
    }

    /// A capability's own thread runs the retries that were left to it.
    pub(super) fn run_left_retries(&self, capability: &CapabilityName) -> Result<(), AcceptError> {
        while !self.stopping.load(Ordering::Relaxed) {
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
    ) -> Result<Option<(Blocked, u32)>, AcceptError> {
        let mut core = self.cell(partition).core.lock();
        let quarantined = |partition_state: &PartitionState| {
            let runtime = core.runtime.as_ref()?;
            let (_, routed) = runtime.registry.routing.capability(capability)?;
            Some(routed.capability.is_quarantined() || partition_state.generation(capability).is_none())
        };
        if runs && quarantined(&core.state).unwrap_or(true) {
            return Ok(None);
        }
        let Some(generation) = core.state.generation(capability) else { return Ok(None) };
        let state = core.profile(profile, &self.view)?;
        drop(core);
        let Some(state) = state else { return Ok(None) };
        let Some(capability_state) = state.capability_state(capability, generation) else { return Ok(None) };
        let blocked = match capability_state.blocked.first() {
            Some(first) => Some(first.clone()),
            None if capability_state.held_more.is_some() => {
                match queue.next(self, &state, capability_state) {
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
    fn waiting_item(&self, item: FullPosition) -> Result<Option<Item>, AcceptError> {
        let Some(record) = self.records().read(item.record())? else { return Ok(None) };
        let found = super::catch_up::items_of(&record)?.into_iter().find(|(index, _)| *index == item.index);
        Ok(found.map(|(_, item)| item))
    }

    /// Runs one waiting invocation; whether the next one may run.
    fn retry_one(
        &self,
        retried: RetriedInvocation<'_>,
        blocked: &Blocked,
        give_up: Option<String>,
    ) -> Result<bool, AcceptError> {
        let RetriedInvocation { partition, profile, capability, generation, on_own_thread } = retried;
        let position = blocked.item.record();
        // Only what is on the disk can be read, and this may have been held a moment ago.
        self.wait_until_durable(position);
        let stands_for_it = || Item::Changes(Arc::new(nothing_of(profile, blocked)));
        let (item, refused, give_up) = match self.waiting_item(blocked.item)? {
            Some(item) if belongs_to(item.profile(), profile) => (item, None, give_up),
            Some(_) => {
                tracing::error!(%position, %profile, %capability, "a parked delivery names another customer's record: it isn't run");
                (stands_for_it(), Some(of_another(blocked.item)), give_up)
            }
            None if self.is_removed(position) => {
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
            input.cause = Cause { root, depth, kind, ..input.cause };
            let Some((index, routed)) = input.runtime.registry.routing.capability(capability) else {
                return Ok(false);
            };
            let target = Target { capability: index, role: blocked.role };
            let run = Run { hurried: !on_own_thread, ..input.run(self, &item) };
            let result = match (&give_up, &refused) {
                (Some(reason), _) => InvocationResult::Skipped(reason.clone()),
                (None, Some(failure)) => InvocationResult::Failed(failure.clone()),
                (None, None) => run.invoke_one_now(target, routed, generation, &input.state),
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
            let mut core = self.cell(partition).core.lock();
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

/// What a generation left behind that another one has replaced waits for nobody.
fn is_current(capability: &CapabilityName, generation: u32, partition_state: &PartitionState) -> bool {
    Some(generation) >= partition_state.generation(capability)
}
