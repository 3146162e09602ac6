//! The dictionary: fields and identifiers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use samsyn_contract::{Compare, DataClass};
use samsyn_registry::Normaliser;
use samsyn_vocabulary::{CapabilityName, FieldName, IdentifierName, Type};

/// FIELD of docs/http.md.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct Field {
    #[schemars(with = "FieldName")]
    pub name: String,
    #[serde(rename = "type")]
    #[schemars(with = "Type")]
    pub kind: String,
    /// Allowed texts; empty allows all.
    pub one_of: Vec<String>,
    /// JSON Schema that values match.
    pub schema: Option<serde_json::Value>,
    /// What a number counts.
    pub unit: Option<String>,
    /// What it means.
    pub description: String,
    #[schemars(with = "DataClass")]
    pub class: String,
    /// Who answers for it.
    pub department: Option<String>,
    /// The identifier that a value of this field is.
    #[schemars(with = "Option<IdentifierName>")]
    pub identifies: Option<String>,
    /// An opt-out: no reassignment, removal or missing claim turns its `true` off.
    pub protective: bool,
    #[schemars(with = "Compare")]
    pub compare: String,
    /// Set when it should no longer be used: what to use instead.
    pub deprecated: Option<String>,
    /// `proposed`: a plug-in brought it, and no administrator has defined it yet.
    #[schemars(extend("enum" = ["defined", "proposed"]))]
    pub status: String,
    /// The plug-in that brought it.
    #[schemars(with = "Option<CapabilityName>")]
    pub proposed_by: Option<String>,
    /// Whose claim is the value.
    #[schemars(with = "Option<CapabilityName>")]
    pub source: Option<String>,
    /// Former sources whose claims stand in where it has none, newest first.
    #[schemars(with = "Vec<CapabilityName>")]
    pub inherits: Vec<String>,
    /// Who makes claims for it.
    #[schemars(with = "Vec<CapabilityName>")]
    pub claimed_by: Vec<String>,
    /// Who reads it.
    #[schemars(with = "Vec<CapabilityName>")]
    pub consumed_by: Vec<String>,
}

/// An identifier as it is answered.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct Identifier {
    #[schemars(with = "IdentifierName")]
    pub name: String,
    #[schemars(with = "Normaliser")]
    pub normaliser: String,
    pub strength: u32,
    /// For phone numbers without a country code: the country they are dialled in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// Values that identify nobody and are refused, in any case.
    pub rejected_values: Vec<String>,
}
