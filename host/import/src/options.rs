//! How to import.

use std::time::{Duration, Instant};

use samsyn_terminal::Stop;
use samsyn_vocabulary::Timestamp;

/// How to import.
#[derive(Debug, Clone)]
pub struct Options {
    /// Requests in flight at once, at least 1.
    pub lanes: usize,
    /// Events a request, at most the host's 2,500.
    pub batch_events: usize,
    /// Bytes of JSON a request, below the host's 500 KiB.
    pub batch_bytes: usize,
    /// How long to go on trying while the host is full or away, from the last row it answered.
    pub patience: Duration,
    /// The identifier whose customer's order is kept; none for the first row's first one.
    pub order_by: Option<String>,
    /// Since when these rows may have been sent before; none where the host isn't told.
    pub sent_since: Option<SentSince>,
    /// Ends the import early. A run that fails sets it too.
    pub stop: Stop,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            lanes: 4,
            batch_events: 200,
            // Below the host's 500 KiB, with room for a longer event than expected.
            batch_bytes: 400 * 1024,
            patience: Duration::from_secs(60),
            order_by: None,
            sent_since: None,
            stop: Stop::default(),
        }
    }
}

/// How far this machine's clock and the host's may drift apart in a run.
const DRIFT: Duration = Duration::from_secs(60);

/// Since when rows may have been sent before, by the host's clock: the host then takes none that
/// it may have forgotten.
#[derive(Debug, Clone, Copy)]
pub struct SentSince {
    /// When the first run began.
    pub first_run: Timestamp,
    /// The host's time when this run began …
    pub now: Timestamp,
    /// … which was here.
    pub started: Instant,
}

impl SentSince {
    /// The same for rows that this run sent first at that moment, and sends `again` or not. In a
    /// first run nobody sent them before, so that a host which forgets faster than it is sent to
    /// ends no import.
    pub fn of(&self, first_sent: Instant, again: bool) -> Option<Timestamp> {
        if self.first_run < self.now {
            return Some(self.first_run);
        }
        if !again {
            return None;
        }
        let elapsed = first_sent.saturating_duration_since(self.started).saturating_sub(DRIFT);
        let millis = i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX);
        Some(Timestamp(self.now.millis().saturating_add(millis)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_run_tells_when_the_first_began_and_a_first_one_when_it_first_sent_a_row() {
        let started = Instant::now();
        let (an_hour, later) = (Duration::from_secs(3_600), started + Duration::from_secs(3_600));
        let first = SentSince { first_run: Timestamp(1_000), now: Timestamp(1_000), started };
        assert_eq!(first.of(later, false), None, "nobody sent it before");
        assert_eq!(first.of(started, true), Some(Timestamp(1_000)));
        let expected = 1_000 + (an_hour - DRIFT).as_millis() as i64;
        assert_eq!(first.of(later, true), Some(Timestamp(expected)));
        let second = SentSince { now: Timestamp(9_000), ..first };
        for again in [false, true] {
            assert_eq!(second.of(later, again), Some(Timestamp(1_000)));
        }
    }
}
