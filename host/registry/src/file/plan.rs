//! From a registry file and a registry to the changes that make them the same: a pure function.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::{FileError, FiledField, FiledGrant, RegistryFile, rename};
use crate::assignment::{Mode, Request};
use crate::difference::{Difference, differences};
use crate::endpoint::EndpointChange;
use crate::{Assigned, Endpoint, Field, Grant, Registry, RegistryChange, RegistryError};
use samsyn_vocabulary::{CapabilityName, EndpointName, FieldName, Seq};

/// What applying a file would change.
#[derive(Clone, Debug)]
pub struct RegistryPlan {
    /// The revision of the registry that it was planned for.
    pub revision: Seq,
    /// What becomes of customers that a new source has no claim for.
    pub mode: Mode,
    /// What changes, for people; empty when the registry is as the file says.
    pub steps: Vec<Step>,
    /// What an administrator should know first.
    pub notes: Vec<String>,
    /// Each field that gets another source, to count whom that concerns.
    pub moves: Vec<PlannedMove>,
    /// The same as the steps for the registry, in an order in which each is possible.
    pub changes: Vec<RegistryChange>,
}

/// A field that gets another source.
#[derive(Clone, Debug, PartialEq)]
pub struct PlannedMove {
    /// Whose claims are its values then.
    pub assigned: Assigned,
    /// What it is then.
    pub field: Field,
}

/// One thing that changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What happens to it.
    pub action: Action,
    /// `field`, `identifier`, `secret`, `source`, `plugin` or `endpoint`.
    pub what: &'static str,
    /// Which.
    pub name: String,
    /// What of it, such as `class: none → personal`.
    pub details: Vec<String>,
}

/// What happens to a part of the registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// It is new.
    Add,
    /// It exists and changes.
    Change,
    /// It gets another name.
    Rename,
    /// A plug-in added it, and it becomes a defined field.
    Accept,
    /// It is removed.
    Remove,
    /// A field gets another source.
    Assign,
    /// A plug-in's grants change.
    Grant,
    /// An endpoint is bound, or bound otherwise.
    Bind,
    /// An endpoint is bound no more.
    Unbind,
}

impl RegistryPlan {
    /// Whether plug-ins would be allowed more or less, which is for administrators.
    pub fn changes_grants(&self) -> bool {
        let grants = |step: &Step| matches!(step.action, Action::Grant | Action::Bind | Action::Unbind);
        self.steps.iter().any(grants)
    }
}

impl RegistryFile {
    /// Plans applying this file so that nobody loses a value by it. What it leaves out is taken away only
    /// with `remove`, and identifiers never: customers go by them.
    pub fn plan(&self, registry: &Registry, remove: bool) -> Result<RegistryPlan, FileError> {
        self.plan_with(registry, remove, Mode::Inherit)
    }

    /// Plans applying this file, and says what becomes of customers that a new source has no claim for.
    pub fn plan_with(
        &self,
        registry: &Registry,
        remove: bool,
        mode: Mode,
    ) -> Result<RegistryPlan, FileError> {
        let mut planner = Planner {
            next: registry.clone(),
            mode,
            steps: Vec::new(),
            notes: Vec::new(),
            moves: Vec::new(),
            changes: Vec::new(),
        };
        planner.secrets(self)?;
        planner.identifiers(self)?;
        planner.renames(self)?;
        for (name, filed) in &self.fields {
            planner.field(name, filed)?;
        }
        // Grants come before sources: a capability must be allowed to claim a field before it becomes its source,
        // and may lose that only after it was replaced.
        let grants = planner.grants(self)?;
        for (name, grant) in &grants {
            planner.grant(name, planner.granted(name).with(grant))?;
        }
        planner.sources(self, remove)?;
        for (name, grant) in grants {
            planner.grant(&name, grant)?;
        }
        planner.endpoints(self, remove)?;
        planner.removals(self, remove)?;
        let Planner { steps, notes, moves, changes, .. } = planner;
        Ok(RegistryPlan { revision: registry.revision, mode, steps, notes, moves, changes })
    }
}

/// The registry as the changes so far make it.
struct Planner {
    next: Registry,
    mode: Mode,
    steps: Vec<Step>,
    notes: Vec<String>,
    moves: Vec<PlannedMove>,
    changes: Vec<RegistryChange>,
}

impl Planner {
    /// Makes a change that the file asks for at this place.
    fn make(&mut self, place: &str, change: RegistryChange) -> Result<(), FileError> {
        self.next.check(&change).map_err(|error: RegistryError| FileError::at(place, error))?;
        self.next.take(self.next.revision + 1, &change).map_err(|error| FileError::at(place, error))?;
        self.changes.push(change);
        Ok(())
    }

    fn step(&mut self, action: Action, what: &'static str, name: impl ToString, details: Vec<String>) {
        self.steps.push(Step { action, what, name: name.to_string(), details });
    }

    /// Secrets get their names. None goes with a file: its value couldn't be had back.
    fn secrets(&mut self, file: &RegistryFile) -> Result<(), FileError> {
        for name in
            file.secrets.iter().filter(|name| !self.next.secrets.contains_key(*name)).collect::<Vec<_>>()
        {
            self.step(Action::Add, "secret", name, Vec::new());
            self.make(&format!("secrets: {name}"), RegistryChange::SecretNamed { name: name.clone() })?;
        }
        for name in self.next.secrets.keys().filter(|name| !file.secrets.contains(*name)) {
            self.notes.push(format!(
                "the secret {name} is not in the file and stays: `samsyn secret retire {name} --all` removes it"
            ));
        }
        Ok(())
    }

    fn identifiers(&mut self, file: &RegistryFile) -> Result<(), FileError> {
        for (name, kind) in &file.identifiers {
            let known = self.next.identifiers.get(name).cloned();
            if known.as_ref() == Some(kind) {
                continue;
            }
            let shown = |kind: &crate::IdentifierKind| toml_line(kind);
            let (action, before) = match &known {
                None => (Action::Add, "nothing".to_owned()),
                Some(known) => (Action::Change, shown(known)),
            };
            self.step(action, "identifier", name, vec![format!("{before} → {}", shown(kind))]);
            let change = RegistryChange::identifier(name.clone(), kind.clone());
            self.make(&format!("identifiers.{name}"), change)?;
        }
        for name in self.next.identifiers.keys().filter(|name| !file.identifiers.contains_key(*name)) {
            self.notes
                .push(format!("the identifier {name} is not in the file and stays: customers may have it"));
        }
        Ok(())
    }

    fn renames(&mut self, file: &RegistryFile) -> Result<(), FileError> {
        for (from, to) in rename::order(&file.fields)? {
            let (is_old, is_new) = (self.next.fields.contains_key(&from), self.next.fields.contains_key(&to));
            // A file says for good what a field was called before: done is done.
            if !is_old && is_new {
                continue;
            }
            self.step(Action::Rename, "field", &to, vec![format!("name: {from} → {to}")]);
            let change = RegistryChange::FieldRenamed { from, to: to.clone() };
            self.make(&format!("fields.{to}.renamed_from"), change)?;
        }
        Ok(())
    }

    fn field(&mut self, name: &FieldName, filed: &FiledField) -> Result<(), FileError> {
        let wanted = filed.field();
        let known = self.next.fields.get(name).cloned();
        let details = differences(known.as_ref().map(FiledField::of).as_ref(), &FiledField::of(&wanted));
        let details: Vec<String> = details.iter().map(Difference::as_line).collect();
        let action = match &known {
            None => Action::Add,
            Some(known) if !known.status.is_defined() => Action::Accept,
            Some(_) if details.is_empty() => return Ok(()),
            Some(_) => Action::Change,
        };
        self.step(action, "field", name, details);
        self.make(
            &format!("fields.{name}"),
            RegistryChange::FieldDefined { name: name.clone(), field: wanted },
        )
    }

    fn granted(&self, name: &CapabilityName) -> Grant {
        self.next.capabilities.get(name).map(|is| is.grant.clone()).unwrap_or_default()
    }

    /// What each plug-in of the file is to be granted.
    fn grants(&mut self, file: &RegistryFile) -> Result<BTreeMap<CapabilityName, Grant>, FileError> {
        let mut grants = BTreeMap::new();
        for (name, filed) in &file.grants {
            if !self.next.capabilities.contains_key(name) {
                let why =
                    format!("the capability {name} is not installed; install it first, or remove the table");
                return Err(FileError::at(format!("grants.{name}"), why));
            }
            let now = self.granted(name);
            let wanted = filed.over(&now);
            let (more, less) = (wanted.without(&now), now.without(&wanted));
            if more.is_empty() && less.is_empty() {
                continue;
            }
            let more = more.in_words().into_iter().map(|what| format!("+ {what}"));
            let less = less.in_words().into_iter().map(|what| format!("- {what}"));
            self.step(Action::Grant, "plugin", name, more.chain(less).collect());
            grants.insert(name.clone(), wanted);
        }
        Ok(grants)
    }

    fn grant(&mut self, name: &CapabilityName, grant: Grant) -> Result<(), FileError> {
        let now = self.granted(name);
        if grant.without(&now).is_empty() && now.without(&grant).is_empty() {
            return Ok(());
        }
        self.make(&format!("grants.{name}"), RegistryChange::Granted { capability: name.clone(), grant })
    }

    fn sources(&mut self, file: &RegistryFile, remove: bool) -> Result<(), FileError> {
        for (field, source) in &file.sources {
            if self.next.source_of(field.as_str()) != Some(source) {
                self.assign(field, Some(source.clone()))?;
            }
        }
        let sourced = self.next.fields.iter().filter(|(_, field)| field.source.is_some());
        let left_out = sourced.filter(|(name, _)| !file.sources.contains_key(*name));
        let left_out: Vec<FieldName> = left_out.map(|(name, _)| name.clone()).collect();
        for field in left_out {
            if remove {
                self.assign(&field, None)?;
            } else {
                self.notes.push(format!("the source of {field} is not in the file and stays"));
            }
        }
        Ok(())
    }

    fn assign(&mut self, field: &FieldName, source: Option<CapabilityName>) -> Result<(), FileError> {
        let shown = |source: Option<&CapabilityName>| source.map_or("none".to_owned(), ToString::to_string);
        let before = shown(self.next.source_of(field.as_str()));
        self.step(Action::Assign, "source", field, vec![format!("{before} → {}", shown(source.as_ref()))]);
        let place = format!("sources.{field}");
        let request = Request { fields: vec![field.clone()], to: source, mode: self.mode };
        let fields = self.next.assign(&request).map_err(|error| FileError::at(place.as_str(), error))?;
        let moved = fields.iter().filter_map(|assigned| {
            let field = self.next.fields.get(&assigned.field)?.clone();
            Some(PlannedMove { assigned: assigned.clone(), field })
        });
        self.moves.extend(moved);
        self.make(&place, RegistryChange::SourcesMoved { fields })
    }

    fn endpoints(&mut self, file: &RegistryFile, remove: bool) -> Result<(), FileError> {
        for (capability, endpoints) in &file.endpoints {
            for (name, request) in endpoints {
                let wanted = EndpointChange::Bind(Box::new(request.clone()));
                self.endpoint(Action::Bind, capability, name, wanted)?;
            }
        }
        let is_filed = |endpoint: &Endpoint<'_>| {
            file.endpoints.get(endpoint.capability).is_some_and(|filed| filed.contains_key(endpoint.name))
        };
        let left_out = self.next.endpoints().filter(|is| is.bound.is_some() && !is_filed(is));
        let left_out: Vec<_> = left_out.map(|is| (is.capability.clone(), is.name.clone())).collect();
        for (capability, name) in left_out {
            if remove {
                self.endpoint(Action::Unbind, &capability, &name, EndpointChange::Unbind)?;
            } else {
                self.notes
                    .push(format!("the endpoint {capability}/{name} is not in the file and stays bound"));
            }
        }
        Ok(())
    }

    fn endpoint(
        &mut self,
        action: Action,
        capability: &CapabilityName,
        name: &EndpointName,
        wanted: EndpointChange,
    ) -> Result<(), FileError> {
        let place = format!("endpoints.{capability}.{name}");
        let plan = self.next.plan_endpoint(capability.as_str(), name.as_str(), wanted);
        let plan = plan.map_err(|error| FileError::at(place.as_str(), error))?;
        let Some(change) = plan.change else { return Ok(()) };
        let details = plan.changes.iter().map(Difference::as_line).collect();
        let named = format!("{capability}/{name}");
        self.notes.extend(plan.warnings.iter().map(|warning| format!("the endpoint {named}: {warning}")));
        self.step(action, "endpoint", named, details);
        self.make(&place, change)
    }

    fn removals(&mut self, file: &RegistryFile, remove: bool) -> Result<(), FileError> {
        let defined = self.next.fields.iter().filter(|(_, field)| field.status.is_defined());
        let left_out = defined.filter(|(name, _)| !file.fields.contains_key(*name));
        let left_out: Vec<FieldName> = left_out.map(|(name, _)| name.clone()).collect();
        for name in left_out {
            if remove {
                self.step(Action::Remove, "field", &name, Vec::new());
                self.make(&format!("fields (without {name})"), RegistryChange::FieldRemoved { name })?;
            } else {
                self.notes.push(format!("the field {name} is not in the file and stays"));
            }
        }
        let waiting = self.next.fields.iter().filter(|(_, field)| !field.status.is_defined());
        let waiting: Vec<&str> = waiting.map(|(name, _)| name.as_str()).collect();
        if !waiting.is_empty() {
            self.notes.push(format!("waiting to be accepted: {}", waiting.join(", ")));
        }
        Ok(())
    }
}

impl FiledGrant {
    /// The grant with the lists that the file has.
    fn over(&self, now: &Grant) -> Grant {
        Grant {
            reads: self.reads.clone().unwrap_or_else(|| now.reads.clone()),
            identifiers: self.identifiers.clone().unwrap_or_else(|| now.identifiers.clone()),
            hears: self.hears.clone().unwrap_or_else(|| now.hears.clone()),
            sources: Some(self.sources.clone().unwrap_or_else(|| now.sources().to_vec())),
            calls: self.calls.clone().unwrap_or_else(|| now.calls.clone()),
        }
    }
}

fn toml_line(kind: &crate::IdentifierKind) -> String {
    let table = toml::Table::try_from(kind).unwrap_or_default();
    table.iter().map(|(key, value)| format!("{key} = {value}")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
