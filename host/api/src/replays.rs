//! Replays: what a new version of a plug-in would have decided, before it is installed.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::convert::blocking;
use super::pagination::List;
use super::params::{ListParams, Params, Segment};
use super::problem::{Answer, Kind, Problem};
use super::read_audit::{Reader, Shown, record_read};
use super::{ApiState, body, json};
use samsyn_engine::replay::{Replay, ReplayError, ReplayReport, ReplayState, Share};
use samsyn_registry::Registry;
use samsyn_vocabulary::{CapabilityName, ProfileId, Timestamp};

const REPLAYS: List = List("/v1/replays");

/// How to replay.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ReplayParams {
    /// Percent of the customers, whole ones and always the same; when left out everybody, or as many
    /// as fit into the memory that is set aside for it.
    #[schemars(extend("exclusiveMinimum" = 0, "maximum" = 100))]
    profiles: Option<f64>,
    /// The last so many bytes of the body are the component to compare with, behind the new one. When
    /// left out the body is the new one alone, and it is compared with the log.
    #[schemars(range(min = 1, max = json::INTEGER_MAX))]
    against_bytes: Option<u64>,
}

/// A replay: how far it is, and what came of it.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Replay")]
pub struct ReplayAnswer {
    id: String,
    capability: CapabilityName,
    /// Percent of the customers.
    percent: f64,
    /// `running`, `done`, `stopped` or `failed`.
    state: &'static str,
    /// Why it failed.
    error: Option<String>,
    /// Bytes of the log that were read; 0 of 0 while components are compiled.
    bytes_done: u64,
    bytes_total: u64,
    /// Deliveries that were compared so far.
    deliveries: u64,
    started_at: Timestamp,
    ended_at: Option<Timestamp>,
    /// When it is done; in a list none has it.
    report: Option<ReplayReport>,
}

/// The replays of this host, newest first.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Replays")]
pub struct ReplaysAnswer {
    items: Vec<ReplayAnswer>,
}

impl ReplayAnswer {
    fn new(replay: &Replay) -> ReplayAnswer {
        let (state, error) = match &replay.state {
            ReplayState::Running => ("running", None),
            ReplayState::Done(_) => ("done", None),
            ReplayState::Stopped => ("stopped", None),
            ReplayState::Failed(why) => ("failed", Some(why.clone())),
        };
        ReplayAnswer {
            id: replay.id.clone(),
            capability: replay.capability.clone(),
            percent: replay.share.as_percent(),
            state,
            error,
            bytes_done: replay.bytes.0,
            bytes_total: replay.bytes.1,
            deliveries: replay.deliveries,
            started_at: replay.started_at,
            ended_at: replay.ended_at,
            report: None,
        }
    }
}

/// `POST /v1/replays`.
pub async fn start(
    State(state): State<ApiState>,
    Params(params): Params<ReplayParams>,
    request: Request,
) -> Answer {
    let share = share(params.profiles)?;
    let slot = state.admission.enter_install()?;
    let most = state.component_bytes_max.saturating_mul(if params.against_bytes.is_some() { 2 } else { 1 });
    let bytes = body::component(request, most, &state.limits).await?;
    let engine = state.engine.clone();
    let started = blocking(move || {
        let _slot = slot;
        let (new, against) = match params.against_bytes {
            None => (bytes.as_slice(), None),
            Some(length) => {
                let at = usize::try_from(length).ok().and_then(|length| bytes.len().checked_sub(length));
                let at = at.ok_or_else(|| {
                    let detail = format!("the body has {} bytes, less than `against_bytes`", bytes.len());
                    Problem::new(Kind::ComponentNotWasm, detail).at("against_bytes")
                })?;
                (&bytes[..at], Some(&bytes[at..]))
            }
        };
        engine.start_replay(new, against, share).map_err(Problem::from)
    });
    let answer = ReplayAnswer::new(&started.await??);
    Ok((StatusCode::ACCEPTED, Json(answer)).into_response())
}

fn share(percent: Option<f64>) -> Answer<Option<Share>> {
    let wrong = |error: samsyn_engine::replay::ShareError| {
        Problem::new(Kind::QueryInvalid, error.to_string()).at("profiles")
    };
    percent.map(Share::percent).transpose().map_err(wrong)
}

/// `GET /v1/replays`: few enough for one page.
pub async fn list(State(state): State<ApiState>, Params(params): Params<ListParams>) -> Answer {
    REPLAYS.after(params.cursor.as_deref())?;
    let limit = List::limit(params.limit)?;
    let items = state.engine.replays().iter().take(limit).map(ReplayAnswer::new).collect();
    Ok(Json(ReplaysAnswer { items }).into_response())
}

/// Whether examples come with values.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ShowParams {
    /// With the values of the examples, and what plug-ins wrote: that is recorded as a read of the
    /// customers they are of.
    values: bool,
}

/// `GET /v1/replays/{id}`.
pub async fn show(
    State(state): State<ApiState>,
    reader: Reader,
    Segment(id): Segment,
    Params(params): Params<ShowParams>,
) -> Answer {
    let replay = state.engine.replay(&id)?;
    let mut answer = ReplayAnswer::new(&replay);
    let ReplayState::Done(report) = &replay.state else { return Ok(Json(answer).into_response()) };
    let report = (**report).clone();
    if params.values {
        record_read(&state, &reader, shown(&report, &state.engine.registry())).await?;
        answer.report = Some(report);
    } else {
        answer.report = Some(report.without_values());
    }
    Ok(Json(answer).into_response())
}

/// Whose values the examples show, and of which fields. What a plug-in emits, refuses or says in
/// failing may repeat anything it knows of the customer.
fn shown(report: &ReplayReport, registry: &Registry) -> Vec<Shown> {
    let mut shown: BTreeMap<ProfileId, Shown> = BTreeMap::new();
    let known = registry.capabilities.get(&report.capability);
    for finding in &report.findings {
        for sample in
            finding.samples.iter().filter(|sample| sample.before.is_some() || sample.after.is_some())
        {
            let shown = shown.entry(sample.profile).or_insert_with(|| Shown::of(sample.profile));
            if finding.what == "field" {
                shown.field(&finding.name, registry);
                continue;
            }
            if let Some(capability) = known {
                let claimed = capability.grant.sources().iter().chain(&capability.grant.reads);
                claimed.for_each(|field| shown.field(field.as_str(), registry));
                capability.grant.identifiers.iter().for_each(|name| shown.identifier(name.as_str()));
            }
        }
    }
    shown.into_values().collect()
}

/// `DELETE /v1/replays/{id}`.
pub async fn stop(State(state): State<ApiState>, Segment(id): Segment) -> Answer {
    let replay = state.engine.stop_replay(&id)?;
    Ok(Json(ReplayAnswer::new(&replay)).into_response())
}

impl From<ReplayError> for Problem {
    fn from(error: ReplayError) -> Problem {
        let detail = error.to_string();
        match error {
            ReplayError::Package(error) => error.into(),
            ReplayError::Manifest(_) => Problem::new(Kind::ManifestInvalid, detail),
            ReplayError::NeverInstalled(_) => Problem::new(Kind::UnknownCapability, detail),
            ReplayError::Another { .. } => Problem::new(Kind::DefinitionInvalid, detail),
            ReplayError::Running { .. } => Problem::new(Kind::ReplayRunning, detail),
            ReplayError::Unknown(_) => Problem::new(Kind::UnknownReplay, detail).at("id"),
            _ => Problem::internal(detail),
        }
    }
}
