//! The dictionary: fields, their sources, and identifiers.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::{Extension, Json};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::access::Caller;
use super::event_json::bad_name;
use super::json::JsonPath;
use super::pagination::List;
use super::params::{ListParams, Params, Segment, Why};
use super::problem::{Answer, Kind, Problem};
use super::visibility::Viewer;
use super::{ApiState, body, json};
use samsyn_registry::{
    Attribution, Compare, DataClass, Field, FieldStatus, IdentifierKind, Normaliser, Policy, REJECTED_VALUES,
    Registry, RegistryChange, Schema, ScopeName,
};
use samsyn_vocabulary::{CapabilityName, FieldName, IdentifierName, Type};

const FIELDS: List = List("/v1/fields");
const IDENTIFIERS: List = List("/v1/identifiers");

/// FIELD of docs/http.md.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Field")]
pub struct FieldAnswer<'a> {
    name: &'a FieldName,
    #[serde(rename = "type")]
    kind: Type,
    /// Allowed texts; empty allows all.
    one_of: &'a [String],
    /// JSON Schema that values match.
    schema: Option<serde_json::Value>,
    /// What a number counts.
    unit: Option<&'a str>,
    /// What it means.
    description: &'a str,
    class: DataClass,
    /// Who answers for it.
    department: Option<&'a str>,
    /// The identifier that a value of this field is.
    identifies: Option<&'a IdentifierName>,
    /// An opt-out: no reassignment, removal or missing claim turns its `true` off.
    protective: bool,
    compare: Compare,
    /// Set when it should no longer be used: what to use instead.
    deprecated: Option<&'a str>,
    /// `proposed`: a plug-in brought it, and no administrator has defined it yet.
    #[schemars(extend("enum" = ["defined", "proposed"]))]
    status: &'static str,
    /// The plug-in that brought it.
    proposed_by: Option<&'a CapabilityName>,
    /// Whose claim is the value.
    source: Option<&'a CapabilityName>,
    /// Former sources whose claims stand in where it has none, newest first.
    inherits: &'a [CapabilityName],
    /// Who makes claims for it.
    claimed_by: Vec<&'a CapabilityName>,
    /// Who reads it.
    consumed_by: Vec<&'a CapabilityName>,
}

/// A field, for somebody who may know of it. Who has to do with it is the registry's.
fn field_answer<'a>(
    registry: &'a Registry,
    name: &'a FieldName,
    field: &'a Field,
    policy: &Policy,
) -> FieldAnswer<'a> {
    let reads_registry = policy.has(ScopeName::RegistryRead);
    let capabilities = || registry.capabilities.iter().filter(move |_| reads_registry);
    let (status, proposed_by) = match &field.status {
        FieldStatus::Defined => ("defined", None),
        FieldStatus::Proposed { by } => ("proposed", Some(by).filter(|_| reads_registry)),
    };
    FieldAnswer {
        name,
        kind: field.kind,
        one_of: &field.one_of,
        schema: field.schema.as_ref().map(Schema::to_json),
        unit: field.unit.as_deref(),
        description: &field.description,
        class: field.class,
        department: field.department.as_deref(),
        identifies: field.identifies.as_ref().filter(|name| policy.knows_identifier(name.as_str())),
        protective: field.protective,
        compare: field.compare,
        deprecated: field.deprecated.as_deref(),
        status,
        proposed_by,
        source: field.source.as_ref().filter(|_| reads_registry || policy.reads(name.as_str())),
        inherits: if reads_registry { &field.inherits } else { &[] },
        claimed_by: capabilities()
            .filter(|(_, is)| is.grant.sources().contains(name))
            .map(|(by, _)| by)
            .collect(),
        consumed_by: capabilities()
            .filter(|(_, is)| is.grant.reads.contains(name))
            .map(|(by, _)| by)
            .collect(),
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

/// The name of a field that is there, for calls that only who knows every field may make.
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

/// What a field is to be. Its source is assigned by a call of its own.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "FieldDefinition")]
pub struct Definition {
    #[serde(rename = "type")]
    kind: Type,
    /// Allowed texts, of a text or a list of texts; empty allows all.
    #[serde(default)]
    one_of: Vec<String>,
    /// JSON Schema that values match. It refers to its own parts only.
    #[serde(default)]
    schema: Option<serde_json::Value>,
    /// What a number counts.
    #[serde(default)]
    unit: Option<String>,
    /// What it means.
    #[serde(default)]
    description: String,
    #[serde(default)]
    class: DataClass,
    /// Who answers for it.
    #[serde(default)]
    department: Option<String>,
    /// The identifier that a value of this field is; such a field is a text.
    #[serde(default)]
    identifies: Option<IdentifierName>,
    /// An opt-out; such a field is a boolean.
    #[serde(default)]
    protective: bool,
    #[serde(default)]
    compare: Compare,
    /// Set when it should no longer be used: what to use instead.
    #[serde(default)]
    deprecated: Option<String>,
}

impl Definition {
    fn into_field(self) -> Answer<Field> {
        let wrong = |error: samsyn_registry::SchemaError| {
            JsonPath::Root.key("schema").problem(Kind::DefinitionInvalid, format!("schema {error}"))
        };
        Ok(Field {
            one_of: self.one_of,
            schema: self.schema.as_ref().map(Schema::new).transpose().map_err(wrong)?,
            unit: self.unit,
            description: self.description,
            class: self.class,
            department: self.department,
            identifies: self.identifies,
            protective: self.protective,
            compare: self.compare,
            deprecated: self.deprecated,
            ..Field::of(self.kind)
        })
    }
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
    let defined: Definition = json::body_as(&bytes)?;
    let field = defined.into_field()?;
    let by = Attribution { by: application, reason: why.reason };
    let defined = |registry: &Registry| Ok(registry.define(name.clone(), field));
    state.engine.change_registry_with(defined, by).await?;
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
    state.engine.change_registry_with(|registry| registry.accept(&field), by).await?;
    answer(&state.engine.registry(), &name, &Policy::everything())
}

/// Why a field should no longer be used.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("required" = ["note"]))]
pub struct Deprecation {
    /// What to use instead, or null: it may be used again.
    // Null must be said: it takes the note back.
    #[serde(deserialize_with = "Option::deserialize")]
    note: Option<String>,
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
    state.engine.change_registry_with(|registry| registry.deprecate(&field, note), by).await?;
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
    state.engine.change_registry(RegistryChange::FieldRemoved { name }, by).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// An identifier as it is answered.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Identifier")]
pub struct IdentifierAnswer<'a> {
    name: &'a IdentifierName,
    normaliser: Normaliser,
    strength: u32,
    /// For phone numbers without a country code: the country they are dialled in.
    #[serde(skip_serializing_if = "Option::is_none")]
    country: Option<&'a str>,
    /// Values that identify nobody and are refused, in any case.
    rejected_values: Vec<&'a str>,
}

fn identifier_answer<'a>(name: &'a IdentifierName, kind: &'a IdentifierKind) -> IdentifierAnswer<'a> {
    IdentifierAnswer {
        name,
        normaliser: kind.normaliser,
        strength: kind.strength,
        country: kind.country.as_deref(),
        rejected_values: match &kind.rejected_values {
            Some(values) => values.iter().map(String::as_str).collect(),
            None => REJECTED_VALUES.to_vec(),
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

/// An identifier as it is listed, so that what was read can be changed and sent back.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IdentifierDefinition {
    #[serde(default)]
    name: Option<IdentifierName>,
    normaliser: Normaliser,
    /// When an event's identifiers belong to different profiles, the strongest decides.
    #[serde(deserialize_with = "json::integer")]
    strength: u32,
    /// For phone numbers without a country code: the country they are dialled in, ISO 3166-1 alpha-2.
    #[serde(default)]
    country: Option<String>,
    /// Values that identify nobody and are refused, in any case; the usual ones when left out.
    #[serde(default)]
    rejected_values: Option<Vec<String>>,
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
    state.engine.change_registry(change, Attribution { by: application, reason: why.reason }).await?;
    Ok(answer)
}
