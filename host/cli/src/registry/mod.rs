//! `samsyn registry`: the registry as a whole. One file a command.

mod check;
mod file;
mod graph;

use clap::Subcommand;

use samsyn_terminal::context::Context;
use samsyn_terminal::error::CliError;

/// The commands of `samsyn registry`.
#[derive(Debug, Subcommand)]
pub enum RegistryCommand {
    /// Find silos: duplicate fields, fields that nobody reads, cycles, unused grants
    #[command(after_long_help = check::EXAMPLES)]
    Check(check::CheckArgs),
    /// Apply a registry file, after a plan
    #[command(after_long_help = file::APPLY_EXAMPLES)]
    Apply(file::ApplyArgs),
    /// Export the registry as a file
    #[command(after_long_help = file::EXPORT_EXAMPLES)]
    Export(file::ExportArgs),
    /// Draw departments, capabilities, fields and events
    #[command(after_long_help = graph::EXAMPLES)]
    Graph(graph::GraphArgs),
}

/// Runs a command of `samsyn registry`.
pub fn run(command: &RegistryCommand, context: &Context) -> Result<(), CliError> {
    match command {
        RegistryCommand::Check(args) => check::run(args, context),
        RegistryCommand::Apply(args) => file::apply(args, context),
        RegistryCommand::Export(args) => file::export(args, context),
        RegistryCommand::Graph(args) => graph::run(args, context),
    }
}
