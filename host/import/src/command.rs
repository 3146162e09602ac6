//! `samsyn event import FILE`: what a person types, and what they are told.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Args;
use serde_json::json;

use super::capability_refusals::{self, CapabilityRefusals};
use super::dispatcher::{self, ImportError, Summary};
use super::ids::{self, Ids};
use super::json_lines;
use super::lane::FORGOTTEN;
use super::mapping::MappingFile;
use super::note;
use super::options::{Options, SentSince};
use super::patience;
use super::progress::{for_terminal, rate};
use super::report::{Place, Reporting};
use super::rounded::RoundedTexts;
use super::row::SourceError;
use super::source::{self, Delimiter, Rows};
use samsyn_client::{Client, ClientError};
use samsyn_machine::clock::Clock;
use samsyn_terminal::Stop;
use samsyn_terminal::context::Context;
use samsyn_terminal::error::{CliError, Exit, file_error};
use samsyn_terminal::output::{grouped, plain};
use samsyn_vocabulary::Timestamp;
use samsyn_wire::request::EVENTS_MAX;
use samsyn_wire::{EventIds, Limits};

/// The largest batch the host takes.
const BATCH_EVENTS_MAX: u64 = EVENTS_MAX as u64;
/// More requests in flight than this only wait for each other in the host.
const LANES_MAX: u64 = 64;
/// How far this machine's clock and a host's may be apart that doesn't tell its time.
const CLOCKS_APART_MS: i64 = 60_000;

/// The arguments of `samsyn event import`.
#[derive(Debug, Clone, Args)]
pub struct ImportArgs {
    /// The file: JSON lines, or columns with --map; may be compressed with gzip; - for stdin
    pub file: PathBuf,
    /// The mapping from columns to events (docs/import.md); without it the file is JSON lines
    #[arg(long, value_name = "TOML")]
    pub map: Option<PathBuf>,
    /// The delimiter: one character, tab, or whitespace [default: from the mapping]
    #[arg(long, value_name = "CHAR", requires = "map")]
    pub delimiter: Option<Delimiter>,
    /// The file for rejected rows, as JSON lines to correct and import; must not exist yet
    /// [default: FILE.refused.jsonl, or with the next free number]
    #[arg(long, value_name = "PATH")]
    pub refused: Option<PathBuf>,
    /// The file that keeps the time of the first run, so that a much later run adds no row twice
    /// [default: FILE.import.json]
    #[arg(long, value_name = "PATH")]
    pub note: Option<PathBuf>,
    /// Import a file again as new events, with ids that end in ~SUFFIX [default suffix: the
    /// time]
    #[arg(long, value_name = "SUFFIX", num_args = 0..=1, require_equals = true, default_missing_value = "")]
    pub again: Option<String>,
    /// Make ids from this name and the line number, instead of the file's digest; with it you can run
    /// an import from a pipe again
    #[arg(long, value_name = "NAME")]
    pub label: Option<String>,
    /// Events with the same value of this identifier keep the file's order [default: the first
    /// identifier of the first event]
    #[arg(long, value_name = "IDENTIFIER")]
    pub order_by: Option<String>,
    /// Parallel requests; 1 keeps the order of the whole file
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u64).range(1..=LANES_MAX))]
    pub lanes: u64,
    /// Events in each request
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u64).range(1..=BATCH_EVENTS_MAX))]
    pub batch: u64,
    /// Keep retrying for this many seconds while the host is busy or unreachable
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub patience: u64,
    /// Print the first N events and send nothing
    #[arg(long, value_name = "N")]
    pub preview: Option<usize>,
}

/// A file that is ready to be read.
struct Import<'a> {
    args: &'a ImportArgs,
    mapping: Option<MappingFile>,
    ids: Ids,
    /// Whether what is read can be read once only: stdin, or a pipe.
    is_stream: bool,
    rounded: RoundedTexts,
    /// When this run began, by this machine's clock.
    began_at: Timestamp,
}

/// Imports the file.
pub fn run(args: &ImportArgs, context: &Context) -> Result<(), CliError> {
    let import = Import::prepare(args, context)?;
    if let Some(count) = args.preview {
        return import.preview(count, context);
    }
    import.refused_place().check()?;
    let client = context.client()?;
    let total = import.count_rows()?;
    import.warn(); // Before anything is sent, where the file could be read through.
    let stop = Stop::default();
    stop.on_interrupt(|| {
        eprintln!("\nstopping after the requests in flight; press Ctrl-C again to stop at once")
    });
    let sent_since = import.first_run(&client, total, &stop, context)?;
    let options = Options {
        lanes: usize::try_from(args.lanes).unwrap_or(1),
        batch_events: usize::try_from(args.batch).unwrap_or(1),
        patience: import.patience(),
        order_by: args.order_by.clone(),
        sent_since,
        stop: stop.clone(),
        ..Options::default()
    };
    let inner = for_terminal(total, context.quiet || context.json);
    let mut reporting = Reporting::new(inner, import.refused_place());
    let outcome = dispatcher::run(import.rows()?, &client, &options, &mut reporting);
    let (summary, ended) = match outcome {
        Ok(summary) => (summary, Ok(())),
        Err(ImportError::Host { cause, summary }) => (*summary, Err(import.broken_off(cause))),
        Err(ImportError::Source { cause, summary }) => {
            let what = format!("{} can't be read to the end", args.file.display());
            (*summary, Err(CliError::refused(what).because(cause)))
        }
    };
    // The bar leaves the terminal before the summary is printed.
    let report = reporting.close();
    import.warn();
    let list = import.list_command(sent_since, context);
    let refusals = import.capability_refusals(&client, &summary, &stop, &list, context);
    print_summary(&summary, refusals.as_ref(), &list, context)?;
    let report = report?;
    if let (Err(_), Some(path)) = (&ended, &report) {
        context.hint(&format!("the rows rejected so far are in {}", path.display()));
    }
    ended?;
    import.conclude(&summary, report.as_deref())
}

impl<'a> Import<'a> {
    fn prepare(args: &'a ImportArgs, context: &Context) -> Result<Import<'a>, CliError> {
        let mapping = args.map.as_deref().map(read_mapping).transpose()?;
        let unreadable = |cause: &std::io::Error| file_error("read", &args.file, cause);
        let is_stream = is_stdin(&args.file)
            || !std::fs::metadata(&args.file).map_err(|cause| unreadable(&cause))?.is_file();
        let label = match &args.label {
            Some(label) => label.clone(),
            None if is_stream => {
                context.hint("a pipe has no digest, so you can't run this import again: to be able to, add --label NAME");
                uuid::Uuid::new_v4().simple().to_string()
            }
            None => {
                let file = File::open(&args.file).map_err(|cause| unreadable(&cause))?;
                ids::digest_label(file).map_err(|cause| unreadable(&cause))?
            }
        };
        let mut ids = Ids::new(&label);
        if let Some(suffix) = &args.again {
            let suffix = if suffix.is_empty() { now_compact() } else { suffix.clone() };
            context.hint(&format!(
                "importing as new events: every id ends in ~{suffix}; if this stops, continue with --again={suffix}"
            ));
            ids = ids.again(&suffix);
        }
        let (rounded, began_at) = (RoundedTexts::default(), Clock::system().now());
        Ok(Import { args, mapping, ids, is_stream, rounded, began_at })
    }

    fn rows(&self) -> Result<Rows, CliError> {
        let path = &self.args.file;
        let reader = source::open(path).map_err(|cause| file_error("read", path, &cause))?;
        let Some(mapping) = &self.mapping else {
            return Ok(json_lines::rows(reader, self.ids.clone()));
        };
        source::columns(reader, mapping, self.args.delimiter, self.ids.clone(), &self.rounded)
            .map_err(|cause| bad_mapping().because(cause))
    }

    fn preview(&self, count: usize, context: &Context) -> Result<(), CliError> {
        let mut bad = 0;
        for row in self.rows()?.take(count) {
            match row {
                Ok(row) => context.print(&format!("{}\n", row.json))?,
                Err(cause) => {
                    bad += 1;
                    eprintln!("{cause}");
                }
            }
        }
        self.warn();
        if bad > 0 { Err(CliError::refused(format!("{bad} of these lines are not events"))) } else { Ok(()) }
    }

    /// Tells of the ids that a spreadsheet has rounded.
    fn warn(&self) {
        for line in self.rounded.warnings() {
            eprintln!("{}", plain(&line));
        }
    }

    /// How many rows the file has, bad ones included; none where it can't be read twice.
    fn count_rows(&self) -> Result<Option<u64>, CliError> {
        if self.is_stream {
            return Ok(None);
        }
        // What breaks it off is told by the import itself.
        let whole = self.rows()?.take_while(|row| !matches!(row, Err(SourceError::Broken(_))));
        Ok(Some(whole.count() as u64))
    }

    /// Since when rows of this import may have been sent: the host takes each id once as far as it
    /// remembers them, and what is beyond that is refused before the first row.
    fn first_run(
        &self,
        client: &Client,
        rows: Option<u64>,
        stop: &Stop,
        context: &Context,
    ) -> Result<Option<SentSince>, CliError> {
        if self.is_stream && self.args.label.is_none() {
            return Ok(None); // No other run can have these ids.
        }
        let Some(Limits { event_ids, .. }) = patience::ask(self.patience(), stop, || client.limits())? else {
            context.hint("this host has an older version: it doesn't say how long it remembers event ids");
            return Ok(None);
        };
        let started = Instant::now();
        let EventIds { days, max, complete_since, now, .. } = event_ids;
        let name = self.args.file.display();
        if let Some(rows) = rows.filter(|rows| *rows > max) {
            return Err(CliError::refused(format!(
                "{name} has {} rows, but the host remembers only {} event ids (event_ids_max)",
                grouped(rows),
                grouped(max)
            ))
            .because("a second run after an interruption would add forgotten rows twice; nothing was sent")
            .next("ask an administrator to raise engine.event_ids_max above the number of rows"));
        }
        let note = self.note_path();
        let first_run = note::first_run(&note, &self.identity(client, context), now)?;
        match complete_since {
            Some(complete_since) if first_run < complete_since => Err(CliError::refused(format!(
                "{name} was imported before, on {first_run}; the host has forgotten event ids of that time"
            ))
            .because(format!(
                "it remembers {} ids for {days} days (event_ids_max, event_id_days), all since {complete_since}; \
                 nothing was sent, because rows could be added twice",
                grouped(max)
            ))
            .next(format!(
                "to import all rows as new events, add --again; if that host never had them, remove {}",
                note.display()
            ))),
            _ => Ok(Some(SentSince { first_run, now, started })),
        }
    }

    /// What capabilities refused of the events that were added. Where the host doesn't say, the import
    /// is none the worse.
    fn capability_refusals(
        &self,
        client: &Client,
        summary: &Summary,
        stop: &Stop,
        list: &str,
        context: &Context,
    ) -> Option<CapabilityRefusals> {
        match capability_refusals::count(client, &summary.added, self.patience(), stop) {
            Ok(Some(refusals)) => Some(refusals),
            Ok(None) => {
                context.hint("this host has an older version: it doesn't list what capabilities reject");
                None
            }
            Err(cause) => {
                let cause = plain(&cause.to_string());
                context.hint(&format!(
                    "the rejections of these events could not be read: {cause}; list them later: {list}"
                ));
                None
            }
        }
    }

    /// The command that lists what was refused since this run began.
    fn list_command(&self, sent_since: Option<SentSince>, context: &Context) -> String {
        let since = match sent_since {
            Some(since) => since.now,
            None => Timestamp(self.began_at.millis().saturating_sub(CLOCKS_APART_MS)),
        };
        let application = context.application().map(|name| format!(" --application {name}"));
        format!("samsyn event refusals --since {since}{}", application.unwrap_or_default())
    }

    fn patience(&self) -> Duration {
        Duration::from_secs(self.args.patience)
    }

    fn identity(&self, client: &Client, context: &Context) -> note::Import {
        note::Import {
            host: client.host().to_owned(),
            application: context.application().map(str::to_owned),
            label: self.ids.name(),
        }
    }

    fn note_path(&self) -> PathBuf {
        self.args.note.clone().unwrap_or_else(|| note::beside(self.name()))
    }

    fn refused_place(&self) -> Place {
        match &self.args.refused {
            Some(path) => Place::At(path.clone()),
            None => Place::Beside(self.name().to_owned()),
        }
    }

    /// What files beside it are named after.
    fn name(&self) -> &Path {
        if is_stdin(&self.args.file) { Path::new("stdin") } else { &self.args.file }
    }

    /// How a whole run ends.
    fn conclude(&self, summary: &Summary, report: Option<&Path>) -> Result<(), CliError> {
        let name = self.args.file.display();
        if summary.interrupted {
            return Err(self.resumable(CliError::interrupted("stopped before the end")));
        }
        if summary.unanswered > 0 {
            let what = format!("{} rows of {name} have no answer", grouped(summary.unanswered));
            return Err(self.resumable(CliError::refused(what)));
        }
        if summary.refused > 0 {
            let error = CliError::refused(format!("{} rows were rejected", grouped(summary.refused)));
            return Err(match report {
                Some(path) => error.next(format!(
                    "correct them in {path}, which has each event with its problem, and import that file: \
                     samsyn event import {path}",
                    path = path.display()
                )),
                None => error,
            });
        }
        // Where an answer was lost, the host may know a row from this very run.
        if summary.duplicates > 0 && summary.duplicates == summary.rows && summary.retries == 0 {
            return Err(CliError::refused(format!("{name} was imported before; nothing was added"))
                .next("to import it as new events, add --again"));
        }
        Ok(())
    }

    fn broken_off(&self, cause: ClientError) -> CliError {
        match &cause {
            // The same command would meet the same.
            ClientError::Refused(problem) if problem.code == FORGOTTEN => CliError::from(cause)
                .because(
                    "accepted rows stay; for the other rows the host no longer knows whether it has them",
                )
                .next("find the last row that the host has, and import the rows after it as a separate file"),
            _ => self.resumable(CliError::from(cause)),
        }
    }

    fn resumable(&self, error: CliError) -> CliError {
        if matches!(error.exit, Exit::Usage) || (self.is_stream && self.args.label.is_none()) {
            return error;
        }
        let error = error.because("accepted rows stay; no row is added twice");
        if error.next.is_some() {
            return error.because("the same command continues where this one stopped");
        }
        error.next("run the same command again: it continues where this one stopped")
    }
}

fn read_mapping(path: &Path) -> Result<MappingFile, CliError> {
    let text = std::fs::read_to_string(path).map_err(|cause| file_error("read", path, &cause))?;
    MappingFile::parse(&text).map_err(|cause| bad_mapping().because(cause))
}

fn bad_mapping() -> CliError {
    CliError::usage("invalid mapping")
        .next("docs/import.md lists the keys; --preview 5 shows the resulting events")
}

fn print_summary(
    summary: &Summary,
    refusals: Option<&CapabilityRefusals>,
    list: &str,
    context: &Context,
) -> Result<(), CliError> {
    if !context.json {
        let refusals = refusals.map(|refusals| refusals.text(list)).unwrap_or_default();
        return context.print(&format!("{}{refusals}", summary_line(summary)));
    }
    let mut json = serde_json::to_value(summary).unwrap_or_default();
    json["capability_refusals"] = json!(refusals.map(|refusals| &refusals.counts));
    json["undecided"] = json!(refusals.map(|refusals| refusals.undecided));
    json["refusals_hidden"] = json!(refusals.map(|refusals| refusals.hidden));
    context.print(&format!("{json}\n"))
}

fn summary_line(summary: &Summary) -> String {
    let mut line = format!("{} events accepted", grouped(summary.accepted));
    for (count, what) in [
        (summary.duplicates, "already known"),
        (summary.refused, "refused"),
        (summary.unanswered, "without an answer"),
    ] {
        if count > 0 {
            line.push_str(&format!(", {} {what}", grouped(count)));
        }
    }
    line.push_str(&format!(
        " in {:.1} s ({} a second, {} requests)\n",
        summary.seconds,
        grouped(rate(summary.answered(), summary.seconds)),
        grouped(summary.batches)
    ));
    line
}

fn is_stdin(path: &Path) -> bool {
    path == Path::new("-")
}

fn now_compact() -> String {
    jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_is_one_line() {
        let summary =
            Summary { accepted: 69_000, refused: 2, batches: 350, seconds: 2.0, ..Summary::default() };
        assert_eq!(
            summary_line(&summary),
            "69,000 events accepted, 2 refused in 2.0 s (34,501 a second, 350 requests)\n"
        );
    }
}
