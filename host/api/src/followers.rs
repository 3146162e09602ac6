//! How each follower of the log is.

use samsyn_follow::{FollowerStatus, MissedRange};
use samsyn_vocabulary::Position;
use samsyn_wire as wire;

use super::ApiState;

/// How each is, for `/v1/status`.
pub fn status(state: &ApiState) -> Vec<wire::FollowerStatus> {
    state.followers.status().into_iter().map(follower).collect()
}

fn follower(status: FollowerStatus) -> wire::FollowerStatus {
    let FollowerStatus { name, error, failures, lag_records, lag_ms, since, missed, rebuilt } = status;
    let range = |MissedRange { partition, first, last, noticed_at }: MissedRange| {
        let position = |seq| Position { partition, seq }.into();
        wire::MissedRange { first: position(first), last: position(last), noticed_at: noticed_at.into() }
    };
    wire::FollowerStatus {
        name: name.to_owned(),
        state: if error.is_none() { "ok" } else { "failed" }.to_owned(),
        reason: error,
        failures,
        lag_records,
        lag_ms,
        since: since.map(Into::into),
        missed: wire::MissedRecords {
            records: missed.records,
            ranges: missed.ranges.into_iter().map(range).collect(),
        },
        rebuilt: rebuilt.map(|rebuilt| wire::Rebuilt { at: rebuilt.at.into(), reason: rebuilt.reason }),
    }
}
