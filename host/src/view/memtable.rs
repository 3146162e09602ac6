//! Entries that are durable in the log but not yet written to the store.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::keys::{EventEntry, EventKey};
use crate::record::{PartitionState, ProfileState};
use crate::vocabulary::{IdentifierName, Partition, ProfileId, Seq, Timestamp};

/// Where the fold of a partition is; written in the same batch as what it applied.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Applied {
    /// The last record that was folded.
    pub seq: Seq,
    /// Its link: the view belongs to this log and no other.
    #[serde(with = "crate::record::bytes")]
    pub chain: Vec<u8>,
    /// Cursors and registry revision.
    pub partition: PartitionState,
    /// Profiles there are.
    pub profiles: u64,
    /// Event ids that are remembered.
    pub event_ids: u64,
    /// The oldest `Accepted` whose event id may be remembered.
    pub oldest_event: Seq,
    /// When it was taken.
    pub oldest_event_at: Timestamp,
    /// When the newest event was taken.
    pub newest_event_at: Timestamp,
}

/// A batch of the view that is being collected.
#[derive(Default)]
pub struct Memtable {
    /// Changed profiles.
    pub profiles: HashMap<ProfileId, (Partition, Arc<ProfileState>)>,
    /// Changed links; none was retired.
    pub links: HashMap<(IdentifierName, String), Option<ProfileId>>,
    /// New event ids; none is forgotten.
    pub events: HashMap<EventKey, Option<EventEntry>>,
    /// Partitions that got further.
    pub touched: HashSet<Partition>,
}

impl Memtable {
    /// How many entries it would write.
    pub fn len(&self) -> usize {
        self.profiles.len() + self.links.len() + self.events.len()
    }

    /// Whether it would write nothing.
    pub fn is_empty(&self) -> bool {
        self.touched.is_empty()
    }
}
