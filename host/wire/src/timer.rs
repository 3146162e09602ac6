//! Timers of plug-ins.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Lenient;
use samsyn_vocabulary::{CapabilityName, ProfileId, Timestamp};

/// A timer that is set.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct Timer {
    /// When it fires.
    pub fires_at: Lenient<Timestamp>,
    /// The customer.
    pub profile: Lenient<ProfileId>,
    /// Whose timer it is.
    #[schemars(with = "CapabilityName")]
    pub capability: String,
    /// The capability's generation that set it.
    pub generation: u32,
    /// The timer's name, which the plug-in chose.
    pub name: String,
}

/// How the timers of all plug-ins are doing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct TimersStatus {
    /// How many are set.
    pub pending: u64,
    /// When the next one fires; null if none is set.
    pub next_at: Option<Lenient<Timestamp>>,
    /// Milliseconds since the oldest pending timer was due; 0 if it is due later.
    pub late_ms: u64,
    /// Why no timer fires; null while they do. `POST /v1/timers/resume` lets them fire.
    pub held: Option<String>,
}

/// Whether timers were held.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct TimersResumed {
    /// Why they were held; null if they weren't.
    pub was_held: Option<String>,
    /// How many are set.
    pub pending: u64,
}
