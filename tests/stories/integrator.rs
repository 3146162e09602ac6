//! An integrator writes a plug-in, outside the repository, with nothing but the command and cargo.

use std::path::Path;
use std::process::Command;

use serde_json::json;

use samsyn_harness::world::{Said, World, repository, samsyn, target};

#[test]
fn a_new_plug_in_builds_tests_installs_and_works_as_it_is() {
    let world = World::new();
    let directory = world.directory().join("work");
    std::fs::create_dir(&directory).expect("a directory can be made");
    let sdk = repository().join("plugins/sdk");
    let run = |arguments: &[&str]| {
        let mut command = samsyn(&directory);
        // The repository's own target directory, so that nothing is compiled anew; and no newer
        // library than the repository's own, so that the story is the same tomorrow.
        command.env("CARGO_TARGET_DIR", target()).env("CARGO_NET_OFFLINE", "true");
        command.env("SAMSYN_HOST", &world.url).env("SAMSYN_TOKEN", &world.token);
        Said::of(command.args(arguments).output().expect("the command can be run"))
    };
    run(&["plugin", "new", "visits", "--sdk", sdk.to_str().expect("its path is text")]).ok();
    let plugin = directory.join("visits");
    let tested = cargo_test(&plugin);
    assert!(tested.out.contains("test result: ok"), "{tested:?}");
    assert_eq!(run(&["plugin", "check", "visits"]).ok().err, "");
    let built = run(&["plugin", "build", "visits", "--out", "visits.wasm", "--json"]).ok();
    assert_eq!(built.json()["name"], "visits");
    assert_no_machine_paths(&std::fs::read(directory.join("visits.wasm")).expect("it was built"));
    let checked = run(&["plugin", "check", "visits.wasm", "--json"]).ok().json();
    assert_eq!((&checked["roles"], &checked["warnings"]), (&json!(["subscriber"]), &json!([])));
    run(&["plugin", "install", "visits.wasm", "--yes"]).ok();
    for order in ["A1", "A2", "A3"] {
        let property = format!("order_id={order}");
        let sent =
            ["event", "send", "--name", "order.completed", "--identifier", "customer_id=1", "--property"];
        run(&[&sent[..], &[&property, "--wait"]].concat()).ok();
    }
    assert_eq!(world.fields("1")["visits.orders"], 3);
    let shown = run(&["profile", "get", "customer_id:1"]).ok();
    assert!(shown.out.contains("visits.orders") && shown.out.contains("visits.last_order_at"), "{shown:?}");
    // The author changes it, and the host takes the new version over the old one.
    let source = plugin.join("src/lib.rs");
    let text = std::fs::read_to_string(&source).expect("its source is there");
    std::fs::write(&source, text.replace(".unwrap_or(0) + 1;", ".unwrap_or(0) + 10;"))
        .expect("it can be changed");
    run(&["plugin", "build", "visits", "--out", "visits.wasm"]).ok();
    let upgraded = run(&["plugin", "install", "visits.wasm", "--yes", "--json"]).ok().json();
    // Its author didn't count the version up.
    assert_eq!(upgraded["plan"]["change"], "same-version", "{upgraded}");
    world.happens("1", "order.completed", json!({"order_id": "A4"}));
    assert_eq!(world.fields("1")["visits.orders"], 13);
    assert_mistake_reported(&run, &plugin);
}

fn cargo_test(plugin: &Path) -> Said {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["test", "--quiet"]).current_dir(plugin);
    // A directory of its own: this cargo has other settings than the one that runs the stories.
    cargo.env("CARGO_TARGET_DIR", target().join("stories")).env("CARGO_NET_OFFLINE", "true");
    Said::of(cargo.output().expect("cargo can be run")).ok()
}

/// Where anything lies here is in no component, nor where it was fetched from.
fn assert_no_machine_paths(component: &[u8]) {
    let text = String::from_utf8_lossy(component);
    assert!(text.contains("/crates/") || text.contains("/rustc/"), "sources are named after all");
    let home = std::env::home_dir().expect("whoever runs tests has a home");
    let cargo_home = std::env::var_os("CARGO_HOME").map_or_else(|| home.join(".cargo"), Into::into);
    let temporary = std::env::temp_dir();
    for place in [home, cargo_home, repository(), target(), temporary] {
        let place = place.to_str().expect("its path is text");
        assert!(place.len() < 2 || !text.contains(place), "{place} is in the component");
    }
    for part in ["registry/src", "index.crates", ".cargo", ".rustup", "rustlib", "toolchains"] {
        assert!(!text.contains(part), "{part} is in the component");
    }
}

fn assert_mistake_reported(run: &dyn Fn(&[&str]) -> Said, plugin: &Path) {
    let manifest = plugin.join("plugin.toml");
    let text = std::fs::read_to_string(&manifest).expect("its manifest is there");
    std::fs::write(&manifest, text.replace("[sources]", "[soruces]")).expect("it can be changed");
    let said = run(&["plugin", "check", "visits"]);
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.err.contains("soruces"), "{said:?}");
    let again = run(&["plugin", "new", "visits"]);
    assert_eq!(again.code, Some(2), "it isn't written over: {again:?}");
    assert!(again.err.contains("next: "), "{again:?}");
}
