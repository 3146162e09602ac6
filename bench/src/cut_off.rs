//! How long it takes until a plug-in that never ends is cut off: its limit is CPU time, which on an idle
//! machine passes as time does.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use samsyn::sandbox::{Access, HandlerInput, Limits, Package, Plugin, Sandbox, embed_manifest};
use samsyn::vocabulary::{
    Event, EventName, FailureKind, HeardEvent, ProfileId, Projection, Timestamp, Value,
};

use crate::report::{Figure, Target, median};
use crate::run::Bench;
use crate::subject::Failure;

/// The figure.
pub const NAME: &str = "sandbox.cut_off";

const MANIFEST: &str = "manifest = 1\n[plugin]\nname = \"endless\"\nversion = \"1\"\nowner = \"Bench\"\n\
                        description = \"Never ends\"\n[subscribes.\"hostile.loop\"]\n";

/// `sandbox.cut_off`.
pub fn measure(bench: &Bench) -> Result<Figure, Failure> {
    let file = bench.target.join("plugins/hostile.wasm");
    let component = std::fs::read(&file).map_err(|error| {
        format!("{}: {error}; `make test-plugins PROFILE=release` builds it", file.display())
    })?;
    let limits = Limits::default();
    let package = Package::read(&embed_manifest(&component, MANIFEST)?, &limits)?;
    let plugin = Sandbox::new(&limits)?.load(&package)?;
    let settings = BTreeMap::from([("attack".to_owned(), Value::Text("loop".to_owned()))]);
    let access = Arc::new(Access { settings, ..Access::default() });
    let (mut passed_ms, mut cpu_ms) = (Vec::new(), Vec::new());
    for _ in 0..bench.scale(40, 5) {
        let (passed, cpu) = endless(&plugin, &access)?;
        passed_ms.push(passed);
        cpu_ms.push(cpu);
    }
    let limit = limits.time_ms as f64;
    let passed = median(&passed_ms);
    let note = format!("CPU time {:.1} ms (median); the limit is time_ms", median(&cpu_ms));
    Ok(Figure::new(NAME, passed, "ms")
        .against(limit, passed / limit)
        .target(Target::RatioAtMost(1.5))
        .note(note))
}

/// One call that is cut off: how long it took, and its CPU time, in milliseconds.
fn endless(plugin: &Plugin, access: &Arc<Access>) -> Result<(f64, f64), Failure> {
    let event = Event {
        id: "1".to_owned(),
        application: None,
        name: EventName::new("hostile.loop")?,
        at: Timestamp(0),
        received_at: Timestamp(0),
        properties: Vec::new(),
    };
    let profile = Projection {
        id: ProfileId::random(),
        identifiers: Vec::new(),
        points: Vec::new(),
        memory: None,
        timers: Vec::new(),
        calls: 0,
    };
    let began = Instant::now();
    let report =
        plugin.invoke(access, HandlerInput::Event { event: &HeardEvent::from(&event), profile: &profile });
    match report.result {
        Err(failure) if failure.kind == FailureKind::Timeout => {
            Ok((began.elapsed().as_secs_f64() * 1e3, report.cpu.as_secs_f64() * 1e3))
        }
        other => Err(format!("it wasn't cut off: {other:?}").into()),
    }
}
