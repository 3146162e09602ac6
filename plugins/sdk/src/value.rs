//! The value of a field, a property or a setting.

use std::fmt;

use crate::{Date, Decimal, Timestamp};

/// A value of one of the types of the contract.
///
/// Pass anything that converts to [`Effects::set`](crate::Effects::set) directly:
/// `effects.set("loyalty.points", 120)`.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Unicode text.
    Text(String),
    /// A signed 64-bit integer.
    Integer(i64),
    /// A finite double.
    Number(f64),
    /// An exact decimal: at most 28 digits from outside, 29 as a calculation's result. Use it for money.
    Decimal(Decimal),
    /// True or false.
    Boolean(bool),
    /// A time.
    Timestamp(Timestamp),
    /// A calendar date.
    Date(Date),
    /// A list of strings.
    Texts(Vec<String>),
    /// JSON text.
    Json(String),
}

/// The type of a value, as the manifest writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Type {
    /// Unicode text.
    Text,
    /// A signed 64-bit integer.
    Integer,
    /// A finite double.
    Number,
    /// An exact decimal.
    Decimal,
    /// True or false.
    Boolean,
    /// A time.
    Timestamp,
    /// A calendar date.
    Date,
    /// A list of strings.
    Texts,
    /// Any JSON.
    Json,
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Type::Text => "text",
            Type::Integer => "integer",
            Type::Number => "number",
            Type::Decimal => "decimal",
            Type::Boolean => "boolean",
            Type::Timestamp => "timestamp",
            Type::Date => "date",
            Type::Texts => "texts",
            Type::Json => "json",
        })
    }
}

impl Value {
    /// The value's type.
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

    /// The text, if the value is text.
    pub fn as_text(&self) -> Option<&str> {
        if let Value::Text(text) = self { Some(text) } else { None }
    }

    /// The integer, if the value is one.
    pub fn as_integer(&self) -> Option<i64> {
        if let Value::Integer(number) = self { Some(*number) } else { None }
    }

    /// The double, if the value is one.
    pub fn as_number(&self) -> Option<f64> {
        if let Value::Number(number) = self { Some(*number) } else { None }
    }

    /// The decimal, if the value is one.
    pub fn as_decimal(&self) -> Option<Decimal> {
        if let Value::Decimal(decimal) = self { Some(*decimal) } else { None }
    }

    /// The boolean, if the value is one.
    pub fn as_boolean(&self) -> Option<bool> {
        if let Value::Boolean(boolean) = self { Some(*boolean) } else { None }
    }

    /// The time, if the value is one.
    pub fn as_timestamp(&self) -> Option<Timestamp> {
        if let Value::Timestamp(moment) = self { Some(*moment) } else { None }
    }

    /// The date, if the value is one.
    pub fn as_date(&self) -> Option<Date> {
        if let Value::Date(date) = self { Some(*date) } else { None }
    }

    /// The strings, if the value is a string list.
    pub fn as_texts(&self) -> Option<&[String]> {
        if let Value::Texts(texts) = self { Some(texts) } else { None }
    }

    /// The JSON text, if the value is JSON.
    pub fn as_json(&self) -> Option<&str> {
        if let Value::Json(json) = self { Some(json) } else { None }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::Text(text.to_owned())
    }
}

impl From<&String> for Value {
    fn from(text: &String) -> Value {
        Value::Text(text.clone())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::Text(text)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Value {
        Value::Integer(number)
    }
}

impl From<i32> for Value {
    fn from(number: i32) -> Value {
        Value::Integer(number.into())
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Value {
        Value::Integer(number.into())
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Value {
        Value::Number(number)
    }
}

impl From<Decimal> for Value {
    fn from(decimal: Decimal) -> Value {
        Value::Decimal(decimal)
    }
}

impl From<bool> for Value {
    fn from(boolean: bool) -> Value {
        Value::Boolean(boolean)
    }
}

impl From<Timestamp> for Value {
    fn from(moment: Timestamp) -> Value {
        Value::Timestamp(moment)
    }
}

impl From<Date> for Value {
    fn from(date: Date) -> Value {
        Value::Date(date)
    }
}

impl From<Vec<String>> for Value {
    fn from(texts: Vec<String>) -> Value {
        Value::Texts(texts)
    }
}
