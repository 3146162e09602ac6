//! The registry as a file.

use http::StatusCode;
use samsyn_wire::RegistryPlan;
use samsyn_wire::catalogue::Kind;
use samsyn_wire::header::PURPOSE;
use samsyn_wire::media::TOML;
use samsyn_wire::query::{ApplyParams, PlanParams};
use serde_json::{Value, json};

use super::assignments;
use crate::operation::{Operation, Tag};

fn example() -> Value {
    json!({
        "revision": 12,
        "mode": "inherit",
        "steps": [{
            "action": "change", "what": "field", "name": "country", "details": ["class: none → personal"],
        }, {
            "action": "assign", "what": "source", "name": "country", "details": ["crm → sms"],
        }],
        "moves": assignments::plan()["fields"],
        "notes": ["the field fax is not in the file and stays"],
    })
}

fn takes_a_file(call: Operation<'_>) -> Operation<'_> {
    call.bytes(TOML[0], "A registry file, like the answer of `exportRegistry`, at most 500 KiB")
        .takes(PURPOSE)
        .problems(&[Kind::NotUtf8, Kind::RegistryFileInvalid, Kind::PurposeInvalid])
}

/// `GET /v1/registry/export`.
pub fn export(call: Operation<'_>) -> Operation<'_> {
    call.is("exportRegistry", Tag::Admin, "Read fields, identifiers, sources and grants as one file")
        .answers_text(TOML, "The registry file")
}

/// `POST /v1/registry/plan`.
pub fn plan(call: Operation<'_>) -> Operation<'_> {
    let call = call.is("planRegistry", Tag::Admin, "Plan a registry file: what would change");
    takes_a_file(call).query::<PlanParams>().answers::<RegistryPlan<'_>>(
        StatusCode::OK,
        "What would change",
        example(),
    )
}

/// `POST /v1/registry/apply`.
pub fn apply(call: Operation<'_>) -> Operation<'_> {
    let call = call
        .is("applyRegistry", Tag::Admin, "Apply a registry file")
        .details("The host applies everything or nothing. It rejects the request if the registry changed after the plan of `revision`.");
    takes_a_file(call)
        .query::<ApplyParams>()
        .answers::<RegistryPlan<'_>>(StatusCode::OK, "What changed, and the new revision", example())
        .problems(&[Kind::PlanStale, Kind::LogFailed])
}
