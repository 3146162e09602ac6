//! What a log promises, whichever backend keeps it: [`PartitionedLog`] to append, [`ReadLog`] to read.
//!
//! A backend is chosen when a host is built, so that no append and no record that is read goes through a
//! virtual call. Whether one keeps the promises is what `conformance` checks; [`LocalLog`](super::LocalLog) is
//! one on local disks, a distributed log with a stream a partition can be another.
//!
//! What stands here says nothing of files. Segments, their retention, repair, verification and copies of them
//! are the local log's own.

use std::sync::Arc;

use super::cut::{Cut, LogPlace};
use super::error::{AppendError, Failure, LogError};
use super::format::{ChainHash, LogId, RecordRef};
use super::growth::Growth;
use super::index::Head;
use super::scan::{Progress, ScanFrom};
use super::stored::StoredRecord;
use super::writer::Commit;
use super::{Appended, Entry};
use samsyn_vocabulary::{Partition, Position, Seq};

/// A log that is appended to. `T` is what an appender attaches to a record, to get it back when the record is
/// durable.
///
/// - **Numbers.** The records of a partition have the numbers 1, 2, 3, … in the order of their appends, and no
///   number is left out or given twice.
/// - **One owner.** The process that opens the log owns it. If another process opens it as well, one of the
///   two is refused: the second opening, or from then on every append of the first.
/// - **Durable, then seen.** Readers see a record when it is durable, and none of a partition without those
///   before it.
/// - **After a crash** everything that was told to be durable is there. Of the rest there is a part from the
///   beginning, in the order of appends, in each partition. No record is there without the one it
///   [relies on](Entry::relies_on): a log with one stream a partition holds it back until that one is durable, and
///   makes nobody wait who appends.
pub trait PartitionedLog<T>: Send + Sync {
    /// What reads it.
    type Reader: ReadLog;

    /// Starts writing, once: before, appends are queued. Calls `on_durable` with records that became durable,
    /// each once, those of a partition in their order, when readers see them already; no more is told before
    /// it returns, so that it must do little. Who does more with them reads: see [`ReadLog::growth`]. Calls `on_failed` at most once, when nothing can be made durable any more: the attachments
    /// of what wasn't are dropped afterwards.
    fn start(
        &self,
        on_durable: impl FnMut(Commit<T>) + Send + 'static,
        on_failed: impl FnOnce(&Failure) + Send + 'static,
    ) -> Result<(), LogError>;

    /// Appends one record, and returns before it is durable.
    fn append(&self, entry: Entry<T>) -> Result<Appended, AppendError>;

    /// Appends several records, of one or several partitions: all in this order, or none. Nobody ever sees one
    /// of them without those before it.
    fn append_all(&self, entries: Vec<Entry<T>>) -> Result<Vec<Appended>, AppendError>;

    /// Where a partition ends, with what isn't durable yet.
    fn head(&self, partition: Partition) -> Head;

    /// The most bytes that one append may have, what the log adds to each record included.
    fn append_bytes_max(&self) -> usize;

    /// Bytes that are appended and that nobody has begun to write.
    fn queued_bytes(&self) -> usize;

    /// Whether so much waits that new work should be refused. Appends are still taken.
    fn is_full(&self) -> bool;

    /// Waits until it isn't full, or is closed or failed. Must not be called from the callbacks.
    fn wait_for_room(&self);

    /// Why it takes no more appends, if it failed.
    fn failed(&self) -> Option<Failure>;

    /// What reads it, to hand to others.
    fn reader(&self) -> &Self::Reader;

    /// Takes no more appends, makes durable what is queued, tells of it, and gives up the ownership.
    fn close(&self) -> Result<(), Failure>;
}

/// The durable part of a log. Cheap to clone; works beside the appender.
pub trait ReadLog: Clone + Send + Sync + 'static {
    /// See [`scan`](ReadLog::scan).
    type Scan: Iterator<Item = Result<StoredRecord, LogError>> + Send;
    /// See [`scan_all`](ReadLog::scan_all).
    type ScanAll: ScanLog + Send;

    /// The log's own random id: the same as long as it lives, another in every other log.
    fn log_id(&self) -> LogId;

    /// Tells when more is durable: whoever follows the log waits there, and then reads. A reader sees what it
    /// was woken for.
    fn growth(&self) -> Arc<Growth>;

    /// The last durable record of a partition.
    fn durable_head(&self, partition: Partition) -> Head;

    /// The last durable record of every partition that has one, by partition.
    fn durable_heads(&self) -> Vec<(Partition, Head)>;

    /// The log as it is durable now.
    fn cut(&self) -> Cut;

    /// One record; none when it isn't there or isn't durable yet.
    fn read(&self, position: Position) -> Result<Option<StoredRecord>, LogError>;

    /// The first record of a partition that isn't removed, or will be its first.
    fn oldest(&self, partition: Partition) -> Seq;

    /// Whether nothing was ever removed.
    fn is_whole(&self) -> bool;

    /// The link of a record, also of the last one of a partition that was removed; none when it isn't there.
    fn chain_at(&self, position: Position) -> Result<Option<ChainHash>, LogError>;

    /// The records of one partition in order, from `from` or the oldest there is after it, to the last that is
    /// durable when the iterator gets there. It ends after its first error.
    fn scan(&self, partition: Partition, from: Seq) -> Self::Scan;

    /// The records of all partitions that are durable when the scan begins, those of each in their order, none
    /// before one that was appended with it and before it.
    fn scan_all(&self, from: ScanFrom) -> Self::ScanAll;
}

/// A scan of all partitions. Its records borrow from its buffer, so that it is no iterator.
pub trait ScanLog {
    /// The next record; none at the end. It must not be asked again after an error.
    fn next(&mut self) -> Result<Option<RecordRef<'_>>, LogError>;

    /// Has a scan that is at its end go on with what became durable since, in the same order. One whose next
    /// record was removed meanwhile fails.
    fn extend(&mut self);

    /// How far the scan is.
    fn progress(&self) -> Progress;

    /// The place it is at: everything before it was passed.
    fn place(&self) -> LogPlace;
}
