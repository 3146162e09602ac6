//! The answers of docs/http.md about the registry as a whole.

use serde::Deserialize;

/// The silo report.
#[derive(Debug, Clone, Deserialize)]
pub struct Report {
    /// The registry's revision.
    #[serde(default)]
    pub revision: u64,
    /// How many findings are errors.
    #[serde(default)]
    pub errors: u64,
    /// How many are warnings.
    #[serde(default)]
    pub warnings: u64,
    /// How many are notes.
    #[serde(default)]
    pub notes: u64,
    /// The worst first.
    #[serde(default)]
    pub findings: Vec<Finding>,
}

/// One thing the report has to say.
#[derive(Debug, Clone, Deserialize)]
pub struct Finding {
    /// `error`, `warning` or `note`.
    pub severity: String,
    /// Which kind of finding.
    pub code: String,
    /// The fields it is about.
    #[serde(default)]
    pub fields: Vec<String>,
    /// The capabilities it is about.
    #[serde(default)]
    pub capabilities: Vec<String>,
    /// The events it is about.
    #[serde(default)]
    pub events: Vec<String>,
    /// What was found and why it matters.
    pub explanation: String,
    /// What to do about it.
    pub mend: String,
    /// The command that does it.
    pub command: String,
}
