//! Which event ids were seen: in memory, 16 bytes an id, because nearly every event asks and the
//! answer is nearly always no.
//!
//! The index holds a fingerprint of (application, event id) and the position of its `Accepted`; the
//! record itself, in the log, says whether it really is the same. In the store the index is a list
//! of blocks in the order they were written, so that writing it is one sequential entry a batch
//! and not a random one an event. Old ids are forgotten a block at a time.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasherDefault, Hasher};

use super::keys;
use super::store::{Batch, Store, StoreError};
use samsyn_vocabulary::{Partition, Position, Timestamp};

/// Ids in one block: 40 KiB, below the largest value of the store.
const BLOCK_ENTRIES_MAX: usize = 2_500;
const ENTRY_BYTES: usize = 16;
const BLOCK_HEADER_BYTES: usize = 8;

/// Seen event ids.
#[derive(Default)]
pub struct EventIndex {
    positions: HashMap<u64, Packed, BuildHasherDefault<AsItIs>>,
    /// Seen since the last block was written.
    new: Vec<(u64, Packed)>,
    new_newest_at: Timestamp,
    blocks: VecDeque<Block>,
    next_block: u64,
    /// What was forgotten; none when nothing ever was.
    forgotten: Option<Forgotten>,
}

/// What was forgotten. The store keeps it as a block without ids, in the place of the newest block
/// that was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Forgotten {
    number: u64,
    newest_at: Timestamp,
}

/// How far event ids are remembered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Remembered {
    /// How many are.
    pub count: u64,
    /// The ids of all events that were accepted after it are; none when none was ever forgotten.
    pub complete_since: Option<Timestamp>,
}

/// A block in the store.
struct Block {
    number: u64,
    newest_at: Timestamp,
    entries: usize,
}

/// A position in 8 bytes: the partition in the upper two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Packed(u64);

const SEQ_BITS: u32 = 48;

impl Packed {
    fn of(position: Position) -> Packed {
        Packed(u64::from(position.partition.0) << SEQ_BITS | (position.seq & ((1 << SEQ_BITS) - 1)))
    }

    fn position(self) -> Position {
        Position { partition: Partition((self.0 >> SEQ_BITS) as u16), seq: self.0 & ((1 << SEQ_BITS) - 1) }
    }
}

/// A hasher of what is a hash already.
#[derive(Default)]
pub struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.0 = self.0.rotate_left(8) ^ u64::from(*byte));
    }

    fn write_u64(&mut self, fingerprint: u64) {
        self.0 = fingerprint;
    }
}

impl EventIndex {
    /// Reads the blocks of a store.
    pub fn read(store: &Store) -> Result<EventIndex, StoreError> {
        let mut index = EventIndex::default();
        for entry in store.scan(keys::EVENTS) {
            let (key, bytes) = entry?;
            let number = <[u8; 8]>::try_from(key.as_slice()).map_err(StoreError::unreadable)?;
            let number = u64::from_be_bytes(number);
            let (newest_at, entries) =
                parse_block(&bytes).ok_or_else(|| StoreError::unreadable("a block of event ids"))?;
            index.positions.reserve(entries.len());
            let count = entries.len();
            index.positions.extend(entries);
            index.next_block = number + 1;
            if count == 0 {
                index.forgotten = Some(Forgotten { number, newest_at });
            } else {
                index.blocks.push_back(Block { number, newest_at, entries: count });
            }
        }
        Ok(index)
    }

    /// Where an event with this fingerprint may stand.
    pub fn get(&self, fingerprint: u64) -> Option<Position> {
        self.positions.get(&fingerprint).map(|packed| packed.position())
    }

    /// An event was accepted.
    pub fn insert(&mut self, fingerprint: u64, position: Position, received_at: Timestamp) {
        let packed = Packed::of(position);
        self.positions.insert(fingerprint, packed);
        self.new.push((fingerprint, packed));
        self.new_newest_at = self.new_newest_at.max(received_at);
    }

    /// How many ids wait to be written.
    pub fn new_entries(&self) -> usize {
        self.new.len()
    }

    /// Takes what is to be written, as blocks.
    pub fn take_new(&mut self) -> Vec<(u64, Vec<u8>)> {
        let new = std::mem::take(&mut self.new);
        let newest_at = self.new_newest_at;
        let blocks = new.chunks(BLOCK_ENTRIES_MAX).map(|entries| {
            let number = self.next_block;
            self.next_block += 1;
            self.blocks.push_back(Block { number, newest_at, entries: entries.len() });
            (number, block_bytes(newest_at, entries))
        });
        blocks.collect()
    }

    /// Puts a block back that was taken out of another view; answers its number and what the store
    /// keeps of it.
    pub fn restore(&mut self, newest_at: Timestamp, ids: &[(u64, Position)]) -> (u64, Vec<u8>) {
        let entries: Vec<(u64, Packed)> =
            ids.iter().map(|(id, position)| (*id, Packed::of(*position))).collect();
        if self.forgotten.is_none() {
            // What the other view had forgotten isn't known: nothing is promised of what came before.
            self.forgotten = Some(Forgotten { number: self.next_block, newest_at });
            self.next_block += 1;
        }
        let number = self.next_block;
        self.next_block += 1;
        self.new_newest_at = self.new_newest_at.max(newest_at);
        self.blocks.push_back(Block { number, newest_at, entries: entries.len() });
        let block = block_bytes(newest_at, &entries);
        self.positions.extend(entries);
        (number, block)
    }

    /// The numbers of blocks that are too old or too many; they are no longer listed. At least
    /// `entries_max` ids stay, and at most a block more.
    pub fn take_expired(&mut self, age_max_millis: i64, entries_max: u64) -> Vec<u64> {
        let horizon = self.new_newest_at.millis() - age_max_millis;
        let mut expired = Vec::new();
        let mut entries: u64 = self.blocks.iter().map(|block| block.entries as u64).sum();
        while let Some(oldest) = self.blocks.front() {
            let left = entries - oldest.entries as u64;
            if oldest.newest_at.millis() >= horizon && (entries <= entries_max || left < entries_max) {
                break;
            }
            entries = left;
            expired.extend(self.forgotten.map(|earlier| earlier.number));
            let newest_at =
                self.forgotten.map_or(oldest.newest_at, |block| block.newest_at.max(oldest.newest_at));
            self.forgotten = Some(Forgotten { number: oldest.number, newest_at });
            expired.push(oldest.number);
            self.blocks.pop_front();
        }
        expired
    }

    /// How far ids are remembered.
    pub fn remembered(&self) -> Remembered {
        // Times are whole milliseconds: one of the newest that was forgotten may be among those that
        // are.
        let after = |block: Forgotten| Timestamp(block.newest_at.millis().saturating_add(1));
        Remembered { count: self.positions.len() as u64, complete_since: self.forgotten.map(after) }
    }

    /// What the store keeps of what was forgotten; none when nothing was.
    pub fn forgotten_block(&self) -> Option<(u64, Vec<u8>)> {
        self.forgotten.map(|block| (block.number, block_bytes(block.newest_at, &[])))
    }

    /// Forgets the ids of a block.
    pub fn forget(&mut self, block: &[u8]) {
        for (fingerprint, packed) in parse_block(block).map(|(_, entries)| entries).unwrap_or_default() {
            // An id that was used again since stands for the newer event.
            if self.positions.get(&fingerprint) == Some(&packed) {
                self.positions.remove(&fingerprint);
            }
        }
    }

    /// The time of the newest id that was seen since the start, or that a block has.
    pub fn newest_at(&self) -> Timestamp {
        let written = self.blocks.iter().map(|block| block.newest_at).max();
        self.new_newest_at.max(written.unwrap_or_default())
    }

    /// All of it, for comparing two views.
    pub fn dump(&self) -> std::collections::BTreeMap<u64, Position> {
        self.positions.iter().map(|(fingerprint, packed)| (*fingerprint, packed.position())).collect()
    }
}

/// Puts blocks into a batch and takes expired ones out, but for what says that there were some.
pub fn write_blocks(
    batch: &mut Batch,
    new: Vec<(u64, Vec<u8>)>,
    expired: &[u64],
    forgotten: Option<(u64, Vec<u8>)>,
) {
    for (number, bytes) in new {
        batch.put(&keys::event_block(number), &bytes);
    }
    for number in expired {
        batch.remove(&keys::event_block(*number));
    }
    if let Some((number, bytes)) = forgotten {
        batch.put(&keys::event_block(number), &bytes);
    }
}

fn block_bytes(newest_at: Timestamp, entries: &[(u64, Packed)]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(BLOCK_HEADER_BYTES + ENTRY_BYTES * entries.len());
    bytes.extend(newest_at.millis().to_be_bytes());
    for (fingerprint, packed) in entries {
        bytes.extend(fingerprint.to_be_bytes());
        bytes.extend(packed.0.to_be_bytes());
    }
    bytes
}

fn parse_block(bytes: &[u8]) -> Option<(Timestamp, Vec<(u64, Packed)>)> {
    let (newest_at, rest) = bytes.split_first_chunk::<BLOCK_HEADER_BYTES>()?;
    let entries = rest.chunks_exact(ENTRY_BYTES).filter_map(|entry| {
        let (fingerprint, packed) = entry.split_first_chunk::<8>()?;
        Some((u64::from_be_bytes(*fingerprint), Packed(u64::from_be_bytes(packed.try_into().ok()?))))
    });
    Some((Timestamp(i64::from_be_bytes(*newest_at)), entries.collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn position(seq: u64) -> Position {
        Position { partition: Partition(63), seq }
    }

    #[test]
    fn a_block_reads_as_it_was_written() {
        let mut index = EventIndex::default();
        for seq in 0..6_000 {
            index.insert(seq * 7, position(seq), Timestamp(seq as i64));
        }
        let blocks = index.take_new();
        assert_eq!(blocks.len(), 3);
        assert!(blocks.iter().all(|(_, bytes)| bytes.len() < super::super::VALUE_BYTES_MAX));
        let (newest_at, entries) = parse_block(&blocks[2].1).unwrap();
        assert_eq!((newest_at, entries.len()), (Timestamp(5_999), 1_000));
        assert_eq!(entries[999], (5_999 * 7, Packed::of(position(5_999))));
        assert_eq!(Packed::of(position(5_999)).position(), position(5_999));
    }

    #[test]
    fn old_blocks_are_forgotten_and_ids_used_again_are_not() {
        let mut index = EventIndex::default();
        index.insert(1, position(1), Timestamp(0));
        index.insert(2, position(2), Timestamp(0));
        let old = index.take_new();
        index.insert(2, position(9), Timestamp(1_000));
        assert!(index.take_expired(1_000, 10).is_empty());
        assert_eq!(index.take_expired(999, 10), [old[0].0]);
        index.forget(&old[0].1);
        assert_eq!((index.get(1), index.get(2)), (None, Some(position(9))));
    }

    #[test]
    fn what_was_forgotten_is_told_and_kept_in_the_store() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path(), 1 << 20).unwrap();
        let mut index = EventIndex::default();
        let write = |index: &mut EventIndex, entries_max: u64| {
            let new = index.take_new();
            let expired = index.take_expired(i64::MAX / 2, entries_max);
            for number in &expired {
                if let Some(block) = store.get(&keys::event_block(*number)).unwrap() {
                    index.forget(&block);
                }
            }
            let mut batch = Batch::default();
            write_blocks(&mut batch, new, &expired, index.forgotten_block());
            store.apply(batch).unwrap();
        };
        for round in 0..4_u64 {
            for seq in 0..10 {
                index.insert(round * 10 + seq, position(round * 10 + seq), Timestamp(round as i64));
            }
            write(&mut index, 20);
            let since = round.checked_sub(2).map(|gone| Timestamp(gone as i64 + 1));
            let count = 10 * (round + 1).min(2);
            assert_eq!(index.remembered(), Remembered { count, complete_since: since }, "{round}");
            let read = EventIndex::read(&store).unwrap();
            assert_eq!((read.remembered(), read.dump()), (index.remembered(), index.dump()), "{round}");
        }
        // Of a view that was put back nobody knows what the other one had forgotten.
        let mut restored = EventIndex::default();
        restored.restore(Timestamp(7), &[(1, position(1))]);
        restored.restore(Timestamp(9), &[(2, position(2))]);
        let since = Some(Timestamp(8));
        assert_eq!(restored.remembered(), Remembered { count: 2, complete_since: since });
    }

    #[test]
    fn as_many_as_may_be_remembered_are() {
        let mut index = EventIndex::default();
        for (block, entries) in [900_u64, 200, 300].into_iter().enumerate() {
            for seq in 0..entries {
                index.insert(block as u64 * 1_000 + seq, position(seq), Timestamp(0));
            }
            index.take_new();
        }
        assert!(index.take_expired(i64::MAX / 2, 1_000).is_empty(), "500 would be too few");
        assert_eq!(index.take_expired(i64::MAX / 2, 500), [0]);
        assert_eq!(index.take_expired(i64::MAX / 2, 0), [0, 1, 1, 2], "with what tells of them");
    }

    #[test]
    fn too_many_are_forgotten_oldest_first() {
        let mut index = EventIndex::default();
        for seq in 0..3 {
            index.insert(seq, position(seq), Timestamp(0));
            index.take_new();
        }
        assert_eq!(index.take_expired(i64::MAX / 2, 2), [0]);
    }
}
