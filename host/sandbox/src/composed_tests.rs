//! Components composed of parts that have memories of their own: the usual way to link a plug-in to a
//! library in another language. The kept one (`tests/fixtures/composed-0.1.0.wasm`) has a subscriber
//! that asks a library to greet Anna, and sets what it is answered: a text passes between memories.

use std::sync::Arc;

use super::guests;
use super::package::embed_manifest;
use super::{
    Access, Compiler, HandlerInput, InvocationReport, Limits, Package, PackageError, Plugin, Sandbox,
};
use samsyn_vocabulary::{
    Effect, Event, EventName, FieldName, HeardEvent, ProfileId, Projection, Timestamp, Type, Value,
};

const COMPOSED: &[u8] = include_bytes!("../../../tests/fixtures/composed-0.1.0.wasm");

fn tier() -> FieldName {
    FieldName::new("loyalty.tier").unwrap()
}

fn hear(plugin: &Plugin) -> InvocationReport {
    let sources = [(tier(), samsyn_contract::FieldRule::of(Type::Text))].into();
    let access = Arc::new(Access { sources, ..Access::default() });
    let event = Event {
        id: "1".to_owned(),
        application: None,
        name: EventName::new("order.completed").unwrap(),
        at: Timestamp(1),
        received_at: Timestamp(2),
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
    plugin.invoke(&access, HandlerInput::Event { event: &HeardEvent::from(&event), profile: &profile })
}

fn load(module: &[u8], limits: &Limits) -> Result<Plugin, PackageError> {
    let package = Package::read(&embed_manifest(module, "manifest = 1\n")?, limits)?;
    Sandbox::new(limits)?.load(&package)
}

impl From<super::SandboxError> for PackageError {
    fn from(error: super::SandboxError) -> PackageError {
        PackageError::engine(error)
    }
}

#[test]
fn a_component_of_parts_with_memories_of_their_own_runs() {
    let plugin = load(COMPOSED, &Limits::default()).unwrap();
    for _ in 0..3 {
        let value = Some(Value::Text("Hej Anna".to_owned()));
        assert_eq!(hear(&plugin).result, Ok(vec![Effect::Claim { field: tier(), value }]));
    }
}

/// A subscriber with so many memories, of which it fills the last one's first page.
fn with_memories(count: usize) -> Vec<u8> {
    let more: String = (1..count).map(|number| format!("(memory $m{number} 1)")).collect();
    guests::subscriber("", &more)
}

#[test]
fn as_many_memories_as_the_limit_says_are_taken_and_their_sizes_add_up() {
    for count in 1..=4 {
        let plugin = load(&with_memories(count), &Limits::default())
            .unwrap_or_else(|error| panic!("{count}: {error}"));
        assert_eq!(hear(&plugin).result, Ok(Vec::new()), "{count}");
    }
    let error = load(&with_memories(5), &Limits::default()).expect_err("one too many");
    assert_eq!(error.code(), "component.too-large");
    assert_eq!(
        error.to_string(),
        "the number of its memories is 5; the limit is 4: make it smaller, or raise `memories` in the host's configuration"
    );
    let two = Limits { memories: 2, ..Limits::default() };
    assert!(load(&with_memories(2), &two).is_ok());
    assert_eq!(load(&with_memories(3), &two).expect_err("one too many").code(), "component.too-large");
    // The parts of a composed component count together, and so do its pages.
    let one = Limits { memories: 1, ..Limits::default() };
    assert_eq!(load(COMPOSED, &one).expect_err("it has two").code(), "component.too-large");
    let small = Limits { memory_bytes: 2 << 16, ..Limits::default() };
    assert!(load(COMPOSED, &small).expect_err("it has three pages").to_string().contains("memory_bytes"));
}

#[test]
fn what_one_call_leaves_in_any_memory_the_next_does_not_find() {
    // It fails when it finds something, and leaves something in each of its memories.
    let look = |memory: &str| {
        format!(
            "(if (i32.load {memory} (i32.const 4096)) (then unreachable)) \
             (i32.store {memory} (i32.const 4096) (i32.const 7))"
        )
    };
    let body: String = ["", "$m1", "$m2", "$m3"].map(look).concat();
    let module = guests::subscriber(&body, "(memory $m1 1)(memory $m2 1)(memory $m3 1)");
    for swap_is_on in [false, true] {
        let limits = Limits { concurrent_calls: 1, ..Limits::default() };
        let package = Package::read(&guests::installable(&module), &limits).unwrap();
        let plugin = Sandbox::new_beside_swap(&limits, swap_is_on).unwrap().load(&package).unwrap();
        for call in 0..100 {
            assert_eq!(hear(&plugin).result, Ok(Vec::new()), "call {call}, swap {swap_is_on}");
        }
    }
}

/// A compiler that says this and ends so.
fn ending(says: &str, exit: &str) -> PackageError {
    let script = format!("printf '%s' \"{says}\" >&2; {exit}");
    let child = Compiler::Child {
        program: "/bin/sh".into(),
        arguments: vec!["-c".into(), script.into(), "compiler".into()],
    };
    let package =
        Package::read(&guests::installable(&guests::subscriber("", "")), &Limits::default()).unwrap();
    Sandbox::new(&Limits::default())
        .unwrap()
        .compiling_in(child)
        .load(&package)
        .expect_err("it compiles nothing")
}

#[cfg(unix)]
#[test]
fn how_a_compiling_child_ended_is_told_as_what_it_is() {
    let panicked = "thread 'main' (7) panicked at /a/machine/src/lib.rs:1:2:\nnot yet: multi\nnote: run with";
    let table = [
        (ending("it has no end", "exit 1"), "component.invalid", "it has no end"),
        (ending("no such disk", "exit 3"), "component.compiler-unavailable", "no such disk"),
        (ending(panicked, "exit 101"), "component.compiler-failed", "not yet: multi"),
        (ending("", "exit 101"), "component.compile-limit", "exit status: 101"),
        (ending("", "kill -11 $$"), "component.compiler-failed", "signal: 11"),
        (
            ending("memory allocation of 9 bytes failed", "kill -6 $$"),
            "component.compile-limit",
            "compile_memory_bytes",
        ),
        (ending("", "kill -9 $$"), "component.compile-limit", "signal: 9"),
        (ending("", "kill -24 $$"), "component.compile-limit", "signal: 24"),
        (
            ending(
                "panicked at x.rs:1:2:\nThreadPoolBuildError: Resource temporarily unavailable",
                "exit 101",
            ),
            "component.compile-limit",
            "compile_memory_bytes",
        ),
    ];
    for (error, code, part) in table {
        let message = error.to_string();
        assert_eq!(error.code(), code, "{message}");
        assert!(message.contains(part), "{part:?} isn't in {message:?}");
        assert!(!message.contains("/a/machine"), "{message}");
        let blames = message.contains("make it smaller");
        assert_eq!(blames, code == "component.compile-limit", "{message}");
    }
}
