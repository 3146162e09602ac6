//! What a data point, a property or a setting can hold, and how JSON becomes one without loss.

use std::borrow::Cow;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{Date, Decimal, Timestamp};

/// The type of a field, a property or a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Type {
    /// Unicode text.
    Text,
    /// A whole number of 64 bits.
    Integer,
    /// A finite double.
    Number,
    /// A decimal number, exact. Money is this.
    Decimal,
    /// True or false.
    Boolean,
    /// A moment, RFC 3339.
    Timestamp,
    /// A calendar date, `YYYY-MM-DD`.
    Date,
    /// A list of texts.
    Texts,
    /// Any JSON.
    Json,
}

/// A value of one of the types the contract knows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Value {
    /// Unicode text.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// A finite double.
    Number(f64),
    /// An exact decimal.
    Decimal(Decimal),
    /// True or false.
    Boolean(bool),
    /// A moment.
    Timestamp(Timestamp),
    /// A calendar date.
    Date(Date),
    /// A list of texts.
    Texts(Vec<String>),
    /// JSON text. An event's properties are this until a delivery coerces them.
    Json(String),
}

/// A value that can't become the wanted type without loss.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{found} can't be read as {wanted}")]
pub struct CoerceError {
    /// The type that was declared.
    pub wanted: Type,
    /// What stood there, shortened: never a whole personal value.
    pub found: String,
}

impl Type {
    /// The name used in manifests and answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Type::Text => "text",
            Type::Integer => "integer",
            Type::Number => "number",
            Type::Decimal => "decimal",
            Type::Boolean => "boolean",
            Type::Timestamp => "timestamp",
            Type::Date => "date",
            Type::Texts => "texts",
            Type::Json => "json",
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Value {
    /// The value's own type.
    pub fn kind(&self) -> Type {
        match self {
            Value::Text(_) => Type::Text,
            Value::Integer(_) => Type::Integer,
            Value::Number(_) => Type::Number,
            Value::Decimal(_) => Type::Decimal,
            Value::Boolean(_) => Type::Boolean,
            Value::Timestamp(_) => Type::Timestamp,
            Value::Date(_) => Type::Date,
            Value::Texts(_) => Type::Texts,
            Value::Json(_) => Type::Json,
        }
    }

    /// Roughly how many bytes the value takes, for limits.
    pub fn size(&self) -> usize {
        match self {
            Value::Text(text) | Value::Json(text) => text.len(),
            Value::Decimal(decimal) => decimal.as_str().len(),
            Value::Date(date) => date.as_str().len(),
            Value::Texts(texts) => texts.iter().map(|text| text.len() + 4).sum(),
            Value::Integer(_) | Value::Number(_) | Value::Boolean(_) | Value::Timestamp(_) => 8,
        }
    }

    /// The same value as the wanted type, when nothing is lost by it: `12` and `12.0` are one
    /// decimal, `"12"` is the integer 12, `12.5` is not.
    pub fn coerce(&self, wanted: Type) -> Result<Value, CoerceError> {
        if self.kind() == wanted {
            return Ok(self.clone());
        }
        let converted = match self {
            Value::Json(json) => return from_json_text(json, wanted),
            Value::Text(text) => from_text(text, wanted),
            Value::Integer(number) => match wanted {
                // A double holds every whole number up to 2^53.
                Type::Number if number.unsigned_abs() <= 1 << 53 => Some(Value::Number(*number as f64)),
                Type::Decimal => Decimal::parse(&number.to_string()).map(Value::Decimal),
                _ => None,
            },
            Value::Number(number) => match wanted {
                Type::Integer | Type::Decimal => from_number_text(&number.to_string(), wanted),
                _ => None,
            },
            Value::Decimal(decimal) => match wanted {
                Type::Integer | Type::Number => from_number_text(decimal.as_str(), wanted),
                _ => None,
            },
            _ => None,
        };
        let converted =
            converted.or_else(|| (wanted == Type::Json).then(|| Value::Json(self.to_json().to_string())));
        converted.ok_or_else(|| CoerceError { wanted, found: format!("a {}", self.kind()) })
    }

    /// Reads raw JSON as the wanted type without loss.
    pub fn from_json(json: &RawValue, wanted: Type) -> Result<Value, CoerceError> {
        from_json_text(json.get(), wanted)
    }

    /// The value as JSON, for answers. Integers stay numbers; decimals are texts, so that no
    /// reader's doubles round money.
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Value::Text(text) => text.as_str().into(),
            Value::Integer(number) => (*number).into(),
            Value::Number(number) => (*number).into(),
            Value::Decimal(decimal) => decimal.as_str().into(),
            Value::Boolean(boolean) => (*boolean).into(),
            Value::Timestamp(moment) => moment.to_string().into(),
            Value::Date(date) => date.as_str().into(),
            Value::Texts(texts) => texts.clone().into(),
            Value::Json(text) => serde_json::from_str(text).unwrap_or(serde_json::Value::Null),
        }
    }
}

fn from_json_text(json: &str, wanted: Type) -> Result<Value, CoerceError> {
    let json = json.trim();
    let error = || CoerceError { wanted, found: describe(json) };
    if wanted == Type::Json {
        return Ok(Value::Json(json.to_owned()));
    }
    let converted = match json.as_bytes().first() {
        Some(b'"') => {
            let text = unquoted(json).ok_or_else(error)?;
            match wanted {
                Type::Text => Some(Value::Text(text.into_owned())),
                wanted => from_text(&text, wanted),
            }
        }
        Some(b't' | b'f') if wanted == Type::Boolean => serde_json::from_str(json).ok().map(Value::Boolean),
        Some(b'[') if wanted == Type::Texts => serde_json::from_str(json).ok().map(Value::Texts),
        Some(b'-' | b'0'..=b'9') => from_number_text(json, wanted),
        _ => None,
    };
    converted.ok_or_else(error)
}

/// The text that a JSON text says. Most have nothing to be unescaped.
fn unquoted(json: &str) -> Option<Cow<'_, str>> {
    let plain = |byte: u8| byte >= b' ' && byte != b'"' && byte != b'\\';
    match json.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(inner) if inner.bytes().all(plain) => Some(Cow::Borrowed(inner)),
        _ => serde_json::from_str(json).ok().map(Cow::Owned),
    }
}

fn from_text(text: &str, wanted: Type) -> Option<Value> {
    match wanted {
        Type::Text => Some(Value::Text(text.to_owned())),
        Type::Integer | Type::Number | Type::Decimal => from_number_text(text, wanted),
        Type::Timestamp => text.parse().ok().map(Value::Timestamp),
        Type::Date => text.parse().ok().map(Value::Date),
        Type::Boolean | Type::Texts | Type::Json => None,
    }
}

fn from_number_text(text: &str, wanted: Type) -> Option<Value> {
    match wanted {
        Type::Integer => {
            let decimal = Decimal::parse(text)?;
            decimal.as_str().parse().ok().map(Value::Integer)
        }
        Type::Decimal => Decimal::parse(text).map(Value::Decimal),
        Type::Number => {
            let exact = Decimal::parse(text)?;
            let number: f64 = text.parse().ok()?;
            // A double that prints another number than was written has lost something.
            let same = number.is_finite() && Decimal::parse(&number.to_string())? == exact;
            same.then_some(Value::Number(number))
        }
        _ => None,
    }
}

/// Names the kind of JSON that stood there, never its content: errors end in logs.
fn describe(json: &str) -> String {
    match json.as_bytes().first() {
        Some(b'"') => "this text",
        Some(b'{') => "an object",
        Some(b'[') => "a list",
        Some(b't' | b'f') => "a boolean",
        Some(b'n') => "null",
        Some(b'-' | b'0'..=b'9') => "this number",
        _ => "nothing",
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str, wanted: Type) -> Result<Value, CoerceError> {
        Value::Json(text.to_owned()).coerce(wanted)
    }

    #[test]
    fn equal_numbers_are_one_decimal() {
        let twelve = Value::Decimal(Decimal::parse("12").unwrap());
        for text in ["12", "12.0", "1.2e1", "\"12.00\""] {
            assert_eq!(json(text, Type::Decimal).unwrap(), twelve, "{text}");
        }
        let long = "29.330000000000000000001";
        assert_eq!(json(long, Type::Decimal).unwrap(), Value::Decimal(Decimal::parse(long).unwrap()));
    }

    #[test]
    fn texts_are_what_json_says() {
        for text in ["", "plain", "\u{e5}\u{1f600}", "a\"b", "a\\b", "line\nbreak", "\u{7f}"] {
            let written = serde_json::to_string(text).unwrap();
            assert_eq!(json(&written, Type::Text).unwrap(), Value::Text(text.to_owned()), "{written}");
        }
        for bad in ["\"", "\"a", "\"a\"b\"", "\"a\nb\"", "\"\\x\"", "\"a\\\""] {
            assert!(json(bad, Type::Text).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_would_lose_something_is_refused() {
        for (text, wanted) in [
            ("12.5", Type::Integer),
            ("9223372036854775808", Type::Integer),
            ("29.330000000000000000001", Type::Number),
            ("1e400", Type::Number),
            ("\"yes\"", Type::Boolean),
            ("1", Type::Boolean),
            ("12", Type::Text),
            ("[1]", Type::Texts),
            ("{}", Type::Text),
            ("null", Type::Text),
            ("\"2026-02-30\"", Type::Date),
        ] {
            assert!(json(text, wanted).is_err(), "{text} as {wanted}");
        }
        assert_eq!(json("12.0", Type::Integer).unwrap(), Value::Integer(12));
        assert_eq!(json("0.1", Type::Number).unwrap(), Value::Number(0.1));
    }

    #[test]
    fn an_error_never_repeats_the_value() {
        let error = json("\"anna@example.com\"", Type::Integer).unwrap_err();
        assert_eq!(error.to_string(), "this text can't be read as integer");
    }
}
