//! The one place where the host reads the time, so that tests can say what time it is.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use samsyn_vocabulary::Timestamp;

/// A source of wall-clock time. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Clock(Option<Arc<AtomicI64>>);

impl Clock {
    /// The machine's clock.
    pub fn system() -> Clock {
        Clock(None)
    }

    /// A clock that stands still until it is set.
    pub fn fixed(at: Timestamp) -> Clock {
        Clock(Some(Arc::new(AtomicI64::new(at.millis()))))
    }

    /// Moves a fixed clock. A system clock goes on as it does.
    pub fn set(&self, at: Timestamp) {
        if let Some(fixed) = &self.0 {
            fixed.store(at.millis(), Ordering::Relaxed);
        }
    }

    /// Now, in milliseconds.
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            Some(fixed) => Timestamp(fixed.load(Ordering::Relaxed)),
            None => {
                let since = SystemTime::now().duration_since(UNIX_EPOCH);
                Timestamp(since.map_or(0, |since| since.as_millis() as i64))
            }
        }
    }
}
