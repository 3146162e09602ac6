//! Timers: how fast they fire, and what a million of them costs in memory.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use samsyn::clock::Clock;
use samsyn::engine::{Engine, InstallOptions, NewEvent};
use samsyn::view::ViewConfig;
use samsyn::vocabulary::{Application, Property, Timestamp, Value};

use crate::machine::memory_bytes;
use crate::report::{Figure, Target, median};
use crate::run::Bench;
use crate::subject::{
    Chance, Events, Failure, Scratch, Subject, THREADS, fill, random_load, run_through, start_engine_at,
};

/// What is measured here.
pub const NAMES: &[&str] = &["timers.fire", "timers.memory"];

const CUSTOMERS: u64 = 20_000;
const EVENTS: u64 = 100_000;
const MANY: u64 = 1_000_000;
const START: i64 = 1_796_000_000_000;
const HOUR: i64 = 3_600_000;
const YEAR: i64 = 365 * 24 * HOUR;
/// What the view may keep of its store in memory.
const CACHE_BYTES: u64 = 64 << 20;
const MIB: f64 = (1 << 20) as f64;
/// How long all timers may take to fire before a run counts as stuck.
const PATIENCE: Duration = Duration::from_secs(600);
const PAUSE: Duration = Duration::from_millis(1);

/// All of [`NAMES`].
pub fn measure(bench: &Bench, subject: &Subject) -> Result<Vec<Figure>, Failure> {
    let mut figures = Vec::new();
    if bench.wants_one("timers.fire") {
        figures.push(fire(bench, subject)?);
    }
    if bench.wants_one("timers.memory") {
        figures.push(memory(bench, subject)?);
    }
    Ok(figures)
}

fn install(engine: &Engine, subject: &Subject) -> Result<(), Failure> {
    let by = Application::new("bench")?;
    engine.registrar().install(&subject.timed_component()?, InstallOptions::default(), &by)?;
    Ok(())
}

/// One event of each of these customers that sets its timer; without a time it sets none.
fn setting(
    prefix: &str,
    customers: std::ops::Range<u64>,
    due: impl Fn(u64) -> Option<i64>,
) -> Result<Vec<Vec<NewEvent>>, Failure> {
    let maker = Events::new(prefix)?;
    let mut chance = Chance::new(1);
    let mut lists: Vec<Vec<NewEvent>> = (0..THREADS).map(|_| Vec::new()).collect();
    for customer in customers {
        let mut event = maker.make(customer, customer, chance.item());
        if let Some(due) = due(customer) {
            let due = Value::Json(format!("\"{}\"", Timestamp(due)));
            event.properties.push(Property { name: "timer_at".to_owned(), value: due });
        }
        lists[customer as usize % THREADS].push(event);
    }
    Ok(lists)
}

/// A timer of each customer fires, all at once; beside events that have the same effects.
fn fire(bench: &Bench, subject: &Subject) -> Result<Figure, Failure> {
    let scratch = Scratch::new(&bench.data, "timers")?;
    let clock = Clock::fixed(Timestamp(START));
    let engine = start_engine_at(scratch.path(), clock.clone(), ViewConfig::default())?;
    install(&engine, subject)?;
    let customers = bench.scale(CUSTOMERS, 2_000);
    fill(&engine, customers, |_| {})?;
    let events = bench.scale(EVENTS, 5_000);
    let (mut ours, mut baseline, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    let mut now = START;
    for run in 0..bench.runs() {
        let load = random_load(&format!("run-{run}"), run, events, customers)?;
        let start = Instant::now();
        run_through(&engine, load)?;
        let pipeline = events as f64 / start.elapsed().as_secs_f64();
        now += HOUR;
        run_through(&engine, setting(&format!("set-{run}"), 0..customers, |_| Some(now))?)?;
        let before = engine.metrics().timers_fired.load(Ordering::Relaxed);
        clock.set(Timestamp(now));
        let start = Instant::now();
        engine.timers().look();
        await_fired(&engine, before + customers)?;
        let fired = customers as f64 / start.elapsed().as_secs_f64();
        bench.say(&format!("{fired:.0} timers/s, {pipeline:.0} events/s"));
        ours.push(fired);
        baseline.push(pipeline);
        ratios.push(fired / pipeline);
    }
    engine.stop();
    let note = format!(
        "{customers} customers, a timer each, due at once, until all is decided and durable; against events of one \
         capability with the same effects"
    );
    Ok(Figure::new("timers.fire", median(&ours), "timers/s")
        .against(median(&baseline), median(&ratios))
        .target(Target::RatioAtLeast(0.5))
        .note(note))
}

/// Waits until so many have fired, and all that followed is decided and durable.
fn await_fired(engine: &Engine, count: u64) -> Result<(), Failure> {
    let until = Instant::now() + PATIENCE;
    while engine.metrics().timers_fired.load(Ordering::Relaxed) < count {
        if Instant::now() > until {
            return Err("not all timers fired".into());
        }
        std::thread::sleep(PAUSE);
    }
    if engine.drain(PATIENCE) { Ok(()) } else { Err("not everything was decided".into()) }
}

/// What a timer of each customer, due in a year, adds to resident memory: an event of each that sets one, against
/// as many events that set none. Any event adds its id, and what the store keeps in memory of what was written.
fn memory(bench: &Bench, subject: &Subject) -> Result<Figure, Failure> {
    let scratch = Scratch::new(&bench.data, "timers-many")?;
    let clock = Clock::fixed(Timestamp(START));
    // A cache that is full before holds no more afterwards: what it would hold is no part of what timers need.
    let view = ViewConfig { cache_bytes: CACHE_BYTES, ..ViewConfig::default() };
    let engine = start_engine_at(scratch.path(), clock, view)?;
    install(&engine, subject)?;
    let customers = bench.scale(MANY, 20_000);
    fill(&engine, customers, |_| {})?;
    let resident = |engine: &Arc<Engine>| -> Result<f64, Failure> {
        engine.view().flush()?;
        Ok(memory_bytes(std::process::id(), "VmRSS").unwrap_or_default() as f64 / MIB)
    };
    const BLOCK: u64 = 50_000;
    let send = |prefix: &str, is_set: bool| -> Result<f64, Failure> {
        for block in 0..customers.div_ceil(BLOCK) {
            let of_block = block * BLOCK..customers.min((block + 1) * BLOCK);
            let due = |customer: u64| is_set.then_some(START + YEAR + customer as i64);
            run_through(&engine, setting(prefix, of_block, due)?)?;
        }
        resident(&engine)
    };
    // What comes first fills caches, and is no part of it.
    let warm = send("warm", false)?;
    let plain = send("plain", false)?;
    let with_timers = send("set", true)?;
    let (none, set) = (plain - warm, with_timers - plain);
    let pending = engine.view().timers();
    if pending != customers {
        return Err(format!("{pending} timers are set instead of {customers}").into());
    }
    engine.stop();
    let note = format!(
        "{customers} events that set a timer due in a year added {set:.0} MiB to {plain:.0} MiB; as many that set none \
         had added {none:.0} MiB before; the view keeps at most {} MiB of its store in memory",
        CACHE_BYTES >> 20
    );
    Ok(Figure::new("timers.memory", set - none, "MiB").target(Target::AtMost(100.0)).note(note))
}
