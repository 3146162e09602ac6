//! A large data directory, made once: what an event costs in it, how its view opens, and how long
//! folding it anew takes.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use samsyn::disk::DataDir;
use samsyn::engine::{Engine, EngineConfig, homes_of};
use samsyn::log::{LocalLog, Options};
use samsyn::view::{CommittedRecord, View};
use samsyn::view::{EventIdLimits, ViewConfig};

use crate::machine::process_cpu;
use crate::report::{Figure, Target, median};
use crate::run::Bench;
use crate::subject::{Failure, Scratch, Subject, fill, random_load, run_through, start_engine};
use crate::survival;

const FEW: u64 = 1_000;
const MANY: u64 = 1_000_000;
const EVENTS: u64 = 50_000;
/// No further rebuild begins after this long: what is slow needs no median to be seen.
const REBUILDS_TIME: Duration = Duration::from_secs(60);

/// What is measured on the large data directory.
pub const NAMES: &[&str] = &[
    "scale.million_profiles",
    "view.open",
    "view.rebuild",
    "survival.ready_after_kill",
    "survival.snapshot",
    "survival.rebuild_from_snapshot",
];

/// All of [`NAMES`].
pub fn measure(bench: &Bench, subject: &Subject) -> Result<Vec<Figure>, Failure> {
    let scratch = Scratch::new(&bench.data, "many")?;
    let customers = bench.scale(MANY, 20_000);
    let engine = start_engine(scratch.path())?;
    subject.install(&engine)?;
    let start = Instant::now();
    fill(&engine, customers, |done| {
        if done % 100_000 == 0 {
            bench.say(&format!(
                "{done} of {customers} customers made, {:.0} s",
                start.elapsed().as_secs_f64()
            ));
        }
    })?;
    let mut figures = Vec::new();
    if bench.wants_one("scale.million_profiles") {
        figures.push(cost(bench, subject, &engine, customers)?);
    }
    engine.stop();
    drop(engine);
    if bench.wants_one("view.open") {
        figures.push(open(bench, scratch.path())?);
    }
    if bench.wants_one("view.rebuild") {
        figures.push(rebuild(bench, scratch.path())?);
    }
    if bench.wants_one("survival.ready_after_kill") {
        figures.push(survival::ready_after_kill(bench, scratch.path())?);
    }
    if bench.wants(&["survival.snapshot", "survival.rebuild_from_snapshot"]) {
        figures.extend(survival::snapshot(bench, scratch.path())?);
    }
    Ok(figures)
}

/// The same load on few customers and on many, in turn.
fn cost(bench: &Bench, subject: &Subject, many: &Arc<Engine>, customers: u64) -> Result<Figure, Failure> {
    let scratch = Scratch::new(&bench.data, "few")?;
    let few = start_engine(scratch.path())?;
    subject.install(&few)?;
    fill(&few, FEW, |_| {})?;
    let events = bench.scale(EVENTS, 5_000);
    let (mut ours, mut baseline, mut ratios, mut cpu_ratios) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for run in 0..bench.runs() {
        let of_few = one_cost(&few, run, events, FEW)?;
        let of_many = one_cost(many, run, events, customers)?;
        bench.say(&format!(
            "{:.1} µs an event among {customers}, {:.1} among {FEW}; CPU {:.1} and {:.1}",
            of_many.wall_us, of_few.wall_us, of_many.cpu_us, of_few.cpu_us
        ));
        ours.push(of_many.wall_us);
        baseline.push(of_few.wall_us);
        ratios.push(of_many.wall_us / of_few.wall_us);
        cpu_ratios.push(of_many.cpu_us / of_few.cpu_us);
    }
    few.stop();
    Ok(Figure::new("scale.million_profiles", median(&ours), "µs/event")
        .against(median(&baseline), median(&ratios))
        .target(Target::RatioAtMost(1.3))
        .note(format!(
            "{events} events of random customers among {customers} and among {FEW}, the view's write included; ratio of CPU {:.2}",
            median(&cpu_ratios)
        )))
}

struct Cost {
    wall_us: f64,
    cpu_us: f64,
}

fn one_cost(engine: &Engine, run: u64, events: u64, customers: u64) -> Result<Cost, Failure> {
    let load = random_load(&format!("cost-{run}"), run, events, customers)?;
    // What was collected before is no part of it; what is collected by it is.
    engine.view().flush()?;
    let (cpu, start) = (process_cpu(), Instant::now());
    run_through(engine, load)?;
    engine.view().flush()?;
    let a_event = |time: Duration| time.as_secs_f64() * 1e6 / events as f64;
    Ok(Cost { wall_us: a_event(start.elapsed()), cpu_us: a_event(process_cpu() - cpu) })
}

/// Opens the log and its current view, as a start of the host does.
fn open(bench: &Bench, directory: &Path) -> Result<Figure, Failure> {
    let (mut times, mut logs) = (Vec::new(), Vec::new());
    let mut records = 0;
    for _ in 0..bench.runs() {
        let opened = Opened::new(directory)?;
        if opened.folded > 0 {
            return Err(format!("the view was not current: {} records were folded", opened.folded).into());
        }
        times.push(opened.view_time.as_secs_f64());
        logs.push(opened.log_time.as_secs_f64());
        records = opened.records;
    }
    Ok(Figure::new("view.open", median(&times), "s").target(Target::AtMost(1.0)).note(format!(
        "a current view of {records} records; opening the log before it {:.2} s",
        median(&logs)
    )))
}

/// Deletes the view and folds it anew.
fn rebuild(bench: &Bench, directory: &Path) -> Result<Figure, Failure> {
    let mut rates = Vec::new();
    let mut records = 0;
    let start = Instant::now();
    for _ in 0..bench.runs() {
        if start.elapsed() > REBUILDS_TIME {
            break;
        }
        std::fs::remove_dir_all(DataDir(directory.to_owned()).view())?;
        let opened = Opened::new(directory)?;
        records = opened.folded;
        let seconds = opened.view_time.as_secs_f64();
        rates.push(records as f64 / seconds);
        bench.say(&format!("{records} records folded in {seconds:.1} s"));
    }
    Ok(Figure::new("view.rebuild", median(&rates), "records/s")
        .target(Target::AtLeast(200_000.0))
        .note(format!("{records} records folded from nothing")))
}

struct Opened {
    log_time: Duration,
    view_time: Duration,
    folded: u64,
    records: u64,
}

impl Opened {
    fn new(directory: &Path) -> Result<Opened, Failure> {
        let data = DataDir(directory.to_owned());
        let start = Instant::now();
        let (log, recovered) = LocalLog::<CommittedRecord>::open(&data.log(), Options::default())?;
        let log_time = start.elapsed();
        let records = recovered.heads.values().map(|head| head.seq).sum();
        let homes = homes_of(&data, EngineConfig::default().partitions)?;
        let start = Instant::now();
        let (view, opened) = View::open(
            &data.view(),
            log.reader(),
            homes,
            &ViewConfig::default(),
            EventIdLimits::default(),
            |_| {},
        )?;
        let view_time = start.elapsed();
        view.close()?;
        log.close()?;
        Ok(Opened { log_time, view_time, folded: opened.folded, records })
    }
}
