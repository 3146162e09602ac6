//! An admin gives a field to another system: sees who disagrees, looks at a plan, carries it out,
//! and whoever consumes the field hears of each customer once, whatever happens meanwhile.

use serde_json::{Value, json};

use samsyn_harness::components::probe;
use samsyn_harness::world::{World, until};

/// Customers both systems speak of, and something else.
const DIFFER: usize = 60;
/// Customers only the first one speaks of.
const ALONE: usize = 20;

fn speaker(name: &str) -> Vec<u8> {
    let tables = format!(
        "[subscribes.\"{name}.asked\"]\nscript = {{ type = \"texts\" }}\n[sources]\ncity = {{ type = \"text\" }}\n\
         \"news.opted_out\" = {{ type = \"boolean\", protective = true }}\n"
    );
    probe(name, &tables)
}

const WATCHER: &str = "[sources]\n\"probe.seen\" = { type = \"text\" }\n\
    [consumes]\ncity = { purposes = [\"service\"], notify = true }\n";

fn customer(number: usize) -> String {
    format!("c{number:03}")
}

fn event(number: usize, by: &str, command: &str) -> Value {
    json!({"name": format!("{by}.asked"), "identifiers": {"customer_id": customer(number)},
           "properties": {"script": [command]}})
}

/// Two systems, one that listens, and what they said of whom.
fn furnished(settings: &[(&str, &str)]) -> World {
    let world = World::with(settings);
    for name in ["old", "new"] {
        world.install(&speaker(name));
    }
    world.install(&probe("watcher", WATCHER));
    let mut events = Vec::new();
    for number in 0..DIFFER + ALONE {
        events.push(event(number, "old", "text city Oslo"));
        if number < DIFFER {
            events.push(event(number, "new", "text city Bergen"));
        }
    }
    events.push(event(0, "old", "boolean news.opted_out true"));
    world.json("POST", "/v1/events", &json!(events)).of(202);
    // What is decided is counted when it is on the disk.
    until("everything said is counted", || {
        let of = world.get("/v1/fields/city/disagreements").of(200);
        (of["pairs"][0]["both"] == DIFFER).then_some(())
    });
    until("the opt-out is seen", || (world.fields("c000")["news.opted_out"] == true).then_some(()));
    until("the last one is there", || {
        let last = world.get(&format!("/v1/profiles/customer_id:{}", customer(DIFFER + ALONE - 1)));
        (last.status == 200 && last.json()["fields"]["city"] == "Oslo").then_some(())
    });
    world.settle();
    world
}

/// How often a customer's consumers were told of a moved source.
fn notification_count(world: &World, number: usize) -> usize {
    let path = format!("/v1/profiles/customer_id:{}/timeline", customer(number));
    let timeline = world.get(&path).of(200);
    timeline["items"].as_array().into_iter().flatten().filter(|item| item["kind"] == "assignment").count()
}

#[test]
fn a_disagreement_is_seen_planned_and_ended_and_a_crash_in_between_changes_nothing() {
    let mut world = furnished(&[]);
    let seen = world.run(&["field", "disagreements", "city", "--json"]).ok().json();
    let pair = &seen["pairs"][0];
    let numbers = ["both", "agree", "differ"].map(|name| pair[name].as_u64().unwrap_or(u64::MAX));
    assert_eq!(numbers, [DIFFER as u64, 0, DIFFER as u64], "{seen}");
    let claims = world.run(&["field", "claims", "city", "--profile", "customer_id:c000", "--json"]).ok();
    assert_eq!(claims.json_lines()[0]["claims"].as_array().map(Vec::len), Some(2));

    let plan = world.run(&["field", "assign", "city", "new", "--dry-run", "--json"]).ok().json();
    let of = &plan["fields"][0];
    assert_eq!((&of["changed"], &of["without_claim"]["inherit"]), (&json!(DIFFER), &json!(ALONE)), "{plan}");
    assert_eq!(of["consumers"], json!([{"capability": "watcher", "profiles": DIFFER}]));
    assert_eq!((&of["samples"][0]["before"], &of["samples"][0]["after"]), (&json!("Oslo"), &json!("Bergen")));
    assert_eq!(world.fields("c000")["city"], "Oslo", "a plan changes nothing");

    let applied = world.run(&["field", "assign", "city", "new", "--yes", "--json"]).ok().json();
    assert_eq!(applied["applied"], true);
    world.crash();
    world.settle();
    for number in 0..DIFFER + ALONE {
        let (city, times) = if number < DIFFER { ("Bergen", 1) } else { ("Oslo", 0) };
        // The job has ended when everybody's notice is written; what is heard of it follows.
        until(&format!("customer {number} sees and the watcher hears {city}"), || {
            let fields = world.fields(&customer(number));
            let heard = fields["probe.seen"] == format!("city={city}");
            (fields["city"] == city && heard).then_some(())
        });
        assert_eq!(notification_count(&world, number), times, "customer {number}");
    }
    world.crash();
    world.settle();
    assert_eq!(notification_count(&world, 1), 1, "never again");
    let again = world.run(&["field", "assign", "city", "new", "--yes", "--json"]).ok().json();
    assert_eq!(again["applied"], false);
}

#[test]
fn a_source_goes_when_its_fields_are_given_away_and_nobody_misses_anything() {
    let world = furnished(&[]);
    let refused = world.send("DELETE", "/v1/capabilities/old", &[], b"");
    assert_eq!(refused.problem(), "still-sources");
    let next = refused.json()["next"].as_str().unwrap_or_default().to_owned();
    assert!(next.contains("\"to\": \"new\""), "{next}");
    let body = json!({"from": "old", "all": true, "to": "new"});
    let plan = world.json("POST", "/v1/assignments?dry_run=true", &body).of(200);
    let opt_out =
        plan["fields"].as_array().into_iter().flatten().find(|field| field["field"] == "news.opted_out");
    assert_eq!(opt_out.map(|field| &field["opt_outs"]), Some(&json!(1)), "{plan}");
    world.json("POST", "/v1/assignments?reason=CRM-12", &body).of(200);
    assert_eq!(world.send("DELETE", "/v1/capabilities/old", &[], b"").status, 204);
    world.settle();
    assert_eq!(world.fields("c000")["news.opted_out"], true, "an opt-out survives");
    assert_eq!(world.fields(&customer(DIFFER))["city"], "Oslo", "inherited of a system that is gone");
    assert_eq!(world.fields("c000")["city"], "Bergen");
}

#[test]
fn a_stale_plan_is_refused_with_what_changed_since() {
    let world = furnished(&[]);
    let body = json!({"fields": ["city"], "to": "new", "mode": "clear"});
    let plan = world.json("POST", "/v1/assignments?dry_run=true", &body).of(200);
    assert_eq!(plan["fields"][0]["without_claim"]["none"], ALONE);
    world.assign("news.opted_out", json!("new"));
    let mut stale = body.clone();
    stale["revision"] = plan["revision"].clone();
    let refused = world.json("POST", "/v1/assignments", &stale);
    assert_eq!((refused.status, refused.problem().as_str()), (409, "plan-stale"));
    let detail = refused.json()["detail"].as_str().unwrap_or_default().to_owned();
    assert!(detail.contains("admin made new the source of news.opted_out"), "{detail}");
    for (bad, code) in [
        (json!({"fields": ["nothing"], "to": "new"}), "field-not-found"),
        (json!({"fields": ["city"], "to": "nobody"}), "unknown-capability"),
        (json!({"fields": ["city"], "to": "watcher"}), "not-declared"),
        (json!({"fields": ["city"]}), "missing-key"),
        (json!({"to": "new"}), "missing-key"),
        (json!({"fields": ["city"], "from": "old", "all": true, "to": "new"}), "missing-key"),
    ] {
        assert_eq!(world.json("POST", "/v1/assignments", &bad).problem(), code, "{bad}");
    }
}

#[test]
fn a_held_proposal_is_decided_by_the_source_that_comes() {
    let world = World::new();
    world.json("PUT", "/v1/fields/city", &json!({"type": "text"})).of(200);
    let held = world.propose("early", json!({"city": "!shout oslo"}));
    assert_eq!(held["fields"]["city"]["outcome"], "no-source");
    world.install(&probe("late", "[sources]\ncity = { type = \"text\" }\n"));
    world.settle();
    if world.fields("early")["city"] == Value::Null {
        // Installed, it may still have to be assigned.
        world.assign("city", json!("late"));
        world.settle();
    }
    assert_eq!(world.fields("early")["city"], "OSLO");
    let claims = world.profile("early")["claims"]["city"].clone();
    assert_eq!(claims.as_array().map(Vec::len), Some(1), "nothing is held any more: {claims}");
}
