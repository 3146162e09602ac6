//! Where events waited: of all of them as histograms, and of the slowest by themselves, for what is rare
//! stands in no average.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use serde::Serialize;

use crate::way::{STAGES, Waits};
use samsyn_telemetry::Latency;
use samsyn_vocabulary::Position;

/// How many of the slowest are kept.
pub const SLOWEST_KEPT: usize = 100;

/// A slow event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlowEvent {
    /// Which.
    pub position: Position,
    /// Where it waited.
    pub waits: Waits,
}

/// The slowest events since somebody looked last, and the waits of all.
#[derive(Debug, Default)]
pub struct Ways {
    /// A histogram for each of [`STAGES`].
    pub stages: [Latency; STAGES.len()],
    /// What an event must have taken to be among the slowest, in nanoseconds.
    least: AtomicU64,
    slowest: Mutex<Vec<SlowEvent>>,
}

impl Ways {
    /// Counts an event whose decision was reported.
    pub fn record(&self, position: Position, waits: Waits) {
        for (histogram, waited) in self.stages.iter().zip(waits.stages()) {
            histogram.observe(waited);
        }
        if waits.total.as_nanos() as u64 <= self.least.load(Ordering::Relaxed) {
            return;
        }
        let [lock, queue, run, log, sync, view, other] = waits.stages().map(|stage| stage.as_micros());
        tracing::debug!(
            target: "samsyn::slow",
            %position, total_us = waits.total.as_micros(), lock, queue, run, log, sync, view, other,
            "among the slowest events so far; where it waited, in microseconds"
        );
        let mut slowest = self.slowest.lock();
        slowest.push(SlowEvent { position, waits });
        if slowest.len() > SLOWEST_KEPT {
            let fastest = (0..slowest.len()).min_by_key(|at| slowest[*at].waits.total);
            fastest.map(|at| slowest.swap_remove(at));
        }
        if slowest.len() == SLOWEST_KEPT {
            let least = slowest.iter().map(|event| event.waits.total).min().unwrap_or_default();
            self.least.store(least.as_nanos() as u64, Ordering::Relaxed);
        }
    }

    /// The slowest, the slowest first.
    pub fn slowest(&self) -> Vec<SlowEvent> {
        let mut slowest = self.slowest.lock().clone();
        slowest.sort_by_key(|event| std::cmp::Reverse(event.waits.total));
        slowest
    }

    /// The slowest, and forgets them: the next are those from now on.
    pub fn take_slowest(&self) -> Vec<SlowEvent> {
        let slowest = self.slowest();
        let mut kept = self.slowest.lock();
        kept.clear();
        self.least.store(0, Ordering::Relaxed);
        slowest
    }
}

/// The slowest events since the start, and where they waited.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SlowestEvents {
    /// How many they are: at most a hundred.
    pub events: usize,
    /// What the slowest took from being taken to being told, in microseconds.
    pub slowest_us: u64,
    /// What they took on average, in microseconds.
    pub average_us: u64,
    /// Where that went, in microseconds an event: `lock` (locks of the host), `queue` (for a worker), `run`
    /// (in plug-ins), `log` (behind earlier commits), `sync` (the disk), `view`, `other`.
    pub average_waits_us: std::collections::BTreeMap<&'static str, u64>,
}

impl SlowestEvents {
    /// Of these, the slowest first.
    pub fn of(slowest: &[SlowEvent]) -> SlowestEvents {
        let Some(first) = slowest.first() else { return SlowestEvents::default() };
        let average = |sum: Duration| sum.as_micros() as u64 / slowest.len() as u64;
        let stage = |at: usize| average(slowest.iter().map(|event| event.waits.stages()[at]).sum());
        SlowestEvents {
            events: slowest.len(),
            slowest_us: first.waits.total.as_micros() as u64,
            average_us: average(slowest.iter().map(|event| event.waits.total).sum()),
            average_waits_us: STAGES.iter().enumerate().map(|(at, name)| (*name, stage(at))).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use samsyn_vocabulary::Partition;

    fn waits(total_ms: u64) -> Waits {
        let ms = Duration::from_millis;
        Waits { total: ms(total_ms), sync: ms(total_ms / 2), ..Waits::default() }
    }

    fn position(seq: u64) -> Position {
        Position { partition: Partition(1), seq }
    }

    #[test]
    fn the_slowest_hundred_are_kept_whatever_order_they_come_in() {
        let ways = Ways::default();
        // 1, 3, 5, …, 499, and then 500, 498, …, 2.
        let order = (1..500).step_by(2).chain((2..=500).rev().step_by(2));
        order.for_each(|ms| ways.record(position(ms), waits(ms)));
        let kept: Vec<u64> = ways.slowest().iter().map(|event| event.position.seq).collect();
        assert_eq!(kept, (401..=500).rev().collect::<Vec<u64>>());
        assert_eq!(ways.stages.iter().map(Latency::count).collect::<Vec<_>>(), [500; STAGES.len()]);
        let told = SlowestEvents::of(&ways.take_slowest());
        assert_eq!((told.events, told.slowest_us), (100, 500_000));
        assert_eq!(told.average_us, told.average_waits_us.values().sum::<u64>());
        // From here on others are the slowest.
        ways.record(position(7), waits(7));
        assert_eq!(ways.slowest().len(), 1);
    }
}
