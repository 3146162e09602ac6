//! The same logic as an Extism plug-in. It lives in a workspace of its own with a wasmtime of its
//! own, so it is built and run as another program.

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::report::Figure;
use crate::run::Bench;
use crate::subject::Failure;

const WASM: &str = "wasm32-unknown-unknown";

/// `sandbox.extism_fresh` and `sandbox.extism_kept`, beside the bare loop's time, in microseconds.
pub fn measure(bench: &Bench, bare_us: f64) -> Result<Vec<Figure>, Failure> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("extism");
    let target = bench.target.join("extism");
    bench.say("building Extism with its own wasmtime: minutes the first time");
    let cargo = |arguments: &[&str]| {
        let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.current_dir(&folder).env("CARGO_TARGET_DIR", &target).args(arguments);
        run(&mut command)
    };
    cargo(&["build", "--locked", "--quiet", "--release", "--package", "extism-guest", "--target", WASM])?;
    cargo(&["build", "--locked", "--quiet", "--release", "--package", "samsyn-bench-extism"])?;
    let guest = target.join(WASM).join("release").join("extism_guest.wasm");
    let told = run(Command::new(target.join("release").join("samsyn-bench-extism")).arg(guest))?;
    let told: Value = serde_json::from_slice(&told)?;
    let figure = |name, key: &str| -> Result<Figure, Failure> {
        let value = told[key].as_f64().ok_or("the Extism benchmark told no figure")?;
        Ok(Figure::new(name, value, "µs/call").against(bare_us, value / bare_us))
    };
    let fresh = figure("sandbox.extism_fresh", "fresh")?;
    let kept = figure("sandbox.extism_kept", "kept")?;
    Ok(vec![fresh.note("the same logic, JSON in and out, its instances pooled"), kept])
}

fn run(command: &mut Command) -> Result<Vec<u8>, Failure> {
    let output = command.stderr(Stdio::inherit()).output()?;
    if output.status.success() { Ok(output.stdout) } else { Err(format!("{command:?} failed").into()) }
}
