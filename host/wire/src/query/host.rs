//! Queries about what the host keeps.

use schemars::JsonSchema;
use serde::Deserialize;

/// The query of `POST /v1/log/retain`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RetainParams {
    /// Only answer what would be removed.
    pub dry_run: bool,
}
