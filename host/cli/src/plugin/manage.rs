//! `samsyn plugin list | show | set | remove | release`: plug-ins that are installed.

use clap::Args;
use serde_json::{Map, Value};

use super::grants::{grant_lines, pending_text};
use samsyn_contract::SettingType;
use samsyn_terminal::ask::{Consent, Why};
use samsyn_terminal::context::Context;
use samsyn_terminal::error::CliError;
use samsyn_terminal::input::Pair;
use samsyn_terminal::output::{Paint, Table, grouped, moment, pairs, value_text};
use samsyn_wire::request::SettingsPatch;
use samsyn_wire::{Capability, CapabilityEndpoint};

/// Shown in the long help.
pub const LIST_EXAMPLES: &str = "\
Examples:
  samsyn plugin list
  samsyn plugin list --json";

/// Shown in the long help.
pub const SHOW_EXAMPLES: &str = "\
Example:
  samsyn plugin show loyalty";

/// Shown in the long help.
pub const SET_EXAMPLES: &str = "\
Examples:
  samsyn plugin set loyalty points_per_unit=2
  samsyn plugin set sms 'stop_words=STOP, END' --dry-run
  samsyn plugin set loyalty points_per_unit=null

null resets a setting to its default. The host retries the capability's parked invocations.";

/// Shown in the long help.
pub const REMOVE_EXAMPLES: &str = "\
Examples:
  samsyn plugin remove loyalty
  samsyn plugin remove loyalty --force

The host doesn't remove a capability that is the source of fields. First assign them to another one:
samsyn field assign --from loyalty --all NAME. Its claims stay: admins see them, and where a field inherits
from the capability they stay the visible values.";

/// Shown in the long help.
pub const RELEASE_EXAMPLES: &str = "\
Example:
  samsyn plugin release sms

The host quarantines a capability that fails repeatedly: it receives nothing, and nothing is lost. After
the release it continues where it stopped.";

/// The arguments of `samsyn plugin show`.
#[derive(Debug, Clone, Args)]
pub struct ShowArgs {
    /// The capability
    pub name: String,
}

/// The arguments of `samsyn plugin set`.
#[derive(Debug, Clone, Args)]
pub struct SetArgs {
    /// The capability
    pub name: String,
    /// The settings to change
    #[arg(value_name = "SETTING=VALUE", required = true)]
    pub settings: Vec<Pair>,
    /// Only check the settings
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub why: Why,
}

/// The arguments of `samsyn plugin remove`.
#[derive(Debug, Clone, Args)]
pub struct RemoveArgs {
    /// The capability
    pub name: String,
    /// Remove it even if it is the source of fields; these lose their source and values
    #[arg(long)]
    pub force: bool,
    /// Whether to ask, and why.
    #[command(flatten)]
    pub consent: Consent,
}

/// The arguments of `samsyn plugin release`.
#[derive(Debug, Clone, Args)]
pub struct ReleaseArgs {
    /// The capability
    pub name: String,
    #[command(flatten)]
    pub why: Why,
}

/// Lists installed plug-ins.
pub fn list(context: &Context) -> Result<(), CliError> {
    let list = context.client()?.capabilities()?;
    context.answer_list(&list, |list, paint| {
        let mut table = Table::new(["CAPABILITY", "VERSION", "STATE", "ROLES", "SOURCE OF", "LAG", "PARKED"])
            .right(&[5, 6]);
        for capability in list.items.iter().map(|item| &item.body) {
            table.row([
                capability.name.clone(),
                capability.version.clone(),
                match &capability.pending {
                    Some(pending) => format!("{}; {} waits for approval", capability.state, pending.version),
                    None => capability.state.clone(),
                },
                capability.roles.join(", "),
                format!("{} fields", capability.sources.iter().filter(|source| source.assigned).count()),
                grouped(capability.lag),
                grouped(capability.parked as u64),
            ]);
        }
        if table.is_empty() {
            return "no capability is installed yet: samsyn plugin install FILE\n".to_owned();
        }
        table.render(paint)
    })
}

/// Shows one.
pub fn show(args: &ShowArgs, context: &Context) -> Result<(), CliError> {
    let answer = context.client()?.capability(&args.name)?;
    context.answer(&answer.raw, |paint| capability_text(&answer.body, paint))
}

/// Changes settings.
pub fn set(args: &SetArgs, context: &Context) -> Result<(), CliError> {
    let client = context.client()?;
    let capability = client.capability(&args.name)?.body;
    let mut settings = Map::new();
    for pair in &args.settings {
        let declared = capability.settings.iter().find(|setting| setting.name == pair.name);
        let kind = declared
            .and_then(|setting| serde_json::from_value::<SettingType>(Value::from(setting.kind.clone())).ok())
            .map(SettingType::of_values);
        let value = kind.map_or_else(|| Ok(pair.guessed()), |kind| pair.typed(kind))?;
        settings.insert(pair.name.clone(), value);
    }
    let reason = if args.dry_run { None } else { args.why.ask()? };
    let answer = client.set_settings(&args.name, &SettingsPatch(settings), args.dry_run, reason.as_ref())?;
    context.answer(&answer.raw, |paint| {
        let outcome = if args.dry_run { "valid; nothing was changed\n" } else { "" };
        format!("{}{outcome}", settings_text(&answer.body, paint))
    })
}

/// Removes one, after asking.
pub fn remove(args: &RemoveArgs, context: &Context) -> Result<(), CliError> {
    let client = context.client()?;
    let mut question = format!("Remove {}?", args.name);
    if !args.consent.yes && args.force {
        let capability = client.capability(&args.name)?.body;
        let assigned = capability.sources.iter().filter(|source| source.assigned);
        let assigned: Vec<&str> = assigned.map(|source| source.field.as_str()).collect();
        if !assigned.is_empty() {
            question = format!("These fields lose their source: {}. {question}", assigned.join(", "));
        }
    }
    let reason = args.consent.ask(&question, "removed")?;
    client.remove(&args.name, args.force, reason.as_ref())?;
    if context.json { Ok(()) } else { context.print(&format!("removed {}\n", args.name)) }
}

/// Ends a quarantine.
pub fn release(args: &ReleaseArgs, context: &Context) -> Result<(), CliError> {
    let answer = context.client()?.release(&args.name, args.why.ask()?.as_ref())?;
    context.answer(&answer.raw, |_| format!("{}: {}\n", answer.body.name, answer.body.state))
}

fn endpoint_text(endpoint: &CapabilityEndpoint) -> String {
    format!("{} ({})", endpoint.name, endpoint.state)
}

fn capability_text(capability: &Capability<'_>, paint: Paint) -> String {
    let state = match &capability.reason {
        Some(reason) => format!("{}: {reason}", capability.state),
        None => capability.state.clone(),
    };
    let mut text = pairs(
        &[
            ("plug-in", format!("{} {}", capability.name, capability.version)),
            ("description", capability.description.clone()),
            ("owner", capability.owner.clone()),
            ("state", state),
            ("roles", capability.roles.join(", ")),
            ("hears", capability.subscribes.join(", ")),
            ("emits", capability.emits.join(", ")),
            ("identifiers", capability.identifiers.join(", ")),
            ("endpoints", capability.endpoints.iter().map(endpoint_text).collect::<Vec<_>>().join(", ")),
            ("generation", capability.generation.to_string()),
            ("lag", grouped(capability.lag)),
            ("parked", grouped(capability.parked as u64)),
            ("installed", moment(&capability.installed_at)),
            ("digest", capability.digest.clone()),
        ],
        paint,
    );
    for line in grant_lines(&capability.withheld) {
        text.push_str(&format!("{}\n", paint.bad(&format!("may not {line}"))));
    }
    if let Some(pending) = &capability.pending {
        text.push_str(&format!("\n{}", pending_text(capability, pending, paint)));
    }
    let mut table = Table::new(["FIELD", "", "PURPOSE"]);
    for source in &capability.sources {
        let role = if source.assigned { "is its source" } else { "makes claims" };
        table.row([source.field.clone(), role.to_owned(), String::new()]);
    }
    for consumed in &capability.consumes {
        let role = if consumed.notify { "reads, receives changes" } else { "reads" };
        table.row([consumed.field.clone(), role.to_owned(), consumed.purposes.join(", ")]);
    }
    if !table.is_empty() {
        text.push_str(&format!("\n{}", table.render(paint)));
    }
    if !capability.settings.is_empty() {
        text.push_str(&format!("\n{}", settings_text(capability, paint)));
    }
    text
}

fn settings_text(capability: &Capability<'_>, paint: Paint) -> String {
    let mut table = Table::new(["SETTING", "TYPE", "VALUE", "DEFAULT", "DESCRIPTION"]);
    for setting in &capability.settings {
        let value = if setting.value.is_null() { &setting.default } else { &setting.value };
        table.row([
            setting.name.clone(),
            setting.kind.clone(),
            value_text(&value.to_json()),
            value_text(&setting.default.to_json()),
            setting.description.clone(),
        ]);
    }
    table.render(paint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plug_in_shows_what_it_may_and_what_it_is() {
        let capability: Capability<'_> = serde_json::from_str(
            r#"{"name": "sms", "version": "0.1.0", "digest": "ab", "owner": "CRM", "description": "Texts",
                "state": "quarantined", "reason": "5 traps", "generation": 1, "roles": ["subscriber"],
                "subscribes": ["sms.received"], "emits": [], "sources": [{"field": "country", "assigned": false}],
                "consumes": [{"field": "phone", "purposes": ["service"], "notify": true}], "identifiers": ["phone"],
                "settings": [{"name": "n", "type": "integer", "default": 3, "value": null, "description": "how many"}],
                "lag": 12, "parked": 1, "installed_at": "2026-11-21T10:00:00Z"}"#,
        )
        .unwrap();
        let text = capability_text(&capability, Paint(false));
        assert!(text.contains("state        quarantined: 5 traps\n"), "{text}");
        assert!(text.contains("country  makes claims\n"), "{text}");
        assert!(text.contains("phone    reads, receives changes  service\n"), "{text}");
        assert!(text.contains("n        integer  3      3        how many\n"), "{text}");
    }
}
