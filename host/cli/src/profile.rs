//! `samsyn profile`: one customer, where each value comes from, and proposing others.

use clap::{Args, Subcommand};

use super::event::{answer_text, refused};
use super::timeline::item_text;
use samsyn_client::{ClientError, IdentifierConflict, Profile};
use samsyn_terminal::context::Context;
use samsyn_terminal::error::CliError;
use samsyn_terminal::input::{Pair, Reference, proposals};
use samsyn_terminal::output::{Paint, Table, moment, pairs, plain, value_text};

/// The commands of `samsyn profile`.
#[derive(Debug, Subcommand)]
pub enum ProfileCommand {
    /// Show a customer: every value with its source and cause
    #[command(after_long_help = GET_EXAMPLES)]
    Get(GetArgs),
    /// Show what happened to a customer, newest first
    #[command(after_long_help = TIMELINE_EXAMPLES)]
    Timeline(TimelineArgs),
    /// Propose values for a customer; the fields' sources decide
    #[command(after_long_help = SET_EXAMPLES)]
    Set(SetArgs),
}

const GET_EXAMPLES: &str = "\
Examples:
  samsyn profile get customer_id:00042
  samsyn profile get email:anna@example.com --claims
  samsyn profile get customer_id:00042 --fields first_name,loyalty.points --json

The command sends an e-mail address or a phone number in the request's body, never in a URL.";

const TIMELINE_EXAMPLES: &str = "\
Examples:
  samsyn profile timeline customer_id:00042
  samsyn profile timeline email:anna@example.com --limit 5";

const SET_EXAMPLES: &str = "\
Examples:
  samsyn profile set customer_id:00042 first_name=Ann
  samsyn profile set customer_id:00042 phone=null

The command writes nothing itself: it proposes each value to the field's source. The source accepts the
value, changes it, or rejects it. null proposes to clear a field. The command waits for the decision. Its
exit code is 1 if a source rejected a value or gave no answer. --wait=0 doesn't wait.";

/// The arguments of `samsyn profile get`.
#[derive(Debug, Clone, Args)]
pub struct GetArgs {
    /// A profile id, or identifier:value
    #[arg(value_name = "REF")]
    pub reference: Reference,
    /// Only these fields
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    pub fields: Vec<String>,
    /// Show the claims of every capability, not only the visible values
    #[arg(long)]
    pub claims: bool,
}

/// The arguments of `samsyn profile timeline`.
#[derive(Debug, Clone, Args)]
pub struct TimelineArgs {
    /// A profile id, or identifier:value
    #[arg(value_name = "REF")]
    pub reference: Reference,
    /// Show at most this many entries
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    pub limit: u64,
}

/// The arguments of `samsyn profile set`.
#[derive(Debug, Clone, Args)]
pub struct SetArgs {
    /// A profile id, or identifier:value
    #[arg(value_name = "REF")]
    pub reference: Reference,
    /// The values to propose
    #[arg(value_name = "FIELD=VALUE", required = true)]
    pub values: Vec<Pair>,
    /// Wait for the decision, for at most this many seconds (0 to 30)
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, require_equals = true, default_value = "5",
          default_missing_value = "5", value_parser = clap::value_parser!(u32).range(0..=30))]
    pub wait: u32,
}

/// Runs a command of `samsyn profile`.
pub fn run(command: &ProfileCommand, context: &Context) -> Result<(), CliError> {
    match command {
        ProfileCommand::Get(args) => get(args, context),
        ProfileCommand::Timeline(args) => timeline(args, context),
        ProfileCommand::Set(args) => set(args, context),
    }
}

fn get(args: &GetArgs, context: &Context) -> Result<(), CliError> {
    let client = context.client()?;
    let answer = match args.reference.personal() {
        Some((name, value)) => client.lookup(name, value, &args.fields, args.claims)?,
        None => client.profile(args.reference.as_str(), &args.fields, args.claims)?,
    };
    context.answer(&answer.raw, |paint| profile_text(&answer.body, args.claims, paint))
}

fn timeline(args: &TimelineArgs, context: &Context) -> Result<(), CliError> {
    let client = context.client()?;
    let limit = usize::try_from(args.limit).unwrap_or(usize::MAX);
    let list = client.timeline(&args.reference.for_url(&client)?, limit)?;
    context.answer_list(&list, |list, paint| {
        if list.items.is_empty() {
            return "no entries yet\n".to_owned();
        }
        list.items.iter().map(|item| item_text(&item.body, paint)).collect::<Vec<_>>().join("\n")
    })
}

fn set(args: &SetArgs, context: &Context) -> Result<(), CliError> {
    let client = context.client()?;
    let fields = proposals(&args.values, &client)?;
    let wait = Some(args.wait).filter(|seconds| *seconds > 0);
    match client.propose(&args.reference.for_url(&client)?, &fields, wait) {
        Ok(answer) => {
            context.answer(&answer.raw, |paint| answer_text(&answer.body, wait.is_some(), paint))?;
            // Hosts of before said it in the answer alone.
            if answer.body.is_refused() { Err(refused(&answer.body)) } else { Ok(()) }
        }
        Err(error) => {
            // What became of each field; for a machine the problem has it.
            if let ClientError::Refused(problem) = &error
                && !context.json
                && let Some(event) = problem.event()
            {
                context.print(&answer_text(&event, true, context.paint))?;
            }
            Err(error.into())
        }
    }
}

/// A customer as people read one.
pub fn profile_text(profile: &Profile, claims: bool, paint: Paint) -> String {
    let mut heading = vec![("profile", profile.id.clone())];
    for (name, values) in &profile.identifiers {
        heading.push((name.as_str(), values.join(", ")));
    }
    let mut text = pairs(&heading, paint) + "\n";
    text.push_str(&conflicts_text(&profile.conflicts));
    let optional = |text: &Option<String>| text.clone().unwrap_or_default();
    let time = |text: &Option<String>| text.as_deref().map(moment).unwrap_or_default();
    if claims {
        let mut table = Table::new(["FIELD", "VALUE", "CLAIMED BY", "SEEN", "OBSERVED", "CAUSE"]);
        for (field, claims) in &profile.claims {
            for claim in claims {
                table.row([
                    field.clone(),
                    value_text(&claim.value),
                    claim.by.clone(),
                    if claim.visible { "by all" } else { "by admins" }.to_owned(),
                    time(&claim.observed_at),
                    optional(&claim.cause),
                ]);
            }
        }
        return text
            + &if table.is_empty() {
                "no capability has made a claim yet\n".to_owned()
            } else {
                table.render(paint)
            };
    }
    let mut table = Table::new(["FIELD", "VALUE", "SOURCE", "OBSERVED", "CAUSE"]);
    for (field, value) in &profile.fields {
        let meta = profile.meta.get(field);
        table.row([
            field.clone(),
            value_text(value),
            meta.map(|meta| optional(&meta.source)).unwrap_or_default(),
            meta.map(|meta| time(&meta.observed_at)).unwrap_or_default(),
            meta.map(|meta| optional(&meta.cause)).unwrap_or_default(),
        ]);
    }
    text.push_str(&if table.is_empty() {
        "no field has a value yet\n".to_owned()
    } else {
        table.render(paint)
    });
    text
}

/// Identifiers that find another customer, a line each.
pub fn conflicts_text(conflicts: &[IdentifierConflict]) -> String {
    let line = |conflict: &IdentifierConflict| {
        let owner = conflict.belongs_to.as_deref().unwrap_or("another profile");
        let (identifier, value) = (plain(&conflict.identifier), plain(&conflict.value));
        format!("conflict: {identifier} {value} leads to {owner}, not to this profile\n")
    };
    let mut text: String = conflicts.iter().map(line).collect();
    if !text.is_empty() {
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROFILE: &str = r#"{"id": "p1", "identifiers": {"customer_id": ["00042"]},
        "fields": {"country": "SE"},
        "meta": {"country": {"source": "crm", "observed_at": "2026-11-21T10:00:00Z", "cause": "12-345"}},
        "claims": {"country": [
          {"by": "crm", "value": "SE", "observed_at": "2026-11-21T10:00:00Z", "cause": "12-345", "visible": true},
          {"by": "sms", "value": "NO", "observed_at": "2026-11-21T10:00:00Z", "cause": "12-349", "visible": false}]}}"#;

    #[test]
    fn every_value_stands_with_its_source() {
        let profile: Profile = serde_json::from_str(PROFILE).unwrap();
        assert_eq!(
            profile_text(&profile, false, Paint(false)),
            "profile      p1\ncustomer_id  00042\n\n\
             FIELD    VALUE  SOURCE  OBSERVED             CAUSE\n\
             country  SE     crm     2026-11-21 10:00:00  12-345\n"
        );
    }

    #[test]
    fn identifiers_of_somebody_else_are_conflicts() {
        let conflict = r#""conflicts": [{"identifier": "phone", "value": "+46701234567", "belongs_to": "p2"}],
            "fields""#;
        let profile: Profile = serde_json::from_str(&PROFILE.replace("\"fields\"", conflict)).unwrap();
        let text = profile_text(&profile, false, Paint(false));
        assert!(text.contains("conflict: phone +46701234567 leads to p2, not to this profile\n"), "{text}");
    }

    #[test]
    fn claims_show_who_disagrees() {
        let profile: Profile = serde_json::from_str(PROFILE).unwrap();
        let text = profile_text(&profile, true, Paint(false));
        assert!(
            text.contains("country  NO     sms         by admins  2026-11-21 10:00:00  12-349\n"),
            "{text}"
        );
    }
}
