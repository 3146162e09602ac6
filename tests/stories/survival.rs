//! Whatever happens to the process: what was acknowledged is there, once, in order.

use std::process::Stdio;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};

use crate::caller::Caller;
use crate::components::{self, USUAL};
use crate::world::{Said, World, until};

/// Threads that send, each for a customer of its own.
const SENDERS: usize = 4;
/// Acknowledged events before the host is killed.
const EVENTS_BEFORE_KILL: u64 = 400;
/// How often it is killed.
const KILLS: usize = 2;

fn counted(sender: usize, number: usize) -> Value {
    json!({"id": id(sender, number), "name": "probe.asked", "at": "2025-06-01T10:00:00Z",
           "identifiers": {"customer_id": format!("sender-{sender}")},
           "properties": {"script": ["add probe.count"]}})
}

fn id(sender: usize, number: usize) -> String {
    format!("{sender}-{number:06}")
}

/// How far a sender is.
#[derive(Clone, Copy, Default)]
struct Progress {
    /// Acknowledged: all numbers below.
    acknowledged: usize,
    /// Sent, perhaps in vain: all numbers below.
    sent: usize,
}

/// Sends until the host is gone: some one at a time, some in batches.
fn send_until_gone(caller: &Caller, sender: usize, from: usize, total: &AtomicU64) -> Progress {
    let batch = if sender.is_multiple_of(2) { 1 } else { 7 };
    let mut progress = Progress { acknowledged: from, sent: from };
    loop {
        let numbers = progress.acknowledged..progress.acknowledged + batch;
        progress.sent = numbers.end;
        let events: Vec<Value> = numbers.map(|number| counted(sender, number)).collect();
        let body = if batch == 1 { events[0].clone() } else { json!({ "events": events }) };
        let headers = [("content-type", "application/json")];
        let answer = caller.try_send("POST", "/v1/events", &headers, body.to_string().as_bytes());
        match answer {
            Err(_) => return progress,
            Ok(answer) => {
                let answer = answer.of(202);
                assert_eq!(answer["refused"].as_u64().unwrap_or(0), 0, "{answer}");
                progress.acknowledged = progress.sent;
                total.fetch_add(batch as u64, Ordering::Relaxed);
            }
        }
    }
}

#[test]
fn what_was_acknowledged_survives_kill_9_exactly_once() {
    let mut world = World::new();
    world.install(&components::probe("probe", USUAL));
    let mut progress = [Progress::default(); SENDERS];
    for _ in 0..KILLS {
        progress = kill_under_load(&mut world, progress);
        world.start();
        // What wasn't acknowledged may be there or not: sending it again makes sure of it.
        for (sender, progress) in progress.iter_mut().enumerate() {
            for number in 0..progress.sent {
                let answer = world.json("POST", "/v1/events", &counted(sender, number)).of(202);
                let known = answer["duplicate"] == true;
                assert!(known || number >= progress.acknowledged, "{} is lost", id(sender, number));
            }
            progress.acknowledged = progress.sent;
        }
    }
    world.settle();
    for (sender, progress) in progress.iter().enumerate() {
        let customer = format!("sender-{sender}");
        assert_eq!(world.fields(&customer), json!({"probe.count": progress.sent}), "once each");
        let ids: Vec<String> = (0..progress.sent).rev().map(|number| id(sender, number)).collect();
        assert_eq!(timeline_ids(&world, &customer), ids, "in the order sent");
    }
    the_log_is_whole_and_the_view_comes_back(&mut world);
}

fn kill_under_load(world: &mut World, progress: [Progress; SENDERS]) -> [Progress; SENDERS] {
    let total = AtomicU64::new(0);
    let caller = Caller::clone(world);
    std::thread::scope(|scope| {
        let (caller, total) = (&caller, &total);
        let senders = std::array::from_fn::<_, SENDERS, _>(|sender| {
            let from = progress[sender].sent;
            scope.spawn(move || send_until_gone(caller, sender, from, total))
        });
        until("enough is acknowledged", || {
            (total.load(Ordering::Relaxed) >= EVENTS_BEFORE_KILL).then_some(())
        });
        world.kill();
        senders.map(|sender| sender.join().expect("a sender ends when the host is gone"))
    })
}

/// The ids of a customer's events, newest first.
fn timeline_ids(world: &World, customer: &str) -> Vec<String> {
    let (mut ids, mut cursor) = (Vec::new(), String::new());
    loop {
        let page =
            world.get(&format!("/v1/profiles/customer_id:{customer}/timeline?limit=1000{cursor}")).of(200);
        let items = page["items"].as_array().into_iter().flatten();
        ids.extend(items.filter_map(|item| item["event"]["id"].as_str().map(str::to_owned)));
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return ids,
        }
    }
}

fn everything(world: &World) -> Vec<Value> {
    let customers = (0..SENDERS).map(|sender| format!("sender-{sender}"));
    let told = customers.flat_map(|customer| {
        let timeline = format!("/v1/profiles/customer_id:{customer}/timeline?limit=1000");
        [world.profile(&customer), world.get(&timeline).of(200)]
    });
    told.collect()
}

fn the_log_is_whole_and_the_view_comes_back(world: &mut World) {
    let before = everything(world);
    assert!(world.stop().success(), "SIGTERM ends a host well");
    let report = world.run_on_data(&["log", "verify", "--json"]).ok().json();
    assert_eq!(report["problem"], Value::Null);
    assert!(report["records"].as_u64() >= Some(EVENTS_BEFORE_KILL), "{report}");
    let records = world.run_on_data(&["log", "cat", "--json"]).ok().json_lines();
    assert_eq!(Some(records.len() as u64), report["records"].as_u64());
    std::fs::remove_dir_all(world.data().join("view")).expect("the view is a directory");
    world.start();
    assert_eq!(everything(world), before, "the view comes back from the log");
    assert!(world.stop().success());
    let rebuilt = world.run_on_data(&["view", "rebuild", "--json"]).ok().json();
    assert_eq!(rebuilt["profiles"], SENDERS, "{rebuilt}");
    world.start();
    assert_eq!(everything(world), before, "and by the command");
}

#[test]
fn a_second_host_on_the_same_data_is_refused() {
    let world = World::new();
    let mut second =
        world.serve().stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it can be started");
    let ended = until("the second host gives up", || second.try_wait().expect("it can be waited for"));
    let said = Said::of(second.wait_with_output().expect("its output can be read"));
    assert_eq!(ended.code(), Some(1), "{said:?}");
    assert!(said.err.contains("held by a running host"), "{said:?}");
    assert!(said.err.contains("next: "), "{said:?}");
    assert_eq!(world.status()["profiles"], 0, "the first goes on");
}

#[test]
fn a_host_that_is_told_to_stop_answers_what_is_under_way() {
    let mut world = World::new();
    world.install(&components::probe("probe", USUAL));
    world.script("kept", &["integer probe.count 1"]);
    let event = json!({"id": "late", "name": "probe.asked", "identifiers": {"customer_id": "kept"},
                       "properties": {"script": ["add probe.count"]}});
    world.json("POST", "/v1/events", &event).of(202);
    assert!(world.stop().success());
    world.start();
    world.settle();
    assert_eq!(world.fields("kept"), json!({"probe.count": 2}));
    world.signal("INT");
    assert!(world.ended().success(), "Ctrl-C is no failure either");
}

#[test]
fn a_plug_in_that_catches_up_goes_on_after_a_crash() {
    const CUSTOMERS: usize = 4;
    const EVENTS_EACH: usize = 500;
    let mut world = World::new();
    let send = |world: &World, from: usize, to: usize| {
        for customer in 0..CUSTOMERS {
            let events: Vec<Value> = (from..to).map(|number| counted(customer, number)).collect();
            world.json("POST", "/v1/events", &json!(events)).of(202);
        }
    };
    send(&world, 0, EVENTS_EACH);
    world.post_component("?from=start", &components::probe("probe", USUAL)).of(201);
    // In the middle of it, or nearly so: what counts is that it makes no difference.
    world.kill();
    world.start();
    send(&world, EVENTS_EACH, EVENTS_EACH + 50);
    world.kill();
    world.start();
    until("it has caught up", || {
        (world.get("/v1/capabilities/probe").of(200)["state"] == "active").then_some(())
    });
    world.settle();
    for customer in 0..CUSTOMERS {
        let fields = world.fields(&format!("sender-{customer}"));
        assert_eq!(fields, json!({"probe.count": EVENTS_EACH + 50}), "customer {customer}");
    }
}
