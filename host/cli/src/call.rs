//! `samsyn call`: the calls of plug-ins to systems that wait for their answers, or that ended badly.

use clap::{Args, Subcommand, ValueEnum};

use samsyn_terminal::context::Context;
use samsyn_terminal::error::CliError;
use samsyn_terminal::output::{Paint, Table, moment, plain};
use samsyn_vocabulary::{CapabilityName, EndpointName, ProfileId, Reason};
use samsyn_wire::{Call, CallRow};

/// The commands of `samsyn call`.
#[derive(Debug, Subcommand)]
pub enum CallCommand {
    /// List calls that wait for their answers, or that ended badly
    #[command(after_long_help = LIST_EXAMPLES)]
    List(ListArgs),
    /// Show one call
    #[command(after_long_help = SHOW_EXAMPLES)]
    Show(ShowArgs),
    /// Send a call that ended badly again, with the same bytes and the same key
    #[command(after_long_help = RETRY_EXAMPLES)]
    Retry(RetryArgs),
    /// Say what is known of a call that ended badly: it is no longer listed then
    #[command(after_long_help = SETTLE_EXAMPLES)]
    Settle(SettleArgs),
}

const LIST_EXAMPLES: &str = "\
Examples:
  samsyn call list
  samsyn call list --state unknown
  samsyn call list --capability tier-sync --endpoint membership --json
  samsyn call list --profile 6f1d1e7e-1f5c-4e0a-9d6c-0f6a1f2f7a11

A call that waits is sent by itself. `unknown` means that nobody knows whether the system has seen the request: ask the
system, then use `samsyn call retry` or `samsyn call settle`.";

const SHOW_EXAMPLES: &str = "\
Example:
  samsyn call show 6f1d1e7e-1f5c-4e0a-9d6c-0f6a1f2f7a11.tier-sync.1.7";

const RETRY_EXAMPLES: &str = "\
The system may do it twice if it has done it already and doesn't know the key. Ask the system first.

Example:
  samsyn call retry 6f1d1e7e-1f5c-4e0a-9d6c-0f6a1f2f7a11.tier-sync.1.7 --reason \"the system has no such order\"";

const SETTLE_EXAMPLES: &str = "\
Nothing is sent. The plug-in is not invoked: it got its answer when the call ended.

Examples:
  samsyn call settle ID --as done --reason \"the system shows the order\"
  samsyn call settle ID --as not-done --reason \"done by hand\"";

/// Which calls are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ListedState {
    /// They have no answer yet.
    Waiting,
    /// Nobody knows whether the system has seen them.
    Unknown,
    /// They were not sent, or answered with 400 or above.
    Failed,
}

/// What is known of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SettledAs {
    /// It had its effect.
    Done,
    /// It had none.
    NotDone,
}

/// The arguments of `samsyn call list`.
#[derive(Debug, Clone, Args)]
pub struct ListArgs {
    /// Only in this state
    #[arg(long, value_enum, value_name = "STATE", default_value_t = ListedState::Waiting)]
    pub state: ListedState,
    /// Only of this capability
    #[arg(long, value_name = "NAME")]
    pub capability: Option<CapabilityName>,
    /// Only to this endpoint
    #[arg(long, value_name = "NAME")]
    pub endpoint: Option<EndpointName>,
    /// Only of this profile
    #[arg(long, value_name = "ID")]
    pub profile: Option<ProfileId>,
    /// Show at most this many
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    pub limit: u64,
}

/// The arguments of `samsyn call show`.
#[derive(Debug, Clone, Args)]
pub struct ShowArgs {
    /// The call, as `samsyn call list` names it
    #[arg(value_name = "ID")]
    pub id: String,
}

/// The arguments of `samsyn call retry`.
#[derive(Debug, Clone, Args)]
pub struct RetryArgs {
    /// The call, as `samsyn call list` names it
    #[arg(value_name = "ID")]
    pub id: String,
    /// Why
    #[arg(long, value_name = "TEXT")]
    pub reason: Reason,
}

/// The arguments of `samsyn call settle`.
#[derive(Debug, Clone, Args)]
pub struct SettleArgs {
    /// The call, as `samsyn call list` names it
    #[arg(value_name = "ID")]
    pub id: String,
    /// What is known
    #[arg(long = "as", value_enum, value_name = "WHAT")]
    pub verdict: SettledAs,
    /// How it is known
    #[arg(long, value_name = "TEXT")]
    pub reason: Reason,
}

/// A word of a closed list, as it is typed and sent.
fn word(value: &impl ValueEnum) -> String {
    value.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}

/// Runs a command of `samsyn call`.
pub fn run(command: &CallCommand, context: &Context) -> Result<(), CliError> {
    let client = context.client()?;
    match command {
        CallCommand::List(args) => {
            let capability = args.capability.as_ref().map(|name| ("capability", name.to_string()));
            let endpoint = args.endpoint.as_ref().map(|name| ("endpoint", name.to_string()));
            let profile = args.profile.map(|profile| ("profile", profile.to_string()));
            let filters = capability.into_iter().chain(endpoint).chain(profile);
            let filters: Vec<(&'static str, String)> =
                filters.chain([("state", word(&args.state))]).collect();
            let list = client.plugin_calls(&filters, usize::try_from(args.limit).unwrap_or(usize::MAX))?;
            context.answer_list(&list, |list, paint| {
                calls_text(&mut list.items.iter().map(|item| &item.body), args.state, paint)
            })
        }
        CallCommand::Show(args) => {
            let answer = client.plugin_call(&args.id)?;
            context.answer(&answer.raw, |_| call_text(&answer.body))
        }
        CallCommand::Retry(args) => {
            let answer = client.retry_call(&args.id, args.reason.as_str())?;
            context.answer(&answer.raw, |_| format!("the call is sent again\n{}", call_text(&answer.body)))
        }
        CallCommand::Settle(args) => {
            let answer = client.settle_call(&args.id, &word(&args.verdict), args.reason.as_str())?;
            context.answer(&answer.raw, |_| format!("settled as {}\n", word(&args.verdict)))
        }
    }
}

fn calls_text(calls: &mut dyn Iterator<Item = &Call>, state: ListedState, paint: Paint) -> String {
    let when = if state == ListedState::Waiting { "NEXT" } else { "ENDED" };
    let mut table = Table::new([when, "CAPABILITY", "ENDPOINT", "REQUEST", "TRIES", "HOW", "ID"]);
    for call in calls {
        let at = match (&call.next_at, &call.ended_at) {
            (Some(at), _) | (None, Some(at)) => moment(at),
            (None, None) if call.row.as_ref().is_some_and(|row| row.place == "led") => "led".to_owned(),
            (None, None) => "now".to_owned(),
        };
        table.row([
            at,
            call.capability.clone(),
            call.endpoint.clone(),
            request_text(call),
            call.attempts.to_string(),
            call.halted
                .as_ref()
                .map_or_else(|| call.how.clone().unwrap_or_default(), |_| "halted".to_owned()),
            call.id.clone(),
        ]);
    }
    let none = match state {
        ListedState::Waiting => "no call waits\n",
        ListedState::Unknown => "no call is in doubt\n",
        ListedState::Failed => "no call has failed\n",
    };
    if table.is_empty() { none.to_owned() } else { table.render(paint) }
}

fn request_text(call: &Call) -> String {
    match (&call.method, &call.path) {
        (Some(method), Some(path)) => format!("{method} {}", plain(path)),
        _ => "no longer in the log".to_owned(),
    }
}

fn call_text(call: &Call) -> String {
    let mut lines = vec![
        ("id", plain(&call.id)),
        ("state", plain(&call.state)),
        ("endpoint", format!("{} of {}", plain(&call.endpoint), plain(&call.capability))),
        ("profile", call.profile.to_string()),
        ("request", request_text(call)),
        ("since", moment(&call.since)),
        ("tries", call.attempts.to_string()),
    ];
    lines.extend(call.next_at.as_ref().map(|at| ("next try", moment(at))));
    lines.extend(call.ended_at.as_ref().map(|at| ("ended", moment(at))));
    lines.extend(call.how.as_ref().map(|how| ("how", plain(how))));
    lines.extend(call.halted.as_ref().map(|why| ("not sent", plain(why))));
    lines.extend(call.row.as_ref().map(|row| ("row", row_text(row))));
    if call.in_doubt {
        lines.push(("in doubt", "an attempt may have arrived".to_owned()));
    }
    lines.iter().map(|(name, text)| format!("{name:<9} {text}\n")).collect()
}

fn row_text(row: &CallRow) -> String {
    let request = row.request.as_deref().map(|request| plain(&request.chars().take(12).collect::<String>()));
    match (row.place.as_str(), request, row.rows) {
        ("leads", Some(request), Some(rows)) => format!("leads the {rows} rows of the request {request}"),
        ("led", Some(request), _) => format!("is in the request {request}, which another row leads"),
        ("ended", ..) => "was sent with others, or alone".to_owned(),
        _ => "is in no request with others".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_says_what_waits_and_why() {
        let call: Call = serde_json::from_str(
            r#"{"id": "p1.tier-sync.1.7", "state": "waiting", "capability": "tier-sync", "endpoint": "membership",
                "profile": "p1", "method": "PUT", "path": "members/42", "since": "2026-12-24T10:00:00Z", "attempts": 2,
                "next_at": "2026-12-24T10:00:30Z", "how": "503", "in_doubt": false}"#,
        )
        .unwrap();
        let text = calls_text(&mut [&call].into_iter(), ListedState::Waiting, Paint(false));
        assert!(text.contains("PUT members/42  2      503  p1.tier-sync.1.7"), "{text}");
        let halted = Call { halted: Some("the endpoint is paused".to_owned()), ..call };
        assert!(call_text(&halted).contains("not sent  the endpoint is paused\n"), "{}", call_text(&halted));
        assert_eq!(
            calls_text(&mut std::iter::empty(), ListedState::Unknown, Paint(false)),
            "no call is in doubt\n"
        );
    }
}
