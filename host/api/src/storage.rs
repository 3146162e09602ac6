//! What the host keeps on its disk: snapshots, and how far back the log goes.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ApiState;
use super::convert::blocking;
use super::params::Params;
use super::problem::{Answer, Problem};
use samsyn_engine::{Engine, Holder, MaintenanceError, RetentionReport, Snapshots};
use samsyn_state::snapshot::SnapshotInfo;
use samsyn_telemetry::MetricsText;
use samsyn_vocabulary::{Position, Timestamp};

/// One snapshot.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Snapshot")]
pub struct SnapshotAnswer {
    /// Its file's name.
    name: String,
    /// `usable`, or `bad`: then the one before it is used, and `reason` says why.
    #[schemars(extend("enum" = ["usable", "bad"]))]
    state: &'static str,
    /// Why it can't be used.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// The log-wide offset it covers the log up to.
    #[serde(skip_serializing_if = "Option::is_none")]
    offset: Option<u64>,
    /// When it was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    made_at: Option<Timestamp>,
    /// Its file's length.
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<u64>,
    /// Customers in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    profiles: Option<u64>,
    /// The version of the fold that made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    fold: Option<u32>,
}

/// The snapshot that is being made.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "SnapshotMaking")]
pub struct MakingAnswer {
    /// Since when.
    since: Timestamp,
    /// Of `bytes_total`, about.
    bytes_done: u64,
    /// Bytes of the log to fold, and about those the snapshot will have.
    bytes_total: u64,
    /// Records folded.
    records: u64,
}

/// What `/v1/snapshots` answers.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Snapshots")]
pub struct SnapshotsAnswer {
    /// Newest first.
    items: Vec<SnapshotAnswer>,
    /// The one that is being made; null when none is.
    making: Option<MakingAnswer>,
    /// Why the last one could not be made; null when it could.
    failure: Option<String>,
    /// Bytes the log has grown since the newest one that can be used.
    log_bytes_since: u64,
    /// How often one was asked for since the host's start.
    asked: u64,
    /// How many of those have had it: one that began after they asked, or its failure.
    answered: u64,
    /// Made since the host's start.
    made: u64,
    /// Tried since the host's start, and not made.
    failed: u64,
}

impl SnapshotsAnswer {
    fn of(snapshots: Snapshots) -> SnapshotsAnswer {
        let making = snapshots.making.map(|making| MakingAnswer {
            since: making.since,
            bytes_done: making.progress.bytes_done,
            bytes_total: making.progress.bytes_total,
            records: making.progress.records,
        });
        SnapshotsAnswer {
            items: snapshots.items.into_iter().map(|(name, found)| snapshot_answer(name, found)).collect(),
            making,
            failure: snapshots.failure,
            log_bytes_since: snapshots.log_bytes_since,
            asked: snapshots.asked,
            answered: snapshots.answered,
            made: snapshots.made,
            failed: snapshots.failed,
        }
    }
}

fn snapshot_answer(name: String, found: Result<SnapshotInfo, String>) -> SnapshotAnswer {
    let (info, reason) = match found {
        Ok(info) => (Some(info), None),
        Err(reason) => (None, Some(reason)),
    };
    let info = info.as_ref();
    SnapshotAnswer {
        name,
        state: if reason.is_none() { "usable" } else { "bad" },
        reason,
        offset: info.map(|info| info.offset),
        made_at: info.map(|info| info.made_at),
        bytes: info.map(|info| info.bytes),
        profiles: info.map(|info| info.profiles),
        fold: info.map(|info| info.fold),
    }
}

/// `GET /v1/snapshots`.
pub async fn snapshots(State(state): State<ApiState>) -> Answer {
    Ok(Json(SnapshotsAnswer::of(state.engine.snapshots())).into_response())
}

/// `POST /v1/snapshots`: it is made in the background, and there when `answered` has come to `asked`.
pub async fn make_snapshot(State(state): State<ApiState>) -> Answer {
    let asked = state.engine.ask_for_snapshot();
    let answer = Json(SnapshotsAnswer { asked, ..SnapshotsAnswer::of(state.engine.snapshots()) });
    Ok((StatusCode::ACCEPTED, answer).into_response())
}

/// What keeps a segment that should leave.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "SegmentHolder")]
pub struct HolderAnswer {
    /// `snapshots`: too few cover it; `reader`: a backup reads it; `undecided`: events of it; `cursor`:
    /// a capability that lags; `parked`: deliveries that wait; `proposals`: of a field without a source.
    #[schemars(extend("enum" = ["snapshots", "reader", "undecided", "cursor", "parked", "proposals"]))]
    kind: &'static str,
    /// The capability, where it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    capability: Option<String>,
    /// The field, where it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
    /// The oldest record that is needed, where it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    position: Option<Position>,
    /// What it is and what to do about it.
    explanation: String,
}

/// What `POST /v1/log/retain` answers.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Retention")]
pub struct RetentionAnswer {
    /// Segment files of the log, the growing one included.
    segments: usize,
    /// Bytes in them.
    bytes: u64,
    /// When the oldest record that is kept was made; null when there is none.
    oldest: Option<Timestamp>,
    /// Segments that are older or more than the settings keep.
    wanted: usize,
    /// Those of them that may leave, from the oldest on.
    removable: usize,
    /// Their bytes.
    removable_bytes: u64,
    /// Segments that left just now.
    removed: usize,
    /// What keeps the first segment that should leave and can't.
    held_by: Vec<HolderAnswer>,
}

impl RetentionAnswer {
    fn of(report: RetentionReport) -> RetentionAnswer {
        RetentionAnswer {
            segments: report.segments,
            bytes: report.bytes,
            oldest: report.oldest,
            wanted: report.wanted,
            removable: report.removable,
            removable_bytes: report.removable_bytes,
            removed: report.removed,
            held_by: report
                .held_by
                .iter()
                .map(|(holder, position)| holder_answer(holder, *position))
                .collect(),
        }
    }
}

fn holder_answer(holder: &Holder, position: Option<Position>) -> HolderAnswer {
    let (kind, capability, field) = match holder {
        Holder::Snapshots { .. } => ("snapshots", None, None),
        Holder::Reader => ("reader", None, None),
        Holder::Undecided => ("undecided", None, None),
        Holder::Cursor { capability, .. } => ("cursor", Some(capability), None),
        Holder::Parked { capability } => ("parked", Some(capability), None),
        Holder::Proposals { field } => ("proposals", None, Some(field)),
    };
    HolderAnswer {
        kind,
        capability: capability.map(ToString::to_string),
        field: field.map(ToString::to_string),
        position,
        explanation: holder.in_words(),
    }
}

/// The query of `POST /v1/log/retain`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RetainParams {
    /// Only say what would leave and what can't.
    dry_run: bool,
}

/// `POST /v1/log/retain`.
pub async fn retain(State(state): State<ApiState>, Params(params): Params<RetainParams>) -> Answer {
    let report = blocking(move || state.engine.apply_retention(params.dry_run)).await??;
    Ok(Json(RetentionAnswer::of(report)).into_response())
}

impl From<MaintenanceError> for Problem {
    fn from(error: MaintenanceError) -> Problem {
        Problem::internal(error)
    }
}

/// The part of `/v1/status` that says what is kept.
#[derive(Serialize, JsonSchema)]
pub struct StorageStatus {
    /// Bytes of the log that are kept.
    log_bytes: u64,
    /// When the oldest record that is kept was made, once older ones have left by retention; null
    /// while the log holds all.
    oldest_retained: Option<Timestamp>,
    /// Segments that left since the start.
    segments_removed: u64,
    /// What kept segments that should leave, at the last look.
    held_by: Vec<HolderAnswer>,
    /// When the newest snapshot that can be used was made; null when there is none.
    snapshot_at: Option<Timestamp>,
    /// Snapshots that can't be used.
    snapshots_bad: usize,
    /// Bytes the log has grown since the newest snapshot.
    log_bytes_since_snapshot: u64,
    /// Why the last snapshot could not be made; null when it could.
    snapshot_failure: Option<String>,
}

impl StorageStatus {
    /// As it is now.
    pub fn of(engine: &Engine) -> StorageStatus {
        let snapshots = engine.snapshots();
        let held_by = engine.last_retention().map(|report| report.held_by).unwrap_or_default();
        StorageStatus {
            log_bytes: engine.log().bytes_kept(),
            // When it can't be read, more than the status is amiss, and says so.
            oldest_retained: engine.oldest_retained().unwrap_or_default(),
            segments_removed: engine.segments_removed(),
            held_by: held_by.iter().map(|(holder, position)| holder_answer(holder, *position)).collect(),
            snapshot_at: snapshots.items.iter().find_map(|(_, found)| Some(found.as_ref().ok()?.made_at)),
            snapshots_bad: snapshots.items.iter().filter(|(_, found)| found.is_err()).count(),
            log_bytes_since_snapshot: snapshots.log_bytes_since,
            snapshot_failure: snapshots.failure,
        }
    }
}

/// What is kept, in Prometheus' text format.
pub fn metrics(engine: &Engine) -> String {
    let (mut text, snapshots) = (MetricsText::default(), engine.snapshots());
    let status = StorageStatus::of(engine);
    let seconds = |at: Option<Timestamp>| at.map_or(0.0, |at| at.millis() as f64 / 1e3);
    text.counter("samsyn_snapshots_made_total", "Snapshots made", snapshots.made as f64);
    text.counter(
        "samsyn_snapshots_failed_total",
        "Snapshots that could not be made",
        snapshots.failed as f64,
    );
    text.gauge("samsyn_snapshots_bad", "Snapshots that can't be used", status.snapshots_bad as f64);
    let help = "Unix time of the newest snapshot that can be used; 0 when there is none";
    text.gauge("samsyn_snapshot_timestamp_seconds", help, seconds(status.snapshot_at));
    let help = "Bytes the log has grown since the newest snapshot";
    text.gauge("samsyn_snapshot_log_bytes_since", help, snapshots.log_bytes_since as f64);
    text.gauge("samsyn_log_kept_bytes", "Bytes of the log that are kept", status.log_bytes as f64);
    let help = "Unix time of the oldest record, once older ones were removed; else 0";
    text.gauge("samsyn_log_oldest_timestamp_seconds", help, seconds(status.oldest_retained));
    text.counter(
        "samsyn_log_segments_removed_total",
        "Segments removed by retention",
        status.segments_removed as f64,
    );
    let name = "samsyn_log_held";
    text.head(name, "1 for each reason that kept a segment, at the last check", "gauge");
    for holder in &status.held_by {
        let by = holder.capability.as_ref().or(holder.field.as_ref()).map_or("", String::as_str);
        text.sample(name, &format!("kind=\"{}\",by=\"{by}\"", holder.kind), 1.0);
    }
    text.0
}
