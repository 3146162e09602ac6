//! Records that outlive their segment: a partition that is small and must be readable from its first
//! record on, as the registry's, is kept by somebody else when retention removes its segments, and
//! put back here. It reads as if it had never left.
//!
//! Nothing is taken on trust: the records must be linked, from the first one to the head that the
//! floor says the removed segments ended with.

use std::collections::HashMap;
use std::sync::Arc;

use super::format::RecordRef;
use super::index::Head;
use super::stored::StoredRecord;
use samsyn_vocabulary::{Partition, Position, Seq};

/// Records of removed segments, by partition, from the first on; as they stood in the log.
#[derive(Default)]
pub(super) struct Carried(HashMap<Partition, Vec<Arc<[u8]>>>);

/// Why records can't be carried on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CarryError {
    /// A record doesn't follow the one before it.
    #[error("record {seq} of partition {partition} can't be carried on: {cause}")]
    Broken {
        /// The partition.
        partition: Partition,
        /// Which record, counted from 1.
        seq: Seq,
        /// Why.
        cause: &'static str,
    },
    /// They are another history's.
    #[error("the records of partition {partition} up to {} aren't those the log went on from", .head.seq)]
    OtherHistory {
        /// The partition.
        partition: Partition,
        /// What they end with.
        head: Head,
    },
}

impl Carried {
    /// Puts a partition's records back, from the first on.
    pub fn put(&mut self, partition: Partition, records: Vec<Arc<[u8]>>) {
        self.0.insert(partition, records);
    }

    /// A partition's records.
    pub fn of(&self, partition: Partition) -> &[Arc<[u8]>] {
        self.0.get(&partition).map_or(&[], Vec::as_slice)
    }

    /// One of them.
    pub fn get(&self, position: Position) -> Option<StoredRecord> {
        let index = usize::try_from(position.seq.checked_sub(1)?).ok()?;
        let bytes = self.of(position.partition).get(index)?;
        RecordRef::decode(bytes).ok().map(|record| record.to_stored())
    }
}

/// Where a partition stands after these records, which must be its first ones, linked from the
/// first on.
pub fn head_after(partition: Partition, records: &[Arc<[u8]>]) -> Result<Head, CarryError> {
    let mut head = Head::default();
    for bytes in records {
        let seq = head.seq + 1;
        let broken = |cause| CarryError::Broken { partition, seq, cause };
        let record = RecordRef::decode(bytes).map_err(|_| broken("its bytes are no record"))?;
        if record.position != (Position { partition, seq }) || record.bytes_on_disk() != bytes.len() {
            return Err(broken("another record stands in its place"));
        }
        if !record.digest_holds() {
            return Err(broken("the payload isn't that of its digest"));
        }
        if record.envelope().chain(&head.chain, &record.digest) != record.chain {
            return Err(broken("it isn't linked to the one before it"));
        }
        head = Head { seq, chain: record.chain };
    }
    Ok(head)
}

/// Cuts records of a partition apart that stand one behind the other, as in a frame; the first has
/// the number `first`.
pub fn split_records(
    partition: Partition,
    mut bytes: &[u8],
    first: Seq,
) -> Result<Vec<Arc<[u8]>>, CarryError> {
    let mut records = Vec::new();
    while !bytes.is_empty() {
        let seq = first + records.len() as u64;
        let record = RecordRef::decode(bytes);
        let record =
            record.map_err(|_| CarryError::Broken { partition, seq, cause: "its bytes are no record" })?;
        let (one, rest) = bytes.split_at(record.bytes_on_disk());
        records.push(Arc::from(one));
        bytes = rest;
    }
    Ok(records)
}
