//! Sending events, and their results.

use http::StatusCode;
use samsyn_wire::catalogue::Kind;
use samsyn_wire::header::{IDS_SINCE, PREFER, PREFERENCE_APPLIED, PURPOSE, RETRY_AFTER};
use samsyn_wire::media::JSON;
use samsyn_wire::query::RefusalParams;
use samsyn_wire::request::{NewEvent, NewEvents};
use samsyn_wire::{Event, NothingTaken, RefusalPage, Taken};
use serde_json::{Value, json};

use super::PROFILE;
use crate::operation::{Operation, Tag};

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
        .json::<NewEvents<NewEvent<Value>>>(JSON, &[
            ("one event", purchase()),
            ("a list", json!([purchase(), proposing])),
            ("a list in an object", json!({ "events": [proposing] })),
        ])
        .answers::<Event<'_>>(
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
        .answers::<Event<'_>>(
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
