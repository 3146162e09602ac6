//! `samsyn serve`: what is typed. The work is the host's own.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::context::Context;
use super::error::CliError;

const EXAMPLES: &str = "\
Examples:
  samsyn serve
  samsyn serve --data /var/lib/samsyn --config /etc/samsyn.toml --log-format json
  samsyn serve --print-config > samsyn.toml

On its first start the host makes an admin token, keeps only its hash, and prints it once.";

/// The arguments of `samsyn serve`.
#[derive(Debug, Clone, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct ServeArgs {
    /// The configuration [default: samsyn.toml, if there is one]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Where everything is kept; wins over the configuration
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Where to listen, such as 127.0.0.1:7400 (port 0: any); wins over the configuration
    #[arg(long, value_name = "ADDR")]
    pub listen: Option<SocketAddr>,
    /// How the host's own log is written; wins over the configuration
    #[arg(long, value_name = "FORMAT")]
    pub log_format: Option<LogFormat>,
    /// Make a new admin token and print it; the old one is valid no more
    #[arg(long)]
    pub new_admin_token: bool,
    /// Print the configuration in effect, every default and its reason, and do nothing else
    #[arg(long)]
    pub print_config: bool,
}

/// How the host's own log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// A line of JSON for each entry: for machines.
    Json,
    /// Lines for people.
    Human,
}

/// Runs a host until it is told to stop.
pub fn run(args: &ServeArgs, context: &Context) -> Result<(), CliError> {
    crate::local::serve(args, context)
}
