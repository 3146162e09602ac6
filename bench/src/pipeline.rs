//! Append to decided, in process: everything but HTTP.

use std::time::{Duration, Instant};

use crate::machine::process_cpu;
use crate::report::{Figure, Target, median};
use crate::run::Bench;
use crate::sandbox::Callers;
use crate::subject::{
    CAPABILITIES, Failure, Scratch, Subject, THREADS, fill, random_load, run_through, start_engine,
};

const CUSTOMERS: u64 = 10_000;
const EVENTS: u64 = 200_000;
/// Of the bare calls' rate.
const SHARE: f64 = 0.65;
/// What two cores are to manage where the bare loop manages [`FULL_BOUND`].
const FULL_EVENTS: f64 = 40_000.0;
const FULL_BOUND: f64 = 250_000.0;

/// `pipeline.events`.
pub fn measure(bench: &Bench, subject: &Subject, callers: &Callers) -> Result<Figure, Failure> {
    let scratch = Scratch::new(&bench.data, "pipeline")?;
    let engine = start_engine(scratch.path())?;
    subject.install(&engine)?;
    fill(&engine, CUSTOMERS, |_| {})?;
    let mut cpu_times = Vec::new();
    let events = bench.scale(EVENTS, 20_000);
    let time = bench.time(Duration::from_secs(1));
    let (mut rates, mut bounds, mut ratios, mut apart) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for run in 0..bench.runs() {
        let load = random_load(&format!("run-{run}"), run, events, CUSTOMERS)?;
        let before = callers.bound(THREADS, time)?;
        let (cpu, start) = (process_cpu(), Instant::now());
        run_through(&engine, load)?;
        let rate = events as f64 / start.elapsed().as_secs_f64();
        let cpu_us = (process_cpu() - cpu).as_secs_f64() * 1e6 / events as f64;
        apart.push(callers.bound_apart(time)? / CAPABILITIES as f64);
        let after = callers.bound(THREADS, time)?;
        let bound = f64::midpoint(before, after) / CAPABILITIES as f64;
        bench.say(&format!("{rate:.0} events/s of {bound:.0}; CPU {cpu_us:.1} µs an event"));
        cpu_times.push(cpu_us);
        rates.push(rate);
        bounds.push(bound);
        ratios.push(rate / bound);
    }
    engine.stop();
    let bound = median(&bounds);
    // Workers have an engine each, so what they can do is told as well.
    let apart = median(&apart);
    let around = median(&cpu_times) - THREADS as f64 * 1e6 / apart;
    let note = format!(
        "{events} events of {CUSTOMERS} customers, {CAPABILITIES} capabilities each; the bare loop with an engine a \
         thread allows {apart:.0} ({:.3}); CPU around such calls {around:.1} µs an event",
        median(&rates) / apart
    );
    let mut figure =
        Figure::new("pipeline.events", median(&rates), "events/s").against(bound, median(&ratios));
    figure = figure.target(Target::RatioAtLeast(SHARE)).note(note);
    let full = bound * CAPABILITIES as f64 >= FULL_BOUND;
    Ok(if full { figure.target(Target::AtLeast(FULL_EVENTS)) } else { figure })
}
