//! A profile: visible values and where they come from, and every claim for those who ask.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{IdentifierConflict, JsonValue, Lenient};
use samsyn_vocabulary::{ProfileId, Timestamp};

/// The body of `GET /v1/profiles/{ref}`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct Profile<'a> {
    pub id: Lenient<ProfileId>,
    pub identifiers: BTreeMap<Cow<'a, str>, Vec<Cow<'a, str>>>,
    /// Identifiers that the customer came with or shows, and that are another customer's.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub conflicts: Vec<IdentifierConflict<'a>>,
    pub fields: BTreeMap<Cow<'a, str>, JsonValue<'a>>,
    pub meta: BTreeMap<Cow<'a, str>, ValueOrigin<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claims: Option<BTreeMap<Cow<'a, str>, Vec<Claim<'a>>>>,
}

/// Where a visible value comes from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct ValueOrigin<'a> {
    pub source: Cow<'a, str>,
    pub observed_at: Lenient<Timestamp>,
    pub cause: String,
}

/// What one capability or application says of a field.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct Claim<'a> {
    pub by: Cow<'a, str>,
    pub value: JsonValue<'a>,
    pub observed_at: Lenient<Timestamp>,
    pub cause: Option<String>,
    pub visible: bool,
}
