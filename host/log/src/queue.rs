//! What is appended and not yet written: filled by many threads, emptied by the writer.
//!
//! The order of the queue is the order of the log. An appender pushes while it still holds its
//! partitions, so that each partition's order is the queue's.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use parking_lot::{Condvar, Mutex};

use super::error::{AppendError, Failure};
use super::format::NewRecord;

/// A record in the queue.
pub(super) struct Pending<T> {
    pub record: NewRecord,
    pub attachment: T,
    /// The last record of its append: only after such a one may a frame end.
    pub ends_append: bool,
}

pub(super) struct Queue<T> {
    state: Mutex<QueueState<T>>,
    filled: Condvar,
    emptied: Condvar,
    bytes: AtomicUsize,
    bytes_max: usize,
    /// Somebody wants the segment sealed before the next record.
    seal_asked: AtomicBool,
}

struct QueueState<T> {
    pending: VecDeque<Pending<T>>,
    closed: bool,
    failure: Option<Failure>,
}

impl<T> Queue<T> {
    pub fn new(bytes_max: usize) -> Queue<T> {
        let state = QueueState { pending: VecDeque::new(), closed: false, failure: None };
        Queue {
            state: Mutex::new(state),
            filled: Condvar::new(),
            emptied: Condvar::new(),
            bytes: AtomicUsize::new(0),
            bytes_max,
            seal_asked: AtomicBool::new(false),
        }
    }

    /// Adds the records of one append, unless the log is closed or failed.
    pub fn push(&self, append: impl Iterator<Item = Pending<T>>, bytes: usize) -> Result<(), AppendError> {
        let mut state = self.state.lock();
        if let Some(failure) = &state.failure {
            return Err(AppendError::Failed(failure.clone()));
        }
        if state.closed {
            return Err(AppendError::Closed);
        }
        state.pending.extend(append);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        drop(state);
        self.filled.notify_one();
        Ok(())
    }

    /// Waits for records; false once the queue is closed and empty.
    pub fn wait_for_records(&self) -> bool {
        let mut state = self.state.lock();
        while state.pending.is_empty() {
            if state.closed {
                return false;
            }
            self.filled.wait(&mut state);
        }
        true
    }

    /// Takes whole appends, in order, up to `bytes_max`; none when there are none.
    pub fn take(&self, bytes_max: usize) -> Option<VecDeque<Pending<T>>> {
        let mut state = self.state.lock();
        if state.pending.is_empty() {
            return None;
        }
        let queued = self.bytes.load(Ordering::Relaxed);
        let taken = if queued <= bytes_max {
            self.bytes.store(0, Ordering::Relaxed);
            std::mem::take(&mut state.pending)
        } else {
            let (records, bytes) = whole_appends(&state.pending, bytes_max);
            self.bytes.store(queued - bytes, Ordering::Relaxed);
            state.pending.drain(..records).collect()
        };
        drop(state);
        self.emptied.notify_all();
        Some(taken)
    }

    pub fn ask_to_seal(&self) {
        self.seal_asked.store(true, Ordering::Relaxed);
    }

    /// Whether it was asked since this was called last.
    pub fn take_seal_request(&self) -> bool {
        self.seal_asked.swap(false, Ordering::Relaxed)
    }

    pub fn queued_bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    pub fn is_full(&self) -> bool {
        self.queued_bytes() >= self.bytes_max
    }

    /// Waits until the queue is below its bound, or nothing will ever leave it.
    pub fn wait_for_room(&self) {
        let mut state = self.state.lock();
        while self.is_full() && !state.closed && state.failure.is_none() {
            self.emptied.wait(&mut state);
        }
    }

    /// Takes no more appends; the writer ends when it has written what is queued.
    pub fn close(&self) {
        self.state.lock().closed = true;
        self.filled.notify_all();
        self.emptied.notify_all();
    }

    /// Refuses every append from now on; answers what was queued, which the caller drops: an
    /// attachment may do anything then, so not under the lock.
    pub fn fail(&self, failure: &Failure) -> VecDeque<Pending<T>> {
        let queued = {
            let mut state = self.state.lock();
            state.failure.get_or_insert_with(|| failure.clone());
            self.bytes.store(0, Ordering::Relaxed);
            std::mem::take(&mut state.pending)
        };
        self.emptied.notify_all();
        queued
    }

    pub fn failure(&self) -> Option<Failure> {
        self.state.lock().failure.clone()
    }
}

/// How many records make up the whole appends that fit into `bytes_max`, at least one append; and
/// their bytes.
fn whole_appends<T>(pending: &VecDeque<Pending<T>>, bytes_max: usize) -> (usize, usize) {
    let mut fitting = (0, 0);
    let mut bytes = 0;
    for (index, record) in pending.iter().enumerate() {
        bytes += record.record.bytes_on_disk();
        if bytes > bytes_max && fitting.0 > 0 {
            break;
        }
        if record.ends_append {
            fitting = (index + 1, bytes);
        }
    }
    fitting
}
