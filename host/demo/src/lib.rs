//! `samsyn demo`: what is typed, and how `samsyn` starts the demo, which is a program of its own:
//! `samsyn-demo`, beside `samsyn`.
//!
//! | file | what it does |
//! |---|---|
//! | `lib.rs` | the arguments, used by both programs |
//! | `main.rs` | the program: its map is there |
//!
//! It must not know the host's insides: it starts `samsyn serve` and speaks HTTP.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Args;

use samsyn_terminal::CliError;
use samsyn_terminal::context::DEFAULT_LISTEN;

/// The program that this command starts.
pub const PROGRAM: &str = "samsyn-demo";
/// Tells the demo by which name `samsyn` was started, so that it can print commands that work.
pub const STARTED_BY: &str = "SAMSYN_DEMO_STARTED_BY";
/// Where the demo's host keeps everything, if nothing else is said.
pub const DATA: &str = "samsyn-data";
/// Holds the admin token of a demo, inside its data directory.
pub const TOKEN_FILE: &str = "demo-token";

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
    #[arg(long, value_name = "DIR", default_value = DATA)]
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
    #[arg(long, value_name = "ADDR", default_value = DEFAULT_LISTEN)]
    pub listen: SocketAddr,
    /// Stop the host after the summary
    #[arg(long)]
    pub exit: bool,
}

/// Replaces this process by the demo. The demo reads the same command line again.
pub fn run() -> Result<(), CliError> {
    let mut arguments = std::env::args_os();
    let started_as = arguments.next().unwrap_or_else(|| OsString::from("samsyn"));
    let found = program(PROGRAM);
    // It only returns when it failed.
    let cause = Command::new(&found).args(arguments).env(STARTED_BY, started_as).exec();
    Err(CliError::usage(format!("can't start {}", found.display())).because(cause).next(
        "build it with `make demo`, or `cargo build --release -p samsyn-demo`, in the project's folder; \
         it must lie beside `samsyn` or on the PATH",
    ))
}

/// One of our programs: the one beside this program, else the one on the PATH.
pub fn program(name: &str) -> PathBuf {
    let beside = std::env::current_exe().ok().map(|own| own.with_file_name(name));
    beside.filter(|path| path.is_file()).unwrap_or_else(|| PathBuf::from(name))
}

/// Where the token of a demo lies that was started without arguments.
pub fn usual_token_file() -> PathBuf {
    Path::new(DATA).join(TOKEN_FILE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_that_is_looked_for_is_the_one_that_the_demo_writes() {
        assert_eq!(Path::new(samsyn_terminal::context::TOKEN_FILE), usual_token_file());
    }
}
