//! The registry as a file: exported, planned, applied.

use axum::extract::{Request, State};
use axum::http::header;
use axum::response::IntoResponse;
use axum::{Extension, Json};
use schemars::JsonSchema;
use serde::Deserialize;

use super::access::Caller;
use super::params::Params;
use super::problem::Answer;
use super::viewer::Viewer;
use super::{ApiState, body, json};
use crate::registry::{Attribution, FileError, RegistryFile};
use crate::vocabulary::{Reason, Seq};

/// `GET /v1/registry/export`.
pub async fn export(State(state): State<ApiState>) -> Answer {
    let text = RegistryFile::of(&state.engine.registry()).to_text();
    Ok(([(header::CONTENT_TYPE, body::TOML[0])], text).into_response())
}

/// How a file is planned.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PlanParams {
    /// Take away fields and sources that the file leaves out.
    remove: bool,
}

/// `POST /v1/registry/plan`.
pub async fn plan(
    State(state): State<ApiState>,
    Params(params): Params<PlanParams>,
    request: Request,
) -> Answer {
    let file = read(request, &state).await?;
    let plan = file.plan(&state.engine.registry(), params.remove)?;
    Ok(Json(plan).into_response())
}

/// How a file is applied.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApplyParams {
    /// The revision of the plan that was looked at.
    revision: Seq,
    /// Take away fields and sources that the file leaves out.
    #[serde(default)]
    remove: bool,
    /// Why it is done.
    #[serde(default)]
    reason: Option<Reason>,
}

/// `POST /v1/registry/apply`.
pub async fn apply(
    State(state): State<ApiState>,
    Extension(Caller(application)): Extension<Caller>,
    Extension(viewer): Extension<Viewer>,
    Params(params): Params<ApplyParams>,
    request: Request,
) -> Answer {
    let file = read(request, &state).await?;
    let registry = state.engine.registry();
    // At another revision it is refused anyway.
    if registry.revision == params.revision && file.plan(&registry, params.remove)?.changes_grants() {
        viewer.check_admin("changing grants")?;
    }
    let by = Attribution { by: application, reason: params.reason };
    let applied = state.engine.apply_registry_file(&file, params.remove, params.revision, by).await?;
    Ok(Json(applied).into_response())
}

async fn read(request: Request, state: &ApiState) -> Answer<RegistryFile> {
    let bytes = body::json(request, body::TOML, &state.limits).await?;
    RegistryFile::parse(json::utf8(&bytes)?).map_err(FileError::into)
}
