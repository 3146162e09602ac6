//! Thousands of components that nobody should send: modules and components that are valid and mean
//! nothing here, and real ones made wrong by chance. None panics; each is refused within its bounds,
//! or runs, when it is still valid.
//!
//! They are judged in a process of their own, so that its memory is theirs alone; what passes for a
//! plug-in is compiled in a child of that, as a host does it.

use std::collections::BTreeMap;
use std::io::Write;
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::time::{Duration, Instant};

use arbitrary::{Arbitrary, Unstructured};
use serde_json::json;
use wit_component::StringEncoding;

use super::guests::{self, ALL_ROLES, CONTRACT};
use super::*;
use samsyn_testkit::mutate::{Chance, mutate, seed, shown};
use samsyn_testkit::{Seed, rounds, survival_json};

/// Components of an ordinary run.
const TRIED: usize = 2_000;
/// The longest that one may take, compiling included.
const TIME: Duration = Duration::from_secs(2);
/// The longest that compiling one may take here, so that it is stopped before `TIME` is up.
const COMPILE_MS: u64 = 1_500;
/// The most memory that the judging process and a compiling one may ever use.
const PEAK_MIB: u64 = 512;
/// Address space of a compiling process: threads reserve more than they use.
const COMPILE_BYTES: u64 = 2 << 30;
/// Bytes that a generated module is made from.
const CHOICES_BYTES: usize = 2_048;

#[test]
fn what_is_malformed_is_refused_within_its_bounds() {
    judge_all(seed("malformed components"));
}

#[test]
#[ignore = "runs as long as SAMSYN_ROUNDS says"]
fn torture_malformed_components() {
    let seed = Seed::of_run("malformed components");
    (0..rounds()).for_each(|round| judge_all(seed.of(round)));
}

fn judge_all(seed: u64) {
    let peaks = tempfile::NamedTempFile::new().expect("a file");
    let judged = std::process::Command::new(std::env::current_exe().expect("this program"))
        .args(["--ignored", "--exact", "--nocapture", "malformed_tests::as_a_judging_child"])
        .env("SAMSYN_TEST_PEAKS", peaks.path())
        .env("SAMSYN_SEED", seed.to_string())
        .output()
        .expect("it can be started");
    let said = String::from_utf8_lossy(&judged.stdout);
    let marked = said.lines().find_map(|line| line.strip_prefix("counts: "));
    let counts = marked.unwrap_or_else(|| panic!("{said}\n{}", String::from_utf8_lossy(&judged.stderr)));
    assert!(judged.status.success(), "{said}\n{}", String::from_utf8_lossy(&judged.stderr));
    let mut counts: serde_json::Value = serde_json::from_str(counts).expect("counts are JSON");
    let peaks = std::fs::read_to_string(peaks.path()).expect("it can be read");
    let compiling = peaks.lines().filter_map(|line| line.parse::<u64>().ok()).max().unwrap_or(0);
    counts["compiling_peak_mib"] = json!(compiling);
    println!("{counts}");
    let peak = counts["peak_mib"].as_u64().unwrap_or(u64::MAX);
    assert!(peak <= PEAK_MIB && compiling <= PEAK_MIB, "{counts}");
    assert_eq!(counts["panics"], 0, "{counts}");
    assert!(counts["slowest_ms"].as_u64() <= Some(TIME.as_millis() as u64 + COMPILE_MS), "{counts}");
    survival_json::record("malformed_components", counts);
}

/// Not a test: the process that judges, started by the one above.
#[test]
#[ignore = "it is started by another test"]
fn as_a_judging_child() {
    let (seed, count) = (seed("malformed components"), TRIED);
    let limits = Limits {
        concurrent_calls: 2,
        compile_time_ms: COMPILE_MS,
        compile_memory_bytes: COMPILE_BYTES,
        ..Limits::default()
    };
    let peaks = std::env::var("SAMSYN_TEST_PEAKS").expect("the other test says where");
    let arguments = ["--ignored", "--exact", "malformed_tests::as_a_measured_compiler", &peaks];
    let compiler = Compiler::Child {
        program: std::env::current_exe().expect("this program"),
        arguments: arguments.map(Into::into).to_vec(),
    };
    let sandbox = Sandbox::new(&limits).expect("a sandbox").compiling_in(compiler);
    let bases = Bases::new();
    let mut chance = Chance::new(seed);
    let (mut accepted, mut panics, mut slowest) = (0, 0, Duration::ZERO);
    let mut codes: BTreeMap<&str, u32> = BTreeMap::new();
    for number in 0..count {
        let bytes = bases.make(&mut chance, number);
        let started = Instant::now();
        // What a panic leaves half done in the sandbox is what the next ones would trip over.
        let judged = std::panic::catch_unwind(AssertUnwindSafe(|| {
            Package::read(&bytes, &limits).and_then(|package| sandbox.load(&package))
        }));
        slowest = slowest.max(started.elapsed());
        match judged {
            Ok(Ok(_)) => accepted += 1,
            Ok(Err(error)) => *codes.entry(error.code()).or_default() += 1,
            Err(_) => {
                panics += 1;
                eprintln!("it panics: {}", shown(&bytes));
            }
        }
    }
    let refused: u32 = codes.values().sum();
    let counts = json!({
        "tried": count, "refused": refused, "accepted": accepted, "panics": panics, "codes": codes,
        "slowest_ms": slowest.as_millis() as u64, "peak_mib": peak_mib(),
    });
    println!("counts: {counts}");
}

/// Not a test: a compiling child that notes how much memory it has used.
#[test]
#[ignore = "it is started by another test"]
fn as_a_measured_compiler() {
    let arguments: Vec<String> = std::env::args().collect();
    let [.., peaks, input, output, memory, cpu] = &arguments[..] else { panic!("{arguments:?}") };
    let number = |text: &str| text.parse().expect("a number");
    let exit = compile_file(Path::new(input), Path::new(output), number(memory), number(cpu));
    let mut peaks = std::fs::File::options().append(true).open(peaks).expect("it is there");
    writeln!(peaks, "{}", peak_mib()).expect("it can be written");
    let code = [0, 1, 3].into_iter().find(|code| exit == std::process::ExitCode::from(*code));
    std::process::exit(i32::from(code.unwrap_or(3)));
}

/// The most memory this process has used.
fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or(0) >> 10
}

/// What is made wrong.
struct Bases {
    module: Vec<u8>,
    component: Vec<u8>,
    real: Vec<u8>,
    /// The world that a module says it is for.
    world: (wit_parser::Resolve, wit_parser::WorldId),
}

impl Bases {
    fn new() -> Bases {
        let module = guests::installable(&guests::all_roles());
        let component = embed_manifest(&componentise(&module).expect("a module"), "manifest = 1\n");
        let real = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/probe-0.1.0.wasm");
        let mut resolve = wit_parser::Resolve::default();
        resolve.push_str("plugin.wit", CONTRACT).expect("the contract parses");
        let text =
            format!("package test:guest; world guest {{ include samsyn:plugin/plugin@0.1.0; {ALL_ROLES} }}");
        let package = resolve.push_str("guest.wit", &text).expect("the world parses");
        let world = resolve.select_world(&[package], Some("guest")).expect("there is one");
        Bases {
            module,
            component: component.expect("it takes a manifest"),
            real: std::fs::read(real).expect("the fixture is there"),
            world: (resolve, world),
        }
    }

    fn make(&self, chance: &mut Chance, number: usize) -> Vec<u8> {
        match number % 10 {
            0 => with_manifest(generated(chance, wasm_smith::Module::to_bytes)),
            1 => with_manifest(generated(chance, wasm_smith::Component::to_bytes)),
            // A module that says it is a plug-in, and is anything.
            2 => self.pretending(generated(chance, wasm_smith::Module::to_bytes)),
            3 => {
                let generated = generated(chance, wasm_smith::Module::to_bytes);
                mutate(chance, &self.pretending(generated), &self.module)
            }
            4 | 5 => mutate(chance, &self.module, &self.component),
            6..=8 => mutate(chance, &self.component, &self.real),
            _ => mutate(chance, &self.real, &self.component),
        }
    }

    fn pretending(&self, mut module: Vec<u8>) -> Vec<u8> {
        let (resolve, world) = &self.world;
        wit_component::embed_component_metadata(&mut module, resolve, *world, StringEncoding::UTF8)
            .expect("any module takes it");
        with_manifest(module)
    }
}

fn generated<T: for<'a> Arbitrary<'a>>(chance: &mut Chance, bytes: impl Fn(&T) -> Vec<u8>) -> Vec<u8> {
    loop {
        let choices = chance.bytes(CHOICES_BYTES);
        if let Ok(made) = T::arbitrary(&mut Unstructured::new(&choices)) {
            return bytes(&made);
        }
    }
}

fn with_manifest(bytes: Vec<u8>) -> Vec<u8> {
    embed_manifest(&bytes, "manifest = 1\n").expect("it is WebAssembly")
}
