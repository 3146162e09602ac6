//! Profiles: read by reference or look-up, and proposals by `PATCH`.

use std::collections::BTreeSet;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use samsyn_wire::ProposalTaken;
use samsyn_wire::query::ProfileParams;
use samsyn_wire::request::{LookUp, PatchFault, ProfilePatch};

use super::convert::{accept_problem, blocking};
use super::event_json::{Sender, unknown_identifier};
use super::json::{DEPTH_MAX, JsonPath};
use super::params::{Params, Reference, Segment};
use super::problem::{Answer, Kind, Problem};
use super::profile_answer::{Wanted, profile_answer, shown};
use super::read_audit::{Reader, Shown, record_read};
use super::twice;
use super::visibility::Viewer;
use super::waited::{self, Asked};
use super::{ApiState, body, conditional, json};
use samsyn_engine::{AcceptError, Engine, Expectation, NewEvent, ReadProfile};
use samsyn_registry::{Policy, Registry};
use samsyn_vocabulary::{EventName, FieldName, IdentifierName, Members, ProfileId, Proposal};
use samsyn_wire::prefer::Wait;

/// The event that a `PATCH` makes.
const PROPOSED_EVENT: &str = "samsyn.proposed";

/// `GET /v1/profiles/{ref}`.
pub async fn show(
    State(state): State<ApiState>,
    reader: Reader,
    Extension(viewer): Extension<Viewer>,
    Segment(reference): Segment,
    Params(view): Params<ProfileParams>,
    headers: HeaderMap,
) -> Answer {
    let engine = state.engine.clone();
    let answered = blocking(move || {
        let profile = find(&engine, &Reference::parse(&reference)?, &viewer)?;
        answer(&engine, &profile, &view, Some(&headers), &viewer)
    });
    give(&state, &reader, answered.await??).await
}

/// `POST /v1/profiles/lookup`.
pub async fn look_up(
    State(state): State<ApiState>,
    reader: Reader,
    Extension(viewer): Extension<Viewer>,
    Params(view): Params<ProfileParams>,
    request: Request,
) -> Answer {
    let bytes = body::json(request, body::JSON, &state.limits).await?;
    let engine = state.engine.clone();
    let answered = blocking(move || {
        let registry = engine.registry();
        let (name, value) = read_look_up(json::utf8(&bytes)?, &registry, viewer.policy())?;
        let profile = find(&engine, &Reference::By(name, value), &viewer)?;
        answer(&engine, &profile, &view, None, &viewer)
    });
    give(&state, &reader, answered.await??).await
}

/// Lets an answer go once it is recorded what it shows. One that says that nothing changed shows
/// nothing.
async fn give(state: &ApiState, reader: &Reader, (response, shown): (Response, Shown)) -> Answer {
    if response.status() != StatusCode::NOT_MODIFIED {
        record_read(state, reader, [shown]).await?;
    }
    Ok(response)
}

fn read_look_up(text: &str, registry: &Registry, policy: &Policy) -> Answer<(IdentifierName, String)> {
    let members: Members<'_> = json::body_object(text)?;
    let seen = |name: &&IdentifierName| policy.sees_identifier(name.as_str());
    let Some(LookUp { identifier, value }) = LookUp::of(&members) else {
        if members.0.is_empty() {
            return Err(Problem::new(Kind::MissingIdentifier, "the look-up has no identifier")
                .next("Send for example {\"email\": \"anna@example.com\"}."));
        }
        let names: Vec<&str> = members.0.iter().map(|(name, _)| json::shortened(name)).collect();
        let detail = format!("a look-up needs exactly one identifier, not {}", names.join(" and "));
        let problem = Problem::new(Kind::TooManyIdentifiers, detail);
        let known =
            members.0.iter().filter_map(|(name, _)| registry.identifiers.get_key_value(name.as_ref()));
        let strongest = known.filter(|(name, _)| seen(name)).max_by_key(|(_, kind)| kind.strength);
        return Err(match strongest {
            Some((name, _)) => problem.next(format!("Send `{name}` alone: it is the strongest of them.")),
            None => problem,
        });
    };
    let path = JsonPath::Root.key(&identifier);
    let found = registry.identifiers.get_key_value(identifier.as_ref()).map(|(known, _)| known);
    let Some(known) = found.filter(seen) else {
        return Err(unknown_identifier(registry.identifiers.keys().filter(seen), &identifier, &path));
    };
    let value = json::text(value, &path, "an identifier")?;
    Ok((known.clone(), value.into_owned()))
}

fn answer(
    engine: &Engine,
    profile: &ReadProfile,
    view: &ProfileParams,
    read: Option<&HeaderMap>,
    viewer: &Viewer,
) -> Answer<(Response, Shown)> {
    if view.claims {
        viewer.check_admin_read("`claims`")?;
    }
    let (registry, policy) = (engine.registry(), viewer.policy());
    let wanted = wanted(view.fields.as_deref(), &registry, policy)?;
    let names = engine.query().names_of(&profile.state, &registry)?;
    let answer = profile_answer(profile, &names, &registry, &wanted, view.claims, viewer);
    let body = serde_json::to_vec(&answer).map_err(Problem::internal)?;
    let etag = engine.query().etag(profile, |field| policy.reads(field.as_str()));
    let shown = shown(profile.state.id, &answer, &registry);
    Ok((conditional::answer(read, &etag, body)?, shown))
}

/// A field that isn't the token's to read is as unknown as one that isn't there.
fn wanted(fields: Option<&str>, registry: &Registry, policy: &Policy) -> Answer<Wanted> {
    let Some(fields) = fields else { return Ok(None) };
    let mut wanted = BTreeSet::new();
    for name in fields.split(',').map(str::trim).filter(|name| !name.is_empty()) {
        let known = registry.fields.get_key_value(name).filter(|_| policy.reads(name));
        let Some((name, _)) = known else {
            let detail = format!("there is no field {:?}", json::shortened(name));
            let readable = registry.fields.keys().map(FieldName::as_str).filter(|name| policy.reads(name));
            return Err(Problem::new(Kind::UnknownField, detail).at("fields").nearest(name, readable));
        };
        wanted.insert(FieldName::clone(name));
    }
    Ok(Some(wanted))
}

/// The profile behind a reference, for a token that may read profiles.
pub fn find(engine: &Engine, reference: &Reference, viewer: &Viewer) -> Answer<ReadProfile> {
    let id = resolve(engine, reference, viewer.policy())?;
    let unknown = || Problem::new(Kind::UnknownProfile, format!("there is no profile {id}")).at("ref");
    engine.query().profile(id)?.ok_or_else(unknown)
}

/// The id behind a reference. A token that may not read profiles learns of none: the answer is the
/// same whether there is one or not. An identifier that it may not see is an unknown one.
pub fn resolve(engine: &Engine, reference: &Reference, policy: &Policy) -> Answer<ProfileId> {
    let may_read = policy.reads_profiles();
    let (name, value) = match reference {
        Reference::Id(id) if may_read => return Ok(*id),
        Reference::Id(id) => {
            return Err(
                Problem::new(Kind::UnknownProfile, AcceptError::UnknownProfile(*id).to_string()).at("ref")
            );
        }
        Reference::By(name, value) => (name, value),
    };
    let nobody = || Err(Problem::new(Kind::UnknownProfile, format!("no profile has this {name}")).at("ref"));
    if !may_read {
        return nobody();
    }
    let seen = |name: &&IdentifierName| policy.sees_identifier(name.as_str());
    let found = if seen(&name) {
        engine.query().resolve(name, value)
    } else {
        Err(AcceptError::UnknownIdentifier(name.clone()))
    };
    match found {
        Ok(Some(id)) => Ok(id),
        Ok(None) => nobody(),
        Err(AcceptError::UnknownIdentifier(name)) => {
            let registry = engine.registry();
            let known = registry.identifiers.keys().filter(seen);
            Err(unknown_identifier(known, name.as_str(), &JsonPath::Root.key("ref")))
        }
        Err(error @ AcceptError::BadIdentifier(..)) => {
            Err(Problem::new(Kind::IdentifierInvalid, error.to_string()).at("ref"))
        }
        Err(error) => Err(error.into()),
    }
}

/// `PATCH /v1/profiles/{ref}`: each field is a proposal.
pub async fn propose(
    State(state): State<ApiState>,
    reader: Reader,
    Extension(viewer): Extension<Viewer>,
    Segment(reference): Segment,
    request: Request,
) -> Answer {
    let wait = Wait::of(request.headers());
    let expected = conditional::expected(request.headers());
    let bytes = body::json(request, body::MERGE_PATCH, &state.limits).await?;
    let expected = expected?;
    let engine = &state.engine;
    let profile = resolve(engine, &Reference::parse(&reference)?, viewer.policy())?;
    let proposals = read_proposals(engine, json::utf8(&bytes)?, &viewer)?;
    viewer.take_events(1, engine.clock().now())?;
    // The ETag that was sent is of what this token sees, so it is compared with that.
    let of = viewer.narrowed_to(&engine.registry());
    let event = NewEvent {
        id: None,
        application: viewer.application().clone(),
        name: EventName::new(PROPOSED_EVENT).map_err(Problem::internal)?,
        at: None,
        profile: Some(profile),
        identifiers: Vec::new(),
        properties: Vec::new(),
        proposals,
        expected: expected.map(|etag| Expectation { etag, of }),
    };
    let unknown_is_the_path = |error: AcceptError| match error {
        AcceptError::UnknownProfile(_) => Problem::new(Kind::UnknownProfile, error.to_string()).at("ref"),
        error => accept_problem(&error, &JsonPath::Root),
    };
    let accepted = engine.accepting().accept(event).map_err(unknown_is_the_path)?;
    engine.durable(accepted.position).await?;
    let location = HeaderValue::try_from(format!("/v1/events/{}", accepted.id)).map_err(Problem::internal)?;
    let taken = ProposalTaken {
        id: accepted.id,
        profile: accepted.profile.into(),
        position: accepted.position.into(),
    };
    let response = (StatusCode::ACCEPTED, [(header::LOCATION, location)], Json(taken)).into_response();
    waited::answer(&state, &reader, &viewer, accepted.position, wait, Asked::Proposals, response).await
}

fn read_proposals(engine: &Engine, text: &str, viewer: &Viewer) -> Answer<Vec<Proposal>> {
    let members: Members<'_> = json::body_object(text)?;
    let registry = engine.registry();
    let path = JsonPath::Root.key(ProfilePatch::FIELDS);
    let ProfilePatch { fields } = ProfilePatch::of(&members).map_err(|fault| match fault {
        PatchFault::Missing => path.problem(Kind::MissingKey, "the patch has no `fields`"),
        PatchFault::Unknown(key) => {
            let detail = format!("a patch has only `fields`; unknown member {:?}", json::shortened(key));
            let problem = JsonPath::Root.key(key).problem(Kind::UnknownKey, detail);
            // A field that stands one level too high.
            let known = registry.fields.contains_key(key) && viewer.policy().proposes(key);
            let example = if known { key } else { "first_name" };
            let problem = problem.next(format!(
                "Put the proposed values into `fields`: {{\"fields\": {{\"{example}\": …}}}}."
            ));
            problem.nearest(key, [ProfilePatch::FIELDS])
        }
    })?;
    let scan = json::scan(fields.get());
    if scan.depth > DEPTH_MAX {
        return Err(path.problem(
            Kind::TooDeep,
            format!("`fields` is nested {} levels deep; the limit is {DEPTH_MAX}", scan.depth),
        ));
    }
    twice::refuse(fields.get(), &path)?;
    let application = viewer.application().clone();
    let sender = Sender::new(&registry, application, engine.clock().now()).within(viewer.policy());
    let proposals = sender.proposals(fields, None, scan.suspect, &path)?;
    if proposals.is_empty() {
        return Err(path.problem(Kind::NothingProposed, "`fields` has no field"));
    }
    Ok(proposals)
}
