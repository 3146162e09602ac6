//! Components that nobody should send, sent to a host that serves others meanwhile: real plug-ins
//! made wrong by chance and in every section, one that takes long to compile, one of too many
//! instances. (Thousands more are judged in `host/sandbox/src/malformed_tests.rs`.)

use std::sync::atomic::{AtomicBool, Ordering};

use wasmparser::{Parser, Payload};

use samsyn_harness::components::{self, USUAL, manifest, plugin};
use samsyn_harness::world::World;
use samsyn_testkit::mutate::{Chance, mutate, seed};

/// Components sent to a host.
const SENT: usize = 100;
/// Core instances of one that has more than any host makes.
const INSTANCES: u32 = 500;
/// Functions and additions in each of one that takes longer to compile than the host waits here.
const FUNCTIONS: u32 = 2_500;
const ADDITIONS: u32 = 1_500;

fn embedded(component: &[u8], name: &str) -> Vec<u8> {
    let manifest = manifest(name, "[subscribes.\"malformed.heard\"]\n");
    samsyn::sandbox::embed_manifest(component, &manifest).expect("it takes a manifest")
}

/// Sends it, and checks that it is refused by name or taken as what it says it is.
#[track_caller]
fn send_component(world: &World, what: &str, component: &[u8]) -> bool {
    let answer = world.post_component("?approve=true", component);
    if answer.status == 201 {
        return true;
    }
    let code = answer.problem();
    let known = code.starts_with("component.")
        || ["manifest-invalid", "unknown-identifier", "field-type-conflict", "definition-invalid"]
            .contains(&code.as_str());
    assert!(known, "{what}: {answer:?}");
    false
}

#[test]
fn what_is_malformed_is_refused_while_others_are_served() {
    let world = World::with(&[("SAMSYN_SANDBOX_COMPILE_TIME_MS", "5000")]);
    world.install(&components::probe("probe", USUAL));
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let served = scope.spawn(|| {
            let mut served = 0;
            while !done.load(Ordering::Relaxed) {
                served += 1;
                let decided = world.script("served", &["add probe.count"]);
                assert_eq!(decided["state"], "decided", "{decided}");
            }
            served
        });
        let sent = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            send_random_changes(&world);
            change_every_section(&world);
            assert_compile_time_bounded(&world);
            assert_instances_bounded(&world);
        }));
        done.store(true, Ordering::Relaxed);
        let served = served.join().expect("others are served");
        if let Err(panic) = sent {
            std::panic::resume_unwind(panic);
        }
        assert_eq!(world.fields("served")["probe.count"], served, "every event once");
    });
    assert_eq!(world.get("/v1/capabilities/probe").of(200)["state"], "active");
}

fn send_random_changes(world: &World) {
    let mut chance = Chance::new(seed("malformed components over HTTP"));
    let (real, other) = (embedded(&plugin("hostile"), "malformed"), plugin("loyalty"));
    let accepted = (0..SENT).filter(|number| {
        let component = mutate(&mut chance, &real, &other);
        send_component(world, &format!("number {number}"), &component)
    });
    assert!(accepted.count() < SENT / 2, "they are malformed");
}

/// Where each section's content lies, however deep.
fn sections(component: &[u8]) -> Vec<std::ops::Range<usize>> {
    let payloads = Parser::new(0).parse_all(component).map(|payload| payload.expect("it is well-formed"));
    payloads.filter_map(|payload| Some(payload.as_section()?.1)).collect()
}

fn change_every_section(world: &World) {
    let real = embedded(&plugin("hostile"), "malformed");
    let sections = sections(&real);
    assert!(sections.len() > 15, "{} sections", sections.len());
    for (number, section) in sections.iter().enumerate() {
        // Its count or first item says that there is more than there is.
        let mut component = real.clone();
        let end = (section.start + 5).min(section.end);
        component[section.start..end].fill(0xff);
        send_component(world, &format!("section {number}"), &component);
        // It ends in the middle, and the rest is what it was.
        let middle = section.start + (section.end - section.start) / 2;
        send_component(world, &format!("section {number}, cut"), &real[..middle]);
        let without = [&real[..section.start], &real[section.end..]].concat();
        send_component(world, &format!("section {number}, left out"), &without);
    }
}

fn assert_compile_time_bounded(world: &World) {
    let component = embedded(&with_core_module(&much_code(), 1), "slow-to-compile");
    let answer = world.post_component("?approve=true", &component);
    assert_eq!(answer.problem(), "component.compile-limit", "{answer:?}");
    assert_eq!(world.get("/v1/capabilities/slow-to-compile").status, 404);
}

fn assert_instances_bounded(world: &World) {
    let empty = b"\0asm\x01\0\0\0";
    let component = embedded(&with_core_module(empty, INSTANCES), "legion");
    let answer = world.post_component("?approve=true", &component);
    assert_eq!(answer.problem(), "component.too-large", "{answer:?}");
    assert!(answer.text.contains("instances"), "{answer:?}");
}

/// A plug-in with one more core module, instantiated so often: sections can be added at the end.
fn with_core_module(module: &[u8], instances: u32) -> Vec<u8> {
    use wasm_encoder::{ComponentSection, InstanceSection, ModuleArg, RawSection};
    let mut component = plugin("hostile");
    let mut depth = 0;
    let mut modules = 0;
    for payload in Parser::new(0).parse_all(&component) {
        match payload.expect("it is well-formed") {
            Payload::ModuleSection { .. } => {
                modules += u32::from(depth == 0);
                depth += 1;
            }
            Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) if depth > 0 => depth -= 1,
            _ => {}
        }
    }
    /// Of a core module in a component.
    const MODULE_SECTION: u8 = 1;
    RawSection { id: MODULE_SECTION, data: module }.append_to_component(&mut component);
    let mut section = InstanceSection::new();
    for _ in 0..instances {
        section.instantiate(modules, Vec::<(&str, ModuleArg)>::new());
    }
    section.append_to_component(&mut component);
    component
}

/// A module of some 25 MB of arithmetic.
fn much_code() -> Vec<u8> {
    use wasm_encoder::{CodeSection, Function, FunctionSection, Module, TypeSection, ValType};
    let mut types = TypeSection::new();
    types.ty().function([ValType::I64], [ValType::I64]);
    let (mut functions, mut code) = (FunctionSection::new(), CodeSection::new());
    for number in 0..FUNCTIONS {
        functions.function(0);
        let mut function = Function::new([]);
        let mut body = function.instructions();
        body.local_get(0);
        for addition in 0..ADDITIONS {
            body.i64_const(i64::from(number ^ addition)).i64_rotl().local_get(0).i64_add();
        }
        body.end();
        code.function(&function);
    }
    let mut module = Module::new();
    module.section(&types).section(&functions).section(&code);
    module.finish()
}
