//! What a token may see and do, one predicate a question.
//!
//! A scope names fields, classes and patterns; a policy is what they come to at one revision of
//! the registry, looked up instead of worked out. Whoever answers asks here about every field
//! before it leaves: a field outside the list must not be told apart from one that doesn't exist.

use std::collections::HashSet;

use super::scope::{Part, Scope, ScopeName};
use super::{DataClass, Registry};
use samsyn_vocabulary::{EventName, EventPattern, FieldName, IdentifierName};

/// What one token may do at one revision of the registry.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// What it may do of what is an administrator's.
    administers: Administers,
    /// Whether it reads the audits.
    audits: bool,
    registry: Registrar,
    events: Sends,
    reads: Reach,
    proposes: Reach,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Registrar {
    #[default]
    Nothing,
    Reads,
    Writes,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Administers {
    #[default]
    Nothing,
    Reads,
    Everything,
}

#[derive(Clone, Debug, Default)]
enum Sends {
    #[default]
    Nothing,
    Listed(Vec<EventPattern>),
    Everything,
}

/// Which parts of a profile.
#[derive(Clone, Debug, Default)]
enum Reach {
    #[default]
    Nothing,
    Listed {
        fields: HashSet<FieldName>,
        identifiers: HashSet<IdentifierName>,
    },
    Everything,
}

impl Policy {
    /// What these scopes come to.
    pub fn of(scopes: &[Scope], registry: &Registry) -> Policy {
        let mut policy = Policy::default();
        for scope in scopes {
            match scope {
                Scope::EventsWrite(patterns) => policy.events.add(patterns),
                Scope::ProfilesRead(_) | Scope::ProfilesPropose(_) => {}
                Scope::RegistryRead => policy.registry = policy.registry.max(Registrar::Reads),
                Scope::RegistryWrite => policy.registry = Registrar::Writes,
                Scope::AuditRead | Scope::AdminRead => {
                    policy.registry = policy.registry.max(Registrar::Reads);
                    policy.audits = true;
                    if *scope == Scope::AdminRead {
                        policy.administers = Administers::Reads;
                    }
                }
                Scope::Admin => return Policy::everything(),
            }
        }
        let reads = |scope: &Scope| match scope {
            Scope::ProfilesRead(parts) => Some(parts.clone()),
            _ => None,
        };
        let proposes = |scope: &Scope| match scope {
            Scope::ProfilesPropose(parts) => Some(parts.clone()),
            _ => None,
        };
        policy.reads = match policy.administers {
            Administers::Nothing => Reach::of(scopes.iter().filter_map(reads), registry),
            Administers::Reads | Administers::Everything => Reach::Everything,
        };
        policy.proposes = Reach::of(scopes.iter().filter_map(proposes), registry);
        policy
    }

    /// An administrator's.
    pub fn everything() -> Policy {
        Policy {
            administers: Administers::Everything,
            audits: true,
            registry: Registrar::Writes,
            events: Sends::Everything,
            reads: Reach::Everything,
            proposes: Reach::Everything,
        }
    }

    /// Whether it has a scope, narrowed or not.
    pub fn has(&self, scope: ScopeName) -> bool {
        match scope {
            ScopeName::EventsWrite => !matches!(self.events, Sends::Nothing),
            ScopeName::ProfilesRead => !matches!(self.reads, Reach::Nothing),
            ScopeName::ProfilesPropose => !matches!(self.proposes, Reach::Nothing),
            ScopeName::RegistryRead => self.registry >= Registrar::Reads,
            ScopeName::RegistryWrite => self.registry >= Registrar::Writes,
            ScopeName::AuditRead => self.audits,
            ScopeName::AdminRead => self.administers >= Administers::Reads,
            ScopeName::Admin => self.is_admin(),
        }
    }

    /// Whether it is an administrator's: changes everything, acts for any application.
    pub fn is_admin(&self) -> bool {
        self.administers == Administers::Everything
    }

    /// Whether it sees every capability's claims, those that didn't become the value too.
    pub fn reads_every_claim(&self) -> bool {
        self.has(ScopeName::AdminRead)
    }

    /// Whether it may send events of this name.
    pub fn sends(&self, event: &EventName) -> bool {
        match &self.events {
            Sends::Nothing => false,
            Sends::Listed(patterns) => patterns.iter().any(|pattern| pattern.matches(event)),
            Sends::Everything => true,
        }
    }

    /// Whether it may read anything of a profile, and so know that there is one.
    pub fn reads_profiles(&self) -> bool {
        self.has(ScopeName::ProfilesRead)
    }

    /// Whether it may read this field.
    pub fn reads(&self, field: &str) -> bool {
        self.reads.has_field(field)
    }

    /// Whether nothing of a profile is hidden from it, fields yet to be defined included.
    pub fn reads_everything(&self) -> bool {
        matches!(self.reads, Reach::Everything)
    }

    /// Whether it may see the values of this identifier, and look profiles up by them.
    pub fn sees_identifier(&self, identifier: &str) -> bool {
        match &self.reads {
            Reach::Nothing => false,
            Reach::Listed { identifiers, .. } => identifiers.contains(identifier),
            Reach::Everything => true,
        }
    }

    /// Whether it may propose values of this field.
    pub fn proposes(&self, field: &str) -> bool {
        self.proposes.has_field(field)
    }

    /// Whether it may know that the dictionary has this field.
    pub fn knows_field(&self, field: &str) -> bool {
        self.has(ScopeName::RegistryRead) || self.reads(field) || self.proposes(field)
    }

    /// Whether it may know that the dictionary has this identifier: every sender of events must.
    pub fn knows_identifier(&self, identifier: &str) -> bool {
        self.has(ScopeName::RegistryRead)
            || self.has(ScopeName::EventsWrite)
            || self.sees_identifier(identifier)
    }
}

impl Sends {
    fn add(&mut self, patterns: &[EventPattern]) {
        match self {
            Sends::Everything => {}
            _ if patterns.is_empty() => *self = Sends::Everything,
            Sends::Listed(listed) => listed.extend_from_slice(patterns),
            Sends::Nothing => *self = Sends::Listed(patterns.to_vec()),
        }
    }
}

impl Reach {
    /// What the lists of all scopes of one name come to; a list without anything is everything.
    fn of(lists: impl Iterator<Item = Vec<Part>>, registry: &Registry) -> Reach {
        let lists: Vec<Vec<Part>> = lists.collect();
        if lists.is_empty() {
            return Reach::Nothing;
        }
        let parts = || lists.iter().flatten();
        let has_class =
            |class: DataClass| parts().any(|part| matches!(part, Part::Class(is) if *is == class));
        let every_class =
            [DataClass::None, DataClass::Personal, DataClass::Sensitive].into_iter().all(has_class);
        if every_class || lists.iter().any(Vec::is_empty) {
            return Reach::Everything;
        }
        let of_class = registry.fields.iter().filter(|(_, field)| has_class(field.class));
        let mut fields: HashSet<FieldName> = of_class.map(|(name, _)| name.clone()).collect();
        let mut identifiers: HashSet<IdentifierName> = HashSet::new();
        if has_class(DataClass::Personal) {
            identifiers.extend(registry.identifiers.keys().cloned());
        }
        for part in parts() {
            match part {
                Part::Field(name) => {
                    fields.insert(name.clone());
                }
                Part::Identifier(name) => {
                    identifiers.insert(name.clone());
                }
                Part::Class(_) => {}
            }
        }
        Reach::Listed { fields, identifiers }
    }

    fn has_field(&self, field: &str) -> bool {
        match self {
            Reach::Nothing => false,
            Reach::Listed { fields, .. } => fields.contains(field),
            Reach::Everything => true,
        }
    }
}

#[cfg(test)]
#[path = "policy_tests.rs"]
mod tests;
