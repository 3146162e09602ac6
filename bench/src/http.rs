//! The host over loopback HTTP, the load generator on the same two cores.

use std::path::Path;
use std::time::{Duration, Instant};

use samsyn::engine::EngineConfig;
use samsyn::host::Host;
use samsyn::sandbox::Compiler;
use samsyn::settings::Config;

use crate::load::{CUSTOMERS, Load};
use crate::machine::process_cpu;
use crate::report::{Figure, Target, median};
use crate::run::Bench;
use crate::subject::{Failure, Scratch, Subject, engine_config, fill, reach_zeros};
use crate::waits::{DiskProbe, DiskTimes, forget_slowest, slowest_text};

const BATCH: u64 = 100;
const BATCH_CONNECTIONS: u64 = 4;
const SINGLE_CONNECTIONS: u64 = 64;
const PATIENCE: Duration = Duration::from_secs(600);

/// `http.*`.
pub fn measure(bench: &Bench, subject: &Subject) -> Result<Vec<Figure>, Failure> {
    let scratch = Scratch::new(&bench.data, "http")?;
    let host = start(scratch.path(), engine_config())?;
    subject.install(host.engine())?;
    fill(host.engine(), CUSTOMERS, |_| {})?;
    reach_zeros(host.engine())?;
    let token = host.token().ok_or("the host made no token")?.as_str().to_owned();
    let load = Load {
        address: host.local_addr().to_string(),
        token,
        prefix: String::new(),
        connections: 0,
        requests: 0,
        batch: 1,
        rate: 0,
    };
    let mut figures = Vec::new();
    if bench.wants_one("http.batch_events") {
        let requests = bench.scale(1_500, 100);
        let load = Load { connections: BATCH_CONNECTIONS, requests, batch: BATCH, ..load.clone() };
        let (rate, note) = rate(bench, &host, &load, "batch")?;
        figures.push(
            Figure::new("http.batch_events", rate, "events/s")
                .target(Target::AtLeast(20_000.0))
                .note(format!("batches of {BATCH} on {BATCH_CONNECTIONS} connections, {note}")),
        );
    }
    if bench.wants(&["http.single_events", "http.decided_p99"]) {
        let requests = bench.scale(50_000, 5_000);
        let single = Load { connections: SINGLE_CONNECTIONS, requests, ..load };
        let (rate, note) = rate(bench, &host, &single, "single")?;
        figures.push(
            Figure::new("http.single_events", rate, "events/s")
                .target(Target::AtLeast(8_000.0))
                .note(format!("{SINGLE_CONNECTIONS} connections, {note}")),
        );
        figures.push(decided(bench, &host, &single, rate as u64 / 2)?);
    }
    host.stop();
    Ok(figures)
}

/// A host on this directory, on a port that is free.
pub fn start(directory: &Path, engine: EngineConfig) -> Result<Host, Failure> {
    let config = Config {
        data: directory.to_owned(),
        listen: ([127, 0, 0, 1], 0).into(),
        engine,
        ..Config::default()
    };
    Ok(Host::start(&config, Compiler::InProcess, true, |_| {})?)
}

/// Events a second from the first request until all of them are decided and durable.
fn rate(bench: &Bench, host: &Host, load: &Load, name: &str) -> Result<(f64, String), Failure> {
    let events = (load.requests * load.batch) as f64;
    let (mut rates, mut accepted, mut cpus) = (Vec::new(), Vec::new(), Vec::new());
    for run in 0..bench.runs() {
        let load = Load { prefix: format!("{name}-{run}"), ..load.clone() };
        let (cpu, start) = (process_cpu(), Instant::now());
        let sent = load.run()?;
        if !host.engine().drain(PATIENCE) {
            return Err("not everything was decided".into());
        }
        rates.push(events / start.elapsed().as_secs_f64());
        accepted.push(events / sent.seconds);
        cpus.push((process_cpu() - cpu).as_secs_f64() * 1e6 / events);
        bench.say(&format!(
            "{name}: {:.0} events/s decided, {:.0} accepted, host's CPU {:.1} µs an event, busy {} times",
            rates[rates.len() - 1],
            accepted[accepted.len() - 1],
            cpus[cpus.len() - 1],
            sent.busy
        ));
    }
    let note = format!(
        "load generator in a second process; to the last decision; accepted at {:.0}/s; host's CPU {:.1} µs an event",
        median(&accepted),
        median(&cpus)
    );
    Ok((median(&rates), note))
}

/// Time from when a request is due to the answer that holds its decision.
fn decided(bench: &Bench, host: &Host, load: &Load, rate: u64) -> Result<Figure, Failure> {
    let (mut p99s, mut p50s) = (Vec::new(), Vec::new());
    let (mut slowest, mut disk) = (Vec::new(), DiskTimes::default());
    forget_slowest(host.engine());
    for run in 0..bench.runs() {
        let requests = rate * bench.scale(6, 1);
        let load = Load { prefix: format!("paced-{run}"), rate: rate.max(1), requests, ..load.clone() };
        let probe = DiskProbe::begin(&bench.data);
        let mut sent = load.run()?;
        disk.add(probe.end()?);
        if !host.engine().drain(PATIENCE) {
            return Err("not everything was decided".into());
        }
        slowest.extend(host.engine().take_slowest());
        sent.decided_ms.sort_by(f64::total_cmp);
        let at = |share: f64| sent.decided_ms.get((sent.decided_ms.len() as f64 * share) as usize).copied();
        let (p50, p99) = (at(0.5).unwrap_or(f64::NAN), at(0.99).unwrap_or(f64::NAN));
        bench.say(&format!("at {rate}/s: p50 {p50:.1} ms, p99 {p99:.1} ms of {}", sent.decided_ms.len()));
        p50s.push(p50);
        p99s.push(p99);
    }
    let note = format!(
        "single events at {rate}/s, half of the rate above; one in eight waits for its decision; p50 {:.1} ms\n{}\n\
         the disk's own syncs meanwhile: {}",
        median(&p50s),
        slowest_text(&slowest),
        disk.text()
    );
    Ok(Figure::new("http.decided_p99", median(&p99s), "ms").target(Target::AtMost(20.0)).note(note))
}
