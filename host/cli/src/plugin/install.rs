//! `samsyn plugin install`: the plan first, then a question, then the change.

use std::path::PathBuf;

use clap::Args;

use super::grants::{grant_lines, pending_text};
use super::replay::{Severity, differences, on_host, summary};
use super::replay_text::report_text;
use samsyn_client::{Client, InstallHow};
use samsyn_terminal::ask::{Consent, accepts};
use samsyn_terminal::context::Context;
use samsyn_terminal::error::{CliError, Exit, file_error};
use samsyn_terminal::output::{Paint, plain, value_text};
use samsyn_wire::{InstallPlan, PlannedCall, PlannedSetting, PlannedSource};

/// Shown in the long help.
pub const EXAMPLES: &str = "\
Examples:
  samsyn plugin install target/plugins/loyalty.wasm
  samsyn plugin install target/plugins/loyalty.wasm --dry-run
  samsyn plugin install target/plugins/loyalty.wasm --replay        # what would it have decided?
  samsyn plugin install target/plugins/loyalty.wasm --from start --yes
  samsyn plugin install target/plugins/loyalty.wasm --leave-pending --yes   # for a pipeline

A field without a source is assigned to the new capability. For a field of another capability it makes
claims that only admins see, until `samsyn field assign` changes the source.

For a new version of an installed plug-in the command offers, at a terminal, to replay it over the log
first, like `samsyn plugin replay`. --replay does so without asking. --replay --yes installs it only if no
difference is an error.";

/// The arguments of `samsyn plugin install`.
#[derive(Debug, Clone, Args)]
pub struct InstallArgs {
    /// The component that `samsyn plugin build` wrote
    pub file: PathBuf,
    /// Whether to ask, and why.
    #[command(flatten)]
    pub consent: Consent,
    /// Replay a new version over the log first: see `samsyn plugin replay`
    #[arg(long, conflicts_with = "dry_run")]
    pub replay: bool,
    /// Print the plan and change nothing
    #[arg(long, conflicts_with_all = ["yes", "deliver"])]
    pub dry_run: bool,
    /// `start`: deliver every event, from the oldest on; its claims become visible when it has caught
    /// up
    #[arg(long, value_name = "start", value_parser = ["start"])]
    pub from: Option<String>,
    /// Also deliver the events that it emits while it catches up
    #[arg(long, requires = "from")]
    pub deliver: bool,
    /// Let an upgrade that requests more than is granted wait for `samsyn plugin approve`; the installed
    /// version keeps running
    #[arg(long)]
    pub leave_pending: bool,
    /// Accept the fields that it adds at once; otherwise they wait for `samsyn field accept`
    #[arg(long)]
    pub accept_fields: bool,
}

/// Installs the plug-in.
pub fn run(args: &InstallArgs, context: &Context) -> Result<(), CliError> {
    let component = std::fs::read(&args.file).map_err(|cause| file_error("read", &args.file, &cause))?;
    let client = context.client()?;
    let how = InstallHow {
        from_start: args.from.is_some(),
        accept_fields: args.accept_fields,
        ..InstallHow::default()
    };
    let plan = client.plan(&component, how)?;
    if args.dry_run {
        if plan.body.is_new_version() {
            let file = args.file.display();
            context.hint(&format!("`samsyn plugin replay {file}` shows what it would have decided"));
        }
        return context.answer(&plan.raw, |paint| plan_text(&plan.body, paint));
    }
    if !args.consent.yes {
        eprint!("{}", plan_text(&plan.body, Paint(context.error_colour)));
    } else if !context.json && !context.quiet {
        context.print(&plan_text(&plan.body, context.paint))?;
    }
    replay_first(args, &plan.body, &client, &component, context)?;
    let reason = args.consent.ask("Install it?", "installed").map_err(|error| match error.next {
        // Without anybody to ask, the plan is worth a look of its own.
        Some(next) if error.exit == Exit::Usage => {
            CliError { next: Some(format!("{next}, or --dry-run to see only the plan")), ..error }
        }
        _ => error,
    })?;
    let how = InstallHow {
        deliver: args.deliver,
        // Saying yes to the plan approves what the plug-in requests.
        approve: !args.leave_pending && !grant_lines(&plan.body.wants).is_empty(),
        reason: reason.as_ref(),
        ..how
    };
    let answer = client.install(&component, how)?;
    context.answer(&answer.raw, |_| {
        let capability = &answer.body.capability;
        if let (true, Some(pending)) = (answer.body.pending, &capability.pending) {
            let name = plain(&capability.name);
            let text = pending_text(capability, pending, context.paint);
            return format!("{text}next: samsyn plugin approve {name}, or samsyn plugin reject {name}\n");
        }
        let next = next_bindings(&answer.body.plan);
        format!("{}: {}\n{next}", done_text(&answer.body.plan), plain(&capability.state))
    })
}

/// Replays a new version when that is asked for, or accepted when it is offered.
fn replay_first(
    args: &InstallArgs,
    plan: &InstallPlan,
    client: &Client,
    component: &[u8],
    context: &Context,
) -> Result<(), CliError> {
    if !plan.is_new_version() {
        if args.replay {
            context.hint("nothing to compare: no other version is installed");
        }
        return Ok(());
    }
    let offer = "Replay it over the log first, to see what it would have decided?";
    if !args.replay && (args.consent.yes || !accepts(offer)) {
        return Ok(());
    }
    let report = match on_host(client, component, None, None, false, context) {
        Ok((_, report)) => report,
        Err(error) if args.replay || error.exit == Exit::Interrupted => return Err(error),
        Err(error) => {
            eprint!("{}", error.render(context.error_colour));
            return Ok(());
        }
    };
    eprint!("{}", report_text(&report, Paint(context.error_colour)));
    if args.consent.yes && differences(&report, Severity::Error) > 0 {
        return Err(CliError::refused(format!("not installed: {}", summary(&report)))
            .next("see the errors above; to install it anyway, leave out --replay"));
    }
    Ok(())
}

/// What an installation would be, by its name: `Upgrade shop 0.9.0 → 0.10.0`.
fn title(plan: &InstallPlan) -> String {
    let (name, version) = (plain(&plan.capability), plain(&plan.version));
    let before = plan.before.as_ref().map(|before| plain(&before.version)).unwrap_or_default();
    match plan.change.as_str() {
        "reinstall" => format!("Install again {name} {version}"),
        "upgrade" => format!("Upgrade {name} {before} → {version}"),
        "downgrade" => format!("Downgrade {name} {before} → {version}"),
        "same-version" => format!("Replace {name} {version}: same version, different content"),
        "other-version" => format!("Change {name} {before} → {version}"),
        _ => format!("Install {name} {version}"),
    }
}

/// What an installation was: `upgraded shop 0.9.0 → 0.10.0`.
pub fn done_text(plan: &InstallPlan) -> String {
    let (name, version) = (plain(&plan.capability), plain(&plan.version));
    let before = plan.before.as_ref().map(|before| plain(&before.version)).unwrap_or_default();
    match plan.change.as_str() {
        "reinstall" => format!("installed {name} {version} again"),
        "upgrade" => format!("upgraded {name} {before} → {version}"),
        "downgrade" => format!("downgraded {name} {before} → {version}"),
        "same-version" => format!("replaced {name} {version}: same version, different content"),
        "other-version" => format!("changed {name} {before} → {version}"),
        _ => format!("installed {name} {version}"),
    }
}

/// The plan as an admin reads it before deciding.
pub fn plan_text(plan: &InstallPlan, paint: Paint) -> String {
    let title = title(plan);
    let digest = plan.digest.get(..16).unwrap_or(&plan.digest);
    let mut text = format!("{}  {}\n", paint.strong(&title), paint.dim(&plain(digest)));
    let new = |is_new: bool| if is_new { paint.good(" (new)") } else { String::new() };
    let mut section = |heading: &str, lines: Vec<String>| {
        if !lines.is_empty() {
            text.push_str(&format!("  {heading}\n"));
            lines.iter().for_each(|line| text.push_str(&format!("    {line}\n")));
        }
    };
    section("receives events", plan.hears.iter().map(|event| plain(event)).collect());
    section(
        "reads fields",
        plan.reads
            .iter()
            .map(|read| {
                let purposes = plain(&read.purposes.join(", "));
                let is_new = new(read.new || (plan.change != "install" && !read.new_purposes.is_empty()));
                let facts = facts(
                    read.class.as_deref().unwrap_or_default(),
                    read.protective,
                    &read.identifies,
                    &read.deprecated,
                )
                .join(", ");
                let facts = if facts.is_empty() { facts } else { format!(" ({facts})") };
                format!("{}{facts} for {purposes}{is_new}", plain(&read.field))
            })
            .collect(),
    );
    section(
        "sees identifiers",
        plan.identifiers.iter().map(|known| format!("{}{}", plain(&known.name), new(known.new))).collect(),
    );
    section(
        "makes claims for",
        plan.sources.iter().map(|source| source_line(source, &plan.capability, paint)).collect(),
    );
    section("wants to call", plan.calls.iter().map(|call| call_line(call, paint)).collect());
    section("requests new grants", grant_lines(&plan.wants));
    section("stays revoked", grant_lines(&plan.withheld));
    section("may emit", plan.emits.iter().map(|event| plain(event)).collect());
    section("settings", plan.settings.iter().map(setting_line).collect());
    section("warnings", plan.warnings.iter().map(|warning| paint.bad(&plain(warning))).collect());
    text
}

/// A system that it wants to call, and whether that is bound.
fn call_line(call: &PlannedCall, paint: Paint) -> String {
    let requested = &call.requested;
    let new = if call.new { paint.good(" (new)") } else { String::new() };
    let to = requested.url.as_deref().map(|url| format!(" at {}", plain(url))).unwrap_or_default();
    format!(
        "{}{to} ({}; {}; {}): {}{new}; {}",
        plain(&call.name),
        plain(&requested.methods.join(", ")),
        plain(&requested.repeat),
        plain(&requested.reaches),
        plain(&requested.reason),
        match call.state.as_str() {
            "requested" => "not bound yet".to_owned(),
            other => plain(other),
        }
    )
}

/// The next commands, for endpoints that can be bound and aren't.
pub fn next_bindings(plan: &InstallPlan) -> String {
    let unbound =
        plan.calls.iter().filter(|call| call.state == "requested" && call.requested.reaches == "systems");
    let next = |call: &PlannedCall| {
        format!("next: samsyn endpoint bind {} {} --dry-run\n", plain(&plan.capability), plain(&call.name))
    };
    unbound.map(next).collect()
}

fn setting_line(setting: &PlannedSetting) -> String {
    let (now, how) =
        if setting.value.is_null() { (&setting.default, "") } else { (&setting.value, " (set)") };
    format!("{} = {}{how}", plain(&setting.name), plain(&value_text(now)))
}

/// What of a field's definition an admin minds.
pub fn facts(
    class: &str,
    protective: bool,
    identifies: &Option<String>,
    deprecated: &Option<String>,
) -> Vec<String> {
    let class = Some(class).filter(|class| !matches!(*class, "" | "none")).map(plain);
    let protective = protective.then(|| "protective".to_owned());
    let identifies = identifies.as_deref().map(|name| format!("identifies {}", plain(name)));
    let deprecated = deprecated.as_deref().map(|note| format!("deprecated: {}", plain(note)));
    class.into_iter().chain(protective).chain(identifies).chain(deprecated).collect()
}

fn source_line(source: &PlannedSource, capability: &str, paint: Paint) -> String {
    let facts = facts(&source.class, source.protective, &source.identifies, &source.deprecated);
    let kind = [vec![plain(&source.kind)], facts].concat().join(", ");
    let field = format!("{} ({kind})", plain(&source.field));
    let role = match (&source.now, source.becomes_source) {
        (Some(now), _) if now == capability => "is its source".to_owned(),
        (None, true) if !source.claimed_by.is_empty() => {
            format!("{}, because it has none", paint.good("becomes its source"))
        }
        (_, true) => paint.good("becomes its source"),
        (None, false) => match &source.proposed_by {
            Some(by) => format!("waits for acceptance; then {} becomes its source", plain(by)),
            None if source.proposed => "waits for acceptance".to_owned(),
            None => "no source".to_owned(),
        },
        (Some(now), false) => format!("{} stays its source: only admins see the claims", plain(now)),
    };
    let others: Vec<&String> =
        source.claimed_by.iter().filter(|by| Some(by.as_str()) != source.now.as_deref()).collect();
    let too = claim_it_too(&others);
    let new = if source.new_field { ", a new field" } else { "" };
    format!("{field}{new}: {role}{too}")
}

/// `; crm also makes claims`, when there are such.
pub fn claim_it_too(names: &[&String]) -> String {
    let names: Vec<String> = names.iter().map(|name| plain(name)).collect();
    match names.split_last() {
        None => String::new(),
        Some((one, [])) => format!("; {one} also makes claims"),
        Some((last, others)) => format!("; {} and {last} also make claims", others.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plan_says_what_the_plug_in_gets_and_becomes() {
        let plan: InstallPlan = serde_json::from_str(
            r#"{"capability": "sms", "version": "0.1.0", "digest": "0123456789abcdef0123", "change": "install",
                "hears": ["sms.received"], "reads": [{"field": "phone", "purposes": ["service"], "new": true}],
                "identifiers": [{"name": "phone", "new": false}],
                "sources": [{"field": "sms.opted_out", "type": "boolean", "now": null, "becomes_source": true, "new_field": true},
                            {"field": "country", "type": "text", "now": "crm", "becomes_source": false, "new_field": false}],
                "emits": ["sms.stop_suspected"],
                "settings": [{"name": "stop_words", "type": "texts", "default": ["STOP", "END"], "value": null, "description": ""}],
                "calls": [{"name": "gateway", "new": true, "state": "requested", "requested": {"reason": "Prices",
                           "methods": ["GET"], "repeat": "safe", "reaches": "systems"}},
                          {"name": "other", "state": "bound", "requested": {"reason": "Stock", "url": "https://a.example/",
                           "methods": ["GET", "PUT"], "repeat": "keyed", "reaches": "systems"}}],
                "warnings": ["country has another source"]}"#,
        )
        .unwrap();
        assert_eq!(
            plan_text(&plan, Paint(false)),
            "Install sms 0.1.0  0123456789abcdef\n\
             \x20 receives events\n    sms.received\n\
             \x20 reads fields\n    phone for service (new)\n\
             \x20 sees identifiers\n    phone\n\
             \x20 makes claims for\n    sms.opted_out (boolean), a new field: becomes its source\n\
             \x20   country (text): crm stays its source: only admins see the claims\n\
             \x20 wants to call\n    gateway (GET; safe; systems): Prices (new); not bound yet\n\
             \x20   other at https://a.example/ (GET, PUT; keyed; systems): Stock; bound\n\
             \x20 may emit\n    sms.stop_suspected\n\
             \x20 settings\n    stop_words = STOP, END\n\
             \x20 warnings\n    country has another source\n"
        );
        assert_eq!(next_bindings(&plan), "next: samsyn endpoint bind sms gateway --dry-run\n");
    }
}
