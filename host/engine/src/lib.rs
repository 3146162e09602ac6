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
//! The engine is wired from parts. Each owns its fields and locks, and uses parts below it alone, so that locks
//! are always taken downwards:
//!
//! ```text
//! Engine: starts and stops, says how the host is doing
//!   Supervisor
//!     Registrar   changing
//!     Notifier    progress            Query   Parked   Replays
//!   Maintenance   busy, state
//!     Lanes       a partition's core ─┐   Accepting  a shard of the event ids ─┐
//!                                     ├─▶ Identity   its links ◀───────────────┤
//!                                     └─▶ Sequencer  a partition's order ◀─────┘
//!   Shared: log, view, newest revision, queue of work
//! ```
//!
//! A compute slot ([`samsyn_machine::fair_share`]) is waited for while no lock is held.
//!
//! | file | what it does |
//! |---|---|
//! | `shared` · `fault` · `config` | what every part uses, what can end its work, settings |
//! | `accept` · `content` · `known` · `event_ids` · `identity` · `names` | takes an event in: is it new, and whose is it |
//! | `sequencer` · `durable` | gives records their place, and what happens when they are durable |
//! | `lanes` · `schedule` · `work` · `worker` · `partition` · `decision_input` · `run` · `runtime` · `budget` | decides what was accepted |
//! | `slow` · `slow_lane` · `catch_up` · `retry` · `held` | capabilities that are slow, behind, or failed |
//! | `registrar` · `install` · `assign` · `endpoints` · `apply_file` · `renormalise` | changes of the registry |
//! | `adopt` · `notify_source_change` · `notifier` | what those mean for partitions and customers |
//! | `timers` · `fire` | which timers are due, and their firing |
//! | `calls` · `new_calls` · `exchange` | calls that plug-ins began, those that begin to wait, and the records about them |
//! | `supervisor` | what lanes can't wait for |
//! | `query` · `own_records` · `claims` · `refusals` · `parked` · `status` · [`metrics`] · `slowest` | questions, and numbers |
//! | `maintenance` | snapshots and retention |
//! | `replays` | what another version would have decided |
//! | `recover` | starting and stopping |
//!
//! It must not know HTTP, tokens, or how an answer is written.

mod accept;
mod adopt;
mod apply_file;
mod assign;
mod budget;
mod calls;
mod catch_up;
mod claims;
mod config;
mod content;
mod decision_input;
mod durable;
mod endpoints;
mod event_ids;
mod exchange;
mod fault;
mod fire;
mod held;
mod identity;
mod install;
mod known;
mod lanes;
mod maintenance;
pub mod metrics;
mod names;
mod new_calls;
mod notifier;
mod notify_source_change;
mod own_records;
mod parked;
mod partition;
mod query;
mod recover;
mod refusals;
mod registrar;
mod renormalise;
mod replays;
mod retry;
mod run;
mod runtime;
mod schedule;
mod sequencer;
mod shared;
mod slow;
mod slow_lane;
mod slowest;
mod status;
mod supervisor;
mod timers;
mod work;
mod worker;

#[cfg(any(test, feature = "testing"))]
pub mod testing;
#[cfg(test)]
mod tests;

pub use accept::{AcceptError, Acceptance, Accepting, EventIdsStatus, Expectation, NewEvent};
pub use apply_file::FileOptions;
pub use assign::{AssignmentPlan, ConsumerPlan, FieldPlan, SamplePlan};
pub use calls::{Again, CallError, Calls, Exchange, ListedCall, NextAttempt, Progress};
pub use claims::{ClaimsPage, Difference, Pair, Pairs};
pub use config::{EngineConfig, RegistryConfig};
pub use fault::{Fault, StopCause};
pub use install::{InstallError, InstallOptions, Installed, fit};
pub use maintenance::{
    Holder, Maintenance, MaintenanceError, RetentionConfig, RetentionReport, SnapshotConfig,
    SnapshotInProgress, Snapshots,
};
pub use names::ConflictsPage;
pub use new_calls::NewCalls;
pub use notifier::{JobReport, Jobs, Notifier};
pub use parked::{Parked, ParkedCursor, ParkedFilter, ParkedItem, ParkedPage, Waiting};
pub use query::{EventDecisions, Query, QueryError, ReadProfile, Timeline, TimelineEntry};
pub use recover::{Start, StartError, homes_of, read_registry};
pub use refusals::{Looked, RefusedEvent};
pub use registrar::{ChangeError, Registrar};
pub use replays::{Replay, ReplayState, Replays};
pub use runtime::LoadError;
pub use samsyn_identity::Names;
pub use samsyn_telemetry::way;
pub use slowest::{SlowEvent, SlowestEvents, Ways};
pub use status::{DiskStatus, Status};
pub use timers::{Timers, TimersHeld, TimersStatus};

use std::sync::Arc;
use std::time::Duration;

use samsyn_journal::Reader;
use samsyn_log::LogReader;
use samsyn_machine::clock::Clock;
use samsyn_registry::Registry;
use samsyn_state::view::View;
use samsyn_vocabulary::{Homes, Position};

use durable::DurableHook;
use identity::Identity;
use lanes::Lanes;
use metrics::Metrics;
use sequencer::Sequencer;
use shared::Shared;

/// The engine of one data directory: its parts, and what they share.
pub struct Engine {
    shared: Arc<Shared>,
    sequencer: Arc<Sequencer>,
    identity: Arc<Identity>,
    accepting: Arc<Accepting>,
    lanes: Arc<Lanes>,
    registrar: Arc<Registrar>,
    notifier: Arc<Notifier>,
    maintenance: Arc<Maintenance>,
    query: Query,
    parked: Parked,
    replays: Replays,
    timers: Arc<Timers>,
    calls: Calls,
    /// What the log's writer calls; it holds it weakly.
    hook: Arc<DurableHook>,
}

impl Engine {
    /// What takes events in.
    pub fn accepting(&self) -> &Accepting {
        &self.accepting
    }

    /// What changes the registry.
    pub fn registrar(&self) -> &Registrar {
        &self.registrar
    }

    /// What notifies the consumers of sources that moved.
    pub fn notifier(&self) -> &Notifier {
        &self.notifier
    }

    /// What makes snapshots and lets old segments go.
    pub fn maintenance(&self) -> &Maintenance {
        &self.maintenance
    }

    /// What answers questions about customers and events.
    pub fn query(&self) -> &Query {
        &self.query
    }

    /// Invocations that wait.
    pub fn parked(&self) -> &Parked {
        &self.parked
    }

    /// What new versions of plug-ins would have decided.
    pub fn replays(&self) -> &Replays {
        &self.replays
    }

    /// What fires timers.
    pub fn timers(&self) -> &Timers {
        &self.timers
    }

    /// The calls that plug-ins began.
    pub fn calls(&self) -> &Calls {
        &self.calls
    }

    /// The newest revision of the registry.
    pub fn registry(&self) -> Arc<Registry> {
        self.shared.registry()
    }

    /// The engine's clock.
    pub fn clock(&self) -> &Clock {
        &self.shared.clock
    }

    /// What the log folds into.
    pub fn view(&self) -> &View {
        &self.shared.view
    }

    /// The durable part of the log.
    pub fn log(&self) -> &LogReader {
        self.shared.log()
    }

    /// The durable records of the log.
    pub fn records(&self) -> &Reader {
        self.shared.records()
    }

    /// What it counts.
    pub fn metrics(&self) -> &Metrics {
        &self.shared.metrics
    }

    /// Where customers are at home.
    pub fn homes(&self) -> Homes {
        self.shared.homes()
    }

    /// Waits until a record is on the disk. Records before it in the log are as well then.
    pub async fn durable(&self, position: Position) -> Result<(), StopCause> {
        self.shared.durable(position).await
    }

    /// Waits until the decision of an event is on the disk; false when the time ran out first.
    pub async fn decided(&self, position: Position, patience: Duration) -> bool {
        self.shared.decided(position, patience).await
    }
}
