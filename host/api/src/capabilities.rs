//! Plug-ins: listed, planned, installed, set, released, removed.

use std::collections::BTreeMap;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::{Extension, Json};
use samsyn_wire::Installed;
use samsyn_wire::query::{InstallFrom, InstallParams, RemoveParams};
use samsyn_wire::request::SettingsPatch;
use serde_json::Value as Tree;
use serde_json::value::RawValue;

use super::access::Caller;
use super::capability_answer::{Progress, capability_answer, install_plan};
use super::convert::blocking;
use super::json::JsonPath;
use super::pagination::List;
use super::params::{DryRun, ListParams, Params, Segment, Why};
use super::problem::{Answer, Kind, Problem};
use super::twice;
use super::visibility::Viewer;
use super::{ApiState, body, json};
use samsyn_engine::{self, Engine, InstallOptions};
use samsyn_registry::{Attribution, Capability, Registry, RegistryChange};
use samsyn_vocabulary::{CapabilityName, Members, Partition, Position, Rules, Value};

const CAPABILITIES: List = List("/v1/capabilities");

/// `GET /v1/capabilities`.
pub async fn list(State(state): State<ApiState>, Params(params): Params<ListParams>) -> Answer {
    blocking(move || {
        let registry = state.engine.registry();
        let all = registry.capabilities.iter().map(|(name, capability)| (name.as_str(), (name, capability)));
        let page =
            CAPABILITIES.page(all, params.limit, params.cursor.as_deref(), |_, (name, capability)| {
                capability_answer(&registry, name, capability, Progress::of(&state.engine, name))
            })?;
        Ok(Json(page).into_response())
    })
    .await?
}

/// `GET /v1/capabilities/{name}`.
pub async fn show(State(state): State<ApiState>, Segment(name): Segment) -> Answer {
    let tree = tree(&state, name).await?;
    Ok(Json(tree).into_response())
}

pub fn known<'a>(registry: &'a Registry, name: &str) -> Answer<(&'a CapabilityName, &'a Capability)> {
    let unknown = || {
        let detail = format!("no capability {:?} is installed", json::shortened(name));
        let known = registry.capabilities.keys().map(CapabilityName::as_str);
        Problem::new(Kind::UnknownCapability, detail).at("name").nearest(name, known)
    };
    let found = registry.capabilities.get_key_value(name);
    found.map(|(name, capability)| (name, capability.as_ref())).ok_or_else(unknown)
}

/// CAPABILITY as the newest registry has it.
pub async fn tree(state: &ApiState, name: String) -> Answer<Tree> {
    let engine = state.engine.clone();
    blocking(move || tree_of(&engine, &engine.registry(), &name)).await?
}

fn tree_of(engine: &Engine, registry: &Registry, name: &str) -> Answer<Tree> {
    let (name, capability) = known(registry, name)?;
    let answer = capability_answer(registry, name, capability, Progress::of(engine, name));
    serde_json::to_value(answer).map_err(Problem::internal)
}

fn options(params: &InstallParams) -> InstallOptions {
    InstallOptions {
        from_start: params.from == InstallFrom::Start,
        deliver: params.deliver,
        approve: params.approve,
        accept_fields: params.accept_fields,
    }
}

/// `POST /v1/capabilities`.
pub async fn install(
    State(state): State<ApiState>,
    Extension(Caller(application)): Extension<Caller>,
    Extension(viewer): Extension<Viewer>,
    Params(params): Params<InstallParams>,
    request: Request,
) -> Answer {
    if params.approve {
        viewer.check_admin("approving what a plug-in requests")?;
    }
    if params.deliver && params.from == InstallFrom::Now {
        let detail = "`deliver` is allowed only with `from=start`";
        return Err(Problem::new(Kind::QueryInvalid, detail).at("deliver"));
    }
    let slot = state.admission.enter_install()?;
    let bytes = body::component(request, state.component_bytes_max, &state.limits).await?;
    let engine = state.engine.clone();
    let options = options(&params);
    let by = Attribution { by: application, reason: params.reason };
    // The slot is held until the work is done, though the client may be gone by then.
    let done = blocking(move || {
        let _slot = slot;
        if params.dry_run {
            return engine.registrar().plan_install(&bytes, options).map(Err);
        }
        engine.registrar().install(&bytes, options, by).map(Ok)
    });
    match done.await?? {
        Err(plan) => Ok(Json(install_plan(&plan)).into_response()),
        Ok(done) if done.pending => installed(&state, &done, StatusCode::ACCEPTED).await,
        Ok(done) => installed(&state, &done, StatusCode::CREATED).await,
    }
}

/// What became of a component, once it is on the disk.
pub async fn installed(state: &ApiState, done: &samsyn_engine::Installed, status: StatusCode) -> Answer {
    let samsyn_engine::Installed { plan, seq, pending } = done;
    state.engine.durable(Position { partition: Partition::REGISTRY, seq: *seq }).await?;
    let (engine, name) = (state.engine.clone(), plan.capability.clone());
    let (plan, pending) = (install_plan(plan), *pending);
    blocking(move || {
        let registry = engine.registry();
        let (name, capability) = known(&registry, name.as_str())?;
        let capability = capability_answer(&registry, name, capability, Progress::of(&engine, name));
        Ok((status, Json(Installed { capability, plan, pending })).into_response())
    })
    .await?
}

/// `PATCH /v1/capabilities/{name}/settings`.
pub async fn set(
    State(state): State<ApiState>,
    Extension(Caller(application)): Extension<Caller>,
    Segment(name): Segment,
    Params(params): Params<DryRun>,
    request: Request,
) -> Answer {
    let bytes = body::json(request, body::MERGE_PATCH, &state.limits).await?;
    let registry = state.engine.registry();
    let (known_name, capability) = known(&registry, &name)?;
    let settings = read_settings(json::utf8(&bytes)?, capability)?;
    let change = RegistryChange::SettingsChanged { capability: known_name.clone(), settings };
    if params.dry_run {
        registry.check(&change)?;
        let next = registry.apply(registry.revision + 1, &change).map_err(Problem::internal)?;
        let engine = state.engine.clone();
        let tree = blocking(move || tree_of(&engine, &next, &name)).await??;
        return Ok(Json(tree).into_response());
    }
    let by = Attribution { by: application, reason: params.reason };
    state.engine.registrar().change_registry(change, by).await?;
    Ok(Json(tree(&state, name).await?).into_response())
}

fn read_settings(text: &str, capability: &Capability) -> Answer<BTreeMap<String, Option<Value>>> {
    let SettingsPatch(Members(members)) = SettingsPatch(json::body_object(text)?);
    twice::refuse(text, &JsonPath::Root)?;
    members
        .iter()
        .map(|(name, value)| Ok((name.to_string(), read_setting(name, value, capability)?)))
        .collect()
}

fn read_setting(name: &str, value: &RawValue, capability: &Capability) -> Answer<Option<Value>> {
    let path = JsonPath::Root.key(name);
    let Some(setting) = capability.manifest.settings.get(name) else {
        let known: Vec<&str> = capability.manifest.settings.keys().map(String::as_str).collect();
        let detail =
            format!("unknown setting {:?}; the settings are: {}", json::shortened(name), known.join(", "));
        return Err(path.problem(Kind::DefinitionInvalid, detail).nearest(name, known));
    };
    if value.get() == "null" {
        return Ok(None);
    }
    json::refuse_control_characters(value, &path)?;
    let wrong = |error: samsyn_vocabulary::CoerceError| {
        let next = format!("The setting has the type {}; null resets it to its default.", setting.kind);
        path.problem(Kind::WrongType, error.to_string()).next(next)
    };
    Value::from_json(value.get(), setting.kind.of_values(), Rules::Today).map(Some).map_err(wrong)
}

/// `POST /v1/capabilities/{name}/release`.
pub async fn release(
    State(state): State<ApiState>,
    Extension(Caller(application)): Extension<Caller>,
    Segment(name): Segment,
    Params(why): Params<Why>,
) -> Answer {
    let by = Attribution { by: application, reason: why.reason };
    let capability = known(&state.engine.registry(), &name)?.0.clone();
    state.engine.registrar().change_registry(RegistryChange::Released { capability }, by).await?;
    Ok(Json(tree(&state, name).await?).into_response())
}

/// `DELETE /v1/capabilities/{name}`.
pub async fn remove(
    State(state): State<ApiState>,
    Extension(Caller(application)): Extension<Caller>,
    Segment(name): Segment,
    Params(params): Params<RemoveParams>,
) -> Answer {
    let by = Attribution { by: application, reason: params.reason };
    let capability = known(&state.engine.registry(), &name)?.0.clone();
    let engine = state.engine.clone();
    let seq = blocking(move || engine.registrar().remove_capability(capability, params.force, by)).await??;
    state.engine.durable(Position { partition: Partition::REGISTRY, seq }).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
