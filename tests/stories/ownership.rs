//! Who owns a data point, as an admin arranges it: sources that come, go and change, and everyone
//! who reads the value and must hear of it.

use serde_json::{Value, json};

use crate::customer::shop;
use samsyn_harness::components::{self, probe};
use samsyn_harness::world::{World, until};

/// Sources one text field of this name, and does scripts of events of its own.
fn keeper(name: &str, field: &str) -> Vec<u8> {
    let tables = format!(
        "[subscribes.\"{name}.asked\"]\nscript = {{ type = \"texts\" }}\n[sources]\n{field} = {{ type = \"text\" }}\n"
    );
    probe(name, &tables)
}

#[test]
fn who_reads_a_field_hears_of_what_everyone_sees_and_nothing_else() {
    let world = World::new();
    world.install(&keeper("first", "nickname"));
    world.install(&keeper("second", "nickname"));
    let watcher = "[sources]\n\"probe.seen\" = { type = \"text\" }\n\
        [consumes]\nnickname = { purposes = [\"service\"], notify = true }\n";
    world.install(&probe("watcher", watcher));
    let seen = |value: &str| {
        until(&format!("the watcher hears {value:?}"), || {
            (world.fields("kim")["probe.seen"] == value).then_some(())
        });
    };
    world.happens("kim", "second.asked", json!({"script": ["text nickname Kimmie"]}));
    world.settle();
    assert_eq!(world.fields("kim"), json!({}), "nobody sees or hears what isn't the source's");
    world.happens("kim", "first.asked", json!({"script": ["text nickname Kim"]}));
    seen("nickname=Kim");
    world.happens("kim", "second.asked", json!({"script": ["text nickname Kimmi"]}));
    world.settle();
    seen("nickname=Kim");
    let reads = |world: &World| world.status()["sandboxes"].clone();
    let before = reads(&world);
    world.happens("kim", "first.asked", json!({"script": ["text nickname Kim"]}));
    world.settle();
    assert_eq!(reads(&world), json!(before.as_u64().unwrap_or(0) + 1), "an equal value is no change");
    world.assign("nickname", json!("second"));
    assert_eq!(world.fields("kim")["nickname"], "Kimmi");
    world.happens("kim", "second.asked", json!({"script": ["text nickname Kimberly"]}));
    seen("nickname=Kimberly");
    world.happens("kim", "second.asked", json!({"script": ["clear nickname"]}));
    seen("nickname=-");
}

#[test]
fn what_is_proposed_before_there_is_a_source_is_held_for_admins_to_see() {
    let world = World::new();
    for field in ["first_name", "country"] {
        world
            .json("PUT", &format!("/v1/fields/{field}"), &json!({"type": "text", "class": "personal"}))
            .of(200);
    }
    let held = world.propose("early", json!({"first_name": "  Ada ", "country": "Narnia"}));
    assert_eq!(held["fields"]["first_name"]["outcome"], "no-source", "{held}");
    assert_eq!(world.fields("early"), json!({}));
    let claim = world.profile("early")["claims"]["first_name"][0].clone();
    assert_eq!((&claim["by"], &claim["visible"]), (&json!("app:admin"), &json!(false)));
    world.install(&components::plugin("crm"));
    let decided = world.propose("early", json!({"first_name": "  Ada "}));
    assert_eq!(decided["fields"]["first_name"]["outcome"], "accepted-in-another-form", "{decided}");
    assert_eq!(world.fields("early"), json!({"first_name": "Ada"}));
    let claims = world.profile("early")["claims"]["first_name"].clone();
    assert_eq!(claims.as_array().map(Vec::len), Some(1), "what was held is answered: {claims}");
}

#[test]
fn two_customers_with_one_address_stay_two_and_the_first_is_found_by_it() {
    let world = World::new();
    world.install(&components::plugin("crm"));
    let address = json!({"email": "family@example.com"});
    let first = world.propose("parent", address.clone())["profile"].clone();
    let second = world.propose("child", address.clone());
    assert_eq!(second["fields"]["email"]["outcome"], "accepted", "{second}");
    assert_ne!(second["profile"], first);
    let found = || world.json("POST", "/v1/profiles/lookup", &address).of(200)["id"].clone();
    assert_eq!(found(), first);
    // When the first one moves on, the address leads to nobody until somebody says it again.
    world.propose("parent", json!({"email": "parent@example.com"}));
    let moved = world.json("POST", "/v1/profiles/lookup", &json!({"email": "parent@example.com"})).of(200);
    assert_eq!(moved["id"], first);
    assert_eq!(world.fields("child")["email"], "family@example.com");
    let whose = world.json("POST", "/v1/profiles/lookup", &address);
    assert!(whose.status == 404 || whose.json()["id"] == second["profile"], "{whose:?}");
}

#[test]
fn what_one_capability_says_happened_the_others_hear() {
    let world = shop();
    let listener = "[subscribes.\"loyalty.tier_reached\"]\ntier = { type = \"text\" }\nscript = { type = \"texts\" }\n\
        [subscribes.\"probe.pinged\"]\nscript = { type = \"texts\" }\n[sources]\n\"heard.note\" = { type = \"text\" }\n";
    world.install(&probe("listener", listener));
    let pinger = "[subscribes.\"pinger.asked\"]\nscript = { type = \"texts\" }\n\
        [emits.\"probe.pinged\"]\nscript = { type = \"texts\" }\n";
    world.install(&probe("pinger", pinger));
    world.happens("lea", "order.completed", json!({"order_id": "1", "amount": 100}));
    let asked =
        world.happens("lea", "pinger.asked", json!({"script": ["emit probe.pinged text heard.note ping"]}));
    until("the listener hears it", || (world.fields("lea")["heard.note"] == "ping").then_some(()));
    let profile = world.profile("lea");
    assert_eq!(profile["meta"]["heard.note"]["source"], "listener");
    world.settle();
    let timeline = world.get("/v1/profiles/customer_id:lea/timeline").of(200);
    let items: Vec<&Value> = timeline["items"].as_array().into_iter().flatten().collect();
    let emitted: Vec<&&Value> = items.iter().filter(|item| item["kind"] == "emitted").collect();
    let names: Vec<&Value> = emitted.iter().map(|item| &item["event"]["name"]).collect();
    assert_eq!(names, ["probe.pinged", "loyalty.tier_reached"], "{timeline}");
    let cause = emitted[0]["cause"].as_str().unwrap_or_default();
    let asked_at = asked["outcomes"][0]["position"].as_str().expect("a position is text");
    assert!(
        cause.starts_with(asked_at) || asked["position"] == cause,
        "{cause} is not {asked_at}: {timeline}"
    );
    // Applications can't say what only capabilities may.
    let faked = world.happens("lea", "loyalty.tier_reached", json!({"tier": "gold"}));
    assert_eq!(faked["state"], "decided", "{faked}");
}

#[test]
fn a_mended_plug_in_gets_what_it_failed_at() {
    let world = World::new();
    let sources = |field: &str| {
        let tables = "[subscribes.\"mend.*\"]\nscript = { type = \"texts\" }\n[sources]\n";
        probe("mended", &format!("{tables}\"{field}\" = {{ type = \"integer\" }}\n"))
    };
    // Its first version declares no such field, so claiming it is an error.
    world.install(&sources("mend.other"));
    let failed = world.happens("mo", "mend.asked", json!({"script": ["add mend.count"]}));
    assert_eq!(failed["state"], "parked", "{failed}");
    world.happens("mo", "mend.asked", json!({"script": ["add mend.count"]}));
    let plan = world.post_component("?dry_run=true", &sources("mend.count")).of(200);
    assert_eq!(plan["change"], "same-version");
    world.install(&sources("mend.count"));
    until("both are delivered", || (world.fields("mo")["mend.count"] == 2).then_some(()));
    assert_eq!(world.get("/v1/parked").of(200)["items"], json!([]));
}

#[test]
fn a_plug_in_that_was_removed_can_start_again_from_the_oldest_event() {
    let world = World::new();
    let counter = components::probe("probe", components::USUAL);
    world.install(&counter);
    for _ in 0..3 {
        world.script("anew", &["add probe.count", "remember the old days"]);
    }
    assert_eq!(world.send("DELETE", "/v1/capabilities/probe?force=true", &[], b"").status, 204);
    world.script("anew", &["add probe.count"]);
    world.post_component("?from=start", &counter).of(201);
    until("it has caught up", || {
        (world.get("/v1/capabilities/probe").of(200)["state"] == "active").then_some(())
    });
    world.settle();
    let again = world.script("anew", &["add probe.count", "recall probe.note"]);
    assert_eq!(again["state"], "decided", "{again}");
    let fields = json!({"probe.count": 5, "probe.note": "the old days"});
    assert_eq!(world.fields("anew"), fields, "each event once, with an empty memory at first");
}

#[test]
fn a_mended_plug_in_leaves_its_quarantine() {
    let world = World::with(&[("SAMSYN_ENGINE_QUARANTINE_AFTER", "3")]);
    let sources = |field: &str| {
        let tables = "[subscribes.\"mend.*\"]\nscript = { type = \"texts\" }\n[sources]\n";
        probe("mended", &format!("{tables}\"{field}\" = {{ type = \"integer\" }}\n"))
    };
    world.install(&sources("mend.other"));
    for customer in 0..3 {
        world.happens(&format!("m{customer}"), "mend.asked", json!({"script": ["panic again"]}));
    }
    let state = || world.get("/v1/capabilities/mended").of(200);
    until("it is quarantined", || (state()["state"] == "quarantined").then_some(()));
    world.happens("waits", "mend.asked", json!({"script": ["add mend.count"]}));
    let skip = json!({"capability": "mended", "reason": "they would panic again"});
    assert_eq!(world.json("POST", "/v1/parked/skip", &skip).of(202)["matched"], 3);
    world.install(&sources("mend.count"));
    until("it is active again", || (state()["state"] == "active").then_some(()));
    until("what waited is delivered", || (world.fields("waits")["mend.count"] == 1).then_some(()));
    until("nothing is parked", || (state()["parked"] == 0).then_some(()));
}
