//! A key that stands twice in an object is refused in every body, however deep it stands.

use serde_json::json;

use super::world::World;

const PROPERTIES: [(&str, &str); 8] = [
    (r#"{"cart":{"a":1,"a":2}}"#, "cart.a"),
    (r#"{"cart":{"a":1,"\u0061":2}}"#, "cart.a"),
    (r#"{"cart":[{"x":1},{"b":{"c":1,"c":1}}]}"#, "cart[1].b.c"),
    (r#"{"cart":[[{"c":1, "d":{}, "c" :1}]]}"#, "cart[0][0].c"),
    (r#"{"one":{"a":1},"cart":{"a":{"a":1},"b":[{},{"a":[]}],"a":2}}"#, "cart.a"),
    (r#"{"cart":{"":1,"":2}}"#, "cart."),
    (r#"{"cart":{"{\"a\":":1,"x":"a\":","{\"a\":":2}}"#, r#"cart.{"a":"#),
    (r#"{"cart":{"å":1,"\u00e5":2}}"#, "cart.å"),
];
const FINE: [&str; 4] = [
    r#"{"cart":{"a":1,"A":2,"b":{"a":1}},"again":{"a":1}}"#,
    r#"{"cart":[{"a":1},{"a":1}]}"#,
    r#"{"cart":{"a":"b","b":"a","c":["a","a"]}}"#,
    r#"{"cart":{"a":{"b":{"c":{}}},"b":{"b":{"c":{}}}}}"#,
];

fn event(member: &str, value: &str) -> String {
    format!("{{\"name\":\"seen\",\"identifiers\":{{\"customer_id\":\"7\"}},\"{member}\":{value}}}")
}

#[test]
fn an_event_with_a_key_twice_is_refused_wherever_it_stands() {
    let world = World::new().furnished();
    assert_eq!(world.json("PUT", "/v1/fields/cart", &json!({"type": "json"})).status, 200);
    assert_eq!(world.json("PUT", "/v1/fields/one", &json!({"type": "json"})).status, 200);
    for (value, place) in PROPERTIES {
        for member in ["properties", "proposes"] {
            let answer = world.event(event(member, value));
            assert_eq!((answer.status, answer.code().as_str()), (422, "duplicate-key"), "{member}: {value}");
            assert_eq!(answer.json()["place"], format!("{member}.{place}"), "{value}");
            let good = event(member, FINE[1]);
            let list = format!("{{\"events\":[{good},{},{good}]}}", event(member, value));
            let answer = world.event(list).json();
            assert_eq!((&answer["accepted"], &answer["refused"]), (&json!(2), &json!(1)), "{answer}");
            let problem = &answer["events"][1]["problem"];
            assert_eq!(problem["code"], "duplicate-key");
            assert_eq!(problem["place"], format!("events[1].{member}.{place}"));
        }
    }
    for value in FINE {
        let answer = world.event(event("properties", value));
        assert_eq!(answer.status, 202, "{value}: {answer:?}");
    }
}

#[test]
fn every_other_body_with_a_key_twice_is_refused_too() {
    let world = World::new().furnished();
    assert_eq!(world.json("PUT", "/v1/fields/cart", &json!({"type": "json"})).status, 200);
    assert_eq!(world.event(event("properties", "{}")).status, 202);
    let patch = "application/merge-patch+json";
    let json = "application/json";
    for (method, path, content_type, body, place) in [
        (
            "PATCH",
            "/v1/profiles/customer_id:7",
            patch,
            r#"{"fields":{"cart":{"a":1,"a":2}}}"#,
            "fields.cart.a",
        ),
        (
            "PATCH",
            "/v1/profiles/customer_id:7",
            json,
            r#"{"fields":{"cart":[{"a":1,"a":2}]}}"#,
            "fields.cart[0].a",
        ),
        ("POST", "/v1/profiles/lookup", json, r#"{"email":"a","email":"b"}"#, "email"),
        (
            "PUT",
            "/v1/fields/new",
            json,
            r#"{"type":"json","schema":{"type":"object","type":"text"}}"#,
            "schema.type",
        ),
        (
            "PUT",
            "/v1/fields/new",
            json,
            r#"{"type":"json","schema":{"properties":{"a":{},"b":{"enum":[],"enum":[]}}}}"#,
            "schema.properties.b.enum",
        ),
        ("PUT", "/v1/fields/new", json, r#"{"type":"text","type":"json"}"#, "type"),
        ("POST", "/v1/assignments", json, r#"{"fields":["cart"],"to":null,"to":"crm"}"#, "to"),
        ("POST", "/v1/tokens", json, r#"{"name":"a","scopes":["admin"],"scopes":[]}"#, "scopes"),
        ("POST", "/v1/parked/retry", json, r#"{"kind":"trap","kind":"error"}"#, "kind"),
        (
            "PATCH",
            "/v1/capabilities/crm/grant",
            json,
            r#"{"grant":{"reads":["a"],"reads":[]}}"#,
            "grant.reads",
        ),
    ] {
        let answer = world.send(method, path, &[("content-type", content_type)], body.as_bytes());
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (422, "duplicate-key"),
            "{method} {path}: {body}"
        );
        assert_eq!(answer.json()["place"], place, "{body}");
    }
    assert_eq!(world.get("/v1/fields/new").code(), "field-not-found", "nothing was defined");
}
