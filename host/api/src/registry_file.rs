//! The registry as a file: exported, planned, applied.

use axum::extract::{Request, State};
use axum::http::header;
use axum::response::IntoResponse;
use axum::{Extension, Json};
use samsyn_wire as wire;
use schemars::JsonSchema;
use serde::Deserialize;

use super::access::Caller;
use super::assignments::tell_fields;
use super::convert::blocking;
use super::params::Params;
use super::problem::Answer;
use super::read_audit::Reader;
use super::visibility::Viewer;
use super::words::word;
use super::{ApiState, body, json, secrets};
use samsyn_engine::{ChangeError, FieldPlan, FileOptions};
use samsyn_registry::assignment::Mode;
use samsyn_registry::{Attribution, FileError, Policy, RegistryFile, RegistryPlan, Step};
use samsyn_vocabulary::{Partition, Position, Reason, Seq};

/// `GET /v1/registry/export`.
pub async fn export(State(state): State<ApiState>) -> Answer {
    let text = RegistryFile::of(&state.engine.registry()).to_text();
    Ok(([(header::CONTENT_TYPE, body::TOML[0])], text).into_response())
}

/// The plan, once it is recorded whose values it shows.
async fn tell<'a>(
    state: &ApiState,
    reader: &Reader,
    (plan, moves): &'a (RegistryPlan, Vec<FieldPlan>),
    policy: &Policy,
) -> wire::RegistryPlan<'a> {
    let step = |step: &Step| wire::Step {
        action: word(&step.action),
        what: step.what.to_owned(),
        name: step.name.clone(),
        details: step.details.clone(),
    };
    wire::RegistryPlan {
        revision: plan.revision,
        mode: word(&plan.mode),
        steps: plan.steps.iter().map(step).collect(),
        moves: tell_fields(state, reader, moves, policy).await,
        notes: plan.notes.clone(),
    }
}

/// How a file is planned.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PlanParams {
    /// Remove the fields, sources and bindings of endpoints that aren't in the file.
    remove: bool,
    /// What happens to customers for whom a new source has no claim. `inherit`: they keep the value of the former
    /// source. `clear`: they have no value.
    mode: Mode,
}

/// `POST /v1/registry/plan`.
pub async fn plan(
    State(state): State<ApiState>,
    reader: Reader,
    Extension(viewer): Extension<Viewer>,
    Params(params): Params<PlanParams>,
    request: Request,
) -> Answer {
    let file = read(request, &state).await?;
    let engine = state.engine.clone();
    let options = FileOptions { remove: params.remove, mode: params.mode };
    let values = state.secrets.clone();
    let planned = blocking(move || {
        let mut planned = engine.registrar().plan_registry_file(&file, options)?;
        secrets::note_to_do(&values, &mut planned.0, &file.secrets);
        Ok::<_, ChangeError>(planned)
    });
    let planned = planned.await??;
    Ok(Json(tell(&state, &reader, &planned, viewer.policy()).await).into_response())
}

/// How a file is applied.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApplyParams {
    /// The revision of the plan. The host rejects the request if the registry has changed since.
    revision: Seq,
    /// Remove the fields, sources and bindings of endpoints that aren't in the file.
    #[serde(default)]
    remove: bool,
    /// What happens to customers for whom a new source has no claim.
    #[serde(default)]
    mode: Mode,
    /// The reason of the change.
    #[serde(default)]
    reason: Option<Reason>,
}

/// `POST /v1/registry/apply`.
pub async fn apply(
    State(state): State<ApiState>,
    reader: Reader,
    Extension(Caller(application)): Extension<Caller>,
    Extension(viewer): Extension<Viewer>,
    Params(params): Params<ApplyParams>,
    request: Request,
) -> Answer {
    let file = read(request, &state).await?;
    let registry = state.engine.registry();
    // At another revision it is refused anyway.
    if registry.revision == params.revision && file.plan(&registry, params.remove)?.changes_grants() {
        viewer.check_admin("changing grants and endpoints")?;
    }
    let by = Attribution { by: application, reason: params.reason };
    let (engine, planned) = (state.engine.clone(), params.revision);
    let options = FileOptions { remove: params.remove, mode: params.mode };
    let values = state.secrets.clone();
    let applied = blocking(move || {
        let mut applied = engine.registrar().apply_registry_file(&file, options, planned, by)?;
        secrets::note_to_do(&values, &mut applied.0, &file.secrets);
        Ok::<_, ChangeError>(applied)
    });
    let applied = applied.await??;
    state.engine.durable(Position { partition: Partition::REGISTRY, seq: applied.0.revision }).await?;
    Ok(Json(tell(&state, &reader, &applied, viewer.policy()).await).into_response())
}

async fn read(request: Request, state: &ApiState) -> Answer<RegistryFile> {
    let bytes = body::json(request, body::TOML, &state.limits).await?;
    RegistryFile::parse(json::utf8(&bytes)?).map_err(FileError::into)
}
