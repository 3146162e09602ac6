//! A call in a fresh sandbox against the bare loop, turn by turn in one thread.

use std::time::{Duration, Instant};

use samsyn::sandbox::{HandlerInput, Limits, Package, Plugin, Sandbox};
use samsyn::vocabulary::HeardEvent;

use crate::bare::{Bare, calls_per_second};
use crate::report::{Figure, Target, median};
use crate::run::Bench;
use crate::subject::{Failure, Sample, Subject, THREADS};

/// Calls of each in turn, so that a slow moment of the machine meets both.
const TURN: u32 = 500;
const WARM_UP: u32 = 1_000;
/// Turns of the bare loop alone, where it is a baseline of something else.
const BARE_TURNS: u32 = 40;

/// Both ways to call the same component.
pub struct Callers {
    /// With nothing around it.
    pub bare: Bare,
    /// The same, for the instance that is kept: it leaves pages behind in its pool's slot, which
    /// the bare loop would have to reset at every call.
    kept: Bare,
    /// The same once more for each thread but the first, each with an engine of its own.
    others: Vec<Bare>,
    plugin: Plugin,
    sample: Sample,
}

impl Callers {
    /// Compiles it twice.
    pub fn new(subject: &Subject) -> Result<Callers, Failure> {
        // A thread that is put aside by another build on the machine must not look like a loop.
        let limits = Limits { time_ms: 5_000, ..Limits::default() };
        let package = Package::read(&subject.component(0)?, &limits)?;
        let plugin = Sandbox::new(&limits)?.load(&package)?;
        let bare = || Bare::new(&package, Sample::new()?);
        let others = (1..THREADS).map(|_| bare()).collect::<Result<_, _>>()?;
        Ok(Callers { bare: bare()?, kept: bare()?, others, plugin, sample: Sample::new()? })
    }

    /// Bare calls a second on that many threads that share an engine.
    pub fn bound(&self, threads: usize, time: Duration) -> Result<f64, Failure> {
        calls_per_second(&vec![&self.bare; threads], time)
    }

    /// Bare calls a second on all threads with an engine each.
    pub fn bound_apart(&self, time: Duration) -> Result<f64, Failure> {
        let all: Vec<&Bare> = std::iter::once(&self.bare).chain(&self.others).collect();
        calls_per_second(&all, time)
    }

    /// Time of a bare call now, in microseconds.
    pub fn bare_us(&self) -> Result<f64, Failure> {
        let turns = (0..BARE_TURNS).map(|_| timed(|| self.bare.call().map(|_| ())));
        Ok(median(&turns.collect::<Result<Vec<f64>, _>>()?))
    }

    fn call(&self) -> Result<(), Failure> {
        let Sample { event, profile, access } = &self.sample;
        let report =
            self.plugin.invoke(access, HandlerInput::Event { event: &HeardEvent::from(event), profile });
        match report.result {
            Ok(effects) if effects.len() == 2 => Ok(()),
            other => Err(format!("the guest did {other:?}").into()),
        }
    }
}

/// `sandbox.fresh` and `sandbox.kept`.
pub fn measure(bench: &Bench, callers: &Callers) -> Result<Vec<Figure>, Failure> {
    for _ in 0..WARM_UP {
        callers.bare.call()?;
        callers.call()?;
    }
    let turns = bench.scale(200, 40);
    let (mut bare, mut fresh, mut kept) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..turns {
        bare.push(timed(|| callers.bare.call().map(|_| ()))?);
        fresh.push(timed(|| callers.call())?);
        let mut left = TURN;
        let start = Instant::now();
        callers.kept.call_kept(|| {
            left = left.wrapping_sub(1);
            left != u32::MAX
        })?;
        kept.push(micros(start.elapsed()) / f64::from(TURN));
    }
    let time = bench.time(Duration::from_secs(2));
    let (together, apart) = (callers.bound(THREADS, time)?, callers.bound_apart(time)?);
    let ratios =
        |values: &[f64]| median(&values.iter().zip(&bare).map(|(one, bare)| one / bare).collect::<Vec<_>>());
    let note = format!(
        "one thread; the bare loop on {THREADS} threads: {together:.0} calls/s in one engine, {apart:.0} with an \
         engine each"
    );
    Ok(vec![
        Figure::new("sandbox.fresh", median(&fresh), "µs/call")
            .against(median(&bare), ratios(&fresh))
            .target(Target::RatioAtMost(1.25))
            .note(note),
        Figure::new("sandbox.kept", median(&kept), "µs/call")
            .against(median(&bare), ratios(&kept))
            .note("one instance for many calls, as no customer's data may be: for comparison"),
    ])
}

fn timed(mut call: impl FnMut() -> Result<(), Failure>) -> Result<f64, Failure> {
    let start = Instant::now();
    for _ in 0..TURN {
        call()?;
    }
    Ok(micros(start.elapsed()) / f64::from(TURN))
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}
