//! The calls about tokens.

use super::call::{Call, percent_encoded};
use super::{Answer, Client, ClientError, List};
use samsyn_vocabulary::Reason;
use samsyn_wire::request::NewToken;
use samsyn_wire::{MadeToken, Token};

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
