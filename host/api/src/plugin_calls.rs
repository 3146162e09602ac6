//! Calls that plug-ins began: those that wait or ended badly, sending one again, and settling one.

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use samsyn_wire::query::{CallParams, CallState as Listed, RetryCallParams, SettleParams, SettledAs};
use samsyn_wire::{self as wire, HaltedEndpoint};

use super::ApiState;
use super::access::Caller;
use super::convert::blocking;
use super::pagination::{List, Page};
use super::params::{Params, Segment};
use super::problem::{Answer, Kind, Problem};
use axum::Extension;
use samsyn_engine::{Engine, ListedCall, Progress};
use samsyn_journal::{
    AttemptEnd, CallEnd, CallId, CallState, PastCall, PendingCall, Row, Verdict, WaitingCall,
};
use samsyn_outgoing::{EndpointStatus, Halt, Outgoing};
use samsyn_registry::report::{Doubtful, Stuck, StuckCause};
use samsyn_state::view::StoreError;
use samsyn_vocabulary::{Application, ProfileId, Reason, Timestamp};

/// Calls in doubt that a finding counts.
const DOUBTFUL_MAX: usize = 1_000;

const CALLS: List = List("/v1/calls");

/// `GET /v1/calls`.
pub async fn list(State(state): State<ApiState>, Params(params): Params<CallParams>) -> Answer {
    let limit = List::limit(params.limit)?;
    let CallParams { state: listed, capability, endpoint, profile, cursor, .. } = params;
    let wanted = match listed {
        Listed::Waiting => CallState::Waiting,
        Listed::Unknown => CallState::Unknown,
        Listed::Failed => CallState::Failed,
    };
    let profile_id = profile.map(|profile| profile.to_string());
    let of = [
        Some(word(wanted)),
        capability.as_ref().map(|name| name.as_str()),
        endpoint.as_ref().map(|name| name.as_str()),
        profile_id.as_deref(),
    ];
    let list = CALLS.of(of);
    let mut after = list.after(cursor.as_deref())?.as_deref().map(read_cursor).transpose()?;
    blocking(move || {
        let calls = state.engine.calls();
        let fits = |call: &ListedCall| {
            let PendingCall { capability: is, endpoint: to, profile: of, .. } = &call.pending;
            capability.as_ref().is_none_or(|only| only == is)
                && endpoint.as_ref().is_none_or(|only| only == to)
                && profile.is_none_or(|only| only == *of)
        };
        let mut found = Vec::new();
        if let Some(profile) = profile {
            found = of_profile(&state, profile, wanted)?;
            found.retain(|call| fits(call) && after.as_ref().is_none_or(|after| call.pending > *after));
            found.truncate(limit + 1);
        } else {
            // One more than asked for tells whether there is a next page.
            while found.len() <= limit {
                let page = calls.list(wanted, after.as_ref(), limit + 1).map_err(Problem::internal)?;
                let is_last = page.len() <= limit;
                after = page.last().map(|last| last.pending.clone());
                found.extend(page.into_iter().filter(&fits));
                if is_last {
                    break;
                }
            }
        }
        let more = found.len() > limit;
        found.truncate(limit);
        let next = found.last().filter(|_| more).map(|last| list.cursor(&cursor_of(&last.pending)));
        let items: Answer<Vec<wire::Call>> = found.iter().map(|call| answer(&state, call)).collect();
        Ok(Json(Page { items: items?, next }).into_response())
    })
    .await?
}

/// `GET /v1/calls/{id}`.
pub async fn show(State(state): State<ApiState>, Segment(id): Segment) -> Answer {
    let id = read_id(&id)?;
    blocking(move || Ok(Json(answer(&state, &found(&state, &id)?)?).into_response())).await?
}

/// `POST /v1/calls/{id}/retry`.
pub async fn retry(
    State(state): State<ApiState>,
    Extension(Caller(application)): Extension<Caller>,
    Segment(id): Segment,
    Params(params): Params<RetryCallParams>,
) -> Answer {
    settled(state, application, &id, Verdict::Again, params.reason).await
}

/// `POST /v1/calls/{id}/settle`.
pub async fn settle(
    State(state): State<ApiState>,
    Extension(Caller(application)): Extension<Caller>,
    Segment(id): Segment,
    Params(params): Params<SettleParams>,
) -> Answer {
    let verdict = match params.verdict {
        SettledAs::Done => Verdict::Done,
        SettledAs::NotDone => Verdict::NotDone,
    };
    settled(state, application, &id, verdict, params.reason).await
}

async fn settled(
    state: ApiState,
    application: Application,
    id: &str,
    verdict: Verdict,
    reason: Reason,
) -> Answer {
    let id = read_id(id)?;
    let (of, before) = (id.clone(), state.clone());
    let call = blocking(move || found(&before, &of)).await??;
    if matches!(call.progress, Progress::Waiting(_)) {
        let detail = "the call waits for its answer, so there is nothing to settle";
        return Err(Problem::new(Kind::CallWaits, detail));
    }
    if !state.engine.calls().settle(&id, verdict, application, reason).await? {
        return Err(unknown());
    }
    state.outgoing.refresh();
    // One that is sent again waits now; one that is settled is shown as it was.
    let shown = blocking(move || {
        let now = found(&state, &id).unwrap_or(call);
        Ok::<_, Problem>(Json(answer(&state, &now)?).into_response())
    });
    shown.await?
}

fn found(state: &ApiState, id: &CallId) -> Answer<ListedCall> {
    let progress = state.engine.calls().progress(id).map_err(Problem::internal)?.ok_or_else(unknown)?;
    Ok(listed(id.clone(), progress))
}

fn of_profile(state: &ApiState, profile: ProfileId, wanted: CallState) -> Answer<Vec<ListedCall>> {
    let all = state.engine.calls().of_profile(profile).map_err(Problem::internal)?;
    let mut calls: Vec<ListedCall> = all.into_iter().map(|(id, progress)| listed(id, progress)).collect();
    calls.retain(|call| call.pending.state == wanted);
    calls.sort_by(|one, other| one.pending.cmp(&other.pending));
    Ok(calls)
}

fn listed(id: CallId, progress: Progress) -> ListedCall {
    let (state, endpoint, at) = match &progress {
        Progress::Waiting(call) => (CallState::Waiting, call.endpoint.clone(), call.next),
        Progress::Past(call) => {
            let is_unknown = matches!(call.how, CallEnd::Unknown { .. });
            let state = if is_unknown { CallState::Unknown } else { CallState::Failed };
            (state, call.endpoint.clone(), call.at)
        }
    };
    let CallId { profile, capability, generation, number } = id;
    let pending = PendingCall { state, capability, endpoint, at, profile, generation, number };
    ListedCall { pending, progress }
}

fn word(state: CallState) -> &'static str {
    match state {
        CallState::Waiting => "waiting",
        CallState::Unknown => "unknown",
        CallState::Failed => "failed",
    }
}

fn answer(state: &ApiState, call: &ListedCall) -> Answer<wire::Call> {
    let PendingCall { state: in_state, capability, endpoint, profile, .. } = &call.pending;
    let (record, index) = match &call.progress {
        Progress::Waiting(WaitingCall { record, index, .. })
        | Progress::Past(PastCall { record, index, .. }) => (*record, *index),
    };
    let request = state.engine.calls().request(*profile, record, index)?;
    let halted = state.outgoing.halt(capability, endpoint);
    let shown = wire::Call {
        id: id_of(&call.pending.id()),
        state: word(*in_state).to_owned(),
        capability: capability.to_string(),
        endpoint: endpoint.to_string(),
        profile: (*profile).into(),
        method: request.as_ref().map(|request| request.method.clone()),
        path: request.map(|request| request.path),
        ..wire::Call::default()
    };
    Ok(match &call.progress {
        Progress::Waiting(waiting) => wire::Call {
            since: waiting.since.into(),
            attempts: waiting.attempts,
            next_at: (waiting.begun.is_none() && !is_led(waiting)).then_some(waiting.next.into()),
            in_doubt: waiting.in_doubt,
            how: waiting.last.as_ref().map(attempt_word),
            row: waiting.row.as_ref().map(row),
            halted: halted.map(|halt| halt.to_string()),
            ..shown
        },
        Progress::Past(past) => wire::Call {
            since: past.since.into(),
            attempts: past.attempts,
            in_doubt: matches!(past.how, CallEnd::Unknown { .. }),
            ended_at: Some(past.at.into()),
            how: Some(end_word(&past.how)),
            row: past.is_row.then(|| wire::CallRow { place: "ended".to_owned(), ..wire::CallRow::default() }),
            ..shown
        },
    })
}

fn is_led(call: &WaitingCall) -> bool {
    matches!(call.row, Some(Row::In { .. }))
}

fn row(row: &Row) -> wire::CallRow {
    let (place, request, rows) = match row {
        Row::Free { .. } => ("alone", None, None),
        Row::Leads { rows, .. } if rows.is_empty() => ("alone", None, None),
        Row::Leads { batch, rows, .. } => ("leads", Some(batch.to_string()), Some(rows.len() + 1)),
        Row::In { batch, .. } => ("led", Some(batch.to_string()), None),
    };
    wire::CallRow { place: place.to_owned(), request, rows }
}

fn attempt_word(how: &AttemptEnd) -> String {
    match how {
        AttemptEnd::Response { status } => status.to_string(),
        AttemptEnd::NotSent { code, .. } | AttemptEnd::Unknown { code, .. } => code.clone(),
    }
}

fn end_word(how: &CallEnd) -> String {
    match how {
        CallEnd::Response { status } => status.to_string(),
        CallEnd::NotSent { code } | CallEnd::Unknown { code } => code.clone(),
    }
}

fn id_of(CallId { profile, capability, generation, number }: &CallId) -> String {
    format!("{profile}.{capability}.{generation}.{number}")
}

fn read_id(text: &str) -> Answer<CallId> {
    let read = || {
        let mut parts = text.split('.');
        let id = CallId {
            profile: parts.next()?.parse().ok()?,
            capability: parts.next()?.parse().ok()?,
            generation: parts.next()?.parse().ok()?,
            number: parts.next()?.parse().ok()?,
        };
        parts.next().is_none().then_some(id)
    };
    read().ok_or_else(unknown)
}

fn unknown() -> Problem {
    Problem::new(Kind::CallNotFound, "no call with this id waits, or ended badly")
}

fn cursor_of(call: &PendingCall) -> String {
    format!("{} {} {} {}", id_of(&call.id()), word(call.state), call.endpoint, call.at.millis())
}

fn read_cursor(key: &str) -> Answer<PendingCall> {
    let read = || {
        let mut parts = key.split(' ');
        let CallId { profile, capability, generation, number } = read_id(parts.next()?).ok()?;
        let state = parts.next()?;
        let state = CallState::ALL.into_iter().find(|known| word(*known) == state)?;
        let endpoint = parts.next()?.parse().ok()?;
        let at = Timestamp(parts.next()?.parse().ok()?);
        Some(PendingCall { state, capability, endpoint, at, profile, generation, number })
    };
    read().ok_or_else(|| Problem::new(Kind::CursorInvalid, "this is not a cursor of /v1/calls").at("cursor"))
}

/// How calls are doing, as the status says it.
pub fn status(outgoing: &Outgoing, waiting: u64) -> wire::CallsStatus {
    let waits = outgoing.status().into_iter().filter(|status| status.has_calls);
    let halted = waits.filter_map(|EndpointStatus { capability, endpoint, lane, .. }| {
        Some(HaltedEndpoint {
            capability: capability.to_string(),
            endpoint: endpoint.to_string(),
            reason: lane.halt?.to_string(),
            seconds: lane.halted_for.as_secs(),
        })
    });
    wire::CallsStatus { waiting, under_way: outgoing.under_way(), halted: halted.collect() }
}

/// Endpoints to which nothing is sent though calls wait, and not because somebody wants it so.
pub fn stuck(outgoing: &Outgoing) -> Vec<Stuck> {
    let waits = outgoing.status().into_iter().filter(|status| status.has_calls);
    let stuck = waits.filter_map(|EndpointStatus { capability, endpoint, lane, .. }| {
        let halt = lane.halt?;
        let cause = match halt {
            Halt::Link(_) => StuckCause::NotCallable,
            Halt::CircuitOpen => StuckCause::Failing,
            // These have findings of their own.
            Halt::OutgoingPaused | Halt::Paused | Halt::NotBound => return None,
        };
        let seconds = lane.halted_for.as_secs();
        Some(Stuck { capability, endpoint, cause, why: halt.to_string(), seconds })
    });
    stuck.collect()
}

/// Calls of which nobody knows whether they arrived.
pub fn doubtful(engine: &Engine) -> Result<Vec<Doubtful>, StoreError> {
    let all = engine.calls().unknown(DOUBTFUL_MAX + 1)?.into_iter();
    let doubtful = all.map(|(capability, endpoint, calls)| {
        let (counted, more) = (calls.min(DOUBTFUL_MAX), calls > DOUBTFUL_MAX);
        Doubtful { capability, endpoint, calls: counted, more }
    });
    Ok(doubtful.collect())
}
