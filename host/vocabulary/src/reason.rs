//! Why somebody changed something, in their own words.

use serde::{Deserialize, Deserializer, Serialize};

/// The longest reason, in characters: a sentence or two, and a ticket's number.
const REASON_CHARS_MAX: usize = 500;

/// Why a change was made: 1 to 500 characters, without control characters, and not only spaces. Spaces around it are
/// dropped. It is kept for as long as the log is, so no customer's data belongs in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Reason(String);

/// A text that can't be a reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a reason must have 1 to {REASON_CHARS_MAX} characters and no control characters")]
pub struct ReasonError;

impl Reason {
    /// Checks the text as it is written, with its spaces: what the schema of the HTTP interface takes is what is
    /// taken here.
    pub fn new(text: &str) -> Result<Reason, ReasonError> {
        let words = text.trim();
        // Whoever counts the characters counts at most the bytes.
        let fits = text.len() <= REASON_CHARS_MAX || text.chars().count() <= REASON_CHARS_MAX;
        let is_one_line = !text.chars().any(char::is_control);
        if fits && is_one_line && !words.is_empty() { Ok(Reason(words.to_owned())) } else { Err(ReasonError) }
    }

    /// The reason as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::str::FromStr for Reason {
    type Err = ReasonError;

    fn from_str(text: &str) -> Result<Reason, ReasonError> {
        Reason::new(text)
    }
}

impl<'de> Deserialize<'de> for Reason {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Reason, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Reason::new(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_one_line_of_words() {
        assert_eq!(Reason::new("  CRM-12: moved ").unwrap().as_str(), "CRM-12: moved");
        assert!(Reason::new(&"å".repeat(500)).is_ok(), "a letter of two bytes is one character");
        let spaces = format!("moved{}", " ".repeat(500));
        for bad in ["", "  ", "two\nlines", "moved\n", "\tmoved", "\u{1b}[2J", &"a".repeat(501), &spaces] {
            assert_eq!(Reason::new(bad), Err(ReasonError), "{bad:?}");
        }
    }
}
