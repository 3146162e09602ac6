//! When two spellings are one identifier.
//!
//! Matching uses a *normal form*. There are two versions of it:
//!
//! | version | e-mail | phone |
//! |---|---|---|
//! | 1 | lower case | digits, with a plus when the text began with one |
//! | 2, [`FORM_VERSION`] | by `email-addresses`: one spelling of the domain, one case | by `phone-numbers`: E.164 |
//!
//! New links are made in today's form. Links of older logs stay under their former form as well, so
//! that a spelling that led to a customer still does: see [`Forms`].

use samsyn_registry::{
    IDENTIFIER_BYTES_MAX, IdentifierKind, NormalForms, Normaliser, REJECTED_VALUES, Registry,
};

pub use samsyn_registry::FORM_VERSION;

/// Why a value identifies nobody. The sentence never repeats the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdentifierFault {
    /// Nothing but white space.
    #[error("it is empty")]
    Empty,
    /// Longer than [`IDENTIFIER_BYTES_MAX`].
    #[error("it is longer than {IDENTIFIER_BYTES_MAX} bytes")]
    TooLong,
    /// It has a control character.
    #[error("it has a control character")]
    ControlCharacter,
    /// One of the identifier's rejected values.
    #[error("it is a placeholder for a missing value, such as null; leave the identifier out")]
    Rejected,
    /// No e-mail address.
    #[error("it is not an e-mail address: {0}")]
    Email(email_addresses::Fault),
    /// No telephone number.
    #[error("it is not a phone number: {0}")]
    Phone(phone_numbers::Fault),
}

/// The forms that a value is matched by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forms {
    /// Today's; or why the value is refused.
    pub today: Result<String, IdentifierFault>,
    /// The form of links of older logs, where it is another one.
    pub former: Option<String>,
}

/// The form that a value is matched by, or why the value identifies nobody.
pub fn normalise(kind: &IdentifierKind, value: &str) -> Result<String, IdentifierFault> {
    let value = checked(kind, value)?;
    match kind.normaliser {
        Normaliser::Exact => Ok(value.to_owned()),
        Normaliser::Email => email_addresses::matching(value).map_err(IdentifierFault::Email),
        Normaliser::Phone => {
            phone_numbers::parse(value, kind.country.as_deref()).map_err(IdentifierFault::Phone)
        }
    }
}

/// The forms that a value is matched by in a log.
pub fn forms_of(registry: &Registry, kind: &IdentifierKind, value: &str) -> Forms {
    match registry.forms {
        NormalForms::Today => Forms { today: normalise(kind, value), former: None },
        NormalForms::Former | NormalForms::Both => all_forms(kind, value),
    }
}

/// The forms that a value is matched by where older links may be.
fn all_forms(kind: &IdentifierKind, value: &str) -> Forms {
    let today = normalise(kind, value);
    let former = match today {
        // The only ones found are those that had no name.
        Err(IdentifierFault::Rejected) => None,
        _ => former(kind, value).filter(|former| today.as_ref() != Ok(former)),
    };
    Forms { today, former }
}

/// The value without white space around it.
fn checked<'a>(kind: &IdentifierKind, value: &'a str) -> Result<&'a str, IdentifierFault> {
    let value = trimmed(value)?;
    let is_rejected = match &kind.rejected_values {
        Some(values) => values.iter().any(|rejected| same_word(rejected, value)),
        None => REJECTED_VALUES.iter().any(|rejected| same_word(rejected, value)),
    };
    if is_rejected { Err(IdentifierFault::Rejected) } else { Ok(value) }
}

/// The form of version 1.
fn former(kind: &IdentifierKind, value: &str) -> Option<String> {
    let value = trimmed(value).ok()?;
    let normal = match kind.normaliser {
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

/// The value of any identifier without white space around it.
pub fn trimmed(value: &str) -> Result<&str, IdentifierFault> {
    let value = value.trim();
    if value.is_empty() {
        return Err(IdentifierFault::Empty);
    }
    if value.len() > IDENTIFIER_BYTES_MAX {
        return Err(IdentifierFault::TooLong);
    }
    match value.chars().any(char::is_control) {
        true => Err(IdentifierFault::ControlCharacter),
        false => Ok(value),
    }
}

/// Whether two words are the same in any case.
fn same_word(one: &str, other: &str) -> bool {
    let one = one.trim();
    one.eq_ignore_ascii_case(other)
        || (!(one.is_ascii() && other.is_ascii()) && one.to_lowercase() == other.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(normaliser: Normaliser) -> IdentifierKind {
        IdentifierKind::new(normaliser, 1)
    }

    #[test]
    fn spellings_of_one_number_match() {
        let phone = kind(Normaliser::Phone);
        for value in [
            "+46701234567",
            "+46 70-123 45 67",
            "+46 (0)70-123 45 67",
            "0046 70 123 45 67",
            "tel:+46-70-123-45-67",
            "TEL:+46701234567",
            "\u{ff0b}\u{ff14}\u{ff16}701234567",
            "+46.70.123.45.67",
            "(+46) 70 123 45 67",
            "\u{202a}+46 70 123 45 67\u{202c}",
            "+46 070 123 45 67",
        ] {
            assert_eq!(normalise(&phone, value).as_deref(), Ok("+46701234567"), "{value:?}");
        }
        let swedish = IdentifierKind { country: Some("SE".to_owned()), ..phone };
        for value in ["070-123 45 67", "0701234567", "+46701234567"] {
            assert_eq!(normalise(&swedish, value).as_deref(), Ok("+46701234567"), "{value:?}");
        }
    }

    #[test]
    fn what_is_no_number_says_why() {
        let phone = kind(Normaliser::Phone);
        for (value, why) in [
            ("1-800-FLOWERS", "digit"),
            ("1-800-CONTACTS", "digit"),
            ("070-123 45 67", "country"),
            ("+46 70 123", "no such number"),
            ("+999 123456", "calling code"),
            ("+46 8 123456 ext. 12", "extension"),
            ("anna@example.com", "digit"),
            ("+", "digit"),
        ] {
            let fault = normalise(&phone, value).expect_err(value).to_string();
            assert!(fault.contains("not a phone number") && fault.contains(why), "{value}: {fault}");
        }
    }

    #[test]
    fn spellings_of_one_address_match() {
        let email = kind(Normaliser::Email);
        for (one, other) in [
            ("Anna@Example.com", "anna@example.COM"),
            ("anna@räksmörgås.se", "anna@xn--rksmrgs-5wao1o.se"),
            ("anna@RÄKSMÖRGÅS.se", "ANNA@räksmörgås.se"),
            ("jo\u{308}rg@example.de", "jörg@example.de"),
            ("mailto:anna@example.com", "anna@example.com"),
            ("\u{feff}anna@example.com", "anna@example.com"),
        ] {
            assert_eq!(normalise(&email, one), normalise(&email, other), "{one} {other}");
            assert!(normalise(&email, one).is_ok(), "{one}");
        }
        for value in
            ["anna", "anna@", "@example.com", "anna@@example.com", "a b@example.com", "anna@localhost"]
        {
            let fault = normalise(&email, value).expect_err(value).to_string();
            assert!(fault.contains("not an e-mail address"), "{value}: {fault}");
        }
    }

    #[test]
    fn values_that_identify_nobody_are_refused_everywhere() {
        for normaliser in [Normaliser::Exact, Normaliser::Email, Normaliser::Phone] {
            for value in REJECTED_VALUES {
                for value in [value.to_owned(), format!("  {value}\t"), value.to_uppercase()] {
                    assert_eq!(
                        normalise(&kind(normaliser), &value),
                        Err(IdentifierFault::Rejected),
                        "{value}"
                    );
                }
            }
            assert_eq!(normalise(&kind(normaliser), " \u{a0} "), Err(IdentifierFault::Empty));
        }
        let exact = kind(Normaliser::Exact);
        for value in ["00", "00042", "Nullarbor", "none-1", "unknown@example.com", "[object]"] {
            assert_eq!(normalise(&exact, value).as_deref(), Ok(value));
        }
    }

    #[test]
    fn which_values_are_refused_can_be_set() {
        let own = |values: &[&str]| IdentifierKind {
            rejected_values: Some(values.iter().map(|value| (*value).to_owned()).collect()),
            ..kind(Normaliser::Exact)
        };
        assert_eq!(normalise(&own(&["Kassa 1"]), "KASSA 1"), Err(IdentifierFault::Rejected));
        assert_eq!(normalise(&own(&["Kassa 1"]), "null").as_deref(), Ok("null"));
        assert_eq!(normalise(&own(&[]), "0").as_deref(), Ok("0"));
        assert!(own(&[" "]).check().is_err() && own(&["x"]).check().is_ok());
    }

    #[test]
    fn other_values_are_refused_for_their_form() {
        let exact = kind(Normaliser::Exact);
        assert_eq!(normalise(&exact, " 00042 ").as_deref(), Ok("00042"));
        assert_eq!(normalise(&exact, "a\u{0}b"), Err(IdentifierFault::ControlCharacter));
        assert_eq!(normalise(&exact, &"x".repeat(257)), Err(IdentifierFault::TooLong));
    }

    #[test]
    fn what_links_of_older_logs_are_under_is_looked_for() {
        let former = |normaliser, value: &str| all_forms(&kind(normaliser), value).former;
        for (value, expected) in [
            ("+46 (0)70-123 45 67", Some("+460701234567")),
            ("tel:+46701234567", Some("46701234567")),
            ("070-123 45 67", Some("0701234567")),
            ("+46701234567", None),
            ("0046701234567", None),
            ("n/a", None),
        ] {
            assert_eq!(former(Normaliser::Phone, value).as_deref(), expected, "{value}");
        }
        assert_eq!(former(Normaliser::Email, "Anna@Example.com"), None);
        assert_eq!(former(Normaliser::Email, "anna@räksmörgås.se").as_deref(), Some("anna@räksmörgås.se"));
        assert_eq!(former(Normaliser::Exact, " 7 "), None);
    }
}
