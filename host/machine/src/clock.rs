//! The one place where the host reads the time, so that tests can say what time it is.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use samsyn_vocabulary::Timestamp;

/// A source of wall-clock time. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Clock(Option<Arc<Fixed>>);

#[derive(Debug)]
struct Fixed {
    now: AtomicI64,
    /// How far the clock was moved without the time having passed, in milliseconds.
    jumped: AtomicI64,
}

impl Clock {
    /// The machine's clock.
    pub fn system() -> Clock {
        Clock(None)
    }

    /// A clock that stands still until it is set.
    pub fn fixed(at: Timestamp) -> Clock {
        Clock(Some(Arc::new(Fixed { now: AtomicI64::new(at.millis()), jumped: AtomicI64::new(0) })))
    }

    /// Moves a fixed clock, as if that time had passed. A system clock goes on as it does.
    pub fn set(&self, at: Timestamp) {
        if let Some(fixed) = &self.0 {
            fixed.now.store(at.millis(), Ordering::Relaxed);
        }
    }

    /// Moves a fixed clock though no time has passed, as somebody does who sets the clock of a machine.
    pub fn jump(&self, at: Timestamp) {
        if let Some(fixed) = &self.0 {
            let by = at.millis() - fixed.now.load(Ordering::Relaxed);
            fixed.jumped.fetch_add(by, Ordering::Relaxed);
            fixed.now.store(at.millis(), Ordering::Relaxed);
        }
    }

    /// The time that has passed since some moment that stays the same: no setting of the clock changes it.
    pub fn monotonic(&self) -> Duration {
        match &self.0 {
            Some(fixed) => {
                let (now, jumped) = (fixed.now.load(Ordering::Relaxed), fixed.jumped.load(Ordering::Relaxed));
                Duration::from_millis(now.saturating_sub(jumped).max(0) as u64)
            }
            None => {
                static BEGUN: LazyLock<Instant> = LazyLock::new(Instant::now);
                BEGUN.elapsed()
            }
        }
    }

    /// Now, in milliseconds.
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            Some(fixed) => Timestamp(fixed.now.load(Ordering::Relaxed)),
            None => {
                let since = SystemTime::now().duration_since(UNIX_EPOCH);
                Timestamp(since.map_or(0, |since| since.as_millis() as i64))
            }
        }
    }
}
