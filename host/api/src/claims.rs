//! The claims for a field, and how far capabilities agree.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use samsyn_wire::query::ClaimsParams;
use samsyn_wire::{Difference, FieldDisagreements, JsonValue, Pair as PairAnswer, ProfileClaims};

use super::convert::blocking;
use super::pagination::{List, Page};
use super::params::{ListParams, Params, Reference, Segment};
use super::problem::{Answer, Kind, Problem};
use super::profile_answer::claims_of;
use super::read_audit::{Reader, Shown, record_read};
use super::visibility::Viewer;
use super::{ApiState, fields, profiles};
use samsyn_engine::{Engine, Pair, Pairs, ReadProfile};
use samsyn_registry::{Compare, Registry};
use samsyn_vocabulary::{CapabilityName, FieldName, ProfileId};

const CLAIMS: List = List("/v1/fields/{name}/claims");
const DISAGREEMENTS: List = List("/v1/disagreements");

fn profile_claims<'a>(
    profile: &'a ReadProfile,
    registry: &'a Registry,
    field: &FieldName,
) -> ProfileClaims<'a> {
    ProfileClaims { profile: profile.state.id.into(), claims: claims_of(profile, registry, field) }
}

/// `GET /v1/fields/{name}/claims`.
pub async fn list(
    State(state): State<ApiState>,
    reader: Reader,
    Extension(viewer): Extension<Viewer>,
    Segment(name): Segment,
    Params(params): Params<ClaimsParams>,
) -> Answer {
    let limit = List::limit(params.limit)?;
    let claims = CLAIMS.of([Some(name.as_str()), params.profile.as_deref()]);
    let after = claims.after(params.cursor.as_deref())?.as_deref().map(read_cursor).transpose()?;
    let engine = state.engine.clone();
    let answered = blocking(move || {
        let registry = engine.registry();
        let field = fields::known_name(&registry, &name)?;
        let (found, next) = match &params.profile {
            Some(reference) => (vec![profiles::find(&engine, &Reference::parse(reference)?, &viewer)?], None),
            None => {
                let page = engine.query().claims(&field, after, limit)?;
                (page.profiles, page.next.map(|last| claims.cursor(&last.to_string())))
            }
        };
        let items: Vec<ProfileClaims<'_>> =
            found.iter().map(|profile| profile_claims(profile, &registry, &field)).collect();
        let said = found.iter().zip(&items).filter(|(_, item)| !item.claims.is_empty());
        let shown = said.map(|(profile, _)| Shown::of(profile.state.id).with(&field, &registry)).collect();
        Ok((Json(Page { items, next }).into_response(), shown))
    });
    give(&state, &reader, answered.await?).await
}

/// Lets an answer go once it is recorded whose data it shows.
async fn give(state: &ApiState, reader: &Reader, answered: Answer<(Response, Vec<Shown>)>) -> Answer {
    let (response, shown) = answered?;
    record_read(state, reader, shown).await?;
    Ok(response)
}

fn read_cursor(key: &str) -> Answer<ProfileId> {
    key.parse().map_err(|_| {
        Problem::new(Kind::CursorInvalid, "this is not a cursor of a field's claims").at("cursor")
    })
}

fn pair_answer<'a>(((one, other), pair): (&'a (CapabilityName, CapabilityName), &'a Pair)) -> PairAnswer<'a> {
    let samples = pair.samples.iter().map(|(profile, one, other)| Difference {
        profile: (*profile).into(),
        one: JsonValue::Held(one.as_ref()),
        other: JsonValue::Held(other.as_ref()),
    });
    let Pair { both, agree, differ, .. } = *pair;
    let (one, other) = (one.as_str().into(), other.as_str().into());
    PairAnswer { one, other, both, agree, differ, samples: samples.collect() }
}

fn answer<'a>(registry: &'a Registry, field: &'a FieldName, pairs: &'a Pairs) -> FieldDisagreements<'a> {
    let known = registry.fields.get(field);
    FieldDisagreements {
        field: field.as_str().into(),
        source: known.and_then(|known| known.source.as_ref()).map(|source| source.as_str().into()),
        compare: compare_of(registry, field).into(),
        pairs: pairs.iter().map(pair_answer).collect(),
    }
}

/// Whose values are among the samples.
fn sampled(field: &FieldName, pairs: &Pairs, registry: &Registry) -> Vec<Shown> {
    let samples = pairs.values().flat_map(|pair| &pair.samples);
    samples.map(|(profile, ..)| Shown::of(*profile).with(field, registry)).collect()
}

fn compare_of(registry: &Registry, field: &FieldName) -> Compare {
    registry.fields.get(field).map(|known| known.compare).unwrap_or_default()
}

/// `GET /v1/fields/{name}/disagreements`.
pub async fn disagreements(State(state): State<ApiState>, reader: Reader, Segment(name): Segment) -> Answer {
    let engine = state.engine.clone();
    let answered = blocking(move || {
        let registry = engine.registry();
        let field = fields::known_name(&registry, &name)?;
        let pairs = engine.query().disagreements(&field, compare_of(&registry, &field))?;
        let response = Json(answer(&registry, &field, &pairs)).into_response();
        Ok((response, sampled(&field, &pairs, &registry)))
    });
    give(&state, &reader, answered.await?).await
}

/// `GET /v1/disagreements`: of every field that at least two capabilities speak of.
pub async fn all_disagreements(
    State(state): State<ApiState>,
    reader: Reader,
    Params(params): Params<ListParams>,
) -> Answer {
    let engine = state.engine.clone();
    let answered = blocking(move || {
        let registry = engine.registry();
        let all = spoken_by_two(&engine, &registry)?;
        let entries = all.iter().map(|(field, pairs)| (field.as_str(), (field, pairs)));
        let page =
            DISAGREEMENTS.page(entries, params.limit, params.cursor.as_deref(), |_, (field, pairs)| {
                answer(&registry, field, pairs)
            })?;
        let is_listed = |field: &FieldName| page.items.iter().any(|item| item.field == field.as_str());
        let listed = all.iter().filter(|(field, _)| is_listed(field));
        let shown = listed.flat_map(|(field, pairs)| sampled(field, pairs, &registry)).collect();
        Ok((Json(page).into_response(), shown))
    });
    give(&state, &reader, answered.await?).await
}

fn spoken_by_two(engine: &Engine, registry: &Registry) -> Answer<Vec<(FieldName, Pairs)>> {
    let mut all = Vec::new();
    for field in
        engine.query().spoken_fields().into_iter().filter(|field| registry.fields.contains_key(field))
    {
        let pairs = engine.query().disagreements(&field, compare_of(registry, &field))?;
        if !pairs.is_empty() {
            all.push((field, pairs));
        }
    }
    Ok(all)
}
