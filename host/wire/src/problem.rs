//! What went wrong, as an RFC 9457 document.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::Event;
use crate::catalogue::Kind;

/// A problem document (RFC 9457).
// `E` is the event that it shows: the host has it as text already.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Problem<'a, E = Box<Event<'static>>> {
    /// The kind of problem, as a URI that stays the same from version to version.
    #[serde(default, rename = "type")]
    pub kind: Cow<'a, str>,
    /// The kind of problem in a few words.
    // A document without it is no problem document.
    pub title: Cow<'a, str>,
    /// The HTTP status.
    #[serde(default)]
    pub status: u16,
    /// What is wrong with this request.
    #[serde(default)]
    pub detail: Cow<'a, str>,
    /// The kind of problem, as a word that stays the same from version to version.
    #[serde(default)]
    pub code: Cow<'a, str>,
    /// Title and detail in one.
    #[serde(default)]
    pub message: Cow<'a, str>,
    /// The place in the request, such as `events[3].identifiers.customer_id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Cow<'a, str>>,
    /// True: the request is valid, and the same request may succeed later.
    // Older hosts don't write it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retryable: Option<bool>,
    /// What to do.
    #[serde(default)]
    pub next: Cow<'a, str>,
    /// The decided event, if it was decided otherwise than proposed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<E>,
}

impl<'a, E> Problem<'a, E> {
    /// A problem of this kind, of which no more is known than what happened.
    pub fn of(kind: Kind, detail: &'a str) -> Problem<'a, E> {
        let entry = kind.entry();
        Problem {
            kind: format!("/errors#{}", entry.code).into(),
            title: entry.title.into(),
            status: entry.status.as_u16(),
            detail: detail.into(),
            code: entry.code.into(),
            message: format!("{}: {detail}", entry.title).into(),
            place: None,
            retryable: Some(entry.retryable),
            next: entry.fix.into(),
            event: None,
        }
    }
}

impl<E> JsonSchema for Problem<'_, E> {
    fn schema_name() -> Cow<'static, str> {
        "Problem".into()
    }

    fn json_schema(of: &mut SchemaGenerator) -> Schema {
        let event = of.subschema_for::<Event<'_>>();
        json_schema!({
            "type": "object",
            "description": "What went wrong, RFC 9457",
            "required": ["type", "title", "status", "detail", "code", "message", "retryable", "next"],
            "properties": {
                "type": { "type": "string", "description": "`/errors#` and the code: the page that explains it" },
                "title": { "type": "string", "description": "The kind in a few words" },
                "status": { "type": "integer", "description": "The HTTP status" },
                "detail": { "type": "string", "description": "What happened this time" },
                "code": { "type": "string", "description": "The kind as a stable word" },
                "message": { "type": "string", "description": "Title and detail in one" },
                "place": {
                    "type": "string",
                    "description": "Where in the request, such as `events[3].identifiers.customer_id`"
                },
                "retryable": {
                    "type": "boolean",
                    "description": "The request is valid: send the same again after the seconds in \
                                    `Retry-After`"
                },
                "next": { "type": "string", "description": "What to do" },
                // Of a proposal that came to nothing.
                "event": event,
            }
        })
    }
}
