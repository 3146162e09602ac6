//! Queries about the systems that capabilities call.

use samsyn_vocabulary::{Reason, Seq};
use schemars::JsonSchema;
use serde::Deserialize;

/// How an endpoint or all sending is changed.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ChangeParams {
    /// Only check the request, and answer what would change.
    pub dry_run: bool,
    /// The revision of the plan. The host rejects the request if the registry has changed since.
    pub revision: Option<Seq>,
    /// The reason of the change.
    pub reason: Option<Reason>,
}

/// How an endpoint or all sending is paused.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PauseParams {
    /// Only check the request, and answer what would change.
    #[serde(default)]
    pub dry_run: bool,
    /// The revision of the plan. The host rejects the request if the registry has changed since.
    #[serde(default)]
    pub revision: Option<Seq>,
    /// Why it is paused: shown until it is resumed. Don't write a customer's data into it.
    pub reason: Reason,
}
