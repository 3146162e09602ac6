//! What the consumers of a customer have yet to hear of sources that moved: a pure function of
//! the profile, the jobs under way and the registry.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::record::{Changed, HeldProposal, MovedField, PartitionState, ProfileState, TellingJob, Visible};
use crate::registry::{Field, Lineage, Routing};
use crate::vocabulary::{CapabilityName, FieldName, Value};

/// What one customer's next record has to tell.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Owed {
    /// Visible values that are others since.
    pub changes: Vec<Changed>,
    /// Held proposals whose field has a source since.
    pub offered: Vec<HeldProposal>,
}

impl Owed {
    /// Whether there is nothing to tell.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.offered.is_empty()
    }
}

/// Whether anybody hears of the field, or something follows from its value by itself: an opt-out
/// is latched, a value that identifies is linked.
pub fn is_told(name: &FieldName, field: &Field, routing: &Routing) -> bool {
    field.protective || field.identifies.is_some() || !routing.observers(name).is_empty()
}

/// The field as a job remembers it.
pub fn lineage_before<'a>(moved: &'a MovedField, field: &Field) -> Lineage<'a> {
    Lineage { source: moved.source.as_ref(), inherits: &moved.inherits, protective: field.protective }
}

/// The generations that counted before these jobs.
pub fn generations_before<'a>(
    jobs: &[TellingJob],
    now: &'a BTreeMap<CapabilityName, u32>,
) -> Cow<'a, BTreeMap<CapabilityName, u32>> {
    if jobs.iter().all(|job| job.generations.is_empty()) {
        return Cow::Borrowed(now);
    }
    let mut before = now.clone();
    // Newest first, so that the oldest job has the last word.
    for job in jobs.iter().rev() {
        before.extend(job.generations.iter().map(|(name, generation)| (name.clone(), *generation)));
    }
    Cow::Owned(before)
}

/// What a customer whose newest record is older than some jobs is owed. Empty, and next to free,
/// when no job is under way.
pub fn owed(state: &ProfileState, partition: &PartitionState, routing: &Routing) -> Owed {
    let jobs = partition.untold(state.head);
    let mut owed = Owed::default();
    // Of a customer without a record nobody has heard anything.
    if jobs.is_empty() || state.head == 0 {
        return owed;
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
            owed.offered.extend(state.held.iter().filter(|held| held.field == moved.field).cloned());
        }
        if !is_told(&moved.field, field, routing) {
            continue;
        }
        let was = state.visible_by(&moved.field, lineage_before(moved, field), &before);
        let is = state.visible(&moved.field, field, now);
        owed.changes.extend(changed(state, moved, field, was, is));
    }
    owed
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
    let holder = is.as_ref().map(|is| is.by).or(field.source.as_ref()).or(was.as_ref().map(|was| was.by));
    Some(Changed {
        by: holder?.clone(),
        field: moved.field.clone(),
        before,
        after,
        protective: field.protective,
    })
}
