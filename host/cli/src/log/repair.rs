//! `samsyn log repair`: repairs damaged logs of a stopped host, after showing what is lost.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value, json};

use super::log_directory;
use super::verify::title;
use crate::bars;
use samsyn_audit::{AUDIT, LOG};
use samsyn_disk::DataDir;
use samsyn_log::{LogCut, LogError, Part, Repair, RepairPlan};
use samsyn_terminal::ask;
use samsyn_terminal::context::Context;
use samsyn_terminal::error::CliError;
use samsyn_terminal::output::{bytes, grouped};

/// Shown in the long help.
pub const EXAMPLES: &str = "\
Examples:
  samsyn log repair --dry-run
  samsyn log repair --data /var/lib/samsyn
  samsyn log repair --data /var/lib/samsyn --yes --json

If you have a backup, restore it: it is complete. Use this command if there is no backup, or if the repair
loses little. It reads the log and the audit of reads of a stopped host, shows what the repair does, and
asks.

The repair rebuilds a segment's header and index from the records; that loses nothing. Other damage means
a cut: the log is one sequence over all customers, and a later record may depend on any earlier one. So
the repair removes everything after the damaged place, in every partition. The records shown as lost were
acknowledged to applications: send them again from their origin, if you can.

The repair deletes nothing. It moves what it removes to a folder `repaired-N` beside the segments.";

/// The arguments of `samsyn log repair`.
#[derive(Debug, Clone, Args)]
pub struct RepairArgs {
    /// The host's data directory
    #[arg(long, value_name = "DIR", default_value = "samsyn-data")]
    pub data: PathBuf,
    /// Show what the repair does and change nothing
    #[arg(long, conflicts_with = "yes")]
    pub dry_run: bool,
    /// Don't ask for confirmation
    #[arg(long, short)]
    pub yes: bool,
}

/// Partitions that are shown one by one.
const PARTITIONS_SHOWN: usize = 10;

/// One log that was looked at; locked for a repair, if there may be one.
struct Looked {
    name: &'static str,
    plan: RepairPlan,
    repair: Option<Repair>,
}

/// Shows what the repair does, asks, and repairs.
pub fn run(args: &RepairArgs, context: &Context) -> Result<(), CliError> {
    let audit = DataDir(args.data.clone()).audit();
    let mut looked = vec![look(LOG, &log_directory(&args.data)?, args, context)?];
    if audit.is_dir() {
        looked.push(look(AUDIT, &audit, args, context)?);
    }
    let nothing = looked.iter().all(|it| it.plan.is_empty());
    if !context.json {
        looked.iter().try_for_each(|it| context.print(&as_text(it.name, &it.plan)))?;
    }
    if args.dry_run || nothing {
        return print_findings(context, &looked, &[]);
    }
    if let Err(refused) = ask::agree(args.yes, "Repair it?", "repaired") {
        print_findings(context, &looked, &[])?;
        return Err(refused);
    }
    let plans = plans(&looked);
    let mut kept: Vec<(&'static str, PathBuf)> = Vec::new();
    for Looked { name, plan, repair } in looked {
        let Some(repair) = repair.filter(|_| !plan.is_empty()) else { continue };
        let failed = |error: LogError| {
            CliError::refused(format!("the {} can't be repaired", title(name)))
                .because(error)
                .next("check the disk, then run the command again: it continues where it stopped")
        };
        kept.push((name, repair.apply().map_err(failed)?));
    }
    if context.json {
        return context.print(&format!("{}\n", as_json(&plans, &kept)));
    }
    for (name, folder) in &kept {
        context.print(&format!(
            "the {} is repaired; the removed parts are in {}\n",
            title(name),
            folder.display()
        ))?;
    }
    context.print("start the host: it rebuilds its view if the view is ahead of the log\n")
}

/// With `--json`, what it takes where nothing was done.
fn print_findings(
    context: &Context,
    looked: &[Looked],
    kept: &[(&'static str, PathBuf)],
) -> Result<(), CliError> {
    if !context.json {
        return Ok(());
    }
    context.print(&format!("{}\n", as_json(&plans(looked), kept)))
}

fn plans(looked: &[Looked]) -> Vec<(&'static str, RepairPlan)> {
    looked.iter().map(|it| (it.name, it.plan.clone())).collect()
}

fn look(
    name: &'static str,
    directory: &Path,
    args: &RepairArgs,
    context: &Context,
) -> Result<Looked, CliError> {
    let bar = bars::bar("checking", context.quiet);
    let progress = |progress| bars::show(&bar, progress);
    let planned = match args.dry_run {
        true => Repair::look(directory, progress).map(|plan| Looked { name, plan, repair: None }),
        false => Repair::plan(directory, progress).map(|repair| Looked {
            name,
            plan: repair.what().clone(),
            repair: Some(repair),
        }),
    };
    bar.finish_and_clear();
    let refused = |error: LogError| {
        let next = match &error {
            LogError::Locked(_) => "stop the host first",
            LogError::Damaged(_) => "restore the directory from a backup: this part can't be rebuilt",
            LogError::NewerFormat { .. } => "use the command of the newer host",
            _ => "check the disk, then run the command again",
        };
        CliError::refused(format!("the {} can't be repaired", title(name))).because(error).next(next)
    };
    planned.map_err(refused)
}

fn as_text(name: &str, plan: &RepairPlan) -> String {
    let title = title(name);
    if plan.is_empty() {
        let tail = if plan.torn_tail { "; the next start removes its incomplete last write" } else { "" };
        return format!("{title}: {} records, nothing to repair{tail}\n", grouped(plan.records_kept));
    }
    let mut text = format!("{title}: {} records are intact and stay\n", grouped(plan.records_kept));
    for rebuilt in &plan.rebuilt {
        text.push_str(&format!(
            "  rebuild     the {} of {}, from the records: nothing is lost\n              {}\n",
            part_word(rebuilt.part),
            rebuilt.damage.segment.display(),
            rebuilt.damage.cause
        ));
    }
    if let Some(cut) = &plan.cut {
        text.push_str(&cut_text(cut));
    }
    text
}

fn cut_text(cut: &LogCut) -> String {
    let mut text = format!(
        "  cut         at byte {} of segment {}: {}\n  lose        at least {} records, {} of {} segments; they are kept\n",
        cut.offset,
        cut.segment,
        cut.damage,
        grouped(cut.records()),
        bytes(cut.bytes),
        cut.later.len() + 1
    );
    for lost in cut.lost.iter().take(PARTITIONS_SHOWN) {
        text.push_str(&format!(
            "              partition {}: {} to {}\n",
            lost.partition,
            lost.kept_through + 1,
            lost.known_through
        ));
    }
    if cut.lost.len() > PARTITIONS_SHOWN {
        let more = cut.lost.len() - PARTITIONS_SHOWN;
        text.push_str(&format!("              and of {more} other partitions; --json lists them\n"));
    }
    text
}

fn part_word(part: Part) -> &'static str {
    match part {
        Part::Header => "header",
        Part::Index => "index",
    }
}

fn as_json(plans: &[(&'static str, RepairPlan)], kept: &[(&'static str, PathBuf)]) -> Value {
    let of = |name: &str, plan: &RepairPlan| {
        let folder = kept.iter().find(|(other, _)| *other == name).map(|(_, folder)| folder);
        let rebuilt = plan.rebuilt.iter().map(|rebuilt| {
            json!({ "part": part_word(rebuilt.part), "segment": rebuilt.damage.segment,
                    "problem": rebuilt.damage.to_string() })
        });
        json!({
            "damaged": !plan.is_empty(), "records_kept": plan.records_kept, "torn_tail": plan.torn_tail,
            "rebuilt": rebuilt.collect::<Vec<_>>(), "cut": plan.cut.as_ref().map(cut_json),
            "kept_in": folder,
        })
    };
    let logs: serde_json::Map<String, Value> =
        plans.iter().map(|(name, plan)| ((*name).to_owned(), of(name, plan))).collect();
    json!({ "damaged": plans.iter().any(|(_, plan)| !plan.is_empty()), "done": !kept.is_empty(), "logs": logs })
}

fn cut_json(cut: &LogCut) -> Value {
    let lost = cut.lost.iter().map(|lost| {
        json!({
            "partition": lost.partition.to_string(), "from": lost.kept_through + 1, "to": lost.known_through,
            "records": lost.records(), "readable": lost.readable,
        })
    });
    json!({
        "segment": cut.segment, "offset": cut.offset, "problem": cut.damage.to_string(),
        "later_segments": cut.later, "bytes": cut.bytes, "records": cut.records(),
        "partitions": lost.collect::<Vec<_>>(),
    })
}
