//! How a system knows its callers. Secrets stand here by name; their values are elsewhere.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use samsyn_contract::calls::{AuthKind, BaseUrl, HeaderName};
use samsyn_vocabulary::SecretName;

/// The longest name of a user, client, parameter, region or scope, in bytes.
const TEXT_BYTES_MAX: usize = 256;
/// The most scopes of one token.
const SCOPES_MAX: usize = 32;

/// How an endpoint's system knows its callers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Auth {
    /// It doesn't.
    None,
    /// `Authorization: Bearer …` (RFC 6750).
    Bearer(SecretName),
    /// A header of its own with the secret.
    Header(HeaderSecret),
    /// User and password (RFC 7617).
    Basic(BasicAuth),
    /// A parameter of the query with the secret.
    Query(QuerySecret),
    /// OAuth 2, client credentials (RFC 6749, 4.4).
    Oauth2(Oauth2),
    /// OAuth 2, refresh token (RFC 6749, 6).
    Oauth2Refresh(Oauth2Refresh),
    /// AWS Signature Version 4.
    Sigv4(Sigv4),
}

/// A header, and the secret in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HeaderSecret {
    /// The name of the header.
    pub name: HeaderName,
    /// The secret that is its value.
    pub secret: SecretName,
}

/// A parameter of the query, and the secret in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct QuerySecret {
    /// The name of the parameter.
    pub name: String,
    /// The secret that is its value.
    pub secret: SecretName,
}

/// A user and a password.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BasicAuth {
    /// The user; it has no colon.
    pub user: String,
    /// The secret that is the password.
    pub secret: SecretName,
}

/// A client that gets a token with its own credentials.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Oauth2Client")]
pub struct Oauth2 {
    /// Where tokens are given out.
    pub token_url: BaseUrl,
    /// The client.
    pub client_id: String,
    /// The secret that is the client's.
    pub secret: SecretName,
    /// What the token is for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
    /// Whom the token is for, where the server asks for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audience: Option<String>,
}

/// A client that gets a token with a refresh token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Oauth2Refresh {
    /// Where tokens are given out.
    pub token_url: BaseUrl,
    /// The client.
    pub client_id: String,
    /// The secret that is the client's; a public client has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<SecretName>,
    /// The secret that is the refresh token. When the server gives out a new one the host keeps it there.
    pub refresh_token: SecretName,
    /// What the token is for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
}

/// An access key of AWS, or of what takes its signatures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Sigv4Key")]
pub struct Sigv4 {
    /// The region, such as `eu-north-1`.
    pub region: String,
    /// The service, such as `execute-api`.
    pub service: String,
    /// The access key's id, which isn't secret.
    pub access_key_id: String,
    /// The secret that is the secret access key.
    pub secret: SecretName,
    /// The secret that is the session token of a temporary key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_token: Option<SecretName>,
}

impl Auth {
    /// Its kind.
    pub fn kind(&self) -> AuthKind {
        match self {
            Auth::None => AuthKind::None,
            Auth::Bearer(_) => AuthKind::Bearer,
            Auth::Header(it) => AuthKind::Header(it.name.clone()),
            Auth::Basic(_) => AuthKind::Basic,
            Auth::Query(it) => AuthKind::Query(it.name.clone()),
            Auth::Oauth2(_) => AuthKind::Oauth2,
            Auth::Oauth2Refresh(_) => AuthKind::Oauth2Refresh,
            Auth::Sigv4(_) => AuthKind::Sigv4,
        }
    }

    /// The header of the system's own choice that it sets.
    pub fn header(&self) -> Option<&str> {
        match self {
            Auth::Header(it) => Some(it.name.as_str()),
            _ => None,
        }
    }

    /// The secrets it needs.
    pub fn secrets(&self) -> Vec<&SecretName> {
        match self {
            Auth::None => Vec::new(),
            Auth::Bearer(secret) => vec![secret],
            Auth::Header(it) => vec![&it.secret],
            Auth::Basic(it) => vec![&it.secret],
            Auth::Query(it) => vec![&it.secret],
            Auth::Oauth2(it) => vec![&it.secret],
            Auth::Oauth2Refresh(it) => it.secret.iter().chain([&it.refresh_token]).collect(),
            Auth::Sigv4(it) => [&it.secret].into_iter().chain(&it.session_token).collect(),
        }
    }

    /// Where it gets tokens, if it gets any.
    pub fn token_url(&self) -> Option<&BaseUrl> {
        match self {
            Auth::Oauth2(it) => Some(&it.token_url),
            Auth::Oauth2Refresh(it) => Some(&it.token_url),
            _ => None,
        }
    }

    /// What names the account at the system, besides the kind: a user or a client where there is one, else the
    /// secret's name. The id of an access key is none: it changes whenever the key does.
    pub(super) fn account(&self) -> Vec<&str> {
        match self {
            Auth::None => Vec::new(),
            Auth::Bearer(secret) => vec![secret.as_str()],
            Auth::Header(it) => vec![it.name.as_str(), it.secret.as_str()],
            Auth::Basic(it) => vec![it.user.as_str()],
            Auth::Query(it) => vec![it.name.as_str(), it.secret.as_str()],
            Auth::Oauth2(it) => {
                let fixed = [
                    it.token_url.as_str(),
                    it.client_id.as_str(),
                    it.audience.as_deref().unwrap_or_default(),
                ];
                fixed.into_iter().chain(it.scopes.iter().map(String::as_str)).collect()
            }
            Auth::Oauth2Refresh(it) => {
                let fixed = [it.token_url.as_str(), it.client_id.as_str(), it.refresh_token.as_str()];
                fixed.into_iter().chain(it.scopes.iter().map(String::as_str)).collect()
            }
            Auth::Sigv4(it) => vec![it.region.as_str(), it.service.as_str(), it.secret.as_str()],
        }
    }

    /// What is wrong with it.
    pub(super) fn check(&self) -> Result<(), String> {
        match self {
            Auth::None | Auth::Bearer(_) | Auth::Header(_) => Ok(()),
            Auth::Basic(it) => {
                text("auth: user", &it.user)?;
                match it.user.contains(':') {
                    true => {
                        Err("auth: user can't have a colon, which separates it from the password".to_owned())
                    }
                    false => Ok(()),
                }
            }
            Auth::Query(it) => {
                let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~[]".contains(&byte);
                text("auth: name", &it.name)?;
                match it.name.bytes().all(plain) {
                    true => Ok(()),
                    false => Err("auth: the parameter's name can have letters, digits and -._~[]".to_owned()),
                }
            }
            Auth::Oauth2(it) => {
                text("auth: client_id", &it.client_id)?;
                it.audience.as_deref().map_or(Ok(()), |audience| text("auth: audience", audience))?;
                scopes(&it.scopes)
            }
            Auth::Oauth2Refresh(it) => {
                text("auth: client_id", &it.client_id)?;
                scopes(&it.scopes)
            }
            Auth::Sigv4(it) => {
                for (what, part) in
                    [("region", &it.region), ("service", &it.service), ("access_key_id", &it.access_key_id)]
                {
                    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
                    text(&format!("auth: {what}"), part)?;
                    if !part.bytes().all(word) {
                        return Err(format!("auth: {what} can have letters, digits, - and _"));
                    }
                }
                Ok(())
            }
        }
    }
}

/// A text that goes into a request: something, not too long, and nothing that could end a line.
pub(super) fn text(what: &str, text: &str) -> Result<(), String> {
    if text.is_empty() || text.len() > TEXT_BYTES_MAX || text.chars().any(char::is_control) {
        return Err(format!("{what} must have 1 to {TEXT_BYTES_MAX} bytes and no control characters"));
    }
    Ok(())
}

/// Scopes as RFC 6749, 3.3, has them.
fn scopes(scopes: &[String]) -> Result<(), String> {
    if scopes.len() > SCOPES_MAX {
        return Err(format!("auth: scopes can be {SCOPES_MAX} at the most, not {}", scopes.len()));
    }
    for scope in scopes {
        text("auth: a scope", scope)?;
        let fits = |byte: u8| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
        if !scope.bytes().all(fits) {
            return Err(format!(
                "auth: the scope {scope:?} has a space, a quote or a backslash; write each scope alone"
            ));
        }
    }
    Ok(())
}
