//! How personal data is.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The data class of a field: how personal it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum DataClass {
    /// Not personal.
    #[default]
    None,
    /// Personal data (GDPR, Article 4).
    Personal,
    /// A special category of personal data (GDPR, Article 9), or as sensitive.
    Sensitive,
}

impl DataClass {
    /// Every class, the least personal first.
    pub const ALL: [DataClass; 3] = [DataClass::None, DataClass::Personal, DataClass::Sensitive];

    /// The class as it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            DataClass::None => "none",
            DataClass::Personal => "personal",
            DataClass::Sensitive => "sensitive",
        }
    }
}

impl std::fmt::Display for DataClass {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
