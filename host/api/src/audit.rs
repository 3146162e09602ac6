//! The audits of changes and of reads, and the heads of the logs.

use axum::extract::State;
use axum::response::IntoResponse;
use axum::{Extension, Json};
use samsyn_wire::query::{ChangesParams, ReadsParams};
use samsyn_wire::{self as wire, AuditedChange, AuditedRead};

use super::convert::blocking;
use super::pagination::{List, Page};
use super::params::{Params, Reference};
use super::problem::{Answer, Kind, Problem};
use super::profiles::resolve;
use super::visibility::Viewer;
use super::words::{name as named, names};
use super::{ApiState, json};
use samsyn_audit::{
    AUDIT, AuditQueryError, ChangeFilter, Heads, LOG, LogPlace, PartitionHead, Read, ReadFilter, ReadPlace,
    changes as registry_changes,
};
use samsyn_journal::RegistryRecord;
use samsyn_registry::{CHANGE_KINDS, ChangeSummary};
use samsyn_vocabulary::Seq;

const READS: List = List("/v1/audit/reads");
const CHANGES: List = List("/v1/audit/changes");

fn read_answer(read: Read, names_customers: bool) -> AuditedRead {
    let Read { at, by, token, call, profile, fields, identifiers, purpose } = read;
    AuditedRead {
        at: at.into(),
        by: by.to_string(),
        token,
        call,
        profile: names_customers.then_some(profile.into()),
        fields: names(fields),
        identifiers: names(identifiers),
        purpose,
    }
}

/// `GET /v1/audit/reads`.
pub async fn reads(
    State(state): State<ApiState>,
    Extension(viewer): Extension<Viewer>,
    Params(params): Params<ReadsParams>,
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
        let items: Vec<AuditedRead> =
            page.items.into_iter().map(|(_, read)| read_answer(read, names)).collect();
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

/// `GET /v1/audit/changes`.
pub async fn changes(State(state): State<ApiState>, Params(params): Params<ChangesParams>) -> Answer {
    let limit = List::limit(params.limit)?;
    let ChangesParams { by, kind, field, capability, since, until, cursor, .. } = params;
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
        let page = registry_changes(state.engine.records(), &filter, before, limit)?;
        let items: Vec<AuditedChange> = page.items.into_iter().map(change_answer).collect();
        let next = page.next.map(|seq| list.cursor(&seq.to_string()));
        Ok(Json(Page { items, next }).into_response())
    })
    .await?
}

fn change_answer((revision, record, summary): (Seq, RegistryRecord, ChangeSummary)) -> AuditedChange {
    let details = summary.details.as_object().into_iter().flatten();
    let details = details.map(|(name, value)| (name.clone(), value.clone())).collect();
    let why = record.reason.as_ref().map_or_else(String::new, |reason| format!(": {reason}"));
    AuditedChange {
        revision,
        at: record.at.into(),
        kind: summary.kind.to_owned(),
        sentence: format!("{} {}{why}", record.by, summary.did),
        reason: named(record.reason),
        by: record.by.to_string(),
        fields: names(summary.fields),
        capabilities: names(summary.capabilities),
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
    Ok(Json(log_head(&heads)).into_response())
}

/// The heads as they are answered, and as the command prints those of a stopped host.
pub fn log_head(heads: &Heads) -> wire::LogHead {
    let head = heads.head();
    let partition = |head: PartitionHead| wire::PartitionHead {
        partition: head.partition,
        seq: head.seq,
        chain: head.chain,
    };
    let place = |place: LogPlace| wire::LogPlace {
        log: place.log.to_owned(),
        offset: place.offset,
        digest: place.digest,
        partitions: place.partitions.into_iter().map(partition).collect(),
    };
    let logs = head.logs.into_iter().map(place).collect();
    wire::LogHead { head: head.head, logs }
}

impl From<AuditQueryError> for Problem {
    fn from(error: AuditQueryError) -> Problem {
        match error {
            AuditQueryError::Closed(_) => Problem::new(Kind::AuditUnavailable, error.to_string()),
            error => Problem::internal(error),
        }
    }
}
