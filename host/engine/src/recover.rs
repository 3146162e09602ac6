//! Starting the engine: the log is opened, the view brought up to date, and accepted events that are not
//! decided is decided as if nothing had happened. And stopping it.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use arc_swap::ArcSwap;
use parking_lot::{Condvar, Mutex};
use serde::{Deserialize, Serialize};

use super::durable::Waiters;
use super::event_ids::EventIds;
use super::fair_share::FairShare;
use super::identity::Identity;
use super::maintenance::{self, Maintenance};
use super::metrics::Metrics;
use super::partition::PartitionCell;
use super::runtime::{LoadError, Plugins};
use super::schedule::Schedule;
use super::work::Work;
use super::{ChangeError, Engine, Supervisor};
use crate::way::Way;
use crate::{EngineConfig, RegistryConfig, RetentionConfig, SnapshotConfig};
use samsyn_disk::DataDir;
use samsyn_disk::durable_file;
use samsyn_disk::failpoint::{Step, step};
use samsyn_disk::{self as disk, Disk};
use samsyn_identity::{Basis, Sent, names_of_event};
use samsyn_journal::{Accepted, Appender, Reader, Record, RecordError};
use samsyn_log::{HostLog, LogError, Options, Progress, ReadLog};
use samsyn_machine::clock::Clock;
use samsyn_registry::{IdentifierKind, ManifestError, Normaliser, Registry, RegistryChange};
use samsyn_sandbox::{Compiler, Limits, Sandbox, SandboxError};
use samsyn_state::snapshot::Shelf;
use samsyn_state::view::ViewConfig;
use samsyn_state::view::{Opened, StoreError, View};
use samsyn_vocabulary::{Application, IdentifierName, ItemPosition, Partition, Position};

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
        let (view, opened) = View::open_from(&data.view(), log, &view, engine.event_ids(), bases, progress)?;
        if let Some(base) = &opened.base {
            tracing::info!(base, folded = opened.folded, "the view was folded on from a snapshot");
        }
        let sandbox = Sandbox::for_workers(&limits, workers)?;
        let sandbox = sandbox.compiling_in(compiler).caching_in(data.compiled());
        let plugins = Plugins::new(sandbox, disk, data.components());
        let metrics = Metrics::default();
        let newest = plugins.runtime(Arc::new(registry), &metrics)?;
        let partitions = (0..engine.partitions).map(|_| PartitionCell::default()).collect();
        let schedule = Schedule::new(engine.partitions);
        let engine = Arc::new(Engine {
            started_at: clock.now(),
            config: engine,
            registry_config,
            clock,
            journal,
            view,
            plugins,
            newest: ArcSwap::from_pointee(newest),
            changing: Mutex::default(),
            partitions,
            schedule,
            identity: Identity::default(),
            event_ids: EventIds::new(),
            waiters: Waiters::default(),
            metrics,
            undecided: AtomicUsize::new(0),
            slow: Mutex::default(),
            any_slow: AtomicBool::new(false),
            catching_up: Mutex::new(HashSet::new()),
            left_retries: Mutex::default(),
            fair_share: FairShare::of_cores(cores),
            reassignments: Mutex::default(),
            replays: super::replay::Replays::default(),
            supervisor: Mutex::new(Supervisor::default()),
            supervisor_wake: Condvar::new(),
            maintenance: Maintenance::new(shelf, snapshots, retention),
            stopping: AtomicBool::new(false),
            halted: std::sync::OnceLock::new(),
            threads: Mutex::default(),
        });
        let (durable, failed) = (Arc::downgrade(&engine), Arc::downgrade(&engine));
        engine.journal.start(
            move |commit| {
                if let Some(engine) = durable.upgrade() {
                    engine.on_durable(commit);
                }
            },
            move |failure| {
                if let Some(engine) = failed.upgrade() {
                    engine.on_failed(failure);
                }
            },
        )?;
        engine.resume()?;
        engine.look_at_snapshots();
        engine.spawn(workers)?;
        engine.define_first_identifiers()?;
        engine.renormalise_identifiers()?;
        Ok((engine, opened))
    }

    /// Gives the workers again accepted events that are not decided.
    fn resume(&self) -> Result<(), StartError> {
        let mut undecided = Vec::new();
        for partition in (0..self.partitions.len() as u16).map(Partition) {
            let state = self.view.applied(partition).partition;
            let through = state.through;
            {
                let mut core = self.cell(partition).core.lock();
                core.state = state;
                core.runtime = Some(self.newest.load_full());
            }
            self.schedule.push(partition, Work::Adopt);
            for record in self.records().scan(partition, through.seq.max(1)) {
                let record = record?;
                let position = record.position;
                let unreadable = |cause| StartError::Record { position, cause };
                let seq = position.seq;
                match record.record().map_err(unreadable)? {
                    Record::Accepted(accepted) if ItemPosition { seq, index: 0 } > through => {
                        self.undecided.fetch_add(1, Ordering::Relaxed);
                        self.metrics.accepted.fetch_add(1, Ordering::Relaxed);
                        let accepted = Arc::new(accepted);
                        undecided.push((position, accepted.clone()));
                        self.schedule.push(partition, Work::Accepted { seq, accepted, way: Way::resumed() });
                    }
                    Record::Decided(decided) if decided.derives() => {
                        self.cell(partition).core.lock().roots.add(&decided);
                        self.schedule.push(partition, Work::Derived { seq, decided: Arc::new(decided) });
                    }
                    _ => {}
                }
            }
            // What is held behind nothing was being retried when the host stopped.
            self.resume_held(partition)?;
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
        let before = self.view.profile(accepted.profile)?;
        let partition_state = self.view.applied(position.partition).partition;
        let registry = self.registry();
        let basis = Basis {
            registry: &registry,
            before: before.as_deref(),
            generations: &partition_state.adopted.visible,
        };
        let mut recent = self.identity.lock();
        let names = names_of_event(accepted, sent, &basis, &recent.with(&self.view))?;
        self.append_links(&names.links, Some(position)).map_err(ChangeError::Unavailable)?;
        names.links.iter().for_each(|linked| recent.link(linked));
        if before.is_none() {
            recent.add_fresh(accepted.profile);
        }
        for identifier in names.identifiers {
            recent.add_name(accepted.profile, identifier.name, position.seq);
        }
        Ok(())
    }

    fn spawn(self: &Arc<Self>, workers: usize) -> Result<(), StartError> {
        let failed = |cause: std::io::Error| StartError::Directory {
            path: "a thread".into(),
            cause: cause.to_string(),
        };
        let mut threads = self.threads.lock();
        for index in 0..workers {
            let engine = self.clone();
            let thread = std::thread::Builder::new().name(format!("worker-{index}"));
            threads.push(thread.spawn(move || engine.run_worker(index)).map_err(failed)?);
        }
        let engine = self.clone();
        let thread = std::thread::Builder::new().name("supervisor".to_owned());
        threads.push(thread.spawn(move || engine.run_supervisor()).map_err(failed)?);
        threads.push(maintenance::spawn(self).map_err(failed)?);
        Ok(())
    }

    /// The identifiers that every new data directory knows.
    fn define_first_identifiers(&self) -> Result<(), StartError> {
        if self.registry().revision > 0 {
            return Ok(());
        }
        let Ok(host) = Application::new("host") else { return Ok(()) };
        let first = [
            ("customer_id", Normaliser::Exact, 100),
            ("user_id", Normaliser::Exact, 90),
            ("email", Normaliser::Email, 50),
            ("phone", Normaliser::Phone, 40),
            ("anonymous_id", Normaliser::Exact, 10),
        ];
        for (name, normaliser, strength) in first {
            if let Ok(name) = IdentifierName::new(name) {
                let kind = IdentifierKind::new(normaliser, strength);
                self.append_change(RegistryChange::identifier(name, kind), &host)?;
            }
        }
        Ok(())
    }

    /// Stops accepting and deciding, and writes what is taken. What isn't decided is after the next start.
    pub fn stop(&self) {
        self.replays.stop_all();
        self.stop_deciding();
        self.supervisor_wake.notify_all();
        self.maintenance.wake();
        let threads = std::mem::take(&mut *self.threads.lock());
        let me = std::thread::current().id();
        for thread in threads.into_iter().filter(|thread| thread.thread().id() != me) {
            if thread.join().is_err() {
                tracing::error!("a thread of the engine had panicked");
            }
        }
        if let Err(failure) = self.journal.close() {
            tracing::error!(%failure, "the log could not be closed cleanly");
        }
        self.waiters.abandon();
        if let Err(error) = self.view.close() {
            tracing::warn!(%error, "the view could not be written; it is folded again from the log");
        }
    }

    /// Waits until everything that was accepted is decided and durable. For tests and for stopping in
    /// order; the caller has to stop sending first.
    pub fn drain(&self, patience: std::time::Duration) -> bool {
        let until = std::time::Instant::now() + patience;
        while !self.is_settled() {
            if std::time::Instant::now() > until || self.stopping.load(Ordering::Relaxed) {
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

/// The number of partitions is decided when the directory is made.
fn data_settings(disk: &dyn Disk, data: &DataDir, partitions: u16) -> Result<u16, StartError> {
    let path = data.settings();
    let failed = |cause: String| StartError::Directory { path: data.settings(), cause };
    match disk::read(disk, &path) {
        Ok(bytes) => {
            let settings: DataSettings =
                toml::from_slice(&bytes).map_err(|error| failed(error.to_string()))?;
            Ok(settings.partitions)
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            if !(1..=4096).contains(&partitions) {
                return Err(failed(format!("partitions = {partitions}: 1 to 4096 are possible")));
            }
            let text =
                toml::to_string(&DataSettings { partitions }).map_err(|error| failed(error.to_string()))?;
            step(Step::DataSettings, || durable_file::write_on(disk, &path, text.as_bytes()))
                .map_err(|error| failed(error.to_string()))?;
            Ok(partitions)
        }
        Err(error) => Err(failed(error.to_string())),
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.stop();
    }
}
