//! A data directory that is copied or restored sends nothing until somebody resumes it; one that is started again, or
//! moved, goes on.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use samsyn_harness::components::{USUAL, calling_probe};
use samsyn_harness::world::{World, until};
use samsyn_testkit::peer::Peer;

const CALLS: &str = "timers = true\n[calls.system]\nreason = \"A system\"\nmethods = [\"PUT\"]\n";

/// A host whose plug-in has called a system once.
fn world(peer: &Peer) -> World {
    let world = World::new();
    world.install(&calling_probe("probe", &format!("{CALLS}{USUAL}")));
    let binding = json!({ "url": peer.url(), "auth": "none", "networks": ["127.0.0.0/8"] });
    world.json("PUT", "/v1/endpoints/probe/system", &binding).of(200);
    call(&world, "/first");
    arrived(peer, "/first");
    world
}

fn call(world: &World, path: &str) {
    world.script("anna", &[&format!("call system PUT {path} x")]);
}

fn has_arrived(peer: &Peer, path: &str) -> bool {
    peer.arrivals().iter().any(|arrival| arrival.target == path)
}

fn arrived(peer: &Peer, path: &str) {
    until("it arrives", || has_arrived(peer, path).then_some(()));
}

fn paused(world: &World) -> Value {
    world.get("/v1/outgoing").of(200)["paused"].take()
}

/// Another host, on what `make` puts in place of its data.
fn on(first: &World, make: impl FnOnce(&Path)) -> World {
    let mut other = World::stopped(&[], &first.token);
    make(&other.data());
    other.start();
    other
}

fn copy(from: &Path, to: &Path) {
    assert!(Command::new("cp").arg("-a").args([from, to]).status().expect("cp can be run").success());
}

/// It begins paused, says why, and sends what waits once it is resumed.
fn begins_paused(world: &World, peer: &Peer, path: &str, why: &str) {
    let pause = paused(world);
    assert_eq!(pause["by"], "host", "{pause}");
    assert!(pause["reason"].as_str().is_some_and(|reason| reason.contains(why)), "{why}: {pause}");
    assert!(world.log().contains("all sending is paused"), "{}", world.log());
    let status = world.run(&["status"]).ok();
    assert!(status.out.contains("paused by host since") && status.out.contains(why), "{status:?}");
    let changes = world.run(&["audit", "changes"]).ok();
    assert!(changes.out.contains(why), "{changes:?}");
    call(world, path);
    until("its endpoint was looked at", || {
        let calls = world.status()["calls"].take();
        let why = calls["halted"][0]["reason"].as_str().unwrap_or_default().to_owned();
        (calls["waiting"] == 1 && why.contains("all sending is paused")).then_some(())
    });
    assert!(!has_arrived(peer, path), "nothing leaves");
    world.run(&["outgoing", "resume", "--yes", "--reason", "the first host is off"]).ok();
    arrived(peer, path);
}

#[test]
fn a_copy_begins_paused_and_a_restart_and_a_move_do_not() {
    let peer = Peer::start();
    let mut first = world(&peer);
    first.crash();
    assert_eq!(paused(&first), Value::Null, "a start again is no copy");
    first.stop();
    let mut copied = on(&first, |data| copy(&first.data(), data));
    begins_paused(&copied, &peer, "/copied", "is a copy");
    copied.crash();
    assert_eq!(paused(&copied), Value::Null, "it is at home here now");
    let moved = on(&first, |data| fs::rename(first.data(), data).expect("it can be moved"));
    assert_eq!(paused(&moved), Value::Null, "the same directory under another name");
    call(&moved, "/moved");
    arrived(&peer, "/moved");
}

#[test]
fn a_restored_directory_begins_paused_and_one_that_calls_nobody_as_ever() {
    let peer = Peer::start();
    let mut first = world(&peer);
    let backup = first.directory().join("backup");
    let backup = backup.to_str().expect("a path is text");
    first.run_on_data(&["backup", backup]).ok();
    let restored = on(&first, |data| {
        let data = data.to_str().expect("a path is text");
        first.run(&["restore", backup, "--data", data]).ok();
    });
    begins_paused(&restored, &peer, "/restored", "was restored from a backup");
    // Nothing could be sent from a copy of one without endpoints.
    first.run(&["endpoint", "unbind", "probe", "system", "--yes"]).ok();
    first.stop();
    let silent = on(&first, |data| copy(&first.data(), data));
    assert_eq!(paused(&silent), Value::Null);
}

#[test]
fn another_machine_begins_paused_unless_it_has_a_name_that_stays() {
    let peer = Peer::start();
    let mut first = world(&peer);
    first.stop();
    first.launch(&[], &[("SAMSYN_OUTGOING_MACHINE", "another")]);
    assert!(first.is_ready(), "{}", first.log());
    let known = fs::read_to_string("/etc/machine-id").is_ok_and(|id| !id.trim().is_empty());
    if known {
        begins_paused(&first, &peer, "/machine", "on another machine");
    }
    first.stop();
    first.launch(&[], &[("SAMSYN_OUTGOING_MACHINE", "another")]);
    assert!(first.is_ready(), "{}", first.log());
    assert_eq!(paused(&first), Value::Null);
    first.stop();
    first.launch(&[], &[("SAMSYN_OUTGOING_MACHINE", "a third")]);
    assert!(first.is_ready(), "{}", first.log());
    begins_paused(&first, &peer, "/third", "on another machine");
    first.stop();
    let place = first.data().join("place.toml");
    fs::remove_file(&place).expect("it can be removed");
    first.start();
    begins_paused(&first, &peer, "/unknown", "isn't known where");
    first.stop();
    first.launch(&[], &[("SAMSYN_OUTGOING_MACHINE", "a fourth"), ("SAMSYN_OUTGOING_PAUSE_COPIES", "false")]);
    assert!(first.is_ready(), "{}", first.log());
    assert_eq!(paused(&first), Value::Null, "it was switched off");
}
