//! Guests for tests, written as WebAssembly text so that no toolchain is needed.
//!
//! A guest is a core module against the contract's own WIT file: `wit-component` makes it a
//! component, as it does with what a plug-in's author builds.

use samsyn_vocabulary::Role;
use wit_component::StringEncoding;
use wit_parser::Resolve;

use crate::package;

/// The contract as it is.
pub const CONTRACT: &str = include_str!("../../../wit/plugin.wit");

/// A world with all roles.
pub const ALL_ROLES: &str = "
    export samsyn:plugin/subscriber@0.1.0;
    export samsyn:plugin/source@0.1.0;
    export samsyn:plugin/observer@0.1.0;
    export samsyn:plugin/timed@0.1.0;
    export samsyn:plugin/caller@0.1.0;
    export samsyn:plugin/prober@0.1.0;
    export samsyn:plugin/judge@0.1.0;
";

/// A world that only hears of events.
pub const SUBSCRIBER: &str = "export samsyn:plugin/subscriber@0.1.0;";

/// Imports, a memory of 128 KiB, an arena in it, some strings, and a way to set a field.
///
/// Offsets: 16 is a result that says ok, 32 is scratch, 64 takes what the host answers, from 1024 on are
/// the strings, from 8192 on the arena, whose top is kept at 4 so that it is memory too.
const PRELUDE: &str = r#"
    (import "samsyn:plugin/effects@0.1.0" "set"
        (func $set (param i32 i32 i32 i64 i32 i32)))
    (import "samsyn:plugin/effects@0.1.0" "remember"
        (func $remember (param i32 i32 i32 i32)))
    (import "samsyn:plugin/settings@0.1.0" "get"
        (func $get (param i32 i32 i32)))
    (import "samsyn:plugin/logging@0.1.0" "log"
        (func $log (param i32 i32 i32)))
    (memory (export "memory") 2)
    (data (i32.const 4) "\00\20\00\00")
    (data (i32.const 1024) "loyalty.points")
    (data (i32.const 1056) "loyalty.tier")
    (data (i32.const 1088) "gold")
    (data (i32.const 1120) "panicked at lib.rs:7: no such tier")
    (data (i32.const 1184) "points_per_unit")
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
        (local $at i32)
        (local.set $at (i32.and (i32.add (i32.load (i32.const 4)) (i32.const 7)) (i32.const -8)))
        (i32.store (i32.const 4) (i32.add (local.get $at) (local.get 3)))
        (local.get $at))
    (func $set_points (param $points i64)
        (call $set (i32.const 1024) (i32.const 14)
            (i32.const 1) (local.get $points) (i32.const 0) (i32.const 64)))
    (func $set_tier
        (call $set (i32.const 1056) (i32.const 12)
            (i32.const 0) (i64.const 1088) (i32.const 4) (i32.const 64)))
"#;

/// The name under which a module exports a role's function.
fn handler(role: Role) -> String {
    format!("samsyn:plugin/{role}@0.1.0#{}", role.function())
}

/// A subscriber whose handler does `body`, followed by more functions.
pub fn subscriber(body: &str, functions: &str) -> Vec<u8> {
    module(CONTRACT, SUBSCRIBER, &subscriber_text(body, functions))
}

pub fn subscriber_text(body: &str, functions: &str) -> String {
    let subscriber = handler(Role::Subscriber);
    format!(
        r#"(module {PRELUDE} {functions}
            (func $on_event (export "{subscriber}") (param $event i32) (result i32)
                {body}
                (i32.const 16)))"#
    )
}

/// A guest with all roles; what it does is told apart by how many points it sets.
pub fn all_roles() -> Vec<u8> {
    let [source, subscriber, observer, timed, caller, prober, judge] = Role::ALL.map(handler);
    let nine = "i32 i32 i32 i32 i32 i32 i32 i32 i32";
    let text = format!(
        r#"(module {PRELUDE}
            (func (export "{subscriber}") (param i32) (result i32)
                (call $set_points (i64.const 1)) (call $set_tier) (i32.const 16))
            ;; Of the proposal it is given, an integer, it sets one more.
            (func (export "{source}") (param i32 i32 {nine}) (result i32)
                (call $set_points (i64.add (i64.const 1) (i64.load offset=24 (local.get 0)))) (i32.const 16))
            (func (export "{observer}") (param i32 i32 i64 {nine}) (result i32)
                (call $set_points (local.get 2)) (i32.const 16))
            ;; How late the timer is.
            (func (export "{timed}") (param i32 i32 i64 i64 {nine}) (result i32)
                (call $set_points (i64.sub (local.get 3) (local.get 2))) (i32.const 16))
            ;; The status of the answer.
            (func (export "{caller}") (param i32) (result i32)
                (call $set_points (i64.extend_i32_u (i32.load16_u offset=12 (local.get 0)))) (i32.const 16))
            ;; The length of the endpoint's name.
            (func (export "{prober}") (param i32 i32 i32 i32 i32 {nine}) (result i32)
                (call $set_points (i64.extend_i32_u (local.get 1))) (i32.const 16))
            ;; The status of the look-up; it says that it was found.
            (func (export "{judge}") (param i32) (result i32)
                (call $set_points (i64.extend_i32_u (i32.load16_u (local.get 0)))) (i32.const 16)))"#
    );
    module(CONTRACT, ALL_ROLES, &text)
}

/// A core module with the world that wit-bindgen would leave in it. `exports` is what the world
/// has beyond the contract's imports.
pub fn module(contract: &str, exports: &str, text: &str) -> Vec<u8> {
    let mut resolve = Resolve::default();
    resolve.push_str("plugin.wit", contract).expect("the contract parses");
    let (_, version) = contract.split_once("package samsyn:plugin@").expect("it says its version");
    let (version, _) = version.split_once(';').expect("a semicolon ends it");
    let world =
        format!("package test:guest; world guest {{ include samsyn:plugin/plugin@{version}; {exports} }}");
    let package = resolve.push_str("guest.wit", &world).expect("the world parses");
    let world = resolve.select_world(&[package], Some("guest")).expect("there is one world");
    let mut module = wat::parse_str(text).expect("the text is WebAssembly");
    wit_component::embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)
        .expect("the world can be embedded");
    module
}

/// The same with a manifest, ready to be installed.
pub fn installable(module: &[u8]) -> Vec<u8> {
    package::embed_manifest(module, "manifest = 1\n").expect("a manifest can be embedded")
}
