//! The registry as a file: exported, planned, applied.

use axum::extract::{Request, State};
use axum::http::header;
use axum::response::IntoResponse;
use axum::{Extension, Json};
use samsyn_wire as wire;
use samsyn_wire::query::{ApplyParams, PlanParams};

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
use samsyn_registry::{Attribution, FileError, Policy, RegistryFile, RegistryPlan, Step};
use samsyn_vocabulary::{Partition, Position};

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
