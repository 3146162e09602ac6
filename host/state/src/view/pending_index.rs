//! What waits for its time, by keys that are in the order of the times: timers and calls. The store keeps them in that
//! order, so that a million which are due in a year cost no memory: whoever acts on them reads the next ones.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::store::StoreError;
use super::{Shared, keys};
use samsyn_journal::{CallMove, PendingMoves, TimerMove};

/// Changes of the indexes that aren't in the store: by key, whether it is there.
#[derive(Default)]
pub struct PendingChanges(BTreeMap<Vec<u8>, bool>);

impl PendingChanges {
    /// Notes what a record does.
    pub fn note(&mut self, moves: &PendingMoves) {
        for TimerMove { timer, is_set } in &moves.timers {
            self.0.insert(keys::timer(timer), *is_set);
        }
        for CallMove { call, is_listed } in &moves.calls {
            self.0.insert(keys::call(call), *is_listed);
        }
    }

    /// In the order of the keys.
    pub fn iter(&self) -> impl Iterator<Item = (&Vec<u8>, bool)> {
        self.0.iter().map(|(key, is_there)| (key, *is_there))
    }
}

impl Shared {
    /// The first keys from this one on and before `beyond`, all with the prefix.
    pub(super) fn pending_between(
        &self,
        prefix: &'static [u8],
        from: &[u8],
        beyond: &[u8],
        limit: usize,
    ) -> Result<BTreeSet<Vec<u8>>, StoreError> {
        // What isn't in the store yet is looked at first: it may be there a moment later.
        let mut collected: BTreeMap<Vec<u8>, bool> = BTreeMap::new();
        {
            let tables = self.tables.read();
            let writing = tables.writing.as_ref().map(Arc::as_ref);
            let tables = writing.into_iter().chain([&tables.active]);
            for changes in tables.flat_map(|table| table.pending.values()) {
                let changed = changes.0.range(from.to_vec()..beyond.to_vec());
                collected.extend(changed.map(|(key, is_there)| (key.clone(), *is_there)));
            }
        }
        let there = collected.iter().filter(|(_, is_there)| **is_there);
        let mut found: BTreeSet<Vec<u8>> = there.map(|(key, _)| key.clone()).collect();
        let stored = self.store.scan_from(prefix, from);
        let stored = stored.map(|entry| entry.map(|(rest, _)| [prefix, &rest].concat()));
        let stored = stored.take_while(|key| key.as_ref().map_or(true, |key| **key < *beyond));
        let is_new =
            |key: &Result<Vec<u8>, StoreError>| key.as_ref().map_or(true, |key| !collected.contains_key(key));
        for key in stored.filter(is_new).take(limit) {
            found.insert(key?);
        }
        while found.len() > limit {
            found.pop_last();
        }
        Ok(found)
    }
}
