//! `samsyn parked`: deliveries that failed, and what to do with them.

use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};

use samsyn_terminal::context::Context;
use samsyn_terminal::error::CliError;
use samsyn_terminal::input::word;
use samsyn_terminal::output::{Paint, Table, grouped, moment, plain};
use samsyn_vocabulary::{CapabilityName, FailureKind, ProfileId};
use samsyn_wire::ParkedDelivery;
use samsyn_wire::request::{ParkedSelection, ParkedSkip};

/// The commands of `samsyn parked`.
#[derive(Debug, Subcommand)]
pub enum ParkedCommand {
    /// List parked invocations, and those that wait behind them
    #[command(after_long_help = LIST_EXAMPLES)]
    List(ListArgs),
    /// Retry parked invocations
    #[command(after_long_help = RETRY_EXAMPLES)]
    Retry(RetryArgs),
    /// Skip parked invocations, with a reason
    #[command(after_long_help = SKIP_EXAMPLES)]
    Skip(SkipArgs),
}

const LIST_EXAMPLES: &str = "\
Examples:
  samsyn parked list
  samsyn parked list --capability sms --backtrace";

const RETRY_EXAMPLES: &str = "\
Examples:
  samsyn parked retry --capability sms
  samsyn parked retry --capability sms --kind trap

The host also retries parked invocations when their plug-in or its settings change.";

const SKIP_EXAMPLES: &str = "\
Example:
  samsyn parked skip --capability sms --kind trap --reason 'test messages of 21 November'

A skipped invocation never runs again. The customer's timeline shows the reason.";

/// The arguments of `samsyn parked list`.
#[derive(Debug, Clone, Args)]
pub struct ListArgs {
    /// Only of this capability
    #[arg(long, value_name = "NAME")]
    pub capability: Option<String>,
    /// Only with this kind of failure, such as trap
    #[arg(long, value_name = "KIND", value_parser = PossibleValuesParser::new(FailureKind::ALL.map(FailureKind::as_str)))]
    pub kind: Option<String>,
    /// Only of this profile
    #[arg(long, value_name = "ID")]
    pub profile: Option<String>,
    /// Show the backtrace of each failure
    #[arg(long)]
    pub backtrace: bool,
    /// Show at most this many
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    pub limit: u64,
}

/// Which parked deliveries: all that fit every filter given, and one must be.
#[derive(Debug, Clone, Args)]
#[group(required = true, multiple = true)]
pub struct Filter {
    /// Of this capability
    #[arg(long, value_name = "NAME")]
    pub capability: Option<CapabilityName>,
    /// Of this profile
    #[arg(long, value_name = "ID")]
    pub profile: Option<ProfileId>,
    /// With this kind of failure, such as trap
    #[arg(long, value_name = "KIND", value_parser = PossibleValuesParser::new(FailureKind::ALL.map(FailureKind::as_str)))]
    pub kind: Option<String>,
}

impl Filter {
    fn selection(&self, reason: Option<&str>) -> Result<ParkedSelection, CliError> {
        Ok(ParkedSelection {
            capability: self.capability.clone(),
            profile: self.profile,
            kind: self.kind.as_deref().map(word).transpose()?,
            reason: reason.map(str::to_owned),
        })
    }
}

/// The arguments of `samsyn parked retry`.
#[derive(Debug, Clone, Args)]
pub struct RetryArgs {
    #[command(flatten)]
    pub filter: Filter,
}

/// The arguments of `samsyn parked skip`.
#[derive(Debug, Clone, Args)]
pub struct SkipArgs {
    #[command(flatten)]
    pub filter: Filter,
    /// The reason
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
}

/// Runs a command of `samsyn parked`.
pub fn run(command: &ParkedCommand, context: &Context) -> Result<(), CliError> {
    let client = context.client()?;
    match command {
        ParkedCommand::List(args) => {
            let filters =
                [("capability", &args.capability), ("code", &args.kind), ("profile", &args.profile)];
            let filters: Vec<(&'static str, String)> =
                filters.into_iter().filter_map(|(name, value)| Some((name, value.clone()?))).collect();
            let list = client.parked(&filters, usize::try_from(args.limit).unwrap_or(usize::MAX))?;
            context.answer_list(&list, |list, paint| {
                parked_text(&mut list.items.iter().map(|item| &item.body), args.backtrace, paint)
            })
        }
        ParkedCommand::Retry(args) => {
            let answer = client.retry(&args.filter.selection(None)?)?;
            context.answer(&answer.raw, |_| format!("retrying {}\n", deliveries(answer.body.matched)))
        }
        ParkedCommand::Skip(args) => {
            let selection = args.filter.selection(Some(&args.reason))?;
            let answer = client.skip(&ParkedSkip(selection))?;
            context.answer(&answer.raw, |_| format!("{} skipped\n", deliveries(answer.body.matched)))
        }
    }
}

fn deliveries(count: usize) -> String {
    if count == 1 { "1 invocation".to_owned() } else { format!("{} invocations", grouped(count as u64)) }
}

fn parked_text(parked: &mut dyn Iterator<Item = &ParkedDelivery>, backtrace: bool, paint: Paint) -> String {
    let mut table = Table::new(["CAPABILITY", "STATE", "SINCE", "PROFILE", "ITEM", "KIND", "REASON"]);
    let mut traces = String::new();
    for item in parked {
        table.row([
            item.capability.clone(),
            item.state.clone(),
            moment(&item.since),
            item.profile.to_string(),
            item.item.clone(),
            item.kind.clone().unwrap_or_default(),
            item.reason.clone().unwrap_or_default(),
        ]);
        if backtrace && !item.backtrace.is_empty() {
            traces.push_str(&format!("\n{} {}\n", plain(&item.capability), plain(&item.item)));
            for (number, frame) in item.backtrace.iter().enumerate() {
                traces.push_str(&format!("  {number:>2}  {}\n", plain(frame)));
            }
        }
    }
    if table.is_empty() { "nothing is parked\n".to_owned() } else { table.render(paint) + &traces }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_shows_why_and_where() {
        let parked: Vec<ParkedDelivery> = serde_json::from_str(
            r#"[{"profile": "p1", "capability": "sms", "generation": 1, "item": "12-345.0", "role": "subscriber",
                 "state": "parked", "kind": "trap", "reason": "index out of bounds", "backtrace": ["sms::on_event"],
                 "since": "2026-11-21T10:00:00Z"}]"#,
        )
        .unwrap();
        let text = parked_text(&mut parked.iter(), true, Paint(false));
        assert!(
            text.contains("sms         parked  2026-11-21 10:00:00  p1       12-345.0  trap  index out"),
            "{text}"
        );
        assert!(text.ends_with("\nsms 12-345.0\n   0  sms::on_event\n"), "{text}");
        assert_eq!(parked_text(&mut std::iter::empty(), true, Paint(false)), "nothing is parked\n");
    }

    #[test]
    fn a_filter_sends_only_what_was_given() {
        let filter = Filter {
            capability: Some(CapabilityName::new("sms").unwrap()),
            profile: None,
            kind: Some("trap".to_owned()),
        };
        let skip = ParkedSkip(filter.selection(Some("test")).unwrap());
        assert_eq!(
            serde_json::to_value(&skip).unwrap(),
            serde_json::json!({"capability": "sms", "kind": "trap", "reason": "test"})
        );
    }
}
