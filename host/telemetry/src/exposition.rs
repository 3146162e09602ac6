//! Metrics as text that Prometheus reads.

use std::fmt::Write;

use super::latency::{LATENCY_BOUNDS_US, LatencySnapshot};

/// Text in the exposition format.
#[derive(Default)]
pub struct MetricsText(pub String);

impl MetricsText {
    /// What a metric is; `kind` is `counter`, `gauge` or `histogram`. Of one that begins anew with the
    /// process it is said that it does.
    pub fn head(&mut self, name: &str, help: &str, kind: &str) {
        let since = if kind == "gauge" { "" } else { ", since the process started" };
        // Writing into a String can't fail.
        let _ = writeln!(self.0, "# HELP {name} {help}{since}.\n# TYPE {name} {kind}");
    }

    /// A counter that goes on where it was when the process starts again.
    pub fn head_kept(&mut self, name: &str, help: &str) {
        let _ = writeln!(self.0, "# HELP {name} {help}, kept over restarts.\n# TYPE {name} counter");
    }

    /// One value; labels such as `result="done"`, or none.
    pub fn sample(&mut self, name: &str, labels: &str, value: f64) {
        let _ = if labels.is_empty() {
            writeln!(self.0, "{name} {value}")
        } else {
            writeln!(self.0, "{name}{{{labels}}} {value}")
        };
    }

    /// A metric of one value that only grows.
    pub fn counter(&mut self, name: &str, help: &str, value: f64) {
        self.head(name, help, "counter");
        self.sample(name, "", value);
    }

    /// A metric of one value.
    pub fn gauge(&mut self, name: &str, help: &str, value: f64) {
        self.head(name, help, "gauge");
        self.sample(name, "", value);
    }

    /// A histogram in seconds, after its head.
    pub fn histogram(&mut self, name: &str, labels: &str, snapshot: &LatencySnapshot) {
        let comma = if labels.is_empty() { "" } else { "," };
        let mut cumulative = 0;
        for (count, bound) in snapshot.buckets.iter().zip(LATENCY_BOUNDS_US) {
            cumulative += count;
            let le = bound as f64 / 1e6;
            self.sample(&format!("{name}_bucket"), &format!("{labels}{comma}le=\"{le}\""), cumulative as f64);
        }
        let all = snapshot.count() as f64;
        self.sample(&format!("{name}_bucket"), &format!("{labels}{comma}le=\"+Inf\""), all);
        self.sample(&format!("{name}_sum"), labels, snapshot.sum_s);
        self.sample(&format!("{name}_count"), labels, all);
    }
}
