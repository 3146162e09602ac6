//! What plug-ins may do: upgrades that ask for more, and what is given and taken back.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::{Extension, Json};
use schemars::JsonSchema;
use serde::Deserialize;

use super::access::Caller;
use super::capabilities::{installed, known, tree};
use super::convert::blocking;
use super::params::{Params, Segment, Why};
use super::problem::Answer;
use super::{ApiState, body, json};
use samsyn_registry::{Attribution, Grant, Registry, RegistryChange};
use samsyn_vocabulary::{Digest, EventPattern, FieldName, IdentifierName, Reason};

/// Which upgrade is agreed to, and how.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ApproveParams {
    /// Only if this is the component that waits.
    digest: Option<Digest>,
    /// Fields that it brings are defined ones at once; otherwise they wait to be accepted.
    accept_fields: bool,
    /// Why it is done.
    reason: Option<Reason>,
}

/// Which upgrade is given up.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RejectParams {
    /// Only if this is the component that waits.
    digest: Option<Digest>,
    /// Why it is done.
    reason: Option<Reason>,
}

/// `POST /v1/capabilities/{name}/approve`.
pub async fn approve(
    State(state): State<ApiState>,
    Extension(Caller(application)): Extension<Caller>,
    Segment(name): Segment,
    Params(params): Params<ApproveParams>,
) -> Answer {
    let slot = state.admission.enter_install()?;
    let capability = known(&state.engine.registry(), &name)?.0.clone();
    let by = Attribution { by: application, reason: params.reason };
    let engine = state.engine.clone();
    let done = blocking(move || {
        let _slot = slot;
        engine.approve(&capability, params.digest, params.accept_fields, by)
    });
    installed(&state, &done.await??, StatusCode::OK).await
}

/// `POST /v1/capabilities/{name}/reject`.
pub async fn reject(
    State(state): State<ApiState>,
    Extension(Caller(application)): Extension<Caller>,
    Segment(name): Segment,
    Params(params): Params<RejectParams>,
) -> Answer {
    let capability = known(&state.engine.registry(), &name)?.0.clone();
    let by = Attribution { by: application, reason: params.reason };
    let rejected = |registry: &Registry| {
        let digest = registry.pending(&capability, params.digest)?.digest;
        Ok(RegistryChange::UpgradeRejected { capability, digest })
    };
    state.engine.change_registry_with(rejected, by).await?;
    Ok(Json(tree(&state, name).await?).into_response())
}

/// What is given and taken back; what is in both is taken back.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct GrantChange {
    /// What it may do again.
    grant: GrantPart,
    /// What it may no longer do.
    revoke: GrantPart,
}

/// Things that a manifest asks for.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct GrantPart {
    /// Reading these fields.
    reads: Vec<FieldName>,
    /// Seeing these of the customer's identifiers.
    identifiers: Vec<IdentifierName>,
    /// Hearing these events, written as in the manifest.
    hears: Vec<EventPattern>,
    /// Making claims for these fields.
    sources: Vec<FieldName>,
}

impl From<GrantPart> for Grant {
    fn from(part: GrantPart) -> Grant {
        let GrantPart { reads, identifiers, hears, sources } = part;
        Grant { reads, identifiers, hears, sources: Some(sources) }
    }
}

/// `PATCH /v1/capabilities/{name}/grant`.
pub async fn change(
    State(state): State<ApiState>,
    Extension(Caller(application)): Extension<Caller>,
    Segment(name): Segment,
    Params(why): Params<Why>,
    request: Request,
) -> Answer {
    let bytes = body::json(request, body::JSON, &state.limits).await?;
    let GrantChange { grant, revoke } = json::body_as(&bytes)?;
    let capability = known(&state.engine.registry(), &name)?.0.clone();
    let by = Attribution { by: application, reason: why.reason };
    let changed = |registry: &Registry| registry.regrant(capability, &grant.into(), &revoke.into());
    state.engine.change_registry_with(changed, by).await?;
    Ok(Json(tree(&state, name).await?).into_response())
}
