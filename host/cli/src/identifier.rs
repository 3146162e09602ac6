//! `samsyn identifier`: what customers go by.

use clap::{Args, Subcommand};

use samsyn_terminal::ask::Consent;
use samsyn_terminal::context::Context;
use samsyn_terminal::error::CliError;
use samsyn_terminal::input::word;
use samsyn_terminal::output::{Table, plain};
use samsyn_wire::request::IdentifierDefinition;

/// The commands of `samsyn identifier`.
#[derive(Debug, Subcommand)]
pub enum IdentifierCommand {
    /// List all identifiers
    #[command(after_long_help = LIST_EXAMPLES)]
    List,
    /// Define or change an identifier
    #[command(after_long_help = DEFINE_EXAMPLES)]
    Define(DefineArgs),
    /// List customers who share an identifier
    #[command(after_long_help = CONFLICTS_EXAMPLES)]
    Conflicts(ConflictsArgs),
}

/// The arguments of `samsyn identifier conflicts`.
#[derive(Debug, Clone, Args)]
pub struct ConflictsArgs {
    /// How many customers at most
    #[arg(long, default_value_t = 100)]
    pub limit: usize,
}

const CONFLICTS_EXAMPLES: &str = "\
Examples:
  samsyn identifier conflicts
  samsyn identifier conflicts --limit 1000 --json

An identifier leads to the customer who had it first. The list shows the other customers with that
identifier, from an event or a field, and the customer that it leads to. docs/identity.md explains what to do.";

/// The arguments of `samsyn identifier define`.
#[derive(Debug, Clone, Args)]
pub struct DefineArgs {
    /// The identifier
    pub name: String,
    /// How values are matched: exact, email or phone
    #[arg(long, value_parser = ["exact", "email", "phone"])]
    pub normaliser: String,
    /// If an event's identifiers lead to two customers, the identifier with the greater strength wins
    #[arg(long)]
    pub strength: u32,
    /// The country of phone numbers without a country code, such as SE [default: unchanged; without a
    /// country such numbers are rejected]
    #[arg(long, value_name = "COUNTRY")]
    pub country: Option<String>,
    /// A value that identifies nobody and is rejected, ignoring case; may be repeated; replaces the whole
    /// list [default: unchanged]
    #[arg(long = "reject", value_name = "VALUE")]
    pub rejected: Vec<String>,
    /// Whether to ask, and why.
    #[command(flatten)]
    pub consent: Consent,
}

const DEFINE_EXAMPLES: &str = "\
Examples:
  samsyn identifier define loyalty_card --normaliser exact --strength 80
  samsyn identifier define phone --normaliser phone --strength 40 --country SE
  samsyn identifier define customer_id --normaliser exact --strength 100 --reject null --reject 0 --reject KASSA

Identifiers of existing customers keep the normal form that they have.";

const LIST_EXAMPLES: &str = "\
Examples:
  samsyn identifier list
  samsyn identifier list --json

If an event's identifiers lead to two customers, the stronger identifier wins. Matching is exact, or by
the normal form of an e-mail address or a phone number.";

/// Runs a command of `samsyn identifier`.
pub fn run(command: &IdentifierCommand, context: &Context) -> Result<(), CliError> {
    match command {
        IdentifierCommand::List => list(context),
        IdentifierCommand::Define(args) => define(args, context),
        IdentifierCommand::Conflicts(args) => conflicts(args, context),
    }
}

fn define(args: &DefineArgs, context: &Context) -> Result<(), CliError> {
    let client = context.client()?;
    let all = client.identifiers()?;
    let known = all.items.iter().map(|item| &item.body).find(|known| known.name == args.name);
    let definition = IdentifierDefinition {
        name: None,
        normaliser: word(&args.normaliser)?,
        strength: args.strength,
        country: args.country.clone().or_else(|| {
            let kept = known.filter(|known| known.normaliser == args.normaliser);
            kept.and_then(|known| known.country.clone())
        }),
        rejected_values: match (args.rejected.is_empty(), known) {
            (false, _) => Some(args.rejected.clone()),
            (true, Some(known)) => Some(known.rejected_values.clone()),
            (true, None) => None,
        },
    };
    let before = known.map_or_else(
        || "new".to_owned(),
        |known| format!("matched as {}, strength {}", known.normaliser, known.strength),
    );
    eprintln!("{}: {before} → matched as {}, strength {}", args.name, args.normaliser, args.strength);
    let reason = args.consent.ask("Apply this change?", "defined")?;
    let answer = client.define_identifier(&args.name, &definition, reason.as_ref())?;
    context.answer(&answer.raw, |_| format!("{} is defined\n", answer.body.name))
}

fn list(context: &Context) -> Result<(), CliError> {
    let list = context.client()?.identifiers()?;
    context.answer_list(&list, |list, paint| {
        let mut table =
            Table::new(["IDENTIFIER", "MATCHED AS", "STRENGTH", "COUNTRY", "REJECTED VALUES"]).right(&[2]);
        for item in &list.items {
            let identifier = &item.body;
            table.row([
                identifier.name.clone(),
                identifier.normaliser.clone(),
                identifier.strength.to_string(),
                identifier.country.clone().unwrap_or_default(),
                identifier.rejected_values.len().to_string(),
            ]);
        }
        if table.is_empty() { "there are no identifiers yet\n".to_owned() } else { table.render(paint) }
    })
}

fn conflicts(args: &ConflictsArgs, context: &Context) -> Result<(), CliError> {
    let list = context.client()?.identifier_conflicts(args.limit)?;
    context.answer_list(&list, |list, paint| {
        let mut table = Table::new(["PROFILE", "IDENTIFIER", "VALUE", "FINDS"]);
        for item in &list.items {
            for conflict in &item.body.conflicts {
                table.row([
                    item.body.profile.to_string(),
                    conflict.identifier.to_string(),
                    plain(&conflict.value),
                    conflict.belongs_to.as_ref().map(ToString::to_string).unwrap_or_default(),
                ]);
            }
        }
        match table.is_empty() {
            true => "no two customers share an identifier\n".to_owned(),
            false => table.render(paint),
        }
    })
}
