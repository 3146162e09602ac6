//! Partial decoding: records with only the fields that the fold reads. Folding a whole log decodes millions
//! of records, and half of their content is not needed for the state: it is skipped.

use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::codec::decoded;
use super::{
    Adopted, Answer, Call, CallRecord, CauseKind, Changed, Conflict, Cursor, Decided, DoubtStep, Emitted,
    EndedCall, EndedTimer, HeldProposal, InvocationStatus, Late, LinePosition, Memory, Outcome, RecordError,
    RecordKind, decode, decode_at,
};
use samsyn_vocabulary::{
    Action, Application, CapabilityName, Digest, EventName, FieldName, FullPosition, Identifier,
    IdentifierName, ItemPosition, Partition, Position, ProfileId, Property, Refusal, Role, Seq, Timestamp,
    Value,
};

/// A [`Record`](super::Record) with only the fields that the fold reads.
pub enum PartialRecord<'a> {
    /// An event was accepted.
    Accepted(PartialEvent<'a>),
    /// What followed from one item.
    Decided(Box<Decided>),
    /// A partition took a registry revision into use.
    Adopted(Adopted),
    /// An identifier was linked or retired.
    Linked(LinkedRef<'a>),
    /// The registry changed, which is folded by the registry's own keeper.
    Registry,
    /// Something about an item that was decided before.
    Late(Late),
    /// A timer is due, which its decision folds; or these are the bytes of a request.
    Due,
    /// Something about a call.
    Call(CallRecord),
    /// Its content was erased: it folds to nothing.
    Erased,
}

impl<'a> PartialRecord<'a> {
    /// Reads a payload of this kind that stands in this partition.
    pub(super) fn decode(
        home: Partition,
        kind: RecordKind,
        payload: &'a [u8],
    ) -> Result<PartialRecord<'a>, RecordError> {
        match kind {
            RecordKind::Accepted => {
                decode(payload).map(|PartialAccepted { event }| PartialRecord::Accepted(event))
            }
            RecordKind::Decided => {
                Decided::decode_partially(home, payload).map(Box::new).map(PartialRecord::Decided)
            }
            RecordKind::Adopted => decode(payload).map(PartialRecord::Adopted),
            RecordKind::Linked => decode(payload).map(PartialRecord::Linked),
            RecordKind::Registry => Ok(PartialRecord::Registry),
            RecordKind::Late => decode_at(home, payload).map(PartialRecord::Late),
            RecordKind::Due | RecordKind::Body => Ok(PartialRecord::Due),
            RecordKind::Sending
            | RecordKind::Retrying
            | RecordKind::Answered
            | RecordKind::Settled
            | RecordKind::Doubted
            | RecordKind::Framed => CallRecord::decode(home, kind, payload).map(PartialRecord::Call),
        }
    }
}

/// What the view keeps of an [`Accepted`](super::Accepted).
#[derive(Deserialize)]
struct PartialAccepted<'a> {
    #[serde(borrow)]
    event: PartialEvent<'a>,
}

/// What the view keeps of an [`Event`](samsyn_vocabulary::Event).
#[derive(Deserialize)]
pub struct PartialEvent<'a> {
    /// The sender's id.
    pub id: &'a str,
    /// Who sent it.
    #[serde(default)]
    pub application: Option<Application>,
    /// What happened.
    pub name: EventName,
    /// When the host took it.
    pub received_at: Timestamp,
}

/// A [`Linked`](super::Linked), borrowed.
#[derive(Deserialize)]
pub struct LinkedRef<'a> {
    /// Which kind of name.
    pub identifier: IdentifierName,
    /// Its normal form.
    pub normal: &'a str,
    pub profile: ProfileId,
    /// The link ends instead.
    #[serde(default)]
    pub retired: bool,
    /// It is a place in a line.
    #[serde(rename = "place", default)]
    pub line_position: Option<LinePosition>,
}

impl Decided {
    /// Reads the fields of a payload that the folds of a profile, its patterns, a partition and the usage
    /// read: the result of the fold is the same, and the other fields are left empty.
    fn decode_partially(home: Partition, payload: &[u8]) -> Result<Decided, RecordError> {
        decoded(Some(home), payload, |payload| PartialDecided::deserialize(payload))
    }
}

// A field that is new in one of the originals doesn't compile before it is said here whether the
// fold asks for it.

#[derive(Deserialize)]
#[serde(remote = "Decided")]
struct PartialDecided {
    profile: ProfileId,
    #[serde(with = "crate::home::item")]
    cause: FullPosition,
    #[serde(default)]
    kind: CauseKind,
    #[serde(with = "crate::home::record")]
    root: Position,
    #[serde(default)]
    depth: u16,
    #[serde(default)]
    spent: u32,
    through: ItemPosition,
    #[serde(default)]
    cursor: Option<Cursor>,
    revision: Seq,
    at: Timestamp,
    observed_at: Timestamp,
    #[serde(default, with = "crate::home::record_if_any")]
    previous: Option<Position>,
    #[serde(default)]
    identifiers: Vec<Identifier>,
    #[serde(default)]
    retired: Vec<Identifier>,
    #[serde(default)]
    conflicts: Vec<Conflict>,
    #[serde(default, deserialize_with = "outcomes")]
    outcomes: Vec<Outcome>,
    #[serde(default)]
    answers: Vec<Answer>,
    #[serde(default)]
    held: Vec<HeldProposal>,
    #[serde(default, deserialize_with = "protective_changes")]
    changes: Vec<Changed>,
    #[serde(default, deserialize_with = "emitted")]
    emitted: Vec<Emitted>,
    #[serde(skip)]
    offered: Vec<HeldProposal>,
    #[serde(rename = "tells", default)]
    notifies: bool,
    #[serde(default)]
    refused_opt_outs: Vec<FieldName>,
    #[serde(default)]
    timer: Option<EndedTimer>,
    #[serde(default)]
    call: Option<Box<EndedCall>>,
    #[serde(default)]
    doubt: Option<Box<DoubtStep>>,
}

#[derive(Deserialize)]
#[serde(remote = "Outcome")]
struct PartialOutcome {
    capability: CapabilityName,
    generation: u32,
    role: Role,
    #[serde(skip, default = "no_digest")]
    digest: Digest,
    #[serde(skip)]
    settings: Seq,
    result: InvocationStatus,
    #[serde(default)]
    claims: Vec<(FieldName, Option<Value>)>,
    #[serde(skip)]
    refusals: Vec<Refusal>,
    #[serde(default)]
    memory: Option<Memory>,
    #[serde(default)]
    actions: Vec<Action>,
    #[serde(default)]
    calls: Vec<Call>,
}

fn no_digest() -> Digest {
    Digest([0; 32])
}

fn outcomes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Outcome>, D::Error> {
    #[derive(Deserialize)]
    struct Partial(#[serde(with = "PartialOutcome")] Outcome);
    let outcomes = Vec::<Partial>::deserialize(deserializer)?;
    Ok(outcomes.into_iter().map(|outcome| outcome.0).collect())
}

#[derive(Deserialize)]
#[serde(remote = "Emitted")]
struct PartialEmitted {
    by: CapabilityName,
    name: EventName,
    #[serde(skip)]
    properties: Vec<Property>,
    #[serde(skip)]
    silent: bool,
}

fn emitted<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Emitted>, D::Error> {
    #[derive(Deserialize)]
    struct Partial(#[serde(with = "PartialEmitted")] Emitted);
    let emitted = Vec::<Partial>::deserialize(deserializer)?;
    Ok(emitted.into_iter().map(|emitted| emitted.0).collect())
}

/// Only protective fields are folded from what changed, and only whether they are `true` now: claims
/// say the rest.
fn protective_changes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Changed>, D::Error> {
    #[derive(Deserialize)]
    struct Change<'a> {
        by: &'a str,
        field: &'a str,
        #[serde(default)]
        after: Option<IsTrue>,
        #[serde(default)]
        protective: bool,
    }
    let changes = Vec::<Change>::deserialize(deserializer)?;
    let protective = changes.into_iter().filter(|change| change.protective);
    let read = |change: Change<'_>| {
        Ok(Changed {
            by: CapabilityName::new(change.by)?,
            field: FieldName::new(change.field)?,
            before: None,
            after: change.after.map(|is_true| Value::Boolean(is_true.0)),
            protective: true,
        })
    };
    protective
        .map(read)
        .collect::<Result<_, samsyn_vocabulary::NameError>>()
        .map_err(serde::de::Error::custom)
}

/// Whether a [`Value`] is `true`.
struct IsTrue(bool);

impl<'de> Deserialize<'de> for IsTrue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<IsTrue, D::Error> {
        struct OfValue;
        impl<'de> Visitor<'de> for OfValue {
            type Value = IsTrue;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a value")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut value: A) -> Result<IsTrue, A::Error> {
                if value.next_key::<&str>()? == Some("boolean") {
                    return value.next_value().map(IsTrue);
                }
                value.next_value::<IgnoredAny>()?;
                Ok(IsTrue(false))
            }
        }
        deserializer.deserialize_map(OfValue)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::{
        AnswerKind, CallEnd, CallNumber, Line, Linked, PartitionState, ProfileState, TimerEnd, encode,
        encode_at, fold_into, fold_usage_of_decided, moves_from, moves_to,
    };
    use super::*;
    use samsyn_registry::report::Usage;

    const HOME: Partition = Partition(3);

    fn at(seq: Seq) -> Position {
        Position { partition: HOME, seq }
    }

    fn text(text: &str) -> Option<Value> {
        Some(Value::Text(text.to_owned()))
    }

    fn outcome(capability: &str, claim: Option<Value>, result: InvocationStatus) -> Outcome {
        Outcome {
            capability: capability.parse().unwrap(),
            generation: 3,
            role: Role::Observer,
            digest: Digest::of(b"component"),
            settings: 5,
            result,
            claims: vec![("phone".parse().unwrap(), claim), ("sms.opted_out".parse().unwrap(), None)],
            refusals: Vec::new(),
            memory: Some(Memory::Kept(vec![0, 200])),
            actions: vec![
                Action { name: "wake".to_owned(), subject: "birthday".to_owned(), value: text("x") },
                Action {
                    name: "timer.set".to_owned(),
                    subject: "birthday".to_owned(),
                    value: Some(Value::Timestamp(Timestamp(77))),
                },
            ],
            calls: vec![Call {
                endpoint: "system".parse().unwrap(),
                method: "PUT".to_owned(),
                path: "/members/1".to_owned(),
                query: vec![("a".to_owned(), "b".to_owned())],
                headers: Vec::new(),
                body: None,
                note: None,
                key: Some(uuid::Uuid::from_u128(7)),
                looks_up: Some(1),
                silent: false,
                is_row: true,
            }],
        }
    }

    /// A decision with everything in it that a decision can have.
    fn decided(after: Option<Value>, protective: bool) -> Decided {
        let identifier =
            |value: &str| Identifier { name: "customer_id".parse().unwrap(), value: value.to_owned() };
        let held = HeldProposal {
            by: "app:web".parse().unwrap(),
            field: "city".parse().unwrap(),
            value: text("Bergen"),
            at: Timestamp(4),
            event: Some(at(2)),
        };
        let changed = |field: &str, after, protective| Changed {
            by: "crm".parse().unwrap(),
            field: field.parse().unwrap(),
            before: text("before"),
            after,
            protective,
        };
        let cause = at(7).item(2);
        Decided {
            kind: CauseKind::Emitted,
            depth: 2,
            spent: 9,
            cursor: Some(Cursor {
                capability: "slow".parse().unwrap(),
                generation: 1,
                through: ItemPosition { seq: 7, index: 2 },
                catching_up: true,
            }),
            revision: 11,
            observed_at: Timestamp(3),
            previous: Some(at(4)),
            identifiers: vec![identifier("1"), identifier("2")],
            retired: vec![identifier("3")],
            conflicts: vec![Conflict { identifier: identifier("4"), belongs_to: ProfileId::random() }],
            outcomes: vec![
                outcome("crm", text("555"), InvocationStatus::Done),
                outcome("sms", None, InvocationStatus::Held),
            ],
            answers: vec![Answer {
                field: "phone".parse().unwrap(),
                source: Some("crm".parse().unwrap()),
                outcome: AnswerKind::InAnotherForm(Value::Integer(7)),
            }],
            held: vec![held.clone()],
            changes: vec![changed("phone", text("555"), false), changed("sms.opted_out", after, protective)],
            emitted: vec![Emitted {
                by: "crm".parse().unwrap(),
                name: "crm.called".parse().unwrap(),
                properties: vec![Property { name: "x".to_owned(), value: Value::Boolean(true) }],
                silent: true,
            }],
            offered: vec![held],
            notifies: true,
            timer: Some(EndedTimer {
                capability: "slow".parse().unwrap(),
                generation: 1,
                name: "weekly".parse().unwrap(),
                number: 3,
                how: TimerEnd::Cancelled,
            }),
            call: Some(Box::new(EndedCall {
                capability: "slow".parse().unwrap(),
                endpoint: "system".parse().unwrap(),
                number: 3,
                how: CallEnd::Response { status: 200 },
            })),
            doubt: Some(Box::new(DoubtStep {
                call: CallNumber { capability: "crm".parse().unwrap(), generation: 3, number: 1 },
                finding: None,
            })),
            ..Decided::nothing(ProfileId(uuid::Uuid::nil()), cause, Timestamp(2))
        }
    }

    #[test]
    fn what_is_read_to_be_folded_folds_into_the_same() {
        let afters = [None, text("true"), Some(Value::Boolean(true)), Some(Value::Boolean(false))];
        for (after, protective) in afters.into_iter().flat_map(|is| [(is.clone(), true), (is, false)]) {
            let whole = decided(after, protective);
            let read = Decided::decode_partially(HOME, &encode_at(HOME, &whole)).unwrap();
            assert_eq!(folded(&read), folded(&whole), "{whole:?}");
            // And it is read as a whole by who asks for the whole.
            assert_eq!(decode_at::<Decided>(HOME, &encode_at(HOME, &whole)).unwrap(), whole);
            assert!(read.what_is_not_folded_is_empty());
        }
    }

    fn folded(decided: &Decided) -> impl PartialEq + std::fmt::Debug + use<> {
        let before = ProfileState::new(decided.profile, Timestamp(1));
        let moves = moves_from(Some(&before), decided);
        let mut state = before;
        fold_into(&mut state, at(8), decided);
        let mut partition = PartitionState::default();
        let slow = Cursor {
            capability: "slow".parse().unwrap(),
            generation: 1,
            through: ItemPosition::default(),
            catching_up: true,
        };
        Arc::make_mut(&mut partition.adopted).lagging.push(slow);
        partition.fold_decided(decided);
        let mut usage = Usage::default();
        fold_usage_of_decided(&mut usage, decided);
        let moves = moves_to(moves, &state);
        (moves, state, partition, usage, decided.previous)
    }

    impl Decided {
        fn what_is_not_folded_is_empty(&self) -> bool {
            self.offered.is_empty()
                && self.outcomes.iter().all(|outcome| outcome.refusals.is_empty())
                && self.emitted.iter().all(|emitted| emitted.properties.is_empty())
                && self.changes.iter().all(|changed| changed.protective)
        }
    }

    #[test]
    fn a_link_reads_the_same_borrowed() {
        let first = LinePosition { line: Line::Sent, number: 7 };
        for (retired, line_position) in [(false, None), (true, Some(first))] {
            let linked = Linked {
                identifier: "email".parse().unwrap(),
                normal: "anna@example.com".to_owned(),
                profile: ProfileId::random(),
                retired,
                line_position,
                version: 2,
            };
            let bytes = encode(&linked);
            let read: LinkedRef<'_> = decode(&bytes).unwrap();
            let read =
                (read.identifier, read.normal.to_owned(), read.profile, read.retired, read.line_position);
            assert_eq!(read, (linked.identifier, linked.normal, linked.profile, retired, line_position));
        }
    }
}
