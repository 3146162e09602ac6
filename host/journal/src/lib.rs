//! What the records in the log say, and what they fold into.
//!
//! A record's payload is MessagePack with named fields; new fields are optional, so that
//! tomorrow's host reads today's segments. One record concerns one profile. [`fold_into`] is pure: it
//! never calls a plug-in, a clock or the network, so the state is the log and nothing else.
//!
//! | file | what it has |
//! |---|---|
//! | `accepted` `decided` `adopted` `linked` `late` `due` `exchange` | the records; the registry's stands here |
//! | `kind` | the number of each kind in the log's envelope |
//! | `appender` `reader` | the way into the log and out of it: no other code encodes or decodes a record |
//! | `batch` | records on their way between threads |
//! | `codec` `home` `partial_decoding` | bytes |
//! | `fold` `profile_state` `timers` `calls` `claim_stats` `usage` | what records fold into |
//! | `rows` | calls that travel with those of other customers in one request |
//! | `step` | one decision folded, for everybody who folds |
//! | `history` | the registry's history in words |
//! | `testing`, `fuzz` | for tests: records, and a function of bytes for the fuzzer |
//!
//! It must not know who decides, or where what is folded is kept.

mod accepted;
mod adopted;
mod appender;
mod batch;
mod calls;
mod claim_stats;
mod codec;
mod decided;
mod due;
mod exchange;
mod fold;
#[cfg(any(test, feature = "testing"))]
pub mod fuzz;
pub mod history;
mod home;
#[cfg(test)]
mod home_tests;
mod kind;
mod late;
mod linked;
mod partial_decoding;
mod profile_state;
mod reader;
mod rows;
mod step;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
#[cfg(test)]
mod tests;
mod timers;
mod usage;

pub use accepted::{Accepted, Conflict};
pub use adopted::{Adopted, Cursor, MovedField, ReassignmentJob};
pub use appender::{Appender, Content, Encoded, NewRecord};
pub use batch::RecordBatch;
pub use calls::{
    ANSWERS_A_DAY_MAX, CallMove, CallState, Calls, LOOK_UP_MS, PAST_CALLS_MAX, PastCall, PendingCall, Probe,
    WaitingCall, fold_call, forget_call, pending_calls, waiting_calls,
};
pub use claim_stats::{
    CLAIMANTS_MAX, ClaimStats, Claimant, Count, Pattern, PatternMove, moves_from, moves_to,
};
pub use codec::{decode, decode_at, encode, encode_at, json_at, with_encoded_in_order_at};
pub use decided::{
    Answer, AnswerKind, Call, CallBody, CauseKind, Changed, Decided, Emitted, HeldProposal, InvocationStatus,
    Memory, Outcome,
};
pub use due::Due;
pub use exchange::{
    Answered, AttemptEnd, Body, CallEnd, CallId, CallNumber, CallRecord, DoubtStep, Doubted, EndedCall, Note,
    Retrying, Sending, Settled, Verdict,
};
pub use fold::{PartitionState, fold_ahead, fold_effects, fold_into, fold_profile};
pub use kind::RecordKind;
pub use late::Late;
pub use linked::{LINE_POSITIONS_MAX, Line, LinePosition, Linked};
pub use partial_decoding::{LinkedRef, PartialEvent, PartialRecord};
pub use profile_state::{
    BLOCKED_MAX, Blocked, CapabilityState, Claim, HeldMore, IDENTIFIERS_MAX, Latch, MemoryBytes,
    ProfileState, Visible,
};
pub use reader::{FieldChange, KeptAccepted, Passing, Reader, ScanAll, Stored, Undecoded};
pub use rows::{Framed, Place, Row, RowId, RowStep};
pub use step::{PendingMoves, ProfileStep, Stepped, step_call};
pub use timers::{
    EndedTimer, PendingTimer, TIMERS_A_DAY_MAX, Timer, TimerEnd, TimerMove, Timers, pending_timers,
};
pub use usage::{fold_usage_of_decided, fold_usage_of_event};

pub use samsyn_vocabulary::bytes;
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
    /// Something about an item that was decided before.
    Late(Late),
    /// A timer is due.
    Due(Due),
    /// The bytes of a request.
    Body(Body),
    /// A call is sent, tried again, answered or settled.
    Call(CallRecord),
    /// Its content was erased: it folds to nothing.
    Erased,
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

    fn unreadable(cause: &dyn std::fmt::Display) -> RecordError {
        RecordError(cause.to_string())
    }
}
