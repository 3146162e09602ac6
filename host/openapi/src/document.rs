//! The document of all calls: OpenAPI 3.1, written from the table of calls and from the types that are read and
//! answered.

use std::collections::BTreeSet;

use http::Method;
use samsyn_wire::Problem;
use samsyn_wire::catalogue::KINDS;
use samsyn_wire::schemas::Schemas;
use serde_json::{Map, Value, json};

use crate::operation::{Describe, Operation, Tag};
use crate::scopes::RequiredScopes;

const SUMMARY: &str =
    "One profile, one source per data point: a WebAssembly plug-in runtime for composable martech";
const ABOUT: &str = "One profile of every customer, one source for every data point. JSON in and out (UTF-8), \
times RFC 3339, errors RFC 9457. Bodies may be `Content-Encoding: gzip`. Lists take `limit` and the opaque \
`cursor`, which is the `next` of the page before; the last page has no `next`. Personal data does not belong in a \
URL: for e-mail and phone use the look-up. The same interface in prose is docs/http.md; every kind of problem \
is at /errors.";

/// A call of the interface: where it is, what it needs, and what describes it.
#[derive(Clone, Debug)]
pub struct Call {
    /// Its method.
    pub method: Method,
    /// Its path, with the name of its variable in braces.
    pub path: &'static str,
    /// What a token must have for it.
    pub scopes: RequiredScopes,
    /// What describes it.
    pub describe: Describe,
}

impl Call {
    /// The names of the parameters that its query may hold, older ones too.
    pub fn parameters(&self) -> BTreeSet<String> {
        self.described(&mut Schemas::default()).query_names()
    }

    fn described<'a>(&self, schemas: &'a mut Schemas) -> Operation<'a> {
        (self.describe)(Operation::new(schemas, self.path, self.scopes))
    }
}

/// The description of all these calls.
pub fn document(calls: &[Call]) -> Value {
    let mut schemas = Schemas::default();
    let mut paths: Map<String, Value> = Map::new();
    for call in calls {
        let operation = call.described(&mut schemas);
        let at = paths.entry(call.path).or_insert_with(|| json!({}));
        at[call.method.as_str().to_ascii_lowercase()] = operation.finish();
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
