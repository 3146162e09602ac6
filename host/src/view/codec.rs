//! How a profile stands in the store: one entry, and one more for each part too large to be in it.

use std::collections::HashMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::keys;
use super::store::{Batch, Store, StoreError};
use crate::record::{ProfileState, Told, decode, encode};
use crate::vocabulary::{CapabilityName, ProfileId};

/// What one capability told is kept in an entry of its own from this many bytes on, so that the
/// profile's entry stays far below [`VALUE_BYTES_MAX`](super::VALUE_BYTES_MAX).
const APART_BYTES: usize = 4 * 1024;
/// The most that all capabilities together put into the profile's entry, in bytes.
const INLINE_BYTES_MAX: usize = 32 * 1024;

#[derive(Deserialize)]
struct Stored {
    profile: ProfileState,
    #[serde(default)]
    apart: Vec<(CapabilityName, u32)>,
}

/// [`Stored`] as it is written: borrowed, for the usual profile is written as it is.
#[derive(Serialize)]
struct Writing<'a> {
    profile: &'a ProfileState,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    apart: Vec<(CapabilityName, u32)>,
}

/// Roughly how many bytes a part takes.
pub(super) fn told_size(told: &Told) -> usize {
    let claims: usize = told
        .claims
        .iter()
        .map(|claim| 48 + claim.field.as_str().len() + claim.value.as_ref().map_or(0, |value| value.size()))
        .sum();
    let memory = told.memory.as_ref().map_or(0, |memory| memory.0.len());
    let blocked: usize = told
        .blocked
        .iter()
        .map(|blocked| {
            96 + blocked
                .failure
                .as_ref()
                .map_or(0, |failure| failure.message.len() + 64 * failure.backtrace.len())
        })
        .sum();
    claims + memory + blocked
}

/// Puts a profile into a batch.
pub(super) fn write_profile(batch: &mut Batch, state: &ProfileState) {
    let size: usize = state.told.iter().map(|told| told_size(told)).sum();
    if size <= APART_BYTES {
        let stored = Writing { profile: state, apart: Vec::new() };
        batch.put(&keys::profile(state.id), encode(&stored));
        return;
    }
    let mut profile = state.clone();
    let mut apart = Vec::new();
    let mut room = INLINE_BYTES_MAX;
    profile.told.retain(|told| {
        let size = told_size(told);
        if size < APART_BYTES && size <= room {
            room -= size;
            return true;
        }
        apart.push((told.capability.clone(), told.generation));
        batch.put(&keys::told(state.id, told.capability.as_str(), told.generation), encode(told.as_ref()));
        false
    });
    batch.put(&keys::profile(state.id), encode(&Writing { profile: &profile, apart }));
}

/// Reads a profile with all its parts.
pub(super) fn read_profile(store: &Store, id: ProfileId) -> Result<Option<Arc<ProfileState>>, StoreError> {
    let Some(bytes) = store.get(&keys::profile(id))? else {
        return Ok(None);
    };
    let Stored { mut profile, apart } = decode(&bytes).map_err(StoreError::unreadable)?;
    for (capability, generation) in apart {
        let bytes = store.get(&keys::told(id, capability.as_str(), generation))?;
        let bytes =
            bytes.ok_or_else(|| StoreError::unreadable(format!("a part of profile {id} is missing")))?;
        profile.told.push(decode(&bytes).map_err(StoreError::unreadable)?);
    }
    Ok(Some(Arc::new(profile)))
}

/// Puts what a batch collected of profiles into the store's batch.
pub(super) fn write_profiles(batch: &mut Batch, mut profiles: Vec<&Arc<ProfileState>>) {
    // In the order of keys: neighbours share the store's pages.
    profiles.sort_unstable_by_key(|state| state.id);
    profiles.into_iter().for_each(|state| write_profile(batch, state));
}

/// Every profile of the store; for comparing two views.
pub(super) fn all_profiles(store: &Store) -> Result<HashMap<ProfileId, Arc<ProfileState>>, StoreError> {
    let mut profiles = HashMap::new();
    for entry in store.scan(keys::PROFILES) {
        let (key, _) = entry?;
        if let Some(id) = keys::parse_profile(&key)
            && let Some(profile) = read_profile(store, id)?
        {
            profiles.insert(id, profile);
        }
    }
    Ok(profiles)
}
