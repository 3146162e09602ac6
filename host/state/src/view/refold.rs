//! Folding what the log has beyond the view: one thread reads and decodes, another folds, and the
//! flusher writes what is collected.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use super::keys::{EventKey, LinkKey};
use super::store::StoreError;
use super::{Tables, View, codec};
use samsyn_journal::{
    Adopted, Decided, PartialRecord, ProfileState, RecordError, fold_into, moves_from, moves_to,
};
use samsyn_log::{ChainHash, LogReader, Progress, RecordRef, ScanFrom};
use samsyn_vocabulary::{EventName, Partition, Position, ProfileId, Seq, Timestamp};

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

/// What the view asks of a record.
enum Read {
    Accepted { fingerprint: u64, name: EventName, received_at: Timestamp },
    Decided(Box<Decided>),
    Adopted(Arc<Adopted>),
    Linked { key: LinkKey, profile: Option<ProfileId> },
    Registry,
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
        let log = self.shared.log.clone();
        std::thread::scope(|scope| {
            // Decoding is the larger part, so it has a thread of its own.
            let reader = scope.spawn(move || read_batches(&log, from, &sender));
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
        let mut events = self.shared.events.write();
        let mut links = self.shared.links.write();
        for Decoded { position, chain, record } in records {
            let Position { partition, seq } = position;
            let applied = tables.applied.entry(partition).or_default();
            if seq != applied.seq + 1 {
                return Err(StoreError::gap(Position { seq: applied.seq + 1, partition }));
            }
            applied.reach(seq, chain);
            match record {
                Read::Accepted { fingerprint, name, received_at } => {
                    applied.fold_event(&name);
                    if fingerprint != EventKey::NONE.fingerprint() {
                        events.insert(fingerprint, position, received_at);
                    }
                }
                Read::Decided(decided) => self.fold_decided(&mut tables, position, &decided)?,
                Read::Adopted(adopted) => applied.partition.fold_adopted(seq, &adopted),
                Read::Linked { key, profile } => links.insert(key, profile),
                Read::Registry => {}
            }
            tables.active.touched.insert(partition);
        }
        Ok(())
    }

    /// Folds a decision into its profile where that is collected: nobody else looks at it yet, so
    /// it needn't be copied.
    fn fold_decided(
        &self,
        tables: &mut Tables,
        position: Position,
        decided: &Decided,
    ) -> Result<(), StoreError> {
        let (Position { partition, seq }, id) = (position, decided.profile);
        let Tables { active, writing, applied, patterns } = tables;
        let (created, state) = match active.profiles.entry(id) {
            Entry::Occupied(held) => (false, &mut held.into_mut().1),
            Entry::Vacant(vacant) => {
                let written = || writing.as_ref()?.profiles.get(&id).map(|(_, state)| state.clone());
                let before = match written() {
                    Some(state) => Some(state),
                    // A profile's first record says so itself: no need to look for what isn't there.
                    None if decided.previous.is_none() => None,
                    None => codec::read_profile(&self.shared.store, id)?,
                };
                let created = before.is_none();
                let state = before.unwrap_or_else(|| Arc::new(ProfileState::new(id, decided.at)));
                (created, &mut vacant.insert((partition, state)).1)
            }
        };
        let moves = moves_from((!created).then_some(state), decided);
        fold_into(Arc::make_mut(state), seq, decided);
        if !moves.is_empty() {
            patterns.entry(partition).or_default().fold(id, &moves_to(moves, state));
        }
        applied.entry(partition).or_default().fold_decided(decided, created);
        self.shared.note_waiting(partition, state);
        Ok(())
    }
}

/// Reads and decodes the log, a batch after the other, until its end or until nobody takes them.
fn read_batches(
    log: &LogReader,
    from: HashMap<Partition, Seq>,
    batches: &std::sync::mpsc::SyncSender<DecodedBatch>,
) -> Result<(), StoreError> {
    let mut scan = log.scan_all(ScanFrom::Seqs(from));
    loop {
        let mut records = Vec::with_capacity(RECORDS_A_BATCH);
        while records.len() < RECORDS_A_BATCH {
            let Some(read) = scan.next().map_err(StoreError::unreadable)? else { break };
            let record = decoded(&read).map_err(StoreError::unreadable)?;
            records.push(Decoded { position: read.position, chain: read.chain, record });
        }
        let is_last = records.len() < RECORDS_A_BATCH;
        let sent = batches.send(DecodedBatch { records, progress: scan.progress() });
        if is_last || sent.is_err() {
            return Ok(());
        }
    }
}

fn decoded(read: &RecordRef<'_>) -> Result<Read, RecordError> {
    Ok(match PartialRecord::from_bytes(read.kind, read.payload)? {
        PartialRecord::Accepted(event) => {
            let fingerprint = EventKey::of_accepted(event.application.as_ref(), event.id).fingerprint();
            Read::Accepted { fingerprint, name: event.name, received_at: event.received_at }
        }
        PartialRecord::Decided(decided) => Read::Decided(decided),
        PartialRecord::Adopted(adopted) => Read::Adopted(Arc::new(adopted)),
        PartialRecord::Linked(linked) => {
            let profile = (!linked.retired).then_some(linked.profile);
            Read::Linked {
                key: LinkKey::at(&linked.identifier, linked.normal, linked.line_position),
                profile,
            }
        }
        PartialRecord::Registry => Read::Registry,
    })
}
