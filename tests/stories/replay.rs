//! What a new version of a plug-in would have decided is known before it decides anything; and
//! changing versions while customers buy loses nothing.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use samsyn::sandbox::embed_manifest;
use serde_json::{Value, json};

use crate::demo::{demo, directory};
use samsyn_harness::caller::Caller;
use samsyn_harness::components::{self, plugin, plugin_file, probe};
use samsyn_harness::world::{Said, World, until};
use samsyn_testkit::survival_json;

/// The report, once the replay has ended; `code` is how the command must end.
#[track_caller]
fn report(said: &Said, code: i32) -> Value {
    assert_eq!(said.code, Some(code), "{said:#?}");
    said.json()
}

#[test]
fn every_plug_in_of_the_demo_decides_the_same_again() {
    let directory = directory();
    demo(directory.path(), &["--json"]);
    let mut world = World::after_demo(directory);
    let installed = world.get("/v1/capabilities").of(200);
    let names: Vec<String> = installed["items"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|capability| capability["name"].as_str().expect("a capability has a name").to_owned())
        .collect();
    assert!(names.len() >= 4, "{names:?}");
    let file = |name: &str| plugin_file(name).to_str().expect("its path is text").to_owned();
    let mut decisions = BTreeMap::new();
    for name in &names {
        let report_of = report(&world.run(&["plugin", "replay", &file(name), "--json"]), 0);
        assert_same(name, &report_of);
        decisions.insert(name, report_of["deliveries"].clone());
    }
    assert!(decisions.values().all(|count| count.as_u64() > Some(0)), "{decisions:?}");
    assert!(world.stop().success());
    for name in &names {
        let report_of = report(&world.run_on_data(&["plugin", "replay", &file(name), "--json"]), 0);
        assert_same(name, &report_of);
        assert_eq!(report_of["deliveries"], decisions[name], "{name}: the files say what the host says");
    }
    let all: u64 = decisions.values().filter_map(Value::as_u64).sum();
    survival_json::record("replay", json!({ "decisions": all, "differences": 0, "plug_ins": names.len() }));
}

#[track_caller]
fn assert_same(name: &str, report: &Value) {
    assert_eq!(
        (&report["different"], &report["findings"], &report["not_replayed"]),
        (&json!(0), &json!([]), &json!({})),
        "{name}: {report:#}"
    );
}

/// Hears `probe.*` and sources the probe's fields; a version of its own.
fn version(version: &str, more: &str) -> Vec<u8> {
    let manifest = components::manifest("probe", &format!("{}{more}", components::USUAL));
    let manifest = manifest.replace("version = \"0.1.0\"", &format!("version = \"{version}\""));
    embed_manifest(&components::kept_probe(), &manifest).expect("a manifest can be embedded")
}

/// The same, which wants what no event has: the host refuses every script.
fn strict() -> Vec<u8> {
    let tables =
        components::USUAL.replacen("[emits", "other = { type = \"text\", required = true }\n[emits", 1);
    let tables = tables.replace(
        "\"probe.note\" = { type = \"text\" }",
        "\"probe.note\" = { type = \"text\", class = \"personal\" }",
    );
    let manifest =
        components::manifest("probe", &tables).replace("version = \"0.1.0\"", "version = \"0.2.0\"");
    embed_manifest(&components::kept_probe(), &manifest).expect("a manifest can be embedded")
}

/// Where the log ends; the audit of reads may have grown.
fn log_head(world: &World) -> Value {
    let heads = world.get("/v1/log/head").of(200);
    heads["logs"].as_array().into_iter().flatten().find(|head| head["log"] == "log").expect("a log").clone()
}

#[test]
fn an_admin_sees_what_a_new_version_would_have_decided_and_for_whom() {
    let world = World::new();
    world.json("PUT", "/v1/fields/probe.note", &json!({"type": "text", "class": "personal"})).of(200);
    world.install(&version("0.1.0", ""));
    world.script("anna", &["text probe.note secret", "integer probe.count 1"]);
    world.script("bo", &["integer probe.count 2"]);
    world.settle();
    let before = log_head(&world);
    let old = world.file("old.wasm", version("0.1.0", ""));
    let new = world.file("new.wasm", strict());
    world.run(&["plugin", "replay", &old]).ok();
    let said = world.run(&["plugin", "replay", &new]);
    assert_eq!(said.code, Some(1), "{said:#?}");
    for shown in
        ["error field probe.note: 1 missing, 1 customers", "warning field probe.count: 2 missing", "rejected"]
    {
        assert!(said.out.contains(shown), "{shown}: {said:#?}");
    }
    assert!(said.err.contains("2 invocations differ"), "{said:#?}");
    assert!(!said.out.contains("secret"), "values aren't shown unless they are asked for: {said:#?}");
    let shown = world.run(&["plugin", "replay", &new, "--values"]);
    assert!(shown.out.contains("secret -> -"), "{shown:#?}");
    let audited = world.run(&["audit", "reads", "--profile", "customer_id:anna", "--json"]).ok();
    assert!(audited.out.contains("replays") && audited.out.contains("probe.note"), "{audited:#?}");
    // What is run again instead of the log.
    let against = report(&world.run(&["plugin", "replay", &new, "--against", &old, "--json"]), 1);
    assert_eq!(against["against"]["version"], "0.1.0", "{against}");
    assert_eq!(against["findings"][0]["samples"][0]["before"], Value::Null);
    let back = report(
        &world.run(&["plugin", "replay", &old, "--against", &new, "--fail-on", "warning", "--json"]),
        0,
    );
    assert_eq!(back["effects"]["gone"], 2, "the refusals are: {back}");
    assert_eq!(world.run(&["plugin", "replay", &old, "--against", &new]).code, Some(1), "notes count too");
    assert_eq!(log_head(&world), before, "nothing was written");
}

#[test]
fn a_replay_that_cant_be_made_ends_otherwise_than_one_that_differs() {
    let world = World::shared();
    let other = world.file("other.wasm", probe("never-installed", components::USUAL));
    let said = world.run(&["plugin", "replay", &other]);
    assert_eq!(said.code, Some(4), "{said:#?}");
    assert!(said.err.contains("was never installed here"), "{said:#?}");
    let none = world.file("none.wasm", "no component");
    assert_eq!(world.run(&["plugin", "replay", &none]).code, Some(4));
    assert_eq!(world.run(&["plugin", "replay", "missing.wasm"]).code, Some(2));
    assert_eq!(world.run(&["plugin", "replay", &none, "--profiles", "110%"]).code, Some(2));
    for (query, code) in [
        ("?profiles=0", "query-invalid"),
        ("?profiles=101", "query-invalid"),
        ("?against_bytes=99999999", "component.not-wasm"),
    ] {
        let headers = [("content-type", "application/wasm")];
        let refused = world.send("POST", &format!("/v1/replays{query}"), &headers, b"x");
        assert_eq!(refused.problem(), code, "{query}");
    }
    assert_eq!(world.get("/v1/replays/nothing").problem(), "unknown-replay");
    let pipeline = json!({"name": "pipeline", "scopes": ["registry:write"]});
    let made = world.json("POST", "/v1/tokens", &pipeline).of(201);
    let weaker = Caller::new(world.url.clone(), made["secret"].as_str().expect("a secret").to_owned());
    assert_eq!(weaker.get("/v1/replays").problem(), "scope-missing", "a replay shows whose data differ");
}

/// A version whose every call is cut off: replaying it takes a second for each of twenty customers.
fn endless() -> Vec<u8> {
    let tables = "[subscribes.\"probe.*\"]\n";
    let manifest =
        components::manifest("probe", tables).replace("version = \"0.1.0\"", "version = \"0.2.0\"");
    let guest = components::guests::subscriber("(loop $again (br $again))", "");
    embed_manifest(&guest, &manifest).expect("a manifest can be embedded")
}

#[test]
fn a_replay_that_is_stopped_ends_soon_and_says_so() {
    let world = World::new();
    world.install(&version("0.1.0", ""));
    for customer in 1..=40 {
        world.script(&customer.to_string(), &["add probe.count"]);
    }
    world.settle();
    let newest = || world.get("/v1/replays").of(200)["items"][0].clone();
    let at_work = |before: &Value| {
        until("it reads the log", || {
            let newest = newest();
            (newest["id"] != *before && newest["bytes_total"] != 0).then_some(newest)
        })
    };
    let ended = || {
        until("it ends", || {
            let newest = newest();
            (newest["state"] != "running").then_some(newest)
        })
    };
    let headers = [("content-type", "application/wasm")];
    world.send("POST", "/v1/replays", &headers, &endless()).of(202);
    let running = at_work(&Value::Null);
    assert_eq!(running["state"], "running", "{running}");
    let refused = world.send("POST", "/v1/replays", &headers, &endless());
    assert_eq!((refused.status, refused.problem()), (409, "replay-running".to_owned()));
    let path = format!("/v1/replays/{}", running["id"].as_str().expect("an id"));
    world.send("DELETE", &path, &[], b"").of(200);
    let stopped = ended();
    assert_eq!((&stopped["state"], &stopped["report"]), (&json!("stopped"), &Value::Null), "{stopped}");
    assert!(stopped["ended_at"].is_string() && stopped["deliveries"].as_u64() < Some(40), "{stopped}");
    assert_eq!(world.send("DELETE", &path, &[], b"").of(200), stopped, "it stays as it is");
    // Ctrl-C does the same, and the command says so.
    let file = world.file("endless.wasm", endless());
    let mut command = world.command(&["plugin", "replay", &file]);
    let command = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it can be started");
    assert_eq!(at_work(&stopped["id"])["state"], "running");
    let interrupted = Command::new("kill").args(["-s", "INT", &command.id().to_string()]).status();
    assert!(interrupted.expect("kill can be run").success());
    let said = Said::of(command.wait_with_output().expect("its output can be read"));
    assert_eq!(said.code, Some(130), "{said:#?}");
    assert!(said.err.contains("the replay was stopped; nothing was changed"), "{said:#?}");
    assert_eq!(ended()["state"], "stopped");
    // And the next one may begin.
    let same = world.file("same.wasm", version("0.1.0", ""));
    world.run(&["plugin", "replay", &same]).ok();
}

#[test]
fn installing_with_a_replay_stops_at_what_is_an_error_and_tells_the_rest() {
    let world = World::new();
    world.json("PUT", "/v1/fields/probe.note", &json!({"type": "text", "class": "personal"})).of(200);
    world.install(&version("0.1.0", ""));
    world.script("anna", &["text probe.note secret"]);
    world.settle();
    let strict = world.file("strict.wasm", strict());
    let refused = world.run(&["plugin", "install", &strict, "--replay", "--yes"]);
    assert_eq!(refused.code, Some(1), "{refused:#?}");
    assert!(refused.err.contains("error field probe.note: 1 missing"), "{refused:#?}");
    assert_eq!(world.get("/v1/capabilities/probe").of(200)["version"], "0.1.0");
    let next = world.file("next.wasm", version("0.3.0", ""));
    let installed = world.run(&["plugin", "install", &next, "--replay", "--yes"]).ok();
    assert!(installed.err.contains("no difference"), "{installed:#?}");
    assert_eq!(world.get("/v1/capabilities/probe").of(200)["version"], "0.3.0");
    // The old version decided what the log has; the report says who did.
    world.script("anna", &["text probe.note more"]);
    let both = report(&world.run(&["plugin", "replay", &next, "--json"]), 0);
    let versions: Vec<&Value> =
        both["decided_by"].as_array().into_iter().flatten().map(|by| &by["version"]).collect();
    assert_eq!(versions.len(), 2, "{both}");
    let dry = world.run(&["plugin", "install", &strict, "--dry-run"]).ok();
    assert!(dry.err.contains("samsyn plugin replay"), "the plan names the command: {dry:#?}");
    let without = world.run(&["plugin", "install", &strict, "--yes"]).ok();
    assert!(!without.err.contains("invocations"), "scripts are as they were: {without:#?}");
}

/// Threads that send, each to customers of its own.
const SENDERS: usize = 2;
const CUSTOMERS_A_SENDER: usize = 5;
/// Times the version changes, and events that each sees at least.
const CHANGES: usize = 8;
const EVENTS_A_CHANGE: u64 = 60;

#[test]
fn versions_change_back_and_forth_under_load_and_every_order_counts_once() {
    let mut world = World::new();
    let versions = [("0.1.0", plugin("loyalty")), ("0.2.0", next_loyalty())];
    world.install(&versions[0].1);
    let (stop, sent) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let senders: Vec<_> = (0..SENDERS)
        .map(|sender| {
            let (caller, stop, sent) = (Caller::clone(&world), stop.clone(), sent.clone());
            std::thread::spawn(move || send(&caller, sender, &stop, &sent))
        })
        .collect();
    for change in 1..=CHANGES {
        let before = sent.load(Ordering::Relaxed);
        until("the load goes on", || {
            (sent.load(Ordering::Relaxed) >= before + EVENTS_A_CHANGE).then_some(())
        });
        let (version, component) = &versions[change % 2];
        world.install(component);
        assert_eq!(world.get("/v1/capabilities/loyalty").of(200)["version"], *version);
    }
    let before = sent.load(Ordering::Relaxed);
    until("the load goes on", || (sent.load(Ordering::Relaxed) >= before + EVENTS_A_CHANGE).then_some(()));
    stop.store(true, Ordering::Relaxed);
    let acknowledged: Vec<Vec<String>> =
        senders.into_iter().map(|sender| sender.join().expect("a sender ends well")).collect();
    world.settle();
    assert_eq!(world.get("/v1/parked").of(200)["items"], json!([]));
    for (sender, events) in acknowledged.iter().enumerate() {
        for customer in 0..CUSTOMERS_A_SENDER {
            let orders = events.iter().skip(customer).step_by(CUSTOMERS_A_SENDER).count();
            let points = &world.fields(&format!("s{sender}c{customer}"))["loyalty.points"];
            assert_eq!(*points, json!(orders * 10), "every order of s{sender}c{customer} counts once");
        }
    }
    let file = world.file("loyalty.wasm", plugin("loyalty"));
    let found = report(&world.run(&["plugin", "replay", &file, "--json"]), 0);
    assert_eq!(found["decided_by"].as_array().map(Vec::len), Some(2), "both decided: {found}");
    assert!(world.stop().success());
    assert_decided_in_order(&world, &acknowledged.concat());
}

/// The demo's loyalty as its next version: the same code under another number.
fn next_loyalty() -> Vec<u8> {
    let file = samsyn_harness::world::repository().join("plugins/loyalty/plugin.toml");
    let manifest = std::fs::read_to_string(file).expect("the manifest can be read");
    let next = manifest.replacen("version = \"0.1.0\"", "version = \"0.2.0\"", 1);
    assert_ne!(manifest, next);
    embed_manifest(&plugin("loyalty"), &next).expect("a manifest can be embedded")
}

/// Sends orders until it is told to stop; the ids of those that were acknowledged.
fn send(caller: &Caller, sender: usize, stop: &AtomicBool, sent: &AtomicU64) -> Vec<String> {
    let mut acknowledged = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let number = acknowledged.len();
        let (id, customer) =
            (format!("o{sender}-{number}"), format!("s{sender}c{}", number % CUSTOMERS_A_SENDER));
        let order = json!({"id": id, "name": "order.completed", "identifiers": {"customer_id": customer},
                           "properties": {"order_id": id, "amount": "10.00", "currency": "USD"}});
        caller.json("POST", "/v1/events", &order).of(202);
        acknowledged.push(id);
        sent.fetch_add(1, Ordering::Relaxed);
    }
    acknowledged
}

/// In the log each event has one final outcome, of one component, and each customer's stand in the
/// order they were taken in.
fn assert_decided_in_order(world: &World, acknowledged: &[String]) {
    let records = world.run_on_data(&["log", "cat", "--json"]).ok().json_lines();
    let mut taken: BTreeMap<String, String> = BTreeMap::new();
    let mut outcomes: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut last: BTreeMap<String, u64> = BTreeMap::new();
    for record in &records {
        let position = record["position"].as_str().expect("a record has a position");
        let partition = position.split_once('-').expect("a partition and a number").0;
        if let Some(accepted) = record["record"].get("accepted") {
            let id = accepted["event"]["id"].as_str().expect("an event has an id").to_owned();
            assert!(taken.insert(id, position.to_owned()).is_none(), "an event was taken twice");
        }
        let Some(decided) = record["record"].get("decided").filter(|decided| decided["kind"] == "event")
        else {
            continue;
        };
        let seq = decided["cause"]["seq"].as_u64().expect("a number");
        let profile = decided["profile"].as_str().expect("an id").to_owned();
        let before = last.insert(profile, seq).unwrap_or(0);
        assert!(before < seq, "the order is kept: {before} before {seq}");
        for outcome in decided["outcomes"].as_array().into_iter().flatten() {
            assert_eq!(outcome["result"], "done", "{outcome}");
            let digest = outcome["digest"].to_string();
            outcomes.entry(format!("{partition}-{seq}")).or_default().push(digest);
        }
    }
    let mut digests: BTreeMap<&str, usize> = BTreeMap::new();
    for id in acknowledged {
        let position = taken.get(id).unwrap_or_else(|| panic!("{id} was acknowledged and is lost"));
        let by = &outcomes[position];
        assert_eq!(by.len(), 1, "{id} is decided once: {by:?}");
        *digests.entry(by[0].as_str()).or_default() += 1;
    }
    assert_eq!(digests.len(), 2, "both versions decided: {digests:?}");
}
