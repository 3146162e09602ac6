//! What a new version of a plug-in would have decided.

use http::StatusCode;
use samsyn_wire::catalogue::Kind;
use samsyn_wire::header::PURPOSE;
use samsyn_wire::media::WASM;
use samsyn_wire::query::{ListParams, ReplayParams, ShowReplayParams};
use samsyn_wire::{Replay, Replays};
use serde_json::{Value, json};

use super::capabilities::COMPONENT_PROBLEMS;
use super::{DIGEST, PROFILE};
use crate::operation::{Operation, Tag};

const ID: &str = "5a0f0c1e-1c55-4f6e-a3f6-3d7f30a6b7a1";

fn running() -> Value {
    json!({
        "id": ID, "capability": "loyalty", "percent": 10.0, "state": "running", "error": null,
        "bytes_done": 20480000, "bytes_total": 104857600, "deliveries": 14200,
        "started_at": "2026-11-20T10:00:00Z", "ended_at": null, "report": null,
    })
}

fn done() -> Value {
    let report = json!({
        "capability": "loyalty", "new": { "version": "0.2.0", "digest": DIGEST }, "against": null,
        "decided_by": [{ "version": "0.1.0", "digest": DIGEST, "deliveries": 6966, "different": 12 }],
        "percent": 10.0, "profiles": 2357, "profiles_different": 12, "profiles_skipped": 0, "events": 6966,
        "deliveries": 6966, "different": 12,
        "effects": {
            "same": 20898, "changed": 12, "added": 0, "gone": 0, "refused": 0, "failed": 0, "mended": 0,
        },
        "findings": [{
            "severity": "warning", "what": "field", "name": "loyalty.tier", "kind": "changed", "count": 12,
            "profiles": 12,
            "samples": [{
                "profile": PROFILE, "position": "12-345", "on": "order.completed", "before": "silver",
                "after": "gold",
            }],
        }],
        "not_replayed": {}, "wants": [], "gave_up": null, "seconds": 0.4,
    });
    let mut done = running();
    done["state"] = "done".into();
    done["ended_at"] = "2026-11-20T10:00:01Z".into();
    done["report"] = report;
    done
}

fn named(call: Operation<'_>) -> Operation<'_> {
    call.path::<String>("id", "Which replay", ID).problems(&[Kind::UnknownReplay])
}

/// `POST /v1/replays`.
pub fn start(call: Operation<'_>) -> Operation<'_> {
    call.is("startReplay", Tag::Admin, "Replay: what a new version of a plug-in would have decided")
        .details(
            "The host runs the component over the log and compares its effects with the log, or with another \
         version's. It writes nothing. One replay runs at a time, in the background, at low priority.",
        )
        .query::<ReplayParams>()
        .bytes(WASM[0], "The component; with `against_bytes`, followed by the component to compare with")
        .answers::<Replay>(StatusCode::ACCEPTED, "The replay runs", running())
        .leads(StatusCode::ACCEPTED, "showReplay", "id", "$response.body#/id")
        .problems(&[Kind::ReplayRunning, Kind::UnknownCapability])
        .problems(&COMPONENT_PROBLEMS)
}

/// `GET /v1/replays`.
pub fn list(call: Operation<'_>) -> Operation<'_> {
    call.is("listReplays", Tag::Admin, "List the replays of this host")
        .details("The running replay and the last that ended, newest first, without reports.")
        .query::<ListParams>()
        .answers::<Replays>(StatusCode::OK, "The replays", json!({ "items": [running()] }))
        .problems(&[Kind::CursorInvalid])
}

/// `GET /v1/replays/{id}`.
pub fn show(call: Operation<'_>) -> Operation<'_> {
    named(call.is("showReplay", Tag::Admin, "Read a replay's progress and report"))
        .query::<ShowReplayParams>()
        .takes(PURPOSE)
        .answers::<Replay>(StatusCode::OK, "The replay", done())
        .problems(&[Kind::PurposeInvalid, Kind::AuditUnavailable])
}

/// `DELETE /v1/replays/{id}`.
pub fn stop(call: Operation<'_>) -> Operation<'_> {
    named(call.is("stopReplay", Tag::Admin, "Stop a replay"))
        .details("The replay ends soon. A replay that has ended doesn't change.")
        .answers::<Replay>(StatusCode::OK, "The replay", running())
}
