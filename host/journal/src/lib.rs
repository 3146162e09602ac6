//! What the records in the log say, and what they fold into.
//!
//! A record's payload is MessagePack with named fields; new fields are optional, so that
//! tomorrow's host reads today's segments. One record concerns one profile. [`fold_into`] is pure: it
//! never calls a plug-in, a clock or the network, so the state is the log and nothing else.
//!
//! | file | what it has |
//! |---|---|
//! | `accepted` · `decided` · `adopted` · `linked` | the records of partitions: events, decisions, revisions, identifiers |
//! | `unpack` · `partial_decoding` | reading MessagePack, and only as much of a record as the fold needs |
//! | `fold` · `profile_state` | records in order, state out |
//! | `claim_stats` · `usage` | counts that fold beside: patterns of claims, and what is used |
//! | [`history`] | the registry's history in words |
//!
//! It must not know who appends, where the view is kept, or how a handler runs.

mod accepted;
mod adopted;
mod claim_stats;
mod decided;
mod fold;
pub mod history;
mod linked;
mod partial_decoding;
mod profile_state;
mod unpack;
mod usage;

pub use accepted::{Accepted, Conflict};
pub use adopted::{Adopted, Cursor, MovedField, ReassignmentJob};
pub use claim_stats::{
    CLAIMANTS_MAX, ClaimStats, Claimant, Count, Pattern, PatternMove, moves_from, moves_to,
};
pub use decided::{
    Answer, AnswerKind, CauseKind, Changed, Decided, Emitted, HeldProposal, InvocationStatus, Memory, Outcome,
};
pub use fold::{PartitionState, fold_into, fold_profile};
pub use linked::{LINE_POSITIONS_MAX, Line, LinePosition, Linked};
pub use partial_decoding::{LinkedRef, PartialEvent, PartialRecord};
pub use profile_state::{
    BLOCKED_MAX, Blocked, CapabilityState, Claim, HeldMore, IDENTIFIERS_MAX, Latch, MemoryBytes,
    ProfileState, Visible,
};
pub use usage::{fold_usage_of_decided, fold_usage_of_event};

use serde::{Deserialize, Serialize};

use samsyn_registry::RegistryChange;
use samsyn_vocabulary::{Application, Reason, Timestamp};

/// The version of [`fold`]: raise it when the same records fold into something else, or when the view
/// keeps it differently, and every view is rebuilt.
pub const FOLD_VERSION: u32 = 6;

/// One record of a profile partition, the identity partition or the registry partition.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Record {
    /// An event was accepted.
    Accepted(Accepted),
    /// What followed from one item: all of it or nothing.
    Decided(Decided),
    /// A partition took a registry revision into use.
    Adopted(Adopted),
    /// An identifier belongs to a profile; first wins.
    Linked(Linked),
    /// The registry changed.
    Registry(RegistryRecord),
}

/// The number of a record's kind in the log's envelope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum RecordKind {
    /// [`Record::Accepted`].
    Accepted = 1,
    /// [`Record::Decided`].
    Decided = 2,
    /// [`Record::Adopted`].
    Adopted = 3,
    /// [`Record::Linked`].
    Linked = 4,
    /// [`Record::Registry`].
    Registry = 5,
}

/// The registry changed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RegistryRecord {
    pub change: RegistryChange,
    pub by: Application,
    /// Why, when they said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    pub at: Timestamp,
}

/// A record that can't be read.
#[derive(Debug, thiserror::Error)]
#[error("the record's payload can't be read: {0}; a newer host may have written it")]
pub struct RecordError(String);

/// Why records of a log can't be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The log can't be read.
    #[error(transparent)]
    Log(#[from] samsyn_log::LogError),
    /// A record can't be read.
    #[error(transparent)]
    Record(#[from] RecordError),
}

impl RecordError {
    fn kind(unknown: u8) -> RecordError {
        RecordError(format!("its kind {unknown} is not known"))
    }
}

impl Record {
    /// The record's kind.
    pub fn kind(&self) -> RecordKind {
        match self {
            Record::Accepted(_) => RecordKind::Accepted,
            Record::Decided(_) => RecordKind::Decided,
            Record::Adopted(_) => RecordKind::Adopted,
            Record::Linked(_) => RecordKind::Linked,
            Record::Registry(_) => RecordKind::Registry,
        }
    }

    /// The payload as the log keeps it.
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Record::Accepted(accepted) => encode(accepted),
            Record::Decided(decided) => encode(decided),
            Record::Adopted(adopted) => encode(adopted),
            Record::Linked(linked) => encode(linked),
            Record::Registry(record) => encode(record),
        }
    }

    /// Reads a payload of this kind when it is a decision; any other isn't looked into.
    pub fn decided_from_bytes(kind: u8, payload: &[u8]) -> Result<Option<Decided>, RecordError> {
        if kind == 2 { decode(payload).map(Some) } else { Ok(None) }
    }

    /// Reads a payload of this kind.
    pub fn from_bytes(kind: u8, payload: &[u8]) -> Result<Record, RecordError> {
        match kind {
            1 => decode(payload).map(Record::Accepted),
            2 => decode(payload).map(Record::Decided),
            3 => decode(payload).map(Record::Adopted),
            4 => decode(payload).map(Record::Linked),
            5 => decode(payload).map(Record::Registry),
            other => Err(RecordError::kind(other)),
        }
    }
}

/// MessagePack with named fields. Encoding plain data into memory can't fail.
pub fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    with_encoded(value, <[u8]>::to_vec)
}

/// [`encode`] for who needs the bytes elsewhere than in a vector: lends them from a buffer that the
/// thread keeps, which has long grown as large as what it encodes.
pub fn with_encoded<T: Serialize, R>(value: &T, with: impl FnOnce(&[u8]) -> R) -> R {
    let named =
        |bytes: &mut Vec<u8>| value.serialize(&mut rmp_serde::Serializer::new(bytes).with_struct_map());
    lent(named, with)
}

/// [`with_encoded`] with fields in their order instead of by their names.
pub fn with_encoded_in_order<T: Serialize, R>(value: &T, with: impl FnOnce(&[u8]) -> R) -> R {
    lent(|bytes| value.serialize(&mut rmp_serde::Serializer::new(bytes)), with)
}

fn lent<R>(
    encode: impl FnOnce(&mut Vec<u8>) -> Result<(), rmp_serde::encode::Error>,
    with: impl FnOnce(&[u8]) -> R,
) -> R {
    thread_local! {
        static BUFFER: std::cell::Cell<Vec<u8>> = const { std::cell::Cell::new(Vec::new()) };
    }
    let mut bytes = BUFFER.take();
    bytes.clear();
    if let Err(error) = encode(&mut bytes) {
        unreachable!("plain data is encodable: {error}");
    }
    let result = with(&bytes);
    if bytes.capacity() <= KEPT_BUFFER_BYTES_MAX {
        BUFFER.set(bytes);
    }
    result
}

/// The largest buffer a thread keeps for encoding, in bytes: a record of the usual kind has one or
/// two thousand.
const KEPT_BUFFER_BYTES_MAX: usize = 64 * 1024;

/// Reads what [`encode`] wrote.
pub fn decode<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, RecordError> {
    T::deserialize(&mut unpack::Unpacker::new(bytes)).map_err(|error| RecordError(error.to_string()))
}

/// Bytes as MessagePack's binary, not as a list of numbers.
pub mod bytes {
    use serde::{Deserializer, Serializer};

    pub fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(bytes)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Vec<u8>;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("bytes")
            }
            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
                Ok(bytes.to_vec())
            }
            fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut items: A) -> Result<Vec<u8>, A::Error> {
                let mut bytes = Vec::new();
                while let Some(byte) = items.next_element()? {
                    bytes.push(byte);
                }
                Ok(bytes)
            }
        }
        deserializer.deserialize_byte_buf(Visitor)
    }
}
