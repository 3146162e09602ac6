//! Endpoints, and all sending.

use http::StatusCode;
use samsyn_vocabulary::{CapabilityName, EndpointName};
use samsyn_wire::catalogue::Kind;
use samsyn_wire::media::JSON;
use samsyn_wire::query::{ChangeParams, ListParams, PauseParams, TestParams};
use samsyn_wire::request::EndpointBinding;
use samsyn_wire::{Endpoint, EndpointChange, EndpointTest, Outgoing, OutgoingChange, Page};
use serde_json::{Value, json};

use crate::operation::{Operation, Tag};

/// What a manifest requests.
pub(super) fn requested() -> Value {
    json!({
        "reason": "Keeps tier and opt-out of each member the same in the membership system", "url": "https://members.example.com/api/",
        "methods": ["GET", "PUT"], "auth": "bearer", "repeat": "keyed",
        "key": { "header": "Idempotency-Key", "hours": 24 }, "reaches": "systems", "rate": "100 per 1s",
        "parallel": 4, "timeout": "30s", "answer_max": "64 KiB", "rows": null,
    })
}

fn endpoint() -> Value {
    json!({
        "capability": "tier-sync", "name": "membership", "state": "bound", "requested": requested(),
        "binding": {
            "url": "https://members.example.com/api/", "methods": ["GET", "PUT"],
            "auth": { "bearer": "members_token" }, "repeat": "keyed",
            "key": { "header": "Idempotency-Key", "hours": 24 }, "rate": "20 per 1s", "parallel": 4,
            "timeout": "30s", "answer_max": "64 KiB", "networks": [], "ca_file": null,
            "client_certificate": null, "proxy": null, "reaches": "systems", "message_api": false,
        },
        "secrets": ["members_token"], "paused": null,
    })
}

fn changed(action: &str, before: &str, after: &str, changes: &[&str]) -> Value {
    json!({
        "applied": true,
        "plan": {
            "revision": 41, "action": action, "unchanged": false, "before": before, "after": after,
            "changes": changes, "other_account": false, "secrets": ["members_token"], "warnings": [],
        },
        "endpoint": endpoint(),
    })
}

fn named(call: Operation<'_>) -> Operation<'_> {
    call.path::<CapabilityName>("capability", "The capability that calls it", "tier-sync")
        .path::<EndpointName>("name", "Its name in the capability's manifest", "membership")
        .problems(&[Kind::UnknownCapability, Kind::UnknownEndpoint])
}

/// `GET /v1/endpoints`.
pub fn list(call: Operation<'_>) -> Operation<'_> {
    call.is("listEndpoints", Tag::Admin, "List the endpoints, the systems that capabilities call")
        .query::<ListParams>()
        .answers::<Page<Endpoint>>(StatusCode::OK, "A page", json!({ "items": [endpoint()] }))
        .problems(&[Kind::CursorInvalid])
}

/// `GET /v1/endpoints/{capability}/{name}`.
pub fn show(call: Operation<'_>) -> Operation<'_> {
    named(call.is("showEndpoint", Tag::Admin, "Read what an endpoint requests, and what it is bound to"))
        .answers::<Endpoint>(StatusCode::OK, "The endpoint", endpoint())
}

/// `PUT /v1/endpoints/{capability}/{name}`.
pub fn bind(call: Operation<'_>) -> Operation<'_> {
    let whole = json!({
        "url": "https://members.internal:8443/api/", "methods": ["GET", "PUT"],
        "auth": { "basic": { "user": "samsyn", "secret": "members_password" } }, "repeat": "once",
        "rate": "20 per 1s", "parallel": 2, "timeout": "10s", "answer_max": "16 KiB",
        "networks": ["10.2.0.0/16"], "ca_file": "/etc/samsyn/internal-ca.pem",
    });
    named(call.is("bindEndpoint", Tag::Admin, "Bind an endpoint to a system"))
        .details(
            "What the body leaves out is as the manifest requests it, or isn't used. The host grants at most what \
             the manifest requests. Secrets are named; the request holds none. A paused endpoint stays paused. With \
             `dry_run=true` the host checks the binding and answers what would change.",
        )
        .query::<ChangeParams>()
        .json::<EndpointBinding>(
            JSON,
            &[("as requested", json!({ "auth": { "bearer": "members_token" } })), ("narrower", whole)],
        )
        .answers::<EndpointChange>(
            StatusCode::OK,
            "What changed, or with `dry_run` would change",
            changed("bind", "requested", "bound", &["url: none → https://members.example.com/api/"]),
        )
        .problems(&[
            Kind::EndpointInvalid,
            Kind::EndpointRevoked,
            Kind::PlanStale,
            Kind::NameInvalid,
            Kind::DefinitionInvalid,
            Kind::LogFailed,
        ])
}

/// `DELETE /v1/endpoints/{capability}/{name}`.
pub fn unbind(call: Operation<'_>) -> Operation<'_> {
    named(call.is("unbindEndpoint", Tag::Admin, "Remove the binding of an endpoint"))
        .details("The capability can't call it until it is bound again.")
        .query::<ChangeParams>()
        .answers::<EndpointChange>(
            StatusCode::OK,
            "What changed, or with `dry_run` would change",
            changed("unbind", "bound", "requested", &[]),
        )
        .problems(&[Kind::PlanStale, Kind::LogFailed])
}

/// `POST /v1/endpoints/{capability}/{name}/pause`.
pub fn pause(call: Operation<'_>) -> Operation<'_> {
    named(call.is("pauseEndpoint", Tag::Admin, "Pause an endpoint"))
        .details("Its calls wait until it is resumed.")
        .query::<PauseParams>()
        .answers::<EndpointChange>(
            StatusCode::OK,
            "What changed, or with `dry_run` would change",
            changed("pause", "bound", "paused", &[]),
        )
        .problems(&[Kind::EndpointNotBound, Kind::PlanStale, Kind::LogFailed])
}

/// `POST /v1/endpoints/{capability}/{name}/resume`.
pub fn resume(call: Operation<'_>) -> Operation<'_> {
    named(call.is("resumeEndpoint", Tag::Admin, "Resume an endpoint that is paused"))
        .query::<ChangeParams>()
        .answers::<EndpointChange>(
            StatusCode::OK,
            "What changed, or with `dry_run` would change",
            changed("resume", "paused", "bound", &[]),
        )
        .problems(&[Kind::PlanStale, Kind::LogFailed])
}

/// `POST /v1/endpoints/{capability}/{name}/test`.
pub fn test(call: Operation<'_>) -> Operation<'_> {
    let step =
        |step: &str, detail: &str, after: u32| json!({ "step": step, "detail": detail, "after_ms": after });
    let example = json!({
        "capability": "crm", "name": "api", "method": "HEAD", "url": "https://crm.example.com/api/",
        "ok": false, "sent": "answered", "status": 401, "code": "credentials-refused",
        "message": "the system refuses the credentials (401)",
        "next": "set the secret's value again with `samsyn secret set`, or bind the endpoint with other credentials",
        "steps": [
            step("addresses", "203.0.113.7", 3), step("connected", "203.0.113.7:443", 15),
            step("tls", "TLSv1_3", 41), step("answer", "401", 63),
        ],
        "took_ms": 63,
    });
    named(call.is("testEndpoint", Tag::Admin, "Send one request to an endpoint's system, and show what happens"))
        .details(
            "The request is a `HEAD` or a `GET` with the endpoint's own credentials, over a new connection. It uses a \
             method only if it is granted. While the endpoint or all sending is paused, nothing is sent. The answer \
             has neither a secret nor the body of the system's answer. It is 200 also when the test fails: see `ok`.",
        )
        .query::<TestParams>()
        .answers::<EndpointTest>(StatusCode::OK, "What happened", example)
        .problems(&[Kind::EndpointNotBound])
}

/// Whether calls are sent.
pub(super) fn outgoing() -> Value {
    json!({ "paused": null, "endpoints": { "requested": 0, "revoked": 0, "bound": 1, "paused": 0 } })
}

fn outgoing_change(paused: Value) -> Value {
    json!({
        "applied": true, "revision": 42, "unchanged": false, "endpoints": 1,
        "outgoing": { "paused": paused, "endpoints": outgoing()["endpoints"] },
    })
}

/// `GET /v1/outgoing`.
pub fn show_outgoing(call: Operation<'_>) -> Operation<'_> {
    call.is("showOutgoing", Tag::Operator, "Read whether calls are sent").answers::<Outgoing>(
        StatusCode::OK,
        "Whether they are",
        outgoing(),
    )
}

/// `POST /v1/outgoing/pause`.
pub fn pause_outgoing(call: Operation<'_>) -> Operation<'_> {
    let paused = json!({ "by": "admin", "reason": "this is a copy", "at": "2026-11-20T10:00:00Z" });
    call.is("pauseOutgoing", Tag::Operator, "Pause all sending")
        .details("No call is sent to any endpoint until sending is resumed. Calls wait; nothing is lost.")
        .query::<PauseParams>()
        .answers::<OutgoingChange>(
            StatusCode::OK,
            "What changed, or with `dry_run` would change",
            outgoing_change(paused),
        )
        .problems(&[Kind::PlanStale, Kind::LogFailed])
}

/// `POST /v1/outgoing/resume`.
pub fn resume_outgoing(call: Operation<'_>) -> Operation<'_> {
    call.is("resumeOutgoing", Tag::Operator, "Resume sending")
        .details(
            "Before you resume on a copy or a restored backup, make sure that the other host sends nothing.",
        )
        .query::<ChangeParams>()
        .answers::<OutgoingChange>(
            StatusCode::OK,
            "What changed, or with `dry_run` would change",
            outgoing_change(Value::Null),
        )
        .problems(&[Kind::PlanStale, Kind::LogFailed])
}
