//! Events in, and what became of them.

use std::borrow::Cow;

use axum::http::StatusCode;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

use super::PROFILE;
use crate::body::JSON;
use crate::event_answer::EventAnswer;
use crate::event_json::{EVENT_ID_BYTES_MAX, EVENTS_MAX, PROPERTY_NAME_BYTES_MAX};
use crate::events::{NothingTaken, Taken};
use crate::openapi::header::{IDS_SINCE, PREFER, PREFERENCE_APPLIED, PURPOSE, RETRY_AFTER};
use crate::openapi::operation::{Operation, Tag};
use crate::problem::Kind;
use crate::refusals::{RefusalPage, RefusalParams};
use samsyn_registry::IDENTIFIER_BYTES_MAX;
use samsyn_vocabulary::{EventName, FieldName, IdentifierName, ProfileId, Timestamp};

/// What can be wrong with one event, besides its JSON.
const OF_EVENTS: &[Kind] = &[
    Kind::TooDeep,
    Kind::NameInvalid,
    Kind::ControlCharacters,
    Kind::EventTooLarge,
    Kind::ReservedName,
    Kind::MissingIdentifier,
    Kind::UnknownIdentifier,
    Kind::IdentifierInvalid,
    Kind::IdentifiersTooMany,
    Kind::UnknownField,
    Kind::ValueNotAllowed,
    Kind::EventTimeAhead,
    Kind::EventTimeEarly,
    Kind::EventIdReused,
    Kind::EventIdForgotten,
    Kind::UnknownProfile,
    Kind::LogFailed,
];

/// An event as `event_json` reads it: level by level, without a type of its own.
struct EventForm;

impl JsonSchema for EventForm {
    fn schema_name() -> Cow<'static, str> {
        "NewEvent".into()
    }

    fn json_schema(of: &mut SchemaGenerator) -> Schema {
        let no_controls = r"^[^\u0000-\u001f\u007f-\u009f]*$";
        json_schema!({
            "type": "object",
            // Alternatives beside members would cost generated clients the members' types.
            "description": "Something a customer did. It names the customer by `profile` or by at least one of \
                            `identifiers`",
            "required": ["name"],
            "minProperties": 2,
            "additionalProperties": false,
            "properties": {
                "id": {
                    "type": "string", "minLength": 1, "maxLength": EVENT_ID_BYTES_MAX, "pattern": no_controls,
                    "description": "Unique within the application, in UTF-8 bytes at most as long: the same event \
                                    with the same id is taken once. The host makes one when it is left out",
                },
                "name": {
                    "allOf": [of.subschema_for::<EventName>()],
                    "description": "What happened. Names that start with `samsyn.` are reserved",
                },
                "at": {
                    "allOf": [of.subschema_for::<Timestamp>()],
                    "description": "When it happened; the time of acceptance by default",
                },
                "profile": {
                    "allOf": [of.subschema_for::<ProfileId>()],
                    "description": "The customer's profile, if its id is known",
                },
                "identifiers": {
                    "type": "object",
                    "description": "What the customer goes by, by the names of `GET /v1/identifiers`. One that \
                                    nobody has makes a profile",
                    "propertyNames": of.subschema_for::<IdentifierName>(),
                    "additionalProperties": {
                        "type": "string", "minLength": 1, "maxLength": IDENTIFIER_BYTES_MAX, "pattern": no_controls,
                    },
                },
                "properties": {
                    "type": "object",
                    "description": "Anything else about it. Each capability gets what it declared, as the type it \
                                    declared",
                    "propertyNames": { "minLength": 1, "maxLength": PROPERTY_NAME_BYTES_MAX, "pattern": no_controls },
                    "additionalProperties": true,
                },
                "proposes": {
                    "type": "object",
                    "description": "Values for fields, each of its field's type; null clears",
                    "propertyNames": of.subschema_for::<FieldName>(),
                    "additionalProperties": true,
                },
            },
        })
    }
}

/// A list of events in an object.
struct EventListForm;

impl JsonSchema for EventListForm {
    fn schema_name() -> Cow<'static, str> {
        "NewEventList".into()
    }

    fn json_schema(of: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "object",
            "description": "Several events",
            "required": ["events"],
            "additionalProperties": false,
            "properties": { "events": event_list(of) },
        })
    }
}

/// What is wrong with one of a list is said of that one, and the others are taken: so more is taken than
/// this says, but a client that is made of it knows what an event is.
fn event_list(of: &mut SchemaGenerator) -> Value {
    json!({ "type": "array", "maxItems": EVENTS_MAX, "items": of.subschema_for::<EventForm>() })
}

/// One event or several, as a body holds them.
struct EventsForm;

impl JsonSchema for EventsForm {
    fn schema_name() -> Cow<'static, str> {
        "NewEvents".into()
    }

    fn json_schema(of: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "An event, a list of events, or a list in an object. An element of a list that is no \
                            event is refused by itself",
            "anyOf": [
                of.subschema_for::<EventForm>(),
                event_list(of),
                of.subschema_for::<EventListForm>(),
            ],
        })
    }
}

fn purchase() -> Value {
    json!({
        "id": "A1-placed", "name": "order.completed", "at": "2026-11-20T10:00:00Z",
        "identifiers": { "customer_id": "00042" },
        "properties": { "order_id": "A1", "amount": 29.33, "currency": "USD" },
    })
}

fn decided() -> Value {
    json!({
        "id": "A1-placed", "application": "web", "name": "order.completed", "profile": PROFILE,
        "position": "12-345", "at": "2026-11-20T10:00:00Z", "received_at": "2026-11-20T10:00:01Z",
        "state": "decided", "verdict": "taken",
        "fields": { "email": { "outcome": "accepted", "source": "crm", "proposed": "anna@example.com", "value": "anna@example.com" } },
        "outcomes": [{
            "capability": "loyalty", "role": "subscriber", "result": "done", "position": "12-346",
            "claims": [{ "field": "loyalty.points", "value": 29 }],
            "refusals": [], "emitted": ["loyalty.tier_reached"], "reason": null,
        }],
    })
}

/// `POST /v1/events`.
pub fn take(call: Operation<'_>) -> Operation<'_> {
    let taken = json!({ "id": "A1-placed", "profile": PROFILE, "position": "12-345", "duplicate": false });
    let problem = json!({
        "type": "/errors#missing-key", "title": "Missing key", "status": 422,
        "detail": "the event has no `name`", "code": "missing-key",
        "message": "Missing key: the event has no `name`", "retryable": false,
        "place": "[1].name", "next": "Add the member that the detail names.",
    });
    let refused = json!({ "index": 1, "problem": problem });
    let proposing = json!({
        "name": "signup.completed", "identifiers": { "email": "anna@example.com" },
        "proposes": { "email": "anna@example.com", "phone": null },
    });
    call.is("takeEvents", Tag::AppDeveloper, "Send one event or several")
        .details(
            "The host answers when the events are on disk. Limits: 32 KiB an event, 500 KiB and 2,500 events a request. \
         The host accepts or rejects each event of a list separately. A problem with `retryable` true is not about \
         the event: send that event and those after it again, after the seconds in `Retry-After`.",
        )
        .takes(PREFER)
        .takes(PURPOSE)
        .takes(IDS_SINCE)
        .json::<EventsForm>(JSON, &[
            ("one event", purchase()),
            ("a list", json!([purchase(), proposing])),
            ("a list in an object", json!({ "events": [proposing] })),
        ])
        .answers::<EventAnswer<'_>>(
            StatusCode::OK,
            "Accepted, and decided within the time of `Prefer`: `verdict` shows whether a part was rejected",
            decided(),
        )
        .with(StatusCode::OK, PREFERENCE_APPLIED)
        .answers_any::<Taken>(StatusCode::ACCEPTED, "Accepted, and on disk", &[
            ("one event", taken.clone()),
            ("a list", json!({ "accepted": 1, "refused": 1, "events": [taken, refused] })),
        ])
        .with(StatusCode::ACCEPTED, PREFERENCE_APPLIED)
        .with(StatusCode::ACCEPTED, RETRY_AFTER)
        .leads(StatusCode::ACCEPTED, "showEvent", "id", "$response.body#/id")
        .leads(StatusCode::ACCEPTED, "showProfile", "ref", "$response.body#/profile")
        .answers::<NothingTaken>(
            StatusCode::UNPROCESSABLE_ENTITY,
            "No event of the list was accepted",
            json!({ "accepted": 0, "refused": 1, "events": [{ "index": 0, "problem": problem }] }),
        )
        .problems(OF_EVENTS)
        .problems(&[Kind::TooManyEvents, Kind::PurposeInvalid])
}

/// `GET /v1/events/{id}`.
pub fn show(call: Operation<'_>) -> Operation<'_> {
    call.is("showEvent", Tag::AppDeveloper, "Show the result of an event")
        .path::<String>("id", "The event's id as it was sent, or its position", "A1-placed")
        .takes(PURPOSE)
        .answers::<EventAnswer<'_>>(
            StatusCode::OK,
            "The event's state, and the result of each capability",
            decided(),
        )
        .problems(&[Kind::UnknownEvent, Kind::EventRemoved, Kind::PurposeInvalid, Kind::AuditUnavailable])
}

/// `GET /v1/refusals`.
pub fn refusals(call: Operation<'_>) -> Operation<'_> {
    let refusal = json!({
        "event": "A1-placed", "position": "12-345", "application": "web", "name": "order.completed",
        "capability": "loyalty", "code": "order.amount", "message": "The amount must be more than 0.",
        "decision": "12-346", "decided_at": "2026-11-20T10:00:01Z",
    });
    call.is("listRefusals", Tag::AppDeveloper, "List what capabilities rejected")
        .details(
            "The list has rejections of the application's own events, as far as `GET /v1/events/{id}` shows them; a token \
         that reads everything sees those of all applications. A page may be short or empty and still have a `next`.",
        )
        .query::<RefusalParams>()
        .answers::<RefusalPage>(
            StatusCode::OK,
            "A page, and up to which positions it is complete",
            json!({ "items": [refusal], "decided": ["12-345"], "shows_all": true }),
        )
        .problems(&[Kind::CursorInvalid])
}
