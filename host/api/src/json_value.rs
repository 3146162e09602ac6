//! A value as JSON in an answer, without a tree in between.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::ser::{Serialize, Serializer};
use serde_json::value::RawValue;

use samsyn_vocabulary::Value;

/// A value, or null for none. As [`Value::to_json`], but JSON text is passed on as it is, so that
/// its numbers keep every digit.
#[derive(Clone, Copy, Debug)]
pub struct JsonValue<'a>(pub Option<&'a Value>);

impl Serialize for JsonValue<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
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
            assert_eq!(serde_json::to_value(JsonValue(Some(&value))).unwrap(), value.to_json());
        }
        let long = Value::Json("1.000000000000000000001".to_owned());
        assert_eq!(serde_json::to_string(&JsonValue(Some(&long))).unwrap(), "1.000000000000000000001");
        assert_eq!(serde_json::to_string(&JsonValue(None)).unwrap(), "null");
    }
}
