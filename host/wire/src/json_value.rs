//! A value as JSON in an answer, without a tree in between.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer};
use serde::ser::{Serialize, Serializer};
use serde_json::value::RawValue;

use samsyn_vocabulary::Value;

/// A value, or null for none.
#[derive(Clone, Debug)]
pub enum JsonValue<'a> {
    /// As the host has it. It is written as [`Value::to_json`], but JSON text is passed on as it is, so that
    /// its numbers keep every digit.
    Held(Option<&'a Value>),
    /// As a client read it.
    Read(serde_json::Value),
}

impl JsonValue<'_> {
    /// It as JSON.
    pub fn to_json(&self) -> Cow<'_, serde_json::Value> {
        match self {
            JsonValue::Held(value) => Cow::Owned(value.map_or(serde_json::Value::Null, Value::to_json)),
            JsonValue::Read(json) => Cow::Borrowed(json),
        }
    }

    /// It as JSON.
    pub fn into_json(self) -> serde_json::Value {
        match self {
            JsonValue::Held(_) => self.to_json().into_owned(),
            JsonValue::Read(json) => json,
        }
    }

    /// Whether it is none.
    pub fn is_null(&self) -> bool {
        match self {
            JsonValue::Held(value) => value.is_none(),
            JsonValue::Read(json) => json.is_null(),
        }
    }
}

impl Default for JsonValue<'_> {
    fn default() -> Self {
        JsonValue::Held(None)
    }
}

impl PartialEq for JsonValue<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.to_json() == other.to_json()
    }
}

impl Serialize for JsonValue<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let held = match self {
            JsonValue::Held(held) => held,
            JsonValue::Read(json) => return json.serialize(serializer),
        };
        match held {
            None => serializer.serialize_none(),
            Some(Value::Text(text)) => serializer.serialize_str(text),
            Some(Value::Integer(number)) => serializer.serialize_i64(*number),
            Some(Value::Number(number)) => serializer.serialize_f64(*number),
            Some(Value::Decimal(decimal)) => serializer.serialize_str(decimal.as_str()),
            Some(Value::Boolean(boolean)) => serializer.serialize_bool(*boolean),
            Some(Value::Timestamp(moment)) => serializer.collect_str(moment),
            Some(Value::Date(date)) => serializer.serialize_str(date.as_str()),
            Some(Value::Texts(texts)) => texts.serialize(serializer),
            Some(Value::Json(text)) => match serde_json::from_str::<&RawValue>(text) {
                Ok(raw) => raw.serialize(serializer),
                Err(_) => serializer.serialize_none(),
            },
        }
    }
}

impl<'de> Deserialize<'de> for JsonValue<'_> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        serde_json::Value::deserialize(deserializer).map(JsonValue::Read)
    }
}

impl JsonSchema for JsonValue<'_> {
    fn schema_name() -> Cow<'static, str> {
        "Value".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A value of its field's type; decimals are texts, so that nobody's doubles round money. \
                            Null is no value.",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use samsyn_vocabulary::{Decimal, Timestamp};

    #[test]
    fn it_is_what_the_vocabulary_says_with_every_digit() {
        for value in [
            Value::Text("a\"b".to_owned()),
            Value::Integer(-7),
            Value::Number(0.1),
            Value::Decimal(Decimal::parse("12.50").unwrap()),
            Value::Boolean(true),
            Value::Timestamp(Timestamp(0)),
            Value::Texts(vec!["a".to_owned()]),
            Value::Json("{\"a\":[1]}".to_owned()),
        ] {
            let held = JsonValue::Held(Some(&value));
            assert_eq!(serde_json::to_value(&held).unwrap(), value.to_json());
            let read: JsonValue<'_> = serde_json::from_value(value.to_json()).unwrap();
            assert_eq!(read, held);
        }
        let long = Value::Json("1.000000000000000000001".to_owned());
        assert_eq!(serde_json::to_string(&JsonValue::Held(Some(&long))).unwrap(), "1.000000000000000000001");
        assert_eq!(serde_json::to_string(&JsonValue::Held(None)).unwrap(), "null");
    }
}
