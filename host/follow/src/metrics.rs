//! Followers in Prometheus' text.

use samsyn_telemetry::MetricsText;
use samsyn_vocabulary::FieldName;

use crate::{FollowerStatus, HostFollowers};

/// A value of each follower.
type Value = fn(&FollowerStatus) -> f64;

/// What is told of each: the name, what it is, its kind, and the value.
const OF_EACH: [(&str, &str, &str, Value); 5] = [
    (
        "samsyn_follower_available",
        "1 while the follower works; at 0 it stands still and tries again",
        "gauge",
        |status| f64::from(u8::from(status.error.is_none())),
    ),
    (
        "samsyn_follower_lag_records",
        "Durable records that a follower has not taken in yet",
        "gauge",
        |status| status.lag_records as f64,
    ),
    (
        "samsyn_follower_lag_seconds",
        "Age of the oldest record that a follower has not taken in yet",
        "gauge",
        |status| status.lag_ms as f64 / 1e3,
    ),
    ("samsyn_follower_failures_total", "How often a follower failed", "counter", |status| {
        status.failures as f64
    }),
    (
        "samsyn_follower_missed_records_total",
        "Records that were removed from the log before a follower had read them",
        KEPT,
        |status| status.missed.records as f64,
    ),
];
/// A counter that is in the follower's file.
const KEPT: &str = "kept";

impl HostFollowers {
    /// How each follower is, and how often each of these fields changed, in Prometheus' text format 0.0.4.
    pub fn metrics_text<'a>(&self, fields: impl Iterator<Item = &'a FieldName>) -> String {
        let (mut text, all) = (MetricsText::default(), self.status());
        for (name, help, kind, value) in OF_EACH {
            match kind {
                KEPT => text.head_kept(name, help),
                kind => text.head(name, help, kind),
            }
            for status in &all {
                text.sample(name, &format!("follower=\"{}\"", status.name), value(status));
            }
        }
        if let Some(changes) = self.field_changes(fields) {
            let name = "samsyn_field_changes_total";
            text.head_kept(name, "Changes of a field's value, as everybody sees it");
            for (field, count) in changes {
                text.sample(name, &format!("field=\"{field}\""), count as f64);
            }
        }
        text.0
    }
}
