//! Settings of the engine: each with its default and its bounds.

use serde::{Deserialize, Serialize};

use samsyn_state::view::EventIdLimits;
use samsyn_vocabulary::Date;

/// Settings that bound the engine.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EngineConfig {
    /// Threads that decide. 0: one for each core. A partition is worked on by one at a time.
    pub workers: usize,
    /// Partitions of a data directory, written into it when it is made. More give more room to
    /// spread over workers later; each costs a little memory.
    pub partitions: u16,
    /// Events taken but not decided, beyond which new ones get 503. Bounds memory and waiting.
    pub undecided_max: usize,
    /// Profiles kept decoded in memory, of all partitions together.
    pub cached_profiles: usize,
    /// Days an event id is remembered, by the records' own times.
    pub event_id_days: u32,
    /// Event ids remembered at least, at some 30 bytes of memory each; the oldest are forgotten first.
    /// A file with more rows can't be imported.
    pub event_ids_max: u64,
    /// Hours an event's own time may lie ahead of the host's clock.
    pub event_ahead_hours: u64,
    /// The first day, in UTC, that an event's own time may lie on. A time before it is one that a
    /// program made of an empty or a short year.
    #[serde(deserialize_with = "Date::deserialize_checked")]
    pub event_earliest: Date,
    /// Failures in a row, each with another customer, after which a plug-in is quarantined.
    pub quarantine_after: u32,
    /// Derived deliveries one accepted event may cause.
    pub derived_max: u32,
    /// Generations of cause one accepted event may have.
    pub depth_max: u16,
    /// A capability whose calls take longer than this on average, in microseconds, gets a thread
    /// of its own, so that the others don't wait for it.
    pub slow_call_us: u64,
    /// Timers that fire in a second of those that were due before the host started, or while timers were held.
    pub late_timers_per_second: u32,
    /// Customers that a replay holds in memory, at some 1.5 KiB each; a share of more is replayed.
    pub replay_profiles_max: u64,
}

impl Default for EngineConfig {
    fn default() -> EngineConfig {
        let event_ids = EventIdLimits::default();
        EngineConfig {
            workers: 0,
            partitions: 64,
            undecided_max: 50_000,
            cached_profiles: 32_768,
            event_id_days: event_ids.days,
            event_ids_max: event_ids.at_least,
            event_ahead_hours: 24,
            event_earliest: Date::of_year(1900),
            quarantine_after: 20,
            derived_max: 1_000,
            depth_max: 16,
            slow_call_us: 5_000,
            late_timers_per_second: 500,
            replay_profiles_max: 250_000,
        }
    }
}

impl EngineConfig {
    /// What the view remembers of event ids.
    pub fn event_ids(&self) -> EventIdLimits {
        EventIdLimits { days: self.event_id_days, at_least: self.event_ids_max }
    }
}

/// Settings of the registry.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RegistryConfig {
    /// Whether a field that a plug-in brings and nobody defined is accepted by itself.
    pub accept_new_fields: bool,
}
