//! `samsyn plugin approve | reject | grant | revoke`: what plug-ins may do.

use clap::Args;

use super::install::{done_text, next_bindings};
use samsyn_terminal::ask::Consent;
use samsyn_terminal::context::Context;
use samsyn_terminal::error::CliError;
use samsyn_terminal::output::{Paint, moment, plain};
use samsyn_vocabulary::{EndpointName, EventPattern, FieldName, IdentifierName};
use samsyn_wire::request::{GrantChange, GrantPart};
use samsyn_wire::{Capability, Grant, Pending};

/// Shown in the long help.
pub const APPROVE_EXAMPLES: &str = "\
Examples:
  samsyn plugin approve email
  samsyn plugin approve email --yes --reason 'DPO agreed, DP-17'
  samsyn plugin approve crm --accept-fields

An upgrade that requests more than is granted waits for approval; the installed version keeps running.
Approving grants what the upgrade requests, and installs it.";

/// Shown in the long help.
pub const REJECT_EXAMPLES: &str = "\
Example:
  samsyn plugin reject email --reason 'it needs no phone numbers'

The upgrade is dropped; the installed version keeps running.";

/// Shown in the long help.
pub const GRANT_EXAMPLES: &str = "\
Examples:
  samsyn plugin grant email --field phone
  samsyn plugin grant sms --identifier phone --event sms.received

The command grants what was revoked before. You can grant only what the installed version requests.";

/// Shown in the long help.
pub const REVOKE_EXAMPLES: &str = "\
Examples:
  samsyn plugin revoke email --field phone --reason 'not needed for newsletters'
  samsyn plugin revoke sms --event sms.received
  samsyn plugin revoke tier-sync --endpoint membership

From its next invocation on the capability no longer sees the field or identifier, receives the event, or
makes claims for the field. A revoked endpoint loses its binding. An upgrade doesn't change this; `samsyn plugin grant` does.";

/// The arguments of `samsyn plugin approve`.
#[derive(Debug, Clone, Args)]
pub struct ApproveArgs {
    /// The capability
    pub name: String,
    /// Accept the fields that it adds at once; otherwise they wait for `samsyn field accept`
    #[arg(long)]
    pub accept_fields: bool,
    /// Whether to ask, and why.
    #[command(flatten)]
    pub consent: Consent,
}

/// The arguments of `samsyn plugin reject`.
#[derive(Debug, Clone, Args)]
pub struct RejectArgs {
    /// The capability
    pub name: String,
    /// Whether to ask, and why.
    #[command(flatten)]
    pub consent: Consent,
}

/// The arguments of `samsyn plugin grant` and `revoke`.
#[derive(Debug, Clone, Args)]
pub struct GrantArgs {
    /// The capability
    pub name: String,
    /// A field to read or make claims for; may be repeated
    #[arg(long = "field", value_name = "FIELD", required_unless_present_any = ["identifiers", "events", "endpoints"])]
    pub fields: Vec<FieldName>,
    /// An identifier of the customer to see
    #[arg(long = "identifier", value_name = "IDENTIFIER")]
    pub identifiers: Vec<IdentifierName>,
    /// An event to receive, written as in the manifest: order.completed or order.*
    #[arg(long = "event", value_name = "EVENT")]
    pub events: Vec<EventPattern>,
    /// An endpoint to call, once it is bound
    #[arg(long = "endpoint", value_name = "ENDPOINT")]
    pub endpoints: Vec<EndpointName>,
    /// Whether to ask, and why.
    #[command(flatten)]
    pub consent: Consent,
}

/// What a grant allows, a line each.
pub fn grant_lines(grant: &Grant) -> Vec<String> {
    let lines = |verb: &'static str, names: &[String]| -> Vec<String> {
        names.iter().map(|name| format!("{verb} {}", plain(name))).collect()
    };
    [
        lines("read", &grant.reads),
        lines("see the identifier", &grant.identifiers),
        lines("receive", &grant.hears),
        lines("make claims for", &grant.sources),
        lines("call", &grant.calls),
    ]
    .concat()
}

/// Installs the upgrade that waits.
pub fn approve(args: &ApproveArgs, context: &Context) -> Result<(), CliError> {
    let client = context.client()?;
    let pending = pending(&client.capability(&args.name)?.body, context)?;
    let reason = args.consent.ask("Approve and install it?", "approved")?;
    let answer = client.approve(&args.name, &pending.digest, args.accept_fields, reason.as_ref())?;
    context.answer(&answer.raw, |_| {
        let plan = &answer.body.plan;
        format!("{}\n{}", done_text(plan), next_bindings(plan))
    })
}

/// Gives the upgrade that waits up.
pub fn reject(args: &RejectArgs, context: &Context) -> Result<(), CliError> {
    let client = context.client()?;
    let pending = pending(&client.capability(&args.name)?.body, context)?;
    let reason = args.consent.ask("Reject it?", "rejected")?;
    let answer = client.reject(&args.name, &pending.digest, reason.as_ref())?;
    context.answer(&answer.raw, |_| {
        let (name, version) = (plain(&answer.body.name), plain(&answer.body.version));
        format!("rejected; {name} {version} keeps running\n")
    })
}

/// The upgrade that waits, shown.
fn pending(capability: &Capability<'_>, context: &Context) -> Result<Pending, CliError> {
    let name = plain(&capability.name);
    let Some(pending) = &capability.pending else {
        return Err(CliError::refused(format!("no upgrade of {name} waits for approval"))
            .next(format!("see its grants with `samsyn plugin show {name}`")));
    };
    eprint!("{}", pending_text(capability, pending, Paint(context.error_colour)));
    Ok(pending.clone())
}

/// An upgrade as an admin reads it before deciding.
pub fn pending_text(capability: &Capability<'_>, pending: &Pending, paint: Paint) -> String {
    let title = format!("{} {} waits for approval", plain(&capability.name), plain(&pending.version));
    let digest = plain(pending.digest.get(..16).unwrap_or(&pending.digest));
    let mut text = format!("{}  {}\n", paint.strong(&title), paint.dim(&digest));
    text.push_str(&format!(
        "  {} keeps running; the new version also wants to\n",
        plain(&capability.version)
    ));
    for line in grant_lines(&pending.wants) {
        text.push_str(&format!("    {}\n", paint.good(&line)));
    }
    if let Some(rejected) = &pending.rejected {
        let (by, at) = (plain(&rejected.by), moment(&rejected.at));
        let why = rejected.reason.as_deref().map_or_else(String::new, |why| format!(": {}", plain(why)));
        let line = format!("{by} rejected this component before, at {}{why}", plain(&at));
        text.push_str(&format!("  {}\n", paint.bad(&line)));
    }
    text
}

/// Gives or takes back.
pub fn change(args: &GrantArgs, give: bool, context: &Context) -> Result<(), CliError> {
    let client = context.client()?;
    let capability = client.capability(&args.name)?.body;
    let part = part(args, &capability);
    let verb = if give { "may again" } else { "may no longer" };
    for line in grant_lines(&Grant::from(&part)) {
        eprintln!("{} {verb} {line}", plain(&args.name));
    }
    let reason = args.consent.ask("Apply this change?", "changed")?;
    let (grant, revoke) = if give { (part, GrantPart::default()) } else { (GrantPart::default(), part) };
    let change = GrantChange { grant, revoke };
    let answer = client.regrant(&args.name, &change, reason.as_ref())?;
    context.answer(&answer.raw, |_| {
        let withheld = grant_lines(&answer.body.withheld);
        match withheld.is_empty() {
            true => format!("{} has everything it requests\n", plain(&args.name)),
            false => format!("{} may not {}\n", plain(&args.name), withheld.join(", ")),
        }
    })
}

/// Whether a field is read or sourced is what the plug-in says of it; the host says so of one that
/// the plug-in doesn't know.
fn part(args: &GrantArgs, capability: &Capability<'_>) -> GrantPart {
    let sourced = |field: &FieldName| {
        let sources = capability.sources.iter().map(|source| source.field.as_str());
        let mut names = sources.chain(capability.withheld.sources.iter().map(String::as_str));
        names.any(|name| name == field.as_str())
    };
    let (sources, reads) = args.fields.iter().cloned().partition(sourced);
    GrantPart {
        reads,
        identifiers: args.identifiers.clone(),
        hears: args.events.clone(),
        sources,
        calls: args.endpoints.clone(),
    }
}
