//! `samsyn event`: send one, import many, see what became of one and what was refused.

use std::io::Read;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use samsyn_wire::request::{NewEvent, NewEventList};
use samsyn_wire::{Event, SentEvent};
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use super::profile::conflicts_text;
use super::refusals::{self, RefusalsArgs};
use super::timeline::outcome_lines;
use samsyn_client::Client;
use samsyn_import::command::{self as import_command, ImportArgs};
use samsyn_terminal::context::Context;
use samsyn_terminal::error::{CliError, file_error};
use samsyn_terminal::input::{Pair, Typewritten, guessed, proposals, texts};
use samsyn_terminal::output::{Paint, Table, moment, pairs, plain, value_text};
use samsyn_vocabulary::{Members, Timestamp};

/// An event read from a file; the host's own limit is 32 KiB.
const EVENT_BYTES_MAX: u64 = 1024 * 1024;

/// The commands of `samsyn event`.
#[derive(Debug, Subcommand)]
pub enum EventCommand {
    /// Send one event
    #[command(after_long_help = SEND_EXAMPLES)]
    Send(SendArgs),
    /// Import a file of events, each exactly once
    #[command(after_long_help = IMPORT_EXAMPLES)]
    Import(ImportArgs),
    /// Show an event and the result of each capability
    #[command(after_long_help = SHOW_EXAMPLES)]
    Show(ShowArgs),
    /// List what capabilities rejected
    #[command(after_long_help = refusals::EXAMPLES)]
    Refusals(RefusalsArgs),
}

const SEND_EXAMPLES: &str = "\
Examples:
  samsyn event send --name order.completed --identifier customer_id=00042 \\
      --property order_id=A1 --property amount=29.33 --property currency=USD --wait
  samsyn event send --name profile.updated --identifier customer_id=00042 --propose email=a@b.example
  echo '{\"name\": \"email.opened\", \"identifiers\": {\"customer_id\": \"00042\"}}' | samsyn event send

With --wait the exit code is 1 if a capability rejected the event or a proposed value.";

const IMPORT_EXAMPLES: &str = "\
Examples:
  samsyn event import orders.jsonl
  samsyn event import examples/data/cdnow-purchases.txt.gz --map examples/cdnow-mapping.toml
  samsyn event import orders.csv --map orders.toml --preview 3
  zcat *.jsonl.gz | samsyn event import - --label november

Importing the same file twice adds nothing, as long as the host remembers the ids: a row's id comes from
the file's digest and the row's line number. So if an import stops, run it again. The command writes
rejected rows to a file with the reason: correct that file and import it. At the end it counts what
capabilities rejected of accepted events. docs/import.md explains more.";

const SHOW_EXAMPLES: &str = "\
Examples:
  samsyn event show A1-placed
  samsyn event show 12-345";

/// The arguments of `samsyn event send`.
#[derive(Debug, Clone, Args)]
pub struct SendArgs {
    /// The event's name, such as order.completed; without it the command reads the event as JSON
    #[arg(long, value_name = "NAME", conflicts_with = "file")]
    pub name: Option<String>,
    /// The customer's identifier; may be repeated
    #[arg(long, short, value_name = "NAME=VALUE", requires = "name")]
    pub identifier: Vec<Pair>,
    /// The customer's profile, instead of an identifier
    #[arg(long, value_name = "ID", requires = "name")]
    pub profile: Option<String>,
    /// A property; a value that is valid JSON is sent as JSON; may be repeated
    #[arg(long, short, value_name = "NAME=VALUE", requires = "name")]
    pub property: Vec<Pair>,
    /// A value to propose for a field, null to clear it; may be repeated
    #[arg(long, value_name = "FIELD=VALUE", requires = "name")]
    pub propose: Vec<Pair>,
    /// When it happened, RFC 3339 [default: now]
    #[arg(long, value_name = "TIME", requires = "name")]
    pub at: Option<Timestamp>,
    /// The event's id; the host accepts an id only once
    #[arg(long, value_name = "ID", requires = "name")]
    pub id: Option<String>,
    /// A file with the event as JSON [default: stdin, also -]
    #[arg(long, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Wait for the decision, for this many seconds (1 to 30)
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, require_equals = true, default_missing_value = "5",
          value_parser = clap::value_parser!(u32).range(1..=30))]
    pub wait: Option<u32>,
}

/// The arguments of `samsyn event show`.
#[derive(Debug, Clone, Args)]
pub struct ShowArgs {
    /// The event's id (of --application), or its position such as 12-345
    pub id: String,
}

/// Runs a command of `samsyn event`.
pub fn run(command: &EventCommand, context: &Context) -> Result<(), CliError> {
    match command {
        EventCommand::Send(args) => send(args, context),
        EventCommand::Import(args) => import_command::run(args, context),
        EventCommand::Show(args) => show(args, context),
        EventCommand::Refusals(args) => refusals::run(args, context),
    }
}

fn send(args: &SendArgs, context: &Context) -> Result<(), CliError> {
    let client = context.client()?;
    let event = match &args.name {
        Some(name) => from_flags(name, args, &client)?,
        None => from_json(args.file.as_deref())?,
    };
    let answer = client.send_event(&event, args.wait)?;
    context.answer(&answer.raw, |paint| sent_text(&answer.body, args.wait.is_some(), paint))?;
    if answer.body.event.is_refused() { Err(refused(&answer.body.event)) } else { Ok(()) }
}

/// That something of an event was refused, and why: the event is taken, but not as it was meant.
pub fn refused(event: &Event<'_>) -> CliError {
    let name = if event.name.is_empty() { "the event" } else { &event.name };
    let mut error = CliError::refused(format!("{name} is accepted, but a part of it was rejected"));
    for (field, outcome) in event.fields.iter().filter(|(_, outcome)| outcome.is_refused()) {
        error = error.because(format!("{field}: {}", outcome.why()));
    }
    // What a source said of a proposal is told of its field.
    for outcome in event.outcomes.iter().filter(|outcome| outcome.role != "source") {
        for refusal in &outcome.refusals {
            let what = refusal.field.as_deref().unwrap_or("it");
            let message = refusal.message.as_deref().unwrap_or_default();
            let why = format!("{} rejects {what}: {message} ({})", outcome.capability, refusal.code);
            error = error.because(why);
        }
    }
    error.next("correct the event and send it with another id")
}

fn from_flags(name: &str, args: &SendArgs, client: &Client) -> Result<Box<RawValue>, CliError> {
    if args.identifier.is_empty() && args.profile.is_none() {
        return Err(CliError::usage("the event has no customer")
            .next("add --identifier customer_id=00042, or --profile ID"));
    }
    let object = |object: Typewritten| (!object.is_empty()).then(|| raw(&object)).transpose();
    let event = NewEvent {
        id: args.id.as_ref().map(raw).transpose()?,
        name: Some(raw(&name)?),
        at: args.at.as_ref().map(raw).transpose()?,
        profile: args.profile.as_ref().map(raw).transpose()?,
        identifiers: object(texts(&args.identifier)?)?,
        properties: object(guessed(&args.property)?)?,
        proposes: object(proposals(&args.propose, client)?)?,
    };
    raw(&event)
}

fn raw(value: &impl Serialize) -> Result<Box<RawValue>, CliError> {
    to_raw_value(value).map_err(CliError::usage_of)
}

/// An event as it stands in a file: it is sent as it was written.
fn from_json(file: Option<&Path>) -> Result<Box<RawValue>, CliError> {
    let path = file.unwrap_or(Path::new("-"));
    let reader = samsyn_import::source::open(path).map_err(|cause| file_error("read", path, &cause))?;
    let mut text = String::new();
    reader
        .take(EVENT_BYTES_MAX + 1)
        .read_to_string(&mut text)
        .map_err(|cause| file_error("read", path, &cause))?;
    if text.len() as u64 > EVENT_BYTES_MAX {
        return Err(CliError::usage(format!("{} is longer than {EVENT_BYTES_MAX} bytes", path.display()))
            .next("an event has at most 32 KiB; send many with samsyn event import"));
    }
    // A mark of UTF-8 is no part of the event.
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let event: &RawValue = serde_json::from_str(text).map_err(|cause| {
        CliError::usage("this is not an event in JSON")
            .because(cause)
            .next("samsyn event send --help shows one")
    })?;
    let is_list = event.get().starts_with('[');
    let members = serde_json::from_str::<Members<'_>>(event.get());
    if is_list || members.is_ok_and(|members| NewEventList::of(&members).is_some()) {
        return Err(CliError::usage("this is a list of events").next("send many with samsyn event import"));
    }
    Ok(event.to_owned())
}

fn show(args: &ShowArgs, context: &Context) -> Result<(), CliError> {
    match context.client()?.event(&args.id)? {
        Some(answer) => context.answer(&answer.raw, |paint| event_text(&answer.body, false, false, paint)),
        None => {
            let of = context.application().map(|of| format!(" of application {of}")).unwrap_or_default();
            let next = "the host shows an event to the application that sent it; a token that reads everything sees \
                        every position, and an admin token may name another application with --application";
            Err(CliError::refused(format!("this token sees no event {:?}{of}", args.id)).next(next))
        }
    }
}

/// An event that was sent, and what became of it, as far as the answer says.
pub fn sent_text(sent: &SentEvent, waited: bool, paint: Paint) -> String {
    event_text(&sent.event, sent.duplicate, waited, paint)
}

/// An event and what became of it. Its state is empty when that isn't known.
pub fn event_text(event: &Event<'_>, is_duplicate: bool, waited: bool, paint: Paint) -> String {
    let mut id = event.id.to_string();
    if is_duplicate {
        id.push_str(" (the host has it already)");
    }
    let state = match &*event.state {
        "" if waited => "accepted, but not decided in time",
        "" => "accepted",
        state => state,
    };
    let mut text = pairs(
        &[
            ("event", event.name.to_string()),
            ("id", id),
            ("application", event.application.as_deref().unwrap_or_default().to_owned()),
            ("profile", event.profile.as_ref().map(ToString::to_string).unwrap_or_default()),
            ("position", event.position.to_string()),
            ("at", moment(&event.at)),
            ("received", moment(&event.received_at)),
            ("state", state.to_owned()),
        ],
        paint,
    );
    text.push_str(&conflicts_text(&event.conflicts));
    if !event.fields.is_empty() {
        let mut table = Table::new(["PROPOSED", "OUTCOME", "BY", "VALUE", "WHY"]);
        for (field, outcome) in &event.fields {
            let why = [outcome.code.as_deref(), outcome.message.as_deref()];
            table.row([
                field.to_string(),
                outcome.outcome.to_string(),
                outcome.source.as_deref().unwrap_or_default().to_owned(),
                outcome.value.as_ref().map_or_else(|| "-".to_owned(), |value| value_text(&value.to_json())),
                why.into_iter().flatten().collect::<Vec<_>>().join(": "),
            ]);
        }
        text.push_str(&format!("\n{}", table.render(paint)));
    }
    if !event.outcomes.is_empty() {
        text.push('\n');
        for line in event.outcomes.iter().flat_map(|outcome| outcome_lines(outcome, paint)) {
            text.push_str(&format!("{line}\n"));
        }
    }
    if event.is_unheard() {
        let name = plain(if event.name.is_empty() { "it" } else { &event.name });
        text.push_str(&format!("\nno installed capability subscribes to {name}\n"));
    }
    if event.state.is_empty() && !waited {
        let position = plain(&event.position.to_string());
        text.push_str(&format!("to see the result: samsyn event show {position}\n"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decided_event_tells_each_fields_outcome_and_each_capabilitys() {
        let event: Event<'_> = serde_json::from_str(
            r#"{"id": "A1", "application": "web", "name": "order.completed", "profile": "p", "position": "12-345",
                "at": "2026-11-21T10:00:00Z", "received_at": "2026-11-21T10:00:01Z", "state": "decided",
                "fields": {"phone": {"outcome": "refused", "source": "crm", "code": "phone.invalid", "message": "too short"}},
                "outcomes": [{"capability": "loyalty", "role": "subscriber", "result": "done", "position": "12-346",
                  "claims": [{"field": "loyalty.points", "value": 29}], "refusals": [],
                  "emitted": ["loyalty.tier_reached"], "reason": null}]}"#,
        )
        .unwrap();
        let text = event_text(&event, false, false, Paint(false));
        assert!(text.contains("state        decided\n"), "{text}");
        assert!(text.contains("phone     refused  crm  -      phone.invalid: too short\n"), "{text}");
        assert!(text.contains("loyalty claims loyalty.points = 29, emits loyalty.tier_reached\n"), "{text}");
    }

    #[test]
    fn a_refusal_is_an_error_with_each_reason_once() {
        let event: Event<'_> = serde_json::from_str(
            r#"{"id": "A1", "name": "order.completed", "position": "12-345", "state": "decided", "verdict": "refused",
                "fields": {"phone": {"outcome": "refused", "source": "crm", "code": "phone.invalid", "message": "Too short."},
                           "size": {"outcome": "no-answer", "source": "crm"},
                           "email": {"outcome": "accepted", "source": "crm"}},
                "outcomes": [
                  {"capability": "crm", "role": "source", "result": "done",
                   "refusals": [{"field": "phone", "code": "phone.invalid", "message": "Too short."}]},
                  {"capability": "loyalty", "role": "subscriber", "result": "done",
                   "refusals": [{"code": "order.amount", "message": "It must be more than 0."}]}]}"#,
        )
        .unwrap();
        assert!(event.is_refused());
        assert_eq!(
            refused(&event).render(false),
            "error: order.completed is accepted, but a part of it was rejected\n  \
             phone: Too short. (phone.invalid, by crm)\n  \
             size: no answer from its source crm\n  \
             loyalty rejects it: It must be more than 0. (order.amount)\n\
             next: correct the event and send it with another id\n"
        );
        let unheard: Event<'_> = serde_json::from_str(
            r#"{"id": "A1", "name": "order.compelted", "position": "1-2", "state": "decided", "verdict": "unheard"}"#,
        )
        .unwrap();
        assert!(!unheard.is_refused());
        assert!(
            event_text(&unheard, false, true, Paint(false))
                .contains("\nno installed capability subscribes to order.compelted\n")
        );
    }

    #[test]
    fn an_accepted_event_says_how_to_see_more() {
        let event: SentEvent =
            serde_json::from_str(r#"{"id": "A1", "profile": "p", "position": "1-2", "duplicate": true}"#)
                .unwrap();
        let text = sent_text(&event, false, Paint(false));
        assert!(text.contains("A1 (the host has it already)"), "{text}");
        assert!(text.ends_with("to see the result: samsyn event show 1-2\n"), "{text}");
    }
}
