//! Notifications that a customer's consumers have yet to get about sources that moved: a pure function of
//! the profile, the jobs under way and the registry.

use std::borrow::Cow;
use std::collections::BTreeMap;

use samsyn_journal::{
    Changed, HeldProposal, MovedField, PartitionState, ProfileState, ReassignmentJob, Visible,
};
use samsyn_registry::{Field, Lineage, Routing};
use samsyn_vocabulary::{CapabilityName, FieldName, Value};

/// What one customer's next record notifies consumers of.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PendingNotifications {
    /// Visible values that differ since.
    pub changes: Vec<Changed>,
    /// Held proposals whose field has a source since.
    pub offered: Vec<HeldProposal>,
}

impl PendingNotifications {
    /// Whether there is no notification.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.offered.is_empty()
    }
}

/// Whether a change of the field notifies anybody, or has an effect of its own: an opt-out
/// is latched, a value that identifies is linked.
pub fn needs_notification(name: &FieldName, field: &Field, routing: &Routing) -> bool {
    field.protective || field.identifies.is_some() || !routing.observers(name).is_empty()
}

/// The field as a job remembers it.
pub fn lineage_before<'a>(moved: &'a MovedField, field: &Field) -> Lineage<'a> {
    Lineage { source: moved.source.as_ref(), inherits: &moved.inherits, protective: field.protective }
}

/// The generations that counted before these jobs.
pub fn generations_before<'a>(
    jobs: &[ReassignmentJob],
    now: &'a BTreeMap<CapabilityName, u32>,
) -> Cow<'a, BTreeMap<CapabilityName, u32>> {
    if jobs.iter().all(|job| job.generations.is_empty()) {
        return Cow::Borrowed(now);
    }
    let mut before = now.clone();
    // Newest first, so that the oldest job wins.
    for job in jobs.iter().rev() {
        before.extend(job.generations.iter().map(|(name, generation)| (name.clone(), *generation)));
    }
    Cow::Owned(before)
}

/// The pending notifications of a customer whose newest record is older than some jobs. Empty, and
/// nearly free, when no job runs.
pub fn pending_notifications(
    state: &ProfileState,
    partition: &PartitionState,
    routing: &Routing,
) -> PendingNotifications {
    let jobs = partition.pending_jobs(state.head);
    let mut pending = PendingNotifications::default();
    // Nobody was ever notified about a customer without a record.
    if jobs.is_empty() || state.head.is_none() {
        return pending;
    }
    let now = &partition.adopted.visible;
    let before = generations_before(jobs, now);
    let mut seen: Vec<&FieldName> = Vec::new();
    for moved in jobs.iter().flat_map(|job| &job.fields) {
        if seen.contains(&&moved.field) {
            continue;
        }
        seen.push(&moved.field);
        let Some(field) = routing.field(&moved.field) else { continue };
        if field.source.is_some() {
            pending.offered.extend(state.held.iter().filter(|held| held.field == moved.field).cloned());
        }
        if !needs_notification(&moved.field, field, routing) {
            continue;
        }
        let was = state.visible_by(&moved.field, lineage_before(moved, field), &before);
        let is = state.visible(&moved.field, field, now);
        pending.changes.extend(changed(state, moved, field, was, is));
    }
    pending
}

fn changed(
    state: &ProfileState,
    moved: &MovedField,
    field: &Field,
    was: Option<Visible<'_>>,
    is: Option<Visible<'_>>,
) -> Option<Changed> {
    let opted_out = |visible: &Option<Visible<'_>>| {
        visible.as_ref().is_some_and(|visible| *visible.value == Value::Boolean(true))
    };
    let latched = state.is_latched(&moved.field);
    // Whatever the new source says, an opt-out that everybody saw stays.
    let stays = field.protective && !latched && opted_out(&was);
    let is = if stays { was.clone() } else { is };
    let latches = field.protective && !latched && opted_out(&is);
    let value = |visible: &Option<Visible<'_>>| visible.as_ref().map(|visible| visible.value.clone());
    let (before, after) = (value(&was), value(&is));
    if before == after && !latches {
        return None;
    }
    let holder =
        is.as_ref().map(|visible| visible.by).or(field.source.as_ref()).or(was.as_ref().map(|was| was.by));
    Some(Changed {
        by: holder?.clone(),
        field: moved.field.clone(),
        before,
        after,
        protective: field.protective,
    })
}
