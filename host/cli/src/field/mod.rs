//! `samsyn field`: the dictionary, and the sources of fields.

mod assign;
mod compare;

pub use assign::counts_text;

use clap::{Args, Subcommand};

use super::dictionary;
use super::plugin::facts;
use samsyn_terminal::context::Context;
use samsyn_terminal::error::CliError;
use samsyn_terminal::output::{Paint, Table, pairs};
use samsyn_wire::Field;

/// The commands of `samsyn field`.
#[derive(Debug, Subcommand)]
pub enum FieldCommand {
    /// List all fields with their sources
    #[command(after_long_help = LIST_EXAMPLES)]
    List,
    /// Show one field
    #[command(after_long_help = SHOW_EXAMPLES)]
    Show(ShowArgs),
    /// Assign fields to another source, after a plan
    #[command(after_long_help = assign::ASSIGN_EXAMPLES)]
    Assign(assign::AssignArgs),
    /// Show every capability's claims for a field
    #[command(after_long_help = compare::CLAIMS_EXAMPLES)]
    Claims(compare::ClaimsArgs),
    /// Show where capabilities agree and differ about fields
    #[command(after_long_help = compare::DISAGREEMENTS_EXAMPLES)]
    Disagreements(compare::DisagreementsArgs),
    /// Show the progress of notifying consumers of new sources
    #[command(after_long_help = assign::JOBS_EXAMPLES)]
    Jobs,
    /// Define or change a field
    #[command(after_long_help = dictionary::DEFINE_EXAMPLES)]
    Define(dictionary::DefineArgs),
    /// Accept fields that plug-ins added
    #[command(after_long_help = dictionary::ACCEPT_EXAMPLES)]
    Accept(dictionary::AcceptArgs),
    /// Mark a field as deprecated
    #[command(after_long_help = dictionary::DEPRECATE_EXAMPLES)]
    Deprecate(dictionary::DeprecateArgs),
    /// Remove a field that no capability sources or reads
    #[command(after_long_help = dictionary::REMOVE_EXAMPLES)]
    Remove(dictionary::RemoveArgs),
}

const LIST_EXAMPLES: &str = "\
Examples:
  samsyn field list
  samsyn field list --json";

const SHOW_EXAMPLES: &str = "\
Example:
  samsyn field show loyalty.points";

/// The arguments of `samsyn field show`.
#[derive(Debug, Clone, Args)]
pub struct ShowArgs {
    /// The field
    pub field: String,
}

/// Runs a command of `samsyn field`.
pub fn run(command: &FieldCommand, context: &Context) -> Result<(), CliError> {
    let client = context.client()?;
    match command {
        FieldCommand::Define(args) => dictionary::define(args, context),
        FieldCommand::Accept(args) => dictionary::accept(args, context),
        FieldCommand::Deprecate(args) => dictionary::deprecate(args, context),
        FieldCommand::Remove(args) => dictionary::remove(args, context),
        FieldCommand::List => {
            let list = client.fields()?;
            context.answer_list(&list, |list, paint| {
                fields_text(&mut list.items.iter().map(|item| &item.body), paint)
            })
        }
        FieldCommand::Show(args) => {
            let answer = client.field(&args.field)?;
            context.answer(&answer.raw, |paint| field_text(&answer.body, paint))
        }
        FieldCommand::Assign(args) => assign::run(args, context),
        FieldCommand::Claims(args) => compare::claims(args, context),
        FieldCommand::Disagreements(args) => compare::disagreements(args, context),
        FieldCommand::Jobs => assign::jobs(context),
    }
}

/// Fields as a table, with their sources.
pub fn fields_text(fields: &mut dyn Iterator<Item = &Field>, paint: Paint) -> String {
    let mut table = Table::new(["FIELD", "TYPE", "SOURCE", "ALSO CLAIMED BY", "READ BY", "NOTES"]);
    for field in fields {
        let source = field.source.as_deref();
        let others: Vec<&str> =
            field.claimed_by.iter().map(String::as_str).filter(|by| Some(*by) != source).collect();
        table.row([
            field.name.clone(),
            field.kind.clone(),
            match &field.proposed_by {
                Some(by) => format!("- ({by} waits)"),
                None => source.unwrap_or("-").to_owned(),
            },
            others.join(", "),
            field.consumed_by.join(", "),
            facts(&field.class, field.protective, &field.identifies, &field.deprecated).join(", "),
        ]);
    }
    if table.is_empty() {
        return "there are no fields yet; plug-ins add them: samsyn plugin install FILE\n".to_owned();
    }
    table.render(paint)
}

fn field_text(field: &Field, paint: Paint) -> String {
    let optional = |text: &Option<String>| text.clone().unwrap_or_default();
    let kind = match field.one_of.as_slice() {
        [] => field.kind.clone(),
        one_of => format!("{}, one of {}", field.kind, one_of.join(", ")),
    };
    let flag = |on: bool, text: &str| if on { text.to_owned() } else { String::new() };
    pairs(
        &[
            ("field", field.name.clone()),
            ("type", kind),
            ("schema", field.schema.as_ref().map(ToString::to_string).unwrap_or_default()),
            ("unit", optional(&field.unit)),
            ("description", field.description.clone()),
            ("class", field.class.clone()),
            ("department", optional(&field.department)),
            ("identifies", optional(&field.identifies)),
            ("protective", flag(field.protective, "only its source can turn it off")),
            (
                "compared",
                Some(field.compare.clone()).filter(|compare| compare != "exact").unwrap_or_default(),
            ),
            ("deprecated", optional(&field.deprecated)),
            ("proposed by", optional(&field.proposed_by)),
            ("source", field.source.clone().unwrap_or_else(|| "none".to_owned())),
            ("inherits from", field.inherits.join(", ")),
            ("claimed by", field.claimed_by.join(", ")),
            ("read by", field.consumed_by.join(", ")),
        ],
        paint,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_says_who_owns_what_and_who_disagrees() {
        let fields: Vec<Field> = serde_json::from_str(
            r#"[{"name": "country", "type": "text", "one_of": [], "description": "", "source": "crm",
                 "class": "personal", "identifies": "country",
                 "claimed_by": ["crm", "sms"], "consumed_by": ["email"]},
                {"name": "note", "type": "text", "class": "none", "source": null, "protective": true,
                 "deprecated": "use memo"}]"#,
        )
        .unwrap();
        assert_eq!(
            fields_text(&mut fields.iter(), Paint(false)),
            "FIELD    TYPE  SOURCE  ALSO CLAIMED BY  READ BY  NOTES\n\
             country  text  crm     sms              email    personal, identifies country\n\
             note     text  -                                 protective, deprecated: use memo\n"
        );
    }
}
