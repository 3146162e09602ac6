//! Histograms of time that many threads count in.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

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
        let quantile = latency.snapshot().quantile_us(0.5);
        assert!(quantile > LATENCY_BOUNDS_US[LATENCY_BOUNDS_US.len() - 1], "{quantile}");
        assert!(quantile < 1 << 53, "{quantile} is no whole number in JavaScript");
    }
}
