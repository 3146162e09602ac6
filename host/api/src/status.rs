//! The host itself: health, readiness, status, metrics, and the catalogue of problems.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::IntoResponse;
use schemars::JsonSchema;
use serde::Serialize;

use super::convert::blocking;
use super::event_json::{EVENT_BYTES_MAX, EVENTS_MAX};
use super::problem::{Answer, Kind, Problem};
use super::storage::{self, StorageStatus};
use super::{ApiState, errors_page};
use samsyn_audit::{AuditStatus, ReadAudit};
use samsyn_engine::{EventIdsStatus, Status};
use samsyn_telemetry::MetricsText;

/// What `/healthz` answers.
#[derive(Serialize, JsonSchema)]
pub struct Health {
    /// The process lives.
    alive: bool,
}

/// What `/readyz` answers.
#[derive(Serialize, JsonSchema)]
pub struct Readiness {
    /// Events are taken.
    ready: bool,
    /// There while personal data isn't answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    personal_reads: Option<PersonalReads>,
}

/// Why personal data isn't answered.
#[derive(Serialize, JsonSchema)]
pub struct PersonalReads {
    /// Who reads it can't be recorded, because of this.
    refused: String,
}

/// `GET /healthz`.
pub async fn health() -> Answer {
    Ok(Json(Health { alive: true }).into_response())
}

/// `GET /readyz`.
pub async fn ready(State(state): State<ApiState>) -> Answer {
    match state.engine.ready() {
        // Events are taken, so that it is ready; who reads people learns why it may not.
        Ok(()) => {
            let personal_reads = state.audit.failure().map(|refused| PersonalReads { refused });
            Ok(Json(Readiness { ready: true, personal_reads }).into_response())
        }
        Err(why) => Err(Problem::new(Kind::NotReady, why)),
    }
}

/// What `/v1/status` answers.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Status")]
pub struct StatusAnswer {
    #[serde(flatten)]
    status: Status,
    /// How the audit of reads is doing.
    audit: AuditStatus,
    /// What is kept: the log, and snapshots of it.
    storage: StorageStatus,
}

/// `GET /v1/status`.
pub async fn status(State(state): State<ApiState>) -> Answer {
    let status = blocking(move || StatusAnswer {
        status: state.engine.status(),
        audit: state.audit.status(),
        storage: StorageStatus::of(&state.engine),
    });
    let status = status.await?;
    Ok(Json(status).into_response())
}

/// What `/v1/limits` answers.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Limits")]
pub struct LimitsAnswer {
    /// Bytes of one event's JSON.
    event_bytes: usize,
    /// Events in one request.
    events: usize,
    /// Bytes of a request's body, after decompression.
    body_bytes: usize,
    /// How far the ids of events are remembered.
    event_ids: EventIdsStatus,
}

/// `GET /v1/limits`.
pub async fn limits(State(state): State<ApiState>) -> Answer {
    let limits = LimitsAnswer {
        event_bytes: EVENT_BYTES_MAX,
        events: EVENTS_MAX,
        body_bytes: state.limits.body_bytes,
        event_ids: state.engine.event_ids(),
    };
    Ok(Json(limits).into_response())
}

/// `GET /metrics`.
pub async fn metrics(State(state): State<ApiState>) -> Answer {
    let text = blocking(move || {
        state.engine.metrics_text() + &audit_metrics(&state.audit) + &storage::metrics(&state.engine)
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
