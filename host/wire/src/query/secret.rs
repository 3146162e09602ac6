//! Queries about secrets.

use samsyn_vocabulary::Reason;
use schemars::JsonSchema;
use serde::Deserialize;

/// How a secret is set.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SetParams {
    /// The value is a mounted file of this name. The request has no body.
    pub mounted: bool,
    /// The reason of the change. It is kept: don't write a customer's data into it.
    pub reason: Option<Reason>,
}

/// How a secret is retired.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RetireParams {
    /// Remove the secret itself, with all its versions.
    pub all: bool,
    /// The reason of the change. It is kept: don't write a customer's data into it.
    pub reason: Option<Reason>,
}
