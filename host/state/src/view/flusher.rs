//! Writing what is collected to the store: a thread that wakes when there is enough of it, or when
//! what there is has waited long enough.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::event_index::write_blocks;
use super::link_index::Blocks;
use super::memtable::{Applied, Memtable};
use super::pending_index::PendingChanges;
use super::store::{Batch, StoreError};
use super::{Shared, codec, keys};
use samsyn_disk::failpoint::{Step, step};
use samsyn_journal::{ClaimStats, Count, Pattern, ProfileState, encode};
use samsyn_vocabulary::{FieldName, Partition, ProfileId};

/// Batches that may be asked for before who asks must wait: one is written, one is collected.
const BATCHES_AHEAD_MAX: u64 = 1;

/// Threads that write the profiles of a view that is folded anew, each a stretch of ids of its own.
const WRITERS: usize = 2;

/// What a batch is followed by where nobody waits for it: as many times as long as it took …
const REST_TIMES: u32 = 4;
/// … and at most this, so that all partitions are through long before there is enough again.
const REST_MAX: Duration = Duration::from_millis(20);

/// How a table is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pace {
    /// Somebody waits for it.
    AtOnce,
    /// In pieces with pauses between, so that the log's sync never stands behind all of it.
    Easy,
}

/// Where a partition is, and its counters that changed.
struct PartitionWrite {
    partition: Partition,
    applied: Applied,
    counters: Vec<(FieldName, Pattern, Option<Count>)>,
}
/// Blocks of event ids to write, and numbers of those to forget.
struct NewEvents {
    new: Vec<(u64, Vec<u8>)>,
    expired: Vec<u64>,
    forgotten: Option<(u64, Vec<u8>)>,
}

impl Shared {
    /// The flusher's loop; ends when the view closes.
    pub(super) fn run_flusher(&self) {
        let pause = Duration::from_millis(self.config.batch_ms);
        loop {
            let mut state = self.flushing.lock();
            if state.closing {
                return;
            }
            if state.asked <= state.written {
                self.wake.wait_for(&mut state, pause);
            }
            if state.closing {
                return;
            }
            let (asked, written) = (state.asked, state.written);
            drop(state);
            // Who folds anew says when there is enough: nobody waits for it to be written.
            if asked <= written && self.anew.load(Ordering::Relaxed) {
                continue;
            }
            let result = self.flush_at(if asked > written { Pace::AtOnce } else { Pace::Easy });
            let mut state = self.flushing.lock();
            state.written = state.written.max(asked);
            self.wake.notify_all();
            if let Err(error) = result {
                tracing::error!(%error, "the view can't be written: no more events are accepted; free disk space or fix the disk, then start again; nothing is lost, the log has everything");
                return;
            }
        }
    }

    /// Asks for a batch to be written, and waits while an earlier one isn't.
    pub(super) fn ask_and_wait_for_room(&self) {
        let mut state = self.flushing.lock();
        state.asked += 1;
        let mine = state.asked;
        self.wake.notify_all();
        while state.written + BATCHES_AHEAD_MAX < mine && !state.closing && state.failed.is_none() {
            self.wake.wait(&mut state);
        }
    }

    /// Writes what is collected now. Two callers take turns.
    pub(super) fn flush_now(&self) -> Result<(), StoreError> {
        // Who takes it easy at the moment is told that somebody waits.
        self.flushing.lock().waiting += 1;
        self.wake.notify_all();
        let result = self.flush_at(Pace::AtOnce);
        self.flushing.lock().waiting -= 1;
        result
    }

    fn flush_at(&self, pace: Pace) -> Result<(), StoreError> {
        let _turn = self.turn.lock();
        if let Some(failed) = &self.flushing.lock().failed {
            return Err(StoreError::unreadable(failed));
        }
        let (table, applied, events, links) = {
            let mut tables = self.tables.write();
            if tables.active.is_empty() {
                return Ok(());
            }
            let table = Arc::new(std::mem::take(&mut tables.active));
            tables.writing = Some(table.clone());
            let tables = &mut *tables;
            let write_of = |partition: &Partition| {
                let counters = tables.patterns.get_mut(partition).map(ClaimStats::take_changed);
                Some(PartitionWrite {
                    partition: *partition,
                    applied: tables.applied.get(partition)?.clone(),
                    counters: counters.unwrap_or_default(),
                })
            };
            let applied: Vec<PartitionWrite> = table.touched.iter().filter_map(write_of).collect();
            // Taken under the same lock as what it is folded with.
            let mut events = self.events.write();
            let new = events.take_new();
            let expired = events.take_expired(self.event_id_millis, self.event_ids_max);
            let forgotten = events.forgotten_block().filter(|_| !expired.is_empty());
            (table, applied, NewEvents { new, expired, forgotten }, self.links.write().take_new())
        };
        let result = self.write_table(&table, applied, events, links, pace);
        match &result {
            Ok(()) => self.tables.write().writing = None,
            // What isn't written stays where reads find it, and nothing is written any more: the
            // store must not say that it is further than it is.
            Err(error) => {
                self.flushing.lock().failed = Some(error.to_string());
                self.broken.store(true, Ordering::Relaxed);
                self.wake.notify_all();
            }
        }
        result
    }

    /// Writes a table, a batch a partition: each is right by itself, and while one is applied
    /// nobody can read the store. In a view that is folded anew the profiles are written before, one
    /// by one.
    fn write_table(
        &self,
        table: &Memtable,
        applied: Vec<PartitionWrite>,
        events: NewEvents,
        links: Blocks,
        pace: Pace,
    ) -> Result<(), StoreError> {
        // First, because an id or a link that is known too early is only the same one again when
        // its record is folded once more after a crash.
        let NewEvents { new, expired, forgotten } = events;
        for number in &expired {
            if let Some(block) = self.store.get(&keys::event_block(*number))? {
                self.events.write().forget(&block);
            }
        }
        let mut batch = Batch::default();
        write_blocks(&mut batch, new, &expired, forgotten);
        links.write(&mut batch);
        step(Step::ViewIndexes, || self.store.apply(batch))?;
        let mut profiles: HashMap<Partition, Vec<&Arc<ProfileState>>> = HashMap::new();
        for (partition, state) in table.profiles.values() {
            profiles.entry(*partition).or_default().push(state);
        }
        let anew = self.anew.load(Ordering::Relaxed);
        if anew {
            step(Step::ViewProfiles, || self.write_held(table))?;
        }
        for PartitionWrite { partition, applied, counters } in applied {
            let started = Instant::now();
            let mut batch = Batch::default();
            let changed = profiles.remove(&partition).unwrap_or_default();
            self.write_waiting(&mut batch, partition, &changed);
            for (key, is_there) in table.pending.get(&partition).into_iter().flat_map(PendingChanges::iter) {
                match is_there {
                    true => batch.put(key, &[]),
                    false => batch.remove(key),
                }
            }
            if !anew {
                changed.iter().try_for_each(|state| codec::write_profile(&mut batch, self.homes, state))?;
            }
            for (field, pattern, count) in counters {
                let key = keys::counter(partition, &field, &pattern);
                match count {
                    Some(count) => batch.put(&key, &encode(&count)),
                    None => batch.remove(&key),
                }
            }
            batch.put(&keys::applied(partition), &encode(&applied));
            step(Step::ViewPartition, || self.store.apply(batch))?;
            if pace == Pace::Easy {
                self.rest(started);
            }
        }
        Ok(())
    }

    /// Lets disk and store be for a while, unless somebody waits for what is being written.
    fn rest(&self, started: Instant) {
        let until = Instant::now() + (started.elapsed() * REST_TIMES).min(REST_MAX);
        let mut state = self.flushing.lock();
        while !(state.closing || state.waiting > 0 || state.asked > state.written) {
            if self.wake.wait_until(&mut state, until).timed_out() {
                return;
            }
        }
    }

    fn write_held(&self, table: &Memtable) -> Result<(), StoreError> {
        let held = table.profiles.iter().map(|(id, (_, state))| (*id, state.as_ref()));
        let mut held: Vec<(ProfileId, &ProfileState)> = held.collect();
        held.sort_unstable_by_key(|(id, _)| *id);
        // One alone is what all others wait for; and at the log's end it would have one core.
        std::thread::scope(|scope| {
            let part = held.len().div_ceil(WRITERS).max(1);
            let writer = |part: &[(ProfileId, &ProfileState)]| {
                self.write_in_order(part.iter().map(|(_, state)| *state))
            };
            let writers: Vec<_> = held.chunks(part).map(|part| scope.spawn(move || writer(part))).collect();
            writers.into_iter().try_for_each(|writer| {
                writer.join().unwrap_or_else(|_| Err(StoreError::unreadable("a writer panicked")))
            })
        })
    }

    /// Writes profiles, in the order of their ids, to a store that says nothing yet.
    pub(super) fn write_in_order<'a>(
        &self,
        mut profiles: impl Iterator<Item = &'a ProfileState>,
    ) -> Result<(), StoreError> {
        let mut store = &self.store;
        profiles.try_for_each(|state| codec::write_profile(&mut store, self.homes, state))
    }

    fn write_waiting(&self, batch: &mut Batch, partition: Partition, changed: &[&Arc<ProfileState>]) {
        let mut stored = self.stored_waiting.lock();
        for state in changed {
            let key = keys::waiting(partition, state.id);
            if state.waits() {
                stored.insert(state.id);
                batch.put(&key, &[]);
            } else if stored.remove(&state.id) {
                batch.remove(&key);
            }
        }
    }
}
