//! The registry after a change: the fold of its partition.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::manifest::Manifest;
use super::{
    Assigned, Binding, Bound, Capability, CapabilityState, FIRST_ADMIN, FORM_VERSION, Field, FieldStatus,
    NormalForms, Pause, Pending, Registry, RegistryChange, Routing, TokenEntry,
};
use samsyn_vocabulary::{CapabilityName, EndpointName, Seq, TokenName};

impl Registry {
    /// The registry after this change, as the record `revision` of the registry's partition.
    pub fn apply(&self, revision: Seq, change: &RegistryChange) -> Result<Registry, super::ManifestError> {
        let mut next = self.clone();
        next.revision = revision;
        next.take(revision, change)?;
        next.note_moves(self);
        next.routing = Arc::new(Routing::of(&next));
        Ok(next)
    }

    /// The same in place, without what routing and notifying need: for readers of the history only.
    pub fn take_in(&mut self, revision: Seq, change: &RegistryChange) -> Result<(), super::ManifestError> {
        self.revision = revision;
        self.take(revision, change)
    }

    pub(super) fn take(
        &mut self,
        revision: Seq,
        change: &RegistryChange,
    ) -> Result<(), super::ManifestError> {
        let next = self;
        match change {
            RegistryChange::FieldDefined { name, field } => {
                let known = next.fields.get(name);
                let source = known.and_then(|known| known.source.clone());
                let inherits = known.map(|known| known.inherits.clone()).unwrap_or_default();
                next.fields.insert(name.clone(), Field { source, inherits, ..field.clone() });
            }
            RegistryChange::SourceAssigned { field, source } => {
                if let Some(known) = next.fields.get_mut(field) {
                    known.source = source.clone();
                    known.inherits.clear();
                    if source.is_some() {
                        // Whoever makes somebody its source stands behind the field.
                        known.status = FieldStatus::Defined;
                    }
                }
            }
            RegistryChange::SourcesMoved { fields } => {
                for Assigned { field, source, inherits } in fields {
                    if let Some(known) = next.fields.get_mut(field) {
                        known.source.clone_from(source);
                        known.inherits.clone_from(inherits);
                        if source.is_some() {
                            known.status = FieldStatus::Defined;
                        }
                    }
                }
            }
            RegistryChange::IdentifierDefined { name, kind, form } => {
                next.identifiers.insert(name.clone(), kind.clone());
                if next.forms == NormalForms::Today && form.is_none_or(|form| form < FORM_VERSION) {
                    next.forms = NormalForms::Former;
                }
            }
            RegistryChange::IdentifiersNormalised { .. } => next.forms = NormalForms::Both,
            RegistryChange::Installed { .. } => next.install(revision, change)?,
            RegistryChange::SettingsChanged { capability, settings } => {
                next.update(capability, |known| {
                    for (name, value) in settings {
                        match value {
                            Some(value) => known.settings.insert(name.clone(), value.clone()),
                            None => known.settings.remove(name),
                        };
                    }
                    known.settings_revision = revision;
                });
            }
            RegistryChange::Quarantined { capability, digest, reason } => next.update(capability, |known| {
                if known.digest == *digest {
                    known.state = CapabilityState::Quarantined { reason: reason.clone() };
                }
            }),
            RegistryChange::Released { capability } => {
                next.update(capability, |known| known.state = CapabilityState::Active);
            }
            RegistryChange::Removed { capability } => {
                next.removed.insert(capability.clone(), next.generation(capability));
                next.capabilities.remove(capability);
                for field in
                    next.fields.values_mut().filter(|field| field.source.as_ref() == Some(capability))
                {
                    field.source = None;
                }
            }
            RegistryChange::AdminTokenMade { hash } => {
                let name =
                    TokenName::new(FIRST_ADMIN).unwrap_or_else(|_| unreachable!("{FIRST_ADMIN} is a name"));
                next.tokens.insert(name, Arc::new(TokenEntry::first_admin(*hash)));
            }
            RegistryChange::TokenMade { name, token } => {
                next.tokens.insert(name.clone(), Arc::new(token.clone()));
            }
            RegistryChange::TokenRevoked { name, at } => {
                if let Some(token) = next.tokens.get_mut(name) {
                    Arc::make_mut(token).revoked_at = Some(*at);
                }
            }
            RegistryChange::SecretNamed { name } => next.name_secret(name),
            RegistryChange::SecretSet { name, version } => next.add_secret_version(name, version, false),
            RegistryChange::SecretRotated { name, version } => next.add_secret_version(name, version, true),
            RegistryChange::SecretRetired { name, version } => next.retire_secret_version(name, *version),
            RegistryChange::SecretRemoved { name } => next.remove_secret(name),
            RegistryChange::FieldAccepted { name } => {
                if let Some(known) = next.fields.get_mut(name) {
                    known.status = FieldStatus::Defined;
                }
            }
            RegistryChange::FieldRenamed { from, to } => {
                if let Some(field) = next.fields.remove(from) {
                    next.fields.insert(to.clone(), field);
                }
            }
            RegistryChange::FieldRemoved { name } => drop(next.fields.remove(name)),
            RegistryChange::Granted { capability, grant } => {
                next.update(capability, |known| {
                    known.grant = grant.clone().resolved(&known.manifest);
                    let calls = &known.grant.calls;
                    known.endpoints.retain(|name, _| calls.contains(name));
                });
                next.note_claims(capability);
            }
            RegistryChange::UpgradePending { capability, .. } => {
                let pending = Pending::of(change)?.map(Arc::new);
                next.update(capability, |known| known.pending = pending);
            }
            RegistryChange::UpgradeRejected { capability, digest } => {
                next.rejected.entry(capability.clone()).or_default().insert(*digest, revision);
                next.update(capability, |known| {
                    known.pending.take_if(|pending| pending.digest == *digest);
                });
            }
            RegistryChange::EndpointBound { capability, name, binding } => next.update(capability, |known| {
                let paused = known.endpoints.get(name).and_then(|before| before.paused.clone());
                let bound = Bound { binding: Binding::clone(binding), revision, paused };
                known.endpoints.insert(name.clone(), Arc::new(bound));
            }),
            RegistryChange::EndpointUnbound { capability, name } => {
                next.update(capability, |known| drop(known.endpoints.remove(name)));
            }
            RegistryChange::EndpointPaused { capability, name, pause } => {
                next.pause_endpoint(capability, name, Some(pause));
            }
            RegistryChange::EndpointResumed { capability, name } => {
                next.pause_endpoint(capability, name, None);
            }
            RegistryChange::OutgoingPaused { pause } => next.outgoing_paused = Some(pause.clone()),
            RegistryChange::OutgoingResumed {} => next.outgoing_paused = None,
            RegistryChange::Many { changes } => {
                for change in changes {
                    next.take(revision, change)?;
                }
            }
        }
        Ok(())
    }

    fn update(&mut self, capability: &CapabilityName, change: impl FnOnce(&mut Capability)) {
        if let Some(known) = self.capabilities.get_mut(capability) {
            change(Arc::make_mut(known));
        }
    }

    fn pause_endpoint(&mut self, capability: &CapabilityName, name: &EndpointName, pause: Option<&Pause>) {
        self.update(capability, |known| {
            if let Some(bound) = known.endpoints.get_mut(name) {
                Arc::make_mut(bound).paused = pause.cloned();
            }
        });
    }

    fn install(&mut self, revision: Seq, change: &RegistryChange) -> Result<(), super::ManifestError> {
        let RegistryChange::Installed {
            digest,
            manifest,
            grant,
            roles,
            new_fields,
            proposed,
            assigned,
            generation,
            from_start,
            deliver_while_catching_up,
            at,
        } = change
        else {
            return Ok(());
        };
        let text = manifest.clone();
        let manifest = Manifest::parse(manifest)?;
        let name = manifest.plugin.name.clone();
        for field in new_fields {
            if let Some(sourced) = manifest.sources.get(field) {
                let mut brought = Field::brought_by(&manifest, sourced);
                if proposed.contains(field) {
                    brought.status = FieldStatus::Proposed { by: name.clone() };
                }
                self.fields.insert(field.clone(), brought);
            }
        }
        for field in assigned {
            if let Some(known) = self.fields.get_mut(field) {
                known.source = Some(name.clone());
                known.status = FieldStatus::Defined;
            }
        }
        let before = self.capabilities.get(&name);
        // What an administrator set stays, as far as the new version still has such a setting.
        let mut settings = before.map(|before| before.settings.clone()).unwrap_or_default();
        settings.retain(|name, value| self.keeps_setting(&manifest, name, value));
        let grant = grant.clone().resolved(&manifest);
        let endpoints = before.map(|before| before.endpoints_under(&manifest).collect()).unwrap_or_default();
        let mut endpoints: BTreeMap<EndpointName, Arc<Bound>> = endpoints;
        endpoints.retain(|name, _| grant.calls.contains(name));
        let capability = Capability {
            grant,
            manifest,
            manifest_text: text,
            digest: *digest,
            roles: roles.clone(),
            state: CapabilityState::Active,
            generation: *generation,
            from_start: *from_start,
            deliver_while_catching_up: *deliver_while_catching_up,
            settings_revision: before.map_or(revision, |before| before.settings_revision),
            settings,
            since: before.map_or(revision, |before| before.since),
            installed_at: *at,
            pending: None,
            endpoints,
        };
        self.removed.remove(&name);
        if let Some(rejected) = self.rejected.get_mut(&name) {
            rejected.remove(digest);
        }
        self.capabilities.insert(name.clone(), Arc::new(capability));
        self.note_claims(&name);
        Ok(())
    }
}
