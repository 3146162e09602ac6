//! Reads a whole body: its encoding, its syntax, its type.

use serde::de::{Deserialize, DeserializeOwned};
use serde_json::value::RawValue;

use samsyn_vocabulary::Members;

use super::extract::refuse_duplicates;
use super::path::JsonPath;
use super::scan::kind_of;
use crate::problem::{Kind, Problem};
use crate::twice;

/// Checks the whole body's encoding; the detail names the first byte that is not UTF-8.
pub fn utf8(body: &[u8]) -> Result<&str, Problem> {
    let text = std::str::from_utf8(body).map_err(|error| {
        let at = error.valid_up_to();
        Problem::new(Kind::NotUtf8, format!("the byte 0x{:02x} at offset {at} is not UTF-8", body[at]))
    })?;
    // RFC 8259 lets a reader pass over a byte order mark.
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

/// Reads a body that must be JSON; what breaks its rules is named with line and column.
pub fn body<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Problem> {
    serde_json::from_str(text).map_err(|error| malformed(text, &error))
}

/// Reads a body that must be an object.
pub fn body_object(text: &str) -> Result<Members<'_>, Problem> {
    if !text.trim_ascii_start().starts_with('{') {
        let other: &RawValue = body(text)?;
        let detail = format!("the body must be an object, not {}", kind_of(other.get()));
        return Err(Problem::new(Kind::WrongType, detail));
    }
    let members = body(text)?;
    refuse_duplicates(&members, &JsonPath::Root)?;
    Ok(members)
}

/// Reads a body into a type that refuses unknown keys; what isn't of that type is named as serde
/// names it, with line and column.
pub fn body_as<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let text = utf8(bytes)?;
    let json: &RawValue = body(text)?;
    twice::refuse(json.get(), &JsonPath::Root)?;
    serde_json::from_str(text).map_err(|error| {
        if !error.is_data() {
            return malformed(text, &error);
        }
        let message = error.to_string();
        let kind = if message.starts_with("unknown field") {
            Kind::UnknownKey
        } else if message.starts_with("missing field") {
            Kind::MissingKey
        } else {
            Kind::WrongType
        };
        let place = format!("line {}, column {}", error.line(), error.column());
        let problem = Problem::new(kind, message.as_str()).at(place);
        match mistyped(&message) {
            Some((word, known)) => problem.nearest(word, known),
            None => problem,
        }
    })
}

/// The word that serde doesn't know, and those that it does, of how it says so: unknown field `a`,
/// expected one of `b`, `c`; the same of a variant, with or without its place before it.
pub fn mistyped(message: &str) -> Option<(&str, Vec<&str>)> {
    let unknown = ["unknown field `", "unknown variant `"];
    let (_, rest) = unknown.iter().find_map(|unknown| message.split_once(*unknown))?;
    let (word, known) = rest.rsplit_once("`, expected ")?;
    Some((word, known.split('`').skip(1).step_by(2).collect()))
}

/// The problem of a text that is not JSON, with line and column.
pub fn malformed(text: &str, error: &serde_json::Error) -> Problem {
    let (line, column) = (error.line(), error.column());
    let message = error.to_string();
    let message = message.split(" at line ").next().unwrap_or_default().to_owned();
    if text.trim_ascii().is_empty() {
        return Problem::new(Kind::MalformedJson, "the body is empty").next("Send JSON.");
    }
    let problem = Problem::new(Kind::MalformedJson, format!("line {line}, column {column}: {message}"))
        .at(format!("line {line}, column {column}"));
    let at = text.lines().nth(line.saturating_sub(1)).unwrap_or_default();
    let rest = at.get(column.saturating_sub(1)..).unwrap_or_default();
    // serde_json stands on the first letter it can't take: the N, the I, or the one after a sign.
    let not_finite = |rest: &str| rest.starts_with("NaN") || rest.starts_with("Infinity");
    if not_finite(rest) {
        return problem.next("JSON has no NaN and no Infinity. Leave the member out, or send null.");
    }
    problem
}
