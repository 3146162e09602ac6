//! `samsyn token`: tokens and their scopes.

use clap::{Args, Subcommand};

use samsyn_terminal::ask::Consent;
use samsyn_terminal::context::Context;
use samsyn_terminal::error::CliError;
use samsyn_terminal::output::{Paint, Table, moment, pairs, plain};
use samsyn_vocabulary::{Application, Timestamp, TokenName};
use samsyn_wire::request::NewToken;
use samsyn_wire::{Lenient, MadeToken, Token, TokenMay};

/// The commands of `samsyn token`.
#[derive(Debug, Subcommand)]
pub enum TokenCommand {
    /// Create a token and print its secret, once
    #[command(after_long_help = CREATE_EXAMPLES)]
    Create(CreateArgs),
    /// List all tokens, without their secrets
    #[command(after_long_help = LIST_EXAMPLES)]
    List,
    /// Show one token, without its secret
    #[command(after_long_help = SHOW_EXAMPLES)]
    Show(ShowArgs),
    /// Revoke a token, at once
    #[command(after_long_help = REVOKE_EXAMPLES)]
    Revoke(RevokeArgs),
}

const CREATE_EXAMPLES: &str = "\
Examples:
  samsyn token create web --scope events:write --scope profiles:read=first_name,loyalty.points
  samsyn token create pos-2027 --for pos --scope events:write=order.* --expires 90d
  samsyn token create anna --scope admin

Scopes:
  events:write           send events; =order.completed,order.* only those
  profiles:read          read profiles; =first_name,class:none,identifier:customer_id only those parts
  profiles:propose       propose values; =email,class:personal only of those fields
  registry:read          read fields, plug-ins, status and metrics
  registry:write         change fields and plug-ins
  audit:read             read the registry, the audits and counts, and nothing of a customer
  admin:read             read everything that an administrator reads, and change nothing
  admin                  everything, with tokens and parked invocations

class:personal includes every identifier. A token sees only what its scopes list. A token acts for one
application. Two tokens may act for the same application, so that you can replace one with the other.";

const LIST_EXAMPLES: &str = "\
Examples:
  samsyn token list
  samsyn token list --json";

const SHOW_EXAMPLES: &str = "\
Example:
  samsyn token show web";

const REVOKE_EXAMPLES: &str = "\
Examples:
  samsyn token revoke web
  samsyn token revoke web --yes

The host rejects the next call with it. You can use its name again.";

/// The arguments of `samsyn token create`.
#[derive(Debug, Clone, Args)]
pub struct CreateArgs {
    /// The token's name, which is not secret
    pub name: TokenName,
    /// A scope; may be repeated
    #[arg(long = "scope", required = true, value_name = "SCOPE")]
    pub scopes: Vec<String>,
    /// When the token expires: after 90d or 12h, or at 2027-01-01T00:00:00Z [default: never]
    #[arg(long, value_name = "TIME")]
    pub expires: Option<String>,
    /// The application it acts for [default: the token's name]; SAMSYN_APPLICATION has no effect here
    #[arg(long = "for", value_name = "NAME")]
    pub acts_for: Option<Application>,
    /// Requests allowed a second [default: the host's setting]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub requests_per_second: Option<u32>,
    /// Events allowed a second [default: the host's setting]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub events_per_second: Option<u32>,
    /// Allow names in scopes that the dictionary doesn't have yet; without it --yes rejects them
    #[arg(long)]
    pub allow_unknown: bool,
    /// Show what the token could do, and create nothing
    #[arg(long, conflicts_with = "yes")]
    pub dry_run: bool,
    /// Whether to ask, and why.
    #[command(flatten)]
    pub consent: Consent,
}

/// The arguments of `samsyn token show`.
#[derive(Debug, Clone, Args)]
pub struct ShowArgs {
    /// The token's name
    pub name: String,
}

/// The arguments of `samsyn token revoke`.
#[derive(Debug, Clone, Args)]
pub struct RevokeArgs {
    /// The token's name
    pub name: String,
    /// Whether to ask, and why.
    #[command(flatten)]
    pub consent: Consent,
}

/// Runs a command of `samsyn token`.
pub fn run(command: &TokenCommand, context: &Context) -> Result<(), CliError> {
    match command {
        TokenCommand::Create(args) => create(args, context),
        TokenCommand::List => {
            let list = context.client()?.tokens()?;
            context.answer_list(&list, |list, paint| {
                list_text(&mut list.items.iter().map(|item| &item.body), paint)
            })
        }
        TokenCommand::Show(args) => {
            let answer = context.client()?.token(&args.name)?;
            context.answer(&answer.raw, |paint| token_text(&answer.body, paint))
        }
        TokenCommand::Revoke(args) => revoke(args, context),
    }
}

fn create(args: &CreateArgs, context: &Context) -> Result<(), CliError> {
    let client = context.client()?;
    let wanted = NewToken {
        name: args.name.clone(),
        application: args.acts_for.clone(),
        scopes: args.scopes.clone(),
        expires: args.expires.clone(),
        requests_per_second: args.requests_per_second,
        events_per_second: args.events_per_second,
    };
    let plan = client.make_token(&wanted, true, None)?;
    if args.dry_run {
        return context.answer(&plan.raw, |paint| plan_text(&plan.body, paint));
    }
    if !args.consent.yes {
        eprint!("{}", plan_text(&plan.body, Paint(context.error_colour)));
    } else if !args.allow_unknown {
        refuse_unknown(&plan.body.may)?;
    }
    let reason = args.consent.ask("Create it?", "created")?;
    let made = client.make_token(&wanted, false, reason.as_ref())?;
    context.answer(&made.raw, |_| made_text(&made.body))?;
    context.hint("the token is shown once; the host keeps only its hash");
    Ok(())
}

/// If nobody reads the plan, a mistyped field would make a token that sees less than was meant.
fn refuse_unknown(may: &TokenMay) -> Result<(), CliError> {
    if may.unknown.is_empty() {
        return Ok(());
    }
    let what = format!("no token was created: the dictionary has no {}", may.unknown.join(", "));
    let named = |warning: &&String| may.unknown.iter().any(|name| warning.contains(name.as_str()));
    let mut error = CliError::refused(what);
    error.causes = may.warnings.iter().filter(named).cloned().collect();
    Err(error.next("correct the scope, or add --allow-unknown for names that the dictionary will have later"))
}

fn revoke(args: &RevokeArgs, context: &Context) -> Result<(), CliError> {
    let client = context.client()?;
    if !args.consent.yes {
        let token = client.token(&args.name)?;
        eprint!("{}", token_text(&token.body, Paint(context.error_colour)));
    }
    let question = "Revoke it? The host rejects every later call with it.";
    let reason = args.consent.ask(question, "revoked")?;
    client.revoke_token(&args.name, reason.as_ref())?;
    if context.json { Ok(()) } else { context.print(&format!("revoked {}\n", plain(&args.name))) }
}

/// The secret alone, so that it can be taken by a script or a pipe.
fn made_text(made: &MadeToken) -> String {
    format!("{}\n", made.secret.as_deref().map(plain).unwrap_or_default())
}

fn list_text(tokens: &mut dyn Iterator<Item = &Token>, paint: Paint) -> String {
    let mut table = Table::new(["TOKEN", "ACTS FOR", "STATE", "EXPIRES", "LAST USED", "SCOPES"]);
    let time = |time: &Option<Lenient<Timestamp>>, missing: &str| {
        time.as_ref().map_or_else(|| missing.to_owned(), moment)
    };
    for token in tokens {
        table.row([
            token.name.clone(),
            token.application.clone(),
            token.state.clone(),
            time(&token.expires_at, "never"),
            time(&token.last_used_at, "-"),
            token.scopes.join(" "),
        ]);
    }
    table.render(paint)
}

fn token_text(token: &Token, paint: Paint) -> String {
    let time = |time: &Option<Lenient<Timestamp>>| time.as_ref().map(moment).unwrap_or_default();
    let rate = |rate: Option<u32>| rate.map_or_else(String::new, |rate| rate.to_string());
    pairs(
        &[
            ("token", token.name.clone()),
            ("acts for", token.application.clone()),
            ("state", token.state.clone()),
            ("scopes", token.scopes.join(" ")),
            ("made", time(&token.made_at)),
            ("created by", token.made_by.clone().unwrap_or_default()),
            ("expires", token.expires_at.as_ref().map_or_else(|| "never".to_owned(), moment)),
            ("revoked", time(&token.revoked_at)),
            ("last used", time(&token.last_used_at)),
            ("requests/s", rate(token.requests_per_second)),
            ("events/s", rate(token.events_per_second)),
        ],
        paint,
    )
}

/// What a token would be, as an admin reads it before deciding.
fn plan_text(plan: &MadeToken, paint: Paint) -> String {
    let mut text = token_text(&Token { made_at: None, ..plan.token.clone() }, paint);
    let may = &plan.may;
    for (heading, names) in
        [("reads", &may.reads), ("sees identifiers", &may.identifiers), ("may propose", &may.proposes)]
    {
        if !names.is_empty() {
            text += &format!("  {heading}\n    {}\n", plain(&names.join(", ")));
        }
    }
    if !may.warnings.is_empty() {
        text += "  mind\n";
        may.warnings.iter().for_each(|warning| text += &format!("    {}\n", paint.bad(&plain(warning))));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plan_says_what_a_token_sees_before_it_is_made() {
        let plan: MadeToken = serde_json::from_str(
            r#"{"token": {"name": "web", "application": "web", "scopes": ["profiles:read=first_name,allergy"],
                          "state": "valid", "expires_at": "2027-02-19T10:00:00Z"},
                "may": {"reads": ["allergy", "first_name"], "identifiers": [], "proposes": [],
                        "warnings": ["it reads allergy, which is sensitive"]}}"#,
        )
        .unwrap();
        let text = plan_text(&plan, Paint(false));
        assert!(text.contains("  reads\n    allergy, first_name\n"), "{text}");
        assert!(text.contains("  mind\n    it reads allergy, which is sensitive\n"), "{text}");
        assert!(!text.contains("sees identifiers"), "{text}");
    }

    #[test]
    fn the_list_has_a_line_a_token() {
        let token = Token {
            name: "web".into(),
            application: "web".into(),
            scopes: vec!["events:write".into()],
            state: "valid".into(),
            ..Token::default()
        };
        assert_eq!(
            list_text(&mut [token].iter(), Paint(false)),
            "TOKEN  ACTS FOR  STATE  EXPIRES  LAST USED  SCOPES\n\
             web    web       valid  never    -          events:write\n"
        );
    }
}
