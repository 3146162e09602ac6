//! The audits of changes and of reads, and the log's head.

use http::StatusCode;
use samsyn_wire::catalogue::Kind;
use samsyn_wire::query::{ChangesParams, ReadsParams};
use samsyn_wire::{AuditedChange, AuditedRead, LogHead, Page};
use serde_json::json;

use super::{DIGEST, PROFILE};
use crate::operation::{Operation, Tag};

/// `GET /v1/audit/reads`.
pub fn reads(call: Operation<'_>) -> Operation<'_> {
    let read = json!({
        "at": "2026-11-20T10:00:00Z", "by": "desk", "token": "desk-reader", "call": "GET /v1/profiles/{ref}", "profile": PROFILE,
        "fields": ["email"], "identifiers": ["customer_id"], "purpose": "a complaint",
    });
    call.is("listReads", Tag::Admin, "List reads of personal data, newest first")
        .details(
            "The list has names, never values. A page may be short or empty and still have a `next`. A token \
             that may not know customers (`audit:read`) neither gets the profile nor can ask for one.",
        )
        .query::<ReadsParams>()
        .answers::<Page<AuditedRead>>(StatusCode::OK, "A page", json!({ "items": [read] }))
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
    call.is("listChanges", Tag::Admin, "List changes of the registry, newest first")
        .details("The list has names of settings, not their values.")
        .query::<ChangesParams>()
        .answers::<Page<AuditedChange>>(StatusCode::OK, "A page", json!({ "items": [change] }))
        .problems(&[Kind::CursorInvalid])
}

/// `GET /v1/log/head`.
pub fn head(call: Operation<'_>) -> Operation<'_> {
    let log = json!({
        "log": "log", "offset": 73125, "digest": DIGEST,
        "partitions": [{ "partition": "12", "seq": 345, "chain": DIGEST }],
    });
    let example = json!({ "head": format!("samsyn-head-1 log=73125:{DIGEST}"), "logs": [log] });
    call.is("showLogHead", Tag::Admin, "Read the log's head, to prove later that nobody rewrote the log")
        .answers::<LogHead>(StatusCode::OK, "The heads of the logs", example)
        .problems(&[Kind::AuditUnavailable])
}
