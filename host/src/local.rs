//! Commands that work on this machine's files or run a host in this process.

use std::io::{IsTerminal, Write};
use std::path::Path;

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use crate::cli::demo::DemoArgs;
use crate::cli::log::{CatArgs, VerifyArgs};
use crate::cli::serve::{self, ServeArgs};
use crate::cli::view::RebuildArgs;
use crate::cli::{CliError, Context};
use crate::config::{Config, DataDir, LogFormat};
use crate::host::{Host, HostError};
use crate::log::{LocalLog, Progress, ScanFrom};
use crate::record::Record;
use crate::sandbox::Compiler;
use crate::view::{Folded, RebuildProgress, View};

/// What makes this program compile one component and end: see [`Compiler::Child`].
pub const COMPILE_COMMAND: &str = "compile-component";

/// Untrusted components are compiled by this program itself, started as a bounded child.
pub fn compiler() -> Compiler {
    match std::env::current_exe() {
        Ok(program) => Compiler::Child { program, arguments: vec![COMPILE_COMMAND.into()] },
        Err(_) => Compiler::InProcess,
    }
}

/// Sends the host's own log to standard error.
pub fn start_logging(format: LogFormat, filter: &str) -> Result<(), CliError> {
    let filter = tracing_subscriber::EnvFilter::try_new(filter).map_err(|error| {
        CliError::usage("log_filter can't be read").because(error).next("write something like info")
    })?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = match format {
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
        LogFormat::Human => builder.with_ansi(std::io::stderr().is_terminal()).try_init(),
    };
    started.map_err(|error| CliError::refused("the host's log can't be started").because(error))
}

fn host_error(error: HostError) -> CliError {
    let next = error.next_step();
    CliError::refused("the host can't start").because(error).next(next)
}

/// A bar on a terminal, nothing elsewhere.
fn bar(what: &'static str, quiet: bool) -> ProgressBar {
    if quiet || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{msg} {wide_bar} {bytes}/{total_bytes} {eta}");
    let bar = ProgressBar::new(0).with_message(what);
    match style {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

fn show_rebuild(bar: &ProgressBar, progress: RebuildProgress) {
    bar.set_length(progress.bytes_total);
    bar.set_position(progress.bytes_done);
}

fn show(bar: &ProgressBar, progress: Progress) {
    bar.set_length(progress.bytes_total);
    bar.set_position(progress.bytes_done);
}

/// Runs a host until it is told to stop.
pub fn serve(args: &ServeArgs, context: &Context) -> Result<(), CliError> {
    let mut config = Config::read(args.config.as_deref()).map_err(|error| {
        CliError::usage("the configuration can't be used")
            .because(error)
            .next("compare it with `samsyn serve --print-config`")
    })?;
    if let Some(data) = &args.data {
        config.data.clone_from(data);
    }
    if let Some(listen) = args.listen {
        config.listen = listen;
    }
    match args.log_format {
        Some(serve::LogFormat::Json) => config.log_format = LogFormat::Json,
        Some(serve::LogFormat::Human) => config.log_format = LogFormat::Human,
        None => {}
    }
    if args.print_config {
        return context.print(&config.print());
    }
    start_logging(config.log_format, &config.log_filter)?;
    let bar = bar("folding the view", context.quiet);
    let host =
        Host::start(&config, compiler(), args.new_admin_token, |progress| show_rebuild(&bar, progress))
            .map_err(host_error)?;
    bar.finish_and_clear();
    // Before anybody is told that it is there: whoever reads that may stop it at once.
    let signals =
        host.catch_signals().map_err(|error| CliError::refused("can't wait for signals").because(error))?;
    announce(&host, context)?;
    host.wait_for(signals);
    tracing::info!("stopping");
    host.stop();
    Ok(())
}

/// Says where the host is and, once, its token.
fn announce(host: &Host, context: &Context) -> Result<(), CliError> {
    let address = host.local_addr();
    tracing::info!(%address, folded = host.opened().folded, "listening");
    let token = host.token().map(|token| token.as_str());
    if context.json {
        let line = json!({ "listening": format!("http://{address}"), "token": token });
        return context.print(&format!("{line}\n"));
    }
    let mut text = format!("Samsyn listens on http://{address}\n");
    if let Some(token) = token {
        text += &format!(
            "\nThe admin token, shown this once and kept only as a hash:\n\n  {token}\n\n\
             Keep it, and use it with: export SAMSYN_TOKEN={token}\n"
        );
    }
    context.print(&text)
}

/// Runs the demo.
pub fn demo(args: &DemoArgs, context: &Context) -> Result<(), CliError> {
    crate::demo::run(args, context)
}

/// Checks a log.
pub fn log_verify(args: &VerifyArgs, context: &Context) -> Result<(), CliError> {
    let directory = log_directory(&args.data)?;
    let bar = bar("checking", context.quiet);
    let report = crate::log::verify(&directory, |progress| show(&bar, progress)).map_err(|error| {
        CliError::refused("the log can't be checked")
            .because(error)
            .next("name the data directory with --data")
    })?;
    bar.finish_and_clear();
    let problem = report.problem.as_ref().map(ToString::to_string);
    if context.json {
        let line = json!({
            "segments": report.segments, "records": report.records, "bytes": report.bytes, "problem": problem,
        });
        context.print(&format!("{line}\n"))?;
    } else if problem.is_none() {
        context.print(&format!(
            "{} records in {} segments ({} bytes): every checksum, digest and link is right\n",
            report.records, report.segments, report.bytes
        ))?;
    }
    match problem {
        None => Ok(()),
        Some(problem) => Err(CliError::refused("the log is damaged").because(problem).next(
            "keep a copy of the directory before you try anything; records before this place are whole",
        )),
    }
}

fn log_directory(data: &Path) -> Result<std::path::PathBuf, CliError> {
    let directory = DataDir(data.to_owned()).log();
    if directory.is_dir() {
        return Ok(directory);
    }
    Err(CliError::usage(format!("there is no log in {}", data.display()))
        .next("name a host's data directory with --data"))
}

/// Prints records.
pub fn log_cat(args: &CatArgs, context: &Context) -> Result<(), CliError> {
    let directory = log_directory(&args.data)?;
    let unreadable = |error: crate::log::LogError| {
        CliError::refused("the log can't be read")
            .because(error)
            .next("see `samsyn log verify`; a running host holds its log")
    };
    let (log, _) =
        LocalLog::<Folded>::open(&directory, crate::log::Options::default()).map_err(unreadable)?;
    let mut left = args.limit.unwrap_or(u64::MAX);
    if let Some(partition) = args.partition {
        for record in log.reader().scan(partition, args.from.unwrap_or(1)) {
            if left == 0 {
                return Ok(());
            }
            let record = record.map_err(unreadable)?;
            print_record(context, record.position, record.kind, record.appended_at, &record.payload)?;
            left -= 1;
        }
        return Ok(());
    }
    let mut scan = log.reader().scan_all(ScanFrom::Start);
    while let Some(record) = scan.next().map_err(unreadable)?.filter(|_| left > 0) {
        print_record(context, record.position, record.kind, record.appended_at, record.payload)?;
        left -= 1;
    }
    Ok(())
}

fn print_record(
    context: &Context,
    position: crate::vocabulary::Position,
    kind: u8,
    at: crate::vocabulary::Timestamp,
    payload: &[u8],
) -> Result<(), CliError> {
    let record = match Record::from_bytes(kind, payload) {
        Ok(record) => serde_json::to_value(&record).unwrap_or_default(),
        Err(error) => json!({ "unreadable": error.to_string() }),
    };
    if context.json {
        let line = json!({ "position": position, "at": at, "record": record });
        return context.print(&format!("{line}\n"));
    }
    let (name, body) = match record.as_object().and_then(|object| object.iter().next()) {
        Some((name, body)) => (name.clone(), body.clone()),
        None => ("?".to_owned(), record),
    };
    context.print(&format!("{position}  {at}  {name}  {body}\n"))
}

/// Folds the whole log into a new view.
pub fn view_rebuild(args: &RebuildArgs, context: &Context) -> Result<(), CliError> {
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
    let bar = bar("folding the view", context.quiet);
    let (view, opened) = View::open(&data.view(), log.reader(), &config.view, &config.engine, |progress| {
        show_rebuild(&bar, progress);
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

/// Writes a line where no `Context` is at hand.
pub fn complain(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
