//! A component's shadow run: it is called as it would have been, and keeps its own claims and memory.

use std::borrow::Cow;
use std::cell::Cell;
use std::time::Duration;

use super::candidate::Candidate;
use super::control::Control;
use super::revisions::Fit;
use crate::engine::decide::{Cause, Decision, Delivered, InvocationResult};
use crate::engine::invoke::{Invocation, call_patiently, deliver_in_turn, is_timeout};
use crate::engine::item::Item;
use crate::engine::route::Target;
use crate::record::{
    Cursor, Decided, DeliveryResult, Emitted, Outcome, PartitionState, ProfileState, fold_into, fold_profile,
};
use crate::sandbox::{Call, CallReport};
use crate::vocabulary::{CapabilityName, ItemPosition, Partition, Role, Seq, Timestamp};

/// One item that is delivered to the plug-in, and what the log says of that.
pub struct Delivery<'a> {
    /// The partition.
    pub partition: Partition,
    /// Its cursors before the record.
    pub place: &'a PartitionState,
    /// The record that decides it; 0 when there is none.
    pub seq: Seq,
    /// The item.
    pub item: &'a Item,
    /// Where it stands.
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
pub struct Came<'a> {
    /// Outcomes, one a role.
    pub outcomes: Vec<Cow<'a, Outcome>>,
    /// What was emitted, by all roles.
    pub emitted: Vec<Cow<'a, Emitted>>,
    /// It had been delivered in this run already when the log's was retried.
    pub was_done: bool,
}

/// A component that runs.
pub struct Shadow<'a> {
    /// Which.
    pub candidate: &'a Candidate,
    /// The plug-in's name.
    pub capability: &'a CapabilityName,
    /// Whether to go on.
    pub control: &'a Control,
    /// The time of one call.
    pub time: Duration,
    /// What one capability may keep of one customer.
    pub customer_bytes: u64,
    /// How many calls were made.
    pub calls: &'a Cell<u64>,
}

impl Delivery<'_> {
    fn decision<'a>(
        &'a self,
        customer_bytes: u64,
        fit: &'a Fit,
        state: &'a ProfileState,
        delivered: Vec<Delivered>,
        cursor: Option<Cursor>,
    ) -> Decision<'a> {
        Decision {
            cause: self.cause.clone(),
            routing: &fit.routing,
            revision: fit.revision,
            partition: self.place,
            state,
            accepted: None,
            proposals: &[],
            precondition_met: true,
            delivered,
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

/// Whether a delivery waits in this state.
fn waits(
    own: &ProfileState,
    capability: &CapabilityName,
    generation: u32,
    item: ItemPosition,
    role: Role,
) -> bool {
    let capability_state = own.capability_state(capability, generation);
    capability_state.is_some_and(|own| own.may_wait(item, role))
}

impl Shadow<'_> {
    /// Delivers an item to these roles. `state` is the profile as the log has it, `own` what this run
    /// told of it.
    pub fn deliver(
        &self,
        fit: &Fit,
        targets: &[(Target, u32)],
        state: &mut ProfileState,
        own: &mut ProfileState,
        delivery: &Delivery<'_>,
    ) -> Came<'static> {
        if targets.is_empty() {
            return Came::default();
        }
        let logged = std::mem::take(&mut state.capabilities);
        let others = logged.iter().filter(|own| own.capability != *self.capability);
        state.capabilities = others.chain(&own.capabilities).cloned().collect();
        let decided = self.decide(fit, targets, state, delivery);
        state.capabilities = logged;
        self.fold(&decided, own, delivery);
        let outcomes = decided.outcomes.into_iter().map(Cow::Owned).collect();
        let emitted = decided.emitted.into_iter().map(Cow::Owned).collect();
        Came { outcomes, emitted, was_done: false }
    }

    /// Runs a delivery that the log ran again, or gave up, after it had waited.
    pub fn retry(
        &self,
        fit: &Fit,
        state: &mut ProfileState,
        own: &mut ProfileState,
        delivery: &Delivery<'_>,
    ) -> Came<'static> {
        let waited = |outcome: &&&Outcome| {
            waits(own, self.capability, outcome.generation, delivery.cause.item, outcome.role)
        };
        let waiting = delivery.logged.iter().filter(waited);
        let target =
            |outcome: &&Outcome| (Target { capability: fit.index, role: outcome.role }, outcome.generation);
        let targets: Vec<(Target, u32)> = waiting.map(target).collect();
        let was_done = targets.len() < delivery.logged.len();
        Came { was_done, ..self.deliver(fit, &targets, state, own, delivery) }
    }

    fn decide(
        &self,
        fit: &Fit,
        targets: &[(Target, u32)],
        state: &ProfileState,
        delivery: &Delivery<'_>,
    ) -> Decided {
        let fold_own = |state: &ProfileState, delivered: &Delivered| {
            let decided =
                delivery.decision(self.customer_bytes, fit, state, vec![delivered.clone()], None).decide();
            fold_profile(Some(state), state.head, &decided)
        };
        let deliver = |target: Target, generation, state: &ProfileState| {
            self.deliver_one(fit, target, generation, state, delivery)
        };
        let delivered = deliver_in_turn(targets, state, deliver, fold_own);
        // Visible values are the log's; only what the plug-in itself said and keeps is this run's.
        delivery.decision(self.customer_bytes, fit, state, delivered, delivery.cursor.clone()).decide_said()
    }

    fn deliver_one(
        &self,
        fit: &Fit,
        target: Target,
        generation: u32,
        state: &ProfileState,
        delivery: &Delivery<'_>,
    ) -> InvocationResult {
        match delivery.logged(target.role).map(|logged| &logged.result) {
            Some(DeliveryResult::Undeliverable { reason }) => {
                return InvocationResult::Undeliverable(reason.clone());
            }
            Some(DeliveryResult::Skipped { reason }) => return InvocationResult::Skipped(reason.clone()),
            Some(DeliveryResult::Held) => {
                let capability_state = state.capability_state(self.capability, generation);
                if capability_state.is_some_and(|own| own.waits()) {
                    return InvocationResult::Held;
                }
            }
            _ => {}
        }
        let invocation = Invocation {
            item: delivery.item,
            cause: &delivery.cause,
            partition: delivery.partition,
            place: delivery.place,
            routing: &fit.routing,
            routed: &fit.routing.capabilities[fit.index],
            generation,
            role: target.role,
            state,
        };
        invocation.call(|call| self.call(fit, call))
    }

    fn call(&self, fit: &Fit, call: Call<'_>) -> CallReport {
        let plugin = &self.candidate.plugin;
        let go_on = |_: &CallReport| !self.control.is_stopped();
        let called = |_: &CallReport| self.calls.set(self.calls.get() + 1);
        let report = call_patiently(plugin, &fit.access, call, self.time, go_on, called);
        if is_timeout(&report) {
            self.control.timed_out();
        }
        report
    }

    /// Folds what this run told into its own state of the customer.
    fn fold(&self, decided: &Decided, own: &mut ProfileState, delivery: &Delivery<'_>) {
        let failed_alone = |outcome: &Outcome| {
            let waits_in_log = delivery.logged(outcome.role).is_some_and(|logged| !logged.result.is_final());
            matches!(outcome.result, DeliveryResult::Parked(_)) && !waits_in_log
        };
        if !decided.outcomes.iter().any(failed_alone) {
            fold_into(own, delivery.seq, decided);
            return;
        }
        let mut skipped = decided.clone();
        for outcome in skipped.outcomes.iter_mut().filter(|outcome| failed_alone(outcome)) {
            outcome.result = DeliveryResult::Skipped { reason: String::new() };
        }
        fold_into(own, delivery.seq, &skipped);
    }
}

impl<'a> Came<'a> {
    /// What the log has: outcomes of the plug-in in a record, and what it emitted with it.
    pub fn of_log(outcomes: &[&'a Outcome], decided: &'a Decided, capability: &CapabilityName) -> Came<'a> {
        let emitted = decided.emitted.iter().filter(|emitted| emitted.by == *capability);
        Came {
            outcomes: outcomes.iter().map(|outcome| Cow::Borrowed(*outcome)).collect(),
            emitted: emitted.map(Cow::Borrowed).collect(),
            was_done: false,
        }
    }
}

/// A customer as a run knows it: only what it told itself.
pub fn without_capabilities(state: &ProfileState) -> ProfileState {
    ProfileState::new(state.id, state.created_at)
}
