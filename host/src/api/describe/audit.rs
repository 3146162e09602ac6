//! Who changed what, who read whose data, and what to note of it.

use axum::http::StatusCode;
use serde_json::json;

use super::{DIGEST, PROFILE};
use crate::api::audit::{ChangeAnswer, ChangeParams, ReadAnswer, ReadParams};
use crate::api::openapi::operation::{Operation, Tag};
use crate::api::pagination::Page;
use crate::api::problem::Kind;
use crate::audit::LogHead;

/// `GET /v1/audit/reads`.
pub fn reads(call: Operation<'_>) -> Operation<'_> {
    let read = json!({
        "at": "2026-11-20T10:00:00Z", "by": "desk", "token": "desk-reader", "call": "GET /v1/profiles/{ref}", "profile": PROFILE,
        "fields": ["email"], "identifiers": ["customer_id"], "purpose": "a complaint",
    });
    call.is("listReads", Tag::Admin, "See who read whose personal data, newest first")
        .details(
            "Names, never values. A page may be short, even empty, and still have a next one. Whose data it was \
             is left out, and can't be asked for, where the token may not know of customers (`audit:read`).",
        )
        .query::<ReadParams>()
        .answers::<Page<ReadAnswer>>(StatusCode::OK, "A page of them", json!({ "items": [read] }))
        .problems(&[
            Kind::CursorInvalid,
            Kind::ReferenceInvalid,
            Kind::UnknownProfile,
            Kind::UnknownIdentifier,
            Kind::IdentifierInvalid,
            Kind::AuditUnavailable,
        ])
}

/// `GET /v1/audit/changes`.
pub fn changes(call: Operation<'_>) -> Operation<'_> {
    let change = json!({
        "revision": 12, "at": "2026-11-20T10:00:00Z", "by": "maria", "kind": "source-assigned",
        "sentence": "maria made sms the source of country (crm → sms): the new vendor answers for addresses",
        "reason": "the new vendor answers for addresses",
        "fields": ["country"], "capabilities": ["sms"], "details": { "source": "sms" },
    });
    call.is("listChanges", Tag::Admin, "See who changed the registry and why, newest first")
        .details("Of settings the names are told, not what they were set to.")
        .query::<ChangeParams>()
        .answers::<Page<ChangeAnswer>>(StatusCode::OK, "A page of them", json!({ "items": [change] }))
        .problems(&[Kind::CursorInvalid])
}

/// `GET /v1/log/head`.
pub fn head(call: Operation<'_>) -> Operation<'_> {
    let log = json!({
        "log": "log", "offset": 73125, "digest": DIGEST,
        "partitions": [{ "partition": "12", "seq": 345, "chain": DIGEST }],
    });
    let example = json!({ "head": format!("samsyn-head-1 log=73125:{DIGEST}"), "logs": [log] });
    call.is(
        "showLogHead",
        Tag::Admin,
        "Get what to note elsewhere, to prove later that nothing was rewritten",
    )
    .answers::<LogHead>(StatusCode::OK, "Where the logs stand now", example)
    .problems(&[Kind::AuditUnavailable])
}
