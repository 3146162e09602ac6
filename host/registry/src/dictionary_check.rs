//! What the dictionary can become: no field changes under those who use it.

use super::{Registry, RegistryChange, RegistryError};
use samsyn_vocabulary::{CapabilityName, FieldName, Type};

impl Registry {
    /// The field of this name.
    pub(super) fn known_field(&self, name: &FieldName) -> Result<&super::Field, RegistryError> {
        let unknown = || RegistryError::Unknown { kind: "field", name: name.to_string() };
        self.fields.get(name).ok_or_else(unknown)
    }

    /// The capabilities that may make claims for a field or read it.
    pub fn users_of(&self, field: &FieldName) -> Vec<CapabilityName> {
        let uses =
            |is: &super::Capability| is.grant.sources().contains(field) || is.grant.reads.contains(field);
        self.capabilities.iter().filter(|(_, is)| uses(is)).map(|(name, _)| name.clone()).collect()
    }

    pub(super) fn check_unused(&self, name: &FieldName) -> Result<(), RegistryError> {
        self.known_field(name)?;
        let by = self.users_of(name);
        if by.is_empty() { Ok(()) } else { Err(RegistryError::InUse { field: name.clone(), by }) }
    }

    pub(super) fn check_rename(&self, from: &FieldName, to: &FieldName) -> Result<(), RegistryError> {
        self.check_unused(from)?;
        let why = if self.fields.contains_key(to) {
            "is a field already; choose another name, or remove that field first".to_owned()
        } else if let Some(by) = self.users_of(to).first() {
            format!("is what {by} asks for; accept the field that it brings instead")
        } else if self.claimed.contains_key(from) {
            format!(
                "can't be the new name of {from}: what was said of that is kept under its old name; define a new field instead"
            )
        } else {
            return self.check_kind(to, self.known_field(from)?.kind);
        };
        Err(RegistryError::Invalid { name: to.to_string(), why })
    }

    /// A name keeps the type that plug-ins could claim values of: what they said stays in the log
    /// and comes back with them.
    pub(super) fn check_kind(&self, name: &FieldName, kind: Type) -> Result<(), RegistryError> {
        match self.claimed.get(name) {
            Some(claimed) if *claimed != kind => Err(RegistryError::Invalid {
                name: name.to_string(),
                why: format!(
                    "has been {claimed}, and plug-ins made claims of it, so it can't become {kind}; \
                     define a field of another name, have it sourced, and then deprecate this one"
                ),
            }),
            _ => Ok(()),
        }
    }

    /// Remembers of which type the claims are that a capability may make.
    pub(super) fn note_claims(&mut self, capability: &CapabilityName) {
        let Some(capability) = self.capabilities.get(capability) else { return };
        for name in capability.grant.sources() {
            if let Some(field) = self.fields.get(name) {
                self.claimed.insert(name.clone(), field.kind);
            }
        }
    }

    /// Each change is checked against what the ones before it make of the registry.
    pub(super) fn check_many(&self, changes: &[RegistryChange]) -> Result<(), RegistryError> {
        let mut next = self.clone();
        for change in changes {
            next.check(change)?;
            let unreadable = |error: super::ManifestError| RegistryError::Invalid {
                name: "the manifest".to_owned(),
                why: error.to_string(),
            };
            next.take(self.revision + 1, change).map_err(unreadable)?;
        }
        Ok(())
    }

    /// What accepting a proposed field changes: the plug-in that brought it becomes its source, if
    /// it still may.
    pub fn accept(&self, name: &FieldName) -> Result<RegistryChange, RegistryError> {
        let mut changes = vec![RegistryChange::FieldAccepted { name: name.clone() }];
        changes.extend(self.assign_to_bringer(name)?);
        Ok(RegistryChange::Many { changes })
    }

    /// What defining a field changes. Defining one that a plug-in brought accepts it.
    pub fn define(&self, name: FieldName, field: super::Field) -> RegistryChange {
        let assigned = self.assign_to_bringer(&name).ok().flatten();
        let defined = RegistryChange::FieldDefined { name, field };
        match assigned {
            None => defined,
            Some(assigned) => RegistryChange::Many { changes: vec![defined, assigned] },
        }
    }

    /// What deprecating a field changes, or taking that back when there is no note. Nothing else
    /// of the definition is touched.
    pub fn deprecate(&self, name: &FieldName, note: Option<String>) -> Result<RegistryChange, RegistryError> {
        let field = super::Field { deprecated: note, ..self.known_field(name)?.clone() };
        Ok(RegistryChange::FieldDefined { name: name.clone(), field })
    }

    fn assign_to_bringer(&self, name: &FieldName) -> Result<Option<RegistryChange>, RegistryError> {
        let super::FieldStatus::Proposed { by } = &self.known_field(name)?.status else { return Ok(None) };
        let may = self.capabilities.get(by).is_some_and(|is| is.grant.sources().contains(name));
        let source = Some(by.clone());
        Ok(may.then(|| RegistryChange::SourceAssigned { field: name.clone(), source }))
    }
}
