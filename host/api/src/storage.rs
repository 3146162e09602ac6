//! What the host keeps on its disk: snapshots, and how far back the log goes.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use samsyn_wire::query::RetainParams;
use samsyn_wire::{self as wire, Retention, SegmentHolder, Snapshot, StorageStatus};

use super::ApiState;
use super::convert::blocking;
use super::params::Params;
use super::problem::{Answer, Problem};
use samsyn_engine::{Engine, Holder, MaintenanceError, RetentionReport, Snapshots};
use samsyn_state::snapshot::SnapshotInfo;
use samsyn_telemetry::MetricsText;
use samsyn_vocabulary::{Position, Timestamp};

fn snapshots_answer(snapshots: Snapshots) -> wire::Snapshots {
    let making = snapshots.making.map(|making| wire::SnapshotMaking {
        since: making.since.into(),
        bytes_done: making.progress.bytes_done,
        bytes_total: making.progress.bytes_total,
        records: making.progress.records,
    });
    wire::Snapshots {
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

fn snapshot_answer(name: String, found: Result<SnapshotInfo, String>) -> Snapshot {
    let (info, reason) = match found {
        Ok(info) => (Some(info), None),
        Err(reason) => (None, Some(reason)),
    };
    let info = info.as_ref();
    Snapshot {
        name,
        state: if reason.is_none() { "usable" } else { "bad" }.to_owned(),
        reason,
        offset: info.map(|info| info.place.number()),
        made_at: info.map(|info| info.made_at.into()),
        bytes: info.map(|info| info.bytes),
        profiles: info.map(|info| info.profiles),
        fold: info.map(|info| info.fold),
    }
}

/// `GET /v1/snapshots`.
pub async fn snapshots(State(state): State<ApiState>) -> Answer {
    Ok(Json(snapshots_answer(state.engine.maintenance().snapshots())).into_response())
}

/// `POST /v1/snapshots`: it is made in the background, and there when `answered` has come to `asked`.
pub async fn make_snapshot(State(state): State<ApiState>) -> Answer {
    let asked = state.engine.maintenance().ask_for_snapshot();
    let answer = Json(wire::Snapshots { asked, ..snapshots_answer(state.engine.maintenance().snapshots()) });
    Ok((StatusCode::ACCEPTED, answer).into_response())
}

fn retention_answer(report: &RetentionReport) -> Retention {
    Retention {
        segments: report.segments,
        bytes: report.bytes,
        oldest: report.oldest.map(Into::into),
        wanted: report.wanted,
        removable: report.removable,
        removable_bytes: report.removable_bytes,
        removed: report.removed,
        held_by: holders(&report.held_by),
    }
}

fn holders(held_by: &[(Holder, Option<Position>)]) -> Vec<SegmentHolder> {
    held_by.iter().map(|(holder, position)| holder_answer(holder, *position)).collect()
}

fn holder_answer(holder: &Holder, position: Option<Position>) -> SegmentHolder {
    let (kind, capability, field) = match holder {
        Holder::Snapshots { .. } => ("snapshots", None, None),
        Holder::Reader => ("reader", None, None),
        Holder::Undecided => ("undecided", None, None),
        Holder::Cursor { capability, .. } => ("cursor", Some(capability), None),
        Holder::Parked { capability } => ("parked", Some(capability), None),
        Holder::Calls { capability } => ("calls", Some(capability), None),
        Holder::Proposals { field } => ("proposals", None, Some(field)),
    };
    SegmentHolder {
        kind: kind.to_owned(),
        capability: capability.map(ToString::to_string),
        field: field.map(ToString::to_string),
        position: position.map(Into::into),
        explanation: holder.in_words(),
    }
}

/// `POST /v1/log/retain`.
pub async fn retain(State(state): State<ApiState>, Params(params): Params<RetainParams>) -> Answer {
    let report = blocking(move || state.engine.maintenance().apply_retention(params.dry_run)).await??;
    Ok(Json(retention_answer(&report)).into_response())
}

impl From<MaintenanceError> for Problem {
    fn from(error: MaintenanceError) -> Problem {
        Problem::internal(error)
    }
}

/// The part of `/v1/status` that says what is kept, as it is now.
pub fn status(engine: &Engine) -> StorageStatus {
    let snapshots = engine.maintenance().snapshots();
    let held_by = engine.maintenance().last_retention().map(|report| report.held_by).unwrap_or_default();
    StorageStatus {
        log_bytes: engine.log().bytes_kept(),
        oldest_retained: oldest_retained(engine).map(Into::into),
        segments_removed: engine.maintenance().segments_removed(),
        held_by: holders(&held_by),
        snapshot_at: snapshot_at(&snapshots).map(Into::into),
        snapshots_bad: snapshots.items.iter().filter(|(_, found)| found.is_err()).count(),
        log_bytes_since_snapshot: snapshots.log_bytes_since,
        snapshot_failure: snapshots.failure,
    }
}

/// When it can't be read, more than the status is amiss, and says so.
fn oldest_retained(engine: &Engine) -> Option<Timestamp> {
    engine.query().oldest_retained().unwrap_or_default()
}

fn snapshot_at(snapshots: &Snapshots) -> Option<Timestamp> {
    snapshots.items.iter().find_map(|(_, found)| Some(found.as_ref().ok()?.made_at))
}

/// What is kept, in Prometheus' text format.
pub fn metrics(engine: &Engine) -> String {
    let (mut text, snapshots) = (MetricsText::default(), engine.maintenance().snapshots());
    let status = status(engine);
    let seconds = |at: Option<Timestamp>| at.map_or(0.0, |at| at.millis() as f64 / 1e3);
    text.counter("samsyn_snapshots_made_total", "Snapshots made", snapshots.made as f64);
    text.counter(
        "samsyn_snapshots_failed_total",
        "Snapshots that could not be made",
        snapshots.failed as f64,
    );
    text.gauge("samsyn_snapshots_bad", "Snapshots that can't be used", status.snapshots_bad as f64);
    let help = "Unix time of the newest snapshot that can be used; 0 when there is none";
    text.gauge("samsyn_snapshot_timestamp_seconds", help, seconds(snapshot_at(&snapshots)));
    let help = "Bytes the log has grown since the newest snapshot";
    text.gauge("samsyn_snapshot_log_bytes_since", help, snapshots.log_bytes_since as f64);
    text.gauge("samsyn_log_kept_bytes", "Bytes of the log that are kept", status.log_bytes as f64);
    let help = "Unix time of the oldest record, once older ones were removed; else 0";
    text.gauge("samsyn_log_oldest_timestamp_seconds", help, seconds(oldest_retained(engine)));
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
