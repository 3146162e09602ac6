//! `samsyn plugin replay`: a new version over the log, on the host or on its files.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use clap::{Args, ValueEnum};
use indicatif::ProgressBar;

use super::replay_text::report_text;
use crate::bars;
use crate::log::{log_directory, tell_torn};
use samsyn_api::replays::report_answer;
use samsyn_client::Client;
use samsyn_log::{Progress, StoppedLog};
use samsyn_replay::{Control, Input, ReplayError, Share, own_sandbox, replay};
use samsyn_sandbox::Package;
use samsyn_server::host::compiler;
use samsyn_server::settings::Config;
use samsyn_terminal::Stop;
use samsyn_terminal::context::Context;
use samsyn_terminal::error::{CliError, Exit, file_error};
use samsyn_wire::ReplayReport;

/// Shown in the long help.
pub const EXAMPLES: &str = "\
Examples:
  samsyn plugin replay target/plugins/loyalty.wasm
  samsyn plugin replay target/plugins/loyalty.wasm --profiles 10%
  samsyn plugin replay new.wasm --against old.wasm --values
  samsyn plugin replay target/plugins/loyalty.wasm --data /var/lib/samsyn --json   # of a stopped host
  samsyn plugin replay target/plugins/loyalty.wasm --fail-on warning               # in CI

The command runs the component for every past decision in the log, and shows where the new version differs.
The component uses its own claims and memory of this run; everything else comes from the log. Nothing is
written. An invocation that failed and now succeeds is shown as fixed; one that only the new version
receives is shown as added. Replaying the same version shows no difference.

A running host replays in the background, at low priority; the command needs the scope admin. The report
has no customers' values. --values shows those of the examples, and the host records that as a read.

Exit codes:
  0    no difference, or none as severe as --fail-on
  1    differences as severe as --fail-on
  2    invalid command line, file or address
  3    no host answers
  4    the replay could not run
  130  stopped with Ctrl-C";

/// How often a host is asked how far it is.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// What `--against` means the log with.
const INSTALLED: &str = "installed";

/// The arguments of `samsyn plugin replay`.
#[derive(Debug, Clone, Args)]
pub struct ReplayArgs {
    /// The new version: the component that `samsyn plugin build` wrote
    pub file: PathBuf,
    /// What to compare with: `log`, the decisions of the installed versions, or another component
    #[arg(long, value_name = "installed|FILE", default_value = INSTALLED)]
    pub against: PathBuf,
    /// Only this share of the customers, always the same ones, such as 10% [default: as many as fit into
    /// the memory for replays]
    #[arg(long, value_name = "PERCENT")]
    pub profiles: Option<Share>,
    /// Show the values of the examples, and the plug-in's log lines
    #[arg(long)]
    pub values: bool,
    /// The lowest severity for exit code 1
    #[arg(long, value_enum, default_value = "note", value_name = "SEVERITY")]
    pub fail_on: Severity,
    /// Read this data directory of a stopped host instead of asking a running one
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
}

/// How bad a difference is, the least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Severity {
    /// More is emitted or claimed than before, or only wording or memory differ
    Note,
    /// Values or events differ or are missing, or something is rejected
    Warning,
    /// An invocation fails, or a protective or personal value differs or is missing
    Error,
}

/// Replays, prints the report, and fails when it says enough.
pub fn run(args: &ReplayArgs, context: &Context) -> Result<(), CliError> {
    let new = read(&args.file)?;
    let against = if args.against == Path::new(INSTALLED) { None } else { Some(read(&args.against)?) };
    // In CI "differences" and "no answer" must not look the same.
    let no_report = |error: CliError| match error.exit {
        Exit::Refused => CliError { exit: Exit::NoAnswer, ..error },
        _ => error,
    };
    let raw = match &args.data {
        Some(data) => on_data(data, &new, against.as_deref(), args, context),
        None => {
            let percent = args.profiles.map(Share::as_percent);
            let client = context.client()?;
            on_host(&client, &new, against.as_deref(), percent, args.values, context)
        }
    };
    let (raw, report) = raw.map_err(no_report)?;
    context.answer(&raw, |paint| report_text(&report, paint))?;
    match differences(&report, args.fail_on) {
        0 => Ok(()),
        _ => Err(CliError::refused(summary(&report))),
    }
}

fn read(file: &Path) -> Result<Vec<u8>, CliError> {
    std::fs::read(file).map_err(|cause| file_error("read", file, &cause))
}

/// Findings that are at least as bad; a run that was given up is one.
pub fn differences(report: &ReplayReport, least: Severity) -> usize {
    let word = |severity: &str| match severity {
        "error" => Severity::Error,
        "warning" => Severity::Warning,
        _ => Severity::Note,
    };
    let bad = report.findings.iter().filter(|finding| word(&finding.severity) >= least).count();
    bad + usize::from(report.gave_up.is_some())
}

/// In one line, what differs.
pub fn summary(report: &ReplayReport) -> String {
    match (&report.gave_up, report.different) {
        (Some(why), _) => format!("the replay was aborted: {why}"),
        (None, 1) => "1 invocation differs".to_owned(),
        (None, count) => format!("{count} invocations differ"),
    }
}

fn parse(raw: &str) -> Result<ReplayReport, CliError> {
    serde_json::from_str(raw).map_err(|cause| {
        CliError::refused("invalid report")
            .because(cause)
            .next("use the `samsyn` command of the host's version")
    })
}

/// Has a running host replay; the report, as it wrote it and read.
pub fn on_host(
    client: &Client,
    new: &[u8],
    against: Option<&[u8]>,
    percent: Option<f64>,
    values: bool,
    context: &Context,
) -> Result<(String, ReplayReport), CliError> {
    let stop = Stop::default();
    let over = Arc::new(AtomicBool::new(false));
    let is_over = over.clone();
    // What comes behind a replay, such as a question, ends at once.
    stop.on_interrupt(move || {
        if is_over.load(Ordering::Relaxed) {
            std::process::exit(Exit::Interrupted as i32);
        }
    });
    let id = client.start_replay(new, against, percent)?.body.id;
    let bar = bars::bar("replaying", context.quiet);
    let ended = loop {
        if stop.wait(LOOK_EVERY) {
            bar.finish_and_clear();
            client.stop_replay(&id)?;
            return Err(stopped());
        }
        let now = client.replay(&id, false)?.body;
        if now.state != "running" {
            break now;
        }
        show(&bar, now.bytes_done, now.bytes_total);
    };
    over.store(true, Ordering::Relaxed);
    bar.finish_and_clear();
    match ended.state.as_str() {
        "done" => {}
        "stopped" => return Err(stopped()),
        _ => {
            let why = ended.error.unwrap_or_default();
            return Err(CliError::refused("the replay failed")
                .because(why)
                .next("see `samsyn plugin replay --help`"));
        }
    }
    let answered = if values { client.replay(&id, true)?.body } else { ended };
    let raw = answered.report.map(|report| report.get().to_owned()).unwrap_or_default();
    let report = parse(&raw)?;
    Ok((raw, report))
}

fn stopped() -> CliError {
    CliError::interrupted("the replay was stopped; nothing was changed")
}

fn show(bar: &ProgressBar, bytes_done: u64, bytes_total: u64) {
    bars::show(bar, Progress { bytes_done, bytes_total, records: 0 });
}

/// Replays the log of a host that is stopped.
fn on_data(
    data: &Path,
    new: &[u8],
    against: Option<&[u8]>,
    args: &ReplayArgs,
    context: &Context,
) -> Result<(String, ReplayReport), CliError> {
    let directory = log_directory(data)?;
    let unreadable = |error: &dyn std::fmt::Display| {
        CliError::refused("the log can't be read")
            .because(error)
            .next("stop the host first, or leave out --data; see `samsyn log verify`")
    };
    let failed = |error: ReplayError| match error {
        ReplayError::Stopped => stopped(),
        error => CliError::refused("the replay failed").because(error),
    };
    let config = Config::read(None).unwrap_or_default();
    let package = |bytes: &[u8]| Package::read(bytes, &config.sandbox).map_err(|error| failed(error.into()));
    let (new, against) = (package(new)?, against.map(package).transpose()?);
    // Held until the end, so that no host starts meanwhile.
    let log = StoppedLog::open(&directory).map_err(|error| unreadable(&error))?;
    tell_torn(&log, context);
    let sandbox = own_sandbox(&config.sandbox).map_err(|error| failed(error.into()))?;
    let input = Input {
        log: log.reader().clone(),
        sandbox: sandbox.compiling_in(compiler()),
        new,
        against,
        share: args.profiles.unwrap_or_default(),
        profiles_max: config.engine.replay_profiles_max,
        lower_priority: false,
    };
    let control = Arc::new(Control::default());
    let (stop, stopping) = (Stop::default(), control.clone());
    stop.on_interrupt(move || stopping.stop());
    let bar = bars::bar("replaying", context.quiet);
    let report = std::thread::scope(|scope| {
        let run = scope.spawn(|| replay(input, &control));
        while !run.is_finished() {
            std::thread::park_timeout(LOOK_EVERY);
            let (done, total) = (&control.bytes_done, &control.bytes_total);
            show(&bar, done.load(Ordering::Relaxed), total.load(Ordering::Relaxed));
        }
        run.join().unwrap_or_else(|_| Err(ReplayError::Item("the replay panicked".to_owned())))
    });
    bar.finish_and_clear();
    let report = report.map_err(failed)?;
    let report = if args.values { report } else { report.without_values() };
    let report = report_answer(&report);
    let raw = serde_json::to_string(&report).map_err(|error| unreadable(&error))?;
    Ok((raw, report))
}
