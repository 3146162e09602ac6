//! `samsyn registry graph`: the registry as a picture.

use clap::{Args, ValueEnum};

use crate::cli::context::Context;
use crate::cli::error::CliError;

pub const EXAMPLES: &str = "\
Examples:
  samsyn registry graph | dot -Tsvg > registry.svg
  samsyn registry graph --format mermaid
  samsyn registry graph --format json

Departments stand around their capabilities. A thick line is a field's source, a broken one claims
that another's claim stands above, or a field that was asked for and not granted. The order is
always the same, so that two exports can be compared line by line.";

/// The arguments of `samsyn registry graph`.
#[derive(Debug, Clone, Args)]
pub struct GraphArgs {
    /// What to write [default: dot, or json with --json]
    #[arg(long, value_enum)]
    pub format: Option<Format>,
}

/// What the graph is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For Graphviz
    Dot,
    /// For Mermaid, which many Markdown pages draw
    Mermaid,
    /// Nodes and edges
    Json,
}

/// Asks the host and prints it.
pub fn run(args: &GraphArgs, context: &Context) -> Result<(), CliError> {
    let usual = if context.json { Format::Json } else { Format::Dot };
    let format = match args.format.unwrap_or(usual) {
        Format::Dot => "dot",
        Format::Mermaid => "mermaid",
        Format::Json => "json",
    };
    let text = context.client()?.registry_graph(format)?;
    context.print(&format!("{}\n", text.trim_end()))
}
