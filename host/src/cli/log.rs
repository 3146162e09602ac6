//! `samsyn log`: the log on this machine's disk, without a host. The work is the log's own.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::context::Context;
use super::error::CliError;

const VERIFY_EXAMPLES: &str = "\
Examples:
  samsyn log verify
  samsyn log verify --data /var/lib/samsyn --json

Reads every frame of every segment, checks its checksum and the chain of hashes of every partition,
and changes nothing. A damaged log ends with exit code 1 and the position of the damage.";

const CAT_EXAMPLES: &str = "\
Examples:
  samsyn log cat --limit 10
  samsyn log cat --partition 12 --from 345 --json | jq .
  samsyn log cat --partition registry

Records hold personal data: mind where the output goes.";

/// The commands of `samsyn log`.
#[derive(Debug, Subcommand)]
pub enum LogCommand {
    /// Check every frame and every chain
    #[command(after_long_help = VERIFY_EXAMPLES)]
    Verify(VerifyArgs),
    /// Print records
    #[command(after_long_help = CAT_EXAMPLES)]
    Cat(CatArgs),
}

/// The arguments of `samsyn log verify`.
#[derive(Debug, Clone, Args)]
pub struct VerifyArgs {
    /// The host's data directory
    #[arg(long, value_name = "DIR", default_value = "samsyn-data")]
    pub data: PathBuf,
}

/// The arguments of `samsyn log cat`.
#[derive(Debug, Clone, Args)]
pub struct CatArgs {
    /// The host's data directory
    #[arg(long, value_name = "DIR", default_value = "samsyn-data")]
    pub data: PathBuf,
    /// Only this partition: a number, registry or identity
    #[arg(long, value_name = "P", value_parser = partition)]
    pub partition: Option<crate::vocabulary::Partition>,
    /// From this record of the partition on
    #[arg(long, value_name = "SEQ", requires = "partition")]
    pub from: Option<u64>,
    /// Print at most this many
    #[arg(long, value_name = "N")]
    pub limit: Option<u64>,
}

/// A partition as positions write it.
fn partition(text: &str) -> Result<crate::vocabulary::Partition, String> {
    let position: Result<crate::vocabulary::Position, _> = format!("{text}-1").parse();
    position.map(|position| position.partition).map_err(|_| "write a number, registry or identity".to_owned())
}

/// Runs a command of `samsyn log`.
pub fn run(command: &LogCommand, context: &Context) -> Result<(), CliError> {
    match command {
        LogCommand::Verify(args) => crate::local::log_verify(args, context),
        LogCommand::Cat(args) => crate::local::log_cat(args, context),
    }
}
