//! `samsyn backup` and `samsyn restore`.

use std::path::PathBuf;
use std::time::Instant;

use clap::Args;
use serde_json::{Value, json};

use super::bars;
use samsyn_backup::{self as backup, BackupError, Manifest};
use samsyn_disk::DataDir;
use samsyn_log as log;
use samsyn_machine::clock::Clock;
use samsyn_terminal::ask::Consent;
use samsyn_terminal::context::Context;
use samsyn_terminal::error::CliError;
use samsyn_terminal::output::{bytes, grouped, moment};

/// Shown in the long help.
pub const BACKUP_EXAMPLES: &str = "\
Examples:
  samsyn backup /mnt/backup/samsyn
  samsyn backup /mnt/backup/samsyn --data /var/lib/samsyn --json
  samsyn backup /mnt/backup/samsyn --check

The host may run, also under load. The backup contains everything that the host acknowledged before the
backup began. A second run with the same directory copies only what is new. If a run is interrupted, the
last complete backup stays, and the next run continues. Run it on the host's machine, as the host's user.
A backup contains personal data: protect it as well as the data itself. It has no values of secrets.";

/// Shown in the long help.
pub const RESTORE_EXAMPLES: &str = "\
Examples:
  samsyn restore /mnt/backup/samsyn --data /var/lib/samsyn
  samsyn restore /mnt/backup/samsyn --data samsyn-data --replace --yes

The command compares every file with its digest while it copies, then checks every frame and link of the
logs. Only then the directory gets its name. With --replace the command renames the old directory and
deletes nothing. The host rebuilds the view on its first start. No backup has the values of secrets: the
host starts without them, and `samsyn secret check` names those to set again. If an endpoint is bound, the
host starts with all sending paused: make sure that no other host sends, then run `samsyn outgoing resume`.";

/// The arguments of `samsyn backup`.
#[derive(Debug, Clone, Args)]
pub struct BackupArgs {
    /// The backup's directory
    #[arg(value_name = "DIR")]
    pub dir: PathBuf,
    /// The host's data directory
    #[arg(long, value_name = "DIR", default_value = "samsyn-data")]
    pub data: PathBuf,
    /// Only check that every file of the backup matches its digest
    #[arg(long, conflicts_with = "data")]
    pub check: bool,
}

/// The arguments of `samsyn restore`.
#[derive(Debug, Clone, Args)]
pub struct RestoreArgs {
    /// The backup's directory
    #[arg(value_name = "DIR")]
    pub dir: PathBuf,
    /// The data directory to create
    #[arg(long, value_name = "DIR")]
    pub data: PathBuf,
    /// Rename a directory that exists already
    #[arg(long)]
    pub replace: bool,
    /// Whether to ask.
    #[command(flatten)]
    pub consent: Consent,
}

fn failed(what: &str, error: &BackupError) -> CliError {
    CliError::refused(what.to_owned()).because(error).next(error.next_step())
}

fn shown(bar: &indicatif::ProgressBar) -> impl FnMut(backup::Progress) + '_ {
    |progress| {
        let backup::Progress { bytes_done, bytes_total } = progress;
        bars::show(bar, log::Progress { bytes_done, bytes_total, records: 0 });
    }
}

/// Makes or checks a backup.
pub fn back_up(args: &BackupArgs, context: &Context) -> Result<(), CliError> {
    if args.check {
        return check(args, context);
    }
    let started = Instant::now();
    let bar = bars::bar("backing up", context.quiet);
    let data = DataDir(args.data.clone());
    let copied = backup::back_up(&data, &args.dir, &Clock::system(), shown(&bar));
    bar.finish_and_clear();
    let copied = copied.map_err(|error| failed("the backup failed", &error))?;
    if data.secrets().exists() {
        context.hint("the values of secrets are not in the backup: keep them where you have them from");
    }
    let seconds = started.elapsed().as_secs_f64();
    if context.json {
        let mut line = summary(&copied.manifest);
        line["files_copied"] = json!(copied.files);
        line["bytes_copied"] = json!(copied.bytes);
        line["files_kept"] = json!(copied.kept);
        line["seconds"] = json!(seconds);
        return context.print(&format!("{line}\n"));
    }
    context.print(&format!(
        "{}{} files copied ({}), {} unchanged; {seconds:.1} s\n",
        text_of(&copied.manifest),
        copied.files,
        bytes(copied.bytes),
        copied.kept
    ))
}

fn check(args: &BackupArgs, context: &Context) -> Result<(), CliError> {
    let bar = bars::bar("checking", context.quiet);
    let checked = backup::check(&args.dir, shown(&bar));
    bar.finish_and_clear();
    let manifest = checked.map_err(|error| failed("invalid backup", &error))?;
    if context.json {
        return context.print(&format!("{}\n", summary(&manifest)));
    }
    let count = manifest.files.len();
    context.print(&format!("{}all {count} files match their digests\n", text_of(&manifest)))
}

/// Restores a backup.
pub fn restore(args: &RestoreArgs, context: &Context) -> Result<(), CliError> {
    if args.replace && args.data.exists() {
        let question = format!("Rename {} and restore the backup in its place?", args.data.display());
        args.consent.ask(&question, "restored")?;
    }
    let bar = bars::bar("restoring", context.quiet);
    let restored = backup::restore(&args.dir, &args.data, args.replace, shown(&bar));
    bar.finish_and_clear();
    let restored = restored.map_err(|error| failed("the restore failed; nothing was changed", &error))?;
    context.hint("the values of secrets are in no backup: run `samsyn secret check` when the host runs");
    if context.json {
        let mut line = summary(&restored.manifest);
        line["records"] = json!(restored.records);
        line["aside"] = json!(restored.aside);
        return context.print(&format!("{line}\n"));
    }
    let aside = restored.aside.map(|aside| format!("the old directory is now {}\n", aside.display()));
    context.print(&format!(
        "{}{} records: all checksums, digests and links match\n{}start the host with: samsyn serve --data {}\n",
        text_of(&restored.manifest),
        grouped(restored.records),
        aside.unwrap_or_default(),
        args.data.display()
    ))
}

fn summary(manifest: &Manifest) -> Value {
    json!({
        "begun_at": manifest.begun_at, "host": manifest.host, "logs": manifest.logs,
        "files": manifest.files.len(), "bytes": manifest.bytes(),
    })
}

fn text_of(manifest: &Manifest) -> String {
    let mut text = format!("begun {}, {}\n", moment(&manifest.begun_at.to_string()), bytes(manifest.bytes()));
    for log in &manifest.logs {
        let title = if log.name == samsyn_audit::AUDIT { "audit of reads" } else { "log" };
        let newest =
            log.newest.map(|newest| format!(", the newest record of {}", moment(&newest.to_string())));
        text.push_str(&format!(
            "{title}: {} segments up to byte {}{}\n",
            log.segments,
            grouped(log.place.number()),
            newest.unwrap_or_default()
        ));
    }
    text
}
