//! Keeping the log small enough to start from: snapshots are made in the background ([`snapshots`]),
//! and segments leave when they are too old or too large and nothing needs them any more
//! ([`retention`]).
//!
//! One thread of low priority does both, one after the other: so no record can leave while it is
//! folded. No event waits for it.

mod config;
mod retention;
mod retention_report;
mod snapshots;

pub use config::{RetentionConfig, SnapshotConfig};
pub use retention_report::{Holder, RetentionReport};
pub use snapshots::{SnapshotInProgress, Snapshots};

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use super::lanes::Lanes;
use super::shared::Shared;
use samsyn_log::LogError;
use samsyn_machine::niceness::lower_priority;
use samsyn_state::snapshot::{Shelf, SnapshotError, SnapshotInfo};

/// How often the thread looks whether something is due: a look costs nothing. Tests say themselves
/// when something is, so that a slow machine doesn't find another state than a fast one.
const LOOK_EVERY: Duration =
    if cfg!(test) { Duration::from_secs(24 * 3600) } else { Duration::from_secs(10) };
/// How often it looks for segments that are too old. Growing beyond its bytes, the log is looked at
/// with every segment.
const RETAIN_EVERY: Duration = Duration::from_secs(3600);
/// The thread's niceness: it gets what the others leave.
const NICENESS: i32 = 15;

/// Why a snapshot or a retention could not be made.
#[derive(Debug, thiserror::Error)]
pub enum MaintenanceError {
    /// No snapshot was made.
    #[error("no snapshot was made: {0}")]
    SnapshotJob(#[from] SnapshotError),
    /// The log can't be read, or its segments can't be removed.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The view can't be read.
    #[error(transparent)]
    View(#[from] samsyn_state::view::StoreError),
    /// The snapshots can't be looked at.
    #[error(transparent)]
    Snapshot(#[from] samsyn_state::snapshot::BadSnapshot),
    /// What must outlive its segment can't be carried on; nothing was removed.
    #[error(transparent)]
    Carry(#[from] samsyn_log::CarryError),
}

/// Settings and state of the maintenance.
pub struct Maintenance {
    pub(super) shared: Arc<Shared>,
    pub(super) lanes: Arc<Lanes>,
    pub(super) shelf: Shelf,
    pub(super) snapshots: SnapshotConfig,
    pub(super) retention: RetentionConfig,
    /// Held while a snapshot is made or segments leave: one at a time.
    pub(super) busy: Mutex<()>,
    pub(super) state: Mutex<MaintenanceState>,
    wake: Condvar,
    /// Snapshots made since the start, and those that could not be.
    pub(super) made: AtomicU64,
    pub(super) failed: AtomicU64,
    /// Segments removed since the start.
    pub(super) removed: AtomicU64,
}

#[derive(Default)]
pub(super) struct MaintenanceState {
    /// How often somebody asked for a snapshot, and how many of these have had it, or its failure.
    asked: u64,
    answered: u64,
    making: Option<SnapshotInProgress>,
    /// The snapshots there are, newest first, as of the last look.
    listed: Vec<(String, Result<SnapshotInfo, String>)>,
    failure: Option<(String, Instant)>,
    pub(super) retention: Option<RetentionReport>,
}

impl Maintenance {
    /// With the snapshots in `shelf`.
    pub fn new(
        shared: Arc<Shared>,
        lanes: Arc<Lanes>,
        shelf: Shelf,
        snapshots: SnapshotConfig,
        retention: RetentionConfig,
    ) -> Maintenance {
        Maintenance {
            shared,
            lanes,
            shelf,
            snapshots,
            retention,
            busy: Mutex::default(),
            state: Mutex::default(),
            wake: Condvar::new(),
            made: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            removed: AtomicU64::new(0),
        }
    }

    /// Wakes the thread.
    pub fn wake(&self) {
        // Under the lock, so that it can't fall between a look and a sleep.
        let _state = self.state.lock();
        self.wake.notify_all();
    }
}

impl Maintenance {
    /// The maintenance thread; ends when the engine stops.
    pub(super) fn run(&self) {
        lower_priority(NICENESS);
        let mut segments = self.shared.log().segments().len();
        let mut retained = Instant::now();
        loop {
            let asked = {
                let mut state = self.state.lock();
                if state.asked == state.answered && !self.shared.is_stopping() {
                    self.wake.wait_for(&mut state, LOOK_EVERY);
                }
                state.asked > state.answered
            };
            if self.shared.is_stopping() {
                return;
            }
            if asked || self.snapshot_is_due() {
                // It is logged by itself.
                let _ = self.make_snapshot();
            }
            let now = self.shared.log().segments().len();
            if self.retention.is_on() && (now > segments || retained.elapsed() >= RETAIN_EVERY) {
                (segments, retained) = (now, Instant::now());
                match self.apply_retention(false) {
                    Ok(report) => segments -= report.removed.min(segments),
                    Err(error) => tracing::error!(%error, "old segments could not be removed"),
                }
            }
        }
    }
}
