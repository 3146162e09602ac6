//! Giving fields to another source: what is asked for, what that makes of each field, and what is
//! remembered of it so that consumers can be told.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Registry, RegistryChange, RegistryError};
use samsyn_vocabulary::{CapabilityName, FieldName, Seq};

/// Moves that are remembered. A partition takes a revision into use within moments, so it never
/// lags more than a few; an assignment of every field of a large dictionary fits in.
const MOVES_KEPT_MAX: usize = 10_000;

/// What happens to customers for whom the new source has no claim.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// They keep the value of the former source.
    #[default]
    Inherit,
    /// They have no value until the new source has one.
    Clear,
}

/// Which fields are to have which source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The fields.
    pub fields: Vec<FieldName>,
    /// Their source from then on; none leaves them without one.
    pub to: Option<CapabilityName>,
    /// What becomes of customers it has no claim for.
    pub mode: Mode,
}

/// A field with whose claims are its values.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assigned {
    /// The field.
    pub field: FieldName,
    /// Its source; one or none.
    #[serde(default)]
    pub source: Option<CapabilityName>,
    /// Former sources whose claims stand in where it has none, newest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inherits: Vec<CapabilityName>,
}

/// Whose claims were a field's values before a revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceMove {
    /// The revision that moved it.
    pub revision: Seq,
    /// The field as it was before.
    pub before: Assigned,
}

impl Registry {
    /// Every field whose source is this capability.
    pub fn sourced_by(&self, capability: &CapabilityName) -> Vec<FieldName> {
        let sourced = self.fields.iter().filter(|(_, field)| field.source.as_ref() == Some(capability));
        sourced.map(|(name, _)| name.clone()).collect()
    }

    /// Installed capabilities that declare all these fields.
    pub fn heirs_of(&self, fields: &[FieldName], except: &CapabilityName) -> Vec<CapabilityName> {
        let declares = |is: &super::Capability| fields.iter().all(|field| is.grant.sources().contains(field));
        let heirs = self.capabilities.iter().filter(|(name, is)| *name != except && declares(is));
        heirs.map(|(name, _)| name.clone()).collect()
    }

    /// What a request makes of each field, those included that stay as they are. In the order of
    /// their names, each once.
    pub fn assign(&self, request: &Request) -> Result<Vec<Assigned>, RegistryError> {
        let mut names = request.fields.clone();
        names.sort();
        names.dedup();
        names.iter().map(|name| self.assign_one(name, request)).collect()
    }

    fn assign_one(&self, name: &FieldName, request: &Request) -> Result<Assigned, RegistryError> {
        let to = &request.to;
        self.check(&RegistryChange::SourceAssigned { field: name.clone(), source: to.clone() })?;
        let Some(field) = self.fields.get(name) else {
            return Err(RegistryError::Unknown { kind: "field", name: name.to_string() });
        };
        // No missing claim may turn an opt-out off, so it inherits whatever was asked for.
        let inherits = match request.mode {
            Mode::Clear if !field.protective => Vec::new(),
            _ => {
                let former = field.source.iter().filter(|former| Some(*former) != to.as_ref());
                let earlier = field.inherits.iter().filter(|is| Some(*is) != to.as_ref());
                let mut inherits: Vec<CapabilityName> = former.cloned().collect();
                for name in earlier {
                    if !inherits.contains(name) {
                        inherits.push(name.clone());
                    }
                }
                inherits
            }
        };
        Ok(Assigned { field: name.clone(), source: to.clone(), inherits })
    }

    /// Whether a field is already what an assignment makes of it.
    pub fn is_assigned(&self, assigned: &Assigned) -> bool {
        self.fields
            .get(&assigned.field)
            .is_some_and(|field| field.source == assigned.source && field.inherits == assigned.inherits)
    }

    /// Remembers what moved between the revision before and this one.
    pub(super) fn note_moves(&mut self, before: &Registry) {
        let moved = self.fields.iter().filter_map(|(name, now)| {
            let was = before.fields.get(name)?;
            let same = was.source == now.source
                && was.inherits == now.inherits
                && (was.protective || !now.protective);
            let assigned = || Assigned {
                field: name.clone(),
                source: was.source.clone(),
                inherits: was.inherits.clone(),
            };
            (!same).then(|| SourceMove { revision: self.revision, before: assigned() })
        });
        let moved: Vec<SourceMove> = moved.collect();
        if moved.is_empty() {
            return;
        }
        let moves = Arc::make_mut(&mut self.moves);
        moves.extend(moved);
        let beyond = moves.len().saturating_sub(MOVES_KEPT_MAX);
        moves.drain(..beyond);
    }

    /// What moved after a revision: each field as it was then.
    pub fn moved_since(&self, revision: Seq) -> Vec<&Assigned> {
        let first = self.moves.partition_point(|is| is.revision <= revision);
        let mut moved: Vec<&Assigned> = Vec::new();
        for SourceMove { before, .. } in &self.moves[first..] {
            if !moved.iter().any(|is| is.field == before.field) {
                moved.push(before);
            }
        }
        moved
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Field, Grant, Manifest};
    use samsyn_vocabulary::{Digest, Timestamp};

    fn installed(registry: &Registry, name: &str, assigned: &[&str]) -> Registry {
        let text = format!(
            "manifest = 1\n[plugin]\nname = \"{name}\"\nversion = \"1\"\nowner = \"T\"\ndescription = \"T\"\n\
             [sources]\nnote = {{ type = \"text\" }}\nout = {{ type = \"boolean\", protective = true }}\n"
        );
        let manifest = Manifest::parse(&text).unwrap();
        let mut registry = registry.clone();
        for (field, sourced) in &manifest.sources {
            registry.fields.entry(field.clone()).or_insert_with(|| Field::brought_by(&manifest, sourced));
        }
        let change = RegistryChange::Installed {
            digest: Digest::of(name.as_bytes()),
            grant: Grant::all_of(&manifest),
            manifest: text,
            roles: Vec::new(),
            new_fields: Vec::new(),
            proposed: Vec::new(),
            assigned: assigned.iter().map(|name| FieldName::new(name).unwrap()).collect(),
            generation: 1,
            from_start: false,
            deliver_while_catching_up: false,
            at: Timestamp(0),
        };
        registry.apply(registry.revision + 1, &change).unwrap()
    }

    fn request(to: Option<&str>, mode: Mode) -> Request {
        let fields = ["out", "note", "note"].map(|name| FieldName::new(name).unwrap()).to_vec();
        Request { fields, to: to.map(|name| CapabilityName::new(name).unwrap()), mode }
    }

    #[test]
    fn former_sources_stand_in_newest_first_and_opt_outs_always_do() {
        let registry = installed(&Registry::default(), "one", &["note", "out"]);
        let mut registry = installed(&registry, "two", &[]);
        let names =
            |assigned: &Assigned| assigned.inherits.iter().map(ToString::to_string).collect::<Vec<_>>();
        let first = registry.revision;
        for (to, mode, note, out) in [
            (Some("two"), Mode::Inherit, vec!["one"], vec!["one"]),
            (Some("one"), Mode::Inherit, vec!["two"], vec!["two"]),
            (None, Mode::Inherit, vec!["one", "two"], vec!["one", "two"]),
            (Some("two"), Mode::Clear, vec![], vec!["one"]),
        ] {
            let fields = registry.assign(&request(to, mode)).unwrap();
            assert_eq!(
                (names(&fields[0]), names(&fields[1])),
                (
                    note.iter().map(ToString::to_string).collect(),
                    out.iter().map(ToString::to_string).collect()
                )
            );
            registry =
                registry.apply(registry.revision + 1, &RegistryChange::SourcesMoved { fields }).unwrap();
        }
        let moved = registry.moved_since(first);
        assert_eq!(moved.len(), 2, "each field once");
        assert!(moved.iter().all(|is| is.source.as_ref().is_some_and(|is| is.as_str() == "one")));
        assert_eq!(registry.moved_since(registry.revision), Vec::<&Assigned>::new());
    }

    #[test]
    fn only_who_declares_a_field_can_have_it() {
        let registry = installed(&Registry::default(), "one", &["note"]);
        let unknown = Request { fields: vec![FieldName::new("x").unwrap()], ..request(None, Mode::Inherit) };
        assert!(matches!(registry.assign(&unknown), Err(RegistryError::Unknown { kind: "field", .. })));
        let nobody = request(Some("nobody"), Mode::Inherit);
        assert!(matches!(registry.assign(&nobody), Err(RegistryError::Unknown { kind: "plugin", .. })));
        let one = CapabilityName::new("one").unwrap();
        assert_eq!(registry.heirs_of(&[FieldName::new("note").unwrap()], &one), Vec::new());
    }
}
