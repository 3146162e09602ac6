//! Records in one piece of memory that goes from thread to thread and back.

use super::Undecoded;
use samsyn_log::ChainHash;
use samsyn_vocabulary::{Position, Timestamp};

/// Records dealt at once. Their payloads are in one piece of memory that goes back to who reads: what
/// one thread allocates and another gives free costs both of them more than the copy does.
#[derive(Default)]
pub struct RecordBatch {
    payloads: Vec<u8>,
    records: Vec<Entry>,
}

struct Entry {
    position: Position,
    appended_at: Timestamp,
    chain: ChainHash,
    kind: u8,
    erased: bool,
    /// Where its payload ends; it begins where the one before it does.
    end: usize,
}

impl RecordBatch {
    /// How many records.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Adds one.
    pub fn push(&mut self, record: &Undecoded<'_>) {
        self.payloads.extend_from_slice(record.payload);
        let Undecoded { position, appended_at, chain, kind, erased, .. } = *record;
        self.records.push(Entry { position, appended_at, chain, kind, erased, end: self.payloads.len() });
    }

    /// Forgets them and keeps the memory.
    pub fn clear(&mut self) {
        self.payloads.clear();
        self.records.clear();
    }

    /// The records, in their order.
    pub fn iter(&self) -> impl Iterator<Item = Undecoded<'_>> {
        let mut begin = 0;
        self.records.iter().map(move |entry| {
            let Entry { position, appended_at, chain, kind, erased, end } = *entry;
            let payload = &self.payloads[std::mem::replace(&mut begin, end)..end];
            Undecoded { position, appended_at, chain, kind, erased, payload }
        })
    }
}
