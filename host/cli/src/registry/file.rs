//! `samsyn registry apply | export`: the registry as a file, for version control and review.

use std::path::PathBuf;

use clap::Args;

use crate::field::counts_text;
use samsyn_terminal::ask::Consent;
use samsyn_terminal::context::Context;
use samsyn_terminal::error::{CliError, file_error};
use samsyn_terminal::output::{Paint, plain};
use samsyn_wire::RegistryPlan;

/// Shown in the long help.
pub const APPLY_EXAMPLES: &str = "\
Examples:
  samsyn registry apply registry.toml
  samsyn registry apply registry.toml --dry-run
  samsyn registry apply registry.toml --remove --yes --reason 'release 41'
  samsyn registry apply registry.toml --clear --dry-run

The file has fields, identifiers, sources, grants and bound endpoints: `samsyn registry export` writes one. For each field
that gets another source, the plan shows the affected customers, like `samsyn field assign`. The command
applies everything or nothing. What the file leaves out stays, unless you use --remove. If somebody changes
the registry after the plan was made, the command applies nothing and shows what changed.";

/// Shown in the long help.
pub const EXPORT_EXAMPLES: &str = "\
Examples:
  samsyn registry export > registry.toml
  samsyn registry export --output registry.toml";

/// The arguments of `samsyn registry apply`.
#[derive(Debug, Clone, Args)]
pub struct ApplyArgs {
    /// The file
    pub file: PathBuf,
    /// Remove fields, sources and bindings of endpoints that the file leaves out
    #[arg(long)]
    pub remove: bool,
    /// Customers without a claim by a new source keep their value (the default)
    #[arg(long, conflicts_with = "clear")]
    pub inherit: bool,
    /// Customers without a claim by a new source have no value
    #[arg(long)]
    pub clear: bool,
    /// Print what would change and change nothing; exit code 1 if the registry differs
    #[arg(long, conflicts_with = "yes")]
    pub dry_run: bool,
    /// Whether to ask, and why.
    #[command(flatten)]
    pub consent: Consent,
}

/// The arguments of `samsyn registry export`.
#[derive(Debug, Clone, Args)]
pub struct ExportArgs {
    /// The file to write [default: standard output]
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// Makes the registry what the file says.
pub fn apply(args: &ApplyArgs, context: &Context) -> Result<(), CliError> {
    let file = std::fs::read_to_string(&args.file).map_err(|cause| file_error("read", &args.file, &cause))?;
    let client = context.client()?;
    let mode = if args.clear { "clear" } else { "inherit" };
    let plan = client.plan_registry(&file, args.remove, mode)?;
    let same = plan.body.steps.is_empty();
    if args.dry_run || same {
        context.answer(&plan.raw, |paint| plan_text(&plan.body, paint))?;
        return match same {
            true => Ok(()),
            false => Err(CliError::refused("the registry differs from the file; nothing was changed")
                .next("apply it without --dry-run")),
        };
    }
    eprint!("{}", plan_text(&plan.body, Paint(context.error_colour)));
    let reason = args.consent.ask("Apply it?", "applied")?;
    let answer = client.apply_registry(&file, args.remove, mode, plan.body.revision, reason.as_ref())?;
    context.answer(&answer.raw, |_| {
        format!("applied {} changes: revision {}\n", answer.body.steps.len(), answer.body.revision)
    })
}

/// Prints or writes the registry.
pub fn export(args: &ExportArgs, context: &Context) -> Result<(), CliError> {
    let text = context.client()?.export_registry()?;
    match &args.output {
        None => context.print(&text),
        Some(path) => {
            samsyn_disk::durable_file::write(path, text.as_bytes())
                .map_err(|cause| file_error("write", path, &cause))?;
            context.hint(&format!("wrote {}", path.display()));
            Ok(())
        }
    }
}

/// The plan as an admin reads it before deciding.
fn plan_text(plan: &RegistryPlan<'_>, paint: Paint) -> String {
    let mut text = String::new();
    for step in &plan.steps {
        let title = format!("{} {} {}", step.action, step.what, step.name);
        let title =
            if step.action == "remove" { paint.bad(&plain(&title)) } else { paint.strong(&plain(&title)) };
        text.push_str(&format!("{title}\n"));
        for detail in &step.details {
            text.push_str(&format!("    {}\n", plain(detail)));
        }
        let moved = plan.moves.iter().find(|moved| step.what == "source" && moved.field == step.name);
        text.push_str(&moved.map(counts_text).unwrap_or_default());
    }
    if plan.steps.is_empty() {
        text.push_str("the registry matches the file\n");
    }
    for note in &plan.notes {
        text.push_str(&format!("{}\n", paint.dim(&plain(note))));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_reads_line_by_line() {
        let plan: RegistryPlan<'_> = serde_json::from_str(
            r#"{"revision": 7, "steps": [{"action": "change", "what": "field", "name": "size",
                "details": ["class: none → personal"]}], "notes": ["the field fax is not in the file and stays"]}"#,
        )
        .unwrap();
        assert_eq!(
            plan_text(&plan, Paint(false)),
            "change field size\n    class: none → personal\nthe field fax is not in the file and stays\n"
        );
    }
}
