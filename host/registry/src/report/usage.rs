//! What plug-ins and applications really did, as far as the silo report asks: which events there
//! were, who emitted which, who claimed which field.
//!
//! It folds with the log, a partition at a time. Most records only count one event up: the names of
//! what else happens are there after the first time, and then nothing is written.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use samsyn_vocabulary::{CapabilityName, EventName, EventPattern, FieldName, ProfileId};

/// Event names that are told apart in a partition. Applications choose them, so there must be an
/// end; a platform that knows its events has some tens. Names have at most 64 bytes: 12 KiB.
pub const EVENT_NAMES_MAX: usize = 160;
/// Pairs of a capability and a field or event of its own that are told apart in a partition.
/// Together with the names above they stay below the 48 KiB that an entry of the view may have.
pub const PAIRS_MAX: usize = 400;

/// Protective fields whose refused opt-outs are told apart in a partition.
pub const REFUSED_FIELDS_MAX: usize = 8;
/// Customers shown of each: the latest.
pub const REFUSED_SAMPLES_MAX: usize = 3;

/// What was used, in one partition or in all of them together.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// How many events of each name applications sent.
    #[serde(default)]
    pub events: BTreeMap<EventName, u64>,
    /// How many of each name a capability emitted.
    #[serde(default)]
    pub emitted: BTreeMap<CapabilityName, BTreeMap<EventName, u64>>,
    /// The fields a capability ever made a claim for.
    #[serde(default)]
    pub claimed: BTreeMap<CapabilityName, BTreeSet<FieldName>>,
    /// Opt-outs that were refused, by protective field.
    #[serde(default)]
    pub refused_opt_outs: BTreeMap<FieldName, RefusedOptOuts>,
    /// More different event names came than are told apart.
    #[serde(default)]
    pub events_overflow: bool,
    /// More different claims and emitted events came than are told apart.
    #[serde(default)]
    pub pairs_overflow: bool,
}

/// Opt-outs of one field that were refused.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedOptOuts {
    pub count: u64,
    /// Of whom, the latest last: at most [`REFUSED_SAMPLES_MAX`].
    pub latest: Vec<ProfileId>,
}

impl Usage {
    /// A customer's opt-out was refused.
    pub fn refused_opt_out(&mut self, field: &FieldName, profile: ProfileId) {
        let room = self.refused_opt_outs.len() < REFUSED_FIELDS_MAX;
        if !room && !self.refused_opt_outs.contains_key(field) {
            return;
        }
        let refused = self.refused_opt_outs.entry(field.clone()).or_default();
        refused.count += 1;
        refused.latest.retain(|known| *known != profile);
        refused.latest.push(profile);
        let surplus = refused.latest.len().saturating_sub(REFUSED_SAMPLES_MAX);
        refused.latest.drain(..surplus);
    }

    /// The counts alone, for a token that may not know which customers they are about.
    pub fn forget_customers(&mut self) {
        self.refused_opt_outs.values_mut().for_each(|refused| refused.latest.clear());
    }

    /// An application sent an event.
    pub fn event(&mut self, name: &EventName) {
        if let Some(count) = self.events.get_mut(name) {
            *count += 1;
        } else if self.events.len() < EVENT_NAMES_MAX {
            self.events.insert(name.clone(), 1);
        } else {
            self.events_overflow = true;
        }
    }

    /// A capability emitted an event.
    pub fn emission(&mut self, by: &CapabilityName, name: &EventName) {
        if let Some(count) = self.emitted.get_mut(by).and_then(|events| events.get_mut(name)) {
            *count += 1;
        } else if self.has_room_for_a_pair() {
            self.emitted.entry(by.clone()).or_default().insert(name.clone(), 1);
        }
    }

    /// A capability made claims for these fields.
    pub fn claims<'a>(&mut self, by: &CapabilityName, fields: impl Iterator<Item = &'a FieldName>) {
        // Looked up once: mostly there is nothing new.
        let known = self.claimed.get(by);
        let new = fields.filter(|field| known.is_none_or(|known| !known.contains(*field)));
        for field in new.collect::<Vec<_>>() {
            // The same field may come twice.
            if !self.has_claimed(by, field) && self.has_room_for_a_pair() {
                self.claimed.entry(by.clone()).or_default().insert(field.clone());
            }
        }
    }

    fn has_room_for_a_pair(&mut self) -> bool {
        let emitted: usize = self.emitted.values().map(BTreeMap::len).sum();
        let claimed: usize = self.claimed.values().map(BTreeSet::len).sum();
        let room = emitted + claimed < PAIRS_MAX;
        self.pairs_overflow |= !room;
        room
    }

    /// Adds what another partition saw.
    pub fn add(&mut self, other: &Usage) {
        for (name, count) in &other.events {
            *self.events.entry(name.clone()).or_default() += count;
        }
        for (by, events) in &other.emitted {
            let mine = self.emitted.entry(by.clone()).or_default();
            for (name, count) in events {
                *mine.entry(name.clone()).or_default() += count;
            }
        }
        for (by, fields) in &other.claimed {
            self.claimed.entry(by.clone()).or_default().extend(fields.iter().cloned());
        }
        for (field, refused) in &other.refused_opt_outs {
            let mine = self.refused_opt_outs.entry(field.clone()).or_default();
            mine.count += refused.count;
            let room = REFUSED_SAMPLES_MAX.saturating_sub(mine.latest.len());
            mine.latest.extend(refused.latest.iter().rev().take(room));
        }
        self.events_overflow |= other.events_overflow;
        self.pairs_overflow |= other.pairs_overflow;
    }

    /// Whether a capability ever made a claim for the field.
    pub fn has_claimed(&self, by: &CapabilityName, field: &FieldName) -> bool {
        self.claimed.get(by).is_some_and(|fields| fields.contains(field))
    }

    /// Whether anybody ever made a claim for the field, so that it can have had a value.
    pub fn was_claimed(&self, field: &FieldName) -> bool {
        self.claimed.values().any(|fields| fields.contains(field))
    }

    /// Whether a capability ever emitted an event of this name.
    pub fn has_emitted(&self, by: &CapabilityName, event: &EventName) -> bool {
        self.emitted.get(by).is_some_and(|events| events.contains_key(event))
    }

    /// Whether there ever was an event that this capability hears by the pattern: nobody hears of
    /// their own.
    pub fn could_hear(&self, capability: &CapabilityName, pattern: &EventPattern) -> bool {
        let others = self.emitted.iter().filter(|(by, _)| *by != capability);
        let emitted = others.flat_map(|(_, events)| events.keys());
        self.events.keys().chain(emitted).any(|event| pattern.matches(event))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(name: &str) -> EventName {
        EventName::new(name).unwrap()
    }

    fn capability(name: &str) -> CapabilityName {
        CapabilityName::new(name).unwrap()
    }

    #[test]
    fn partitions_add_up() {
        let (mut one, mut other) = (Usage::default(), Usage::default());
        let points = FieldName::new("loyalty.points").unwrap();
        for usage in [&mut one, &mut other] {
            usage.event(&event("order.completed"));
            usage.emission(&capability("loyalty"), &event("loyalty.tier_reached"));
        }
        other.claims(&capability("loyalty"), [&points, &points].into_iter());
        one.add(&other);
        assert_eq!(one.events[&event("order.completed")], 2);
        assert_eq!(one.emitted[&capability("loyalty")][&event("loyalty.tier_reached")], 2);
        assert!(one.has_claimed(&capability("loyalty"), &points) && one.was_claimed(&points));
        assert!(!one.has_claimed(&capability("crm"), &points));
        assert!(!one.events_overflow && !one.pairs_overflow);
    }

    #[test]
    fn nobody_hears_of_their_own() {
        let mut usage = Usage::default();
        usage.emission(&capability("loyalty"), &event("loyalty.tier_reached"));
        let pattern = EventPattern::new("loyalty.*").unwrap();
        assert!(!usage.could_hear(&capability("loyalty"), &pattern));
        assert!(usage.could_hear(&capability("email"), &pattern));
    }

    #[test]
    fn names_that_applications_invent_have_an_end_and_leave_what_is_known_counting() {
        let mut usage = Usage::default();
        for number in 0..EVENT_NAMES_MAX + 10 {
            usage.event(&event(&format!("order.a{number}")));
        }
        assert_eq!(usage.events.len(), EVENT_NAMES_MAX);
        assert!(usage.events_overflow && !usage.pairs_overflow);
        usage.event(&event("order.a0"));
        assert_eq!(usage.events[&event("order.a0")], 2);
    }
}
