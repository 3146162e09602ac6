//! All timers that are set: of each generation of a capability in the order in which they fire. The store keeps them
//! in that order, so that a million which are due in a year cost no memory: whoever fires them reads the next ones.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::sync::Arc;

use super::store::StoreError;
use super::{Shared, View, keys};
use samsyn_journal::{PendingTimer, TimerMove};
use samsyn_vocabulary::{CapabilityName, Timestamp};

/// Changes of the index that aren't in the store: by the timer's key, whether it is set.
#[derive(Default)]
pub struct TimerChanges(BTreeMap<Vec<u8>, bool>);

impl TimerChanges {
    /// Notes what a record does.
    pub fn note(&mut self, moves: &[TimerMove]) {
        for TimerMove { timer, is_set } in moves {
            self.0.insert(keys::timer(timer), *is_set);
        }
    }

    /// In the order of the keys.
    pub fn iter(&self) -> impl Iterator<Item = (&Vec<u8>, bool)> {
        self.0.iter().map(|(key, is_set)| (key, *is_set))
    }
}

/// How many more timers are set after these moves than before.
pub fn more_timers(moves: &[TimerMove]) -> i64 {
    moves.iter().map(|timer_move| if timer_move.is_set { 1 } else { -1 }).sum()
}

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
        // What isn't in the store yet is looked at first: it may be there a moment later.
        let mut collected: BTreeMap<Vec<u8>, bool> = BTreeMap::new();
        {
            let tables = self.tables.read();
            let writing = tables.writing.as_ref().map(Arc::as_ref);
            for changes in writing.into_iter().chain([&tables.active]).flat_map(|table| table.timers.values())
            {
                let changed = changes.0.range(from.to_vec()..beyond.to_vec());
                collected.extend(changed.map(|(key, is_set)| (key.clone(), *is_set)));
            }
        }
        let set = collected.iter().filter(|(_, is_set)| **is_set);
        let mut found: BTreeSet<Vec<u8>> = set.map(|(key, _)| key.clone()).collect();
        let stored = self.store.scan_from(keys::TIMERS, from);
        let stored = stored.map(|entry| entry.map(|(rest, _)| [keys::TIMERS, &rest].concat()));
        let stored = stored.take_while(|key| key.as_ref().map_or(true, |key| **key < *beyond));
        for key in
            stored.filter(|key| key.as_ref().map_or(true, |key| !collected.contains_key(key))).take(limit)
        {
            found.insert(key?);
        }
        let unreadable = || self.store.damaged("a timer's key can't be read");
        found.iter().take(limit).map(|key| keys::parse_timer(key).ok_or_else(unreadable)).collect()
    }
}
