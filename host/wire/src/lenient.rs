//! A member of which a newer host may write what this version doesn't know.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::value::Error as ValueError;
use serde::de::{Deserialize, DeserializeOwned, Deserializer, IntoDeserializer};
use serde::ser::{Serialize, Serializer};

/// Reads an optional member of which a null says something: absent is `None`, null is a null value.
pub(crate) fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// A `T` that is a text in JSON, or another text. The host writes a `T`, and the schema is that of `T`. A
/// client reads any text, and prints it as it came. What is missing is the empty text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lenient<T> {
    /// A valid one.
    Known(T),
    /// Anything else.
    Other(String),
}

impl<T> Lenient<T> {
    /// It, if it is a valid one.
    pub fn known(&self) -> Option<&T> {
        match self {
            Lenient::Known(value) => Some(value),
            Lenient::Other(_) => None,
        }
    }

    /// Whether the host said nothing.
    pub fn is_missing(&self) -> bool {
        matches!(self, Lenient::Other(text) if text.is_empty())
    }
}

impl<T: PartialEq> Lenient<T> {
    /// Whether it is this.
    pub fn is(&self, value: &T) -> bool {
        self.known() == Some(value)
    }
}

impl<T> Default for Lenient<T> {
    fn default() -> Self {
        Lenient::Other(String::new())
    }
}

impl<T> From<T> for Lenient<T> {
    fn from(value: T) -> Self {
        Lenient::Known(value)
    }
}

impl<T: fmt::Display> fmt::Display for Lenient<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Lenient::Known(value) => value.fmt(f),
            Lenient::Other(text) => f.pad(text),
        }
    }
}

impl<T: Serialize> Serialize for Lenient<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Lenient::Known(value) => value.serialize(serializer),
            Lenient::Other(text) => serializer.serialize_str(text),
        }
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Lenient<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let known = T::deserialize(IntoDeserializer::<ValueError>::into_deserializer(text.as_str()));
        Ok(known.map_or_else(|_| Lenient::Other(text), Lenient::Known))
    }
}

impl<T: JsonSchema> JsonSchema for Lenient<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn schema_id() -> Cow<'static, str> {
        T::schema_id()
    }

    fn json_schema(of: &mut SchemaGenerator) -> Schema {
        T::json_schema(of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Verdict;
    use samsyn_vocabulary::{Partition, Position, ProfileId, Timestamp};

    #[test]
    fn a_text_of_a_newer_host_is_kept_as_it_came() {
        let read = |text: &str| serde_json::from_str::<Lenient<Position>>(text).unwrap();
        let known = Position { partition: Partition(12), seq: 345 };
        assert_eq!(read(r#""12-345""#), known.into());
        let other = read(r#""intake-7""#);
        assert_eq!((other.known(), other.to_string().as_str()), (None, "intake-7"));
        assert_eq!(serde_json::to_string(&other).unwrap(), r#""intake-7""#);
        let word = |text: &str| serde_json::from_str::<Lenient<Verdict>>(text).unwrap();
        assert!(word(r#""refused""#).is(&Verdict::Refused));
        assert_eq!(word(r#""postponed""#), Lenient::Other("postponed".to_owned()));
        assert!(serde_json::from_str::<Lenient<ProfileId>>("7").is_err());
        assert!(Lenient::<Timestamp>::default().is_missing());
    }
}
