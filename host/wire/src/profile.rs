//! A profile: visible values and their origin, and every claim if the request asks for them.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{IdentifierConflict, JsonValue, Lenient};
use samsyn_vocabulary::{ProfileId, Timestamp};

/// A customer's profile, as the token may see it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct Profile<'a> {
    pub id: Lenient<ProfileId>,
    pub identifiers: BTreeMap<Cow<'a, str>, Vec<Cow<'a, str>>>,
    /// Identifiers from the customer's events and fields that lead to another customer.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub conflicts: Vec<IdentifierConflict<'a>>,
    pub fields: BTreeMap<Cow<'a, str>, JsonValue<'a>>,
    pub meta: BTreeMap<Cow<'a, str>, ValueOrigin<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claims: Option<BTreeMap<Cow<'a, str>, Vec<Claim<'a>>>>,
}

/// The origin of a visible value.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct ValueOrigin<'a> {
    pub source: Cow<'a, str>,
    pub observed_at: Lenient<Timestamp>,
    pub cause: String,
}

/// A value that one capability or application claims for a field.
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
