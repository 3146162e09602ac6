//! Tokens, over HTTP.

use serde::{Deserialize, Serialize};

use super::call::{Call, percent_encoded};
use super::{Answer, Client, ClientError, List};
use samsyn_vocabulary::Reason;

/// A token without its secret.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Token {
    /// Its name.
    pub name: String,
    /// Who acts with it.
    #[serde(default)]
    pub application: String,
    /// What it may do.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// `valid`, `expired` or `revoked`.
    #[serde(default)]
    pub state: String,
    /// When it was made.
    #[serde(default)]
    pub made_at: Option<String>,
    /// Who made it.
    #[serde(default)]
    pub made_by: Option<String>,
    /// When it ends.
    #[serde(default)]
    pub expires_at: Option<String>,
    /// Since when it is revoked.
    #[serde(default)]
    pub revoked_at: Option<String>,
    /// When it was used last, to the minute.
    #[serde(default)]
    pub last_used_at: Option<String>,
    /// Requests a second it may make.
    #[serde(default)]
    pub requests_per_second: Option<u32>,
    /// Events a second it may send.
    #[serde(default)]
    pub events_per_second: Option<u32>,
}

/// What a token is to be.
#[derive(Debug, Clone, Default, Serialize)]
pub struct NewToken {
    /// Its name.
    pub name: String,
    /// Who acts with it; its name when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub application: Option<String>,
    /// What it may do.
    pub scopes: Vec<String>,
    /// When it ends, or how long it lives.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
    /// Requests a second it may make.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests_per_second: Option<u32>,
    /// Events a second it may send.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub events_per_second: Option<u32>,
}

/// A token that is made, or would be.
#[derive(Debug, Clone, Deserialize)]
pub struct MadeToken {
    /// The secret, told this once; none of a token that would be made.
    #[serde(default)]
    pub secret: Option<String>,
    /// The token.
    pub token: Token,
    /// What it may see and do now.
    #[serde(default)]
    pub may: May,
}

/// What a token may see and do, in the words of the dictionary.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct May {
    /// Fields it reads.
    #[serde(default)]
    pub reads: Vec<String>,
    /// Identifiers it sees.
    #[serde(default)]
    pub identifiers: Vec<String>,
    /// Fields it may propose values of.
    #[serde(default)]
    pub proposes: Vec<String>,
    /// Fields and identifiers that its scopes name and the dictionary doesn't have.
    #[serde(default)]
    pub unknown: Vec<String>,
    /// What to mind.
    #[serde(default)]
    pub warnings: Vec<String>,
}

impl Client {
    /// All tokens, without their secrets.
    pub fn tokens(&self) -> Result<List<Token>, ClientError> {
        self.list("/v1/tokens", &[], usize::MAX)
    }

    /// One token, without its secret.
    pub fn token(&self, name: &str) -> Result<Answer<Token>, ClientError> {
        self.call(Call::new("GET", path(name)))
    }

    /// Makes a token, or with `dry_run` says what it would be.
    pub fn make_token(
        &self,
        token: &NewToken,
        dry_run: bool,
        reason: Option<&Reason>,
    ) -> Result<Answer<MadeToken>, ClientError> {
        self.call(Call::new("POST", "/v1/tokens").flag("dry_run", dry_run).reason(reason).json(token)?)
    }

    /// Revokes a token: the next call with it is refused.
    pub fn revoke_token(&self, name: &str, reason: Option<&Reason>) -> Result<(), ClientError> {
        self.call_for_nothing(Call::new("DELETE", path(name)).reason(reason))
    }
}

fn path(name: &str) -> String {
    format!("/v1/tokens/{}", percent_encoded(name))
}
