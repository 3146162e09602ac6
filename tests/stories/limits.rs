//! What a component is checked against, without a host: the limits of the host that is to take it.

use std::fs;

use samsyn::sandbox::embed_manifest;
use samsyn_harness::components::{self, manifest, plugin_file};
use samsyn_harness::world::{Said, repository, samsyn};

#[test]
fn a_check_keeps_to_the_limits_of_the_host_that_is_meant() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let path = |name: &str| directory.path().join(name);
    let composed = fs::read(repository().join("tests/fixtures/composed-0.1.0.wasm")).expect("it is kept");
    let tables = "[subscribes.\"order.completed\"]\n";
    let composed = embed_manifest(&composed, &manifest("composed", tables)).expect("it can be embedded");
    fs::write(path("composed.wasm"), composed).expect("it can be written");
    let probe = components::probe("probe", components::USUAL);
    fs::write(path("probe.wasm"), probe).expect("it can be written");
    let composed = path("composed.wasm");
    let probe = path("probe.wasm");
    let table = [
        ("component_bytes", 1_000, &probe),
        ("manifest_bytes", 10, &probe),
        ("manifest_bytes", 10, &repository().join("plugins/loyalty")),
        ("memories", 1, &composed),
        ("tables", 0, &probe),
        ("instances", 1, &probe),
        ("memory_bytes", 65_536, &composed),
        ("compile_time_ms", 0, &probe),
        ("stack_bytes", 2 << 20, &probe),
        ("customer_bytes", 48 << 10, &probe),
    ];
    for (setting, value, file) in table {
        let config = path("samsyn.toml");
        fs::write(&config, format!("[sandbox]\n{setting} = {value}\n")).expect("it can be written");
        let check = |more: &[&str]| {
            let mut command = samsyn(directory.path());
            command.args(["plugin", "check"]).arg(file).args(more);
            Said::of(command.env_remove("SAMSYN_HOST").output().expect("the command can be run"))
        };
        check(&[]).ok();
        let said = check(&["--config", config.to_str().expect("a path is text")]);
        assert_ne!(said.code, Some(0), "{setting}: {}", said.out);
        assert!(said.err.contains(setting), "{setting}: {}", said.err);
    }
    // A built plug-in of ours is fine within the usual ones, and a mistyped setting is told.
    let config = path("samsyn.toml");
    fs::write(&config, "[sandbox]\nmemoris = 1\n").expect("it can be written");
    let mut command = samsyn(directory.path());
    command.args(["plugin", "check"]).arg(plugin_file("loyalty")).arg("--config").arg(&config);
    let said = Said::of(command.output().expect("the command can be run"));
    assert!(said.code != Some(0) && said.err.contains("memoris"), "{}", said.err);
}
