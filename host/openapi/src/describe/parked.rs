//! Invocations that wait for an administrator.

use http::StatusCode;
use samsyn_wire::catalogue::Kind;
use samsyn_wire::media::JSON;
use samsyn_wire::query::ParkedParams;
use samsyn_wire::request::{ParkedSelection, ParkedSkip};
use samsyn_wire::{Matched, Page, ParkedDelivery};
use serde_json::json;

use super::PROFILE;
use crate::operation::{Operation, Tag};

/// `GET /v1/parked`.
pub fn list(call: Operation<'_>) -> Operation<'_> {
    let item = json!({
        "profile": PROFILE, "capability": "sms", "generation": 1, "item": "12-345.0", "role": "subscriber",
        "state": "parked", "kind": "trap", "reason": "unreachable", "backtrace": ["sms::on_event"],
        "since": "2026-11-20T10:00:00Z",
    });
    call.is("listParked", Tag::Admin, "List invocations that failed, and those that wait behind them")
        .query::<ParkedParams>()
        .older_name("code")
        .answers::<Page<ParkedDelivery>>(StatusCode::OK, "A page", json!({ "items": [item] }))
        .problems(&[Kind::CursorInvalid])
}

/// `POST /v1/parked/retry`.
pub fn retry(call: Operation<'_>) -> Operation<'_> {
    call.is("retryParked", Tag::Admin, "Retry parked invocations")
        .json::<ParkedSelection>(JSON, &[("all of one capability", json!({ "capability": "sms" }))])
        .answers::<Matched>(StatusCode::ACCEPTED, "How many the host retries", json!({ "matched": 12 }))
        .problems(&[Kind::FilterEmpty, Kind::LogFailed])
}

/// `POST /v1/parked/skip`.
pub fn skip(call: Operation<'_>) -> Operation<'_> {
    let one = json!({ "capability": "sms", "profile": PROFILE, "reason": "the number is no longer in use" });
    call.is("skipParked", Tag::Admin, "Skip parked invocations, with a reason")
        .details("The customer's timeline shows the reason.")
        .json::<ParkedSkip>(JSON, &[("one customer's", one)])
        .answers::<Matched>(StatusCode::ACCEPTED, "How many the host skips", json!({ "matched": 1 }))
        .problems(&[Kind::FilterEmpty, Kind::DefinitionInvalid, Kind::LogFailed])
}
