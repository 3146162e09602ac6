//! Tokens.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use super::integer::integer;
use samsyn_registry::Scope;
use samsyn_vocabulary::{Application, TokenName};

/// The token to create.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewToken {
    /// Its name. No valid token may have the same name.
    pub name: TokenName,
    /// The application that acts with it; the token's name by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub application: Option<Application>,
    /// Its scopes: what it may do. At least one.
    // Texts: the host reads them one by one, so that each problem has its place.
    #[schemars(with = "Vec<Scope>", length(min = 1))]
    pub scopes: Vec<String>,
    /// When it expires: a time, or a duration from now: `90d`, `12h`, `30m`. Without it the token never expires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
    /// Requests allowed a second; the host's setting by default.
    #[serde(default, deserialize_with = "rate", skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = u32::MAX))]
    pub requests_per_second: Option<u32>,
    /// Events allowed a second; the host's setting by default.
    #[serde(default, deserialize_with = "rate", skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = u32::MAX))]
    pub events_per_second: Option<u32>,
}

fn rate<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    #[derive(Deserialize)]
    struct Integer(#[serde(deserialize_with = "integer")] u32);
    Ok(Option::<Integer>::deserialize(deserializer)?.map(|Integer(number)| number))
}
