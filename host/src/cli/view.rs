//! `samsyn view`: the view on this machine's disk, without a host. The work is the view's own.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::context::Context;
use super::error::CliError;

const REBUILD_EXAMPLES: &str = "\
Examples:
  samsyn view rebuild
  samsyn view rebuild --data /var/lib/samsyn

The view holds nothing that the log doesn't: it is thrown away and folded anew. The host must be
stopped meanwhile.";

/// The commands of `samsyn view`.
#[derive(Debug, Subcommand)]
pub enum ViewCommand {
    /// Fold the whole log into a new view
    #[command(after_long_help = REBUILD_EXAMPLES)]
    Rebuild(RebuildArgs),
}

/// The arguments of `samsyn view rebuild`.
#[derive(Debug, Clone, Args)]
pub struct RebuildArgs {
    /// The host's data directory
    #[arg(long, value_name = "DIR", default_value = "samsyn-data")]
    pub data: PathBuf,
}

/// Runs a command of `samsyn view`.
pub fn run(command: &ViewCommand, context: &Context) -> Result<(), CliError> {
    match command {
        ViewCommand::Rebuild(args) => crate::local::view_rebuild(args, context),
    }
}
