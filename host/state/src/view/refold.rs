//! Folding what the log has beyond the view: one thread reads and decodes, another folds, and the
//! flusher writes what is collected.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use parking_lot::RwLockWriteGuard;

use super::event_index::EventIndex;
use super::link_index::LinkIndex;
use super::store::StoreError;
use super::{Applied, EventKey, LinkKey, Shared, Tables, View, codec};
use crate::step::{Counted, Folder, Read, step};
use samsyn_journal::{CallRecord, Decided, ProfileState, ProfileStep, Reader, Stepped, step_call};
use samsyn_log::{ChainHash, Progress, ScanFrom};
use samsyn_vocabulary::{Partition, Position, ProfileId, Seq, Timestamp};

/// Profiles collected while folding, beyond which they are written. With some ten fields a profile
/// is a KiB or two, and as many may be on their way to the store: half a GiB. Fewer are written in
/// worse order, for they lie farther from one another among the store's pages.
const HELD_ENTRIES_MAX: usize = 150_000;
/// Records decoded in one go.
const RECORDS_A_BATCH: usize = 1_000;
/// Batches that may be decoded before they are folded.
const BATCHES_AHEAD: usize = 4;

/// Decoded records, in the order of the log.
struct DecodedBatch {
    records: Vec<Decoded>,
    progress: Progress,
}

struct Decoded {
    position: Position,
    chain: ChainHash,
    record: Read,
}

impl View {
    /// Folds what the log has beyond the view, in one pass over it.
    pub(super) fn catch_up(&self, progress: &mut impl FnMut(Progress)) -> Result<u64, StoreError> {
        let from: HashMap<Partition, Seq> = {
            let tables = self.shared.tables.read();
            tables.applied.iter().map(|(partition, applied)| (*partition, applied.seq + 1)).collect()
        };
        let heads = self.shared.log.durable_heads();
        if heads.iter().all(|(partition, head)| from.get(partition).is_some_and(|from| *from > head.seq)) {
            return Ok(0);
        }
        let mut folded = 0;
        let (sender, batches) = std::sync::mpsc::sync_channel(BATCHES_AHEAD);
        let records = Reader::new(self.shared.log.clone());
        std::thread::scope(|scope| {
            // Decoding is the larger part, so it has a thread of its own.
            let reader = scope.spawn(move || read_batches(&records, from, &sender));
            // Dropped when folding fails: else the reader would wait for ever to hand on more.
            let batches = batches;
            for batch in &batches {
                folded += batch.records.len() as u64;
                self.fold_batch(batch.records)?;
                progress(Progress { records: folded, ..batch.progress });
                if self.shared.tables.read().active.len() > HELD_ENTRIES_MAX {
                    self.shared.ask_and_wait_for_room();
                }
            }
            reader.join().unwrap_or_else(|_| Err(StoreError::unreadable("reading the log panicked")))
        })?;
        self.shared.flush_now()?;
        Ok(folded)
    }

    fn fold_batch(&self, records: Vec<Decoded>) -> Result<(), StoreError> {
        // Held until all are folded, so that what is written in between has either all of a record or
        // nothing of it. Taken in the order in which who writes takes them.
        let mut tables = self.shared.tables.write();
        let mut folder = Anew {
            shared: &self.shared,
            events: self.shared.events.write(),
            links: self.shared.links.write(),
            tables: &mut tables,
        };
        for Decoded { position, chain, record } in records {
            let expected = folder.applied(position).seq + 1;
            if position.seq != expected {
                return Err(StoreError::gap(Position { seq: expected, ..position }));
            }
            step(&mut folder, position, &chain, record.said())?;
            folder.tables.active.touched.insert(position.partition);
        }
        Ok(())
    }
}

/// Folds records that were read from the log. Nobody else looks at the view yet.
struct Anew<'a> {
    shared: &'a Shared,
    events: RwLockWriteGuard<'a, EventIndex>,
    links: RwLockWriteGuard<'a, LinkIndex>,
    tables: &'a mut Tables,
}

impl Folder for Anew<'_> {
    type Error = StoreError;

    fn applied(&mut self, position: Position) -> &mut Applied {
        self.tables.applied.entry(position.partition).or_default()
    }

    /// Folds into the profile where that is collected, so that it needn't be copied.
    fn decided(&mut self, position: Position, decided: &Decided) -> Result<Counted, StoreError> {
        let (partition, id) = (position.partition, decided.profile);
        let Tables { active, writing, patterns, .. } = &mut *self.tables;
        let (created, state) = match active.profiles.entry(id) {
            Entry::Occupied(held) => (false, &mut held.into_mut().1),
            Entry::Vacant(vacant) => {
                let written = || writing.as_ref()?.profiles.get(&id).map(|(_, state)| state.clone());
                let before = match written() {
                    Some(state) => Some(state),
                    // A profile's first record says so itself: no need to look for what isn't there.
                    None if decided.previous.is_none() => None,
                    None => codec::read_profile(&self.shared.store, self.shared.homes, id)?,
                };
                let created = before.is_none();
                let state = before.unwrap_or_else(|| Arc::new(ProfileState::new(id, decided.at)));
                (created, &mut vacant.insert((partition, state)).1)
            }
        };
        let profile_step = ProfileStep::begin((!created).then_some(state), decided);
        let Stepped { created, moves, pending } = profile_step.end(Arc::make_mut(state), position, decided);
        if !moves.is_empty() {
            patterns.entry(partition).or_default().fold(id, &moves);
        }
        self.shared.note_waiting(partition, state);
        active.note_pending(partition, &pending);
        Ok(Counted::of(created, &pending))
    }

    fn call(&mut self, position: Position, record: &CallRecord) -> Result<Counted, StoreError> {
        let (partition, id) = (position.partition, record.profile());
        let Tables { active, writing, .. } = &mut *self.tables;
        let state = match active.profiles.entry(id) {
            Entry::Occupied(held) => &mut held.into_mut().1,
            Entry::Vacant(vacant) => {
                let written = || writing.as_ref()?.profiles.get(&id).map(|(_, state)| state.clone());
                let before = match written() {
                    Some(state) => Some(state),
                    None => codec::read_profile(&self.shared.store, self.shared.homes, id)?,
                };
                // Of a customer whose decisions were erased there is nothing to change.
                let Some(before) = before else { return Ok(Counted::default()) };
                &mut vacant.insert((partition, before)).1
            }
        };
        let pending = step_call(Arc::make_mut(state), position.seq, record);
        active.note_pending(partition, &pending);
        Ok(Counted::of(false, &pending))
    }

    fn event(&mut self, position: Position, key: EventKey, received_at: Timestamp) {
        self.events.insert(key.fingerprint(), position, received_at);
    }

    fn link(&mut self, key: LinkKey, profile: Option<ProfileId>) {
        self.links.insert(key, profile);
    }
}

/// Reads and decodes the log, a batch after the other, until its end or until nobody takes them.
fn read_batches(
    records: &Reader,
    from: HashMap<Partition, Seq>,
    batches: &std::sync::mpsc::SyncSender<DecodedBatch>,
) -> Result<(), StoreError> {
    let mut scan = records.scan_all(ScanFrom::Seqs(from));
    loop {
        let mut records = Vec::with_capacity(RECORDS_A_BATCH);
        while records.len() < RECORDS_A_BATCH {
            let Some(read) = scan.next().map_err(StoreError::unreadable)? else { break };
            let record = Read::of(&read).map_err(StoreError::unreadable)?;
            records.push(Decoded { position: read.position, chain: read.chain, record });
        }
        let is_last = records.len() < RECORDS_A_BATCH;
        let sent = batches.send(DecodedBatch { records, progress: scan.progress() });
        if is_last || sent.is_err() {
            return Ok(());
        }
    }
}
