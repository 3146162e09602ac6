//! Tokens, without their secrets but for one that was just made.

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
    /// Who acts with it.
    #[schemars(with = "Application")]
    pub application: String,
    /// What it may do.
    #[schemars(with = "Vec<Scope>")]
    pub scopes: Vec<String>,
    /// Whether it is let through.
    #[schemars(extend("enum" = ["valid", "expired", "revoked"]))]
    pub state: String,
    /// When it was made; not known of one that an older host made.
    pub made_at: Option<Lenient<Timestamp>>,
    /// Who made it.
    #[schemars(with = "Option<Application>")]
    pub made_by: Option<String>,
    /// From when on it is refused.
    pub expires_at: Option<Lenient<Timestamp>>,
    /// Since when it is revoked.
    pub revoked_at: Option<Lenient<Timestamp>>,
    /// When it was used last, as far as that is known.
    pub last_used_at: Option<Lenient<Timestamp>>,
    /// Requests a second it may make; null: what the host's settings say.
    pub requests_per_second: Option<u32>,
    /// Events a second it may send; null: what the host's settings say.
    pub events_per_second: Option<u32>,
}

/// What a token may see and do, in the words of the dictionary as it is now.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct TokenMay {
    /// Fields it reads.
    pub reads: Vec<String>,
    /// Identifiers it sees.
    pub identifiers: Vec<String>,
    /// Fields it may propose values of.
    pub proposes: Vec<String>,
    /// Fields and identifiers that its scopes name and the dictionary doesn't have.
    pub unknown: Vec<String>,
    /// What to mind.
    pub warnings: Vec<String>,
}

/// A token that is made, or would be.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct MadeToken {
    /// The token itself, answered this once; left out when nothing was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// What the host keeps of it.
    pub token: Token,
    /// What it may see and do now.
    pub may: TokenMay,
}
