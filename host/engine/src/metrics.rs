//! What the engine counts, in Prometheus' terms.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::RwLock;

use super::durable::InFlight;
use super::slow::Pace;
use super::slowest::Ways;
use samsyn_journal::InvocationStatus;
use samsyn_log::Commit;
use samsyn_state::view::CommittedRecord;
use samsyn_telemetry::Latency;
use samsyn_vocabulary::CapabilityName;

/// What is counted for each capability.
#[derive(Debug, Default)]
pub struct CapabilityMetrics {
    /// Time of an invocation, from making the instance to having thrown it away.
    pub latency: Latency,
    /// Invocations that ended well.
    pub done: AtomicU64,
    /// Invocations that failed.
    pub failed: AtomicU64,
    /// Invocations held behind a parked one.
    pub held: AtomicU64,
    /// What of its invocations and effects the host said no to.
    pub refused_by_host: AtomicU64,
    /// What it said no to itself.
    pub refused_by_itself: AtomicU64,
    /// Failures since the last success.
    pub failures_in_a_row: AtomicU64,
    /// A moving average of an invocation's CPU time, in microseconds.
    pub average_us: AtomicU64,
    /// The newest invocations in a row whose CPU time stayed within the bound. Two threads that count at
    /// the same time may count one for two.
    pub within_in_a_row: AtomicU64,
}

/// Weight of the newest invocation in the moving average: one part in this many.
const AVERAGE_OVER: u64 = 32;

/// In the average that tells who is slow, one invocation counts as at most this many times the bound.
const SLOW_CALL_COUNTS_AS: u64 = 2;

impl CapabilityMetrics {
    /// Counts an invocation: the time that passed for the histogram, its CPU time for how slow the plug-in
    /// is.
    pub fn record_invocation(&self, duration: Duration, cpu: Duration, slow_call_us: u64) {
        self.latency.observe(duration);
        let us = cpu.as_micros() as u64;
        let counted = us.min(slow_call_us.saturating_mul(SLOW_CALL_COUNTS_AS));
        let average = self.average_us.load(Ordering::Relaxed);
        let next = (average * (AVERAGE_OVER - 1) + counted).div_ceil(AVERAGE_OVER);
        self.average_us.store(next, Ordering::Relaxed);
        let within = if us > slow_call_us { 0 } else { self.within_in_a_row.load(Ordering::Relaxed) + 1 };
        self.within_in_a_row.store(within, Ordering::Relaxed);
    }

    /// An invocation was cut off: whatever the average was, it is slow from now on.
    pub fn too_slow(&self, slow_call_us: u64) {
        self.average_us.store(slow_call_us.saturating_mul(SLOW_CALL_COUNTS_AS), Ordering::Relaxed);
        self.within_in_a_row.store(0, Ordering::Relaxed);
    }

    /// How its invocations go now.
    pub fn pace(&self) -> Pace {
        Pace {
            average_us: self.average_us.load(Ordering::Relaxed),
            within_in_a_row: self.within_in_a_row.load(Ordering::Relaxed),
        }
    }
}

/// What the engine counts.
#[derive(Debug, Default)]
pub struct Metrics {
    capabilities: RwLock<BTreeMap<CapabilityName, Arc<CapabilityMetrics>>>,
    /// Events that are durable, with those that were not decided yet when the process started.
    pub accepted: AtomicU64,
    /// Events sent again.
    pub duplicates: AtomicU64,
    /// Events of those whose first decision is durable.
    pub decided: AtomicU64,
    /// Decisions that are durable, of whatever was decided.
    pub decisions: AtomicU64,
    /// From accepting an event until its decision is durable.
    pub accept_to_decided: Latency,
    /// Time of a commit's sync.
    pub sync: Latency,
    /// Time of a commit's write.
    pub write: Latency,
    /// Commits.
    pub commits: AtomicU64,
    /// Bytes of all commits.
    pub log_bytes: AtomicU64,
    /// Records of all commits.
    pub records: AtomicU64,
    /// Timers that fired.
    pub timers_fired: AtomicU64,
    /// Where events waited.
    pub ways: Ways,
    /// Outcomes by result.
    pub outcomes: [AtomicU64; OUTCOMES.len()],
}

/// The results that are counted.
pub const OUTCOMES: [&str; 5] = ["done", "failed", "held", "skipped", "undeliverable"];

fn outcome_index(result: &InvocationStatus) -> usize {
    match result {
        InvocationStatus::Done => 0,
        InvocationStatus::Parked(_) => 1,
        InvocationStatus::Held => 2,
        InvocationStatus::Skipped { .. } => 3,
        InvocationStatus::Undeliverable { .. } => 4,
    }
}

impl Metrics {
    /// The counters of a capability.
    pub fn capability(&self, name: &CapabilityName) -> Arc<CapabilityMetrics> {
        if let Some(metrics) = self.capabilities.read().get(name) {
            return metrics.clone();
        }
        self.capabilities.write().entry(name.clone()).or_default().clone()
    }

    /// The counters of all capabilities that were ever called.
    pub fn capabilities(&self) -> Vec<(CapabilityName, Arc<CapabilityMetrics>)> {
        self.capabilities.read().iter().map(|(name, metrics)| (name.clone(), metrics.clone())).collect()
    }

    /// Fresh instances made: each invocation has one.
    pub fn sandboxes(&self) -> u64 {
        self.capabilities.read().values().map(|metrics| metrics.latency.count()).sum()
    }

    /// Counts one commit of the log.
    pub fn commit(&self, commit: &Commit<InFlight>) {
        self.commits.fetch_add(1, Ordering::Relaxed);
        self.log_bytes.fetch_add(commit.bytes as u64, Ordering::Relaxed);
        self.records.fetch_add(commit.records.len() as u64, Ordering::Relaxed);
        self.sync.observe(commit.sync_time);
        self.write.observe(commit.write_time);
        for record in &commit.records {
            match &record.attachment.record {
                CommittedRecord::Accepted { .. } => {
                    self.accepted.fetch_add(1, Ordering::Relaxed);
                }
                CommittedRecord::Decided { decided, .. } => {
                    if let Some(way) = &record.attachment.way {
                        way.elapsed().into_iter().for_each(|elapsed| self.accept_to_decided.observe(elapsed));
                        // Behind its own event's: whoever reads this one first never sees more decided
                        // than accepted.
                        self.decided.fetch_add(1, Ordering::Release);
                    }
                    self.decisions.fetch_add(1, Ordering::Relaxed);
                    for outcome in &decided.outcomes {
                        self.outcomes[outcome_index(&outcome.result)].fetch_add(1, Ordering::Relaxed);
                    }
                }
                _ => {}
            }
        }
    }
}
