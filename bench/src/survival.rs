//! What a crash or a lost view costs on a large data directory: how soon a killed host is ready, how
//! long a snapshot takes, and what it saves when the view must be folded anew.

use std::path::Path;
use std::time::Instant;

use samsyn::disk::DataDir;
use samsyn::engine::{EngineConfig, homes_of};
use samsyn::log::{LocalLog, Options};
use samsyn::snapshot::{Proceed, Remember, Shelf, SnapshotJob};
use samsyn::view::{CommittedRecord, View};
use samsyn::view::{EventIdLimits, ViewConfig};
use samsyn::vocabulary::Timestamp;

use crate::machine::memory_bytes;
use crate::report::{Figure, Target, median};
use crate::run::Bench;
use crate::subject::{Failure, start_engine};

const MILLIS_A_DAY: i64 = 24 * 3600 * 1000;
const MIB: f64 = (1 << 20) as f64;

/// From the start of the engine to its taking events, on a log without the mark of a clean close and a
/// view that is current: as after `kill -9`.
pub fn ready_after_kill(bench: &Bench, directory: &Path) -> Result<Figure, Failure> {
    let mut times = Vec::new();
    let mut records = 0;
    for _ in 0..bench.runs() {
        spoil_clean_close(&DataDir(directory.to_owned()))?;
        let start = Instant::now();
        let engine = start_engine(directory)?;
        engine.ready()?;
        times.push(start.elapsed().as_secs_f64());
        records = engine.log().durable_heads().iter().map(|(_, head)| head.seq).sum();
        engine.stop();
    }
    Ok(Figure::new("survival.ready_after_kill", median(&times), "s")
        .target(Target::AtMost(2.0))
        .note(format!("a log of {records} records that wasn't closed, a current view")))
}

/// A byte behind the last frame: the start can't take the log for cleanly closed.
fn spoil_clean_close(data: &DataDir) -> Result<(), Failure> {
    let mut segments: Vec<_> = std::fs::read_dir(data.log())?.flatten().map(|entry| entry.path()).collect();
    segments.retain(|path| path.extension().is_some_and(|extension| extension == "segment"));
    segments.sort();
    let last = segments.pop().ok_or("there is no segment")?;
    use std::io::Write;
    Ok(std::fs::OpenOptions::new().append(true).open(last)?.write_all(b"x")?)
}

/// A snapshot of everything, and the view folded anew from it and from the log.
pub fn snapshot(bench: &Bench, directory: &Path) -> Result<Vec<Figure>, Failure> {
    let data = DataDir(directory.to_owned());
    let (log, _) = LocalLog::<CommittedRecord>::open(&data.log(), Options::default())?;
    let shelf = Shelf::new(data.snapshots());
    let engine = EngineConfig::default();
    let remember =
        Remember { millis: i64::from(engine.event_id_days) * MILLIS_A_DAY, max: engine.event_ids_max };
    let memory = || memory_bytes(std::process::id(), "VmRSS").unwrap_or(0) as f64;
    let (before, mut most) = (memory(), 0f64);
    let start = Instant::now();
    let make = SnapshotJob {
        log: log.reader(),
        dir: shelf.dir(),
        base: None,
        cut: log.cut(),
        made_at: Timestamp(0),
        remember,
        profiles_held_max: None,
    };
    let mut reports = 0u32;
    let made = make.run(|_| {
        reports += 1;
        if reports.is_multiple_of(100) {
            most = most.max(memory());
        }
        Proceed::GoOn
    })?;
    let seconds = start.elapsed().as_secs_f64();
    bench.say(&format!("a snapshot of {} customers in {seconds:.1} s", made.profiles));
    let per_profile = made.bytes as f64 / made.profiles.max(1) as f64;
    let snapshot = Figure::new("survival.snapshot", seconds, "s").note(format!(
        "of {} customers and the whole log; {:.0} MiB, {per_profile:.0} bytes a customer; {:.0} MiB of memory more than before",
        made.profiles,
        made.bytes as f64 / MIB,
        (most - before).max(0.0) / MIB
    ));
    let from_snapshot = fold(&data, &log, Some(&shelf))?;
    let from_log = fold(&data, &log, None)?;
    bench.say(&format!("folded anew in {from_snapshot:.1} s from it, {from_log:.1} s from the log"));
    let rebuild = Figure::new("survival.rebuild_from_snapshot", from_snapshot, "s")
        .against(from_log, from_snapshot / from_log)
        .note("the view folded anew from a snapshot and from the log's first record");
    Ok(vec![snapshot, rebuild])
}

/// Seconds to fold the view anew, into a directory of its own.
fn fold(data: &DataDir, log: &LocalLog<CommittedRecord>, shelf: Option<&Shelf>) -> Result<f64, Failure> {
    let scratch = data.view_check();
    let (config, event_ids) = (ViewConfig::default(), EventIdLimits::default());
    let homes = homes_of(data, EngineConfig::default().partitions)?;
    let start = Instant::now();
    let mut bases = shelf.map(|shelf| shelf.bases(log.reader()));
    let base = || bases.as_mut().and_then(|bases| bases());
    let (view, opened) = View::open_from(&scratch, log.reader(), homes, &config, event_ids, base, |_| {})?;
    let seconds = start.elapsed().as_secs_f64();
    if opened.base.is_some() != shelf.is_some() {
        return Err("the view was folded from something else".into());
    }
    view.close()?;
    drop(view);
    std::fs::remove_dir_all(scratch)?;
    Ok(seconds)
}
