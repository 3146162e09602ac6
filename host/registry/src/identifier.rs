//! What kind of name an identifier is, and which values it takes. What the values are matched by is
//! `samsyn-identity`'s.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The version of the normal form that new links have. A definition says with which version it was made, so
/// that a log with links of an older one is known. `samsyn-identity` has the forms.
pub const FORM_VERSION: u8 = 2;

/// The longest identifier value, in bytes.
pub const IDENTIFIER_BYTES_MAX: usize = 256;
/// The most values an identifier refuses by name.
const REJECTED_VALUES_MAX: usize = 1_000;

/// What senders write where they know no value. Compared without regard to case.
pub const REJECTED_VALUES: [&str; 34] = [
    "null",
    "(null)",
    "<null>",
    "nil",
    "none",
    "(none)",
    "undefined",
    "unknown",
    "(unknown)",
    "unspecified",
    "(unspecified)",
    "not set",
    "(not set)",
    "not provided",
    "not available",
    "n/a",
    "n.a.",
    "na",
    "#n/a",
    "nan",
    "0",
    "-1",
    "-",
    "true",
    "false",
    "{}",
    "[]",
    "[object object]",
    "anonymous",
    "guest",
    "default",
    "test@test.com",
    "00000000-0000-0000-0000-000000000000",
    "00000000000000000000000000000000",
];

/// What kind of name an identifier is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdentifierKind {
    /// How two spellings are matched; the spelling that was sent is what is kept.
    pub normaliser: Normaliser,
    /// When an event's identifiers belong to different profiles, the strongest decides.
    pub strength: u32,
    /// For phone numbers without a country code: the country they are dialled in, ISO 3166-1 alpha-2. Without
    /// it such a number is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// Values that identify nobody and are refused, in any case; [`REJECTED_VALUES`] when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rejected_values: Option<Vec<String>>,
}

/// How values of an identifier are matched. The value itself stays as it was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Normaliser {
    /// Exactly, but without white space at its start and end.
    Exact,
    /// As an e-mail address, ignoring case.
    // RFC 5321 lets the local part tell cases apart; no mail provider of weight does.
    Email,
    /// As a telephone number, in E.164 form.
    Phone,
}

impl IdentifierKind {
    /// One of which nothing else is said.
    pub fn new(normaliser: Normaliser, strength: u32) -> IdentifierKind {
        IdentifierKind { normaliser, strength, country: None, rejected_values: None }
    }

    /// Whether the definition makes sense by itself; else what doesn't.
    pub fn check(&self) -> Result<(), String> {
        if let Some(country) = &self.country {
            if self.normaliser != Normaliser::Phone {
                return Err("country is allowed for phone numbers only".to_owned());
            }
            if !phone_numbers::has_plan(country) {
                return Err(format!(
                    "{country:?} is not a country code of ISO 3166-1 in capitals, such as SE"
                ));
            }
        }
        let rejected = self.rejected_values.as_deref().unwrap_or_default();
        if rejected.len() > REJECTED_VALUES_MAX {
            let count = rejected.len();
            return Err(format!("rejected_values has {count} values; the limit is {REJECTED_VALUES_MAX}"));
        }
        match rejected.iter().find(|value| value.trim().is_empty() || value.len() > IDENTIFIER_BYTES_MAX) {
            Some(_) => Err(format!("a rejected value must have 1 to {IDENTIFIER_BYTES_MAX} bytes")),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(normaliser: Normaliser) -> IdentifierKind {
        IdentifierKind::new(normaliser, 1)
    }

    #[test]
    fn rejected_values_must_be_values() {
        let own = |value: &str| IdentifierKind {
            rejected_values: Some(vec![value.to_owned()]),
            ..kind(Normaliser::Exact)
        };
        assert!(own(" ").check().is_err() && own("x").check().is_ok());
    }

    #[test]
    fn a_country_is_for_phones_and_must_be_one() {
        let phone =
            |country: &str| IdentifierKind { country: Some(country.to_owned()), ..kind(Normaliser::Phone) };
        assert!(phone("SE").check().is_ok());
        assert!(phone("se").check().is_err() && phone("Sweden").check().is_err());
        assert!(IdentifierKind { normaliser: Normaliser::Exact, ..phone("SE") }.check().is_err());
    }
}
