//! Fifty thousand bodies that nobody should send to `POST /v1/events`, through the whole router:
//! each is answered in time, by a problem of its own type or by taking what is right in it. The
//! good events among them are all taken.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::{Request, Response};
use serde_json::{Value, json};
use tower_service::Service;

use super::world::World;
use crate::catalogue::KINDS;
use samsyn_testkit::mutate::{Chance, mutate, seed, shown};
use samsyn_testkit::{Seed, rounds, survival_json};

/// Bodies of an ordinary run.
const TRIED: usize = 50_000;
/// One in this many goes over a real connection, in a batch with good events.
const BATCH_EVERY: usize = 250;
/// The longest that one answer may take: a body of the largest size, read on a machine that is busy.
const TIME: Duration = Duration::from_secs(10);
/// A good event's customers.
const CUSTOMERS: usize = 20;

const GOOD: &str = r#"{"id": "A1-placed", "name": "order.completed", "at": "2026-11-21T09:00:00Z",
    "identifiers": {"customer_id": "00042"}, "properties": {"order_id": "A1", "amount": 29.33, "list": [1, {"a": null}]},
    "proposes": {"email": "anna@example.com", "children": 2, "credit": "12.50", "size": null}}"#;

/// What stands where something else should.
const VALUES: [&str; 34] = [
    "null",
    "true",
    "0",
    "-0",
    "1e999",
    "-1e999",
    "1e-999",
    "NaN",
    "-Infinity",
    "0x10",
    "01",
    "1.",
    ".5",
    "+1",
    "123456789012345678901234567890",
    "1.0000000000000000000000000001",
    "\"\"",
    "\"\\u0000\"",
    "\"\\ud800\"",
    "\"\\udc00\\ud800\"",
    "\"\\ud83d\\ude00\"",
    "\"\\x\"",
    "\"\u{202e}\"",
    "\"\u{feff}\"",
    "[]",
    "{}",
    "[[[[]]]]",
    "{\"a\":{\"a\":{}}}",
    "[1,]",
    "{\"a\":1,}",
    "'single'",
    "\"unfinished",
    "/**/1",
    "\u{a0}",
];
const KEYS: [&str; 12] = [
    "id",
    "name",
    "at",
    "profile",
    "identifiers",
    "properties",
    "proposes",
    "events",
    "",
    "__proto__",
    "i\\u0064",
    "n\u{430}me",
];

/// A body that is wrong in one way or in several.
fn body(chance: &mut Chance) -> Vec<u8> {
    match chance.below(12) {
        0..=2 => members(chance).into_bytes(),
        3 | 4 => {
            let other = members(chance);
            mutate(chance, GOOD.as_bytes(), other.as_bytes())
        }
        5 => format!("[{},{}]", members(chance), members(chance)).into_bytes(),
        6 => {
            let list: Vec<String> = (0..chance.below(20)).map(|_| members(chance)).collect();
            format!("{{\"events\":[{}]}}", list.join(",")).into_bytes()
        }
        7 => deep(chance),
        8 => {
            let length = chance.below(64);
            chance.bytes(length)
        }
        9 => chance.one_of(&VALUES).as_bytes().to_vec(),
        10 => large(chance),
        // Half of a good one, or one and the next.
        _ => {
            let cut = chance.below(GOOD.len());
            [&GOOD.as_bytes()[..cut], &GOOD.as_bytes()[chance.below(GOOD.len())..]].concat()
        }
    }
}

fn members(chance: &mut Chance) -> String {
    let good = ["\"name\":\"seen\"", "\"identifiers\":{\"customer_id\":\"7\"}"];
    let mut members: Vec<String> =
        good.iter().filter(|_| chance.below(4) > 0).map(|event| (*event).to_owned()).collect();
    for _ in 0..chance.below(5) {
        let (key, value) = (chance.one_of(&KEYS), chance.one_of(&VALUES));
        members.push(match chance.below(4) {
            0 => format!("\"{key}\":{{\"customer_id\":{value}}}"),
            1 => format!("\"{key}\":{{\"email\":{value},\"email\":{value}}}"),
            2 => format!("\"{key}\":[{value}]"),
            _ => format!("\"{key}\":{value}"),
        });
    }
    format!("{{{}}}", members.join(","))
}

fn deep(chance: &mut Chance) -> Vec<u8> {
    let depth = [16, 31, 32, 33, 127, 128, 129, 5_000, 100_000][chance.below(9)];
    let (open, close) = [("[", "]"), ("{\"a\":", "}"), ("[{\"a\":", "}]")][chance.below(3)];
    let inner = if chance.below(2) == 0 {
        open.repeat(depth) + "1" + &close.repeat(depth)
    } else {
        open.repeat(depth)
    };
    match chance.below(3) {
        0 => inner.into_bytes(),
        _ => format!(
            "{{\"name\":\"seen\",\"identifiers\":{{\"customer_id\":\"7\"}},\"properties\":{{\"a\":{inner}}}}}"
        )
        .into_bytes(),
    }
}

fn large(chance: &mut Chance) -> Vec<u8> {
    let size = [32 * 1024, 33 * 1024, 500 * 1024, 501 * 1024][chance.below(4)];
    match chance.below(4) {
        0 => vec![b' '; size],
        1 => format!("{{\"name\":\"{}\"}}", "a".repeat(size)).into_bytes(),
        2 => format!("[{}]", vec!["{}"; size / 200].join(",")).into_bytes(),
        _ => {
            let keys: Vec<String> = (0..size / 400).map(|key| format!("\"k{key}\":0")).collect();
            format!(
                "{{\"name\":\"seen\",\"identifiers\":{{\"customer_id\":\"7\"}},\"properties\":{{{}}}}}",
                keys.join(",")
            )
            .into_bytes()
        }
    }
}

/// How a body was answered: the problem's code, or `taken`.
fn check_answer(status: u16, content_type: &str, text: &[u8]) -> String {
    let answer: Value = serde_json::from_slice(text).expect("every answer is JSON");
    match status {
        202 => {
            for item in
                answer["events"].as_array().into_iter().flatten().filter(|item| item["index"].is_u64())
            {
                check_problem(&item["problem"]);
            }
            "taken".to_owned()
        }
        // A list of which nothing could be taken says of each why.
        422 if answer["events"].is_array() => {
            answer["events"]
                .as_array()
                .into_iter()
                .flatten()
                .for_each(|item| drop(check_problem(&item["problem"])));
            "none-taken".to_owned()
        }
        _ => {
            assert_eq!(content_type, "application/problem+json", "{answer}");
            assert_eq!(answer["status"], status, "{answer}");
            check_problem(&answer)
        }
    }
}

fn check_problem(problem: &Value) -> String {
    let code = problem["code"].as_str().unwrap_or_default().to_owned();
    assert_eq!(problem["type"], format!("/errors#{code}"), "{problem}");
    assert!(KINDS.iter().any(|kind| kind.entry().code == code), "{code} isn't in the catalogue");
    for member in ["title", "detail", "message", "next"] {
        assert!(problem[member].as_str().is_some_and(|text| !text.is_empty()), "no {member}: {problem}");
    }
    assert_ne!(code, "internal", "{problem}");
    code
}

async fn read(response: Response<Body>) -> (u16, String, Vec<u8>) {
    let content_type = response.headers().get("content-type").and_then(|value| value.to_str().ok());
    let (status, content_type) = (response.status().as_u16(), content_type.unwrap_or_default().to_owned());
    let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await.expect("the answer is whole");
    (status, content_type, bytes.to_vec())
}

#[test]
fn every_hostile_body_is_answered_and_every_good_event_taken() {
    send_all(seed("hostile JSON"));
}

#[test]
#[ignore = "runs as long as SAMSYN_ROUNDS says"]
fn torture_hostile_json() {
    let seed = Seed::of_run("hostile JSON");
    (0..rounds()).for_each(|round| send_all(seed.of(round)));
}

fn send_all(seed: u64) {
    let world = World::new().furnished();
    let router = world.router();
    let bearer = format!("Bearer {}", world.token.as_str());
    let mut chance = Chance::new(seed);
    let (mut answers, mut slowest, count) = (BTreeMap::<String, u32>::new(), Duration::ZERO, TRIED);
    let mut good = 0_usize;
    for number in 0..count {
        let body = body(&mut chance);
        let started = Instant::now();
        let code = if number % BATCH_EVERY == 0 {
            let (answer, taken) = batch(&world, &body, good);
            good += taken;
            answer
        } else {
            let request = Request::post("/v1/events")
                .header("authorization", &bearer)
                .header("content-type", "application/json")
                .body(Body::from(body.clone()))
                .expect("a request");
            let call = router.clone().call(request);
            let (status, content_type, text) = world.block_on(async move {
                let Ok(response) = call.await;
                read(response).await
            });
            let judged = std::panic::catch_unwind(|| check_answer(status, &content_type, &text));
            judged.unwrap_or_else(|_| panic!("{status} {}: {}", String::from_utf8_lossy(&text), shown(&body)))
        };
        *answers.entry(code).or_default() += 1;
        slowest = slowest.max(started.elapsed());
    }
    assert!(slowest <= TIME, "{slowest:?}");
    assert!(answers.len() >= 15, "{answers:?}");
    let taken = (0..CUSTOMERS).map(|customer| {
        let seen = world.get(&format!("/v1/profiles/customer_id:good-{customer}"));
        usize::from(seen.status == 200)
    });
    assert_eq!(taken.sum::<usize>(), CUSTOMERS.min(good), "good events are there");
    println!("{answers:?}");
    survival_json::record(
        "hostile_json",
        json!({"tried": count, "panics": 0, "answers": answers, "good_events_taken": good,
               "slowest_ms": slowest.as_millis() as u64}),
    );
}

/// Sends the body over a real connection as it is, and then, when it is JSON at all, between two good
/// events, which are taken whatever it is.
fn batch(world: &World, body: &[u8], good: usize) -> (String, usize) {
    let alone = world.event(body);
    let code = check_answer(alone.status, alone.header("content-type"), alone.text.as_bytes());
    let event = |number: usize| {
        json!({"id": format!("good-{number}"), "name": "seen",
               "identifiers": {"customer_id": format!("good-{}", number % CUSTOMERS)}})
    };
    let between = match std::str::from_utf8(body) {
        Ok(text) if serde_json::from_str::<&serde_json::value::RawValue>(text).is_ok() => text,
        _ => "7",
    };
    let answer = world.event(format!("[{},{between},{}]", event(good), event(good + 1)));
    // One that is larger than a request may be isn't taken with anything beside it.
    if answer.status == 413 {
        return (code, 0);
    }
    assert_eq!(answer.status, 202, "{answer:?}");
    let items = answer.json();
    for at in [0, 2] {
        assert!(items["events"][at]["position"].is_string(), "a good event isn't taken: {items}");
    }
    (code, 2)
}
