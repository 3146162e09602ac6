//! What plug-ins may do.

use http::StatusCode;
use samsyn_wire::catalogue::Kind;
use samsyn_wire::media::JSON;
use samsyn_wire::query::{ApproveParams, RejectParams, Why};
use samsyn_wire::request::GrantChange;
use samsyn_wire::{Capability, Installed};
use serde_json::json;

use super::capabilities::{loyalty, named, plan};
use crate::operation::{Operation, Tag};

/// `PATCH /v1/capabilities/{name}/grant`.
pub fn change(call: Operation<'_>) -> Operation<'_> {
    named(call.is("changeGrant", Tag::Admin, "Grant or revoke what a capability may do"))
        .details("You can grant only what the installed manifest requests. The change is in force from the capability's next invocation on.")
        .query::<Why>()
        .json::<GrantChange>(
            JSON,
            &[
                ("taken back", json!({ "revoke": { "reads": ["email"] } })),
                ("given again", json!({ "grant": { "reads": ["email"] } })),
            ],
        )
        .answers::<Capability<'_>>(StatusCode::OK, "The capability as it is now", loyalty())
        .problems(&[Kind::NameInvalid, Kind::NotRequested, Kind::StillSource, Kind::FieldNotFound, Kind::LogFailed])
}

/// `POST /v1/capabilities/{name}/approve`.
pub fn approve(call: Operation<'_>) -> Operation<'_> {
    let answer = json!({ "capability": loyalty(), "plan": plan(), "pending": false });
    named(call.is("approveUpgrade", Tag::Admin, "Approve the waiting upgrade, and install it"))
        .query::<ApproveParams>()
        .answers::<Installed<'_>>(StatusCode::OK, "Installed", answer)
        .problems(&[
            Kind::NothingPending,
            Kind::UnknownIdentifier,
            Kind::FieldTypeConflict,
            Kind::DefinitionInvalid,
            Kind::ComponentCompileLimit,
            Kind::ComponentCompilerFailed,
            Kind::ComponentCompilerUnavailable,
            Kind::ComponentNotKept,
            Kind::LogFailed,
        ])
}

/// `POST /v1/capabilities/{name}/reject`.
pub fn reject(call: Operation<'_>) -> Operation<'_> {
    named(call.is("rejectUpgrade", Tag::Admin, "Reject the waiting upgrade"))
        .query::<RejectParams>()
        .answers::<Capability<'_>>(StatusCode::OK, "The capability as it is now", loyalty())
        .problems(&[Kind::NothingPending, Kind::LogFailed])
}
