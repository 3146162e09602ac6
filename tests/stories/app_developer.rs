//! An app developer sends events, asks what became of them, and reads and changes customers.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use samsyn_harness::caller::Answer;
use samsyn_harness::world::{World, until};

fn counting_event(customer: &str, id: &str) -> Value {
    json!({"id": id, "name": "probe.asked", "identifiers": {"customer_id": customer},
           "properties": {"script": ["add probe.count"]}})
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("a vector takes everything");
    encoder.finish().expect("a vector takes everything")
}

#[test]
fn events_are_taken_in_every_form_and_decided_in_order() {
    let world = World::shared();
    let customer = "forms";
    let one = world.json("POST", "/v1/events", &counting_event(customer, "forms-1")).of(202);
    assert_eq!((&one["id"], &one["duplicate"]), (&json!("forms-1"), &json!(false)));
    let list = json!([counting_event(customer, "forms-2"), counting_event(customer, "forms-3")]);
    let list = world.json("POST", "/v1/events", &list).of(202);
    assert_eq!((&list["accepted"], &list["refused"]), (&json!(2), &json!(0)));
    let object = json!({"events": [counting_event(customer, "forms-4")]}).to_string();
    let headers = [("content-type", "application/json"), ("content-encoding", "gzip")];
    let object = world.send("POST", "/v1/events", &headers, &gzip(object.as_bytes())).of(202);
    for taken in [&list["events"][0], &list["events"][1], &object["events"][0]] {
        assert_eq!(taken["profile"], one["profile"], "one customer, one profile");
    }
    for id in ["forms-1", "forms-2", "forms-3", "forms-4"] {
        until("the event is decided", || {
            let event = world.get(&format!("/v1/events/{id}")).of(200);
            (event["state"] == "decided").then_some(())
        });
    }
    let last = world.get("/v1/events/forms-4").of(200);
    assert_eq!(last["outcomes"][0]["claims"], json!([{"field": "probe.count", "value": 4}]));
    let position = last["position"].as_str().expect("a position is text");
    assert_eq!(world.get(&format!("/v1/events/{position}")).of(200), last);
    let waited = world.script(customer, &["add probe.count"]);
    assert_eq!((&waited["state"], &waited["outcomes"][0]["result"]), (&json!("decided"), &json!("done")));
    assert_eq!(world.fields(customer), json!({"probe.count": 5}));
}

#[test]
fn an_event_is_taken_once_however_often_it_is_sent() {
    let world = World::shared();
    let sent = std::thread::scope(|scope| {
        let senders: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| world.json("POST", "/v1/events", &counting_event("once", "once-1")).of(202))
            })
            .collect();
        let answers = senders.into_iter().map(|sender| sender.join().expect("it was answered"));
        answers.collect::<Vec<Value>>()
    });
    assert_eq!(sent.iter().filter(|answer| answer["duplicate"] == false).count(), 1, "{sent:?}");
    assert!(sent.iter().all(|answer| answer["position"] == sent[0]["position"]), "{sent:?}");
    let in_a_batch = world.json("POST", "/v1/events", &json!([counting_event("once", "once-1")])).of(202);
    assert_eq!(in_a_batch["events"][0]["duplicate"], true);
    let reused = world.json("POST", "/v1/events", &counting_event("somebody-else", "once-1"));
    assert_eq!((reused.status, reused.problem().as_str()), (409, "event-id-reused"));
    // Ids are the application's own.
    let headers = [("content-type", "application/json"), ("samsyn-application", "pos")];
    let other =
        world.send("POST", "/v1/events", &headers, counting_event("once", "once-1").to_string().as_bytes());
    assert_eq!(other.of(202)["duplicate"], false);
    world.settle();
    assert_eq!(world.fields("once"), json!({"probe.count": 2}));
    assert_eq!(world.get("/v1/profiles/customer_id:somebody-else").problem(), "unknown-profile");
}

#[test]
fn a_value_is_proposed_and_not_over_what_was_not_seen() {
    let world = World::shared();
    let proposed = world.propose("careful", json!({"probe.note": "!shout hello"}));
    let answer = &proposed["fields"]["probe.note"];
    assert_eq!(
        (&answer["outcome"], &answer["value"], &answer["source"]),
        (&json!("accepted-in-another-form"), &json!("HELLO"), &json!("probe"))
    );
    let path = "/v1/profiles/customer_id:careful";
    let seen = world.get(path);
    assert_eq!(seen.json()["meta"]["probe.note"]["cause"], proposed["position"]);
    let etag = seen.header("etag").to_owned();
    let again = world.send("GET", path, &[("if-none-match", &etag)], b"");
    assert_eq!((again.status, again.text.as_str()), (304, ""));
    let patch = |etag: &str, value: Value| {
        let headers =
            [("content-type", "application/merge-patch+json"), ("if-match", etag), ("prefer", "wait=30")];
        let body = json!({"fields": {"probe.note": value}}).to_string();
        world.send("PATCH", path, &headers, body.as_bytes())
    };
    assert_eq!(patch(&etag, json!("new")).of(200)["fields"]["probe.note"]["outcome"], "accepted");
    assert_eq!(world.fields("careful")["probe.note"], "new");
    assert_eq!(world.send("GET", path, &[("if-none-match", &etag)], b"").status, 200, "it has changed");
    let late = patch(&etag, json!("over it"));
    assert_eq!((late.status, late.problem().as_str()), (412, "precondition-failed"));
    assert_eq!(world.fields("careful")["probe.note"], "new");
    let etag = world.get(path).header("etag").to_owned();
    // The source took the proposal as it was: nothing.
    let cleared = patch(&etag, Value::Null).of(200)["fields"]["probe.note"].take();
    assert_eq!((&cleared["outcome"], &cleared["value"]), (&json!("accepted"), &Value::Null));
    assert_eq!(world.fields("careful"), json!({}));
    // Without waiting there is a place to look later.
    let body = json!({"fields": {"probe.note": "!refuse"}});
    let taken = world.json("PATCH", path, &body);
    let location = taken.header("location").to_owned();
    taken.of(202);
    let refused = until("the proposal is decided", || {
        let event = world.get(&location).of(200);
        (event["state"] == "decided").then_some(event)
    });
    let answer = &refused["fields"]["probe.note"];
    assert_eq!((&answer["outcome"], &answer["code"]), (&json!("refused"), &json!("probe.refused")));
    assert_eq!(answer["message"], "The probe was told to.");
    let silent = world.propose("careful", json!({"probe.note": "!silent"}));
    assert_eq!(silent["fields"]["probe.note"]["outcome"], "no-answer");
}

#[test]
fn of_many_who_saw_the_same_value_one_changes_it() {
    let world = World::shared();
    world.propose("contested", json!({"probe.note": "first"}));
    let path = "/v1/profiles/customer_id:contested";
    let etag = world.get(path).header("etag").to_owned();
    let outcomes: Vec<Answer> = std::thread::scope(|scope| {
        let senders: Vec<_> = (0..8)
            .map(|sender| {
                let (world, etag) = (&world, &etag);
                scope.spawn(move || {
                    let headers = [
                        ("content-type", "application/json"),
                        ("if-match", etag.as_str()),
                        ("prefer", "wait=30"),
                    ];
                    let body = json!({"fields": {"probe.note": format!("from {sender}")}}).to_string();
                    world.send("PATCH", path, &headers, body.as_bytes())
                })
            })
            .collect();
        senders.into_iter().map(|sender| sender.join().expect("it was answered")).collect()
    });
    let accepted: Vec<&Answer> = outcomes.iter().filter(|answer| answer.status == 200).collect();
    assert_eq!(accepted.len(), 1, "{outcomes:?}");
    assert_eq!(world.fields("contested")["probe.note"], accepted[0].json()["fields"]["probe.note"]["value"]);
    let failed = outcomes.iter().filter(|answer| answer.status == 412);
    assert_eq!(failed.count(), 7, "{outcomes:?}");
}

#[test]
fn a_customer_is_found_by_whatever_they_go_by() {
    let world = World::shared();
    let first =
        json!({"name": "seen", "identifiers": {"customer_id": "found:7/8", "email": "Found@Example.com"}});
    let profile = world.event(&first)["profile"].clone();
    let id = profile.as_str().expect("an id is text");
    let by_id = world.get(&format!("/v1/profiles/{id}")).of(200);
    assert_eq!(world.get("/v1/profiles/customer_id:found%3A7%2F8").of(200), by_id);
    let looked_up = world.json("POST", "/v1/profiles/lookup", &json!({"email": "found@EXAMPLE.com"})).of(200);
    assert_eq!(looked_up, by_id);
    // A second identifier is learned from an event that has both.
    let phone =
        json!({"name": "seen", "identifiers": {"phone": "+46701740605", "email": "found@example.com"}});
    assert_eq!(world.event(&phone)["profile"], profile);
    assert_eq!(
        world.json("POST", "/v1/profiles/lookup", &json!({"phone": "+46 70 174 06 05"})).of(200)["id"],
        profile
    );
    assert_eq!(world.event(&json!({"name": "seen", "profile": profile}))["profile"], profile);
    // Of two customers' identifiers the stronger says whose the event is, and each keeps their own.
    let other = world.happens("found-2", "seen", json!({}))["profile"].clone();
    assert_ne!(other, profile);
    let both =
        json!({"name": "seen", "identifiers": {"email": "found@example.com", "customer_id": "found-2"}});
    assert_eq!(world.event(&both)["profile"], other);
    let kept = world.json("POST", "/v1/profiles/lookup", &json!({"email": "found@example.com"})).of(200);
    assert_eq!(kept["id"], profile);
    let unknown = world.json("POST", "/v1/profiles/lookup", &json!({"email": "nobody@example.com"}));
    assert_eq!((unknown.status, unknown.problem().as_str()), (404, "unknown-profile"));
    assert!(!unknown.text.contains("nobody@"), "personal data isn't repeated: {}", unknown.text);
}

#[test]
fn two_first_sights_at_once_make_one_customer() {
    let world = World::shared();
    for round in 0..10 {
        let profiles: Vec<Value> = std::thread::scope(|scope| {
            let senders: Vec<_> = (0..4)
                .map(|sender| {
                    let address = format!("first-{round}@example.com");
                    let event = json!({"name": "seen", "identifiers": {"email": address, "anonymous_id": format!("{round}-{sender}")}});
                    let world = &world;
                    scope.spawn(move || world.event(&event)["profile"].clone())
                })
                .collect();
            senders.into_iter().map(|sender| sender.join().expect("it was answered")).collect()
        });
        assert!(profiles.iter().all(|profile| *profile == profiles[0]), "{profiles:?}");
        let known = world.get(&format!("/v1/profiles/anonymous_id:{round}-3")).of(200);
        assert_eq!(known["identifiers"]["anonymous_id"].as_array().map(Vec::len), Some(4), "{known}");
    }
}

#[test]
fn a_timeline_is_read_page_by_page() {
    let world = World::shared();
    for at in 0..5 {
        world.script("pages", &[&format!("integer probe.count {at}")]);
    }
    let path = "/v1/profiles/customer_id:pages/timeline";
    let whole = world.get(path).of(200);
    let items = whole["items"].as_array().expect("items are a list");
    assert!(whole.get("next").is_none(), "{whole}");
    let change = &items[0]["changes"][0];
    assert_eq!(*change, json!({"field": "probe.count", "before": 3, "after": 4}));
    let (mut pages, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = world.get(&format!("{path}?limit=2{cursor}")).of(200);
        let items = page["items"].as_array().expect("items are a list");
        assert!((1..=2).contains(&items.len()), "{page}");
        pages.extend(items.clone());
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(&pages, items);
}
