//! Disks and power fail: what was cut off is cut, what was damaged is named and nothing is guessed.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;
use std::process::Stdio;

use serde_json::{Value, json};

use samsyn_harness::components::{self, USUAL};
use samsyn_harness::world::{Said, World, until};

/// A stopped host with some events, and its newest segment.
fn stopped() -> (World, PathBuf) {
    let mut world = World::new();
    world.install(&components::probe("probe", USUAL));
    for _ in 0..20 {
        world.script("kept", &["add probe.count"]);
    }
    world.kill();
    let mut segments: Vec<PathBuf> = std::fs::read_dir(world.data().join("log"))
        .expect("the log is a directory")
        .map(|entry| entry.expect("it can be read").path())
        .filter(|path| std::fs::metadata(path).is_ok_and(|file| file.len() > 1_000))
        .collect();
    segments.sort();
    let newest = segments.pop().expect("there is a segment");
    (world, newest)
}

#[test]
fn a_half_written_tail_is_cut_and_kept_aside() {
    let (mut world, segment) = stopped();
    let mut file = OpenOptions::new().append(true).open(&segment).expect("the segment can be opened");
    file.write_all(&[0xA5; 300]).expect("it can be written");
    drop(file);
    world.start();
    world.settle();
    assert_eq!(world.fields("kept"), json!({"probe.count": 20}));
    assert!(world.log().contains("WARN"), "it says so: {}", world.log());
    world.script("kept", &["add probe.count"]);
    assert!(world.stop().success());
    assert_eq!(world.run_on_data(&["log", "verify", "--json"]).ok().json()["problem"], Value::Null);
}

#[test]
fn damage_in_the_middle_is_named_and_nothing_is_changed() {
    let (world, segment) = stopped();
    let mut bytes = std::fs::read(&segment).expect("the segment can be read");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x40;
    std::fs::write(&segment, &bytes).expect("it can be written");
    let verified = world.run_on_data(&["log", "verify", "--json"]);
    assert_eq!(verified.code, Some(1), "{verified:?}");
    assert!(verified.json()["problem"].as_str().is_some_and(|problem| problem.contains("damaged at byte")));
    let mut child =
        world.serve().stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it can be started");
    let ended = until("the host gives up", || child.try_wait().expect("it can be waited for"));
    let said = Said::of(child.wait_with_output().expect("its output can be read"));
    assert_eq!(ended.code(), Some(1), "{said:?}");
    assert!(said.err.contains("damaged at byte") && said.err.contains("next: "), "{said:?}");
    assert_eq!(std::fs::read(&segment).expect("the segment can be read"), bytes, "nothing was changed");
}

#[test]
fn a_damaged_log_is_cut_when_an_admin_says_so_and_the_host_goes_on() {
    let (mut world, segment) = stopped();
    // A clean stop, so that the view is as far as the log.
    world.start();
    world.settle();
    assert!(world.stop().success());
    let mut bytes = std::fs::read(&segment).expect("the segment can be read");
    let place = bytes.len() * 3 / 4;
    bytes[place] ^= 0x40;
    std::fs::write(&segment, &bytes).expect("it can be written");
    let plan = world.run_on_data(&["log", "repair", "--dry-run", "--json"]).ok().json();
    assert_eq!((&plan["damaged"], &plan["done"]), (&json!(true), &json!(false)), "{plan}");
    let cut = &plan["logs"]["log"]["cut"];
    assert!(cut["offset"].as_u64() <= Some(place as u64) && cut["records"].as_u64() > Some(0), "{plan}");
    assert!(cut["problem"].as_str().is_some_and(|problem| problem.contains("damaged at byte")), "{plan}");
    assert!(cut["partitions"][0]["from"].as_u64() > Some(1), "{plan}");
    // In words, and only when somebody says yes.
    let said = world.run_on_data(&["log", "repair"]);
    assert_eq!(said.code, Some(2), "nobody can be asked: {said:?}");
    assert!(said.out.contains("lose") && said.err.contains("--yes"), "{said:?}");
    assert_eq!(std::fs::read(&segment).expect("the segment can be read"), bytes, "nothing was changed");
    let done = world.run_on_data(&["log", "repair", "--yes", "--json"]).ok().json();
    assert_eq!((&done["done"], &done["logs"]["log"]["cut"]), (&json!(true), cut));
    let folder = done["logs"]["log"]["kept_in"].as_str().expect("it says where");
    let kept: Vec<_> = std::fs::read_dir(folder).expect("it is there").collect();
    assert_eq!(kept.len(), 1, "{kept:?}");
    let offset = cut["offset"].as_u64().unwrap_or_default() as usize;
    let kept = std::fs::read(kept[0].as_ref().expect("an entry").path()).expect("it can be read");
    assert_eq!(kept, bytes[offset..], "what was cut lies aside");
    assert_eq!(world.run_on_data(&["log", "repair", "--json"]).ok().json()["damaged"], false);

    world.start();
    assert!(world.log().contains("the view is folded anew"), "it was ahead: {}", world.log());
    world.settle();
    let left = world.fields("kept")["probe.count"].as_u64().expect("some are left");
    assert!((1..20).contains(&left), "{left}");
    world.script("kept", &["add probe.count"]);
    assert_eq!(world.fields("kept")["probe.count"], left + 1);
    let held = world.run_on_data(&["log", "repair", "--yes"]);
    assert_eq!(held.code, Some(1), "{held:?}");
    assert!(held.err.contains("stop the host"), "{held:?}");
    assert!(world.stop().success());
    assert_eq!(world.run_on_data(&["view", "check", "--json"]).ok().json()["differences"], 0);
}

#[test]
fn a_damaged_view_is_thrown_away() {
    let (mut world, _) = stopped();
    let mut files = vec![world.data().join("view")];
    while let Some(path) = files.pop() {
        if path.is_dir() {
            files.extend(
                std::fs::read_dir(&path)
                    .expect("it can be read")
                    .map(|entry| entry.expect("so can this").path()),
            );
        } else {
            let length = std::fs::metadata(&path).expect("it is there").len() as usize;
            std::fs::write(&path, vec![0x5A; length]).expect("it can be written");
        }
    }
    world.start();
    world.settle();
    assert_eq!(world.fields("kept"), json!({"probe.count": 20}));
}

#[test]
fn what_waits_for_an_admin_still_waits_after_a_restart() {
    let mut world = World::with(&[("SAMSYN_ENGINE_QUARANTINE_AFTER", "3")]);
    world.install(&components::probe("probe", USUAL));
    world.script("waits", &["fail on purpose"]);
    world.script("waits", &["text probe.note behind"]);
    let parked = world.get("/v1/parked").of(200);
    assert_eq!(parked["items"].as_array().map(Vec::len), Some(2), "{parked}");
    world.kill();
    std::fs::remove_dir_all(world.data().join("view")).expect("the view is a directory");
    world.start();
    assert_eq!(world.get("/v1/parked").of(200), parked);
    world.run(&["parked", "skip", "--capability", "probe", "--kind", "error", "--reason", "a test"]).ok();
    until("what was held is delivered", || (world.fields("waits")["probe.note"] == "behind").then_some(()));
    for customer in ["a", "b", "c"] {
        world.script(customer, &["panic again"]);
    }
    let state = |world: &World| world.get("/v1/capabilities/probe").of(200)["state"].clone();
    until("it is quarantined", || (state(&world) == "quarantined").then_some(()));
    world.script("later", &["integer probe.count 1"]);
    world.kill();
    world.start();
    assert_eq!(state(&world), "quarantined");
    assert_eq!(world.fields("later"), json!({}));
    world.run(&["plugin", "release", "probe"]).ok();
    until("it has caught up", || (world.fields("later")["probe.count"] == 1).then_some(()));
}

#[test]
fn a_new_admin_token_ends_the_old_one() {
    let mut world = World::new();
    let old = world.token.clone();
    assert!(world.stop().success());
    let files = std::process::Command::new("grep").args(["-rlF", &old]).arg(world.data()).output();
    assert_eq!(Said::of(files.expect("grep can be run")).out, "", "the token itself is nowhere on disk");
    world.start();
    assert_eq!(world.token, old, "it is shown once, and stays");
    assert_eq!(world.status()["profiles"], 0);
    assert!(world.stop().success());
    world.start_with(&["--new-admin-token"]);
    assert_ne!(world.token, old);
    let bearer = format!("Bearer {old}");
    let refused = world.try_raw("GET", "/v1/status", &[("authorization", &bearer)], b"");
    assert_eq!(refused.expect("the host is there").problem(), "unauthorized");
    assert_eq!(world.status()["profiles"], 0);
}

#[test]
fn what_waited_of_a_generation_that_was_replaced_waits_no_more() {
    let world = World::new();
    let component = components::probe("probe", USUAL);
    world.install(&component);
    world.script("waits", &["fail on purpose"]);
    world.script("waits", &["add probe.count"]);
    world.post_component("?from=start&approve=true", &component).of(201);
    until("the new generation has caught up", || {
        (world.get("/v1/capabilities/probe").of(200)["state"] == "active").then_some(())
    });
    world.settle();
    let parked = world.get("/v1/parked").of(200);
    let generations: Vec<&Value> =
        parked["items"].as_array().into_iter().flatten().map(|item| &item["generation"]).collect();
    assert_eq!(generations, [2, 2], "{parked}");
    world.run(&["parked", "skip", "--capability", "probe", "--kind", "error", "--reason", "a test"]).ok();
    until("nothing waits", || {
        world.get("/v1/parked").of(200)["items"].as_array().is_some_and(Vec::is_empty).then_some(())
    });
    assert_eq!(world.fields("waits"), json!({"probe.count": 1}));
}

#[test]
fn zeros_behind_the_newest_segments_frames_are_no_damage_after_a_kill() {
    /// Events in which a segment must have been made ready.
    const EVENTS_MAX: usize = 2_000;
    let mut world = World::with(&[("SAMSYN_LOG_SEGMENT_BYTES", "65536")]);
    world.install(&components::probe("probe", USUAL));
    let newest = |world: &World| newest_of(&world.data());
    let mut sent = 0;
    while sent < 20 || !newest(&world).ends_with(&[0; 4096]) {
        assert!(sent < EVENTS_MAX, "no segment was made ready ahead");
        world.script("kept", &["add probe.count"]);
        sent += 1;
    }
    world.settle();
    world.kill();
    let bytes = newest(&world);
    assert!(bytes.ends_with(&[0; 512]), "it is as the host left it");
    let verified = world.run_on_data(&["log", "verify", "--json"]).ok().json();
    assert_eq!(verified["problem"], Value::Null, "{verified}");
    let plan = world.run_on_data(&["log", "repair", "--dry-run", "--json"]).ok().json();
    assert_eq!(
        (&plan["damaged"], &plan["logs"]["log"]["torn_tail"]),
        (&json!(false), &json!(false)),
        "{plan}"
    );
    let events = world.run_on_data(&["log", "cat", "--json"]).ok().json_lines();
    let accepted = events.iter().filter(|line| line["record"]["accepted"].is_object()).count();
    assert_eq!(accepted, sent, "all of them are read");
    // A backup has what was written, and no zeros.
    let backup = world.directory().join("backup");
    world.run_on_data(&["backup", backup.to_str().expect("its path is text")]).ok();
    let restored = world.directory().join("restored");
    let arguments = ["restore", backup.to_str().expect("text"), "--data", restored.to_str().expect("text")];
    world.run(&arguments).ok();
    assert!(!newest_of(&restored).ends_with(&[0; 512]));

    let before = world.log().len();
    world.start();
    assert!(!world.log()[before..].contains("tail"), "nothing is cut: {}", world.log());
    world.settle();
    assert_eq!(world.fields("kept"), json!({"probe.count": sent}));
    assert!(world.stop().success());
    assert!(!newest(&world).ends_with(&[0; 512]), "a clean stop cuts the zeros");
}

/// The newest segment of a data directory's log.
fn newest_of(data: &std::path::Path) -> Vec<u8> {
    let names = std::fs::read_dir(data.join("log")).expect("the log is a directory");
    let mut paths: Vec<PathBuf> = names.map(|entry| entry.expect("an entry").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "segment"));
    paths.sort();
    std::fs::read(paths.pop().expect("there is a segment")).expect("it can be read")
}
