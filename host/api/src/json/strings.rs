//! The strings of a value, keys included: control characters are refused or normalised in each.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::path::JsonPath;
use super::scan::text_length;
use crate::problem::{Kind, Problem};
use samsyn_vocabulary::text;

/// Refuses control characters but line feed and tab in every text of a value, as the sandbox does
/// with what a plug-in says; and escapes that stand for no character.
pub fn refuse_control_characters(value: &RawValue, path: &JsonPath<'_>) -> Result<(), Problem> {
    texts_of(value.get()).try_for_each(|text| {
        match text.read(path)?.chars().find(|character| text::is_refused(*character)) {
            Some(character) => Err(control_character(character, path)),
            None => Ok(()),
        }
    })
}

/// The value with each of its texts as [`text::taken`] has it; what that refuses is a problem, and so
/// are control characters in a key: it is a name, and two of them must not become one.
pub fn taken_texts<'a>(value: &'a RawValue, path: &JsonPath<'_>) -> Result<Cow<'a, str>, Problem> {
    let json = value.get();
    let mut changed = String::new();
    let mut copied = 0;
    for found in texts_of(json) {
        let read = found.read(path)?;
        let taken = text::taken(&read).map_err(|character| control_character(character, path))?;
        if taken == read {
            continue;
        }
        if found.is_key() {
            let character = read.chars().find(|character| text::is_refused(*character)).unwrap_or_default();
            return Err(control_character(character, path));
        }
        changed.push_str(&json[copied..found.start]);
        changed.push_str(&serde_json::Value::from(taken).to_string());
        copied = found.end;
    }
    if copied == 0 {
        return Ok(Cow::Borrowed(json));
    }
    changed.push_str(&json[copied..]);
    Ok(Cow::Owned(changed))
}

fn control_character(character: char, path: &JsonPath<'_>) -> Problem {
    let detail = format!("the string has the control character U+{:04X}", u32::from(character));
    path.problem(Kind::ControlCharacters, detail)
}

/// A text, quotes included, where it stands in a JSON text.
struct Found<'a> {
    json: &'a str,
    start: usize,
    end: usize,
}

impl<'a> Found<'a> {
    fn read(&self, path: &JsonPath<'_>) -> Result<Cow<'a, str>, Problem> {
        let raw = &self.json[self.start..self.end];
        if !raw.contains('\\') {
            return Ok(Cow::Borrowed(raw.trim_matches('"')));
        }
        let read = serde_json::from_str::<String>(raw)
            .map_err(|_| path.problem(Kind::MalformedJson, "a string has an invalid escape"))?;
        Ok(Cow::Owned(read))
    }

    fn is_key(&self) -> bool {
        self.json[self.end..].trim_ascii_start().starts_with(':')
    }
}

/// Every text of a JSON text, keys included.
fn texts_of(json: &str) -> impl Iterator<Item = Found<'_>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + json[at..].find('"')?;
        at = start + text_length(&json[start..]);
        Some(Found { json, start, end: at })
    })
}
