//! Plug-ins: listed, planned, installed, set, released, removed.

use std::collections::BTreeMap;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::{Extension, Json};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Tree;
use serde_json::value::RawValue;

use super::access::Caller;
use super::capability_answer::{CapabilityAnswer, Progress};
use super::convert::blocking;
use super::json::{JsonPath, Members};
use super::pagination::List;
use super::params::{DryRun, ListParams, Params, Segment, Why};
use super::problem::{Answer, Kind, Problem};
use super::twice;
use super::visibility::Viewer;
use super::{ApiState, body, json};
use samsyn_engine::{self as engine, Engine, InstallOptions};
use samsyn_registry::{Attribution, Capability, InstallPlan, Registry, RegistryChange};
use samsyn_vocabulary::{CapabilityName, Partition, Position, Reason, Rules, Value};

const CAPABILITIES: List = List("/v1/capabilities");

/// `GET /v1/capabilities`.
pub async fn list(State(state): State<ApiState>, Params(params): Params<ListParams>) -> Answer {
    blocking(move || {
        let registry = state.engine.registry();
        let all = registry.capabilities.iter().map(|(name, is)| (name.as_str(), (name, is)));
        let page = CAPABILITIES.page(all, params.limit, params.cursor.as_deref(), |_, (name, is)| {
            CapabilityAnswer::new(&registry, name, is, Progress::of(&state.engine, name))
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
    registry.capabilities.get_key_value(name).map(|(name, is)| (name, is.as_ref())).ok_or_else(unknown)
}

/// CAPABILITY as the newest registry has it.
pub async fn tree(state: &ApiState, name: String) -> Answer<Tree> {
    let engine = state.engine.clone();
    blocking(move || tree_of(&engine, &engine.registry(), &name)).await?
}

fn tree_of(engine: &Engine, registry: &Registry, name: &str) -> Answer<Tree> {
    let (name, capability) = known(registry, name)?;
    let answer = CapabilityAnswer::new(registry, name, capability, Progress::of(engine, name));
    serde_json::to_value(answer).map_err(Problem::internal)
}

/// How to install.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct InstallParams {
    /// Only answer what it would change.
    dry_run: bool,
    /// Where it starts.
    from: From,
    /// With `from=start`: deliver what it emits while it catches up.
    deliver: bool,
    /// An administrator (scope `admin`) has seen what it asks for and agrees. An upgrade that wants
    /// more than is granted waits without it.
    approve: bool,
    /// Fields that it brings are defined ones at once; otherwise they wait to be accepted.
    accept_fields: bool,
    /// Why it is done.
    reason: Option<Reason>,
}

impl InstallParams {
    fn options(&self) -> InstallOptions {
        InstallOptions {
            from_start: self.from == From::Start,
            deliver: self.deliver,
            approve: self.approve,
            accept_fields: self.accept_fields,
        }
    }
}

/// Where a plug-in starts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum From {
    /// With what happens next.
    #[default]
    Now,
    /// With the oldest event there is.
    Start,
}

/// A plug-in that was installed.
#[derive(Serialize, JsonSchema)]
pub struct Installed<'a> {
    /// As it is now.
    #[schemars(with = "CapabilityAnswer<'a>")]
    capability: Tree,
    /// What it changed, or would.
    plan: &'a InstallPlan,
    /// It wants more than is granted and waits for approval; what ran before runs on.
    pending: bool,
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
    if params.deliver && params.from == From::Now {
        let detail = "`deliver` is allowed only with `from=start`";
        return Err(Problem::new(Kind::QueryInvalid, detail).at("deliver"));
    }
    let slot = state.admission.enter_install()?;
    let bytes = body::component(request, state.component_bytes_max, &state.limits).await?;
    let engine = state.engine.clone();
    let options = params.options();
    let by = Attribution { by: application, reason: params.reason };
    // The slot is held until the work is done, though the client may be gone by then.
    let done = blocking(move || {
        let _slot = slot;
        if params.dry_run {
            return engine.plan_install(&bytes, options).map(Err);
        }
        engine.install(&bytes, options, by).map(Ok)
    });
    match done.await?? {
        Err(plan) => Ok(Json(plan).into_response()),
        Ok(done) if done.pending => installed(&state, &done, StatusCode::ACCEPTED).await,
        Ok(done) => installed(&state, &done, StatusCode::CREATED).await,
    }
}

/// What became of a component, once it is on the disk.
pub async fn installed(state: &ApiState, done: &engine::Installed, status: StatusCode) -> Answer {
    let engine::Installed { plan, seq, pending } = done;
    state.engine.durable(Position { partition: Partition::REGISTRY, seq: *seq }).await?;
    let capability = tree(state, plan.capability.to_string()).await?;
    Ok((status, Json(Installed { capability, plan, pending: *pending })).into_response())
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
    state.engine.change_registry(change, by).await?;
    Ok(Json(tree(&state, name).await?).into_response())
}

fn read_settings(text: &str, capability: &Capability) -> Answer<BTreeMap<String, Option<Value>>> {
    let members: Members<'_> = json::body_object(text)?;
    twice::refuse(text, &JsonPath::Root)?;
    members
        .0
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
    Value::from_json(value.get(), setting.kind, Rules::Today).map(Some).map_err(wrong)
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
    state.engine.change_registry(RegistryChange::Released { capability }, by).await?;
    Ok(Json(tree(&state, name).await?).into_response())
}

/// How to remove.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RemoveParams {
    /// Though fields lose their source by it.
    force: bool,
    /// Why it is done.
    reason: Option<Reason>,
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
    let seq = blocking(move || engine.remove_capability(capability, params.force, by)).await??;
    state.engine.durable(Position { partition: Partition::REGISTRY, seq }).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
