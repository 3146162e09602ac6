//! Which capabilities are slow, and when one is fast again. Who was slow, fast and slow again is
//! believed later each time, so that nobody moves to and fro between a thread of its own and the
//! workers: each move is a record in every partition.

use std::collections::{HashMap, HashSet};

use crate::vocabulary::{CapabilityName, Digest};

/// A capability is fast again when its invocations take less than one part in this many of the bound.
const FAST_SHARE: u64 = 2;

/// Invocations in a row within the bound that are asked of one that has returned once before. One that
/// never returned needs only its average.
const CALLS_AGAIN: u64 = 256;
/// So many times more each time.
const CALLS_AGAIN_FACTOR: u64 = 4;
/// The most that is asked: a capability that got better returns in the end.
const CALLS_AGAIN_MAX: u64 = 65_536;

/// How a capability's invocations go now.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// The moving average of an invocation's CPU time, in microseconds.
    pub average_us: u64,
    /// The newest invocations in a row that stayed within the bound.
    pub within_in_a_row: u64,
}

/// The slow ones, and how often each was believed to be fast again.
#[derive(Debug, Default)]
pub struct Slow {
    now: HashSet<CapabilityName>,
    returned: HashMap<CapabilityName, Returned>,
}

/// Of one version: another one starts anew.
#[derive(Debug)]
struct Returned {
    digest: Digest,
    times: u32,
}

impl Slow {
    /// Notes that it is slow; true when that is new.
    pub fn note(&mut self, capability: &CapabilityName) -> bool {
        self.now.insert(capability.clone())
    }

    /// Those that are slow now.
    pub fn now(&self) -> &HashSet<CapabilityName> {
        &self.now
    }

    /// Whether a slow one is fast by now, of this version and with this bound in microseconds. From
    /// then on it is.
    pub fn returns(
        &mut self,
        capability: &CapabilityName,
        digest: Digest,
        pace: Pace,
        slow_call_us: u64,
    ) -> bool {
        let before = self.returned.get(capability).filter(|returned| returned.digest == digest);
        let times = before.map_or(0, |returned| returned.times);
        let is_fast = pace.average_us.saturating_mul(FAST_SHARE) <= slow_call_us;
        if !is_fast || pace.within_in_a_row < asked_after(times) {
            return false;
        }
        self.now.remove(capability);
        self.returned.insert(capability.clone(), Returned { digest, times: times.saturating_add(1) });
        true
    }
}

/// Invocations in a row that are asked of one that returned so many times.
fn asked_after(times: u32) -> u64 {
    let Some(more) = times.checked_sub(1) else { return 0 };
    CALLS_AGAIN_FACTOR.saturating_pow(more).saturating_mul(CALLS_AGAIN).min(CALLS_AGAIN_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::metrics::CapabilityMetrics;
    use std::sync::atomic::Ordering;
    use std::time::Duration;

    const BOUND_US: u64 = 5_000;

    fn name() -> CapabilityName {
        "probe".parse().unwrap()
    }

    fn version(text: &str) -> Digest {
        Digest::of(text.as_bytes())
    }

    /// How often it moved to a thread of its own within so many invocations, of which some take long.
    fn moves(calls: u64, takes_us: impl Fn(u64) -> u64) -> u32 {
        let (mut slow, metrics, mut moves) = (Slow::default(), CapabilityMetrics::default(), 0);
        for call in 0..calls {
            let took = Duration::from_micros(takes_us(call));
            metrics.record_invocation(took, took, BOUND_US);
            if slow.now().contains(&name()) {
                slow.returns(&name(), version("1"), metrics.pace(), BOUND_US);
            } else if metrics.average_us.load(Ordering::Relaxed) > BOUND_US {
                moves += u32::from(slow.note(&name()));
            }
        }
        moves
    }

    #[test]
    fn who_is_slow_now_and_then_does_not_move_to_and_fro() {
        // Eighty slow ones in every thousand: enough for the average, and enough between for it to fall.
        let now_and_then = |call| if call % 1_000 < 80 { 20_000 } else { 50 };
        assert_eq!(moves(1_000_000, now_and_then), 3, "one move a thousand calls would be a thousand");
        assert_eq!(moves(10_000, |_| 50), 0);
        assert_eq!(moves(10_000, |_| 20_000), 1);
    }

    #[test]
    fn who_got_better_returns_and_another_version_starts_anew() {
        let (mut slow, fast) = (Slow::default(), |calls| Pace { average_us: 50, within_in_a_row: calls });
        for asked in [0, 256, 1_024, 4_096, 16_384, 65_536, 65_536] {
            slow.note(&name());
            if asked > 0 {
                assert!(!slow.returns(&name(), version("1"), fast(asked - 1), BOUND_US), "{asked}");
            }
            let still = Pace { average_us: BOUND_US / 2 + 1, within_in_a_row: u64::MAX };
            assert!(!slow.returns(&name(), version("1"), still, BOUND_US), "its average is high: {asked}");
            assert!(slow.returns(&name(), version("1"), fast(asked), BOUND_US), "{asked}");
            assert!(slow.now().is_empty());
        }
        slow.note(&name());
        assert!(!slow.returns(&name(), version("1"), fast(1), BOUND_US));
        assert!(slow.returns(&name(), version("2"), fast(1), BOUND_US));
    }
}
