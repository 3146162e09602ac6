//! Events in, and what became of them.

use axum::Extension;
use axum::Json;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use samsyn_wire::{TakenEvent, TakenEvents, TakenOrRefused};
use serde_json::value::RawValue;

use super::conflicts::conflicts_of;
use super::convert::{accept_problem, blocking};
use super::event_answer::{event_answer, shown};
use super::event_json::{Body, Sender, read_body};
use super::json::JsonPath;
use super::params::Segment;
use super::problem::{Answer, Kind, Problem};
use super::read_audit::{Reader, Shown, record_read};
use super::visibility::Viewer;
use super::waited::{self, Asked};
use super::{ApiState, body, json};
use samsyn_engine::{Acceptance, Engine, NewEvent};
use samsyn_vocabulary::{Epoch, Identifier, Position, Timestamp};
use samsyn_wire::prefer::Wait;

/// Since when a client may have sent the ids of a request before.
pub const IDS_SINCE_HEADER: &str = "samsyn-ids-since";

/// `POST /v1/events`.
pub async fn take(
    State(state): State<ApiState>,
    reader: Reader,
    Extension(viewer): Extension<Viewer>,
    request: Request,
) -> Answer {
    let wait = Wait::of(request.headers());
    let since = ids_since(request.headers())?;
    let bytes = body::json(request, body::JSON, &state.limits).await?;
    match read_and_accept(&state.engine, &viewer, &bytes, since)? {
        Accepted::One(acceptance) => answer_one(&state, &reader, &viewer, acceptance, wait).await,
        Accepted::List(items) => answer_list(&state.engine, items).await,
    }
}

/// The earliest time at which the ids of this request may have been sent before.
fn ids_since(headers: &HeaderMap) -> Answer<Option<Timestamp>> {
    let mut sent = headers.get_all(IDS_SINCE_HEADER).iter();
    let (value, another) = (sent.next(), sent.next());
    let Some(value) = value else { return Ok(None) };
    let invalid = |detail: &str| {
        let next = "Write for example 2026-11-21T10:00:00Z, or leave the header out.";
        Problem::new(Kind::WrongType, detail).at("Samsyn-Ids-Since").next(next)
    };
    if another.is_some() {
        return Err(invalid("`Samsyn-Ids-Since` is there twice"));
    }
    let text = value.to_str().unwrap_or_default().trim();
    text.parse().map(Some).map_err(|_| {
        let problem = invalid("`Samsyn-Ids-Since` is not an RFC 3339 time");
        match Epoch::of(text) {
            Some(epoch) => problem.next(format!("Write a time: {epoch}.")),
            None => problem,
        }
    })
}

/// What was taken of a body; not durable yet.
enum Accepted {
    One(Acknowledged),
    List(Vec<Result<Acknowledged, Problem>>),
}

/// An event that has its position in the log, and what its sender is told of it.
struct Acknowledged {
    position: Position,
    answer: TakenEvent,
}

/// Reads and accepts in one go, without giving up the thread: a batch of the largest size takes
/// a few milliseconds, and its events stand in the log in the order they were sent.
fn read_and_accept(
    engine: &Engine,
    viewer: &Viewer,
    bytes: &[u8],
    since: Option<Timestamp>,
) -> Answer<Accepted> {
    let text = json::utf8(bytes)?;
    let registry = engine.registry();
    let now = engine.clock().now();
    let sender = Sender::new(&registry, viewer.application().clone(), now).within(viewer.policy());
    match read_body(text, &sender)? {
        Body::One(event) => {
            viewer.take_events(1, now)?;
            let taken = (*event).and_then(|event| accept(engine, viewer, event, since, &JsonPath::Root));
            let as_before = || match read_body(text, &sender.as_before())? {
                Body::One(event) => *event,
                Body::List { .. } => Err(Problem::internal("one event was read as a list")),
            };
            let taken = taken.or_else(|problem| known_before(engine, viewer, problem, as_before));
            Ok(Accepted::One(taken?))
        }
        Body::List { events, wrapped } => {
            viewer.take_events(events.len(), now)?;
            let outer = if wrapped { JsonPath::Root.key("events") } else { JsonPath::Root };
            Ok(Accepted::List(accept_list(engine, viewer, &sender, &events, since, &outer)))
        }
    }
}

fn accept(
    engine: &Engine,
    viewer: &Viewer,
    event: NewEvent,
    since: Option<Timestamp>,
    path: &JsonPath<'_>,
) -> Answer<Acknowledged> {
    let sees_owner = sees_owner(viewer, &event);
    let taken =
        engine.accepting().accept_since(event, since).map_err(|error| accept_problem(&error, path))?;
    Ok(answer_of(taken, sees_owner, viewer))
}

/// Whether the sender may know whose the event is.
fn sees_owner(viewer: &Viewer, event: &NewEvent) -> bool {
    let policy = viewer.policy();
    let sees = |identifier: &Identifier| policy.sees_identifier(identifier.name.as_str());
    policy.reads_profiles() && event.identifiers.iter().all(sees)
}

fn answer_of(taken: Acceptance, sees_owner: bool, viewer: &Viewer) -> Acknowledged {
    let Acceptance { id, profile, position, duplicate, conflicts } = taken;
    let conflicts = conflicts_of(&conflicts, viewer.policy());
    let profile = sees_owner.then_some(profile.into());
    let answer = TakenEvent { id, profile, position: position.into(), duplicate, conflicts };
    Acknowledged { position, answer }
}

/// What today's rules refuse may have been taken by those of an older host, and is then known again when
/// it is sent once more: it is read by those rules and looked for. If it isn't there, the problem stays.
fn known_before(
    engine: &Engine,
    viewer: &Viewer,
    problem: Problem,
    as_before: impl FnOnce() -> Result<NewEvent, Problem>,
) -> Answer<Acknowledged> {
    if problem.is_passing() {
        return Err(problem);
    }
    let Ok(event) = as_before() else { return Err(problem) };
    match engine.accepting().known(&event) {
        Ok(Some(taken)) => Ok(answer_of(taken, sees_owner(viewer, &event), viewer)),
        Ok(None) => Err(problem),
        Err(error) => Err(error.into()),
    }
}

fn accept_list(
    engine: &Engine,
    viewer: &Viewer,
    sender: &Sender<'_>,
    events: &[&RawValue],
    since: Option<Timestamp>,
    outer: &JsonPath<'_>,
) -> Vec<Result<Acknowledged, Problem>> {
    let mut passing: Option<Problem> = None;
    let mut items = Vec::with_capacity(events.len());
    for (index, event) in events.iter().enumerate() {
        let path = outer.index(index);
        let taken = sender.read(event.get(), &path).and_then(|event| match &passing {
            // Once the host couldn't take one, for no fault of the event, later ones must not overtake it.
            Some(problem) => Err(problem.clone()),
            None => accept(engine, viewer, event, since, &path),
        });
        let as_before = || sender.as_before().read(event.get(), &path);
        let taken = taken.or_else(|problem| known_before(engine, viewer, problem, as_before));
        if let Err(problem) = &taken
            && problem.is_of_the_host()
            && passing.is_none()
        {
            passing = Some(problem.clone());
        }
        items.push(taken);
    }
    items
}

async fn answer_one(
    state: &ApiState,
    reader: &Reader,
    viewer: &Viewer,
    taken: Acknowledged,
    wait: Option<Wait>,
) -> Answer {
    let Acknowledged { position, answer } = taken;
    state.engine.durable(position).await?;
    let accepted = (StatusCode::ACCEPTED, Json(answer)).into_response();
    waited::answer(state, reader, viewer, position, wait, Asked::Event, accepted).await
}

async fn answer_list(engine: &Engine, items: Vec<Result<Acknowledged, Problem>>) -> Answer {
    let taken = || items.iter().filter_map(|item| item.as_ref().ok());
    // What stands in the log before the last new event is durable when that one is.
    if let Some(last) = taken().rfind(|taken| !taken.answer.duplicate) {
        engine.durable(last.position).await?;
    }
    for duplicate in taken().filter(|taken| taken.answer.duplicate) {
        engine.durable(duplicate.position).await?;
    }
    let accepted = taken().count();
    let refused = items.len() - accepted;
    let mut problems = items.iter().filter_map(|item| item.as_ref().err());
    let first_passing = problems.find(|problem| problem.is_of_the_host());
    let retry_after = first_passing.and_then(Problem::retry_after);
    let status = match first_passing {
        // Nothing is wrong with the batch as a whole: it can be sent again as it is.
        Some(problem) if accepted == 0 => return Err(problem.clone()),
        _ if accepted == 0 && refused > 0 => StatusCode::UNPROCESSABLE_ENTITY,
        _ => StatusCode::ACCEPTED,
    };
    let events = items.into_iter().enumerate().map(|(index, item)| match item {
        Ok(taken) => TakenOrRefused::Taken(taken.answer),
        Err(problem) => TakenOrRefused::Refused { index, problem },
    });
    let list = TakenEvents { accepted, refused, events: events.collect() };
    let mut answer = (status, Json(list)).into_response();
    if let Some(seconds) = retry_after {
        answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    Ok(answer)
}

/// `GET /v1/events/{id}`.
pub async fn show(
    State(state): State<ApiState>,
    reader: Reader,
    Extension(viewer): Extension<Viewer>,
    Segment(id): Segment,
) -> Answer {
    let engine = state.engine.clone();
    let answered: Answer<(Response, Shown)> = blocking(move || {
        let unknown = || unknown_event(&id, &viewer);
        let own = engine.accepting().event(viewer.application(), &id)?;
        let position = match own {
            Some(position) => position,
            None => id.parse().map_err(|_| unknown())?,
        };
        let decisions = engine.query().decisions(position)?.ok_or_else(|| {
            // Only its sender, and a token that sees everything, may know that an event was there.
            if engine.query().is_removed(position) && (own.is_some() || viewer.policy().reads_everything()) {
                let detail =
                    format!("the event was at {position}; retention removed its record from the log");
                return Problem::new(Kind::EventRemoved, detail);
            }
            unknown()
        })?;
        if !viewer.sees_event(&decisions.accepted.event) {
            return Err(unknown());
        }
        let answer = event_answer(position, &decisions, &viewer);
        let shown = shown(decisions.accepted.profile, &answer, &engine.registry());
        Ok((Json(answer).into_response(), shown))
    })
    .await?;
    let (response, shown) = answered?;
    record_read(&state, &reader, [shown]).await?;
    Ok(response)
}

/// The problem of an event that isn't there, or that the caller may not see: the same for both.
fn unknown_event(id: &str, viewer: &Viewer) -> Problem {
    let application = viewer.application();
    let reads_all = viewer.policy().reads_everything();
    let detail = match id.parse::<Position>() {
        Ok(_) if reads_all => {
            format!("{application} sent no event with this id, and there is no event at {id}")
        }
        Ok(_) => format!("{application} sent no event with this id, and none at {id}"),
        Err(_) => format!("{application} sent no event {:?}", json::shortened(id)),
    };
    let problem = Problem::new(Kind::UnknownEvent, detail);
    match (viewer.policy().is_admin(), reads_all) {
        (true, _) => problem.next(
            "Check the id. It belongs to the application that sent the event: send that in `Samsyn-Application`, \
             or use the event's position, such as `12-345`.",
        ),
        (false, true) => {
            problem.next("Check the id. It belongs to the application that sent the event; a position works for any application.")
        }
        (false, false) => problem.next(
            "Check the id or the position. Only a token that reads everything sees other applications' events.",
        ),
    }
}
