//! `samsyn endpoint`: the systems that capabilities call. One file a part.

mod bind;
mod test;

use clap::{Args, Subcommand};

use samsyn_client::ChangeHow;
use samsyn_terminal::ask::{Consent, Why};
use samsyn_terminal::context::Context;
use samsyn_terminal::error::CliError;
use samsyn_terminal::output::{Paint, Table, moment, pairs, plain, value_text};
use samsyn_wire::{BoundEndpoint, Endpoint, EndpointChange, EndpointPlan, RequestedEndpoint, RequestedRows};

/// The commands of `samsyn endpoint`.
#[derive(Debug, Subcommand)]
pub enum EndpointCommand {
    /// List the systems that capabilities call, and which are not bound yet
    #[command(after_long_help = LIST_EXAMPLES)]
    List,
    /// Show what an endpoint requests, and what it is bound to
    #[command(after_long_help = SHOW_EXAMPLES)]
    Show(EndpointArgs),
    /// Bind an endpoint to a system, after a plan
    #[command(after_long_help = bind::EXAMPLES)]
    Bind(Box<bind::BindArgs>),
    /// Remove the binding of an endpoint: new calls are rejected, and those that wait stay
    #[command(after_long_help = UNBIND_EXAMPLES)]
    Unbind(UnbindArgs),
    /// Send one request that changes nothing to an endpoint's system, and show what happens
    #[command(after_long_help = test::EXAMPLES)]
    Test(test::TestArgs),
    /// Pause an endpoint: its calls wait
    #[command(after_long_help = PAUSE_EXAMPLES)]
    Pause(PauseArgs),
    /// Resume an endpoint that is paused
    #[command(after_long_help = RESUME_EXAMPLES)]
    Resume(ResumeArgs),
}

const LIST_EXAMPLES: &str = "\
Examples:
  samsyn endpoint list
  samsyn endpoint list --json

A plug-in's manifest requests endpoints. Nothing is sent to one before an administrator binds it.";

const SHOW_EXAMPLES: &str = "\
Example:
  samsyn endpoint show tier-sync membership";

const UNBIND_EXAMPLES: &str = "\
Examples:
  samsyn endpoint unbind tier-sync membership --dry-run
  samsyn endpoint unbind tier-sync membership --yes --reason 'the system was shut down'

The capability can't call it until it is bound again. To stop calls for a while, pause it instead: then
they wait.";

const PAUSE_EXAMPLES: &str = "\
Examples:
  samsyn endpoint pause tier-sync membership --reason 'maintenance until 14:00'
  samsyn endpoint pause tier-sync membership --reason 'maintenance' --dry-run

Its calls wait, and nothing is lost. `samsyn outgoing pause` pauses all endpoints.";

const RESUME_EXAMPLES: &str = "\
Examples:
  samsyn endpoint resume tier-sync membership
  samsyn endpoint resume tier-sync membership --dry-run

What waited is sent, in its order and at the endpoint's rate.";

/// Which endpoint.
#[derive(Debug, Clone, Args)]
pub struct EndpointArgs {
    /// The capability that calls it
    pub capability: String,
    /// Its name in the capability's manifest
    pub name: String,
}

/// The arguments of `samsyn endpoint unbind`.
#[derive(Debug, Clone, Args)]
pub struct UnbindArgs {
    #[command(flatten)]
    pub endpoint: EndpointArgs,
    /// Only show what would change
    #[arg(long, conflicts_with = "yes")]
    pub dry_run: bool,
    /// Whether to ask, and why.
    #[command(flatten)]
    pub consent: Consent,
}

/// The arguments of `samsyn endpoint pause`.
#[derive(Debug, Clone, Args)]
pub struct PauseArgs {
    #[command(flatten)]
    pub endpoint: EndpointArgs,
    /// Only show what would change
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub why: Why,
}

/// The arguments of `samsyn endpoint resume`.
#[derive(Debug, Clone, Args)]
pub struct ResumeArgs {
    #[command(flatten)]
    pub endpoint: EndpointArgs,
    /// Only show what would change
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub why: Why,
}

/// Runs a command of `samsyn endpoint`.
pub fn run(command: &EndpointCommand, context: &Context) -> Result<(), CliError> {
    match command {
        EndpointCommand::List => list(context),
        EndpointCommand::Show(args) => {
            let answer = context.client()?.endpoint(&args.capability, &args.name)?;
            context.answer(&answer.raw, |paint| endpoint_text(&answer.body, paint))
        }
        EndpointCommand::Bind(args) => bind::run(args, context),
        EndpointCommand::Unbind(args) => unbind(args, context),
        EndpointCommand::Test(args) => test::run(args, context),
        EndpointCommand::Pause(args) => pause(args, context),
        EndpointCommand::Resume(args) => resume(args, context),
    }
}

fn list(context: &Context) -> Result<(), CliError> {
    let list = context.client()?.endpoints()?;
    context.answer_list(&list, |list, paint| {
        let mut table = Table::new(["CAPABILITY", "ENDPOINT", "STATE", "METHODS", "REPEAT", "URL"]);
        for endpoint in list.items.iter().map(|item| &item.body) {
            let (methods, repeat, url) = match &endpoint.binding {
                Some(bound) => (&bound.methods, &bound.repeat, bound.url.clone()),
                None => {
                    let requested = &endpoint.requested;
                    let suggested = requested.url.as_ref().map(|url| format!("suggested: {url}"));
                    (&requested.methods, &requested.repeat, suggested.unwrap_or_else(|| "-".to_owned()))
                }
            };
            table.row([
                endpoint.capability.clone(),
                endpoint.name.clone(),
                endpoint.state.clone(),
                methods.join(", "),
                repeat.clone(),
                url,
            ]);
        }
        match table.is_empty() {
            true => "no installed plug-in requests an endpoint\n".to_owned(),
            false => table.render(paint),
        }
    })
}

fn unbind(args: &UnbindArgs, context: &Context) -> Result<(), CliError> {
    let client = context.client()?;
    let EndpointArgs { capability, name } = &args.endpoint;
    let plan =
        client.unbind_endpoint(capability, name, ChangeHow { dry_run: true, ..ChangeHow::default() })?;
    if args.dry_run || plan.body.plan.unchanged {
        return context.answer(&plan.raw, |paint| plan_text(&plan.body, paint));
    }
    if !args.consent.yes {
        eprint!("{}", plan_text(&plan.body, Paint(context.error_colour)));
    }
    let reason = args.consent.ask("Remove the binding?", "unbound")?;
    let how = ChangeHow { dry_run: false, revision: Some(plan.body.plan.revision), reason: reason.as_ref() };
    let answer = client.unbind_endpoint(capability, name, how)?;
    context.answer(&answer.raw, |_| format!("unbound {}/{}\n", plain(capability), plain(name)))
}

fn pause(args: &PauseArgs, context: &Context) -> Result<(), CliError> {
    let client = context.client()?;
    let reason = needed_reason(&args.why)?;
    let how = ChangeHow { dry_run: args.dry_run, revision: None, reason: Some(&reason) };
    let answer = client.pause_endpoint(&args.endpoint.capability, &args.endpoint.name, how)?;
    context.answer(&answer.raw, |paint| match args.dry_run {
        true => plan_text(&answer.body, paint),
        false => state_text(&answer.body),
    })
}

fn resume(args: &ResumeArgs, context: &Context) -> Result<(), CliError> {
    let client = context.client()?;
    let reason = if args.dry_run { None } else { args.why.ask()? };
    let how = ChangeHow { dry_run: args.dry_run, revision: None, reason: reason.as_ref() };
    let answer = client.resume_endpoint(&args.endpoint.capability, &args.endpoint.name, how)?;
    context.answer(&answer.raw, |paint| match args.dry_run {
        true => plan_text(&answer.body, paint),
        false => state_text(&answer.body),
    })
}

/// The reason of a pause, which is shown as long as it lasts.
pub fn needed_reason(why: &Why) -> Result<samsyn_vocabulary::Reason, CliError> {
    why.ask()?.ok_or_else(|| {
        CliError::usage("a pause needs a reason")
            .next("add --reason TEXT; it is shown until sending is resumed")
    })
}

/// What became of a change.
fn state_text(change: &EndpointChange) -> String {
    let Endpoint { capability, name, state, .. } = &change.endpoint;
    let unchanged = if change.applied { "" } else { ", as before" };
    let mut text = format!("{}/{}: {}{unchanged}\n", plain(capability), plain(name), plain(state));
    change.plan.warnings.iter().for_each(|warning| text += &format!("  {}\n", plain(warning)));
    text
}

/// A plan as an admin reads it before deciding.
pub fn plan_text(change: &EndpointChange, paint: Paint) -> String {
    let EndpointPlan { action, before, after, unchanged, changes, secrets, warnings, .. } = &change.plan;
    let named = format!("{}/{}", plain(&change.endpoint.capability), plain(&change.endpoint.name));
    if *unchanged {
        return format!("nothing would change: {named} is {}\n", plain(before));
    }
    let title = format!("{} {named}: {} → {}", plain(action), plain(before), plain(after));
    let mut text = format!("{}\n", paint.strong(&title));
    changes.iter().for_each(|change| text += &format!("    {}\n", plain(change)));
    if action == "bind" && !secrets.is_empty() {
        text += &format!("  needs the secrets\n    {}\n", plain(&secrets.join(", ")));
    }
    if !warnings.is_empty() {
        text += "  warnings\n";
        warnings.iter().for_each(|warning| text += &format!("    {}\n", paint.bad(&plain(warning))));
    }
    text
}

fn endpoint_text(endpoint: &Endpoint, paint: Paint) -> String {
    let Endpoint { capability, name, state, requested, binding, secrets, paused } = endpoint;
    let state = match paused {
        Some(pause) => format!("{state} by {} at {}: {}", pause.by, moment(&pause.at), pause.reason),
        None => state.clone(),
    };
    let mut text = pairs(
        &[
            ("endpoint", format!("{capability}/{name}")),
            ("state", state),
            ("for", requested.reason.clone()),
            ("secrets", secrets.join(", ")),
        ],
        paint,
    );
    text += &format!("{}\n{}", paint.strong("requested"), requested_text(requested, paint));
    match binding {
        Some(binding) => text += &format!("{}\n{}", paint.strong("bound"), binding_text(binding, paint)),
        None => text += &format!("next: samsyn endpoint bind {} {}\n", plain(capability), plain(name)),
    }
    text
}

fn optional(value: &Option<serde_json::Value>) -> String {
    value.as_ref().map(value_text).unwrap_or_default()
}

fn requested_text(requested: &RequestedEndpoint, paint: Paint) -> String {
    pairs(
        &[
            ("url", requested.url.clone().unwrap_or_default()),
            ("methods", requested.methods.join(", ")),
            ("auth", optional(&requested.auth)),
            ("repeat", requested.repeat.clone()),
            ("key", optional(&requested.key)),
            ("reaches", requested.reaches.clone()),
            ("rate", requested.rate.clone()),
            ("parallel", requested.parallel.to_string()),
            ("timeout", requested.timeout.clone()),
            ("answer_max", requested.answer_max.clone()),
            ("rows", requested.rows.as_ref().map(rows_text).unwrap_or_default()),
        ],
        paint,
    )
}

fn rows_text(rows: &RequestedRows) -> String {
    let RequestedRows { path, method, format, max, bytes, wait, .. } = rows;
    format!("{method} {} as {format}, at most {max} rows or {bytes}, or those of {wait}", plain(path))
}

fn binding_text(binding: &BoundEndpoint, paint: Paint) -> String {
    pairs(
        &[
            ("url", binding.url.clone()),
            ("methods", binding.methods.join(", ")),
            ("auth", value_text(&binding.auth)),
            ("repeat", binding.repeat.clone()),
            ("key", optional(&binding.key)),
            ("reaches", binding.reaches.clone()),
            ("rate", binding.rate.clone()),
            ("parallel", binding.parallel.to_string()),
            ("timeout", binding.timeout.clone()),
            ("answer_max", binding.answer_max.clone()),
            ("networks", binding.networks.join(", ")),
            ("CA file", binding.ca_file.clone().unwrap_or_default()),
            ("certificate", optional(&binding.client_certificate)),
            ("proxy", optional(&binding.proxy)),
            ("messages", if binding.message_api { "allowed".to_owned() } else { String::new() }),
        ],
        paint,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(plan: &str) -> EndpointChange {
        let text = format!(
            r#"{{"applied": false, "plan": {plan}, "endpoint": {{"capability": "tier-sync", "name": "membership", "state": "requested"}}}}"#
        );
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn a_plan_says_what_changes_what_it_needs_and_what_to_mind() {
        let bind = change(
            r#"{"action": "bind", "before": "requested", "after": "bound", "changes": ["url: none → https://a.example/"],
                "secrets": ["members_token"], "warnings": ["http isn't encrypted"]}"#,
        );
        assert_eq!(
            plan_text(&bind, Paint(false)),
            "bind tier-sync/membership: requested → bound\n\
             \x20   url: none → https://a.example/\n\
             \x20 needs the secrets\n    members_token\n\
             \x20 warnings\n    http isn't encrypted\n"
        );
        let same = change(r#"{"action": "resume", "unchanged": true, "before": "bound", "after": "bound"}"#);
        assert_eq!(plan_text(&same, Paint(false)), "nothing would change: tier-sync/membership is bound\n");
    }

    #[test]
    fn one_that_isn_t_bound_shows_the_next_command() {
        let endpoint: Endpoint = serde_json::from_str(
            r#"{"capability": "tier-sync", "name": "membership", "state": "requested",
                "requested": {"reason": "Tiers", "methods": ["GET"], "auth": "bearer", "repeat": "safe"}}"#,
        )
        .unwrap();
        let text = endpoint_text(&endpoint, Paint(false));
        assert!(text.ends_with("next: samsyn endpoint bind tier-sync membership\n"), "{text}");
        assert!(text.contains("auth        bearer\n") || text.contains("bearer"), "{text}");
    }
}
