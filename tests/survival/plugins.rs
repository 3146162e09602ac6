//! The plug-ins of every arena: the probe in several roles, and the real crm and loyalty.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, Weak};

use samsyn::sandbox::embed_manifest;
use tempfile::TempDir;

use crate::files;
use samsyn_harness::components::{kept_probe, manifest, plugin, probe};
use samsyn_harness::world::{World, shared};

/// Counts: `add probe.count` in every script, and emits what the echo counts.
const COUNTS: &str = "[subscribes.\"probe.*\"]\nscript = { type = \"texts\" }\n\
    [emits.\"echo.asked\"]\nscript = { type = \"texts\" }\n\
    [sources]\n\"probe.count\" = { type = \"integer\" }\n\"probe.note\" = { type = \"text\" }\n";
const ECHOES: &str = "[subscribes.\"echo.asked\"]\nscript = { type = \"texts\" }\n\
    [sources]\n\"echo.count\" = { type = \"integer\" }\n";
/// Counts events of its own, and is started over from the oldest again and again.
const TALLIES: &str = "[subscribes.\"tally.asked\"]\nscript = { type = \"texts\" }\n\
    [sources]\n\"tally.count\" = { type = \"integer\" }\n";
/// Hears of the city, which two sources speak of.
const WATCHES: &str = "[sources]\n\"probe.seen\" = { type = \"text\" }\n\
    [consumes]\ncity = { purposes = [\"service\"], notify = true }\n";

/// One of the two counters in its `version`-th version: another digest each, the same requests.
pub fn counting(name: &str, version: u64) -> Vec<u8> {
    let tables = if name == "probe" { COUNTS } else { TALLIES };
    let manifest = manifest(name, tables).replace("0.1.0", &version_text(version));
    embed_manifest(&kept_probe(), &manifest).expect("a manifest can be embedded")
}

/// How a capability tells that version.
pub fn version_text(version: u64) -> String {
    format!("0.1.{version}")
}

/// A plug-in that nothing happens to.
pub fn idle(number: u64) -> (String, Vec<u8>) {
    let name = format!("idle-{number}");
    let tables = format!(
        "[subscribes.\"idle.asked\"]\nscript = {{ type = \"texts\" }}\n\
         [sources]\n\"idle.number{number}\" = {{ type = \"text\" }}\n"
    );
    let component = probe(&name, &tables);
    (name, component)
}

fn speaker(name: &str) -> Vec<u8> {
    let tables = format!(
        "[subscribes.\"{name}.asked\"]\nscript = {{ type = \"texts\" }}\n[sources]\ncity = {{ type = \"text\" }}\n"
    );
    probe(name, &tables)
}

/// A stopped host with the plug-ins installed, which arenas start from: which tests that run together share.
pub struct Template {
    directory: TempDir,
    pub token: String,
}

/// Few partitions, so that customers share them, and a log and a view that are written in many
/// small pieces: more to be killed in.
pub const SETTINGS: &[(&str, &str)] = &[
    ("SAMSYN_REGISTRY_ACCEPT_NEW_FIELDS", "true"),
    ("SAMSYN_ENGINE_PARTITIONS", "8"),
    ("SAMSYN_LOG_SEGMENT_BYTES", "65536"),
    ("SAMSYN_AUDIT_SEGMENT_BYTES", "4096"),
    ("SAMSYN_AUDIT_KEEP_BYTES", "16384"),
    ("SAMSYN_VIEW_BATCH_ENTRIES", "8"),
    ("SAMSYN_VIEW_BATCH_MS", "50"),
    ("SAMSYN_VIEW_CACHE_BYTES", "16777216"),
    ("SAMSYN_ENGINE_WORKERS", "2"),
    ("SAMSYN_FOLLOW_COMMIT_MS", "20"),
];

/// The one that tests share that run at the same time.
pub fn template() -> Arc<Template> {
    static TEMPLATE: Mutex<Weak<Template>> = Mutex::new(Weak::new());
    shared(&TEMPLATE, Template::make)
}

impl Template {
    fn make() -> Template {
        let mut world = World::just_with(SETTINGS);
        for component in [counting("probe", 0), counting("tally", 0), probe("echo", ECHOES), speaker("old")] {
            world.install(&component);
        }
        for component in [speaker("new"), probe("watcher", WATCHES), plugin("crm"), plugin("loyalty")] {
            world.install(&component);
        }
        world.settle();
        assert!(world.stop().success());
        let directory = tempfile::tempdir().expect("a directory can be made");
        let token = world.token.clone();
        let template = Template { directory, token };
        files::copy(&world.data(), &template.data());
        template
    }

    pub fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }
}
