//! How far a run is, and how to end it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::error::ReplayError;
use super::input::Share;
use samsyn_log::Progress;

/// Invocations that spent their time, each three times over, after which the run is given up: the rest of
/// such a component would take days.
const TIMEOUTS_MAX: u64 = 20;

/// How far a run is, and how to end it. Shared with whoever started it.
#[derive(Debug, Default)]
pub struct Control {
    stopped: AtomicBool,
    gave_up: AtomicBool,
    timeouts: AtomicU64,
    profiles: AtomicU64,
    /// Bytes of the log that were read.
    pub bytes_done: AtomicU64,
    /// Bytes there are; 0 until they are known.
    pub bytes_total: AtomicU64,
    /// Records that were read.
    pub records: AtomicU64,
    /// Invocations that were compared.
    pub compared: AtomicU64,
    /// Calls of components.
    pub invocations: AtomicU64,
}

impl Control {
    /// Ends the run soon.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    /// Whether it was told to end.
    pub fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    /// The log was read as far as this.
    pub(super) fn has_read(&self, progress: Progress) {
        self.records.store(progress.records, Ordering::Relaxed);
        self.bytes_done.store(progress.bytes_done, Ordering::Relaxed);
        self.bytes_total.store(progress.bytes_total, Ordering::Relaxed);
    }

    /// An invocation spent all its time.
    pub(super) fn timed_out(&self) {
        if self.timeouts.fetch_add(1, Ordering::Relaxed) + 1 >= TIMEOUTS_MAX {
            self.gave_up.store(true, Ordering::Relaxed);
            self.stop();
        }
    }

    /// Why it was given up before the log's end, if it was.
    pub(super) fn gave_up(&self) -> Option<String> {
        self.gave_up
            .load(Ordering::Relaxed)
            .then(|| format!("{TIMEOUTS_MAX} invocations timed out: the rest of the log was left out"))
    }

    /// Another customer of this share is held in memory, of which there may be so many.
    pub(super) fn held(&self, share: Share, profiles_max: u64) -> Result<(), ReplayError> {
        if self.profiles.fetch_add(1, Ordering::Relaxed) < profiles_max {
            return Ok(());
        }
        let (done, total) =
            (self.bytes_done.load(Ordering::Relaxed), self.bytes_total.load(Ordering::Relaxed));
        // As far as the log was read it was full; the rest will hold others.
        let fits = share.as_percent() * done as f64 / total.max(1) as f64;
        Err(ReplayError::TooMany { max: profiles_max, percent: fits.clamp(0.1, 99.0) })
    }
}
