//! `docs/bodies.md`: the shape of each request and each answer, written from the types of the crate `wire`.

use std::collections::BTreeSet;
use std::fmt::Write;

use serde_json::Value;

use super::document;
use super::tests::operations;

const WRITTEN: &str =
    "<!-- Written from the crate wire: `SAMSYN_WRITE_DOCS=1 cargo test --workspace --lib bodies_page`. -->\n";
const HEAD: &str = "\
# Bodies of the HTTP interface: requests and answers

For people who write a client. After reading this page you know the members of every JSON body, of requests
and of answers. [http.md](http.md) explains what the requests do, and `/openapi.json` describes each member.
A `?` marks a member that can be absent.
";
const REQUESTS: &str = "
## Requests

The host reads strictly: an unknown member or word is an error.

| request | body |
|---|---|
";
const ANSWERS: &str = "
## Answers

A newer host may add members and words: ignore an unknown member, and show an unknown word as it is. Errors
are a `Problem`.

| request | status | answer |
|---|---|---|
";

/// What a value looks like, in a few words.
fn shape(schema: &Value) -> String {
    let several =
        |all: &[Value], one: fn(&Value) -> String| all.iter().map(one).collect::<Vec<_>>().join(" | ");
    if let Some(reference) = schema["$ref"].as_str() {
        return reference.rsplit('/').next().unwrap_or_default().to_owned();
    }
    if let Some(words) = schema["enum"].as_array() {
        return several(words, Value::to_string);
    }
    if let Some(alternatives) = schema["anyOf"].as_array() {
        return several(alternatives, shape);
    }
    if let Some([only]) = schema["allOf"].as_array().map(Vec::as_slice) {
        return shape(only);
    }
    let of = |kind: &str| match kind {
        "array" => format!("list of {}", shape(&schema["items"])),
        "object" if schema["additionalProperties"].is_object() => {
            format!("map of {}", shape(&schema["additionalProperties"]))
        }
        "object" if schema["properties"].is_object() => {
            let members = schema["properties"].as_object().into_iter().flatten();
            let members: Vec<String> =
                members.map(|(member, schema)| format!("{member}: {}", shape(schema))).collect();
            format!("{{{}}}", members.join(", "))
        }
        kind => kind.to_owned(),
    };
    match &schema["type"] {
        Value::String(kind) => of(kind),
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).map(of).collect::<Vec<_>>().join(" | "),
        _ => "any JSON".to_owned(),
    }
}

/// The names of the types that a schema refers to.
fn references(schema: &Value, found: &mut BTreeSet<String>) {
    match schema {
        Value::Object(members) => {
            if schema["$ref"].is_string() {
                found.insert(shape(schema));
            }
            members.values().for_each(|member| references(member, found));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

fn page() -> String {
    let document = document();
    let schemas = &document["components"]["schemas"];
    let (mut requests, mut answers) = (String::new(), String::new());
    let mut wanted = BTreeSet::from(["Problem".to_owned()]);
    for (path, method, operation) in operations(&document) {
        let request = format!("{} {path}", method.to_ascii_uppercase());
        let body = &operation["requestBody"]["content"]["application/json"]["schema"];
        if !body.is_null() {
            references(body, &mut wanted);
            let _ = writeln!(requests, "| `{request}` | `{}` |", shape(body));
        }
        for (status, response) in operation["responses"].as_object().into_iter().flatten() {
            let schema = &response["content"]["application/json"]["schema"];
            if !schema.is_null() {
                references(schema, &mut wanted);
                let _ = writeln!(answers, "| `{request}` | {status} | `{}` |", shape(schema));
            }
        }
    }
    let (mut objects, mut others, mut done) = (String::new(), String::new(), BTreeSet::new());
    while let Some(name) = wanted.pop_first() {
        let schema = &schemas[&name];
        if !done.insert(name.clone()) {
            continue;
        }
        let mut next = BTreeSet::new();
        references(schema, &mut next);
        wanted.extend(next.into_iter().filter(|name| !done.contains(name)));
    }
    for name in done {
        let schema = &schemas[&name];
        let Some(members) = schema["properties"].as_object() else {
            let form = schema["pattern"].as_str().or(schema["format"].as_str());
            let form = form.map_or_else(String::new, |form| format!(", {form}"));
            let _ = writeln!(others, "{name}: {}{form}", shape(schema));
            continue;
        };
        let required: BTreeSet<&str> =
            schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let _ = writeln!(objects, "\n### `{name}`\n\n```");
        for (member, schema) in members {
            let absent = if required.contains(member.as_str()) { "" } else { "?" };
            let _ = writeln!(objects, "{member}{absent}: {}", shape(schema));
        }
        objects.push_str("```\n");
    }
    format!(
        "{WRITTEN}{HEAD}{REQUESTS}{requests}{ANSWERS}{answers}\n## Objects\n{objects}\n\
         ## Names, words and choices\n\n```\n{others}```\n"
    )
}

#[test]
fn the_page_of_bodies_is_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/bodies.md");
    let page = page();
    if std::env::var_os("SAMSYN_WRITE_DOCS").is_some() {
        std::fs::write(path, &page).unwrap();
    }
    let found = std::fs::read_to_string(path).unwrap();
    let how = "SAMSYN_WRITE_DOCS=1 cargo test --workspace --lib bodies_page";
    assert!(found == page, "docs/bodies.md is old: {how}");
}
