//! One thing the report has to say, in words and for machines.

use schemars::JsonSchema;
use serde::Serialize;

use samsyn_vocabulary::{CapabilityName, FieldName};

/// The severity of a finding.
// Ordered: a note is less than a warning, a warning less than an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Good to know; nothing is wrong.
    Note,
    /// An administrator should decide something.
    Warning,
    /// Something can't work.
    Error,
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How much it matters.
    pub severity: Severity,
    /// Which kind of finding; it stays the same from version to version.
    pub code: &'static str,
    /// The fields it is about.
    pub fields: Vec<FieldName>,
    /// The capabilities it is about.
    pub capabilities: Vec<CapabilityName>,
    /// The events it is about, or patterns of them.
    pub events: Vec<String>,
    /// What was found and why it matters.
    pub explanation: String,
    /// What to do about it.
    pub mend: String,
    /// The command that does it, or that shows what has to be decided first. Words in capitals
    /// stand for what only the administrator knows.
    pub command: String,
}

impl Finding {
    /// A finding about nothing yet.
    pub(super) fn new(severity: Severity, code: &'static str) -> Finding {
        Finding {
            severity,
            code,
            fields: Vec::new(),
            capabilities: Vec::new(),
            events: Vec::new(),
            explanation: String::new(),
            mend: String::new(),
            command: String::new(),
        }
    }
}

/// `a`, `a and b`, `a, b and c`.
pub(super) fn listed<T: ToString>(items: impl IntoIterator<Item = T>) -> String {
    let items: Vec<String> = items.into_iter().map(|item| item.to_string()).collect();
    match items.split_last() {
        None => String::new(),
        Some((only, [])) => only.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
    }
}

/// Installing a changed plug-in: how most declarations are fixed.
pub(super) const INSTALL: &str = "samsyn plugin install FILE";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_read_like_sentences() {
        assert_eq!(listed::<&str>([]), "");
        assert_eq!(listed(["a"]), "a");
        assert_eq!(listed(["a", "b", "c"]), "a, b and c");
    }

    #[test]
    fn an_error_is_more_than_a_warning() {
        assert!(Severity::Error > Severity::Warning && Severity::Warning > Severity::Note);
    }
}
