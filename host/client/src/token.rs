//! Tokens, over HTTP.

use serde::Serialize;

use super::call::{Call, percent_encoded};
use super::{Answer, Client, ClientError, List};
use samsyn_vocabulary::Reason;
use samsyn_wire::{MadeToken, Token};

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
