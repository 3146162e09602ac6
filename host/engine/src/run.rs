//! Calling the handlers of one item, one after the other, each in a fresh sandbox.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::lanes::Lanes;
use super::runtime::Runtime;
use samsyn_decide::decide::{Cause, CompletedInvocation, Decision, InvocationResult};
use samsyn_decide::invoke::{InvocationInput, invoke_in_order, invoke_with_retries, is_timeout};
use samsyn_decide::item::Item;
use samsyn_decide::route::Target;
use samsyn_journal::{PartitionState, ProfileState, fold_ahead};
use samsyn_registry::Routed;
use samsyn_sandbox::{HandlerInput, InvocationReport};
use samsyn_vocabulary::{CapabilityName, LogLevel};

/// One item and everything that was true when its handlers were called.
pub struct Run<'a> {
    /// For their limits and counters.
    pub lanes: &'a Lanes,
    /// The cursors of the profile's partition.
    pub partition_state: &'a PartitionState,
    pub runtime: &'a Runtime,
    pub state: &'a ProfileState,
    /// Whether others wait behind it: who takes too long is then not tried again at once.
    pub hurried: bool,
    pub item: &'a Item,
    pub cause: &'a Cause,
}

impl Run<'_> {
    /// Invokes each target with the item, see [`invoke_in_order`].
    pub fn invoke(&self, targets: &[(Target<'_>, u32)]) -> Vec<CompletedInvocation> {
        let invoke =
            |target: Target<'_>, generation, state: &ProfileState| self.invoke_one(target, generation, state);
        invoke_in_order(targets, self.state, invoke, |state, completed| self.fold_own(state, completed))
    }

    /// The profile as a capability left it with its first role.
    fn fold_own(&self, state: &ProfileState, completed: &CompletedInvocation) -> ProfileState {
        let decision = Decision {
            cause: self.cause.clone(),
            routing: &self.runtime.registry.routing,
            revision: self.runtime.registry.revision,
            partition: self.partition_state,
            state,
            accepted: None,
            proposals: &[],
            precondition_met: true,
            completed: vec![completed.clone()],
            through: None,
            cursor: None,
            late: false,
            customer_bytes: self.lanes.limits.customer_bytes,
            at: self.lanes.shared.clock.now(),
        };
        fold_ahead(state, &decision.decide().without_names())
    }

    fn invoke_one(&self, target: Target<'_>, generation: u32, state: &ProfileState) -> InvocationResult {
        let routed = &self.runtime.registry.routing.capabilities[target.capability];
        let metrics = &self.runtime.callees[target.capability].metrics;
        let blocked = state.capability_state(&routed.name, generation).is_some_and(|own| own.waits());
        if blocked {
            metrics.held.fetch_add(1, Ordering::Relaxed);
            return InvocationResult::Held;
        }
        self.invoke_one_now(target, routed, generation, state)
    }

    /// Calls one handler, whatever waits before it.
    pub fn invoke_one_now(
        &self,
        target: Target<'_>,
        routed: &Routed,
        generation: u32,
        state: &ProfileState,
    ) -> InvocationResult {
        let input = InvocationInput {
            invocation: target.invocation,
            cause: self.cause,
            partition_state: self.partition_state,
            routing: &self.runtime.registry.routing,
            routed,
            generation,
            state,
        };
        input.run(|input| self.try_invoke(target, routed, input))
    }

    fn try_invoke(&self, target: Target<'_>, routed: &Routed, input: HandlerInput<'_>) -> InvocationReport {
        let callee = &self.runtime.callees[target.capability];
        let metrics = &callee.metrics;
        let time = Duration::from_millis(self.lanes.limits.time_ms);
        let slow_call_us = self.lanes.shared.config.slow_call_us;
        // A handler that takes too long for those behind it is retried on a thread of its own.
        let moves = |report: &InvocationReport| self.hurried && self.is_for_its_own_thread(report);
        let go_on = |report: &InvocationReport| !moves(report) && !self.lanes.shared.is_stopping();
        let called =
            |report: &InvocationReport| metrics.record_invocation(report.duration, report.cpu, slow_call_us);
        let report = invoke_with_retries(&callee.plugin, &callee.access, input, time, go_on, called);
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
                let position = self.cause.item.record();
                tracing::warn!(
                    capability = %routed.name, profile = %self.state.id, %position, role = %target.role(),
                    kind = failure.kind.as_str(), in_a_row,
                    "a delivery is parked; `samsyn parked list` says why"
                );
            }
        }
        report
    }

    fn is_for_its_own_thread(&self, report: &InvocationReport) -> bool {
        is_timeout(report) && report.cpu.as_micros() as u64 > self.lanes.shared.config.slow_call_us
    }

    /// Those who took so long that nobody should wait for them.
    pub fn too_slow<'r>(
        &'r self,
        completed: &'r [CompletedInvocation],
    ) -> impl Iterator<Item = &'r CapabilityName> {
        let capabilities = &self.runtime.registry.routing.capabilities;
        let slow = |invocation: &&CompletedInvocation| matches!(&invocation.result, InvocationResult::Called(report) if self.is_for_its_own_thread(report));
        completed.iter().filter(slow).map(|invocation| &capabilities[invocation.capability].name)
    }

    fn forward_logs(&self, routed: &Routed, report: &InvocationReport) {
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
