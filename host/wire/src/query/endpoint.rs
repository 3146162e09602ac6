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

/// How an endpoint is tested.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TestParams {
    /// The method: `HEAD` if it is granted, else `GET`.
    pub method: Option<TestMethod>,
    /// The path below the endpoint's URL; the URL itself if left out.
    pub path: String,
}

/// A method that changes nothing in a system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum TestMethod {
    Get,
    Head,
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
