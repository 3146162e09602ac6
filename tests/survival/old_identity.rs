//! What a host of the commit fbc9974 took, sent once more: identifiers, times, numbers and texts in the
//! spellings it took, of which later hosts refuse some and read others in another way.
//!
//! `tests/fixtures/fbc9974-identity/` has the data directory, as a kill left it; `requests.jsonl`, the
//! body of each request, byte for byte; `answers.jsonl`, what each was answered; and `profiles.json`,
//! each customer as that host showed it. It was made by a build of that commit and is never made again:
//!
//! ```text
//! cargo test -p samsyn --test survival -- --ignored --exact old_identity::keep_what_fbc9974_took
//! ```

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::files;
use samsyn_harness::components::plugin;
use samsyn_harness::world::{World, repository};

/// The application that all of it came from.
pub const APPLICATION: &str = "shop";

fn fixture() -> PathBuf {
    repository().join("tests/fixtures/fbc9974-identity")
}

fn read(file: &str) -> String {
    std::fs::read_to_string(fixture().join(file)).expect("the fixture has it")
}

/// The body of each request, byte for byte, in the order they were sent.
pub fn requests() -> Vec<String> {
    read("requests.jsonl").lines().map(str::to_owned).collect()
}

/// What each request was answered: `id`, `profile`, `position`.
pub fn answers() -> Vec<Value> {
    let line = |line| serde_json::from_str(line).expect("each line is JSON");
    read("answers.jsonl").lines().map(line).collect()
}

/// Each customer as the old host showed it, by the profile's id.
#[allow(dead_code)]
pub fn profiles() -> BTreeMap<String, Value> {
    serde_json::from_str(&read("profiles.json")).expect("it is JSON")
}

/// A host on a copy of what the old one left, settled.
pub fn opened() -> World {
    let mut world = World::stopped(&[], "");
    files::copy(&fixture().join("data"), &world.data());
    world.start_with(&["--new-admin-token"]);
    world.settle();
    world
}

/// Sends the body of an event as it stands.
pub fn send(world: &World, body: &str) -> samsyn_harness::caller::Answer {
    let headers = [("content-type", "application/json"), ("samsyn-application", APPLICATION)];
    world.send("POST", "/v1/events", &headers, body.as_bytes())
}

/// Makes the fixture, with a build of fbc9974 alone.
#[test]
#[ignore = "makes a fixture that is kept"]
fn keep_what_fbc9974_took() {
    let fixture = fixture();
    assert!(!fixture.join("data").exists(), "{} is there: it is never made again", fixture.display());
    let mut world = World::with(&[("SAMSYN_LOG_SEGMENT_BYTES", "65536"), ("SAMSYN_ENGINE_PARTITIONS", "2")]);
    world.install(&plugin("crm"));
    world.install(&plugin("loyalty"));
    let settings = [("content-type", "application/merge-patch+json")];
    let country = json!({"default_country": "SE"}).to_string();
    world.send("PATCH", "/v1/capabilities/crm/settings", &settings, country.as_bytes()).of(200);
    for (name, kind) in [("shop.credit", "decimal"), ("shop.blob", "json"), ("shop.seen", "timestamp")] {
        world.json("PUT", &format!("/v1/fields/{name}"), &json!({ "type": kind })).of(200);
    }
    let mut answered = Vec::new();
    let mut taken = Vec::new();
    let mut profiles = BTreeMap::new();
    for body in requests() {
        let answer = send(&world, &body);
        if answer.status != 202 {
            println!("not taken, and left out: {body}: {}", answer.text);
            continue;
        }
        let answer = answer.json();
        profiles.insert(answer["profile"].as_str().expect("an admin sees it").to_owned(), Value::Null);
        answered.push(answer);
        taken.push(body);
        // What follows from it comes before the next one, so that each run makes the same links.
        world.settle();
    }
    for (id, profile) in &mut profiles {
        *profile = world.get(&format!("/v1/profiles/{id}?claims=true")).of(200);
    }
    world.kill();
    for part in ["log", "components"] {
        files::copy(&world.data().join(part), &fixture.join("data").join(part));
    }
    std::fs::copy(world.data().join("data.toml"), fixture.join("data/data.toml")).expect("it can be copied");
    let _ = std::fs::remove_file(fixture.join("data/log/lock"));
    let lines = |lines: Vec<String>| lines.into_iter().map(|line| line + "\n").collect::<String>();
    let write = |file: &str, text: String| std::fs::write(fixture.join(file), text).expect("it is written");
    write("requests.jsonl", lines(taken));
    write("answers.jsonl", lines(answered.iter().map(Value::to_string).collect()));
    write("profiles.json", serde_json::to_string_pretty(&profiles).expect("it is JSON") + "\n");
}

#[test]
fn every_event_that_fbc9974_took_is_a_duplicate_when_it_comes_again() {
    let mut world = opened();
    let again = |world: &World| {
        let mut others = Vec::new();
        for (body, was) in requests().iter().zip(answers()) {
            let answer = send(world, body);
            let is = serde_json::from_str::<Value>(&answer.text).unwrap_or_default();
            let same = answer.status == 202
                && is["duplicate"] == true
                && ["id", "profile", "position"].iter().all(|part| is[part] == was[part]);
            if !same {
                others.push(format!("{body}: {} {}", answer.status, answer.text));
            }
        }
        assert!(others.is_empty(), "{} of {}:\n{}", others.len(), requests().len(), others.join("\n"));
        let bodies = requests();
        let list = format!("[{}]", bodies.join(","));
        let headers = [("content-type", "application/json"), ("samsyn-application", APPLICATION)];
        let answer = world.send("POST", "/v1/events", &headers, list.as_bytes()).of(202);
        assert_eq!((&answer["accepted"], &answer["refused"]), (&json!(bodies.len()), &json!(0)), "{answer}");
    };
    let profiles_before = world.status()["profiles"].clone();
    again(&world);
    // And when what was found out is forgotten again.
    assert!(world.stop().success());
    world.start();
    again(&world);
    world.settle();
    assert_eq!(world.status()["profiles"], profiles_before, "nobody was made by it");
}

#[test]
fn an_id_that_fbc9974_took_is_not_taken_with_other_content() {
    let world = opened();
    let text = |pairs: &[(&str, &str)]| {
        let mut body = requests()[0].clone();
        pairs.iter().for_each(|(from, to)| body = body.replace(from, to));
        body
    };
    let other = text(&[("10.0", "11")]);
    assert_ne!(other, requests()[0]);
    assert_eq!(send(&world, &other).problem(), "event-id-reused");
    let other = text(&[("page.seen", "page.left")]);
    assert_eq!(send(&world, &other).problem(), "event-id-reused");
}
