//! What happened to a profile, newest first.

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use schemars::JsonSchema;
use serde::Serialize;

use super::ApiState;
use super::convert::blocking;
use super::event_answer::{OutcomeAnswer, item_position, outcomes};
use super::json_value::JsonValue;
use super::pagination::{List, Page};
use super::params::{ListParams, Params, Reference, Segment};
use super::problem::{Answer, Problem};
use super::profiles::find;
use crate::engine::TimelineEntry;
use crate::record::CauseKind;
use crate::vocabulary::{Event, Position, Seq, Timestamp};

const TIMELINE: List = List("/v1/profiles/{ref}/timeline");

/// One decision about a profile.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "TimelineStep")]
pub struct Step<'a> {
    position: Position,
    decided_at: Timestamp,
    cause: String,
    /// An application's event, one that a capability emitted, changed values, or a delivery that ran
    /// again.
    #[schemars(extend("enum" = ["event", "emitted", "change", "retry"]))]
    kind: &'static str,
    event: Option<EventHead<'a>>,
    proposed: Vec<&'a str>,
    changes: Vec<Change<'a>>,
    outcomes: Vec<OutcomeAnswer<'a>>,
}

#[derive(Serialize, JsonSchema)]
struct EventHead<'a> {
    id: &'a str,
    name: &'a str,
    at: Timestamp,
    application: Option<&'a str>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ValueChange")]
struct Change<'a> {
    field: &'a str,
    before: JsonValue<'a>,
    after: JsonValue<'a>,
}

/// `GET /v1/profiles/{ref}/timeline`.
pub async fn list(
    State(state): State<ApiState>,
    Segment(reference): Segment,
    Params(params): Params<ListParams>,
) -> Answer {
    let limit = List::limit(params.limit)?;
    let before = TIMELINE.after(params.cursor.as_deref())?;
    let before: Option<Seq> = before.map(|seq| seq.parse().map_err(Problem::internal)).transpose()?;
    blocking(move || {
        let profile = find(&state.engine, &Reference::parse(&reference)?)?;
        // One more than asked for tells whether there is a next page.
        let mut entries = state.engine.timeline(&profile, before, limit + 1)?;
        let more = entries.len() > limit;
        entries.truncate(limit);
        let last = entries.last().filter(|_| more);
        let next = last.map(|entry| TIMELINE.cursor(&entry.position.seq.to_string()));
        let items = (0..entries.len()).map(|at| step(&entries[at], &entries[at + 1..])).collect();
        Ok(Json(Page { items, next }).into_response())
    })
    .await?
}

fn step<'a>(entry: &'a TimelineEntry, older: &[TimelineEntry]) -> Step<'a> {
    let decided = &entry.decided;
    let changes = decided.changes.iter().map(|changed| Change {
        field: changed.field.as_str(),
        before: JsonValue(changed.before.as_ref()),
        after: JsonValue(changed.after.as_ref()),
    });
    Step {
        position: entry.position,
        decided_at: decided.at,
        cause: item_position(entry.position.partition, decided.cause),
        kind: kind(entry, older),
        event: entry.event.as_ref().map(event_head),
        proposed: entry.proposed.iter().map(|field| field.as_str()).collect(),
        changes: changes.collect(),
        outcomes: outcomes(entry.position, decided),
    }
}

/// A decision that moves no cursor, or comes after another of the same item, is a delivery that
/// waited and ran again.
fn kind(entry: &TimelineEntry, older: &[TimelineEntry]) -> &'static str {
    let decided = &entry.decided;
    let same_item =
        |other: &TimelineEntry| other.decided.cause == decided.cause && other.decided.cursor.is_none();
    let late = decided.through > decided.cause || older.iter().any(same_item);
    if decided.cursor.is_none() && late {
        return "retry";
    }
    match decided.kind {
        CauseKind::Event => "event",
        CauseKind::Emitted => "emitted",
        CauseKind::Change => "change",
    }
}

fn event_head(event: &Event) -> EventHead<'_> {
    EventHead {
        id: &event.id,
        name: event.name.as_str(),
        at: event.at,
        application: event.application.as_ref().map(|application| application.as_str()),
    }
}
