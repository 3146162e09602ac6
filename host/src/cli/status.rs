//! `samsyn status`: how the host is.

use super::context::Context;
use super::error::CliError;
use super::output::{Paint, Table, bytes, grouped, moment, pairs, value_text};
use crate::client::{AuditStatus, DiskStatus, Status};

/// Shown in the long help.
pub const EXAMPLES: &str = "\
Examples:
  samsyn status
  samsyn status --json";

/// Asks the host and prints it.
pub fn run(context: &Context) -> Result<(), CliError> {
    let answer = context.client()?.status()?;
    context.answer(&answer.raw, |paint| status_text(&answer.body, paint))
}

fn status_text(status: &Status, paint: Paint) -> String {
    let deliveries: Vec<String> =
        status.deliveries.iter().map(|(result, count)| format!("{} {result}", grouped(*count))).collect();
    let queue = status.queue.as_ref();
    let mut text = pairs(
        &[
            ("version", status.version.clone()),
            ("started", status.started_at.as_deref().map(moment).unwrap_or_default()),
            ("profiles", grouped(status.profiles)),
            ("events accepted", grouped(status.accepted)),
            ("events decided", grouped(status.decided)),
            ("sandboxes started", grouped(status.sandboxes)),
            ("deliveries", deliveries.join(", ")),
            (
                "queue",
                queue
                    .map(|queue| format!("{} of {}", grouped(queue.depth), grouped(queue.limit)))
                    .unwrap_or_default(),
            ),
            ("registry revision", value_text(&status.registry_revision)),
            ("log", status.log.as_ref().map(disk_text).unwrap_or_default()),
            ("view", status.view.as_ref().map(disk_text).unwrap_or_default()),
            ("audit of reads", status.audit.as_ref().map(audit_text).unwrap_or_default()),
            ("memory", status.rss_bytes.map(bytes).unwrap_or_default()),
        ],
        paint,
    );
    if status.capabilities.is_empty() {
        return text;
    }
    let mut table =
        Table::new(["CAPABILITY", "CALLS", "P50", "P99", "FAILURES", "LAG"]).right(&[1, 2, 3, 4, 5]);
    let micros = |time: Option<f64>| time.map(|time| format!("{time:.0} µs")).unwrap_or_default();
    for capability in &status.capabilities {
        table.row([
            capability.name.clone(),
            grouped(capability.calls),
            micros(capability.p50_us),
            micros(capability.p99_us),
            grouped(capability.failures),
            grouped(capability.lag),
        ]);
    }
    text.push_str(&format!("\n{}", table.render(paint)));
    text
}

fn disk_text(disk: &DiskStatus) -> String {
    match &disk.reason {
        None => disk.state.clone(),
        Some(why) => format!("{}, no event is taken: {why}", disk.state),
    }
}

fn audit_text(audit: &AuditStatus) -> String {
    match &audit.reason {
        None => format!("{}, {} recorded", audit.state, grouped(audit.reads)),
        Some(why) => format!("{}, personal data isn't answered: {why}", audit.state),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_reads_at_a_glance() {
        let status: Status = serde_json::from_str(
            r#"{"version": "0.1.0", "started_at": "2026-11-21T10:00:00Z", "profiles": 23570, "accepted": 69659,
                "decided": 69659, "sandboxes": 278636, "deliveries": {"done": 69000, "parked": 2},
                "registry_revision": 7, "queue": {"depth": 0, "limit": 10000}, "rss_bytes": 104857600,
                "capabilities": [{"name": "crm", "calls": 1000, "p50_us": 21, "p99_us": 80.4, "failures": 0, "lag": 0}]}"#,
        )
        .unwrap();
        let text = status_text(&status, Paint(false));
        assert!(text.contains("profiles           23,570\n"), "{text}");
        assert!(text.contains("deliveries         69,000 done, 2 parked\n"), "{text}");
        assert!(text.contains("crm         1,000  21 µs  80 µs         0    0\n"), "{text}");
    }

    #[test]
    fn a_latency_beyond_the_last_bound_is_told_as_more_than_that() {
        // What hosts of all versions say of it.
        for beyond in ["5000001", "18446744073709551615"] {
            let json = format!(
                r#"{{"capabilities": [{{"name": "crm", "calls": 9, "p50_us": 5000000, "p99_us": {beyond}}}]}}"#
            );
            let text = status_text(&serde_json::from_str(&json).unwrap(), Paint(false));
            assert!(text.contains("5.0 s  > 5 s"), "{text}");
        }
    }

    #[test]
    fn what_is_counted_since_the_start_stands_below_it_and_what_waits_now_does_not() {
        let status: Status = serde_json::from_str(
            r#"{"started_at": "2026-11-21T10:00:00Z", "accepted": 100, "decided": 100,
                "deliveries": {"done": 300, "failed": 75}, "waiting": {"parked": 0, "held": 0, "customers": 0}}"#,
        )
        .unwrap();
        let text = status_text(&status, Paint(false));
        let (now, since) = text.split_once("since 2026-11-21 10:00:00").expect("it says since when");
        assert!(now.contains("parked") && now.contains('0') && !now.contains("75"), "{text}");
        assert!(
            since.contains("75 failed") && since.contains("events decided") && !since.contains("parked"),
            "{text}"
        );
    }
}
