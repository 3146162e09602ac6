//! The dictionary: what a field is, and what kind of name an identifier is.

use serde::{Deserialize, Serialize};

use super::manifest::{DataClass, Sourced};
use crate::vocabulary::{CapabilityName, IdentifierName, Type, Value};

/// A field of the profile.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Field {
    /// Its type.
    #[serde(rename = "type")]
    pub kind: Type,
    /// Allowed texts; empty allows all.
    #[serde(default)]
    pub one_of: Vec<String>,
    /// What it means.
    #[serde(default)]
    pub description: String,
    /// How personal it is.
    #[serde(default)]
    pub class: DataClass,
    /// The identifier that a value of this field is.
    #[serde(default)]
    pub identifies: Option<IdentifierName>,
    /// An opt-out: no reassignment, removal or missing claim turns its `true` off.
    #[serde(default)]
    pub protective: bool,
    /// Whose claim is the value; one or none.
    #[serde(default)]
    pub source: Option<CapabilityName>,
}

impl Field {
    /// The field a plug-in brings that nobody defined.
    pub fn brought_by(sourced: &Sourced) -> Field {
        Field {
            kind: sourced.kind,
            one_of: sourced.one_of.clone(),
            description: sourced.description.clone(),
            class: sourced.class,
            identifies: sourced.identifies.clone(),
            protective: sourced.protective,
            source: None,
        }
    }

    /// Whether the field's allowed texts have this value.
    pub fn allows(&self, value: &Value) -> bool {
        let allowed = |text: &String| self.one_of.is_empty() || self.one_of.contains(text);
        match value {
            Value::Text(text) => allowed(text),
            Value::Texts(texts) => texts.iter().all(allowed),
            _ => true,
        }
    }
}

/// What kind of name an identifier is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdentifierKind {
    /// How two spellings are matched; the spelling that was sent is what is kept.
    pub normaliser: Normaliser,
    /// When an event's identifiers belong to different profiles, the strongest decides.
    pub strength: u32,
}

/// How an identifier's value is made comparable, for matching only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Normaliser {
    /// Without white space around it, else as it is.
    Exact,
    /// Lower case. (RFC 5321 lets the local part tell cases apart; no mail provider of weight does.)
    Email,
    /// Digits, and a plus sign in front.
    Phone,
}

/// The longest identifier value, in bytes.
pub const IDENTIFIER_BYTES_MAX: usize = 256;

impl Normaliser {
    /// The form that is matched; `None` when nothing is left of it, when it is longer than 256
    /// bytes, or when it has a control character.
    pub fn normalise(self, value: &str) -> Option<String> {
        let value = value.trim();
        if value.len() > IDENTIFIER_BYTES_MAX || value.chars().any(char::is_control) {
            return None;
        }
        let normal = match self {
            Normaliser::Exact => value.to_owned(),
            Normaliser::Email => value.to_lowercase(),
            Normaliser::Phone => {
                let digits: String = value.chars().filter(char::is_ascii_digit).collect();
                if digits.is_empty() {
                    return None;
                }
                if let Some(international) = digits.strip_prefix("00") {
                    format!("+{international}")
                } else if value.starts_with('+') {
                    format!("+{digits}")
                } else {
                    digits
                }
            }
        };
        (!normal.is_empty()).then_some(normal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_name_match() {
        for (normaliser, value, normal) in [
            (Normaliser::Exact, " 00042 ", Some("00042")),
            (Normaliser::Email, "Anna@Example.com", Some("anna@example.com")),
            (Normaliser::Phone, "+46 (0)70-123 45 67", Some("+460701234567")),
            (Normaliser::Phone, "0046 70 123", Some("+4670123")),
            (Normaliser::Phone, "none", None),
            (Normaliser::Exact, "  ", None),
            (Normaliser::Exact, "a\u{0}b", None),
        ] {
            assert_eq!(normaliser.normalise(value).as_deref(), normal, "{value}");
        }
    }
}
