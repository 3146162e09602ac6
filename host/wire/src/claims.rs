//! The claims for a field, and how far capabilities agree.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Claim, JsonValue, Lenient};
use samsyn_contract::Compare;
use samsyn_vocabulary::{CapabilityName, FieldName, ProfileId};

/// All claims for one field of one customer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct ProfileClaims<'a> {
    pub profile: Lenient<ProfileId>,
    pub claims: Vec<Claim<'a>>,
}

/// How far capabilities agree about a field.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct FieldDisagreements<'a> {
    #[schemars(with = "FieldName")]
    pub field: Cow<'a, str>,
    #[schemars(with = "Option<CapabilityName>")]
    pub source: Option<Cow<'a, str>>,
    pub compare: Lenient<Compare>,
    pub pairs: Vec<Pair<'a>>,
}

/// How far two capabilities agree. Counts are numbers of customers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct Pair<'a> {
    #[schemars(with = "CapabilityName")]
    pub one: Cow<'a, str>,
    #[schemars(with = "CapabilityName")]
    pub other: Cow<'a, str>,
    pub both: u64,
    pub agree: u64,
    pub differ: u64,
    pub samples: Vec<Difference<'a>>,
}

/// A customer for whom two capabilities have different values.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct Difference<'a> {
    pub profile: Lenient<ProfileId>,
    pub one: JsonValue<'a>,
    pub other: JsonValue<'a>,
}
