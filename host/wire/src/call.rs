//! Calls that plug-ins began: requests to systems outside the host.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Lenient;
use samsyn_vocabulary::{CapabilityName, EndpointName, ProfileId, Timestamp};

/// A call that waits for its answer, or that ended badly.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct Call {
    /// Its name in this interface.
    pub id: String,
    /// `waiting`: it has no answer yet. `unknown`: it ended, and nobody knows whether the system has seen it. `failed`:
    /// it was not sent, or answered with 400 or above.
    #[schemars(extend("enum" = ["waiting", "unknown", "failed"]))]
    pub state: String,
    /// Who began it.
    #[schemars(with = "CapabilityName")]
    pub capability: String,
    /// To which of its endpoints.
    #[schemars(with = "EndpointName")]
    pub endpoint: String,
    /// The customer.
    pub profile: Lenient<ProfileId>,
    /// The method; absent when the request has left the log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// The path below the endpoint's base; absent when the request has left the log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// When it was begun.
    pub since: Lenient<Timestamp>,
    /// Attempts that were made.
    pub attempts: u32,
    /// Of one that waits: when it is to be tried next, at the earliest. An attempt that is under way has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_at: Option<Lenient<Timestamp>>,
    /// Of one that waits: an attempt may have arrived without an answer.
    pub in_doubt: bool,
    /// Of one that ended: when it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Lenient<Timestamp>>,
    /// How it, or its newest attempt, ended: a status such as `503`, or a stable word such as `connect`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub how: Option<String>,
    /// Why nothing is sent to its endpoint now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub halted: Option<String>,
    /// Of a row, which the host sends with those of other customers: how it travels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub row: Option<CallRow>,
}

/// How a row travels. The API may have more members later.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct CallRow {
    /// `alone`: it is in a request of its own, or in none yet. `leads`: the attempts and the next time of the request
    /// that it is in are shown of it. `led`: they are shown of another row of the same `request`. `ended`: it has its
    /// answer.
    #[schemars(extend("enum" = ["alone", "leads", "led", "ended"]))]
    pub place: String,
    /// The request that it is in with others: the same for all of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    /// Rows of that request, as the one that leads it knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows: Option<usize>,
}

/// How the calls of all plug-ins are doing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct CallsStatus {
    /// Calls that wait for their answers.
    pub waiting: u64,
    /// Attempts that are under way.
    pub under_way: usize,
    /// Endpoints to which nothing is sent though calls wait.
    pub halted: Vec<HaltedEndpoint>,
}

/// An endpoint to which nothing is sent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct HaltedEndpoint {
    /// Whose endpoint.
    #[schemars(with = "CapabilityName")]
    pub capability: String,
    /// Its name.
    #[schemars(with = "EndpointName")]
    pub endpoint: String,
    /// Why.
    pub reason: String,
    /// For how long, in seconds.
    pub seconds: u64,
}
