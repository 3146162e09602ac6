//! What plug-ins may do.

use axum::http::StatusCode;
use serde_json::json;

use super::capabilities::{loyalty, named, plan};
use crate::api::body::JSON;
use crate::api::capabilities::Installed;
use crate::api::capability_answer::CapabilityAnswer;
use crate::api::grants::{ApproveParams, GrantChange, RejectParams};
use crate::api::openapi::operation::{Operation, Tag};
use crate::api::params::Why;
use crate::api::problem::Kind;

/// `PATCH /v1/capabilities/{name}/grant`.
pub fn change(call: Operation<'_>) -> Operation<'_> {
    named(call.is("changeGrant", Tag::Admin, "Give or take back what a plug-in may do"))
        .details("Only what the installed manifest asks for can be given. It holds from the next call of the plug-in on.")
        .query::<Why>()
        .json::<GrantChange>(
            JSON,
            &[
                ("taken back", json!({ "revoke": { "reads": ["email"] } })),
                ("given again", json!({ "grant": { "reads": ["email"] } })),
            ],
        )
        .answers::<CapabilityAnswer<'_>>(StatusCode::OK, "The capability as it is now", loyalty())
        .problems(&[Kind::NameInvalid, Kind::NotRequested, Kind::StillSource, Kind::FieldNotFound, Kind::LogFailed])
}

/// `POST /v1/capabilities/{name}/approve`.
pub fn approve(call: Operation<'_>) -> Operation<'_> {
    let answer = json!({ "capability": loyalty(), "plan": plan(), "pending": false });
    named(call.is("approveUpgrade", Tag::Admin, "Install the upgrade that waits for approval"))
        .query::<ApproveParams>()
        .answers::<Installed<'_>>(StatusCode::OK, "It is installed", answer)
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
    named(call.is("rejectUpgrade", Tag::Admin, "Give up the upgrade that waits for approval"))
        .query::<RejectParams>()
        .answers::<CapabilityAnswer<'_>>(StatusCode::OK, "The capability as it is now", loyalty())
        .problems(&[Kind::NothingPending, Kind::LogFailed])
}
