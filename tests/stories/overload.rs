//! A plug-in that is too slow: the host says so and when to come back, and keeps its word to
//! everybody it said yes to.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{LazyLock, Mutex, PoisonError};

use serde_json::{Map, Value, json};

use samsyn_harness::caller::Caller;
use samsyn_harness::components::{self, USUAL};
use samsyn_harness::world::{PATIENCE, World, until};
use samsyn_testkit::survival_json;

/// Events sent at once to a host that takes a tenth of them.
const EVENTS_TOO_MANY: usize = 20_000;
/// What overload may add to the host's memory, in MiB: the queues it has room for, and what the
/// allocator keeps.
const OVERLOAD_MIB: u64 = 192;

/// What the stories of overload counted, together one member of `target/survival.json`.
pub fn count(what: &str, counted: Value) {
    static COUNTS: LazyLock<Mutex<Map<String, Value>>> = LazyLock::new(Mutex::default);
    let mut counts = COUNTS.lock().unwrap_or_else(PoisonError::into_inner);
    counts.insert(what.to_owned(), counted);
    survival_json::record("overload", Value::Object(counts.clone()));
}

/// Somebody who has no connection yet.
pub fn fresh(world: &World) -> Caller {
    Caller::new(world.url.clone(), world.token.clone())
}

/// The host's memory, in MiB, as it says itself.
pub fn rss_mib(world: &World) -> u64 {
    fresh(world).status()["rss_bytes"].as_u64().expect("it says how much it uses") >> 20
}

/// Sends batches until all of them are taken, as a client that does as it is told: what is refused
/// with a time is sent again. Answers how often it was.
fn send_all(world: &World, sender: usize, busy: &AtomicU64) {
    const BATCH: usize = 100;
    let caller = fresh(world);
    let mut left: Vec<Value> = (0..EVENTS_TOO_MANY / SENDERS)
        .map(|number| {
            json!({"id": format!("{sender}-{number}"), "name": "probe.asked", "at": "2025-06-01T10:00:00Z",
                   "identifiers": {"customer_id": format!("{sender}-{}", number % 50)},
                   "properties": {"script": ["add probe.count"]}})
        })
        .collect();
    while !left.is_empty() {
        let batch = &left[..left.len().min(BATCH)];
        let answer = caller.json("POST", "/v1/events", &json!({ "events": batch }));
        let taken = match answer.status {
            202 => answer.json()["accepted"].as_u64().expect("a count") as usize,
            429 | 503 => {
                busy.fetch_add(1, Ordering::Relaxed);
                let seconds: u64 = answer.header("retry-after").parse().expect("it says seconds");
                assert!((1..=60).contains(&seconds), "{seconds} s");
                0
            }
            _ => panic!("{answer:?}"),
        };
        // Once there was no room, what comes later in the batch isn't taken either.
        left.drain(..taken);
    }
}

/// Threads that send at once.
const SENDERS: usize = 8;

#[test]
fn ten_times_the_load_is_bounded_and_nothing_acknowledged_is_lost() {
    let world = World::with(&[
        ("SAMSYN_ENGINE_UNDECIDED_MAX", "500"),
        ("SAMSYN_LOG_QUEUE_BYTES_MAX", "1048576"),
        ("SAMSYN_HTTP_REQUESTS_PER_CLIENT", "4"),
    ]);
    world.install(&components::probe("probe", USUAL));
    let before_mib = rss_mib(&world);
    let (busy, highest_mib, done) = (AtomicU64::new(0), AtomicU64::new(0), AtomicBool::new(false));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                // It has a place among the requests of this client, or not: then it looks again.
                let answer = world.get("/v1/status");
                if answer.status == 200 {
                    let mib = answer.json()["rss_bytes"].as_u64().unwrap_or(0) >> 20;
                    highest_mib.fetch_max(mib, Ordering::Relaxed);
                }
            }
        });
        let senders: Vec<_> = (0..SENDERS)
            .map(|sender| {
                let (world, busy) = (&world, &busy);
                scope.spawn(move || send_all(world, sender, busy))
            })
            .collect();
        let sent: Vec<_> = senders.into_iter().map(|sender| sender.join()).collect();
        done.store(true, Ordering::Relaxed);
        assert!(sent.iter().all(Result::is_ok), "every sender got all of it through");
    });
    let (busy, highest_mib) = (busy.into_inner(), highest_mib.into_inner());
    assert!(busy > 0, "it was never too much");
    assert!(highest_mib <= before_mib + OVERLOAD_MIB, "{highest_mib} MiB, before {before_mib}");
    world.settle();
    // Each of them once, and new ones are decided at once again.
    for sender in 0..SENDERS {
        for customer in [0, 49] {
            let fields = world.fields(&format!("{sender}-{customer}"));
            assert_eq!(fields["probe.count"], EVENTS_TOO_MANY / SENDERS / 50, "{sender}-{customer}");
        }
    }
    assert_eq!(world.status()["accepted"], EVENTS_TOO_MANY);
    assert_eq!(world.script("afterwards", &["add probe.count"])["state"], "decided");
    count(
        "events",
        json!({"sent": EVENTS_TOO_MANY, "told_to_wait": busy, "lost": 0, "highest_mib": highest_mib}),
    );
}

#[test]
fn a_full_host_says_when_to_come_back_and_decides_all_it_took() {
    let world = World::with(&[
        ("SAMSYN_ENGINE_UNDECIDED_MAX", "10"),
        ("SAMSYN_SANDBOX_TIME_MS", "10"),
        // Else it would get a thread of its own, or be put aside, and nobody would have to wait.
        ("SAMSYN_ENGINE_SLOW_CALL_US", "1000000000"),
        ("SAMSYN_ENGINE_QUARANTINE_AFTER", "1000000"),
    ]);
    world.install(&components::probe("probe", USUAL));
    let full = AtomicBool::new(false);
    let deadline = std::time::Instant::now() + PATIENCE;
    let taken: Vec<String> = std::thread::scope(|scope| {
        let senders: Vec<_> = (0..8)
            .map(|sender| {
                let (world, full) = (&world, &full);
                scope.spawn(move || {
                    let mut taken = Vec::new();
                    for at in 0.. {
                        if full.load(Ordering::Relaxed) {
                            break;
                        }
                        assert!(std::time::Instant::now() < deadline, "it is never full");
                        let id = format!("slow-{sender}-{at}");
                        let event = json!({"id": id, "name": "probe.asked", "identifiers": {"customer_id": id},
                                           "properties": {"script": ["loop"]}});
                        let answer = world.json("POST", "/v1/events", &event);
                        if answer.status == 202 {
                            taken.push(id);
                            continue;
                        }
                        assert_eq!((answer.status, answer.problem().as_str()), (503, "busy"));
                        let seconds: u64 = answer.header("retry-after").parse().expect("it says seconds");
                        assert!((1..=60).contains(&seconds), "{seconds} s");
                        full.store(true, Ordering::Relaxed);
                    }
                    taken
                })
            })
            .collect();
        senders.into_iter().flat_map(|sender| sender.join().expect("it was answered")).collect()
    });
    assert!(taken.len() >= 10, "{} were taken before it was full", taken.len());
    assert_eq!(world.try_raw("GET", "/healthz", &[], b"").expect("it lives").status, 200);
    world.settle();
    for id in &taken {
        let event = world.get(&format!("/v1/events/{id}")).of(200);
        assert_eq!(
            (&event["state"], &event["outcomes"][0]["result"]),
            (&json!("parked"), &json!("parked")),
            "{event}"
        );
    }
    let parked = world.run(&["parked", "list", "--json", "--limit", "1000"]).ok().json_lines();
    assert_eq!(parked.len(), taken.len());
    assert!(parked.iter().all(|item| item["kind"] == "timeout"), "{parked:?}");
    // There is room again.
    let after = until("there is room again", || {
        let answer = world.json(
            "POST",
            "/v1/events",
            &json!({"name": "seen", "identifiers": {"customer_id": "after"}}),
        );
        (answer.status == 202).then_some(answer)
    });
    assert_eq!(after.json()["duplicate"], false);
}

#[test]
fn a_slow_plug_in_does_not_hold_up_the_others() {
    let world = World::with(&[("SAMSYN_SANDBOX_TIME_MS", "10"), ("SAMSYN_ENGINE_QUARANTINE_AFTER", "3")]);
    let quick = "[subscribes.\"probe.asked\"]\n[sources]\n\"quick.note\" = { type = \"text\" }\n";
    world.install(&components::probe("quick", quick));
    world.install(&components::probe("probe", USUAL));
    for customer in 0..4 {
        world.script(&format!("slow-{customer}"), &["loop"]);
    }
    until("the plug-in that never ends is put aside", || {
        let capability = world.get("/v1/capabilities/probe").of(200);
        (capability["state"] == "quarantined").then_some(())
    });
    let metrics = world.get("/metrics").text;
    assert!(metrics.contains("samsyn_lag_records{capability=\"probe\"}"), "its lag is a metric");
    let proposed = world.propose("other", json!({"quick.note": "still here"}));
    assert_eq!(proposed["fields"]["quick.note"]["outcome"], "accepted", "{proposed}");
    assert_eq!(world.get("/v1/capabilities/quick").of(200)["state"], "active");
}

#[test]
fn a_client_that_asks_too_much_at_once_is_told_to_wait() {
    let world = World::with(&[
        ("SAMSYN_HTTP_REQUESTS_PER_CLIENT", "1"),
        ("SAMSYN_SANDBOX_TIME_MS", "200"),
        // Else nobody would wait for it.
        ("SAMSYN_ENGINE_SLOW_CALL_US", "1000000000"),
    ]);
    world.install(&components::probe("probe", USUAL));
    // It waits a second for a decision that takes longer: taken all the same.
    let patient = || {
        let event = json!({"id": "patient", "name": "probe.asked", "identifiers": {"customer_id": "patient"},
                           "properties": {"script": ["loop"]}});
        let headers = [("content-type", "application/json"), ("prefer", "wait=1")];
        let answer = world.send("POST", "/v1/events", &headers, event.to_string().as_bytes());
        // The other one may have been there first.
        (answer.status != 429).then(|| answer.of(202))
    };
    std::thread::scope(|scope| {
        let patient = scope.spawn(|| until("there is room for the patient one", patient));
        let refused = until("there is one request too many", || {
            Some(world.get("/v1/status")).filter(|answer| answer.status == 429)
        });
        assert_eq!(refused.problem(), "too-many-requests");
        assert_eq!(refused.header("retry-after"), "1");
        assert!(patient.join().expect("it was answered")["position"].is_string());
    });
    let status =
        until("there is room again", || Some(world.get("/v1/status")).filter(|answer| answer.status == 200));
    assert_eq!(status.json()["accepted"], 1);
}
