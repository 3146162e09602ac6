//! The slow lane: slow capabilities get a thread of their own, and those that fail repeatedly are
//! quarantined, so that no other capability waits for them.

use std::sync::atomic::Ordering;

use super::fault::StopCause;
use super::lanes::Lanes;
use samsyn_journal::{Decided, InvocationStatus};
use samsyn_registry::RegistryChange;
use samsyn_vocabulary::{CapabilityName, FailureKind, Partition};

impl Lanes {
    /// Whether the capability is in the slow lane, or about to move there.
    pub(super) fn is_slow(&self, capability: &CapabilityName) -> bool {
        self.slow.lock().now().contains(capability)
    }

    /// Notes that a capability is slow; true when that is new.
    pub(super) fn note_slow(&self, capability: &CapabilityName) -> bool {
        let mut slow = self.slow.lock();
        self.any_slow.store(true, Ordering::Relaxed);
        slow.note(capability)
    }

    /// Whether a slow capability is still slow; if not, it leaves the slow lane.
    pub(super) fn is_still_slow(&self, capability: &CapabilityName) -> bool {
        if !self.is_slow(capability) {
            return false;
        }
        let registry = self.shared.registry();
        let Some(installed) = registry.capabilities.get(capability) else { return true };
        let pace = self.shared.metrics.capability(capability).pace();
        let mut slow = self.slow.lock();
        if !slow.returns(capability, installed.digest, pace, self.shared.config.slow_call_us) {
            return true;
        }
        self.any_slow.store(!slow.now().is_empty(), Ordering::Relaxed);
        drop(slow);
        tracing::info!(%capability, average_us = pace.average_us, "fast enough to move with the others again");
        false
    }

    /// Checks the capabilities of a decision: one that fails repeatedly is quarantined, a slow one moves to
    /// the slow lane.
    pub(super) fn quarantine_if_due(&self, decided: &Decided, runtime: &super::runtime::Runtime) {
        for outcome in &decided.outcomes {
            let Some((index, _)) = runtime.registry.routing.capability(&outcome.capability) else { continue };
            let metrics = &runtime.callees[index].metrics;
            if let InvocationStatus::Parked(failure) = &outcome.result {
                let in_a_row = metrics.failures_in_a_row.load(Ordering::Relaxed);
                if failure.kind != FailureKind::Error
                    && in_a_row >= u64::from(self.shared.config.quarantine_after)
                {
                    self.ask_for_quarantine(outcome, failure, in_a_row);
                }
            }
            let is_slow = metrics.average_us.load(Ordering::Relaxed) > self.shared.config.slow_call_us;
            if is_slow && decided.cursor.is_none() && self.note_slow(&outcome.capability) {
                tracing::warn!(capability = %outcome.capability, "slow: it gets a thread of its own");
                self.shared.adopt_everywhere();
                self.shared.requests.look();
            }
        }
    }

    /// Moves each of them to the slow lane, in this partition before anything else is decided there.
    /// Returns whether there was one.
    pub(super) fn move_to_slow_lane<'a>(
        &self,
        partition: Partition,
        slow: impl Iterator<Item = &'a CapabilityName>,
    ) -> Result<bool, StopCause> {
        let mut any = false;
        for capability in slow {
            any = true;
            if self.note_slow(capability) {
                tracing::warn!(%capability, "cut off: it gets a thread of its own");
                self.shared.adopt_everywhere();
            }
        }
        if any {
            self.adopt(partition)?;
            self.shared.requests.look();
        }
        Ok(any)
    }

    fn ask_for_quarantine(
        &self,
        outcome: &samsyn_journal::Outcome,
        failure: &samsyn_vocabulary::Failure,
        in_a_row: u64,
    ) {
        let change = RegistryChange::Quarantined {
            capability: outcome.capability.clone(),
            digest: outcome.digest,
            // Not the failure's message, which may hold what the plug-in knows of a customer: the
            // registry is for people who may not.
            reason: format!("{in_a_row} calls in a row failed, the last by a {}", failure.kind.as_str()),
        };
        self.shared.requests.change(change);
    }
}
