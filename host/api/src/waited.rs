//! What a client that prefers to wait is answered: what a call would have answered that decides at once.
//!
//! A client looks at the status first. So a `PATCH` of which a source refused anything is no success, and
//! neither is one over a customer that has changed. An event is: it happened, and it is in the log,
//! whatever became of what it proposes; there `verdict` is the member to look at.

use std::borrow::Cow;
use std::collections::BTreeMap;

use axum::Json;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use samsyn_wire::{DeliveryOutcome, ProposalOutcome, Verdict};

use super::ApiState;
use super::event_answer::{event_answer, shown};
use super::problem::{Answer, Kind, Problem};
use super::read_audit::{Reader, record_read};
use super::visibility::Viewer;
use samsyn_engine::EventDecisions;
use samsyn_vocabulary::Position;
use samsyn_wire::prefer::Wait;

/// The verdict on an event, as far as somebody sees what became of it.
pub fn verdict(
    decisions: &EventDecisions,
    fields: &BTreeMap<Cow<'_, str>, ProposalOutcome<'_>>,
    outcomes: &[DeliveryOutcome<'_>],
) -> Verdict {
    let EventDecisions { accepted, decided, blocked, awaited } = decisions;
    if fields.values().any(ProposalOutcome::is_refused) || outcomes.iter().any(DeliveryOutcome::is_refused) {
        return Verdict::Refused;
    }
    if *blocked || *awaited || decided.is_empty() || fields.values().any(ProposalOutcome::is_open) {
        return Verdict::Open;
    }
    let is_heard = decided.iter().any(|(_, decided)| !decided.outcomes.is_empty());
    if is_heard || !accepted.proposals.is_empty() { Verdict::Taken } else { Verdict::Unheard }
}

/// What a client waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// What becomes of an event.
    Event,
    /// That sources take what it proposes.
    Proposals,
}

/// What was decided when the client prefers to wait and the time is enough, else `accepted`: also when the
/// decision shows values and their read can't be recorded, for the event is accepted.
pub async fn answer(
    state: &ApiState,
    reader: &Reader,
    viewer: &Viewer,
    position: Position,
    wait: Option<Wait>,
    asked: Asked,
    accepted: Response,
) -> Answer {
    let Some(wait) = wait else { return Ok(accepted) };
    let engine = &state.engine;
    if !engine.decided(position, wait.duration()).await {
        return Ok(wait.applied(accepted));
    }
    let decisions = engine.query().decisions(position)?;
    let Some(decisions) = decisions else { return Ok(wait.applied(accepted)) };
    let event = event_answer(position, &decisions, viewer);
    let shown = shown(decisions.accepted.profile, &event, &engine.registry());
    let refusal = refusal(&event.fields).filter(|_| asked == Asked::Proposals);
    // The answer if the read can be recorded, and the answer if it can't.
    let (recorded_answer, unrecorded_answer) = match refusal {
        None => (Json(event).into_response(), accepted),
        Some(problem) => {
            let location = accepted.headers().get(header::LOCATION).cloned();
            let with_event = located(problem.clone().of_event(&event), location.as_ref());
            (with_event, located(problem, location.as_ref()))
        }
    };
    let recorded = record_read(state, reader, [shown]).await;
    Ok(wait.applied(if recorded.is_ok() { recorded_answer } else { unrecorded_answer }))
}

fn located(problem: Problem, location: Option<&HeaderValue>) -> Response {
    let mut response = problem.into_response();
    if let Some(location) = location {
        response.headers_mut().insert(header::LOCATION, location.clone());
    }
    response
}

/// The problem of a proposal that came to nothing: which fields, and why. None when each was taken or waits.
fn refusal(fields: &BTreeMap<Cow<'_, str>, ProposalOutcome<'_>>) -> Option<Problem> {
    if fields.values().any(ProposalOutcome::is_precondition) {
        let detail = "the customer's values no longer match `If-Match`; nothing was proposed to a source";
        return Some(Problem::new(Kind::PreconditionFailed, detail));
    }
    let refused = fields.iter().filter(|(_, field)| field.is_refused());
    let refused: Vec<String> = refused.map(|(name, field)| format!("{name}: {}", field.why())).collect();
    let taken = fields.iter().filter(|(_, field)| !field.is_refused() && !field.is_open());
    let taken: Vec<&str> = taken.map(|(name, _)| &**name).collect();
    let beside = if taken.is_empty() { String::new() } else { format!("; accepted: {}", taken.join(", ")) };
    let detail = format!("{}{beside}", refused.join("; "));
    (!refused.is_empty()).then(|| Problem::new(Kind::ProposalRefused, detail))
}
