//! Writing what is collected to the store: a thread that wakes when there is enough of it, or when
//! what there is has waited long enough.

use std::sync::Arc;
use std::time::Duration;

use super::memtable::Memtable;
use super::store::{Batch, StoreError};
use super::{EventEntry, EventKey, Shared, codec, keys};
use crate::record::{Record, encode};
use crate::vocabulary::{Partition, Position};

/// Batches that may be asked for before who asks must wait: one is written, one is collected.
const BATCHES_AHEAD_MAX: u64 = 1;
/// Event ids forgotten at most in one batch: forgetting reads the log, and must not stall a flush.
const FORGOTTEN_MAX: usize = 20_000;

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
            let asked = state.asked;
            drop(state);
            let result = self.flush_now();
            let mut state = self.flushing.lock();
            state.written = state.written.max(asked);
            if let Err(error) = result {
                tracing::error!(%error, "the view can't be written; reads go on from memory");
                state.failed = Some(error.to_string());
            }
            self.wake.notify_all();
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
        let _turn = self.turn.lock();
        self.forget_event_ids()?;
        let (table, applied) = {
            let mut tables = self.tables.write();
            if tables.active.is_empty() {
                return Ok(());
            }
            let table = Arc::new(std::mem::take(&mut tables.active));
            tables.writing = Some(table.clone());
            let touched = table.touched.iter();
            let applied: Vec<_> = touched
                .filter_map(|partition| Some((*partition, encode(tables.applied.get(partition)?))))
                .collect();
            (table, applied)
        };
        let mut batch = Batch::default();
        self.write_table(&mut batch, &table);
        for (partition, bytes) in applied {
            batch.put(&keys::applied(partition), bytes);
        }
        let result = self.store.apply(batch);
        if result.is_ok() {
            self.tables.write().writing = None;
        }
        result
    }

    fn write_table(&self, batch: &mut Batch, table: &Memtable) {
        codec::write_profiles(batch, table.profiles.values().map(|(_, state)| state));
        for (partition, state) in table.profiles.values() {
            let key = keys::waiting(*partition, state.id);
            if state.waits() {
                batch.put(&key, Vec::new());
            } else if self.stored_waiting.lock().remove(&state.id) {
                batch.remove(&key);
            }
            if state.waits() {
                self.stored_waiting.lock().insert(state.id);
            }
        }
        for ((name, normal), profile) in &table.links {
            let key = keys::link(name, normal);
            match profile {
                Some(profile) => batch.put(&key, profile.0.as_bytes().to_vec()),
                None => batch.remove(&key),
            }
        }
        let mut events: Vec<(&EventKey, &Option<EventEntry>)> = table.events.iter().collect();
        events.sort_unstable_by_key(|(key, _)| **key);
        for (key, entry) in events {
            match entry {
                Some(entry) => batch.put(&keys::event(*key), entry.to_bytes()),
                None => batch.remove(&keys::event(*key)),
            }
        }
    }

    /// Forgets event ids that are too old, by the records' own times, or too many. Which ones is
    /// read from the log, so that nothing is kept in memory for it.
    fn forget_event_ids(&self) -> Result<(), StoreError> {
        let due: Vec<(Partition, super::Applied)> = {
            let tables = self.tables.read();
            let touched = tables.active.touched.iter();
            touched.filter_map(|partition| Some((*partition, tables.applied.get(partition)?.clone()))).collect()
        };
        for (partition, mut applied) in due {
            let forgotten = self.forget_in(partition, &mut applied)?;
            if forgotten.is_empty() {
                continue;
            }
            let mut tables = self.tables.write();
            for key in &forgotten {
                tables.active.events.insert(*key, None);
            }
            if let Some(newest) = tables.applied.get_mut(&partition) {
                newest.event_ids -= forgotten.len() as u64;
                newest.oldest_event = applied.oldest_event;
                newest.oldest_event_at = applied.oldest_event_at;
            }
        }
        Ok(())
    }

    fn forget_in(&self, partition: Partition, applied: &mut super::Applied) -> Result<Vec<EventKey>, StoreError> {
        let mut forgotten = Vec::new();
        let horizon = applied.newest_event_at.millis() - self.event_id_millis;
        let too_many = applied.event_ids.saturating_sub(self.event_ids_max);
        if too_many == 0 && applied.oldest_event_at.millis() >= horizon {
            return Ok(forgotten);
        }
        for record in self.log.scan(partition, applied.oldest_event) {
            let record = record.map_err(StoreError::unreadable)?;
            if record.position.seq > applied.seq || forgotten.len() >= FORGOTTEN_MAX {
                break;
            }
            let accepted = match Record::from_bytes(record.kind, &record.payload) {
                Ok(Record::Accepted(accepted)) => accepted,
                Ok(_) => continue,
                Err(error) => return Err(StoreError::unreadable(error)),
            };
            applied.oldest_event = record.position.seq;
            applied.oldest_event_at = accepted.event.received_at;
            let old = accepted.event.received_at.millis() < horizon;
            if !old && forgotten.len() as u64 >= too_many {
                break;
            }
            if let Some(application) = &accepted.event.application {
                let key = EventKey::of(application, &accepted.event.id);
                // The id may have been used again since: then it is remembered for the newer event.
                let position = Position { partition, seq: record.position.seq };
                if self.entry(key)?.is_some_and(|entry| entry.position == position) {
                    forgotten.push(key);
                }
            }
        }
        Ok(forgotten)
    }
}
