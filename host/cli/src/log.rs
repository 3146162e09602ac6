//! `samsyn log`: the logs of a host, on this machine's disk.

mod head;
mod repair;
mod retain;
mod verify;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::json;

use samsyn_disk::DataDir;
use samsyn_journal::{Reader, Undecoded, json_at};
use samsyn_log::{ScanFrom, StoppedLog};
use samsyn_terminal::context::Context;
use samsyn_terminal::error::CliError;

const CAT_EXAMPLES: &str = "\
Examples:
  samsyn log cat --limit 10
  samsyn log cat --partition 12 --from 345 --json | jq .
  samsyn log cat --partition registry

Records contain personal data: be careful where the output goes. The host must be stopped. The command
writes nothing. It leaves out a record that a crash cut short at the log's end, and says so.";

/// The commands of `samsyn log`.
#[derive(Debug, Subcommand)]
pub enum LogCommand {
    /// Check every frame and every chain
    #[command(after_long_help = verify::EXAMPLES)]
    Verify(verify::VerifyArgs),
    /// Repair damaged logs of a stopped host; shows first what is lost
    #[command(after_long_help = repair::EXAMPLES)]
    Repair(repair::RepairArgs),
    /// Print the log's head, to prove later that nobody rewrote the log
    #[command(after_long_help = head::EXAMPLES)]
    Head(head::HeadArgs),
    /// Remove segments beyond what the settings keep
    #[command(after_long_help = retain::EXAMPLES)]
    Retain(retain::RetainArgs),
    /// Print records
    #[command(after_long_help = CAT_EXAMPLES)]
    Cat(CatArgs),
}

/// The arguments of `samsyn log cat`.
#[derive(Debug, Clone, Args)]
pub struct CatArgs {
    /// The host's data directory
    #[arg(long, value_name = "DIR", default_value = "samsyn-data")]
    pub data: PathBuf,
    /// Only this partition: an integer, registry or identity
    #[arg(long, value_name = "P", value_parser = partition)]
    pub partition: Option<samsyn_vocabulary::Partition>,
    /// From this record of the partition on
    #[arg(long, value_name = "SEQ", requires = "partition")]
    pub from: Option<u64>,
    /// Print at most this many
    #[arg(long, value_name = "N")]
    pub limit: Option<u64>,
}

/// A partition as positions write it.
fn partition(text: &str) -> Result<samsyn_vocabulary::Partition, String> {
    let position: Result<samsyn_vocabulary::Position, _> = format!("{text}-1").parse();
    position
        .map(|position| position.partition)
        .map_err(|_| "write an integer, registry or identity".to_owned())
}

/// Runs a command of `samsyn log`.
pub fn run(command: &LogCommand, context: &Context) -> Result<(), CliError> {
    match command {
        LogCommand::Verify(args) => verify::run(args, context),
        LogCommand::Repair(args) => repair::run(args, context),
        LogCommand::Head(args) => head::run(args, context),
        LogCommand::Retain(args) => retain::run(args, context),
        LogCommand::Cat(args) => cat(args, context),
    }
}

/// Where a data directory's log is, if there is one.
pub fn log_directory(data: &Path) -> Result<PathBuf, CliError> {
    let directory = DataDir(data.to_owned()).log();
    if directory.is_dir() {
        return Ok(directory);
    }
    Err(CliError::usage(format!("there is no log in {}", data.display()))
        .next("name a host's data directory with --data"))
}

/// Says what of a log's end isn't read.
pub fn tell_torn(log: &StoppedLog, context: &Context) {
    if let Some(torn) = log.torn() {
        context.hint(&format!(
            "the log's last {} bytes are an incomplete write from a crash: they are left out here, and the next start removes them",
            torn.bytes
        ));
    }
}

/// Prints records.
fn cat(args: &CatArgs, context: &Context) -> Result<(), CliError> {
    let directory = log_directory(&args.data)?;
    let unreadable = |error: samsyn_log::LogError| {
        CliError::refused("the log can't be read")
            .because(error)
            .next("see `samsyn log verify`; a running host locks its log")
    };
    let log = StoppedLog::open(&directory).map_err(unreadable)?;
    tell_torn(&log, context);
    let records = Reader::new(log.reader().clone());
    let mut left = args.limit.unwrap_or(u64::MAX);
    if let Some(partition) = args.partition {
        for record in records.scan(partition, args.from.unwrap_or(1)) {
            if left == 0 {
                return Ok(());
            }
            let record = record.map_err(unreadable)?;
            print_record(context, &record.undecoded())?;
            left -= 1;
        }
        return Ok(());
    }
    let mut scan = records.scan_all(ScanFrom::Start);
    while let Some(record) = scan.next().map_err(unreadable)?.filter(|_| left > 0) {
        print_record(context, &record)?;
        left -= 1;
    }
    Ok(())
}

fn print_record(context: &Context, undecoded: &Undecoded<'_>) -> Result<(), CliError> {
    let (position, at) = (undecoded.position, undecoded.appended_at);
    let record = match undecoded.record() {
        Ok(record) => json_at(position.partition, &record),
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
