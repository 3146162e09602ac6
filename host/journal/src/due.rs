//! A timer is due: the record is its firing.

use serde::{Deserialize, Serialize};

use samsyn_vocabulary::{CapabilityName, Position, ProfileId, TimerName, Timestamp};

/// A timer fired. An item: it is decided in the order of the partition, after all that was accepted before it. If the
/// timer is no longer set by then, nobody is invoked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Due {
    pub profile: ProfileId,
    /// Whose timer it is.
    pub capability: CapabilityName,
    /// The generation that set it.
    pub generation: u32,
    pub name: TimerName,
    /// Which setting of the name it is, see [`Timer::number`](super::Timer::number).
    pub number: u32,
    /// The time that the plug-in set.
    pub due: Timestamp,
    /// When the host fired it.
    pub at: Timestamp,
    /// The accepted event at the root of the chain that set it; none when it was set so long ago that it begins a
    /// chain of its own.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "crate::home::record_if_any")]
    pub root: Option<Position>,
    /// Generations of cause since the root.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub depth: u16,
    /// Derived invocations that the root had spent when it was set.
    #[serde(default, skip_serializing_if = "is_none_spent")]
    pub spent: u32,
    /// A generation that catches up fired it, at a time that is long past, and decided it at once. It is no item:
    /// nobody comes to it later.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub in_passing: bool,
}

fn is_zero(depth: &u16) -> bool {
    *depth == 0
}

fn is_none_spent(spent: &u32) -> bool {
    *spent == 0
}
