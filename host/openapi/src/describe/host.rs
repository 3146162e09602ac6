//! The host itself.

use http::StatusCode;
use samsyn_wire::catalogue::Kind;
use samsyn_wire::{Health, Limits, Readiness, Status};
use serde_json::{Value, json};

use crate::operation::{Operation, Tag};

fn event_ids() -> Value {
    json!({
        "days": 30, "max": 5000000, "remembered": 5000, "complete_since": null, "now": "2026-11-20T10:00:00Z",
    })
}

/// `GET /v1/limits`.
pub fn limits(call: Operation<'_>) -> Operation<'_> {
    call.is(
        "showLimits",
        Tag::AppDeveloper,
        "Read the limits of requests, and how long the host remembers event ids",
    )
    .answers::<Limits>(
        StatusCode::OK,
        "The limits of this host",
        json!({ "event_bytes": 32768, "events": 2500, "body_bytes": 512000, "event_ids": event_ids() }),
    )
}

/// `GET /v1/status`.
pub fn status(call: Operation<'_>) -> Operation<'_> {
    let secrets = json!({
        "key": "file", "key_reason": null, "named": 3, "unusable": [{
            "name": "crm_token", "reason": "nobody has set its value",
            "next": "set its value: samsyn secret set crm_token --file FILE",
        }],
    });
    let calls = json!({ "waiting": 12, "under_way": 4, "halted": [] });
    let timers = json!({ "pending": 1200, "next_at": "2026-11-20T12:00:00Z", "late_ms": 0, "held": null });
    let audit = json!({
        "state": "ok", "reason": null, "reads": 700, "records": 650, "refused": 0,
        "oldest": "2026-11-01T08:00:00Z", "bytes": 130000, "wait_p99_us": 500,
    });
    let storage = json!({
        "log_bytes": 73125, "oldest_retained": null, "segments_removed": 0, "held_by": [],
        "snapshot_at": null, "snapshots_bad": 0, "log_bytes_since_snapshot": 73125,
        "snapshot_failure": null,
    });
    let followers = json!([{
        "name": "field-changes", "state": "ok", "reason": null, "failures": 0, "lag_records": 12, "lag_ms": 400,
        "since": null, "rebuilt": null, "missed": { "records": 2, "ranges": [
            { "first": "3-17", "last": "3-18", "noticed_at": "2026-11-01T08:00:00Z" }] },
    }]);
    let example = json!({
        "version": env!("CARGO_PKG_VERSION"), "started_at": "2026-11-20T10:00:00Z", "profiles": 1200,
        "accepted": 5000, "decided": 5000, "decisions": 7400, "undecided": 0, "settled": true, "sandboxes": 9000,
        "deliveries": { "done": 8990, "failed": 10 }, "registry_revision": 17,
        "waiting": { "parked": 1, "held": 0, "customers": 1, "all_counted": true },
        "slowest": {
            "events": 100, "slowest_us": 4100, "average_us": 1900,
            "average_waits_us": {
                "lock": 10, "queue": 40, "run": 60, "log": 300, "sync": 1400, "view": 50, "other": 40,
            },
        },
        "outgoing": super::endpoints::outgoing(),
        "queue": { "depth": 0, "limit": 10000 }, "event_ids": event_ids(), "accept_to_decided_p99_us": 900,
        "log": { "state": "ok", "reason": null }, "view": { "state": "ok", "reason": null },
        "capabilities": [{ "name": "crm", "calls": 5000, "p50_us": 7, "p99_us": 20, "failures": 0, "lag": 0 }],
        "rss_bytes": 80000000,
        "audit": audit,
        "storage": storage,
        "secrets": secrets, "timers": timers, "calls": calls,
        "followers": followers,
        "field_changes": { "email": 310, "first_name": 1290 },
    });
    call.is("showStatus", Tag::Operator, "Read the host's status").answers::<Status>(
        StatusCode::OK,
        "Counts since the start, and what waits",
        example,
    )
}

/// `GET /metrics`.
pub fn metrics(call: Operation<'_>) -> Operation<'_> {
    call.is("showMetrics", Tag::Operator, "Read the metrics, for Prometheus")
        .answers_text(&["text/plain"], "Prometheus' text format 0.0.4")
}

/// `GET /healthz`.
pub fn health(call: Operation<'_>) -> Operation<'_> {
    call.is("showHealth", Tag::Operator, "Check whether the process runs").answers::<Health>(
        StatusCode::OK,
        "It runs",
        json!({ "alive": true }),
    )
}

/// `GET /readyz`.
pub fn ready(call: Operation<'_>) -> Operation<'_> {
    call.is("showReadiness", Tag::Operator, "Check whether the host accepts events")
        .answers::<Readiness>(StatusCode::OK, "It accepts events", json!({ "ready": true }))
        .problems(&[Kind::NotReady])
}

/// `GET /errors`.
pub fn errors(call: Operation<'_>) -> Operation<'_> {
    call.is("showErrors", Tag::AppDeveloper, "Read about every kind of problem")
        .answers_text(&["text/markdown", "text/html"], "HTML for a browser, Markdown for other clients")
}

/// `GET /openapi.json`.
pub fn openapi(call: Operation<'_>) -> Operation<'_> {
    call.is("showInterface", Tag::AppDeveloper, "Read this description").answers::<std::collections::BTreeMap<
        String,
        Value,
    >>(
        StatusCode::OK,
        "OpenAPI 3.1",
        json!({ "openapi": "3.1.0" }),
    )
}
