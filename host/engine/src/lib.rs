//! The loop: an event is accepted and appended to the log, the capabilities that subscribe to it are
//! invoked, and their effects become one record.
//!
//! ```text
//! accept ─▶ identity ─▶ sequencer ─▶ log ─▶ durable: view, waiting answers, metrics
//!                          │  ▲
//!                          ▼  │ Decided
//!                        worker: route ─▶ project ─▶ run ─▶ decide ─▶ commit
//! ```
//!
//! `samsyn-identity` and `samsyn-decide` are pure. Only the worker, the catch-up threads and the
//! log's writer wait for anything.
//!
//! Locks, in the order they may be taken: a shard of [`event_ids`], a partition's core, [`identity`], a
//! partition's sequencer. A compute slot ([`fair_share`]) is waited for while none of them is held.
//!
//! | file | what it does |
//! |---|---|
//! | `accept` · `content` · `known` · `event_ids` · `identity` · `names` | takes an event in: is it new, and whose is it |
//! | `sequencer` · `durable` · `recover` · `way` | appends records, what happens when they are durable, and starting again |
//! | `schedule` · `work` · `worker` · `partition` · `decision_input` · `run` · `runtime` · `budget` | decides what was accepted |
//! | `slow` · `slow_lane` · `fair_share` · `catch_up` · `supervisor` · `retry` · `held` | capabilities that are slow, behind, or failed |
//! | `install` · `adopt` · `assign` · `apply_file` · `renormalise` · `notify_source_change` | changes of the registry, and what they mean for customers |
//! | `query` · `claims` · `refusals` · `status` · [`metrics`] · `slowest` | questions, and numbers |
//! | `maintenance` | snapshots and retention |
//! | [`replay`] | what another version would have decided |
//! | `config` | settings |
//!
//! It must not know HTTP, tokens, or how an answer is written.

mod accept;
mod adopt;
mod apply_file;
mod assign;
mod budget;
mod catch_up;
mod claims;
mod config;
mod content;
mod decision_input;
mod durable;
mod event_ids;
mod fair_share;
mod held;
mod identity;
mod install;
mod known;
mod maintenance;
pub mod metrics;
mod names;
mod notify_source_change;
mod partition;
mod query;
mod recover;
mod refusals;
mod renormalise;
pub mod replay;
mod retry;
mod run;
mod runtime;
mod schedule;
mod sequencer;
mod slow;
mod slow_lane;
mod slowest;
mod status;
mod supervisor;
pub mod way;
mod work;
mod worker;

#[cfg(any(test, feature = "testing"))]
pub mod testing;
#[cfg(test)]
mod tests;

pub use accept::{AcceptError, Acceptance, EventIdsStatus, Expectation, NewEvent};
pub use apply_file::FileOptions;
pub use assign::{AssignmentPlan, ConsumerPlan, FieldPlan, SamplePlan};
pub use claims::{ClaimsPage, Difference, Pair, Pairs};
pub use config::{EngineConfig, RegistryConfig};
pub use install::{ChangeError, InstallError, InstallOptions, Installed, fit};
pub use maintenance::{
    Holder, MaintenanceError, RetentionConfig, RetentionReport, SnapshotConfig, SnapshotInProgress, Snapshots,
};
pub use names::ConflictsPage;
pub use notify_source_change::{JobReport, Jobs};
pub use query::{EventDecisions, QueryError, ReadProfile, Timeline, TimelineEntry};
pub use recover::{Start, StartError, read_registry};
pub use refusals::{Looked, RefusedEvent};
pub use retry::{ParkedCursor, ParkedFilter, ParkedItem, ParkedPage, Waiting};
pub use runtime::LoadError;
pub use samsyn_identity::Names;
pub use slowest::{SlowEvent, SlowestEvents, Ways};
pub use status::{DiskStatus, Status};

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::sync::{Arc, OnceLock};

use arc_swap::ArcSwap;
use parking_lot::{Condvar, Mutex};

use samsyn_journal::{Appender, Reader};
use samsyn_log::LogReader;
use samsyn_machine::clock::Clock;
use samsyn_registry::Registry;
use samsyn_state::view::View;
use samsyn_vocabulary::{CapabilityName, Partition, ProfileId};

use durable::{InFlight, Waiters};
use event_ids::EventIds;
use fair_share::FairShare;
use identity::Identity;
use maintenance::Maintenance;
use metrics::Metrics;
use partition::PartitionCell;
use runtime::{Plugins, Runtime};
use schedule::Schedule;

/// The engine of one data directory.
pub struct Engine {
    config: EngineConfig,
    registry_config: RegistryConfig,
    clock: Clock,
    /// The log, as records that are appended and read.
    journal: Appender<InFlight>,
    view: View,
    plugins: Plugins,
    /// The newest revision; partitions adopt it one by one.
    newest: ArcSwap<Runtime>,
    /// One change of the registry at a time.
    changing: Mutex<()>,
    partitions: Vec<PartitionCell>,
    schedule: Schedule,
    identity: Identity,
    event_ids: EventIds,
    waiters: Waiters,
    metrics: Metrics,
    /// Events accepted and not decided.
    undecided: AtomicUsize,
    /// Capabilities with a thread of their own because they are slow.
    slow: Mutex<slow::Slow>,
    /// Whether there may be one, for whoever hasn't the time to look.
    any_slow: AtomicBool,
    /// Capabilities whose catch-up thread runs.
    catching_up: Mutex<HashSet<CapabilityName>>,
    /// Retries that those run.
    left_retries: Mutex<retry::LeftRetries>,
    /// The processor time that those share.
    fair_share: FairShare,
    /// Notifications about sources that moved.
    reassignments: Mutex<notify_source_change::ReassignmentProgress>,
    /// What new versions of plug-ins would have decided.
    replays: replay::Replays,
    /// What the engine itself asks of the registry.
    supervisor: Mutex<Supervisor>,
    supervisor_wake: Condvar,
    /// What makes snapshots and lets old segments go.
    maintenance: Maintenance,
    stopping: AtomicBool,
    /// The fault that ended accepting and deciding, if one did.
    halted: OnceLock<AcceptError>,
    started_at: samsyn_vocabulary::Timestamp,
    threads: Mutex<Vec<std::thread::JoinHandle<()>>>,
}

#[derive(Default)]
struct Supervisor {
    asked: Vec<samsyn_registry::RegistryChange>,
    look: bool,
}

impl Engine {
    /// The newest revision of the registry.
    pub fn registry(&self) -> Arc<Registry> {
        self.newest.load().registry.clone()
    }

    /// The engine's clock.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// What the log folds into.
    pub fn view(&self) -> &View {
        &self.view
    }

    /// The durable part of the log.
    pub fn log(&self) -> &LogReader {
        self.records().log()
    }

    /// The durable records of the log.
    pub fn records(&self) -> &Reader {
        self.journal.reader()
    }

    /// What it counts.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    fn home(&self, profile: ProfileId) -> Partition {
        profile.partition(self.partitions.len() as u16)
    }

    fn cell(&self, partition: Partition) -> &PartitionCell {
        &self.partitions[usize::from(partition.0)]
    }
}
