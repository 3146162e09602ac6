//! `samsyn event import FILE`: what a person types, and what they are told.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;

use super::engine::{self, ImportError, Progress, Summary};
use super::ids::{self, Ids};
use super::json_lines;
use super::mapping::MappingFile;
use super::options::Options;
use super::progress::{for_terminal, rate};
use super::resume::{Start, Survey, from_row};
use super::row::Refused;
use super::source::{self, Delimiter, Rows};
use super::stop::Stop;
use crate::cli::context::Context;
use crate::cli::error::{CliError, Exit, file_error};
use crate::cli::output::grouped;
use crate::client::ClientError;

/// The largest batch the host takes.
const BATCH_EVENTS_MAX: u64 = 2_500;
/// More requests in flight than this only wait for each other in the host.
const LANES_MAX: u64 = 64;

/// The arguments of `samsyn event import`.
#[derive(Debug, Clone, Args)]
pub struct ImportArgs {
    /// The file: JSON lines, or columns with --map; may be gzipped; - for stdin
    pub file: PathBuf,
    /// How columns become events (docs/import.md); without it the file is JSON lines
    #[arg(long, value_name = "TOML")]
    pub map: Option<PathBuf>,
    /// What stands between columns: one character, tab, or whitespace; else the mapping says
    #[arg(long, value_name = "CHAR", requires = "map")]
    pub delimiter: Option<Delimiter>,
    /// Where refused lines are listed, as JSON lines [default: FILE.refused.jsonl]
    #[arg(long, value_name = "PATH")]
    pub refused: Option<PathBuf>,
    /// Import a file that was imported before as new events, whose ids end in ~SUFFIX [default
    /// suffix: the time]
    #[arg(long, value_name = "SUFFIX", num_args = 0..=1, require_equals = true, default_missing_value = "")]
    pub again: Option<String>,
    /// Make ids of this name and the line, instead of the file's digest and the line; makes an
    /// import from stdin resumable
    #[arg(long, value_name = "NAME")]
    pub label: Option<String>,
    /// The identifier whose customer's events keep the file's order [default: the first
    /// identifier of the first event]
    #[arg(long, value_name = "IDENTIFIER")]
    pub order_by: Option<String>,
    /// Requests in flight at once; 1 keeps the order of the whole file
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u64).range(1..=LANES_MAX))]
    pub lanes: u64,
    /// Events a request
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u64).range(1..=BATCH_EVENTS_MAX))]
    pub batch: u64,
    /// How many seconds to go on trying while the host is full or away
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub patience: u64,
    /// Print the first N events as they would be sent, and send nothing
    #[arg(long, value_name = "N")]
    pub preview: Option<usize>,
}

/// A file that is ready to be read, as often as it takes.
struct Import<'a> {
    args: &'a ImportArgs,
    mapping: Option<MappingFile>,
    ids: Ids,
}

/// Imports the file.
pub fn run(args: &ImportArgs, context: &Context) -> Result<(), CliError> {
    let import = Import::prepare(args, context)?;
    if let Some(count) = args.preview {
        return import.preview(count, context);
    }
    let client = context.client()?;
    let (start, total) = import.find_start(&client, context)?;
    let stop = Stop::default();
    stop.on_interrupt(|| eprintln!("\nstopping after what is in flight; Ctrl-C again ends at once"));
    let options = Options {
        lanes: usize::try_from(args.lanes).unwrap_or(1),
        batch_events: usize::try_from(args.batch).unwrap_or(1),
        patience: Duration::from_secs(args.patience),
        order_by: args.order_by.clone(),
        stop,
        ..Options::default()
    };
    let mut progress = Reporting {
        inner: for_terminal(total.map(|rows| rows - start.row()), context.quiet || context.json),
        path: import.refused_path(),
        file: None,
        failure: None,
    };
    let rows = from_row(import.rows()?, start.row());
    let outcome = engine::run(rows, &client, &options, &mut progress);
    let Reporting { inner, path, file, failure } = progress;
    drop(inner); // The bar leaves the terminal before the summary is printed.
    let report = file.map(|file| close_report(file, &path)).transpose()?.map(|()| path);
    if let Some(cause) = failure {
        context.report(&cause);
    }
    match outcome {
        Ok(summary) => import.conclude(&summary, start, report.as_deref(), context),
        Err(ImportError::Host { cause, summary }) => {
            print_summary(&summary, start, context)?;
            Err(import.resumable(CliError::from(cause)))
        }
        Err(ImportError::Source { cause, summary }) => {
            print_summary(&summary, start, context)?;
            Err(CliError::refused(format!("{} can't be read to its end", args.file.display())).because(cause))
        }
    }
}

impl<'a> Import<'a> {
    fn prepare(args: &'a ImportArgs, context: &Context) -> Result<Import<'a>, CliError> {
        let mapping = args.map.as_deref().map(read_mapping).transpose()?;
        let label = match &args.label {
            Some(label) => label.clone(),
            None if is_stdin(&args.file) => {
                context
                    .hint("stdin has no digest, so this import can't be resumed: --label NAME makes it so");
                uuid::Uuid::new_v4().simple().to_string()
            }
            None => {
                let file = File::open(&args.file).map_err(|cause| file_error("read", &args.file, &cause))?;
                ids::digest_label(file).map_err(|cause| file_error("read", &args.file, &cause))?
            }
        };
        let mut ids = Ids::new(&label);
        if let Some(suffix) = &args.again {
            let suffix = if suffix.is_empty() { now_compact() } else { suffix.clone() };
            context.hint(&format!(
                "importing as new events: every id ends in ~{suffix}; go on with --again={suffix} if this stops"
            ));
            ids = ids.again(&suffix);
        }
        Ok(Import { args, mapping, ids })
    }

    fn rows(&self) -> Result<Rows, CliError> {
        let path = &self.args.file;
        let reader = source::open(path).map_err(|cause| file_error("read", path, &cause))?;
        let Some(mapping) = &self.mapping else {
            return Ok(json_lines::rows(reader, self.ids.clone()));
        };
        let delimiter = match (self.args.delimiter, &mapping.file.delimiter) {
            (Some(delimiter), _) => delimiter,
            (None, Some(text)) => text
                .parse()
                .map_err(|cause: String| bad_mapping().because(format!("file.delimiter: {cause}")))?,
            (None, None) => Delimiter::Byte(b','),
        };
        source::columns(reader, mapping, delimiter, self.ids.clone())
            .map_err(|cause| bad_mapping().because(cause))
    }

    fn preview(&self, count: usize, context: &Context) -> Result<(), CliError> {
        let mut bad = 0;
        for row in self.rows()?.take(count) {
            match row {
                Ok(row) => context.print(&format!("{}\n", row.event))?,
                Err(cause) => {
                    bad += 1;
                    eprintln!("{cause}");
                }
            }
        }
        if bad > 0 { Err(CliError::refused(format!("{bad} of these lines are no events"))) } else { Ok(()) }
    }

    /// Where to begin, and how many rows the file has, where it can be read twice.
    fn find_start(
        &self,
        client: &crate::client::Client,
        context: &Context,
    ) -> Result<(Start, Option<u64>), CliError> {
        if is_stdin(&self.args.file) {
            return Ok((Start::Beginning, None));
        }
        let survey = Survey::of(self.rows()?);
        let start = survey.start(client)?;
        match start {
            Start::Beginning => {}
            Start::Within(row) => context.hint(&format!(
                "the host has a part of this file already: going on from row {} of {}",
                grouped(row + 1),
                grouped(survey.rows)
            )),
            Start::Tail(_) => {
                context.hint("the host knows this file's end already: making sure of its last rows")
            }
        }
        Ok((start, Some(survey.rows)))
    }

    fn refused_path(&self) -> PathBuf {
        if let Some(path) = &self.args.refused {
            return path.clone();
        }
        let name = if is_stdin(&self.args.file) { Path::new("stdin") } else { &self.args.file };
        let mut path = name.as_os_str().to_owned();
        path.push(".refused.jsonl");
        PathBuf::from(path)
    }

    fn conclude(
        &self,
        summary: &Summary,
        start: Start,
        report: Option<&Path>,
        context: &Context,
    ) -> Result<(), CliError> {
        print_summary(summary, start, context)?;
        let name = self.args.file.display();
        if summary.interrupted {
            return Err(self.resumable(CliError::interrupted("stopped before the end")));
        }
        if summary.accepted == 0 && summary.duplicates > 0 {
            return Err(CliError::refused(format!("{name} was imported before, whole; nothing was added"))
                .next("to import it as new events nevertheless, add --again"));
        }
        if summary.refused > 0 {
            let error = CliError::refused(format!("{} rows were refused", grouped(summary.refused)));
            return Err(match report {
                Some(path) => {
                    error.next(format!("read why in {}, mend those lines and import them", path.display()))
                }
                None => error,
            });
        }
        Ok(())
    }

    fn resumable(&self, error: CliError) -> CliError {
        if matches!(error.exit, Exit::Usage) || (is_stdin(&self.args.file) && self.args.label.is_none()) {
            return error;
        }
        let error = error.because("what the host has taken stays; nothing will be taken twice");
        if error.next.is_some() {
            return error.because("the same command goes on where this one stopped");
        }
        error.next("run the same command again: it goes on where this one stopped")
    }
}

/// Passes everything on and writes refused rows to the report, which is made with the first one.
struct Reporting {
    inner: Box<dyn Progress>,
    path: PathBuf,
    file: Option<BufWriter<File>>,
    failure: Option<CliError>,
}

impl Progress for Reporting {
    fn update(&mut self, summary: &Summary) {
        self.inner.update(summary);
    }

    fn refused(&mut self, refused: &Refused) {
        self.inner.refused(refused);
        if self.failure.is_none()
            && let Err(cause) = self.write(refused)
        {
            self.failure = Some(file_error("write", &self.path, &cause));
        }
    }

    fn waiting(&mut self, cause: &ClientError, wait: Duration) {
        self.inner.waiting(cause, wait);
    }
}

impl Reporting {
    fn write(&mut self, refused: &Refused) -> std::io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(BufWriter::new(File::create(&self.path)?)),
        };
        serde_json::to_writer(&mut *file, refused)?;
        file.write_all(b"\n")
    }
}

fn close_report(mut file: BufWriter<File>, path: &Path) -> Result<(), CliError> {
    file.flush().map_err(|cause| file_error("write", path, &cause))
}

fn read_mapping(path: &Path) -> Result<MappingFile, CliError> {
    let text = std::fs::read_to_string(path).map_err(|cause| file_error("read", path, &cause))?;
    MappingFile::parse(&text).map_err(|cause| bad_mapping().because(cause))
}

fn bad_mapping() -> CliError {
    CliError::usage("the mapping can't be used")
        .next("docs/import.md lists the keys; --preview 5 shows what comes of it")
}

fn print_summary(summary: &Summary, start: Start, context: &Context) -> Result<(), CliError> {
    if context.json {
        let mut json = serde_json::to_value(summary).unwrap_or_default();
        json["first_row"] = (start.row() + 1).into();
        return context.print(&format!("{json}\n"));
    }
    context.print(&summary_line(summary))
}

fn summary_line(summary: &Summary) -> String {
    let answered = summary.accepted + summary.duplicates + summary.refused;
    let mut line = format!("{} events accepted", grouped(summary.accepted));
    if summary.duplicates > 0 {
        line.push_str(&format!(", {} known already", grouped(summary.duplicates)));
    }
    if summary.refused > 0 {
        line.push_str(&format!(", {} refused", grouped(summary.refused)));
    }
    line.push_str(&format!(
        " in {:.1} s ({} a second, {} requests)\n",
        summary.seconds,
        grouped(rate(answered, summary.seconds)),
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
