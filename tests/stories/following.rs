//! What follows the log: changes are counted by field, over restarts, and what was missed is said.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use samsyn_harness::components::{self, USUAL};
use samsyn_harness::world::{World, until};

/// Small segments, all but the newest of which leave, and a follower that writes soon.
const SETTINGS: &[(&str, &str)] = &[
    ("SAMSYN_LOG_SEGMENT_BYTES", "16384"),
    ("SAMSYN_RETENTION_BYTES", "20000"),
    ("SAMSYN_SNAPSHOTS_EVERY_BYTES", "0"),
    ("SAMSYN_ENGINE_PARTITIONS", "4"),
    ("SAMSYN_FOLLOW_COMMIT_MS", "20"),
];

/// Each counts once.
fn send(world: &World, numbers: std::ops::Range<usize>) {
    for number in numbers {
        let events: Vec<Value> =
            ["anna", "bo", "cem"].iter().map(|customer| event(customer, number)).collect();
        world.json("POST", "/v1/events", &json!(events)).of(202);
    }
    world.settle();
}

fn event(customer: &str, number: usize) -> Value {
    json!({"id": format!("{customer}-{number}"), "name": "probe.asked", "identifiers": {"customer_id": customer},
           "properties": {"script": ["add probe.count"]}})
}

fn follower(world: &World) -> Value {
    world.status()["followers"][0].clone()
}

/// The changes of the field that events count in, once all are counted.
fn counted(world: &World) -> Value {
    until("the follower has caught up", || (follower(world)["lag_records"] == 0).then_some(()));
    world.status()["field_changes"]["probe.count"].clone()
}

/// The counters of `/metrics`.
fn metric(world: &World, name: &str) -> BTreeMap<String, f64> {
    let text = world.get("/metrics").text;
    let samples = text.lines().filter(|line| line.starts_with(name)).filter_map(|line| line.rsplit_once(' '));
    samples.map(|(labels, value)| (labels.to_owned(), value.parse().expect("a number"))).collect()
}

#[test]
fn changes_are_counted_over_restarts_and_who_was_off_says_what_it_missed() {
    let mut world = World::with(SETTINGS);
    world.install(&components::probe("probe", USUAL));
    send(&world, 0..20);
    assert_eq!(counted(&world), 60);
    let before = metric(&world, "samsyn_field_changes_total");
    assert_eq!(before["samsyn_field_changes_total{field=\"probe.count\"}"], 60.0);
    world.kill();
    world.start();
    // What is told first after a kill is no less: a counter that goes back would count twice.
    assert_eq!(metric(&world, "samsyn_field_changes_total"), before);
    assert!(world.stop().success());

    // Off, it holds back nothing: what it has not read leaves the log.
    world.launch(&[], &[("SAMSYN_FOLLOW_FIELD_CHANGES", "false")]);
    assert!(world.is_ready(), "{}", world.log());
    assert_eq!((&world.status()["followers"], &world.status()["field_changes"]), (&json!([]), &Value::Null));
    assert!(metric(&world, "samsyn_field_changes_total").is_empty());
    send(&world, 20..60);
    for _ in 0..2 {
        world.run(&["snapshot", "make", "--json"]).ok();
        send(&world, 60..62);
    }
    world.run(&["log", "retain", "--yes", "--json"]).ok();
    until("what is old has left", || {
        (world.status()["storage"]["segments_removed"].as_u64() > Some(3)).then_some(())
    });
    assert!(world.stop().success());

    world.start();
    let now = counted(&world).as_u64().expect("a number");
    let missed = follower(&world)["missed"].clone();
    let records = missed["records"].as_u64().expect("a number");
    assert!(records > 0 && now < 62 * 3 && now > 60, "{now} {missed}");
    let ranges = missed["ranges"].as_array().expect("a list");
    let span = |range: &Value| {
        let seq = |member: &str| -> u64 {
            let text = range[member].as_str().and_then(|text| text.rsplit_once('-')).expect("a position");
            text.1.parse().expect("a number")
        };
        seq("last") - seq("first") + 1
    };
    assert_eq!(ranges.iter().map(span).sum::<u64>(), records, "{missed}");
    assert!(world.log().contains("the follower was behind retention"), "{}", world.log());
    let told = world.run(&["status"]).ok().out;
    assert!(told.contains("field-changes missed"), "{told}");
    let metrics = metric(&world, "samsyn_follower_missed_records_total");
    assert_eq!(metrics["samsyn_follower_missed_records_total{follower=\"field-changes\"}"], records as f64);
    send(&world, 62..64);
    assert_eq!(counted(&world), now + 6);
}

#[test]
fn every_field_of_the_dictionary_has_a_count_and_the_same_value_again_is_no_change() {
    let world = World::with(&[("SAMSYN_FOLLOW_COMMIT_MS", "0")]);
    world.install(&components::probe("probe", USUAL));
    let changes = || world.status()["field_changes"].clone();
    assert_eq!(changes(), json!({"probe.count": 0, "probe.note": 0, "probe.seen": 0}));
    for note in ["a", "b", "b"] {
        world.script("anna", &["add probe.count", &format!("text probe.note {note}")]);
    }
    world.settle();
    counted(&world);
    assert_eq!(changes(), json!({"probe.count": 3, "probe.note": 2, "probe.seen": 0}));
    let told = follower(&world);
    let now = (&told["state"], &told["since"], &told["lag_ms"], &told["failures"]);
    assert_eq!(now, (&json!("ok"), &Value::Null, &json!(0), &json!(0)));
    let text = world.get("/metrics").text;
    for line in [
        "samsyn_field_changes_total{field=\"probe.note\"} 2",
        "samsyn_field_changes_total{field=\"probe.seen\"} 0",
        "samsyn_follower_available{follower=\"field-changes\"} 1",
        "samsyn_follower_lag_records{follower=\"field-changes\"} 0",
        "samsyn_follower_lag_seconds{follower=\"field-changes\"} 0",
        "samsyn_follower_missed_records_total{follower=\"field-changes\"} 0",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is missing in {text}");
    }
    let told = world.run(&["status"]).ok().out;
    assert!(told.contains("probe.count        3\n") && !told.contains("probe.seen"), "{told}");
}

#[test]
fn a_restored_backup_goes_on_counting_where_it_was() {
    let mut world = World::with(&[("SAMSYN_FOLLOW_COMMIT_MS", "0"), ("SAMSYN_ENGINE_PARTITIONS", "4")]);
    world.install(&components::probe("probe", USUAL));
    send(&world, 0..10);
    assert_eq!(counted(&world), 30);
    let backup = world.directory().join("backup");
    let backup = backup.to_str().expect("a path");
    world.run_on_data(&["backup", backup]).ok();
    send(&world, 10..20);
    assert_eq!(counted(&world), 60);
    assert!(world.stop().success());
    world.run_on_data(&["restore", backup, "--replace", "--yes"]).ok();
    world.start();
    assert_eq!(counted(&world), 30, "as of the backup");
    assert_eq!(follower(&world)["rebuilt"], Value::Null);
    send(&world, 30..35);
    assert_eq!(counted(&world), 45);
    // A follower's file that is ahead of the log it finds: somebody put back the log alone.
    let file = world.data().join("followers/field-changes.state");
    let ahead = std::fs::read(&file).expect("it is there");
    assert!(world.stop().success());
    world.run_on_data(&["restore", backup, "--replace", "--yes"]).ok();
    std::fs::write(&file, ahead).expect("it can be written");
    world.start();
    assert_eq!(counted(&world), 30, "counted again from the log");
    let rebuilt = follower(&world)["rebuilt"].clone();
    assert!(rebuilt["reason"].as_str().is_some_and(|why| why.contains("ends earlier")), "{rebuilt}");
}
