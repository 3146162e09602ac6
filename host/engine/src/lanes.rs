//! The lanes: every partition's work, in the order of its log, and the capabilities that go at a pace of
//! their own beside it.
//!
//! | file | what it does |
//! |---|---|
//! | `worker` · `decision_input` · `run` · `budget` · `partition` | decides items in the order of the log |
//! | `slow` · `slow_lane` · `catch_up` | capabilities that are slow or behind |
//! | `retry` · `held` | invocations that waited |
//! | `adopt` · `notify_source_change` | what a new revision, a moved source and a decided value bring |

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use parking_lot::{Mutex, MutexGuard};

use super::identity::Identity;
use super::partition::Core;
use super::retry::LeftRetries;
use super::sequencer::Sequencer;
use super::shared::Shared;
use super::slow::Slow;
use samsyn_machine::fair_share::FairShare;
use samsyn_sandbox::Limits;
use samsyn_vocabulary::{CapabilityName, Partition};

/// Decides. A partition's core is the outermost lock of a decision: whoever holds one may go on to the
/// identity's and then to the partition's place in the log, which know nothing of cores.
pub struct Lanes {
    pub(super) shared: Arc<Shared>,
    pub(super) sequencer: Arc<Sequencer>,
    pub(super) identity: Arc<Identity>,
    /// What an invocation may spend.
    pub(super) limits: Limits,
    cores: Vec<Mutex<Core>>,
    /// Capabilities with a thread of their own because they are slow.
    pub(super) slow: Mutex<Slow>,
    /// Whether there may be one, for whoever hasn't the time to look.
    pub(super) any_slow: AtomicBool,
    /// Capabilities whose catch-up thread runs.
    pub(super) catching_up: Mutex<HashSet<CapabilityName>>,
    /// Retries that those run.
    pub(super) left_retries: Mutex<LeftRetries>,
    /// The processor time that those share.
    pub(super) fair_share: FairShare<CapabilityName>,
}

impl Lanes {
    /// Lanes for all partitions, on a machine of so many cores.
    pub fn new(
        shared: Arc<Shared>,
        sequencer: Arc<Sequencer>,
        identity: Arc<Identity>,
        limits: Limits,
        processor_cores: usize,
    ) -> Lanes {
        let cores = shared.partitions().map(|_| Mutex::default()).collect();
        Lanes {
            shared,
            sequencer,
            identity,
            limits,
            cores,
            slow: Mutex::default(),
            any_slow: AtomicBool::new(false),
            catching_up: Mutex::default(),
            left_retries: Mutex::default(),
            fair_share: FairShare::of_cores(processor_cores),
        }
    }

    /// A partition as its deciders see it. Held while its state is read or changed, never while a plug-in runs.
    pub(super) fn core(&self, partition: Partition) -> MutexGuard<'_, Core> {
        self.cores[usize::from(partition.0)].lock()
    }

    /// Whether sources moved in some partition whose consumers have yet to be notified.
    pub(super) fn has_jobs(&self) -> bool {
        self.cores.iter().any(|core| !core.lock().state.adopted.jobs.is_empty())
    }

    /// Records a lagging capability has yet to look at, in all partitions; 0 when it doesn't lag.
    pub fn lag(&self, capability: &CapabilityName) -> u64 {
        let cells = self.shared.partitions();
        cells
            .map(|partition| {
                let core = self.core(partition);
                let cursors = core.state.adopted.lagging.iter();
                let mine = cursors.filter(|cursor| cursor.capability == *capability);
                // What has left the log isn't looked at any more.
                let oldest = self.shared.log().oldest(partition);
                let behind = mine
                    .map(|cursor| core.state.through.seq.saturating_sub(cursor.through.seq.max(oldest - 1)));
                behind.max().unwrap_or(0)
            })
            .sum()
    }
}
