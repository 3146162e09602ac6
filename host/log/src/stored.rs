//! A record that was read, with its payload.

use std::sync::Arc;

use super::format::{ChainHash, RecordRef};
use samsyn_vocabulary::{Position, Timestamp};

/// A record as it was read from the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredRecord {
    /// Its place in its partition.
    pub position: Position,
    /// What the payload is, in the appender's numbering.
    pub kind: u8,
    /// When it was appended, by the appender's clock.
    pub appended_at: Timestamp,
    /// Its link to the record before it.
    pub chain: ChainHash,
    /// Whether its payload was erased; the payload is zeros then.
    pub erased: bool,
    /// The content.
    pub payload: Arc<[u8]>,
}

impl StoredRecord {
    /// It as a scan of all partitions shows it.
    pub fn borrowed(&self) -> RecordRef<'_> {
        let StoredRecord { position, kind, appended_at, chain, erased, payload } = self;
        RecordRef::of_stored(*position, *kind, *appended_at, *chain, *erased, payload)
    }
}

impl RecordRef<'_> {
    /// A copy that outlives the bytes it was read from.
    pub fn to_stored(&self) -> StoredRecord {
        StoredRecord {
            position: self.position,
            kind: self.kind,
            appended_at: self.appended_at,
            chain: self.chain,
            erased: self.erased,
            payload: Arc::from(self.payload),
        }
    }
}
