//! `samsyn status`: how the host is.

use clap::Args;
use serde_json::Value;

use samsyn_client::{AuditStatus, DiskStatus, SlowestEvents, Status, Waiting};
use samsyn_terminal::context::Context;
use samsyn_terminal::error::CliError;
use samsyn_terminal::output::{Paint, Table, bytes, grouped, latency, moment, pairs, value_text};

/// Stages that are named of where the slowest events waited.
const STAGES_SHOWN: usize = 3;

const EXAMPLES: &str = "\
Examples:
  samsyn status
  samsyn status --json
  samsyn status --ready          for a health check: 0 it takes events, 1 it doesn't, 3 no host answers";

/// The arguments of `samsyn status`.
#[derive(Debug, Clone, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct StatusArgs {
    /// Ask only whether the host takes events; this needs no token
    #[arg(long)]
    pub ready: bool,
}

/// Asks the host and prints it.
pub fn run(args: &StatusArgs, context: &Context) -> Result<(), CliError> {
    if args.ready {
        let answer = context.client()?.ready()?;
        return context.answer(&answer.raw, |_| ready_text(&answer.body));
    }
    let answer = context.client()?.status()?;
    context.answer(&answer.raw, |paint| status_text(&answer.body, paint))
}

fn ready_text(ready: &Value) -> String {
    match ready["personal_reads"]["refused"].as_str() {
        None => "ready\n".to_owned(),
        Some(why) => format!("ready; reads of personal data are rejected: {why}\n"),
    }
}

fn status_text(status: &Status, paint: Paint) -> String {
    let queue = status.queue.as_ref();
    let mut text = pairs(
        &[
            ("version", status.version.clone()),
            ("started", status.started_at.as_deref().map(moment).unwrap_or_default()),
            ("profiles", grouped(status.profiles)),
            (
                "queue",
                queue
                    .map(|queue| format!("{} of {}", grouped(queue.depth), grouped(queue.limit)))
                    .unwrap_or_default(),
            ),
            ("waiting", status.waiting.as_ref().map(waiting_text).unwrap_or_default()),
            ("registry revision", value_text(&status.registry_revision)),
            ("log", status.log.as_ref().map(disk_text).unwrap_or_default()),
            ("view", status.view.as_ref().map(disk_text).unwrap_or_default()),
            ("audit of reads", status.audit.as_ref().map(audit_text).unwrap_or_default()),
            ("memory", status.rss_bytes.map(bytes).unwrap_or_default()),
        ],
        paint,
    );
    text.push_str(&since_text(status, paint));
    if status.capabilities.is_empty() {
        return text;
    }
    let mut table = Table::new(["CAPABILITY", "INVOCATIONS", "P50", "P99", "FAILURES", "LAG NOW"])
        .right(&[1, 2, 3, 4, 5]);
    let micros = |time: Option<f64>| time.map(latency).unwrap_or_default();
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

/// What is counted since the process started, and begins anew with the next.
fn since_text(status: &Status, paint: Paint) -> String {
    let deliveries: Vec<String> =
        status.deliveries.iter().map(|(result, count)| format!("{} {result}", grouped(*count))).collect();
    let started = status.started_at.as_deref().map_or_else(|| "the start".to_owned(), moment);
    let counted = pairs(
        &[
            ("events accepted", grouped(status.accepted)),
            ("events decided", grouped(status.decided)),
            ("sandboxes started", grouped(status.sandboxes)),
            ("invocations", deliveries.join(", ")),
            ("slowest events", status.slowest.as_ref().map(slowest_text).unwrap_or_default()),
        ],
        paint,
    );
    format!("\n{}\n{counted}", paint.dim(&format!("since {started}")))
}

fn waiting_text(waiting: &Waiting) -> String {
    let more = if waiting.all_counted { "" } else { " or more" };
    let customers = match waiting.customers {
        0 => String::new(),
        1 => ", of 1 customer".to_owned(),
        customers => format!(", of {} customers", grouped(customers)),
    };
    format!(
        "{}{more} parked, {}{more} waiting behind them{customers}",
        grouped(waiting.parked),
        grouped(waiting.held)
    )
}

fn slowest_text(slowest: &SlowestEvents) -> String {
    if slowest.events == 0 {
        return String::new();
    }
    let mut waits: Vec<(&String, u64)> =
        slowest.average_waits_us.iter().map(|(stage, us)| (stage, *us)).collect();
    waits.sort_by_key(|(_, us)| std::cmp::Reverse(*us));
    let all = slowest.average_us.max(1);
    let waits = waits.iter().take(STAGES_SHOWN).filter(|(_, us)| *us > 0);
    let waits: Vec<String> = waits.map(|(stage, us)| format!("{stage} {} %", us * 100 / all)).collect();
    format!(
        "{} of up to {}, {} on average: {}",
        slowest.events,
        latency(slowest.slowest_us as f64),
        latency(slowest.average_us as f64),
        waits.join(", ")
    )
}

fn disk_text(disk: &DiskStatus) -> String {
    match &disk.reason {
        None => disk.state.clone(),
        Some(why) => format!("{}, no event is accepted: {why}", disk.state),
    }
}

fn audit_text(audit: &AuditStatus) -> String {
    match &audit.reason {
        None => format!("{}, {} recorded", audit.state, grouped(audit.reads)),
        Some(why) => format!("{}, reads of personal data are rejected: {why}", audit.state),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_reads_at_a_glance() {
        let status: Status = serde_json::from_str(
            r#"{"version": "0.1.0", "started_at": "2026-11-21T10:00:00Z", "profiles": 23570, "accepted": 69659,
                "decided": 69659, "sandboxes": 278636, "deliveries": {"done": 69000, "failed": 2},
                "waiting": {"parked": 2, "held": 3, "customers": 1, "all_counted": true},
                "slowest": {"events": 100, "slowest_us": 90000, "average_us": 20000,
                            "average_waits_us": {"sync": 15000, "run": 0, "log": 5000}},
                "registry_revision": 7, "queue": {"depth": 0, "limit": 10000}, "rss_bytes": 104857600,
                "capabilities": [{"name": "crm", "calls": 1000, "p50_us": 21, "p99_us": 80.4, "failures": 0, "lag": 0}]}"#,
        )
        .unwrap();
        let text = status_text(&status, Paint(false));
        assert!(text.contains("profiles           23,570\n"), "{text}");
        assert!(text.contains("invocations        69,000 done, 2 failed\n"), "{text}");
        assert!(
            text.contains("waiting            2 parked, 3 waiting behind them, of 1 customer\n"),
            "{text}"
        );
        let slowest = "100 of up to 90.0 ms, 20.0 ms on average: sync 75 %, log 25 %\n";
        assert!(text.contains(&format!("slowest events     {slowest}")), "{text}");
        assert!(text.contains("crm               1,000  21 µs  80 µs         0        0\n"), "{text}");
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
