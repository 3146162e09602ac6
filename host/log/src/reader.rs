//! Reading what is durable: one record, one partition. (All partitions in file order: `scan`.)

use std::sync::Arc;

use super::carried::{CarryError, head_after};
use super::error::LogError;
use super::format::{ChainHash, LogId};
use super::index::Head;
use super::scan::{LogScan, ScanFrom};
use super::state::{Place, Shared};
use super::stored::StoredRecord;
use samsyn_vocabulary::{Partition, Position, Seq};

/// How many offsets a scan of a partition holds: 16 KiB of them.
const OFFSETS_HELD_MAX: usize = 4096;

/// Reads the durable part of a log. Cheap to clone; works beside the writer.
#[derive(Clone)]
pub struct LogReader(pub(super) Arc<Shared>);

impl LogReader {
    /// The log's own random id.
    pub fn log_id(&self) -> LogId {
        self.0.log_id
    }

    /// The last durable record of a partition.
    pub fn durable_head(&self, partition: Partition) -> Head {
        self.0.state.read().active.heads.get(&partition).copied().unwrap_or_default()
    }

    /// The last durable record of every partition that has one.
    pub fn durable_heads(&self) -> Vec<(Partition, Head)> {
        self.0.state.read().active.heads.iter().map(|(partition, head)| (*partition, *head)).collect()
    }

    /// One record, with at most four reads of the disk; none when it isn't there or isn't durable
    /// yet. Its payload is checked against its digest, all else by its link to the record before it.
    pub fn read(&self, position: Position) -> Result<Option<StoredRecord>, LogError> {
        match self.0.locate(position.partition, position.seq, 1)? {
            Some((located, file)) if located.first == position.seq => {
                let link = self.0.link_before(&located, &*file)?;
                self.0.read_at(&located, &*file, (located.offsets[0], position), &link).map(Some)
            }
            _ => Ok(self.0.carried.read().get(position)),
        }
    }

    /// The first record of a partition that isn't removed, or will be its first: everything before
    /// it has left by retention.
    pub fn oldest(&self, partition: Partition) -> Seq {
        self.0.oldest(partition)
    }

    /// Whether nothing has ever left by retention.
    pub fn is_whole(&self) -> bool {
        self.0.state.read().floor.is_empty()
    }

    /// The link of a record, also of the last one of a partition that was removed; none when it
    /// isn't there.
    pub fn chain_at(&self, position: Position) -> Result<Option<ChainHash>, LogError> {
        let floor = self.0.state.read().floor.get(&position.partition).copied();
        match floor.filter(|head| head.seq == position.seq) {
            Some(head) => Ok(Some(head.chain)),
            None => Ok(self.read(position)?.map(|record| record.chain)),
        }
    }

    /// Carries a partition's records on: `records` are its first ones, as [`raw`](LogReader::raw)
    /// gives them, those that were removed and any behind them, which may leave later.
    pub fn carry(&self, partition: Partition, records: Vec<Arc<[u8]>>) -> Result<(), CarryError> {
        let floor = self.0.state.read().floor.get(&partition).copied().unwrap_or_default();
        let removed = usize::try_from(floor.seq).unwrap_or(usize::MAX).min(records.len());
        let head = head_after(partition, &records[..removed])?;
        if head != floor {
            return Err(CarryError::OtherHistory { partition, head });
        }
        let head = head_after(partition, &records)?;
        let known = self.chain_at(Position { partition, seq: head.seq }).ok().flatten();
        if head.seq > floor.seq && known != Some(head.chain) {
            return Err(CarryError::OtherHistory { partition, head });
        }
        self.0.carried.write().put(partition, records);
        Ok(())
    }

    /// Whether a partition can be read from its first record on.
    pub fn is_readable_from_start(&self, partition: Partition) -> bool {
        let removed = self.oldest(partition) - 1;
        removed == 0 || self.0.carried.read().of(partition).len() as u64 >= removed
    }

    /// The first records of a partition as they stand in the log, byte for byte, up to `through`;
    /// those that are carried too. Only for partitions that are small: they are all in memory.
    pub fn raw(&self, partition: Partition, through: Seq) -> Result<Vec<Arc<[u8]>>, LogError> {
        let mut records = self.0.carried.read().of(partition).to_vec();
        records.truncate(usize::try_from(through).unwrap_or(usize::MAX));
        for seq in records.len() as u64 + 1..=through {
            match self.0.read_raw(Position { partition, seq })? {
                Some(bytes) => records.push(bytes),
                None => break,
            }
        }
        Ok(records)
    }

    /// The records of one partition in order, from `from` or the oldest there is after it, to the
    /// last that is durable when the iterator gets there. It ends after its first error.
    pub fn scan(&self, partition: Partition, from: Seq) -> PartitionScan {
        PartitionScan {
            reader: self.clone(),
            partition,
            next: from.max(1),
            some: None,
            link: ChainHash::default(),
        }
    }

    /// Every durable record in the order of the log: the fastest way to read many.
    pub fn scan_all(&self, from: ScanFrom) -> LogScan {
        LogScan::new(self.0.clone(), from)
    }
}

/// See [`LogReader::scan`].
pub struct PartitionScan {
    reader: LogReader,
    partition: Partition,
    next: Seq,
    some: Option<Place>,
    /// The link of the record before the next.
    link: ChainHash,
}

impl PartitionScan {
    fn read_next(&mut self) -> Result<Option<StoredRecord>, LogError> {
        let shared = &self.reader.0;
        let read_out = |(some, _): &Place| self.next - some.first >= some.offsets.len() as u64;
        if self.some.as_ref().is_none_or(read_out) {
            let position = Position { partition: self.partition, seq: self.next };
            if let Some(carried) = shared.carried.read().get(position) {
                self.next += 1;
                return Ok(Some(carried));
            }
            let Some((located, file)) = shared.locate(self.partition, self.next, OFFSETS_HELD_MAX)? else {
                return Ok(None);
            };
            self.next = located.first;
            self.link = shared.link_before(&located, &*file)?;
            self.some = Some((located, file));
        }
        let Some((located, file)) = &self.some else {
            return Ok(None);
        };
        let offset = located.offsets[(self.next - located.first) as usize];
        let position = Position { partition: self.partition, seq: self.next };
        let record = shared.read_at(located, &**file, (offset, position), &self.link)?;
        self.link = record.chain;
        self.next += 1;
        Ok(Some(record))
    }
}

impl Iterator for PartitionScan {
    type Item = Result<StoredRecord, LogError>;

    fn next(&mut self) -> Option<Self::Item> {
        // After an error the place behind it can't be trusted: sequences end here.
        if self.next == Seq::MAX {
            return None;
        }
        let record = self.read_next();
        if record.is_err() {
            self.next = Seq::MAX;
        }
        record.transpose()
    }
}
