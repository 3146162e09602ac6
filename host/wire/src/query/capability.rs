//! Queries about plug-ins, their grants and their replays.

use samsyn_vocabulary::{Digest, Reason};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::request::INTEGER_MAX;

/// How to install.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct InstallParams {
    /// Only answer the plan: what would change.
    pub dry_run: bool,
    /// The first event that it receives.
    pub from: InstallFrom,
    /// With `from=start`: other capabilities receive the events that it emits while it catches up.
    pub deliver: bool,
    /// Approve what it requests; this needs the scope `admin`. Without it an upgrade that requests more than is
    /// granted waits for approval.
    pub approve: bool,
    /// Accept the fields that it adds at once. Without it they wait for acceptance.
    pub accept_fields: bool,
    /// The reason of the change.
    pub reason: Option<Reason>,
}

/// The first event that a plug-in receives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "From")]
pub enum InstallFrom {
    /// The next event.
    #[default]
    Now,
    /// The oldest event in the log.
    Start,
}

/// How to remove.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RemoveParams {
    /// Remove it also if fields lose their source.
    pub force: bool,
    /// The reason of the change.
    pub reason: Option<Reason>,
}

/// Which upgrade is agreed to, and how.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ApproveParams {
    /// The component. If another component waits, the host rejects the request.
    pub digest: Option<Digest>,
    /// Accept the fields that it adds at once. Without it they wait for acceptance.
    pub accept_fields: bool,
    /// The reason of the change.
    pub reason: Option<Reason>,
}

/// Which upgrade is given up.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RejectParams {
    /// The component. If another component waits, the host rejects the request.
    pub digest: Option<Digest>,
    /// The reason of the change.
    pub reason: Option<Reason>,
}

/// How to replay.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ReplayParams {
    /// How many customers to replay, in percent. The same percentage always takes the same customers, each with
    /// all events. By default all, or as many as fit into the memory for replays.
    #[schemars(extend("exclusiveMinimum" = 0, "maximum" = 100))]
    pub profiles: Option<f64>,
    /// The size of the component to compare with, which follows the new one in the body. Without it the body is
    /// only the new component, which is compared with the log.
    #[schemars(range(min = 1, max = INTEGER_MAX))]
    pub against_bytes: Option<u64>,
}

/// Whether examples come with values.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ShowReplayParams {
    /// Answer also the values of the examples, and messages of plug-ins. The host records this as a read of these
    /// customers' data.
    pub values: bool,
}
