//! Writing the read audit: an answer with personal data leaves once its read is on the disk.
//!
//! One record is under way at a time. All reads that come meanwhile wait for the next one together. So a lone
//! read waits for one small sync, and a thousand at once share one.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;
use parking_lot::{Condvar, Mutex};
use tokio::sync::oneshot;

use super::record::{KIND_READS, Read, to_bytes};
use crate::AuditConfig;
use samsyn_log::{AppendError, Commit, Entry, LocalLog, LogError, Options, Payload};
use samsyn_machine::clock::Clock;
use samsyn_telemetry::Latency;
use samsyn_vocabulary::{Partition, Timestamp};

/// The audit's log has one partition.
pub const READS_PARTITION: Partition = Partition(0);
/// Reads of one record, at most, and their names' bytes: the rest is the next record's, so that
/// nobody waits long behind a burst.
const RECORD_READS_MAX: usize = 2_000;
const RECORD_BYTES_MAX: usize = 1 << 20;
/// Reads that may wait. Each belongs to a request under way, so HTTP's bound is met first.
const WAITING_MAX: usize = 100_000;
/// How long a failed audit is left alone before a read tries to open it again.
const TRY_AGAIN_EVERY: Duration = Duration::from_secs(10);
/// How often the retention thread looks for what is too old.
const RETENTION_EVERY: Duration = Duration::from_secs(3600);

/// Why a read can't be recorded; its answer must not leave then.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("reads of personal data can't be recorded now: {0}")]
pub struct AuditUnavailable(pub String);

/// A read: the reader, the customer and the fields.
pub struct ReadAudit {
    pub(super) inner: Arc<Inner>,
    retention_thread: Mutex<Option<std::thread::JoinHandle<()>>>,
}

pub(super) struct Inner {
    dir: PathBuf,
    pub(super) config: AuditConfig,
    pub(super) clock: Clock,
    /// None while it can't be written.
    pub(super) log: ArcSwapOption<LocalLog<Batch>>,
    collector: Mutex<Collector>,
    /// Somebody opens it again.
    opening: AtomicBool,
    try_again_every: Duration,
    counters: Counters,
    pub(super) retention: Mutex<RetentionRequest>,
    pub(super) retention_wake: Condvar,
}

#[derive(Default)]
pub(super) struct RetentionRequest {
    pub(super) stop: bool,
    pub(super) look: bool,
}

/// What is counted since the start.
#[derive(Debug, Default)]
pub struct Counters {
    /// Reads that are recorded.
    pub reads: AtomicU64,
    /// Records they are in.
    pub records: AtomicU64,
    /// Answers that were not given because their read could not be recorded.
    pub refused: AtomicU64,
    /// How long answers waited for their record.
    pub wait: Latency,
}

/// The reads of one request, and the waiter for them.
struct Waiting {
    reads: Vec<Read>,
    bytes: usize,
    done: oneshot::Sender<()>,
}

/// A waiter for a record.
pub(super) struct Batch(Vec<oneshot::Sender<()>>, usize);

#[derive(Default)]
struct Collector {
    waiting: VecDeque<Waiting>,
    /// A record isn't durable yet.
    under_way: bool,
    /// Records' times never go back, whatever the clock does: queries rely on it.
    newest: Timestamp,
    failed: Option<Failed>,
    closed: bool,
}

struct Failed {
    why: String,
    since: Instant,
}

impl ReadAudit {
    /// Opens the audit's log in `dir`, or makes one. When that can't be done the audit is there
    /// all the same, refuses every read and says why: everything else can go on.
    pub fn open(dir: PathBuf, config: AuditConfig, clock: Clock) -> ReadAudit {
        ReadAudit::open_with(dir, config, clock, TRY_AGAIN_EVERY, |_| {})
    }

    /// An audit whose disk is full, and stays so.
    #[cfg(any(test, feature = "testing"))]
    pub fn on_a_full_disk(dir: PathBuf, config: AuditConfig, clock: Clock) -> ReadAudit {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full");
        ReadAudit::open_with(dir, config, clock, Duration::MAX, |log| {
            log.write_to(full.unwrap_or_else(|error| panic!("/dev/full: {error}")));
        })
    }

    pub(super) fn open_with(
        dir: PathBuf,
        config: AuditConfig,
        clock: Clock,
        try_again_every: Duration,
        prepare: impl FnOnce(&LocalLog<Batch>),
    ) -> ReadAudit {
        let inner = Arc::new(Inner {
            dir,
            config,
            clock,
            log: ArcSwapOption::empty(),
            collector: Mutex::default(),
            opening: AtomicBool::new(false),
            try_again_every,
            counters: Counters::default(),
            retention: Mutex::default(),
            retention_wake: Condvar::new(),
        });
        if let Err(error) = inner.open(prepare) {
            inner.fail(&error.to_string());
        }
        let retention_thread = inner.clone();
        let thread = std::thread::Builder::new().name("audit-retention".to_owned());
        let retention_thread = match thread.spawn(move || retention_thread.run_retention(RETENTION_EVERY)) {
            Ok(thread) => Some(thread),
            Err(error) => {
                tracing::error!(%error, "nothing removes old records of the audit: its thread can't be started");
                None
            }
        };
        ReadAudit { inner, retention_thread: Mutex::new(retention_thread) }
    }

    /// Records reads, all of one request, and waits until they are on the disk.
    pub async fn record(&self, reads: Vec<Read>) -> Result<(), AuditUnavailable> {
        let started = Instant::now();
        let recorded = match self.inner.add(reads) {
            Ok(done) => done.await.map_err(|_| self.inner.unavailable()),
            Err(unavailable) => {
                self.try_again();
                Err(unavailable)
            }
        };
        match recorded {
            Ok(()) => self.inner.counters.wait.observe(started.elapsed()),
            Err(_) => {
                self.inner.counters.refused.fetch_add(1, Ordering::Relaxed);
            }
        }
        recorded
    }

    /// Why reads can't be recorded; none when they can.
    pub fn failure(&self) -> Option<String> {
        self.inner.collector.lock().failed.as_ref().map(|failed| failed.why.clone())
    }

    /// What is counted.
    pub fn counters(&self) -> &Counters {
        &self.inner.counters
    }

    /// Opens a failed log again, on a thread of its own: the disk may have room by now.
    fn try_again(&self) {
        let due = |failed: &Failed| failed.since.elapsed() >= self.inner.try_again_every;
        let inner = self.inner.clone();
        if inner.opening.swap(true, Ordering::AcqRel) {
            return;
        }
        // Only the holder of the flag looks at it: else a log that was just opened well would be
        // opened once more.
        if !inner.collector.lock().failed.as_ref().is_some_and(due) {
            inner.opening.store(false, Ordering::Release);
            return;
        }
        let thread = std::thread::Builder::new().name("audit-open".to_owned());
        let spawned = thread.spawn(move || {
            match inner.open(|_| {}) {
                Ok(()) => tracing::info!("the audit can be written again: personal data is answered"),
                Err(error) => inner.fail(&error.to_string()),
            }
            inner.opening.store(false, Ordering::Release);
        });
        if spawned.is_err() {
            self.inner.opening.store(false, Ordering::Release);
        }
    }

    /// Writes what is under way and ends.
    pub fn close(&self) {
        self.inner.collector.lock().closed = true;
        self.inner.retention.lock().stop = true;
        self.inner.retention_wake.notify_all();
        if let Some(retention_thread) = self.retention_thread.lock().take()
            && retention_thread.join().is_err()
        {
            tracing::error!("the thread that removes old records of the audit had panicked");
        }
        if let Some(log) = self.inner.log.swap(None)
            && let Err(failure) = log.close()
        {
            tracing::error!(%failure, "the audit could not be closed cleanly");
        }
        self.inner.collector.lock().waiting.clear();
    }
}

impl Drop for ReadAudit {
    fn drop(&mut self) {
        self.close();
    }
}

impl Inner {
    fn open(self: &Arc<Self>, prepare: impl FnOnce(&LocalLog<Batch>)) -> Result<(), LogError> {
        // A log that failed holds the directory until it is closed.
        if let Some(old) = self.log.swap(None) {
            let _ = old.close();
        }
        let options = Options {
            segment_bytes: self.config.segment_bytes,
            // Those who come while it syncs are collected already: waiting longer gains nothing.
            commit_interval_us: 0,
            ..Options::default()
        };
        let (log, recovered) = LocalLog::open(&self.dir, options)?;
        if let Some(tail) = &recovered.tail {
            tracing::warn!(?tail, "a crash cut the audit short; no answer had left for what is missing");
        }
        prepare(&log);
        let (durable, failed) = (Arc::downgrade(self), Arc::downgrade(self));
        log.start(
            move |commit| {
                if let Some(inner) = durable.upgrade() {
                    inner.on_durable(commit);
                }
            },
            move |failure| {
                if let Some(inner) = failed.upgrade() {
                    inner.fail(&failure.to_string());
                }
            },
        )?;
        let head = log.head(READS_PARTITION).seq;
        let newest = log.read(samsyn_vocabulary::Position { partition: READS_PARTITION, seq: head });
        let newest = newest?.map_or(Timestamp::default(), |record| record.appended_at);
        self.log.store(Some(Arc::new(log)));
        let mut collector = self.collector.lock();
        collector.newest = collector.newest.max(newest);
        collector.failed = None;
        collector.under_way = false;
        Ok(())
    }

    fn add(&self, reads: Vec<Read>) -> Result<oneshot::Receiver<()>, AuditUnavailable> {
        let names = |read: &Read| {
            let fields: usize = read.fields.iter().map(|name| name.as_str().len() + 2).sum();
            let identifiers: usize = read.identifiers.iter().map(|name| name.as_str().len() + 2).sum();
            fields + identifiers + read.purpose.as_ref().map_or(0, String::len)
        };
        let bytes = reads.iter().map(names).sum();
        let (done, waits) = oneshot::channel();
        let mut collector = self.collector.lock();
        if let Some(failed) = &collector.failed {
            return Err(AuditUnavailable(failed.why.clone()));
        }
        if collector.closed {
            return Err(AuditUnavailable("the host is stopping".to_owned()));
        }
        if collector.waiting.len() >= WAITING_MAX {
            return Err(AuditUnavailable(format!("{WAITING_MAX} reads are waiting for the disk")));
        }
        collector.waiting.push_back(Waiting { reads, bytes, done });
        if !collector.under_way {
            self.append_next(&mut collector);
        }
        Ok(waits)
    }

    /// Makes a record of all waiting reads. Appending under the lock keeps the order of times.
    fn append_next(&self, collector: &mut Collector) {
        collector.under_way = false;
        let (mut reads, mut batch, mut bytes) = (Vec::new(), Batch(Vec::new(), 0), 0);
        while let Some(next) = collector.waiting.pop_front_if(|next| {
            reads.is_empty()
                || (reads.len() + next.reads.len() <= RECORD_READS_MAX
                    && bytes + next.bytes <= RECORD_BYTES_MAX)
        }) {
            bytes += next.bytes;
            reads.extend(next.reads);
            batch.0.push(next.done);
        }
        if reads.is_empty() {
            return;
        }
        batch.1 = reads.len();
        let latest = reads.iter().map(|read| read.at).max().unwrap_or_default();
        let at = latest.max(collector.newest);
        let entry = Entry {
            partition: READS_PARTITION,
            expected_head: None,
            relies_on: None,
            kind: KIND_READS,
            appended_at: at,
            payload: Payload::new(to_bytes(reads)),
            attachment: batch,
        };
        let appended = match &*self.log.load() {
            Some(log) => log.append(entry),
            None => Err(AppendError::Closed),
        };
        match appended {
            Ok(_) => {
                collector.newest = at;
                collector.under_way = true;
            }
            // The waiters learn it when the batch is dropped.
            Err(error) => tracing::error!(%error, "a record of the audit can't be appended"),
        }
    }

    /// Called by the log's writer.
    fn on_durable(&self, commit: Commit<Batch>) {
        for record in commit.records {
            let Batch(waiters, reads) = record.attachment;
            self.counters.records.fetch_add(1, Ordering::Relaxed);
            self.counters.reads.fetch_add(reads as u64, Ordering::Relaxed);
            for done in waiters {
                // A waiter that gave up is gone; its read is recorded though it was never answered.
                let _ = done.send(());
            }
        }
        let mut collector = self.collector.lock();
        self.append_next(&mut collector);
        drop(collector);
        if self.log.load().as_ref().is_some_and(|log| log.bytes_kept() > self.config.keep_bytes) {
            self.retention.lock().look = true;
            self.retention_wake.notify_all();
        }
    }

    fn unavailable(&self) -> AuditUnavailable {
        let collector = self.collector.lock();
        let why = collector.failed.as_ref().map(|failed| failed.why.clone());
        AuditUnavailable(why.unwrap_or_else(|| "its record could not be written".to_owned()))
    }

    /// From now on every read is refused.
    fn fail(&self, why: &str) {
        tracing::error!(
            why,
            directory = %self.dir.display(),
            "reads of personal data can't be recorded and get 503; everything else goes on. Make room or \
             mend the disk: the host tries again by itself. When the files are damaged (`samsyn log verify`), \
             restore the directory from a backup, or keep it elsewhere and let the host start a new one"
        );
        let mut collector = self.collector.lock();
        collector.failed = Some(Failed { why: why.to_owned(), since: Instant::now() });
        collector.under_way = false;
        let waiting = std::mem::take(&mut collector.waiting);
        drop(collector);
        drop(waiting);
    }
}
