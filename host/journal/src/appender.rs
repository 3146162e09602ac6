//! Records on their way into the log: the only code that encodes one.

use std::marker::PhantomData;

use serde::Serialize;

use super::codec::with_encoded;
use super::{
    Accepted, Adopted, Answered, Body, CallRecord, Decided, Doubted, Due, Framed, Late, Linked, Reader,
    Record, RecordKind, RegistryRecord, Retrying, Sending, Settled,
};
use samsyn_log::{AppendError, Commit, Entry, Failure, HostLog, LogError, PartitionedLog, Payload};
use samsyn_vocabulary::{Partition, Position, Seq, Timestamp};

/// More than a record takes in the log beside its payload, in bytes.
const OVERHEAD_BYTES: usize = 256;

mod sealed {
    pub trait Sealed {}
}

/// What a record can say.
pub trait Content: Serialize + sealed::Sealed {
    /// The kind of its record.
    const KIND: RecordKind;
}

macro_rules! contents {
    ($($content:ident: $kind:ident),*) => {
        $(
            impl sealed::Sealed for $content {}
            impl Content for $content {
                const KIND: RecordKind = RecordKind::$kind;
            }
        )*
    };
}

contents!(Accepted: Accepted, Decided: Decided, Adopted: Adopted, Linked: Linked, RegistryRecord: Registry, Late: Late, Due: Due, Body: Body, Sending: Sending, Retrying: Retrying, Answered: Answered, Settled: Settled, Doubted: Doubted, Framed: Framed);

/// A record that is encoded and hashed, and has no number yet. Made before its partition is locked.
pub struct Encoded {
    partition: Partition,
    kind: RecordKind,
    payload: Payload,
}

impl Encoded {
    /// Encodes a record of a partition.
    pub fn of<C: Content>(partition: Partition, content: &C) -> Encoded {
        let payload = with_encoded(Some(partition), content, |bytes| Payload::new(bytes));
        Encoded { partition, kind: C::KIND, payload }
    }

    /// Encodes a record of whichever kind; none when it was erased.
    pub fn of_record(partition: Partition, record: &Record) -> Option<Encoded> {
        Some(match record {
            Record::Accepted(accepted) => Encoded::of(partition, accepted),
            Record::Decided(decided) => Encoded::of(partition, decided),
            Record::Adopted(adopted) => Encoded::of(partition, adopted),
            Record::Linked(linked) => Encoded::of(partition, linked),
            Record::Registry(record) => Encoded::of(partition, record),
            Record::Late(late) => Encoded::of(partition, late),
            Record::Due(due) => Encoded::of(partition, due),
            Record::Body(body) => Encoded::of(partition, body),
            Record::Call(call) => Encoded::of_call(partition, call),
            Record::Erased => return None,
        })
    }

    /// Encodes a record about a call.
    pub fn of_call(partition: Partition, record: &CallRecord) -> Encoded {
        match record {
            CallRecord::Sending(sending) => Encoded::of(partition, sending),
            CallRecord::Retrying(retrying) => Encoded::of(partition, retrying),
            CallRecord::Answered(answered) => Encoded::of(partition, answered.as_ref()),
            CallRecord::Settled(settled) => Encoded::of(partition, settled),
            CallRecord::Doubted(doubted) => Encoded::of(partition, doubted.as_ref()),
            CallRecord::Framed(framed) => Encoded::of(partition, framed.as_ref()),
        }
    }

    /// At most how many bytes a record takes in the log.
    pub fn bytes_max<C: Content>(content: &C) -> usize {
        with_encoded(None, content, <[u8]>::len) + OVERHEAD_BYTES
    }

    /// The record as it is to be appended.
    pub fn entry<T>(self, appended_at: Timestamp, attachment: T) -> NewRecord<T> {
        let Encoded { partition, kind, payload } = self;
        let kind = kind.number();
        let (expected_head, relies_on) = (None, None);
        NewRecord(Entry { partition, expected_head, relies_on, kind, appended_at, payload, attachment })
    }
}

/// A record that is to be appended. `T` comes back when it is durable.
pub struct NewRecord<T>(Entry<T>);

impl<T> NewRecord<T> {
    /// It must get this number, counted after the records before it in the same append: else the partition
    /// has another owner.
    pub fn numbered(mut self, seq: Seq) -> NewRecord<T> {
        self.0.expected_head = Some(seq - 1);
        self
    }

    /// It isn't durable without this record of another partition, which was appended before it.
    pub fn relying_on(mut self, position: Option<Position>) -> NewRecord<T> {
        self.0.relies_on = position;
        self
    }

    /// It as the log takes it, for tests that write a log of their own.
    #[cfg(any(test, feature = "testing"))]
    pub fn into_entry(self) -> Entry<T> {
        self.0
    }
}

/// Appends records. What it appends to is whatever keeps a log's promises; it asks nothing else of it.
pub struct Appender<T, L = HostLog<T>>
where
    L: PartitionedLog<T>,
{
    log: L,
    reader: Reader<L::Reader>,
    attaches: PhantomData<fn(T)>,
}

impl<T, L: PartitionedLog<T>> Appender<T, L> {
    /// Appends to this log, which isn't started yet.
    pub fn new(log: L) -> Appender<T, L> {
        let reader = Reader::new(log.reader().clone());
        Appender { log, reader, attaches: PhantomData }
    }

    /// See [`PartitionedLog::start`].
    pub fn start(
        &self,
        on_durable: impl FnMut(Commit<T>) + Send + 'static,
        on_failed: impl FnOnce(&Failure) + Send + 'static,
    ) -> Result<(), LogError> {
        self.log.start(on_durable, on_failed)
    }

    /// Appends a record; it isn't durable yet.
    pub fn append(&self, record: NewRecord<T>) -> Result<Position, AppendError> {
        Ok(self.log.append(record.0)?.position)
    }

    /// Appends several: all in this order, or none.
    pub fn append_all(&self, records: Vec<NewRecord<T>>) -> Result<Vec<Position>, AppendError> {
        let appended = self.log.append_all(records.into_iter().map(|record| record.0).collect())?;
        Ok(appended.into_iter().map(|appended| appended.position).collect())
    }

    /// The number of a partition's last record, with what isn't durable yet; 0 when there is none.
    pub fn head(&self, partition: Partition) -> Seq {
        self.log.head(partition).seq
    }

    /// See [`PartitionedLog::append_bytes_max`].
    pub fn append_bytes_max(&self) -> usize {
        self.log.append_bytes_max()
    }

    /// See [`PartitionedLog::queued_bytes`].
    pub fn queued_bytes(&self) -> usize {
        self.log.queued_bytes()
    }

    /// See [`PartitionedLog::is_full`].
    pub fn is_full(&self) -> bool {
        self.log.is_full()
    }

    /// See [`PartitionedLog::failed`].
    pub fn failed(&self) -> Option<Failure> {
        self.log.failed()
    }

    /// See [`PartitionedLog::close`].
    pub fn close(&self) -> Result<(), Failure> {
        self.log.close()
    }

    /// Reads what it appended and is durable.
    pub fn reader(&self) -> &Reader<L::Reader> {
        &self.reader
    }

    /// The log itself, for what only this backend has: segments that can leave.
    pub fn backend(&self) -> &L {
        &self.log
    }
}
