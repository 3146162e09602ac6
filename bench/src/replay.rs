//! A replay of a plug-in over what it decided, as fast as it goes.

use std::sync::Arc;
use std::time::Duration;

use samsyn::engine::InstallOptions;
use samsyn::replay::{Control, Input, Share, own_sandbox, replay};
use samsyn::sandbox::{Limits, Package};
use samsyn::vocabulary::Application;

use crate::machine::process_cpu;
use crate::report::{Figure, Target, median};
use crate::run::Bench;
use crate::sandbox::Callers;
use crate::subject::{Failure, Scratch, Subject, fill, random_load, run_through, start_engine};

const CUSTOMERS: u64 = 10_000;
const EVENTS: u64 = 200_000;
/// Events a second of one core's time.
const EVENTS_A_CORE: f64 = 60_000.0;

/// `survival.replay`.
pub fn measure(bench: &Bench, subject: &Subject, callers: &Callers) -> Result<Figure, Failure> {
    let scratch = Scratch::new(&bench.data, "replay")?;
    let engine = start_engine(scratch.path())?;
    let component = subject.component(0)?;
    engine.registrar().install(&component, InstallOptions::default(), Application::new("bench")?)?;
    fill(&engine, CUSTOMERS, |_| {})?;
    run_through(&engine, random_load("replay", 1, bench.scale(EVENTS, 20_000), CUSTOMERS)?)?;
    let limits = Limits { time_ms: 5_000, ..Limits::default() };
    let run = || -> Result<(f64, f64), Failure> {
        // What compiling takes is another figure's: after the first run the code is kept.
        let sandbox = own_sandbox(&limits)?.caching_in(scratch.path().join("compiled"));
        let new = Package::read(&component, &limits)?;
        let (log, share) = (engine.log().clone(), Share::default());
        let input =
            Input { log, sandbox, new, against: None, share, profiles_max: CUSTOMERS, lower_priority: false };
        let cpu = process_cpu();
        let report = replay(input, &Arc::new(Control::default()))?;
        let cpu = process_cpu() - cpu;
        match report.is_same() {
            true => Ok((report.events as f64 / cpu.as_secs_f64(), report.events as f64 / report.seconds)),
            false => Err(format!("a replay of what decided differs: {report:?}").into()),
        }
    };
    run()?;
    let time = bench.time(Duration::from_secs(1));
    let (mut rates, mut walls, mut bounds, mut ratios) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..bench.runs() {
        let before = callers.bound(1, time)?;
        let (rate, wall) = run()?;
        let bound = f64::midpoint(before, callers.bound(1, time)?);
        bench.say(&format!(
            "{rate:.0} events/s of a core's time of {bound:.0}; {wall:.0} events/s by the clock"
        ));
        rates.push(rate);
        walls.push(wall);
        bounds.push(bound);
        ratios.push(rate / bound);
    }
    engine.stop();
    let note = format!("by CPU time, all threads; by the clock {:.0} events/s on two", median(&walls));
    Ok(Figure::new("survival.replay", median(&rates), "events/s")
        .against(median(&bounds), median(&ratios))
        .target(Target::AtLeast(EVENTS_A_CORE))
        .note(note))
}
