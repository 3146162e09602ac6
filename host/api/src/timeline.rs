//! What happened to a profile, newest first.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use samsyn_wire::{
    CallStep, EventHead, JsonValue, Timeline as TimelinePage, TimelineStep, TimerStep, ValueChange,
};

use super::ApiState;
use super::convert::blocking;
use super::event_answer::{claimed, item_position, outcomes};
use super::pagination::List;
use super::params::{ListParams, Params, Reference, Segment};
use super::problem::{Answer, Problem};
use super::profiles::find;
use super::read_audit::{Reader, Shown, record_read};
use super::visibility::Viewer;
use super::words::word;
use samsyn_engine::{Timeline, TimelineEntry};
use samsyn_journal::{CallEnd, CauseKind, EndedCall, EndedTimer};
use samsyn_vocabulary::{Event, Partition, Position, Seq};

const TIMELINE: List = List("/v1/profiles/{ref}/timeline");
/// Steps that are looked at for one page, when few of them are the viewer's to see: each is a read
/// of the log.
const STEPS_LOOKED_AT_MAX: usize = 2_000;

/// `GET /v1/profiles/{ref}/timeline`. Steps of which the viewer may see nothing are left out, so a
/// page may be shorter than it could be, and still have a next one.
pub async fn list(
    State(state): State<ApiState>,
    reader: Reader,
    Extension(viewer): Extension<Viewer>,
    Segment(reference): Segment,
    Params(params): Params<ListParams>,
) -> Answer {
    let limit = List::limit(params.limit)?;
    let engine = state.engine.clone();
    let answered: Answer<(Response, Shown)> = blocking(move || {
        let profile = find(&engine, &Reference::parse(&reference)?, &viewer)?;
        let timeline = TIMELINE.of([Some(profile.state.id.to_string().as_str())]);
        let before = timeline.after(params.cursor.as_deref())?;
        let before = before.map(|key| read_cursor(&key, profile.home)).transpose()?;
        let mut entries = Vec::new();
        let (mut from, mut looked_at, mut is_cut) = (before, 0, false);
        // One more than asked for tells whether there is a next page.
        while entries.len() <= limit && looked_at < STEPS_LOOKED_AT_MAX {
            let Timeline { entries: more, is_cut: cut } =
                engine.query().timeline_page(&profile, from, limit + 1)?;
            is_cut |= cut;
            let Some(last) = more.last() else { break };
            from = Some(last.position);
            looked_at += more.len();
            let ended = more.len() <= limit;
            entries.extend(more.into_iter().filter(|entry| sees(&viewer, entry)));
            if ended {
                from = None;
                break;
            }
        }
        let next = if entries.len() > limit {
            entries.truncate(limit);
            entries.last().map(|entry| entry.position)
        } else {
            from.filter(|_| looked_at >= STEPS_LOOKED_AT_MAX)
        };
        let next = next.map(|step| timeline.cursor(&step.to_string()));
        let steps = (0..entries.len()).map(|at| step(&entries[at], &entries[at + 1..], &viewer));
        let items: Vec<TimelineStep<'_>> = steps.collect();
        let (registry, mut shown) = (engine.registry(), Shown::of(profile.state.id));
        for step in &items {
            step.changes.iter().for_each(|change| shown.field(&change.field, &registry));
            claimed(&step.outcomes).for_each(|name| shown.field(name, &registry));
        }
        let oldest_retained = match (&next, is_cut) {
            (None, true) => engine.query().oldest_retained()?,
            _ => None,
        };
        let oldest_retained = oldest_retained.map(Into::into);
        Ok((Json(TimelinePage { items, next, oldest_retained }).into_response(), shown))
    })
    .await?;
    let (response, shown) = answered?;
    record_read(&state, &reader, [shown]).await?;
    Ok(response)
}

/// The step that a page begins behind. A cursor of an older host has its number alone, in the profile's home.
fn read_cursor(key: &str, home: Partition) -> Answer<Position> {
    match key.parse::<Seq>() {
        Ok(seq) => Ok(Position { partition: home, seq }),
        Err(_) => key.parse().map_err(Problem::internal),
    }
}

/// Whether anything of a step is somebody's to see.
fn sees(viewer: &Viewer, entry: &TimelineEntry) -> bool {
    let own = is_own(viewer, entry);
    let policy = viewer.policy();
    own || policy.reads_everything()
        || entry.proposed.iter().any(|field| policy.reads(field.as_str()))
        || entry.decided.changes.iter().any(|changed| policy.reads(changed.field.as_str()))
        || !outcomes(entry.position, &entry.decided, viewer, own).is_empty()
}

fn is_own(viewer: &Viewer, entry: &TimelineEntry) -> bool {
    entry.event.as_ref().is_some_and(|event| viewer.sent(event))
}

fn step<'a>(entry: &'a TimelineEntry, older: &[TimelineEntry], viewer: &Viewer) -> TimelineStep<'a> {
    let (decided, own) = (&entry.decided, is_own(viewer, entry));
    let seen = decided.changes.iter().filter(|changed| viewer.policy().reads(changed.field.as_str()));
    let changes = seen.map(|changed| ValueChange {
        field: changed.field.as_str().into(),
        before: JsonValue::Held(changed.before.as_ref()),
        after: JsonValue::Held(changed.after.as_ref()),
    });
    let proposed =
        entry.proposed.iter().map(|field| field.as_str()).filter(|field| viewer.sees_proposal(field, own));
    TimelineStep {
        position: entry.position.into(),
        decided_at: decided.at.into(),
        cause: item_position(decided.cause),
        kind: kind(entry, older).into(),
        event: entry.event.as_ref().filter(|event| viewer.sees_event(event)).map(event_head),
        proposed: proposed.map(Into::into).collect(),
        changes: changes.collect(),
        outcomes: outcomes(entry.position, decided, viewer, own),
        timer: decided.timer.as_ref().filter(|_| viewer.policy().reads_everything()).map(timer_step),
        call: decided
            .call
            .as_ref()
            .filter(|_| viewer.policy().reads_everything())
            .map(|call| call_step(call)),
    }
}

fn timer_step(ended: &EndedTimer) -> TimerStep<'_> {
    TimerStep {
        capability: ended.capability.as_str().into(),
        name: ended.name.as_str().into(),
        how: word(&ended.how).into(),
    }
}

fn call_step(ended: &EndedCall) -> CallStep<'_> {
    let (how, status, code) = match &ended.how {
        CallEnd::Response { status } => ("response", Some(*status), None),
        CallEnd::NotSent { code } => ("not-sent", None, Some(code)),
        CallEnd::Unknown { code } => ("unknown", None, Some(code)),
    };
    CallStep {
        capability: ended.capability.as_str().into(),
        endpoint: ended.endpoint.as_str().into(),
        how: how.into(),
        status,
        code: code.map(|code| code.as_str().into()),
    }
}

/// A decision that moves no cursor, or comes after another of the same item, is a delivery that
/// waited and ran again.
fn kind(entry: &TimelineEntry, older: &[TimelineEntry]) -> &'static str {
    let decided = &entry.decided;
    if decided.kind == CauseKind::Assignment {
        return "assignment";
    }
    let same_item =
        |other: &TimelineEntry| other.decided.cause == decided.cause && other.decided.cursor.is_none();
    let turn = decided.cause.within(entry.position.partition);
    let late = turn.is_none_or(|turn| decided.through > turn) || older.iter().any(same_item);
    if decided.cursor.is_none() && late {
        return "retry";
    }
    match decided.kind {
        CauseKind::Event => "event",
        CauseKind::Emitted => "emitted",
        CauseKind::Change => "change",
        CauseKind::Assignment => "assignment",
        CauseKind::Offered => "offered",
        CauseKind::Timer => "timer",
        CauseKind::Answer => "answer",
        CauseKind::Doubt => "doubt",
    }
}

fn event_head(event: &Event) -> EventHead<'_> {
    EventHead {
        id: event.id.as_str().into(),
        name: event.name.as_str().into(),
        at: event.at.into(),
        application: event.application.as_ref().map(|application| application.as_str().into()),
    }
}
