//! Calling the handlers of one item, one after the other, each in a fresh sandbox.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::Engine;
use super::decide::{Cause, Decision, Delivered, InvocationResult};
use super::invoke::{Invocation, call_patiently, deliver_in_turn, is_timeout};
use super::item::Item;
use super::route::Target;
use super::runtime::Runtime;
use crate::record::{PartitionState, ProfileState, fold_profile};
use crate::registry::Routed;
use crate::sandbox::{Call, CallReport};
use crate::vocabulary::{CapabilityName, LogLevel, Partition, Position};

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
    /// Whether others wait behind it: who takes too long is then not tried again at once.
    pub hurried: bool,
    /// What is delivered.
    pub item: &'a Item,
    /// Where it stands.
    pub cause: &'a Cause,
}

impl Run<'_> {
    /// Delivers the item to each target, see [`deliver_in_turn`].
    pub fn deliver(&self, targets: &[(Target, u32)]) -> Vec<Delivered> {
        let deliver = |target, generation, state: &_| self.deliver_one(target, generation, state);
        deliver_in_turn(targets, self.state, deliver, |state, delivered| self.fold_own(state, delivered))
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
            customer_bytes: self.engine.plugins.sandbox().limits().customer_bytes,
            at: self.engine.clock.now(),
        };
        fold_profile(Some(state), state.head, &decision.decide())
    }

    fn deliver_one(&self, target: Target, generation: u32, state: &ProfileState) -> InvocationResult {
        let routed = &self.runtime.registry.routing.capabilities[target.capability];
        let metrics = &self.runtime.callees[target.capability].metrics;
        let blocked = state.capability_state(&routed.name, generation).is_some_and(|own| own.waits());
        if blocked {
            metrics.held.fetch_add(1, Ordering::Relaxed);
            return InvocationResult::Held;
        }
        self.call(target, routed, generation, state)
    }

    /// Calls one handler, whatever waits before it.
    pub fn call(
        &self,
        target: Target,
        routed: &Routed,
        generation: u32,
        state: &ProfileState,
    ) -> InvocationResult {
        let invocation = Invocation {
            item: self.item,
            cause: self.cause,
            partition: self.partition,
            place: self.place,
            routing: &self.runtime.registry.routing,
            routed,
            generation,
            role: target.role,
            state,
        };
        invocation.call(|call| self.try_call(target, routed, call))
    }

    fn try_call(&self, target: Target, routed: &Routed, call: Call<'_>) -> CallReport {
        let callee = &self.runtime.callees[target.capability];
        let metrics = &callee.metrics;
        let time = Duration::from_millis(self.engine.plugins.sandbox().limits().time_ms);
        let slow_call_us = self.engine.config.slow_call_us;
        // Who takes too long for those behind it is delivered to with patience on a thread of its own.
        let moves = |report: &CallReport| self.hurried && self.is_for_its_own_thread(report);
        let go_on = |report: &CallReport| !moves(report) && !self.engine.stopping.load(Ordering::Relaxed);
        let called = |report: &CallReport| metrics.call(report.duration, report.cpu, slow_call_us);
        let report = call_patiently(&callee.plugin, &callee.access, call, time, go_on, called);
        if moves(&report) {
            // It counts there, too.
            metrics.too_slow(slow_call_us);
            return report;
        }
        self.forward_logs(routed, &report);
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

    fn is_for_its_own_thread(&self, report: &CallReport) -> bool {
        is_timeout(report) && report.cpu.as_micros() as u64 > self.engine.config.slow_call_us
    }

    /// Those who took so long that nobody should wait for them.
    pub fn too_slow<'r>(&'r self, delivered: &'r [Delivered]) -> impl Iterator<Item = &'r CapabilityName> {
        let capabilities = &self.runtime.registry.routing.capabilities;
        let slow = |is: &&Delivered| matches!(&is.result, InvocationResult::Called(report) if self.is_for_its_own_thread(report));
        delivered.iter().filter(slow).map(|is| &capabilities[is.capability].name)
    }

    fn forward_logs(&self, routed: &Routed, report: &CallReport) {
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

/// Whether a capability moves with the partition's cursor, and with which generation.
pub fn live_generation(place: &PartitionState, capability: &CapabilityName) -> Option<u32> {
    let generation = place.generation(capability)?;
    (!place.is_lagging(capability)).then_some(generation)
}
