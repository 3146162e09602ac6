//! What capabilities refused, as a list: which refusals stand in it, for whom, and on which page.

use serde_json::{Value, json};

use super::world::{Answered, World};

fn event(id: &str, customer: &str, script: &Value, proposes: &Value) -> Value {
    json!({"id": id, "name": "probe.asked", "identifiers": {"customer_id": customer},
           "properties": {"script": script}, "proposes": proposes})
}

/// Sends an event with this token, waits for its decision, and answers its position.
fn send(world: &World, token: &str, event: &Value) -> String {
    let headers = [("prefer", "wait=30")];
    let sent = world.send_as(token, "POST", "/v1/events", &headers, event);
    assert!(matches!(sent.status, 200 | 202), "{sent:?}");
    sent.json()["position"].as_str().unwrap().to_owned()
}

fn items(answer: &Answered) -> Vec<Value> {
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()["items"].as_array().unwrap().clone()
}

/// Event, capability, field and code of each, in an order that doesn't depend on partitions.
fn summaries(items: &[Value]) -> Vec<[String; 4]> {
    let text = |item: &Value, name: &str| item[name].as_str().unwrap_or("-").to_owned();
    let mut listed: Vec<_> = items
        .iter()
        .map(|item| ["event", "capability", "field", "code"].map(|name| text(item, name)))
        .collect();
    listed.sort();
    listed
}

/// Every page, one after the other.
fn pages(world: &World, token: &str, query: &str) -> Vec<Vec<Value>> {
    let mut pages = Vec::new();
    let mut cursor = String::new();
    loop {
        let path = format!("/v1/refusals?{query}{cursor}");
        let answer = world.send_as(token, "GET", &path, &[], &Value::Null);
        pages.push(items(&answer));
        match answer.json()["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return pages,
        }
    }
}

#[test]
fn refusals_are_for_their_sender_as_far_as_its_token_goes() {
    let world = World::probed();
    let shop = world.token("shop", &["events:write"]);
    let crm = world.token("crm", &["events:write", "profiles:propose=note"]);
    let cart = world.token("cart", &["events:write"]);
    send(&world, &shop, &event("s1", "1", &json!(["refuse order.amount"]), &json!({})));
    send(&world, &shop, &event("s2", "2", &json!(7), &json!({})));
    send(&world, &shop, &event("s3", "2", &json!([]), &json!({})));
    send(&world, &crm, &event("c1", "3", &json!([]), &json!({"note": "!refuse"})));
    let list = |token: &str, query: &str| {
        items(&world.send_as(token, "GET", &format!("/v1/refusals{query}"), &[], &Value::Null))
    };
    let row = |event: &str, field: &str, code: &str| [event, "probe", field, code].map(str::to_owned);
    let admin = world.token.as_str();
    let all = list(admin, "");
    let (amount, unfit, note) =
        (row("s1", "-", "order.amount"), row("s2", "-", "property.type"), row("c1", "note", "probe.refused"));
    assert_eq!(summaries(&all), [note.clone(), amount.clone(), unfit.clone()]);
    assert!(all.iter().all(|item| item["message"].as_str().is_some_and(|text| !text.is_empty())), "{all:?}");
    assert!(all.iter().all(|item| item["application"] == if item["event"] == "c1" { "crm" } else { "shop" }));
    // What a plug-in says of a customer may stand in its code: a sender sees what is about the event.
    for (token, expected) in [(&shop, vec![unfit.clone()]), (&crm, vec![note.clone()]), (&cart, vec![])] {
        let seen = list(token, "");
        assert_eq!(summaries(&seen), expected);
        assert!(
            seen.iter().all(|item| item["message"].is_string()),
            "what is theirs they may read: {seen:?}"
        );
    }
    let whole = |token: &str| {
        world.send_as(token, "GET", "/v1/refusals", &[], &Value::Null).json()["shows_all"].clone()
    };
    assert_eq!(
        (whole(admin), whole(&shop)),
        (json!(true), json!(false)),
        "and it is told that there may be more"
    );
    // Filters.
    assert_eq!(summaries(&list(admin, "?code=order.amount")), std::slice::from_ref(&amount));
    assert_eq!(summaries(&list(admin, "?capability=probe&application=crm")), [note]);
    assert_eq!(list(admin, "?capability=loyalty"), [] as [Value; 0]);
    assert_eq!(summaries(&list(admin, "?application=shop")), [amount, unfit]);
}

#[test]
fn a_walk_begins_where_it_is_told_and_says_how_far_all_is_decided() {
    let world = World::probed();
    let admin = world.token.as_str();
    let refuse = |id: &str, customer: &str| {
        send(&world, admin, &event(id, customer, &json!(["refuse no"]), &json!({})))
    };
    let first = refuse("first", "1");
    let second = refuse("second", "1");
    assert_eq!(first.split('-').next(), second.split('-').next(), "a customer's events are in one partition");
    world.engine.clock().set("2026-11-21T11:00:00Z".parse().unwrap());
    let third = refuse("third", "1");
    let others: Vec<String> =
        (2..20).map(|customer| refuse(&format!("o{customer}"), &customer.to_string())).collect();
    let ids = |query: &str| -> Vec<String> {
        let pages = pages(&world, admin, query);
        pages.concat().iter().map(|item| item["event"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(ids(&format!("since={second}"))[..2], ["second", "third"]);
    assert!(!ids(&format!("since={second}")).contains(&"first".to_owned()));
    // Of a partition that isn't named nothing is told.
    let elsewhere = others.iter().find(|at| at.split('-').next() != third.split('-').next()).unwrap();
    assert!(!ids(&format!("since={elsewhere}")).contains(&"third".to_owned()));
    let both = ids(&format!("since={third},{elsewhere}"));
    assert!(both.contains(&"third".to_owned()) && both.len() >= 2, "{both:?}");
    assert!(!both.contains(&"second".to_owned()), "{both:?}");
    let late = ids("since=2026-11-21T10:30:00Z");
    assert!(late.len() == 19 && !late.contains(&"second".to_owned()), "{late:?}");
    assert_eq!(ids("since=2026-11-21T11:00:00.001Z"), [] as [&str; 0]);
    assert_eq!(ids("").len(), 21);
    // One a page, each once, in the same order.
    let singly = pages(&world, admin, "limit=1");
    assert!(singly.iter().all(|page| page.len() <= 1));
    assert_eq!(singly.concat(), pages(&world, admin, "").concat());
    let decided = world.get(&format!("/v1/refusals?since={third}")).json()["decided"].clone();
    let (partition, seq) = third.split_once('-').unwrap();
    let through = decided[0].as_str().unwrap().strip_prefix(&format!("{partition}-")).unwrap().to_owned();
    assert!(through.parse::<u64>().unwrap() >= seq.parse().unwrap(), "{decided}");
    assert_eq!(decided.as_array().unwrap().len(), 1);
    // Behind the last record nothing is looked at, and how far all is decided is told all the same.
    let behind = world.get(&format!("/v1/refusals?since={partition}-{}", u64::MAX)).json();
    assert_eq!((&behind["items"], &behind["decided"]), (&json!([]), &decided));
}

#[test]
fn a_refusal_that_a_source_gives_is_told_once_for_each_field() {
    let world = World::probed();
    let admin = world.token.as_str();
    let proposes = json!({"note": "!refuse", "other_note": "!refuse"});
    send(&world, admin, &event("two", "1", &json!([]), &proposes));
    let listed = items(&world.get("/v1/refusals"));
    let expected =
        ["note", "other_note"].map(|field| ["two", "probe", field, "probe.refused"].map(str::to_owned));
    assert_eq!(summaries(&listed), expected);
    // Both on a page of their own.
    assert_eq!(pages(&world, admin, "limit=1").concat(), listed);
}

#[test]
fn what_is_no_place_or_cursor_is_a_problem() {
    let world = World::probed();
    for (query, code) in [
        ("since=yesterday", "query-invalid"),
        ("since=registry-1", "query-invalid"),
        ("since=identity-1", "query-invalid"),
        ("since=1-2,", "query-invalid"),
        ("since=1-2,1-3", "query-invalid"),
        ("since=1-2,2026-11-21T10:00:00Z", "query-invalid"),
        ("limit=0", "query-invalid"),
        ("limit=1001", "query-invalid"),
        ("colour=red", "query-invalid"),
        ("cursor=made-up", "cursor-invalid"),
    ] {
        assert_eq!(world.get(&format!("/v1/refusals?{query}")).code(), code, "{query}");
    }
    let many: Vec<String> = (0..1000).map(|partition| format!("{partition}-1")).collect();
    assert_eq!(world.get(&format!("/v1/refusals?since={}", many.join(","))).code(), "query-invalid");
}
