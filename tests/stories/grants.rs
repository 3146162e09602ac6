//! A manifest requests, the registry grants: upgrades that want more wait, what was granted can be
//! taken back, and a field that a plug-in brings waits for somebody to accept it.

use serde_json::{Value, json};

use samsyn_harness::caller::Caller;
use samsyn_harness::components::{self, probe};
use samsyn_harness::world::World;

/// Hears events of its own and sources a note; more as the tables say.
fn reader(more: &str) -> Vec<u8> {
    let tables = "[subscribes.\"reader.asked\"]\nscript = { type = \"texts\" }\n[sources]\n\"reader.note\" = { type = \"text\" }\n";
    probe("reader", &format!("{tables}{more}"))
}

/// A host where a nickname is sourced, and the reader installed.
fn world() -> World {
    let world = World::new();
    world.install(&probe("keeper", "[sources]\nnickname = { type = \"text\" }\n"));
    world.propose("kim", json!({"nickname": "Kimmie"}));
    world
}

fn noted(world: &World) -> Value {
    world.happens("kim", "reader.asked", json!({"script": ["copy nickname reader.note"]}));
    world.settle();
    world.fields("kim")["reader.note"].clone()
}

const READS: &str = "[consumes]\nnickname = { purposes = [\"service\"] }\n";

#[test]
fn an_upgrade_that_wants_more_waits_until_an_admin_has_looked_at_it() {
    let world = world();
    world.install(&reader(""));
    assert_eq!(noted(&world), "-");
    let file = world.file("reader.wasm", reader(READS));
    let sent = world.run(&["plugin", "install", &file, "--leave-pending", "--yes"]).ok();
    assert!(sent.out.contains("waits for approval") && sent.out.contains("read nickname"), "{sent:?}");
    assert!(sent.out.contains("samsyn plugin approve reader"), "{sent:?}");
    assert_eq!(noted(&world), "-", "the old version runs on");
    let shown = world.get("/v1/capabilities/reader").of(200);
    assert_eq!(shown["pending"]["wants"]["reads"], json!(["nickname"]), "{shown}");
    let listed = world.run(&["plugin", "list"]).ok();
    assert!(listed.out.contains("waits for approval"), "{listed:?}");
    assert_eq!(world.run(&["plugin", "approve", "reader"]).code, Some(2), "nobody can be asked");
    world.run(&["plugin", "reject", "reader", "--yes", "--reason", "not yet"]).ok();
    let nothing = world.run(&["plugin", "approve", "reader", "--yes"]);
    assert_eq!(nothing.code, Some(1), "{nothing:?}");
    let refused = world.send("POST", "/v1/capabilities/reader/approve", &[], b"");
    assert_eq!((refused.status, refused.problem()), (409, "nothing-pending".to_owned()));
    assert_eq!(world.post_component("", &reader(READS)).of(202)["pending"], true);
    let other =
        world.send("POST", &format!("/v1/capabilities/reader/approve?digest={}", "0".repeat(64)), &[], b"");
    assert_eq!(other.problem(), "nothing-pending", "only what was looked at is approved");
    let approved = world.run(&["plugin", "approve", "reader", "--yes", "--reason", "agreed"]).ok();
    assert!(approved.err.contains("read nickname"), "{approved:?}");
    assert_eq!(noted(&world), "Kimmie");
    // The same again asks for nothing more.
    assert_eq!(world.post_component("", &reader(READS)).of(201)["pending"], false);
    let ads = READS.replace("service", "service\", \"advertising");
    let purposes = world.post_component("?dry_run=true", &reader(&ads)).of(200);
    assert_eq!(purposes["wants"]["reads"], json!(["nickname"]), "another purpose is more: {purposes}");
    assert_eq!(purposes["reads"][0]["new_purposes"], json!(["advertising"]));
}

#[test]
fn saying_yes_to_the_plan_approves_it() {
    let world = world();
    world.install(&reader(""));
    let file = world.file("reader.wasm", reader(READS));
    let installed = world.run(&["plugin", "install", &file, "--yes"]).ok();
    assert!(installed.out.contains("requests new grants"), "{installed:?}");
    assert_eq!(noted(&world), "Kimmie");
}

#[test]
fn a_grant_is_taken_back_and_the_next_call_sees_nothing() {
    let world = world();
    world.install(&reader(READS));
    assert_eq!(noted(&world), "Kimmie");
    let revoked =
        world.run(&["plugin", "revoke", "reader", "--field", "nickname", "--yes", "--reason", "DP-3"]).ok();
    assert!(revoked.err.contains("may no longer read nickname"), "{revoked:?}");
    assert_eq!(noted(&world), "-");
    let shown = world.run(&["plugin", "show", "reader"]).ok();
    assert!(shown.out.contains("may not read nickname"), "{shown:?}");
    // A new version doesn't get it back, and isn't stopped by it either.
    let plan = world.post_component("?dry_run=true", &reader(READS)).of(200);
    assert_eq!(
        (&plan["withheld"]["reads"], &plan["wants"]["reads"]),
        (&json!(["nickname"]), &json!([])),
        "{plan}"
    );
    world.post_component("", &reader(READS)).of(201);
    assert_eq!(noted(&world), "-");
    world.run(&["plugin", "grant", "reader", "--field", "nickname", "--yes"]).ok();
    assert_eq!(noted(&world), "Kimmie");
    world.run(&["plugin", "revoke", "reader", "--event", "reader.asked", "--yes"]).ok();
    let unheard = world.happens("kim", "reader.asked", json!({"script": ["text reader.note heard"]}));
    assert_eq!(unheard["outcomes"], json!([]), "{unheard}");
    let source = world.run(&["plugin", "revoke", "reader", "--field", "reader.note", "--yes", "--json"]);
    assert_eq!((source.code, &source.json()["code"]), (Some(1), &json!("still-source")), "{source:?}");
    let beyond =
        world.json("PATCH", "/v1/capabilities/reader/grant", &json!({"grant": {"reads": ["reader.note"]}}));
    assert_eq!((beyond.status, beyond.problem()), (409, "not-requested".to_owned()));
    let mistyped =
        world.json("PATCH", "/v1/capabilities/reader/grant", &json!({"revoke": {"read": ["nickname"]}}));
    assert_eq!(mistyped.problem(), "unknown-key");
}

#[test]
fn claims_that_may_no_longer_be_made_are_refused_and_nobody_sees_the_old_ones_as_values() {
    let world = world();
    let rival = "nickname = { type = \"text\" }\n";
    world.install(&reader(rival));
    world.happens("kim", "reader.asked", json!({"script": ["text nickname Kimberly"]}));
    world.run(&["plugin", "revoke", "reader", "--field", "nickname", "--yes"]).ok();
    let refused = world.happens("kim", "reader.asked", json!({"script": ["text nickname K"]}));
    assert!(refused.to_string().contains("field.not-sourced"), "{refused}");
    let assigned = world.json("PUT", "/v1/fields/nickname/source", &json!({"capability": "reader"}));
    assert_eq!(assigned.problem(), "not-declared");
    let field = world.get("/v1/fields/nickname").of(200);
    assert_eq!(field["claimed_by"], json!(["keeper"]));
}

#[test]
fn what_a_plug_in_brings_waits_to_be_accepted_and_loses_nothing() {
    let world = World::just_with(&[]);
    let file = world.file("probe.wasm", probe("probe", components::USUAL));
    let installed = world.run(&["plugin", "install", &file, "--yes"]).ok();
    assert!(installed.out.contains("samsyn field accept probe.note"), "{installed:?}");
    let field = world.get("/v1/fields/probe.note").of(200);
    assert_eq!(
        (&field["status"], &field["proposed_by"], &field["source"]),
        (&json!("proposed"), &json!("probe"), &Value::Null)
    );
    assert_eq!(field["department"], "Stories", "its owner answers for it");
    world.script("ida", &["text probe.note first"]);
    assert_eq!(world.fields("ida"), json!({}), "only admins see it");
    assert_eq!(world.profile("ida")["claims"]["probe.note"][0]["value"], "first");
    let listed = world.run(&["field", "list"]).ok();
    assert!(listed.out.contains("probe waits"), "{listed:?}");
    world.run(&["field", "accept", "probe.note", "--yes", "--reason", "agreed"]).ok();
    assert_eq!(world.fields("ida"), json!({"probe.note": "first"}), "what was said meanwhile is not lost");
    // Defining one accepts it too; the rest at once.
    world.json("PUT", "/v1/fields/probe.count", &json!({"type": "integer", "unit": "calls"})).of(200);
    assert_eq!(world.get("/v1/fields/probe.count").of(200)["source"], "probe");
    world.run(&["field", "accept", "--all", "--yes"]).ok();
    let waiting = world.get("/v1/fields").of(200).to_string();
    assert!(!waiting.contains("\"proposed\""), "{waiting}");
    let nothing = world.run(&["field", "accept", "--all", "--yes"]).ok();
    assert!(nothing.out.contains("no field waits"), "{nothing:?}");
}

#[test]
fn what_an_upgrade_brings_can_be_accepted_with_it() {
    let world = World::just_with(&[]);
    let installed = world.file("reader.wasm", reader(""));
    world.run(&["plugin", "install", &installed, "--accept-fields", "--yes"]).ok();
    let mood = "\"reader.mood\" = { type = \"text\" }\n\"reader.pace\" = { type = \"text\" }\n";
    let upgrade = world.file("upgrade.wasm", reader(mood));
    let sent = world.run(&["plugin", "install", &upgrade, "--leave-pending", "--yes"]).ok();
    assert!(sent.out.contains("make claims for reader.mood"), "{sent:?}");
    world.run(&["plugin", "approve", "reader", "--accept-fields", "--yes"]).ok();
    for field in ["reader.mood", "reader.pace"] {
        let field = world.get(&format!("/v1/fields/{field}")).of(200);
        assert_eq!((&field["source"], &field["proposed_by"]), (&json!("reader"), &Value::Null), "{field}");
    }
    world.happens("kim", "reader.asked", json!({"script": ["text reader.mood fine"]}));
    assert_eq!(world.fields("kim")["reader.mood"], "fine");
}

#[test]
fn what_plug_ins_may_do_is_for_admins_to_decide() {
    let world = world();
    world.install(&reader(""));
    let asked = json!({"name": "pipeline", "scopes": ["registry:write", "registry:read"]});
    let made = world.json("POST", "/v1/tokens", &asked).of(201);
    let token = made["secret"].as_str().expect("it is told once").to_owned();
    let pipeline = Caller::new(world.url.clone(), token);
    let sent = pipeline.post_component("", &reader(READS)).of(202);
    assert_eq!(sent["pending"], true, "a pipeline sends an upgrade, and it waits");
    let nickname = json!({"grant": {"reads": ["nickname"]}});
    let revision = world.status()["registry_revision"].clone();
    let file = "registry = 1\n[grants.reader]\nhears = []\n";
    let headers = [("content-type", "application/toml")];
    for refused in [
        pipeline.post_component("?approve=true", &reader(READS)),
        pipeline.send("POST", "/v1/capabilities/reader/approve", &[], b""),
        pipeline.send("POST", "/v1/capabilities/reader/reject", &[], b""),
        pipeline.json("PATCH", "/v1/capabilities/reader/grant", &nickname),
        pipeline.send("POST", &format!("/v1/registry/apply?revision={revision}"), &headers, file.as_bytes()),
    ] {
        assert_eq!((refused.status, refused.problem()), (403, "scope-missing".to_owned()));
        assert!(refused.text.contains("admin"), "{refused:?}");
    }
    assert_eq!(world.status()["registry_revision"], revision, "nothing was changed");
}

#[test]
fn a_field_is_defined_deprecated_and_removed_when_nobody_uses_it() {
    let world = world();
    let untyped = world.run(&["field", "define", "fax", "--unit", "pages"]);
    assert!(untyped.code == Some(2) && untyped.err.contains("--type"), "{untyped:?}");
    assert_eq!(world.run(&["field", "define", "fax", "--type", "text"]).code, Some(2), "nobody can be asked");
    let schema = world.file("fax.json", "{\"pattern\": \"^[0-9]+$\"}");
    world
        .run(&[
            "field", "define", "fax", "--type", "text", "--class", "personal", "--schema", &schema, "--yes",
        ])
        .ok();
    world.run(&["field", "define", "fax", "--department", "Service", "--compare", "digits", "--yes"]).ok();
    let fax = world.get("/v1/fields/fax").of(200);
    assert_eq!(
        (&fax["class"], &fax["department"], &fax["compare"]),
        (&json!("personal"), &json!("Service"), &json!("digits"))
    );
    assert_eq!(fax["schema"], json!({"pattern": "^[0-9]+$"}));
    world.run(&["field", "deprecate", "fax", "--note", "use phone", "--yes"]).ok();
    let plan =
        world.post_component("?dry_run=true", &reader("[consumes]\nfax = { purposes = [\"service\"] }\n"));
    let plan = plan.of(200);
    assert!(plan["warnings"].to_string().contains("deprecated: use phone"), "{plan}");
    world.run(&["field", "deprecate", "fax", "--undo", "--yes"]).ok();
    assert_eq!(world.get("/v1/fields/fax").of(200)["deprecated"], Value::Null);
    let used = world.run(&["field", "remove", "nickname", "--yes", "--json"]);
    assert_eq!((used.code, &used.json()["code"]), (Some(1), &json!("field-in-use")), "{used:?}");
    world.run(&["field", "remove", "fax", "--yes", "--reason", "the last one left"]).ok();
    assert_eq!(world.get("/v1/fields/fax").status, 404);
    let retyped = world.run(&["field", "define", "nickname", "--type", "integer", "--yes"]);
    assert!(retyped.code == Some(1) && retyped.err.contains("another name"), "{retyped:?}");
    world
        .run(&["identifier", "define", "loyalty_card", "--normaliser", "exact", "--strength", "80", "--yes"])
        .ok();
    let listed = world.run(&["identifier", "list"]).ok();
    assert!(listed.out.contains("loyalty_card"), "{listed:?}");
}
