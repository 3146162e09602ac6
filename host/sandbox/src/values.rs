//! Between the guest's bindings and the contract's own words: the same things under two names.

use super::bindings::samsyn::plugin::types as wit;
use samsyn_contract::{Given, GivenProperty, Refused};
use samsyn_vocabulary::Value;

/// A value that a guest hands over.
pub(super) fn given(value: wit::ValueResult) -> Given {
    match value {
        wit::ValueResult::Text(text) => Given::Text(text),
        wit::ValueResult::Integer(number) => Given::Integer(number),
        wit::ValueResult::Number(number) => Given::Number(number),
        wit::ValueResult::Decimal(text) => Given::Decimal(text),
        wit::ValueResult::Boolean(boolean) => Given::Boolean(boolean),
        wit::ValueResult::Timestamp(millis) => Given::Timestamp(millis),
        wit::ValueResult::Date(text) => Given::Date(text),
        wit::ValueResult::Texts(texts) => Given::Texts(texts),
        wit::ValueResult::Json(text) => Given::Json(text),
    }
}

/// The properties of an event that a guest emits.
pub(super) fn given_properties(properties: Vec<wit::PropertyResult>) -> Vec<GivenProperty> {
    let given = |wit::PropertyResult { name, value }| GivenProperty { name, value: given(value) };
    properties.into_iter().map(given).collect()
}

/// What the guest hears of a refusal.
pub(super) fn refusal(refused: Refused) -> wit::Refusal {
    wit::Refusal { code: refused.code.into(), message: refused.message }
}

/// A setting, handed over to a guest.
pub(super) fn give(value: &Value) -> wit::ValueResult {
    match value {
        Value::Text(text) => wit::ValueResult::Text(text.clone()),
        Value::Integer(number) => wit::ValueResult::Integer(*number),
        Value::Number(number) => wit::ValueResult::Number(*number),
        Value::Decimal(decimal) => wit::ValueResult::Decimal(decimal.as_str().to_owned()),
        Value::Boolean(boolean) => wit::ValueResult::Boolean(*boolean),
        Value::Timestamp(moment) => wit::ValueResult::Timestamp(moment.millis()),
        Value::Date(date) => wit::ValueResult::Date(date.as_str().to_owned()),
        Value::Texts(texts) => wit::ValueResult::Texts(texts.clone()),
        Value::Json(text) => wit::ValueResult::Json(text.clone()),
    }
}
