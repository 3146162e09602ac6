//! What a column's texts stand for, where the mapping lists them.

use std::collections::BTreeMap;

use serde_json::Value as Json;
use serde_json::value::RawValue;

use samsyn_vocabulary::{Rules, Type, Value};

/// Texts, and what each stands for.
#[derive(Debug, Clone, PartialEq)]
pub struct ValueMap {
    values: BTreeMap<String, Json>,
}

impl ValueMap {
    /// Checks every value against the type, where one is wanted.
    pub fn new(values: &BTreeMap<String, toml::Value>, wanted: Option<Type>) -> Result<ValueMap, String> {
        if values.is_empty() {
            return Err("values is empty; an example: { yes = true, no = false }".to_owned());
        }
        let read = |(text, value): (&String, &toml::Value)| {
            let value = constant(value).and_then(|value| typed(value, wanted));
            value
                .map(|value| (text.trim().to_owned(), value))
                .map_err(|problem| format!("values.{text}: {problem}"))
        };
        let read: BTreeMap<String, Json> = values.iter().map(read).collect::<Result<_, String>>()?;
        if read.len() < values.len() {
            return Err("two keys of values differ only in blanks around them".to_owned());
        }
        Ok(ValueMap { values: read })
    }

    /// Whether the empty text is listed.
    pub fn lists_empty(&self) -> bool {
        self.values.contains_key("")
    }

    /// What the text stands for: as it is written, or else but for its case where only one is
    /// written so. None for an empty text that isn't listed.
    pub fn find(&self, text: &str) -> Result<Option<Json>, String> {
        if let Some(value) = self.values.get(text) {
            return Ok(Some(value.clone()));
        }
        if text.is_empty() {
            return Ok(None);
        }
        let lower = text.to_lowercase();
        let mut alike = self.values.iter().filter(|(listed, _)| listed.to_lowercase() == lower);
        match (alike.next(), alike.next()) {
            (Some((_, value)), None) => Ok(Some(value.clone())),
            (None, _) => {
                let listed: Vec<&str> = self.values.keys().map(String::as_str).collect();
                Err(format!("{text:?} is not in values: {}", listed.join(", ")))
            }
            (Some((one, _)), Some((other, _))) => {
                Err(format!("{text:?} matches both {one} and {other} in values: add it as it is written"))
            }
        }
    }
}

fn constant(value: &toml::Value) -> Result<Json, String> {
    match value {
        toml::Value::String(text) => Ok(text.as_str().into()),
        toml::Value::Integer(number) => Ok((*number).into()),
        toml::Value::Float(number) if number.is_finite() => Ok((*number).into()),
        toml::Value::Boolean(boolean) => Ok((*boolean).into()),
        toml::Value::Datetime(moment) => Ok(moment.to_string().into()),
        toml::Value::Array(items) => {
            items.iter().map(constant).collect::<Result<Vec<_>, _>>().map(Json::from)
        }
        other => Err(format!("invalid value {other}: write a string, a number, true, false or a list")),
    }
}

fn typed(value: Json, wanted: Option<Type>) -> Result<Json, String> {
    let Some(wanted) = wanted else { return Ok(value) };
    let problem = || format!("{value} is not a valid {wanted}");
    if wanted == Type::Text {
        return if value.is_string() { Ok(value) } else { Err(problem()) };
    }
    let raw = RawValue::from_string(value.to_string()).map_err(|_| problem())?;
    Value::from_json(raw.get(), wanted, Rules::Today).map(|value| value.to_json()).map_err(|_| problem())
}
