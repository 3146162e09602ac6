//! `samsyn field define | accept | deprecate | remove`: changes of the dictionary, each shown first.

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Args, ValueEnum};
use serde_json::{Map, Value, json};

use super::plugin::claim_it_too;
use samsyn_client::{Client, ClientError};
use samsyn_registry::DataClass;
use samsyn_terminal::ask::Consent;
use samsyn_terminal::context::Context;
use samsyn_terminal::error::{CliError, file_error};
use samsyn_terminal::output::{Paint, plain, value_text};
use samsyn_vocabulary::{Reason, Type};
use samsyn_wire::Field;
use samsyn_wire::request::{FieldDefinition, member_names};

/// Shown in the long help.
pub const DEFINE_EXAMPLES: &str = "\
Examples:
  samsyn field define shoe_size --type text --one-of S,M,L --class personal --department 'Web shop'
  samsyn field define shoe_size --description 'As ordered last' --yes --reason WEB-31
  samsyn field define address --type json --schema address.schema.json
  samsyn field define loyalty.points --unit ''

Options that you leave out keep their value; '' clears one. To define a field that a plug-in added is to
accept it.";

/// Shown in the long help.
pub const ACCEPT_EXAMPLES: &str = "\
Examples:
  samsyn field accept loyalty.points --reason 'agreed with Membership'
  samsyn field accept --all --yes

A field that a plug-in adds waits until an admin accepts it. Until then only admins see its claims. After
that it is a normal field, and the capability that added it is its source.";

/// Shown in the long help.
pub const DEPRECATE_EXAMPLES: &str = "\
Examples:
  samsyn field deprecate fax --note 'nobody reads it; use phone'
  samsyn field deprecate fax --undo

The field keeps working. Installing a plug-in that reads it shows a warning.";

/// Shown in the long help.
pub const REMOVE_EXAMPLES: &str = "\
Example:
  samsyn field remove fax --reason 'the last fax left in May'

You can remove a field only if no capability sources or reads it. Its claims stay in the log.";

/// How two claims are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CompareAs {
    /// Equal values
    Exact,
    /// Equal values, ignoring case
    Caseless,
    /// Equal digits
    Digits,
}

/// The arguments of `samsyn field define`.
#[derive(Debug, Clone, Args)]
pub struct DefineArgs {
    /// The field
    pub field: String,
    /// The type; texts is a list of strings
    #[arg(long = "type", value_name = "TYPE", value_parser = PossibleValuesParser::new(Type::ALL.map(Type::as_str)))]
    pub kind: Option<String>,
    /// The allowed values, separated by commas
    #[arg(long, value_name = "TEXTS")]
    pub one_of: Option<String>,
    /// A file with a JSON Schema that each value must match
    #[arg(long, value_name = "FILE")]
    pub schema: Option<PathBuf>,
    /// The unit of a number, such as points or SEK
    #[arg(long)]
    pub unit: Option<String>,
    /// The description
    #[arg(long, value_name = "TEXT")]
    pub description: Option<String>,
    /// The data class: none, personal or sensitive
    #[arg(long, value_name = "CLASS", value_parser = PossibleValuesParser::new(DataClass::ALL.map(DataClass::as_str)))]
    pub class: Option<String>,
    /// The responsible department
    #[arg(long, value_name = "NAME")]
    pub department: Option<String>,
    /// The identifier that the field's value is
    #[arg(long, value_name = "IDENTIFIER")]
    pub identifies: Option<String>,
    /// Whether the field is an opt-out: only its source can turn it off
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    pub protective: Option<bool>,
    /// How two claims are compared
    #[arg(long, value_enum)]
    pub compare: Option<CompareAs>,
    /// Whether to ask, and why.
    #[command(flatten)]
    pub consent: Consent,
}

/// The arguments of `samsyn field accept`.
#[derive(Debug, Clone, Args)]
pub struct AcceptArgs {
    /// The fields
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    pub fields: Vec<String>,
    /// Every field that waits for acceptance
    #[arg(long)]
    pub all: bool,
    /// Whether to ask, and why.
    #[command(flatten)]
    pub consent: Consent,
}

/// The arguments of `samsyn field deprecate`.
#[derive(Debug, Clone, Args)]
pub struct DeprecateArgs {
    /// The field
    pub field: String,
    /// The reason, and what to use instead
    #[arg(long, value_name = "TEXT", required_unless_present = "undo", conflicts_with = "undo")]
    pub note: Option<String>,
    /// End the deprecation
    #[arg(long)]
    pub undo: bool,
    /// Whether to ask, and why.
    #[command(flatten)]
    pub consent: Consent,
}

/// The arguments of `samsyn field remove`.
#[derive(Debug, Clone, Args)]
pub struct RemoveArgs {
    /// The field
    pub field: String,
    /// Whether to ask, and why.
    #[command(flatten)]
    pub consent: Consent,
}

/// Defines or changes a field.
pub fn define(args: &DefineArgs, context: &Context) -> Result<(), CliError> {
    let client = context.client()?;
    let before = defined(&client, &args.field)?;
    let mut wanted = before.clone().unwrap_or_default();
    wanted.extend(said(args)?);
    if !wanted.contains_key("type") {
        return Err(CliError::usage(format!("{} is a new field and needs a type", args.field))
            .next("add --type text, integer, decimal, boolean, date, timestamp, texts or json"));
    }
    // A newer host may have said a word that this version can't send back.
    let definition: FieldDefinition = serde_json::from_value(Value::Object(wanted.clone()))
        .map_err(|cause| CliError::usage(format!("invalid definition of {}", args.field)).because(cause))?;
    let before = before.unwrap_or_default();
    eprint!("{}", changes_text(&args.field, &before, &wanted, Paint(context.error_colour)));
    let reason = args.consent.ask("Apply this change?", "defined")?;
    let answer = client.define_field(&args.field, &definition, reason.as_ref())?;
    context.answer(&answer.raw, |_| format!("{} is defined\n", plain(&answer.body.name)))
}

/// The definition of a field that is there.
fn defined(client: &Client, field: &str) -> Result<Option<Map<String, Value>>, CliError> {
    let raw = match client.field(field) {
        Ok(answer) => answer.raw,
        Err(ClientError::Refused(problem)) if problem.status == 404 => return Ok(None),
        Err(other) => return Err(other.into()),
    };
    let mut all: Map<String, Value> = serde_json::from_str(&raw)
        .map_err(|cause| CliError::refused("the host's answer about the field is invalid").because(cause))?;
    all.retain(|member, _| member_names::<FieldDefinition>().contains(&member.as_str()));
    Ok(Some(all))
}

/// What the command line says of the field.
fn said(args: &DefineArgs) -> Result<Map<String, Value>, CliError> {
    let mut said = Map::new();
    let mut say = |member: &str, value: Option<Value>| {
        if let Some(value) = value {
            said.insert(member.to_owned(), value);
        }
    };
    // Nothing between the quotes takes what was said back.
    let optional = |text: &Option<String>| {
        text.as_ref().map(|text| if text.is_empty() { Value::Null } else { json!(text) })
    };
    let list = |texts: &String| -> Value {
        texts.split(',').map(str::trim).filter(|text| !text.is_empty()).collect::<Vec<_>>().into()
    };
    say("type", args.kind.as_ref().map(|kind| json!(kind)));
    say("one_of", args.one_of.as_ref().map(list));
    say("unit", optional(&args.unit));
    say("description", args.description.as_ref().map(|text| json!(text)));
    say("class", args.class.as_ref().map(|class| json!(class)));
    say("department", optional(&args.department));
    say("identifies", optional(&args.identifies));
    say("protective", args.protective.map(Value::from));
    let compare = args.compare.as_ref().and_then(ValueEnum::to_possible_value);
    say("compare", compare.map(|compare| json!(compare.get_name())));
    if let Some(file) = args.schema.as_ref() {
        say("schema", Some(read_schema(file)?));
    }
    Ok(said)
}

fn read_schema(file: &PathBuf) -> Result<Value, CliError> {
    if file.as_os_str().is_empty() {
        return Ok(Value::Null);
    }
    let text = std::fs::read_to_string(file).map_err(|cause| file_error("read", file, &cause))?;
    serde_json::from_str(&text)
        .map_err(|cause| CliError::usage(format!("{} is not JSON", file.display())).because(cause))
}

fn changes_text(
    field: &str,
    before: &Map<String, Value>,
    wanted: &Map<String, Value>,
    paint: Paint,
) -> String {
    let mut text = format!("{}\n", paint.strong(&plain(field)));
    for (member, value) in wanted {
        let old = before.get(member).unwrap_or(&Value::Null);
        if old != value {
            text.push_str(&format!(
                "  {member}: {} → {}\n",
                plain(&value_text(old)),
                plain(&value_text(value))
            ));
        }
    }
    text
}

/// Accepts fields that plug-ins brought.
pub fn accept(args: &AcceptArgs, context: &Context) -> Result<(), CliError> {
    let client = context.client()?;
    let known = client.fields()?;
    let waiting: Vec<(&Field, &str)> = known
        .items
        .iter()
        .filter_map(|item| Some((&item.body, item.body.proposed_by.as_deref()?)))
        .filter(|(field, _)| args.all || args.fields.contains(&field.name))
        .collect();
    let fields: Vec<String> = if args.all {
        waiting.iter().map(|(field, _)| field.name.clone()).collect()
    } else {
        args.fields.clone()
    };
    if fields.is_empty() {
        return context.print(if context.json { "" } else { "no field waits for acceptance\n" });
    }
    for (field, by) in &waiting {
        let others: Vec<&String> = field.claimed_by.iter().filter(|name| name.as_str() != *by).collect();
        let first = if others.is_empty() { "" } else { ", because it added the field first" };
        let too = claim_it_too(&others);
        eprintln!("{}: {} becomes its source{first}{too}", plain(&field.name), plain(by));
    }
    let reason = args.consent.ask("Accept?", "accepted")?;
    for field in &fields {
        let answer = client.accept_field(field, reason.as_ref())?;
        context.answer(&answer.raw, |_| {
            let source = answer.body.source.as_deref().unwrap_or("none");
            format!("{}: source {}\n", plain(&answer.body.name), plain(source))
        })?;
    }
    Ok(())
}

/// Deprecates a field.
pub fn deprecate(args: &DeprecateArgs, context: &Context) -> Result<(), CliError> {
    let client = context.client()?;
    let field = client.field(&args.field)?.body;
    if !field.consumed_by.is_empty() {
        eprintln!("{} is read by {}", plain(&field.name), plain(&field.consumed_by.join(", ")));
    }
    let reason = args.consent.ask("Apply this change?", "deprecated")?;
    let answer = client.deprecate_field(&args.field, args.note.clone(), reason.as_ref())?;
    context.answer(&answer.raw, |_| match &answer.body.deprecated {
        Some(note) => format!("{} is deprecated: {}\n", plain(&answer.body.name), plain(note)),
        None => format!("{} is no longer deprecated\n", plain(&answer.body.name)),
    })
}

/// Removes a field.
pub fn remove(args: &RemoveArgs, context: &Context) -> Result<(), CliError> {
    let client = context.client()?;
    let reason: Option<Reason> = args.consent.ask(&format!("Remove {}?", plain(&args.field)), "removed")?;
    client.remove_field(&args.field, reason.as_ref())?;
    if context.json { Ok(()) } else { context.print(&format!("removed {}\n", plain(&args.field))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_changes_is_shown() {
        let map = |value: Value| value.as_object().cloned().unwrap();
        let before = map(json!({"type": "text", "class": "none", "unit": null}));
        let wanted = map(json!({"type": "text", "class": "personal", "unit": null, "one_of": ["S", "M"]}));
        assert_eq!(
            changes_text("size", &before, &wanted, Paint(false)),
            "size\n  class: none → personal\n  one_of: - → S, M\n"
        );
    }
}
