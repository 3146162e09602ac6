//! Invocations that wait for an administrator.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Lenient;
use samsyn_vocabulary::{CapabilityName, FailureKind, ProfileId, Role, Timestamp};

/// An invocation that failed, or that waits behind one that failed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct ParkedDelivery {
    /// The customer.
    pub profile: Lenient<ProfileId>,
    /// The capability.
    #[schemars(with = "CapabilityName")]
    pub capability: String,
    /// The capability's generation: the number of times it was installed from the oldest event on.
    pub generation: u32,
    /// What the invocation is for: a record's position, and a number in that record.
    pub item: String,
    #[schemars(with = "Role")]
    pub role: String,
    /// `parked`: it failed. `held`: it waits behind a parked one.
    #[schemars(extend("enum" = ["parked", "held"]))]
    pub state: String,
    /// The kind of failure; null if it is held.
    #[schemars(with = "Option<FailureKind>")]
    pub kind: Option<String>,
    /// The reason of the failure.
    pub reason: Option<String>,
    /// The plug-in's functions, the innermost first.
    pub backtrace: Vec<String>,
    /// When it was parked or held.
    pub since: Lenient<Timestamp>,
}

/// How many invocations a request concerns.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct Matched {
    /// The number of invocations.
    pub matched: usize,
}
