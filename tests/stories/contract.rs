//! The contract holds: what was built once keeps running, and a plug-in is given what it declared
//! and nothing else.

use samsyn::sandbox::embed_manifest;
use serde_json::json;

use samsyn_harness::components::{self, manifest};
use samsyn_harness::world::{World, repository};

#[test]
fn a_component_that_was_built_long_ago_still_runs() {
    let world = World::new();
    let manifest = std::fs::read_to_string(repository().join("tests/probe/plugin.toml"));
    // It knew no timers yet.
    let manifest = manifest.expect("the probe has a manifest").replace("timers = true\n", "");
    let component = embed_manifest(&components::kept_probe(), &manifest).expect("it can be embedded");
    let installed = world.install(&component);
    assert_eq!(installed["capability"]["name"], "probe");
    let roles = installed["capability"]["roles"].as_array().expect("roles are a list");
    for role in ["source", "subscriber", "observer"] {
        assert!(roles.iter().any(|known| known == role), "{role} is missing: {roles:?}");
    }
    world.script("old", &["integer probe.count 41", "remember it"]);
    let second =
        world.script("old", &["add probe.count", "recall probe.note", "emit probe.pinged add probe.count"]);
    assert_eq!(second["outcomes"][0]["emitted"], json!(["probe.pinged"]), "{second}");
    world.settle();
    let fields = world.fields("old");
    assert_eq!(fields["probe.note"], "it", "{fields}");
    assert_eq!(fields["probe.count"], 42, "nobody hears of their own: {fields}");
    let proposed = world.propose("old", json!({"probe.note": "!shout again"}));
    assert_eq!(proposed["fields"]["probe.note"]["value"], "AGAIN");
}

#[test]
fn a_plug_in_is_shown_what_it_declared_and_nothing_else() {
    let world = World::shared();
    let keeper = "[subscribes.\"keeper.asked\"]\nscript = { type = \"texts\" }\n\
        [sources]\nlooked_nickname = { type = \"text\" }\nlooked_secret = { type = \"text\" }\n";
    let looker = "[subscribes.\"looked.at\"]\nscript = { type = \"texts\" }\n\
        [sources]\n\"looker.seen\" = { type = \"text\" }\n\
        [consumes]\nlooked_nickname = { purposes = [\"service\"] }\n";
    world.install(&components::probe("keeper", keeper));
    world.install(&components::probe("looker", looker));
    let values = json!({"looked_nickname": "Visible-Nickname", "looked_secret": "Hidden-Secret"});
    let proposed = world.propose("looked-at", values);
    assert_eq!(proposed["fields"]["looked_secret"]["outcome"], "accepted", "{proposed}");
    let event = json!({
        "id": "Event-Id", "name": "looked.at",
        "identifiers": {"customer_id": "looked-at", "email": "hidden@example.com"},
        "properties": {"script": ["see looker.seen"], "card": "Hidden-Card"},
    });
    let decided = world.event(&event);
    assert_eq!(decided["state"], "decided", "{decided}");
    let fields = world.fields("looked-at");
    let seen = fields["looker.seen"].as_str().unwrap_or_else(|| panic!("it saw nothing: {fields}"));
    for declared in ["Visible-Nickname", "looked-at", "Event-Id", "see looker.seen"] {
        assert!(seen.contains(declared), "{declared} was declared: {seen}");
    }
    for undeclared in ["Hidden", "hidden@", "looked_secret", "card", "email"] {
        assert!(!seen.contains(undeclared), "{undeclared} was not declared: {seen}");
    }
}

#[test]
fn a_plug_in_cannot_say_what_it_did_not_declare() {
    let world = World::shared();
    let tables = "[subscribes.\"stranger.asked\"]\nscript = { type = \"texts\" }\n\
        [sources]\n\"stranger.note\" = { type = \"text\" }\n";
    let component = embed_manifest(&components::kept_probe(), &manifest("stranger", tables));
    world.install(&component.expect("a manifest can be embedded"));
    world.script("strange", &["text probe.note its source's"]);
    let tried = |command: &str| world.happens("strange", "stranger.asked", json!({"script": [command]}));
    // The probe takes a refusal for an error, so the delivery is parked, and nothing of it happens.
    let foreign = tried("text probe.note a stranger's");
    assert_eq!(foreign["outcomes"][0]["result"], "parked", "{foreign}");
    let reason = foreign["outcomes"][0]["reason"].as_str().unwrap_or_default();
    assert!(reason.contains("probe.note"), "{foreign}");
    assert_eq!(world.fields("strange"), json!({"probe.note": "its source's"}));
    let claims = world.profile("strange");
    assert_eq!(claims["claims"]["probe.note"].as_array().map(Vec::len), Some(1), "{claims}");
}
