//! What a call can come to other than its answer.

use std::ops::Deref;
use std::time::Duration;

/// A problem document (RFC 9457), as the host wrote it and as it was read.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Problem {
    /// What it says.
    pub document: samsyn_wire::Problem<'static>,
    /// How long to wait before asking again.
    pub retry_after: Option<Duration>,
    /// The document as it came.
    pub raw: String,
}

impl Deref for Problem {
    type Target = samsyn_wire::Problem<'static>;

    fn deref(&self) -> &Self::Target {
        &self.document
    }
}

/// Why there is no answer.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ClientError {
    /// The address is none this client can use.
    #[error("{host:?} is not a valid host address: {why}")]
    BadHost {
        /// What was given.
        host: String,
        /// What is wrong with it.
        why: String,
    },
    /// The certificates to trust can't be read.
    #[error("invalid certificate file {path}: {why}")]
    BadCa {
        /// The file.
        path: String,
        /// What is wrong with it.
        why: String,
    },
    /// Nothing answered: not started, another port, or the connection broke.
    #[error("no host answers at {host}: {cause}")]
    Unreachable {
        /// The address.
        host: String,
        /// What the connection said.
        cause: String,
        /// Whether the machine said that nobody listens there.
        refused: bool,
    },
    /// The host rejected the request.
    #[error("{}", .0.title)]
    Refused(Box<Problem>),
    /// Something answered that doesn't speak docs/http.md.
    #[error("the answer ({status}) is not from a Samsyn host: {cause}")]
    Unreadable {
        /// The HTTP status.
        status: u16,
        /// What couldn't be read, or the start of the text.
        cause: String,
    },
    /// The request can't be put into HTTP: a token or an application with a line break.
    #[error("invalid request: {cause}")]
    Unsendable {
        /// What can't be sent.
        cause: String,
    },
}

impl Problem {
    /// Reads a problem document; none when the text is something else.
    pub fn read(raw: String, retry_after: Option<Duration>) -> Result<Problem, String> {
        match serde_json::from_str(&raw) {
            Ok(document) => Ok(Problem { document, retry_after, raw }),
            Err(_) => Err(raw),
        }
    }

    /// Whether nothing is wrong with what was sent, so that the same may succeed in a while.
    pub fn is_passing(&self) -> bool {
        self.retryable.unwrap_or_else(|| is_passing(self.status))
    }

    /// Whether it says something of the host and nothing of what was sent.
    pub fn is_of_the_host(&self) -> bool {
        self.is_passing() || self.status >= 500
    }
}

/// Whether a status says that the same may succeed in a while, from a host or a proxy: a request
/// that took too long or came too early, a full queue, a host or something before it that is away.
fn is_passing(status: u16) -> bool {
    // Not implemented, and another version of HTTP: those stay.
    matches!(status, 408 | 425 | 429 | 500..) && !matches!(status, 501 | 505)
}

impl ClientError {
    /// Whether the same call may succeed in a while: a full queue, a host that is starting.
    pub fn is_passing(&self) -> bool {
        match self {
            ClientError::Unreachable { .. } => true,
            ClientError::Refused(problem) => problem.is_passing(),
            ClientError::Unreadable { status, .. } => is_passing(*status),
            ClientError::BadHost { .. } | ClientError::BadCa { .. } | ClientError::Unsendable { .. } => false,
        }
    }

    /// How long the host asked to wait, if it did.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            ClientError::Refused(problem) => problem.retry_after,
            _ => None,
        }
    }
}
