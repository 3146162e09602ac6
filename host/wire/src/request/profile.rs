//! Customers: looked up, and values proposed.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserializer, Error};
use serde::ser::Serializer;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use samsyn_registry::IDENTIFIER_BYTES_MAX;
use samsyn_vocabulary::{FieldName, IdentifierName, Members};

/// One identifier and its value: an object whose only member has the identifier's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LookUp<'a, V> {
    /// The identifier's name.
    pub identifier: Cow<'a, str>,
    /// Its value, a text.
    pub value: V,
}

impl<'a> LookUp<'a, &'a RawValue> {
    /// Takes an object's members; none unless there is exactly one.
    pub fn of<'m>(members: &'m Members<'a>) -> Option<LookUp<'m, &'a RawValue>> {
        let [(identifier, value)] = members.0.as_slice() else { return None };
        Some(LookUp { identifier: Cow::Borrowed(identifier.as_ref()), value: *value })
    }
}

impl<V: Serialize> Serialize for LookUp<'_, V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map([(&self.identifier, &self.value)])
    }
}

impl<'de> Deserialize<'de> for LookUp<'_, String> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut members = BTreeMap::<String, String>::deserialize(deserializer)?;
        match (members.pop_first(), members.len()) {
            (Some((identifier, value)), 0) => Ok(LookUp { identifier: identifier.into(), value }),
            _ => Err(D::Error::custom("a look-up has exactly one identifier")),
        }
    }
}

impl<V> JsonSchema for LookUp<'_, V> {
    fn schema_name() -> Cow<'static, str> {
        "LookUp".into()
    }

    fn json_schema(of: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "object",
            "description": "One identifier and its value",
            "minProperties": 1,
            "maxProperties": 1,
            "propertyNames": of.subschema_for::<IdentifierName>(),
            "additionalProperties": { "type": "string", "minLength": 1, "maxLength": IDENTIFIER_BYTES_MAX },
        })
    }
}

/// A merge patch of fields.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProfilePatch<F> {
    /// The proposed values, by their fields' names; null proposes to clear one.
    pub fields: F,
}

/// Why members are no patch of a profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PatchFault<'m> {
    /// It has another member than `fields`: this one.
    Unknown(&'m str),
    /// It has no `fields`.
    Missing,
}

impl ProfilePatch<()> {
    /// The name of its only member.
    pub const FIELDS: &'static str = "fields";
}

impl<'a> ProfilePatch<&'a RawValue> {
    /// Takes an object's members.
    pub fn of<'m>(members: &'m Members<'a>) -> Result<Self, PatchFault<'m>> {
        let mut names = members.0.iter().map(|(name, _)| name.as_ref());
        if let Some(unknown) = names.find(|name| *name != ProfilePatch::FIELDS) {
            return Err(PatchFault::Unknown(unknown));
        }
        let fields = members.get(ProfilePatch::FIELDS).ok_or(PatchFault::Missing)?;
        Ok(ProfilePatch { fields })
    }
}

impl<F> JsonSchema for ProfilePatch<F> {
    fn schema_name() -> Cow<'static, str> {
        "ProfilePatch".into()
    }

    fn json_schema(of: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "object",
            "description": "The proposed values (RFC 7396)",
            "required": [ProfilePatch::FIELDS],
            "additionalProperties": false,
            "properties": {
                (ProfilePatch::FIELDS): {
                    "type": "object",
                    "description": "Proposed values by field, each of the field's type; null clears the field",
                    "minProperties": 1,
                    "propertyNames": of.subschema_for::<FieldName>(),
                    "additionalProperties": true,
                },
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::member_names;
    use serde_json::{Value, json};

    fn members(json: &str) -> Members<'_> {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn a_look_up_has_one_identifier() {
        let found = members(r#"{"email":"a@b.example"}"#);
        let look_up = LookUp::of(&found).unwrap();
        assert_eq!((look_up.identifier.as_ref(), look_up.value.get()), ("email", "\"a@b.example\""));
        assert_eq!(serde_json::to_value(&look_up).unwrap(), json!({"email": "a@b.example"}));
        for bad in ["{}", r#"{"email":"a","phone":"1"}"#] {
            assert!(LookUp::of(&members(bad)).is_none(), "{bad}");
            assert!(serde_json::from_str::<LookUp<'_, String>>(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_patch_has_only_fields() {
        let found = members(r#"{"fields":{"a":1.0}}"#);
        assert_eq!(ProfilePatch::of(&found).unwrap().fields.get(), r#"{"a":1.0}"#);
        assert_eq!(ProfilePatch::of(&members("{}")).unwrap_err(), PatchFault::Missing);
        let unknown = members(r#"{"fields":{},"email":"a"}"#);
        assert_eq!(ProfilePatch::of(&unknown).unwrap_err(), PatchFault::Unknown("email"));
        assert_eq!(member_names::<ProfilePatch<Value>>(), [ProfilePatch::FIELDS]);
    }
}
