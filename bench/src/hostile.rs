//! Well-behaved plug-ins beside hostile ones: how long a decision takes with and without those.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use samsyn::engine::EngineConfig;
use samsyn::engine::{Engine, InstallOptions, NewEvent, SlowEvent};
use samsyn::host::Host;
use samsyn::sandbox::embed_manifest;
use samsyn::vocabulary::{Application, EventName, Identifier, IdentifierName};

use crate::http::start;
use crate::load::{CUSTOMERS, Load};
use crate::report::{Figure, Target};
use crate::run::Bench;
use crate::subject::{Failure, Scratch, Subject, THREADS, fill, reach_zeros};
use crate::waits::{DiskProbe, DiskTimes, forget_slowest, slowest_text};

/// What hostile plug-ins do, each with an event of its own: the plug-in is `tests/hostile`.
const ATTACKS: [&str; 14] = [
    "loop",
    "memory",
    "stack",
    "trap",
    "returned",
    "list",
    "properties",
    "nested",
    "log",
    "effects",
    "owned",
    "undeclared",
    "names",
    "keep",
];
/// Ordinary events a second: far from what the host can do, so that what is measured is waiting
/// for others.
const RATE: u64 = 400;
const CONNECTIONS: u64 = 16;
/// How often one of the hostile plug-ins is given something to do.
const ATTACK_EVERY: Duration = Duration::from_millis(50);
const PATIENCE: Duration = Duration::from_secs(600);

/// Seconds of one half of a round, and rounds: short ones and many, so that calm and attacked meet the same
/// disk and the same neighbours.
const SECONDS: u64 = 6;
const ROUNDS: u64 = 8;
/// How far the calm halves may lie apart before nothing can be concluded from them.
const UNSTABLE_FROM: f64 = 10.0;

/// What one half of all rounds showed.
#[derive(Default)]
struct Half {
    /// Times to the decision, in milliseconds.
    decided_ms: Vec<f64>,
    /// The slowest percent of each round.
    p99s: Vec<f64>,
    slowest: Vec<SlowEvent>,
    disk: DiskTimes,
}

/// `survival.hostile_p99`.
pub fn measure(bench: &Bench, subject: &Subject) -> Result<Figure, Failure> {
    let (mut calm, mut attacked) = (Half::default(), Half::default());
    for round in 0..bench.scale(ROUNDS, 2) {
        let scratch = Scratch::new(&bench.data, "survival")?;
        // With the threads that slow plug-ins get: other figures must not meet any. A host of its own for
        // each round, for what an attack leaves to be done goes on behind it.
        let host = start(scratch.path(), EngineConfig { workers: THREADS, ..EngineConfig::default() })?;
        subject.install(host.engine())?;
        fill(host.engine(), CUSTOMERS, |_| {})?;
        reach_zeros(host.engine())?;
        calm.measure(bench, &host, "calm")?;
        if !host.engine().drain(PATIENCE) {
            return Err("not everything was decided".into());
        }
        install(bench, host.engine())?;
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let attacks = scope.spawn(|| attack(host.engine(), &done));
            let measured = attacked.measure(bench, &host, "attacked");
            done.store(true, Ordering::Relaxed);
            attacks.join().map_err(|_| "the attacker panicked")??;
            measured
        })?;
        let last = |half: &Half| half.p99s.last().copied().unwrap_or(f64::NAN);
        bench.say(&format!(
            "round {round}: p99 {:.2} ms alone, {:.2} ms beside hostile plug-ins",
            last(&calm),
            last(&attacked)
        ));
        host.stop();
    }
    let (before, beside) =
        (percentile(&mut calm.decided_ms, 0.99), percentile(&mut attacked.decided_ms, 0.99));
    let unstable = unstable(&calm.p99s);
    unstable.iter().for_each(|warning| bench.say(warning));
    let note = format!(
        "{}{RATE} events/s decided by four plug-ins, while {} hostile ones are given {} events/s; {} rounds of \
         {SECONDS} s each, in turn\nalone, {}\nattacked, {}\nthe disk's own syncs, alone: {}\nand attacked: {}",
        unstable.map(|warning| format!("{warning}\n")).unwrap_or_default(),
        ATTACKS.len(),
        1_000 / ATTACK_EVERY.as_millis(),
        calm.p99s.len(),
        slowest_text(&calm.slowest),
        slowest_text(&attacked.slowest),
        calm.disk.text(),
        attacked.disk.text()
    );
    Ok(Figure::new("survival.hostile_p99", beside, "ms")
        .against(before, beside / before)
        .target(Target::RatioAtMost(2.0))
        .note(note))
}

/// What is to be said of a baseline that varies so much that a ratio to it means nothing.
fn unstable(p99s: &[f64]) -> Option<String> {
    let least = p99s.iter().copied().fold(f64::INFINITY, f64::min);
    let most = p99s.iter().copied().fold(0.0, f64::max);
    (most >= least * UNSTABLE_FROM).then(|| {
        format!(
            "THE BASELINE VARIES {:.0}-FOLD, from {least:.2} to {most:.2} ms: the ratio says nothing on this machine",
            most / least
        )
    })
}

/// The time below which this share of them lies.
fn percentile(times: &mut [f64], share: f64) -> f64 {
    times.sort_by(f64::total_cmp);
    times.get((times.len() as f64 * share) as usize).or(times.last()).copied().unwrap_or(f64::NAN)
}

impl Half {
    /// Measures ordinary events, from when they were due to their decision.
    fn measure(&mut self, bench: &Bench, host: &Host, prefix: &str) -> Result<(), Failure> {
        let token = host.token().ok_or("the host made no token")?.as_str().to_owned();
        let load = Load {
            address: host.local_addr().to_string(),
            token,
            prefix: prefix.to_owned(),
            connections: CONNECTIONS,
            requests: RATE * bench.scale(SECONDS, 2),
            batch: 1,
            rate: RATE,
        };
        forget_slowest(host.engine());
        let probe = DiskProbe::begin(&bench.data);
        let mut sent = load.run()?;
        self.disk.add(probe.end()?);
        self.slowest.extend(host.engine().take_slowest());
        if sent.decided_ms.is_empty() {
            return Err("nothing was measured".into());
        }
        self.p99s.push(percentile(&mut sent.decided_ms, 0.99));
        self.decided_ms.extend(sent.decided_ms);
        Ok(())
    }
}

fn install(bench: &Bench, engine: &Engine) -> Result<(), Failure> {
    let file = bench.target.join("plugins/hostile.wasm");
    let component = std::fs::read(&file).map_err(|error| {
        format!("{}: {error}; `make test-plugins PROFILE=release` builds it", file.display())
    })?;
    let by = Application::new("bench")?;
    for attack in ATTACKS {
        let manifest = format!(
            "manifest = 1\n[plugin]\nname = \"hostile-{attack}\"\nversion = \"1\"\nowner = \"Bench\"\n\
             description = \"Hostile\"\nidentifiers = [\"customer_id\"]\n[subscribes.\"hostile.{attack}\"]\n\
             [emits.\"hostile.multiplied\"]\n[sources]\n\"hostile.note\" = {{ type = \"text\" }}\n\
             \"hostile.list\" = {{ type = \"texts\" }}\n\"hostile.tree\" = {{ type = \"json\" }}\n\
             [settings]\nattack = {{ type = \"text\", default = \"{attack}\" }}\n"
        );
        engine.registrar().install(
            &embed_manifest(&component, &manifest)?,
            InstallOptions::default(),
            &by,
        )?;
    }
    Ok(())
}

/// Gives each hostile plug-in something to do in turn, of one customer after the other.
fn attack(engine: &Engine, done: &AtomicBool) -> Result<(), Failure> {
    let (application, identifier) = (Application::new("attacker")?, IdentifierName::new("customer_id")?);
    for number in 0.. {
        if done.load(Ordering::Relaxed) {
            break;
        }
        let value = format!("customer-{:07}", number as u64 % CUSTOMERS);
        engine.accepting().accept(NewEvent {
            id: None,
            application: application.clone(),
            name: EventName::new(&format!("hostile.{}", ATTACKS[number % ATTACKS.len()]))?,
            at: None,
            profile: None,
            identifiers: vec![Identifier { name: identifier.clone(), value }],
            properties: Vec::new(),
            proposals: Vec::new(),
            expected: None,
        })?;
        std::thread::sleep(ATTACK_EVERY);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_baseline_that_varies_tenfold_is_said_to() {
        assert_eq!(unstable(&[2.0, 3.0, 19.9]), None);
        let warning = unstable(&[120.0, 2.0, 3.0]).expect("it varies sixtyfold");
        assert!(warning.contains("60-FOLD") && warning.contains("2.00 to 120.00 ms"), "{warning}");
    }

    #[test]
    fn a_percentile_is_one_of_the_times() {
        let mut times: Vec<f64> = (1..=200).rev().map(f64::from).collect();
        assert_eq!((percentile(&mut times, 0.5), percentile(&mut times, 0.99)), (101.0, 199.0));
        assert_eq!(percentile(&mut times, 1.0), 200.0);
    }
}
