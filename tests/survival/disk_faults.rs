//! Disks that are full, fail or lie: acknowledging ends and says why, reads go on, and once the disk
//! is mended a start goes on without loss.
//!
//! The faults are those of `host/disk/src/faults.rs`, which a build for tests has, and of files that
//! the system itself lets grow no further.

use std::path::PathBuf;
use std::process::Stdio;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::files;
use samsyn_harness::caller::Answer;
use samsyn_harness::components::{self, USUAL};
use samsyn_harness::world::{Said, World, until};
use samsyn_testkit::survival_json;

/// A fault of the disk: the rule that makes it, and what the host says of it.
struct Fault(&'static str, &'static str);

const FULL: &str = "No space left on device";
const IO: &str = "Input/output error";
const READ_ONLY: &str = "Read-only file system";

/// What can happen to the log of a host that runs: in the middle of a frame, at its sync, and at
/// each step of going on to a new segment.
const OF_THE_LOG: [Fault; 18] = [
    Fault("write /log/ full", FULL),
    Fault("write /log/ short", FULL),
    Fault("write /log/ io", IO),
    Fault("write /log/ readonly", READ_ONLY),
    Fault("write /log/ full 3", FULL),
    Fault("write /log/ short 5", FULL),
    Fault("write /log/ io 8", IO),
    Fault("sync /log/ io", IO),
    Fault("sync /log/ full", FULL),
    Fault("sync /log/ io 3", IO),
    Fault("sync /log/ io 8", IO),
    Fault("create /log/ full", FULL),
    Fault("create /log/ readonly", READ_ONLY),
    Fault("write .segment.new full", FULL),
    Fault("sync .segment.new io", IO),
    Fault("rename /log/ io", IO),
    Fault("rename /log/ full 1", FULL),
    Fault("sync-dir data/log io", IO),
];

/// What can happen when a plug-in is installed.
const OF_COMPONENTS: [Fault; 4] = [
    Fault("create /components/ full", FULL),
    Fault("write /components/ short", FULL),
    Fault("sync /components/ io", IO),
    Fault("rename /components/ readonly", READ_ONLY),
];

/// What can happen to the audit of reads.
const OF_THE_AUDIT: [Fault; 3] =
    [Fault("write /audit/ full", FULL), Fault("write /audit/ short", FULL), Fault("sync /audit/ io", IO)];

/// What can happen when a follower writes what it keeps.
const OF_FOLLOWERS: [Fault; 5] = [
    Fault("create /followers/ full", FULL),
    Fault("write /followers/ short", FULL),
    Fault("sync /followers/ io", IO),
    Fault("rename /followers/ readonly", READ_ONLY),
    Fault("sync-dir data/followers io", IO),
];

/// What can happen at a start after a kill.
const AT_A_START: [Fault; 6] = [
    Fault("open /log/ io", IO),
    Fault("read /log/ io", IO),
    Fault("create /log/ full", FULL),
    Fault("write .segment.new short", FULL),
    Fault("sync .segment.new io", IO),
    Fault("rename /log/ readonly", READ_ONLY),
];

/// Events that are sent at most until the fault shows.
const EVENTS_MAX: usize = 100;

/// A disk that can be broken and mended while a host runs on it.
struct Disk {
    directory: TempDir,
}

impl Disk {
    fn new() -> Disk {
        Disk { directory: tempfile::tempdir().expect("a directory can be made") }
    }

    /// The file that names its faults.
    fn faults(&self) -> PathBuf {
        self.directory.path().join("faults")
    }

    fn breaks(&self, Fault(rule, _): &Fault) {
        // Renamed, so that the host never reads half a rule.
        let new = self.directory.path().join("new");
        std::fs::write(&new, rule).expect("it can be written");
        std::fs::rename(new, self.faults()).expect("it can be renamed");
    }

    fn is_mended(&self) {
        let _ = std::fs::remove_file(self.faults());
    }
}

/// A stopped host with a plug-in and a customer, to be copied.
fn template() -> World {
    let mut world = World::new();
    world.install(&components::probe("probe", USUAL));
    world.script("kept", &["add probe.count"]);
    world.settle();
    assert!(world.stop().success());
    world
}

/// A host on a copy of it that isn't started, on a disk that can be broken.
fn copy(template: &World) -> (World, Disk) {
    let disk = Disk::new();
    let faults = disk.faults();
    let faults = faults.to_str().expect("its path is text");
    (copy_with(template, &[("SAMSYN_LOG_SEGMENT_BYTES", "4096"), ("SAMSYN_TEST_DISK_FAULTS", faults)]), disk)
}

fn copy_with(template: &World, settings: &[(&str, &str)]) -> World {
    let settings = [&[("SAMSYN_REGISTRY_ACCEPT_NEW_FIELDS", "true")], settings].concat();
    let world = World::stopped(&settings, &template.token);
    files::copy(&template.data(), &world.data());
    world
}

/// From now on the system lets no file of the host that runs grow beyond so many KiB.
fn limit_files(world: &World, kib: u64) {
    let limit = Some((kib << 10, rlimit::INFINITY));
    let id = world.id().try_into().expect("a process's id");
    rlimit::prlimit(id, rlimit::Resource::FSIZE, limit, None).expect("the limit can be set");
}

fn counted(id: &str, padding: usize) -> Value {
    json!({"id": id, "name": "probe.asked", "identifiers": {"customer_id": "kept"},
           "properties": {"script": ["add probe.count"], "padding": "x".repeat(padding)}})
}

/// What the plug-in has counted.
fn counted_of(world: &World) -> usize {
    world.fields("kept")["probe.count"].as_u64().unwrap_or(0) as usize
}

fn send(world: &World, id: &str) -> Answer {
    world.json("POST", "/v1/events", &counted(id, 0))
}

/// Sends until an event is refused; the ids that were acknowledged, and what the refusal says.
fn send_until_refused(world: &World, padding: usize, max: usize) -> (Vec<String>, Answer) {
    let mut acknowledged = Vec::new();
    for number in 0..max {
        let id = format!("event-{number}");
        let answer = world.json("POST", "/v1/events", &counted(&id, padding));
        if answer.status != 202 {
            return (acknowledged, answer);
        }
        acknowledged.push(id);
    }
    panic!("{max} events are taken, whatever the disk does");
}

/// Readiness, status, metrics and the problem say that no event is taken, and why.
#[track_caller]
fn says_why(world: &World, refused: &Answer, code: &str, part: &str, why: &str) {
    assert_eq!((refused.status, refused.problem().as_str()), (503, code), "{refused:?}");
    assert!(refused.text.contains(why), "{refused:?}");
    let ready = world.get("/readyz");
    assert_eq!((ready.status, ready.problem().as_str()), (503, "not-ready"));
    assert!(ready.text.contains(why), "{ready:?}");
    assert_eq!(world.get("/healthz").status, 200);
    let status = world.status();
    assert_eq!(status[part]["state"], "failed", "{status}");
    assert!(status[part]["reason"].as_str().is_some_and(|reason| reason.contains(why)), "{status}");
    assert!(world.run(&["status"]).ok().out.contains(why));
    assert!(world.get("/metrics").text.contains(&format!("samsyn_{part}_available 0\n")));
}

/// A host that was stopped after a fault says so by its exit code; the next one has everything.
fn goes_on(world: &mut World, disk: &Disk, acknowledged: &[String], refused: &str) {
    let ended = world.stop();
    assert_eq!(ended.code(), Some(1), "a fault is no good end");
    assert!(world.log().contains("next: check the disk"), "{}", world.log());
    disk.is_mended();
    world.start();
    assert_eq!(world.get("/readyz").status, 200);
    // It may have reached the disk, which nobody was told: sent again it is there once.
    assert_eq!(send(world, refused).status, 202);
    let expected = 1 + acknowledged.len() + 1;
    until("all are decided", || (counted_of(world) >= expected).then_some(()));
    world.settle();
    assert_eq!(counted_of(world), expected, "each once");
    for id in acknowledged {
        assert_eq!(world.get(&format!("/v1/events/{id}")).of(200)["state"], "decided", "{id}");
    }
    assert!(world.stop().success());
    assert_eq!(world.run_on_data(&["log", "verify", "--json"]).ok().json()["problem"], Value::Null);
}

fn the_log_fails(world: &mut World, disk: &Disk, fault: &Fault) {
    world.start();
    disk.breaks(fault);
    let (acknowledged, refused) = send_until_refused(world, 0, EVENTS_MAX);
    says_why(world, &refused, "log-failed", "log", fault.1);
    // What is durable is answered as before.
    assert!(world.fields("kept")["probe.count"].as_u64() >= Some(1));
    for id in &acknowledged {
        assert_eq!(world.get(&format!("/v1/events/{id}")).status, 200, "{id}");
    }
    let refused = format!("event-{}", acknowledged.len());
    assert_eq!(send(world, &refused).problem(), "log-failed", "it stays so");
    goes_on(world, disk, &acknowledged, &refused);
}

fn a_component_cant_be_kept(world: &mut World, disk: &Disk, fault: &Fault) {
    let other = components::probe("other", "[subscribes.\"probe.*\"]\nscript = { type = \"texts\" }\n");
    world.start();
    disk.breaks(fault);
    let refused = world.post_component("?approve=true", &other);
    assert_eq!((refused.status, refused.problem().as_str()), (503, "component.not-kept"));
    assert!(refused.text.contains(fault.1), "{refused:?}");
    assert_eq!(world.get("/v1/capabilities/other").status, 404);
    // Everything else goes on, and with the disk mended so does this, without a new start.
    world.script("kept", &["add probe.count"]);
    disk.is_mended();
    world.install(&other);
    assert!(world.stop().success());
    world.start();
    assert_eq!(world.get("/v1/capabilities/other").of(200)["state"], "active");
}

fn the_audit_fails(world: &mut World, disk: &Disk, fault: &Fault) {
    world.start();
    disk.breaks(fault);
    let read = || world.get("/v1/profiles/customer_id:kept");
    let refused = until("a read is refused", || Some(read()).filter(|answer| answer.status != 200));
    assert_eq!((refused.status, refused.problem().as_str()), (503, "audit-unavailable"));
    assert!(refused.text.contains(fault.1), "{refused:?}");
    let ready = world.get("/readyz").of(200);
    assert!(ready["personal_reads"]["refused"].as_str().is_some_and(|why| why.contains(fault.1)), "{ready}");
    assert_eq!(world.status()["audit"]["state"], "failed");
    assert_eq!(send(world, "meanwhile").status, 202, "events are taken");
    disk.is_mended();
    // Ten seconds after the fault the next read tries.
    until("reads are answered again", || (read().status == 200).then_some(()));
    assert_eq!(world.get("/readyz").of(200), json!({"ready": true}));
    assert!(world.stop().success());
    assert_eq!(world.run_on_data(&["log", "verify", "--json"]).ok().json()["problem"], Value::Null);
}

fn a_follower_fails(world: &mut World, disk: &Disk, fault: &Fault) {
    world.start();
    let follower = || world.status()["followers"][0].clone();
    let caught_up = || (follower()["lag_records"] == 0 && follower()["state"] == "ok").then_some(());
    until("it has caught up", caught_up);
    disk.breaks(fault);
    assert_eq!(send(world, "meanwhile-0").status, 202);
    let failed = until("it is told", || Some(follower()).filter(|follower| follower["state"] == "failed"));
    assert!(failed["reason"].as_str().is_some_and(|why| why.contains(fault.1)), "{failed}");
    assert!(failed["failures"].as_u64() >= Some(1), "{failed}");
    assert!(world.run(&["status"]).ok().out.contains("field-changes failed and tries again"));
    let metrics = world.get("/metrics").text;
    assert!(metrics.contains("samsyn_follower_available{follower=\"field-changes\"} 0\n"), "{metrics}");
    // Events are taken and decided all the same.
    assert_eq!(send(world, "meanwhile-1").status, 202);
    until("both are decided", || (counted_of(world) == 3).then_some(()));
    assert_eq!(world.get("/readyz").status, 200);
    disk.is_mended();
    until("it goes on by itself", caught_up);
    assert_eq!(world.status()["field_changes"]["probe.count"], 3, "each once");
    assert!(world.stop().success());
}

fn a_start_fails(world: &mut World, disk: &Disk, fault: &Fault) {
    world.start();
    assert_eq!(send(world, "before").status, 202);
    world.kill();
    disk.breaks(fault);
    let host =
        world.serve().stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it can be started");
    let said = Said::of(host.wait_with_output().expect("its output can be read"));
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.err.contains(fault.1) && said.err.contains("next: "), "{said:?}");
    disk.is_mended();
    world.start();
    until("it is decided", || (counted_of(world) >= 2).then_some(()));
    world.settle();
    assert_eq!(counted_of(world), 2, "once");
    assert!(world.stop().success());
}

#[test]
fn acknowledging_ends_when_the_disk_fails_and_nothing_is_lost() {
    let template = template();
    type Scene = fn(&mut World, &Disk, &Fault);
    let scenes = |scene: Scene, faults: &'static [Fault]| faults.iter().map(move |fault| (scene, fault));
    let all: Vec<(Scene, &Fault)> = scenes(the_log_fails, &OF_THE_LOG)
        .chain(scenes(a_component_cant_be_kept, &OF_COMPONENTS))
        .chain(scenes(the_audit_fails, &OF_THE_AUDIT))
        .chain(scenes(a_follower_fails, &OF_FOLLOWERS))
        .chain(scenes(a_start_fails, &AT_A_START))
        .collect();
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some((scene, fault)) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
                    println!("{}", fault.0);
                    let (mut world, disk) = copy(&template);
                    scene(&mut world, &disk, fault);
                }
            });
        }
    });
    files_that_grow_no_further(&template);
    survival_json::record(
        "disk_faults",
        json!({"tried": all.len() + 2, "lost": 0, "duplicated": 0, "silent": 0}),
    );
}

/// Without a fault of ours: the system lets no file grow beyond a bound.
fn files_that_grow_no_further(template: &World) {
    const TOO_LARGE: &str = "File too large";
    let mut world = copy_with(template, &[]);
    world.start();
    limit_files(&world, 4 << 10);
    let (acknowledged, refused) = send_until_refused(&world, 20_000, 1_000);
    says_why(&world, &refused, "log-failed", "log", TOO_LARGE);
    assert!(world.fields("kept")["probe.count"].as_u64() >= Some(1));
    let refused = format!("event-{}", acknowledged.len());
    goes_on(&mut world, &Disk::new(), &acknowledged, &refused);

    // The log's files are small here, so that the view's is the first to reach the bound.
    let settings = [("SAMSYN_LOG_SEGMENT_BYTES", "262144"), ("SAMSYN_VIEW_BATCH_MS", "50")];
    let mut world = copy_with(template, &settings);
    world.start();
    limit_files(&world, 2 << 10);
    let note = "n".repeat(8_000);
    let mut sent = 0;
    let refused = until("the view is full", || {
        let customer = format!("customer-{sent}");
        let event = json!({"name": "probe.asked", "identifiers": {"customer_id": customer},
                           "properties": {"script": ["add probe.count", format!("text probe.note {note}")]}});
        let answer = world.json("POST", "/v1/events", &event);
        sent += usize::from(answer.status == 202);
        (answer.status != 202).then_some(answer)
    });
    assert_eq!((refused.status, refused.problem().as_str()), (503, "view-failed"), "{refused:?}");
    let ready = world.get("/readyz");
    assert_eq!((ready.status, ready.problem().as_str()), (503, "not-ready"));
    assert_eq!(world.status()["view"]["state"], "failed");
    assert!(world.get("/metrics").text.contains("samsyn_view_available 0\n"));
    assert_eq!(world.stop().code(), Some(1));
    world.start();
    until("the last is decided", || {
        (world.fields(&format!("customer-{}", sent - 1))["probe.count"] == 1).then_some(())
    });
    world.settle();
    for customer in 0..sent {
        assert_eq!(world.fields(&format!("customer-{customer}"))["probe.count"], 1, "{customer}");
    }
    assert!(world.stop().success());
}
