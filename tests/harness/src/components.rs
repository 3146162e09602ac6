//! The components stories install: the built plug-ins, the probe with any manifest, and components
//! that no host takes.

use std::path::PathBuf;

use samsyn_sandbox::embed_manifest;

use crate::world::{repository, target};

/// The sandbox's own guests, WebAssembly text made a component: for what no author would build.
pub use samsyn_sandbox::guests;

/// Hears `probe.*`, sources the probe's own fields.
pub const USUAL: &str = "\
    [subscribes.\"probe.*\"]\nscript = { type = \"texts\" }\n\
    [emits.\"probe.pinged\"]\nscript = { type = \"texts\" }\n\
    [sources]\n\"probe.count\" = { type = \"integer\" }\n\"probe.note\" = { type = \"text\" }\n\
    \"probe.seen\" = { type = \"text\" }\n";

/// Where a built plug-in lies.
pub fn plugin_file(name: &str) -> PathBuf {
    let file = target().join(format!("plugins/{name}.wasm"));
    assert!(file.exists(), "{} is missing: run `make plugins` first", file.display());
    file
}

/// A built plug-in.
pub fn plugin(name: &str) -> Vec<u8> {
    std::fs::read(plugin_file(name)).expect("a built plug-in can be read")
}

/// A manifest of this name, with these tables.
pub fn manifest(name: &str, tables: &str) -> String {
    format!(
        "manifest = 1\n[plugin]\nname = \"{name}\"\nversion = \"0.1.0\"\nowner = \"Stories\"\n\
         description = \"Does as it is told\"\nidentifiers = [\"customer_id\"]\n{tables}"
    )
}

/// The kept probe: it was built once and is never built again, so it also shows that the contract
/// still is what it was.
pub fn kept_probe() -> Vec<u8> {
    let file = repository().join("tests/fixtures/probe-0.1.0.wasm");
    std::fs::read(file).expect("the kept component is there")
}

/// The kept probe that sets timers and calls systems, under this name, with these requests.
pub fn calling_probe(name: &str, tables: &str) -> Vec<u8> {
    let file = repository().join("tests/fixtures/probe-0.3.0.wasm");
    let component = std::fs::read(file).expect("the kept component is there");
    embed_manifest(&component, &manifest(name, tables)).expect("a manifest can be embedded")
}

/// The kept probe that gives rows as well.
pub fn row_probe(name: &str, tables: &str) -> Vec<u8> {
    let file = repository().join("tests/fixtures/probe-0.4.0.wasm");
    let component = std::fs::read(file).expect("the kept component is there");
    embed_manifest(&component, &manifest(name, tables)).expect("a manifest can be embedded")
}

/// The probe under another name, with other requests.
pub fn probe(name: &str, tables: &str) -> Vec<u8> {
    embed_manifest(&kept_probe(), &manifest(name, tables)).expect("a manifest can be embedded")
}
