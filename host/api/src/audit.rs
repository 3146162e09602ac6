//! Asking the audit: who changed the registry, who read whose data; and where the logs stand.

use std::borrow::Cow;
use std::collections::BTreeMap;

use axum::extract::State;
use axum::response::IntoResponse;
use axum::{Extension, Json};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::convert::blocking;
use super::pagination::{LIMIT_MAX, List, Page};
use super::params::{Params, Reference, ReferenceForm};
use super::problem::{Answer, Kind, Problem};
use super::profiles::resolve;
use super::visibility::Viewer;
use super::{ApiState, json};
use samsyn_audit::{
    AUDIT, AuditQueryError, ChangeFilter, Heads, LOG, Read, ReadFilter, ReadPlace,
    changes as registry_changes,
};
use samsyn_journal::RegistryRecord;
use samsyn_registry::{CHANGE_KINDS, ChangeSummary};
use samsyn_vocabulary::{
    Application, CapabilityName, FieldName, IdentifierName, ProfileId, Reason, Seq, Timestamp,
};

const READS: List = List("/v1/audit/reads");
const CHANGES: List = List("/v1/audit/changes");

/// The query of `GET /v1/audit/reads`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ReadParams {
    /// Only reads of this profile.
    #[schemars(with = "Option<ReferenceForm>")]
    profile: Option<String>,
    /// Only by this application or token.
    by: Option<String>,
    /// Only those that showed this field or identifier.
    field: Option<String>,
    /// Not before this time.
    since: Option<Timestamp>,
    /// Before this time.
    until: Option<Timestamp>,
    /// Items of the page; 100 when left out.
    #[schemars(range(min = 1, max = LIMIT_MAX))]
    limit: Option<u64>,
    /// The `next` of the page before.
    cursor: Option<String>,
}

/// The kind of a change of the registry.
struct ChangeKind;

impl JsonSchema for ChangeKind {
    fn schema_name() -> Cow<'static, str> {
        "ChangeKind".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "enum": CHANGE_KINDS })
    }
}

/// The query of `GET /v1/audit/changes`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ChangeParams {
    /// Only by this application.
    by: Option<String>,
    /// Only of this kind.
    #[schemars(with = "Option<ChangeKind>")]
    kind: Option<String>,
    /// Only those about this field.
    field: Option<String>,
    /// Only those about this capability.
    capability: Option<String>,
    /// Not before this time.
    since: Option<Timestamp>,
    /// Before this time.
    until: Option<Timestamp>,
    /// Items of the page; 100 when left out.
    #[schemars(range(min = 1, max = LIMIT_MAX))]
    limit: Option<u64>,
    /// The `next` of the page before.
    cursor: Option<String>,
}

/// One read of somebody's personal data, as it is told. Names only, never a value.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "AuditedRead")]
pub struct ReadAnswer {
    /// When the answer was made.
    at: Timestamp,
    /// The application that read.
    by: Application,
    /// The token it used, by its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
    /// Which call, such as `GET /v1/profiles/{ref}`.
    call: String,
    /// Whose data. Left out for a token that may not know of customers, such as one of `audit:read`.
    #[serde(skip_serializing_if = "Option::is_none")]
    profile: Option<ProfileId>,
    /// The personal fields whose values the answer shows.
    fields: Vec<FieldName>,
    /// The identifiers whose values it shows.
    identifiers: Vec<IdentifierName>,
    /// What for, if the caller said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    purpose: Option<String>,
}

impl ReadAnswer {
    fn of(read: Read, names_customers: bool) -> ReadAnswer {
        let Read { at, by, token, call, profile, fields, identifiers, purpose } = read;
        let profile = names_customers.then_some(profile);
        ReadAnswer { at, by, token, call, profile, fields, identifiers, purpose }
    }
}

/// `GET /v1/audit/reads`.
pub async fn reads(
    State(state): State<ApiState>,
    Extension(viewer): Extension<Viewer>,
    Params(params): Params<ReadParams>,
) -> Answer {
    let limit = List::limit(params.limit)?;
    let (since, until) = (params.since, params.until);
    if params.profile.is_some() && !viewer.names_customers() {
        viewer.check_admin_read("`profile`")?;
    }
    let reference = params.profile.as_deref().map(Reference::parse).transpose();
    let reference = reference.map_err(|problem| problem.at("profile"))?;
    blocking(move || {
        let profile =
            reference.map(|reference| resolve(&state.engine, &reference, viewer.policy())).transpose();
        let profile = profile.map_err(|problem| problem.at("profile"))?;
        let texts = [
            profile.map(|profile| profile.to_string()),
            since.map(|since| since.to_string()),
            until.map(|until| until.to_string()),
        ];
        let of = [params.by.as_deref(), params.field.as_deref()];
        let list = READS.of(texts.iter().map(Option::as_deref).chain(of));
        let before = list.after(params.cursor.as_deref())?.map(|key| place(&key)).transpose()?;
        let filter = ReadFilter { profile, by: params.by, field: params.field, since, until };
        let page = state.audit.reads(&filter, before, limit)?;
        let names = viewer.names_customers();
        let items: Vec<ReadAnswer> =
            page.items.into_iter().map(|(_, read)| ReadAnswer::of(read, names)).collect();
        let next = page.next.map(|at| list.cursor(&format!("{}.{}", at.seq, at.index)));
        Ok(Json(Page { items, next }).into_response())
    })
    .await?
}

fn place(key: &str) -> Answer<ReadPlace> {
    let parsed = key
        .split_once('.')
        .and_then(|(seq, index)| Some(ReadPlace { seq: seq.parse().ok()?, index: index.parse().ok()? }));
    parsed.ok_or_else(|| Problem::internal("a cursor of the audit without a position"))
}

/// One change as it is told.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "AuditedChange")]
pub struct ChangeAnswer {
    /// The registry's revision it made.
    revision: Seq,
    /// When it happened.
    at: Timestamp,
    /// The application that did it.
    by: Application,
    /// What kind of change, such as `source-assigned`.
    kind: &'static str,
    /// Who did what and why, in one plain sentence.
    sentence: String,
    /// Why, when they said so.
    reason: Option<Reason>,
    /// The fields it is about.
    fields: Vec<FieldName>,
    /// The capabilities it is about.
    capabilities: Vec<CapabilityName>,
    /// What else there is to know of a change of this kind; never what a setting was set to.
    details: BTreeMap<String, Value>,
}

/// `GET /v1/audit/changes`.
pub async fn changes(State(state): State<ApiState>, Params(params): Params<ChangeParams>) -> Answer {
    let limit = List::limit(params.limit)?;
    let ChangeParams { by, kind, field, capability, since, until, cursor, .. } = params;
    let times = [since, until].map(|time| time.map(|time| time.to_string()));
    let of = [&by, &kind, &field, &capability].map(Option::as_deref);
    let list = CHANGES.of(times.iter().map(Option::as_deref).chain(of));
    let before = list.after(cursor.as_deref())?;
    let before: Option<Seq> = before.map(|seq| seq.parse().map_err(Problem::internal)).transpose()?;
    if let Some(kind) = kind.as_deref().filter(|kind| !CHANGE_KINDS.contains(kind)) {
        let kinds: Vec<String> = CHANGE_KINDS.iter().map(|kind| format!("`{kind}`")).collect();
        let detail = format!("unknown kind {:?}; the kinds are {}", json::shortened(kind), kinds.join(", "));
        return Err(Problem::new(Kind::QueryInvalid, detail).at("kind").nearest(kind, CHANGE_KINDS));
    }
    let filter = ChangeFilter { by, kind, field, capability, since, until };
    blocking(move || {
        let page = registry_changes(state.engine.log(), &filter, before, limit)?;
        let items: Vec<ChangeAnswer> = page.items.into_iter().map(change_answer).collect();
        let next = page.next.map(|seq| list.cursor(&seq.to_string()));
        Ok(Json(Page { items, next }).into_response())
    })
    .await?
}

fn change_answer((revision, record, summary): (Seq, RegistryRecord, ChangeSummary)) -> ChangeAnswer {
    let details = summary.details.as_object().into_iter().flatten();
    let details = details.map(|(name, value)| (name.clone(), value.clone())).collect();
    let why = record.reason.as_ref().map_or_else(String::new, |reason| format!(": {reason}"));
    ChangeAnswer {
        revision,
        at: record.at,
        kind: summary.kind,
        sentence: format!("{} {}{why}", record.by, summary.did),
        reason: record.reason,
        by: record.by,
        fields: summary.fields,
        capabilities: summary.capabilities,
        details,
    }
}

/// `GET /v1/log/head`.
pub async fn head(State(state): State<ApiState>) -> Answer {
    let Some(audit) = state.audit.cut() else {
        let why = state.audit.failure().unwrap_or_default();
        let detail = format!("the head of the audit of reads can't be read: {why}");
        return Err(Problem::new(Kind::AuditUnavailable, detail));
    };
    let heads = Heads(vec![(LOG, state.engine.log().cut()), (AUDIT, audit)]);
    Ok(Json(heads.head()).into_response())
}

impl From<AuditQueryError> for Problem {
    fn from(error: AuditQueryError) -> Problem {
        match error {
            AuditQueryError::Closed(_) => Problem::new(Kind::AuditUnavailable, error.to_string()),
            error => Problem::internal(error),
        }
    }
}
