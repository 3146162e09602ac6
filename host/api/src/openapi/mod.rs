//! The interface described by itself: OpenAPI 3.1, written from the table of calls and from the
//! types that are read and answered.

pub mod operation;

use std::collections::BTreeSet;
use std::sync::LazyLock;

use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

pub use samsyn_wire::header;
#[cfg(any(test, feature = "testing"))]
pub use samsyn_wire::{answers, conformance};

pub use operation::{Describe, Operation, Tag};
use samsyn_wire::Problem;
use samsyn_wire::schemas::Schemas;

use super::calls::{Call, calls};
use super::catalogue::KINDS;
use super::required_scopes::RequiredScopes;

const SUMMARY: &str =
    "One profile, one source per data point: a WebAssembly plug-in runtime for composable martech";
const ABOUT: &str = "One profile of every customer, one source for every data point. JSON in and out (UTF-8), \
times RFC 3339, errors RFC 9457. Bodies may be `Content-Encoding: gzip`. Lists take `limit` and the opaque \
`cursor`, which is the `next` of the page before; the last page has no `next`. Personal data does not belong in a \
URL: for e-mail and phone use the look-up. The same interface in prose is docs/http.md; every kind of problem \
is at /errors.";

/// The document as it is served.
static DOCUMENT: LazyLock<Vec<u8>> = LazyLock::new(|| serde_json::to_vec(&document()).unwrap_or_default());

/// `GET /openapi.json`.
pub async fn show() -> Response {
    ([(CONTENT_TYPE, "application/json")], DOCUMENT.as_slice()).into_response()
}

/// The description of every call.
pub fn document() -> Value {
    let mut schemas = Schemas::default();
    let mut paths: Map<String, Value> = Map::new();
    for Call { method, path, scopes, describe, .. } in calls() {
        let operation = describe(Operation::new(&mut schemas, path, scopes));
        let at = paths.entry(path).or_insert_with(|| json!({}));
        at[method.as_str().to_ascii_lowercase()] = operation.finish();
    }
    let tags: Vec<Value> = Tag::ALL
        .iter()
        .map(|(tag, description)| json!({ "name": tag.name(), "description": description }))
        .collect();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Samsyn",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": SUMMARY,
            "description": ABOUT,
            "license": { "name": env!("CARGO_PKG_LICENSE"), "identifier": env!("CARGO_PKG_LICENSE") },
        },
        // Relative: wherever this document was read.
        "servers": [{ "url": "/" }],
        "security": [{ "token": [] }],
        "tags": tags,
        "paths": paths,
        "components": {
            "schemas": schemas.into_components(),
            "examples": problem_examples(),
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "`Authorization: Bearer samsyn_…`: a token that an administrator made with `samsyn token create`, or the first one, which the host printed on its first start",
                },
            },
        },
    })
}

/// The names of the parameters that a call's query may hold, older ones too.
pub fn parameters(describe: Describe, path: &'static str, scopes: RequiredScopes) -> BTreeSet<String> {
    describe(Operation::new(&mut Schemas::default(), path, scopes)).query_names()
}

/// One document of every kind of problem.
fn problem_examples() -> Map<String, Value> {
    KINDS
        .iter()
        .map(|kind| {
            let entry = kind.entry();
            let value = serde_json::to_value(<Problem<'_>>::of(*kind, entry.cause)).unwrap_or_default();
            (entry.code.to_owned(), json!({ "summary": entry.title, "value": value }))
        })
        .collect()
}

#[cfg(test)]
mod answers_tests;
#[cfg(test)]
mod bodies_page;
#[cfg(test)]
mod requests_tests;
#[cfg(test)]
mod tests;
