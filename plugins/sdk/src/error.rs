//! Why a handler can't continue.

use crate::Type;
use crate::memory::MemoryError;

/// Why a handler can't continue. A handler that returns it parks the invocation: no effect happens,
/// and an administrator reads this text. Invalid data is no error: call
/// [`refuse`](crate::Effects::refuse) and return ok.
#[derive(Debug, PartialEq, thiserror::Error)]
pub enum Error {
    /// A required value is missing.
    #[error("{place} has no {name:?}; say required = true in plugin.toml or read it as optional")]
    Missing {
        /// Which event, or the settings.
        place: String,
        /// The missing name.
        name: String,
    },
    /// The value has another type than the one it was read as.
    #[error("{name:?} of {place} is of type {found} and was read as {wanted}; plugin.toml declares the type")]
    WrongType {
        /// Which event, or the settings.
        place: String,
        /// The name that was read.
        name: String,
        /// Its type.
        found: Type,
        /// The type it was read as.
        wanted: Type,
    },
    /// The SDK's types can't hold the value, such as a decimal of 40 digits.
    #[error("{name:?} can't be read: {cause}")]
    Unreadable {
        /// The property, field or setting.
        name: String,
        /// The cause.
        cause: String,
    },
    /// The host refused an effect.
    #[error("the host refused an effect: {0}")]
    Refused(#[from] Refusal),
    /// The memory can't be read or written.
    #[error(transparent)]
    Memory(#[from] MemoryError),
    /// A reason of the plug-in.
    #[error("{0}")]
    Other(String),
}

impl Error {
    /// An error with a reason of the plug-in: `parse(text).map_err(Error::other)?`.
    pub fn other(reason: impl std::fmt::Display) -> Error {
        Error::Other(reason.to_string())
    }
}

impl From<&str> for Error {
    fn from(reason: &str) -> Error {
        Error::Other(reason.to_owned())
    }
}

impl From<String> for Error {
    fn from(reason: String) -> Error {
        Error::Other(reason)
    }
}

/// The host refused an effect. Returned with `?` it becomes an [`Error`] and parks the invocation.
/// Ignored, the other effects still happen. The host records the refusal in both cases.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct Refusal {
    /// A stable code such as `field.not-sourced` or `value.not-allowed`; the set is open.
    pub code: String,
    /// A sentence for a person.
    pub message: String,
}
