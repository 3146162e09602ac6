//! Queries about what waits: invocations, timers and calls.

use samsyn_vocabulary::{CapabilityName, EndpointName, FailureKind, ProfileId, Reason};
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

/// The query of the list of calls.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CallParams {
    /// Only in this state; those that wait if left out.
    pub state: CallState,
    /// Only of this capability.
    pub capability: Option<CapabilityName>,
    /// Only to this endpoint.
    pub endpoint: Option<EndpointName>,
    /// Only of this profile: also those that wait behind others of the same customer.
    pub profile: Option<ProfileId>,
    /// The most items of the page; 100 by default.
    #[schemars(range(min = 1, max = LIMIT_MAX))]
    pub limit: Option<u64>,
    /// The `next` of the previous page.
    pub cursor: Option<String>,
}

/// Which calls are listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum CallState {
    /// Those that wait for their answers: of each customer and endpoint the first.
    #[default]
    Waiting,
    /// Those of which nobody knows whether the system has seen them.
    Unknown,
    /// Those that were not sent, or were answered with 400 or above.
    Failed,
}

/// How a call that ended badly is settled.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SettleParams {
    /// `done`: it had its effect. `not-done`: it had none, and nothing is sent.
    #[serde(rename = "as")]
    pub verdict: SettledAs,
    /// Why: shown in the audit.
    pub reason: Reason,
}

/// What is known of a call that ended badly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SettledAs {
    /// It had its effect.
    Done,
    /// It had none.
    NotDone,
}

/// How a call that ended badly is sent again.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RetryCallParams {
    /// Why: shown in the audit.
    pub reason: Reason,
}
