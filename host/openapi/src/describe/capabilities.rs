//! Plug-ins: listed, planned, installed, set, released, removed.

use http::StatusCode;
use samsyn_vocabulary::CapabilityName;
use samsyn_wire::catalogue::Kind;
use samsyn_wire::media::{MERGE_PATCH, WASM};
use samsyn_wire::query::{DryRun, InstallParams, ListParams, RemoveParams, Why};
use samsyn_wire::request::SettingsPatch;
use samsyn_wire::{Capability, InstallPlan, Installed, Page};
use serde_json::{Value, json};

use super::DIGEST;
use crate::operation::{Operation, Tag};

/// What can be wrong with a component, before anybody tries to run it.
pub(super) const COMPONENT_PROBLEMS: [Kind; 10] = [
    Kind::DefinitionInvalid,
    Kind::ManifestInvalid,
    Kind::ComponentNotWasm,
    Kind::ComponentNoManifest,
    Kind::ComponentNoRole,
    Kind::ComponentUnknownRole,
    Kind::ComponentUnknownImport,
    Kind::ComponentNewerContract,
    Kind::ComponentTooLarge,
    Kind::ComponentInvalid,
];

pub(super) fn loyalty() -> Value {
    json!({
        "name": "loyalty", "version": "0.1.0", "digest": DIGEST, "owner": "Membership team",
        "description": "Points and tiers from purchases", "state": "active", "reason": null, "generation": 1,
        "roles": ["subscriber"], "subscribes": ["order.completed"], "emits": ["loyalty.tier_reached"],
        "sources": [{ "field": "loyalty.points", "assigned": true }],
        "consumes": [{ "field": "email", "purposes": ["service"], "notify": true }],
        "identifiers": ["customer_id"],
        "settings": [{
            "name": "points_per_unit", "type": "decimal", "default": "1", "value": null,
            "description": "Points for one unit of currency",
        }],
        "endpoints": [{ "name": "members", "state": "bound" }],
        "grant": {
            "reads": ["email"], "identifiers": ["customer_id"], "hears": ["order.completed"],
            "sources": ["loyalty.points"], "calls": ["members"],
        },
        "withheld": { "reads": [], "identifiers": [], "hears": [], "sources": [], "calls": [] },
        "pending": null,
        "lag": 0, "parked": 0, "installed_at": "2026-11-20T10:00:00Z",
    })
}

pub(super) fn plan() -> Value {
    json!({
        "capability": "loyalty", "version": "0.1.0", "digest": DIGEST, "change": "install", "before": null,
        "rejected": null,
        "hears": ["order.completed"],
        "reads": [{
            "field": "email", "class": "personal", "protective": false, "identifies": "email", "deprecated": null,
            "purposes": ["service"], "new": true, "new_purposes": ["service"],
        }],
        "identifiers": [{ "name": "customer_id", "new": true }],
        "sources": [{
            "field": "loyalty.points", "type": "integer", "class": "none", "protective": false,
            "identifies": null, "deprecated": null, "now": null, "claimed_by": [], "proposed_by": null,
            "becomes_source": true, "new_field": true, "proposed": false,
        }],
        "calls": [{
            "name": "members", "new": true, "state": "requested", "requested": super::endpoints::requested(),
        }],
        "emits": ["loyalty.tier_reached"],
        "settings": [{
            "name": "points_per_unit", "type": "decimal", "default": "1", "value": null,
            "description": "Points for one unit of currency",
        }],
        "warnings": [],
        "wants": { "reads": [], "identifiers": [], "hears": [], "sources": [], "calls": [] },
        "withheld": { "reads": [], "identifiers": [], "hears": [], "sources": [], "calls": [] },
    })
}

pub(super) fn named(call: Operation<'_>) -> Operation<'_> {
    call.path::<CapabilityName>("name", "Which capability", "loyalty").problems(&[Kind::UnknownCapability])
}

/// `GET /v1/capabilities`.
pub fn list(call: Operation<'_>) -> Operation<'_> {
    call.is("listCapabilities", Tag::Admin, "List the capabilities, which are installed plug-ins")
        .query::<ListParams>()
        .answers::<Page<Capability<'_>>>(StatusCode::OK, "A page", json!({ "items": [loyalty()] }))
        .problems(&[Kind::CursorInvalid])
}

/// `GET /v1/capabilities/{name}`.
pub fn show(call: Operation<'_>) -> Operation<'_> {
    named(call.is("showCapability", Tag::Admin, "Read a capability's grants, settings and state"))
        .answers::<Capability<'_>>(StatusCode::OK, "The capability", loyalty())
}

/// `POST /v1/capabilities`.
pub fn install(call: Operation<'_>) -> Operation<'_> {
    call.is("installCapability", Tag::Admin, "Install or upgrade a plug-in")
        .details("The component contains its manifest.")
        .query::<InstallParams>()
        .bytes(WASM[0], "The component that `samsyn plugin build` wrote, at most 32 MiB")
        .answers::<InstallPlan>(StatusCode::OK, "The plan (`dry_run=true`)", plan())
        .answers::<Installed<'_>>(
            StatusCode::CREATED,
            "Installed",
            json!({ "capability": loyalty(), "plan": plan(), "pending": false }),
        )
        .answers::<Installed<'_>>(
            StatusCode::ACCEPTED,
            "An upgrade that requests more than is granted waits for approval; the installed version keeps running",
            json!({ "capability": loyalty(), "plan": plan(), "pending": true }),
        )
        .leads(StatusCode::CREATED, "showCapability", "name", "$response.body#/capability/name")
        .problems(&COMPONENT_PROBLEMS)
        .problems(&[
            Kind::UnknownIdentifier,
            Kind::FieldTypeConflict,
            Kind::ComponentCompileLimit,
            Kind::ComponentCompilerFailed,
            Kind::ComponentCompilerUnavailable,
            Kind::ComponentNotKept,
            Kind::LogFailed,
        ])
}

/// `PATCH /v1/capabilities/{name}/settings`.
pub fn set(call: Operation<'_>) -> Operation<'_> {
    named(call.is("setCapability", Tag::Admin, "Change a capability's settings"))
        .query::<DryRun>()
        .json::<SettingsPatch<Value>>(
            MERGE_PATCH,
            &[
                ("a value", json!({ "points_per_unit": "2" })),
                ("the default", json!({ "points_per_unit": null })),
            ],
        )
        .answers::<Capability<'_>>(
            StatusCode::OK,
            "The capability as it is now, or with `dry_run` as it would be",
            loyalty(),
        )
        .problems(&[Kind::DefinitionInvalid, Kind::ControlCharacters, Kind::LogFailed])
}

/// `POST /v1/capabilities/{name}/release`.
pub fn release(call: Operation<'_>) -> Operation<'_> {
    named(call.is("releaseCapability", Tag::Admin, "End a capability's quarantine"))
        .details("The capability continues where it stopped. If it is not in quarantine, the answer is 409.")
        .query::<Why>()
        .answers::<Capability<'_>>(StatusCode::OK, "The capability as it is now", loyalty())
        .problems(&[Kind::NotQuarantined, Kind::LogFailed])
}

/// `DELETE /v1/capabilities/{name}`.
pub fn remove(call: Operation<'_>) -> Operation<'_> {
    named(call.is("removeCapability", Tag::Admin, "Remove a capability"))
        .details("Its claims stay visible to admins. The host rejects the request for a source of fields, unless `force=true` leaves the fields without a source.")
        .query::<RemoveParams>()
        .answers_nothing(StatusCode::NO_CONTENT, "Removed")
        .problems(&[Kind::StillSources, Kind::DefinitionInvalid, Kind::LogFailed])
}
