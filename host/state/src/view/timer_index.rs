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

    /// Everybody who has timers. Each costs two look-ups, however many they have.
    pub fn timer_owners(&self) -> Result<Vec<TimerOwner>, StoreError> {
        let mut owners = BTreeSet::new();
        for (key, is_set) in self.shared.collected_timers(keys::TIMERS) {
            if is_set {
                let PendingTimer { capability, generation, .. } = self.shared.read_timer(&key)?;
                owners.insert((capability, generation));
            }
        }
        let mut from = keys::TIMERS.to_vec();
        loop {
            let first = self.shared.store.scan_from(keys::TIMERS, &from).next();
            let Some(entry) = first else { break };
            let key = [keys::TIMERS, &entry?.0].concat();
            let PendingTimer { capability, generation, .. } = self.shared.read_timer(&key)?;
            // No time is behind the last one.
            from = [keys::timers_of(&capability, generation), vec![u8::MAX; 9]].concat();
            owners.insert((capability, generation));
        }
        Ok(owners.into_iter().collect())
    }

    /// The first timers of an owner that fire in these times, by when they do. Fewer than `limit` only at the end.
    pub fn timers_of(
        &self,
        (capability, generation): &TimerOwner,
        times: RangeInclusive<Timestamp>,
        limit: usize,
    ) -> Result<Vec<PendingTimer>, StoreError> {
        let from = keys::timers_from(capability, *generation, *times.start());
        // Behind all of these times; behind the last one there is, all of the owner's.
        let beyond = match times.end().millis().checked_add(1) {
            Some(beyond) => keys::timers_from(capability, *generation, Timestamp(beyond)),
            None => [keys::timers_of(capability, *generation), vec![u8::MAX; 9]].concat(),
        };
        let collected = self.shared.collected_timers(&from);
        let set = collected.iter().filter(|(key, is_set)| **is_set && **key < beyond);
        let mut found: BTreeSet<Vec<u8>> = set.map(|(key, _)| key.clone()).collect();
        let stored = self.shared.store.scan_from(keys::TIMERS, &from);
        let stored = stored.map(|entry| entry.map(|(rest, _)| [keys::TIMERS, &rest].concat()));
        let stored = stored.take_while(|key| key.as_ref().map_or(true, |key| *key < beyond));
        let changed_since = |key: &Vec<u8>| collected.contains_key(key);
        for key in stored.filter(|key| key.as_ref().map_or(true, |key| !changed_since(key))).take(limit) {
            found.insert(key?);
        }
        let timers = found.iter().take(limit).map(|key| self.shared.read_timer(key));
        timers.collect()
    }
}

impl Shared {
    /// What isn't in the store yet, from this key on. It is looked at first: it may be in the store a moment later.
    fn collected_timers(&self, from: &[u8]) -> BTreeMap<Vec<u8>, bool> {
        let mut collected = BTreeMap::new();
        let tables = self.tables.read();
        let writing = tables.writing.as_ref().map(Arc::as_ref);
        for table in writing.into_iter().chain([&tables.active]) {
            for changes in table.timer_changes() {
                let changed = changes.0.range(from.to_vec()..);
                collected.extend(changed.map(|(key, is_set)| (key.clone(), *is_set)));
            }
        }
        collected
    }

    fn read_timer(&self, key: &[u8]) -> Result<PendingTimer, StoreError> {
        keys::parse_timer(key).ok_or_else(|| self.store.damaged("a timer's key can't be read"))
    }
}
