//! How a call ended, told by one question: may a byte of the request have left?
//!
//! `NotSent` is a proof: the kernel took none. `Response` is complete: status, headers and the whole body arrived.
//! `Unknown` is all else; what was seen of an answer (its status) is told, but it is no answer.

use std::time::Duration;

use crate::address;
use crate::base::BadPlace;
use crate::headers::BadHeader;

/// How one attempt ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// No byte of the request left this machine.
    NotSent(NotSent),
    /// The peer answered, and the answer is complete.
    Response(Answer),
    /// The request, or a part of it, may have arrived.
    Unknown(Unknown),
}

/// A complete answer, as it may be recorded: secrets scrubbed, headers by the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status, 200 to 599.
    pub status: u16,
    /// Headers of the list, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body as it came: nothing is decompressed.
    pub body: Vec<u8>,
    /// From the first step of the call to the answer's last byte.
    pub took: Duration,
}

impl Answer {
    /// The first header of this name, in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// Why nothing was sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotSent {
    /// Outgoing calls, or this endpoint's, are paused.
    #[error("outgoing calls are paused; resume them to send")]
    Paused,
    /// The method isn't granted.
    #[error("the method {0} isn't granted for this endpoint")]
    Method(String),
    /// The path or query is refused.
    #[error(transparent)]
    Place(#[from] BadPlace),
    /// A header is refused.
    #[error(transparent)]
    Header(#[from] BadHeader),
    /// The body is too large.
    #[error("the body has more than {0} bytes, the most that this endpoint takes")]
    Body(usize),
    /// The idempotency key can't be sent, or the endpoint has no header for one.
    #[error("the idempotency key can't be sent: it is no plain text, or the endpoint names no header for it")]
    Key,
    /// The name has no address.
    #[error("`{name}` can't be looked up: {why}")]
    Dns {
        /// The name.
        name: String,
        /// What the resolver said.
        why: String,
    },
    /// An address is refused.
    #[error("`{name}`: {why}")]
    Address {
        /// The host as the base has it.
        name: String,
        /// Which address, and why.
        why: address::Refused,
    },
    /// No connection was made.
    #[error("no connection to {to}: {why}")]
    Connect {
        /// Host and port.
        to: String,
        /// What the system said of the last address.
        why: String,
    },
    /// TLS couldn't be agreed on, a wrong certificate included.
    #[error("no TLS with {to}: {why}")]
    Tls {
        /// Host and port.
        to: String,
        /// Why.
        why: String,
    },
    /// The proxy didn't open a tunnel.
    #[error("the proxy opened no tunnel: {0}")]
    Proxy(String),
    /// The call's time was over before a byte could leave.
    #[error("the time was over before anything could be sent")]
    Time,
    /// There is no access token.
    #[error("no access token: {why}")]
    Token {
        /// Why not.
        why: String,
        /// The authorization server refused the credentials: another try needs other ones.
        refused: bool,
    },
    /// A credential can't be sent as it is.
    #[error("a credential of this endpoint can't be sent: {0}")]
    Credential(&'static str),
    /// The connection was closed before it took a byte of the request.
    #[error("the connection was closed before it took the request: {0}")]
    Closed(String),
}

impl NotSent {
    /// A stable code.
    pub fn code(&self) -> &'static str {
        match self {
            NotSent::Paused => "paused",
            NotSent::Method(_) => "refused.method",
            NotSent::Place(_) => "refused.url",
            NotSent::Header(_) => "refused.header",
            NotSent::Body(_) => "refused.body",
            NotSent::Key => "refused.key",
            NotSent::Dns { .. } => "dns",
            NotSent::Address { .. } => "address",
            NotSent::Connect { .. } => "connect",
            NotSent::Tls { .. } => "tls",
            NotSent::Proxy(_) => "proxy",
            NotSent::Time => "time",
            NotSent::Token { .. } => "token",
            NotSent::Credential(_) => "credential",
            NotSent::Closed(_) => "closed",
        }
    }

    /// Would the same request be refused again whatever the network does? Then trying again is no use.
    pub fn is_final(&self) -> bool {
        matches!(
            self,
            NotSent::Method(_) | NotSent::Place(_) | NotSent::Header(_) | NotSent::Body(_) | NotSent::Key
        )
    }
}

/// A request that may have arrived, without a complete answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{why}{}", self.status.map(|status| format!(" (the answer began with status {status})")).unwrap_or_default())]
pub struct Unknown {
    /// What happened.
    pub why: UnknownWhy,
    /// The status, if the answer got as far. It says what the peer meant to answer, not what the answer was.
    pub status: Option<u16>,
}

/// Why there is no complete answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnknownWhy {
    /// The time was over.
    #[error("there was no complete answer in time")]
    Time,
    /// The connection ended.
    #[error("the connection ended before the answer was complete: {0}")]
    Cut(String),
    /// The answer isn't HTTP, or contradicts itself.
    #[error("the answer can't be read: {0}")]
    Malformed(String),
    /// Its headers are larger than allowed, or its interim answers have no end.
    #[error("the answer's headers are larger than {0} bytes")]
    HeadTooLarge(usize),
    /// Its body is larger than allowed.
    #[error("the answer's body is larger than {0} bytes, the most that this endpoint may answer")]
    BodyTooLarge(usize),
}

impl UnknownWhy {
    /// A stable code.
    pub fn code(&self) -> &'static str {
        match self {
            UnknownWhy::Time => "time",
            UnknownWhy::Cut(_) => "cut",
            UnknownWhy::Malformed(_) => "malformed",
            UnknownWhy::HeadTooLarge(_) => "head-too-large",
            UnknownWhy::BodyTooLarge(_) => "answer-too-large",
        }
    }

    /// Would the same request end in the same way again? Then only another limit helps.
    pub fn is_final(&self) -> bool {
        matches!(self, UnknownWhy::HeadTooLarge(_) | UnknownWhy::BodyTooLarge(_))
    }
}
