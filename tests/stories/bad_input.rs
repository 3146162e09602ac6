//! What is wrong gets a problem of its own type that says where and what to do; what was right
//! beside it is taken, and nothing that was acknowledged is lost.

use samsyn::sandbox::embed_manifest;
use serde_json::{Value, json};

use samsyn_harness::caller::problem_code;
use samsyn_harness::components::{self, guests, manifest};
use samsyn_harness::world::World;

fn event(more: &str) -> Vec<u8> {
    format!("{{\"name\":\"probe.asked\",\"identifiers\":{{\"customer_id\":\"bad\"}}{more}}}").into_bytes()
}

fn a_year_ahead() -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("it is after 1970");
    let year = 1970 + now.as_secs() / 31_556_952 + 1;
    format!(",\"at\":\"{year}-12-31T10:00:00Z\"")
}

/// Problems of a whole body, or of the one event in it.
const WHOLE: [&str; 5] = ["body-too-large", "too-many-events", "event-too-large", "too-deep", "not-utf8"];

#[test]
fn every_bad_event_is_told_what_is_wrong_with_it() {
    let world = World::shared();
    let deep = format!(",\"properties\":{{\"a\":{}1{}}}", "[".repeat(5_000), "]".repeat(5_000));
    let large = format!(",\"properties\":{{\"a\":\"{}\"}}", "x".repeat(33 * 1024));
    let answer = world.send("POST", "/v1/events", &[("content-type", "application/json")], b"");
    assert_eq!(answer.problem(), "malformed-json");
    let mut no_text = event(",\"id\":\"A\"");
    let at = no_text.iter().position(|byte| *byte == b'A').expect("there is an A");
    no_text[at] = 0xff;
    let cases: Vec<(&str, Vec<u8>, u16, &str)> = vec![
        ("malformed", b"{\"name\":".to_vec(), 400, "malformed-json"),
        ("two values", b"{} {}".to_vec(), 400, "malformed-json"),
        ("NaN", event(",\"properties\":{\"a\":NaN}"), 400, "malformed-json"),
        ("no UTF-8", no_text, 400, "not-utf8"),
        ("deep", event(&deep), 422, "too-deep"),
        ("large", event(&large), 413, "event-too-large"),
        ("a large body", vec![b' '; 513 * 1024], 413, "body-too-large"),
        ("many", format!("[{}]", vec!["0"; 2_501].join(",")).into_bytes(), 413, "too-many-events"),
        (
            "a name of another type",
            b"{\"name\":7,\"identifiers\":{\"customer_id\":\"1\"}}".to_vec(),
            422,
            "wrong-type",
        ),
        ("a time of another type", event(",\"at\":5"), 422, "wrong-type"),
        ("properties of another type", event(",\"properties\":[1]"), 422, "wrong-type"),
        ("a proposal of another type", event(",\"proposes\":{\"probe.count\":\"two\"}"), 422, "wrong-type"),
        ("a fraction as an integer", event(",\"proposes\":{\"probe.count\":1.5}"), 422, "wrong-type"),
        ("nobody's", b"{\"name\":\"a\"}".to_vec(), 422, "missing-identifier"),
        ("nameless", b"{\"identifiers\":{\"customer_id\":\"1\"}}".to_vec(), 422, "missing-key"),
        (
            "an unknown identifier",
            b"{\"name\":\"a\",\"identifiers\":{\"passport\":\"1\"}}".to_vec(),
            422,
            "unknown-identifier",
        ),
        (
            "an empty identifier",
            b"{\"name\":\"a\",\"identifiers\":{\"customer_id\":\"\"}}".to_vec(),
            422,
            "identifier-invalid",
        ),
        (
            "an unknown profile",
            event(",\"profile\":\"0b6c5f4e-7f4f-4d7e-9c8e-0d6a51a1c0de\""),
            404,
            "unknown-profile",
        ),
        ("an unknown field", event(",\"proposes\":{\"emial\":\"a\"}"), 422, "unknown-field"),
        ("an unknown key", event(",\"colour\":5"), 422, "unknown-key"),
        ("a key twice", event(",\"name\":\"twice\""), 422, "duplicate-key"),
        ("a year ahead", event(&a_year_ahead()), 422, "event-time-ahead"),
        (
            "the platform's name",
            b"{\"name\":\"samsyn.x\",\"identifiers\":{\"customer_id\":\"1\"}}".to_vec(),
            422,
            "reserved-name",
        ),
        ("a control character", event(",\"properties\":{\"a\":\"\\u0000\"}"), 422, "control-characters"),
    ];
    let mut without_place = Vec::new();
    for (what, body, status, code) in cases {
        let answer = world.send("POST", "/v1/events", &[("content-type", "application/json")], &body);
        assert_eq!((answer.status, answer.problem().as_str()), (status, code), "{what}");
        let problem = answer.json();
        if !WHOLE.contains(&code) && problem["place"].as_str().is_none_or(str::is_empty) {
            without_place.push(what);
        }
    }
    assert!(without_place.is_empty(), "these don't name the place: {without_place:?}");
}

#[test]
fn every_bad_body_is_told_what_is_wrong_with_it() {
    let world = World::shared();
    let post =
        |headers: &[(&str, &str)], body: &[u8]| world.send("POST", "/v1/events", headers, body).problem();
    let json = ("content-type", "application/json");
    assert_eq!(post(&[("content-type", "text/csv")], b"a,b"), "unknown-content-type");
    assert_eq!(post(&[json, ("content-encoding", "br")], b"{}"), "unknown-encoding");
    assert_eq!(post(&[json, ("content-encoding", "gzip")], b"{}"), "bad-gzip");
    let bomb = crate::app_developer::gzip(&vec![b' '; 64 << 20]);
    assert_eq!(post(&[json, ("content-encoding", "gzip")], &bomb), "body-too-large");
    let page = world.try_raw("GET", "/errors", &[], b"").expect("the host is there").text;
    for code in ["malformed-json", "unknown-content-type", "component.unknown-role"] {
        assert!(page.contains(&format!("## {code}")), "{code} has no entry");
    }
}

#[test]
fn in_a_batch_the_bad_are_listed_and_the_good_are_taken() {
    let world = World::shared();
    let counted = |id: &str| {
        json!({"id": id, "name": "probe.asked", "identifiers": {"customer_id": "batch"},
               "properties": {"script": ["add probe.count"]}})
    };
    world.json("POST", "/v1/events", &counted("batch-0")).of(202);
    let mut reused = counted("batch-0");
    reused["properties"] = json!({"script": []});
    let batch = json!([
        counted("batch-1"),
        {"name": "probe.asked"},
        counted("batch-2"),
        7,
        counted("batch-1"),
        reused,
        {"name": "probe.asked", "identifiers": {"customer_id": "batch"}, "at": "yesterday"},
        counted("batch-3"),
        {"name": "probe.asked", "identifiers": {"customer_id": "batch"}, "properties": {"a": "x".repeat(33 * 1024)}},
    ]);
    let answer = world.json("POST", "/v1/events", &batch).of(202);
    assert_eq!((&answer["accepted"], &answer["refused"]), (&json!(4), &json!(5)), "{answer}");
    let events = answer["events"].as_array().expect("it lists them");
    assert_eq!(events.len(), 9);
    for (index, code) in [
        (1, "missing-identifier"),
        (3, "wrong-type"),
        (5, "event-id-reused"),
        (6, "wrong-type"),
        (8, "event-too-large"),
    ] {
        assert_eq!(events[index]["index"], index, "{events:?}");
        assert_eq!(problem_code(&events[index]["problem"]), code);
        let place = events[index]["problem"]["place"].as_str().unwrap_or_default();
        assert!(place.starts_with(&format!("[{index}]")), "{place:?} is not in element {index}");
    }
    assert_eq!(events[4]["duplicate"], true);
    assert_eq!(events[4]["position"], events[0]["position"]);
    world.settle();
    assert_eq!(world.fields("batch"), json!({"probe.count": 4}));
    let none = world.json("POST", "/v1/events", &json!([{"name": "a"}, 1]));
    assert_eq!(none.of(422)["refused"], 2);
}

/// The contract with one role more.
fn a_role_from_tomorrow() -> Vec<u8> {
    let contract = format!("{}\ninterface oracle {{ foresee: func() -> s64; }}\n", guests::CONTRACT);
    let text = r#"(module (memory (export "memory") 1)
        (func (export "samsyn:plugin/oracle@0.1.0#foresee") (result i64) (i64.const 1)))"#;
    guests::module(&contract, "export samsyn:plugin/oracle@0.1.0;", text)
}

/// A guest that wants a clock.
fn an_import_nobody_offers() -> Vec<u8> {
    let contract = format!("{}\ninterface clock {{ now: func() -> s64; }}\n", guests::CONTRACT);
    let text = guests::subscriber_text("(drop (call $now))", "").replacen(
        "(module",
        "(module (import \"samsyn:plugin/clock@0.1.0\" \"now\" (func $now (result i64)))",
        1,
    );
    let world = format!("import samsyn:plugin/clock@0.1.0; {}", guests::SUBSCRIBER);
    guests::module(&contract, &world, &text)
}

/// A guest of the contract's next version.
fn tomorrows_contract() -> Vec<u8> {
    let contract = guests::CONTRACT.replace("@0.1.0", "@0.2.0");
    let world = guests::SUBSCRIBER.replace("@0.1.0", "@0.2.0");
    guests::module(&contract, &world, &guests::subscriber_text("", "").replace("@0.1.0", "@0.2.0"))
}

#[test]
fn every_bad_component_is_told_what_is_wrong_with_it() {
    let world = World::shared();
    let with = |component: &[u8], manifest: &str| {
        embed_manifest(component, manifest).expect("a manifest can be embedded")
    };
    let fine = manifest("bad-component", "[subscribes.\"bad.happened\"]\n");
    let another_type = manifest("bad-component", "[sources]\n\"probe.count\" = { type = \"text\" }\n");
    let typing_error = fine.replace("owner", "ownr");
    let passport = fine.replace("customer_id", "passport");
    let probe = components::kept_probe();
    let cases: Vec<(&str, Vec<u8>, &str, &str)> = vec![
        ("no wasm", b"plain text".to_vec(), "component.not-wasm", "samsyn plugin build"),
        ("nothing", Vec::new(), "component.not-wasm", ""),
        ("cut off", probe[..probe.len() / 2].to_vec(), "component.invalid", ""),
        ("no manifest", guests::all_roles(), "component.no-manifest", "samsyn:manifest"),
        ("no role", with(b"\0asm\x0d\0\x01\0", &fine), "component.no-role", "subscriber"),
        ("an unknown role", with(&a_role_from_tomorrow(), &fine), "component.unknown-role", "oracle"),
        ("an unknown import", with(&an_import_nobody_offers(), &fine), "component.unknown-import", "clock"),
        ("a newer contract", with(&tomorrows_contract(), &fine), "component.newer-contract", "0.2.0"),
        ("no TOML", with(&probe, "manifest = 1\n[plugin"), "manifest-invalid", "line 2"),
        ("a typing error", with(&probe, &typing_error), "manifest-invalid", "ownr"),
        ("another type", with(&probe, &another_type), "field-type-conflict", "probe.count"),
        ("an unknown identifier", with(&probe, &passport), "unknown-identifier", "passport"),
    ];
    for (what, component, code, names) in cases {
        let answer = world.post_component("", &component);
        assert_eq!(answer.problem(), code, "{what}");
        let detail = answer.json()["detail"].as_str().unwrap_or_default().to_owned();
        assert!(detail.contains(names), "{what}: {detail:?} doesn't name {names:?}");
        let plan = world.post_component("?dry_run=true", &component);
        assert_eq!(plan.problem(), code, "{what}, as a plan");
    }
    let installed = world.get("/v1/capabilities").of(200);
    let names = installed["items"].as_array().into_iter().flatten().map(|capability| &capability["name"]);
    assert!(names.clone().all(|name| name != "bad-component"), "{installed}");
    assert_eq!(world.get("/v1/fields/probe.count").of(200)["type"], Value::from("integer"));
}

/// Bad data is refused before a handler runs: nobody is parked, and the next order counts.
#[test]
fn a_value_that_no_plug_in_can_read_parks_nobody() {
    let world = World::new();
    world.install(&components::plugin("loyalty"));
    let order = |number: usize, order_id: &str, amount: &str| {
        let body = format!(
            "{{\"id\":\"order-{number}\",\"name\":\"order.completed\",\"identifiers\":{{\"customer_id\":\"1\"}},\
             \"properties\":{{\"order_id\":{order_id},\"amount\":{amount}}}}}"
        );
        let headers = [("content-type", "application/json"), ("prefer", "wait=30")];
        let event = world.send("POST", "/v1/events", &headers, body.as_bytes()).of(200);
        samsyn_harness::caller::outcome(&event, "loyalty").clone()
    };
    let bad = [
        ("\"A\"", "12345678901234567890123456789"),
        ("\"A\"", "0.1234567890123456789012345678901234567890"),
        ("\"A\"", "1e28"),
        ("\"A\"", "1e400"),
        ("1.5", "10"),
        ("1e3", "10"),
        ("true", "10"),
        ("{}", "10"),
    ];
    for (number, (order_id, amount)) in bad.iter().enumerate() {
        let outcome = order(number, order_id, amount);
        assert_eq!(outcome["result"], "done", "{amount}: {outcome}");
        assert_eq!(outcome["refusals"][0]["code"], "property.type", "{order_id} {amount}: {outcome}");
    }
    // An id written as a number is its digits.
    let outcome = order(100, "12345", "10.00");
    assert_eq!(outcome["refusals"], json!([]), "{outcome}");
    assert_eq!(world.fields("1")["loyalty.points"], 10);
    assert_eq!(world.get("/v1/parked").of(200)["items"], json!([]));
}
