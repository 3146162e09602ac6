//! Calling the handlers of one item, one after the other, each in a fresh sandbox.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::Engine;
use super::decide::{Cause, Decision, Delivered, Ran};
use super::project::{project_changes, project_event, project_profile};
use super::route::{Target, route_changes, route_emitted, route_event, route_offered};
use super::runtime::Runtime;
use crate::record::{Accepted, CauseKind, Decided, HeldProposal, PartitionState, ProfileState, fold_profile};
use crate::registry::Routed;
use crate::sandbox::{Call, CallReport};
use crate::vocabulary::{
    CapabilityName, Event, FailureKind, LogLevel, Partition, Position, Proposal, Role, Seq, Timestamp,
};

/// A timeout may be the machine's fault, so it is tried again twice, with ten times the time.
const TIMEOUT_RETRIES: u32 = 2;
const TIMEOUT_RETRY_FACTOR: u32 = 10;
/// In the average that tells who is slow, one call counts as at most this many times the bound.
const SLOW_CALL_COUNTS_AS: u64 = 2;

/// An item of the log, with the record it stands in.
#[derive(Clone, Debug)]
pub enum Item {
    /// An application's event.
    Event(Arc<Accepted>),
    /// The event number `index - 1` that a record's capabilities emitted.
    Emitted(Arc<Decided>, u16),
    /// A record's changes.
    Changes(Arc<Decided>),
    /// Held proposals that a record offers to the source of now.
    Offered(Arc<Decided>),
}

impl Item {
    /// The items of a `Decided`: its changes are item 0, the events it emitted 1 and up.
    pub fn of_decided(decided: &Arc<Decided>, index: u16) -> Option<Item> {
        match index {
            0 => (!decided.changes.is_empty()).then(|| Item::Changes(decided.clone())),
            index => match decided.emitted.get(usize::from(index) - 1) {
                Some(emitted) => (!emitted.silent).then(|| Item::Emitted(decided.clone(), index)),
                None => (index == decided.last_item()).then(|| Item::Offered(decided.clone())),
            },
        }
    }

    /// What kind of item it is.
    pub fn kind(&self) -> CauseKind {
        match self {
            Item::Event(_) => CauseKind::Event,
            Item::Emitted(..) => CauseKind::Emitted,
            Item::Changes(_) => CauseKind::Change,
            Item::Offered(_) => CauseKind::Offered,
        }
    }

    /// When it happened.
    pub fn observed_at(&self) -> Timestamp {
        match self {
            Item::Event(accepted) => accepted.event.at,
            Item::Emitted(decided, _) | Item::Changes(decided) | Item::Offered(decided) => {
                decided.observed_at
            }
        }
    }

    /// Whose it is.
    pub fn profile(&self) -> crate::vocabulary::ProfileId {
        match self {
            Item::Event(accepted) => accepted.profile,
            Item::Emitted(decided, _) | Item::Changes(decided) | Item::Offered(decided) => decided.profile,
        }
    }

    /// The chain of causes it stands in: root and generations since.
    pub fn chain(&self, seq: Seq) -> (Seq, u16) {
        match self {
            Item::Event(_) => (seq, 0),
            Item::Emitted(decided, _) | Item::Changes(decided) | Item::Offered(decided) => {
                (decided.root, decided.depth + 1)
            }
        }
    }

    /// Who is to get it.
    pub fn targets(&self, runtime: &Runtime, propose: bool) -> Vec<Target> {
        let routing = &runtime.registry.routing;
        match self {
            Item::Event(accepted) => {
                let fields = accepted.proposals.iter().filter(|_| propose).map(|proposal| &proposal.field);
                route_event(&accepted.event.name, fields, routing)
            }
            Item::Emitted(decided, index) => match decided.emitted.get(usize::from(*index) - 1) {
                Some(emitted) => route_emitted(&emitted.name, &emitted.by, routing),
                None => Vec::new(),
            },
            Item::Changes(decided) => route_changes(&decided.changes, routing),
            Item::Offered(decided) => route_offered(decided.offered.iter().map(|held| &held.field), routing),
        }
    }

    /// The event that a subscriber hears.
    fn event(&self, position: Position, received_at: Timestamp) -> Option<Cow<'_, Event>> {
        match self {
            Item::Event(accepted) => Some(Cow::Borrowed(&accepted.event)),
            Item::Emitted(decided, index) => {
                let emitted = decided.emitted.get(usize::from(*index) - 1)?;
                Some(Cow::Owned(Event {
                    id: format!("{position}.{index}"),
                    application: None,
                    name: emitted.name.clone(),
                    at: decided.observed_at,
                    received_at,
                    properties: emitted.properties.clone(),
                }))
            }
            Item::Changes(_) | Item::Offered(_) => None,
        }
    }

    /// What it proposes.
    pub fn proposals(&self) -> Cow<'_, [Proposal]> {
        match self {
            Item::Event(accepted) => Cow::Borrowed(&accepted.proposals),
            Item::Offered(decided) => decided.offered.iter().map(HeldProposal::as_proposal).collect(),
            Item::Emitted(..) | Item::Changes(_) => Cow::Borrowed(&[]),
        }
    }
}

/// One item and everything that was true when its handlers were called.
pub struct Run<'a> {
    /// The engine, for its limits and counters.
    pub engine: &'a Engine,
    /// The partition.
    pub partition: Partition,
    /// The partition's cursors.
    pub place: &'a PartitionState,
    /// The revision.
    pub runtime: &'a Runtime,
    /// The profile.
    pub state: &'a ProfileState,
    /// What is delivered.
    pub item: &'a Item,
    /// Where it stands.
    pub cause: &'a Cause,
}

impl Run<'_> {
    /// Delivers the item to each target. A capability that has two roles here has them called one
    /// after the other, and the second call sees what the first did; the others don't.
    pub fn deliver(&self, targets: &[(Target, u32)]) -> Vec<Delivered> {
        let mut delivered: Vec<Delivered> = Vec::with_capacity(targets.len());
        let mut own: Option<(usize, ProfileState)> = None;
        for (index, (target, generation)) in targets.iter().enumerate() {
            let state = match &own {
                Some((capability, state)) if *capability == target.capability => state,
                _ => self.state,
            };
            let ran = self.deliver_one(*target, *generation, state);
            delivered.push(Delivered {
                capability: target.capability,
                generation: *generation,
                role: target.role,
                ran,
            });
            let again = targets.get(index + 1).is_some_and(|(next, _)| next.capability == target.capability);
            own = again.then(|| (target.capability, self.fold_own(state, &delivered[index])));
        }
        delivered
    }

    /// The profile as a capability left it with its first role.
    fn fold_own(&self, state: &ProfileState, delivered: &Delivered) -> ProfileState {
        let decision = Decision {
            cause: self.cause.clone(),
            routing: &self.runtime.registry.routing,
            revision: self.runtime.registry.revision,
            partition: self.place,
            state,
            accepted: None,
            proposals: &[],
            precondition_met: true,
            delivered: vec![delivered.clone()],
            cursor: None,
            late: false,
            at: self.engine.clock.now(),
        };
        fold_profile(Some(state), state.head, &decision.decide())
    }

    fn deliver_one(&self, target: Target, generation: u32, state: &ProfileState) -> Ran {
        let routed = &self.runtime.registry.routing.capabilities[target.capability];
        let metrics = &self.runtime.callees[target.capability].metrics;
        let blocked = state.told(&routed.name, generation).is_some_and(|told| !told.blocked.is_empty());
        if blocked {
            metrics.held.fetch_add(1, Ordering::Relaxed);
            return Ran::Held;
        }
        self.call(target, routed, generation, state)
    }

    /// Calls one handler, whatever waits before it.
    pub fn call(&self, target: Target, routed: &Routed, generation: u32, state: &ProfileState) -> Ran {
        let routing = &self.runtime.registry.routing;
        let profile = project_profile(state, routed, generation, &self.place.adopted.visible, routing);
        let position = Position { partition: self.partition, seq: self.cause.item.seq };
        let report = match target.role {
            Role::Subscriber => {
                let Some(event) = self.item.event(position, self.cause.observed_at) else {
                    return Ran::Skipped("the item is no event".to_owned());
                };
                // It was heard of when it was routed; a grant taken back since makes it nothing.
                let Some(declared) = routed.hears(&event.name) else {
                    return Ran::Skipped("the plug-in no longer hears this event".to_owned());
                };
                match project_event(&event, declared) {
                    Ok(event) => {
                        self.try_call(target, routed, Call::Event { event: &event, profile: &profile })
                    }
                    Err(refusal) => return Ran::Unfit(refusal),
                }
            }
            Role::Source => {
                let proposals = self.item.proposals();
                let mine = proposals.iter().filter(|proposal| routed.sources(&proposal.field));
                let proposed: Vec<Proposal> = mine.cloned().collect();
                if proposed.is_empty() {
                    return Ran::Skipped("the item proposes nothing it sources".to_owned());
                }
                self.try_call(target, routed, Call::Proposals { proposed: &proposed, profile: &profile })
            }
            Role::Observer => {
                let Item::Changes(decided) = self.item else {
                    return Ran::Skipped("the item is no change".to_owned());
                };
                let changes = project_changes(&decided.changes, routed);
                let at = self.cause.observed_at;
                self.try_call(target, routed, Call::Changes { changes: &changes, at, profile: &profile })
            }
        };
        Ran::Called(report)
    }

    fn try_call(&self, target: Target, routed: &Routed, call: Call<'_>) -> CallReport {
        let callee = &self.runtime.callees[target.capability];
        let metrics = &callee.metrics;
        let mut report = callee.plugin.call(&callee.access, call);
        let patience =
            Duration::from_millis(self.engine.plugins.sandbox().limits().time_ms) * TIMEOUT_RETRY_FACTOR;
        let counted_us_max = self.engine.config.slow_call_us.saturating_mul(SLOW_CALL_COUNTS_AS);
        let mut tries = 1;
        metrics.call(report.duration, counted_us_max);
        while is_timeout(&report) && tries <= TIMEOUT_RETRIES && !self.engine.stopping.load(Ordering::Relaxed)
        {
            report = callee.plugin.call_within(&callee.access, call, patience);
            metrics.call(report.duration, counted_us_max);
            tries += 1;
        }
        // Counters are written only when they change: every worker has them at every call.
        if !report.refusals.is_empty() {
            metrics.refused.fetch_add(report.refusals.len() as u64, Ordering::Relaxed);
        }
        self.tell_logs(routed, &report);
        match &report.result {
            Ok(_) => {
                metrics.done.fetch_add(1, Ordering::Relaxed);
                if metrics.failures_in_a_row.load(Ordering::Relaxed) != 0 {
                    metrics.failures_in_a_row.store(0, Ordering::Relaxed);
                }
            }
            Err(failure) => {
                metrics.failed.fetch_add(1, Ordering::Relaxed);
                let in_a_row = metrics.failures_in_a_row.fetch_add(1, Ordering::Relaxed) + 1;
                let position = Position { partition: self.partition, seq: self.cause.item.seq };
                tracing::warn!(
                    capability = %routed.name, profile = %self.state.id, %position, role = %target.role,
                    kind = failure.kind.as_str(), in_a_row,
                    "a delivery is parked; `samsyn parked list` says why"
                );
            }
        }
        report
    }

    fn tell_logs(&self, routed: &Routed, report: &CallReport) {
        for line in &report.logs {
            let (capability, profile, message) = (&routed.name, self.state.id, &line.message);
            match line.level {
                LogLevel::Debug => {
                    tracing::debug!(target: "samsyn::plugin", %capability, %profile, "{message}")
                }
                LogLevel::Info => {
                    tracing::info!(target: "samsyn::plugin", %capability, %profile, "{message}")
                }
                LogLevel::Warn => {
                    tracing::warn!(target: "samsyn::plugin", %capability, %profile, "{message}")
                }
                LogLevel::Error => {
                    tracing::error!(target: "samsyn::plugin", %capability, %profile, "{message}")
                }
            }
        }
    }
}

fn is_timeout(report: &CallReport) -> bool {
    matches!(&report.result, Err(failure) if failure.kind == FailureKind::Timeout)
}

/// Whether a capability moves with the partition's cursor, and with which generation.
pub fn live_generation(place: &PartitionState, capability: &CapabilityName) -> Option<u32> {
    let generation = place.generation(capability)?;
    (!place.is_lagging(capability)).then_some(generation)
}
