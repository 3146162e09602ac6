//! Endpoints, the systems that capabilities call: listed, bound, paused. And all sending: paused and resumed.

use axum::extract::{Request, State};
use axum::response::IntoResponse;
use axum::{Extension, Json};
use samsyn_wire::query::{ChangeParams, PauseParams, TestMethod, TestParams};
use samsyn_wire::request::EndpointBinding;
use samsyn_wire::{self as wire, EndpointCounts, EndpointTest, EndpointTestStep, Outgoing, OutgoingChange};
use serde::Serialize;
use serde_json::Value;

use super::access::Caller;
use super::convert::blocking;
use super::pagination::List;
use super::params::{ListParams, Params, Segments};
use super::problem::Answer;
use super::words::{names, word, words};
use super::{ApiState, body, json};
use samsyn_contract::calls::{CallRequest, Method, Rows};
use samsyn_outgoing::{Sent, Trial, TrialStep};
use samsyn_registry::endpoint::{EndpointChange, EndpointPlan};
use samsyn_registry::{Attribution, Binding, Endpoint, EndpointState, Pause, Registry};
use samsyn_vocabulary::{Application, Partition, Position, Reason, Seq};

const ENDPOINTS: List = List("/v1/endpoints");

/// Something that is more than a text, as JSON. It is plain data: JSON can hold all of it.
fn tree(value: &impl Serialize) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

/// What a manifest requests of an endpoint.
pub fn requested(request: &CallRequest) -> wire::RequestedEndpoint {
    wire::RequestedEndpoint {
        reason: request.reason.trim().to_owned(),
        url: request.url.as_ref().map(ToString::to_string),
        methods: words(&request.methods),
        auth: request.auth.as_ref().map(tree),
        repeat: word(&request.repeat()),
        key: request.key.as_ref().map(tree),
        reaches: word(&request.reaches),
        rate: request.rate().to_string(),
        parallel: request.parallel(),
        timeout: request.timeout().to_string(),
        answer_max: request.answer_max().to_string(),
        rows: request.rows.as_ref().map(requested_rows),
    }
}

fn requested_rows(rows: &Rows) -> wire::RequestedRows {
    wire::RequestedRows {
        path: rows.path.clone(),
        method: word(&rows.method()),
        format: word(&rows.format),
        columns: rows.columns.clone(),
        max: rows.max(),
        bytes: rows.bytes().to_string(),
        wait: rows.wait().to_string(),
    }
}

fn bound(binding: &Binding) -> wire::BoundEndpoint {
    wire::BoundEndpoint {
        url: binding.url.to_string(),
        methods: words(&binding.methods),
        auth: tree(&binding.auth),
        repeat: word(&binding.repeat),
        key: binding.key.as_ref().map(tree),
        rate: binding.rate.to_string(),
        parallel: binding.parallel,
        timeout: binding.timeout.to_string(),
        answer_max: binding.answer_max.to_string(),
        networks: names(&binding.networks),
        ca_file: binding.ca_file.clone(),
        client_certificate: binding.client_certificate.as_ref().map(tree),
        proxy: binding.proxy.as_ref().map(tree),
        reaches: word(&binding.reaches),
        message_api: binding.message_api,
    }
}

fn paused(pause: &Pause) -> wire::Pause {
    wire::Pause { by: pause.by.to_string(), reason: pause.reason.to_string(), at: pause.at.into() }
}

fn endpoint_answer(endpoint: &Endpoint<'_>) -> wire::Endpoint {
    let binding = endpoint.bound.map(|bound| &bound.binding);
    wire::Endpoint {
        capability: endpoint.capability.to_string(),
        name: endpoint.name.to_string(),
        state: word(&endpoint.state),
        requested: requested(endpoint.request),
        binding: binding.map(bound),
        secrets: names(binding.map(Binding::secrets).unwrap_or_default()),
        paused: endpoint.bound.and_then(|bound| bound.paused.as_ref()).map(paused),
    }
}

fn plan_answer(plan: &EndpointPlan) -> wire::EndpointPlan {
    wire::EndpointPlan {
        revision: plan.revision,
        action: word(&plan.action),
        unchanged: plan.change.is_none(),
        before: word(&plan.before),
        after: word(&plan.after),
        changes: plan.changes.iter().map(|change| change.as_line()).collect(),
        other_account: plan.other_account,
        secrets: names(&plan.secrets),
        warnings: plan.warnings.clone(),
    }
}

/// Whether calls are sent, and how many endpoints there are.
pub fn outgoing(registry: &Registry) -> Outgoing {
    let mut counts = EndpointCounts::default();
    for endpoint in registry.endpoints() {
        match endpoint.state {
            EndpointState::Requested => counts.requested += 1,
            EndpointState::Revoked => counts.revoked += 1,
            EndpointState::Bound => counts.bound += 1,
            EndpointState::Paused => counts.paused += 1,
        }
    }
    Outgoing { paused: registry.outgoing_paused.as_ref().map(paused), endpoints: counts }
}

/// `GET /v1/endpoints`.
pub async fn list(State(state): State<ApiState>, Params(params): Params<ListParams>) -> Answer {
    let registry = state.engine.registry();
    let mut all: Vec<(String, Endpoint<'_>)> =
        registry.endpoints().map(|is| (format!("{}/{}", is.capability, is.name), is)).collect();
    // A cursor is a name, so the order must be that of the whole names.
    all.sort_by(|(one, _), (other, _)| one.cmp(other));
    let named = all.iter().map(|(name, endpoint)| (name.as_str(), endpoint));
    let page = ENDPOINTS
        .page(named, params.limit, params.cursor.as_deref(), |_, endpoint| endpoint_answer(endpoint))?;
    Ok(Json(page).into_response())
}

/// `GET /v1/endpoints/{capability}/{name}`.
pub async fn show(State(state): State<ApiState>, Segments(capability, name): Segments) -> Answer {
    let registry = state.engine.registry();
    Ok(Json(endpoint_answer(&registry.endpoint(&capability, &name)?)).into_response())
}

/// `PUT /v1/endpoints/{capability}/{name}`.
pub async fn bind(
    State(state): State<ApiState>,
    Extension(Caller(application)): Extension<Caller>,
    Segments(capability, name): Segments,
    Params(params): Params<ChangeParams>,
    request: Request,
) -> Answer {
    let bytes = body::json(request, body::JSON, &state.limits).await?;
    let binding: EndpointBinding = json::body_as(&bytes)?;
    let wanted = EndpointChange::Bind(Box::new(binding));
    change(&state, application, (capability, name), wanted, params).await
}

/// `DELETE /v1/endpoints/{capability}/{name}`.
pub async fn unbind(
    State(state): State<ApiState>,
    Extension(Caller(application)): Extension<Caller>,
    Segments(capability, name): Segments,
    Params(params): Params<ChangeParams>,
) -> Answer {
    change(&state, application, (capability, name), EndpointChange::Unbind, params).await
}

/// `POST /v1/endpoints/{capability}/{name}/pause`.
pub async fn pause(
    State(state): State<ApiState>,
    Extension(Caller(application)): Extension<Caller>,
    Segments(capability, name): Segments,
    Params(PauseParams { dry_run, revision, reason }): Params<PauseParams>,
) -> Answer {
    let wanted = EndpointChange::Pause(pause_by(&state, &application, reason.clone()));
    let params = ChangeParams { dry_run, revision, reason: Some(reason) };
    change(&state, application, (capability, name), wanted, params).await
}

/// `POST /v1/endpoints/{capability}/{name}/resume`.
pub async fn resume(
    State(state): State<ApiState>,
    Extension(Caller(application)): Extension<Caller>,
    Segments(capability, name): Segments,
    Params(params): Params<ChangeParams>,
) -> Answer {
    change(&state, application, (capability, name), EndpointChange::Resume, params).await
}

/// `POST /v1/endpoints/{capability}/{name}/test`.
pub async fn test(
    State(state): State<ApiState>,
    Segments(capability, name): Segments,
    Params(TestParams { method, path }): Params<TestParams>,
) -> Answer {
    let method = method.map(|method| match method {
        TestMethod::Get => Method::Get,
        TestMethod::Head => Method::Head,
    });
    let trial = state.outgoing.try_out(&capability, &name, method, &path).await?;
    Ok(Json(test_answer(capability, name, trial)).into_response())
}

fn test_answer(capability: String, name: String, trial: Trial) -> EndpointTest {
    let ms = |time: std::time::Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    let step = |TrialStep { step, detail, after }: TrialStep| EndpointTestStep {
        step: step.to_owned(),
        detail,
        after_ms: ms(after),
    };
    let sent = match trial.sent {
        Sent::No => "no",
        Sent::Answered => "answered",
        Sent::Unknown => "unknown",
    };
    EndpointTest {
        capability,
        name,
        method: trial.method.map(|method| method.as_str().to_owned()),
        ok: trial.is_good(),
        url: trial.url,
        sent: sent.to_owned(),
        status: trial.status,
        code: trial.code.map(str::to_owned),
        message: trial.message,
        next: trial.next,
        steps: trial.steps.into_iter().map(step).collect(),
        took_ms: ms(trial.took),
    }
}

fn pause_by(state: &ApiState, by: &Application, reason: Reason) -> Pause {
    Pause { by: by.clone(), reason, at: state.engine.clock().now() }
}

async fn change(
    state: &ApiState,
    application: Application,
    (capability, name): (String, String),
    wanted: EndpointChange,
    params: ChangeParams,
) -> Answer {
    let ChangeParams { dry_run, revision, reason } = params;
    if dry_run {
        let registry = state.engine.registry();
        let plan = registry.plan_endpoint(&capability, &name, wanted)?;
        return changed(&registry, &capability, &name, &plan, false);
    }
    let by = Attribution { by: application, reason };
    let engine = state.engine.clone();
    let (at, of) = (capability.clone(), name.clone());
    let (plan, seq) =
        blocking(move || engine.registrar().change_endpoint(&at, &of, wanted, revision, by)).await??;
    durable(state, seq).await?;
    changed(&state.engine.registry(), &capability, &name, &plan, seq.is_some())
}

fn changed(registry: &Registry, capability: &str, name: &str, plan: &EndpointPlan, applied: bool) -> Answer {
    let endpoint = endpoint_answer(&registry.endpoint(capability, name)?);
    let answer = wire::EndpointChange { applied, plan: plan_answer(plan), endpoint };
    Ok(Json(answer).into_response())
}

async fn durable(state: &ApiState, seq: Option<Seq>) -> Answer<()> {
    if let Some(seq) = seq {
        state.engine.durable(Position { partition: Partition::REGISTRY, seq }).await?;
        // From here on nothing leaves that a pause holds back.
        state.outgoing.refresh();
    }
    Ok(())
}

/// `GET /v1/outgoing`.
pub async fn show_outgoing(State(state): State<ApiState>) -> Answer {
    Ok(Json(outgoing(&state.engine.registry())).into_response())
}

/// `POST /v1/outgoing/pause`.
pub async fn pause_outgoing(
    State(state): State<ApiState>,
    Extension(Caller(application)): Extension<Caller>,
    Params(PauseParams { dry_run, revision, reason }): Params<PauseParams>,
) -> Answer {
    let pause = pause_by(&state, &application, reason.clone());
    let params = ChangeParams { dry_run, revision, reason: Some(reason) };
    change_outgoing(&state, application, Some(pause), params).await
}

/// `POST /v1/outgoing/resume`.
pub async fn resume_outgoing(
    State(state): State<ApiState>,
    Extension(Caller(application)): Extension<Caller>,
    Params(params): Params<ChangeParams>,
) -> Answer {
    change_outgoing(&state, application, None, params).await
}

async fn change_outgoing(
    state: &ApiState,
    application: Application,
    pause: Option<Pause>,
    params: ChangeParams,
) -> Answer {
    let ChangeParams { dry_run, revision, reason } = params;
    let (plan, seq) = if dry_run {
        (state.engine.registry().plan_outgoing(pause), None)
    } else {
        let by = Attribution { by: application, reason };
        let engine = state.engine.clone();
        blocking(move || engine.registrar().change_outgoing(pause, revision, by)).await??
    };
    durable(state, seq).await?;
    let answer = OutgoingChange {
        applied: seq.is_some(),
        revision: plan.revision,
        unchanged: plan.change.is_none(),
        endpoints: plan.endpoints,
        outgoing: outgoing(&state.engine.registry()),
    };
    Ok(Json(answer).into_response())
}
