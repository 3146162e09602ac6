//! Well-behaved plug-ins beside hostile ones: how long a decision takes with and without those.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use samsyn::config::EngineConfig;
use samsyn::engine::{Engine, InstallOptions, NewEvent};
use samsyn::host::Host;
use samsyn::sandbox::embed_manifest;
use samsyn::vocabulary::{Application, EventName, Identifier, IdentifierName};

use crate::http::start;
use crate::load::{CUSTOMERS, Load};
use crate::report::{Figure, Target, median};
use crate::run::Bench;
use crate::subject::{Failure, Scratch, Subject, THREADS, fill};

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

/// `survival.hostile_p99`.
pub fn measure(bench: &Bench, subject: &Subject) -> Result<Figure, Failure> {
    let (mut calm, mut attacked, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for run in 0..bench.runs() {
        let scratch = Scratch::new(&bench.data, "survival")?;
        // With the threads that slow plug-ins get: other figures must not meet any.
        let host = start(scratch.path(), EngineConfig { workers: THREADS, ..EngineConfig::default() })?;
        subject.install(host.engine())?;
        fill(host.engine(), CUSTOMERS, |_| {})?;
        let before = p99(bench, &host, "calm")?;
        install(bench, host.engine())?;
        let done = AtomicBool::new(false);
        let beside = std::thread::scope(|scope| {
            let attacks = scope.spawn(|| attack(host.engine(), &done));
            let measured = p99(bench, &host, "attacked");
            done.store(true, Ordering::Relaxed);
            attacks.join().map_err(|_| "the attacker panicked")??;
            measured
        })?;
        bench.say(&format!("run {run}: p99 {before:.2} ms alone, {beside:.2} ms beside hostile plug-ins"));
        calm.push(before);
        attacked.push(beside);
        ratios.push(beside / before);
        host.stop();
    }
    let note = format!(
        "{RATE} events/s decided by four plug-ins, while {} hostile ones are given {} events/s",
        ATTACKS.len(),
        1_000 / ATTACK_EVERY.as_millis()
    );
    Ok(Figure::new("survival.hostile_p99", median(&attacked), "ms")
        .against(median(&calm), median(&ratios))
        .target(Target::RatioAtMost(2.0))
        .note(note))
}

/// The slowest percent of ordinary events, in milliseconds from when they were due to their decision.
fn p99(bench: &Bench, host: &Host, prefix: &str) -> Result<f64, Failure> {
    let token = host.token().ok_or("the host made no token")?.as_str().to_owned();
    let load = Load {
        address: host.local_addr().to_string(),
        token,
        prefix: prefix.to_owned(),
        connections: CONNECTIONS,
        requests: RATE * bench.scale(20, 4),
        batch: 1,
        rate: RATE,
    };
    let mut sent = load.run()?;
    if prefix == "calm" && !host.engine().drain(PATIENCE) {
        return Err("not everything was decided".into());
    }
    sent.decided_ms.sort_by(f64::total_cmp);
    let at = (sent.decided_ms.len() as f64 * 0.99) as usize;
    sent.decided_ms.get(at).copied().ok_or_else(|| "nothing was measured".into())
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
        engine.install(&embed_manifest(&component, &manifest)?, InstallOptions::default(), &by)?;
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
        engine.accept(NewEvent {
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
