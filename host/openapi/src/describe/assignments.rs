//! Assigning fields to another source, and notifying their consumers.

use http::StatusCode;
use samsyn_wire::catalogue::Kind;
use samsyn_wire::header::PURPOSE;
use samsyn_wire::media::JSON;
use samsyn_wire::query::{DryRun, ListParams};
use samsyn_wire::request::{Assignment, OneAssignment};
use samsyn_wire::{AssignAnswer, Jobs, OneAnswer};
use serde_json::{Value, json};

use super::PROFILE;
use super::fields::{first_name, named};
use crate::operation::{Operation, Tag};

pub(super) fn plan() -> Value {
    json!({
        "revision": 41, "mode": "inherit", "unchanged": false,
        "fields": [{
            "field": "country", "from": "crm", "to": "sms", "inherits": ["crm"], "unchanged": false,
            "protective": false, "changed": 1200,
            "without_claim": { "profiles": 30, "inherit": 30, "none": 0 },
            "opt_outs": 0, "held": 2, "uncounted": 0,
            "consumers": [{ "capability": "email", "profiles": 1200 }],
            "samples": [{ "profile": PROFILE, "before": "SE", "after": "NO" }],
        }],
    })
}

/// `POST /v1/assignments`.
pub fn assign(call: Operation<'_>) -> Operation<'_> {
    let some = json!({ "fields": ["country", "phone"], "to": "sms", "mode": "inherit", "revision": 41 });
    let all = json!({ "from": "crm", "all": true, "to": "crm2" });
    call.is("assignSources", Tag::Admin, "Assign fields to another source")
        .details(
            "With `dry_run=true` the answer is the plan. With the plan's `revision` the host applies it only if \
         the registry has not changed. One record assigns all fields; consumers are notified in the background.",
        )
        .query::<DryRun>()
        .takes(PURPOSE)
        .json::<Assignment>(JSON, &[("some fields", some), ("all of one capability", all)])
        .answers::<AssignAnswer<'_>>(
            StatusCode::OK,
            "The plan (`dry_run=true`), or what changed",
            json!({ "applied": true, "revision": 42, "plan": plan() }),
        )
        .problems(&[
            Kind::FieldNotFound,
            Kind::UnknownCapability,
            Kind::NotDeclared,
            Kind::PlanStale,
            Kind::PurposeInvalid,
            Kind::DefinitionInvalid,
            Kind::NameInvalid,
            Kind::LogFailed,
        ])
}

/// `PUT /v1/fields/{name}/source`.
pub fn assign_one(call: Operation<'_>) -> Operation<'_> {
    let none = json!({ "source": null, "mode": "clear" });
    named(call.is("assignSource", Tag::Admin, "Assign a field's source"))
        .query::<DryRun>()
        .takes(PURPOSE)
        .json::<OneAssignment>(JSON, &[("a source", json!({ "source": "crm" })), ("none", none)])
        .answers::<OneAnswer<'_>>(
            StatusCode::OK,
            "The field as it is now, or the plan (`dry_run=true`)",
            first_name(),
        )
        .problems(&[
            Kind::UnknownCapability,
            Kind::NotDeclared,
            Kind::PlanStale,
            Kind::PurposeInvalid,
            Kind::DefinitionInvalid,
            Kind::NameInvalid,
            Kind::LogFailed,
        ])
}

/// `GET /v1/jobs`.
pub fn jobs(call: Operation<'_>) -> Operation<'_> {
    let job = json!({
        "revision": 42, "fields": ["country"], "state": "running", "done": 20480, "total": 1000000,
        "told": 1200, "started_at": "2026-11-20T10:00:00Z", "ended_at": null,
    });
    call.is("listJobs", Tag::Admin, "Show the progress of notifying consumers of new sources")
        .details("The running job and the last one that ended, newest first.")
        .query::<ListParams>()
        .answers::<Jobs>(StatusCode::OK, "The jobs", json!({ "items": [job], "adopted": 42 }))
        .problems(&[Kind::CursorInvalid])
}
