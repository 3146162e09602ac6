//! Which profile an identifier belongs to: in memory, 32 bytes a link, because every event asks, and
//! for identifiers in no order.
//!
//! The index holds 16 bytes of BLAKE3 of (identifier, normal form), so two identifiers never share
//! an entry and the view holds no personal value twice. In the store the index is a list of blocks
//! in the order the links were made: writing it is sequential, and so is reading it at the start.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use super::event_index::AsItIs;
use super::keys::{self, LinkKey};
use super::store::{Batch, Store, StoreError};
use samsyn_vocabulary::ProfileId;

/// Links in one block: 39 KiB, below the largest value of the store.
const BLOCK_ENTRIES_MAX: usize = 1_250;
const KEY_BYTES: usize = 16;
const ENTRY_BYTES: usize = 2 * KEY_BYTES;
/// Entries beyond twice the links there are, from which on the blocks are written anew.
const DEAD_ENTRIES_MAX: usize = 100_000;

/// The links of all identifiers.
#[derive(Default)]
pub struct LinkIndex {
    links: HashMap<LinkKey, ProfileId, BuildHasherDefault<AsItIs>>,
    /// Made or retired since the last block was written.
    new: Vec<(LinkKey, Option<ProfileId>)>,
    /// Entries in the store, those of retired links included.
    written: usize,
    first_block: u64,
    next_block: u64,
}

/// What a batch has to do with the blocks.
pub struct Blocks {
    put: Vec<(u64, Vec<u8>)>,
    remove: std::ops::Range<u64>,
}

impl LinkIndex {
    /// Reads the blocks of a store.
    pub fn read(store: &Store) -> Result<LinkIndex, StoreError> {
        let mut index = LinkIndex::default();
        for entry in store.scan(keys::LINKS) {
            let (key, bytes) = entry?;
            let number = <[u8; 8]>::try_from(key.as_slice()).map_err(StoreError::unreadable)?;
            let number = u64::from_be_bytes(number);
            if index.next_block == 0 {
                index.first_block = number;
            }
            index.next_block = number + 1;
            for (key, profile) in parse_block(&bytes) {
                index.set(key, profile);
                index.written += 1;
            }
        }
        Ok(index)
    }

    /// The profile it is linked to.
    pub fn get(&self, key: LinkKey) -> Option<ProfileId> {
        self.links.get(&key).copied()
    }

    /// A link was made, or retired.
    pub fn insert(&mut self, key: LinkKey, profile: Option<ProfileId>) {
        self.set(key, profile);
        self.new.push((key, profile));
    }

    fn set(&mut self, key: LinkKey, profile: Option<ProfileId>) {
        match profile {
            Some(profile) => self.links.insert(key, profile),
            None => self.links.remove(&key),
        };
    }

    /// How many links wait to be written.
    pub fn new_entries(&self) -> usize {
        self.new.len()
    }

    /// Takes what is to be written. When most entries in the store are of links that ended, all
    /// that are left are written anew and the old blocks removed.
    pub fn take_new(&mut self) -> Blocks {
        let mut entries = std::mem::take(&mut self.new);
        let mut remove = 0..0;
        if self.written + entries.len() > 2 * self.links.len() + DEAD_ENTRIES_MAX {
            entries = self.links.iter().map(|(key, profile)| (*key, Some(*profile))).collect();
            remove = self.first_block..self.next_block;
            self.first_block = self.next_block;
            self.written = 0;
        }
        self.written += entries.len();
        let blocks = entries.chunks(BLOCK_ENTRIES_MAX).map(|entries| {
            let number = self.next_block;
            self.next_block += 1;
            (number, block_bytes(entries))
        });
        Blocks { put: blocks.collect(), remove }
    }

    /// All of it, for comparing two views.
    pub fn dump(&self) -> std::collections::BTreeMap<[u8; 16], ProfileId> {
        self.links.iter().map(|(key, profile)| (key.0, *profile)).collect()
    }
}

impl Blocks {
    /// Puts them into a batch.
    pub fn write(self, batch: &mut Batch) {
        for (number, bytes) in self.put {
            batch.put(&keys::link_block(number), &bytes);
        }
        for number in self.remove {
            batch.remove(&keys::link_block(number));
        }
    }
}

fn block_bytes(entries: &[(LinkKey, Option<ProfileId>)]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(ENTRY_BYTES * entries.len());
    for (key, profile) in entries {
        bytes.extend(key.0);
        bytes.extend(profile.map_or([0; KEY_BYTES], |profile| *profile.0.as_bytes()));
    }
    bytes
}

/// The links of a block; no profile where a link ended.
fn parse_block(bytes: &[u8]) -> impl Iterator<Item = (LinkKey, Option<ProfileId>)> {
    bytes.chunks_exact(ENTRY_BYTES).filter_map(|entry| {
        let (key, profile) = entry.split_first_chunk::<KEY_BYTES>()?;
        let profile = keys::parse_profile(profile).filter(|profile| !profile.0.is_nil());
        Some((LinkKey(*key), profile))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use samsyn_vocabulary::IdentifierName;

    fn key(number: usize) -> LinkKey {
        LinkKey::of(&IdentifierName::new("customer_id").unwrap(), &number.to_string())
    }

    fn stored(store: &Store, index: &mut LinkIndex) {
        let mut batch = Batch::default();
        index.take_new().write(&mut batch);
        store.apply(batch).unwrap();
    }

    #[test]
    fn links_read_as_they_were_written_and_retired_ones_do_not() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path(), 1 << 20).unwrap();
        let mut index = LinkIndex::default();
        let profiles: Vec<ProfileId> = (0..3_000).map(|_| ProfileId::random()).collect();
        for (number, profile) in profiles.iter().enumerate() {
            index.insert(key(number), Some(*profile));
        }
        stored(&store, &mut index);
        index.insert(key(7), None);
        stored(&store, &mut index);
        let read = LinkIndex::read(&store).unwrap();
        assert_eq!(read.dump(), index.dump());
        assert_eq!((read.get(key(7)), read.get(key(2_999))), (None, Some(profiles[2_999])));
        assert_eq!((read.written, read.next_block), (3_001, 4));
    }

    #[test]
    fn blocks_of_links_that_ended_are_written_anew() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path(), 1 << 20).unwrap();
        let mut index = LinkIndex::default();
        let profile = ProfileId::random();
        index.insert(key(1), Some(profile));
        for _ in 0..=DEAD_ENTRIES_MAX / 2 {
            index.insert(key(2), Some(profile));
            index.insert(key(2), None);
        }
        stored(&store, &mut index);
        let read = LinkIndex::read(&store).unwrap();
        assert_eq!((read.written, read.get(key(1)), read.get(key(2))), (1, Some(profile), None));
    }
}
