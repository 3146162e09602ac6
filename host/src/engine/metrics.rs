//! What the engine counts, in Prometheus' terms.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::RwLock;

use super::durable::InFlight;
use super::slow::Pace;
use super::slowest::Ways;
use crate::log::Commit;
use crate::record::InvocationStatus;
use crate::view::CommittedRecord;
use crate::vocabulary::CapabilityName;

/// Upper bounds of the latency buckets, in microseconds: about five a decade, from what a fresh
/// sandbox takes to what makes a person wait.
pub const LATENCY_BOUNDS_US: [u64; 24] = [
    2, 4, 6, 8, 10, 15, 20, 30, 50, 75, 100, 150, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000,
    100_000, 500_000, 1_000_000, 5_000_000,
];

/// What a time beyond the last bound is told as, in microseconds: more than 5 s. How much more, a
/// histogram doesn't know.
pub const LATENCY_BEYOND_US: u64 = LATENCY_BOUNDS_US[LATENCY_BOUNDS_US.len() - 1] + 1;

/// A histogram that many threads count in without waiting for each other.
#[derive(Debug, Default)]
pub struct Latency {
    /// One for each bound, and one for what is beyond the last.
    buckets: [AtomicU64; LATENCY_BOUNDS_US.len() + 1],
    sum_ns: AtomicU64,
}

/// What a histogram held at one moment.
#[derive(Clone, Debug)]
pub struct LatencySnapshot {
    /// Counts, not cumulative.
    pub buckets: Vec<u64>,
    /// Seconds, added up.
    pub sum_s: f64,
}

impl Latency {
    /// Counts one.
    pub fn observe(&self, duration: Duration) {
        let us = duration.as_micros() as u64;
        let bucket = LATENCY_BOUNDS_US.partition_point(|bound| *bound < us);
        self.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        self.sum_ns.fetch_add(duration.as_nanos() as u64, Ordering::Relaxed);
    }

    /// How many were counted.
    pub fn count(&self) -> u64 {
        self.buckets.iter().map(|bucket| bucket.load(Ordering::Relaxed)).sum()
    }

    /// What it holds.
    pub fn snapshot(&self) -> LatencySnapshot {
        LatencySnapshot {
            buckets: self.buckets.iter().map(|bucket| bucket.load(Ordering::Relaxed)).collect(),
            sum_s: self.sum_ns.load(Ordering::Relaxed) as f64 / 1e9,
        }
    }
}

impl LatencySnapshot {
    /// How many were counted.
    pub fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }

    /// The bound, in microseconds, below which this share (0 to 1) lies; 0 when nothing was counted, and
    /// [`LATENCY_BEYOND_US`] when it lies beyond the last bound.
    pub fn quantile_us(&self, share: f64) -> u64 {
        let wanted = (self.count() as f64 * share).ceil() as u64;
        let mut passed = 0;
        for (index, count) in self.buckets.iter().enumerate() {
            passed += count;
            if passed >= wanted && wanted > 0 {
                return LATENCY_BOUNDS_US.get(index).copied().unwrap_or(LATENCY_BEYOND_US);
            }
        }
        0
    }
}

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
        self.log_bytes.fetch_add(commit.frame_bytes as u64, Ordering::Relaxed);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_the_bound_above_it() {
        let latency = Latency::default();
        for us in 1..=100 {
            latency.observe(Duration::from_micros(us));
        }
        let snapshot = latency.snapshot();
        assert_eq!(snapshot.count(), 100);
        assert_eq!(snapshot.quantile_us(0.5), 50);
        assert_eq!(snapshot.quantile_us(0.99), 100);
        assert_eq!(Latency::default().snapshot().quantile_us(0.99), 0);
    }

    #[test]
    fn a_quantile_beyond_the_last_bound_is_a_number_that_every_client_reads() {
        let latency = Latency::default();
        latency.observe(Duration::from_secs(3600));
        let told = latency.snapshot().quantile_us(0.5);
        assert!(told > LATENCY_BOUNDS_US[LATENCY_BOUNDS_US.len() - 1], "{told}");
        assert!(told < 1 << 53, "{told} is no whole number in JavaScript");
    }
}
