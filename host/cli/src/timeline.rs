//! A timeline as a story: what happened, what it changed, who said what, who refused and why.

use samsyn_client::{Action, Outcome, TimelineItem};
use samsyn_contract::{EFFECT_NAMES, effect_verb};
use samsyn_terminal::output::{Paint, moment, plain, value_text};

/// One step of the story; steps are told in the order the host gives them, newest first.
pub fn item_text(item: &TimelineItem, paint: Paint) -> String {
    let when = item.decided_at.as_deref().map(moment).unwrap_or_default();
    let mut text = format!("{}  {}", paint.dim(&plain(&when)), headline(item, paint));
    let mut trail = item.position.clone();
    if let Some(cause) = item.cause.as_ref().filter(|cause| **cause != item.position) {
        trail.push_str(&format!(", because of {cause}"));
    }
    text.push_str(&format!("  {}\n", paint.dim(&plain(&trail))));
    for change in &item.changes {
        let change = format!(
            "{}: {} -> {}",
            plain(&change.field),
            plain(&value_text(&change.before)),
            plain(&value_text(&change.after))
        );
        text.push_str(&format!("    {}\n", paint.good(&change)));
    }
    for line in item.outcomes.iter().flat_map(|outcome| outcome_lines(outcome, paint)) {
        text.push_str(&format!("    {line}\n"));
    }
    text
}

fn headline(item: &TimelineItem, paint: Paint) -> String {
    let proposed = if item.proposed.is_empty() {
        String::new()
    } else {
        format!(", proposing {}", plain(&item.proposed.join(", ")))
    };
    let Some(event) = &item.event else {
        let what = match item.kind.as_str() {
            "change" => "values changed",
            "retry" => "retried",
            "assignment" => "the source changed",
            "offered" => "waiting proposals sent to the new source",
            other => other,
        };
        return format!("{}{proposed}", paint.strong(&plain(what)));
    };
    let name = paint.strong(&plain(&event.name));
    let who = match (item.kind.as_str(), &event.application) {
        ("emitted", _) => " (emitted by a capability)".to_owned(),
        ("retry", _) => " (retried)".to_owned(),
        ("change", _) => " (values changed)".to_owned(),
        (_, Some(application)) => format!(" from {}", plain(application)),
        (_, None) => String::new(),
    };
    let at = match &event.at {
        // Most events are told as they happen; only an older one's own time is news.
        Some(at) if item.decided_at.as_deref().is_none_or(|decided| day(decided) != day(at)) => {
            format!(" of {}", plain(&moment(at)))
        }
        _ => String::new(),
    };
    format!("{name}{who}{at}{proposed}")
}

fn day(moment: &str) -> &str {
    moment.get(..10).unwrap_or(moment)
}

/// What one capability made of an event, in lines; the first names it.
pub fn outcome_lines(outcome: &Outcome, paint: Paint) -> Vec<String> {
    let who = plain(&outcome.capability);
    let mut said = Vec::new();
    if !outcome.claims.is_empty() {
        let claims = outcome.claims.iter().map(|claim| {
            if claim.value.is_null() {
                format!("no {}", plain(&claim.field))
            } else {
                format!("{} = {}", plain(&claim.field), plain(&value_text(&claim.value)))
            }
        });
        said.push(format!("{} {}", effect_verb("set"), claims.collect::<Vec<_>>().join(", ")));
    }
    if !outcome.emitted.is_empty() {
        said.push(format!("{} {}", effect_verb("emit"), plain(&outcome.emitted.join(", "))));
    }
    said.extend(outcome.actions.iter().map(action_text));
    let mut lines = Vec::new();
    if outcome.result != "done" {
        let reason =
            outcome.reason.as_deref().map(|reason| format!(": {}", plain(reason))).unwrap_or_default();
        lines.push(paint.bad(&format!("{who} {}{reason}", result_text(&outcome.result))));
    }
    if !said.is_empty() {
        lines.push(format!("{who} {}", said.join(", ")));
    }
    for refusal in &outcome.refusals {
        let what = refusal.field.as_deref().unwrap_or("it");
        lines.push(paint.bad(&format!(
            "{who} {} {}: {} ({})",
            effect_verb("refuse"),
            plain(what),
            plain(&refusal.message),
            plain(&refusal.code)
        )));
    }
    if lines.is_empty() {
        let role =
            if outcome.role.is_empty() { String::new() } else { format!(" as {}", plain(&outcome.role)) };
        lines.push(paint.dim(&format!("{who} received it{role} and changed nothing")));
    }
    lines
}

/// An action, in the words of its kind; one that this command doesn't know keeps its name.
fn action_text(Action { action, subject, value }: &Action) -> String {
    let known = EFFECT_NAMES.contains(&action.as_str());
    let kind = if known { String::new() } else { format!("{} ", plain(action)) };
    let value = if value.is_null() { String::new() } else { format!(" = {}", plain(&value_text(value))) };
    format!("{} {kind}{}{value}", effect_verb(action), plain(subject))
}

fn result_text(result: &str) -> String {
    match result {
        "parked" => "failed, parked".to_owned(),
        "held" => "waits behind a parked invocation".to_owned(),
        "skipped" => "was skipped".to_owned(),
        "undeliverable" => "was not delivered".to_owned(),
        other => plain(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_reads_as_a_story() {
        let item: TimelineItem = serde_json::from_str(
            r#"{"position": "12-346", "decided_at": "2026-11-21T10:00:00Z", "cause": "12-345", "kind": "event",
                "event": {"id": "A1", "name": "order.completed", "at": "1997-01-01T00:00:00Z", "application": "web"},
                "proposed": ["phone"],
                "changes": [{"field": "loyalty.points", "before": null, "after": 29}],
                "outcomes": [
                  {"capability": "crm", "role": "source", "result": "done", "claims": [], "emitted": [],
                   "refusals": [{"field": "phone", "code": "phone.invalid", "message": "too short"}]},
                  {"capability": "loyalty", "role": "subscriber", "result": "done",
                   "claims": [{"field": "loyalty.points", "value": 29}], "refusals": [], "emitted": [],
                   "actions": [{"action": "wake", "subject": "birthday", "value": "2027-01-01"},
                               {"action": "remember", "subject": "a size", "value": null}]},
                  {"capability": "sms", "role": "subscriber", "result": "parked", "reason": "trap: out of bounds"},
                  {"capability": "email", "role": "observer", "result": "done"}]}"#,
        )
        .unwrap();
        assert_eq!(
            item_text(&item, Paint(false)),
            "2026-11-21 10:00:00  order.completed from web of 1997-01-01 00:00:00, proposing phone  \
             12-346, because of 12-345\n\
             \x20   loyalty.points: - -> 29\n\
             \x20   crm rejects phone: too short (phone.invalid)\n\
             \x20   loyalty claims loyalty.points = 29, asks for wake birthday = 2027-01-01, remembers a size\n\
             \x20   sms failed, parked: trap: out of bounds\n\
             \x20   email received it as observer and changed nothing\n"
        );
    }
}
