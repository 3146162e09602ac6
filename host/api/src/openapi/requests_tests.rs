//! Each body of the interface has a type, which the client writes and the host reads.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::conformance::Conformance;
use super::document;
use super::tests::{examples, operations};
use samsyn_registry::assignment::Mode;
use samsyn_registry::{Compare, DataClass, Normaliser};
use samsyn_vocabulary::Type;
use samsyn_wire::request::bodies::{BODIES, OLDER_NAMES, TYPES, Through};
use samsyn_wire::request::{
    Assignment, Deprecation, EndpointBinding, FieldDefinition, GrantChange, GrantPart, IdentifierDefinition,
    LookUp, NewEvent, NewEvents, NewToken, OneAssignment, ParkedSelection, ParkedSkip, ProfilePatch,
    SettingsPatch,
};

/// The JSON bodies of an operation, by their media types.
fn bodies(operation: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let content = operation["requestBody"]["content"].as_object().into_iter().flatten();
    content.map(|(name, body)| (name.as_str(), body)).filter(|(name, _)| name.ends_with("json"))
}

/// Whether all of the first is in the second, which may have more members.
fn is_in(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            one.iter().all(|(name, one)| other.get(name).is_some_and(|other| is_in(one, other)))
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| is_in(one, other))
        }
        _ => one == other,
    }
}

/// Reads a body and writes it again: nothing is lost, and what is added is a default.
fn check(through: Through, body: &Value) -> Result<(), String> {
    let written = through(&body.to_string()).map_err(|error| format!("it can't be read: {error}"))?;
    if !is_in(body, &written) {
        return Err(format!("it is written as {written}"));
    }
    let again = through(&written.to_string()).map_err(|error| format!("{written}: {error}"))?;
    if again == written { Ok(()) } else { Err(format!("{written} becomes {again}")) }
}

#[test]
fn every_body_has_a_type_that_holds_all_of_its_examples() {
    let document = document();
    let types: BTreeMap<&str, Through> = BODIES.iter().copied().collect();
    let mut described = BTreeSet::new();
    for (path, method, operation) in operations(&document) {
        let id = operation["operationId"].as_str().unwrap();
        for (media_type, body) in bodies(operation) {
            described.insert(id);
            let through = types.get(id).unwrap_or_else(|| panic!("{id} has no type in the table"));
            for (name, example) in examples(&document, body) {
                check(*through, &example)
                    .unwrap_or_else(|wrong| panic!("{method} {path} {media_type} {name:?}: {wrong}"));
            }
        }
    }
    assert_eq!(types.into_keys().collect::<BTreeSet<_>>(), described);
}

/// The names of the schemas that a schema refers to, and those that these refer to.
fn refer_to(document: &Value, schema: &Value, found: &mut BTreeSet<String>) {
    match schema {
        Value::Object(members) => {
            if let Some(place) = schema["$ref"].as_str()
                && found.insert(place.rsplit('/').next().unwrap().to_owned())
            {
                refer_to(document, document.pointer(place.trim_start_matches('#')).unwrap(), found);
            }
            members.values().for_each(|member| refer_to(document, member, found));
        }
        Value::Array(items) => items.iter().for_each(|item| refer_to(document, item, found)),
        _ => {}
    }
}

#[test]
fn a_type_has_the_members_that_are_described_and_no_others() {
    let document = document();
    let mut named = BTreeSet::new();
    for (.., operation) in operations(&document) {
        bodies(operation).for_each(|(_, body)| refer_to(&document, &body["schema"], &mut named));
    }
    let types: BTreeMap<_, _> = TYPES.iter().copied().collect();
    for name in types.keys() {
        assert!(named.contains(*name), "no body refers to {name}");
    }
    for name in &named {
        let schema = &document["components"]["schemas"][name];
        let described: BTreeSet<&str> =
            schema["properties"].as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect();
        let Some(members) = types.get(name.as_str()) else {
            assert!(described.is_empty(), "{name} has members and no type in the table");
            continue;
        };
        let older = |member: &&str| OLDER_NAMES.contains(&(name.as_str(), *member));
        let members: BTreeSet<&str> = members().iter().copied().filter(|member| !older(member)).collect();
        assert_eq!(members, described, "{name}");
        let required = schema["required"].as_array().into_iter().flatten();
        for member in required {
            assert!(members.contains(member.as_str().unwrap()), "{name}: {member}");
        }
    }
}

#[test]
fn what_a_type_needs_is_what_is_described_as_required() {
    let document = document();
    let types: BTreeMap<&str, Through> = BODIES.iter().copied().collect();
    // The host says itself what these lack: in its own words, at its own place.
    let read_as_texts = ["takeEvents", "proposeValues", "skipParked"];
    for (.., operation) in operations(&document) {
        let id = operation["operationId"].as_str().unwrap();
        for (_, body) in bodies(operation).filter(|_| !read_as_texts.contains(&id)) {
            let Some(place) = body["schema"]["$ref"].as_str() else { panic!("{id}: {body}") };
            let schema = document.pointer(place.trim_start_matches('#')).unwrap();
            let required = schema["required"].as_array().into_iter().flatten();
            let required: BTreeSet<&str> = required.map(|name| name.as_str().unwrap()).collect();
            for (name, example) in examples(&document, body) {
                for member in example.as_object().unwrap().keys() {
                    let mut lacking = example.clone();
                    lacking.as_object_mut().unwrap().remove(member);
                    // A look-up is its only member.
                    let needed = required.contains(member.as_str()) || id == "lookUpProfile";
                    let read = types[id](&lacking.to_string());
                    assert_eq!(read.is_err(), needed, "{id} {name:?} without {member}: {read:?}");
                }
            }
        }
    }
}

/// Every member, and every part that one can have.
fn every_member_of_a_binding() -> Value {
    json!({
        "url": "https://members.example.com/api/", "methods": ["GET", "PUT"],
        "auth": { "oauth2-refresh": {
            "token_url": "https://id.example.com/token/", "client_id": "samsyn", "secret": "client_secret",
            "refresh_token": "refresh_token", "scopes": ["members:write"],
        } },
        "repeat": "keyed", "key": { "header": "Idempotency-Key", "hours": 24 }, "rate": "20 per 1s",
        "parallel": 2, "timeout": "10s", "answer_max": "16 KiB", "networks": ["10.2.0.0/16"],
        "ca_file": "/etc/samsyn/ca.pem", "client_certificate": { "file": "/etc/samsyn/client.pem", "key": "client_key" },
        "proxy": { "url": "https://proxy.example.com/", "user": "samsyn", "secret": "proxy_password" },
        "reaches": "systems", "message_api": true,
    })
}

/// Bodies with every member, as the client writes them.
fn whole() -> Vec<(&'static str, Value)> {
    fn name<N: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> N {
        text.parse().unwrap()
    }
    let selection = ParkedSelection {
        capability: Some(name("sms")),
        profile: Some(name("0b6c5f4e-7f4f-4d7e-9c8e-0d6a51a1c0de")),
        kind: Some(samsyn_vocabulary::FailureKind::Trap),
        reason: Some("the number is no longer in use".to_owned()),
    };
    let part = GrantPart {
        reads: vec![name("email")],
        identifiers: vec![name("customer_id")],
        hears: vec![name("order.*")],
        sources: vec![name("loyalty.points")],
        calls: vec![name("members")],
    };
    let event = NewEvent {
        id: Some(json!("A1")),
        name: Some(json!("order.completed")),
        at: Some(json!("2026-11-20T10:00:00Z")),
        profile: Some(json!("0b6c5f4e-7f4f-4d7e-9c8e-0d6a51a1c0de")),
        identifiers: Some(json!({"customer_id": "00042"})),
        properties: Some(json!({"amount": 29.33})),
        proposes: Some(json!({"phone": null})),
    };
    let fields = json!({"first_name": "Ann"});
    vec![
        (
            "assignSources",
            json!(Assignment {
                fields: vec![name("country")],
                from: Some(name("crm")),
                all: true,
                to: Some(name("crm2")),
                mode: Mode::Clear,
                revision: Some(7),
            }),
        ),
        (
            "assignSource",
            json!(OneAssignment { source: Some(name("crm")), mode: Mode::Inherit, revision: Some(7) }),
        ),
        (
            "bindEndpoint",
            json!(serde_json::from_value::<EndpointBinding>(every_member_of_a_binding()).unwrap()),
        ),
        ("changeGrant", json!(GrantChange { grant: part.clone(), revoke: part })),
        (
            "defineField",
            json!(FieldDefinition {
                kind: Type::Text,
                one_of: vec!["S".to_owned()],
                schema: Some(json!({"maxLength": 1})),
                unit: Some("points".to_owned()),
                description: "Size of clothes".to_owned(),
                class: DataClass::Personal,
                department: Some("Web shop".to_owned()),
                identifies: Some(name("email")),
                protective: true,
                compare: Compare::Caseless,
                deprecated: Some("use fit".to_owned()),
            }),
        ),
        (
            "defineIdentifier",
            json!(IdentifierDefinition {
                name: Some(name("phone")),
                normaliser: Normaliser::Phone,
                strength: 5,
                country: Some("SE".to_owned()),
                rejected_values: Some(vec!["unknown".to_owned()]),
            }),
        ),
        ("deprecateField", json!(Deprecation { note: Some("use email".to_owned()) })),
        ("lookUpProfile", json!(LookUp { identifier: "email".into(), value: "a@b.example" })),
        (
            "makeToken",
            json!(NewToken {
                name: name("web"),
                application: Some(name("shop")),
                scopes: vec!["admin".to_owned()],
                expires: Some("90d".to_owned()),
                requests_per_second: Some(1),
                events_per_second: Some(1),
            }),
        ),
        ("proposeValues", json!(ProfilePatch { fields: &fields })),
        ("retryParked", json!(selection)),
        ("setCapability", json!(SettingsPatch(json!({"points_per_unit": "2"})))),
        ("skipParked", json!(ParkedSkip(selection))),
        ("takeEvents", json!(NewEvents::One(event))),
    ]
}

#[test]
fn what_the_client_sends_is_what_the_host_reads() {
    let document = document();
    let conformance = Conformance::new(document.clone());
    let whole = whole();
    for (id, through) in BODIES {
        let (_, body) = whole.iter().find(|(of, _)| of == id).unwrap_or_else(|| panic!("{id} has no body"));
        check(*through, body).unwrap_or_else(|wrong| panic!("{id}: {wrong}"));
        let (path, method, operation) =
            operations(&document).find(|(.., operation)| operation["operationId"] == *id).unwrap();
        let (media_type, _) = bodies(operation).next().unwrap();
        let place = ["paths", path, method, "requestBody", "content", media_type, "schema"];
        conformance.validate(&place, body).unwrap_or_else(|wrong| panic!("{id}: {wrong}"));
    }
}

#[test]
fn a_member_that_no_body_has_is_an_error() {
    for (id, through) in BODIES.iter().filter(|(id, _)| !["lookUpProfile", "setCapability"].contains(id)) {
        let error = through(r#"{"no_such_member":0}"#).unwrap_err().to_string();
        assert!(error.starts_with("unknown field `no_such_member`"), "{id}: {error}");
    }
}
