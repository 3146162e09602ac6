//! `make bench`: every number the project promises, each with its baseline from the same run.
//!
//! ```text
//! samsyn-bench [--only NAME…] [--quick] [--json]
//! ```
//!
//! A table goes to the terminal (with `--json` the figures instead), the figures to
//! `target/bench.json`, where with `--only` the others stay, progress to standard error.

mod access;
mod bare;
mod calls;
mod cut_off;
mod demo;
mod extism;
mod hostile;
mod http;
mod load;
mod machine;
mod ownership;
mod pipeline;
mod replay;
mod report;
mod run;
mod sandbox;
mod scale;
mod subject;
mod survival;
mod sync;
mod timers;
mod waits;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use report::Figure;
use run::Bench;
use subject::{Failure, Scratch, Subject};

const USAGE: &str = "usage: samsyn-bench [--only NAME…] [--quick] [--json]";

// The command's own, so that the engine is measured as it runs.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let result = match arguments.split_first() {
        Some((first, rest)) if first == "load" => load::Load::parse(rest).and_then(|load| load.send()),
        _ => measure(&arguments),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn measure(arguments: &[String]) -> Result<(), Failure> {
    let target = target_dir();
    let scratch = Scratch::new(&target, "bench-data")?;
    let (bench, json) = read(arguments, target.clone(), scratch.path().to_owned())?;
    let machine = machine::describe(&bench.data)?;
    eprintln!("{machine}");
    let figures = figures(&bench)?;
    if figures.is_empty() {
        return Err(format!("no figure has such a name; {USAGE}").into());
    }
    let written = target.join("bench.json");
    if bench.only.is_empty() {
        // All of it was measured: what isn't among it is no figure any more.
        let _ = std::fs::remove_file(&written);
    }
    report::write(&figures, &written)?;
    match json {
        true => println!("{:#}", report::json(&figures)),
        false => println!("\n{machine}\n\n{}", report::table(&figures)),
    }
    Ok(())
}

fn figures(bench: &Bench) -> Result<Vec<Figure>, Failure> {
    let mut figures = Vec::new();
    if bench.wants(&["ownership.token_check"]) {
        eprintln!("access");
        figures.push(access::measure(bench)?);
    }
    if bench.wants(sync::NAMES) {
        eprintln!("the log's sync");
        figures.extend(sync::measure(bench)?);
    }
    // The rest needs the guest, which is built first.
    let needs_none = |only: &String| only == "ownership.token_check" || only.starts_with("log.");
    if !bench.only.is_empty() && bench.only.iter().all(needs_none) {
        figures.retain(|figure| bench.wants_one(figure.name));
        return Ok(figures);
    }
    let subject = Subject::build(&bench.data, &mut |line| bench.say(line))?;
    let sandbox = bench.wants(&["sandbox.fresh", "sandbox.kept"]);
    let extism = bench.wants(&["sandbox.extism_fresh", "sandbox.extism_kept"]);
    let pipeline = bench.wants(&["pipeline.events"]);
    let replay = bench.wants(&["survival.replay"]);
    if sandbox || extism || pipeline || replay {
        let callers = sandbox::Callers::new(&subject)?;
        if sandbox {
            eprintln!("sandbox");
            figures.extend(sandbox::measure(bench, &callers)?);
        }
        if extism {
            eprintln!("extism");
            let measured = callers.bare_us().and_then(|bare_us| extism::measure(bench, bare_us));
            figures.extend(unless_missing(bench, measured));
        }
        if pipeline {
            eprintln!("pipeline");
            figures.push(pipeline::measure(bench, &subject, &callers)?);
        }
        if replay {
            eprintln!("replay");
            figures.push(replay::measure(bench, &subject, &callers)?);
        }
    }
    if bench.wants(&[cut_off::NAME]) {
        eprintln!("a plug-in that never ends");
        figures.push(cut_off::measure(bench)?);
    }
    if bench.wants(&["http.batch_events", "http.single_events", "http.decided_p99"]) {
        eprintln!("http");
        figures.extend(http::measure(bench, &subject)?);
    }
    if bench.wants(&["survival.hostile_p99"]) {
        eprintln!("hostile plug-ins");
        figures.push(hostile::measure(bench, &subject)?);
    }
    if bench.wants(timers::NAMES) {
        eprintln!("timers");
        figures.extend(timers::measure(bench, &subject)?);
    }
    if bench.wants(calls::NAMES) {
        eprintln!("calls");
        figures.extend(calls::measure(bench, &subject)?);
    }
    if bench.wants(scale::NAMES) {
        eprintln!("scale and view");
        figures.extend(scale::measure(bench, &subject)?);
    }
    if bench.wants(ownership::NAMES) {
        eprintln!("ownership");
        figures.extend(ownership::measure(bench)?);
    }
    if bench.wants(&["demo.rss"]) {
        eprintln!("demo");
        figures.extend(unless_missing(bench, demo::measure(bench).map(|figure| vec![figure])));
    }
    figures.retain(|figure| bench.wants_one(figure.name));
    Ok(figures)
}

/// What another program measures may be missing without the rest being lost; it is said.
fn unless_missing(bench: &Bench, measured: Result<Vec<Figure>, Failure>) -> Vec<Figure> {
    measured.unwrap_or_else(|error| {
        bench.say(&format!("NOT MEASURED: {error}"));
        Vec::new()
    })
}

fn read(arguments: &[String], target: PathBuf, data: PathBuf) -> Result<(Bench, bool), Failure> {
    let mut bench = Bench { only: Vec::new(), quick: false, data, target };
    let (mut json, mut names) = (false, false);
    for argument in arguments {
        match argument.as_str() {
            "--only" => names = true,
            "--quick" => bench.quick = true,
            "--json" => json = true,
            name if names && !name.starts_with('-') => bench.only.push(name.to_owned()),
            other => return Err(format!("{other} means nothing here; {USAGE}").into()),
        }
    }
    Ok((bench, json))
}

/// Cargo's target directory: this program lies in `release` in it.
fn target_dir() -> PathBuf {
    let program = std::env::current_exe().unwrap_or_default();
    program.ancestors().nth(2).unwrap_or(Path::new("target")).to_owned()
}
