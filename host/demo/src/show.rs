//! The summary as text for people.

use std::fmt::Write;

use super::membership::MembershipCounts;
use super::owning::Owning;
use super::summary::{Cause, Disagreement, Portrait, Refusal, Summary};
use samsyn_terminal::output::{Paint, Table, bytes, grouped, moment, pairs, value_text};

/// Everything, section by section: what a customer sees, what was found and what was refused, then what an
/// administrator does; numbers last.
pub fn text(summary: &Summary, paint: Paint) -> String {
    let mut text = String::new();
    let mut section = |title: &str, body: String| {
        let _ = write!(text, "\n{}\n{body}", paint.strong(title));
    };
    match &summary.profile {
        Some(profile) => section(
            &format!("What customer {} sees: every value, its source and its cause", profile.customer_id),
            portrait(profile, paint),
        ),
        None => {
            section("A customer", "too few purchases for one with a story: try --events 2000\n".to_owned())
        }
    }
    match &summary.disagreement {
        Some(found) => section(
            &format!("What was found: two capabilities disagree about customer {}", found.customer_id),
            disagreement(found, paint),
        ),
        None => section("A disagreement", "none among so few customers: try --events 2000\n".to_owned()),
    }
    match &summary.refusal {
        Some(found) => section(
            &format!("What was rejected: a proposal of customer {}", found.customer_id),
            refusal(found, paint),
        ),
        None => section("A rejection", "none among so few customers: try --events 2000\n".to_owned()),
    }
    if let Some(owning) = &summary.owning {
        section("What an administrator does with it", owned(owning, paint));
    }
    if let Some(found) = &summary.membership {
        section("What was sent to the membership system (tier-sync)", membership(found, paint));
    }
    section("Who owns which data point", ownership(summary, paint));
    section("What it took", counts(summary, paint));
    section("What an invocation costs (fresh sandbox each)", latencies(summary, paint));
    text
}

fn counts(summary: &Summary, paint: Paint) -> String {
    let measured = &summary.measured;
    let events = format!(
        "{} accepted: {} real purchases and {} synthetic companion events (seed {})",
        grouped(measured.accepted),
        grouped(measured.purchases),
        grouped(measured.synthetic),
        measured.seed
    );
    let refused = if measured.refused > 0 { grouped(measured.refused) } else { String::new() };
    let rate = format!(
        "{} events a second over HTTP, decided and on disk ({:.1} s)",
        grouped(measured.events_per_second),
        measured.decided_seconds
    );
    let decided = summary.accept_to_decided_p99_us.map(|p99| {
        let p50 = microseconds(summary.accept_to_decided_p50_us);
        format!("half within {p50}, 99 of 100 within {}", microseconds(Some(p99)))
    });
    let results: Vec<String> = summary
        .deliveries
        .iter()
        .filter(|(_, count)| **count > 0)
        .map(|(result, count)| format!("{} {}", grouped(*count), result))
        .collect();
    pairs(
        &[
            ("events", events),
            ("rejected", refused),
            ("speed", rate),
            ("accept to decided", decided.unwrap_or_default()),
            ("profiles", grouped(summary.profiles)),
            ("sandboxes started", grouped(summary.sandboxes)),
            ("invocations", results.join(", ")),
            ("memory", summary.rss_bytes.map(bytes).unwrap_or_default()),
        ],
        paint,
    )
}

fn latencies(summary: &Summary, paint: Paint) -> String {
    let mut table = Table::new(["CAPABILITY", "INVOCATIONS", "P50", "P99", "FAILED"]).right(&[1, 2, 3, 4]);
    for found in &summary.capabilities {
        table.row([
            found.name.clone(),
            grouped(found.calls),
            microseconds(found.p50_us),
            microseconds(found.p99_us),
            grouped(found.failures),
        ]);
    }
    table.render(paint)
}

fn ownership(summary: &Summary, paint: Paint) -> String {
    let mut table = Table::new(["FIELD", "TYPE", "SOURCE", "ALSO CLAIMED BY", "READ BY"]);
    for found in &summary.fields {
        table.row([
            found.field.clone(),
            found.r#type.clone(),
            found.source.clone().unwrap_or_else(|| "-".to_owned()),
            found.also_claimed_by.join(", "),
            found.read_by.join(", "),
        ]);
    }
    table.render(paint)
}

fn portrait(found: &Portrait, paint: Paint) -> String {
    let mut table = Table::new(["FIELD", "VALUE", "SOURCE", "CAUSE", "HAPPENED", ""]);
    for point in &found.values {
        table.row([
            point.field.clone(),
            moment(&value_text(&point.value)),
            point.source.clone(),
            cause(&point.cause),
            moment(&point.cause.at),
            label(&point.cause),
        ]);
    }
    table.render(paint)
}

fn disagreement(found: &Disagreement, paint: Paint) -> String {
    let mut table = Table::new(["FIELD", "SAYS", "VALUE", "", "CAUSE", "HAPPENED", ""]);
    for claim in &found.claims {
        table.row([
            found.field.clone(),
            claim.by.clone(),
            value_text(&claim.value),
            if claim.visible {
                "the value: its source".to_owned()
            } else {
                "a claim that admins see".to_owned()
            },
            cause(&claim.cause),
            moment(&claim.cause.at),
            label(&claim.cause),
        ]);
    }
    table.render(paint)
}

fn refusal(found: &Refusal, paint: Paint) -> String {
    pairs(
        &[
            (
                "proposed",
                format!(
                    "{} = {:?}, in {} (synthetic)",
                    found.field,
                    value_text(&found.proposed),
                    found.event
                ),
            ),
            ("rejected by", format!("{}, {}", found.source, found.code)),
            ("because", found.message.clone()),
            ("event", found.event_id.clone()),
        ],
        paint,
    )
}

fn membership(found: &MembershipCounts, paint: Paint) -> String {
    let sent = format!(
        "{} customers in {} requests; {} times it asked for patience, {} customers it doesn't know",
        grouped(found.sent),
        grouped(found.requests),
        grouped(found.put_off),
        grouped(found.unknown)
    );
    let agrees = format!(
        "{} customers; {} have a trouble, {} wait",
        grouped(found.agree),
        grouped(found.trouble),
        grouped(found.wait)
    );
    pairs(&[("was sent", sent), ("agrees about", agrees)], paint)
}

fn owned(owning: &Owning, paint: Paint) -> String {
    let mut lines: Vec<(&str, String)> = Vec::new();
    if let Some(found) = &owning.disagreements {
        let [one, other] = &found.between;
        lines.push((
            "compares",
            format!(
                "{}: {one} and {other} agree on {} customers and differ on {}",
                found.field,
                grouped(found.agree),
                grouped(found.differ)
            ),
        ));
    }
    if let Some(plan) = &owning.plan {
        let name = |source: &Option<String>| source.clone().unwrap_or_else(|| "nobody".to_owned());
        lines.push((
            "plans",
            format!(
                "{} from {} to {}: {} customers would get another value, {} would keep theirs (a dry run)",
                plan.field,
                name(&plan.from),
                name(&plan.to),
                grouped(plan.changed),
                grouped(plan.inherited)
            ),
        ));
    }
    if let Some(made) = &owning.proposal {
        lines.push((
            "is answered",
            format!(
                "customer {} proposes {} = {:?}: {} by {}, {:?}",
                made.customer_id,
                made.field,
                value_text(&made.proposed),
                made.outcome,
                made.source,
                value_text(&made.value)
            ),
        ));
    }
    if let Some(swap) = &owning.swap {
        let steps = swap.steps.iter().map(|(source, value)| format!("{} under {source}", value_text(value)));
        lines.push((
            "swaps",
            format!(
                "{} fields go to another register and back; {} of customer {}: {}",
                swap.fields,
                swap.field,
                swap.customer_id,
                steps.collect::<Vec<_>>().join(", ")
            ),
        ));
    }
    pairs(&lines, paint)
}

fn cause(cause: &Cause) -> String {
    if cause.event.is_empty() {
        return cause.position.clone();
    }
    let change = if cause.by_change { "the change by " } else { "" };
    let sender =
        if cause.application.is_empty() { String::new() } else { format!(" from {}", cause.application) };
    format!("{} {change}{}{sender}", cause.position, cause.event)
}

fn label(cause: &Cause) -> String {
    if cause.synthetic { "synthetic".to_owned() } else { String::new() }
}

/// The longest time that the host's histograms tell apart from longer ones.
const MEASURED_SECONDS_MAX: u64 = 5;

/// `6.4 µs`, `1.2 ms`, `> 5 s`.
fn microseconds(count: Option<f64>) -> String {
    match count {
        None => "-".to_owned(),
        Some(count) if count.is_infinite() => format!("> {MEASURED_SECONDS_MAX} s"),
        Some(count) if count < 1_000.0 => format!("{count:.1} µs"),
        Some(count) if count < 1_000_000.0 => format!("{:.1} ms", count / 1_000.0),
        Some(count) => format!("{:.2} s", count / 1_000_000.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::owning::{Agreement, Plan, Proposed, Swap};
    use crate::summary::{DataPoint, Latency, Measured, OneSays, Ownership};
    use serde_json::json;

    fn summary() -> Summary {
        let cause = Cause {
            position: "12-3".into(),
            event: "customer.registered".into(),
            application: "web".into(),
            at: "1997-01-01T10:00:00Z".into(),
            synthetic: true,
            by_change: false,
        };
        let point = DataPoint {
            field: "first_name".into(),
            value: json!("Anna"),
            source: "crm".into(),
            cause: cause.clone(),
        };
        let says = |by: &str, value: &str, visible| OneSays {
            by: by.into(),
            value: json!(value),
            visible,
            cause: cause.clone(),
        };
        Summary {
            measured: Measured {
                seed: 1,
                purchases: 69_659,
                synthetic: 60_000,
                accepted: 129_659,
                refused: 0,
                sent: 129_659,
                accepted_seconds: 5.0,
                decided_seconds: 6.0,
                events_per_second: 21_609,
            },
            profiles: 23_570,
            sandboxes: 250_000,
            deliveries: [("done".to_owned(), 250_000), ("parked".to_owned(), 0)].into(),
            accept_to_decided_p50_us: Some(740.0),
            accept_to_decided_p99_us: Some(12_000.0),
            rss_bytes: Some(250 << 20),
            capabilities: vec![Latency {
                name: "crm".into(),
                calls: 9,
                p50_us: Some(8.25),
                p99_us: Some(1_500.0),
                failures: 0,
            }],
            fields: vec![Ownership {
                field: "country".into(),
                r#type: "text".into(),
                source: Some("crm".into()),
                also_claimed_by: vec!["sms".into()],
                read_by: vec![],
            }],
            profile: Some(Portrait { customer_id: "00042".into(), profile: "p".into(), values: vec![point] }),
            disagreement: Some(Disagreement {
                customer_id: "00007".into(),
                field: "country".into(),
                claims: vec![says("crm", "SE", true), says("sms", "DE", false)],
            }),
            refusal: Some(Refusal {
                event_id: "synthetic:1:00009:1".into(),
                event: "customer.registered".into(),
                customer_id: "00009".into(),
                field: "email".into(),
                proposed: json!("anna@@example.com"),
                source: "crm".into(),
                code: "email.invalid".into(),
                message: "An e-mail address has only one @.".into(),
            }),
            owning: Some(Owning {
                disagreements: Some(Agreement {
                    field: "country".into(),
                    between: ["crm".into(), "sms".into()],
                    both: 1_500,
                    agree: 1_488,
                    differ: 12,
                }),
                plan: Some(Plan {
                    field: "country".into(),
                    from: Some("crm".into()),
                    to: Some("sms".into()),
                    changed: 12,
                    inherited: 2_000,
                }),
                proposal: Some(Proposed {
                    customer_id: "00042".into(),
                    field: "first_name".into(),
                    proposed: json!("  Anna "),
                    outcome: "accepted-in-another-form".into(),
                    source: "crm".into(),
                    value: json!("Anna"),
                }),
                swap: Some(Swap {
                    customer_id: "00042".into(),
                    field: "marketing_opted_out".into(),
                    fields: 6,
                    steps: vec![("crm".into(), json!(true)), ("service-desk".into(), json!(true))],
                }),
            }),
            membership: Some(MembershipCounts {
                sent: 1_670,
                requests: 1_702,
                put_off: 17,
                unknown: 3,
                agree: 1_667,
                trouble: 3,
                wait: 0,
            }),
        }
    }

    #[test]
    fn everything_a_newcomer_looks_for_is_there() {
        let text = text(&summary(), Paint(false));
        for expected in [
            "21,609 events a second",
            "23,570",
            "250,000 done",
            "8.2 µs",
            "1.5 ms",
            "half within 740.0 µs, 99 of 100 within 12.0 ms",
            "country  text  crm     sms",
            "first_name  Anna   crm     12-3 customer.registered from web  1997-01-01 10:00:00  synthetic",
            "country  sms   DE     a claim that admins see",
            "An e-mail address has only one @.",
            "country: crm and sms agree on 1,488 customers and differ on 12",
            "country from crm to sms: 12 customers would get another value, 2,000 would keep theirs (a dry run)",
            "proposes first_name = \"  Anna \": accepted-in-another-form by crm, \"Anna\"",
            "marketing_opted_out of customer 00042: true under crm, true under service-desk",
            "1,670 customers in 1,702 requests; 17 times it asked for patience, 3 customers it doesn't know",
            "1,667 customers; 3 have a trouble, 0 wait",
        ] {
            assert!(text.contains(expected), "{expected:?} is not in:\n{text}");
        }
        assert!(!text.contains("parked"), "what there is none of isn't shown:\n{text}");
    }

    #[test]
    fn what_a_small_demo_lacks_is_said() {
        let text =
            text(&Summary { profile: None, disagreement: None, refusal: None, ..summary() }, Paint(false));
        assert_eq!(text.matches("try --events 2000").count(), 3);
    }
}
