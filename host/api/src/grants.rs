//! What plug-ins may do: upgrades that ask for more, and what is given and taken back.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::{Extension, Json};
use samsyn_wire::query::{ApproveParams, RejectParams};
use samsyn_wire::request::{GrantChange, GrantPart};

use super::access::Caller;
use super::capabilities::{installed, known, tree};
use super::convert::blocking;
use super::params::{Params, Segment, Why};
use super::problem::Answer;
use super::{ApiState, body, json};
use samsyn_registry::{Attribution, Grant, Registry, RegistryChange};

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
        engine.registrar().approve(&capability, params.digest, params.accept_fields, by)
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
    state.engine.registrar().change_registry_with(rejected, by).await?;
    Ok(Json(tree(&state, name).await?).into_response())
}

fn grant_of(part: GrantPart) -> Grant {
    let GrantPart { reads, identifiers, hears, sources, calls } = part;
    Grant { reads, identifiers, hears, sources: Some(sources), calls }
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
    let changed = |registry: &Registry| registry.regrant(capability, &grant_of(grant), &grant_of(revoke));
    state.engine.registrar().change_registry_with(changed, by).await?;
    Ok(Json(tree(&state, name).await?).into_response())
}
