//! The view: what the log's records fold into, kept where it can be looked up. Never the truth:
//! delete it and it comes back equal.
//!
//! [`View::apply`] takes records that are durable, together with the state they fold into, and
//! collects them in memory; a flusher writes them to the store in batches, so that a profile that
//! changes often is written seldom. Reads look at what is collected first.
//! A view that is folded anew is written in whatever way costs least, and says what it is a fold of
//! when it is whole: see [`rebuild`].

mod call_index;
mod check;
mod codec;
mod compare;
mod config;
mod entry;
mod event_index;
mod flusher;
mod keys;
mod link_index;
mod memtable;
mod pending_index;
mod rebuild;
mod refold;
mod store;
mod timer_index;

pub use check::{Check, ViewCheck};
pub use compare::{Comparison, Dump};
pub use config::{EventIdLimits, ViewConfig};
pub use entry::{Base, Entries, Entry};
pub use event_index::Remembered;
pub use keys::{EventKey, LinkKey};
pub use memtable::Applied;
pub use rebuild::Opened;
pub use store::{StoreError, VALUE_BYTES_MAX};
pub use timer_index::TimerOwner;

use std::collections::{BTreeMap, BTreeSet, btree_map};
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::{Condvar, Mutex, RwLock};
use rustc_hash::FxHashMap;

use crate::step::{self, Counted, Folder};
use event_index::EventIndex;
use link_index::LinkIndex;
use memtable::Memtable;
use samsyn_disk::failpoint::{Step, step as fail_step};
use samsyn_journal::{
    Accepted, Adopted, CallRecord, ClaimStats, Decided, Linked, PatternMove, PendingMoves, ProfileState,
    Stepped,
};
use samsyn_registry::report::Usage;
use samsyn_vocabulary::{Homes, Partition, Position, ProfileId, Timestamp};
use store::Store;

/// Event ids and links that weigh as much as a profile: they are some bytes each, in few writes.
const SMALL_ENTRIES: usize = 16;

/// What the view keeps of the log.
pub struct View {
    shared: Arc<Shared>,
    flusher: Mutex<Option<std::thread::JoinHandle<()>>>,
}

struct Shared {
    store: Store,
    /// Where each profile is at home.
    homes: Homes,
    config: ViewConfig,
    event_ids_max: u64,
    event_id_millis: i64,
    /// Seen event ids, those in the store and those collected.
    events: RwLock<EventIndex>,
    /// Whose identifiers are whose, those in the store and those collected.
    links: RwLock<LinkIndex>,
    /// What is collected, and what is being written.
    tables: RwLock<Tables>,
    /// Profiles that wait for something, by partition.
    waiting: Mutex<BTreeSet<(Partition, ProfileId)>>,
    /// Those of them that the store has an entry for.
    stored_waiting: Mutex<std::collections::HashSet<ProfileId>>,
    /// One writes at a time.
    turn: Mutex<()>,
    wake: Condvar,
    flushing: Mutex<FlushState>,
    /// It is being folded anew: the store doesn't say yet what it is a fold of, and nobody reads the
    /// view. So what is written needs no batches: cut short, it is thrown away.
    anew: AtomicBool,
    /// Nothing is written any more.
    broken: AtomicBool,
    log: samsyn_log::LogReader,
}

#[derive(Default)]
struct Tables {
    active: Memtable,
    writing: Option<Arc<Memtable>>,
    /// Where each partition is, with what is collected.
    applied: FxHashMap<Partition, Applied>,
    /// Each partition's counters, with what is collected.
    patterns: FxHashMap<Partition, ClaimStats>,
}

#[derive(Default)]
struct FlushState {
    /// Batches asked for and written.
    asked: u64,
    written: u64,
    /// Who waits until everything is written.
    waiting: u32,
    closing: bool,
    failed: Option<String>,
}

/// A durable record and what it folds into.
#[derive(Clone, Debug)]
pub enum CommittedRecord {
    /// An event was accepted.
    Accepted {
        /// Its key.
        key: EventKey,
        accepted: Arc<Accepted>,
    },
    /// What followed from it.
    Decided {
        decided: Arc<Decided>,
        /// The profile after it.
        state: Arc<ProfileState>,
        /// The profile is new.
        created: bool,
        /// What it does to the counters.
        moves: Vec<PatternMove>,
        /// What it does to the indexes of what waits for its time.
        pending: PendingMoves,
    },
    /// Something about a call.
    Call {
        record: Arc<CallRecord>,
        /// The profile after it; none when there is none.
        state: Option<Arc<ProfileState>>,
        /// What it does to the indexes of what waits for its time.
        pending: PendingMoves,
    },
    /// A partition took a revision into use.
    Adopted(Arc<Adopted>),
    /// An identifier was linked or retired.
    Linked(Arc<Linked>),
    /// A record of the registry, which is folded by the registry's own keeper.
    Registry,
    /// A late record, which changes nothing yet.
    Late,
    /// A timer is due, or these are the bytes of a request: nothing is folded.
    Due,
}

impl CommittedRecord {
    /// An event that was accepted.
    pub fn accepted(accepted: Arc<Accepted>) -> CommittedRecord {
        let key = EventKey::of_accepted(accepted.event.application.as_ref(), &accepted.event.id);
        CommittedRecord::Accepted { key, accepted }
    }

    /// An item that was decided, the profile after it, and what else came of that.
    pub fn decided(decided: Arc<Decided>, state: Arc<ProfileState>, stepped: Stepped) -> CommittedRecord {
        let Stepped { created, moves, pending } = stepped;
        CommittedRecord::Decided { decided, state, created, moves, pending }
    }
}

impl View {
    /// A profile as of the last durable record.
    pub fn profile(&self, id: ProfileId) -> Result<Option<Arc<ProfileState>>, StoreError> {
        {
            let tables = self.shared.tables.read();
            if let Some((_, state)) = tables.active.profiles.get(&id) {
                return Ok(Some(state.clone()));
            }
            if let Some((_, state)) = tables.writing.as_ref().and_then(|table| table.profiles.get(&id)) {
                return Ok(Some(state.clone()));
            }
        }
        codec::read_profile(&self.shared.store, self.shared.homes, id)
    }

    /// The profile an identifier, or a place in the line for it, is linked to.
    pub fn link(&self, key: LinkKey) -> Option<ProfileId> {
        self.shared.links.read().get(key)
    }

    /// Where an event with this key stands, if one was seen. Two keys may share a fingerprint: the
    /// record there says whether it is the one.
    pub fn event(&self, key: EventKey) -> Option<Position> {
        self.shared.events.read().get(key.fingerprint())
    }

    /// How far event ids are remembered.
    pub fn event_ids(&self) -> Remembered {
        self.shared.events.read().remembered()
    }

    /// Whether it can't be written any more.
    pub fn has_failed(&self) -> bool {
        self.shared.broken.load(Ordering::Relaxed)
    }

    /// Why it can't be written any more; none while it can.
    pub fn failure(&self) -> Option<String> {
        self.shared.flushing.lock().failed.clone()
    }

    /// Puts something else in the place of a profile, once it is in the store.
    #[cfg(any(test, feature = "testing"))]
    pub fn spoil(&self, id: ProfileId) {
        self.flush().expect("it can be written");
        let mut store = &self.shared.store;
        store::Puts::put_entry(&mut store, &keys::profile(id), b"rotten").expect("it can be written");
    }

    /// Where the fold of a partition is.
    pub fn applied(&self, partition: Partition) -> Applied {
        self.shared.tables.read().applied.get(&partition).cloned().unwrap_or_default()
    }

    /// Looks at a partition's counters.
    pub fn with_claim_stats<T>(&self, partition: Partition, look: impl FnOnce(&ClaimStats) -> T) -> T {
        let tables = self.shared.tables.read();
        match tables.patterns.get(&partition) {
            Some(patterns) => look(patterns),
            None => look(&ClaimStats::default()),
        }
    }

    /// Profiles behind `after` in the order of their ids, as of the last durable record. Fewer
    /// than `limit` only at the end.
    pub fn profiles_after(
        &self,
        after: Option<ProfileId>,
        limit: usize,
    ) -> Result<Vec<Arc<ProfileState>>, StoreError> {
        // What is collected is looked at first: it may be in the store a moment later.
        let mut found: BTreeMap<ProfileId, Arc<ProfileState>> = {
            let tables = self.shared.tables.read();
            let writing = tables.writing.iter().flat_map(|table| table.profiles.values());
            let collected = writing.chain(tables.active.profiles.values()).map(|(_, state)| state);
            let behind = collected.filter(|state| after.is_none_or(|after| state.id > after));
            behind.map(|state| (state.id, state.clone())).collect()
        };
        let first =
            after.map_or_else(|| keys::PROFILES.to_vec(), |after| keys::behind(&keys::profile(after)));
        for entry in self.shared.store.scan_from(keys::PROFILES, &first).take(limit) {
            let (key, bytes) = entry?;
            let Some(id) = keys::parse_profile(&key) else { continue };
            if let btree_map::Entry::Vacant(vacant) = found.entry(id) {
                vacant.insert(codec::decode_profile(&self.shared.store, self.shared.homes, id, &bytes)?);
            }
        }
        Ok(found.into_values().take(limit).collect())
    }

    /// How many profiles there are.
    pub fn profiles(&self) -> u64 {
        self.shared.tables.read().applied.values().map(|applied| applied.profiles).sum()
    }

    /// What was used in all partitions.
    pub fn usage(&self) -> Usage {
        let mut usage = Usage::default();
        self.shared.tables.read().applied.values().for_each(|applied| usage.add(&applied.usage));
        usage
    }

    /// Profiles of a partition that wait for something, in order, after `after`.
    pub fn waiting(
        &self,
        after: Option<(Partition, ProfileId)>,
        limit: usize,
    ) -> Vec<(Partition, ProfileId)> {
        use std::ops::Bound;
        let waiting = self.shared.waiting.lock();
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        waiting.range((from, Bound::Unbounded)).take(limit).copied().collect()
    }

    /// How many profiles wait for something.
    pub fn waiting_count(&self) -> usize {
        self.shared.waiting.lock().len()
    }

    /// Profiles of one partition that wait for something.
    pub fn waiting_in(&self, partition: Partition) -> Vec<ProfileId> {
        let nil = ProfileId(uuid::Uuid::nil());
        let waiting = self.shared.waiting.lock();
        let from = waiting.range((partition, nil)..);
        from.take_while(|(is, _)| *is == partition).map(|(_, id)| *id).collect()
    }

    /// Folds durable records, in the order of the log. Blocks while the store is far behind.
    pub fn apply(
        &self,
        records: impl IntoIterator<Item = (Position, samsyn_log::ChainHash, CommittedRecord)>,
    ) {
        let shared = &self.shared;
        let mut due = false;
        {
            let mut tables = shared.tables.write();
            for (position, chain, record) in records {
                shared.fold(&mut tables, position, chain, &record);
            }
            let small = shared.events.read().new_entries() + shared.links.read().new_entries();
            due |= tables.active.len() + small / SMALL_ENTRIES >= shared.config.batch_entries;
        }
        if due {
            self.shared.ask_and_wait_for_room();
        }
    }

    /// Writes everything that is collected to the store.
    pub fn flush(&self) -> Result<(), StoreError> {
        self.shared.flush_now()
    }

    /// Flushes and stops the flusher.
    pub fn close(&self) -> Result<(), StoreError> {
        self.shared.flushing.lock().closing = true;
        self.shared.wake.notify_all();
        if let Some(thread) = self.flusher.lock().take() {
            let _ = thread.join();
        }
        self.shared.flush_now()?;
        fail_step(Step::ViewFlush, || self.shared.store.flush())
    }
}

impl Drop for View {
    fn drop(&mut self) {
        if let Err(error) = self.close() {
            tracing::warn!(%error, "the view could not be written; it is folded again from the log");
        }
    }
}

/// Folds a record that was folded into its profile when it was appended.
struct Live<'a> {
    shared: &'a Shared,
    tables: &'a mut Tables,
    record: &'a CommittedRecord,
}

impl Folder for Live<'_> {
    type Error = Infallible;

    fn applied(&mut self, position: Position) -> &mut Applied {
        self.tables.applied.entry(position.partition).or_default()
    }

    fn decided(&mut self, position: Position, _: &Decided) -> Result<Counted, Infallible> {
        let CommittedRecord::Decided { state, created, moves, pending, .. } = self.record else {
            return Ok(Counted::default());
        };
        let partition = position.partition;
        if !moves.is_empty() {
            self.tables.patterns.entry(partition).or_default().fold(state.id, moves);
        }
        self.shared.note_waiting(partition, state);
        self.tables.active.profiles.insert(state.id, (partition, state.clone()));
        self.tables.active.note_pending(partition, pending);
        Ok(Counted::of(*created, pending))
    }

    fn call(&mut self, position: Position, _: &CallRecord) -> Result<Counted, Infallible> {
        let CommittedRecord::Call { state: Some(state), pending, .. } = self.record else {
            return Ok(Counted::default());
        };
        self.tables.active.profiles.insert(state.id, (position.partition, state.clone()));
        self.tables.active.note_pending(position.partition, pending);
        Ok(Counted::of(false, pending))
    }

    fn event(&mut self, position: Position, key: EventKey, received_at: Timestamp) {
        self.shared.events.write().insert(key.fingerprint(), position, received_at);
    }

    fn link(&mut self, key: LinkKey, profile: Option<ProfileId>) {
        self.shared.links.write().insert(key, profile);
    }
}

impl Shared {
    fn fold(
        &self,
        tables: &mut Tables,
        position: Position,
        chain: samsyn_log::ChainHash,
        record: &CommittedRecord,
    ) {
        tables.active.touched.insert(position.partition);
        let mut live = Live { shared: self, tables, record };
        let Ok(()) = step::step(&mut live, position, &chain, record.said());
    }

    /// Notes whether a profile waits for something.
    fn note_waiting(&self, partition: Partition, state: &ProfileState) {
        let mut waiting = self.waiting.lock();
        if state.waits() {
            waiting.insert((partition, state.id));
        } else if !waiting.is_empty() {
            waiting.remove(&(partition, state.id));
        }
    }
}
