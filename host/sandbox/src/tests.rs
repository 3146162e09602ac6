//! What the sandbox promises, tried with guests that break every rule.

use std::sync::Arc;
use std::time::Duration;

use super::guests::{self, CONTRACT, SUBSCRIBER};
use super::*;
use samsyn_contract::FieldRule;
use samsyn_vocabulary::{
    CallAnswer, Change, DataPoint, Effect, EndpointName, Event, EventName, Failure, FailureKind, FieldName,
    Finding, HeardEvent, LogLevel, Projection, Property, Proposal, Role, Speaker, TimerName, Timestamp, Type,
    Value,
};

pub(super) fn limits() -> Limits {
    // A test on a busy machine must not meet a time limit it isn't about.
    Limits { concurrent_calls: 4, time_ms: 5_000, ..Limits::default() }
}

fn points() -> FieldName {
    FieldName::new("loyalty.points").unwrap()
}

pub(super) fn access() -> Arc<Access> {
    let tier = FieldName::new("loyalty.tier").unwrap();
    Arc::new(Access {
        sources: [(points(), FieldRule::of(Type::Integer)), (tier, FieldRule::of(Type::Text))].into(),
        emits: Default::default(),
        timers: false,
        calls: Default::default(),
        settings: [("points_per_unit".to_owned(), Value::Integer(7))].into(),
    })
}

pub(super) fn projection() -> Projection<'static> {
    let point = |field: &str, value: Value| DataPoint {
        field: FieldName::new(field).unwrap(),
        value: std::borrow::Cow::Owned(value),
        observed_at: Timestamp(1),
    };
    Projection {
        id: samsyn_vocabulary::ProfileId::random(),
        identifiers: Vec::new(),
        points: vec![
            point("tags", Value::Texts(vec!["a".to_owned(), "b".to_owned()])),
            point("first_name", Value::Text("Anna".to_owned())),
            point("more_tags", Value::Texts(vec!["c".to_owned()])),
        ],
        memory: Some(vec![1, 2, 3].into()),
        timers: Vec::new(),
        calls: 0,
    }
}

pub(super) fn event() -> Event {
    Event {
        id: "1".to_owned(),
        application: None,
        name: EventName::new("order.completed").unwrap(),
        at: Timestamp(1),
        received_at: Timestamp(2),
        properties: vec![Property { name: "order_id".to_owned(), value: Value::Text("A1".to_owned()) }],
    }
}

pub(super) fn package(module: &[u8]) -> Result<Package, PackageError> {
    Package::read(&guests::installable(module), &limits())
}

pub(super) fn load_within(limits: &Limits, body: &str, functions: &str) -> Plugin {
    let package = package(&guests::subscriber(body, functions)).unwrap();
    Sandbox::new(limits).unwrap().load(&package).unwrap()
}

pub(super) fn hear(plugin: &Plugin) -> InvocationReport {
    plugin
        .invoke(&access(), HandlerInput::Event { event: &HeardEvent::from(&event()), profile: &projection() })
}

/// Calls a subscriber that does `body`, which must fail.
pub(super) fn failure_of(limits: &Limits, body: &str, functions: &str) -> Failure {
    let plugin = load_within(limits, body, functions);
    let failure = hear(&plugin).result.expect_err("the call must fail");
    // Whatever it did, the next one is as good as the first.
    assert_eq!(hear(&plugin).result.expect_err("the call must fail again").kind, failure.kind);
    failure
}

#[test]
fn every_role_is_found_and_called() {
    let package = package(&guests::all_roles()).unwrap();
    assert_eq!(package.roles(), &Role::ALL.into());
    assert_eq!(package.manifest(), "manifest = 1\n");
    let plugin = Sandbox::new(&limits()).unwrap().load(&package).unwrap();
    let (profile, claim) =
        (projection(), |value| Effect::Claim { field: points(), value: Some(Value::Integer(value)) });
    let heard = hear(&plugin);
    assert_eq!(heard.result.unwrap()[0], claim(1));
    let proposed = [Proposal {
        field: points(),
        value: Some(Value::Integer(41)),
        by: Speaker::new("app:web").unwrap(),
        at: Timestamp(3),
    }];
    let decided =
        plugin.invoke(&access(), HandlerInput::Proposals { proposed: &proposed, profile: &profile });
    assert_eq!(decided.result.unwrap(), [claim(42)]);
    let changes = [Change { field: points(), before: None, after: Some(Value::Texts(vec!["x".to_owned()])) }];
    let report = plugin
        .invoke(&access(), HandlerInput::Changes { changes: &changes, at: Timestamp(99), profile: &profile });
    assert_eq!(report.result.unwrap(), [claim(99)]);
    let (name, due, now) = (TimerName::new("weekly").unwrap(), Timestamp(1_000), Timestamp(1_007));
    let report = plugin.invoke(&access(), HandlerInput::Timer { name: &name, due, now, profile: &profile });
    assert_eq!(report.result.unwrap(), [claim(7)]);
    let endpoint = EndpointName::new("crm").unwrap();
    let headers = vec![("etag".to_owned(), "1".to_owned())];
    let answer = CallAnswer::Response { status: 204, headers, body: vec![1, 2] };
    let (endpoint, answer, note, at) = (&endpoint, &answer, Some(&b"note"[..]), Timestamp(5));
    let report =
        plugin.invoke(&access(), HandlerInput::Answer { endpoint, answer, note, at, profile: &profile });
    assert_eq!(report.result.unwrap(), [claim(204)]);
    let report = plugin.invoke(&access(), HandlerInput::Doubt { endpoint, note, profile: &profile });
    assert_eq!(report.result.unwrap(), [claim(3)]);
    let report = plugin.invoke(&access(), HandlerInput::Lookup { answer, note, profile: &profile });
    assert_eq!(report.result.unwrap(), [claim(204), Effect::Finding(Finding::Found)]);
}

#[test]
fn a_role_it_does_not_have_is_an_error_not_a_panic() {
    let plugin = load_within(&limits(), "", "");
    let report = plugin.invoke(&access(), HandlerInput::Proposals { proposed: &[], profile: &projection() });
    assert!(report.result.unwrap_err().message.contains("no role source"));
}

#[test]
fn a_guest_gets_what_the_projection_holds() {
    // The event takes 40 bytes, then the profile: its points at 56, its memory at 68. A point
    // takes 32: its value's text or list is at 16. A text in a list takes 8.
    let text_at = |address: &str| {
        format!("(call $log (i32.const 1) (i32.load {address}) (i32.load offset=4 {address}))")
    };
    let points = "(i32.load offset=56 (local.get $event))";
    let second_tag = text_at(&format!("(i32.add (i32.const 8) (i32.load offset=16 {points}))"));
    let name = text_at(&format!("(i32.add (i32.const 48) {points})"));
    let other_tag = text_at(&format!("(i32.load offset=80 {points})"));
    let memory = "(call $remember (i32.const 1) (i32.load offset=68 (local.get $event))
                                  (i32.load offset=72 (local.get $event)) (i32.const 64))";
    let report = hear(&load_within(&limits(), &[&second_tag, &name, &other_tag, memory].join(" "), ""));
    assert_eq!(report.result.unwrap(), [Effect::Remember(Some(vec![1, 2, 3]))]);
    let heard: Vec<_> = report.logs.iter().map(|line| line.message.as_str()).collect();
    assert_eq!(heard, ["b", "Anna", "c"]);
}

#[test]
fn a_guest_reads_its_settings() {
    // The answer is at 64: present, an integer, seven.
    let plugin = load_within(
        &limits(),
        "(call $get (i32.const 1184) (i32.const 15) (i32.const 64))
         (call $set_points (i64.load (i32.const 80)))",
        "",
    );
    assert_eq!(
        hear(&plugin).result.unwrap(),
        [Effect::Claim { field: points(), value: Some(Value::Integer(7)) }]
    );
}

#[test]
fn two_calls_never_share_memory() {
    // Traps if an earlier call's mark is there, in a memory or a global.
    let body = "(if (i32.or (i32.load (i32.const 32)) (global.get $mark)) (then unreachable))
                (i32.store (i32.const 32) (i32.const 1)) (global.set $mark (i32.const 1))";
    let plugin = load_within(&limits(), body, "(global $mark (mut i32) (i32.const 0))");
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                for _ in 0..200 {
                    assert_eq!(hear(&plugin).result, Ok(vec![]));
                }
            });
        }
    });
}

#[test]
fn a_memory_bomb_meets_the_limit() {
    let body =
        "(loop $again (br_if $again (i32.ne (memory.grow (i32.const 16)) (i32.const -1)))) unreachable";
    let failure = failure_of(&limits(), body, "");
    assert_eq!(failure.kind, FailureKind::Limit);
    assert!(failure.message.contains("memory_bytes"), "{}", failure.message);
}

#[test]
fn a_guest_that_lives_with_a_denied_growth_is_fine() {
    let plugin = load_within(&limits(), "(drop (memory.grow (i32.const 4096)))", "");
    assert_eq!(hear(&plugin).result, Ok(vec![]));
}

#[test]
fn a_table_bomb_meets_the_limit() {
    let body = "(loop $again
        (br_if $again (i32.ne (table.grow $t (ref.null func) (i32.const 1000)) (i32.const -1)))) unreachable";
    let failure = failure_of(&limits(), body, "(table $t 1 funcref)");
    assert_eq!(failure.kind, FailureKind::Limit);
    assert!(failure.message.contains("table_elements"), "{}", failure.message);
}

#[test]
fn a_stack_overflow_says_so() {
    let failure = failure_of(&limits(), "(call $deeper)", "(func $deeper (call $deeper) (call $deeper))");
    assert_eq!(failure.kind, FailureKind::Trap);
    assert!(failure.message.contains("stack overflow"), "{}", failure.message);
    assert_eq!(failure.backtrace.len(), 16, "not one frame more");
}

#[test]
fn a_stack_that_a_thread_does_not_have_is_refused() {
    let error = Sandbox::new(&Limits { stack_bytes: 8 << 20, ..limits() }).unwrap_err();
    assert!(matches!(error, SandboxError::Stack { found: 8_388_608 }), "{error}");
}

#[test]
fn a_flood_of_effects_meets_the_limit_and_none_is_taken() {
    let failure = failure_of(&limits(), "(loop $again (call $set_points (i64.const 1)) (br $again))", "");
    assert_eq!(failure.kind, FailureKind::Limit);
    assert!(failure.message.contains("256 effects"), "{}", failure.message);
    assert_eq!(failure.backtrace, ["indirect-samsyn:plugin/effects@0.1.0-set", "set_points", "on_event"]);
}

#[test]
fn a_flood_of_log_lines_is_cut_and_counted() {
    let body = "(loop $again
        (call $log (i32.const 1) (i32.const 1088) (i32.const 4))
        (i32.store (i32.const 32) (i32.add (i32.load (i32.const 32)) (i32.const 1)))
        (br_if $again (i32.lt_u (i32.load (i32.const 32)) (i32.const 100))))";
    let logs = hear(&load_within(&limits(), body, "")).logs;
    assert_eq!(logs.len(), 65);
    assert_eq!((logs[63].level, logs[63].message.as_str()), (LogLevel::Info, "gold"));
    assert!(logs[64].message.starts_with("36 more lines"), "{}", logs[64].message);
}

#[test]
fn handing_over_too_much_at_once_meets_the_limit() {
    let body = "(drop (memory.grow (i32.const 80)))
                (call $log (i32.const 1) (i32.const 0) (i32.const 5000000))";
    let failure = failure_of(&limits(), body, "");
    assert_eq!(failure.kind, FailureKind::Limit);
    assert!(failure.message.contains("hostcall_bytes"), "{}", failure.message);
}

#[test]
fn a_panic_brings_its_message_and_a_named_backtrace() {
    let functions = "(func $_ZN7loyalty4rule4tier17h0123456789abcdefE
        (call $log (i32.const 3) (i32.const 1120) (i32.const 34)) unreachable)";
    let body = "(call $set_points (i64.const 1)) (call $_ZN7loyalty4rule4tier17h0123456789abcdefE)";
    let failure = failure_of(&limits(), body, functions);
    assert_eq!(failure.kind, FailureKind::Trap);
    assert_eq!(failure.message, "panicked at lib.rs:7: no such tier");
    assert_eq!(failure.backtrace, ["loyalty::rule::tier", "on_event"]);
}

#[test]
fn an_access_out_of_bounds_is_a_trap() {
    let failure = failure_of(&limits(), "(drop (i32.load (i32.const 131072)))", "");
    assert_eq!(failure.kind, FailureKind::Trap);
    assert!(failure.message.contains("out of bounds"), "{}", failure.message);
}

#[test]
fn an_error_is_the_handlers_own_words() {
    // At 32: an error, its text at 1088, four bytes.
    let body = "(call $set_points (i64.const 1))
        (i32.store8 (i32.const 32) (i32.const 1)) (i32.store (i32.const 36) (i32.const 1088))
        (i32.store (i32.const 40) (i32.const 4)) (return (i32.const 32))";
    let failure = failure_of(&limits(), body, "");
    assert_eq!(failure, Failure { kind: FailureKind::Error, message: "gold".to_owned(), backtrace: vec![] });
}

#[test]
fn a_refusal_the_guest_ignores_is_reported_and_the_rest_is_taken() {
    let plugin = load_within(&limits(), "(call $set_tier) (call $set_points (i64.const 1))", "");
    let fields = [(points(), FieldRule::of(Type::Integer))].into();
    let access = Arc::new(Access { sources: fields, ..Access::default() });
    let report = plugin
        .invoke(&access, HandlerInput::Event { event: &HeardEvent::from(&event()), profile: &projection() });
    assert_eq!(report.result.unwrap().len(), 1);
    assert_eq!(report.refusals.len(), 1);
    assert_eq!(report.refusals[0].code, "field.not-sourced");
    assert_eq!(report.refusals[0].field.as_deref(), Some("loyalty.tier"));
}

#[test]
fn a_host_that_offers_more_runs_the_same_component() {
    let later = Sandbox::offering(&limits(), 0, |linker| {
        let mut effects = linker.instance("samsyn:plugin/effects@0.1.0")?;
        effects.func_wrap("schedule", |_, (_at,): (i64,)| Ok(()))
    });
    let package = package(&guests::all_roles()).unwrap();
    let plugin = later.unwrap().load(&package).unwrap();
    assert_eq!(hear(&plugin).result.unwrap().len(), 2);
}

#[test]
fn a_plugin_of_a_later_patch_runs_if_it_imports_nothing_new() {
    let contract = CONTRACT.replace("samsyn:plugin@0.1.0", "samsyn:plugin@0.1.7");
    let text = guests::subscriber_text("(call $set_points (i64.const 1))", "").replace("@0.1.0", "@0.1.7");
    let exports = SUBSCRIBER.replace("@0.1.0", "@0.1.7");
    let package = package(&guests::module(&contract, &exports, &text)).unwrap();
    let plugin = Sandbox::new(&limits()).unwrap().load(&package).unwrap();
    assert_eq!(hear(&plugin).result.unwrap().len(), 1);
}

#[test]
fn compiled_code_is_kept_and_a_damaged_file_is_compiled_again() {
    let directory = tempfile::tempdir().unwrap();
    let sandbox = || Sandbox::new(&limits()).unwrap().caching_in(directory.path());
    let package = package(&guests::all_roles()).unwrap();
    let files = || -> Vec<_> {
        std::fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().path()).collect()
    };
    sandbox().load(&package).unwrap();
    let [file] = &files()[..] else { panic!("{:?}", files()) };
    assert!(file.file_name().unwrap().to_str().unwrap().starts_with(&package.digest().to_string()));
    let good = std::fs::read(file).unwrap();

    // What lies there is what is run: a compiler that can't be started isn't asked.
    let nowhere = Compiler::Child { program: "/nonexistent".into(), arguments: vec![] };
    let kept = sandbox().compiling_in(nowhere.clone()).load(&package).unwrap();
    assert_eq!(hear(&kept).result.unwrap().len(), 2);

    let mut flipped = good.clone();
    flipped[good.len() / 2] ^= 1;
    for damaged in [&flipped[..], &good[..good.len() / 2], b"", b"samsyn\0\x01 and not much more"] {
        std::fs::write(file, damaged).unwrap();
        let error = sandbox().compiling_in(nowhere.clone()).load(&package).unwrap_err();
        assert_eq!(error.code(), "component.compiler-unavailable");
        assert_eq!(hear(&sandbox().load(&package).unwrap()).result.unwrap().len(), 2);
        assert_eq!(std::fs::read(file).unwrap().len(), good.len());
    }
}

#[test]
fn a_sandbox_finds_the_code_that_another_kept_and_keeps_none() {
    let directory = tempfile::tempdir().unwrap();
    let kept = || std::fs::read_dir(directory.path()).unwrap().count();
    let one = Sandbox::new(&Limits { concurrent_calls: 1, ..limits() }).unwrap().caching_in(directory.path());
    let other = || Sandbox::new(&limits()).unwrap();
    let (first, second) = (guests::all_roles(), guests::subscriber("", ""));
    let first = package(&first).unwrap();
    let plugin = one.load(&first).unwrap();
    assert_eq!(kept(), 1);
    let nowhere = Compiler::Child { program: "/nonexistent".into(), arguments: vec![] };
    let two = other().with_code_of(&one);
    let again = two.load(&first).unwrap();
    two.load(&package(&second).unwrap()).unwrap();
    assert_eq!(kept(), 1);
    let compiles_nothing = other().with_code_of(&one.compiling_in(nowhere));
    // It lives on without the first, whose slot it doesn't need.
    let effects = hear(&plugin).result.unwrap();
    drop(plugin);
    assert_eq!(hear(&again).result.unwrap(), effects);
    assert_eq!(hear(&compiles_nothing.load(&first).unwrap()).result.unwrap(), effects);
}

#[test]
fn a_worker_calls_in_an_engine_of_its_own_within_the_same_limits() {
    // One slot: a call during another one needs an engine of its own.
    let limits = Limits { concurrent_calls: 1, ..limits() };
    let sandbox = Sandbox::for_workers(&limits, 2).unwrap();
    let plugin = sandbox.load(&package(&guests::all_roles()).unwrap()).unwrap();
    let endless = sandbox.load(&package(&guests::subscriber("(loop $l (br $l))", "")).unwrap()).unwrap();
    let expected = hear(&plugin).result.unwrap();
    let as_worker = |worker| {
        work_as(worker);
        let within = Duration::from_millis(20);
        let (event, profile) = (event(), projection());
        let input = HandlerInput::Event { event: &HeardEvent::from(&event), profile: &profile };
        let failure = endless.invoke_within(&access(), input, within).result.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Timeout);
        assert_eq!(hear(&plugin).result.unwrap(), expected);
    };
    std::thread::scope(|scope| {
        for worker in [0, 1] {
            scope.spawn(move || as_worker(worker));
        }
    });
    // A sandbox without one for it has the one for everybody.
    std::thread::scope(|scope| {
        scope.spawn(|| as_worker(7));
    });
}

#[test]
fn code_too_large_for_a_copy_a_worker_is_shared() {
    let sandbox = Sandbox::for_workers(&limits(), 1).unwrap();
    let zeros = "0".repeat(engine::OWN_CODE_BYTES_MAX);
    let large = format!("(data $large \"{zeros}\")");
    let plugin = sandbox.load(&package(&guests::subscriber("", &large)).unwrap()).unwrap();
    assert_eq!(plugin.engines(), 1);
    let small = sandbox.load(&package(&guests::subscriber("", "")).unwrap()).unwrap();
    assert_eq!(small.engines(), 2);
}

/// Not a test: this program, started again by the one below, is the compiling child.
#[test]
#[ignore = "it is started by a test of the compiler, with files to work on"]
fn as_a_compiling_child() {
    let arguments: Vec<String> = std::env::args().collect();
    let [.., input, output, memory, cpu] = &arguments[..] else { panic!("{arguments:?}") };
    let exit = compile_file(input.as_ref(), output.as_ref(), memory.parse().unwrap(), cpu.parse().unwrap());
    let ok = exit == std::process::ExitCode::SUCCESS;
    let invalid = exit == std::process::ExitCode::from(1);
    std::process::exit(if ok {
        0
    } else if invalid {
        1
    } else {
        3
    });
}

pub(super) fn in_a_child() -> Compiler {
    let arguments = ["--ignored", "--exact", "tests::as_a_compiling_child"];
    Compiler::Child {
        program: std::env::current_exe().unwrap(),
        arguments: arguments.map(Into::into).to_vec(),
    }
}

#[test]
fn a_child_compiles_within_its_bounds() {
    let package = package(&guests::all_roles()).unwrap();
    let load = |limits: &Limits| Sandbox::new(limits).unwrap().compiling_in(in_a_child()).load(&package);
    assert_eq!(hear(&load(&limits()).unwrap()).result.unwrap().len(), 2);
    let slow = load(&Limits { compile_time_ms: 0, ..limits() }).unwrap_err();
    assert_eq!(slow.code(), "component.compile-limit", "{slow}");
    let starved = load(&Limits { compile_memory_bytes: 1 << 20, ..limits() }).unwrap_err();
    let code = starved.code();
    assert!(["component.compile-limit", "component.compiler-unavailable"].contains(&code), "{starved}");
}

mod packages {
    use super::*;

    fn code(bytes: &[u8]) -> (&'static str, String) {
        let error = Package::read(bytes, &limits()).expect_err("must be refused");
        (error.code(), error.to_string())
    }

    #[test]
    fn what_is_no_plugin_is_refused() {
        assert_eq!(code(b"").0, "component.not-wasm");
        assert_eq!(code(b"PK\x03\x04 a zip").0, "component.not-wasm");
        assert_eq!(code(&guests::subscriber("", "")).0, "component.no-manifest");
        let world_without_roles = guests::module(CONTRACT, "", "(module)");
        assert_eq!(code(&guests::installable(&world_without_roles)).0, "component.no-role");
        let plain_module = wat::parse_str("(module)").unwrap();
        assert_eq!(code(&guests::installable(&plain_module)).0, "component.no-role");
        let component = componentise(&guests::subscriber("", "")).unwrap();
        let truncated = &component[..component.len() / 2];
        assert_eq!(code(truncated).0, "component.invalid");
    }

    #[test]
    fn a_manifest_must_be_one_and_text() {
        let module = guests::subscriber("", "");
        let twice =
            [guests::installable(&module), guests::installable(&module)[module.len()..].to_vec()].concat();
        assert_eq!(code(&twice).0, "component.invalid");
        let not_text = super::super::section::replace(&module, MANIFEST_SECTION, &[0xFF]).unwrap();
        assert_eq!(code(&not_text).0, "component.invalid");
        let large = embed_manifest(&module, &"#".repeat(70_000)).unwrap();
        assert_eq!(code(&large).0, "component.too-large");
    }

    #[test]
    fn what_is_too_large_is_refused_before_it_is_read() {
        let limits = Limits { component_bytes: 100, ..limits() };
        let error = Package::read(&[0; 101], &limits).unwrap_err();
        assert_eq!(error.code(), "component.too-large");
        assert!(error.to_string().contains("component_bytes"), "{error}");
    }

    #[test]
    fn an_unknown_role_is_refused_by_name() {
        let contract = format!("{CONTRACT}\ninterface scheduler {{ on-time: func(); }}");
        let exports = format!("{SUBSCRIBER} export samsyn:plugin/scheduler@0.1.0;");
        let text = guests::subscriber_text("", r#"(func (export "samsyn:plugin/scheduler@0.1.0#on-time"))"#);
        let (code, message) = code(&guests::installable(&guests::module(&contract, &exports, &text)));
        assert_eq!(code, "component.unknown-role");
        assert!(message.contains("samsyn:plugin/scheduler@0.1.0"), "{message}");
    }

    #[test]
    fn an_unknown_import_is_refused_by_name() {
        // A function that a later contract may have, in an interface that this one has.
        let contract =
            CONTRACT.replace("interface effects {", "interface effects { schedule: func(at: s64);");
        let import = |name: &str, function: &str| {
            let text = guests::subscriber_text("", "");
            text.replacen("(module", &format!("(module (import {name:?} {function:?} (func (param i64)))"), 1)
        };
        let text = import("samsyn:plugin/effects@0.1.0", "schedule");
        let (first, message) = code(&guests::installable(&guests::module(&contract, SUBSCRIBER, &text)));
        assert_eq!(first, "component.unknown-import");
        assert!(message.contains("samsyn:plugin/effects@0.1.0#schedule"), "{message}");

        let contract = format!("{CONTRACT}\ninterface network {{ call: func(to: s64); }}");
        let world = format!("import samsyn:plugin/network@0.1.0; {SUBSCRIBER}");
        let text = import("samsyn:plugin/network@0.1.0", "call");
        let (second, message) = code(&guests::installable(&guests::module(&contract, &world, &text)));
        assert_eq!(second, "component.unknown-import");
        assert!(message.contains("samsyn:plugin/network@0.1.0"), "{message}");
    }

    #[test]
    fn another_version_of_the_contract_is_refused_as_such() {
        let contract = CONTRACT.replace("samsyn:plugin@0.1.0", "samsyn:plugin@0.2.0");
        let text = guests::subscriber_text("", "").replace("@0.1.0", "@0.2.0");
        let exports = SUBSCRIBER.replace("@0.1.0", "@0.2.0");
        let (code, message) = code(&guests::installable(&guests::module(&contract, &exports, &text)));
        assert_eq!(code, "component.newer-contract");
        assert!(message.contains("@0.2.0"), "{message}");
    }

    #[test]
    fn a_component_and_the_module_it_is_made_of_have_digests_of_their_own() {
        let module = guests::installable(&guests::all_roles());
        let component = embed_manifest(&componentise(&module).unwrap(), "manifest = 1\n").unwrap();
        let (from_module, from_component) =
            (Package::read(&module, &limits()).unwrap(), Package::read(&component, &limits()).unwrap());
        assert_eq!(from_module.digest(), Digest::of(&module));
        assert_ne!(from_module.digest(), from_component.digest());
        assert_eq!(from_module.roles(), from_component.roles());
        assert_eq!(from_component.component(), component);
    }

    #[test]
    fn a_function_of_another_type_is_refused_at_loading() {
        let contract = CONTRACT.replace(
            "on-event: func(event: event, profile: profile) -> result<_, string>;",
            "on-event: func(event: event);",
        );
        let text = guests::subscriber_text("", "")
            .replace("(param $event i32) (result i32)", "(param i32 i32 i32 i32 i64 i64 i32 i32)")
            .replace("(i32.const 16)))", "))");
        let package = package(&guests::module(&contract, SUBSCRIBER, &text)).unwrap();
        let error = Sandbox::new(&limits()).unwrap().load(&package).unwrap_err();
        assert_eq!(error.code(), "component.invalid", "{error}");
    }

    #[test]
    fn a_memory_larger_than_the_limit_is_refused_at_loading() {
        let text =
            guests::subscriber_text("", "").replace("(export \"memory\") 2", "(export \"memory\") 2000");
        let package = package(&guests::module(CONTRACT, SUBSCRIBER, &text)).unwrap();
        let error = Sandbox::new(&limits()).unwrap().load(&package).unwrap_err();
        assert_eq!(error.code(), "component.too-large", "{error}");
        assert!(error.to_string().contains("raise `memory_bytes`"), "{error}");
    }
}
