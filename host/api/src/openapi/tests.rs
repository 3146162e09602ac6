//! The description is whole, and agrees with itself. That answers agree with it is seen in every
//! test that gets one: see [`conformance`](super::conformance).

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::conformance::Conformance;
use super::document;
use crate::catalogue::{KINDS, Kind};

/// Every operation, with its path and method.
pub fn operations(document: &Value) -> impl Iterator<Item = (&str, &str, &Value)> {
    let paths = document["paths"].as_object().unwrap();
    paths.iter().flat_map(|(path, methods)| {
        let methods = methods.as_object().unwrap();
        methods.iter().map(move |(method, operation)| (path.as_str(), method.as_str(), operation))
    })
}

fn text<'a>(operation: &'a Value, key: &str) -> &'a str {
    operation[key].as_str().unwrap_or_default()
}

#[test]
fn every_call_says_what_it_is() {
    let document = document();
    let mut ids = BTreeSet::new();
    for (path, method, operation) in operations(&document) {
        let call = format!("{method} {path}");
        assert!(ids.insert(text(operation, "operationId")), "{call}: its id is another's");
        assert!(
            !text(operation, "summary").is_empty() && !text(operation, "summary").ends_with('.'),
            "{call}"
        );
        assert_eq!(operation["tags"].as_array().map(Vec::len), Some(1), "{call}");
        let described: BTreeSet<&str> = operation["parameters"]
            .as_array()
            .into_iter()
            .flatten()
            .inspect(|parameter| assert!(parameter["description"].is_string(), "{call}: {parameter}"))
            // A client that sends more than the host can read is told so by the description.
            .inspect(|parameter| {
                let schema = &parameter["schema"];
                let is_bounded = schema["type"] != "integer" || schema["maximum"].is_number();
                assert!(is_bounded, "{call}: {parameter}");
            })
            .filter(|parameter| parameter["in"] == "path")
            .map(|parameter| text(parameter, "name"))
            .collect();
        let variables = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
        assert_eq!(described, variables.collect(), "{call}");
        let responses = operation["responses"].as_object().unwrap();
        assert!(responses.keys().any(|status| status.starts_with('2')), "{call}: it never succeeds");
        for (status, response) in responses {
            assert!(!text(response, "description").is_empty(), "{call}: {status} says nothing");
        }
    }
    // Two types of one name would get a number: each has a name that tells them apart.
    for name in document["components"]["schemas"].as_object().unwrap().keys() {
        assert!(!name.ends_with(|last: char| last.is_ascii_digit()), "{name}");
    }
}

#[test]
fn every_kind_of_problem_is_one_of_some_call() {
    let document = document();
    let answers =
        operations(&document).flat_map(|(.., operation)| operation["responses"].as_object().unwrap());
    let described: BTreeSet<&str> = answers
        .filter_map(|(_, answer)| answer["content"]["application/problem+json"]["examples"].as_object())
        .flat_map(|examples| examples.keys().map(String::as_str))
        .collect();
    // A method that a path doesn't take belongs to no call.
    let kinds = KINDS.iter().filter(|kind| **kind != Kind::MethodNotAllowed);
    let untold: Vec<&str> =
        kinds.map(|kind| kind.entry().code).filter(|code| !described.contains(code)).collect();
    assert!(untold.is_empty(), "no description in openapi/describe/ has these problems: {untold:?}");
}

/// The examples of a media type, by name.
pub fn examples(document: &Value, media: &Value) -> Map<String, Value> {
    let mut all = Map::new();
    if let Some(only) = media.get("example") {
        all.insert("example".to_owned(), only.clone());
    }
    for (name, example) in media["examples"].as_object().into_iter().flatten() {
        let example = match example["$ref"].as_str() {
            Some(place) => document.pointer(place.trim_start_matches('#')).unwrap(),
            None => example,
        };
        all.insert(name.clone(), example["value"].clone());
    }
    all
}

#[test]
fn every_example_is_one() {
    let document = document();
    let conformance = Conformance::new(document.clone());
    for (path, method, operation) in operations(&document) {
        let mut contents: Vec<(Vec<&str>, &Value)> = Vec::new();
        if let Some(content) = operation["requestBody"].get("content") {
            contents.push((vec!["paths", path, method, "requestBody", "content"], content));
        }
        for (status, response) in operation["responses"].as_object().unwrap() {
            if let Some(content) = response.get("content") {
                contents.push((vec!["paths", path, method, "responses", status, "content"], content));
            }
        }
        for (place, content) in contents {
            for (media_type, media) in
                content.as_object().unwrap().iter().filter(|(name, _)| name.ends_with("json"))
            {
                let examples = examples(&document, media);
                assert!(!examples.is_empty(), "{method} {path}: {media_type} has no example");
                let schema = [&place[..], &[media_type, "schema"]].concat();
                for (name, example) in examples {
                    conformance
                        .validate(&schema, &example)
                        .unwrap_or_else(|wrong| panic!("{method} {path}: the example {name:?}: {wrong}"));
                }
            }
        }
        for (at, parameter) in operation["parameters"].as_array().into_iter().flatten().enumerate() {
            let at = at.to_string();
            let Some(example) = parameter.get("example") else { continue };
            // A pointer counts elements as it names members.
            conformance
                .validate(&["paths", path, method, "parameters", &at, "schema"], example)
                .unwrap_or_else(|wrong| panic!("{method} {path}: {}: {wrong}", parameter["name"]));
        }
    }
}

/// Every schema of the document with its place, those within others too.
fn schemas(document: &Value) -> Vec<(String, &Value)> {
    fn walk<'a>(value: &'a Value, place: &str, is_schema: bool, found: &mut Vec<(String, &'a Value)>) {
        if is_schema {
            found.push((place.to_owned(), value));
        }
        let Some(members) = value.as_object() else { return };
        for (key, value) in members {
            let place = format!("{place}/{key}");
            match (key.as_str(), value) {
                ("example" | "examples" | "default" | "enum", _) => {}
                ("oneOf" | "anyOf" | "allOf", Value::Array(all)) => {
                    for (at, one) in all.iter().enumerate() {
                        walk(one, &format!("{place}/{at}"), true, found);
                    }
                }
                ("properties" | "schemas" | "$defs", Value::Object(all)) => {
                    all.iter().for_each(|(name, one)| walk(one, &format!("{place}/{name}"), true, found));
                }
                ("schema" | "items" | "additionalProperties" | "propertyNames" | "not", one) => {
                    walk(one, &place, true, found);
                }
                (_, Value::Array(all)) => {
                    for (at, one) in all.iter().enumerate() {
                        walk(one, &format!("{place}/{at}"), false, found);
                    }
                }
                (_, one) => walk(one, &place, false, found),
            }
        }
    }
    let mut found = Vec::new();
    walk(document, "", false, &mut found);
    found
}

/// The alternatives of a schema.
fn alternatives(schema: &Value) -> impl Iterator<Item = &Value> {
    ["oneOf", "anyOf"].into_iter().filter_map(|key| schema[key].as_array()).flatten()
}

#[test]
fn a_choice_of_words_is_an_enum_that_generators_know() {
    let document = document();
    let all = schemas(&document);
    assert!(all.len() > 500, "{}", all.len());
    let mut enums = 0;
    for (place, schema) in all {
        assert!(schema.get("const").is_none(), "{place}: a generator makes nothing of a const: {schema}");
        assert!(schema.get("oneOf").is_none(), "{place}: say anyOf, or enum for words: {schema}");
        enums += usize::from(schema["enum"].is_array());
    }
    assert!(enums >= 20, "{enums}");
    // What a word means isn't lost with it.
    let compare = &document["components"]["schemas"]["Compare"];
    let words: Vec<&str> =
        compare["enum"].as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect();
    assert_eq!(words, ["exact", "caseless", "digits"]);
    assert!(
        words.iter().all(|word| text(compare, "description").contains(&format!("`{word}`"))),
        "{compare}"
    );
}

#[test]
fn no_type_is_lost_on_generators() {
    let document = document();
    for (place, schema) in schemas(&document) {
        // A type that is also one of several becomes all of them and nothing.
        let is_both = schema.get("properties").is_some() && alternatives(schema).next().is_some();
        assert!(!is_both, "{place} has members of its own beside alternatives");
        for alternative in alternatives(schema) {
            let is_typed = ["type", "$ref", "enum"].iter().any(|key| alternative.get(*key).is_some());
            assert!(
                is_typed,
                "{place}: an alternative without a type makes all of it unknown: {alternative}"
            );
        }
    }
}

#[test]
fn the_body_of_an_event_is_an_event() {
    let document = document();
    let body =
        &document["paths"]["/v1/events"]["post"]["requestBody"]["content"]["application/json"]["schema"];
    let named = |schema: &Value| match schema["$ref"].as_str() {
        Some(place) => document.pointer(place.trim_start_matches('#')).unwrap().clone(),
        None => schema.clone(),
    };
    let body = named(body);
    let event = json!({"$ref": "#/components/schemas/NewEvent"});
    let [one, list, wrapped] = body["anyOf"].as_array().unwrap().as_slice() else { panic!("{body}") };
    assert_eq!((one, &list["type"], &list["items"]), (&event, &"array".into(), &event));
    assert_eq!(named(wrapped)["properties"]["events"], *list);
    let event = &document["components"]["schemas"]["NewEvent"];
    assert_eq!((&event["type"], &event["additionalProperties"]), (&"object".into(), &false.into()));
    let members: BTreeSet<&str> =
        event["properties"].as_object().unwrap().keys().map(String::as_str).collect();
    let known = ["at", "id", "identifiers", "name", "profile", "properties", "proposes"];
    assert_eq!(members, known.into_iter().collect());
}

#[test]
fn what_a_problem_looks_like_is_said_once() {
    let document = document();
    let mut seen = 0;
    for (path, method, operation) in operations(&document) {
        for (status, answer) in operation["responses"].as_object().unwrap() {
            let Some(problem) = answer["content"].get("application/problem+json") else { continue };
            let reference = json!({"$ref": "#/components/schemas/Problem"});
            assert_eq!(problem["schema"], reference, "{method} {path} {status}");
            // Which codes there are with this status is said by the examples.
            for (code, example) in problem["examples"].as_object().unwrap() {
                assert_eq!(example["$ref"], format!("#/components/examples/{code}"));
                let example = &document["components"]["examples"][code]["value"];
                assert_eq!(example["status"].to_string(), *status, "{code}");
            }
            seen += 1;
        }
    }
    assert!(seen > 200, "{seen}");
}

#[test]
fn a_code_that_is_not_of_the_call_is_found() {
    let conformance = Conformance::new(document());
    let mut problem = document()["components"]["examples"]["busy"]["value"].clone();
    let seen = |problem: &Value| {
        let body = problem.to_string();
        let seen = super::conformance::Seen {
            method: "GET",
            path: "/v1/fields",
            status: 503,
            content_type: "application/problem+json",
            body: &body,
        };
        std::panic::catch_unwind(|| conformance.check(seen)).is_ok()
    };
    assert!(seen(&problem));
    problem["code"] = "audit-unavailable".into();
    problem["type"] = "/errors#audit-unavailable".into();
    assert!(!seen(&problem), "a list of fields shows nobody's data");
}

#[test]
fn every_call_with_a_token_says_that_it_refuses_what_it_does_not_take() {
    let document = document();
    for (path, method, operation) in operations(&document).filter(|(.., is)| is["security"].is_null()) {
        let examples = &operation["responses"]["400"]["content"]["application/problem+json"]["examples"];
        assert!(examples.get("query-invalid").is_some(), "{method} {path}");
    }
    let look_up = &document["paths"]["/v1/profiles/lookup"]["post"];
    assert!(look_up["responses"].get("304").is_none(), "only a read is answered so");
}
