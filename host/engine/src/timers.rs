//! The thread that fires timers. It reads those that are due from the view, in the order in which they fire, and has
//! the workers of their partitions fire them ([`super::fire`]). It keeps nothing that must survive: a timer is set
//! until the decision of its firing says otherwise.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use super::fault::{Fault, StopCause};
use super::shared::Shared;
use super::work::Work;
use samsyn_journal::PendingTimer;
use samsyn_state::view::{StoreError, TimerOwner};
use samsyn_vocabulary::{CapabilityName, Timestamp};

/// How often it looks at least. A timer fires not earlier than a second after it was set, so none is missed.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// How long it sleeps when there is more to do.
const SHORT_PAUSE: Duration = Duration::from_millis(5);
/// Timers of one generation that may have been handed to workers and be set still. One that is slow, or catches up,
/// has no more.
const HANDED_MAX: usize = 4_096;
/// A timer that is still set after this time is handed to a worker again: it couldn't fire then.
const AGAIN_AFTER: Duration = Duration::from_secs(2);
const FIRST: Timestamp = Timestamp(i64::MIN);
const LAST: Timestamp = Timestamp(i64::MAX);
/// Work that may wait for the workers before more timers fire: what applications send comes first.
const QUEUED_MAX: usize = 1_024;
/// How long to wait before looking whether there is room.
const ROOM_PAUSE: Duration = Duration::from_micros(500);

/// The clock has jumped when it is so much further than the time that passed.
const JUMP_MS: i64 = 60 * 60 * 1_000;
/// At a start the clock is wrong, or the host stood still for long, when it is so much further than the newest record.
const STANDSTILL_MS: i64 = 24 * 60 * 60 * 1_000;

/// Why no timer fires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimersHeld {
    /// The clock went forward without the time having passed.
    ClockJumped {
        /// How far, in milliseconds.
        by_ms: i64,
    },
    /// At the start the clock was further ahead of the newest record than a day.
    StoodStill {
        /// When the newest record was appended.
        newest_record: Timestamp,
    },
}

impl std::fmt::Display for TimersHeld {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            TimersHeld::ClockJumped { by_ms } => {
                write!(f, "the clock went {} minutes ahead at once", by_ms / 60_000)
            }
            TimersHeld::StoodStill { newest_record } => {
                write!(f, "when the host started, the newest record was from {newest_record}")
            }
        }
    }
}

/// How timers are doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimersStatus {
    /// Timers that are set.
    pub pending: u64,
    /// The next one; none when none is set.
    pub next: Option<PendingTimer>,
    /// Milliseconds since the next one should have fired; 0 when it is due later.
    pub late_ms: u64,
    /// Why none fires; none when they do.
    pub held: Option<TimersHeld>,
}

/// Fires timers.
pub struct Timers {
    shared: Arc<Shared>,
    /// How many fire in a second that were due before the host started, or while they were held.
    late_per_second: u32,
    state: Mutex<State>,
    wake: Condvar,
    #[cfg(test)]
    looks: std::sync::atomic::AtomicU64,
}

struct State {
    held: Option<TimersHeld>,
    /// What was due before this fires at a bounded rate.
    late_before: Timestamp,
    /// Somebody wants it to look.
    look: bool,
}

/// What the thread has handed to workers.
struct Round {
    /// Of each owner, with when that was. A worker that can't fire one says nothing: it gets it again.
    handed: BTreeMap<TimerOwner, BTreeMap<PendingTimer, Instant>>,
    allowance: f64,
    refilled: Instant,
    clock: Timestamp,
    monotonic: Duration,
}

impl Timers {
    /// Timers of this engine. They are held when the host stood still for more than a day and any is set.
    pub fn new(shared: Arc<Shared>, late_per_second: u32) -> Timers {
        let started_at = shared.started_at;
        let state = State { held: None, late_before: started_at, look: false };
        Timers {
            shared,
            late_per_second,
            state: Mutex::new(state),
            wake: Condvar::new(),
            #[cfg(test)]
            looks: Default::default(),
        }
    }

    /// Holds all timers if the newest record is from so long ago that the clock may be wrong.
    pub(super) fn check_standstill(&self, newest_record: Option<Timestamp>) {
        let Some(newest_record) = newest_record else { return };
        let ahead = self.shared.started_at.millis().saturating_sub(newest_record.millis());
        if ahead > STANDSTILL_MS && self.shared.view.timers() > 0 {
            self.hold(TimersHeld::StoodStill { newest_record });
        }
    }

    fn hold(&self, why: TimersHeld) {
        let mut state = self.state.lock();
        if state.held.is_none() {
            tracing::warn!("no timer fires: {why}; check the clock, then `samsyn timer resume`");
            state.held = Some(why);
        }
    }

    /// Lets held timers fire. Those that became due meanwhile fire at the bounded rate.
    pub fn resume(&self) -> Option<TimersHeld> {
        let mut state = self.state.lock();
        let held = state.held.take();
        if held.is_some() {
            state.late_before = state.late_before.max(self.shared.clock.now());
        }
        state.look = true;
        self.wake.notify_all();
        held
    }

    /// Has it look now: a fixed clock was moved.
    pub fn look(&self) {
        self.state.lock().look = true;
        self.wake.notify_all();
    }

    /// How timers are doing.
    pub fn status(&self) -> Result<TimersStatus, StoreError> {
        let next = self.list(None, None, 1)?.pop();
        let late =
            |next: &PendingTimer| self.shared.clock.now().millis().saturating_sub(next.fires_at.millis());
        let late_ms = next.as_ref().map_or(0, |next| late(next).max(0) as u64);
        let (pending, held) = (self.shared.view.timers(), self.state.lock().held);
        Ok(TimersStatus { pending, next, late_ms, held })
    }

    /// Timers that are set, by when they fire, behind `after`; of one capability only, if it is given. Fewer than
    /// `limit` only at the end.
    pub fn list(
        &self,
        capability: Option<&CapabilityName>,
        after: Option<&PendingTimer>,
        limit: usize,
    ) -> Result<Vec<PendingTimer>, StoreError> {
        let mut found = Vec::new();
        let from = after.map_or(Timestamp(i64::MIN), |after| after.fires_at);
        for owner in self.shared.view.timer_owners()? {
            if capability.is_some_and(|only| owner.0 != *only) {
                continue;
            }
            // Several may fire at the time of the last one: all of these are looked at.
            let mut more = limit;
            loop {
                let page = self.shared.view.timers_of(&owner, from..=Timestamp(i64::MAX), more)?;
                let is_last = page.len() < more;
                let behind: Vec<PendingTimer> =
                    page.into_iter().filter(|timer| after.is_none_or(|after| timer > after)).collect();
                if is_last || behind.len() >= limit {
                    found.extend(behind);
                    break;
                }
                more *= 2;
            }
        }
        found.sort_unstable();
        found.truncate(limit);
        Ok(found)
    }

    /// How often it has looked.
    #[cfg(test)]
    pub(super) fn looks(&self) -> u64 {
        self.looks.load(std::sync::atomic::Ordering::SeqCst)
    }

    /// Its loop; ends when the engine stops.
    pub(super) fn run(&self) {
        let mut round = Round {
            handed: BTreeMap::new(),
            allowance: 0.0,
            refilled: Instant::now(),
            clock: self.shared.clock.now(),
            monotonic: self.shared.clock.monotonic(),
        };
        while !self.shared.is_stopping() {
            match self.fire_due(&mut round) {
                Ok(pause) => {
                    #[cfg(test)]
                    self.looks.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                    self.sleep(pause)
                }
                Err(error) => {
                    tracing::error!(%error, "the timers that are due can't be read");
                    self.shared.halt(StopCause::from(Fault::from(error)));
                    return;
                }
            }
        }
    }

    /// Wakes it so that it ends.
    pub(super) fn wake(&self) {
        self.wake.notify_all();
    }

    fn sleep(&self, pause: Duration) {
        let mut state = self.state.lock();
        if !state.look && !self.shared.is_stopping() {
            self.wake.wait_for(&mut state, pause);
        }
        state.look = false;
    }

    /// One look at what is due: hands it to the workers, oldest first. Answers how long to sleep.
    fn fire_due(&self, round: &mut Round) -> Result<Duration, StoreError> {
        let now = self.shared.clock.now();
        self.check_clock(round, now);
        let (held, late_before) = {
            let state = self.state.lock();
            (state.held.is_some(), state.late_before)
        };
        if held || self.shared.view.timers() == 0 {
            return Ok(LOOK_EVERY);
        }
        let begun = Instant::now();
        let registry = self.shared.registry();
        let mut due = Vec::new();
        let mut next = Timestamp(i64::MAX);
        let mut handed = BTreeMap::new();
        for owner in self.shared.view.timer_owners()? {
            let capability = registry.capabilities.get(&owner.0);
            // In quarantine it is invoked with nothing, and none of its timers fires.
            if capability.is_some_and(|capability| capability.is_quarantined()) {
                continue;
            }
            let before = round.handed.remove(&owner).unwrap_or_default();
            let later = Timestamp(now.millis().saturating_add(1))..=LAST;
            let first = self.shared.view.timers_of(&owner, later, 1)?.pop();
            next = first.map_or(next, |first| next.min(first.fires_at));
            let mut still = BTreeMap::new();
            for timer in self.shared.view.timers_of(&owner, FIRST..=now, HANDED_MAX + 1)? {
                match before.get(&timer) {
                    Some(since) if since.elapsed() < AGAIN_AFTER => {
                        still.insert(timer, *since);
                    }
                    _ => due.push(timer),
                }
            }
            handed.insert(owner, still);
        }
        round.handed = handed;
        due.sort_unstable();
        // A look that found much to look at is followed by a longer pause.
        let short_pause = SHORT_PAUSE.max(begun.elapsed() * 4);
        let any = !due.is_empty() || round.handed.values().any(|own| !own.is_empty());
        for timer in due {
            let owner = (timer.capability.clone(), timer.generation);
            let own = round.handed.entry(owner).or_default();
            if own.len() >= HANDED_MAX {
                // It is slow: the others' timers don't wait for it.
                continue;
            }
            own.insert(timer.clone(), Instant::now());
            let is_late = timer.fires_at < late_before;
            if !self.has_room() || (is_late && !round.may_fire_late(self.late_per_second, Instant::now())) {
                round.forget(&timer);
                return Ok(short_pause);
            }
            let partition = self.shared.home(timer.profile);
            self.shared.schedule.push(partition, Work::Fire(Box::new(timer)));
        }
        let until_next = Duration::from_millis(next.millis().saturating_sub(now.millis()).max(1) as u64);
        Ok(until_next.min(if any { short_pause.min(LOOK_EVERY) } else { LOOK_EVERY }))
    }

    /// Whether the workers have little enough to do. Waits a moment for that.
    fn has_room(&self) -> bool {
        let until = Instant::now() + LOOK_EVERY;
        while self.shared.schedule.len() >= QUEUED_MAX {
            if self.shared.is_stopping() || Instant::now() >= until {
                return false;
            }
            std::thread::sleep(ROOM_PAUSE);
        }
        true
    }

    /// Notices a clock that jumps, and one that comes back.
    fn check_clock(&self, round: &mut Round, now: Timestamp) {
        let monotonic = self.shared.clock.monotonic();
        let passed = monotonic.saturating_sub(round.monotonic).as_millis() as i64;
        let by_ms = now.millis().saturating_sub(round.clock.millis()).saturating_sub(passed);
        (round.clock, round.monotonic) = (now, monotonic);
        if by_ms > JUMP_MS {
            self.hold(TimersHeld::ClockJumped { by_ms });
        } else if by_ms < -JUMP_MS {
            let mut state = self.state.lock();
            if matches!(state.held, Some(TimersHeld::ClockJumped { .. })) {
                tracing::warn!("the clock went back: timers fire again");
                state.held = None;
            }
        }
    }
}

impl Round {
    /// A timer wasn't handed to anybody after all.
    fn forget(&mut self, timer: &PendingTimer) {
        if let Some(own) = self.handed.get_mut(&(timer.capability.clone(), timer.generation)) {
            own.remove(timer);
        }
    }

    /// Whether one more late timer may fire now.
    fn may_fire_late(&mut self, per_second: u32, now: Instant) -> bool {
        let most = f64::from(per_second);
        let more = now.duration_since(self.refilled).as_secs_f64() * most;
        (self.allowance, self.refilled) = ((self.allowance + more).min(most), now);
        if self.allowance < 1.0 {
            return false;
        }
        self.allowance -= 1.0;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn late_timers_fire_at_their_rate_and_a_pause_saves_up_no_more_than_a_second() {
        let begun = Instant::now();
        let mut round = Round {
            handed: BTreeMap::new(),
            allowance: 0.0,
            refilled: begun,
            clock: FIRST,
            monotonic: Duration::ZERO,
        };
        let mut fire = |millis: u64| round.may_fire_late(100, begun + Duration::from_millis(millis));
        assert!(!fire(0), "none before its time");
        let fired = (1..=10_000).filter(|millis| fire(*millis)).count();
        assert!((999..=1_000).contains(&fired), "{fired} in ten seconds");
        let after_an_hour = (0..1_000).filter(|_| fire(3_600_000)).count();
        assert_eq!(after_an_hour, 100);
    }
}
