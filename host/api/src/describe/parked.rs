//! Deliveries that wait for an administrator.

use std::borrow::Cow;

use axum::http::StatusCode;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::json;

use super::{ONE_LINE, PROFILE};
use crate::body::JSON;
use crate::openapi::operation::{Operation, Tag};
use crate::pagination::Page;
use crate::parked::{Matched, ParkedAnswer, ParkedParams, REASON_BYTES_MAX, Selection};
use crate::problem::Kind;

/// A selection with a reason.
struct SkipForm;

impl JsonSchema for SkipForm {
    fn schema_name() -> Cow<'static, str> {
        "ParkedSkip".into()
    }

    fn json_schema(of: &mut SchemaGenerator) -> Schema {
        let mut schema = Selection::json_schema(of);
        schema.insert("required".to_owned(), json!(["reason"]));
        schema.insert("minProperties".to_owned(), json!(2));
        if let Some(reason) = schema.pointer_mut("/properties/reason") {
            *reason = json!({
                "type": "string", "maxLength": REASON_BYTES_MAX, "pattern": ONE_LINE,
                "description": "The reason; the timeline shows it",
            });
        }
        schema
    }
}

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
        .answers::<Page<ParkedAnswer<'_>>>(StatusCode::OK, "A page", json!({ "items": [item] }))
        .problems(&[Kind::CursorInvalid])
}

/// `POST /v1/parked/retry`.
pub fn retry(call: Operation<'_>) -> Operation<'_> {
    call.is("retryParked", Tag::Admin, "Retry parked invocations")
        .json::<Selection>(JSON, &[("all of one capability", json!({ "capability": "sms" }))])
        .answers::<Matched>(StatusCode::ACCEPTED, "How many the host retries", json!({ "matched": 12 }))
        .problems(&[Kind::FilterEmpty, Kind::LogFailed])
}

/// `POST /v1/parked/skip`.
pub fn skip(call: Operation<'_>) -> Operation<'_> {
    let one = json!({ "capability": "sms", "profile": PROFILE, "reason": "the number is no longer in use" });
    call.is("skipParked", Tag::Admin, "Skip parked invocations, with a reason")
        .details("The customer's timeline shows the reason.")
        .json::<SkipForm>(JSON, &[("one customer's", one)])
        .answers::<Matched>(StatusCode::ACCEPTED, "How many the host skips", json!({ "matched": 1 }))
        .problems(&[Kind::FilterEmpty, Kind::DefinitionInvalid, Kind::LogFailed])
}
