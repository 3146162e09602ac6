//! What one installed plug-in may say and read: the registry's answer, ready for a call.

use std::collections::BTreeMap;

use crate::vocabulary::{EventName, FieldName, Type, Value};

/// What a plug-in may do in a call. The registry builds one for each installed capability and
/// revision; calls share it. Names are looked up by their text.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Access {
    /// The fields it may set, clear and refuse.
    pub sources: BTreeMap<FieldName, SourcedField>,
    /// The events it may emit, with the type of each property they may have.
    pub emits: BTreeMap<EventName, BTreeMap<String, Type>>,
    /// Its settings, defaults filled in.
    pub settings: BTreeMap<String, Value>,
}

/// A field that a plug-in may claim values for.
#[derive(Clone, Debug, PartialEq)]
pub struct SourcedField {
    /// The type a value must have.
    pub kind: Type,
    /// The values it may take, or none in the list for every value of the type. For a list of
    /// texts these are the texts it may hold.
    pub one_of: Vec<Value>,
}

impl SourcedField {
    /// A field that takes every value of the type.
    pub fn of(kind: Type) -> SourcedField {
        SourcedField { kind, one_of: Vec::new() }
    }

    /// Whether the value, already of the field's type, is among the allowed ones.
    pub fn allows(&self, value: &Value) -> bool {
        if self.one_of.is_empty() {
            return true;
        }
        match value {
            Value::Texts(texts) => texts.iter().all(|text| {
                self.one_of.iter().any(|allowed| matches!(allowed, Value::Text(allowed) if allowed == text))
            }),
            value => self.one_of.contains(value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_holds_only_allowed_texts() {
        let text = |text: &str| Value::Text(text.to_owned());
        let field = SourcedField { kind: Type::Texts, one_of: vec![text("red"), text("blue")] };
        let texts = |texts: &[&str]| Value::Texts(texts.iter().map(|text| (*text).to_owned()).collect());
        assert!(field.allows(&texts(&["blue", "red"])));
        assert!(field.allows(&texts(&[])));
        assert!(!field.allows(&texts(&["blue", "green"])));
        assert!(SourcedField::of(Type::Text).allows(&text("anything")));
    }
}
