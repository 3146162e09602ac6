//! Each answer of the interface has a type that holds all of it, and that reads one of a newer host.

use std::collections::BTreeSet;

use serde_json::Value;

use super::answers::{ANSWERS, check, check_problem};
use super::document;
use super::tests::{examples, operations};

#[test]
fn every_answer_has_a_type_that_holds_all_of_its_examples() {
    let document = document();
    let mut described = BTreeSet::new();
    for (path, method, operation) in operations(&document) {
        let id = operation["operationId"].as_str().unwrap();
        for (status, response) in operation["responses"].as_object().unwrap() {
            let status: u16 = status.parse().unwrap();
            let Some(json) = response["content"].get("application/json") else { continue };
            described.insert((id, status));
            for (name, example) in examples(&document, json) {
                check(id, status, &example.to_string())
                    .unwrap_or_else(|wrong| panic!("{method} {path} {status} {name:?}: {wrong}"));
            }
        }
    }
    let known: BTreeSet<(&str, u16)> = ANSWERS.iter().map(|(id, status, _)| (*id, *status)).collect();
    assert_eq!(known, described);
    for problem in document["components"]["examples"].as_object().unwrap().values() {
        check_problem(&problem["value"].to_string()).unwrap();
    }
}

/// Times and positions that a client counts with. All others it prints.
const COUNTED_WITH: [&str; 3] = ["now", "complete_since", "decided"];

/// Members whose objects are maps: their keys are names, and no members.
const MAPS: [&str; 8] =
    ["average_waits_us", "claims", "deliveries", "details", "fields", "identifiers", "meta", "not_replayed"];

/// The same answer of a newer host: every text is one that this version doesn't know, and every object
/// that isn't a map has one member more.
fn newer(answer: &Value, is_map: bool) -> Value {
    match answer {
        Value::String(_) => "of a newer host".into(),
        Value::Array(items) => items.iter().map(|item| newer(item, false)).collect(),
        Value::Object(members) => {
            let member = |(name, value): (&String, &Value)| match COUNTED_WITH.contains(&name.as_str()) {
                true => (name.clone(), value.clone()),
                false => (name.clone(), newer(value, !is_map && MAPS.contains(&name.as_str()))),
            };
            let more = (!is_map).then(|| ("newer_member".to_owned(), 1.into()));
            members.iter().map(member).chain(more).collect()
        }
        other => other.clone(),
    }
}

#[test]
fn every_answer_of_a_newer_host_can_be_read() {
    let document = document();
    for (.., operation) in operations(&document) {
        for (id, status, through) in ANSWERS.iter().filter(|(id, ..)| operation["operationId"] == *id) {
            let answer = &operation["responses"][status.to_string()]["content"]["application/json"];
            for (name, example) in examples(&document, answer) {
                let read = through(&newer(&example, false).to_string());
                read.unwrap_or_else(|error| panic!("{id} {status} {name:?}: {error}"));
            }
        }
    }
}

#[test]
fn a_member_that_no_type_has_is_found() {
    assert_eq!(check("showHealth", 200, r#"{"alive":true}"#), Ok(()));
    assert!(check("showHealth", 200, r#"{"alive":true,"since":1}"#).is_err());
    assert!(check("showHealth", 200, r#"{"alive":1}"#).is_err());
    assert!(check("showHealth", 201, r#"{"alive":true}"#).is_err());
    assert!(check("showNothing", 200, "{}").is_err());
    assert_eq!(check("listRefusals", 200, r#"{"items":[],"decided":[],"shows_all":true}"#), Ok(()));
}
