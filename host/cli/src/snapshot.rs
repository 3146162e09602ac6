//! `samsyn snapshot`: what the log folds into, kept so that no start has to fold all of it.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};
use serde_json::json;

use super::bars;
use samsyn_client::Snapshots;
use samsyn_disk::DataDir;
use samsyn_log::Progress;
use samsyn_state::snapshot::{Shelf, SnapshotFile};
use samsyn_terminal::context::Context;
use samsyn_terminal::error::CliError;
use samsyn_terminal::output::{Paint, Table, bytes, grouped, moment};

/// How often a host is asked how far its snapshot is.
const ASK_EVERY: Duration = Duration::from_millis(200);

/// The commands of `samsyn snapshot`.
#[derive(Debug, Subcommand)]
pub enum SnapshotCommand {
    /// Create a snapshot of the log as it is now
    #[command(after_long_help = MAKE_EXAMPLES)]
    Make,
    /// List snapshots
    #[command(after_long_help = LIST_EXAMPLES)]
    List,
    /// Check every byte of the snapshots on this machine's disk
    #[command(after_long_help = CHECK_EXAMPLES)]
    Check(CheckArgs),
}

const MAKE_EXAMPLES: &str = "\
Examples:
  samsyn snapshot make
  samsyn snapshot make --json

The host also creates a snapshot each time its log has grown by `snapshots.every_bytes`. It works at low
priority, from the previous snapshot and the log. The command waits and shows the progress. Ctrl-C ends
the wait, not the snapshot.";

const LIST_EXAMPLES: &str = "\
Examples:
  samsyn snapshot list
  samsyn snapshot list --json";

const CHECK_EXAMPLES: &str = "\
Examples:
  samsyn snapshot check
  samsyn snapshot check --data /var/lib/samsyn --json

The command compares every byte with its checksums and digest. The host may run. If a snapshot is
damaged, the exit code is 1, and the host uses the one before it.";

/// The arguments of `samsyn snapshot check`.
#[derive(Debug, Clone, Args)]
pub struct CheckArgs {
    /// The host's data directory
    #[arg(long, value_name = "DIR", default_value = "samsyn-data")]
    pub data: PathBuf,
}

/// Runs a command of `samsyn snapshot`.
pub fn run(command: &SnapshotCommand, context: &Context) -> Result<(), CliError> {
    match command {
        SnapshotCommand::Make => make(context),
        SnapshotCommand::List => {
            let answer = context.client()?.snapshots()?;
            context.answer(&answer.raw, |paint| list_text(&answer.body, paint))
        }
        SnapshotCommand::Check(args) => check(args, context),
    }
}

fn make(context: &Context) -> Result<(), CliError> {
    let client = context.client()?;
    let asked = client.make_snapshot()?.body.asked;
    let bar = bars::bar("creating a snapshot", context.quiet);
    let answer = loop {
        let answer = client.snapshots()?;
        let now = &answer.body;
        if now.asked < asked {
            return Err(CliError::refused("the host restarted")
                .because("the request for a snapshot is lost")
                .next("see `samsyn snapshot list`, or run the command again"));
        }
        if now.answered >= asked {
            break answer;
        }
        if let Some(making) = now.making {
            let (bytes_done, bytes_total) = (making.bytes_done, making.bytes_total);
            bars::show(&bar, Progress { bytes_done, bytes_total, records: 0 });
        }
        std::thread::sleep(ASK_EVERY);
    };
    bar.finish_and_clear();
    if let Some(why) = &answer.body.failure {
        return Err(CliError::refused("the snapshot failed")
            .because(why)
            .next("the host continues with its older snapshots; fix the cause and try again"));
    }
    context.answer(&answer.raw, |paint| list_text(&answer.body, paint))
}

fn list_text(snapshots: &Snapshots, paint: Paint) -> String {
    let mut text = String::new();
    if snapshots.items.is_empty() {
        text.push_str("there is no snapshot yet: create one with `samsyn snapshot make`\n");
    } else {
        let mut table = Table::new(["SNAPSHOT", "MADE", "CUSTOMERS", "SIZE", "STATE"]).right(&[2, 3]);
        for snapshot in &snapshots.items {
            let state = snapshot
                .reason
                .as_ref()
                .map_or_else(|| snapshot.state.clone(), |reason| format!("{}: {reason}", snapshot.state));
            table.row([
                snapshot.name.clone(),
                snapshot.made_at.as_deref().map(moment).unwrap_or_default(),
                snapshot.profiles.map(grouped).unwrap_or_default(),
                snapshot.bytes.map(bytes).unwrap_or_default(),
                state,
            ]);
        }
        text.push_str(&table.render(paint));
    }
    if let Some(making) = &snapshots.making {
        let part = making.bytes_done as f64 / (making.bytes_total.max(1)) as f64;
        text.push_str(&format!("a snapshot is under way: {:.0} %\n", 100.0 * part.min(1.0)));
    }
    if let Some(why) = &snapshots.failure {
        text.push_str(&format!("the last snapshot failed: {why}\n"));
    }
    text.push_str(&format!("the log has grown by {} since\n", bytes(snapshots.log_bytes_since)));
    text
}

fn check(args: &CheckArgs, context: &Context) -> Result<(), CliError> {
    let shelf = Shelf::new(DataDir(args.data.clone()).snapshots());
    let files =
        shelf.files().map_err(|cause| samsyn_terminal::error::file_error("list", shelf.dir(), &cause))?;
    let mut bad = None;
    for path in &files {
        let bar = bars::bar("checking", context.quiet);
        let show =
            |bytes_done, bytes_total| bars::show(&bar, Progress { bytes_done, bytes_total, records: 0 });
        let checked = SnapshotFile::open(path).and_then(|file| file.check(show).map(|()| file.info()));
        bar.finish_and_clear();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let line = match &checked {
            Ok(info) if context.json => {
                json!({ "name": name, "problem": null, "offset": info.offset, "made_at": info.made_at,
                        "bytes": info.bytes, "profiles": info.profiles })
                .to_string()
            }
            Ok(info) => {
                format!(
                    "{name}: {} customers, {}: all checksums match",
                    grouped(info.profiles),
                    bytes(info.bytes)
                )
            }
            Err(problem) if context.json => {
                json!({ "name": name, "problem": problem.to_string() }).to_string()
            }
            Err(problem) => format!("{name}: {problem}"),
        };
        context.print(&format!("{line}\n"))?;
        bad = bad.or(checked.err());
    }
    if files.is_empty() && !context.json {
        context.print(&format!("there is no snapshot in {}\n", shelf.dir().display()))?;
    }
    match bad {
        None => Ok(()),
        Some(problem) => Err(CliError::refused("invalid snapshot").because(problem).next(
            "nothing is lost: the host uses the one before it; create another with `samsyn snapshot make`",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_one_is_shown_with_why() {
        let snapshots: Snapshots = serde_json::from_str(
            r#"{"items": [{"name": "2.snapshot", "state": "bad", "reason": "it is damaged"},
                {"name": "1.snapshot", "state": "usable", "made_at": "2026-11-21T10:00:00Z", "bytes": 2048, "profiles": 1200}],
                "making": {"bytes_done": 5, "bytes_total": 10}, "failure": null, "log_bytes_since": 1024}"#,
        )
        .unwrap();
        let text = list_text(&snapshots, Paint(false));
        assert!(text.contains("bad: it is damaged") && text.contains("1,200"), "{text}");
        assert!(text.contains("under way: 50 %"), "{text}");
    }
}
