//! The tokens that may call, without their secrets.

use serde::{Deserialize, Serialize};

use super::scope::{Scope, ScopeName};
use super::{Registry, RegistryError};
use samsyn_vocabulary::{Application, Digest, Timestamp, TokenName};

/// The name of the token that the host makes itself on its first start, and the application it
/// acts for when it doesn't say.
pub const FIRST_ADMIN: &str = "admin";
/// The most tokens, revoked ones included: each is kept in memory with what it may see.
pub const TOKENS_MAX: usize = 10_000;

/// A token: the application that acts with it, and what it may do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenEntry {
    /// BLAKE3 of the token.
    pub hash: Digest,
    /// The application that acts with it.
    pub application: Application,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// From when on it is refused; none: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// Requests a second it may make; none: what the host's settings say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests_per_second: Option<u32>,
    /// Events a second it may send; none: what the host's settings say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub events_per_second: Option<u32>,
    /// When it was made; not known of one that an older host made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made_at: Option<Timestamp>,
    /// The application that created it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made_by: Option<Application>,
    /// Since when it is revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Timestamp>,
}

impl TokenEntry {
    /// The admin token that the host makes itself.
    pub fn first_admin(hash: Digest) -> TokenEntry {
        let application =
            Application::new(FIRST_ADMIN).unwrap_or_else(|_| unreachable!("{FIRST_ADMIN} is a name"));
        TokenEntry {
            hash,
            application,
            scopes: vec![Scope::Admin],
            expires_at: None,
            requests_per_second: None,
            events_per_second: None,
            made_at: None,
            made_by: None,
            revoked_at: None,
        }
    }

    /// Whether it is an administrator's.
    pub fn is_admin(&self) -> bool {
        self.scopes.iter().any(|scope| scope.name() == ScopeName::Admin)
    }

    /// Whether its time is over.
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|at| at <= now)
    }

    /// Whether it is let through.
    pub fn is_valid(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && !self.is_expired(now)
    }
}

impl Registry {
    /// Whether there is an administrator's token that isn't revoked.
    pub fn has_admin_token(&self) -> bool {
        self.tokens.values().any(|token| token.is_admin() && token.revoked_at.is_none())
    }

    pub(super) fn check_token_made(&self, name: &TokenName, token: &TokenEntry) -> Result<(), RegistryError> {
        let invalid = |why: String| Err(RegistryError::Invalid { name: name.to_string(), why });
        if self.tokens.get(name).is_some_and(|known| known.revoked_at.is_none()) {
            return Err(RegistryError::TokenExists(name.clone()));
        }
        if token.scopes.is_empty() {
            return invalid("a token needs at least one scope".to_owned());
        }
        if token.requests_per_second == Some(0) || token.events_per_second == Some(0) {
            return invalid("a rate must be at least 1; leave it out for the host's setting".to_owned());
        }
        if !self.tokens.contains_key(name) && self.tokens.len() >= TOKENS_MAX {
            return invalid(format!(
                "there are {TOKENS_MAX} tokens, which is the limit; use the name of a revoked token"
            ));
        }
        Ok(())
    }

    pub(super) fn check_token_revoked(&self, name: &TokenName) -> Result<(), RegistryError> {
        let unknown = || RegistryError::Unknown { kind: "token", name: name.to_string() };
        let known = self.tokens.get(name).filter(|known| known.revoked_at.is_none()).ok_or_else(unknown)?;
        let other_admin = || {
            let mut others = self.tokens.iter().filter(|(other, _)| *other != name);
            others.any(|(_, token)| {
                token.is_admin() && token.revoked_at.is_none() && token.expires_at.is_none()
            })
        };
        if known.is_admin() && !other_admin() {
            return Err(RegistryError::LastAdminToken(name.clone()));
        }
        Ok(())
    }
}
