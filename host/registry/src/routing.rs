//! The registry as the hot path wants it: which capabilities receive, source and consume what, looked up once a
//! revision instead of once an event.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::manifest::Properties;
use super::{Capability, Field, Registry};
use samsyn_vocabulary::{CapabilityName, EventName, FieldName, Role, Speaker};

/// Which capabilities receive, source and consume what.
#[derive(Debug, Default)]
pub struct Routing {
    /// Every installed capability, by name; the other tables hold indexes into this.
    pub capabilities: Vec<Routed>,
    sources: HashMap<FieldName, Vec<usize>>,
    observers: HashMap<FieldName, Vec<usize>>,
    /// The dictionary, for look-ups by text.
    fields: HashMap<FieldName, Field>,
    /// Events that some capability receives for every customer who shares their identifiers.
    shared: BTreeSet<EventName>,
}

/// One capability as the hot path wants it.
#[derive(Debug, Clone)]
pub struct Routed {
    pub name: CapabilityName,
    /// Its name as a speaker of claims.
    pub speaker: Speaker,
    /// Everything else about it.
    pub capability: Arc<Capability>,
    /// The consumed fields that were granted.
    pub reads: Vec<FieldName>,
    /// The sourced fields that were granted and are in the dictionary.
    pub claims: BTreeSet<FieldName>,
}

impl Routed {
    fn has(&self, role: Role) -> bool {
        self.capability.roles.contains(&role)
    }

    /// Whether it makes claims of this field.
    pub fn sources(&self, field: &FieldName) -> bool {
        self.claims.contains(field)
    }

    /// The declared properties of an event it hears and was granted.
    pub fn hears(&self, event: &EventName) -> Option<&Properties> {
        if !self.has(Role::Subscriber) || !self.capability.grant.hears.iter().any(|is| is.matches(event)) {
            return None;
        }
        self.capability.manifest.subscription(event)
    }

    /// Whether it receives an event also for customers who only share the event's identifiers.
    pub fn hears_shared(&self, event: &EventName) -> bool {
        self.capability.manifest.plugin.shared_events.contains(event) && self.hears(event).is_some()
    }

    /// Whether it is told when this field's visible value changes.
    pub fn observes(&self, field: &FieldName) -> bool {
        self.has(Role::Observer)
            && self.reads.contains(field)
            && self.capability.manifest.consumes.get(field).is_some_and(|consumed| consumed.notify)
    }
}

impl Routing {
    /// The tables of a registry.
    pub fn of(registry: &Registry) -> Routing {
        let mut routing =
            Routing { fields: registry.fields.clone().into_iter().collect(), ..Routing::default() };
        for (name, capability) in &registry.capabilities {
            let index = routing.capabilities.len();
            let consumes = capability.manifest.consumes.keys();
            let sources = capability.manifest.sources.keys();
            let may_claim = |field: &&FieldName| {
                capability.grant.sources().contains(field) && registry.fields.contains_key(*field)
            };
            let routed = Routed {
                name: name.clone(),
                speaker: Speaker::from(name),
                reads: consumes.filter(|field| capability.grant.reads.contains(field)).cloned().collect(),
                claims: sources.filter(may_claim).cloned().collect(),
                capability: capability.clone(),
            };
            if routed.has(Role::Source) {
                for field in &routed.claims {
                    routing.sources.entry(field.clone()).or_default().push(index);
                }
            }
            for field in routed.reads.iter().filter(|field| routed.observes(field)) {
                routing.observers.entry(field.clone()).or_default().push(index);
            }
            let events = routed.capability.manifest.plugin.shared_events.iter();
            routing.shared.extend(events.filter(|event| routed.hears_shared(event)).cloned());
            routing.capabilities.push(routed);
        }
        routing
    }

    /// The capabilities that decide proposals of this field.
    pub fn deciders(&self, field: &FieldName) -> &[usize] {
        self.sources.get(field).map_or(&[], Vec::as_slice)
    }

    /// The capabilities told of changes of this field.
    pub fn observers(&self, field: &FieldName) -> &[usize] {
        self.observers.get(field).map_or(&[], Vec::as_slice)
    }

    /// The dictionary's entry.
    pub fn field(&self, name: &FieldName) -> Option<&Field> {
        self.fields.get(name)
    }

    /// Whether an event is for every customer who shares its identifiers.
    pub fn is_shared(&self, event: &EventName) -> bool {
        self.shared.contains(event)
    }

    /// The capability of that name and its index.
    pub fn capability(&self, name: &CapabilityName) -> Option<(usize, &Routed)> {
        let index = self.capabilities.binary_search_by(|routed| routed.name.cmp(name)).ok()?;
        Some((index, &self.capabilities[index]))
    }
}
