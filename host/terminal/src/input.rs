//! What people type: `name=value`, and whom they mean.

use std::str::FromStr;

use serde::de::value::Error;
use serde::de::{DeserializeOwned, IntoDeserializer};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;

use super::error::CliError;
use samsyn_client::{Client, ClientError};
use samsyn_vocabulary::{Type, Value as Typed};

/// Identifiers whose values are personal data, which doesn't belong in a URL.
const PERSONAL_IDENTIFIERS: [&str; 2] = ["email", "phone"];

/// `name=value` as typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// Before the first `=`.
    pub name: String,
    /// After it.
    pub value: String,
}

impl FromStr for Pair {
    type Err = String;

    fn from_str(text: &str) -> Result<Pair, String> {
        match text.split_once('=') {
            Some((name, value)) if !name.trim().is_empty() => {
                Ok(Pair { name: name.trim().to_owned(), value: value.to_owned() })
            }
            _ => Err("write name=value".to_owned()),
        }
    }
}

impl Pair {
    /// The value where nobody says its type: JSON where it reads as a number, true, false, null,
    /// a list, an object or a quoted text; else the text. `00042` is no JSON number, so it stays
    /// a text.
    pub fn guessed(&self) -> Value {
        serde_json::from_str(&self.value).unwrap_or_else(|_| Value::String(self.value.clone()))
    }

    /// The same, as it was written: `10.00` stays `10.00`.
    fn put_guessed(&self, object: &mut Typewritten) -> Result<(), CliError> {
        match serde_json::from_str::<&RawValue>(&self.value) {
            Ok(written) => object.put(&self.name, &written),
            Err(_) => object.put(&self.name, &self.value),
        }
    }

    /// The value as one of this type: null, or what the text reads as without loss. A text that
    /// is the word null is written in quotes.
    pub fn typed(&self, kind: Type) -> Result<Value, CliError> {
        let bad = || {
            CliError::usage(format!("{}: {:?} is not a valid {kind}", self.name, self.value))
                .next(format!("write a {kind}, or null"))
        };
        if self.value == "null" {
            return Ok(Value::Null);
        }
        let value = match kind {
            Type::Text => match serde_json::from_str(&self.value) {
                Ok(Value::String(quoted)) => return Ok(Value::String(quoted)),
                _ => Typed::Text(self.value.clone()),
            },
            Type::Texts if !self.value.trim_start().starts_with('[') => {
                Typed::Texts(self.value.split(',').map(|item| item.trim().to_owned()).collect())
            }
            Type::Boolean | Type::Texts | Type::Json => {
                serde_json::from_str::<Value>(&self.value).map_err(|_| bad())?;
                Typed::Json(self.value.clone()).coerce(kind).map_err(|_| bad())?
            }
            _ => Typed::Text(self.value.clone()).coerce(kind).map_err(|_| bad())?,
        };
        Ok(value.to_json())
    }
}

/// A word of a closed list, or a name, as the type that it is sent as.
pub fn word<T: DeserializeOwned>(text: &str) -> Result<T, CliError> {
    T::deserialize(IntoDeserializer::<Error>::into_deserializer(text)).map_err(CliError::usage_of)
}

/// A JSON object as it was typed: in that order, each value as it was written, and what was said
/// twice stays there twice, so that the host refuses it.
#[derive(Debug, Default)]
pub struct Typewritten(Vec<(String, Box<RawValue>)>);

impl Typewritten {
    /// Adds a member.
    pub fn put(&mut self, name: &str, value: &impl Serialize) -> Result<(), CliError> {
        let value = serde_json::value::to_raw_value(value).map_err(CliError::usage_of)?;
        self.0.push((name.to_owned(), value));
        Ok(())
    }

    /// Whether nothing was typed.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for Typewritten {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

/// Pairs as a JSON object of texts: identifiers.
pub fn texts(pairs: &[Pair]) -> Result<Typewritten, CliError> {
    let mut object = Typewritten::default();
    pairs.iter().try_for_each(|pair| object.put(&pair.name, &pair.value))?;
    Ok(object)
}

/// Pairs as a JSON object, each value as it looks: properties.
pub fn guessed(pairs: &[Pair]) -> Result<Typewritten, CliError> {
    let mut object = Typewritten::default();
    pairs.iter().try_for_each(|pair| pair.put_guessed(&mut object))?;
    Ok(object)
}

/// Pairs as proposals: each value of its field's type, where the host knows the field.
pub fn proposals(pairs: &[Pair], client: &Client) -> Result<Typewritten, CliError> {
    let mut proposed = Typewritten::default();
    for pair in pairs {
        let kind = match client.field(&pair.name) {
            Ok(field) => serde_json::from_value::<Type>(Value::String(field.body.kind)).ok(),
            // Whether an unknown field matters is for the call itself to say.
            Err(ClientError::Refused(_)) => None,
            Err(other) => return Err(other.into()),
        };
        match kind {
            None | Some(Type::Json) => pair.put_guessed(&mut proposed)?,
            Some(kind) => proposed.put(&pair.name, &pair.typed(kind)?)?,
        }
    }
    Ok(proposed)
}

/// Whom somebody means: a profile id or `identifier:value`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference(String);

impl FromStr for Reference {
    type Err = String;

    fn from_str(text: &str) -> Result<Reference, String> {
        let whole = match text.split_once(':') {
            Some((name, value)) => !name.is_empty() && !value.is_empty(),
            None => !text.is_empty(),
        };
        if whole {
            Ok(Reference(text.to_owned()))
        } else {
            Err("write a profile id or identifier:value".to_owned())
        }
    }
}

impl Reference {
    /// The identifier and its value, when it is one whose value doesn't belong in a URL.
    pub fn personal(&self) -> Option<(&str, &str)> {
        self.0.split_once(':').filter(|(name, _)| PERSONAL_IDENTIFIERS.contains(name))
    }

    /// What may stand in a URL: personal data is looked up first and replaced by the profile's id.
    pub fn for_url(&self, client: &Client) -> Result<String, CliError> {
        match self.personal() {
            Some((name, value)) => Ok(client.lookup(name, value, &[], false)?.body.id.to_string()),
            None => Ok(self.0.clone()),
        }
    }

    /// As typed.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(text: &str) -> Pair {
        text.parse().unwrap()
    }

    #[test]
    fn a_pair_splits_at_the_first_equals_sign() {
        assert_eq!(pair("a=b=c"), Pair { name: "a".into(), value: "b=c".into() });
        assert!("novalue".parse::<Pair>().is_err());
        assert!("=x".parse::<Pair>().is_err());
    }

    #[test]
    fn values_are_what_they_look_like() {
        assert_eq!(pair("a=29.33").guessed(), 29.33);
        assert_eq!(pair("a=00042").guessed(), "00042");
        assert_eq!(pair("a=null").guessed(), Value::Null);
        assert_eq!(pair("a=\"7\"").guessed(), "7");
        assert_eq!(pair("a=Anna").guessed(), "Anna");
    }

    #[test]
    fn a_fields_type_decides_where_it_is_known() {
        assert_eq!(pair("phone=46701234567").typed(Type::Text).unwrap(), "46701234567");
        assert_eq!(pair("phone=null").typed(Type::Text).unwrap(), Value::Null);
        assert_eq!(pair("name=\"null\"").typed(Type::Text).unwrap(), "null");
        assert_eq!(pair("points=7").typed(Type::Integer).unwrap(), 7);
        assert_eq!(pair("out=true").typed(Type::Boolean).unwrap(), true);
        assert_eq!(pair("words=STOP, END").typed(Type::Texts).unwrap(), serde_json::json!(["STOP", "END"]));
        assert!(pair("points=many").typed(Type::Integer).is_err());
        assert!(pair("out=yes").typed(Type::Boolean).is_err());
    }

    #[test]
    fn personal_data_is_told_apart() {
        let reference = |text: &str| text.parse::<Reference>().unwrap();
        assert_eq!(reference("email:a@b.c").personal(), Some(("email", "a@b.c")));
        assert_eq!(reference("customer_id:1").personal(), None);
        assert_eq!(reference("9f1c").personal(), None);
        assert!("email:".parse::<Reference>().is_err());
    }
}
