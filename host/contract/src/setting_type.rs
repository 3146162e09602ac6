//! What a setting can hold: a value, or the name of a secret.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::vocabulary::Type;

const SECRET: &str = "secret";

/// The type of a setting: one of values, or the name of a secret. A field can't be a secret, so this is no
/// [`Type`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SettingType {
    /// A value of this type.
    Of(Type),
    /// The name of a secret, which the registry has. A plug-in gets it as text, and never the secret's value.
    Secret,
}

impl SettingType {
    /// The type of its values, as a plug-in gets them.
    pub fn of_values(self) -> Type {
        match self {
            SettingType::Of(kind) => kind,
            SettingType::Secret => Type::Text,
        }
    }

    /// Whether it names a secret.
    pub fn is_secret(self) -> bool {
        self == SettingType::Secret
    }

    /// The name used in manifests and answers.
    pub fn as_str(self) -> &'static str {
        match self {
            SettingType::Of(kind) => kind.as_str(),
            SettingType::Secret => SECRET,
        }
    }

    fn names() -> impl Iterator<Item = &'static str> {
        Type::ALL.into_iter().map(Type::as_str).chain([SECRET])
    }
}

impl From<Type> for SettingType {
    fn from(kind: Type) -> SettingType {
        SettingType::Of(kind)
    }
}

impl fmt::Display for SettingType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for SettingType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for SettingType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<SettingType, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        if text == SECRET {
            return Ok(SettingType::Secret);
        }
        let known = Type::ALL.into_iter().find(|kind| kind.as_str() == text);
        known.map(SettingType::Of).ok_or_else(|| {
            let names: Vec<String> = SettingType::names().map(|name| format!("`{name}`")).collect();
            serde::de::Error::custom(format!("unknown type `{text}`, expected one of {}", names.join(", ")))
        })
    }
}

impl JsonSchema for SettingType {
    fn schema_name() -> Cow<'static, str> {
        "SettingType".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let names: Vec<&str> = SettingType::names().collect();
        json_schema!({
            "type": "string",
            "description": "The type of a setting: one of values, or `secret`, the name of a secret",
            "enum": names,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_read_as_it_is_written() {
        for name in SettingType::names() {
            let kind: SettingType = serde_json::from_value(name.into()).unwrap();
            assert_eq!((kind.as_str(), serde_json::to_value(kind).unwrap()), (name, name.into()));
            assert_eq!(kind.is_secret(), name == "secret");
            assert_eq!(kind.of_values().as_str(), if kind.is_secret() { "text" } else { name });
        }
        let error = serde_json::from_str::<SettingType>("\"password\"").unwrap_err().to_string();
        assert!(error.contains("`password`") && error.contains("`secret`"), "{error}");
    }
}
