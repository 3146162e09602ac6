//! A log in memory alone, for tests: a second backend, with nothing of the local one's in it but the types that
//! the traits name.
//!
//! A [`MemoryStore`] is what outlives a process: the durable records. Each [`MemoryLog`] opened on it takes over
//! from the one before, whose queue is lost and whose appends are refused from then on. A store has an owner's
//! number instead of a lock, as a service would.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use super::format::Envelope;
use super::growth::Growth;
use super::{
    AppendError, Appended, ChainHash, Commit, Committed, Cut, Entry, Failure, Head, LogError, LogId,
    LogPlace, PartitionedLog, Progress, ReadLog, RecordRef, ScanFrom, ScanLog, StoredRecord, Target,
};
use samsyn_vocabulary::{Partition, Position, Seq};

/// The most bytes of one append.
const APPEND_BYTES_MAX: usize = 4 << 10;
/// Queued bytes from which on it is full.
const QUEUE_BYTES_MAX: usize = 64 << 10;

/// What outlives a process. A clone is the same store, and reads it.
#[derive(Clone)]
pub struct MemoryStore(Arc<Mutex<Stored>>);

struct Stored {
    log_id: LogId,
    /// In the order in which they became durable.
    records: Vec<StoredRecord>,
    /// Where in them the records of each partition are.
    partitions: BTreeMap<Partition, Vec<usize>>,
    /// Which opening owns it.
    owner: u64,
    /// Nothing can be made durable any more.
    failing: bool,
    growth: Arc<Growth>,
}

impl MemoryStore {
    /// An empty log.
    pub fn new() -> MemoryStore {
        MemoryStore(Arc::new(Mutex::new(Stored {
            log_id: LogId(rand::random()),
            records: Vec::new(),
            partitions: BTreeMap::new(),
            owner: 0,
            failing: false,
            growth: Arc::default(),
        })))
    }

    /// Opens it, and takes it over from the log that has it open.
    pub fn open<T: Send + 'static>(&self) -> MemoryLog<T> {
        let mut stored = self.0.lock();
        stored.owner += 1;
        let heads = stored.heads().collect();
        let state = State {
            heads,
            queue: VecDeque::new(),
            queued_bytes: 0,
            started: false,
            closed: false,
            failure: None,
        };
        MemoryLog {
            store: self.clone(),
            owner: stored.owner,
            shared: Arc::new(Queue { state: Mutex::new(state), changed: Condvar::new() }),
            writer: Mutex::new(None),
        }
    }

    /// Erases what a record says: its envelope and its link stay. Whether it was there.
    pub fn erase(&self, position: Position) -> bool {
        let mut stored = self.0.lock();
        let stored = &mut *stored;
        let Some(at) = stored.place_of(position) else { return false };
        let record = &mut stored.records[at];
        record.erased = true;
        record.payload = vec![0; record.payload.len()].into();
        true
    }

    /// Forgets the newest half of a partition, as if each had a file of its own.
    pub fn lose_half_of(&self, partition: Partition) {
        let mut stored = self.0.lock();
        let kept = stored.partitions.get(&partition).map_or(0, Vec::len) / 2;
        let records = std::mem::take(&mut stored.records);
        stored.partitions.clear();
        let is_kept = |record: &StoredRecord| {
            let StoredRecord { position, .. } = record;
            position.partition != partition || position.seq as usize <= kept
        };
        records.into_iter().filter(is_kept).for_each(|record| stored.add(record));
    }

    /// Has every attempt to make something durable fail from now on, until it is repaired.
    pub fn fail(&self, failing: bool) {
        self.0.lock().failing = failing;
    }
}

impl Default for MemoryStore {
    fn default() -> MemoryStore {
        MemoryStore::new()
    }
}

impl Stored {
    fn heads(&self) -> impl Iterator<Item = (Partition, Head)> + '_ {
        self.partitions.iter().filter_map(|(partition, own)| {
            let last = &self.records[*own.last()?];
            Some((*partition, Head { seq: last.position.seq, chain: last.chain }))
        })
    }

    fn place_of(&self, position: Position) -> Option<usize> {
        let own = self.partitions.get(&position.partition)?;
        own.get(usize::try_from(position.seq.checked_sub(1)?).ok()?).copied()
    }

    fn get(&self, position: Position) -> Option<&StoredRecord> {
        Some(&self.records[self.place_of(position)?])
    }

    fn add(&mut self, record: StoredRecord) {
        self.partitions.entry(record.position.partition).or_default().push(self.records.len());
        self.records.push(record);
    }
}

/// A log in memory, opened to be appended to.
pub struct MemoryLog<T: Send + 'static> {
    store: MemoryStore,
    owner: u64,
    shared: Arc<Queue<T>>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

struct Queue<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
}

struct State<T> {
    heads: BTreeMap<Partition, Head>,
    /// Whole appends.
    queue: VecDeque<Vec<(StoredRecord, T)>>,
    queued_bytes: usize,
    started: bool,
    closed: bool,
    failure: Option<Failure>,
}

impl<T: Send + 'static> MemoryLog<T> {
    /// Ends as a process that is killed: of what is queued the first `kept` appends had just become durable,
    /// and nobody is told.
    pub fn kill(self, kept: usize) {
        let queue = {
            let mut state = self.shared.state.lock();
            state.closed = true;
            std::mem::take(&mut state.queue)
        };
        self.shared.changed.notify_all();
        let mut stored = self.store.0.lock();
        if stored.owner == self.owner && !stored.failing {
            queue.into_iter().take(kept).flatten().for_each(|(record, _)| stored.add(record));
        }
    }

    fn join(&self) {
        if let Some(writer) = self.writer.lock().take() {
            // A callback that panics has said so itself.
            let _ = writer.join();
        }
    }
}

/// Makes queued appends durable and tells of them, until the queue is closed and empty.
fn write<T>(
    store: &MemoryStore,
    owner: u64,
    shared: &Queue<T>,
    mut on_durable: impl FnMut(Commit<T>),
    on_failed: impl FnOnce(&Failure),
) {
    loop {
        let mut state = shared.state.lock();
        while state.queue.is_empty() && !state.closed {
            shared.changed.wait(&mut state);
        }
        if state.queue.is_empty() {
            return;
        }
        // The store is locked before the queue is let go, so that a kill finds all of an append in one of them.
        let mut stored = store.0.lock();
        if stored.failing || stored.owner != owner {
            drop(stored);
            let cause = Arc::new(std::io::Error::other("the store takes nothing more"));
            let failure = Failure { action: "write to", target: Target::Named("memory".to_owned()), cause };
            state.failure = Some(failure.clone());
            let doomed = std::mem::take(&mut state.queue);
            drop(state);
            shared.changed.notify_all();
            on_failed(&failure);
            drop(doomed);
            return;
        }
        let batch: Vec<(StoredRecord, T)> = std::mem::take(&mut state.queue).into_iter().flatten().collect();
        let bytes = std::mem::take(&mut state.queued_bytes);
        batch.iter().for_each(|(record, _)| stored.add(record.clone()));
        let growth = stored.growth.clone();
        drop((stored, state));
        growth.grew();
        shared.changed.notify_all();
        let committed = |(record, attachment): (StoredRecord, T)| {
            let StoredRecord { position, kind, appended_at, chain, payload, .. } = record;
            Committed { position, kind, appended_at, chain, payload, attachment }
        };
        let records = batch.into_iter().map(committed).collect();
        let time = Duration::ZERO;
        on_durable(Commit { records, bytes, write_time: time, sync_time: time });
    }
}

impl<T: Send + 'static> PartitionedLog<T> for MemoryLog<T> {
    type Reader = MemoryStore;

    fn start(
        &self,
        on_durable: impl FnMut(Commit<T>) + Send + 'static,
        on_failed: impl FnOnce(&Failure) + Send + 'static,
    ) -> Result<(), LogError> {
        if std::mem::replace(&mut self.shared.state.lock().started, true) {
            return Err(LogError::Started);
        }
        let (store, owner, shared) = (self.store.clone(), self.owner, self.shared.clone());
        let run = move || write(&store, owner, &shared, on_durable, on_failed);
        *self.writer.lock() = Some(std::thread::spawn(run));
        Ok(())
    }

    fn append(&self, entry: Entry<T>) -> Result<Appended, AppendError> {
        let mut appended = self.append_all(vec![entry])?;
        Ok(appended.remove(0))
    }

    fn append_all(&self, entries: Vec<Entry<T>>) -> Result<Vec<Appended>, AppendError> {
        let bytes: usize = entries.iter().map(|entry| entry.payload.bytes.len()).sum();
        if bytes > APPEND_BYTES_MAX {
            return Err(AppendError::TooLarge { bytes, max: APPEND_BYTES_MAX });
        }
        let mut state = self.shared.state.lock();
        if let Some(failure) = &state.failure {
            return Err(AppendError::Failed(failure.clone()));
        }
        if state.closed {
            return Err(AppendError::Closed);
        }
        let Some(first) = entries.first() else { return Ok(Vec::new()) };
        {
            let stored = self.store.0.lock();
            if stored.owner != self.owner {
                let partition = first.partition;
                let known = state.heads.get(&partition).map_or(0, |head| head.seq);
                let head = stored.partitions.get(&partition).map_or(0, |own| own.len() as Seq);
                let expected = first.expected_head.unwrap_or(known);
                return Err(AppendError::Fenced { partition, expected, head });
            }
        }
        let mut heads = state.heads.clone();
        let mut records = Vec::with_capacity(entries.len());
        for entry in entries {
            // A kill keeps a beginning of all appends together.
            let Entry { partition, expected_head, relies_on: _, kind, appended_at, payload, attachment } =
                entry;
            let head = heads.entry(partition).or_default();
            if let Some(expected) = expected_head.filter(|expected| *expected != head.seq) {
                return Err(AppendError::Fenced { partition, expected, head: head.seq });
            }
            let position = Position { partition, seq: head.seq + 1 };
            let chain = Envelope { position, kind, appended_at }.chain(&head.chain, &payload.digest);
            *head = Head { seq: position.seq, chain };
            let payload = payload.bytes;
            let record = StoredRecord { position, kind, appended_at, chain, erased: false, payload };
            records.push((record, attachment));
        }
        let appended =
            records.iter().map(|(record, _)| Appended { position: record.position, chain: record.chain });
        let appended = appended.collect();
        state.heads = heads;
        state.queued_bytes += bytes;
        state.queue.push_back(records);
        self.shared.changed.notify_all();
        Ok(appended)
    }

    fn head(&self, partition: Partition) -> Head {
        self.shared.state.lock().heads.get(&partition).copied().unwrap_or_default()
    }

    fn append_bytes_max(&self) -> usize {
        APPEND_BYTES_MAX
    }

    fn queued_bytes(&self) -> usize {
        self.shared.state.lock().queued_bytes
    }

    fn is_full(&self) -> bool {
        self.queued_bytes() >= QUEUE_BYTES_MAX
    }

    fn wait_for_room(&self) {
        let mut state = self.shared.state.lock();
        while state.queued_bytes >= QUEUE_BYTES_MAX && !state.closed && state.failure.is_none() {
            self.shared.changed.wait(&mut state);
        }
    }

    fn failed(&self) -> Option<Failure> {
        self.shared.state.lock().failure.clone()
    }

    fn reader(&self) -> &MemoryStore {
        &self.store
    }

    fn close(&self) -> Result<(), Failure> {
        self.shared.state.lock().closed = true;
        self.shared.changed.notify_all();
        self.join();
        self.failed().map_or(Ok(()), Err)
    }
}

impl<T: Send + 'static> Drop for MemoryLog<T> {
    fn drop(&mut self) {
        let _ = self.close();
    }
}

impl ReadLog for MemoryStore {
    type Scan = MemoryScan;
    type ScanAll = MemoryScanAll;

    fn log_id(&self) -> LogId {
        self.0.lock().log_id
    }

    fn growth(&self) -> Arc<Growth> {
        self.0.lock().growth.clone()
    }

    fn durable_head(&self, partition: Partition) -> Head {
        self.0.lock().heads().find(|(is, _)| *is == partition).map_or(Head::default(), |(_, head)| head)
    }

    fn durable_heads(&self) -> Vec<(Partition, Head)> {
        self.0.lock().heads().collect()
    }

    fn cut(&self) -> Cut {
        let stored = self.0.lock();
        let place = LogPlace::from_number(stored.records.len() as u64);
        Cut { log_id: stored.log_id, place, heads: stored.heads().collect() }
    }

    fn read(&self, position: Position) -> Result<Option<StoredRecord>, LogError> {
        Ok(self.0.lock().get(position).cloned())
    }

    fn oldest(&self, _: Partition) -> Seq {
        1
    }

    fn is_whole(&self) -> bool {
        true
    }

    fn chain_at(&self, position: Position) -> Result<Option<ChainHash>, LogError> {
        Ok(self.0.lock().get(position).map(|record| record.chain))
    }

    fn scan(&self, partition: Partition, from: Seq) -> MemoryScan {
        MemoryScan { store: self.clone(), next: Position { partition, seq: from.max(1) } }
    }

    fn scan_all(&self, from: ScanFrom) -> MemoryScanAll {
        let end = self.0.lock().records.len();
        let progress = Progress { bytes_total: end as u64, ..Progress::default() };
        MemoryScanAll { store: self.clone(), from, at: 0, end, current: None, progress }
    }
}

/// The records of one partition.
pub struct MemoryScan {
    store: MemoryStore,
    next: Position,
}

impl Iterator for MemoryScan {
    type Item = Result<StoredRecord, LogError>;

    fn next(&mut self) -> Option<Self::Item> {
        let record = self.store.0.lock().get(self.next).cloned()?;
        self.next.seq += 1;
        Some(Ok(record))
    }
}

/// The records of all partitions.
pub struct MemoryScanAll {
    store: MemoryStore,
    from: ScanFrom,
    at: usize,
    end: usize,
    current: Option<StoredRecord>,
    progress: Progress,
}

impl ScanLog for MemoryScanAll {
    fn next(&mut self) -> Result<Option<RecordRef<'_>>, LogError> {
        self.current = None;
        while self.current.is_none() && self.at < self.end {
            let record = self.store.0.lock().records[self.at].clone();
            self.at += 1;
            self.progress.bytes_done = self.at as u64;
            if self.from.takes(record.position) {
                self.progress.records += 1;
                self.current = Some(record);
            }
        }
        Ok(self.current.as_ref().map(StoredRecord::borrowed))
    }

    fn extend(&mut self) {
        self.end = self.store.0.lock().records.len();
        self.progress.bytes_total = self.end as u64;
    }

    fn progress(&self) -> Progress {
        self.progress
    }

    fn place(&self) -> LogPlace {
        LogPlace::from_number(self.at as u64)
    }
}
