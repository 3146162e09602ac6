//! What a data point, a property or a setting can hold, and how JSON becomes one without loss.

use std::borrow::Cow;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::numeral::Numeral;
use super::readable::unreadable;
use super::{Date, Decimal, Timestamp};

/// The longest integer of 64 bits, in characters.
const INTEGER_CHARS_MAX: usize = 20;

/// The type of a field, a property or a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Type {
    /// A string of Unicode characters.
    Text,
    /// A 64-bit integer.
    Integer,
    /// A floating-point number of 64 bits, not infinite and not NaN.
    Number,
    /// An exact decimal number, such as an amount of money.
    Decimal,
    /// True or false.
    Boolean,
    /// A time, RFC 3339.
    Timestamp,
    /// A calendar date, `YYYY-MM-DD`.
    Date,
    /// A list of strings.
    Texts,
    /// Any JSON.
    Json,
}

/// A value of one of the types the contract knows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Value {
    /// A string of Unicode characters.
    Text(String),
    /// An integer.
    Integer(i64),
    /// A floating-point number of 64 bits, not infinite and not NaN.
    Number(f64),
    /// An exact decimal.
    Decimal(Decimal),
    /// True or false.
    Boolean(bool),
    /// A moment.
    Timestamp(Timestamp),
    /// A calendar date.
    Date(Date),
    /// A list of strings.
    Texts(Vec<String>),
    /// JSON text. An event's properties are this until an invocation coerces them.
    Json(String),
}

/// By which rules a value is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rules {
    /// Those of today: what is taken, every plug-in can read.
    #[default]
    Today,
    /// Those of hosts up to fbc9974, which took decimals of 64 characters, any JSON, and times that
    /// RFC 3339 doesn't have. Only to know again what they took.
    Before,
}

/// A value that can't become the wanted type without loss.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected {wanted}, got {found}")]
pub struct CoerceError {
    /// The type that was declared.
    pub wanted: Type,
    /// What kind of value stood there, and why it is none of the type: never the value, for errors end in
    /// logs.
    pub found: &'static str,
}

impl Type {
    /// Every type.
    pub const ALL: [Type; 9] = [
        Type::Text,
        Type::Integer,
        Type::Number,
        Type::Decimal,
        Type::Boolean,
        Type::Timestamp,
        Type::Date,
        Type::Texts,
        Type::Json,
    ];

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

    /// The same value as the wanted type, when nothing is lost by it and every plug-in can read it:
    /// `12` and `12.0` are one decimal, `"12"` is the integer 12, `12.5` is not, and a decimal has at
    /// most 28 digits.
    pub fn coerce(&self, wanted: Type) -> Result<Value, CoerceError> {
        if let Value::Json(json) = self {
            return Value::from_json(json, wanted, Rules::Today);
        }
        if self.kind() == wanted {
            return Ok(self.clone());
        }
        let converted = match self {
            Value::Text(text) => from_text(text, wanted, Rules::Today),
            Value::Integer(number) => match wanted {
                Type::Number => whole_double(*number).map(Value::Number),
                Type::Decimal => Decimal::parse(&number.to_string()).map(Value::Decimal),
                _ => None,
            },
            Value::Number(number) => match wanted {
                Type::Integer | Type::Decimal => from_number(&number.to_string(), wanted, Rules::Today),
                _ => None,
            },
            Value::Decimal(decimal) => match wanted {
                Type::Integer | Type::Number => from_number(decimal.as_str(), wanted, Rules::Today),
                _ => None,
            },
            _ => None,
        };
        let converted =
            converted.or_else(|| (wanted == Type::Json).then(|| Value::Json(self.to_json().to_string())));
        converted.ok_or_else(|| CoerceError { wanted, found: self.described() })
    }

    /// The same value as an event's property of the wanted type: as [`Value::coerce`] has it, and where a
    /// text is wanted an integer is one, its digits as they are written. Senders write ids so, and nothing
    /// of an integer is lost; a fraction or an exponent could be written otherwise, and `-0` is the same
    /// number as `0`, so these are no strings.
    pub fn coerce_property(&self, wanted: Type) -> Result<Value, CoerceError> {
        let taken = match (self, wanted) {
            (Value::Integer(number), Type::Text) => Some(Value::Text(number.to_string())),
            (Value::Json(json), Type::Text) => integer_digits(json).map(Value::Text),
            (Value::Json(json), Type::Texts) => texts_or_integers(json).map(Value::Texts),
            _ => None,
        };
        taken.map_or_else(|| self.coerce(wanted), Ok)
    }

    fn described(&self) -> &'static str {
        match self {
            Value::Text(_) => "a text",
            Value::Integer(_) => "an integer",
            Value::Number(_) => "a number",
            Value::Decimal(_) => "a decimal",
            Value::Boolean(_) => "a boolean",
            Value::Timestamp(_) => "a timestamp",
            Value::Date(_) => "a date",
            Value::Texts(_) => "a list of texts",
            Value::Json(_) => "JSON",
        }
    }

    /// Whether every plug-in can read the value. What hosts took before may not be.
    pub fn is_readable(&self) -> bool {
        match self {
            Value::Decimal(decimal) => decimal.fits_a_plug_in(),
            Value::Json(json) => unreadable(json).is_none(),
            _ => true,
        }
    }

    /// Reads JSON text as the wanted type without loss.
    pub fn from_json(json: &str, wanted: Type, rules: Rules) -> Result<Value, CoerceError> {
        let json = json.trim();
        let error = || CoerceError { wanted, found: describe(json, wanted) };
        let converted = match json.as_bytes().first() {
            _ if wanted == Type::Json => match unreadable(json).filter(|_| rules == Rules::Today) {
                Some(found) => return Err(CoerceError { wanted, found }),
                None => Some(Value::Json(json.to_owned())),
            },
            Some(b'"') => {
                let text = unquoted(json).ok_or_else(error)?;
                match wanted {
                    Type::Text => Some(Value::Text(text.into_owned())),
                    wanted => from_text(&text, wanted, rules),
                }
            }
            Some(b't' | b'f') if wanted == Type::Boolean => {
                serde_json::from_str(json).ok().map(Value::Boolean)
            }
            Some(b'[') if wanted == Type::Texts => serde_json::from_str(json).ok().map(Value::Texts),
            Some(b'-' | b'0'..=b'9') => from_number(json, wanted, rules),
            _ => None,
        };
        converted.ok_or_else(error)
    }

    /// The value as JSON, for answers. Integers stay numbers; decimals are strings, so that no reader's
    /// doubles round money.
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

/// The digits of a JSON integer, as they are written.
fn integer_digits(json: &str) -> Option<String> {
    let json = json.trim();
    let digits = json.strip_prefix('-').unwrap_or(json);
    let is_integer = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    (is_integer && json != "-0").then(|| json.to_owned())
}

/// The elements of a list, when each is a text or an integer.
fn texts_or_integers(json: &str) -> Option<Vec<String>> {
    let elements: Vec<&RawValue> = serde_json::from_str(json).ok()?;
    let text = |element: &&RawValue| match element.get() {
        text if text.starts_with('"') => unquoted(text).map(Cow::into_owned),
        other => integer_digits(other),
    };
    elements.iter().map(text).collect()
}

/// The text that a JSON text says. Most have nothing to be unescaped.
fn unquoted(json: &str) -> Option<Cow<'_, str>> {
    let plain = |byte: u8| byte >= b' ' && byte != b'"' && byte != b'\\';
    match json.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(inner) if inner.bytes().all(plain) => Some(Cow::Borrowed(inner)),
        _ => serde_json::from_str(json).ok().map(Cow::Owned),
    }
}

fn from_text(text: &str, wanted: Type, rules: Rules) -> Option<Value> {
    match wanted {
        Type::Text => Some(Value::Text(text.to_owned())),
        Type::Integer | Type::Number | Type::Decimal => from_number(text, wanted, rules),
        Type::Timestamp => match rules {
            Rules::Today => text.parse().ok(),
            Rules::Before => Timestamp::parse_as_before(text),
        }
        .map(Value::Timestamp),
        Type::Date => match rules {
            Rules::Today => text.parse().ok(),
            Rules::Before => Date::parse_as_before(text),
        }
        .map(Value::Date),
        Type::Boolean | Type::Texts | Type::Json => None,
    }
}

fn from_number(text: &str, wanted: Type, rules: Rules) -> Option<Value> {
    match wanted {
        Type::Integer => Numeral::parse(text)?.plain(INTEGER_CHARS_MAX)?.parse().ok().map(Value::Integer),
        Type::Decimal => {
            let decimal = Decimal::parse(text)?;
            let taken = rules == Rules::Before || decimal.is_within_limit();
            taken.then_some(Value::Decimal(decimal))
        }
        Type::Number => Numeral::parse(text)?.double(text).map(Value::Number),
        _ => None,
    }
}

/// The double that is this integer, if one is.
fn whole_double(number: i64) -> Option<f64> {
    let double = number as f64;
    (double as i128 == i128::from(number)).then_some(double)
}

/// What kind of JSON stood there, and why it is none of the type.
fn describe(json: &str, wanted: Type) -> &'static str {
    let (of_text, number) = match json.as_bytes().first() {
        Some(b'{') => return "an object",
        Some(b'[') if wanted == Type::Texts => return "a list with other things than texts",
        Some(b'[') => return "a list",
        Some(b't' | b'f') => return "a boolean",
        Some(b'n') => return "null",
        Some(b'"') => (true, unquoted(json)),
        Some(b'-' | b'0'..=b'9') => (false, Some(Cow::Borrowed(json))),
        _ => return "nothing",
    };
    let numeral = number.as_deref().and_then(Numeral::parse);
    match (wanted, numeral) {
        (Type::Integer, Some(numeral)) if numeral.is_whole() => "a number beyond 64 bits",
        (Type::Integer, Some(_)) => "a number with a fraction",
        (Type::Decimal, Some(_)) => "a number of more than 28 digits",
        (Type::Number, Some(_)) => "a number that no double is",
        (Type::Integer | Type::Decimal | Type::Number, None) => "a text that is no number",
        (Type::Timestamp, _) if of_text => "a text that is no RFC 3339 time",
        (Type::Date, _) if of_text => "a text that is no date of the calendar",
        _ if of_text => "a text",
        _ => "a number",
    }
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
    fn a_whole_number_is_a_double_when_one_is_it() {
        for number in [0, -7, 1 << 53, (1 << 53) + 2, -(1 << 62), i64::MIN] {
            assert_eq!(Value::Integer(number).coerce(Type::Number).unwrap(), Value::Number(number as f64));
        }
        for number in [(1 << 53) + 1, -(1 << 53) - 1, i64::MAX, i64::MIN + 1] {
            assert!(Value::Integer(number).coerce(Type::Number).is_err(), "{number}");
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
    fn what_hosts_took_before_is_read_as_before() {
        let long = "0.1234567890123456789012345678901234567890";
        for (text, wanted) in [
            (long, Type::Decimal),
            ("1e400", Type::Json),
            ("{\"a\":1,\"a\":2}", Type::Json),
            ("\"2026-11-21T10:00:00+25:00\"", Type::Timestamp),
        ] {
            assert!(Value::from_json(text, wanted, Rules::Today).is_err(), "{text}");
            assert!(Value::from_json(text, wanted, Rules::Before).is_ok(), "{text}");
        }
        assert!(!Value::Decimal(Decimal::parse(long).unwrap()).is_readable());
        assert!(!Value::Json("1e400".to_owned()).is_readable());
    }

    #[test]
    fn an_error_never_repeats_the_value() {
        let error = json("\"anna@example.com\"", Type::Integer).unwrap_err();
        assert_eq!(error.to_string(), "expected integer, got a text that is no number");
        for (text, wanted, got) in [
            ("12.5", Type::Integer, "a number with a fraction"),
            ("1e19", Type::Integer, "a number beyond 64 bits"),
            ("\"1e19\"", Type::Integer, "a number beyond 64 bits"),
            ("1e30", Type::Decimal, "a number of more than 28 digits"),
            ("1e400", Type::Number, "a number that no double is"),
            ("\"soon\"", Type::Timestamp, "a text that is no RFC 3339 time"),
            ("\"2026-02-30\"", Type::Date, "a text that is no date of the calendar"),
            ("7", Type::Date, "a number"),
            ("[1]", Type::Texts, "a list with other things than texts"),
            ("[]", Type::Text, "a list"),
            ("null", Type::Boolean, "null"),
            ("\"yes\"", Type::Boolean, "a text"),
            ("{\"a\":1,\"a\":1}", Type::Json, "JSON with a key twice in an object"),
            ("[1e400]", Type::Json, "JSON with a number that no double holds"),
        ] {
            let expected = format!("expected {wanted}, got {got}");
            assert_eq!(json(text, wanted).unwrap_err().to_string(), expected, "{text}");
        }
    }
}
