//! A plug-in that is too slow: the host says so and when to come back, and keeps its word to
//! everybody it said yes to.

use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;

use crate::components::{self, USUAL};
use crate::world::{PATIENCE, World, until};

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
    let proposed = world.propose("other", json!({"quick.note": "still here"}));
    assert_eq!(proposed["fields"]["quick.note"]["outcome"], "accepted", "{proposed}");
    assert_eq!(world.get("/v1/capabilities/quick").of(200)["state"], "active");
}

#[test]
fn a_client_that_asks_too_much_at_once_is_told_to_wait() {
    let world = World::with(&[("SAMSYN_HTTP_REQUESTS_PER_CLIENT", "1"), ("SAMSYN_SANDBOX_TIME_MS", "200")]);
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
