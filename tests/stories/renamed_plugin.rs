//! A host on which the service desk's plug-in is installed under its former name.
//!
//! It was called `contacts` and heard `contact.updated`. A capability keeps the name it was installed
//! with, so such a host goes on as it is; docs/changelog.md says how it goes over to `service-desk`.

use std::fs;

use samsyn::sandbox::embed_manifest;
use serde_json::{Value, json};

use samsyn_harness::components;
use samsyn_harness::world::{World, repository};

/// The plug-in as it was: the same handlers under the old manifest.
fn former() -> Vec<u8> {
    let manifest = fs::read_to_string(repository().join("plugins/service-desk/plugin.toml"));
    let manifest = manifest.expect("the manifest can be read");
    let former = manifest
        .replace("name = \"service-desk\"", "name = \"contacts\"")
        .replace("\"card.updated\"", "\"contact.updated\"");
    assert!(former.contains("name = \"contacts\"") && former.contains("subscribes.\"contact.updated\""));
    embed_manifest(&components::plugin("service-desk"), &former).expect("a manifest can be embedded")
}

/// Which capabilities heard of an event that was decided.
fn heard(event: &Value) -> Vec<&str> {
    let outcomes = event["outcomes"].as_array().into_iter().flatten();
    outcomes.filter_map(|outcome| outcome["capability"].as_str()).collect()
}

fn save_card(world: &World, event: &str, name: &str) -> Value {
    world.happens("anna", event, json!({"name": name, "country": "SE"}))
}

fn assert_source(world: &World, source: &str, first_name: &str) {
    assert_eq!(world.get("/v1/fields/first_name").of(200)["source"], source);
    assert_eq!(world.fields("anna")["first_name"], first_name);
    assert_eq!(world.fields("anna")["country"], "SE");
}

#[test]
fn the_service_desk_of_the_former_name_stays_and_goes_over_when_an_admin_wants() {
    let mut world = World::new();
    world.install(&former());
    let event = save_card(&world, "contact.updated", "BERG, anna");
    assert_eq!(heard(&event), ["contacts"], "{event}");
    assert_source(&world, "contacts", "Anna");
    opens_again(&mut world);
    goes_over(&world);
}

/// The log, a snapshot of it and a backup hold the old names, and all three are read.
fn opens_again(world: &mut World) {
    world.run(&["snapshot", "make"]).ok();
    assert!(world.stop().success());
    let backup = world.directory().join("backup").to_str().expect("its path is text").to_owned();
    let data = world.data().to_str().expect("its path is text").to_owned();
    world.run(&["backup", &backup, "--data", &data]).ok();
    world.run(&["restore", &backup, "--data", &data, "--replace", "--yes"]).ok();
    world.start();
    assert_source(world, "contacts", "Anna");
    let event = save_card(world, "contact.updated", "Eva Berg");
    assert_eq!(heard(&event), ["contacts"], "{event}");
    assert_source(world, "contacts", "Eva");
    let file = world.file("contacts.wasm", former());
    let report = world.run(&["plugin", "replay", &file, "--json"]).ok().json();
    assert_eq!(report["different"], 0, "{report}");
    assert!(report["deliveries"].as_u64() >= Some(2), "{report}");
}

/// As docs/changelog.md says.
fn goes_over(world: &World) {
    let successor = components::plugin_file("service-desk");
    world.run(&["plugin", "install", successor.to_str().expect("its path is text"), "--yes"]).ok();
    let event = save_card(world, "contact.updated", "Ida Berg");
    assert_eq!(heard(&event), ["contacts"], "{event}");
    let event = save_card(world, "card.updated", "Mia Berg");
    assert_eq!(heard(&event), ["service-desk"], "{event}");
    assert_source(world, "contacts", "Ida");
    let assign = ["field", "assign", "--from", "contacts", "service-desk", "--all", "--inherit", "--yes"];
    world.run(&assign).ok();
    assert_source(world, "service-desk", "Mia");
    world.run(&["plugin", "remove", "contacts", "--yes"]).ok();
    let event = save_card(world, "contact.updated", "Pia Berg");
    assert!(heard(&event).is_empty(), "nobody hears the old name any more: {event}");
    assert_source(world, "service-desk", "Mia");
}
