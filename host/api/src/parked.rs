//! Deliveries that wait for an administrator: listed, run again, given up with a reason.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::{Extension, Json};
use samsyn_wire::query::ParkedParams;
use samsyn_wire::request::{ParkedSelection, ParkedSkip, REASON_BYTES_MAX};
use samsyn_wire::{Matched, ParkedDelivery};

use super::access::Caller;
use super::convert::blocking;
use super::pagination::{List, Page};
use super::params::Params;
use super::problem::{Answer, Kind, Problem};
use super::{ApiState, body, json};
use samsyn_engine::{ParkedCursor, ParkedFilter, ParkedItem};
use samsyn_vocabulary::{FailureKind, Partition};

const PARKED: List = List("/v1/parked");

fn answer(item: &ParkedItem) -> ParkedDelivery {
    let failure = item.blocked.failure.as_ref();
    ParkedDelivery {
        profile: item.profile.into(),
        capability: item.capability.to_string(),
        generation: item.generation,
        item: item.blocked.item.to_string(),
        role: item.blocked.role.as_str().to_owned(),
        state: if failure.is_some() { "parked" } else { "held" }.to_owned(),
        kind: failure.map(|failure| failure.kind.as_str().to_owned()),
        reason: failure.map(|failure| failure.message.clone()),
        backtrace: failure.map_or_else(Vec::new, |failure| failure.backtrace.clone()),
        since: item.blocked.since.into(),
    }
}

/// `GET /v1/parked`.
pub async fn list(State(state): State<ApiState>, Params(params): Params<ParkedParams>) -> Answer {
    let limit = List::limit(params.limit)?;
    let ParkedParams { capability, profile, kind, cursor, .. } = params;
    let profile_id = profile.map(|profile| profile.to_string());
    let list = PARKED.of([
        capability.as_ref().map(|capability| capability.as_str()),
        profile_id.as_deref(),
        kind.map(FailureKind::as_str),
    ]);
    let after = list.after(cursor.as_deref())?.as_deref().map(read_cursor).transpose()?;
    let filter = ParkedFilter { capability, profile, kind };
    blocking(move || {
        let page = state.engine.parked().list(&filter, after, limit)?;
        let next = page
            .next
            .map(|ParkedCursor(partition, profile)| list.cursor(&format!("{} {profile}", partition.0)));
        let items = page.items.iter().map(answer).collect();
        Ok(Json(Page { items, next }).into_response())
    })
    .await?
}

fn read_cursor(key: &str) -> Answer<ParkedCursor> {
    let read = || {
        let (partition, profile) = key.split_once(' ')?;
        Some(ParkedCursor(Partition(partition.parse().ok()?), profile.parse().ok()?))
    };
    read().ok_or_else(|| Problem::new(Kind::CursorInvalid, "this is not a cursor of /v1/parked").at("cursor"))
}

fn filter(selection: &ParkedSelection) -> Answer<ParkedFilter> {
    let ParkedSelection { capability, profile, kind, .. } = selection;
    if capability.is_none() && profile.is_none() && kind.is_none() {
        return Err(Problem::new(
            Kind::FilterEmpty,
            "the filter needs one of `capability`, `profile` and `kind`",
        ));
    }
    Ok(ParkedFilter { capability: capability.clone(), profile: *profile, kind: *kind })
}

/// `POST /v1/parked/retry`.
pub async fn retry(State(state): State<ApiState>, request: Request) -> Answer {
    let bytes = body::json(request, body::JSON, &state.limits).await?;
    let filter = filter(&json::body_as(&bytes)?)?;
    let matched = blocking(move || state.engine.parked().retry(&filter)).await??;
    Ok((StatusCode::ACCEPTED, Json(Matched { matched })).into_response())
}

/// `POST /v1/parked/skip`.
pub async fn skip(
    State(state): State<ApiState>,
    Extension(Caller(application)): Extension<Caller>,
    request: Request,
) -> Answer {
    let bytes = body::json(request, body::JSON, &state.limits).await?;
    let ParkedSkip(selection) = json::body_as(&bytes)?;
    let filter = filter(&selection)?;
    let reason = selection.reason.unwrap_or_default();
    if reason.trim().is_empty() {
        let problem = Problem::new(Kind::MissingKey, "skipping invocations needs a `reason`").at("reason");
        return Err(problem.next("Give the reason; the timeline shows it."));
    }
    if reason.len() > REASON_BYTES_MAX || reason.contains(char::is_control) {
        let detail = format!("a reason has at most {REASON_BYTES_MAX} bytes and no control characters");
        return Err(Problem::new(Kind::DefinitionInvalid, detail).at("reason"));
    }
    // The record keeps the reason and no name, so the name goes into the reason.
    let reason = format!("{reason} (skipped by {application})");
    let matched = blocking(move || state.engine.parked().skip(&filter, &reason)).await??;
    Ok((StatusCode::ACCEPTED, Json(Matched { matched })).into_response())
}
