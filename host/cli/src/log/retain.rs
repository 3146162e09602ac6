//! `samsyn log retain`: letting old segments go now, or seeing what keeps them.

use clap::Args;

use samsyn_client::Retention;
use samsyn_terminal::ask::Consent;
use samsyn_terminal::context::Context;
use samsyn_terminal::error::CliError;
use samsyn_terminal::output::{bytes, moment};

/// Shown in the long help.
pub const EXAMPLES: &str = "\
Examples:
  samsyn log retain --dry-run
  samsyn log retain --yes

The host does this itself, by `retention.days` and `retention.bytes`. It removes whole segments, the oldest
first. It keeps a segment that is still needed: two snapshots must cover the segment, every cursor must be
past it, and no parked or waiting invocation or proposal may be in it. The command shows why the first
segment that stays is needed.";

/// The arguments of `samsyn log retain`.
#[derive(Debug, Clone, Args)]
pub struct RetainArgs {
    /// Show what would be removed and what is still needed
    #[arg(long)]
    pub dry_run: bool,
    /// Whether to ask.
    #[command(flatten)]
    pub consent: Consent,
}

/// Lets old segments go.
pub fn run(args: &RetainArgs, context: &Context) -> Result<(), CliError> {
    let client = context.client()?;
    let plan = client.retain(true)?;
    if args.dry_run {
        return context.answer(&plan.raw, |_| plan_text(&plan.body));
    }
    if plan.body.wanted > 0 {
        context.hint(plan_text(&plan.body).trim_end());
        args.consent.ask("Remove them for good?", "removed")?;
    }
    let done = client.retain(false)?;
    context.answer(&done.raw, |_| done_text(&done.body))
}

fn kept_text(report: &Retention) -> String {
    let oldest = report.oldest.as_deref().map(|oldest| format!(", the oldest record of {}", moment(oldest)));
    format!(
        "the log has {} segments, {}{}\n",
        report.segments,
        bytes(report.bytes),
        oldest.unwrap_or_default()
    )
}

fn held_text(report: &Retention) -> String {
    let line = |holder: &samsyn_client::SegmentHolder| {
        let position = holder.position.as_ref().map(|position| format!(" ({position})")).unwrap_or_default();
        format!("  {}{position}\n", holder.explanation)
    };
    if report.held_by.is_empty() {
        return String::new();
    }
    format!(
        "the first segment that stays is needed because\n{}",
        report.held_by.iter().map(line).collect::<String>()
    )
}

fn plan_text(report: &Retention) -> String {
    let what = match report.wanted {
        0 => "no segment is beyond what the settings keep\n".to_owned(),
        wanted => format!(
            "{wanted} are beyond what the settings keep; {} of them can be removed, {}\n",
            report.removable,
            bytes(report.removable_bytes)
        ),
    };
    format!("{}{what}{}", kept_text(report), held_text(report))
}

fn done_text(report: &Retention) -> String {
    format!("{} segments removed\n{}{}", report.removed, kept_text(report), held_text(report))
}
