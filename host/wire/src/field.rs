//! The dictionary: fields and identifiers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use samsyn_contract::{Compare, DataClass};
use samsyn_registry::Normaliser;
use samsyn_vocabulary::{CapabilityName, FieldName, IdentifierName, Type};

/// A field of the profile.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct Field {
    #[schemars(with = "FieldName")]
    pub name: String,
    #[serde(rename = "type")]
    #[schemars(with = "Type")]
    pub kind: String,
    /// The allowed strings; empty allows all.
    pub one_of: Vec<String>,
    /// A JSON Schema that each value must match.
    pub schema: Option<serde_json::Value>,
    /// The unit of a number.
    pub unit: Option<String>,
    /// The meaning of the field.
    pub description: String,
    #[schemars(with = "DataClass")]
    pub class: String,
    /// The responsible department.
    pub department: Option<String>,
    /// The identifier that the field's value is.
    #[schemars(with = "Option<IdentifierName>")]
    pub identifies: Option<String>,
    /// True: the field is an opt-out. No other source, removal or missing claim turns its `true` off.
    pub protective: bool,
    #[schemars(with = "Compare")]
    pub compare: String,
    /// Set if the field is deprecated: what to use instead.
    pub deprecated: Option<String>,
    /// `proposed`: a plug-in added it, and no administrator has accepted it yet.
    #[schemars(extend("enum" = ["defined", "proposed"]))]
    pub status: String,
    /// The plug-in that added it.
    #[schemars(with = "Option<CapabilityName>")]
    pub proposed_by: Option<String>,
    /// The source: the capability whose claim is the value.
    #[schemars(with = "Option<CapabilityName>")]
    pub source: Option<String>,
    /// Former sources, newest first. Their claims are used for customers without a claim of the source.
    #[schemars(with = "Vec<CapabilityName>")]
    pub inherits: Vec<String>,
    /// The capabilities that make claims for it.
    #[schemars(with = "Vec<CapabilityName>")]
    pub claimed_by: Vec<String>,
    /// The capabilities that read it.
    #[schemars(with = "Vec<CapabilityName>")]
    pub consumed_by: Vec<String>,
}

/// An identifier of customers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct Identifier {
    #[schemars(with = "IdentifierName")]
    pub name: String,
    #[schemars(with = "Normaliser")]
    pub normaliser: String,
    pub strength: u32,
    /// The country of phone numbers without a country code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// Values that identify nobody and are rejected, ignoring case.
    pub rejected_values: Vec<String>,
}
