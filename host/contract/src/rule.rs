//! What a field takes.

use crate::schema::Schema;
use crate::vocabulary::{Type, Value};

/// What a value of a field must be like.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldRule {
    /// Its type.
    pub kind: Type,
    /// Allowed strings; empty allows all.
    pub one_of: Vec<String>,
    /// What it must also be like, as JSON Schema.
    pub schema: Option<Schema>,
}

impl FieldRule {
    /// Every value of this type.
    pub fn of(kind: Type) -> FieldRule {
        FieldRule { kind, one_of: Vec::new(), schema: None }
    }

    /// Whether the field takes this value, whose type is right; else what is wrong with it, without
    /// repeating it.
    pub fn check(&self, value: &Value) -> Result<(), String> {
        FieldRule::check_by(&self.one_of, self.schema.as_ref(), value)
    }

    /// The same by parts of a rule.
    pub fn check_by(one_of: &[String], schema: Option<&Schema>, value: &Value) -> Result<(), String> {
        let listed = |text: &String| one_of.is_empty() || one_of.contains(text);
        let taken = match value {
            Value::Text(text) => listed(text),
            Value::Texts(texts) => texts.iter().all(listed),
            _ => true,
        };
        if !taken {
            return Err(format!("takes {}", one_of.join(", ")));
        }
        match schema {
            None => Ok(()),
            Some(schema) => schema
                .check(&value.to_json())
                .map_err(|why| format!("takes what its schema describes; this {why}")),
        }
    }
}
