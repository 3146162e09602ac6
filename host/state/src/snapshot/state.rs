//! The entries of a snapshot as bytes: what the view holds, with names.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::view::{Applied, Entry};
use samsyn_journal::{Count, Pattern, ProfileState, decode, decode_at, encode, encode_at};
use samsyn_log::{array, u16_at, u64_at};
use samsyn_vocabulary::{FieldName, Partition, Position, ProfileId, Timestamp};

/// A link's bytes.
pub const LINK_BYTES: usize = 32;
/// Bytes of a block of event ids before the first.
pub const EVENTS_HEADER_BYTES: usize = 8;
/// Bytes of one event id.
pub const EVENT_BYTES: usize = 18;
/// Event ids that are forgotten together: what the view keeps in one entry of its store.
pub const EVENTS_A_BLOCK: usize = 1_800;

/// A profile as it stands in a snapshot.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredProfile {
    /// Where its records are.
    pub partition: Partition,
    /// What they fold into.
    pub state: Arc<ProfileState>,
}

impl StoredProfile {
    /// Reads an entry, without its length.
    pub fn decode(item: &[u8]) -> Result<StoredProfile, String> {
        let state = item.get(18..).ok_or("a profile is cut short")?;
        let partition = Partition(u16_at(item, 16));
        let state: ProfileState = decode_at(partition, state).map_err(|error| error.to_string())?;
        if state.id.0.as_bytes() != &array(item, 0) {
            return Err("a profile stands under another's id".to_owned());
        }
        Ok(StoredProfile { partition, state: Arc::new(state) })
    }
}

impl From<StoredProfile> for Entry {
    fn from(StoredProfile { partition, state }: StoredProfile) -> Entry {
        Entry::Profile { partition, state }
    }
}

/// A profile's entry, without its length.
pub fn profile_bytes(partition: Partition, state: &ProfileState) -> Vec<u8> {
    [state.id.0.as_bytes().as_slice(), &partition.0.to_le_bytes(), &encode_at(partition, state)].concat()
}

/// Reads a link.
pub fn link(item: &[u8]) -> Entry {
    Entry::Link { key: array(item, 0), profile: ProfileId(uuid::Uuid::from_bytes(array(item, 16))) }
}

/// The body of a block of event ids.
pub fn events_body(newest_at: Timestamp, ids: &[(u64, Position)]) -> Vec<u8> {
    let mut body = Vec::with_capacity(EVENTS_HEADER_BYTES + EVENT_BYTES * ids.len());
    body.extend_from_slice(&newest_at.0.to_le_bytes());
    for (id, position) in ids {
        body.extend_from_slice(&id.to_le_bytes());
        body.extend_from_slice(&position.partition.0.to_le_bytes());
        body.extend_from_slice(&position.seq.to_le_bytes());
    }
    body
}

/// When the newest of a block's event ids was received.
pub fn events_newest(body: &[u8]) -> Timestamp {
    Timestamp(if body.len() < EVENTS_HEADER_BYTES { 0 } else { u64_at(body, 0) as i64 })
}

/// Reads a block of event ids.
pub fn events(body: &[u8]) -> Result<Entry, String> {
    let ids = body.get(EVENTS_HEADER_BYTES..).ok_or("a block of event ids is cut short")?;
    let id = |item: &[u8]| {
        let position = Position { partition: Partition(u16_at(item, 8)), seq: u64_at(item, 10) };
        (u64_at(item, 0), position)
    };
    Ok(Entry::Events { newest_at: events_newest(body), ids: ids.chunks_exact(EVENT_BYTES).map(id).collect() })
}

#[derive(Serialize, Deserialize)]
struct Counter {
    partition: Partition,
    field: FieldName,
    pattern: Pattern,
    #[serde(rename = "tally")]
    count: Count,
}

#[derive(Serialize, Deserialize)]
struct AppliedEntry {
    partition: Partition,
    applied: Applied,
}

/// A counter's entry, without its length.
pub fn counter_bytes(partition: Partition, field: &FieldName, pattern: &Pattern, count: &Count) -> Vec<u8> {
    let (field, pattern, count) = (field.clone(), pattern.clone(), count.clone());
    encode(&Counter { partition, field, pattern, count })
}

/// Reads a counter.
pub fn counter(item: &[u8]) -> Result<Entry, String> {
    let Counter { partition, field, pattern, count } = decode(item).map_err(|error| error.to_string())?;
    Ok(Entry::Counter { partition, field, pattern, count })
}

/// The entry of a partition's applied position, without its length.
pub fn applied_bytes(partition: Partition, applied: &Applied) -> Vec<u8> {
    encode(&AppliedEntry { partition, applied: applied.clone() })
}

/// Reads the applied position of a partition.
pub fn applied(item: &[u8]) -> Result<Entry, String> {
    let AppliedEntry { partition, applied } = decode(item).map_err(|error| error.to_string())?;
    Ok(Entry::Applied { partition, applied })
}
