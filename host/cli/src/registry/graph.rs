//! `samsyn registry graph`: the registry as a picture.

use clap::{Args, ValueEnum};

use samsyn_terminal::context::Context;
use samsyn_terminal::error::CliError;

pub const EXAMPLES: &str = "\
Examples:
  samsyn registry graph > registry.mmd
  samsyn registry graph --format json

The graph is text for Mermaid, which many Markdown pages draw. A box around
capabilities is their department. A thick line leads from the source to its field. A dotted line shows claims
that are not the value, or a requested field that is not granted. The order is always the same, so that you
can compare two exports line by line.";

/// The arguments of `samsyn registry graph`.
#[derive(Debug, Clone, Args)]
pub struct GraphArgs {
    /// The format [default: mermaid, or json with --json]
    #[arg(long, value_enum)]
    pub format: Option<Format>,
}

/// The graph's format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Text for Mermaid
    Mermaid,
    /// No longer there: use mermaid or json
    #[value(hide = true)]
    Dot,
    /// Nodes and edges
    Json,
}

/// Asks the host and prints it.
pub fn run(args: &GraphArgs, context: &Context) -> Result<(), CliError> {
    let usual = if context.json { Format::Json } else { Format::Mermaid };
    let format = match args.format.unwrap_or(usual) {
        Format::Dot => {
            return Err(CliError::usage("the format dot is no longer supported")
                .next("use --format mermaid, or --format json"));
        }
        Format::Mermaid => "mermaid",
        Format::Json => "json",
    };
    let text = context.client()?.registry_graph(format)?;
    context.print(&format!("{}\n", text.trim_end()))
}
