//! The dictionary: fields, their sources, and identifiers.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::{Extension, Json};
use samsyn_wire as wire;
use samsyn_wire::request::{Deprecation, FieldDefinition, IdentifierDefinition};

use super::access::Caller;
use super::event_json::bad_name;
use super::json::JsonPath;
use super::pagination::List;
use super::params::{ListParams, Params, Segment, Why};
use super::problem::{Answer, Kind, Problem};
use super::visibility::Viewer;
use super::words::{name as named, names, word};
use super::{ApiState, body, json};
use samsyn_registry::{
    Attribution, Field, FieldStatus, IdentifierKind, Policy, REJECTED_VALUES, Registry, RegistryChange,
    Schema, ScopeName,
};
use samsyn_vocabulary::{FieldName, IdentifierName};

const FIELDS: List = List("/v1/fields");
const IDENTIFIERS: List = List("/v1/identifiers");

/// A field, for a token that may know it. Its capabilities are shown only to a token that reads the registry.
fn field_answer(registry: &Registry, name: &FieldName, field: &Field, policy: &Policy) -> wire::Field {
    let reads_registry = policy.has(ScopeName::RegistryRead);
    let capabilities = || registry.capabilities.iter().filter(move |_| reads_registry);
    let (status, proposed_by) = match &field.status {
        FieldStatus::Defined => ("defined", None),
        FieldStatus::Proposed { by } => ("proposed", Some(by).filter(|_| reads_registry)),
    };
    wire::Field {
        name: name.to_string(),
        kind: word(&field.kind),
        one_of: field.one_of.clone(),
        schema: field.schema.as_ref().map(Schema::to_json),
        unit: field.unit.clone(),
        description: field.description.clone(),
        class: word(&field.class),
        department: field.department.clone(),
        identifies: named(field.identifies.as_ref().filter(|name| policy.knows_identifier(name.as_str()))),
        protective: field.protective,
        compare: word(&field.compare),
        deprecated: field.deprecated.clone(),
        status: status.to_owned(),
        proposed_by: named(proposed_by),
        source: named(field.source.as_ref().filter(|_| reads_registry || policy.reads(name.as_str()))),
        inherits: if reads_registry { names(&field.inherits) } else { Vec::new() },
        claimed_by: names(
            capabilities().filter(|(_, is)| is.grant.sources().contains(name)).map(|(by, _)| by),
        ),
        consumed_by: names(capabilities().filter(|(_, is)| is.grant.reads.contains(name)).map(|(by, _)| by)),
    }
}

/// `GET /v1/fields`.
pub async fn list(
    State(state): State<ApiState>,
    Extension(viewer): Extension<Viewer>,
    Params(params): Params<ListParams>,
) -> Answer {
    let (registry, policy) = (state.engine.registry(), viewer.policy());
    let known = registry.fields.iter().filter(|(name, _)| policy.knows_field(name.as_str()));
    let all = known.map(|(name, field)| (name.as_str(), (name, field)));
    let page = FIELDS.page(all, params.limit, params.cursor.as_deref(), |_, (name, field)| {
        field_answer(&registry, name, field, policy)
    })?;
    Ok(Json(page).into_response())
}

/// `GET /v1/fields/{name}`.
pub async fn show(
    State(state): State<ApiState>,
    Extension(viewer): Extension<Viewer>,
    Segment(name): Segment,
) -> Answer {
    answer(&state.engine.registry(), &name, viewer.policy())
}

/// The name of a field that is there, for requests that only a token that knows every field may make.
pub fn known_name(registry: &Registry, name: &str) -> Answer<FieldName> {
    known(registry, name).map(|(name, _)| name.clone())
}

/// The field that a path names.
fn known<'a>(registry: &'a Registry, name: &str) -> Answer<(&'a FieldName, &'a Field)> {
    registry.fields.get_key_value(name).ok_or_else(|| unknown(registry, name, &Policy::everything()))
}

/// The problem of a field that isn't there, or isn't to be known of.
fn unknown(registry: &Registry, name: &str, policy: &Policy) -> Problem {
    let detail = format!("there is no field {:?}", json::shortened(name));
    let known = registry.fields.keys().map(FieldName::as_str).filter(|name| policy.knows_field(name));
    Problem::new(Kind::FieldNotFound, detail).at("name").nearest(name, known)
}

/// FIELD of docs/http.md.
pub fn answer(registry: &Registry, name: &str, policy: &Policy) -> Answer {
    if !policy.knows_field(name) || !registry.fields.contains_key(name) {
        return Err(unknown(registry, name, policy));
    }
    let (name, field) = known(registry, name)?;
    Ok(Json(field_answer(registry, name, field, policy)).into_response())
}

fn field_of(defined: FieldDefinition) -> Answer<Field> {
    let wrong = |error: samsyn_registry::SchemaError| {
        JsonPath::Root.key("schema").problem(Kind::DefinitionInvalid, format!("schema {error}"))
    };
    Ok(Field {
        one_of: defined.one_of,
        schema: defined.schema.as_ref().map(Schema::new).transpose().map_err(wrong)?,
        unit: defined.unit,
        description: defined.description,
        class: defined.class,
        department: defined.department,
        identifies: defined.identifies,
        protective: defined.protective,
        compare: defined.compare,
        deprecated: defined.deprecated,
        ..Field::of(defined.kind)
    })
}

/// `PUT /v1/fields/{name}`.
pub async fn define(
    State(state): State<ApiState>,
    Extension(Caller(application)): Extension<Caller>,
    Segment(name): Segment,
    Params(why): Params<Why>,
    request: Request,
) -> Answer {
    let bytes = body::json(request, body::JSON, &state.limits).await?;
    let name = FieldName::new(&name).map_err(|error| bad_name(&error, &JsonPath::Root.key("name")))?;
    let defined: FieldDefinition = json::body_as(&bytes)?;
    let field = field_of(defined)?;
    let by = Attribution { by: application, reason: why.reason };
    let defined = |registry: &Registry| Ok(registry.define(name.clone(), field));
    state.engine.registrar().change_registry_with(defined, by).await?;
    answer(&state.engine.registry(), name.as_str(), &Policy::everything())
}

/// `POST /v1/fields/{name}/accept`.
pub async fn accept(
    State(state): State<ApiState>,
    Extension(Caller(application)): Extension<Caller>,
    Segment(name): Segment,
    Params(why): Params<Why>,
) -> Answer {
    let field = known_name(&state.engine.registry(), &name)?;
    let by = Attribution { by: application, reason: why.reason };
    state.engine.registrar().change_registry_with(|registry| registry.accept(&field), by).await?;
    answer(&state.engine.registry(), &name, &Policy::everything())
}

/// `POST /v1/fields/{name}/deprecate`.
pub async fn deprecate(
    State(state): State<ApiState>,
    Extension(Caller(application)): Extension<Caller>,
    Segment(name): Segment,
    Params(why): Params<Why>,
    request: Request,
) -> Answer {
    let bytes = body::json(request, body::JSON, &state.limits).await?;
    let Deprecation { note } = json::body_as(&bytes)?;
    let field = known_name(&state.engine.registry(), &name)?;
    let by = Attribution { by: application, reason: why.reason };
    state.engine.registrar().change_registry_with(|registry| registry.deprecate(&field, note), by).await?;
    answer(&state.engine.registry(), &name, &Policy::everything())
}

/// `DELETE /v1/fields/{name}`.
pub async fn remove(
    State(state): State<ApiState>,
    Extension(Caller(application)): Extension<Caller>,
    Segment(name): Segment,
    Params(why): Params<Why>,
) -> Answer {
    let name = known_name(&state.engine.registry(), &name)?;
    let by = Attribution { by: application, reason: why.reason };
    state.engine.registrar().change_registry(RegistryChange::FieldRemoved { name }, by).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn identifier_answer(name: &IdentifierName, kind: &IdentifierKind) -> wire::Identifier {
    wire::Identifier {
        name: name.to_string(),
        normaliser: word(&kind.normaliser),
        strength: kind.strength,
        country: kind.country.clone(),
        rejected_values: match &kind.rejected_values {
            Some(values) => values.clone(),
            None => names(REJECTED_VALUES),
        },
    }
}

/// `GET /v1/identifiers`.
pub async fn list_identifiers(
    State(state): State<ApiState>,
    Extension(viewer): Extension<Viewer>,
    Params(params): Params<ListParams>,
) -> Answer {
    let (registry, policy) = (state.engine.registry(), viewer.policy());
    let known = registry.identifiers.iter().filter(|(name, _)| policy.knows_identifier(name.as_str()));
    let all = known.map(|(name, kind)| (name.as_str(), (name, kind)));
    let page = IDENTIFIERS
        .page(all, params.limit, params.cursor.as_deref(), |_, (name, kind)| identifier_answer(name, kind))?;
    Ok(Json(page).into_response())
}

/// `PUT /v1/identifiers/{name}`.
pub async fn define_identifier(
    State(state): State<ApiState>,
    Extension(Caller(application)): Extension<Caller>,
    Segment(name): Segment,
    Params(why): Params<Why>,
    request: Request,
) -> Answer {
    let path = JsonPath::Root.key("name");
    let name = IdentifierName::new(&name).map_err(|error| bad_name(&error, &path))?;
    let bytes = body::json(request, body::JSON, &state.limits).await?;
    let defined: IdentifierDefinition = json::body_as(&bytes)?;
    if defined.name.as_ref().is_some_and(|other| *other != name) {
        return Err(path.problem(Kind::DefinitionInvalid, "the identifier in the body differs from the path"));
    }
    let IdentifierDefinition { normaliser, strength, country, rejected_values, .. } = defined;
    let kind = IdentifierKind { normaliser, strength, country, rejected_values };
    let answer = Json(identifier_answer(&name, &kind)).into_response();
    let change = RegistryChange::identifier(name, kind);
    state
        .engine
        .registrar()
        .change_registry(change, Attribution { by: application, reason: why.reason })
        .await?;
    Ok(answer)
}
