//! The schemas of what goes in and out, generated from the types that are read and written.

use schemars::generate::{SchemaGenerator, SchemaSettings};
use schemars::transform::{RecursiveTransform, Transform};
use schemars::{JsonSchema, Schema};
use serde_json::{Map, Value};

/// Where the document keeps its schemas.
const PLACE: &str = "/components/schemas";

/// Collects the schemas that calls refer to.
///
/// A type that is read may leave out what has a default; one that is written never does. So each
/// direction has a generator of its own, and a type that goes both ways must look the same in both.
pub struct Schemas {
    read: SchemaGenerator,
    written: SchemaGenerator,
}

impl Default for Schemas {
    /// None yet.
    fn default() -> Schemas {
        // JSON Schema 2020-12 is the dialect of OpenAPI 3.1.
        let settings = || {
            let settings = SchemaSettings::draft2020_12().with(|settings| {
                settings.definitions_path = PLACE.into();
                settings.meta_schema = None;
            });
            settings
                .with_transform(RecursiveTransform(bound_integer))
                .with_transform(RecursiveTransform(drop_null_default))
                .with_transform(RecursiveTransform(known_to_generators))
        };
        Schemas {
            read: settings().for_deserialize().into_generator(),
            written: settings().for_serialize().into_generator(),
        }
    }
}

impl Schemas {
    /// The schema of what the host reads as `T`.
    pub fn read<T: JsonSchema>(&mut self) -> Value {
        self.read.subschema_for::<T>().to_value()
    }

    /// The schema of what the host writes as `T`.
    pub fn written<T: JsonSchema>(&mut self) -> Value {
        self.written.subschema_for::<T>().to_value()
    }

    /// The members of a query that is read as `T`: each one's name, schema, and whether it must be
    /// there.
    pub fn query<T: JsonSchema>(&mut self) -> Vec<(String, Value, bool)> {
        let Value::Object(mut schema) = T::json_schema(&mut self.read).to_value() else { return Vec::new() };
        let required = schema.remove("required").unwrap_or_default();
        let Some(Value::Object(properties)) = schema.remove("properties") else { return Vec::new() };
        let is_required = |name: &str| required.as_array().is_some_and(|all| all.contains(&name.into()));
        properties
            .into_iter()
            .map(|(name, schema)| {
                let required = is_required(&name);
                (name, bounded(without_null(schema)), required)
            })
            .collect()
    }

    /// All of them by name, for `components`.
    pub fn into_components(mut self) -> Map<String, Value> {
        let mut all = self.read.take_definitions(true);
        for (name, schema) in self.written.take_definitions(true) {
            let same = all.get(&name).is_none_or(|read| *read == schema);
            // A test builds the document, so this is met before anybody runs the host.
            debug_assert!(same, "{name} looks different when it is read than when it is written");
            all.insert(name, schema);
        }
        all
    }
}

/// A schema that no generator was asked for whole, with the bounds that one would have given it.
fn bounded(schema: Value) -> Value {
    let Ok(mut schema) = Schema::try_from(schema.clone()) else { return schema };
    RecursiveTransform(bound_integer).transform(&mut schema);
    schema.to_value()
}

/// Says the largest number that an integer's type can hold, which schemars leaves to the format.
fn bound_integer(schema: &mut Schema) {
    let largest = match schema.get("format").and_then(Value::as_str) {
        Some("uint32") => u64::from(u32::MAX),
        Some("uint64" | "uint") => u64::MAX,
        Some("int64") => i64::MAX.unsigned_abs(),
        _ => return,
    };
    if schema.get("maximum").is_none() {
        schema.insert("maximum".to_owned(), largest.into());
    }
}

/// Says the same in words that generators of clients know: a choice of texts as an `enum`, with what each
/// means in the description, and other alternatives as `anyOf`.
fn known_to_generators(schema: &mut Schema) {
    if let Some(only) = schema.remove("const") {
        schema.insert("enum".to_owned(), Value::Array(vec![only]));
    }
    let Some(Value::Array(choices)) = schema.remove("oneOf") else { return };
    let Some(words) = choices.iter().map(words_of).collect::<Option<Vec<_>>>() else {
        schema.insert("anyOf".to_owned(), Value::Array(choices));
        return;
    };
    let said = schema.get("description").and_then(Value::as_str).map(str::to_owned);
    let meanings = choices.iter().zip(&words).filter_map(|(choice, words)| {
        let meaning = choice["description"].as_str()?;
        let [word] = words.as_slice() else { return None };
        Some(format!("`{}`: {meaning}", word.as_str()?))
    });
    let description: Vec<String> = said.into_iter().chain(meanings).collect();
    if !description.is_empty() {
        schema.insert("description".to_owned(), description.join("\n\n").into());
    }
    schema.insert("type".to_owned(), "string".into());
    schema.insert("enum".to_owned(), Value::Array(words.concat()));
}

/// The texts that a choice consists of, if it does.
fn words_of(choice: &Value) -> Option<Vec<Value>> {
    let choice = choice.as_object()?;
    let is_text = |word: &Value| word.is_string();
    let others = choice.keys().any(|key| !matches!(key.as_str(), "const" | "enum" | "type" | "description"));
    let words = match (choice.get("const"), choice.get("enum")) {
        (Some(word), None) => vec![word.clone()],
        (None, Some(Value::Array(words))) => words.clone(),
        _ => return None,
    };
    (!others && words.iter().all(is_text)).then_some(words)
}

/// A default of null says only that the member may be missing, and where the member is never null it
/// is no valid default.
fn drop_null_default(schema: &mut Schema) {
    if schema.get("default").is_some_and(Value::is_null) {
        schema.remove("default");
    }
}

/// A query has no null: what may be missing is left out.
fn without_null(schema: Value) -> Value {
    let Ok(mut schema) = Schema::try_from(schema) else { return Value::Bool(true) };
    let schema_object = schema.ensure_object();
    schema_object.retain(|key, value| key != "default" || !value.is_null());
    if let Some(Value::Array(types)) = schema_object.get_mut("type") {
        types.retain(|kind| kind != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            schema_object.insert("type".to_owned(), only);
        }
    }
    let described = schema_object.get("description").cloned();
    let Some(Value::Array(choices)) = schema_object.get_mut("anyOf") else { return schema.to_value() };
    choices.retain(|choice| choice["type"] != "null");
    let [only] = choices.as_mut_slice() else { return schema.to_value() };
    let mut only = only.take();
    if let (Some(described), Some(only)) = (described, only.as_object_mut()) {
        only.insert("description".to_owned(), described);
    }
    only
}
