//! `samsyn view`: the view on this machine's disk, without a host.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;

use super::bars;
use super::context::Context;
use super::error::CliError;
use super::log::log_directory;
use crate::config::DataDir;
use crate::log::LocalLog;
use crate::settings::Config;
use crate::view::{Folded, View};

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
        ViewCommand::Rebuild(args) => rebuild(args, context),
    }
}

/// Folds the whole log into a new view.
fn rebuild(args: &RebuildArgs, context: &Context) -> Result<(), CliError> {
    let directory = log_directory(&args.data)?;
    let data = DataDir(args.data.clone());
    let failed = |what: &str, error: &dyn std::fmt::Display| {
        CliError::refused(what.to_owned()).because(error).next("stop the host first; see `samsyn log verify`")
    };
    let (log, _) = LocalLog::<Folded>::open(&directory, crate::log::Options::default())
        .map_err(|error| failed("the log can't be opened", &error))?;
    if data.view().exists() {
        std::fs::remove_dir_all(data.view())
            .map_err(|error| failed("the old view can't be deleted", &error))?;
    }
    let config = Config::read(None).unwrap_or_default();
    let started = std::time::Instant::now();
    let bar = bars::bar("folding the view", context.quiet);
    let (view, opened) = View::open(&data.view(), log.reader(), &config.view, &config.engine, |progress| {
        bars::show(&bar, progress);
    })
    .map_err(|error| failed("the view can't be folded", &error))?;
    bar.finish_and_clear();
    let profiles = view.profiles();
    view.close().map_err(|error| failed("the view can't be written", &error))?;
    let seconds = started.elapsed().as_secs_f64();
    let rate = (opened.folded as f64 / seconds.max(1e-9)) as u64;
    if context.json {
        let line = json!({ "records": opened.folded, "profiles": profiles, "seconds": seconds, "records_per_second": rate });
        return context.print(&format!("{line}\n"));
    }
    context.print(&format!(
        "{} records folded into {profiles} profiles in {seconds:.1} s ({rate} records/s)\n",
        opened.folded
    ))
}
