//! `samsyn identifier`: what customers go by.

use clap::{Args, Subcommand};

use super::ask::Consent;
use super::context::Context;
use super::error::CliError;
use super::output::Table;

/// The commands of `samsyn identifier`.
#[derive(Debug, Subcommand)]
pub enum IdentifierCommand {
    /// List all identifiers
    #[command(after_long_help = LIST_EXAMPLES)]
    List,
    /// Define an identifier, or change what it is
    #[command(after_long_help = DEFINE_EXAMPLES)]
    Define(DefineArgs),
}

/// The arguments of `samsyn identifier define`.
#[derive(Debug, Clone, Args)]
pub struct DefineArgs {
    /// The identifier
    pub name: String,
    /// How two spellings are matched: exact, email or phone
    #[arg(long, value_parser = ["exact", "email", "phone"])]
    pub normaliser: String,
    /// Which of two wins when an event's identifiers lead to two customers: the greater
    #[arg(long)]
    pub strength: u32,
    /// Whether to ask, and why.
    #[command(flatten)]
    pub consent: Consent,
}

const DEFINE_EXAMPLES: &str = "\
Example:
  samsyn identifier define loyalty_card --normaliser exact --strength 80

Customers that are known keep the form in which their names were matched before.";

const LIST_EXAMPLES: &str = "\
Examples:
  samsyn identifier list
  samsyn identifier list --json

When an event's identifiers lead to two customers, the stronger one wins. Matching is exact, or by
the normal form of an e-mail address or a phone number.";

/// Runs a command of `samsyn identifier`.
pub fn run(command: &IdentifierCommand, context: &Context) -> Result<(), CliError> {
    match command {
        IdentifierCommand::List => list(context),
        IdentifierCommand::Define(args) => define(args, context),
    }
}

fn define(args: &DefineArgs, context: &Context) -> Result<(), CliError> {
    let client = context.client()?;
    let known = client.identifiers()?;
    let before = known.items.iter().map(|item| &item.body).find(|known| known.name == args.name);
    let before = before.map_or_else(
        || "new".to_owned(),
        |known| format!("matched as {}, strength {}", known.normaliser, known.strength),
    );
    eprintln!("{}: {before} → matched as {}, strength {}", args.name, args.normaliser, args.strength);
    let reason = args.consent.ask("Do it?", "defined")?;
    let answer = client.define_identifier(&args.name, &args.normaliser, args.strength, reason.as_ref())?;
    context.answer(&answer.raw, |_| format!("{} is defined\n", answer.body.name))
}

fn list(context: &Context) -> Result<(), CliError> {
    let list = context.client()?.identifiers()?;
    context.answer_list(&list, |list, paint| {
        let mut table = Table::new(["IDENTIFIER", "MATCHED AS", "STRENGTH"]).right(&[2]);
        for item in &list.items {
            let identifier = &item.body;
            table.row([
                identifier.name.clone(),
                identifier.normaliser.clone(),
                identifier.strength.to_string(),
            ]);
        }
        if table.is_empty() { "there are no identifiers yet\n".to_owned() } else { table.render(paint) }
    })
}
