//! Names as types, so that a field can't be passed where a capability is meant.

use std::borrow::Borrow;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};
use smol_str::SmolStr;

/// The longest name of anything, in bytes.
const NAME_BYTES_MAX: usize = 64;

/// Why a text can't be a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} can't be {kind}: {rule}")]
pub struct NameError {
    /// What the name was meant for, with its article.
    pub kind: &'static str,
    /// The start of the text.
    pub text: String,
    /// What such a name must look like.
    pub rule: &'static str,
}

// Short strings stand in the name itself: names are copied for every record, on several threads, and a
// shared count of references would be written by all of these.
macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $valid:expr, $rule:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(transparent)]
        pub struct $name(SmolStr);

        impl $name {
            /// Checks the text and makes it a name.
            pub fn new(text: &str) -> Result<Self, NameError> {
                let valid: fn(&str) -> bool = $valid;
                if text.len() <= NAME_BYTES_MAX && valid(text) {
                    return Ok(Self(SmolStr::new(text)));
                }
                Err(NameError { kind: $kind, text: text.chars().take(NAME_BYTES_MAX).collect(), rule: $rule })
            }

            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", self.as_str())
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = NameError;
            fn from_str(text: &str) -> Result<Self, NameError> {
                Self::new(text)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Visitor;
                impl serde::de::Visitor<'_> for Visitor {
                    type Value = $name;
                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        write!(f, "{}: {}", $kind, $rule)
                    }
                    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<$name, E> {
                        $name::new(text).map_err(E::custom)
                    }
                }
                deserializer.deserialize_str(Visitor)
            }
        }
    };
}

/// ASCII lower-case words of letters, digits and `_`, joined by dots: no two names look alike.
///
/// Every name in every record that is read is checked, so this and the next go over the bytes once.
fn is_dotted(text: &str) -> bool {
    let mut begins = true;
    let fits = text.bytes().all(|byte| {
        let fits = match byte {
            b'a'..=b'z' => true,
            b'0'..=b'9' | b'_' | b'.' => !begins,
            _ => false,
        };
        begins = byte == b'.';
        fits
    });
    fits && !begins
}

fn is_word(word: &str) -> bool {
    is_dotted(word) && !word.contains('.')
}

fn is_kebab(text: &str) -> bool {
    let mut begins = true;
    let fits = text.bytes().all(|byte| {
        let fits = match byte {
            b'a'..=b'z' | b'0'..=b'9' => true,
            b'-' => !begins,
            _ => false,
        };
        begins = byte == b'-';
        fits
    });
    fits && !begins && text.starts_with(|first: char| first.is_ascii_lowercase())
}

/// What the file of a secret's value before the newest is called besides: no name ends so.
const PREVIOUS_SUFFIX: &str = ".previous";

/// Lower-case words of letters and digits, joined by single `_`, `-` or `.`: a file of this name is none that
/// a directory hides, and `NAME.previous` is another secret's in no case.
fn is_secret_name(text: &str) -> bool {
    let mut begins = true;
    let fits = text.bytes().all(|byte| {
        let joins = matches!(byte, b'_' | b'-' | b'.');
        let fits = if joins { !begins } else { matches!(byte, b'a'..=b'z' | b'0'..=b'9') };
        begins = joins;
        fits
    });
    let lower = text.starts_with(|first: char| first.is_ascii_lowercase());
    fits && !begins && lower && !text.ends_with(PREVIOUS_SUFFIX)
}

/// Lower-case letters, digits and the characters that join words: what a plug-in makes up, such as the name of a
/// timer.
fn is_label(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-:".contains(&byte);
    !text.is_empty() && text.bytes().all(fits)
}

name!(
    /// A field's name: `first_name`, `loyalty.points`. Flat: the dot is only a character.
    FieldName, "a field", is_dotted,
    "lower-case letters, digits and _, in parts joined by dots, at most 64 bytes"
);
name!(
    /// A capability's name: `crm`, `loyalty`, `acme-sms`.
    CapabilityName, "a capability", is_kebab,
    "lower-case letters and digits, in parts joined by hyphens, at most 64 bytes"
);
name!(
    /// A timer's name, which its plug-in chooses: `birthday`, `journey:welcome-2`.
    TimerName, "a timer", is_label,
    "lower-case letters, digits, '.', '_', '-' and ':', at most 64 bytes"
);
name!(
    /// An application's name: `web`, `pos-sync`.
    Application, "an application", is_kebab,
    "lower-case letters and digits, in parts joined by hyphens, at most 64 bytes"
);
name!(
    /// A token's name, which is no secret: `web-2026`.
    TokenName, "a token", is_kebab,
    "lower-case letters and digits, in parts joined by hyphens, at most 64 bytes"
);
name!(
    /// A secret's name, which is no secret: `crm_token`, `mail.smtp-password`. It may be the name of a file.
    SecretName, "a secret's name",
    is_secret_name,
    "lower-case letters and digits, in parts joined by _, - or ., at most 64 bytes; it doesn't end in .previous"
);
name!(
    /// An event's name: `order.completed`.
    EventName, "an event", is_dotted,
    "lower-case letters, digits and _, in parts joined by dots, at most 64 bytes"
);
name!(
    /// An identifier's name: `customer_id`, `email`.
    IdentifierName, "an identifier", is_word,
    "lower-case letters, digits and _, at most 64 bytes"
);
name!(
    /// The name that a plug-in gives an endpoint, a system that it calls: `members`, `crm-orders`.
    EndpointName, "an endpoint", is_kebab,
    "lower-case letters and digits, in parts joined by hyphens, at most 64 bytes"
);
name!(
    /// Which events a plug-in hears: a name, or whole segments of one with `*`: `order.*`.
    EventPattern, "an event pattern",
    |text| is_dotted(text) || text.strip_suffix(".*").is_some_and(is_dotted),
    "an event's name, or its first parts followed by .*"
);
name!(
    /// The origin of a claim: a capability's name, or `app:NAME` for an application whose
    /// proposal no capability could decide.
    Speaker, "a speaker",
    |text| is_kebab(text.strip_prefix("app:").unwrap_or(text)),
    "a capability's name, or app: and an application's name"
);

impl EventPattern {
    /// Whether an event of this name is heard.
    pub fn matches(&self, event: &EventName) -> bool {
        match self.as_str().strip_suffix('*') {
            Some(prefix) => event.as_str().starts_with(prefix),
            None => self.as_str() == event.as_str(),
        }
    }
}

impl From<&CapabilityName> for Speaker {
    fn from(capability: &CapabilityName) -> Speaker {
        Speaker(capability.0.clone())
    }
}

impl From<&Application> for Speaker {
    fn from(application: &Application) -> Speaker {
        Speaker(SmolStr::new(format!("app:{application}")))
    }
}

impl Speaker {
    /// The capability that speaks; none for an application.
    pub fn capability(&self) -> Option<CapabilityName> {
        (!self.0.starts_with("app:")).then(|| CapabilityName(self.0.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_could_be_mistaken_are_refused() {
        assert!(FieldName::new("loyalty.points").is_ok());
        // The third starts with a Cyrillic letter that looks like an e.
        for text in ["", "Email", "\u{435}mail", "a..b", ".a", "a b", "1st", "a\u{0}", "a-b"] {
            assert!(FieldName::new(text).is_err(), "{text:?}");
        }
        assert!(FieldName::new(&"a".repeat(65)).is_err());
        assert!(CapabilityName::new("app:web").is_err());
        assert!(Speaker::new("app:web").is_ok());
    }

    #[test]
    fn names_are_words_joined_by_dots_or_hyphens() {
        fn is_word(word: &str) -> bool {
            word.starts_with(|first: char| first.is_ascii_lowercase())
                && word.chars().all(|is| is.is_ascii_lowercase() || is.is_ascii_digit() || is == '_')
        }
        fn is_part(part: &str) -> bool {
            !part.is_empty() && part.chars().all(|is| is.is_ascii_lowercase() || is.is_ascii_digit())
        }
        // All strings of up to five of what could stand in a name, and of what couldn't.
        let letters = ["a", "z", "0", "9", "_", ".", "-", "A", "\u{e5}", " "];
        let mut texts = vec![String::new()];
        for _ in 0..5 {
            let longer: Vec<String> =
                texts.iter().flat_map(|text| letters.map(|letter| format!("{text}{letter}"))).collect();
            for text in &longer {
                let dotted = text.split('.').all(is_word);
                assert_eq!(FieldName::new(text).is_ok(), dotted, "{text:?}");
                assert_eq!(IdentifierName::new(text).is_ok(), is_word(text), "{text:?}");
                let lower = text.starts_with(|first: char| first.is_ascii_lowercase());
                let kebab = lower && text.split('-').all(is_part);
                assert_eq!(CapabilityName::new(text).is_ok(), kebab, "{text:?}");
                let joined = lower && text.split(['_', '-', '.']).all(is_part);
                assert_eq!(SecretName::new(text).is_ok(), joined, "{text:?}");
            }
            texts = longer;
        }
    }

    #[test]
    fn a_secrets_name_is_a_safe_name_of_a_file() {
        for text in ["crm_token", "crm-token", "mail.smtp-password", "a", "s3.key2", "previous"] {
            assert!(SecretName::new(text).is_ok(), "{text:?}");
        }
        for text in ["..", ".hidden", "a..b", "a/b", "a.", "a_-b", "CRM", "1st", "a b", "a.previous", "a\0"] {
            assert!(SecretName::new(text).is_err(), "{text:?}");
        }
        assert!(SecretName::new(&"a".repeat(65)).is_err());
    }

    #[test]
    fn a_pattern_takes_whole_segments() {
        let pattern = EventPattern::new("order.*").unwrap();
        let event = |text| EventName::new(text).unwrap();
        assert!(pattern.matches(&event("order.completed")));
        assert!(pattern.matches(&event("order.line.added")));
        assert!(!pattern.matches(&event("order")));
        assert!(!pattern.matches(&event("orders.completed")));
        assert!(EventPattern::new("order*").is_err());
        assert!(EventPattern::new("*").is_err());
    }
}
