//! Identifiers that two customers share.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Lenient;
use samsyn_vocabulary::ProfileId;

/// An identifier that two customers share. It leads to the customer who had it first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct IdentifierConflict<'a> {
    /// The identifier's name.
    pub identifier: Cow<'a, str>,
    /// Its value.
    pub value: Cow<'a, str>,
    /// The profile that it leads to. Only for a token that may read profiles.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub belongs_to: Option<Lenient<ProfileId>>,
}

/// A customer with identifiers that lead to another customer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct ProfileConflicts<'a> {
    /// The customer.
    pub profile: Lenient<ProfileId>,
    /// The identifiers, from the customer's events and fields.
    pub conflicts: Vec<IdentifierConflict<'a>>,
}
