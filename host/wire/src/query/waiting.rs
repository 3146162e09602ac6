//! Queries about what waits: invocations and timers.

use samsyn_vocabulary::{CapabilityName, FailureKind, ProfileId};
use schemars::JsonSchema;
use serde::Deserialize;

use super::LIMIT_MAX;

/// The query of the list of parked invocations. `code` is the failure's kind by its older name.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ParkedParams {
    /// Only of this capability.
    pub capability: Option<CapabilityName>,
    /// Only of this profile.
    pub profile: Option<ProfileId>,
    /// Only with this kind of failure.
    #[serde(alias = "code")]
    pub kind: Option<FailureKind>,
    /// The most items of the page; 100 by default.
    #[schemars(range(min = 1, max = LIMIT_MAX))]
    pub limit: Option<u64>,
    /// The `next` of the previous page.
    pub cursor: Option<String>,
}

/// The query of the list of timers.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TimerParams {
    /// Only of this capability.
    pub capability: Option<CapabilityName>,
    /// Only of this profile.
    pub profile: Option<ProfileId>,
    /// The most items of the page; 100 by default.
    #[schemars(range(min = 1, max = LIMIT_MAX))]
    pub limit: Option<u64>,
    /// The `next` of the previous page.
    pub cursor: Option<String>,
}
