//! `samsyn demo`: what is typed.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;

const EXAMPLES: &str = "\
Examples:
  samsyn demo
  samsyn demo --events 2000 --exit

The demo starts a host on a fresh data directory, installs the plug-ins, imports real purchases with
invented (and labelled) names, addresses, deliveries and replies, and shows what came of them: what a
customer sees, what was found, what was refused; numbers last. It leaves the host running, or with --exit
says how to start it again. Its token is in DATA/demo-token.";

/// The arguments of `samsyn demo`.
#[derive(Debug, Clone, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct DemoArgs {
    /// The data directory; must be empty or from an earlier demo
    #[arg(long, value_name = "DIR", default_value = "samsyn-data")]
    pub data: PathBuf,
    /// The folder with the built plug-ins [default: target/plugins, here or in a parent folder]
    #[arg(long, value_name = "DIR")]
    pub plugins: Option<PathBuf>,
    /// Import only the first N purchases
    #[arg(long, value_name = "N")]
    pub events: Option<u64>,
    /// The seed of the synthetic data: the same seed makes the same data
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// The address to listen on (port 0: any)
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:7400")]
    pub listen: SocketAddr,
    /// Stop the host after the summary
    #[arg(long)]
    pub exit: bool,
}
