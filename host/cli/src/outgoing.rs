//! `samsyn outgoing`: whether calls are sent at all.

use clap::{Args, Subcommand};

use crate::endpoint::needed_reason;
use samsyn_client::ChangeHow;
use samsyn_terminal::ask::{Consent, Why};
use samsyn_terminal::context::Context;
use samsyn_terminal::error::CliError;
use samsyn_terminal::output::{Paint, moment, pairs, plain};
use samsyn_wire::{EndpointCounts, Outgoing, OutgoingChange};

/// The commands of `samsyn outgoing`.
#[derive(Debug, Subcommand)]
pub enum OutgoingCommand {
    /// Show whether calls are sent
    #[command(after_long_help = SHOW_EXAMPLES)]
    Show,
    /// Pause all sending: every call waits
    #[command(after_long_help = PAUSE_EXAMPLES)]
    Pause(PauseArgs),
    /// Resume sending
    #[command(after_long_help = RESUME_EXAMPLES)]
    Resume(ResumeArgs),
}

const SHOW_EXAMPLES: &str = "\
Examples:
  samsyn outgoing show
  samsyn outgoing show --json";

const PAUSE_EXAMPLES: &str = "\
Examples:
  samsyn outgoing pause --reason 'this host is a copy'
  samsyn outgoing pause --reason 'incident 12' --dry-run

No call is sent to any endpoint. Calls wait, and nothing is lost. To pause one endpoint use
`samsyn endpoint pause`.";

const RESUME_EXAMPLES: &str = "\
Examples:
  samsyn outgoing resume --dry-run
  samsyn outgoing resume
  samsyn outgoing resume --yes --reason 'the old host is off'

On a copy or a restored backup, first make sure that the other host sends nothing: the two can't know of
each other, and both would send the same calls.";

/// The arguments of `samsyn outgoing pause`.
#[derive(Debug, Clone, Args)]
pub struct PauseArgs {
    /// Only show what would change
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub why: Why,
}

/// The arguments of `samsyn outgoing resume`.
#[derive(Debug, Clone, Args)]
pub struct ResumeArgs {
    /// Only show what would change
    #[arg(long, conflicts_with = "yes")]
    pub dry_run: bool,
    /// Whether to ask, and why.
    #[command(flatten)]
    pub consent: Consent,
}

/// Runs a command of `samsyn outgoing`.
pub fn run(command: &OutgoingCommand, context: &Context) -> Result<(), CliError> {
    let client = context.client()?;
    match command {
        OutgoingCommand::Show => {
            let answer = client.outgoing()?;
            context.answer(&answer.raw, |paint| outgoing_text(&answer.body, paint))
        }
        OutgoingCommand::Pause(args) => {
            let reason = needed_reason(&args.why)?;
            let how = ChangeHow { dry_run: args.dry_run, revision: None, reason: Some(&reason) };
            let answer = client.pause_outgoing(how)?;
            context.answer(&answer.raw, |_| match args.dry_run {
                true => plan_text(&answer.body, "pause"),
                false => "sending is paused: `samsyn outgoing resume` resumes it\n".to_owned(),
            })
        }
        OutgoingCommand::Resume(args) => {
            let dry = ChangeHow { dry_run: true, ..ChangeHow::default() };
            let plan = client.resume_outgoing(dry)?;
            if args.dry_run || plan.body.unchanged {
                return context.answer(&plan.raw, |_| plan_text(&plan.body, "resume"));
            }
            if !args.consent.yes {
                eprint!("{}", outgoing_text(&plan.body.outgoing, Paint(context.error_colour)));
                eprint!("{}", plan_text(&plan.body, "resume"));
            }
            let reason = args.consent.ask("Resume sending?", "resumed")?;
            let how =
                ChangeHow { dry_run: false, revision: Some(plan.body.revision), reason: reason.as_ref() };
            let answer = client.resume_outgoing(how)?;
            context.answer(&answer.raw, |_| "sending is resumed\n".to_owned())
        }
    }
}

fn plan_text(change: &OutgoingChange, verb: &str) -> String {
    if change.unchanged {
        let state = if change.outgoing.paused.is_some() { "paused" } else { "not paused" };
        return format!("nothing would change: sending is {state}\n");
    }
    format!("{verb} sending to {} bound endpoints\n", change.endpoints)
}

/// Whether calls are sent, in a few words: `paused by admin since …: …`.
pub fn state_text(outgoing: &Outgoing) -> String {
    match &outgoing.paused {
        None => "on".to_owned(),
        Some(pause) => format!(
            "paused by {} since {}: {}",
            plain(&pause.by),
            plain(&moment(&pause.at)),
            plain(&pause.reason)
        ),
    }
}

fn outgoing_text(outgoing: &Outgoing, paint: Paint) -> String {
    let EndpointCounts { requested, revoked, bound, paused } = outgoing.endpoints;
    let count = |count: usize| count.to_string();
    pairs(
        &[
            ("sending", state_text(outgoing)),
            ("bound", count(bound)),
            ("paused", count(paused)),
            ("not bound", count(requested)),
            ("revoked", count(revoked)),
        ],
        paint,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_shows_who_made_it_and_why() {
        let outgoing: Outgoing = serde_json::from_str(
            r#"{"paused": {"by": "admin", "reason": "a copy", "at": "2026-11-20T10:00:00Z"}, "endpoints": {"bound": 2}}"#,
        )
        .unwrap();
        assert_eq!(state_text(&outgoing), "paused by admin since 2026-11-20 10:00:00: a copy");
        assert_eq!(state_text(&Outgoing::default()), "on");
        let change = OutgoingChange { endpoints: 2, outgoing, ..OutgoingChange::default() };
        assert_eq!(plan_text(&change, "resume"), "resume sending to 2 bound endpoints\n");
        let same = OutgoingChange { unchanged: true, ..OutgoingChange::default() };
        assert_eq!(plan_text(&same, "resume"), "nothing would change: sending is not paused\n");
    }
}
