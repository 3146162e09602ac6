//! Timers of plug-ins: those that are set, and letting held ones fire.

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use samsyn_wire::query::TimerParams;
use samsyn_wire::{self as wire, TimersResumed};

use super::ApiState;
use super::convert::blocking;
use super::pagination::{List, Page};
use super::params::Params;
use super::problem::{Answer, Kind, Problem};
use samsyn_engine::{Engine, TimersStatus};
use samsyn_journal::{PendingTimer, pending_timers};
use samsyn_vocabulary::{CapabilityName, ProfileId, Timestamp};

const TIMERS: List = List("/v1/timers");

/// `GET /v1/timers`.
pub async fn list(State(state): State<ApiState>, Params(params): Params<TimerParams>) -> Answer {
    let limit = List::limit(params.limit)?;
    let TimerParams { capability, profile, cursor, .. } = params;
    let profile_id = profile.map(|profile| profile.to_string());
    let list = TIMERS.of([capability.as_ref().map(|capability| capability.as_str()), profile_id.as_deref()]);
    let after = list.after(cursor.as_deref())?.as_deref().map(read_cursor).transpose()?;
    blocking(move || {
        let engine = &state.engine;
        // One more than asked for tells whether there is a next page.
        let mut timers = match profile {
            Some(profile) => of_profile(engine, profile, capability.as_ref(), after.as_ref(), limit + 1)?,
            None => engine
                .timers()
                .list(capability.as_ref(), after.as_ref(), limit + 1)
                .map_err(Problem::internal)?,
        };
        let more = timers.len() > limit;
        timers.truncate(limit);
        let next = timers.last().filter(|_| more).map(|last| list.cursor(&cursor_of(last)));
        let items = timers.iter().map(answer).collect();
        Ok(Json(Page { items, next }).into_response())
    })
    .await?
}

fn of_profile(
    engine: &Engine,
    profile: ProfileId,
    capability: Option<&CapabilityName>,
    after: Option<&PendingTimer>,
    limit: usize,
) -> Answer<Vec<PendingTimer>> {
    let Some(read) = engine.query().profile(profile)? else { return Ok(Vec::new()) };
    let wanted = |timer: &PendingTimer| {
        capability.is_none_or(|only| timer.capability == *only) && after.is_none_or(|after| timer > after)
    };
    let mut timers: Vec<PendingTimer> = pending_timers(&read.state).filter(wanted).collect();
    timers.sort_unstable();
    timers.truncate(limit);
    Ok(timers)
}

fn answer(timer: &PendingTimer) -> wire::Timer {
    wire::Timer {
        fires_at: timer.fires_at.into(),
        profile: timer.profile.into(),
        capability: timer.capability.to_string(),
        generation: timer.generation,
        name: timer.name.to_string(),
    }
}

fn cursor_of(timer: &PendingTimer) -> String {
    let PendingTimer { fires_at, profile, capability, generation, name } = timer;
    format!("{} {profile} {capability} {generation} {name}", fires_at.millis())
}

fn read_cursor(key: &str) -> Answer<PendingTimer> {
    let read = || {
        let mut parts = key.split(' ');
        let timer = PendingTimer {
            fires_at: Timestamp(parts.next()?.parse().ok()?),
            profile: parts.next()?.parse().ok()?,
            capability: parts.next()?.parse().ok()?,
            generation: parts.next()?.parse().ok()?,
            name: parts.next()?.parse().ok()?,
        };
        parts.next().is_none().then_some(timer)
    };
    read().ok_or_else(|| Problem::new(Kind::CursorInvalid, "this is not a cursor of /v1/timers").at("cursor"))
}

/// `POST /v1/timers/resume`.
pub async fn resume(State(state): State<ApiState>) -> Answer {
    let was_held = state.engine.timers().resume().map(|held| held.to_string());
    let pending = state.engine.view().timers();
    Ok(Json(TimersResumed { was_held, pending }).into_response())
}

/// How timers are doing, as the status says it.
pub fn status(status: &TimersStatus) -> wire::TimersStatus {
    wire::TimersStatus {
        pending: status.pending,
        next_at: status.next.as_ref().map(|next| next.fires_at.into()),
        late_ms: status.late_ms,
        held: status.held.map(|held| held.to_string()),
    }
}
