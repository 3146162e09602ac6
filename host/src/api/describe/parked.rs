//! Deliveries that wait for an administrator.

use axum::http::StatusCode;
use serde_json::json;

use super::PROFILE;
use crate::api::body::JSON;
use crate::api::openapi::{Operation, Tag};
use crate::api::pagination::Page;
use crate::api::parked::{Matched, ParkedAnswer, ParkedParams, Selection};
use crate::api::problem::Kind;

/// `GET /v1/parked`.
pub fn list(call: Operation<'_>) -> Operation<'_> {
    let item = json!({
        "profile": PROFILE, "capability": "sms", "generation": 1, "item": "12-345.0", "role": "subscriber",
        "state": "parked", "kind": "trap", "reason": "unreachable", "backtrace": ["sms::on_event"],
        "since": "2026-11-20T10:00:00Z",
    });
    call.is("listParked", Tag::Admin, "List deliveries that failed, and those that wait behind them")
        .query::<ParkedParams>()
        .answers::<Page<ParkedAnswer<'_>>>(StatusCode::OK, "A page of them", json!({ "items": [item] }))
        .problems(&[Kind::CursorInvalid])
}

/// `POST /v1/parked/retry`.
pub fn retry(call: Operation<'_>) -> Operation<'_> {
    call.is("retryParked", Tag::Admin, "Run parked deliveries again")
        .json::<Selection>(JSON, &[("all of one plug-in", json!({ "capability": "sms" }))])
        .answers::<Matched>(StatusCode::ACCEPTED, "How many will run", json!({ "matched": 12 }))
        .problems(&[Kind::FilterEmpty, Kind::LogFailed])
}

/// `POST /v1/parked/skip`.
pub fn skip(call: Operation<'_>) -> Operation<'_> {
    let one = json!({ "capability": "sms", "profile": PROFILE, "reason": "the number is no longer in use" });
    call.is("skipParked", Tag::Admin, "Give parked deliveries up, with a reason")
        .details("The reason stands in the customer's timeline.")
        .json::<Selection>(JSON, &[("one customer's", one)])
        .answers::<Matched>(StatusCode::ACCEPTED, "How many will be skipped", json!({ "matched": 1 }))
        .problems(&[Kind::FilterEmpty, Kind::DefinitionInvalid, Kind::LogFailed])
}
