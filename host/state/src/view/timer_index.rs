//! All timers that are set: of each generation of a capability in the order in which they fire. The store keeps them
//! in that order, so that a million which are due in a year cost no memory: whoever fires them reads the next ones.

use std::ops::RangeInclusive;

use super::store::StoreError;
use super::{Shared, View, keys};
use samsyn_journal::PendingTimer;
use samsyn_vocabulary::{CapabilityName, Timestamp};

/// Who has timers: a capability, and the generation that set them.
pub type TimerOwner = (CapabilityName, u32);

impl View {
    /// How many timers are set.
    pub fn timers(&self) -> u64 {
        self.shared.tables.read().applied.values().map(|applied| applied.timers).sum()
    }

    /// Everybody who has timers. Each costs one look-up, however many they have.
    pub fn timer_owners(&self) -> Result<Vec<TimerOwner>, StoreError> {
        let mut owners = Vec::new();
        let mut from = keys::TIMERS.to_vec();
        let beyond = keys::behind_all(keys::TIMERS);
        while let Some(first) = self.shared.timers_between(&from, &beyond, 1)?.pop() {
            from = keys::behind_all(&keys::timers_of(&first.capability, first.generation));
            owners.push((first.capability, first.generation));
        }
        Ok(owners)
    }

    /// The first timers of an owner that fire in these times, by when they do. Fewer than `limit` only at the end.
    pub fn timers_of(
        &self,
        (capability, generation): &TimerOwner,
        times: RangeInclusive<Timestamp>,
        limit: usize,
    ) -> Result<Vec<PendingTimer>, StoreError> {
        let from = keys::timers_from(capability, *generation, *times.start());
        let beyond = match times.end().millis().checked_add(1) {
            Some(beyond) => keys::timers_from(capability, *generation, Timestamp(beyond)),
            None => keys::behind_all(&keys::timers_of(capability, *generation)),
        };
        self.shared.timers_between(&from, &beyond, limit)
    }
}

impl Shared {
    /// The first timers with a key from this one on and before `beyond`.
    fn timers_between(
        &self,
        from: &[u8],
        beyond: &[u8],
        limit: usize,
    ) -> Result<Vec<PendingTimer>, StoreError> {
        let unreadable = || self.store.damaged("a timer's key can't be read");
        let keys = self.pending_between(keys::TIMERS, from, beyond, limit)?;
        keys.iter().map(|key| keys::parse_timer(key).ok_or_else(unreadable)).collect()
    }
}
