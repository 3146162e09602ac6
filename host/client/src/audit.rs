//! The answers of docs/http.md about the audit.

use serde::Deserialize;

/// One read of somebody's personal data.
#[derive(Debug, Clone, Deserialize)]
pub struct AuditRead {
    /// When it happened.
    pub at: String,
    /// Which application.
    pub by: String,
    /// With which token.
    #[serde(default)]
    pub token: Option<String>,
    /// With which call.
    pub call: String,
    /// Whose data; empty for a token that may not know.
    #[serde(default)]
    pub profile: String,
    /// Fields whose values were shown.
    #[serde(default)]
    pub fields: Vec<String>,
    /// Identifiers whose values were shown.
    #[serde(default)]
    pub identifiers: Vec<String>,
    /// The purpose that the caller gave.
    #[serde(default)]
    pub purpose: Option<String>,
}

/// One change of the registry.
#[derive(Debug, Clone, Deserialize)]
pub struct AuditChange {
    /// The revision it made.
    pub revision: u64,
    /// When it happened.
    pub at: String,
    /// Who did what, and why.
    pub sentence: String,
}
