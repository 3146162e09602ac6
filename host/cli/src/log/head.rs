//! `samsyn log head`: what to note elsewhere.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::log_directory;
use samsyn_audit::{AUDIT, Heads, LOG, text_of};
use samsyn_disk::DataDir;
use samsyn_log::verify;
use samsyn_terminal::context::Context;
use samsyn_terminal::error::CliError;

/// Shown in the long help.
pub const EXAMPLES: &str = "\
Examples:
  samsyn log head
  samsyn log head --json
  samsyn log head --data /var/lib/samsyn > noted.txt

Keep the first line where nobody with access to the host's disk can change it, such as a ticket, an e-mail
or a printed page. Later `samsyn log verify --head` shows whether anything before it was rewritten. The
table below the line lets that check name the place. The output contains no personal data.

The command asks the running host. With --data it reads and checks a stopped host's directory.";

/// The arguments of `samsyn log head`.
#[derive(Debug, Clone, Args)]
pub struct HeadArgs {
    /// Read this data directory of a stopped host instead of asking a running one
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
}

/// Prints the heads.
pub fn run(args: &HeadArgs, context: &Context) -> Result<(), CliError> {
    let Some(data) = &args.data else {
        let answer = context.client()?.log_head()?;
        return context.answer(&answer.raw, |_| text_of(&answer.body));
    };
    let mut cuts = Vec::new();
    let audit = DataDir(data.clone()).audit();
    let directories =
        [(LOG, Some(log_directory(data)?)), (AUDIT, Some(audit).filter(|audit| audit.is_dir()))];
    for (name, directory) in directories {
        let Some(directory) = directory else { continue };
        let unusable = |why: String| {
            CliError::refused(format!("no head of {}", directory.display()))
                .because(why)
                .next("see `samsyn log verify`; for a running host leave out --data")
        };
        let report = verify(&directory, |_| {}).map_err(|error| unusable(error.to_string()))?;
        if let Some(problem) = &report.problem {
            return Err(unusable(problem.to_string()));
        }
        cuts.extend(report.end.map(|end| (name, end)));
    }
    let heads = Heads(cuts);
    if !context.json {
        return context.print(&heads.text());
    }
    context.print(&format!("{}\n", json!(heads.head())))
}
