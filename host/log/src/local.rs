//! The log on local disks: appending, and the writer's start and end.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::path::Path;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use parking_lot::{Mutex, MutexGuard, RwLock};

use super::cut::{Cut, LogPlace};
use super::error::{AppendError, Failure, LogError};
use super::files::LogDir;
use super::format::{ChainHash, Envelope, LogId, NewRecord, RECORD_HEADER_BYTES, RecordRef};
use super::growth::Growth;
use super::index::Head;
use super::queue::{Pending, Queue};
use super::reader::{LogReader, PartitionScan};
use super::recovery::{Recovered, recover};
use super::scan::{LogScan, Progress, ScanFrom};
use super::state::Shared;
use super::stored::StoredRecord;
use super::writer::{Commit, Writer};
use super::{Appended, Entry, Options, PartitionedLog, ReadLog, ScanLog};
use samsyn_disk::{self as disk, Disk, DiskLock};
use samsyn_vocabulary::{Partition, Position, Seq};

/// A log in a directory of this machine. `T` is what appenders attach to a record, to get it back
/// when the record is durable.
///
/// Shared between threads; everything a [`LogReader`] does it does as well. Dropping it writes
/// what is queued, as [`close`](LocalLog::close) does.
pub struct LocalLog<T> {
    reader: LogReader,
    queue: Arc<Queue<T>>,
    partitions: RwLock<BTreeMap<Partition, Arc<Mutex<Head>>>>,
    options: Options,
    writing: Mutex<Writing<T>>,
    /// Held while segments are removed.
    pub(super) retaining: Mutex<()>,
    /// Given up when log and writer are both gone.
    lock: Arc<dyn DiskLock>,
}

enum Writing<T> {
    NotStarted(Box<Writer<T>>),
    Running(JoinHandle<()>),
    Ended,
}

impl<T: Send + 'static> LocalLog<T> {
    /// Opens the log in `dir`, or makes one, and holds it until it is dropped. Checks the indexes
    /// of sealed segments and all of the last one, cuts a torn tail, and refuses damage.
    ///
    /// Reads and appends work at once; nothing is written before [`start`](LocalLog::start).
    pub fn open(dir: &Path, options: Options) -> Result<(LocalLog<T>, Recovered), LogError> {
        LocalLog::open_on(disk::local(), dir, options)
    }

    /// [`open`](LocalLog::open) on another disk than this machine's.
    pub fn open_on(
        disk: Arc<dyn Disk>,
        dir: &Path,
        options: Options,
    ) -> Result<(LocalLog<T>, Recovered), LogError> {
        options.check()?;
        let dir = LogDir::new(disk, dir);
        let ready = recover(&dir)?;
        let partitions = ready.recovered.heads.iter();
        let partitions = partitions.map(|(partition, head)| (*partition, Arc::new(Mutex::new(*head))));
        let partitions = RwLock::new(partitions.collect());
        let shared = Arc::new(Shared::new(dir, ready.recovered.log_id, ready.state));
        let queue = Arc::new(Queue::new(options.queue_bytes_max));
        let writer = Writer::new(shared.clone(), queue.clone(), options)?;
        let log = LocalLog {
            reader: LogReader(shared),
            queue,
            partitions,
            options,
            writing: Mutex::new(Writing::NotStarted(Box::new(writer))),
            retaining: Mutex::default(),
            lock: Arc::from(ready.lock),
        };
        Ok((log, ready.recovered))
    }

    /// Starts the writer, once. It calls `on_durable` after each sync with everything that sync
    /// made durable, in order; the next commit waits until it returns. When a write or sync fails
    /// it calls `on_failed` once and ends; attachments that never became durable are dropped.
    pub fn start(
        &self,
        on_durable: impl FnMut(Commit<T>) + Send + 'static,
        on_failed: impl FnOnce(&Failure) + Send + 'static,
    ) -> Result<(), LogError> {
        let mut writing = self.writing.lock();
        let writer = match std::mem::replace(&mut *writing, Writing::Ended) {
            Writing::NotStarted(writer) => writer,
            started => {
                *writing = started;
                return Err(LogError::Started);
            }
        };
        let lock = self.lock.clone();
        let run = move || {
            writer.run(on_durable, on_failed);
            drop(lock);
        };
        let thread = thread::Builder::new().name("log-writer".to_owned()).spawn(run);
        *writing =
            Writing::Running(thread.map_err(LogError::io("start a writer for", &self.reader.0.dir.path))?);
        Ok(())
    }

    /// Has the writer write to another file, to see what a failing disk does.
    #[cfg(any(test, feature = "testing"))]
    pub fn write_to(&self, file: std::fs::File) {
        if let Writing::NotStarted(writer) = &mut *self.writing.lock() {
            writer.write_to(Arc::new(file));
        }
    }
}

impl<T> LocalLog<T> {
    /// Appends one record: assigns its sequence, links it and queues it. Doesn't wait for the disk.
    pub fn append(&self, entry: Entry<T>) -> Result<Appended, AppendError> {
        self.check_size(entry.payload.bytes.len() + RECORD_HEADER_BYTES)?;
        let cell = self.cell(entry.partition);
        let mut head = cell.lock();
        let mut next = *head;
        let pending = follow(&mut next, entry, true)?;
        let appended = appended(&pending);
        let bytes = pending.record.bytes_on_disk();
        self.queue.push(std::iter::once(pending), bytes)?;
        *head = next;
        Ok(appended)
    }

    /// Appends several records, of one or several partitions, that land in one commit in this
    /// order; or none of them.
    pub fn append_all(&self, entries: Vec<Entry<T>>) -> Result<Vec<Appended>, AppendError> {
        let on_disk = |entry: &Entry<T>| entry.payload.bytes.len() + RECORD_HEADER_BYTES;
        let bytes = entries.iter().map(on_disk).sum();
        self.check_size(bytes)?;
        // Locked in the order of their numbers, so that no two appends wait for each other.
        let mut partitions: Vec<Partition> = entries.iter().map(|entry| entry.partition).collect();
        partitions.sort_unstable();
        partitions.dedup();
        let cells: Vec<_> = partitions.iter().map(|partition| self.cell(*partition)).collect();
        let mut heads: Vec<MutexGuard<'_, Head>> = cells.iter().map(|cell| cell.lock()).collect();
        let mut next: Vec<Head> = heads.iter().map(|head| **head).collect();

        let last = entries.len().saturating_sub(1);
        let mut pending = Vec::with_capacity(entries.len());
        for (index, entry) in entries.into_iter().enumerate() {
            let at = partitions.partition_point(|partition| *partition < entry.partition);
            pending.push(follow(&mut next[at], entry, index == last)?);
        }
        let appended = pending.iter().map(appended).collect();
        self.queue.push(pending.into_iter(), bytes)?;
        heads.iter_mut().zip(next).for_each(|(head, next)| **head = next);
        Ok(appended)
    }

    /// Where a partition ends, with what isn't durable yet.
    pub fn head(&self, partition: Partition) -> Head {
        let cell = self.partitions.read().get(&partition).cloned();
        cell.map(|cell| *cell.lock()).unwrap_or_default()
    }

    /// Bytes that are queued and not yet taken by the writer.
    pub fn queued_bytes(&self) -> usize {
        self.queue.queued_bytes()
    }

    /// The most bytes of one append.
    pub fn frame_bytes_max(&self) -> usize {
        self.options.frame_bytes_max
    }

    /// Whether more is queued than [`Options::queue_bytes_max`]: time to refuse new work.
    pub fn is_full(&self) -> bool {
        self.queue.is_full()
    }

    /// Waits until the queue isn't full, or the log is closed or failed. Never call it from the
    /// writer's callbacks.
    pub fn wait_for_room(&self) {
        self.queue.wait_for_room();
    }

    /// Has the growing segment sealed before the next record, so that what it holds can leave
    /// with it.
    pub fn seal_before_next(&self) {
        self.queue.ask_to_seal();
    }

    /// Why the log takes no more appends, if it failed.
    pub fn failed(&self) -> Option<Failure> {
        self.queue.failure()
    }

    /// A reader to hand to others.
    pub fn reader(&self) -> &LogReader {
        &self.reader
    }

    /// Takes no more appends, writes what is queued, marks the end, waits for the writer and lets
    /// go of the directory.
    /// What was queued to a writer that was never started is dropped.
    pub fn close(&self) -> Result<(), Failure> {
        self.queue.close();
        let writing = std::mem::replace(&mut *self.writing.lock(), Writing::Ended);
        if let Writing::Running(thread) = writing {
            // A callback may hold the last handle: the writer can't wait for itself.
            if thread.thread().id() != thread::current().id() {
                // The writer catches panics, so that joining has no error to tell.
                let _ = thread.join();
            }
        }
        // Another may have the directory now, however long this handle lives.
        self.lock.release();
        self.failed().map_or(Ok(()), Err)
    }

    fn check_size(&self, bytes: usize) -> Result<(), AppendError> {
        let max = self.options.frame_bytes_max;
        if bytes > max { Err(AppendError::TooLarge { bytes, max }) } else { Ok(()) }
    }

    fn cell(&self, partition: Partition) -> Arc<Mutex<Head>> {
        if let Some(cell) = self.partitions.read().get(&partition) {
            return cell.clone();
        }
        self.partitions.write().entry(partition).or_default().clone()
    }
}

/// Gives a record its place after `head` and moves `head` on.
fn follow<T>(head: &mut Head, entry: Entry<T>, ends_append: bool) -> Result<Pending<T>, AppendError> {
    // All partitions are in one file, in the order of appends: what an earlier append is relied on for is there.
    let Entry { partition, expected_head, relies_on: _, kind, appended_at, payload, attachment } = entry;
    if let Some(expected) = expected_head.filter(|expected| *expected != head.seq) {
        return Err(AppendError::Fenced { partition, expected, head: head.seq });
    }
    let position = Position { partition, seq: head.seq + 1 };
    let envelope = Envelope { position, kind, appended_at };
    let chain = envelope.chain(&head.chain, &payload.digest);
    *head = Head { seq: position.seq, chain };
    Ok(Pending { record: NewRecord { envelope, payload, chain }, attachment, ends_append })
}

fn appended<T>(pending: &Pending<T>) -> Appended {
    Appended { position: pending.record.envelope.position, chain: pending.record.chain }
}

impl<T> Deref for LocalLog<T> {
    type Target = LogReader;

    fn deref(&self) -> &LogReader {
        &self.reader
    }
}

impl<T> Drop for LocalLog<T> {
    fn drop(&mut self) {
        // To learn of a failure, close the log or give `start` a callback.
        let _ = self.close();
    }
}

impl<T: Send + 'static> PartitionedLog<T> for LocalLog<T> {
    type Reader = LogReader;

    fn start(
        &self,
        on_durable: impl FnMut(Commit<T>) + Send + 'static,
        on_failed: impl FnOnce(&Failure) + Send + 'static,
    ) -> Result<(), LogError> {
        LocalLog::start(self, on_durable, on_failed)
    }

    fn append(&self, entry: Entry<T>) -> Result<Appended, AppendError> {
        LocalLog::append(self, entry)
    }

    fn append_all(&self, entries: Vec<Entry<T>>) -> Result<Vec<Appended>, AppendError> {
        LocalLog::append_all(self, entries)
    }

    fn head(&self, partition: Partition) -> Head {
        LocalLog::head(self, partition)
    }

    fn append_bytes_max(&self) -> usize {
        self.frame_bytes_max()
    }

    fn queued_bytes(&self) -> usize {
        LocalLog::queued_bytes(self)
    }

    fn is_full(&self) -> bool {
        LocalLog::is_full(self)
    }

    fn wait_for_room(&self) {
        LocalLog::wait_for_room(self);
    }

    fn failed(&self) -> Option<Failure> {
        LocalLog::failed(self)
    }

    fn reader(&self) -> &LogReader {
        LocalLog::reader(self)
    }

    fn close(&self) -> Result<(), Failure> {
        LocalLog::close(self)
    }
}

impl ReadLog for LogReader {
    type Scan = PartitionScan;
    type ScanAll = LogScan;

    fn log_id(&self) -> LogId {
        LogReader::log_id(self)
    }

    fn growth(&self) -> Arc<Growth> {
        self.0.growth.clone()
    }

    fn durable_head(&self, partition: Partition) -> Head {
        LogReader::durable_head(self, partition)
    }

    fn durable_heads(&self) -> Vec<(Partition, Head)> {
        LogReader::durable_heads(self)
    }

    fn cut(&self) -> Cut {
        LogReader::cut(self)
    }

    fn read(&self, position: Position) -> Result<Option<StoredRecord>, LogError> {
        LogReader::read(self, position)
    }

    fn oldest(&self, partition: Partition) -> Seq {
        LogReader::oldest(self, partition)
    }

    fn is_whole(&self) -> bool {
        LogReader::is_whole(self)
    }

    fn chain_at(&self, position: Position) -> Result<Option<ChainHash>, LogError> {
        LogReader::chain_at(self, position)
    }

    fn scan(&self, partition: Partition, from: Seq) -> PartitionScan {
        LogReader::scan(self, partition, from)
    }

    fn scan_all(&self, from: ScanFrom) -> LogScan {
        LogReader::scan_all(self, from)
    }
}

impl ScanLog for LogScan {
    fn next(&mut self) -> Result<Option<RecordRef<'_>>, LogError> {
        LogScan::next(self)
    }

    fn extend(&mut self) {
        LogScan::extend(self);
    }

    fn progress(&self) -> Progress {
        LogScan::progress(self)
    }

    fn place(&self) -> LogPlace {
        LogScan::place(self)
    }
}
