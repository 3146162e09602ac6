//! What the demo's host needs of memory: the demo as users run it, watched from outside.

use std::process::{Command, Stdio};
use std::time::Duration;

use crate::machine::memory_bytes;
use crate::report::{Figure, Target};
use crate::run::Bench;
use crate::subject::{Failure, Scratch};

const LOOK_EVERY: Duration = Duration::from_millis(100);
const MIB: f64 = (1 << 20) as f64;
/// Purchases of a quick run.
const QUICK_EVENTS: &str = "2000";

/// `demo.rss`.
pub fn measure(bench: &Bench) -> Result<Figure, Failure> {
    let scratch = Scratch::new(&bench.data, "demo")?;
    let mut command = Command::new(bench.target.join("release").join("samsyn"));
    command.args(["demo", "--exit", "--listen", "127.0.0.1:0", "--data"]).arg(scratch.path());
    if bench.quick {
        command.args(["--events", QUICK_EVENTS]);
    }
    let mut demo = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    let (mut last, mut peak) = (0, 0);
    let status = loop {
        if let Some(status) = demo.try_wait()? {
            break status;
        }
        // Nothing is told of a process that has just ended.
        last = memory_bytes(demo.id(), "VmRSS").unwrap_or(last);
        peak = memory_bytes(demo.id(), "VmHWM").unwrap_or(peak);
        std::thread::sleep(LOOK_EVERY);
    };
    if !status.success() {
        return Err(format!("`samsyn demo --exit` ended with {status}; run it to see why").into());
    }
    let note = format!("when it was done; at its highest {:.0} MiB", peak as f64 / MIB);
    Ok(Figure::new("demo.rss", last as f64 / MIB, "MiB").target(Target::AtMost(300.0)).note(note))
}
