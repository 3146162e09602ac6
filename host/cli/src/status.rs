//! `samsyn status`: how the host is.

use clap::Args;

use crate::outgoing::state_text;
use samsyn_terminal::context::Context;
use samsyn_terminal::error::CliError;
use samsyn_terminal::output::{Paint, Table, bytes, grouped, latency, moment, pairs, plain};
use samsyn_wire::{
    AuditStatus, CallsStatus, DiskStatus, FollowerStatus, HaltedEndpoint, PersonalReads, QueueStatus,
    Readiness, SecretsStatus, SlowestEvents, Status, TimersStatus, Waiting,
};

/// The follower that counts changes.
const FIELD_CHANGES: &str = "field-changes";
/// Fields that are named of those that changed.
const FIELDS_SHOWN: usize = 20;
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

fn ready_text(ready: &Readiness) -> String {
    match &ready.personal_reads {
        None => "ready\n".to_owned(),
        Some(PersonalReads { refused }) => format!("ready; reads of personal data are rejected: {refused}\n"),
    }
}

fn status_text(status: &Status, paint: Paint) -> String {
    let QueueStatus { depth, limit } = status.queue;
    let mut text = pairs(
        &[
            ("version", status.version.clone()),
            ("started", moment(&status.started_at)),
            ("profiles", grouped(status.profiles)),
            (
                "queue",
                if limit == 0 {
                    String::new()
                } else {
                    format!("{} of {}", grouped(depth as u64), grouped(limit as u64))
                },
            ),
            ("sending", status.outgoing.as_ref().map(state_text).unwrap_or_default()),
            ("waiting", status.waiting.as_ref().map(waiting_text).unwrap_or_default()),
            ("timers", status.timers.as_ref().map(timers_text).unwrap_or_default()),
            ("calls", status.calls.as_ref().map(calls_text).unwrap_or_default()),
            ("registry revision", status.registry_revision.to_string()),
            ("log", disk_text(&status.log)),
            ("view", disk_text(&status.view)),
            ("audit of reads", audit_text(&status.audit)),
            ("secrets", status.secrets.as_ref().map(secrets_text).unwrap_or_default()),
            ("memory", if status.rss_bytes == 0 { String::new() } else { bytes(status.rss_bytes) }),
        ],
        paint,
    );
    text.push_str(&since_text(status, paint));
    text.push_str(&capabilities_text(status, paint));
    text.push_str(&followers_text(&status.followers, paint));
    text.push_str(&field_changes_text(status, paint));
    text
}

/// How many timers are set, how late the next one is, and why they are held.
fn timers_text(timers: &TimersStatus) -> String {
    let TimersStatus { pending, next_at, late_ms, held } = timers;
    if let Some(why) = held {
        return format!(
            "{} set, HELD: {}; check the clock, then `samsyn timer resume`",
            grouped(*pending),
            plain(why)
        );
    }
    match next_at {
        None => String::new(),
        Some(_) if *late_ms >= 1_000 => {
            format!("{} set, {} s late", grouped(*pending), grouped(late_ms / 1_000))
        }
        Some(next) => format!("{} set, the next fires {}", grouped(*pending), moment(next)),
    }
}

/// How many calls wait for their answers, and to which endpoints nothing is sent.
fn calls_text(calls: &CallsStatus) -> String {
    let CallsStatus { waiting, under_way, halted } = calls;
    if *waiting == 0 && halted.is_empty() {
        return String::new();
    }
    let mut text = format!("{} wait, {} under way", grouped(*waiting), grouped(*under_way as u64));
    for HaltedEndpoint { capability, endpoint, reason, .. } in halted {
        text.push_str(&format!("; {} of {}: {}", plain(endpoint), plain(capability), plain(reason)));
    }
    text
}

fn capabilities_text(status: &Status, paint: Paint) -> String {
    if status.capabilities.is_empty() {
        return String::new();
    }
    let mut table = Table::new(["CAPABILITY", "INVOCATIONS", "P50", "P99", "FAILURES", "LAG NOW"])
        .right(&[1, 2, 3, 4, 5]);
    for capability in &status.capabilities {
        table.row([
            capability.name.clone(),
            grouped(capability.calls),
            latency(capability.p50_us as f64),
            latency(capability.p99_us as f64),
            grouped(capability.failures),
            grouped(capability.lag),
        ]);
    }
    format!("\n{}", table.render(paint))
}

/// How each follower of the log is; why one stands still, and what one missed, below the table.
fn followers_text(followers: &[FollowerStatus], paint: Paint) -> String {
    if followers.is_empty() {
        return String::new();
    }
    let mut table =
        Table::new(["FOLLOWER", "STATE", "LAG NOW", "BEHIND", "FAILURES", "MISSED"]).right(&[2, 3, 4, 5]);
    let mut notes = String::new();
    for follower in followers {
        let FollowerStatus { name, state, lag_records, lag_ms, failures, missed, .. } = follower;
        table.row([
            name.clone(),
            state.clone(),
            grouped(*lag_records),
            if *lag_ms == 0 { "-".to_owned() } else { format!("{:.1} s", *lag_ms as f64 / 1e3) },
            grouped(*failures),
            grouped(missed.records),
        ]);
        if let Some(why) = &follower.reason {
            notes.push_str(&format!("{name} failed and tries again: {why}\n"));
        }
        if let Some(last) = missed.ranges.last() {
            let (records, first, last) = (grouped(missed.records), &last.first, &last.last);
            notes.push_str(&format!(
                "{name} missed {records} records that were removed from the log, the newest {first} to {last}\n"
            ));
        }
        if let Some(rebuilt) = &follower.rebuilt {
            notes.push_str(&format!("{name} was rebuilt at {}: {}\n", moment(&rebuilt.at), rebuilt.reason));
        }
    }
    format!("\n{}{notes}", table.render(paint))
}

/// The fields that changed most, and since when that is counted.
fn field_changes_text(status: &Status, paint: Paint) -> String {
    let Some(changes) = &status.field_changes else { return String::new() };
    let mut changes: Vec<(&String, u64)> = changes.iter().map(|(field, count)| (field, *count)).collect();
    changes.retain(|(_, count)| *count > 0);
    if changes.is_empty() {
        return String::new();
    }
    changes.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let counts = status.followers.iter().find(|follower| follower.name == FIELD_CHANGES);
    let since = counts.and_then(|follower| follower.since.as_ref());
    let since = since.map_or("the log's first record".to_owned(), moment);
    let mut table = Table::new(["FIELD", "CHANGES"]).right(&[1]);
    for (field, count) in changes.iter().take(FIELDS_SHOWN) {
        table.row([(*field).clone(), grouped(*count)]);
    }
    let more = match changes.len().saturating_sub(FIELDS_SHOWN) {
        0 => String::new(),
        more => format!("and {more} more fields: see --json\n"),
    };
    format!("\n{}\n{}{more}", paint.dim(&format!("since {since}")), table.render(paint))
}

/// What is counted since the process started, and begins anew with the next.
fn since_text(status: &Status, paint: Paint) -> String {
    let deliveries: Vec<String> =
        status.deliveries.iter().map(|(result, count)| format!("{} {result}", grouped(*count))).collect();
    let started =
        if status.started_at.is_missing() { "the start".to_owned() } else { moment(&status.started_at) };
    let counted = pairs(
        &[
            ("events accepted", grouped(status.accepted)),
            ("events decided", grouped(status.decided)),
            ("sandboxes started", grouped(status.sandboxes)),
            ("invocations", deliveries.join(", ")),
            ("slowest events", slowest_text(&status.slowest)),
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
        customers => format!(", of {} customers", grouped(customers as u64)),
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

/// How many there are, and each whose value is missing with what to do.
fn secrets_text(secrets: &SecretsStatus) -> String {
    let named = grouped(secrets.named as u64);
    match secrets.unusable.as_slice() {
        [] if secrets.named == 0 => String::new(),
        [] => format!("{named}, all usable"),
        unusable => {
            let each = unusable.iter().map(|is| format!("{}: {}; {}", is.name, is.reason, is.next));
            let each = each.collect::<Vec<_>>().join(". ");
            format!("{} of {named} have no usable value. {each}", unusable.len())
        }
    }
}

fn audit_text(audit: &AuditStatus) -> String {
    match &audit.reason {
        None if audit.state.is_empty() => String::new(),
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
                "capabilities": [{"name": "crm", "calls": 1000, "p50_us": 21, "p99_us": 80, "failures": 0, "lag": 0}]}"#,
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
    fn followers_and_what_they_count_stand_below() {
        let status: Status = serde_json::from_str(
            r#"{"followers": [{"name": "field-changes", "state": "failed", "reason": "can't write it: full",
                    "failures": 3, "lag_records": 1200, "lag_ms": 2500, "since": "2026-10-01T00:00:00Z",
                    "missed": {"records": 2, "ranges": [{"first": "3-17", "last": "3-18",
                               "noticed_at": "2026-11-01T08:00:00Z"}]},
                    "rebuilt": {"at": "2026-10-20T10:00:00Z", "reason": "its file was damaged"}}],
                "field_changes": {"email": 310, "first_name": 1290, "unused": 0}}"#,
        )
        .unwrap();
        let text = status_text(&status, Paint(false));
        for line in [
            "field-changes  failed    1,200   2.5 s         3       2\n",
            "field-changes failed and tries again: can't write it: full\n",
            "field-changes missed 2 records that were removed from the log, the newest 3-17 to 3-18\n",
            "field-changes was rebuilt at 2026-10-20 10:00:00",
            "since 2026-10-01 00:00:00",
            "first_name    1,290\n",
            "email           310\n",
        ] {
            assert!(text.contains(line), "{line} is missing in {text}");
        }
        assert!(!text.contains("unused"), "{text}");
        let older: Status = serde_json::from_str("{}").unwrap();
        assert!(!status_text(&older, Paint(false)).contains("FOLLOWER"));
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
