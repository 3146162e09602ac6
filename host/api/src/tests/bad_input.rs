//! What is wrong gets a problem of its own kind, and what was right beside it is taken.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use super::world::World;
use crate::ApiLimits;
use samsyn_engine::EngineConfig;

fn event(more: &str) -> String {
    format!("{{\"name\":\"order.completed\",\"identifiers\":{{\"customer_id\":\"1\"}}{more}}}")
}

#[test]
fn each_kind_of_bad_event_has_its_own_type() {
    let world = World::new().furnished();
    let deep = format!(",\"properties\":{{\"a\":{}1{}}}", "[".repeat(40), "]".repeat(40));
    let large = format!(",\"properties\":{{\"a\":\"{}\"}}", "x".repeat(33 * 1024));
    let many = format!("[{}]", vec!["0"; 2_501].join(","));
    for (body, status, code) in [
        ("{".to_owned(), 400, "malformed-json"),
        (event(",\"properties\":{\"a\":NaN}"), 400, "malformed-json"),
        (event(&deep), 422, "too-deep"),
        (event(&large), 413, "event-too-large"),
        (many, 413, "too-many-events"),
        (event(",\"at\":5"), 422, "wrong-type"),
        (event(",\"at\":\"2027-11-21T10:00:00Z\""), 422, "event-time-ahead"),
        (event(",\"colour\":5"), 422, "unknown-key"),
        (event(",\"name\":\"twice\""), 422, "duplicate-key"),
        (event(",\"proposes\":{\"emial\":\"a\"}"), 422, "unknown-field"),
        (event(",\"proposes\":{\"children\":\"two\"}"), 422, "wrong-type"),
        (event(",\"proposes\":{\"size\":\"XXL\"}"), 422, "value-not-allowed"),
        (event(",\"properties\":{\"a\":\"\\u0000\"}"), 422, "control-characters"),
        (event(",\"profile\":\"0b6c5f4e-7f4f-4d7e-9c8e-0d6a51a1c0de\""), 404, "unknown-profile"),
        ("{\"name\":\"a\"}".to_owned(), 422, "missing-identifier"),
        ("{\"identifiers\":{\"customer_id\":\"1\"}}".to_owned(), 422, "missing-key"),
        ("{\"name\":\"a\",\"identifiers\":{\"passport\":\"1\"}}".to_owned(), 422, "unknown-identifier"),
        ("{\"name\":\"a\",\"identifiers\":{\"customer_id\":\"\"}}".to_owned(), 422, "identifier-invalid"),
        ("{\"name\":\"samsyn.x\",\"identifiers\":{\"customer_id\":\"1\"}}".to_owned(), 422, "reserved-name"),
        ("{\"name\":\"No\",\"identifiers\":{\"customer_id\":\"1\"}}".to_owned(), 422, "name-invalid"),
    ] {
        let answer = world.event(&body);
        assert_eq!(
            (answer.code().as_str(), answer.status),
            (code, status),
            "{}",
            &body[..body.len().min(200)]
        );
    }
    assert_eq!(world.event(b"{\"name\":\"\xff\"}").code(), "not-utf8");
    assert_eq!(world.event(event(",\"at\":\"2026-11-22T09:00:00Z\"")).status, 202, "within a day");
}

#[test]
fn each_kind_of_bad_body_has_its_own_type() {
    let world = World::new().furnished();
    let post = |headers: &[(&str, &str)], body: &[u8]| world.send("POST", "/v1/events", headers, body);
    let json = ("content-type", "application/json");
    let gzip = ("content-encoding", "gzip");
    let pack = |bytes: &[u8]| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    assert_eq!(post(&[("content-type", "text/csv")], b"a,b").code(), "unknown-content-type");
    assert_eq!(post(&[], b"{}").code(), "unknown-content-type");
    assert_eq!(post(&[json, ("content-encoding", "br")], b"{}").code(), "unknown-encoding");
    assert_eq!(post(&[json, gzip], b"{}").code(), "bad-gzip");
    assert_eq!(post(&[json], &vec![b' '; 501 * 1024]).code(), "body-too-large");
    assert_eq!(post(&[json, gzip], &pack(&vec![b' '; 64 << 20])).code(), "body-too-large");
    assert_eq!(post(&[json, gzip], &pack(event("").as_bytes())).status, 202);
}

#[test]
fn in_a_batch_the_bad_are_listed_and_the_good_taken() {
    let world = World::new().furnished();
    let good = |id: &str| json!({"id": id, "name": "seen", "identifiers": {"customer_id": id}});
    let batch = json!({"events": [good("a"), {"name": "seen"}, good("b"), 7, good("a")]});
    let answer = world.json("POST", "/v1/events", &batch);
    assert_eq!(answer.status, 202);
    let answer = answer.json();
    assert_eq!((&answer["accepted"], &answer["refused"]), (&json!(3), &json!(2)));
    let events = answer["events"].as_array().unwrap();
    assert_eq!(events[0]["id"], "a");
    assert_eq!(
        (&events[1]["index"], &events[1]["problem"]["code"]),
        (&json!(1), &json!("missing-identifier"))
    );
    assert_eq!(events[1]["problem"]["place"], "events[1].identifiers");
    assert_eq!(events[2]["id"], "b");
    assert_eq!((&events[3]["index"], &events[3]["problem"]["code"]), (&json!(3), &json!("wrong-type")));
    assert_eq!((&events[4]["duplicate"], &events[4]["position"]), (&json!(true), &events[0]["position"]));
    for id in ["a", "b"] {
        assert_eq!(world.get(&format!("/v1/events/{id}")).status, 200);
    }
    let none = world.json("POST", "/v1/events", &json!([{"name": "seen"}]));
    assert_eq!((none.status, &none.json()["accepted"]), (422, &json!(0)));
    assert_eq!(none.json()["events"][0]["problem"]["place"], "[0].identifiers");
    let empty = world.json("POST", "/v1/events", &json!([]));
    assert_eq!((empty.status, &empty.json()["events"]), (202, &json!([])));
    // One that breaks JSON's rules breaks the whole: where an event ends can't be known then.
    assert_eq!(world.event(format!("[{},{{]", good("c"))).code(), "malformed-json");
    assert_eq!(world.get("/v1/events/c").code(), "unknown-event");
}

#[test]
fn an_id_is_taken_once() {
    let world = World::new().furnished();
    let order = |amount: &str| {
        event(&format!(
            ",\"id\":\"A1\",\"at\":\"2026-11-21T09:00:00Z\",\"properties\":{{\"amount\":{amount}}}"
        ))
    };
    let first = world.event(order("29.33")).json();
    assert_eq!(first["duplicate"], false);
    let again = world.event(order("29.33")).json();
    assert_eq!((&again["duplicate"], &again["position"]), (&json!(true), &first["position"]));
    let other = world.event(order("29.34"));
    assert_eq!((other.status, other.code().as_str()), (409, "event-id-reused"));
    assert_eq!(other.json()["place"], "id");
    // Ids are the application's own.
    let headers = [("content-type", "application/json"), ("samsyn-application", "pos")];
    let elsewhere = world.send("POST", "/v1/events", &headers, order("29.34").as_bytes());
    assert_eq!((elsewhere.status, &elsewhere.json()["duplicate"]), (202, &json!(false)));
}

#[test]
fn components_that_cannot_run_are_refused_by_name() {
    let world = World::new().furnished();
    let post =
        |body: &[u8]| world.send("POST", "/v1/capabilities", &[("content-type", "application/wasm")], body);
    assert_eq!(post(b"plain text").code(), "component.not-wasm");
    assert_eq!(post(b"").code(), "component.not-wasm");
    assert_eq!(post(b"\0asm\x0d\0\x01\0").code(), "component.no-role");
    assert_eq!(world.json("POST", "/v1/capabilities", &json!({})).code(), "unknown-content-type");
    assert_eq!(world.get("/v1/capabilities").json()["items"], json!([]));
}

#[test]
fn a_full_host_says_when_to_come_back() {
    let limits = ApiLimits { requests: 0, ..ApiLimits::default() };
    let world = World::with(limits, EngineConfig::default());
    let answer = world.get("/v1/status");
    assert_eq!((answer.status, answer.code().as_str(), answer.header("retry-after")), (503, "busy", "1"));
    assert_eq!(world.raw("GET", "/healthz", &[], b"").status, 200, "health is answered always");

    let limits = ApiLimits { requests_per_client: 0, ..ApiLimits::default() };
    let world = World::with(limits, EngineConfig::default());
    let answer = world.get("/v1/status");
    assert_eq!((answer.status, answer.code().as_str()), (429, "too-many-requests"));
    assert_eq!(answer.header("retry-after"), "1");

    let engine = EngineConfig { undecided_max: 0, ..EngineConfig::default() };
    let world = World::with(ApiLimits::default(), engine).furnished();
    let one = world.event(event(""));
    assert_eq!((one.status, one.code().as_str(), one.header("retry-after")), (503, "busy", "1"));
    let list = world.event(format!("[{}]", event("")));
    assert_eq!((list.status, list.code().as_str()), (503, "busy"));
    let mixed: Value = world.event(format!("[{{}},{}]", event(""))).json();
    assert_eq!(mixed["code"], "busy", "nothing was taken, and later something may be");
}
