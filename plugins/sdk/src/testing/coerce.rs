//! Conversion without loss, by the host's rules: `12` and `12.0` are one decimal, `"12"` is the
//! integer 12, `12.5` is not. `tests/values.json` holds both to the same.

use std::collections::HashSet;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::numeral::Numeral;
use crate::{Decimal, Type, Value};

/// The most digits of a decimal from outside, on both sides of the point together.
const DECIMAL_DIGITS_MAX: usize = 28;

/// An event's property: as [`coerce`] has it, and an integer is a text, its digits as they are written.
pub(crate) fn coerce_property(value: &Value, wanted: Type) -> Option<Value> {
    let taken = match (value, wanted) {
        (Value::Integer(number), Type::Text) => Some(Value::Text(number.to_string())),
        (Value::Json(json), Type::Text) => integer_digits(json).map(Value::Text),
        (Value::Json(json), Type::Texts) => texts_or_integers(json).map(Value::Texts),
        _ => None,
    };
    taken.or_else(|| coerce(value, wanted))
}

fn integer_digits(json: &str) -> Option<String> {
    let json = json.trim();
    let digits = json.strip_prefix('-').unwrap_or(json);
    let is_integer = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    (is_integer && json != "-0").then(|| json.to_owned())
}

fn texts_or_integers(json: &str) -> Option<Vec<String>> {
    let elements: Vec<&RawValue> = serde_json::from_str(json).ok()?;
    let text = |element: &&RawValue| match element.get() {
        text if text.starts_with('"') => serde_json::from_str(text).ok(),
        other => integer_digits(other),
    };
    elements.iter().map(text).collect()
}

/// A setting, a claim or a proposed value.
pub(crate) fn coerce(value: &Value, wanted: Type) -> Option<Value> {
    if let Value::Json(json) = value {
        return from_json(json, wanted);
    }
    if value.kind() == wanted {
        return Some(value.clone());
    }
    match (value, wanted) {
        (Value::Text(text), _) if wanted != Type::Json => from_text(text, wanted),
        (Value::Integer(number), Type::Number) => {
            let double = *number as f64;
            (double as i128 == i128::from(*number)).then_some(Value::Number(double))
        }
        (Value::Integer(number), Type::Decimal) => Some(Value::Decimal((*number).into())),
        (Value::Number(number), Type::Integer | Type::Decimal) => from_number(&number.to_string(), wanted),
        (Value::Decimal(decimal), Type::Integer | Type::Number) => from_number(&decimal.to_string(), wanted),
        (_, Type::Json) => Some(Value::Json(to_json(value))),
        _ => None,
    }
}

fn from_json(json: &str, wanted: Type) -> Option<Value> {
    let json = json.trim();
    if wanted == Type::Json {
        return serde_json::from_str::<Readable>(json).is_ok().then(|| Value::Json(json.to_owned()));
    }
    match json.as_bytes().first()? {
        b'"' => from_text(&serde_json::from_str::<String>(json).ok()?, wanted),
        b't' | b'f' if wanted == Type::Boolean => serde_json::from_str(json).ok().map(Value::Boolean),
        b'[' if wanted == Type::Texts => serde_json::from_str(json).ok().map(Value::Texts),
        b'-' | b'0'..=b'9' => from_number(json, wanted),
        _ => None,
    }
}

fn from_text(text: &str, wanted: Type) -> Option<Value> {
    match wanted {
        Type::Text => Some(Value::Text(text.to_owned())),
        Type::Integer | Type::Number | Type::Decimal => from_number(text, wanted),
        Type::Timestamp => text.parse().ok().map(Value::Timestamp),
        Type::Date => text.parse().ok().map(Value::Date),
        Type::Boolean | Type::Texts | Type::Json => None,
    }
}

fn from_number(text: &str, wanted: Type) -> Option<Value> {
    let exact = Numeral::parse(text)?;
    match wanted {
        Type::Decimal if exact.places() <= DECIMAL_DIGITS_MAX => {
            // As it is written where it can be: a test that prints it shows what it says.
            let written = Decimal::from_str_exact(text).or_else(|_| Decimal::from_str_exact(&exact.plain()));
            written.ok().map(Value::Decimal)
        }
        Type::Integer => exact.plain().parse().ok().map(Value::Integer),
        Type::Number => exact.double(text).map(Value::Number),
        _ => None,
    }
}

/// JSON that every reader reads alike: no key twice, no number that no double holds.
struct Readable;

impl<'de> Deserialize<'de> for Readable {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Readable, D::Error> {
        deserializer.deserialize_any(Readable)
    }
}

impl<'de> Visitor<'de> for Readable {
    type Value = Readable;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Readable, E> {
        Ok(Readable)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Readable, E> {
        Ok(Readable)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Readable, E> {
        Ok(Readable)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Readable, E> {
        Ok(Readable)
    }

    fn visit_str<E>(self, _: &str) -> Result<Readable, E> {
        Ok(Readable)
    }

    fn visit_unit<E>(self) -> Result<Readable, E> {
        Ok(Readable)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Readable, A::Error> {
        while list.next_element::<Readable>()?.is_some() {}
        Ok(Readable)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Readable, A::Error> {
        let mut keys = HashSet::new();
        while let Some(key) = map.next_key::<String>()? {
            if !keys.insert(key) {
                return Err(A::Error::custom("a key stands there twice"));
            }
            map.next_value::<Readable>()?;
        }
        Ok(Readable)
    }
}

fn to_json(value: &Value) -> String {
    let json: serde_json::Value = match value {
        Value::Text(text) => text.as_str().into(),
        Value::Integer(number) => (*number).into(),
        Value::Number(number) => (*number).into(),
        Value::Decimal(decimal) => crate::decimal::write(*decimal).into(),
        Value::Boolean(boolean) => (*boolean).into(),
        Value::Timestamp(moment) => moment.to_string().into(),
        Value::Date(date) => date.to_string().into(),
        Value::Texts(texts) => texts.clone().into(),
        Value::Json(text) => return text.clone(),
    };
    json.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_lost() {
        let twelve = Value::Decimal(Decimal::from(12));
        for value in [Value::from("12.00"), 12.into(), 12.0.into(), Value::Json("1.2e1".into())] {
            assert_eq!(coerce(&value, Type::Decimal), Some(twelve.clone()), "{value:?}");
        }
        assert_eq!(coerce(&"12".into(), Type::Integer), Some(12.into()));
        assert_eq!(coerce(&"0.1".into(), Type::Number), Some(0.1.into()));
        for (value, wanted) in [
            (Value::from("12.5"), Type::Integer),
            (Value::from(12), Type::Text),
            (Value::from("yes"), Type::Boolean),
            (Value::from(1), Type::Boolean),
            (Value::from("2026-02-30"), Type::Date),
            (Value::from("29.330000000000000000001"), Type::Number),
        ] {
            assert_eq!(coerce(&value, wanted), None, "{value:?} as {wanted}");
        }
    }
}
