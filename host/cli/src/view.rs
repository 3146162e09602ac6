//! `samsyn view`: the view on this machine's disk, without a host.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;

use super::bars;
use super::log::{log_directory, tell_torn};
use samsyn_disk::DataDir;
use samsyn_engine::homes_of;
use samsyn_log::StoppedLog;
use samsyn_server::settings::Config;
use samsyn_state::snapshot::Shelf;
use samsyn_state::view::{self, View};
use samsyn_terminal::context::Context;
use samsyn_terminal::error::CliError;

const REBUILD_EXAMPLES: &str = "\
Examples:
  samsyn view rebuild
  samsyn view rebuild --data /var/lib/samsyn

The command deletes the view and rebuilds it from the log. It only reads the log. Nothing is lost: the log
has everything. Stop the host first.";

const CHECK_EXAMPLES: &str = "\
Examples:
  samsyn view check
  samsyn view check --data /var/lib/samsyn --json
  samsyn view check --scratch /var/tmp

The command rebuilds a second view from the log and compares it with a copy of the host's view: every
profile, event id, link and counter. Both are in a temporary folder that only this user can read; it needs
room for two views (see --scratch). The command only reads the data directory. Exit code 1 means that they
differ: then run `samsyn view rebuild`. Stop the host first.";

/// The commands of `samsyn view`.
#[derive(Debug, Subcommand)]
pub enum ViewCommand {
    /// Rebuild the view from the whole log
    #[command(after_long_help = REBUILD_EXAMPLES)]
    Rebuild(RebuildArgs),
    /// Compare the view with a view rebuilt from the log
    #[command(after_long_help = CHECK_EXAMPLES)]
    Check(CheckArgs),
}

/// The arguments of `samsyn view rebuild`.
#[derive(Debug, Clone, Args)]
pub struct RebuildArgs {
    /// The host's data directory
    #[arg(long, value_name = "DIR", default_value = "samsyn-data")]
    pub data: PathBuf,
}

/// The arguments of `samsyn view check`.
#[derive(Debug, Clone, Args)]
pub struct CheckArgs {
    /// The host's data directory
    #[arg(long, value_name = "DIR", default_value = "samsyn-data")]
    pub data: PathBuf,
    /// A directory with room for two views [default: the system's temporary directory]
    #[arg(long, value_name = "DIR")]
    pub scratch: Option<PathBuf>,
}

/// Runs a command of `samsyn view`.
pub fn run(command: &ViewCommand, context: &Context) -> Result<(), CliError> {
    match command {
        ViewCommand::Rebuild(args) => rebuild(args, context),
        ViewCommand::Check(args) => check(args, context),
    }
}

/// What went wrong with a directory that a running host may hold.
fn failed(what: &str, error: &dyn std::fmt::Display) -> CliError {
    CliError::refused(what.to_owned()).because(error).next("stop the host first; see `samsyn log verify`")
}

/// Compares the view with a fresh fold of the log.
fn check(args: &CheckArgs, context: &Context) -> Result<(), CliError> {
    let directory = log_directory(&args.data)?;
    let data = DataDir(args.data.clone());
    let log = StoppedLog::open(&directory).map_err(|error| failed("the log can't be opened", &error))?;
    tell_torn(&log, context);
    let config = Config::read(None).unwrap_or_default();
    let bases = Shelf::new(data.snapshots()).bases_if_needed(log.reader());
    let scratch = args.scratch.clone().unwrap_or_else(std::env::temp_dir);
    let bar = bars::bar("rebuilding the view", context.quiet);
    let homes = homes_of(&data, config.engine.partitions)
        .map_err(|error| failed("the data directory can't be read", &error))?;
    let check = view::Check { view: &data.view(), log: log.reader(), homes, scratch: &scratch };
    let report =
        check.run(&config.view, config.engine.event_ids(), bases, |progress| bars::show(&bar, progress));
    bar.finish_and_clear();
    let report = report.map_err(|error| failed("the view can't be checked", &error))?;
    let equal = report.unusable.is_none() && report.found.differences == 0;
    if context.json {
        let line = json!({
            "equal": equal, "unusable": report.unusable, "behind": report.behind,
            "profiles": report.found.profiles, "differences": report.found.differences,
            "samples": report.found.samples,
        });
        context.print(&format!("{line}\n"))?;
    } else if equal {
        let profiles = report.found.profiles;
        context.print(&format!("the view matches the log: {profiles} profiles compared\n"))?;
    }
    if let Some(why) = report.unusable {
        return Err(CliError::refused("the view does not belong to this log")
            .because(why)
            .next("nothing is lost: the next start rebuilds it, or run `samsyn view rebuild` now"));
    }
    if !equal {
        let what = format!("the view differs from the log in {} entries", report.found.differences);
        let error = report.found.samples.into_iter().fold(CliError::refused(what), CliError::because);
        return Err(error.next(
            "nothing is lost: run `samsyn view rebuild`. Please report it: a view should never differ",
        ));
    }
    Ok(())
}

/// Folds the whole log into a new view.
fn rebuild(args: &RebuildArgs, context: &Context) -> Result<(), CliError> {
    let directory = log_directory(&args.data)?;
    let data = DataDir(args.data.clone());
    let log =
        StoppedLog::open_alone(&directory).map_err(|error| failed("the log can't be opened", &error))?;
    tell_torn(&log, context);
    let config = Config::read(None).unwrap_or_default();
    let homes = homes_of(&data, config.engine.partitions)
        .map_err(|error| failed("the data directory can't be read", &error))?;
    if data.view().exists() {
        std::fs::remove_dir_all(data.view())
            .map_err(|error| failed("the old view can't be deleted", &error))?;
    }
    let bases = Shelf::new(data.snapshots()).bases_if_needed(log.reader());
    let started = std::time::Instant::now();
    let bar = bars::bar("rebuilding the view", context.quiet);
    let (view, opened) = View::open_from(
        &data.view(),
        log.reader(),
        homes,
        &config.view,
        config.engine.event_ids(),
        bases,
        |progress| {
            bars::show(&bar, progress);
        },
    )
    .map_err(|error| failed("the view can't be rebuilt", &error))?;
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
        "{} records, {profiles} profiles rebuilt in {seconds:.1} s ({rate} records/s)\n",
        opened.folded
    ))
}
