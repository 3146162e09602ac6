//! Keeping the log small enough to start from: snapshots are made in the background, and segments
//! leave when they are too old or too much and nothing needs them any more ([`super::retain`]).
//!
//! One thread of low priority does both, one after the other: so no record can leave while it is
//! folded. Nothing here is on an event's way.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use super::Engine;
use super::retained::RetentionReport;
use crate::config::{RetentionConfig, SnapshotConfig};
use crate::log::LogError;
use crate::niceness::lower_priority;
use crate::snapshot::{Listed, Make, MakeError, MakeProgress, Proceed, Remember, Shelf, SnapshotInfo};
use crate::vocabulary::Timestamp;

/// How often the thread looks whether something is due: a look costs nothing. Tests say themselves
/// when something is, so that a slow machine doesn't find another state than a fast one.
const LOOK_EVERY: Duration =
    if cfg!(test) { Duration::from_secs(24 * 3600) } else { Duration::from_secs(10) };
/// How often it looks for segments that are too old. Growing beyond its bytes, the log is looked at
/// with every segment.
const RETAIN_EVERY: Duration = Duration::from_secs(3600);
/// What a snapshot that failed is tried again after.
const TRY_AGAIN_AFTER: Duration = Duration::from_secs(300);
/// The thread's niceness: it gets what the others leave.
const NICENESS: i32 = 15;
const MILLIS_A_DAY: i64 = 24 * 3600 * 1000;

/// Why a snapshot or a retention could not be made.
#[derive(Debug, thiserror::Error)]
pub enum KeepError {
    /// No snapshot was made.
    #[error("no snapshot was made: {0}")]
    Make(#[from] MakeError),
    /// The log can't be read, or its segments can't be removed.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The view can't be read.
    #[error(transparent)]
    View(#[from] crate::view::StoreError),
    /// The snapshots can't be looked at.
    #[error(transparent)]
    Snapshot(#[from] crate::snapshot::BadSnapshot),
    /// What must outlive its segment can't be carried on; nothing was removed.
    #[error(transparent)]
    Carry(#[from] crate::log::CarryError),
}

/// What keeps the log: its settings, and how it is doing.
pub struct Keeper {
    pub(super) shelf: Shelf,
    pub(super) snapshots: SnapshotConfig,
    pub(super) retention: RetentionConfig,
    /// Held while a snapshot is made or segments leave: one at a time.
    pub(super) busy: Mutex<()>,
    pub(super) state: Mutex<KeeperState>,
    wake: Condvar,
    /// Snapshots made since the start, and those that could not be.
    pub(super) made: AtomicU64,
    pub(super) failed: AtomicU64,
    /// Segments that left since the start.
    pub(super) removed: AtomicU64,
}

#[derive(Default)]
pub(super) struct KeeperState {
    /// How often somebody asked for a snapshot, and how many of these have had it, or its failure.
    asked: u64,
    answered: u64,
    making: Option<Making>,
    /// The snapshots there are, newest first, as of the last look.
    listed: Vec<(String, Result<SnapshotInfo, String>)>,
    failure: Option<(String, Instant)>,
    pub(super) retention: Option<RetentionReport>,
}

/// A snapshot that is being made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Making {
    /// Since when.
    pub since: Timestamp,
    /// How far it is.
    pub progress: MakeProgress,
}

/// The snapshots of a host.
#[derive(Clone, Debug)]
pub struct Snapshots {
    /// Newest first: the file's name, and what it is or why it can't be used.
    pub items: Vec<(String, Result<SnapshotInfo, String>)>,
    /// The one that is being made.
    pub making: Option<Making>,
    /// Why the last one could not be made; none when it could.
    pub failure: Option<String>,
    /// Bytes the log has grown since the newest one that can be used.
    pub log_bytes_since: u64,
    /// How often one was asked for since the start.
    pub asked: u64,
    /// How many of those have had it: one that began after they asked, or its failure.
    pub answered: u64,
    /// Made since the start.
    pub made: u64,
    /// Not made since the start, though they were tried.
    pub failed: u64,
}

impl Keeper {
    /// With the snapshots in `shelf`.
    pub fn new(shelf: Shelf, snapshots: SnapshotConfig, retention: RetentionConfig) -> Keeper {
        Keeper {
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

impl Engine {
    /// The keeper's thread; ends when the engine stops.
    pub(super) fn run_keeper(&self) {
        lower_priority(NICENESS);
        let mut segments = self.log.reader().segments().len();
        let mut retained = Instant::now();
        loop {
            let asked = {
                let mut state = self.keeper.state.lock();
                if state.asked == state.answered && !self.is_stopping() {
                    self.keeper.wake.wait_for(&mut state, LOOK_EVERY);
                }
                state.asked > state.answered
            };
            if self.is_stopping() {
                return;
            }
            if asked || self.snapshot_is_due() {
                // It is logged by itself.
                let _ = self.make_snapshot();
            }
            let now = self.log.reader().segments().len();
            if self.keeper.retention.is_on() && (now > segments || retained.elapsed() >= RETAIN_EVERY) {
                (segments, retained) = (now, Instant::now());
                match self.retain(false) {
                    Ok(report) => segments -= report.removed.min(segments),
                    Err(error) => tracing::error!(%error, "old segments could not be removed"),
                }
            }
        }
    }

    /// Has the keeper's thread make a snapshot of the log as it is now; how often one was asked for,
    /// this time included: there it is when as many have been [answered](Snapshots::answered).
    pub fn ask_for_snapshot(&self) -> u64 {
        let mut state = self.keeper.state.lock();
        state.asked += 1;
        self.keeper.wake.notify_all();
        state.asked
    }

    /// Whether enough has come since the last one. A snapshot is as large as all customers, so the
    /// log must have grown by as much: then no more is written for snapshots than for the log.
    fn snapshot_is_due(&self) -> bool {
        let every = self.keeper.snapshots.every_bytes;
        if every == 0 {
            return false;
        }
        let state = self.keeper.state.lock();
        if state.failure.as_ref().is_some_and(|(_, at)| at.elapsed() < TRY_AGAIN_AFTER) {
            return false;
        }
        let (offset, bytes) = newest(&state.listed).map_or((0, 0), |info| (info.offset, info.bytes));
        self.log.reader().cut().offset.saturating_sub(offset) >= every.max(bytes)
    }

    /// Makes a snapshot of everything that is durable now, if anything came since the newest one.
    pub fn make_snapshot(&self) -> Result<SnapshotInfo, KeepError> {
        let _busy = self.keeper.busy.lock();
        self.make_snapshot_alone()
    }

    pub(super) fn make_snapshot_alone(&self) -> Result<SnapshotInfo, KeepError> {
        let keeper = &self.keeper;
        let started = Instant::now();
        let since = self.clock.now();
        let answers = {
            let mut state = keeper.state.lock();
            state.making = Some(Making { since, progress: MakeProgress::default() });
            state.asked
        };
        let made = self.make_with_base(since);
        let mut failure = None;
        match &made {
            Ok(info) => {
                keeper.made.fetch_add(1, Ordering::Relaxed);
                tracing::info!(
                    snapshot = info.name,
                    profiles = info.profiles,
                    bytes = info.bytes,
                    seconds = started.elapsed().as_secs_f64(),
                    "a snapshot was made"
                );
            }
            Err(MakeError::Stopped) => {}
            Err(error) => {
                keeper.failed.fetch_add(1, Ordering::Relaxed);
                tracing::error!(%error, "no snapshot was made; the host goes on, and tries again");
                failure = Some((error.to_string(), Instant::now()));
            }
        }
        if made.is_ok()
            && let Err(error) = self.prune_snapshots()
        {
            tracing::warn!(%error, "older snapshots could not be removed");
        }
        self.look_at_snapshots();
        let mut state = keeper.state.lock();
        state.making = None;
        state.failure = failure;
        state.answered = answers;
        drop(state);
        Ok(made?)
    }

    fn make_with_base(&self, made_at: Timestamp) -> Result<SnapshotInfo, MakeError> {
        let (log, keeper) = (self.log.reader(), &self.keeper);
        let cut = log.cut();
        let base = keeper.shelf.usable(log).next();
        if let Some(base) = base.as_ref().filter(|base| base.header().cut.offset == cut.offset) {
            return Ok(base.info());
        }
        let remember = Remember {
            millis: i64::from(self.config.event_id_days) * MILLIS_A_DAY,
            max: self.config.event_ids_max,
        };
        let make =
            Make { log, dir: keeper.shelf.dir(), base, cut, made_at, remember, profiles_held_max: None };
        make.run(|progress| {
            if let Some(making) = &mut keeper.state.lock().making {
                making.progress = progress;
            }
            if self.is_stopping() { Proceed::Stop } else { Proceed::GoOn }
        })
    }

    /// Removes snapshots beyond those that are kept; none while a backup copies them.
    fn prune_snapshots(&self) -> Result<(), KeepError> {
        if !self.log.reader().is_held()? {
            self.keeper.shelf.prune(self.log.reader(), self.keeper.snapshots.keep.max(1))?;
        }
        Ok(())
    }

    /// Notes which snapshots there are: at the start, before anybody can ask, and after each that was made.
    pub(super) fn look_at_snapshots(&self) {
        match self.keeper.shelf.list(self.log.reader(), false) {
            Ok(listed) => {
                let listed = listed.into_iter().map(|Listed { path, found }| {
                    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                    if let Err(bad) = &found {
                        tracing::warn!(snapshot = name, cause = %bad, "a snapshot can't be used");
                    }
                    (name, found.map_err(|bad| bad.to_string()))
                });
                self.keeper.state.lock().listed = listed.collect();
            }
            Err(error) => tracing::warn!(%error, "the snapshots can't be listed"),
        }
    }

    /// The snapshots there are, and how making them goes.
    pub fn snapshots(&self) -> Snapshots {
        let keeper = &self.keeper;
        let state = keeper.state.lock();
        let offset = newest(&state.listed).map_or(0, |info| info.offset);
        Snapshots {
            items: state.listed.clone(),
            making: state.making,
            failure: state.failure.as_ref().map(|(why, _)| why.clone()),
            log_bytes_since: self.log.reader().cut().offset.saturating_sub(offset),
            asked: state.asked,
            answered: state.answered,
            made: keeper.made.load(Ordering::Relaxed),
            failed: keeper.failed.load(Ordering::Relaxed),
        }
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }
}

fn newest(listed: &[(String, Result<SnapshotInfo, String>)]) -> Option<&SnapshotInfo> {
    listed.iter().find_map(|(_, found)| found.as_ref().ok())
}

/// The keeper in a thread of its own.
pub(super) fn spawn(engine: &Arc<Engine>) -> std::io::Result<std::thread::JoinHandle<()>> {
    let engine = engine.clone();
    std::thread::Builder::new().name("keeper".to_owned()).spawn(move || engine.run_keeper())
}
