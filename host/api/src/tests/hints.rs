//! What a problem says to do is what helps: each of these was once told something that didn't.

use serde_json::{Value, json};

use super::world::{Answered, World};

fn next(answer: &Answered) -> String {
    answer.code();
    answer.json()["next"].as_str().unwrap().to_owned()
}

fn detail(answer: &Answered) -> String {
    answer.json()["detail"].as_str().unwrap().to_owned()
}

fn event(more: &str) -> String {
    format!("{{\"name\":\"order.completed\",\"identifiers\":{{\"customer_id\":\"1\"}}{more}}}")
}

#[test]
fn a_count_since_1970_is_told_as_the_time_that_it_is() {
    let world = World::new().furnished();
    for (at, time) in [
        ("1732183200", "2024-11-21T10:00:00Z"),
        ("\"1732183200\"", "2024-11-21T10:00:00Z"),
        ("1732183200000", "2024-11-21T10:00:00Z"),
        ("\"1732183200250\"", "2024-11-21T10:00:00.25Z"),
        ("1732183200.25", "2024-11-21T10:00:00.25Z"),
        ("1732183200000000", "2024-11-21T10:00:00Z"),
        ("1732183200000000000", "2024-11-21T10:00:00Z"),
        ("1.7321832e9", "2024-11-21T10:00:00Z"),
        ("500000000", "1985-11-05T00:53:20Z"),
    ] {
        let answer = world.event(event(&format!(",\"at\":{at}")));
        assert_eq!((answer.code().as_str(), &answer.json()["place"]), ("wrong-type", &json!("at")), "{at}");
        assert!(next(&answer).contains(&format!("\"{time}\"")), "{at}: {answer:?}");
        // An import shows the detail of what it sent.
        let listed = world.event(format!("[{}]", event(&format!(",\"at\":{at}")))).json();
        let problem = &listed["events"][0]["problem"];
        assert_eq!(problem["place"], "[0].at", "{problem}");
        assert!(problem["detail"].as_str().unwrap().contains(time), "{at}: {problem}");
    }
    // What can be no such count is told how a time is written.
    for at in ["5", "\"yesterday\"", "\"12\"", "true", "{}", "99999999999999999999999999", "-1"] {
        let answer = world.event(event(&format!(",\"at\":{at}")));
        assert_eq!(answer.code(), "wrong-type", "{at}");
        assert!(next(&answer).contains("2026-11-21T10:00:00Z"), "{at}: {answer:?}");
        assert!(!next(&answer).contains("in quotes"), "{at}: {answer:?}");
    }
}

#[test]
fn so_is_one_where_another_time_belongs() {
    let world = World::new().furnished();
    let time = "2024-11-21T10:00:00Z";
    world.json("PUT", "/v1/fields/seen_at", &json!({"type": "timestamp"}));
    let proposed = world.event(event(",\"proposes\":{\"seen_at\":1732183200}"));
    let headers = [("content-type", "application/json"), ("samsyn-ids-since", "1732183200")];
    let since = world.send("POST", "/v1/events", &headers, event("").as_bytes());
    let token = json!({"name": "web", "scopes": ["admin"], "expires": "1732183200"});
    for (what, answer) in [
        ("a proposal", proposed),
        ("a header", since),
        ("a token's end", world.json("POST", "/v1/tokens", &token)),
        ("reads since", world.get("/v1/audit/reads?since=1732183200")),
        ("changes until", world.get("/v1/audit/changes?until=1732183200000")),
        ("refusals since", world.get("/v1/refusals?since=1732183200")),
    ] {
        assert!((400..500).contains(&answer.status), "{what}: {answer:?}");
        assert!(next(&answer).contains(time), "{what}: {answer:?}");
    }
}

#[test]
fn an_unknown_key_names_the_known_ones_and_the_nearest() {
    let world = World::new().furnished();
    let profile =
        world.decided("POST", "/v1/events", &json!({"name": "seen", "identifiers": {"customer_id": "1"}}));
    let profile = format!("/v1/profiles/{}", profile.json()["profile"].as_str().unwrap());
    for (method, path, body, says) in [
        ("PATCH", profile.as_str(), json!({"feilds": {"first_name": "Ann"}}), vec!["`fields`"]),
        ("PATCH", &profile, json!({"first_name": "Ann"}), vec!["{\"fields\": {\"first_name\": …}}"]),
        ("PATCH", &profile, json!({"colour": "red"}), vec!["`fields`"]),
        ("PATCH", &profile, json!({"fields": {"frist_name": "Ann"}}), vec!["`first_name`"]),
        ("PATCH", &profile, json!({"fields": {"First_Name": "Ann"}}), vec!["`first_name`"]),
        ("PUT", "/v1/fields/x", json!({"type": "text", "clas": "none"}), vec!["`class`"]),
        ("PUT", "/v1/identifiers/x", json!({"normalizer": "exact", "strength": 1}), vec!["`normaliser`"]),
        ("POST", "/v1/assignments", json!({"feild": ["email"], "to": null}), vec!["`fields`"]),
        ("POST", "/v1/tokens", json!({"name": "web", "scope": ["admin"]}), vec!["`scopes`"]),
        ("POST", "/v1/parked/retry", json!({"capabilty": "sms"}), vec!["`capability`"]),
        (
            "POST",
            "/v1/events",
            json!({"name": "a", "identifers": {"customer_id": "1"}}),
            vec!["`identifiers`"],
        ),
        ("POST", "/v1/events", json!({"name": "a", "colour": "red"}), vec!["`properties`", "`identifiers`"]),
        ("POST", "/v1/events", json!({"events": [], "event": 1}), vec!["`events`"]),
    ] {
        let answer = world.json(method, path, &body);
        assert!(matches!(answer.code().as_str(), "unknown-key" | "unknown-field"), "{body}: {answer:?}");
        let message = format!("{} {}", detail(&answer), next(&answer));
        for word in says {
            assert!(message.contains(word), "{body}: {word} isn't in {message}");
        }
        if path != "/v1/events" {
            assert!(!message.contains("properties"), "that is for events alone: {body}: {message}");
        }
    }
    // A word that is one of a few is a key of the same kind, in a body and in a query.
    let kind = world.json("POST", "/v1/parked/retry", &json!({"kind": "tarp"}));
    assert_eq!(kind.code(), "wrong-type");
    assert!(next(&kind).starts_with("Did you mean `trap`?"), "{kind:?}");
    let class = world.json("PUT", "/v1/fields/x", &json!({"type": "text", "class": "personel"}));
    assert!(next(&class).starts_with("Did you mean `personal`?"), "{class:?}");
    for (path, meant) in
        [("/v1/parked?kind=tarp", "`trap`"), ("/v1/registry/graph?format=mermiad", "`mermaid`")]
    {
        let query = world.get(path);
        assert_eq!(query.code(), "query-invalid", "{path}");
        assert!(next(&query).contains(meant), "{path}: {query:?}");
    }
    // The nearest stands in `next`, and what is near to nothing has no guess.
    let near = world.json("PATCH", &profile, &json!({"fields": {"frist_name": "Ann"}}));
    assert!(next(&near).starts_with("Did you mean `first_name`?"), "{near:?}");
    let far = world.json("PATCH", &profile, &json!({"fields": {"zodiac": "Leo"}}));
    assert!(!next(&far).contains("Did you mean"), "{far:?}");
}

#[test]
fn nobody_learns_of_a_field_by_mistyping_it() {
    let world = World::new().furnished();
    let token =
        world.token("web", &["events:write", "profiles:read=first_name", "profiles:propose=first_name"]);
    let sent = |field: &str| {
        let body = json!({"name": "a", "identifiers": {"customer_id": "1"}, "proposes": {field: "x"}});
        world.send_as(&token, "POST", "/v1/events", &[], &body)
    };
    assert_eq!(sent("emial").code(), "scope-missing");
    assert!(!sent("emial").text.contains("email"), "{:?}", sent("emial"));
    let asked = world.send_as(&token, "GET", "/v1/profiles/customer_id:1?fields=emial", &[], &Value::Null);
    assert!(!asked.text.contains("`email`"), "{asked:?}");
}

#[test]
fn a_look_up_with_two_identifiers_is_told_which_one_to_send() {
    let world = World::new().furnished();
    let look_up = |body: Value| world.json("POST", "/v1/profiles/lookup", &body);
    let two = look_up(json!({"email": "anna@example.com", "customer_id": "1"}));
    assert_eq!((two.status, two.code().as_str()), (422, "too-many-identifiers"), "{two:?}");
    assert!(detail(&two).contains("email") && detail(&two).contains("customer_id"), "{two:?}");
    assert!(next(&two).contains("`customer_id`"), "the strongest: {two:?}");
    assert!(!two.json()["title"].as_str().unwrap().contains("event"), "{two:?}");
    let none = look_up(json!({}));
    assert_eq!(none.code(), "missing-identifier");
    assert!(!none.json()["title"].as_str().unwrap().contains("event"), "{none:?}");
    let mistyped = look_up(json!({"emial": "anna@example.com"}));
    assert!(next(&mistyped).starts_with("Did you mean `email`?"), "{mistyped:?}");
}

#[test]
fn a_mistyped_scope_names_the_nearest() {
    let world = World::new().furnished();
    for (scope, near) in [
        ("profile:read", "`profiles:read`"),
        ("profiles:raed", "`profiles:read`"),
        ("profiles.read", "`profiles:read`"),
        ("read:profiles", "`profiles:read`"),
        ("profiles", "`profiles:read`"),
        ("event:write", "`events:write`"),
        ("events", "`events:write`"),
        ("Admin", "`admin`"),
        ("administrator", "`admin`"),
        ("registry:admin", "`registry:read`"),
        ("profiles:read:first_name", "`profiles:read=first_name`"),
        ("profiles:read=class:personel", "`class:personal`"),
        ("profiles:read=class:sensative", "`class:sensitive`"),
        ("profile:read=first_name", "`profiles:read=first_name`"),
    ] {
        let answer =
            world.json("POST", "/v1/tokens", &json!({"name": "web", "scopes": ["events:write", scope]}));
        assert_eq!(answer.code(), "wrong-type", "{scope}");
        assert_eq!(answer.json()["place"], "scopes[1]", "{scope}: {answer:?}");
        assert!(next(&answer).contains(near), "{scope}: {answer:?}");
    }
    let far = world.json("POST", "/v1/tokens", &json!({"name": "web", "scopes": ["everything"]}));
    assert!(next(&far).contains("`events:write`") && next(&far).contains("`admin`"), "all of them: {far:?}");
}

#[test]
fn another_tokens_position_is_told_who_may_ask_for_it() {
    let world = World::new().furnished();
    let sent = world.json(
        "POST",
        "/v1/events",
        &json!({"id": "A1", "name": "seen", "identifiers": {"customer_id": "1"}}),
    );
    let position = sent.json()["position"].as_str().unwrap().to_owned();
    let web = world.token("web", &["events:write"]);
    let ask = |what: &str| world.send_as(&web, "GET", &format!("/v1/events/{what}"), &[], &Value::Null);
    let others = ask(&position);
    assert_eq!((others.status, others.code().as_str()), (404, "unknown-event"));
    assert!(!next(&others).contains("works for any"), "{others:?}");
    assert!(next(&others).contains("reads everything"), "{others:?}");
    assert!(!next(&others).contains("Samsyn-Application"), "it may not name another: {others:?}");
    // Where nothing stands the answer is the same but for the place.
    let nothing = ask("0-999999");
    assert_eq!((next(&nothing), nothing.status), (next(&others), 404));
    assert_eq!(detail(&nothing).replace("0-999999", &position), detail(&others));
    // An administrator may, so that nothing stands there at all.
    let admin = world.get("/v1/events/0-999999");
    assert!(detail(&admin).contains("there is no event at 0-999999"), "{admin:?}");
    let id = world.get("/v1/events/nothing-of-the-kind");
    assert!(next(&id).contains("Samsyn-Application"), "{id:?}");
}
