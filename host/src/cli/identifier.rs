//! `samsyn identifier`: what customers go by.

use clap::Subcommand;

use super::context::Context;
use super::error::CliError;
use super::output::Table;

/// The commands of `samsyn identifier`.
#[derive(Debug, Subcommand)]
pub enum IdentifierCommand {
    /// List all identifiers
    #[command(after_long_help = LIST_EXAMPLES)]
    List,
}

const LIST_EXAMPLES: &str = "\
Examples:
  samsyn identifier list
  samsyn identifier list --json

When an event's identifiers lead to two customers, the stronger one wins. Matching is exact, or by
the normal form of an e-mail address or a phone number.";

/// Runs a command of `samsyn identifier`.
pub fn run(command: &IdentifierCommand, context: &Context) -> Result<(), CliError> {
    let IdentifierCommand::List = command;
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
