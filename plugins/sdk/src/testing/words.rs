//! Conversions between the SDK's values and the vocabulary's.

use samsyn_contract::Given;
use samsyn_vocabulary as host;

use crate::{Date, Decimal, Timestamp, Value};

/// The value as a handler passes it.
pub(super) fn given(value: Value) -> Given {
    match value {
        Value::Text(text) => Given::Text(text),
        Value::Integer(number) => Given::Integer(number),
        Value::Number(number) => Given::Number(number),
        Value::Decimal(decimal) => Given::Decimal(crate::decimal::write(decimal)),
        Value::Boolean(boolean) => Given::Boolean(boolean),
        Value::Timestamp(moment) => Given::Timestamp(moment.millis()),
        Value::Date(date) => Given::Date(date.to_string()),
        Value::Texts(texts) => Given::Texts(texts),
        Value::Json(text) => Given::Json(text),
    }
}

/// The value as a host stores it; none for a time or a date outside the years 0000 to 9999, which no
/// host stores.
pub(super) fn of_a_host(value: &Value) -> Option<host::Value> {
    Some(match value {
        Value::Text(text) => host::Value::Text(text.clone()),
        Value::Integer(number) => host::Value::Integer(*number),
        Value::Number(number) => host::Value::Number(*number),
        Value::Decimal(decimal) => {
            host::Value::Decimal(host::Decimal::parse(&crate::decimal::write(*decimal))?)
        }
        Value::Boolean(boolean) => host::Value::Boolean(*boolean),
        Value::Timestamp(moment) => host::Value::Timestamp(host::Timestamp::from_millis(moment.millis())?),
        Value::Date(date) => host::Value::Date(date.to_string().parse().ok()?),
        Value::Texts(texts) => host::Value::Texts(texts.clone()),
        Value::Json(text) => host::Value::Json(text.clone()),
    })
}

/// The value as a handler reads it. Panics for a value that no plug-in can read: no host passes one.
#[track_caller]
pub(super) fn of_a_plug_in(value: &host::Value) -> Value {
    match value {
        host::Value::Text(text) => Value::Text(text.clone()),
        host::Value::Integer(number) => Value::Integer(*number),
        host::Value::Number(number) => Value::Number(*number),
        host::Value::Decimal(decimal) => Value::Decimal(readable(Decimal::from_str_exact(decimal.as_str()))),
        host::Value::Boolean(boolean) => Value::Boolean(*boolean),
        host::Value::Timestamp(moment) => Value::Timestamp(Timestamp::from_millis(moment.millis())),
        host::Value::Date(date) => Value::Date(readable(date.as_str().parse::<Date>())),
        host::Value::Texts(texts) => Value::Texts(texts.clone()),
        host::Value::Json(text) => Value::Json(text.clone()),
    }
}

#[track_caller]
fn readable<T, E: std::fmt::Display>(read: Result<T, E>) -> T {
    read.unwrap_or_else(|error| panic!("a host gave what the SDK can't read: {error}"))
}

/// The value as the wanted type, if the conversion is lossless.
#[track_caller]
pub(super) fn coerced(value: &Value, wanted: host::Type) -> Option<Value> {
    of_a_host(value)?.coerce(wanted).ok().map(|value| of_a_plug_in(&value))
}

/// The same for an event's property, where an integer also converts to text.
#[track_caller]
pub(super) fn coerced_property(value: &Value, wanted: host::Type) -> Option<Value> {
    of_a_host(value)?.coerce_property(wanted).ok().map(|value| of_a_plug_in(&value))
}
