//! How many calls an endpoint takes: a number in a time, and a number at once.
//!
//! The rate is exact: in no stretch of its length do more calls begin. After a 429 both numbers are halved, and come
//! back in small steps (additive increase, multiplicative decrease).

use std::collections::VecDeque;
use std::fmt;
use std::str::FromStr;
use std::time::{Duration, Instant};

/// Calls in a time at most; more is no limit that anybody means.
const COUNT_MAX: u32 = 100_000;
/// The longest time of a rate.
const PER_MAX: Duration = Duration::from_secs(24 * 3600);
/// After a 429 the share of the limits that is used is halved, down to this part.
const SHARE_MIN: f64 = 1.0 / 64.0;
/// What comes back with each step.
const RECOVERY: f64 = 0.05;
/// How long a step takes at least.
const STEP_MIN: Duration = Duration::from_secs(10);

/// So many calls in a time: `100 per 10s`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Calls.
    pub count: u32,
    /// The time.
    pub per: Duration,
}

/// A text that is no rate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no rate; write it like `100 per 10s`, with ms, s, m or h, at most {COUNT_MAX} per 24h")]
pub struct BadRate(pub String);

impl FromStr for Rate {
    type Err = BadRate;

    fn from_str(text: &str) -> Result<Rate, BadRate> {
        let bad = || BadRate(text.to_owned());
        let (count, per) = text.split_once(" per ").ok_or_else(bad)?;
        let unit_at = per.find(|character: char| !character.is_ascii_digit()).ok_or_else(bad)?;
        let (number, unit) = per.split_at(unit_at);
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(count) || !digits(number) {
            return Err(bad());
        }
        let number: u64 = number.parse().map_err(|_| bad())?;
        let millis = match unit {
            "ms" => Some(1),
            "s" => Some(1000),
            "m" => Some(60_000),
            "h" => Some(3_600_000),
            _ => None,
        };
        let per = millis
            .and_then(|millis| number.checked_mul(millis))
            .map(Duration::from_millis)
            .ok_or_else(bad)?;
        let count: u32 = count.parse().map_err(|_| bad())?;
        let valid = (1..=COUNT_MAX).contains(&count) && !per.is_zero() && per <= PER_MAX;
        if valid { Ok(Rate { count, per }) } else { Err(bad()) }
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = self.per.as_millis();
        if millis.is_multiple_of(1000) {
            write!(f, "{} per {}s", self.count, millis / 1000)
        } else {
            write!(f, "{} per {millis}ms", self.count)
        }
    }
}

/// The right to make one call. It goes back by [`Bucket::finish`] or [`Bucket::give_back`].
#[must_use = "a slot that isn't given back is lost"]
#[derive(Debug, PartialEq, Eq)]
pub struct Slot {
    at: Instant,
    number: u64,
}

/// Why there is no slot now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Busy {
    /// As many calls as allowed are under way: when one ends.
    Parallel,
    /// As many as allowed began: at this time, if the limits stay.
    Until(Instant),
}

/// The limits of one endpoint, in use.
#[derive(Clone, Debug)]
pub struct Bucket {
    rate: Option<Rate>,
    parallel: u32,
    begun: VecDeque<(Instant, u64)>,
    running: u32,
    next: u64,
    cut: Option<Cut>,
}

#[derive(Clone, Copy, Debug)]
struct Cut {
    at: Instant,
    share: f64,
}

impl Bucket {
    /// At most so many begin in a time, and so many run at once; at least one.
    pub fn new(rate: Option<Rate>, parallel: u32) -> Bucket {
        Bucket { rate, parallel: parallel.max(1), begun: VecDeque::new(), running: 0, next: 0, cut: None }
    }

    /// A slot, if there is one now.
    pub fn take(&mut self, now: Instant) -> Result<Slot, Busy> {
        let share = self.share(now);
        if self.running >= part(self.parallel, share) {
            return Err(Busy::Parallel);
        }
        if let Some(rate) = self.rate {
            while self.begun.front().is_some_and(|(at, _)| *at + rate.per <= now) {
                self.begun.pop_front();
            }
            let allowed = part(rate.count, share) as usize;
            if let Some(over) = self.begun.len().checked_sub(allowed) {
                // When so many of the oldest have left the window that one more fits.
                let at = self.begun.get(over).map_or(now, |(at, _)| *at);
                return Err(Busy::Until(at + rate.per));
            }
        }
        self.running += 1;
        self.next += 1;
        let slot = Slot { at: now, number: self.next };
        if self.rate.is_some() {
            self.begun.push_back((slot.at, slot.number));
        }
        Ok(slot)
    }

    /// The call ended.
    pub fn finish(&mut self, slot: Slot) {
        let Slot { .. } = slot;
        self.running = self.running.saturating_sub(1);
    }

    /// The slot wasn't used: another call may have it, as if it had never been taken.
    pub fn give_back(&mut self, slot: Slot) {
        if let Some(at) = self.begun.iter().rposition(|(_, number)| *number == slot.number) {
            self.begun.remove(at);
        }
        self.finish(slot);
    }

    /// The call of this slot was answered 429. Calls that began before the last cut don't cut again.
    pub fn refused(&mut self, slot: &Slot, now: Instant) {
        if self.cut.is_none_or(|cut| slot.at > cut.at) {
            self.cut = Some(Cut { at: now, share: (self.share(now) / 2.0).max(SHARE_MIN) });
        }
    }

    /// The part of the limits that is used now, above 0 and at most 1.
    pub fn share(&self, now: Instant) -> f64 {
        let Some(cut) = self.cut else { return 1.0 };
        let step = self.rate.map_or(STEP_MIN, |rate| rate.per.max(STEP_MIN));
        let steps = now.saturating_duration_since(cut.at).as_millis() / step.as_millis().max(1);
        let steps = u32::try_from(steps).unwrap_or(u32::MAX);
        (cut.share + RECOVERY * f64::from(steps)).min(1.0)
    }

    /// How many calls are under way.
    pub fn running(&self) -> u32 {
        self.running
    }
}

fn part(whole: u32, share: f64) -> u32 {
    // Both are positive and the product is at most `whole`.
    ((f64::from(whole) * share) as u32).max(1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rate(text: &str) -> Rate {
        text.parse().unwrap()
    }

    fn second(at: u64) -> Duration {
        Duration::from_secs(at)
    }

    #[test]
    fn a_rate_is_read_and_written() {
        assert_eq!(rate("100 per 10s"), Rate { count: 100, per: second(10) });
        for text in ["1 per 1s", "100 per 10s", "5 per 250ms", "1 per 86400s"] {
            assert_eq!(rate(text).to_string(), text);
        }
        assert_eq!(rate("5 per 2m"), Rate { count: 5, per: second(120) });
        assert_eq!(rate("5 per 1h").per, second(3600));
        for text in [
            "",
            "100",
            "100/s",
            "0 per 1s",
            "1 per 0s",
            "-1 per 1s",
            "+1 per 1s",
            "1 per s",
            "1 per 1",
            "1 per 25h",
        ]
        .into_iter()
        .chain(["1 per 1d", "1.5 per 1s", " 1 per 1s", "100001 per 1s", "1 per 99999999999999999999s"])
        .chain(["1 per 18446744073709551615h", "1  per 1s"])
        {
            assert!(text.parse::<Rate>().is_err(), "{text}");
        }
    }

    #[test]
    fn as_many_as_the_rate_and_no_more() {
        let start = Instant::now();
        let mut bucket = Bucket::new(Some(rate("3 per 10s")), 100);
        for at in [0, 1, 2] {
            let _ = bucket.take(start + second(at)).unwrap();
        }
        assert_eq!(bucket.take(start + second(3)), Err(Busy::Until(start + second(10))));
        let _ = bucket.take(start + second(10)).unwrap();
        assert_eq!(bucket.take(start + second(10)), Err(Busy::Until(start + second(11))));
    }

    #[test]
    fn as_many_at_once_as_allowed() {
        let now = Instant::now();
        let mut bucket = Bucket::new(None, 2);
        let (first, second) = (bucket.take(now).unwrap(), bucket.take(now).unwrap());
        assert_eq!(bucket.take(now), Err(Busy::Parallel));
        bucket.finish(first);
        let third = bucket.take(now).unwrap();
        bucket.give_back(second);
        bucket.finish(third);
        assert_eq!(bucket.running(), 0);
    }

    #[test]
    fn a_slot_that_was_not_used_counts_as_never_taken() {
        let now = Instant::now();
        let mut bucket = Bucket::new(Some(rate("1 per 1h")), 4);
        let slot = bucket.take(now).unwrap();
        assert!(bucket.take(now).is_err());
        bucket.give_back(slot);
        let slot = bucket.take(now).unwrap();
        bucket.finish(slot);
        assert!(bucket.take(now).is_err());
    }

    #[test]
    fn a_429_halves_once_and_recovers_slowly() {
        let start = Instant::now();
        let mut bucket = Bucket::new(Some(rate("100 per 10s")), 8);
        let slots: Vec<Slot> = (0..8).map(|_| bucket.take(start).unwrap()).collect();
        // Eight that were under way together are one sign.
        for slot in &slots {
            bucket.refused(slot, start + second(1));
        }
        assert!((bucket.share(start + second(1)) - 0.5).abs() < 1e-9);
        slots.into_iter().for_each(|slot| bucket.finish(slot));
        let slots: Vec<Slot> = (0..4).map(|_| bucket.take(start + second(2)).unwrap()).collect();
        assert_eq!(bucket.take(start + second(2)), Err(Busy::Parallel));
        bucket.refused(&slots[0], start + second(3));
        assert!((bucket.share(start + second(3)) - 0.25).abs() < 1e-9);
        assert!((bucket.share(start + second(13)) - 0.30).abs() < 1e-9);
        assert!(bucket.share(start + second(150)) < 1.0);
        assert!((bucket.share(start + second(153)) - 1.0).abs() < 1e-9);
    }

    proptest! {
        /// Whatever happens, no stretch of the rate's length has more beginnings than the rate, no more run at once
        /// than allowed, and the bucket always opens again.
        #[test]
        fn the_limits_hold(
            count in 1_u32..20, per in 1_u64..5000, parallel in 1_u32..6,
            steps in proptest::collection::vec((0_u64..2000, 0_u8..8), 1..200),
        ) {
            let start = Instant::now();
            let per = Duration::from_millis(per);
            let mut bucket = Bucket::new(Some(Rate { count, per }), parallel);
            let (mut now, mut held, mut used): (Instant, Vec<Slot>, Vec<Instant>) = (start, Vec::new(), Vec::new());
            for (pass, what) in steps {
                now += Duration::from_millis(pass);
                match what {
                    0..4 => match bucket.take(now) {
                        Ok(slot) => { used.push(now); held.push(slot); }
                        Err(Busy::Until(at)) => prop_assert!(at > now && at <= now + per),
                        Err(Busy::Parallel) => prop_assert!(!held.is_empty()),
                    },
                    4 => if let Some(slot) = held.pop() {
                        let at = used.iter().rposition(|at| *at == slot.at).unwrap();
                        used.remove(at);
                        bucket.give_back(slot);
                    },
                    5 => if let Some(slot) = held.first() { bucket.refused(slot, now); },
                    _ => if !held.is_empty() { bucket.finish(held.remove(0)); },
                }
                prop_assert!(held.len() <= parallel as usize);
                prop_assert_eq!(bucket.running() as usize, held.len());
                let share = bucket.share(now);
                prop_assert!((SHARE_MIN..=1.0).contains(&share));
            }
            for begin in &used {
                let within = used.iter().filter(|at| *at >= begin && **at < *begin + per).count();
                prop_assert!(within <= count as usize);
            }
            held.into_iter().for_each(|slot| bucket.finish(slot));
            prop_assert!(bucket.take(now + per).is_ok());
        }
    }
}
