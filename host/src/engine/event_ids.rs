//! Event ids that were accepted but are not in the view yet, so that of two equal ones at the same moment
//! one is the duplicate of the other.

use std::collections::HashMap;

use parking_lot::{Mutex, MutexGuard};

use crate::view::EventKey;
use crate::vocabulary::{Position, ProfileId, Timestamp};

/// Threads that accept events seldom meet in one of this many.
const SHARDS: usize = 64;

/// What is known of an event id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventEntry {
    /// Where its `Accepted` stands.
    pub position: Position,
    /// Whose it is.
    pub profile: ProfileId,
    /// A hash of its content: the same id with another one is refused.
    pub content: u64,
    /// When the host took it.
    pub received_at: Timestamp,
}

/// Event ids in flight.
pub struct EventIds {
    shards: Vec<Mutex<HashMap<EventKey, EventEntry>>>,
}

impl EventIds {
    /// None yet.
    pub fn new() -> EventIds {
        EventIds { shards: (0..SHARDS).map(|_| Mutex::default()).collect() }
    }

    /// The part that has this key. Held while an event is accepted, so that its duplicate waits.
    pub fn shard(&self, key: EventKey) -> MutexGuard<'_, HashMap<EventKey, EventEntry>> {
        self.shards[usize::from(key.0[0]) % SHARDS].lock()
    }

    /// The view has it now.
    pub fn forget(&self, key: EventKey) {
        self.shard(key).remove(&key);
    }
}
