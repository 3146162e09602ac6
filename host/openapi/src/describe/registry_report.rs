//! The registry as a whole.

use http::StatusCode;
use samsyn_wire::query::GraphParams;
use samsyn_wire::{RegistryGraph, RegistryReport};
use serde_json::json;

use crate::operation::{Operation, Tag};

/// `GET /v1/registry/report`.
pub fn report(call: Operation<'_>) -> Operation<'_> {
    let example = json!({
        "revision": 12, "errors": 0, "warnings": 1, "notes": 0,
        "findings": [{
            "severity": "warning", "code": "departments-same-field", "fields": ["country"],
            "capabilities": ["crm", "sms"], "events": [],
            "explanation": "Customer data team (in crm) and Mobile team (in sms) both keep country.",
            "mend": "Let the two agree on who answers for each field.",
            "command": "samsyn field disagreements country",
        }],
    });
    call.is(
        "reportSilos",
        Tag::Admin,
        "Find silos: duplicate fields, fields that nobody reads, cycles, unused grants",
    )
    .answers::<RegistryReport>(StatusCode::OK, "The findings, the most severe first", example)
}

/// `GET /v1/registry/graph`.
pub fn graph(call: Operation<'_>) -> Operation<'_> {
    let example = json!({
        "revision": 12,
        "nodes": [
            { "id": "department:Mobile team", "kind": "department", "name": "Mobile team" },
            { "id": "capability:sms", "kind": "capability", "name": "sms", "department": "Mobile team" },
        ],
        "edges": [{ "from": "department:Mobile team", "to": "capability:sms", "kind": "answers-for" }],
    });
    call.is("drawRegistry", Tag::Admin, "Draw departments, capabilities, fields and events")
        .query::<GraphParams>()
        .answers::<RegistryGraph>(StatusCode::OK, "Nodes and edges, always in the same order", example)
        .or_text(&["text/plain"])
}
