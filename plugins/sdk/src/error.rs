//! Why a handler can't go on.

use crate::Type;
use crate::memory::MemoryError;

/// Why a handler can't go on. Returned by a handler, it parks the delivery: none of its effects
/// happen, and an administrator reads this text. Data that merely makes no sense is no error;
/// say [`refuse`](crate::Effects::refuse) and return ok.
#[derive(Debug, PartialEq, thiserror::Error)]
pub enum Error {
    /// Something needed isn't there.
    #[error("{place} has no {name:?}; say required = true in plugin.toml or read it as optional")]
    Missing {
        /// Which event, or the settings.
        place: String,
        /// What was looked for.
        name: String,
    },
    /// Something has another type than it was read as.
    #[error("{name:?} of {place} is of type {found} and was read as {wanted}; plugin.toml declares the type")]
    WrongType {
        /// Which event, or the settings.
        place: String,
        /// What was read.
        name: String,
        /// The type it has.
        found: Type,
        /// The type it was read as.
        wanted: Type,
    },
    /// A value the SDK's types can't hold, such as a decimal of 40 digits.
    #[error("{name:?} can't be read: {cause}")]
    Unreadable {
        /// The property, field or setting.
        name: String,
        /// What is wrong with it.
        cause: String,
    },
    /// The host refused an effect.
    #[error("the host refused an effect: {0}")]
    Refused(#[from] Refusal),
    /// The memory can't be read or written.
    #[error(transparent)]
    Memory(#[from] MemoryError),
    /// The plug-in's own reason.
    #[error("{0}")]
    Other(String),
}

impl Error {
    /// An error with a reason of the plug-in's own: `parse(text).map_err(Error::other)?`.
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

/// The host did not take an effect. Passed on with `?` it becomes an [`Error`] and parks the
/// delivery; ignored, the other effects still happen. The host records it in both cases.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct Refusal {
    /// A stable code such as `field.not-sourced` or `value.not-allowed`; the set is open.
    pub code: String,
    /// A sentence for a person.
    pub message: String,
}
