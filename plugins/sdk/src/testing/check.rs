//! What a host takes as an effect, by the same rules and with the same codes.

use crate::{Date, Refusal, Timestamp, Type, Value};

use super::manifest::{Manifest, Sourced};

/// The most bytes of one value.
const VALUE_BYTES_MAX: usize = 32 * 1024;
/// The most bytes of memory for one customer.
const MEMORY_BYTES_MAX: usize = 48 * 1024;
/// The most bytes of a plug-in's code of refusal.
const CODE_BYTES_MAX: usize = 64;

fn refusal(code: &str, message: impl Into<String>) -> Refusal {
    Refusal { code: code.to_owned(), message: message.into() }
}

pub(super) fn sourced<'a>(manifest: &'a Manifest, field: &str) -> Result<&'a Sourced, Refusal> {
    let found = manifest.sources.get(field);
    found.ok_or_else(|| refusal("field.not-sourced", format!("[sources] doesn't declare {field:?}")))
}

pub(super) fn claim(manifest: &Manifest, field: &str, given: &Value) -> Result<(), Refusal> {
    let declared = sourced(manifest, field)?;
    value(field, given, declared.kind)?;
    let allowed = |text: &String| declared.one_of.is_empty() || declared.one_of.contains(text);
    let all_allowed = match given {
        Value::Text(text) => allowed(text),
        Value::Texts(texts) => texts.iter().all(allowed),
        _ => true,
    };
    if all_allowed {
        return Ok(());
    }
    Err(refusal("value.not-allowed", format!("{field} takes only {:?}", declared.one_of)))
}

pub(super) fn refuse(manifest: &Manifest, field: Option<&str>, code: &str) -> Result<(), Refusal> {
    if let Some(field) = field {
        sourced(manifest, field)?;
    }
    let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte);
    let is_the_hosts = matches!(code, "property.type" | "property.missing");
    if (1..=CODE_BYTES_MAX).contains(&code.len()) && code.bytes().all(letter) && !is_the_hosts {
        return Ok(());
    }
    let rule = "at most 64 lower-case letters, digits, '.', '_' and '-', and none of the host's own";
    Err(refusal("refuse.code", format!("{code:?} is no code: {rule}")))
}

pub(super) fn event(manifest: &Manifest, name: &str, properties: &[(String, Value)]) -> Result<(), Refusal> {
    let declared = manifest
        .emits
        .get(name)
        .ok_or_else(|| refusal("event.not-declared", format!("[emits] doesn't declare {name:?}")))?;
    for (index, (property, given)) in properties.iter().enumerate() {
        let found = declared.get(property).ok_or_else(|| {
            refusal("event.property", format!("[emits.{name:?}] doesn't declare {property:?}"))
        })?;
        if properties[..index].iter().any(|(earlier, _)| earlier == property) {
            return Err(refusal("event.property", format!("{name} has {property:?} twice")));
        }
        value(property, given, found.kind)?;
    }
    Ok(())
}

pub(super) fn memory(memory: Option<&[u8]>) -> Result<(), Refusal> {
    match memory.map_or(0, <[u8]>::len) {
        0..=MEMORY_BYTES_MAX => Ok(()),
        bytes => Err(refusal("memory.too-large", format!("{bytes} bytes are more than {MEMORY_BYTES_MAX}"))),
    }
}

/// Of the wanted type, well-formed, not too large.
fn value(name: &str, given: &Value, wanted: Type) -> Result<(), Refusal> {
    if given.kind() != wanted {
        return Err(refusal("value.type", format!("{name} is of type {wanted}, not {}", given.kind())));
    }
    if size(given) > VALUE_BYTES_MAX {
        return Err(refusal("value.too-large", format!("{name} takes at most {VALUE_BYTES_MAX} bytes")));
    }
    let malformed = |reason: &str| Err(refusal("value.malformed", format!("{name} takes {reason}")));
    match given {
        Value::Text(text) => printable(name, text),
        Value::Texts(texts) => texts.iter().try_for_each(|text| printable(name, text)),
        Value::Number(number) if !number.is_finite() => {
            Err(refusal("value.not-finite", format!("{name} takes a finite number")))
        }
        Value::Timestamp(moment) if !in_years(moment.date()) => malformed("a time in the years 0000 to 9999"),
        Value::Date(date) if !in_years(*date) => malformed("a date in the years 0000 to 9999"),
        Value::Json(text) if serde_json::from_str::<serde_json::Value>(text).is_err() => {
            malformed("JSON text")
        }
        _ => Ok(()),
    }
}

fn in_years(date: Date) -> bool {
    let first = Timestamp::from_millis(-62_167_219_200_000).date();
    let last = Timestamp::from_millis(253_402_300_799_999).date();
    (first..=last).contains(&date)
}

fn size(value: &Value) -> usize {
    match value {
        Value::Text(text) | Value::Json(text) => text.len(),
        Value::Texts(texts) => texts.iter().map(|text| text.len() + 4).sum(),
        _ => 8,
    }
}

fn printable(name: &str, text: &str) -> Result<(), Refusal> {
    if text.chars().any(|letter| letter.is_control() && letter != '\n' && letter != '\t') {
        return Err(refusal("value.control-characters", format!("{name} takes no control characters")));
    }
    Ok(())
}
