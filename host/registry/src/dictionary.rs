//! The dictionary: what a field is.

use serde::{Deserialize, Serialize};

use super::Lineage;
use super::manifest::{Manifest, Sourced};
use super::{Compare, DataClass, Schema};
use samsyn_contract::FieldRule;
use samsyn_vocabulary::{CapabilityName, IdentifierName, Type, Value};

/// The longest unit, department or allowed text, in bytes.
const WORD_BYTES_MAX: usize = 256;
/// The longest description or note, in bytes.
const DESCRIPTION_BYTES_MAX: usize = 2_000;
/// The most allowed strings: they are looked through at every write of the field.
const ALLOWED_MAX: usize = 1_000;

/// A field of the profile.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Field {
    /// Its type.
    #[serde(rename = "type")]
    pub kind: Type,
    /// Allowed strings; empty allows all.
    #[serde(default)]
    pub one_of: Vec<String>,
    /// What a value must also be like, as JSON Schema.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<Schema>,
    /// What a number counts, such as `points` or `SEK`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// What it means.
    #[serde(default)]
    pub description: String,
    /// How personal it is.
    #[serde(default)]
    pub class: DataClass,
    /// The department that answers for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub department: Option<String>,
    /// The identifier that a value of this field is.
    #[serde(default)]
    pub identifies: Option<IdentifierName>,
    /// An opt-out: no reassignment, removal or missing claim turns its `true` off.
    #[serde(default)]
    pub protective: bool,
    /// When two claims say the same.
    #[serde(default, skip_serializing_if = "Compare::is_exact")]
    pub compare: Compare,
    /// What to use instead, when it should no longer be used. It goes on working.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deprecated: Option<String>,
    /// Whether an administrator defined it.
    #[serde(default, skip_serializing_if = "FieldStatus::is_defined")]
    pub status: FieldStatus,
    /// Whose claim is the value; one or none.
    #[serde(default)]
    pub source: Option<CapabilityName>,
    /// Former sources, newest first: where the source has no claim, theirs stand in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inherits: Vec<CapabilityName>,
}

/// Whether an administrator defined a field.
///
/// A proposed field has no source until it is accepted: what its plug-in says of it are claims,
/// which only administrators see. So nobody comes to rely on a name that nobody agreed to, and
/// nothing that was said meanwhile is lost.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FieldStatus {
    /// One did, or accepted it.
    #[default]
    Defined,
    /// A plug-in brought it and nobody has accepted it yet.
    Proposed {
        /// The plug-in that becomes its source when it is accepted.
        by: CapabilityName,
    },
}

impl FieldStatus {
    /// Whether an administrator stands behind the field.
    pub fn is_defined(&self) -> bool {
        *self == FieldStatus::Defined
    }
}

impl Field {
    /// Whose claims count.
    pub fn lineage(&self) -> Lineage<'_> {
        Lineage { source: self.source.as_ref(), inherits: &self.inherits, protective: self.protective }
    }

    /// A field of this type of which nothing else is said.
    pub fn of(kind: Type) -> Field {
        Field {
            kind,
            one_of: Vec::new(),
            schema: None,
            unit: None,
            description: String::new(),
            class: DataClass::None,
            department: None,
            identifies: None,
            protective: false,
            compare: Compare::Exact,
            deprecated: None,
            status: FieldStatus::Defined,
            source: None,
            inherits: Vec::new(),
        }
    }

    /// The field a plug-in brings that nobody defined. Its owner answers for it until somebody says
    /// otherwise.
    pub fn brought_by(manifest: &Manifest, sourced: &Sourced) -> Field {
        Field {
            one_of: sourced.one_of.clone(),
            schema: sourced.schema.clone(),
            unit: sourced.unit.clone(),
            description: sourced.description.clone(),
            class: sourced.class,
            department: Some(manifest.plugin.owner.clone()).filter(|owner| !owner.is_empty()),
            identifies: sourced.identifies.clone(),
            protective: sourced.protective,
            compare: sourced.compare.unwrap_or_default(),
            ..Field::of(sourced.kind)
        }
    }

    /// Whether the definition makes sense by itself; else what doesn't.
    pub fn check(&self) -> Result<(), String> {
        let is_text = matches!(self.kind, Type::Text | Type::Texts);
        if !self.one_of.is_empty() && !is_text {
            return Err(format!("one_of is allowed for text and texts, not for {}", self.kind));
        }
        if self.one_of.len() > ALLOWED_MAX {
            return Err(format!("one_of has {} values; the limit is {ALLOWED_MAX}", self.one_of.len()));
        }
        if self.protective && self.kind != Type::Boolean {
            return Err(format!("protective is allowed for boolean, not for {}", self.kind));
        }
        if self.identifies.is_some() && self.kind != Type::Text {
            return Err(format!("identifies is allowed for text, not for {}", self.kind));
        }
        if self.compare != Compare::Exact && !is_text {
            return Err(format!("compare is allowed for text and texts, not for {}", self.kind));
        }
        if let Some(schema) = &self.schema {
            schema.usable().map_err(|error| format!("schema {error}"))?;
        }
        for text in &self.one_of {
            check_text("one_of", text, WORD_BYTES_MAX)?;
        }
        for (what, text, bytes_max) in [
            ("unit", &self.unit, WORD_BYTES_MAX),
            ("department", &self.department, WORD_BYTES_MAX),
            ("deprecated", &self.deprecated, DESCRIPTION_BYTES_MAX),
        ] {
            if text.as_ref().is_some_and(String::is_empty) {
                return Err(format!("{what} is empty: leave it out instead"));
            }
            check_text(what, text.as_deref().unwrap_or_default(), bytes_max)?;
        }
        check_text("description", &self.description, DESCRIPTION_BYTES_MAX)
    }

    /// Whether the field takes this value; else what is wrong with it, without repeating it.
    pub fn check_value(&self, value: &Value) -> Result<(), String> {
        FieldRule::check_by(&self.one_of, self.schema.as_ref(), value)
    }
}

fn check_text(what: &str, text: &str, bytes_max: usize) -> Result<(), String> {
    if text.len() > bytes_max {
        return Err(format!("{what} has {} bytes; the limit is {bytes_max}", text.len()));
    }
    let control = |letter: char| letter.is_control() && letter != '\n' && letter != '\t';
    if text.contains(control) { Err(format!("{what} has control characters")) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Value {
        Value::Text(text.to_owned())
    }

    #[test]
    fn a_field_says_what_it_takes() {
        let mut size = Field { one_of: vec!["S".to_owned(), "M".to_owned()], ..Field::of(Type::Text) };
        assert_eq!(size.check_value(&text("L")), Err("takes S, M".to_owned()));
        assert_eq!(size.check_value(&text("S")), Ok(()));
        size.one_of.clear();
        size.schema = Some(Schema::parse(r#"{"maxLength": 2}"#).unwrap());
        assert_eq!(size.check_value(&text("XL")), Ok(()));
        assert!(size.check_value(&text("XXL")).unwrap_err().contains("longer than 2"));
    }

    #[test]
    fn a_field_of_an_older_host_is_a_defined_one() {
        let field: Field =
            serde_json::from_str(r#"{"type": "text", "one_of": [], "class": "personal"}"#).unwrap();
        assert_eq!(field, Field { class: DataClass::Personal, ..Field::of(Type::Text) });
        assert!(field.status.is_defined());
    }
}
