//! A plug-in that does what an event's script tells it, so that one component serves all tests of
//! the host. A script is a list of commands, each a word and its arguments:
//!
//! | command | effect |
//! |---|---|
//! | `text FIELD VALUE`, `integer FIELD VALUE`, `boolean FIELD VALUE` | sets a field |
//! | `clear FIELD` | clears it |
//! | `add FIELD` | sets it to one more than the profile shows |
//! | `copy FROM FIELD` | sets a text field to what the profile shows of another, `-` for nothing |
//! | `remember TEXT`, `forget` | changes the memory |
//! | `recall FIELD` | sets a text field to the memory, `-` for none |
//! | `emit NAME COMMAND…` | emits an event whose script is one command |
//! | `refuse CODE` | refuses the delivery |
//! | `see FIELD` | sets a text field to everything the handler was given |
//! | `timer NAME MILLISECONDS` | sets a timer so long after the event was received |
//! | `cancel NAME` | cancels a timer |
//! | `call ENDPOINT METHOD PATH [BODY]` | begins a call that notes its path |
//! | `row ENDPOINT NOTE JSON` | gives a row with a note |
//! | `fail MESSAGE`, `panic MESSAGE`, `loop` | fails |
//!
//! A timer that is due is counted in `probe.count` and added to `probe.seen` with its lateness in milliseconds.
//! One whose name starts with `again` is set again for the same moment, `fail` fails, and `ping` emits an event.
//!
//! An answer is added to `probe.seen` as `PATH=STATUS`, `PATH=not-sent CODE` or `PATH=unknown CODE`, and counted. One to
//! a path that ends with `fail` fails, with `more` calls the path without it, with `wait` sets the timer `told`.
//!
//! A doubt is looked up at the call's own path, and not at all when that ends with `blind`. A look-up's answer 200 is
//! found, 404 absent, another one tells nothing, and 418 fails.
//!
//! Proposed values are taken as they are, but for texts that start with `!`: `!refuse` is refused,
//! `!shout X` becomes `X` in capitals, `!panic` panics, `!silent` gets no answer.

use samsyn_plugin::{
    Answer, Caller, Change, Effects, Error, Event, Finding, Judge, Memory, Observer, Prober, Profile,
    Proposal, Response, Settings, Source, Subscriber, Timed, Timestamp, Value,
};
use serde::{Deserialize, Serialize};

/// The plug-in.
pub struct Probe;

#[derive(Serialize, Deserialize)]
struct Note(String);

impl Memory for Note {
    const VERSION: u8 = 1;
}

impl Subscriber for Probe {
    fn on_event(event: &Event, profile: &Profile, _: &Settings, effects: &mut Effects) -> Result<(), Error> {
        let Some(script) = event.property("script").and_then(Value::as_texts) else {
            return Ok(());
        };
        for command in script {
            run(command, Some(event), profile, effects)?;
        }
        Ok(())
    }
}

impl Source for Probe {
    fn on_proposal(
        proposals: &[Proposal],
        _: &Profile,
        _: &Settings,
        effects: &mut Effects,
    ) -> Result<(), Error> {
        for proposal in proposals {
            match (proposal.text(), &proposal.value) {
                (Some("!refuse"), _) => {
                    effects.refuse(&proposal.field, "probe.refused", "The probe was told to.")?
                }
                (Some("!panic"), _) => panic!("the probe was told to panic"),
                (Some("!silent"), _) => {}
                (Some(text), _) if text.starts_with("!shout ") => {
                    effects.set(&proposal.field, text[7..].to_uppercase())?;
                }
                (_, Some(value)) => effects.set(&proposal.field, value.clone())?,
                (_, None) => effects.clear(&proposal.field)?,
            }
        }
        Ok(())
    }
}

impl Observer for Probe {
    fn on_change(
        changes: &[Change],
        _: Timestamp,
        _: &Profile,
        _: &Settings,
        effects: &mut Effects,
    ) -> Result<(), Error> {
        let seen: Vec<String> = changes
            .iter()
            .map(|change| format!("{}={}", change.field, shown(change.after.as_ref())))
            .collect();
        effects.set("probe.seen", seen.join(" "))?;
        Ok(())
    }
}

impl Timed for Probe {
    fn on_timer(
        name: &str,
        due: Timestamp,
        now: Timestamp,
        profile: &Profile,
        _: &Settings,
        effects: &mut Effects,
    ) -> Result<(), Error> {
        if name.starts_with("fail") {
            return Err(Error::other(name));
        }
        if name.starts_with("again") {
            effects.set_timer(name, now)?;
        }
        if name.starts_with("ping") {
            effects.emit(
                "probe.pinged",
                [("script", Value::Texts(vec!["text probe.note pinged".to_owned()]))],
            )?;
        }
        let seen = profile.text("probe.seen").unwrap_or_default();
        let late = now.millis() - due.millis();
        effects.set("probe.seen", format!("{seen} {name}+{late}").trim_start())?;
        effects.set("probe.count", profile.integer("probe.count").unwrap_or(0) + 1)?;
        Ok(())
    }
}

impl Caller for Probe {
    fn on_answer(
        endpoint: &str,
        answer: &Answer,
        note: Option<&[u8]>,
        at: Timestamp,
        profile: &Profile,
        _: &Settings,
        effects: &mut Effects,
    ) -> Result<(), Error> {
        let path = note.and_then(|note| std::str::from_utf8(note).ok()).unwrap_or_default();
        if path.ends_with("fail") {
            return Err(Error::other(path));
        }
        if let Some(next) = path.strip_suffix("more") {
            effects.call(endpoint, "GET", next)?.note(next)?;
        }
        if path.ends_with("wait") {
            effects.set_timer("told", Timestamp::from_millis(at.millis() + 60_000))?;
        }
        let code = |why: &str| why.split(':').next().unwrap_or_default().to_owned();
        let ended = match answer {
            Answer::Response(response) => response.status.to_string(),
            Answer::NotSent(why) => format!("not-sent {}", code(why)),
            Answer::Unknown(why) => format!("unknown {}", code(why)),
        };
        let seen = profile.text("probe.seen").unwrap_or_default();
        effects.set("probe.seen", format!("{seen} {path}={ended}").trim_start())?;
        effects.set("probe.count", profile.integer("probe.count").unwrap_or(0) + 1)?;
        Ok(())
    }
}

impl Prober for Probe {
    fn on_doubt(
        endpoint: &str,
        note: Option<&[u8]>,
        _: &Profile,
        _: &Settings,
        effects: &mut Effects,
    ) -> Result<(), Error> {
        let path = std::str::from_utf8(note.unwrap_or_default()).map_err(Error::other)?;
        if !path.ends_with("blind") {
            effects.call(endpoint, "GET", path)?.note("look-up")?;
        }
        Ok(())
    }
}

impl Judge for Probe {
    fn on_lookup(
        answer: &Response,
        _: Option<&[u8]>,
        _: &Profile,
        _: &Settings,
        _: &mut Effects,
    ) -> Result<Finding, Error> {
        match answer.status {
            200 => Ok(Finding::Found),
            404 => Ok(Finding::Absent),
            418 => Err(Error::other("the probe was told to")),
            _ => Ok(Finding::Unknown),
        }
    }
}

fn run(command: &str, event: Option<&Event>, profile: &Profile, effects: &mut Effects) -> Result<(), Error> {
    let (word, rest) = command.split_once(' ').unwrap_or((command, ""));
    let (field, value) = rest.split_once(' ').unwrap_or((rest, ""));
    match word {
        "text" => effects.set(field, value)?,
        "integer" => effects.set(field, value.parse::<i64>().map_err(Error::other)?)?,
        "boolean" => effects.set(field, value == "true")?,
        "clear" => effects.clear(field)?,
        "add" => effects.set(field, profile.integer(field).unwrap_or(0) + 1)?,
        "copy" => effects.set(value, shown(profile.get(field)))?,
        "remember" => effects.remember(&Note(rest.to_owned()))?,
        "forget" => effects.forget()?,
        "recall" => {
            let note = profile.memory::<Note>()?;
            effects.set(field, note.map_or_else(|| "-".to_owned(), |note| note.0))?;
        }
        "emit" => effects.emit(field, [("script", Value::Texts(vec![value.to_owned()]))])?,
        "refuse" => effects.refuse_all(field, "The probe was told to.")?,
        "see" => effects.set(field, format!("{event:?} {profile:?}"))?,
        "timer" => {
            let received_at = event.map_or_else(Timestamp::default, |event| event.received_at());
            let after = value.parse::<i64>().map_err(Error::other)?;
            effects.set_timer(field, Timestamp::from_millis(received_at.millis() + after))?;
        }
        "cancel" => effects.cancel_timer(rest)?,
        "call" => {
            let (method, rest) = value.split_once(' ').unwrap_or((value, ""));
            let (path, body) = rest.split_once(' ').map_or((rest, None), |(path, body)| (path, Some(body)));
            let call = effects.call(field, method, path)?.note(path)?;
            if let Some(body) = body {
                call.body("text/plain", body)?;
            }
        }
        "row" => {
            let (note, row) = value.split_once(' ').unwrap_or((value, ""));
            effects.row(field, row)?.note(note)?;
        }
        "fail" => return Err(Error::other(rest)),
        "panic" => panic!("{rest}"),
        "loop" => loop {
            std::hint::spin_loop();
        },
        other => return Err(Error::other(format!("{other} is no command of the probe"))),
    }
    Ok(())
}

fn shown(value: Option<&Value>) -> String {
    match value {
        None => "-".to_owned(),
        Some(Value::Text(text)) => text.clone(),
        Some(Value::Integer(number)) => number.to_string(),
        Some(Value::Boolean(boolean)) => boolean.to_string(),
        Some(other) => format!("{other:?}"),
    }
}

samsyn_plugin::export!(Probe: Subscriber, Source, Observer, Timed, Caller, Prober, Judge);

#[cfg(test)]
mod tests {
    use super::*;
    use samsyn_plugin::testing::{Host, event};

    #[test]
    fn a_script_is_done_in_order() {
        let host = Host::from_manifest(include_str!("../plugin.toml"));
        let mut customer = host.customer();
        let script = vec!["integer probe.count 4".to_owned(), "text probe.note a b".to_owned()];
        let run = customer.on_event::<Probe>(&event("probe.asked").property("script", Value::Texts(script)));
        assert_eq!(run.claim("probe.count"), Some(&4.into()));
        assert_eq!(run.claim("probe.note"), Some(&"a b".into()));
    }
}
