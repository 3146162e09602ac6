//! Entries that are durable in the log but not yet written to the store.

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};
use serde::{Deserialize, Serialize};

use super::pending_index::PendingChanges;
use crate::step::Counted;
use samsyn_journal::{
    Decided, PartitionState, PendingMoves, ProfileState, fold_usage_of_decided, fold_usage_of_event,
};
use samsyn_log::ChainHash;
use samsyn_registry::report::Usage;
use samsyn_vocabulary::{EventName, Partition, ProfileId, Seq};

/// Where the fold of a partition is; written in the same batch as what it applied.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Applied {
    /// The last record that was folded.
    pub seq: Seq,
    /// Its link: the view belongs to this log and no other.
    #[serde(with = "samsyn_journal::bytes")]
    pub chain: Vec<u8>,
    /// Cursors and registry revision.
    pub partition: PartitionState,
    /// Profiles there are.
    pub profiles: u64,
    /// What was used: which events there were, who claimed what. Shared, because a place is copied
    /// often and this changes seldom in between.
    #[serde(default)]
    pub usage: Arc<Usage>,
    /// Timers that are set.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub timers: u64,
    /// Calls that wait for their answers.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub calls: u64,
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl Applied {
    /// The record that is folded next.
    pub fn reach(&mut self, seq: Seq, chain: &ChainHash) {
        self.seq = seq;
        self.chain.clear();
        self.chain.extend_from_slice(&chain.0);
    }

    /// An event was accepted.
    pub fn fold_event(&mut self, name: &EventName) {
        fold_usage_of_event(Arc::make_mut(&mut self.usage), name);
    }

    /// An item was decided.
    pub(crate) fn fold_decided(&mut self, decided: &Decided, counted: Counted) {
        self.partition.fold_decided(decided);
        fold_usage_of_decided(Arc::make_mut(&mut self.usage), decided);
        self.profiles += u64::from(counted.created);
        self.count_pending(counted);
    }

    /// More or less waits for its time.
    pub(crate) fn count_pending(&mut self, counted: Counted) {
        self.timers = self.timers.saturating_add_signed(counted.more_timers);
        self.calls = self.calls.saturating_add_signed(counted.more_calls);
    }
}

/// A batch of the view that is being collected.
#[derive(Default)]
pub struct Memtable {
    /// Changed profiles.
    pub profiles: FxHashMap<ProfileId, (Partition, Arc<ProfileState>)>,
    /// Changes of the indexes of what waits for its time.
    pub pending: FxHashMap<Partition, PendingChanges>,
    /// Partitions that got further.
    pub touched: FxHashSet<Partition>,
}

impl Memtable {
    /// How many entries it would write.
    pub fn len(&self) -> usize {
        self.profiles.len()
    }

    /// Notes what a record does to the indexes of what waits for its time.
    pub fn note_pending(&mut self, partition: Partition, moves: &PendingMoves) {
        if !(moves.timers.is_empty() && moves.calls.is_empty()) {
            self.pending.entry(partition).or_default().note(moves);
        }
    }

    /// Whether it would write nothing.
    pub fn is_empty(&self) -> bool {
        self.touched.is_empty()
    }
}
