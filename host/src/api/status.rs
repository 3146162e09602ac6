//! The host itself: health, readiness, status, metrics, and the catalogue of problems.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::IntoResponse;
use schemars::JsonSchema;
use serde::Serialize;

use super::convert::blocking;
use super::problem::{Answer, Kind, Problem};
use super::{ApiState, errors_page};

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
}

/// `GET /healthz`.
pub async fn health() -> Answer {
    Ok(Json(Health { alive: true }).into_response())
}

/// `GET /readyz`.
pub async fn ready(State(state): State<ApiState>) -> Answer {
    match state.engine.ready() {
        Ok(()) => Ok(Json(Readiness { ready: true }).into_response()),
        Err(why) => Err(Problem::new(Kind::NotReady, why)),
    }
}

/// `GET /v1/status`.
pub async fn status(State(state): State<ApiState>) -> Answer {
    let status = blocking(move || state.engine.status()).await?;
    Ok(Json(status).into_response())
}

/// `GET /metrics`.
pub async fn metrics(State(state): State<ApiState>) -> Answer {
    let text = blocking(move || state.engine.metrics_text()).await?;
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response())
}

/// `GET /errors`: HTML for a browser, Markdown for everybody else.
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
