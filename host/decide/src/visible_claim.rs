//! Questions about sources, answered from the counters alone: who sees what, and for how many
//! customers that would be something else.

use std::collections::BTreeMap;

use super::pending_notifications::{generations_before, lineage_before, needs_notification};
use samsyn_journal::{ClaimStats, PartitionState, Pattern, ReassignmentJob};
use samsyn_registry::{Compare, Lineage, Routing};
use samsyn_vocabulary::CapabilityName;

/// What customers of a pattern see, without the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VisibleClaim<'a> {
    /// No value.
    Nothing,
    /// The opt-out in force.
    OptedOut,
    /// A value.
    Value {
        /// Whose claim it is.
        by: &'a CapabilityName,
        /// Its number among the different ones of the pattern.
        number: u8,
    },
}

impl<'a> VisibleClaim<'a> {
    /// What a pattern shows when these claims count.
    pub fn of(
        pattern: &Pattern,
        lineage: Lineage<'a>,
        generations: &BTreeMap<CapabilityName, u32>,
    ) -> VisibleClaim<'a> {
        if lineage.protective && pattern.latched {
            return VisibleClaim::OptedOut;
        }
        let says = |by: &CapabilityName| {
            let numbers = pattern.says(by, *generations.get(by)?)?;
            Some(numbers.map(|numbers| numbers[Compare::Exact.index()]))
        };
        lineage.pick(says).map_or(VisibleClaim::Nothing, |(by, number)| VisibleClaim::Value { by, number })
    }

    /// Whether two views of one pattern show the same value.
    pub fn shows_as(self, other: VisibleClaim<'_>) -> bool {
        match (self, other) {
            (VisibleClaim::Nothing, VisibleClaim::Nothing)
            | (VisibleClaim::OptedOut, VisibleClaim::OptedOut) => true,
            (VisibleClaim::Value { number: one, .. }, VisibleClaim::Value { number: other, .. }) => {
                one == other
            }
            _ => false,
        }
    }
}

/// Whether the counters know of any customer whom a job has to notify. Never false when
/// there is one; true also for an opt-out that isn't latched and may not be `true`.
pub fn has_pending_notifications(
    patterns: &ClaimStats,
    job: &ReassignmentJob,
    partition: &PartitionState,
    routing: &Routing,
) -> bool {
    let now = &partition.adopted.visible;
    let before = generations_before(std::slice::from_ref(job), now);
    job.fields.iter().any(|moved| {
        let Some(field) = routing.field(&moved.field) else { return false };
        patterns.of(&moved.field).any(|(pattern, _)| {
            let was = VisibleClaim::of(pattern, lineage_before(moved, field), &before);
            let is = VisibleClaim::of(pattern, field.lineage(), now);
            let is_notified = needs_notification(&moved.field, field, routing);
            let unlatched = field.protective && matches!(is, VisibleClaim::Value { .. });
            let offered = field.source.is_some() && pattern.held > 0;
            (is_notified && !was.shows_as(is)) || unlatched || offered || pattern.more
        })
    })
}
