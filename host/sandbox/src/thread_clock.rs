//! How much an invocation may compute, by its thread's own clock: what a busy machine gives to others isn't
//! counted against a plug-in.
//!
//! The engine's epoch moves with time that passes ([`super::ticker`]). When an invocation comes to its
//! deadline there, it is asked how much of the CPU its thread really had, and goes on while some of its
//! time is left. Behind that stands a bound on time that passes, for a machine that gives a thread next to
//! nothing.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::ticker::{TICK, Ticker};

/// How many times an invocation's CPU time may pass until it ends though it had none: with a hundred busy
/// threads a core, no plug-in is to blame and no answer will come.
const WALL_FACTOR: u32 = 100;

/// When an invocation is looked at first, and as how much it counts what it had by then. Asking the system
/// for a thread's time takes a good part of what a fast call takes, so nobody asks when it begins.
const FIRST_LOOK: Duration = Duration::from_millis(2);

/// Says how much CPU time the calling thread has used since some moment before.
pub(super) trait ThreadClock: Send + Sync {
    /// The calling thread's time. It never gets less, and two threads' times can't be compared.
    fn used(&self) -> Duration;
}

/// The operating system's clock of the calling thread; where there is none, time that passes.
pub(super) fn of_this_thread() -> impl ThreadClock {
    SystemClock
}

struct SystemClock;

impl ThreadClock for SystemClock {
    #[cfg(unix)]
    fn used(&self) -> Duration {
        let used = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
        // Neither is ever negative: a thread begins at nought.
        Duration::new(used.tv_sec.try_into().unwrap_or(0), used.tv_nsec.try_into().unwrap_or(0))
    }

    #[cfg(not(unix))]
    fn used(&self) -> Duration {
        thread_local! {
            static BEGAN: Instant = Instant::now();
        }
        BEGAN.with(Instant::elapsed)
    }
}

/// What measures the invocations of one engine: none of it is written to by invocations of another.
#[derive(Clone)]
pub(super) struct Timing {
    pub(super) ticker: Arc<Ticker>,
    pub(super) clock: Arc<dyn ThreadClock>,
}

/// The time of one invocation.
pub(super) struct InvocationTime {
    timing: Arc<Timing>,
    /// CPU time it may have.
    allowed: Duration,
    began: Instant,
    /// What its thread had used when it began, as far as that is known; none before it was looked at.
    used_before: Option<Duration>,
    spent: Option<Spent>,
}

/// Which bound an invocation met.
#[derive(Clone, Copy, Debug)]
pub(super) enum Spent {
    /// Its CPU time.
    Cpu,
    /// Time that passed, of which it had only so much.
    Wall {
        /// CPU time it had.
        had: Duration,
        /// The bound.
        within: Duration,
    },
}

impl InvocationTime {
    /// Begins now.
    pub(super) fn begin(timing: Arc<Timing>, allowed: Duration) -> InvocationTime {
        InvocationTime { timing, allowed, began: Instant::now(), used_before: None, spent: None }
    }

    /// Ticks until it must be looked at first.
    pub(super) fn ticks(&self) -> u64 {
        ticks_of(self.first_look())
    }

    fn first_look(&self) -> Duration {
        FIRST_LOOK.min(self.allowed / 2)
    }

    /// Has the clock behind the deadline go on until then. To be called after the deadline was set.
    pub(super) fn keep_going(&self, ticks: u64) {
        self.timing.ticker.keep_going(ticks);
    }

    /// The deadline is there: how many ticks it goes on for, or none when its time is spent.
    pub(super) fn go_on(&mut self) -> Option<u64> {
        let (used, passed) = (self.timing.clock.used(), self.began.elapsed());
        let first = self.first_look();
        let before = *self.used_before.get_or_insert_with(|| used.saturating_sub(passed.min(first)));
        let had = used.saturating_sub(before);
        let within = self.allowed.saturating_mul(WALL_FACTOR);
        if had >= self.allowed {
            self.spent = Some(Spent::Cpu);
            return None;
        }
        if passed >= within {
            self.spent = Some(Spent::Wall { had, within });
            return None;
        }
        // What is left can't be used sooner than it passes.
        let ticks = ticks_of(self.allowed.saturating_sub(had).min(within.saturating_sub(passed)));
        self.keep_going(ticks);
        Some(ticks)
    }

    /// CPU time since it began, and time that passed. One that ended before it was looked at had at most
    /// what an invocation counts for then.
    pub(super) fn end(&self) -> (Duration, Duration) {
        let passed = self.began.elapsed();
        let cpu = match self.used_before {
            Some(before) => self.timing.clock.used().saturating_sub(before),
            None => self.first_look(),
        };
        (cpu.min(passed), passed)
    }

    /// CPU time it might have, in milliseconds.
    pub(super) fn allowed_ms(&self) -> u128 {
        self.allowed.as_millis()
    }

    /// The bound it met, if it met one.
    pub(super) fn spent(&self) -> Option<Spent> {
        self.spent
    }
}

/// Whole ticks, and one more, because the tick that is under way is not a whole one.
fn ticks_of(time: Duration) -> u64 {
    let ticks = time.as_nanos().div_ceil(TICK.as_nanos()).saturating_add(1);
    u64::try_from(ticks).unwrap_or(u64::MAX / 2)
}
