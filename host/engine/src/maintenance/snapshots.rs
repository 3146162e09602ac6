//! When a snapshot is due, making it in the background, and the snapshots there are.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::{Maintenance, MaintenanceError};
use samsyn_log::LogPlace;
use samsyn_state::snapshot::{
    Listed, Proceed, Remember, SnapshotError, SnapshotInfo, SnapshotJob, SnapshotProgress,
};
use samsyn_vocabulary::Timestamp;

/// What a snapshot that failed is tried again after.
const TRY_AGAIN_AFTER: Duration = Duration::from_secs(300);
const MILLIS_A_DAY: i64 = 24 * 3600 * 1000;

/// A snapshot that is being made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SnapshotInProgress {
    pub since: Timestamp,
    /// How far it is.
    pub progress: SnapshotProgress,
}

/// The snapshots of a host.
#[derive(Clone, Debug)]
pub struct Snapshots {
    /// Newest first: the file's name, and what it is or why it can't be used.
    pub items: Vec<(String, Result<SnapshotInfo, String>)>,
    /// The one that is being made.
    pub making: Option<SnapshotInProgress>,
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

impl Maintenance {
    /// Requests a snapshot of the log as it is now. Returns the request's number; done once
    /// [`answered`](Snapshots::answered) reaches it.
    pub fn ask_for_snapshot(&self) -> u64 {
        let mut state = self.state.lock();
        state.asked += 1;
        self.wake.notify_all();
        state.asked
    }

    /// Whether the log has grown enough since the last snapshot. A snapshot is as large as all customers,
    /// so the log must have grown by as much: then no more is written for snapshots than for the log.
    pub(super) fn snapshot_is_due(&self) -> bool {
        let every = self.snapshots.every_bytes;
        if every == 0 {
            return false;
        }
        let state = self.state.lock();
        if state.failure.as_ref().is_some_and(|(_, at)| at.elapsed() < TRY_AGAIN_AFTER) {
            return false;
        }
        let (covered, bytes) =
            newest(&state.listed).map_or((LogPlace::START, 0), |info| (info.place, info.bytes));
        self.shared.log().cut().place.bytes_since(covered) >= every.max(bytes)
    }

    /// Makes a snapshot of everything that is durable now, if anything came since the newest one.
    pub fn make_snapshot(&self) -> Result<SnapshotInfo, MaintenanceError> {
        let _busy = self.busy.lock();
        self.make_snapshot_alone()
    }

    pub(super) fn make_snapshot_alone(&self) -> Result<SnapshotInfo, MaintenanceError> {
        let started = Instant::now();
        let since = self.shared.clock.now();
        let answers = {
            let mut state = self.state.lock();
            state.making = Some(SnapshotInProgress { since, progress: SnapshotProgress::default() });
            state.asked
        };
        let made = self.make_with_base(since);
        let mut failure = None;
        match &made {
            Ok(info) => {
                self.made.fetch_add(1, Ordering::Relaxed);
                tracing::info!(
                    snapshot = info.name,
                    profiles = info.profiles,
                    bytes = info.bytes,
                    seconds = started.elapsed().as_secs_f64(),
                    "a snapshot was made"
                );
            }
            Err(SnapshotError::Stopped) => {}
            Err(error) => {
                self.failed.fetch_add(1, Ordering::Relaxed);
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
        let mut state = self.state.lock();
        state.making = None;
        state.failure = failure;
        state.answered = answers;
        drop(state);
        Ok(made?)
    }

    fn make_with_base(&self, made_at: Timestamp) -> Result<SnapshotInfo, SnapshotError> {
        let log = self.shared.log();
        let cut = log.cut();
        let base = self.shelf.usable(log).next();
        if let Some(base) = base.as_ref().filter(|base| base.header().cut.place == cut.place) {
            return Ok(base.info());
        }
        let remember = Remember {
            millis: i64::from(self.shared.config.event_id_days) * MILLIS_A_DAY,
            max: self.shared.config.event_ids_max,
        };
        let make =
            SnapshotJob { log, dir: self.shelf.dir(), base, cut, made_at, remember, profiles_held_max: None };
        make.run(|progress| {
            if let Some(making) = &mut self.state.lock().making {
                making.progress = progress;
            }
            if self.shared.is_stopping() { Proceed::Stop } else { Proceed::GoOn }
        })
    }

    /// Removes snapshots beyond those that are kept; none while a backup copies them.
    fn prune_snapshots(&self) -> Result<(), MaintenanceError> {
        if !self.shared.log().is_held()? {
            self.shelf.prune(self.shared.log(), self.snapshots.keep.max(1))?;
        }
        Ok(())
    }

    /// Notes which snapshots there are: at the start, before anybody can ask, and after each that was made.
    pub(crate) fn look_at_snapshots(&self) {
        match self.shelf.list(self.shared.log(), false) {
            Ok(listed) => {
                let listed = listed.into_iter().map(|Listed { path, found }| {
                    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                    if let Err(bad) = &found {
                        tracing::warn!(snapshot = name, cause = %bad, "a snapshot can't be used");
                    }
                    (name, found.map_err(|bad| bad.to_string()))
                });
                self.state.lock().listed = listed.collect();
            }
            Err(error) => tracing::warn!(%error, "the snapshots can't be listed"),
        }
    }

    /// The snapshots there are, and how making them goes.
    pub fn snapshots(&self) -> Snapshots {
        let state = self.state.lock();
        let covered = newest(&state.listed).map_or(LogPlace::START, |info| info.place);
        Snapshots {
            items: state.listed.clone(),
            making: state.making,
            failure: state.failure.as_ref().map(|(why, _)| why.clone()),
            log_bytes_since: self.shared.log().cut().place.bytes_since(covered),
            asked: state.asked,
            answered: state.answered,
            made: self.made.load(Ordering::Relaxed),
            failed: self.failed.load(Ordering::Relaxed),
        }
    }
}

fn newest(listed: &[(String, Result<SnapshotInfo, String>)]) -> Option<&SnapshotInfo> {
    listed.iter().find_map(|(_, found)| found.as_ref().ok())
}
