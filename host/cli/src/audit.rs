//! `samsyn audit`: the changes of the registry, and the reads of personal data.

use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};

use samsyn_client::List;
use samsyn_registry::CHANGE_KINDS;
use samsyn_terminal::context::Context;
use samsyn_terminal::error::CliError;
use samsyn_terminal::input::Reference;
use samsyn_terminal::output::{Paint, Table, moment, plain};
use samsyn_vocabulary::{Date, Timestamp};
use samsyn_wire::{AuditedChange, AuditedRead};

/// The commands of `samsyn audit`.
#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// List reads of personal data, newest first
    #[command(after_long_help = READS_EXAMPLES)]
    Reads(ReadsArgs),
    /// List changes of fields, sources, plug-ins, grants, settings and tokens, newest first
    #[command(after_long_help = CHANGES_EXAMPLES)]
    Changes(ChangesArgs),
}

const READS_EXAMPLES: &str = "\
Examples:
  samsyn audit reads --profile customer_id:00042
  samsyn audit reads --field email --by web --since 2026-11-01
  samsyn audit reads --since 2026-11-21T08:00:00Z --json | jq -r .profile | sort | uniq -c

The list names fields and identifiers, never their values. The host records a read before it sends the
answer. An e-mail address or a phone number after --profile is looked up first; that is a read, too.";

const CHANGES_EXAMPLES: &str = "\
Examples:
  samsyn audit changes
  samsyn audit changes --field country --kind sources-moved
  samsyn audit changes --by admin --since 2026-11-01 --until 2026-12-01 --json

The list names settings without their values: a value may be a secret.";

/// The arguments of `samsyn audit reads`.
#[derive(Debug, Clone, Args)]
pub struct ReadsArgs {
    /// The customer: a profile id, or identifier:value
    #[arg(long, value_name = "REF")]
    pub profile: Option<Reference>,
    /// The reader: an application's name, or a token's
    #[arg(long, value_name = "NAME")]
    pub by: Option<String>,
    /// Only reads that showed this field or identifier
    #[arg(long, value_name = "NAME")]
    pub field: Option<String>,
    /// When, and how many.
    #[command(flatten)]
    pub time: TimeArgs,
}

/// The arguments of `samsyn audit changes`.
#[derive(Debug, Clone, Args)]
pub struct ChangesArgs {
    /// The application that made the change
    #[arg(long, value_name = "NAME")]
    pub by: Option<String>,
    /// The kind of change, such as sources-moved, installed or settings-changed
    #[arg(long, value_name = "KIND", hide_possible_values = true, value_parser = PossibleValuesParser::new(CHANGE_KINDS))]
    pub kind: Option<String>,
    /// Only changes about this field
    #[arg(long, value_name = "NAME")]
    pub field: Option<String>,
    /// Only changes about this capability
    #[arg(long, value_name = "NAME")]
    pub capability: Option<String>,
    /// When, and how many.
    #[command(flatten)]
    pub time: TimeArgs,
}

/// From when to when, and how many.
#[derive(Debug, Clone, Args)]
pub struct TimeArgs {
    /// From this time or date on (a date starts at 00:00 UTC)
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub since: Option<Timestamp>,
    /// Before this time or date
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub until: Option<Timestamp>,
    /// Print at most this many
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub limit: u64,
}

fn time(text: &str) -> Result<Timestamp, String> {
    let whole = match text.parse::<Date>() {
        Ok(date) => format!("{date}T00:00:00Z"),
        Err(_) => text.to_owned(),
    };
    whole.parse().map_err(|error: samsyn_vocabulary::TimeError| format!("{error}, and not a date"))
}

impl TimeArgs {
    fn limit(&self) -> usize {
        usize::try_from(self.limit).unwrap_or(usize::MAX)
    }

    /// The pairs of a query: these and the times, where they are given.
    fn filters(&self, others: &[(&'static str, &Option<String>)]) -> Vec<(&'static str, String)> {
        let others = others.iter().filter_map(|(name, value)| Some((*name, (*value).clone()?)));
        let times = [("since", self.since), ("until", self.until)];
        others.chain(times.into_iter().filter_map(|(name, at)| Some((name, at?.to_string())))).collect()
    }
}

/// Runs a command of `samsyn audit`.
pub fn run(command: &AuditCommand, context: &Context) -> Result<(), CliError> {
    let client = context.client()?;
    match command {
        AuditCommand::Reads(args) => {
            let profile = args.profile.as_ref().map(|profile| profile.for_url(&client)).transpose()?;
            let filters =
                args.time.filters(&[("profile", &profile), ("by", &args.by), ("field", &args.field)]);
            context.answer_list(&client.audit_reads(&filters, args.time.limit())?, reads_text)
        }
        AuditCommand::Changes(args) => {
            let filters = args.time.filters(&[
                ("by", &args.by),
                ("kind", &args.kind),
                ("field", &args.field),
                ("capability", &args.capability),
            ]);
            context.answer_list(&client.audit_changes(&filters, args.time.limit())?, changes_text)
        }
    }
}

fn reads_text(list: &List<AuditedRead>, paint: Paint) -> String {
    if list.items.is_empty() {
        return "no matching read in the audit that is kept\n".to_owned();
    }
    let mut table = Table::new(["AT", "BY", "PROFILE", "SAW", "CALL", "PURPOSE"]);
    for read in list.items.iter().map(|item| &item.body) {
        let by = match &read.token {
            Some(token) if *token != read.by => format!("{} (token {token})", read.by),
            _ => read.by.clone(),
        };
        let saw: Vec<&str> = read.identifiers.iter().chain(&read.fields).map(String::as_str).collect();
        let purpose = read.purpose.clone().unwrap_or_default();
        let profile = read.profile.as_ref().map(ToString::to_string).unwrap_or_default();
        table.row([moment(&read.at), by, profile, saw.join(", "), read.call.clone(), purpose]);
    }
    table.render(paint)
}

fn changes_text(list: &List<AuditedChange>, paint: Paint) -> String {
    if list.items.is_empty() {
        return "no matching change\n".to_owned();
    }
    let line = |change: &AuditedChange| {
        let head = paint.dim(&format!("{:>5}  {}", change.revision, moment(&change.at)));
        format!("{head}  {}\n", plain(&change.sentence))
    };
    list.items.iter().map(|item| line(&item.body)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_may_be_a_date() {
        assert_eq!(time("2026-11-21"), time("2026-11-21T00:00:00Z"));
        assert!(time("2026-11-21T10:00:00+01:00").is_ok());
        assert!(time("yesterday").is_err());
    }
}
