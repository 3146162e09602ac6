//! Fields given to another source.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::integer::{INTEGER_MAX, integer_or_none};
use samsyn_registry::assignment::Mode;
use samsyn_vocabulary::{CapabilityName, FieldName, Seq};

/// Fields to assign, and their new source. Name the fields, or send `from` with `all`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("required" = ["to"]))]
pub struct Assignment {
    /// The fields to assign.
    #[serde(default)]
    pub fields: Vec<FieldName>,
    /// Assign all fields of this capability; with `all`, and without `fields`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<CapabilityName>,
    /// Must be true with `from`.
    #[serde(default)]
    pub all: bool,
    /// The new source, or null for none.
    // Null must be written: an empty body is no decision.
    #[serde(deserialize_with = "Option::deserialize")]
    pub to: Option<CapabilityName>,
    /// What happens to customers for whom the new source has no claim.
    #[serde(default)]
    pub mode: Mode,
    /// The revision of the plan. The host rejects the request if the registry has changed since.
    #[serde(default, deserialize_with = "integer_or_none", skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = INTEGER_MAX))]
    pub revision: Option<Seq>,
}

/// The new source of one field. `capability` is the older name of `source`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("required" = ["source"]))]
pub struct OneAssignment {
    /// The new source, or null for none.
    #[serde(alias = "capability", deserialize_with = "Option::deserialize")]
    pub source: Option<CapabilityName>,
    #[serde(default)]
    pub mode: Mode,
    /// The revision of the plan. The host rejects the request if the registry has changed since.
    #[serde(default, deserialize_with = "integer_or_none", skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = INTEGER_MAX))]
    pub revision: Option<Seq>,
}
