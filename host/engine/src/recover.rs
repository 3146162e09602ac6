//! Starting the engine: the log is opened, the view brought up to date, and accepted events that are not
//! decided is decided as if nothing had happened. And stopping it.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use super::Engine;
use super::accept::Accepting;
use super::calls::Calls;
use super::durable::{DurableHook, Waiters};
use super::event_ids::EventIds;
use super::identity::Identity;
use super::lanes::Lanes;
use super::maintenance::Maintenance;
use super::metrics::Metrics;
use super::notifier::Notifier;
use super::parked::Parked;
use super::query::Query;
use super::registrar::{ChangeError, Registrar};
use super::replays::Replays;
use super::runtime::{LoadError, Plugins};
use super::schedule::Schedule;
use super::sequencer::Sequencer;
use super::shared::Shared;
use super::supervisor::{Requests, Supervisor};
use super::timers::Timers;
use super::work::Work;
use crate::way::Way;
use crate::{EngineConfig, RegistryConfig, RetentionConfig, SnapshotConfig};
use samsyn_decide::item::Item;
use samsyn_disk::DataDir;
use samsyn_disk::durable_file;
use samsyn_disk::failpoint::{Step, step};
use samsyn_disk::{self as disk, Disk};
use samsyn_identity::{Basis, Sent, names_of_event};
use samsyn_journal::{Accepted, Appender, Reader, Record, RecordError, TimerEnd};
use samsyn_log::{HostLog, LogError, Options, Progress, ReadLog};
use samsyn_machine::clock::Clock;
use samsyn_registry::{ManifestError, Registry};
use samsyn_sandbox::{Compiler, Limits, Sandbox, SandboxError};
use samsyn_state::snapshot::Shelf;
use samsyn_state::view::ViewConfig;
use samsyn_state::view::{Opened, StoreError, View};
use samsyn_vocabulary::{Homes, ItemPosition, Partition, Position, Timestamp};

/// Why the engine can't start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The log can't be opened.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The view can't be made.
    #[error(transparent)]
    View(#[from] StoreError),
    /// The sandbox can't be made.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    /// A record can't be read.
    #[error("{position}: {cause}")]
    Record {
        position: Position,
        /// What is wrong with it.
        cause: RecordError,
    },
    /// The manifest of an installed plug-in can't be read.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// An installed component can't be loaded.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The registry's first records have left with their segments, and no snapshot holds them.
    #[error(
        "the registry's first records have left the log, and no snapshot in {} carries them; put one back, or \
         restore a backup", path.display()
    )]
    RegistryGone {
        /// Where snapshots are.
        path: PathBuf,
    },
    /// The first entries of the registry can't be written.
    #[error(transparent)]
    Registry(#[from] ChangeError),
    /// The data directory can't be used.
    #[error("{path}: {cause}")]
    Directory {
        /// Which file or directory.
        path: PathBuf,
        cause: String,
    },
}

/// What a data directory was made with; never changes.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct DataSettings {
    partitions: u16,
}

/// How an engine is started.
pub struct Start {
    /// Where its data is.
    pub data: DataDir,
    /// Settings of the registry.
    pub registry: RegistryConfig,
    /// Bounds of the engine.
    pub engine: EngineConfig,
    /// Settings of the view.
    pub view: ViewConfig,
    /// Settings of the log.
    pub log: Options,
    /// When snapshots are made.
    pub snapshots: SnapshotConfig,
    /// How long the log is kept.
    pub retention: RetentionConfig,
    /// What plug-ins may spend.
    pub limits: Limits,
    /// Where untrusted components are compiled.
    pub compiler: Compiler,
    /// The time.
    pub clock: Clock,
}

impl Engine {
    /// Opens a data directory, or makes one, and starts deciding.
    pub fn start(start: Start, progress: impl FnMut(Progress)) -> Result<(Arc<Engine>, Opened), StartError> {
        Engine::start_on(disk::local(), start, progress)
    }

    /// [`start`](Engine::start) with the log and the components on another disk. What can be deleted
    /// stays on this machine's.
    pub fn start_on(
        disk: Arc<dyn Disk>,
        start: Start,
        progress: impl FnMut(Progress),
    ) -> Result<(Arc<Engine>, Opened), StartError> {
        let Start { data, registry: registry_config, mut engine, view, log, limits, compiler, clock, .. } =
            start;
        let (snapshots, retention) = (start.snapshots, start.retention);
        engine.partitions = data_settings(&*disk, &data, engine.partitions)?;
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let workers = if engine.workers == 0 { cores } else { engine.workers };
        let (log, recovered) = HostLog::open_on(disk.clone(), &data.log(), log)?;
        if let Some(tail) = &recovered.tail {
            tracing::warn!(?tail, "a crash cut the log short; nothing acknowledged is missing");
        }
        let shelf = Shelf::new(data.snapshots());
        let untidy = |cause: std::io::Error| StartError::Directory {
            path: data.snapshots(),
            cause: cause.to_string(),
        };
        shelf.tidy().map_err(untidy)?;
        if !shelf.carry_registry(log.reader()) {
            return Err(StartError::RegistryGone { path: data.snapshots() });
        }
        let journal = Appender::new(log);
        let registry = read_registry(journal.reader())?;
        let log = journal.backend().reader();
        let bases = shelf.bases(log);
        let (homes, ids) = (Homes::among(engine.partitions), engine.event_ids());
        let (view, opened) = View::open_from(&data.view(), log, homes, &view, ids, bases, progress)?;
        if let Some(base) = &opened.base {
            tracing::info!(base, folded = opened.folded, "the view was folded on from a snapshot");
        }
        let sandbox = Sandbox::for_workers(&limits, workers)?;
        let sandbox = sandbox.compiling_in(compiler).caching_in(data.compiled());
        let limits = sandbox.limits().clone();
        let plugins = Arc::new(Plugins::new(sandbox, disk, data.components()));
        let metrics = Metrics::default();
        let newest = plugins.runtime(Arc::new(registry), &metrics)?;
        let shared = Arc::new(Shared {
            started_at: clock.now(),
            schedule: Schedule::new(engine.partitions),
            config: engine,
            clock,
            journal,
            view,
            metrics,
            newest: ArcSwap::from_pointee(newest),
            waiters: Waiters::default(),
            new_calls: Default::default(),
            requests: Requests::default(),
            stopping: AtomicBool::new(false),
            halted: OnceLock::new(),
            threads: Mutex::default(),
        });
        let engine = Engine::wire(shared, plugins, limits, cores, registry_config, |shared, lanes| {
            Maintenance::new(shared, lanes, shelf, snapshots, retention)
        });
        let (durable, failed) = (Arc::downgrade(&engine.hook), Arc::downgrade(&engine.hook));
        engine.shared.journal.start(
            move |commit| {
                if let Some(hook) = durable.upgrade() {
                    hook.on_durable(commit);
                }
            },
            move |failure| {
                if let Some(hook) = failed.upgrade() {
                    hook.on_failed(failure);
                }
            },
        )?;
        engine.timers.check_standstill(engine.newest_record_at()?);
        engine.resume()?;
        engine.maintenance.look_at_snapshots();
        engine.spawn(workers)?;
        engine.registrar.define_first_identifiers()?;
        engine.renormalise_identifiers()?;
        Ok((Arc::new(engine), opened))
    }

    /// The parts, each with those that it uses.
    fn wire(
        shared: Arc<Shared>,
        plugins: Arc<Plugins>,
        limits: Limits,
        processor_cores: usize,
        registry_config: RegistryConfig,
        maintenance: impl FnOnce(Arc<Shared>, Arc<Lanes>) -> Maintenance,
    ) -> Engine {
        let identity = Arc::new(Identity::default());
        let sequencer = Arc::new(Sequencer::new(shared.clone()));
        let accepting = Arc::new(Accepting {
            shared: shared.clone(),
            sequencer: sequencer.clone(),
            identity: identity.clone(),
            event_ids: EventIds::new(),
        });
        let lanes = Lanes::new(shared.clone(), sequencer.clone(), identity.clone(), limits, processor_cores);
        let lanes = Arc::new(lanes);
        let registrar = Arc::new(Registrar {
            shared: shared.clone(),
            sequencer: sequencer.clone(),
            plugins: plugins.clone(),
            registry_config,
            changing: Mutex::default(),
        });
        Engine {
            notifier: Arc::new(Notifier::new(shared.clone(), lanes.clone())),
            maintenance: Arc::new(maintenance(shared.clone(), lanes.clone())),
            query: Query { shared: shared.clone(), identity: identity.clone() },
            parked: Parked { shared: shared.clone() },
            replays: Replays::new(shared.clone(), plugins),
            calls: Calls { shared: shared.clone() },
            timers: Arc::new(Timers::new(shared.clone(), shared.config.late_timers_per_second)),
            hook: Arc::new(DurableHook {
                shared: shared.clone(),
                accepting: accepting.clone(),
                identity: identity.clone(),
            }),
            shared,
            sequencer,
            identity,
            accepting,
            lanes,
            registrar,
        }
    }

    /// When the newest durable record was appended; none when there is none.
    fn newest_record_at(&self) -> Result<Option<Timestamp>, StartError> {
        let log = self.shared.log();
        let mut newest = None;
        for (partition, head) in log.durable_heads() {
            let record = log.read(Position { partition, seq: head.seq })?;
            newest = newest.max(record.map(|record| record.appended_at));
        }
        Ok(newest)
    }

    /// Gives the workers again accepted events that are not decided.
    fn resume(&self) -> Result<(), StartError> {
        let mut undecided = Vec::new();
        for partition in self.shared.partitions() {
            let state = self.shared.view.applied(partition).partition;
            let through = state.through;
            {
                let mut core = self.lanes.core(partition);
                core.state = state;
                core.runtime = Some(self.shared.newest.load_full());
            }
            self.shared.schedule.push(partition, Work::Adopt);
            for record in self.shared.records().scan(partition, through.seq.max(1)) {
                let record = record?;
                let position = record.position;
                let unreadable = |cause| StartError::Record { position, cause };
                let seq = position.seq;
                match record.record().map_err(unreadable)? {
                    Record::Accepted(accepted) if ItemPosition { seq, index: 0 } > through => {
                        self.sequencer.undecided.fetch_add(1, Ordering::Relaxed);
                        self.shared.metrics.accepted.fetch_add(1, Ordering::Relaxed);
                        let accepted = Arc::new(accepted);
                        undecided.push((position, accepted.clone()));
                        self.shared
                            .schedule
                            .push(partition, Work::Accepted { seq, accepted, way: Way::resumed() });
                    }
                    Record::Due(due) if ItemPosition { seq, index: 0 } > through && !due.in_passing => {
                        self.sequencer.undecided.fetch_add(1, Ordering::Relaxed);
                        let timer = due.ended(TimerEnd::Fired);
                        self.lanes.core(partition).firing.insert(timer, due.profile);
                        self.shared.schedule.push(partition, Work::Due { seq, due: Arc::new(due) });
                    }
                    Record::Call(record) if ItemPosition { seq, index: 0 } > through => {
                        if let Some(item) = Item::of_call(&record) {
                            self.sequencer.undecided.fetch_add(1, Ordering::Relaxed);
                            self.shared.schedule.push(partition, Work::OfCall { seq, item });
                        }
                    }
                    Record::Decided(decided) if decided.derives() => {
                        self.lanes.core(partition).roots.add(&decided);
                        self.shared
                            .schedule
                            .push(partition, Work::Derived { seq, decided: Arc::new(decided) });
                    }
                    _ => {}
                }
            }
            // What is held behind nothing was being retried when the host stopped.
            self.lanes.resume_held(partition)?;
        }
        // Whoever came first has the identifier, and who found it taken only if nobody else is there.
        undecided.sort_by_key(|(position, accepted)| (accepted.event.received_at, *position));
        for sent in [Sent::Own, Sent::Anothers] {
            for (position, accepted) in &undecided {
                self.resume_identity(*position, accepted, sent)?;
            }
        }
        Ok(())
    }

    /// An event that was acknowledged and isn't decided: its profile and the identifiers it brings are known. A
    /// crash may have left it without its links; they are made before anybody else can ask for them.
    fn resume_identity(&self, position: Position, accepted: &Accepted, sent: Sent) -> Result<(), StartError> {
        let before = self.shared.view.profile(accepted.profile)?;
        let partition_state = self.shared.view.applied(position.partition).partition;
        let registry = self.shared.registry();
        let basis = Basis {
            registry: &registry,
            before: before.as_deref(),
            generations: &partition_state.adopted.visible,
        };
        let mut recent = self.identity.lock();
        let names = names_of_event(accepted, sent, &basis, &recent.with(&self.shared.view))?;
        self.sequencer.append_links(&names.links, Some(position)).map_err(ChangeError::Stopped)?;
        names.links.iter().for_each(|linked| recent.link(linked));
        if before.is_none() {
            recent.add_fresh(accepted.profile);
        }
        for identifier in names.identifiers {
            recent.add_name(accepted.profile, identifier.name, position.seq);
        }
        Ok(())
    }

    fn spawn(&self, workers: usize) -> Result<(), StartError> {
        let failed = |cause: std::io::Error| StartError::Directory {
            path: "a thread".into(),
            cause: cause.to_string(),
        };
        for index in 0..workers {
            let lanes = self.lanes.clone();
            self.shared.spawn(format!("worker-{index}"), move || lanes.run_worker(index)).map_err(failed)?;
        }
        let supervisor = Supervisor {
            shared: self.shared.clone(),
            lanes: self.lanes.clone(),
            registrar: self.registrar.clone(),
            notifier: self.notifier.clone(),
        };
        self.shared.spawn("supervisor".to_owned(), move || supervisor.run()).map_err(failed)?;
        let timers = self.timers.clone();
        self.shared.spawn("timers".to_owned(), move || timers.run()).map_err(failed)?;
        let maintenance = self.maintenance.clone();
        self.shared.spawn("maintenance".to_owned(), move || maintenance.run()).map_err(failed)
    }

    /// Stops accepting and deciding, and writes what is taken. What isn't decided is after the next start.
    pub fn stop(&self) {
        self.replays.stop_all();
        self.shared.stop_deciding();
        self.shared.requests.wake();
        self.maintenance.wake();
        self.timers.wake();
        let threads = std::mem::take(&mut *self.shared.threads.lock());
        let me = std::thread::current().id();
        for thread in threads.into_iter().filter(|thread| thread.thread().id() != me) {
            if thread.join().is_err() {
                tracing::error!("a thread of the engine had panicked");
            }
        }
        if let Err(failure) = self.shared.journal.close() {
            tracing::error!(%failure, "the log could not be closed cleanly");
        }
        self.shared.waiters.abandon();
        if let Err(error) = self.shared.view.close() {
            tracing::warn!(%error, "the view could not be written; it is folded again from the log");
        }
    }

    /// Waits until everything that was accepted is decided and durable. For tests and for stopping in
    /// order; the caller has to stop sending first.
    pub fn drain(&self, patience: std::time::Duration) -> bool {
        let until = std::time::Instant::now() + patience;
        while !self.is_settled() {
            if std::time::Instant::now() > until || self.shared.is_stopping() {
                return false;
            }
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        true
    }
}

/// The registry is small: it is folded from its partition at every start.
pub fn read_registry(records: &Reader<impl ReadLog>) -> Result<Registry, StartError> {
    let mut registry = Registry::default();
    for record in records.scan(Partition::REGISTRY, 1) {
        let record = record?;
        let position = record.position;
        let read = record.record();
        if let Record::Registry(change) = read.map_err(|cause| StartError::Record { position, cause })? {
            registry = registry.apply(position.seq, &change.change)?;
        }
    }
    Ok(registry)
}

/// Where the customers of a stopped host's data directory are at home. One that was never started gets as many
/// `partitions` as are set.
pub fn homes_of(data: &DataDir, partitions: u16) -> Result<Homes, StartError> {
    Ok(Homes::among(read_settings(&*disk::local(), data)?.map_or(partitions, |known| known.partitions)))
}

fn read_settings(disk: &dyn Disk, data: &DataDir) -> Result<Option<DataSettings>, StartError> {
    let failed = |cause: String| StartError::Directory { path: data.settings(), cause };
    match disk::read(disk, &data.settings()) {
        Ok(bytes) => toml::from_slice(&bytes).map(Some).map_err(|error| failed(error.to_string())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed(error.to_string())),
    }
}

/// The number of partitions is decided when the directory is made.
fn data_settings(disk: &dyn Disk, data: &DataDir, partitions: u16) -> Result<u16, StartError> {
    if let Some(settings) = read_settings(disk, data)? {
        return Ok(settings.partitions);
    }
    let path = data.settings();
    let failed = |cause: String| StartError::Directory { path: data.settings(), cause };
    if !(1..=4096).contains(&partitions) {
        return Err(failed(format!("partitions = {partitions}: 1 to 4096 are possible")));
    }
    let text = toml::to_string(&DataSettings { partitions }).map_err(|error| failed(error.to_string()))?;
    step(Step::DataSettings, || durable_file::write_on(disk, &path, text.as_bytes()))
        .map_err(|error| failed(error.to_string()))?;
    Ok(partitions)
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.stop();
    }
}
