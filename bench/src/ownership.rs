//! What moving sources costs: a plan over many customers, the move, telling consumers under load,
//! the check of what a capability may say and see, and a proposal's answer.

use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use samsyn::decide::project::project_profile;
use samsyn::engine::{Engine, InstallOptions, NewEvent};
use samsyn::registry::assignment::{Mode, Request};
use samsyn::sandbox::embed_manifest;
use samsyn::vocabulary::{
    Application, CapabilityName, EventName, FieldName, Identifier, IdentifierName, Position, Property,
    Proposal, Speaker, Timestamp, Value,
};

use crate::report::{Figure, Target, median};
use crate::run::Bench;
use crate::subject::{Failure, Scratch, run_through, start_engine};

/// Every figure of this file.
pub const NAMES: &[&str] = &[
    "ownership.plan_million",
    "ownership.assign",
    "ownership.tell",
    "ownership.tell_accept_p99",
    "ownership.check",
    "ownership.check_effect",
    "ownership.proposal_p99",
];

const CUSTOMERS: u64 = 1_000_000;
/// Events a second while consumers are told.
const LOAD: u64 = 5_000;
/// Threads that send them, each waiting for the disk before the next.
const SENDERS: u64 = 8;
/// Plans and proposals measured.
const TRIES: usize = 200;
/// Calls of the projection measured in one go.
const PROJECTIONS: u64 = 200_000;
/// Between two looks at something that takes about a millisecond.
const PAUSE: Duration = Duration::from_micros(100);
/// Between two looks of each of the senders: they aren't to take the time they measure.
const LOAD_PAUSE: Duration = Duration::from_millis(1);
/// Between two looks at something that takes seconds: looking must not be what is measured.
const LONG_PAUSE: Duration = Duration::from_millis(10);

/// All of them, on one data directory.
pub fn measure(bench: &Bench) -> Result<Vec<Figure>, Failure> {
    let scratch = Scratch::new(&bench.data, "ownership")?;
    let engine = start_engine(scratch.path())?;
    for name in ["old", "new"] {
        install(&engine, name, &SPEAKER.replace("NAME", name))?;
    }
    install(&engine, "watcher", WATCHER)?;
    let mut figures = vec![proposals(&engine)?];
    let customers = bench.scale(CUSTOMERS, 20_000);
    fill(bench, &engine, customers)?;
    figures.extend(check(&engine)?);
    figures.push(plans(&engine, customers)?);
    figures.extend(tell(bench, &engine, customers)?);
    engine.stop();
    Ok(figures)
}

const SPEAKER: &str = "[subscribes.\"NAME.asked\"]\nscript = { type = \"texts\" }\n\
    [sources]\ncity = { type = \"text\" }\nnote = { type = \"text\" }\n";
const WATCHER: &str = "[sources]\n\"probe.seen\" = { type = \"text\" }\n\
    [consumes]\ncity = { purposes = [\"service\"], notify = true }\n";

/// The probe of the tests: it does what an event's script says, and notes what it observes.
fn install(engine: &Engine, name: &str, tables: &str) -> Result<(), Failure> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/probe-0.1.0.wasm");
    let manifest = format!(
        "manifest = 1\n[plugin]\nname = \"{name}\"\nversion = \"1\"\nowner = \"Bench\"\ndescription = \"Bench\"\n\
         identifiers = [\"customer_id\"]\n{tables}"
    );
    let component = embed_manifest(&std::fs::read(file)?, &manifest)?;
    engine.registrar().install(&component, InstallOptions::default(), &Application::new("bench")?)?;
    Ok(())
}

fn event(name: &str, customer: u64, command: &str) -> Result<NewEvent, Failure> {
    Ok(NewEvent {
        id: None,
        application: Application::new("bench")?,
        name: EventName::new(name)?,
        at: None,
        profile: None,
        identifiers: vec![Identifier {
            name: IdentifierName::new("customer_id")?,
            value: format!("customer-{customer:07}"),
        }],
        properties: vec![Property {
            name: "script".to_owned(),
            value: Value::Json(serde_json::to_string(&[command])?),
        }],
        proposals: Vec::new(),
        expected: None,
    })
}

fn fill(bench: &Bench, engine: &Engine, customers: u64) -> Result<(), Failure> {
    const BLOCK: u64 = 50_000;
    let mut next = 0;
    while next < customers {
        let end = customers.min(next + BLOCK);
        let one = |customer| event("old.asked", customer, "text city Oslo");
        let block = (next..end).map(one).collect::<Result<Vec<_>, _>>()?;
        let half = block.len() / 2;
        run_through(engine, vec![block[..half].to_vec(), block[half..].to_vec()])?;
        next = end;
        if next % 200_000 == 0 {
            bench.say(&format!("{next} of {customers} customers made"));
        }
    }
    Ok(())
}

fn request(to: &str, mode: Mode) -> Result<Request, Failure> {
    let (fields, to) = (vec![FieldName::new("city")?], Some(CapabilityName::new(to)?));
    Ok(Request { fields, to, mode })
}

fn p99(times: &mut [f64]) -> f64 {
    times.sort_by(f64::total_cmp);
    times.get(times.len() * 99 / 100).or(times.last()).copied().unwrap_or_default()
}

fn wait_for(pause: Duration, what: impl Fn() -> bool) {
    while !what() {
        std::thread::sleep(pause);
    }
}

/// Accept to outcome on disk, on an idle host.
fn proposals(engine: &Engine) -> Result<Figure, Failure> {
    let mut times = Vec::new();
    for number in 0..TRIES {
        let proposal = Proposal {
            field: FieldName::new("city")?,
            value: Some(Value::Text(format!("City {number}"))),
            by: Speaker::from(&Application::new("bench")?),
            at: Timestamp(0),
        };
        let proposed = NewEvent {
            properties: Vec::new(),
            proposals: vec![proposal],
            ..event("profile.updated", u64::MAX, "")?
        };
        let start = Instant::now();
        let Position { partition, seq } = engine.accepting().accept(proposed)?.position;
        wait_for(PAUSE, || engine.view().applied(partition).partition.through.seq >= seq);
        times.push(start.elapsed().as_secs_f64() * 1e3);
    }
    let note = format!("{TRIES} proposals one after the other; median {:.2} ms", median(&times));
    Ok(Figure::new("ownership.proposal_p99", p99(&mut times), "ms").target(Target::AtMost(10.0)).note(note))
}

/// What a capability may see of a customer, put together for one delivery; and whether it may say
/// what it asks to say, and whose word counts.
fn check(engine: &Engine) -> Result<Vec<Figure>, Failure> {
    let name = IdentifierName::new("customer_id")?;
    let id = engine.query().resolve(&name, "customer-0000001")?.ok_or("the customer is gone")?;
    let read = engine.query().profile(id)?.ok_or("the customer is gone")?;
    let registry = engine.registry();
    let generations = &read.partition.adopted.visible;
    let routed = &registry.routing.capabilities;
    let start = Instant::now();
    for number in 0..PROJECTIONS {
        let routed = &routed[number as usize % routed.len()];
        black_box(project_profile(&read.state, routed, 1, generations, &registry.routing));
    }
    let delivery_us = start.elapsed().as_secs_f64() * 1e6 / PROJECTIONS as f64;

    let value = Value::Text("Oslo".to_owned());
    let fields = [FieldName::new("city")?, FieldName::new("note")?];
    let start = Instant::now();
    for number in 0..PROJECTIONS {
        let routed = &routed[number as usize % routed.len()];
        for field in &fields {
            let Some(declared) = registry.fields.get(field) else { continue };
            black_box(routed.sources(field) && declared.check_value(&value).is_ok());
            let Some(entry) = registry.routing.field(field) else { continue };
            black_box(entry.source.as_ref() == Some(&routed.name));
            black_box(read.state.visible(field, entry, generations).is_some());
        }
    }
    let effect_us = start.elapsed().as_secs_f64() * 1e6 / (2 * PROJECTIONS) as f64;
    Ok(vec![
        Figure::new("ownership.check", delivery_us + 2.0 * effect_us, "µs/delivery")
            .target(Target::AtMost(2.0))
            .note("a projection, and the check of two effects"),
        Figure::new("ownership.check_effect", effect_us, "µs/effect")
            .target(Target::AtMost(1.0))
            .note("declared, of the field's kind, whose word counts, what is visible now"),
    ])
}

fn plans(engine: &Engine, customers: u64) -> Result<Figure, Failure> {
    let wanted = request("new", Mode::Clear)?;
    let mut times = Vec::new();
    for _ in 0..TRIES {
        let start = Instant::now();
        let plan = engine.registrar().plan_assignment(&wanted)?;
        times.push(start.elapsed().as_secs_f64());
        if plan.fields[0].changed < customers {
            return Err(format!("the plan counts {} of {customers}", plan.fields[0].changed).into());
        }
    }
    Ok(Figure::new("ownership.plan_million", p99(&mut times), "s")
        .target(Target::AtMost(1.0))
        .note(format!("p99 of {TRIES} plans over {customers} customers, samples looked up")))
}

/// Moves the source of all customers' values and tells whoever consumes it, while events come in.
fn tell(bench: &Bench, engine: &Arc<Engine>, customers: u64) -> Result<Vec<Figure>, Failure> {
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let senders: Vec<_> = (0..SENDERS)
            .map(|sender| {
                let stop = &stop;
                scope.spawn(move || send(engine, sender, customers, stop))
            })
            .collect();
        // The load has to be there before.
        std::thread::sleep(Duration::from_secs(1));
        let measured = tell_once(engine);
        stop.store(true, Ordering::Relaxed);
        let mut accepts = Vec::new();
        for sender in senders {
            accepts.extend(sender.join().map_err(|_| "a sender panicked")??);
        }
        let (assign_ms, seconds, told) = measured?;
        bench.say(&format!("{told} customers told in {seconds:.1} s, {} events taken", accepts.len()));
        let note =
            format!("{told} customers, one consumer, its handler called for each; {LOAD} events/s meanwhile");
        Ok(vec![
            Figure::new("ownership.assign", assign_ms, "ms").target(Target::AtMost(10.0)),
            Figure::new("ownership.tell", told as f64 / seconds, "profiles/s")
                .target(Target::AtLeast(50_000.0))
                .note(note),
            Figure::new("ownership.tell_accept_p99", p99(&mut accepts), "ms").target(Target::AtMost(50.0)),
        ])
    })
}

fn tell_once(engine: &Engine) -> Result<(f64, f64, u64), Failure> {
    let start = Instant::now();
    let (_, seq) =
        engine.registrar().assign(&request("new", Mode::Clear)?, None, &Application::new("bench")?)?;
    let assign_ms = start.elapsed().as_secs_f64() * 1e3;
    let seq = seq.ok_or("nothing was assigned")?;
    wait_for(LONG_PAUSE, || {
        let jobs = engine.notifier().jobs();
        jobs.adopted >= seq
            && jobs.jobs.first().is_some_and(|job| job.revision >= seq && job.ended_at.is_some())
    });
    // A partition that took the move into use when the first job had begun has one of its own.
    let told = engine
        .notifier()
        .jobs()
        .jobs
        .iter()
        .filter(|job| job.revision >= seq)
        .filter_map(|job| job.notified)
        .sum();
    Ok((assign_ms, start.elapsed().as_secs_f64(), told))
}

/// Sends at its share of the rate; how long each event took to be on the disk, in milliseconds.
fn send(engine: &Engine, sender: u64, customers: u64, stop: &AtomicBool) -> Result<Vec<f64>, Failure> {
    let every = Duration::from_secs_f64(SENDERS as f64 / LOAD as f64);
    let (mut times, mut next, mut number) = (Vec::new(), Instant::now(), sender);
    while !stop.load(Ordering::Relaxed) {
        number += SENDERS;
        let event = event("old.asked", number.wrapping_mul(7_919) % customers, "text note later")?;
        let start = Instant::now();
        let Position { partition, seq } = engine.accepting().accept(event)?.position;
        wait_for(LOAD_PAUSE, || engine.view().applied(partition).seq >= seq);
        times.push(start.elapsed().as_secs_f64() * 1e3);
        next += every;
        std::thread::sleep(next.saturating_duration_since(Instant::now()));
    }
    Ok(times)
}
