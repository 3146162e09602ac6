//! Writing what is collected to the store: a thread that wakes when there is enough of it, or when
//! what there is has waited long enough.

use std::sync::Arc;
use std::time::Duration;

use super::event_index::write_blocks;
use super::memtable::Memtable;
use super::store::{Batch, StoreError};
use super::{Shared, codec, keys};
use crate::record::encode;

/// Batches that may be asked for before who asks must wait: one is written, one is collected.
const BATCHES_AHEAD_MAX: u64 = 1;
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
        let (table, applied, events) = {
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
            // Taken under the same lock as what it is folded with.
            let mut events = self.events.write();
            let new = events.take_new();
            (table, applied, (new, events.take_expired(self.event_id_millis, self.event_ids_max)))
        };
        let mut batch = Batch::default();
        self.write_table(&mut batch, &table);
        let (new, expired) = events;
        for number in &expired {
            if let Some(block) = self.store.get(&keys::event_block(*number))? {
                self.events.write().forget(&block);
            }
        }
        write_blocks(&mut batch, new, &expired);
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
    }
}
