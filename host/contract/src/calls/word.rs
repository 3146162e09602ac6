//! The closed lists of words that describe an endpoint.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::HeaderName;

/// A method of a request. CONNECT, TRACE and OPTIONS are none that a plug-in needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
#[schemars(rename = "CallMethod")]
pub enum Method {
    /// Reads.
    Get,
    /// Reads without the body.
    Head,
    /// Does something.
    Post,
    /// Replaces.
    Put,
    /// Changes a part.
    Patch,
    /// Deletes.
    Delete,
}

impl Method {
    /// Every method.
    pub const ALL: [Method; 6] =
        [Method::Get, Method::Head, Method::Post, Method::Put, Method::Patch, Method::Delete];

    /// The method as it is sent.
    pub fn as_str(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Head => "HEAD",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Patch => "PATCH",
            Method::Delete => "DELETE",
        }
    }

    /// The method of this name; names of methods have capitals (RFC 9110, 9.1).
    pub fn named(text: &str) -> Option<Method> {
        Method::ALL.into_iter().find(|method| method.as_str() == text)
    }

    /// Whether it changes nothing at a system, by RFC 9110, 9.2.1.
    pub fn only_reads(self) -> bool {
        matches!(self, Method::Get | Method::Head)
    }

    /// Whether twice is the same as once, by RFC 9110, 9.2.2.
    pub fn is_idempotent(self) -> bool {
        !matches!(self, Method::Post | Method::Patch)
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What happens to an exchange of which it isn't known whether the system has seen the request.
// Ordered: the later ones repeat more readily.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Repeat {
    /// Never sent again by itself: an administrator decides.
    Once,
    /// Looked up first: sent again only if the system doesn't have it.
    Probe,
    /// Sent again with the same key, for as long as the system remembers keys.
    Keyed,
    /// Sent again: twice is the same as once.
    Safe,
}

impl Repeat {
    /// Every class, the most careful first.
    pub const ALL: [Repeat; 4] = [Repeat::Once, Repeat::Probe, Repeat::Keyed, Repeat::Safe];

    /// The class as it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Repeat::Once => "once",
            Repeat::Probe => "probe",
            Repeat::Keyed => "keyed",
            Repeat::Safe => "safe",
        }
    }
}

impl fmt::Display for Repeat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whom an endpoint reaches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Reaches {
    /// Systems of the company or of its partners.
    #[default]
    Systems,
    /// Customers: what it sends is a message to one.
    Customers,
}

impl Reaches {
    /// The word as it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Reaches::Systems => "systems",
            Reaches::Customers => "customers",
        }
    }
}

impl fmt::Display for Reaches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A kind of authentication. In a manifest it is a suggestion, for what an administrator binds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AuthKind {
    /// None.
    None,
    /// `Authorization: Bearer …` (RFC 6750).
    Bearer,
    /// A header of its own with the secret, such as `X-Api-Key`.
    Header(HeaderName),
    /// User and password (RFC 7617).
    Basic,
    /// A parameter of the query with the secret, by its name.
    Query(String),
    /// OAuth 2, client credentials (RFC 6749, 4.4).
    Oauth2,
    /// OAuth 2, refresh token (RFC 6749, 6).
    Oauth2Refresh,
    /// AWS Signature Version 4.
    Sigv4,
}

impl AuthKind {
    /// The kind as it is written, without what belongs to it.
    pub fn as_str(&self) -> &'static str {
        match self {
            AuthKind::None => "none",
            AuthKind::Bearer => "bearer",
            AuthKind::Header(_) => "header",
            AuthKind::Basic => "basic",
            AuthKind::Query(_) => "query",
            AuthKind::Oauth2 => "oauth2",
            AuthKind::Oauth2Refresh => "oauth2-refresh",
            AuthKind::Sigv4 => "sigv4",
        }
    }
}

impl fmt::Display for AuthKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AuthKind::Header(name) => write!(f, "header {name}"),
            AuthKind::Query(name) => write!(f, "query {name}"),
            other => f.write_str(other.as_str()),
        }
    }
}
