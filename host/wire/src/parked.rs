//! Deliveries that wait for an administrator.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Lenient;
use samsyn_vocabulary::{CapabilityName, FailureKind, ProfileId, Role, Timestamp};

/// A delivery that waits.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct ParkedDelivery {
    /// Whose it is.
    pub profile: Lenient<ProfileId>,
    /// Which plug-in failed.
    #[schemars(with = "CapabilityName")]
    pub capability: String,
    /// Of it, counted up by each catch-up from the start.
    pub generation: u32,
    /// What is delivered: the position of its record, and its number in it.
    pub item: String,
    #[schemars(with = "Role")]
    pub role: String,
    /// `held` waits behind a parked one.
    #[schemars(extend("enum" = ["parked", "held"]))]
    pub state: String,
    /// How it failed; null for what is held.
    #[schemars(with = "Option<FailureKind>")]
    pub kind: Option<String>,
    /// Why it failed.
    pub reason: Option<String>,
    /// Guest functions from the innermost out.
    pub backtrace: Vec<String>,
    /// When it was parked or held.
    pub since: Lenient<Timestamp>,
}

/// How many deliveries are acted on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct Matched {
    /// Those that were there.
    pub matched: usize,
}
