//! `samsyn log verify`: everything that is kept, and what was noted of it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value, json};

use super::log_directory;
use crate::bars;
use samsyn_audit::{AUDIT, LOG, parse};
use samsyn_disk::DataDir;
use samsyn_log::{LogError, Noted, NotedResult, VerifyReport, verify, verify_noted};
use samsyn_terminal::context::Context;
use samsyn_terminal::error::CliError;
use samsyn_terminal::output::grouped;

/// Shown in the long help.
pub const EXAMPLES: &str = "\
Examples:
  samsyn log verify
  samsyn log verify --data /var/lib/samsyn --json
  samsyn log verify --head noted-on-2026-11-21.txt

The command reads every frame of the log and of the audit of reads. It checks the checksums and the chain
of hashes of every partition, and changes nothing. If it finds damage, it prints the position and the exit
code is 1. The host may run; then the last frame may be incomplete.

With --head it also checks that everything before an earlier output of `samsyn log head` is unchanged: a
rewritten history has valid chains, but different heads.";

/// The arguments of `samsyn log verify`.
#[derive(Debug, Clone, Args)]
pub struct VerifyArgs {
    /// The host's data directory
    #[arg(long, value_name = "DIR", default_value = "samsyn-data")]
    pub data: PathBuf,
    /// An output of `samsyn log head`: a file, or its first line
    #[arg(long, value_name = "FILE|TEXT")]
    pub head: Option<String>,
}

/// One log that was checked.
struct Checked {
    name: &'static str,
    report: VerifyReport,
}

/// Checks both logs.
pub fn run(args: &VerifyArgs, context: &Context) -> Result<(), CliError> {
    let log = log_directory(&args.data)?;
    let audit = DataDir(args.data.clone()).audit();
    let noted = args.head.as_deref().map(read_noted).transpose()?;
    let mut checked = vec![check(LOG, &log, noted.as_ref(), context)?];
    let audit_is_there = audit.is_dir();
    if audit_is_there {
        checked.push(check(AUDIT, &audit, noted.as_ref(), context)?);
    }
    let audit_was_noted = noted.as_ref().is_some_and(|noted| noted.contains_key(AUDIT));
    if context.json {
        context.print(&format!("{}\n", as_json(&checked)))?;
    } else {
        checked.iter().try_for_each(|checked| context.print(&as_text(checked)))?;
    }
    if let Some((name, problem)) = checked.iter().find_map(|it| Some((it.name, it.report.problem.as_ref()?)))
    {
        return Err(CliError::refused(format!("the {} is damaged", title(name))).because(problem).next(
            "copy the directory first; then restore a backup, or see what `samsyn log repair --dry-run` \
                 would keep: the records before this place are intact",
        ));
    }
    if audit_was_noted && !audit_is_there {
        return Err(CliError::refused("the audit of reads is missing, and the given head has one")
            .because(format!("there is no {}", audit.display()))
            .next("restore it from a backup, and ask who removed it"));
    }
    for Checked { name, report } in &checked {
        if let Some(NotedResult::Differs(why)) = &report.noted {
            return Err(CliError::refused(format!(
                "the {} differs from the given head: it was rewritten",
                title(name)
            ))
            .because(why)
            .next("compare it with a backup from the time of that head"));
        }
    }
    Ok(())
}

fn check(
    name: &'static str,
    directory: &Path,
    noted: Option<&BTreeMap<String, Noted>>,
    context: &Context,
) -> Result<Checked, CliError> {
    let bar = bars::bar("checking", context.quiet);
    let progress = |progress| bars::show(&bar, progress);
    let report = match noted.and_then(|noted| noted.get(name)) {
        Some(noted) => verify_noted(directory, noted, progress),
        None => verify(directory, progress),
    };
    bar.finish_and_clear();
    let unchecked = |error: LogError| {
        CliError::refused(format!("the {} can't be checked", title(name)))
            .because(error)
            .next("name the data directory with --data")
    };
    Ok(Checked { name, report: report.map_err(unchecked)? })
}

pub(super) fn title(name: &str) -> &'static str {
    if name == AUDIT { "audit of reads" } else { "log" }
}

/// What was noted: of a file when there is one of that name, else of the text itself.
fn read_noted(text: &str) -> Result<BTreeMap<String, Noted>, CliError> {
    let read = std::fs::read_to_string(text);
    let from_file = read.is_ok();
    parse(&read.unwrap_or_else(|_| text.to_owned())).map_err(|error| {
        let what = if from_file { format!("{text} contains no head") } else { "invalid --head".to_owned() };
        CliError::usage(what)
            .because(error)
            .next("give a file with the output of `samsyn log head`, or its first line")
    })
}

fn noted_word(report: &VerifyReport) -> Option<&'static str> {
    report.noted.as_ref().map(|noted| match noted {
        NotedResult::Holds => "holds",
        NotedResult::NotKept => "not-kept",
        NotedResult::Differs(_) => "differs",
    })
}

fn as_json(checked: &[Checked]) -> Value {
    let problem = |report: &VerifyReport| report.problem.as_ref().map(ToString::to_string);
    let of = |report: &VerifyReport| {
        json!({
            "segments": report.segments, "records": report.records, "bytes": report.bytes,
            "problem": problem(report), "noted": noted_word(report),
        })
    };
    // The log's own numbers stand outside too: so they did before there was an audit.
    let log = checked.iter().find(|it| it.name == LOG).map(|it| &it.report);
    let logs: serde_json::Map<String, Value> =
        checked.iter().map(|it| (it.name.to_owned(), of(&it.report))).collect();
    json!({
        "segments": log.map(|report| report.segments),
        "records": log.map(|report| report.records),
        "bytes": log.map(|report| report.bytes),
        "problem": checked.iter().find_map(|it| problem(&it.report)),
        "logs": logs,
    })
}

fn as_text(Checked { name, report }: &Checked) -> String {
    if report.problem.is_some() {
        return String::new();
    }
    let mut text = format!(
        "{}: {} records in {} segments ({} bytes): all checksums, digests and links match\n",
        title(name),
        grouped(report.records),
        report.segments,
        grouped(report.bytes)
    );
    match &report.noted {
        Some(NotedResult::Holds) => text.push_str("  everything up to the given head is unchanged\n"),
        Some(NotedResult::NotKept) => {
            text.push_str("  the given head is older than the log that is kept: it can't be checked\n");
        }
        Some(NotedResult::Differs(_)) | None => {}
    }
    text
}
