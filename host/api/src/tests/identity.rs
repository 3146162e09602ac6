//! Identifiers over HTTP: values that identify nobody, customers who share one, and who may see that.

use serde_json::{Value, json};

use super::world::{Answered, World};

fn send_seen(world: &World, identifiers: &Value) -> Answered {
    world.decided("POST", "/v1/events", &json!({"name": "seen", "identifiers": identifiers}))
}

#[test]
fn a_value_that_identifies_nobody_is_refused_with_the_reason() {
    let world = World::new().furnished();
    for (identifiers, reason) in [
        (json!({"customer_id": "null"}), "placeholder"),
        (json!({"customer_id": "undefined"}), "placeholder"),
        (json!({"customer_id": "NONE"}), "placeholder"),
        (json!({"customer_id": "0"}), "placeholder"),
        (json!({"customer_id": "[object Object]"}), "placeholder"),
        (json!({"customer_id": "NaN"}), "placeholder"),
        (json!({"customer_id": " Unknown "}), "placeholder"),
        (json!({"customer_id": " \u{a0} "}), "empty"),
        (json!({"email": "n/a"}), "placeholder"),
        (json!({"email": "anna"}), "no @"),
        (json!({"phone": "1-800-FLOWERS"}), "no digit"),
        (json!({"phone": "070-123 45 67"}), "country"),
        // One that is right doesn't make up for one that isn't.
        (json!({"customer_id": "00042", "email": "null"}), "placeholder"),
    ] {
        let answer = send_seen(&world, &identifiers);
        assert_eq!((answer.status, answer.code().as_str()), (422, "identifier-invalid"), "{identifiers}");
        let detail = answer.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains(reason), "{identifiers}: {detail}");
    }
}

#[test]
fn an_administrator_says_which_values_are_refused_and_where_numbers_are_dialled() {
    let world = World::new().furnished();
    let definition = json!({"normaliser": "exact", "strength": 10, "rejected_values": ["KASSA-1", "0"]});
    let defined = world.json("PUT", "/v1/identifiers/customer_id", &definition);
    assert_eq!((defined.status, &defined.json()["rejected_values"]), (200, &json!(["KASSA-1", "0"])));
    assert_eq!(send_seen(&world, &json!({"customer_id": "kassa-1"})).status, 422);
    assert_eq!(send_seen(&world, &json!({"customer_id": "null"})).status, 200);
    let definition = json!({"normaliser": "phone", "strength": 4, "country": "SE"});
    assert_eq!(world.json("PUT", "/v1/identifiers/phone", &definition).status, 200);
    let first = send_seen(&world, &json!({"phone": "070-123 45 67"})).json();
    let second = send_seen(&world, &json!({"phone": "+46 (0)70 123 45 67"})).json();
    assert_eq!(first["profile"], second["profile"]);
    for wrong in [
        json!({"normaliser": "phone", "strength": 4, "country": "Sweden"}),
        json!({"normaliser": "email", "strength": 4, "country": "SE"}),
        json!({"normaliser": "exact", "strength": 4, "rejected_values": [" "]}),
    ] {
        let answer = world.json("PUT", "/v1/identifiers/other", &wrong);
        assert_eq!((answer.status, answer.code().as_str()), (422, "definition-invalid"), "{wrong}");
    }
}

#[test]
fn a_family_stays_two_and_who_may_know_sees_the_conflict() {
    let world = World::new().furnished();
    let first = send_seen(&world, &json!({"customer_id": "F1", "email": "fam@example.com"})).json();
    let second = send_seen(&world, &json!({"customer_id": "F2", "email": "FAM@example.com"})).json();
    assert_ne!(first["profile"], second["profile"]);
    let conflict = json!({"identifier": "email", "value": "FAM@example.com", "belongs_to": first["profile"]});
    assert_eq!((&first["conflicts"], &second["conflicts"]), (&Value::Null, &json!([conflict])));

    // Without waiting as well.
    let event = json!({"name": "seen", "identifiers": {"customer_id": "F2", "email": "fam@example.com"}});
    let taken = world.json("POST", "/v1/events", &event).json();
    assert_eq!(taken["conflicts"][0]["belongs_to"], first["profile"]);
    let sender = world.token("sender", &["events:write"]);
    let blind = world.send_as(&sender, "POST", "/v1/events", &[], &event).json();
    assert_eq!(blind["conflicts"], Value::Null, "who reads nothing is told nothing");
    let narrowed = world.token("narrowed", &["events:write", "profiles:read=identifier:customer_id"]);
    let answer = world.send_as(&narrowed, "POST", "/v1/events", &[], &event).json();
    assert_eq!(answer["conflicts"], Value::Null);

    let owner = world.get("/v1/profiles/customer_id:F1").json();
    let other = world.get("/v1/profiles/customer_id:F2").json();
    assert_eq!(owner["identifiers"], json!({"customer_id": ["F1"], "email": ["fam@example.com"]}));
    assert_eq!((&owner["conflicts"], &other["identifiers"]), (&Value::Null, &json!({"customer_id": ["F2"]})));
    assert_eq!(other["conflicts"].as_array().unwrap().len(), 2, "both spellings");

    let listed = world.get("/v1/identifiers/conflicts").json();
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
    assert_eq!(listed["items"][0]["profile"], second["profile"]);
    assert_eq!(listed["items"][0]["conflicts"][0]["belongs_to"], first["profile"]);
    assert_eq!(listed["next"], Value::Null);
    let answer = world.send_as(&narrowed, "GET", "/v1/identifiers/conflicts", &[], &Value::Null);
    assert_eq!(answer.status, 403);
}
