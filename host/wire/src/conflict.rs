//! Identifiers that two customers go by.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Lenient;
use samsyn_vocabulary::ProfileId;

/// An identifier that two customers go by: it finds the one that had it first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct IdentifierConflict<'a> {
    /// Which identifier.
    pub identifier: Cow<'a, str>,
    /// Its value.
    pub value: Cow<'a, str>,
    /// The profile that it finds, for a token that may read profiles.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub belongs_to: Option<Lenient<ProfileId>>,
}

/// A customer with the identifiers that find somebody else.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct ProfileConflicts<'a> {
    /// The customer.
    pub profile: Lenient<ProfileId>,
    /// Identifiers that it came with or shows.
    pub conflicts: Vec<IdentifierConflict<'a>>,
}
