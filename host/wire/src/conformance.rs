//! Whether what the host answers is what `/openapi.json` says: every answer that a test sees is
//! held against it, so the description can't drift from the code.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::answers;
use crate::media::PROBLEM_JSON;

/// What the document is called while its parts are looked up.
const DOCUMENT: &str = "openapi.json";

/// A description that answers are held against.
pub struct Conformance {
    document: Value,
    schemas: boon::Schemas,
    /// Every schema of the document that something is held against, by its place.
    known: HashMap<String, boon::SchemaIndex>,
}

/// An answer that was seen.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// Of the request.
    pub method: &'a str,
    /// Of the request, with its query.
    pub path: &'a str,
    /// Of the answer.
    pub status: u16,
    /// Of the answer; empty for none.
    pub content_type: &'a str,
    /// Of the answer.
    pub body: &'a str,
}

impl Conformance {
    /// Holds answers against this document. Members that it doesn't name are refused, though a
    /// client must bear them: here they are what somebody forgot to describe.
    pub fn new(mut document: Value) -> Conformance {
        close(&mut document["components"]["schemas"]);
        let mut compiler = boon::Compiler::new();
        compiler.enable_format_assertions();
        compiler.add_resource(DOCUMENT, document.clone()).expect("the document can be a resource");
        let (mut schemas, mut known) = (boon::Schemas::default(), HashMap::new());
        let mut places = vec!["/components/schemas/Problem".to_owned()];
        find_schemas(&document["paths"], "/paths", &mut places);
        for place in places {
            let found = compiler.compile(&format!("{DOCUMENT}#{}", in_a_url(&place)), &mut schemas);
            let index = found.unwrap_or_else(|error| panic!("{place} is no schema: {error:#}"));
            known.insert(place, index);
        }
        Conformance { document, schemas, known }
    }

    /// The document.
    pub fn document(&self) -> &Value {
        &self.document
    }

    /// Holds an answer against the description.
    #[track_caller]
    pub fn check(&self, seen: Seen<'_>) {
        if let Err(wrong) = self.find(seen) {
            panic!("/openapi.json doesn't describe this answer: {wrong}\n{seen:#?}");
        }
    }

    fn find(&self, seen: Seen<'_>) -> Result<(), String> {
        let path = seen.path.split('?').next().unwrap_or_default();
        let method = if seen.method == "HEAD" { "GET" } else { seen.method }.to_ascii_lowercase();
        let operation = self.template(path).map(|template| ["paths", template, &method]);
        let Some(operation) = operation.filter(|at| !self.at(at).is_null()) else {
            // No call of the interface: whatever is answered to that is a problem, or OPTIONS.
            return if seen.status == 204 && seen.method == "OPTIONS" {
                Ok(())
            } else {
                self.valid(&["components", "schemas", "Problem"], seen.body)
            };
        };
        let status = seen.status.to_string();
        let answer = [&operation[..], &["responses", &status]].concat();
        if self.at(&answer).is_null() {
            return Err(format!("it has no status {status}"));
        }
        let content = self.at(&[&answer[..], &["content"]].concat());
        let essence = seen.content_type.split(';').next().unwrap_or_default().trim();
        match content.as_object() {
            None if seen.body.is_empty() => Ok(()),
            None => Err("it has no body".to_owned()),
            Some(_) if seen.method == "HEAD" => Ok(()),
            Some(types) if !types.contains_key(essence) => Err(format!("it has no {essence:?}")),
            Some(_) if essence == "application/json" || essence == PROBLEM_JSON => {
                let content = [&answer[..], &["content", essence]].concat();
                self.valid(&[&content[..], &["schema"]].concat(), seen.body)?;
                if essence == PROBLEM_JSON {
                    answers::check_problem(seen.body)?;
                    return self.is_told(&content, seen.body);
                }
                let id = self.at(&[&operation[..], &["operationId"]].concat()).as_str();
                answers::check(id.unwrap_or_default(), seen.status, seen.body)
            }
            Some(_) => Ok(()),
        }
    }

    /// The path of the description that a request's path is one of.
    fn template(&self, path: &str) -> Option<&str> {
        let fits = |template: &&String| {
            let (mut wanted, mut found) = (template.split('/'), path.split('/'));
            loop {
                match (wanted.next(), found.next()) {
                    (None, None) => return true,
                    (Some(wanted), Some(found)) if wanted.starts_with('{') && !found.is_empty() => {}
                    (Some(wanted), Some(found)) if wanted == found => {}
                    _ => return false,
                }
            }
        };
        let templates = self.document["paths"].as_object().map(serde_json::Map::keys);
        // A literal path goes before one with a variable.
        templates?.filter(fits).min_by_key(|template| template.matches('{').count()).map(String::as_str)
    }

    fn at(&self, keys: &[&str]) -> &Value {
        keys.iter().fold(&self.document, |value, key| &value[key])
    }

    /// Whether the code of a problem is one that this status of the call can have: it has an example.
    fn is_told(&self, content: &[&str], body: &str) -> Result<(), String> {
        let problem: Value = serde_json::from_str(body).map_err(|error| format!("no JSON: {error}"))?;
        let code = problem["code"].as_str().unwrap_or_default();
        match self.at(&[content, &["examples", code]].concat()) {
            Value::Null => Err(format!("it has no problem {code:?} with this status")),
            _ => Ok(()),
        }
    }

    fn valid(&self, schema: &[&str], body: &str) -> Result<(), String> {
        let value: Value = serde_json::from_str(body).map_err(|error| format!("no JSON: {error}"))?;
        self.validate(schema, &value)
    }

    /// Holds a value against the schema at this place.
    pub fn validate(&self, schema: &[&str], value: &Value) -> Result<(), String> {
        let place: String = schema.iter().map(|key| step(key)).collect();
        let index = *self.known.get(&place).ok_or_else(|| format!("there is no {place}"))?;
        self.schemas.validate(value, index).map_err(|error| format!("{error:#}"))
    }
}

/// A member's place in its object, as a JSON pointer names it.
fn step(key: &str) -> String {
    format!("/{}", key.replace('~', "~0").replace('/', "~1"))
}

fn in_a_url(pointer: &str) -> String {
    pointer.replace('{', "%7B").replace('}', "%7D")
}

/// The places of all members called `schema`.
fn find_schemas(value: &Value, place: &str, found: &mut Vec<String>) {
    let members: Vec<(String, &Value)> = match value {
        Value::Object(members) => members.iter().map(|(key, value)| (key.clone(), value)).collect(),
        Value::Array(items) => items.iter().enumerate().map(|(at, item)| (at.to_string(), item)).collect(),
        _ => Vec::new(),
    };
    for (key, value) in members {
        let place = format!("{place}{}", step(&key));
        match key.as_str() {
            "schema" => found.push(place),
            // What stands in an example is no schema, whatever it is called.
            "example" | "examples" => {}
            _ => find_schemas(value, &place, found),
        }
    }
}

/// Lets objects hold nothing but what is named.
fn close(schema: &mut Value) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(close),
        Value::Object(members) => {
            members.values_mut().for_each(close);
            let is_form = members.get("type") == Some(&json!("object")) && members.contains_key("properties");
            if is_form && !members.contains_key("additionalProperties") {
                members.insert("additionalProperties".to_owned(), json!(false));
            }
        }
        _ => {}
    }
}
