//! The host itself: health, readiness, status, metrics, and the catalogue of problems.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::IntoResponse;
use samsyn_wire::request::{EVENT_BYTES_MAX, EVENTS_MAX};
use samsyn_wire::{self as wire, EventIds, Health, Limits, PersonalReads, Readiness};

use super::convert::blocking;
use super::endpoints::outgoing;
use super::problem::{Answer, Kind, Problem};
use super::{ApiState, errors_page, followers, plugin_calls, secrets, storage, timers};
use samsyn_audit::{AuditStatus, ReadAudit};
use samsyn_engine::{DiskStatus, EventIdsStatus, Status, Waiting};
use samsyn_telemetry::MetricsText;

/// `GET /healthz`.
pub async fn health() -> Answer {
    Ok(Json(Health { alive: true }).into_response())
}

/// `GET /readyz`.
pub async fn ready(State(state): State<ApiState>) -> Answer {
    match state.engine.ready() {
        // It accepts events, so it is ready. A reader of personal data learns here why it gets no answer.
        Ok(()) => {
            let personal_reads = state.audit.failure().map(|refused| PersonalReads { refused });
            Ok(Json(Readiness { ready: true, personal_reads }).into_response())
        }
        Err(why) => Err(Problem::new(Kind::NotReady, why)),
    }
}

fn status_answer(state: &ApiState, status: Status, audit: AuditStatus) -> wire::Status {
    let disk = |disk: DiskStatus| wire::DiskStatus { state: disk.state.to_owned(), reason: disk.reason };
    let counts =
        |all: BTreeMap<&str, u64>| all.into_iter().map(|(name, count)| (name.to_owned(), count)).collect();
    let capabilities = status.capabilities.into_iter().map(|capability| wire::CapabilityStatus {
        name: capability.name.to_string(),
        calls: capability.calls,
        p50_us: capability.p50_us,
        p99_us: capability.p99_us,
        failures: capability.failures,
        lag: capability.lag,
    });
    let Waiting { parked, held, customers, all_counted } = status.waiting;
    wire::Status {
        version: status.version.to_owned(),
        started_at: status.started_at.into(),
        profiles: status.profiles,
        accepted: status.accepted,
        decided: status.decided,
        decisions: status.decisions,
        undecided: status.undecided,
        settled: status.settled,
        sandboxes: status.sandboxes,
        deliveries: counts(status.deliveries),
        waiting: Some(wire::Waiting { parked, held, customers, all_counted }),
        registry_revision: status.registry_revision,
        queue: wire::QueueStatus { depth: status.queue.depth, limit: status.queue.limit },
        event_ids: event_ids(status.event_ids),
        log: disk(status.log),
        view: disk(status.view),
        accept_to_decided_p99_us: status.accept_to_decided_p99_us,
        slowest: wire::SlowestEvents {
            events: status.slowest.events,
            slowest_us: status.slowest.slowest_us,
            average_us: status.slowest.average_us,
            average_waits_us: counts(status.slowest.average_waits_us),
        },
        outgoing: Some(outgoing(&state.engine.registry())),
        capabilities: capabilities.collect(),
        rss_bytes: status.rss_bytes,
        audit: wire::AuditStatus {
            state: audit.state.to_owned(),
            reason: audit.reason,
            reads: audit.reads,
            records: audit.records,
            refused: audit.refused,
            oldest: audit.oldest.map(Into::into),
            bytes: audit.bytes,
            wait_p99_us: audit.wait_p99_us,
        },
        storage: storage::status(&state.engine),
        secrets: Some(secrets::status(&state.secrets, &state.engine.registry())),
        followers: followers::status(state),
        timers: status.timers.as_ref().map(timers::status),
        calls: Some(plugin_calls::status(&state.outgoing, state.engine.calls().waiting())),
        field_changes: state.followers.field_changes(state.engine.registry().fields.keys()),
    }
}

fn event_ids(EventIdsStatus { days, max, remembered, complete_since, now }: EventIdsStatus) -> EventIds {
    EventIds { days, max, remembered, complete_since, now }
}

/// `GET /v1/status`.
pub async fn status(State(state): State<ApiState>) -> Answer {
    let status = blocking(move || status_answer(&state, state.engine.status(), state.audit.status()));
    let status = status.await?;
    Ok(Json(status).into_response())
}

/// `GET /v1/limits`.
pub async fn limits(State(state): State<ApiState>) -> Answer {
    let limits = Limits {
        event_bytes: EVENT_BYTES_MAX,
        events: EVENTS_MAX,
        body_bytes: state.limits.body_bytes,
        event_ids: event_ids(state.engine.accepting().event_ids()),
    };
    Ok(Json(limits).into_response())
}

/// `GET /metrics`.
pub async fn metrics(State(state): State<ApiState>) -> Answer {
    let text = blocking(move || {
        let followers = state.followers.metrics_text(state.engine.registry().fields.keys());
        let engine = state.engine.metrics_text() + &storage::metrics(&state.engine);
        engine
            + &audit_metrics(&state.audit)
            + &state.secrets.metrics_text()
            + &state.outgoing.metrics_text()
            + &followers
    });
    let text = text.await?;
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response())
}

fn audit_metrics(audit: &ReadAudit) -> String {
    let (mut text, status) = (MetricsText::default(), audit.status());
    text.counter("samsyn_audit_reads_total", "Reads of personal data that are recorded", status.reads as f64);
    text.counter("samsyn_audit_records_total", "Records of these reads", status.records as f64);
    let help = "Answers refused because the read could not be recorded";
    text.counter("samsyn_audit_refused_total", help, status.refused as f64);
    let available = f64::from(u8::from(status.reason.is_none()));
    text.gauge("samsyn_audit_available", "1 while reads of personal data can be recorded", available);
    text.gauge("samsyn_audit_bytes", "Bytes of the audit of reads", status.bytes as f64);
    let name = "samsyn_audit_wait_seconds";
    text.head(name, "Time that an answer with personal data waited for its record", "histogram");
    text.histogram(name, "", &audit.counters().wait.snapshot());
    text.0
}

/// `GET /errors`: HTML for a browser, Markdown for other clients.
pub async fn errors(headers: HeaderMap) -> Answer {
    let page = if prefers_html(&headers) {
        ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], errors_page::html()).into_response()
    } else {
        ([(header::CONTENT_TYPE, "text/markdown; charset=utf-8")], errors_page::markdown()).into_response()
    };
    Ok(([(header::VARY, "accept")], page).into_response())
}

/// Browsers name HTML by its type; what takes anything gets the plainer form.
fn prefers_html(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let mut types = values
        .flat_map(|value| value.split(','))
        .map(|entry| entry.split(';').next().unwrap_or_default().trim());
    types.find_map(|name| match name {
        "text/html" => Some(true),
        "text/markdown" | "text/plain" => Some(false),
        _ => None,
    }) == Some(true)
}
