//! Every limit takes effect: each is set to another value, and what is taken by default is stopped.

use std::sync::atomic::{AtomicBool, Ordering};

use super::tests::{hear, in_a_child};
use super::*;
use samsyn_vocabulary::FailureKind;

/// What a guest of this body comes to within these limits: how its invocation ended, and what was refused
/// or logged; or why it can't be loaded.
fn outcome(limits: &Limits, body: &str, functions: &str) -> Result<String, String> {
    let message = |error: PackageError| format!("{}: {error}", error.code());
    let module = guests::installable(&guests::subscriber(body, functions));
    let package = Package::read(&module, limits).map_err(message)?;
    let plugin = Sandbox::new(limits).unwrap().load(&package).map_err(message)?;
    let report = hear(&plugin);
    match report.result {
        Err(failure) => Err(format!("{}: {}", failure.kind.as_str(), failure.message)),
        Ok(effects) => Ok(format!("{effects:?} {:?} {:?}", report.refusals, report.logs)),
    }
}

/// The guest is fine by default, and with the limit set so it is stopped, with these words.
fn stops(set: impl Fn(&mut Limits), body: &str, functions: &str, words: &str) {
    let usual = outcome(&Limits::default(), body, functions);
    assert!(usual.as_ref().is_ok_and(|message| !message.contains(words)), "by default: {usual:?}");
    let mut limits = Limits::default();
    set(&mut limits);
    let message = outcome(&limits, body, functions).unwrap_or_else(|stopped| stopped);
    assert!(message.contains(words), "{words:?} isn't in {message:?}");
}

/// A guest that fails when the host doesn't let it grow.
fn unless_denied(grow: &str) -> String {
    format!("(if (i32.eq {grow} (i32.const -1)) (then unreachable))")
}

/// `$deep` calls itself so often.
const DEEP: &str = "(func $deep (param $left i32) (result i32)
    (if (result i32) (i32.eqz (local.get $left)) (then (i32.const 0))
        (else (i32.add (i32.const 1) (call $deep (i32.sub (local.get $left) (i32.const 1)))))))";

/// Somebody's call takes all the time it has while others try.
fn only_so_many_at_once() {
    let limits = Limits { concurrent_calls: 1, time_ms: 50, ..Limits::default() };
    let sandbox = Sandbox::new(&limits).unwrap();
    let load = |body: &str| {
        sandbox.load(&Package::read(&guests::installable(&guests::subscriber(body, "")), &limits).unwrap())
    };
    let (endless, quick) = (load("(loop $l (br $l))").unwrap(), load("").unwrap());
    let stopped = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stopped.load(Ordering::SeqCst) {
                hear(&endless);
            }
        });
        let denied = std::iter::repeat_with(|| hear(&quick).result)
            .find_map(Result::err)
            .expect("it is asked until then");
        stopped.store(true, Ordering::SeqCst);
        assert_eq!(denied.kind, FailureKind::Limit);
        assert!(denied.message.contains("(concurrent_calls)"), "{}", denied.message);
    });
}

fn compiles_within(set: impl Fn(&mut Limits)) {
    let package = Package::read(&guests::installable(&guests::all_roles()), &Limits::default()).unwrap();
    let mut limits = Limits::default();
    let load = |limits: &Limits| Sandbox::new(limits).unwrap().compiling_in(in_a_child()).load(&package);
    assert!(load(&limits).is_ok());
    set(&mut limits);
    let code = load(&limits).expect_err("it is too little").code();
    assert!(["component.compile-limit", "component.compiler-unavailable"].contains(&code), "{code}");
}

#[test]
fn every_limit_takes_effect_when_it_is_set_otherwise() {
    let set_thrice =
        "(call $set_points (i64.const 1)) (call $set_points (i64.const 2)) (call $set_points (i64.const 3))";
    let log_thrice = "(call $log (i32.const 1) (i32.const 1088) (i32.const 4))".repeat(3);
    let serde_json::Value::Object(all) = serde_json::to_value(Limits::default()).unwrap() else { panic!() };
    for name in all.keys() {
        match name.as_str() {
            "memory_bytes" => stops(
                |limits| limits.memory_bytes = 3 << 16,
                &unless_denied("(memory.grow (i32.const 2))"),
                "",
                "(memory_bytes)",
            ),
            "table_elements" => stops(
                |limits| limits.table_elements = 50,
                &unless_denied("(table.grow $t (ref.null func) (i32.const 60))"),
                "(table $t 1 funcref)",
                "(table_elements)",
            ),
            "instances" => stops(|limits| limits.instances = 1, "", "", "raise `instances`"),
            "tables" => stops(
                |limits| limits.tables = 2,
                "",
                "(table 1 funcref) (table 1 funcref) (table 1 funcref)",
                "raise `tables`",
            ),
            "memories" => stops(|limits| limits.memories = 1, "", "(memory $more 1)", "raise `memories`"),
            "time_ms" => {
                let limits = Limits { time_ms: 3, ..Limits::default() };
                let message = outcome(&limits, "(loop $l (br $l))", "").expect_err("it has no end");
                assert!(message.contains("more than 3 ms"), "{message}");
            }
            "stack_bytes" => stops(
                |limits| limits.stack_bytes = 32 << 10,
                "(drop (call $deep (i32.const 2000)))",
                DEEP,
                "(stack_bytes)",
            ),
            "concurrent_calls" => only_so_many_at_once(),
            "hostcall_bytes" => stops(
                |limits| limits.hostcall_bytes = 60_000,
                "(call $log (i32.const 1) (i32.const 16384) (i32.const 70000))",
                "",
                "(hostcall_bytes)",
            ),
            "effects" => stops(|limits| limits.effects = 2, set_thrice, "", "(effects)"),
            "effect_bytes" => stops(|limits| limits.effect_bytes = 40, set_thrice, "", "(effect_bytes)"),
            "value_bytes" => {
                stops(|limits| limits.value_bytes = 3, "(call $set_tier)", "", "value.too-large")
            }
            "remember_bytes" => stops(
                |limits| limits.remember_bytes = 10,
                "(call $remember (i32.const 1) (i32.const 1024) (i32.const 11) (i32.const 64))",
                "",
                "memory.too-large",
            ),
            "log_lines" => stops(|limits| limits.log_lines = 1, &log_thrice, "", "(log_lines)"),
            "message_bytes" => stops(
                |limits| limits.message_bytes = 8,
                "(call $log (i32.const 1) (i32.const 1120) (i32.const 34))",
                "",
                "\"panicked\"",
            ),
            "component_bytes" => {
                stops(|limits| limits.component_bytes = 100, "", "", "raise `component_bytes`")
            }
            "manifest_bytes" => stops(|limits| limits.manifest_bytes = 5, "", "", "raise `manifest_bytes`"),
            "compile_time_ms" => compiles_within(|limits| limits.compile_time_ms = 0),
            "compile_memory_bytes" => compiles_within(|limits| limits.compile_memory_bytes = 1 << 20),
            // Over many invocations: engine::tests::bounds.
            "customer_bytes" => {}
            other => panic!("{other} has no row here"),
        }
    }
}

/// Rows of the table of docs/plugins.md: what it says, and what the host does.
#[test]
fn the_documents_tell_the_limits_as_they_are() {
    let Limits { memory_bytes, memories, time_ms, effects, effect_bytes, value_bytes, .. } =
        Limits::default();
    let Limits { remember_bytes, customer_bytes, log_lines, message_bytes, .. } = Limits::default();
    let kib = |bytes: u64| format!("{} KiB", bytes >> 10);
    let rows = [
        format!("| {} MiB over all of them · {memories} (", memory_bytes >> 20),
        format!(" · {time_ms} ms |"),
        format!("| {effects} · {} · {} |", kib(effect_bytes), kib(value_bytes)),
        format!("| {} (claims and memory together: {}) |", kib(remember_bytes), kib(customer_bytes)),
        format!("| {log_lines} · {} KiB |", message_bytes >> 10),
    ];
    let read = |path: &str| {
        let path = format!("{}/../../{path}", env!("CARGO_MANIFEST_DIR"));
        std::fs::read_to_string(path).expect("it is in the repository")
    };
    let page = read("docs/plugins.md");
    for row in rows {
        assert!(page.contains(&row), "{row:?} isn't in docs/plugins.md");
    }
    // Whoever else tells the size of a memory.
    for path in ["wit/plugin.wit", "plugins/sdk/src/memory.rs", "plugins/sdk/src/effects.rs"] {
        let text = read(path);
        assert!(text.contains(&kib(remember_bytes)), "{path}");
        assert!(!text.contains("48 KiB"), "{path}");
    }
}
