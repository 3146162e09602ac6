//! Why somebody changed something, in their own words.

use serde::{Deserialize, Deserializer, Serialize};

/// The longest reason, in bytes: a sentence or two, and a ticket's number.
const REASON_BYTES_MAX: usize = 500;

/// Why a change was made: 1 to 500 bytes without control characters and without white space around
/// it. It is kept for as long as the log is, so no customer's data belongs in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Reason(String);

/// A text that can't be a reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a reason must have 1 to {REASON_BYTES_MAX} bytes and no control characters")]
pub struct ReasonError;

impl Reason {
    /// Checks the text and makes it a reason.
    pub fn new(text: &str) -> Result<Reason, ReasonError> {
        let text = text.trim();
        let fits = (1..=REASON_BYTES_MAX).contains(&text.len()) && !text.chars().any(char::is_control);
        if fits { Ok(Reason(text.to_owned())) } else { Err(ReasonError) }
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
        assert_eq!(Reason::new("  CRM-12: moved \n").unwrap().as_str(), "CRM-12: moved");
        for bad in ["", "  ", "two\nlines", "\u{1b}[2J", &"a".repeat(501)] {
            assert_eq!(Reason::new(bad), Err(ReasonError), "{bad:?}");
        }
    }
}
