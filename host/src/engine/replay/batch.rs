//! Records on their way from the thread that reads to one that replays.

use crate::log::RecordRef;
use crate::vocabulary::Position;

/// Records dealt at once. Their payloads are in one piece of memory that goes back to who reads: what
/// one thread allocates and another gives free costs both of them more than the copy does.
#[derive(Default)]
pub struct Batch {
    payloads: Vec<u8>,
    records: Vec<Entry>,
}

struct Entry {
    position: Position,
    kind: u8,
    erased: bool,
    /// Where its payload ends; it begins where the one before it does.
    end: usize,
}

/// A record as it comes by.
#[derive(Clone, Copy)]
pub struct Dealt<'a> {
    /// Its place in its partition.
    pub position: Position,
    /// What the payload is.
    pub kind: u8,
    /// Whether the payload was erased.
    pub erased: bool,
    /// The content.
    pub payload: &'a [u8],
}

impl Batch {
    /// How many records.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Adds one.
    pub fn push(&mut self, record: &RecordRef<'_>) {
        self.payloads.extend_from_slice(record.payload);
        let RecordRef { position, kind, erased, .. } = *record;
        self.records.push(Entry { position, kind, erased, end: self.payloads.len() });
    }

    /// Forgets them and keeps the memory.
    pub fn clear(&mut self) {
        self.payloads.clear();
        self.records.clear();
    }

    /// The records, in their order.
    pub fn iter(&self) -> impl Iterator<Item = Dealt<'_>> {
        let mut begin = 0;
        self.records.iter().map(move |entry| {
            let Entry { position, kind, erased, end } = *entry;
            let payload = &self.payloads[std::mem::replace(&mut begin, end)..end];
            Dealt { position, kind, erased, payload }
        })
    }
}
