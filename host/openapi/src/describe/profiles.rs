//! Profiles: reading, looking up, proposing values, and the timeline.

use http::StatusCode;
use samsyn_wire::catalogue::Kind;
use samsyn_wire::header::{ETAG, IF_MATCH, IF_NONE_MATCH, LOCATION, PREFER, PREFERENCE_APPLIED, PURPOSE};
use samsyn_wire::media::{JSON, MERGE_PATCH};
use samsyn_wire::query::{ListParams, ProfileParams, ReferenceForm};
use samsyn_wire::request::{LookUp, ProfilePatch};
use samsyn_wire::{Event, Profile, ProposalTaken, Timeline};
use serde_json::{Value, json};

use super::PROFILE;
use crate::operation::{Operation, Tag};

fn anna() -> Value {
    json!({
        "id": PROFILE,
        "identifiers": { "customer_id": ["00042"] },
        "fields": { "first_name": "Anna" },
        "meta": { "first_name": { "source": "crm", "observed_at": "2026-11-20T10:00:00Z", "cause": "12-345" } },
    })
}

/// The answer of every request that reads a profile.
fn reads(call: Operation<'_>) -> Operation<'_> {
    call.query::<ProfileParams>()
        .takes(PURPOSE)
        .answers::<Profile<'_>>(StatusCode::OK, "The profile, as this token may see it", anna())
        .with(StatusCode::OK, ETAG)
        .problems(&[
            Kind::UnknownProfile,
            Kind::UnknownIdentifier,
            Kind::IdentifierInvalid,
            Kind::UnknownField,
            Kind::PurposeInvalid,
            Kind::AuditUnavailable,
        ])
}

fn by_reference(call: Operation<'_>) -> Operation<'_> {
    call.path::<ReferenceForm>("ref", "Which profile", "customer_id:00042").problems(&[
        Kind::ReferenceInvalid,
        Kind::UnknownProfile,
        Kind::UnknownIdentifier,
        Kind::IdentifierInvalid,
    ])
}

/// `GET /v1/profiles/{ref}`.
pub fn show(call: Operation<'_>) -> Operation<'_> {
    let call = call.is("showProfile", Tag::AppDeveloper, "Read a profile");
    reads(by_reference(call))
        .takes(IF_NONE_MATCH)
        .answers_nothing(StatusCode::NOT_MODIFIED, "Not changed: the client has this answer")
        .with(StatusCode::NOT_MODIFIED, ETAG)
}

/// `POST /v1/profiles/lookup`.
pub fn look_up(call: Operation<'_>) -> Operation<'_> {
    let call = call
        .is("lookUpProfile", Tag::AppDeveloper, "Find a profile by an identifier")
        .details("Use it for e-mail addresses and phone numbers, which must not be in a URL.")
        .json::<LookUp<'_, String>>(JSON, &[("an e-mail address", json!({ "email": "anna@example.com" }))])
        .problems(&[Kind::MissingIdentifier, Kind::TooManyIdentifiers]);
    reads(call).leads(StatusCode::OK, "showTimeline", "ref", "$response.body#/id")
}

/// `PATCH /v1/profiles/{ref}`.
pub fn propose(call: Operation<'_>) -> Operation<'_> {
    let taken =
        json!({ "id": "0190f3c2-7b1e-7cc0-a4a5-2f4f6b1f0c11", "profile": PROFILE, "position": "12-345" });
    let decided = json!({
        "id": "0190f3c2-7b1e-7cc0-a4a5-2f4f6b1f0c11", "application": "web", "name": "samsyn.proposed",
        "profile": PROFILE, "position": "12-345", "at": "2026-11-20T10:00:00Z",
        "received_at": "2026-11-20T10:00:00Z", "state": "decided", "verdict": "taken",
        "fields": { "first_name": { "outcome": "accepted", "source": "crm", "proposed": "Ann", "value": "Ann" } },
        "outcomes": [],
    });
    by_reference(call.is("proposeValues", Tag::AppDeveloper, "Propose values for a profile's fields"))
        .details(
            "Each field's source decides. The call creates an event, which shows the result. With `Prefer: wait` \
             the status shows it, too: 200 if every field was accepted or waits, 422 `proposal-refused` if a source \
             rejected a value or gave no answer, 412 `precondition-failed` if the profile had changed. With 422 the \
             values of other fields still count. Both problems have the decided event in `event`.",
        )
        .takes(PREFER)
        .takes(IF_MATCH)
        .takes(PURPOSE)
        .json::<ProfilePatch<Value>>(
            MERGE_PATCH,
            &[
                ("a new value", json!({ "fields": { "first_name": "Ann" } })),
                ("no value", json!({ "fields": { "phone": null } })),
            ],
        )
        .answers::<Event<'_>>(
            StatusCode::OK,
            "Decided within the time of `Prefer`, and not rejected",
            decided,
        )
        .with(StatusCode::OK, PREFERENCE_APPLIED)
        .with(StatusCode::PRECONDITION_FAILED, LOCATION)
        .with(StatusCode::PRECONDITION_FAILED, PREFERENCE_APPLIED)
        .with(StatusCode::UNPROCESSABLE_ENTITY, LOCATION)
        .with(StatusCode::UNPROCESSABLE_ENTITY, PREFERENCE_APPLIED)
        .answers::<ProposalTaken>(StatusCode::ACCEPTED, "Accepted, and on disk", taken)
        .with(StatusCode::ACCEPTED, LOCATION)
        .with(StatusCode::ACCEPTED, PREFERENCE_APPLIED)
        .leads(StatusCode::ACCEPTED, "showEvent", "id", "$response.body#/id")
        .problems(&[
            Kind::PreconditionInvalid,
            Kind::PreconditionFailed,
            Kind::ProposalRefused,
            Kind::PurposeInvalid,
            Kind::NothingProposed,
            Kind::TooDeep,
            Kind::ControlCharacters,
            Kind::UnknownField,
            Kind::ValueNotAllowed,
            Kind::LogFailed,
        ])
}

/// `GET /v1/profiles/{ref}/timeline`.
pub fn timeline(call: Operation<'_>) -> Operation<'_> {
    let step = json!({
        "position": "12-346", "decided_at": "2026-11-20T10:00:01Z", "cause": "12-345", "kind": "event",
        "event": { "id": "A1-placed", "name": "order.completed", "at": "2026-11-20T10:00:00Z", "application": "web" },
        "proposed": [],
        "changes": [{ "field": "loyalty.points", "before": null, "after": 29 }],
        "outcomes": [{
            "capability": "loyalty", "role": "subscriber", "result": "done", "position": "12-346",
            "claims": [{ "field": "loyalty.points", "value": 29 }], "refusals": [], "emitted": [], "reason": null,
        }],
    });
    by_reference(call.is("showTimeline", Tag::AppDeveloper, "Read what happened to a profile, newest first"))
        .query::<ListParams>()
        .takes(PURPOSE)
        .answers::<Timeline<'_>>(StatusCode::OK, "A page", json!({ "items": [step] }))
        .problems(&[Kind::CursorInvalid, Kind::PurposeInvalid, Kind::AuditUnavailable])
}
