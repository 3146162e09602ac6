//! Replays: what a new version of a plug-in would have decided, before it is installed.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use samsyn_wire::query::{ReplayParams, ShowReplayParams};
use samsyn_wire::{self as wire, Replays};

use super::convert::blocking;
use super::pagination::List;
use super::params::{ListParams, Params, Segment};
use super::problem::{Answer, Kind, Problem};
use super::read_audit::{Reader, Shown, record_read};
use super::words::word;
use super::{ApiState, body};
use samsyn_engine::{Replay, ReplayState};
use samsyn_registry::Registry;
use samsyn_replay::{Effects, ReplayError, ReplayReport, Sample, Share, ShareError, Version};
use samsyn_vocabulary::ProfileId;

const REPLAYS: List = List("/v1/replays");

fn replay_answer(replay: &Replay) -> wire::Replay {
    let (state, error) = match &replay.state {
        ReplayState::Running => ("running", None),
        ReplayState::Done(_) => ("done", None),
        ReplayState::Stopped => ("stopped", None),
        ReplayState::Failed(why) => ("failed", Some(why.clone())),
    };
    wire::Replay {
        id: replay.id.clone(),
        capability: replay.capability.to_string(),
        percent: replay.share.as_percent(),
        state: state.to_owned(),
        error,
        bytes_done: replay.bytes.0,
        bytes_total: replay.bytes.1,
        deliveries: replay.deliveries,
        started_at: replay.started_at.into(),
        ended_at: replay.ended_at.map(Into::into),
        report: None,
    }
}

/// A report as it is answered, and as the command prints one that it made itself.
pub fn report_answer(report: &ReplayReport) -> wire::ReplayReport {
    let version = |version: &Version| wire::ReplayVersion {
        version: version.version.clone(),
        digest: version.digest.to_string(),
    };
    let decided_by = report.decided_by.iter().map(|by| wire::ReplayDecidedBy {
        version: by.version.clone(),
        digest: by.digest.to_string(),
        deliveries: by.deliveries,
        different: by.different,
    });
    let Effects { same, changed, added, gone, refused, failed, mended } = report.effects;
    let sample = |sample: &Sample| wire::ReplaySample {
        profile: sample.profile.into(),
        position: sample.position.clone(),
        on: sample.on.clone(),
        before: sample.before.clone(),
        after: sample.after.clone(),
    };
    let findings = report.findings.iter().map(|finding| wire::ReplayFinding {
        severity: word(&finding.severity),
        what: finding.what.to_owned(),
        name: finding.name.clone(),
        kind: word(&finding.kind),
        count: finding.count,
        profiles: finding.profiles,
        samples: finding.samples.iter().map(sample).collect(),
    });
    wire::ReplayReport {
        capability: report.capability.to_string(),
        new: version(&report.new),
        against: report.against.as_ref().map(version),
        decided_by: decided_by.collect(),
        percent: report.percent,
        profiles: report.profiles,
        profiles_different: report.profiles_different,
        profiles_skipped: report.profiles_skipped,
        events: report.events,
        deliveries: report.deliveries,
        different: report.different,
        effects: wire::ReplayEffects { same, changed, added, gone, refused, failed, mended },
        findings: findings.collect(),
        not_replayed: report.not_replayed.clone(),
        wants: report.wants.clone(),
        gave_up: report.gave_up.clone(),
        seconds: report.seconds,
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
        engine.replays().start(new, against, share).map_err(Problem::from)
    });
    let answer = replay_answer(&started.await??);
    Ok((StatusCode::ACCEPTED, Json(answer)).into_response())
}

fn share(percent: Option<f64>) -> Answer<Option<Share>> {
    let wrong = |error: ShareError| Problem::new(Kind::QueryInvalid, error.to_string()).at("profiles");
    percent.map(Share::percent).transpose().map_err(wrong)
}

/// `GET /v1/replays`: few enough for one page.
pub async fn list(State(state): State<ApiState>, Params(params): Params<ListParams>) -> Answer {
    REPLAYS.after(params.cursor.as_deref())?;
    let limit = List::limit(params.limit)?;
    let items = state.engine.replays().list().iter().take(limit).map(replay_answer).collect();
    Ok(Json(Replays { items }).into_response())
}

/// `GET /v1/replays/{id}`.
pub async fn show(
    State(state): State<ApiState>,
    reader: Reader,
    Segment(id): Segment,
    Params(params): Params<ShowReplayParams>,
) -> Answer {
    let replay = state.engine.replays().get(&id)?;
    let mut answer = replay_answer(&replay);
    let ReplayState::Done(report) = &replay.state else { return Ok(Json(answer).into_response()) };
    answer.report = Some(if params.values {
        record_read(&state, &reader, shown(report, &state.engine.registry())).await?;
        report_answer(report)
    } else {
        report_answer(&(**report).clone().without_values())
    });
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
    let replay = state.engine.replays().stop(&id)?;
    Ok(Json(replay_answer(&replay)).into_response())
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
