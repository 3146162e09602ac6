//! What stands in the log, and what it folds into.
//!
//! A record's payload is MessagePack with named fields; new fields are optional, so that
//! tomorrow's host reads today's segments. One record concerns one profile. [`fold`] is pure: it
//! never calls a plug-in, a clock or the network, so the state is the log and nothing else.

mod fold;
mod patterns;
mod profile_state;
mod usage;

pub use fold::{PartitionState, fold_into, fold_profile};
pub use patterns::{CLAIMANTS_MAX, Claimant, Pattern, PatternMove, Patterns, Tally, moves_from, moves_to};
pub use profile_state::{Blocked, Claim, Latch, MemoryBytes, ProfileState, Told, Visible};
pub use usage::{fold_usage_of_accepted, fold_usage_of_decided};

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::registry::RegistryChange;
use crate::vocabulary::{
    Application, CapabilityName, Digest, Event, EventName, Failure, FieldName, Identifier, IdentifierName,
    ItemPosition, ProfileId, Property, Proposal, Reason, Refusal, Role, Seq, Speaker, Timestamp, Value,
};

/// The version of [`fold`]: raise it when the same records fold into something else, or when the view
/// keeps it differently, and every view is rebuilt.
pub const FOLD_VERSION: u32 = 4;

/// One record of a profile partition, the identity partition or the registry partition.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Record {
    /// An event was taken.
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

/// An event was taken.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Accepted {
    /// Whose.
    pub profile: ProfileId,
    /// What happened.
    pub event: Event,
    /// The identifiers it came with.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub identifiers: Vec<Identifier>,
    /// What it suggests.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub proposals: Vec<Proposal>,
    /// The ETag the profile must still have when the proposals are decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// The fields that ETag is of, for a sender who sees no others; none: all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_of: Option<Vec<FieldName>>,
    /// Identifiers of the event that belong to another profile: a recorded conflict.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conflicts: Vec<Conflict>,
    /// A hash of what was sent: the same event id with another one is refused.
    pub content: u64,
}

/// An identifier that two profiles go by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conflict {
    /// The identifier.
    pub identifier: Identifier,
    /// The profile it belongs to; first wins.
    pub belongs_to: ProfileId,
}

/// Why a delivery happens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CauseKind {
    /// An application's event.
    #[default]
    Event,
    /// An event a capability emitted.
    Emitted,
    /// Visible values changed.
    Change,
    /// A field's source moved, or a generation took over: the `Adopted` that says so.
    Assignment,
    /// A held proposal was offered to the source its field has now.
    Offered,
}

/// What followed from one item: an accepted event, an emitted event or a change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decided {
    /// Whose.
    pub profile: ProfileId,
    /// The item it answers.
    pub cause: ItemPosition,
    /// What kind of item that is.
    #[serde(default)]
    pub kind: CauseKind,
    /// The accepted event at the root of the chain of causes.
    pub root: Seq,
    /// Generations of cause between the root and this.
    #[serde(default)]
    pub depth: u16,
    /// Derived deliveries the root has spent, this record's included.
    #[serde(default)]
    pub spent: u32,
    /// The partition's cursor: items up to and with this one are decided for live capabilities.
    pub through: ItemPosition,
    /// A lagging capability whose own cursor this record moves, instead of the partition's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<Cursor>,
    /// The registry revision every check used.
    pub revision: Seq,
    /// When the host decided.
    pub at: Timestamp,
    /// When what it follows from happened: the time of the claims.
    pub observed_at: Timestamp,
    /// The profile's record before this one: the timeline is this chain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<Seq>,
    /// Identifiers that the profile now has.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub identifiers: Vec<Identifier>,
    /// Identifiers that it no longer has.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub retired: Vec<Identifier>,
    /// Identifiers it could not get, because another profile has them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conflicts: Vec<Conflict>,
    /// Each delivery's outcome.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outcomes: Vec<Outcome>,
    /// Each proposed field's outcome.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub answers: Vec<Answer>,
    /// Proposals of fields without a source, held as claims of the application.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub held: Vec<HeldProposal>,
    /// Visible values that changed; item 0 of this record.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Changed>,
    /// Events that capabilities emitted; items 1 and up.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub emitted: Vec<Emitted>,
    /// Held proposals that are offered to the source their field has now; the item behind the
    /// last emitted event.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub offered: Vec<HeldProposal>,
    /// The customer's consumers hear with this record what moved sources made of its values.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub tells: bool,
}

impl Decided {
    /// Whether it has items of its own, which have to be decided.
    pub fn derives(&self) -> bool {
        !self.changes.is_empty() || !self.emitted.is_empty() || !self.offered.is_empty()
    }

    /// The number of its last possible item: changes are item 0, emitted events follow, then what
    /// is offered.
    pub fn last_item(&self) -> u16 {
        self.emitted.len() as u16 + u16::from(!self.offered.is_empty())
    }
}

/// A lagging capability's cursor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// Whose.
    pub capability: CapabilityName,
    /// Of which generation.
    pub generation: u32,
    /// Items up to and with this one are decided for it.
    pub through: ItemPosition,
    /// It started from the oldest event; else it was stopped or is slow.
    #[serde(default)]
    pub catching_up: bool,
}

/// What became of one delivery.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// Who was called.
    pub capability: CapabilityName,
    /// Of which generation.
    pub generation: u32,
    /// In which role.
    pub role: Role,
    /// The component that ran.
    pub digest: Digest,
    /// The revision of the settings it ran with.
    pub settings: Seq,
    /// How it ended.
    pub result: DeliveryResult,
    /// Claims it made; none as value is a claim that there is none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub claims: Vec<(FieldName, Option<Value>)>,
    /// What the host or the plug-in said no to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refusals: Vec<Refusal>,
    /// What it keeps of this customer, when that changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<Memory>,
}

/// How a delivery ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeliveryResult {
    /// It ran, and what it asked for is in this record. Final.
    Done,
    /// It failed and waits until the plug-in or its settings change or an admin acts.
    Parked(Failure),
    /// It waits behind a parked delivery of the same capability and customer.
    Held,
    /// An admin gave it up. Final.
    Skipped {
        /// Why.
        reason: String,
    },
    /// The root's budget of derived deliveries or generations is spent. Final.
    Undeliverable {
        /// Which bound.
        reason: String,
    },
}

impl DeliveryResult {
    /// Whether nothing more becomes of the delivery.
    pub fn is_final(&self) -> bool {
        !matches!(self, DeliveryResult::Parked(_) | DeliveryResult::Held)
    }
}

/// A capability's private bytes about a customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Memory {
    /// These.
    Kept(#[serde(with = "bytes")] Vec<u8>),
    /// None any more.
    Forgotten,
}

/// What became of one proposed field.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// The field.
    pub field: FieldName,
    /// Its assigned source then; none when it had none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<CapabilityName>,
    /// What the source made of it.
    pub outcome: AnswerKind,
}

/// What a source made of a proposal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AnswerKind {
    /// The value is what was proposed.
    Accepted,
    /// The value is another form of it.
    InAnotherForm(Value),
    /// The source cleared the field.
    Cleared,
    /// The source said no.
    Refused {
        /// Its code.
        code: String,
        /// Its sentence.
        message: String,
    },
    /// The source said nothing.
    NoAnswer,
    /// Nobody sources the field; the proposal is held.
    NoSource,
    /// The profile was no longer as expected.
    PreconditionFailed,
    /// The source's delivery is parked, held or quarantined.
    Waiting,
}

/// A proposal nobody could decide.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HeldProposal {
    /// `app:NAME`, or the capability that proposed.
    pub by: Speaker,
    /// The field.
    pub field: FieldName,
    /// The value; none suggests to clear it.
    pub value: Option<Value>,
    /// When it was proposed.
    pub at: Timestamp,
    /// The event that proposed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<Seq>,
}

impl HeldProposal {
    /// It as it was proposed.
    pub fn as_proposal(&self) -> Proposal {
        let HeldProposal { by, field, value, at, .. } = self.clone();
        Proposal { field, value, by, at }
    }
}

/// A visible value changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Changed {
    /// The capability whose claim it is: it hears nothing of its own.
    pub by: CapabilityName,
    /// The field.
    pub field: FieldName,
    /// What everybody saw before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// What everybody sees now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
    /// The field is protective: its `true` is latched, or its source took it back.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub protective: bool,
}

/// An event a capability emitted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Emitted {
    /// Who did.
    pub by: CapabilityName,
    /// What happened.
    pub name: EventName,
    /// What else is known, of the declared types.
    pub properties: Vec<Property>,
    /// Recorded but not delivered: emitted while catching up.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub silent: bool,
}

/// A partition took a registry revision into use.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Adopted {
    /// From this record on.
    pub revision: Seq,
    /// The partition's cursor.
    pub through: ItemPosition,
    /// The generation of each capability whose claims and memory count.
    pub visible: BTreeMap<CapabilityName, u32>,
    /// Capabilities with a cursor of their own: quarantined, slow or catching up. All others are
    /// live: they move with the partition's cursor.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lagging: Vec<Cursor>,
    /// What consumers have yet to be told of sources that moved, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub jobs: Vec<TellingJob>,
    /// When.
    pub at: Timestamp,
}

/// Sources moved: whoever's visible values that changes is told of, one after the other. A
/// customer with a record since has been told: whatever is decided of them tells it too.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TellingJob {
    /// The `Adopted` that began it; 0 in that record itself.
    #[serde(default)]
    pub since: Seq,
    /// The registry revision that moved the sources.
    pub revision: Seq,
    /// The fields, as they were before.
    pub fields: Vec<MovedField>,
    /// The generations that counted before, of capabilities where another one does now.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub generations: BTreeMap<CapabilityName, u32>,
}

/// Whose claims were a field's values before a source moved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MovedField {
    /// The field.
    pub field: FieldName,
    /// Its source then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<CapabilityName>,
    /// The former sources it inherited from then.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inherits: Vec<CapabilityName>,
}

/// An identifier belongs to a profile, or does so no more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Linked {
    /// Which kind of name.
    pub identifier: IdentifierName,
    /// Its normal form.
    pub normal: String,
    /// Whose.
    pub profile: ProfileId,
    /// The link ends instead.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub retired: bool,
}

/// The registry changed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RegistryRecord {
    /// What.
    pub change: RegistryChange,
    /// Who did it.
    pub by: Application,
    /// Why, when they said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// When.
    pub at: Timestamp,
}

/// A record that can't be read.
#[derive(Debug, thiserror::Error)]
#[error("the record's payload can't be read: {0}; a newer host may have written it")]
pub struct RecordError(String);

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

    /// Reads a payload of this kind.
    pub fn from_bytes(kind: u8, payload: &[u8]) -> Result<Record, RecordError> {
        match kind {
            1 => decode(payload).map(Record::Accepted),
            2 => decode(payload).map(Record::Decided),
            3 => decode(payload).map(Record::Adopted),
            4 => decode(payload).map(Record::Linked),
            5 => decode(payload).map(Record::Registry),
            other => Err(RecordError(format!("its kind {other} is not known"))),
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
    thread_local! {
        static BUFFER: std::cell::Cell<Vec<u8>> = const { std::cell::Cell::new(Vec::new()) };
    }
    let mut bytes = BUFFER.take();
    bytes.clear();
    let mut serializer = rmp_serde::Serializer::new(&mut bytes).with_struct_map();
    if let Err(error) = value.serialize(&mut serializer) {
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
    rmp_serde::from_slice(bytes).map_err(|error| RecordError(error.to_string()))
}

/// Bytes as MessagePack's binary, not as a list of numbers.
pub(crate) mod bytes {
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
