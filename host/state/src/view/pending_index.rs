//! What waits for its time, by keys that are in the order of the times: timers and calls. The store keeps them in that
//! order, so that a million which are due in a year cost no memory: whoever acts on them reads the next ones.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::sync::Arc;

use super::store::StoreError;
use super::{Shared, keys};
use samsyn_journal::{CallMove, PendingMoves, TimerMove};

/// Changes of the indexes that aren't in the store, by key.
#[derive(Default)]
pub struct PendingChanges(BTreeMap<Vec<u8>, Changed>);

/// What became of a key, against what was before these changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Changed {
    /// It is there, and wasn't before.
    New,
    /// It was there before, went, and is there again.
    Again,
    /// It was there before, and is gone.
    Gone,
}

impl Changed {
    fn is_there(self) -> bool {
        self != Changed::Gone
    }
}

impl PendingChanges {
    /// Notes what a record does.
    pub fn note(&mut self, moves: &PendingMoves) {
        for TimerMove { timer, is_set } in &moves.timers {
            self.change(keys::timer(timer), *is_set);
        }
        for CallMove { call, is_listed } in &moves.calls {
            self.change(keys::call(call), *is_listed);
        }
    }

    /// What comes and goes leaves nothing behind: who looks for the next keys would have to pass it each time.
    fn change(&mut self, key: Vec<u8>, is_there: bool) {
        match (self.0.get(&key), is_there) {
            (Some(Changed::New), false) => {
                self.0.remove(&key);
            }
            (None, true) => {
                self.0.insert(key, Changed::New);
            }
            (Some(Changed::New), true) => {}
            (_, true) => {
                self.0.insert(key, Changed::Again);
            }
            (_, false) => {
                self.0.insert(key, Changed::Gone);
            }
        }
    }

    /// In the order of the keys.
    pub fn iter(&self) -> impl Iterator<Item = (&Vec<u8>, bool)> {
        self.0.iter().map(|(key, changed)| (key, changed.is_there()))
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
        // The last key that can be among the first ones.
        let mut last: Option<Vec<u8>> = None;
        {
            let tables = self.tables.read();
            let writing = tables.writing.as_ref().map(Arc::as_ref);
            let newest_first = [&tables.active].into_iter().chain(writing).enumerate();
            let (mut ranges, mut heads) = (Vec::new(), BinaryHeap::new());
            for (age, changes) in newest_first
                .flat_map(|(age, table)| table.pending.values().map(move |changes| (age, changes)))
            {
                let mut range = changes.0.range(from.to_vec()..beyond.to_vec());
                if let Some((key, changed)) = range.next() {
                    heads.push(Reverse((key, age, ranges.len(), *changed)));
                    ranges.push(range);
                }
            }
            let mut there = 0;
            while let Some(Reverse((key, age, at, changed))) = heads.pop() {
                if let Some((next, changed)) = ranges[at].next() {
                    heads.push(Reverse((next, age, at, *changed)));
                }
                // What is newer says what counts, and came first.
                if collected.contains_key(key) {
                    continue;
                }
                collected.insert(key.clone(), changed.is_there());
                there += usize::from(changed.is_there());
                if there == limit {
                    last = Some(key.clone());
                    break;
                }
            }
        }
        let there = collected.iter().filter(|(_, is_there)| **is_there);
        let mut found: BTreeSet<Vec<u8>> = there.map(|(key, _)| key.clone()).collect();
        let stored = self.store.scan_from(prefix, from);
        let stored = stored.map(|entry| entry.map(|(rest, _)| [prefix, &rest].concat()));
        let is_wanted = |key: &Vec<u8>| **key < *beyond && last.as_ref().is_none_or(|last| key <= last);
        let stored = stored.take_while(|key| key.as_ref().map_or(true, is_wanted));
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

#[cfg(test)]
mod tests {
    use super::*;

    /// What a key is after a row of changes, above a store that has it or not.
    #[test]
    fn what_comes_and_goes_leaves_nothing_and_what_was_stored_is_masked() {
        for stored in [false, true] {
            for changes in 0..6 {
                let mut pending = PendingChanges::default();
                let mut is_there = stored;
                for _ in 0..changes {
                    is_there = !is_there;
                    pending.change(vec![7], is_there);
                }
                let noted = pending.iter().next().map(|(_, is_there)| is_there);
                assert_eq!(noted.unwrap_or(stored), is_there, "{stored}, {changes} changes");
                if !stored && !is_there {
                    assert_eq!(noted, None, "it would be passed by everybody who looks for the next");
                }
            }
        }
    }
}
