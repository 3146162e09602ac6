//! What is sent to change the registry.

use serde::Serialize;

/// What an identifier is to be.
#[derive(Debug, Clone, Serialize)]
pub struct IdentifierDefinition {
    /// `exact`, `email` or `phone`.
    pub normaliser: String,
    /// Which of two wins when they disagree: the greater.
    pub strength: u32,
    /// The country that phone numbers without a country code are dialled in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// Values that identify nobody and are refused; the usual ones when there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rejected_values: Option<Vec<String>>,
}
