//! How a follower is, for whoever asks while it works.

use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;

use samsyn_journal::Reader;
use samsyn_log::ReadLog;
use samsyn_vocabulary::{Partition, Position, Seq, Timestamp};

use crate::FollowError;
use crate::progress::{Missed, Progress, Rebuilt};

/// How a follower is.
#[derive(Clone, Debug)]
pub struct FollowerStatus {
    pub name: &'static str,
    /// Why it stands still; none while it works.
    pub error: Option<String>,
    /// How often it failed since the process started.
    pub failures: u64,
    /// Durable records whose effect isn't in its file yet.
    pub lag_records: u64,
    /// How long ago the oldest of them was made, in milliseconds; 0 when there is none.
    pub lag_ms: u64,
    /// When the oldest record was made that it began with; none when it began with the log's first.
    pub since: Option<Timestamp>,
    /// What was removed before it read it.
    pub missed: Missed,
    /// When and why it was rebuilt the last time.
    pub rebuilt: Option<Rebuilt>,
}

/// What a follower's thread and who asks share. Locked for a copy only, never while it works.
#[derive(Default)]
pub struct Shared {
    stopping: AtomicBool,
    told: Mutex<Told>,
}

#[derive(Default)]
struct Told {
    /// What its file says; none before it was read.
    progress: Option<Progress>,
    error: Option<String>,
    failures: u64,
}

impl Shared {
    /// Has the thread end; it must be unparked then.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::SeqCst);
    }

    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }

    /// The file says this: it was read, or written.
    pub fn committed(&self, progress: &Progress) {
        self.told.lock().progress = Some(progress.clone());
    }

    /// It works.
    pub fn runs(&self) {
        self.told.lock().error = None;
    }

    pub fn failed(&self, error: &FollowError) {
        let mut told = self.told.lock();
        told.error = Some(error.to_string());
        told.failures += 1;
    }

    /// How the follower is, in this log.
    pub fn status<R: ReadLog>(
        &self,
        name: &'static str,
        follows: fn(Partition) -> bool,
        reader: &Reader<R>,
        now: Timestamp,
    ) -> FollowerStatus {
        let (progress, error, failures) = {
            let told = self.told.lock();
            (told.progress.clone(), told.error.clone(), told.failures)
        };
        let log = reader.log();
        let progress = progress.unwrap_or_else(|| Progress::new(log.log_id()));
        let mut lag_records = 0;
        let mut oldest: Option<Timestamp> = None;
        for (partition, head) in log.durable_heads().into_iter().filter(|(is, _)| follows(*is)) {
            let next: Seq = (progress.seq(partition) + 1).max(log.oldest(partition));
            if next > head.seq {
                continue;
            }
            lag_records += head.seq - next + 1;
            // One that can't be read tells nothing here; its follower says so.
            let read = reader.read(Position { partition, seq: next }).ok().flatten();
            oldest = oldest.into_iter().chain(read.map(|read| read.appended_at)).min();
        }
        let lag_ms = oldest.map_or(0, |oldest| u64::try_from(now.millis() - oldest.millis()).unwrap_or(0));
        let Progress { since, missed, rebuilt, .. } = progress;
        FollowerStatus { name, error, failures, lag_records, lag_ms, since, missed, rebuilt }
    }
}
