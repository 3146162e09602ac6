//! Tokens. Only the answer that creates one has its secret.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Lenient;
use samsyn_registry::Scope;
use samsyn_vocabulary::{Application, Timestamp, TokenName};

/// A token, without its secret.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct Token {
    /// Its name.
    #[schemars(with = "TokenName")]
    pub name: String,
    /// The application that acts with it.
    #[schemars(with = "Application")]
    pub application: String,
    /// Its scopes: what it may do.
    #[schemars(with = "Vec<Scope>")]
    pub scopes: Vec<String>,
    /// Whether the host accepts it.
    #[schemars(extend("enum" = ["valid", "expired", "revoked"]))]
    pub state: String,
    /// When it was created; null if an older version of the host created it.
    pub made_at: Option<Lenient<Timestamp>>,
    /// The application that created it.
    #[schemars(with = "Option<Application>")]
    pub made_by: Option<String>,
    /// When it expires.
    pub expires_at: Option<Lenient<Timestamp>>,
    /// When it was revoked.
    pub revoked_at: Option<Lenient<Timestamp>>,
    /// When it was used last, if that is known.
    pub last_used_at: Option<Lenient<Timestamp>>,
    /// Requests allowed a second; null: the host's setting.
    pub requests_per_second: Option<u32>,
    /// Events allowed a second; null: the host's setting.
    pub events_per_second: Option<u32>,
}

/// What a token may read and propose, with the dictionary as it is now.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct TokenMay {
    /// Fields that it reads.
    pub reads: Vec<String>,
    /// Identifiers that it sees.
    pub identifiers: Vec<String>,
    /// Fields that it may propose values for.
    pub proposes: Vec<String>,
    /// Fields and identifiers that its scopes name and the dictionary doesn't have.
    pub unknown: Vec<String>,
    /// What an administrator should know before creating it.
    pub warnings: Vec<String>,
}

/// A token that was created, or with `dry_run` would be.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct MadeToken {
    /// The secret, only in this answer. Absent with `dry_run`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// The token without its secret.
    pub token: Token,
    /// What it may read and propose now.
    pub may: TokenMay,
}
