//! What every part of the engine uses: the log, the view, the revision in use, the queue of work, and whether
//! the engine still runs. It decides nothing, and none of its locks is held while another is taken.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;
use std::time::Duration;

use arc_swap::ArcSwap;
use parking_lot::Mutex;

use super::durable::{InFlight, Waiters};
use super::fault::StopCause;
use super::metrics::Metrics;
use super::new_calls::NewCallQueue;
use super::runtime::Runtime;
use super::schedule::Schedule;
use super::supervisor::Requests;
use super::work::Work;
use super::{EngineConfig, QueryError};
use samsyn_journal::{Appender, Reader, Record};
use samsyn_log::LogReader;
use samsyn_machine::clock::Clock;
use samsyn_registry::Registry;
use samsyn_state::view::View;
use samsyn_vocabulary::{Homes, Partition, Position, ProfileId, Timestamp};

/// What every part of the engine uses.
pub struct Shared {
    pub config: EngineConfig,
    pub clock: Clock,
    /// The log, as records that are appended and read. [`super::sequencer`] alone appends to it.
    pub journal: Appender<InFlight>,
    pub view: View,
    pub metrics: Metrics,
    /// The newest revision; [`super::registrar`] alone replaces it. Partitions adopt it one by one.
    pub newest: ArcSwap<Runtime>,
    /// What the partitions' lanes have to do.
    pub schedule: Schedule,
    /// Whoever waits for a record.
    pub waiters: Waiters,
    /// Calls that began to wait.
    pub new_calls: NewCallQueue,
    /// What lanes ask of the supervisor.
    pub requests: Requests,
    pub stopping: AtomicBool,
    /// The fault that ended accepting and deciding, if one did.
    pub halted: OnceLock<StopCause>,
    pub started_at: Timestamp,
    /// Threads that end with the engine.
    pub threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Shared {
    /// The newest revision of the registry.
    pub fn registry(&self) -> Arc<Registry> {
        self.newest.load().registry.clone()
    }

    /// The durable part of the log.
    pub fn log(&self) -> &LogReader {
        self.records().log()
    }

    /// The durable records of the log.
    pub fn records(&self) -> &Reader {
        self.journal.reader()
    }

    /// The record at a position; none where there is none, or none any more.
    pub fn record(&self, position: Position) -> Result<Option<Record>, QueryError> {
        let Some(stored) = self.records().read(position)? else { return Ok(None) };
        Ok(Some(stored.record()?))
    }

    /// Whether the record at a position has left the log by retention.
    pub fn is_removed(&self, position: Position) -> bool {
        position.seq > 0 && position.seq < self.log().oldest(position.partition)
    }

    /// When the oldest record that is kept was appended, when any have left; none while the log
    /// still holds all.
    pub fn oldest_retained(&self) -> Result<Option<Timestamp>, QueryError> {
        let log = self.log();
        if log.is_whole() { Ok(None) } else { Ok(log.oldest_at()?) }
    }

    /// How many partitions hold customers.
    pub fn partition_count(&self) -> usize {
        usize::from(self.config.partitions)
    }

    /// The partitions that hold customers.
    pub fn partitions(&self) -> impl Iterator<Item = Partition> + use<> {
        (0..self.config.partitions).map(Partition)
    }

    /// Where customers are at home.
    pub fn homes(&self) -> Homes {
        Homes::among(self.config.partitions)
    }

    /// The partition of a customer.
    pub fn home(&self, profile: ProfileId) -> Partition {
        self.homes().of(profile)
    }

    /// Has every partition take the newest revision into use.
    pub fn adopt_everywhere(&self) {
        self.partitions().for_each(|partition| self.schedule.push(partition, Work::Adopt));
    }

    /// Whether threads are to end.
    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    /// Ends accepting and deciding because of a fault, which is told to whoever asks.
    pub fn halt(&self, cause: StopCause) {
        // The first one is the cause of the others.
        let _ = self.halted.set(cause);
        self.stop_deciding();
    }

    /// Why nothing is accepted any more.
    pub fn why_stopped(&self) -> StopCause {
        self.halted.get().cloned().unwrap_or(StopCause::Stopping)
    }

    /// Ends accepting and deciding.
    pub fn stop_deciding(&self) {
        self.stopping.store(true, Ordering::SeqCst);
        self.schedule.wake();
    }

    /// Starts a thread that ends with the engine.
    pub fn spawn(&self, name: String, run: impl FnOnce() + Send + 'static) -> std::io::Result<()> {
        let thread = std::thread::Builder::new().name(name).spawn(run)?;
        self.threads.lock().push(thread);
        Ok(())
    }

    /// Waits on this thread until a record is on the disk, or the engine stops. One that was never appended isn't
    /// waited for.
    pub fn wait_until_durable(&self, position: Position) {
        if position.seq > self.journal.head(position.partition) {
            return;
        }
        while position.seq > 0 && !self.is_durable(position) && !self.is_stopping() {
            std::thread::sleep(Duration::from_micros(200));
        }
    }
}
