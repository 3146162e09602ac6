//! What followed from one item, all of it in one record.

use serde::{Deserialize, Serialize};

use super::{Conflict, Cursor, DoubtStep, EndedCall, EndedTimer, Note};
use samsyn_vocabulary::{
    Action, CapabilityName, Digest, EndpointName, EventName, Failure, FieldName, FullPosition, Identifier,
    ItemPosition, Position, ProfileId, Property, Proposal, Refusal, Role, Seq, Speaker, Timestamp, Value,
};

/// Why an invocation happens.
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
    /// A timer was due.
    Timer,
    /// A call was answered.
    Answer,
    /// A call is in doubt.
    Doubt,
}

/// What followed from one item: an accepted event, an emitted event or a change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decided {
    pub profile: ProfileId,
    /// The item it answers.
    #[serde(with = "crate::home::item")]
    pub cause: FullPosition,
    /// What kind of item that is.
    #[serde(default)]
    pub kind: CauseKind,
    /// The accepted event at the root of the chain of causes.
    #[serde(with = "crate::home::record")]
    pub root: Position,
    /// Generations of cause between the root and this.
    #[serde(default)]
    pub depth: u16,
    /// Derived invocations the root has spent, this record's included.
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
    #[serde(default, skip_serializing_if = "Option::is_none", with = "crate::home::record_if_any")]
    pub previous: Option<Position>,
    /// Identifiers that the profile now has.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub identifiers: Vec<Identifier>,
    /// Identifiers that it no longer has.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub retired: Vec<Identifier>,
    /// Identifiers it could not get, because another profile has them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conflicts: Vec<Conflict>,
    /// Each invocation's outcome.
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
    #[serde(rename = "tells", default, skip_serializing_if = "std::ops::Not::not")]
    pub notifies: bool,
    /// Protective fields of which an opt-out was refused: somebody should look at it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused_opt_outs: Vec<FieldName>,
    /// The timer that was due, which ends with this record. Of a retry none: it ended before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timer: Option<EndedTimer>,
    /// The call whose answer it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<Box<EndedCall>>,
    /// The call in doubt that it looks up, or whose look-up it judges.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doubt: Option<Box<DoubtStep>>,
}

impl Decided {
    /// That nothing followed from an item, which is taken for an application's event: where every
    /// other decision begins.
    pub fn nothing(profile: ProfileId, cause: FullPosition, at: Timestamp) -> Decided {
        Decided {
            profile,
            cause,
            kind: CauseKind::Event,
            root: cause.record(),
            depth: 0,
            spent: 0,
            through: ItemPosition { seq: cause.seq, index: cause.index },
            cursor: None,
            revision: 0,
            at,
            observed_at: at,
            previous: None,
            identifiers: Vec::new(),
            retired: Vec::new(),
            conflicts: Vec::new(),
            outcomes: Vec::new(),
            answers: Vec::new(),
            held: Vec::new(),
            changes: Vec::new(),
            emitted: Vec::new(),
            offered: Vec::new(),
            notifies: false,
            refused_opt_outs: Vec::new(),
            timer: None,
            call: None,
            doubt: None,
        }
    }

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

/// What became of one invocation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// Who was called.
    pub capability: CapabilityName,
    pub generation: u32,
    pub role: Role,
    /// The component that ran.
    pub digest: Digest,
    /// The revision of the settings it ran with.
    pub settings: Seq,
    /// How it ended.
    pub result: InvocationStatus,
    /// Claims it made; none as value is a claim that there is none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub claims: Vec<(FieldName, Option<Value>)>,
    /// What the host or the plug-in said no to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refusals: Vec<Refusal>,
    /// What it keeps of this customer, when that changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<Memory>,
    /// What else it asked for, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub actions: Vec<Action>,
    /// The requests it began, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub calls: Vec<Call>,
}

/// A request to a system. It is sent when this record is on the disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// Which endpoint of its capability.
    pub endpoint: EndpointName,
    /// The method, in capitals.
    pub method: String,
    /// The path below the endpoint's base.
    pub path: String,
    /// The query, not encoded.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub query: Vec<(String, String)>,
    /// Headers that the plug-in set.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<(String, String)>,
    /// The body; none: it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<CallBody>,
    /// What comes back with the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Note>,
    /// The idempotency key, by which the system knows the request whenever it comes again: random, so that no other
    /// record has it, also none that takes this one's place after a restore.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<uuid::Uuid>,
    /// It is the look-up of the call with this number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub looks_up: Option<u32>,
    /// It is not sent: a generation that catches up began it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub silent: bool,
    /// It is a row: the host sends its body with those of other customers.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_row: bool,
}

/// The body of a request: its bytes are a record of their own, [`Body`](super::Body).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallBody {
    pub media_type: String,
    /// The digest of the bytes.
    pub digest: Digest,
    /// How many.
    pub bytes: u32,
    /// How many records before this one the bytes stand, in the same partition; 0: nowhere.
    #[serde(default)]
    pub before: u16,
}

/// How an invocation ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InvocationStatus {
    /// It ran, and what it asked for is in this record. Final.
    Done,
    /// It failed and waits until the plug-in or its settings change or an admin acts.
    Parked(Failure),
    /// It waits behind a parked invocation of the same capability and customer.
    Held,
    /// An admin gave it up. Final.
    Skipped { reason: String },
    /// The root's budget of derived invocations or generations is spent. Final.
    Undeliverable {
        /// Which bound.
        reason: String,
    },
}

impl InvocationStatus {
    /// Whether nothing more becomes of the invocation.
    pub fn is_final(&self) -> bool {
        !matches!(self, InvocationStatus::Parked(_) | InvocationStatus::Held)
    }
}

/// A capability's private bytes about a customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Memory {
    Kept(#[serde(with = "super::bytes")] Vec<u8>),
    /// None any more.
    Forgotten,
}

/// What became of one proposed field.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answer {
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
    /// The source's invocation is parked, held or quarantined.
    Waiting,
}

/// A proposal nobody could decide.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HeldProposal {
    /// `app:NAME`, or the capability that proposed.
    pub by: Speaker,
    pub field: FieldName,
    /// The value; none suggests to clear it.
    pub value: Option<Value>,
    /// When it was proposed.
    pub at: Timestamp,
    /// The event that proposed it.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "crate::home::record_if_any")]
    pub event: Option<Position>,
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
    pub by: CapabilityName,
    /// What happened.
    pub name: EventName,
    /// What else is known, of the declared types.
    pub properties: Vec<Property>,
    /// Recorded but not routed: emitted while catching up.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub silent: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A record without actions has the bytes that it had before there were any.
    #[test]
    fn actions_stand_in_a_record_only_when_there_are_any() {
        let outcome = |actions| Outcome {
            capability: "crm".parse().unwrap(),
            generation: 1,
            role: Role::Subscriber,
            digest: Digest::of(b"component"),
            settings: 1,
            result: InvocationStatus::Done,
            claims: Vec::new(),
            refusals: Vec::new(),
            memory: None,
            actions,
            calls: Vec::new(),
        };
        let members = |outcome: &Outcome| {
            let tree = serde_json::to_value(outcome).unwrap();
            tree.as_object().unwrap().keys().cloned().collect::<Vec<_>>()
        };
        assert_eq!(
            members(&outcome(Vec::new())),
            ["capability", "digest", "generation", "result", "role", "settings"]
        );
        let action = Action { name: "wake".to_owned(), subject: "birthday".to_owned(), value: None };
        let with_one = outcome(vec![action]);
        let bytes = crate::encode(&with_one);
        assert_eq!(crate::decode::<Outcome>(&bytes).unwrap(), with_one);
    }
}
