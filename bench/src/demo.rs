//! What the demo's host needs of memory: the demo as users run it, looked at when it has told its story.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use crate::machine::memory_bytes;
use crate::report::{Figure, Target};
use crate::run::Bench;
use crate::subject::{Failure, Scratch};

const MIB: f64 = (1 << 20) as f64;
/// Purchases of a quick run.
const QUICK_EVENTS: &str = "2000";

/// `demo.rss`.
pub fn measure(bench: &Bench) -> Result<Figure, Failure> {
    let scratch = Scratch::new(&bench.data, "demo")?;
    let mut command = Command::new(bench.target.join("release").join("samsyn"));
    command.args(["demo", "--json", "--listen", "127.0.0.1:0", "--data"]).arg(scratch.path());
    if bench.quick {
        command.args(["--events", QUICK_EVENTS]);
    }
    let mut demo = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
    // Its summary is one line, which names the host's process; then the host runs on until the demo is
    // interrupted.
    let mut summary = String::new();
    if let Some(output) = demo.stdout.take() {
        BufReader::new(output).read_line(&mut summary)?;
    }
    let summary: serde_json::Value = serde_json::from_str(&summary).unwrap_or_default();
    let host = summary["host_process"].as_u64().map(|id| id as u32);
    let memory = |kind| host.and_then(|host| memory_bytes(host, kind));
    let (now, peak) = (memory("VmRSS"), memory("VmHWM"));
    Command::new("kill").args(["-INT", &demo.id().to_string()]).status()?;
    demo.wait()?;
    match (now, peak) {
        (Some(now), Some(peak)) => {
            let note = format!("its host, after the summary; at its highest {:.0} MiB", peak as f64 / MIB);
            Ok(Figure::new("demo.rss", now as f64 / MIB, "MiB").target(Target::AtMost(300.0)).note(note))
        }
        _ => Err("the demo ended early; run `samsyn demo --exit` to see why".into()),
    }
}
