//! The contract as Rust types, generated from `wit/plugin.wit` so that the two can't drift apart.
//!
//! The world below is the host's own: all roles at once. No plug-in needs to have them all; the
//! `GuestIndices` of each role are looked up one by one.

// Generated code documents itself in the WIT file.
#![allow(missing_docs)]

wasmtime::component::bindgen!({
    path: "../../wit",
    inline: "
        package samsyn:host;
        world host {
            include samsyn:plugin/plugin@0.1.0;
            export samsyn:plugin/subscriber@0.1.0;
            export samsyn:plugin/source@0.1.0;
            export samsyn:plugin/observer@0.1.0;
            export samsyn:plugin/timed@0.1.0;
            export samsyn:plugin/caller@0.1.0;
            export samsyn:plugin/prober@0.1.0;
            export samsyn:plugin/judge@0.1.0;
        }
    ",
    world: "samsyn:host/host",
    // Arguments are lowered straight from our vocabulary, so nothing is cloned for an invocation.
    ownership: Borrowing { duplicate_if_necessary: true },
    imports: { default: trappable },
});
