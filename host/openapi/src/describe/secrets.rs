//! Secrets, without their values.

use http::StatusCode;
use samsyn_vocabulary::SecretName;
use samsyn_wire::catalogue::Kind;
use samsyn_wire::media::SECRET;
use samsyn_wire::query::{ListParams, RetireParams, SetParams, Why};
use samsyn_wire::{Page, Secret};
use serde_json::{Value, json};

use crate::operation::{Operation, Tag};

fn crm() -> Value {
    json!({
        "name": "crm_token", "state": "ok", "reason": null, "next": null, "origin": "sealed",
        "fingerprint": "5e1f0c9a77d2",
        "versions": [{
            "version": 3, "state": "ok", "fingerprint": "5e1f0c9a77d2", "set_at": "2026-11-20T10:00:00Z",
            "set_by": "anna",
        }],
        "used_by": ["setting api_key of crm"], "ignores_mounted": false,
    })
}

fn changes(call: Operation<'_>) -> Operation<'_> {
    call.path::<SecretName>("name", "Which secret", "crm_token")
        .problems(&[Kind::SecretInvalid, Kind::SecretConflict, Kind::UnknownSecret, Kind::LogFailed])
        .answers::<Secret>(StatusCode::OK, "The secret, without its value", crm())
}

fn takes_a_value(call: Operation<'_>) -> Operation<'_> {
    let body = "The value: UTF-8 text of 1 to 65536 bytes, without control characters and without white space around it";
    changes(call).bytes(SECRET[0], body).problems(&[Kind::SecretKeyUnusable, Kind::SecretNotKept])
}

/// `GET /v1/secrets`.
pub fn list(call: Operation<'_>) -> Operation<'_> {
    call.is("listSecrets", Tag::Admin, "List the secrets, without their values")
        .query::<ListParams>()
        .answers::<Page<Secret>>(StatusCode::OK, "A page", json!({ "items": [crm()] }))
        .problems(&[Kind::CursorInvalid])
}

/// `PUT /v1/secrets/{name}`.
pub fn set(call: Operation<'_>) -> Operation<'_> {
    let call = call.is("setSecret", Tag::Admin, "Set a secret's first value");
    takes_a_value(call.query::<SetParams>()).details("Also for a secret whose value the host lost, such as after a restore. The value is sealed before the registry names its version. No answer ever has it.")
}

/// `POST /v1/secrets/{name}/rotate`.
pub fn rotate(call: Operation<'_>) -> Operation<'_> {
    let call = call.is("rotateSecret", Tag::Admin, "Give a secret a newer value");
    takes_a_value(call.query::<Why>())
        .details("The host sends the new value from now on, and accepts both until the older one is retired.")
}

/// `POST /v1/secrets/{name}/retire`.
pub fn retire(call: Operation<'_>) -> Operation<'_> {
    changes(
        call.is("retireSecret", Tag::Admin, "End the older of a secret's two values").query::<RetireParams>(),
    )
    .details("With `all` it removes the secret itself, if nothing uses it.")
    .answers_nothing(StatusCode::NO_CONTENT, "With `all`: removed")
}
