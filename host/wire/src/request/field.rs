//! The dictionary: fields and identifiers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::integer::integer;
use samsyn_contract::{Compare, DataClass};
use samsyn_registry::Normaliser;
use samsyn_vocabulary::{IdentifierName, Type};

/// The definition of a field. Another request assigns its source.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FieldDefinition {
    #[serde(rename = "type")]
    pub kind: Type,
    /// The allowed strings, of a text or a list of texts; empty allows all.
    #[serde(default)]
    pub one_of: Vec<String>,
    /// A JSON Schema that each value must match. Its references must stay within it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<serde_json::Value>,
    /// The unit of a number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// The meaning of the field.
    #[serde(default)]
    pub description: String,
    #[serde(default)]
    pub class: DataClass,
    /// The responsible department.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub department: Option<String>,
    /// The identifier that the field's value is. The field must be a text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identifies: Option<IdentifierName>,
    /// True: the field is an opt-out. It must be a boolean.
    #[serde(default)]
    pub protective: bool,
    #[serde(default)]
    pub compare: Compare,
    /// Set it to deprecate the field: what to use instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deprecated: Option<String>,
}

/// The deprecation of a field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("required" = ["note"]))]
pub struct Deprecation {
    /// What to use instead. Null ends the deprecation.
    // Null must be written: it takes the note back.
    #[serde(deserialize_with = "Option::deserialize")]
    pub note: Option<String>,
}

/// The definition of an identifier, with the members of the list: read it, change it and send it back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IdentifierDefinition {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<IdentifierName>,
    pub normaliser: Normaliser,
    /// If an event's identifiers lead to different customers, the identifier with the greatest strength wins.
    #[serde(deserialize_with = "integer")]
    pub strength: u32,
    /// The country of phone numbers without a country code (ISO 3166-1 alpha-2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// Values that identify nobody and are rejected, ignoring case. Without it the host uses its default list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rejected_values: Option<Vec<String>>,
}
