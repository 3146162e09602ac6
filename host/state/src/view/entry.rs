//! What a view holds, one thing at a time, in a form that outlives this host's store: how a view gets
//! into a snapshot and out of one.
//!
//! ```text
//! snapshot ─▶ Entry, Entry, … ─▶ the store, and the indexes in memory ─▶ the log's records behind it
//! ```
//!
//! The last entries say where each partition's fold is, and what the view is a fold of is said when
//! the log's records behind them are folded too: a load that is cut short leaves a store that says
//! nothing, and is thrown away. So entries are written one by one, and cost half of what batches do.

use std::sync::Arc;

use super::event_index::write_blocks;
use super::store::{Batch, StoreError};
use super::{Applied, Shared, keys};
use samsyn_disk::failpoint::{Step, step};
use samsyn_journal::{Count, Pattern, ProfileState, encode, pending_calls, pending_timers};
use samsyn_vocabulary::{FieldName, Partition, Position, ProfileId, Timestamp};

/// Profiles that are written in one step.
const PROFILES_A_STEP: usize = 1_000;
/// Links that go to the store at once: 32 bytes each.
const LINKS_A_BATCH: usize = 100_000;

/// One thing a view holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Entry {
    /// A customer.
    Profile {
        /// Where its records are.
        partition: Partition,
        /// What they fold into.
        state: Arc<ProfileState>,
    },
    /// Whose an identifier is.
    Link {
        /// The identifier, hashed: see [`link_key`].
        key: [u8; 16],
        profile: ProfileId,
    },
    /// Event ids that were seen, in the order they were; forgotten together.
    Events {
        /// When the newest of them was received, or one after it.
        newest_at: Timestamp,
        /// Each id's fingerprint, and where its event stands.
        ids: Vec<(u64, Position)>,
    },
    /// How many profiles have a pattern of claims.
    Counter { partition: Partition, field: FieldName, pattern: Pattern, count: Count },
    /// Where a partition's fold is.
    Applied { partition: Partition, applied: Applied },
}

/// What a view can be folded on from, instead of from the log's first record.
pub trait Base {
    /// What to call it.
    fn name(&self) -> String;

    /// All it holds, places last.
    fn entries(&self) -> Result<Entries<'_>, StoreError>;
}

/// The entries of a [`Base`].
pub type Entries<'a> = Box<dyn Iterator<Item = Result<Entry, StoreError>> + 'a>;

impl Shared {
    /// Takes everything from a base into an empty store.
    pub(super) fn load(&self, base: &dyn Base) -> Result<(), StoreError> {
        let mut loading = Loading { shared: self, profiles: Vec::new(), batch: Batch::default(), links: 0 };
        for entry in base.entries()? {
            loading.take(entry?)?;
        }
        loading.finish()
    }
}

struct Loading<'a> {
    shared: &'a Shared,
    profiles: Vec<Arc<ProfileState>>,
    batch: Batch,
    links: usize,
}

impl Loading<'_> {
    fn take(&mut self, entry: Entry) -> Result<(), StoreError> {
        let shared = self.shared;
        match entry {
            Entry::Profile { partition, state } => {
                if state.waits() {
                    shared.waiting.lock().insert((partition, state.id));
                    shared.stored_waiting.lock().insert(state.id);
                    self.batch.put(&keys::waiting(partition, state.id), &[]);
                }
                for timer in pending_timers(&state) {
                    self.batch.put(&keys::timer(&timer), &[]);
                }
                for call in pending_calls(&state) {
                    self.batch.put(&keys::call(&call), &[]);
                }
                self.profiles.push(state);
                if self.profiles.len() == PROFILES_A_STEP {
                    self.write(shared)?;
                }
            }
            Entry::Link { key, profile } => {
                shared.links.write().insert(keys::LinkKey(key), Some(profile));
                self.links += 1;
                if self.links.is_multiple_of(LINKS_A_BATCH) {
                    self.write_links(shared)?;
                }
            }
            Entry::Events { newest_at, ids } => {
                let mut events = shared.events.write();
                let (number, block) = events.restore(newest_at, &ids);
                let forgotten = events.forgotten_block();
                drop(events);
                write_blocks(&mut self.batch, vec![(number, block)], &[], forgotten);
                self.write(shared)?;
            }
            Entry::Counter { partition, field, pattern, count } => {
                self.batch.put(&keys::counter(partition, &field, &pattern), &encode(&count));
                let mut tables = shared.tables.write();
                tables.patterns.entry(partition).or_default().restore(field, pattern, count);
            }
            Entry::Applied { partition, applied } => {
                self.batch.put(&keys::applied(partition), &encode(&applied));
                shared.tables.write().applied.insert(partition, applied);
            }
        }
        Ok(())
    }

    fn write(&mut self, shared: &Shared) -> Result<(), StoreError> {
        let profiles = std::mem::take(&mut self.profiles);
        step(Step::ViewProfiles, || shared.write_in_order(profiles.iter().map(Arc::as_ref)))?;
        step(Step::ViewIndexes, || shared.store.apply(std::mem::take(&mut self.batch)))
    }

    fn write_links(&mut self, shared: &Shared) -> Result<(), StoreError> {
        shared.links.write().take_new().write(&mut self.batch);
        self.write(shared)
    }

    fn finish(mut self) -> Result<(), StoreError> {
        let shared = self.shared;
        shared.links.write().take_new().write(&mut self.batch);
        self.write(shared)
    }
}
