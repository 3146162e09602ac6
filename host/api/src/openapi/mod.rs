//! `/openapi.json`: the table of calls, described by the crate `openapi`.

use std::sync::LazyLock;

use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde_json::Value;

#[cfg(any(test, feature = "testing"))]
pub use samsyn_wire::{answers, conformance};

use super::calls::calls;

/// The document as it is served.
static DOCUMENT: LazyLock<Vec<u8>> = LazyLock::new(|| serde_json::to_vec(&document()).unwrap_or_default());

/// `GET /openapi.json`.
pub async fn show() -> Response {
    ([(CONTENT_TYPE, "application/json")], DOCUMENT.as_slice()).into_response()
}

/// The description of every call.
pub fn document() -> Value {
    samsyn_openapi::document(&calls())
}

#[cfg(test)]
mod answers_tests;
#[cfg(test)]
mod bodies_page;
#[cfg(test)]
mod requests_tests;
#[cfg(test)]
mod tests;
