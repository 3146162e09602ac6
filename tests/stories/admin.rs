//! A platform admin installs plug-ins, says who is the source of what, and looks after failures.

use serde_json::{Value, json};

use crate::customer::shop;
use samsyn_harness::components::{self, USUAL, plugin_file};
use samsyn_harness::world::{World, until};

#[test]
fn installing_shows_a_plan_and_asks() {
    let world = World::new();
    let file = plugin_file("crm");
    let file = file.to_str().expect("its path is text");
    let asked = world.run(&["plugin", "install", file]);
    assert_eq!(asked.code, Some(2), "nobody can be asked: {asked:?}");
    assert!(asked.err.contains("phone") && asked.err.contains("--yes"), "{asked:?}");
    let plan = world.run(&["plugin", "install", file, "--dry-run", "--json"]).ok().json();
    assert_eq!((&plan["capability"], &plan["change"]), (&json!("crm"), &json!("install")));
    assert!(world.run(&["plugin", "list", "--json"]).ok().json_lines().is_empty(), "nothing was installed");
    let installed = world.run(&["plugin", "install", file, "--yes"]).ok();
    assert!(
        installed.out.contains("becomes its source") && installed.out.contains("installed crm 0.1.0"),
        "{installed:?}"
    );
    // The second one for a field makes claims only, and the plan says so.
    let sms = plugin_file("sms");
    let plan = world.post_component("?dry_run=true", &components::plugin("sms")).of(200);
    let country =
        plan["sources"].as_array().into_iter().flatten().find(|source| source["field"] == "country");
    let country = country.unwrap_or_else(|| panic!("no country: {plan}"));
    assert_eq!((&country["now"], &country["becomes_source"]), (&json!("crm"), &json!(false)));
    assert_eq!(plan["reads"][0]["field"], "phone");
    let installed = world.run(&["plugin", "install", sms.to_str().expect("its path is text"), "--yes"]).ok();
    assert!(installed.out.contains("crm stays its source"), "{installed:?}");
    let again = world.post_component("?dry_run=true", &components::plugin("sms")).of(200);
    assert_eq!(again["change"], "reinstall");
    let field = world.get("/v1/fields/country").of(200);
    assert_eq!((&field["source"], &field["claimed_by"]), (&json!("crm"), &json!(["crm", "sms"])));
}

#[test]
fn two_capabilities_disagree_and_the_admin_decides() {
    let world = shop();
    world.propose("eva", json!({"country": "Sweden", "phone": "+47 406 12 345"}));
    world.settle();
    let seen = |by: &str| {
        let profile = world.profile("eva");
        let claims = profile["claims"]["country"].as_array().into_iter().flatten();
        let claim = claims.clone().find(|claim| claim["by"] == by).cloned();
        claim.map(|claim| (claim["value"].clone(), claim["visible"].clone()))
    };
    assert_eq!(seen("crm"), Some((json!("SE"), json!(true))));
    assert_eq!(seen("sms"), Some((json!("NO"), json!(false))));
    assert_eq!(world.fields("eva")["country"], "SE");
    let to_others = world.get("/v1/profiles/customer_id:eva").of(200);
    assert!(to_others.get("claims").is_none(), "claims are shown when asked for: {to_others}");
    let field = world.assign("country", json!("sms"));
    assert_eq!(field["source"], "sms");
    assert_eq!(world.fields("eva")["country"], "NO");
    assert_eq!(seen("crm"), Some((json!("SE"), json!(false))));
    world.run(&["field", "assign", "country", "crm", "--yes"]).ok();
    assert_eq!(world.fields("eva")["country"], "SE");
    let meta = &world.profile("eva")["meta"]["country"];
    assert_eq!(meta["source"], "crm");
    let undeclared = world.json("PUT", "/v1/fields/country/source", &json!({"capability": "loyalty"}));
    assert_eq!(undeclared.problem(), "not-declared");
    change_settings(&world);
    remove_the_source(&world);
}

fn change_settings(world: &World) {
    let order = |id: &str| {
        world.happens("eva", "order.completed", json!({"order_id": id, "amount": 10}));
        world.fields("eva")["loyalty.points"].clone()
    };
    assert_eq!(order("1"), 10);
    world.run(&["plugin", "set", "loyalty", "points_per_unit=2", "--dry-run"]).ok();
    assert_eq!(order("2"), 20);
    world.run(&["plugin", "set", "loyalty", "points_per_unit=2.5"]).ok();
    assert_eq!(order("3"), 45);
    let wrong = world.run(&["plugin", "set", "loyalty", "points_per_unt=3", "--json"]);
    assert_eq!((wrong.code, &wrong.json()["code"]), (Some(1), &json!("definition-invalid")), "{wrong:?}");
    world.run(&["plugin", "set", "loyalty", "points_per_unit=null"]).ok();
    assert_eq!(order("4"), 55);
}

fn remove_the_source(world: &World) {
    assert_eq!(world.run(&["plugin", "remove", "loyalty"]).code, Some(2), "nobody can be asked");
    world.run(&["plugin", "remove", "loyalty", "--force", "--yes"]).ok();
    assert_eq!(world.get("/v1/capabilities/loyalty").problem(), "unknown-capability");
    assert_eq!(world.fields("eva")["loyalty.points"], Value::Null);
    let profile = world.profile("eva");
    let claim = &profile["claims"]["loyalty.points"][0];
    assert_eq!((&claim["value"], &claim["visible"]), (&json!(55), &json!(false)), "{profile}");
    let after = world.happens("eva", "order.completed", json!({"order_id": "5", "amount": 10}));
    assert_eq!(after["outcomes"], json!([]));
}

#[test]
fn what_failed_is_listed_tried_again_and_given_up() {
    let world = World::shared();
    let failed = world.script("failing", &["integer probe.count 7", "fail on purpose"]);
    assert_eq!(failed["state"], "parked", "{failed}");
    let behind = world.script("failing", &["text probe.note behind"]);
    assert_eq!(behind["outcomes"][0]["result"], "held", "{behind}");
    let elsewhere = world.script("not-failing", &["integer probe.count 1"]);
    assert_eq!(elsewhere["outcomes"][0]["result"], "done");
    let profile = failed["profile"].as_str().expect("an id is text");
    let list = || world.run(&["parked", "list", "--profile", profile, "--json"]).ok().json_lines();
    let parked = list();
    assert_eq!(parked.len(), 2, "{parked:?}");
    assert_eq!((&parked[0]["state"], &parked[1]["state"]), (&json!("parked"), &json!("held")));
    assert_eq!(parked[0]["kind"], "error");
    assert!(parked[0]["reason"].as_str().is_some_and(|reason| reason.contains("on purpose")), "{parked:?}");
    let text = world.run(&["parked", "list", "--profile", profile, "--backtrace"]).ok();
    assert!(text.out.contains("on purpose"), "{text:?}");
    let tried = world.run(&["parked", "retry", "--profile", profile, "--json"]).ok();
    assert!(tried.json()["matched"].as_u64() >= Some(1), "{tried:?}");
    world.settle();
    assert_eq!(list().len(), 2, "it fails again");
    let unexplained = world.run(&["parked", "skip", "--profile", profile]);
    assert_eq!(unexplained.code, Some(2), "a reason is needed: {unexplained:?}");
    world.run(&["parked", "skip", "--profile", profile, "--kind", "error", "--reason", "a test order"]).ok();
    until("what was held is delivered", || (world.fields("failing")["probe.note"] == "behind").then_some(()));
    assert_eq!(list(), Vec::<Value>::new());
    assert_eq!(world.fields("failing"), json!({"probe.note": "behind"}), "nothing of what failed happened");
    let timeline = world.run(&["profile", "timeline", profile]).ok();
    assert!(timeline.out.contains("a test order"), "the reason stands there: {timeline:?}");
}

#[test]
fn a_trap_says_where_it_happened() {
    let world = World::shared();
    let trapped = world.script("trapped", &["panic the shelf is empty"]);
    let profile = trapped["profile"].as_str().expect("an id is text");
    let parked = world.get(&format!("/v1/parked?profile={profile}")).of(200);
    let item = &parked["items"][0];
    assert_eq!(item["kind"], "trap");
    assert!(item["reason"].as_str().is_some_and(|reason| reason.contains("the shelf is empty")), "{item}");
    let backtrace = item["backtrace"].as_array().into_iter().flatten();
    assert!(
        backtrace.clone().any(|frame| frame.as_str().is_some_and(|name| name.contains("probe"))),
        "{item}"
    );
}

#[test]
fn a_plug_in_that_always_fails_is_quarantined_and_loses_nothing() {
    let world = World::with(&[("SAMSYN_ENGINE_QUARANTINE_AFTER", "3")]);
    world.install(&components::probe("probe", USUAL));
    let state = || world.get("/v1/capabilities/probe").of(200);
    for customer in 0..3 {
        world.script(&format!("q{customer}"), &["panic again"]);
    }
    let quarantined =
        until("it is quarantined", || Some(state()).filter(|state| state["state"] == "quarantined"));
    assert!(quarantined["reason"].as_str().is_some_and(|reason| !reason.is_empty()), "{quarantined}");
    // The host is quick and the plug-in is not called: the event is decided without it.
    world.script("waiting", &["integer probe.count 1"]);
    world.script("waiting", &["add probe.count"]);
    assert_eq!(world.fields("waiting"), json!({}));
    let listed = world.run(&["plugin", "list"]).ok();
    assert!(listed.out.contains("quarantined"), "{listed:?}");
    world.run(&["plugin", "release", "probe"]).ok();
    until("it has caught up", || (world.fields("waiting") == json!({"probe.count": 2})).then_some(()));
    until("it is active", || (state()["state"] == "active").then_some(()));
}

#[test]
fn a_late_plug_in_hears_everything_from_the_start() {
    let world = World::new();
    for at in 0..20 {
        world.script(&format!("early-{}", at % 4), &["add probe.count"]);
    }
    world.install(&components::probe("from-now", "[subscribes.\"probe.*\"]\nscript = { type = \"texts\" }\n[sources]\n\"probe.count\" = { type = \"integer\" }\n"));
    world.script("early-0", &["add probe.count"]);
    assert_eq!(world.fields("early-0"), json!({"probe.count": 1}), "from now on only");
    let file = world.file("late.wasm", components::probe("from-now", "[subscribes.\"probe.*\"]\nscript = { type = \"texts\" }\n[sources]\n\"probe.count\" = { type = \"integer\" }\n"));
    world.run(&["plugin", "install", &file, "--from", "start", "--yes"]).ok();
    until("it has caught up", || {
        let capability = world.get("/v1/capabilities/from-now").of(200);
        (capability["state"] == "active" && capability["generation"] == 2).then_some(())
    });
    world.settle();
    assert_eq!(world.fields("early-0"), json!({"probe.count": 6}));
    assert_eq!(world.fields("early-3"), json!({"probe.count": 5}));
}
