//! JSON Schema (draft 2020-12, or the one that `$schema` names) as a field's rule.
//!
//! A schema is compiled when it is defined or read from the log, and shared by every revision that
//! has it. It can refer to its own parts only: nothing is ever loaded from a file or the network.

use std::fmt;
use std::sync::Arc;

use boon::{Compiler, ErrorKind, SchemaIndex, Schemas, SchemeUrlLoader, ValidationError};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The largest schema, in bytes of JSON: it is checked at every write of its field.
const SCHEMA_BYTES_MAX: usize = 16 * 1024;
/// Where the compiler thinks that the schema lies; nothing is there.
const PLACE: &str = "samsyn:///field";

/// A compiled JSON Schema. Cheap to clone; equal when the text is.
#[derive(Clone)]
pub struct Schema(Arc<Compiled>);

struct Compiled {
    /// Compact JSON with its keys in order, so that one schema has one text.
    text: String,
    /// A schema of the log or of an installed manifest that this host can't compile takes no value.
    rule: Result<(Schemas, SchemaIndex), SchemaError>,
}

/// Why a text can't be a schema.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is no JSON Schema that can be used: {0}")]
pub struct SchemaError(String);

impl Schema {
    /// Compiles a schema: an object of at most 16 KiB that refers to nothing but its own parts.
    pub fn new(schema: &serde_json::Value) -> Result<Schema, SchemaError> {
        let schema = Schema::kept(schema.to_string());
        schema.usable().map(|()| schema)
    }

    /// What was taken before: it stays what it is, even when this host can't compile it.
    pub fn kept(text: String) -> Schema {
        let rule = compile(&text);
        Schema(Arc::new(Compiled { text, rule }))
    }

    /// Whether the schema can say anything of a value.
    pub fn usable(&self) -> Result<(), SchemaError> {
        self.0.rule.as_ref().map(|_| ()).map_err(SchemaError::clone)
    }

    /// Reads and compiles a schema's text.
    pub fn parse(text: &str) -> Result<Schema, SchemaError> {
        let schema: serde_json::Value =
            serde_json::from_str(text).map_err(|error| SchemaError(error.to_string()))?;
        Schema::new(&schema)
    }

    /// The schema as compact JSON.
    pub fn as_str(&self) -> &str {
        &self.0.text
    }

    /// The schema as JSON, for answers.
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::from_str(&self.0.text).unwrap_or_default()
    }

    /// Whether the schema takes this value; else the place in the value and the keyword that says
    /// no. What the value is isn't repeated.
    pub fn check(&self, value: &serde_json::Value) -> Result<(), String> {
        let (schemas, index) = self.0.rule.as_ref().map_err(SchemaError::to_string)?;
        schemas.validate(value, *index).map_err(|error| innermost(&error))
    }
}

fn compile(text: &str) -> Result<(Schemas, SchemaIndex), SchemaError> {
    if text.len() > SCHEMA_BYTES_MAX {
        return Err(SchemaError(format!("it has {} bytes, {SCHEMA_BYTES_MAX} are the most", text.len())));
    }
    let schema: serde_json::Value =
        serde_json::from_str(text).map_err(|error| SchemaError(error.to_string()))?;
    if !schema.is_object() {
        return Err(SchemaError("it must be an object".to_owned()));
    }
    let mut compiler = Compiler::new();
    compiler.use_loader(Box::new(SchemeUrlLoader::new()));
    let mut schemas = Schemas::new();
    // The alternate form names the keyword and the place.
    let failed = |error| SchemaError(format!("{error:#}"));
    compiler.add_resource(PLACE, schema).map_err(failed)?;
    let index = compiler.compile(PLACE, &mut schemas).map_err(failed)?;
    Ok((schemas, index))
}

/// The first complaint that has no complaint inside it.
fn innermost(error: &ValidationError<'_, '_>) -> String {
    let mut error = error;
    while let Some(cause) = error.causes.first() {
        error = cause;
    }
    let place = error.instance_location.to_string();
    let place = if place.is_empty() { String::new() } else { format!(" at {place}") };
    format!("{}{place}", complaint(&error.kind))
}

/// What is asked for, without a word of the value that was given.
fn complaint(kind: &ErrorKind<'_, '_>) -> String {
    match kind {
        ErrorKind::Type { want, .. } => {
            let kinds: Vec<String> = want.iter().map(|kind| kind.to_string()).collect();
            format!("must be {}", kinds.join(" or "))
        }
        ErrorKind::Enum { .. } => "is none of the values listed".to_owned(),
        ErrorKind::Const { .. } => "is not the value it must be".to_owned(),
        ErrorKind::Format { want, .. } => format!("is no {want}"),
        ErrorKind::Required { want } => format!("lacks {}", want.join(", ")),
        ErrorKind::AdditionalProperties { got } => format!("has {} members that aren't declared", got.len()),
        ErrorKind::MinProperties { want, .. } => format!("has fewer than {want} members"),
        ErrorKind::MaxProperties { want, .. } => format!("has more than {want} members"),
        ErrorKind::MinItems { want, .. } => format!("has fewer than {want} items"),
        ErrorKind::MaxItems { want, .. } => format!("has more than {want} items"),
        ErrorKind::UniqueItems { .. } => "has an item twice".to_owned(),
        ErrorKind::MinLength { want, .. } => format!("is shorter than {want} characters"),
        ErrorKind::MaxLength { want, .. } => format!("is longer than {want} characters"),
        ErrorKind::Pattern { want, .. } => format!("doesn't match {want}"),
        ErrorKind::Minimum { want, .. } => format!("is less than {want}"),
        ErrorKind::Maximum { want, .. } => format!("is more than {want}"),
        ErrorKind::ExclusiveMinimum { want, .. } => format!("is not more than {want}"),
        ErrorKind::ExclusiveMaximum { want, .. } => format!("is not less than {want}"),
        ErrorKind::MultipleOf { want, .. } => format!("is no multiple of {want}"),
        _ => "is not what the schema describes".to_owned(),
    }
}

impl PartialEq for Schema {
    fn eq(&self, other: &Schema) -> bool {
        self.0.text == other.0.text
    }
}

impl fmt::Debug for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.text)
    }
}

/// In the log a schema is its text.
impl Serialize for Schema {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.text)
    }
}

impl<'de> Deserialize<'de> for Schema {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Schema, D::Error> {
        // The log must open. A schema that only another version of the host understands takes no
        // value until it is defined anew.
        String::deserialize(deserializer).map(Schema::kept)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_schema_says_where_and_what_but_not_the_value() {
        let schema = Schema::new(&json!({
            "type": "object",
            "required": ["street", "zip"],
            "properties": {"street": {"type": "string"}, "zip": {"$ref": "#/$defs/zip"}},
            "$defs": {"zip": {"type": "string", "pattern": "^[0-9]{5}$"}},
        }))
        .unwrap();
        assert!(schema.check(&json!({"street": "Storgatan 1", "zip": "11122"})).is_ok());
        assert_eq!(
            schema.check(&json!({"street": "Storgatan 1", "zip": "hush"})).unwrap_err(),
            "doesn't match ^[0-9]{5}$ at /zip"
        );
        assert_eq!(schema.check(&json!({"street": "Storgatan 1"})).unwrap_err(), "lacks zip");
        assert_eq!(schema.check(&json!(7)).unwrap_err(), "must be object");
    }

    #[test]
    fn nothing_outside_is_loaded_and_nothing_runs_for_ever() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("schema.json");
        std::fs::write(&file, "{}").unwrap();
        for bad in [
            json!({"$ref": format!("file://{}", file.display())}),
            json!({"$ref": "http://127.0.0.1:9/schema.json"}),
            json!({"type": "strong"}),
            json!({"pattern": "("}),
            json!({"$ref": "#/$defs/none"}),
            json!(true),
            json!({"description": "x".repeat(20_000)}),
        ] {
            assert!(Schema::new(&bad).is_err(), "{bad}");
        }
        let cycle = Schema::new(&json!({"$ref": "#"})).unwrap();
        assert!(cycle.check(&json!(1)).is_err());
        let backtracking = Schema::new(&json!({"pattern": "^(a+)+$"})).unwrap();
        assert!(backtracking.check(&json!("a".repeat(30_000) + "!")).is_err());
    }

    #[test]
    fn a_schema_of_another_time_opens_and_takes_nothing() {
        let kept: Schema = serde_json::from_value(json!("{\"type\":\"strong\"}")).unwrap();
        assert!(kept.check(&json!("x")).is_err());
        assert_eq!(serde_json::to_value(&kept).unwrap(), json!("{\"type\":\"strong\"}"));
    }
}
