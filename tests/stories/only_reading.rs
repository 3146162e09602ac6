//! Commands that only read a data directory leave it as it was: no name, no byte and no time of a
//! change is another, whatever state a stop left it in.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde_json::Value;

use samsyn_harness::components::{self, USUAL};
use samsyn_harness::world::{Said, World, samsyn};

/// Everything there is in a directory: of a folder that it is there, of a file its bytes and when
/// they were changed last.
fn files_in(dir: &Path) -> BTreeMap<PathBuf, Option<(Vec<u8>, SystemTime)>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("it can be read") {
            let path = entry.expect("an entry").path();
            let file = if path.is_dir() {
                folders.push(path.clone());
                None
            } else {
                let changed = fs::metadata(&path).and_then(|file| file.modified()).expect("it has a time");
                Some((fs::read(&path).expect("it can be read"), changed))
            };
            found.insert(path, file);
        }
    }
    found
}

/// What differs, by its name.
fn differences(dir: &Path, before: &BTreeMap<PathBuf, Option<(Vec<u8>, SystemTime)>>) -> Vec<PathBuf> {
    let after = files_in(dir);
    let names = before.keys().chain(after.keys());
    let mut differ: Vec<PathBuf> =
        names.filter(|name| before.get(*name) != after.get(*name)).cloned().collect();
    differ.sort();
    differ.dedup();
    differ
}

/// A host with some history: customers, a delivery that is parked, a snapshot, reads that are recorded.
fn with_history() -> World {
    let world = World::with(&[("SAMSYN_LOG_SEGMENT_BYTES", "16384"), ("SAMSYN_ENGINE_PARTITIONS", "4")]);
    world.install(&components::probe("probe", USUAL));
    for round in 0..15 {
        for customer in ["anna", "bo"] {
            world.script(customer, &["add probe.count", &format!("text probe.note {round}")]);
        }
    }
    world.script("cem", &["fail on purpose"]);
    world.settle();
    world.run(&["snapshot", "make"]).ok();
    world.script("anna", &["add probe.count"]);
    world.settle();
    world.fields("anna");
    world
}

/// The newest segment of a log.
fn newest_segment(log: &Path) -> PathBuf {
    let mut segments: Vec<PathBuf> = fs::read_dir(log)
        .expect("it is a directory")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "segment"))
        .collect();
    segments.sort();
    segments.pop().expect("a log has a segment")
}

/// What a power cut leaves besides: half a frame in both logs, and files that were not yet whole.
fn tear(world: &World) {
    for log in ["log", "audit"] {
        let newest = newest_segment(&world.data().join(log));
        let mut file = OpenOptions::new().append(true).open(newest).expect("it can be opened");
        file.write_all(&[0xA5; 300]).expect("it can be written");
    }
    for unfinished in ["log/0000000099.segment.new", "snapshots/00000000000000000099.snapshot.new"] {
        fs::write(world.data().join(unfinished), b"half").expect("it can be written");
    }
}

/// Every command that only reads, and the codes it may end with on a directory whose end is torn.
fn commands(world: &World) -> Vec<(Vec<String>, &'static [i32])> {
    let data = world.data().to_str().expect("its path is text").to_owned();
    let component = world.file("probe.wasm", components::probe("probe", USUAL));
    let noted = world.file("noted.txt", "");
    let backup = world.directory().join("backup").to_str().expect("its path is text").to_owned();
    let plain = |words: &[&str]| -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).chain(["--data".to_owned(), data.clone()]).collect()
    };
    // A torn end is told by a check as the first thing that doesn't hold; none of it was acknowledged.
    let (well, judged): (&[i32], &[i32]) = (&[0], &[0, 1]);
    let mut commands = vec![
        (plain(&["log", "cat"]), well),
        (plain(&["log", "cat", "--partition", "registry", "--from", "2", "--limit", "3", "--json"]), well),
        (plain(&["log", "verify"]), judged),
        (plain(&["log", "head"]), judged),
        (plain(&["log", "repair", "--dry-run"]), well),
        (plain(&["view", "check"]), judged),
        (plain(&["snapshot", "check"]), well),
        (plain(&["plugin", "replay", &component]), well),
        (plain(&["backup", &backup]), well),
        (["backup", &backup, "--check"].map(str::to_owned).to_vec(), well),
    ];
    let head = Said::of(samsyn(world.directory()).args(plain(&["log", "head"])).output().expect("it runs"));
    if head.code == Some(0) {
        fs::write(&noted, &head.out).expect("it can be written");
        commands.push((plain(&["log", "verify", "--head", &noted]), judged));
    }
    commands
}

/// Runs each of them; answers what each said.
fn run_reading_commands(world: &World) -> BTreeMap<String, Said> {
    let before = files_in(&world.data());
    let temporary = world.directory().join("temporary");
    fs::create_dir_all(&temporary).expect("it can be made");
    let mut said = BTreeMap::new();
    for (words, codes) in commands(world) {
        let mut command = samsyn(world.directory());
        let output = command.env("TMPDIR", &temporary).args(&words).output().expect("the command can be run");
        let answer = Said::of(output);
        let changed = differences(&world.data(), &before);
        assert!(changed.is_empty(), "{words:?} changed {changed:?}");
        assert!(answer.code.is_some_and(|code| codes.contains(&code)), "{words:?}: {answer:?}");
        assert_eq!(fs::read_dir(&temporary).expect("it is there").count(), 0, "{words:?} left something");
        said.insert(words[..2].join(" "), answer);
    }
    said
}

#[test]
fn after_a_clean_stop_commands_that_read_change_nothing() {
    let mut world = with_history();
    assert!(world.stop().success());
    let said = run_reading_commands(&world);
    assert!(said["view check"].out.contains("the view matches the log"), "{said:#?}");
    assert!(said["log verify"].out.contains("all checksums"), "{said:#?}");
    world.start();
    world.settle();
    assert_eq!(world.fields("anna")["probe.count"], 16);
}

#[test]
fn after_an_unclean_stop_with_a_torn_end_commands_that_read_change_nothing() {
    let mut world = with_history();
    world.kill();
    tear(&world);
    let said = run_reading_commands(&world);
    assert!(said["view check"].out.contains("the view matches the log"), "{said:#?}");
    assert_eq!(said["plugin replay"].code, Some(0), "{said:#?}");
    // The end is still torn for the start that follows, which cuts it and keeps it aside.
    let tails = |world: &World| {
        let names = fs::read_dir(world.data().join("log")).expect("it is a directory");
        names
            .filter(|entry| {
                entry
                    .as_ref()
                    .is_ok_and(|it| it.path().extension().is_some_and(|extension| extension == "tail"))
            })
            .count()
    };
    assert_eq!(tails(&world), 0);
    world.start();
    assert_eq!(tails(&world), 1, "{}", world.log());
    world.settle();
    assert_eq!(world.fields("anna")["probe.count"], 16);
    assert!(world.stop().success());
    assert_eq!(world.run_on_data(&["log", "verify", "--json"]).ok().json()["problem"], Value::Null);
}

#[test]
fn a_directory_that_no_host_ever_ran_on_is_read_and_gets_no_new_file() {
    let mut world = with_history();
    assert!(world.stop().success());
    let backup = world.directory().join("kept");
    world.run_on_data(&["backup", backup.to_str().expect("text")]).ok();
    fs::remove_dir_all(world.data()).expect("it can be removed");
    world.run_on_data(&["restore", backup.to_str().expect("text")]).ok();
    let before = files_in(&world.data());
    // It has no view yet and nobody's locks.
    for (words, code) in [
        (&["log", "cat"][..], 0),
        (&["log", "verify"], 0),
        (&["log", "head"], 0),
        (&["log", "repair", "--dry-run"], 0),
        (&["view", "check"], 1),
        (&["snapshot", "check"], 0),
        (&["plugin", "replay", &world.file("probe.wasm", components::probe("probe", USUAL))], 0),
    ] {
        let said = world.run_on_data(words);
        assert_eq!(said.code, Some(code), "{words:?}: {said:?}");
        let changed = differences(&world.data(), &before);
        assert!(changed.is_empty(), "{words:?} changed {changed:?}");
    }
}
