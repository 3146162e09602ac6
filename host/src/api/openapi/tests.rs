//! The description is whole, and agrees with itself. That answers agree with it is seen in every
//! test that gets one: see [`conformance`](super::conformance).

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::conformance::Conformance;
use super::document;
use crate::api::catalogue::{KINDS, Kind};

/// Every operation, with its path and method.
fn operations(document: &Value) -> impl Iterator<Item = (&str, &str, &Value)> {
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
    let told: BTreeSet<&str> = answers
        .filter_map(|(_, answer)| answer["content"]["application/problem+json"]["examples"].as_object())
        .flat_map(|examples| examples.keys().map(String::as_str))
        .collect();
    // A method that a path doesn't take belongs to no call.
    let kinds = KINDS.iter().filter(|kind| **kind != Kind::MethodNotAllowed);
    let untold: Vec<&str> = kinds.map(|kind| kind.entry().code).filter(|code| !told.contains(code)).collect();
    assert!(untold.is_empty(), "no description in api/describe/ has these problems: {untold:?}");
}

/// The examples of a media type, by name.
fn examples(document: &Value, media: &Value) -> Map<String, Value> {
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
