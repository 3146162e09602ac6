//! Plain words that every crate shares: values, names, positions, events, effects, profiles. Every type is
//! data that can be written to the log, so fields are named and new ones must be optional.
//!
//! | file | what it has |
//! |---|---|
//! | `value` · `decimal` · `numeral` | what a field can hold, and how JSON becomes one without loss |
//! | `text` · `readable` · `canonical` · `members` | which strings and JSON texts are taken, and how they are compared |
//! | `time` · `epoch` | moments and dates |
//! | `name` · `reason` · `nearest` | names as types, reasons, and which known word was meant |
//! | `position` · `digest` | where a record is in the log, and what a component's bytes hash to |
//! | `event` · `profile` · `effect` | what happens to a customer, what a plug-in sees, and what it asks for |
//! | [`bytes`] | how bytes are written |
//! | `schema` | how these strings are described in JSON Schema |
//!
//! It must not know a log, a sandbox or HTTP.

#![warn(missing_docs)]

pub mod bytes;
mod canonical;
mod decimal;
mod digest;
mod effect;
mod epoch;
mod event;
mod members;
mod name;
mod nearest;
mod numeral;
mod position;
mod profile;
mod readable;
mod reason;
mod schema;
pub mod text;
mod time;
mod value;

pub use canonical::write_canonical;
pub use decimal::{DECIMAL_DIGITS_MAX, Decimal};
pub use digest::{Digest, DigestError};
pub use effect::{
    Action, CallAnswer, Effect, Failure, FailureKind, Finding, LogLevel, LogLine, NewBody, NewCall, Refusal,
    Role,
};
pub use epoch::{Epoch, EpochUnit};
pub use event::{Change, Event, HeardEvent, Identifier, Property, Proposal};
pub use members::Members;
pub use name::{
    Application, CapabilityName, EndpointName, EventName, EventPattern, FieldName, IdentifierName, NameError,
    SecretName, Speaker, TimerName, TokenName,
};
pub use nearest::{did_you_mean, nearest};
pub use position::{FullPosition, ItemPosition, Partition, Position, PositionError, Seq};
pub use profile::{DataPoint, Homes, ProfileId, Projection};
pub use reason::{Reason, ReasonError};
pub use time::{Date, TimeError, Timestamp};
pub use value::{CoerceError, Rules, Type, Value};
