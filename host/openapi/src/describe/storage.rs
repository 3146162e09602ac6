//! Snapshots, and how far back the log goes.

use http::StatusCode;
use samsyn_wire::query::RetainParams;
use samsyn_wire::{Retention, Snapshots};
use serde_json::{Value, json};

use crate::operation::{Operation, Tag};

fn some() -> Value {
    json!({
        "items": [{
            "name": "00000000000536870912.snapshot", "state": "usable", "offset": 536870912,
            "made_at": "2026-11-20T10:00:00Z", "bytes": 410000000, "profiles": 1000000, "fold": 4,
        }],
        "making": null, "failure": null, "log_bytes_since": 73125,
        "asked": 1, "answered": 1, "made": 1, "failed": 0,
    })
}

/// `GET /v1/snapshots`.
pub fn snapshots(call: Operation<'_>) -> Operation<'_> {
    call.is("listSnapshots", Tag::Operator, "List the snapshots, and the one under way").answers::<Snapshots>(
        StatusCode::OK,
        "All of them, newest first",
        some(),
    )
}

/// `POST /v1/snapshots`.
pub fn make_snapshot(call: Operation<'_>) -> Operation<'_> {
    call.is("makeSnapshot", Tag::Operator, "Create a snapshot of the log as it is now")
        .details("The host works in the background; the list shows the progress.")
        .answers::<Snapshots>(StatusCode::ACCEPTED, "The host creates it", some())
}

/// `POST /v1/log/retain`.
pub fn retain(call: Operation<'_>) -> Operation<'_> {
    let example = json!({
        "segments": 12, "bytes": 790000000, "oldest": "2026-08-01T10:00:00Z", "wanted": 3, "removable": 2,
        "removable_bytes": 134217728, "removed": 0,
        "held_by": [{
            "kind": "cursor", "capability": "email", "position": "12-345",
            "explanation": "email has yet to look at it: it catches up, is slow or stands in quarantine",
        }],
    });
    call.is("retainLog", Tag::Operator, "Remove segments beyond what the settings keep")
        .details(
            "The host also does this by itself. It keeps segments that are still needed, and names the reason.",
        )
        .query::<RetainParams>()
        .answers::<Retention>(StatusCode::OK, "What was removed, what can be, and what is needed", example)
}
