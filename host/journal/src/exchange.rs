//! Records about a call that a handler began: an attempt begins, it ended and another follows, it is answered, or
//! somebody settles it. The request itself stands in the [`Decided`](super::Decided) that asked for it, its body in a
//! [`Body`] before that.
//!
//! All but the answer are late records: they change what the customer's profile knows of the call, have no items, and
//! nobody is invoked for them. The answer is an item: it comes to the capability in the order of the log.

use serde::{Deserialize, Serialize};

use super::{Framed, RecordError, RecordKind, RowStep, decode_at};
use samsyn_vocabulary::{
    Application, CallAnswer, CapabilityName, Digest, EndpointName, Finding, Partition, Position, ProfileId,
    Reason, Timestamp,
};

/// The bytes of a request, named by their digest from the record that needs them. Nothing is folded from them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Body {
    pub profile: ProfileId,
    /// The digest of the bytes.
    pub digest: Digest,
    /// They.
    #[serde(with = "super::bytes")]
    pub bytes: Vec<u8>,
}

/// Which call of a customer: numbers count a capability generation's calls for the customer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CallId {
    pub profile: ProfileId,
    /// Who began it.
    pub capability: CapabilityName,
    /// The generation that did.
    pub generation: u32,
    /// Its number, see [`WaitingCall::number`](super::WaitingCall::number).
    pub number: u32,
}

/// An attempt begins: no byte of it leaves before this is on the disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sending {
    pub profile: ProfileId,
    pub call: CallNumber,
    /// Which attempt, counted from 1.
    pub attempt: u32,
    /// What the endpoint was bound to: the identity of its binding.
    pub binding: Digest,
    pub at: Timestamp,
}

/// A call among those of a profile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallNumber {
    pub capability: CapabilityName,
    pub generation: u32,
    pub number: u32,
}

impl CallId {
    /// It without its profile.
    pub fn in_profile(&self) -> CallNumber {
        let CallId { capability, generation, number, .. } = self.clone();
        CallNumber { capability, generation, number }
    }
}

/// An attempt ended, and another one follows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retrying {
    pub profile: ProfileId,
    pub call: CallNumber,
    /// Which attempt ended, counted from 1.
    pub attempt: u32,
    /// How.
    pub how: AttemptEnd,
    /// When it began.
    pub begun: Timestamp,
    /// When the next one begins, at the earliest.
    pub next: Timestamp,
    /// It counts as an attempt; one that met a pause doesn't.
    pub counts: bool,
    /// Nothing is sent before the call has been looked up.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub look_up: bool,
    /// What it means for a row.
    #[serde(default, skip_serializing_if = "RowStep::is_kept")]
    pub row: RowStep,
    pub at: Timestamp,
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AttemptEnd {
    /// No byte left.
    NotSent {
        /// A stable word.
        code: String,
        /// A sentence.
        reason: String,
    },
    /// An answer that asks for another attempt.
    Response {
        /// Its status.
        status: u16,
    },
    /// Nobody knows whether it arrived.
    Unknown {
        /// A stable word; `crashed` when the host died meanwhile.
        code: String,
        /// A sentence.
        reason: String,
    },
}

/// A call ended. An item: its decision invokes the role `caller`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answered {
    pub profile: ProfileId,
    pub call: CallNumber,
    pub endpoint: EndpointName,
    /// How it ended, as the handler hears it: secrets are taken out, headers chosen.
    pub answer: CallAnswer,
    /// What the handler had noted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Note>,
    /// Attempts that were made.
    pub attempts: u32,
    /// It is the look-up of the call with this number: the role `judge` is invoked with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub looks_up: Option<u32>,
    pub at: Timestamp,
    /// The accepted event at the root of the chain that began it; none when that is so long ago that the answer begins
    /// a chain of its own.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "crate::home::record_if_any")]
    pub root: Option<Position>,
    /// Generations of cause since the root.
    #[serde(default)]
    pub depth: u16,
    /// Derived invocations that the root had spent when the call was begun.
    #[serde(default)]
    pub spent: u32,
}

/// A call is in doubt and is to be looked up. An item: its decision invokes the role `prober`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Doubted {
    pub profile: ProfileId,
    pub call: CallNumber,
    pub endpoint: EndpointName,
    /// What the handler had noted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Note>,
    pub at: Timestamp,
    /// The accepted event at the root of the chain that began it; none when that is so long ago that the doubt begins a
    /// chain of its own.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "crate::home::record_if_any")]
    pub root: Option<Position>,
    /// Generations of cause since the root.
    #[serde(default)]
    pub depth: u16,
    /// Derived invocations that the root had spent when the call was begun.
    #[serde(default)]
    pub spent: u32,
}

/// What a decision says of a call that is looked up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DoubtStep {
    /// The call in doubt.
    pub call: CallNumber,
    /// What the look-up found; none of the decision that begins it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finding: Option<Finding>,
}

/// What a handler noted of a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note(#[serde(with = "super::bytes")] pub Vec<u8>);

/// An administrator says what is to become of a call that failed, or of which nobody knows whether it arrived.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settled {
    pub profile: ProfileId,
    pub call: CallNumber,
    /// What.
    pub verdict: Verdict,
    pub by: Application,
    /// Why.
    pub reason: Reason,
    pub at: Timestamp,
}

/// What becomes of a call that was settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It is sent again, with the same bytes and the same key.
    Again,
    /// It had its effect.
    Done,
    /// It had none, and nothing is sent.
    NotDone,
}

/// A record that changes what a profile knows of one of its calls.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CallRecord {
    Sending(Sending),
    Retrying(Retrying),
    Answered(Box<Answered>),
    Settled(Settled),
    Doubted(Box<Doubted>),
    Framed(Box<Framed>),
}

impl CallRecord {
    /// Reads a payload of this kind, which is one of theirs.
    pub(super) fn decode(
        home: Partition,
        kind: RecordKind,
        payload: &[u8],
    ) -> Result<CallRecord, RecordError> {
        match kind {
            RecordKind::Sending => decode_at(home, payload).map(CallRecord::Sending),
            RecordKind::Retrying => decode_at(home, payload).map(CallRecord::Retrying),
            RecordKind::Answered => decode_at(home, payload).map(CallRecord::Answered),
            RecordKind::Settled => decode_at(home, payload).map(CallRecord::Settled),
            RecordKind::Doubted => decode_at(home, payload).map(CallRecord::Doubted),
            RecordKind::Framed => decode_at(home, payload).map(CallRecord::Framed),
            other => Err(RecordError::kind(other.number())),
        }
    }

    /// Whose call it is.
    pub fn profile(&self) -> ProfileId {
        match self {
            CallRecord::Sending(it) => it.profile,
            CallRecord::Retrying(it) => it.profile,
            CallRecord::Answered(it) => it.profile,
            CallRecord::Settled(it) => it.profile,
            CallRecord::Doubted(it) => it.profile,
            CallRecord::Framed(it) => it.profile,
        }
    }

    /// Which of the profile's calls it is about.
    pub fn call(&self) -> &CallNumber {
        match self {
            CallRecord::Sending(it) => &it.call,
            CallRecord::Retrying(it) => &it.call,
            CallRecord::Answered(it) => &it.call,
            CallRecord::Settled(it) => &it.call,
            CallRecord::Doubted(it) => &it.call,
            CallRecord::Framed(it) => &it.call,
        }
    }
}

/// The call whose answer a decision is about, and how it ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndedCall {
    pub capability: CapabilityName,
    pub endpoint: EndpointName,
    pub number: u32,
    pub how: CallEnd,
}

/// How a call ended, without its content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CallEnd {
    /// It was answered.
    Response {
        /// With this status.
        status: u16,
    },
    /// Nothing was sent.
    NotSent {
        /// A stable word for why.
        code: String,
    },
    /// Nobody knows whether it arrived.
    Unknown {
        /// A stable word for why.
        code: String,
    },
}

impl From<&CallAnswer> for CallEnd {
    fn from(answer: &CallAnswer) -> CallEnd {
        match answer {
            CallAnswer::Response { status, .. } => CallEnd::Response { status: *status },
            CallAnswer::NotSent { code, .. } => CallEnd::NotSent { code: code.clone() },
            CallAnswer::Unknown { code, .. } => CallEnd::Unknown { code: code.clone() },
        }
    }
}

impl Answered {
    /// Whether it is the answer to a look-up, and one that can be judged.
    pub fn is_judged(&self) -> bool {
        self.looks_up.is_some() && matches!(self.answer, CallAnswer::Response { .. })
    }

    /// What its decision says of the call.
    pub fn ended(&self) -> EndedCall {
        EndedCall {
            capability: self.call.capability.clone(),
            endpoint: self.endpoint.clone(),
            number: self.call.number,
            how: CallEnd::from(&self.answer),
        }
    }
}
