//! `samsyn event refusals`: what capabilities refused of events.

use clap::Args;

use samsyn_client::{List, ListedRefusal};
use samsyn_terminal::context::Context;
use samsyn_terminal::error::CliError;
use samsyn_terminal::output::{Paint, Table, moment, plain};
use samsyn_vocabulary::{Date, Position, Timestamp};

/// Examples for the help.
pub const EXAMPLES: &str = "\
Examples:
  samsyn event refusals --since 2026-11-21T08:00:00Z
  samsyn event refusals --since 2026-11-21 --capability loyalty --code order.amount
  samsyn --application web event refusals --since 2026-11-21 --json | jq -r .event
  samsyn event refusals --since 12-345

The host accepts an event even if a capability rejects it. This command lists what capabilities rejected,
by partition and in the order of the decisions. Send a corrected event with a new id. A token that only
sends events sees the rejections of its own events that concern their content; docs/http.md explains more.";

/// The arguments of `samsyn event refusals`.
#[derive(Debug, Clone, Args)]
pub struct RefusalsArgs {
    /// From this time, date (starts at 00:00 UTC) or position on; a position such as 12-345 means its
    /// partition [default: everything in the log]
    #[arg(long, value_name = "TIME|POSITION", value_parser = since)]
    pub since: Option<String>,
    /// Only by this capability
    #[arg(long, value_name = "NAME")]
    pub capability: Option<String>,
    /// Only with this code
    #[arg(long, value_name = "CODE")]
    pub code: Option<String>,
    /// Print at most this many
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub limit: u64,
}

fn since(text: &str) -> Result<String, String> {
    if let Ok(date) = text.parse::<Date>() {
        return Ok(format!("{date}T00:00:00Z"));
    }
    if text.parse::<Timestamp>().is_ok() || text.split(',').all(|part| part.parse::<Position>().is_ok()) {
        return Ok(text.to_owned());
    }
    Err("write a time such as 2026-11-21T08:00:00Z, a date, or a position such as 12-345".to_owned())
}

/// Runs it.
pub fn run(args: &RefusalsArgs, context: &Context) -> Result<(), CliError> {
    let application = context.application().map(str::to_owned);
    let given = [
        ("since", &args.since),
        ("application", &application),
        ("capability", &args.capability),
        ("code", &args.code),
    ];
    let filters: Vec<_> =
        given.into_iter().filter_map(|(name, value)| Some((name, value.clone()?))).collect();
    let limit = usize::try_from(args.limit).unwrap_or(usize::MAX);
    context.answer_list(&context.client()?.refusals(&filters, limit)?, text)
}

fn text(list: &List<ListedRefusal>, paint: Paint) -> String {
    if list.items.is_empty() {
        return "no rejection that this token can see, in the log that is kept\n".to_owned();
    }
    let mut table = Table::new(["AT", "APPLICATION", "EVENT", "BY", "FIELD", "CODE", "WHY"]);
    for refusal in list.items.iter().map(|item| &item.body) {
        table.row([
            refusal.decided_at.as_deref().map(moment).unwrap_or_default(),
            refusal.application.clone().unwrap_or_default(),
            plain(&refusal.event),
            refusal.capability.clone(),
            refusal.field.clone().unwrap_or_default(),
            plain(&refusal.code),
            plain(refusal.message.as_deref().unwrap_or_default()),
        ]);
    }
    table.render(paint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn since_is_a_time_a_date_or_positions() {
        assert_eq!(since("2026-11-21").unwrap(), "2026-11-21T00:00:00Z");
        for good in ["2026-11-21T08:00:00Z", "2026-11-21T08:00:00.123+01:00", "12-345", "1-2,3-4"] {
            assert_eq!(since(good).unwrap(), good);
        }
        for bad in ["", "yesterday", "12", "12-", "1-2,", "2026-13-01"] {
            assert!(since(bad).is_err(), "{bad}");
        }
    }
}
