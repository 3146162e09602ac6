//! Records that come out of the log: the only code that decodes one.
//!
//! A record comes out undecoded, for not everybody wants all of each: [`record`](Undecoded::record) reads it
//! whole, [`partial`](Undecoded::partial) what is folded, others less. One that was erased says so and nothing
//! else, whoever asks.

use std::sync::Arc;

use serde::Deserialize;

use super::codec::{decode, decode_at};
use super::{Accepted, CallRecord, Cursor, Decided, PartialRecord, Record, RecordError, RecordKind};
use samsyn_log::{
    ChainHash, LogError, LogPlace, LogReader, Progress, ReadLog, RecordRef, ScanFrom, ScanLog, StoredRecord,
};
use samsyn_vocabulary::{
    Event, FieldName, ItemPosition, Partition, Position, ProfileId, Proposal, Seq, Timestamp, Value,
};

/// Reads the durable records of a log. Cheap to clone.
#[derive(Clone)]
pub struct Reader<R = LogReader>(R);

impl<R: ReadLog> Reader<R> {
    /// Reads this log.
    pub fn new(log: R) -> Reader<R> {
        Reader(log)
    }

    /// The log without what its records say: heads, links, cuts.
    pub fn log(&self) -> &R {
        &self.0
    }

    /// One record; none when it isn't there or isn't durable yet.
    pub fn read(&self, position: Position) -> Result<Option<Stored>, LogError> {
        Ok(self.0.read(position)?.map(Stored::from))
    }

    /// The records of one partition in order, see [`ReadLog::scan`].
    pub fn scan(
        &self,
        partition: Partition,
        from: Seq,
    ) -> impl Iterator<Item = Result<Stored, LogError>> + Send + use<R> {
        self.0.scan(partition, from).map(|record| record.map(Stored::from))
    }

    /// The records of all partitions, see [`ReadLog::scan_all`].
    pub fn scan_all(&self, from: ScanFrom) -> ScanAll<R> {
        ScanAll(self.0.scan_all(from))
    }
}

/// See [`Reader::scan_all`]. No iterator: its records borrow from its buffer.
pub struct ScanAll<R: ReadLog = LogReader>(R::ScanAll);

impl<R: ReadLog> ScanAll<R> {
    /// The next record; none at the end. It must not be asked again after an error.
    #[expect(clippy::should_implement_trait, reason = "an iterator's items can't borrow from it")]
    pub fn next(&mut self) -> Result<Option<Undecoded<'_>>, LogError> {
        Ok(self.0.next()?.map(Undecoded::from))
    }

    /// See [`ScanLog::extend`].
    pub fn extend(&mut self) {
        self.0.extend();
    }

    /// How far the scan is.
    pub fn progress(&self) -> Progress {
        self.0.progress()
    }

    /// The place it is at.
    pub fn place(&self) -> LogPlace {
        self.0.place()
    }
}

/// A record that isn't decoded yet.
#[derive(Clone, Copy)]
pub struct Undecoded<'a> {
    /// Its place in its partition.
    pub position: Position,
    /// When it was appended, by the appender's clock.
    pub appended_at: Timestamp,
    /// Its link to the record before it.
    pub chain: ChainHash,
    pub(super) kind: u8,
    pub(super) erased: bool,
    pub(super) payload: &'a [u8],
}

impl<'a> From<RecordRef<'a>> for Undecoded<'a> {
    fn from(record: RecordRef<'a>) -> Undecoded<'a> {
        let RecordRef { position, kind, appended_at, chain, erased, payload, .. } = record;
        Undecoded { position, appended_at, chain, kind, erased, payload }
    }
}

/// What a decision about somebody does to the partition.
#[derive(Deserialize)]
pub struct Passing {
    /// Whose it is.
    pub profile: ProfileId,
    /// [`Decided::through`].
    pub through: ItemPosition,
    /// [`Decided::cursor`].
    #[serde(default)]
    pub cursor: Option<Cursor>,
}

/// A visible value that a decision says changed.
#[derive(Deserialize)]
pub struct FieldChange {
    /// The field.
    pub field: FieldName,
    #[serde(default)]
    before: Option<Value>,
    #[serde(default)]
    after: Option<Value>,
}

impl FieldChange {
    /// Whether everybody sees another value since. An opt-out that is said once more is noted as a change,
    /// and changes nothing that is seen.
    pub fn is_visible(&self) -> bool {
        self.before != self.after
    }
}

/// What a decision changed.
#[derive(Deserialize)]
struct ChangesOnly {
    #[serde(default)]
    changes: Vec<FieldChange>,
}

/// Whose record it is.
#[derive(Deserialize)]
struct ProfileOnly {
    profile: ProfileId,
}

impl<'a> Undecoded<'a> {
    /// Whether its content was erased.
    pub fn is_erased(&self) -> bool {
        self.erased
    }

    /// Its kind, also of one that was erased.
    pub fn kind(&self) -> Result<RecordKind, RecordError> {
        RecordKind::of_number(self.kind)
    }

    /// All of it.
    pub fn record(&self) -> Result<Record, RecordError> {
        let kind = self.kind()?;
        if self.erased {
            return Ok(Record::Erased);
        }
        match kind {
            RecordKind::Accepted => decode(self.payload).map(Record::Accepted),
            RecordKind::Decided => decode_at(self.home(), self.payload).map(Record::Decided),
            RecordKind::Adopted => decode(self.payload).map(Record::Adopted),
            RecordKind::Linked => decode(self.payload).map(Record::Linked),
            RecordKind::Registry => decode(self.payload).map(Record::Registry),
            RecordKind::Late => decode_at(self.home(), self.payload).map(Record::Late),
            RecordKind::Due => decode_at(self.home(), self.payload).map(Record::Due),
            RecordKind::Body => decode_at(self.home(), self.payload).map(Record::Body),
            RecordKind::Sending
            | RecordKind::Retrying
            | RecordKind::Answered
            | RecordKind::Settled
            | RecordKind::Doubted
            | RecordKind::Framed => CallRecord::decode(self.home(), kind, self.payload).map(Record::Call),
        }
    }

    /// What of it is folded.
    pub fn partial(&self) -> Result<PartialRecord<'a>, RecordError> {
        let kind = self.kind()?;
        if self.erased {
            return Ok(PartialRecord::Erased);
        }
        PartialRecord::decode(self.home(), kind, self.payload)
    }

    /// The decision that it is; any other record isn't looked into.
    pub fn decided(&self) -> Result<Option<Decided>, RecordError> {
        self.payload_of(RecordKind::Decided).map(|payload| decode_at(self.home(), payload)).transpose()
    }

    /// What it does to its partition when it is a decision.
    pub fn passing(&self) -> Result<Option<Passing>, RecordError> {
        self.payload_of(RecordKind::Decided).map(decode).transpose()
    }

    /// What changed by it when it is a decision; nothing else of it is decoded.
    pub fn changes(&self) -> Result<Vec<FieldChange>, RecordError> {
        let only = self.payload_of(RecordKind::Decided).map(decode::<ChangesOnly>).transpose()?;
        Ok(only.map(|only| only.changes).unwrap_or_default())
    }

    /// Whose event it is, when it is one.
    pub fn accepted_for(&self) -> Result<Option<ProfileId>, RecordError> {
        let only = self.payload_of(RecordKind::Accepted).map(decode::<ProfileOnly>).transpose()?;
        Ok(only.map(|only| only.profile))
    }

    /// A copy of the event that it is, to be read later; none when it is none.
    pub fn keep_accepted(&self) -> Option<KeptAccepted> {
        self.payload_of(RecordKind::Accepted).map(|payload| KeptAccepted(payload.into()))
    }

    /// The partition that its own positions stand in.
    fn home(&self) -> Partition {
        self.position.partition
    }

    fn payload_of(&self, kind: RecordKind) -> Option<&'a [u8]> {
        (self.kind == kind.number() && !self.erased).then_some(self.payload)
    }
}

/// A record that outlives what it was read from, not decoded yet.
#[derive(Clone, Debug)]
pub struct Stored {
    /// Its place in its partition.
    pub position: Position,
    /// When it was appended, by the appender's clock.
    pub appended_at: Timestamp,
    /// Its link to the record before it.
    pub chain: ChainHash,
    kind: u8,
    erased: bool,
    payload: Arc<[u8]>,
}

impl From<StoredRecord> for Stored {
    fn from(record: StoredRecord) -> Stored {
        let StoredRecord { position, kind, appended_at, chain, erased, payload } = record;
        Stored { position, appended_at, chain, kind, erased, payload }
    }
}

impl Stored {
    /// It as a scan of all partitions shows it.
    pub fn undecoded(&self) -> Undecoded<'_> {
        let Stored { position, appended_at, chain, kind, erased, ref payload } = *self;
        Undecoded { position, appended_at, chain, kind, erased, payload }
    }

    /// See [`Undecoded::record`].
    pub fn record(&self) -> Result<Record, RecordError> {
        self.undecoded().record()
    }

    /// See [`Undecoded::decided`].
    pub fn decided(&self) -> Result<Option<Decided>, RecordError> {
        self.undecoded().decided()
    }

    /// Whether its content was erased.
    pub fn is_erased(&self) -> bool {
        self.erased
    }
}

/// An event that is read when it is needed: decoded long before, it would lie about in small pieces.
pub struct KeptAccepted(Box<[u8]>);

/// What an invocation needs of an [`Accepted`].
#[derive(Deserialize)]
struct AcceptedParts {
    profile: ProfileId,
    event: Event,
    #[serde(default)]
    proposals: Vec<Proposal>,
    #[serde(default)]
    shared_by: Option<ProfileId>,
}

impl KeptAccepted {
    /// The event with what an invocation needs of it; the rest is empty.
    pub fn to_invoke(&self) -> Result<Accepted, RecordError> {
        let AcceptedParts { profile, event, proposals, shared_by } = decode(&self.0)?;
        Ok(Accepted {
            profile,
            event,
            proposals,
            identifiers: Vec::new(),
            expected: None,
            expected_of: None,
            conflicts: Vec::new(),
            shared_by,
            content: 0,
        })
    }
}
