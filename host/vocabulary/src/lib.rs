//! Plain words everybody shares: values, names, positions, events, effects, profiles.
//!
//! Nothing here knows of a log, a sandbox or HTTP. Every type is data that can be written to the
//! log, so fields are named and new ones must be optional.

#![warn(missing_docs)]

mod canonical;
mod decimal;
mod digest;
mod effect;
mod epoch;
mod event;
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
pub use effect::{Action, Effect, Failure, FailureKind, LogLevel, LogLine, Refusal, Role};
pub use epoch::{Epoch, EpochUnit};
pub use event::{Change, Event, HeardEvent, Identifier, Property, Proposal};
pub use name::{
    Application, CapabilityName, EventName, EventPattern, FieldName, IdentifierName, NameError, Speaker,
    TokenName,
};
pub use nearest::{did_you_mean, nearest};
pub use position::{ItemPosition, Partition, Position, PositionError, Seq};
pub use profile::{DataPoint, ProfileId, Projection};
pub use reason::{Reason, ReasonError};
pub use time::{Date, TimeError, Timestamp};
pub use value::{CoerceError, Rules, Type, Value};
