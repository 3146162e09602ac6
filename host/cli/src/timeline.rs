//! A timeline as a story: what happened, what it changed, what capabilities claimed, rejected and why.

use samsyn_contract::{effect, effect_verb};
use samsyn_terminal::output::{Paint, moment, plain, value_text};
use samsyn_wire::{ActionAsked, CallBegun, CallStep, DeliveryOutcome, TimelineStep, TimerStep};

/// One step of the story; steps are told in the order the host gives them, newest first.
pub fn item_text(item: &TimelineStep<'_>, paint: Paint) -> String {
    let when = moment(&item.decided_at);
    let mut text = format!("{}  {}", paint.dim(&plain(&when)), headline(item, paint));
    let mut trail = item.position.to_string();
    if !item.cause.is_empty() && item.cause != trail {
        trail.push_str(&format!(", because of {}", item.cause));
    }
    text.push_str(&format!("  {}\n", paint.dim(&plain(&trail))));
    for change in &item.changes {
        let change = format!(
            "{}: {} -> {}",
            plain(&change.field),
            plain(&value_text(&change.before.to_json())),
            plain(&value_text(&change.after.to_json()))
        );
        text.push_str(&format!("    {}\n", paint.good(&change)));
    }
    for line in item.outcomes.iter().flat_map(|outcome| outcome_lines(outcome, paint)) {
        text.push_str(&format!("    {line}\n"));
    }
    text
}

fn headline(item: &TimelineStep<'_>, paint: Paint) -> String {
    let proposed = if item.proposed.is_empty() {
        String::new()
    } else {
        format!(", proposing {}", plain(&item.proposed.join(", ")))
    };
    if let Some(TimerStep { capability, name, how }) = &item.timer {
        let ended = match &**how {
            "fired" => "was due",
            "cancelled" => "was cancelled before its turn",
            "removed" => "ended: its capability is no longer installed",
            other => other,
        };
        let timer = format!("timer {} of {}", plain(name), plain(capability));
        return format!("{} {}", paint.strong(&timer), plain(ended));
    }
    if let Some(CallStep { capability, endpoint, how, status, code }) = &item.call {
        let ended = match (&**how, status, code) {
            ("response", Some(status), _) => format!("answered {status}"),
            ("not-sent", _, Some(code)) => format!("was not sent: {}", plain(code)),
            ("unknown", _, Some(code)) => format!("ended unknown: {}", plain(code)),
            (other, ..) => plain(other),
        };
        let call = format!("the call of {} to {}", plain(capability), plain(endpoint));
        return format!("{} {ended}", paint.strong(&call));
    }
    let Some(event) = &item.event else {
        let what = match &*item.kind {
            "change" => "values changed",
            "retry" => "retried",
            "assignment" => "the source changed",
            "timer" => "a timer was due",
            "answer" => "a call was answered",
            "doubt" => "a call was in doubt",
            "offered" => "waiting proposals sent to the new source",
            other => other,
        };
        return format!("{}{proposed}", paint.strong(&plain(what)));
    };
    let name = paint.strong(&plain(&event.name));
    let origin = match (&*item.kind, &event.application) {
        ("emitted", _) => " (emitted by a capability)".to_owned(),
        ("retry", _) => " (retried)".to_owned(),
        ("change", _) => " (values changed)".to_owned(),
        (_, Some(application)) => format!(" from {}", plain(application)),
        (_, None) => String::new(),
    };
    // Most events are told as they happen; only an older one's own time is news.
    let (at, decided_at) = (event.at.to_string(), item.decided_at.to_string());
    let at = if event.at.is_missing() || day(&at) == day(&decided_at) {
        String::new()
    } else {
        format!(" of {}", plain(&moment(&at)))
    };
    format!("{name}{origin}{at}{proposed}")
}

fn day(moment: &str) -> &str {
    moment.get(..10).unwrap_or(moment)
}

/// What one capability made of an event, in lines; the first names it.
pub fn outcome_lines(outcome: &DeliveryOutcome<'_>, paint: Paint) -> Vec<String> {
    let capability = plain(&outcome.capability);
    let mut said = Vec::new();
    if !outcome.claims.is_empty() {
        let claims = outcome.claims.iter().map(|claim| {
            if claim.value.is_null() {
                format!("no {}", plain(&claim.field))
            } else {
                format!("{} = {}", plain(&claim.field), plain(&value_text(&claim.value.to_json())))
            }
        });
        said.push(format!("{} {}", effect_verb("set"), claims.collect::<Vec<_>>().join(", ")));
    }
    if !outcome.emitted.is_empty() {
        said.push(format!("{} {}", effect_verb("emit"), plain(&outcome.emitted.join(", "))));
    }
    said.extend(outcome.actions.iter().map(action_text));
    said.extend(outcome.calls.iter().map(call_text));
    let mut lines = Vec::new();
    if outcome.result != "done" {
        let reason =
            outcome.reason.as_deref().map(|reason| format!(": {}", plain(reason))).unwrap_or_default();
        lines.push(paint.bad(&format!("{capability} {}{reason}", result_text(&outcome.result))));
    }
    if !said.is_empty() {
        lines.push(format!("{capability} {}", said.join(", ")));
    }
    for refusal in &outcome.refusals {
        let what = refusal.field.as_deref().unwrap_or("it");
        lines.push(paint.bad(&format!(
            "{capability} {} {}: {} ({})",
            effect_verb("refuse"),
            plain(what),
            plain(refusal.message.as_deref().unwrap_or_default()),
            plain(&refusal.code)
        )));
    }
    if lines.is_empty() {
        let role =
            if outcome.role.is_empty() { String::new() } else { format!(" as {}", plain(&outcome.role)) };
        lines.push(paint.dim(&format!("{capability} received it{role} and changed nothing")));
    }
    lines
}

/// An action, in the words of its kind; one that this command doesn't know keeps its name.
fn action_text(ActionAsked { action, subject, value }: &ActionAsked<'_>) -> String {
    let known = effect(action).is_some();
    let value = value.to_json();
    let kind = if known { String::new() } else { format!("{} ", plain(action)) };
    let value = if value.is_null() { String::new() } else { format!(" = {}", plain(&value_text(&value))) };
    format!("{} {kind}{}{value}", effect_verb(action), plain(subject))
}

fn call_text(CallBegun { endpoint, method, path, silent }: &CallBegun<'_>) -> String {
    let silent = if *silent { ", not sent" } else { "" };
    format!("calls {}: {} {}{silent}", plain(endpoint), plain(method), plain(path))
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
        let item: TimelineStep<'_> = serde_json::from_str(
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

    /// A step of this kind, as a host writes it.
    fn step_text(kind: &str, event: Option<&str>) -> String {
        let step = serde_json::json!({
            "position": "12-346", "decided_at": "2026-11-21T10:00:00Z", "cause": "12-346", "kind": kind,
            "event": event.map(|name| serde_json::json!({ "id": "A1", "name": name, "at": "2026-11-21T10:00:00Z",
                                                          "application": null })),
            "proposed": [], "changes": [], "outcomes": [],
        });
        let step: TimelineStep<'_> = serde_json::from_value(step).unwrap();
        item_text(&step, Paint(false))
    }

    #[test]
    fn each_of_the_seven_kinds_of_steps_has_its_words() {
        for (kind, event, words) in [
            ("event", Some("order.completed"), "order.completed  12-346"),
            (
                "emitted",
                Some("loyalty.tier_reached"),
                "loyalty.tier_reached (emitted by a capability)  12-346",
            ),
            ("change", None, "values changed  12-346"),
            ("assignment", None, "the source changed  12-346"),
            ("offered", None, "waiting proposals sent to the new source  12-346"),
            ("retry", None, "retried  12-346"),
            ("timer", None, "a timer was due  12-346"),
        ] {
            assert_eq!(step_text(kind, event), format!("2026-11-21 10:00:00  {words}\n"), "{kind}");
        }
    }

    #[test]
    fn a_timer_is_told_by_its_name() {
        for (how, words) in [
            ("fired", "timer inactive of loyalty was due"),
            ("cancelled", "timer inactive of loyalty was cancelled before its turn"),
            ("removed", "timer inactive of loyalty ended: its capability is no longer installed"),
        ] {
            let step: TimelineStep<'_> = serde_json::from_value(serde_json::json!({
                "position": "12-346", "decided_at": "2026-11-21T10:00:00Z", "cause": "12-346", "kind": "timer",
                "timer": { "capability": "loyalty", "name": "inactive", "how": how },
            }))
            .unwrap();
            assert_eq!(item_text(&step, Paint(false)), format!("2026-11-21 10:00:00  {words}  12-346\n"));
        }
    }

    #[test]
    fn a_step_of_a_newer_host_is_shown_as_it_came() {
        assert_eq!(step_text("contact", None), "2026-11-21 10:00:00  contact  12-346\n");
        let step: TimelineStep<'_> = serde_json::from_value(serde_json::json!({
            "position": "intake-7", "decided_at": "soon", "cause": "intake-7", "kind": "contact", "gate": { "passed": true },
            "outcomes": [{ "capability": "sms", "role": "channel", "result": "stopped", "reason": "quiet hours" }],
        }))
        .unwrap();
        assert_eq!(item_text(&step, Paint(false)), "soon  contact  intake-7\n    sms stopped: quiet hours\n");
    }
}
