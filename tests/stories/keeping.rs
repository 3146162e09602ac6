//! What a host keeps: snapshots, a log that doesn't grow for ever, and backups that come back.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use serde_json::{Value, json};

use samsyn_harness::caller::Caller;
use samsyn_harness::components::{self, USUAL};
use samsyn_harness::world::{World, until};
use samsyn_testkit::survival_json;

/// Small segments, all but the newest of which should leave.
const KEEPING_LITTLE: &[(&str, &str)] = &[
    ("SAMSYN_LOG_SEGMENT_BYTES", "16384"),
    ("SAMSYN_RETENTION_BYTES", "20000"),
    ("SAMSYN_SNAPSHOTS_EVERY_BYTES", "0"),
    ("SAMSYN_ENGINE_PARTITIONS", "4"),
];

fn counting_event(customer: &str, number: usize) -> Value {
    json!({"id": format!("{customer}-{number}"), "name": "probe.asked", "at": "2025-06-01T10:00:00Z",
           "identifiers": {"customer_id": customer}, "properties": {"script": ["add probe.count"]}})
}

/// So many events of each of some customers, one request each, so that there are segments.
fn send(world: &World, customers: &[&str], numbers: std::ops::Range<usize>) {
    for number in numbers {
        let events: Vec<Value> = customers.iter().map(|customer| counting_event(customer, number)).collect();
        world.json("POST", "/v1/events", &json!(events)).of(202);
    }
    world.settle();
}

fn files(directory: PathBuf, ending: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).map(|entries| entries.flatten().map(|entry| entry.path()));
    let mut files: Vec<PathBuf> = entries.into_iter().flatten().collect();
    files.retain(|path| path.to_string_lossy().ends_with(ending));
    files.sort();
    files
}

fn explanations(report: &Value) -> String {
    report["held_by"].to_string()
}

/// Two snapshots with something between them: what came before the first may leave.
fn make_two_snapshots(world: &World) {
    world.run(&["snapshot", "make", "--json"]).ok();
    send(world, &["between"], 0..3);
    // Ids are remembered, so the next ones must be others.
    let made = world.run(&["snapshot", "make", "--json"]).ok().json();
    assert_eq!(made["failure"], Value::Null, "{made}");
}

#[test]
fn a_log_that_forgets_its_beginning_is_not_missed_and_what_waits_is_kept() {
    let mut world = World::with(KEEPING_LITTLE);
    world.install(&components::probe("probe", USUAL));
    let customers = ["anna", "bo", "cem"];
    send(&world, &customers, 0..40);
    world.script("waits", &["fail on purpose"]);
    world.script("waits", &["text probe.note behind"]);
    send(&world, &customers, 40..80);
    make_two_snapshots(&world);
    let plan = world.run(&["log", "retain", "--dry-run", "--json"]).ok().json();
    assert!(plan["wanted"].as_u64() > Some(0) && plan["removed"] == 0, "{plan}");
    let done = world.run(&["log", "retain", "--yes", "--json"]).ok().json();
    // The host may have done it by itself a moment before.
    assert!(world.status()["storage"]["segments_removed"].as_u64() > Some(0), "{plan} {done}");
    assert!(!world.data().join("log/0000000001.segment").exists());
    // The parked delivery holds the rest, by name, wherever one looks.
    assert!(explanations(&done).contains("probe has parked deliveries"), "{done}");
    assert!(explanations(&world.status()["storage"]).contains("probe"), "{}", world.status());
    let metrics = world.get("/metrics").text;
    assert!(metrics.contains("samsyn_log_held{kind=\"parked\",by=\"probe\"} 1"), "{metrics}");
    let changes = world.get("/v1/audit/changes").of(200);
    let before: Vec<Value> = customers.iter().map(|customer| world.profile(customer)).collect();
    for view_is_there in [true, false] {
        world.kill();
        if !view_is_there {
            fs::remove_dir_all(world.data().join("view")).expect("the view is a directory");
        }
        world.start();
        let now: Vec<Value> = customers.iter().map(|customer| world.profile(customer)).collect();
        assert_eq!(now, before);
        assert_eq!(world.get("/v1/audit/changes").of(200), changes, "who decided it is still there");
    }
    let timeline = world.get("/v1/profiles/customer_id:anna/timeline?limit=1000").of(200);
    assert!(timeline["oldest_retained"].is_string() && timeline["next"].is_null(), "{timeline}");
    let gone = world.get("/v1/events/anna-0");
    assert_eq!((gone.status, gone.problem().as_str()), (410, "event-removed"));
    let again = world.json("POST", "/v1/events", &counting_event("anna", 0)).of(202);
    assert_eq!(again["duplicate"], true, "taken twice it would count twice: {again}");
    world.run(&["parked", "skip", "--capability", "probe", "--kind", "error", "--reason", "a test"]).ok();
    until("what was held is delivered", || (world.fields("waits")["probe.note"] == "behind").then_some(()));
    assert!(world.stop().success());
    assert_eq!(world.run_on_data(&["log", "verify", "--json"]).ok().json()["problem"], Value::Null);
    world.run_on_data(&["snapshot", "check"]).ok();
    world.run_on_data(&["view", "check"]).ok();
}

#[test]
fn a_snapshot_that_was_damaged_is_passed_over_visibly() {
    let mut world = World::with(KEEPING_LITTLE);
    world.install(&components::probe("probe", USUAL));
    send(&world, &["anna"], 0..20);
    make_two_snapshots(&world);
    world.kill();
    let newest = files(world.data().join("snapshots"), ".snapshot").pop().expect("there is one");
    let mut bytes = fs::read(&newest).expect("it can be read");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 4;
    fs::write(&newest, bytes).expect("it can be written");
    // What a kill in the middle of making one leaves.
    fs::write(newest.with_extension("snapshot.new"), b"half").expect("it can be written");
    fs::remove_dir_all(world.data().join("view")).expect("the view is a directory");
    world.start();
    assert_eq!(world.fields("anna"), json!({"probe.count": 20}));
    assert!(world.log().contains("a snapshot can't be used"), "{}", world.log());
    assert!(files(world.data().join("snapshots"), ".new").is_empty());
    let checked = world.run_on_data(&["snapshot", "check"]);
    assert_eq!(checked.code, Some(1), "{checked:?}");
    assert!(checked.err.contains("next: "), "{checked:?}");
}

#[test]
fn a_snapshot_of_what_a_repair_cut_off_is_passed_over_visibly() {
    let mut world = World::with(&[("SAMSYN_SNAPSHOTS_EVERY_BYTES", "0"), ("SAMSYN_ENGINE_PARTITIONS", "4")]);
    world.install(&components::probe("probe", USUAL));
    send(&world, &["anna"], 0..20);
    world.run(&["snapshot", "make"]).ok();
    send(&world, &["anna"], 20..40);
    world.run(&["snapshot", "make"]).ok();
    let snapshots = world.get("/v1/snapshots").of(200);
    let [newer, older] = [0, 1].map(|at| snapshots["items"][at]["offset"].as_u64().expect("an offset"));
    assert!(world.stop().success());
    // Something rots between the two.
    let segment = files(world.data().join("log"), ".segment").remove(0);
    let mut bytes = fs::read(&segment).expect("it can be read");
    bytes[(newer + older) as usize / 2] ^= 4;
    fs::write(&segment, bytes).expect("it can be written");
    world.run_on_data(&["log", "repair", "--yes"]).ok();
    world.start();
    world.settle();
    assert!(world.log().contains("a snapshot can't be used"), "{}", world.log());
    let left = world.fields("anna")["probe.count"].as_u64().expect("some are left");
    assert!((20..40).contains(&left), "{left}");
    let snapshots = world.get("/v1/snapshots").of(200);
    let [newer, older] = [0, 1].map(|at| &snapshots["items"][at]);
    assert_eq!((&newer["state"], &older["state"]), (&json!("bad"), &json!("usable")), "{snapshots}");
    assert!(newer["reason"].as_str().is_some_and(|why| why.contains("another history")), "{snapshots}");
    // The log grows beyond it again, with another history.
    send(&world, &["anna"], 40..80);
    let made = world.run(&["snapshot", "make", "--json"]).ok().json();
    assert_eq!(made["failure"], Value::Null, "{made}");
    world.kill();
    fs::remove_dir_all(world.data().join("view")).expect("the view is a directory");
    world.start();
    assert_eq!(world.fields("anna")["probe.count"], left + 40);
    assert!(world.stop().success());
    world.run_on_data(&["view", "check"]).ok();
}

#[test]
fn a_backup_under_load_comes_back_with_everything_that_was_acknowledged() {
    const SENDERS: usize = 2;
    let mut world = World::with(&[("SAMSYN_LOG_SEGMENT_BYTES", "65536"), ("SAMSYN_ENGINE_PARTITIONS", "4")]);
    world.install(&components::probe("probe", USUAL));
    send(&world, &["anna"], 0..5);
    let backup = world.directory().join("backup");
    let backup = backup.to_str().expect("its path is text").to_owned();
    let data = world.data().to_str().expect("its path is text").to_owned();
    let acknowledged: [AtomicUsize; SENDERS] = Default::default();
    let done = AtomicBool::new(false);
    let (before, copied) = std::thread::scope(|scope| {
        for (sender, acknowledged) in acknowledged.iter().enumerate() {
            let (caller, done) = (Caller::clone(&world), &done);
            scope.spawn(move || {
                while !done.load(Ordering::Relaxed) {
                    let number = acknowledged.load(Ordering::Relaxed);
                    caller
                        .json("POST", "/v1/events", &counting_event(&format!("sender-{sender}"), number))
                        .of(202);
                    acknowledged.store(number + 1, Ordering::Relaxed);
                }
            });
        }
        let enough = |least: usize| {
            until("enough is sent", || {
                acknowledged.iter().all(|number| number.load(Ordering::Relaxed) >= least).then_some(())
            });
        };
        enough(60);
        world.run(&["backup", &backup, "--data", &data, "--json"]).ok();
        enough(120);
        let before = acknowledged.each_ref().map(|number| number.load(Ordering::Relaxed));
        let copied = world.run(&["backup", &backup, "--data", &data, "--json"]).ok().json();
        done.store(true, Ordering::Relaxed);
        (before, copied)
    });
    assert!(copied["files_kept"].as_u64() > Some(0), "sealed segments are copied once: {copied}");
    assert_eq!(copied["logs"].as_array().map(Vec::len), Some(2), "the audit too: {copied}");
    world.run(&["backup", &backup, "--check"]).ok();
    assert!(world.stop().success());
    let refused = world.run(&["restore", &backup, "--data", &data]);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.err.contains("isn't empty") && refused.err.contains("next: "), "{refused:?}");
    let restored =
        world.run(&["restore", &backup, "--data", &data, "--replace", "--yes", "--json"]).ok().json();
    assert!(restored["aside"].is_string(), "{restored}");
    world.start();
    world.settle();
    for (sender, before) in before.iter().enumerate() {
        let customer = format!("sender-{sender}");
        let count = world.fields(&customer)["probe.count"].as_u64().unwrap_or(0) as usize;
        let sent = acknowledged[sender].load(Ordering::Relaxed);
        assert!((*before..=sent).contains(&count), "{before} were acknowledged before, {count} are there");
        for number in 0..*before {
            let again = world.json("POST", "/v1/events", &counting_event(&customer, number)).of(202);
            assert_eq!(again["duplicate"], true, "{again}");
        }
    }
    assert_eq!(world.fields("anna"), json!({"probe.count": 5}));
    assert!(world.stop().success());
    world.run_on_data(&["view", "check"]).ok();
    let acknowledged: usize = before.iter().sum();
    survival_json::record("backups", json!({ "restored": 1, "acknowledged": acknowledged, "lost": 0 }));
    // One bit, anywhere: it is refused, and named.
    let segment = files(world.directory().join("backup/log"), ".segment").remove(0);
    let mut bytes = fs::read(&segment).expect("it can be read");
    bytes[100] ^= 1;
    fs::write(&segment, bytes).expect("it can be written");
    let refused = world.run(&["backup", &backup, "--check"]);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.err.contains("0000000001.segment is damaged"), "{refused:?}");
    let target = world.directory().join("elsewhere");
    let refused = world.run(&["restore", &backup, "--data", target.to_str().expect("its path is text")]);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(!target.exists(), "nothing is half restored");
}
