//! What can change in the registry, and the fold that applies it.
//!
//! Checks happen before a change is written ([`Registry::check`]); applying one that is in the
//! log can't fail on a host that wrote it.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::manifest::Manifest;
use super::{
    Assigned, Capability, CapabilityState, FIRST_ADMIN, Field, FieldStatus, Grant, IdentifierKind, Pending,
    Registry, Routing, TokenEntry,
};
use crate::vocabulary::{
    Application, CapabilityName, Digest, FieldName, IdentifierName, Reason, Role, Seq, Timestamp, TokenName,
    Value,
};

/// Who changes the registry, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribution {
    /// Who.
    pub by: Application,
    /// Why, when they said so.
    pub reason: Option<Reason>,
}

impl From<Application> for Attribution {
    fn from(by: Application) -> Attribution {
        Attribution { by, reason: None }
    }
}

impl From<&Application> for Attribution {
    fn from(by: &Application) -> Attribution {
        Attribution::from(by.clone())
    }
}

/// One change of the registry, as it stands in the log.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RegistryChange {
    /// A field was defined or its definition changed; its source stays.
    FieldDefined {
        /// Which.
        name: FieldName,
        /// What it is now.
        field: Field,
    },
    /// A field's source moved, and nobody else's claims stand in for it.
    SourceAssigned {
        /// Which field.
        field: FieldName,
        /// Its source from now on; one or none.
        source: Option<CapabilityName>,
    },
    /// Sources of several fields moved at once.
    SourcesMoved {
        /// The fields, with whose claims are their values from now on.
        fields: Vec<Assigned>,
    },
    /// An identifier was defined or changed.
    IdentifierDefined {
        /// Which.
        name: IdentifierName,
        /// What it is now.
        kind: IdentifierKind,
    },
    /// A plug-in was installed or upgraded. One change: it brings its fields and sources with it.
    Installed {
        /// What runs.
        digest: Digest,
        /// The manifest's text.
        manifest: String,
        /// What was granted.
        grant: Grant,
        /// The roles the component exports.
        roles: Vec<Role>,
        /// Fields nobody had defined.
        #[serde(default)]
        new_fields: Vec<FieldName>,
        /// Those of them that wait for an administrator to accept them.
        #[serde(default)]
        proposed: Vec<FieldName>,
        /// Fields nobody sourced, which are its own now.
        #[serde(default)]
        assigned: Vec<FieldName>,
        /// The generation that runs.
        generation: u32,
        /// The generation starts from the oldest event.
        #[serde(default)]
        from_start: bool,
        /// Whether what it emits while it catches up is delivered.
        #[serde(default)]
        deliver_while_catching_up: bool,
        /// When.
        at: Timestamp,
    },
    /// Settings were set; none goes back to the default.
    SettingsChanged {
        /// Whose.
        capability: CapabilityName,
        /// By name, of the declared types.
        settings: BTreeMap<String, Option<Value>>,
    },
    /// A plug-in failed so often that the host stopped calling it.
    Quarantined {
        /// Which.
        capability: CapabilityName,
        /// The component that did it.
        digest: Digest,
        /// What it did.
        reason: String,
    },
    /// An administrator ended a quarantine.
    Released {
        /// Which.
        capability: CapabilityName,
    },
    /// A plug-in was removed; its claims stay, and no field has it as source any more.
    Removed {
        /// Which.
        capability: CapabilityName,
    },
    /// The host made an admin token named `admin`; one of that name is valid no more.
    AdminTokenMade {
        /// BLAKE3 of the token.
        hash: Digest,
    },
    /// A token is valid from now on.
    TokenMade {
        /// Its name.
        name: TokenName,
        /// What it may do.
        token: TokenEntry,
    },
    /// A token is valid no more.
    TokenRevoked {
        /// Its name.
        name: TokenName,
        /// Since when.
        at: Timestamp,
    },
    /// A field that a plug-in brought is a defined one from now on.
    FieldAccepted {
        /// Which.
        name: FieldName,
    },
    /// A field has another name; nothing sources or reads it.
    FieldRenamed {
        /// Its name until now.
        from: FieldName,
        /// Its name from now on.
        to: FieldName,
    },
    /// A field that nothing sources or reads is gone.
    FieldRemoved {
        /// Which.
        name: FieldName,
    },
    /// What a plug-in may do was given or taken back.
    Granted {
        /// Whose.
        capability: CapabilityName,
        /// All of what it may do from now on.
        grant: Grant,
    },
    /// A new version wants more than is granted: it waits for an administrator while the old one
    /// runs.
    UpgradePending {
        /// Whose.
        capability: CapabilityName,
        /// The new component.
        digest: Digest,
        /// Its manifest's text.
        manifest: String,
        /// It would start from the oldest event.
        #[serde(default)]
        from_start: bool,
        /// Whether what it emits meanwhile would be delivered.
        #[serde(default)]
        deliver_while_catching_up: bool,
        /// When it was sent.
        at: Timestamp,
    },
    /// The version that waits isn't wanted.
    UpgradeRejected {
        /// Whose.
        capability: CapabilityName,
        /// The component that isn't.
        digest: Digest,
    },
    /// Several changes that are one: all of them or none.
    Many {
        /// In the order in which they are made.
        changes: Vec<RegistryChange>,
    },
}

impl RegistryChange {
    /// What changed, in a few words and without values.
    pub fn in_words(&self) -> String {
        let source = |source: &Option<CapabilityName>| match source {
            Some(source) => format!("to {source}"),
            None => "to nobody".to_owned(),
        };
        match self {
            RegistryChange::FieldDefined { name, .. } => format!("field {name} was defined"),
            RegistryChange::SourceAssigned { field, source: to } => format!("{field} went {}", source(to)),
            RegistryChange::SourcesMoved { fields } => {
                let moved = fields.iter().map(|is| format!("{} went {}", is.field, source(&is.source)));
                moved.collect::<Vec<_>>().join(", ")
            }
            RegistryChange::IdentifierDefined { name, .. } => format!("identifier {name} was defined"),
            RegistryChange::Installed { manifest, .. } => {
                let name = Manifest::parse(manifest).map(|manifest| manifest.plugin.name.to_string());
                format!("{} was installed", name.unwrap_or_else(|_| "a plug-in".to_owned()))
            }
            RegistryChange::SettingsChanged { capability, .. } => format!("settings of {capability} changed"),
            RegistryChange::Quarantined { capability, .. } => format!("{capability} was quarantined"),
            RegistryChange::Released { capability } => format!("{capability} was released"),
            RegistryChange::Removed { capability } => format!("{capability} was removed"),
            RegistryChange::AdminTokenMade { .. } => "a new admin token was made".to_owned(),
            RegistryChange::TokenMade { name, .. } => format!("token {name} was made"),
            RegistryChange::TokenRevoked { name, .. } => format!("token {name} was revoked"),
            RegistryChange::FieldAccepted { name } => format!("field {name} was accepted"),
            RegistryChange::FieldRenamed { from, to } => format!("field {from} was renamed to {to}"),
            RegistryChange::FieldRemoved { name } => format!("field {name} was removed"),
            RegistryChange::Granted { capability, .. } => format!("the grant of {capability} changed"),
            RegistryChange::UpgradePending { capability, .. } => format!("an upgrade of {capability} waits"),
            RegistryChange::UpgradeRejected { capability, .. } => {
                format!("an upgrade of {capability} was rejected")
            }
            RegistryChange::Many { changes } => {
                changes.iter().map(RegistryChange::in_words).collect::<Vec<_>>().join(", ")
            }
        }
    }
}

/// Why a change of the registry is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegistryError {
    /// Nothing of that name.
    #[error("there is no {kind} {name}; `samsyn {kind} list` shows which there are")]
    Unknown {
        /// `field`, `capability` (command `plugin`) or `identifier`.
        kind: &'static str,
        /// The name.
        name: String,
    },
    /// The capability doesn't declare the field among its sources.
    #[error("{capability} does not source {field}: its manifest must declare it under [sources]")]
    NotDeclared {
        /// The capability.
        capability: CapabilityName,
        /// The field.
        field: FieldName,
    },
    /// Manifest and dictionary disagree.
    #[error("{field} is {dictionary} in the dictionary and {manifest} in the manifest; change one of them")]
    FieldConflict {
        /// The field.
        field: FieldName,
        /// The dictionary's side.
        dictionary: String,
        /// The manifest's side.
        manifest: String,
    },
    /// A token that is valid has this name.
    #[error("there is a token {0} already; revoke it first, or give the new one another name")]
    TokenExists(TokenName),
    /// Nobody could make tokens any more.
    #[error(
        "{0} is the last admin token that doesn't expire; make another first: samsyn token create NAME --scope admin"
    )]
    LastAdminToken(TokenName),
    /// The capability is the source of fields.
    #[error("{capability} is the source of {}; give them to another one first", names(.fields))]
    StillSources {
        /// The capability.
        capability: CapabilityName,
        /// The fields.
        fields: Vec<FieldName>,
        /// Capabilities that could source all of them.
        heirs: Vec<CapabilityName>,
    },
    /// A plan was made for an older registry.
    #[error(
        "the plan is of revision {planned}, the registry is at {revision}; since then: {}",
        .since.join("; ")
    )]
    PlanStale {
        /// The plan's revision.
        planned: Seq,
        /// The registry's.
        revision: Seq,
        /// What changed since, oldest first.
        since: Vec<String>,
    },
    /// A plug-in sources or reads the field.
    #[error(
        "{field} is in use by {}; take it back with `samsyn plugin revoke NAME --field {field}`, or remove the plug-in",
        .by.iter().map(CapabilityName::as_str).collect::<Vec<_>>().join(", ")
    )]
    InUse {
        /// The field.
        field: FieldName,
        /// By whom.
        by: Vec<CapabilityName>,
    },
    /// A capability must keep making claims for a field as long as it is its source.
    #[error(
        "{capability} is the source of {field}; assign another first, or none: `samsyn field assign {field} --none`"
    )]
    IsSource {
        /// The capability.
        capability: CapabilityName,
        /// The field.
        field: FieldName,
    },
    /// A grant beyond what the manifest asks for.
    #[error("{capability} doesn't ask for {}; a grant can't give what the manifest doesn't request", .what.join(", "))]
    NotRequested {
        /// The capability.
        capability: CapabilityName,
        /// What it doesn't ask for.
        what: Vec<String>,
    },
    /// Nothing waits for approval, or something else than was meant.
    #[error("no upgrade of {capability} waits for approval{}", .digest.map(|digest| format!(" that is {digest}")).unwrap_or_default())]
    NothingPending {
        /// The capability.
        capability: CapabilityName,
        /// The component that was meant.
        digest: Option<Digest>,
    },
    /// A definition that can't be.
    #[error("{name}: {why}")]
    Invalid {
        /// The field, setting or identifier.
        name: String,
        /// What is wrong with it.
        why: String,
    },
}

/// The first fields of a list, and how many more there are.
fn names(fields: &[FieldName]) -> String {
    const NAMED_MAX: usize = 5;
    let named: Vec<&str> = fields.iter().take(NAMED_MAX).map(FieldName::as_str).collect();
    match fields.len().saturating_sub(NAMED_MAX) {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}

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
            RegistryChange::IdentifierDefined { name, kind } => {
                next.identifiers.insert(name.clone(), kind.clone());
            }
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
                next.update(capability, |known| known.grant = grant.clone().resolved(&known.manifest));
                next.note_claims(capability);
            }
            RegistryChange::UpgradePending { capability, .. } => {
                let pending = Pending::of(change)?.map(Arc::new);
                next.update(capability, |known| known.pending = pending);
            }
            RegistryChange::UpgradeRejected { capability, digest } => next.update(capability, |known| {
                known.pending.take_if(|pending| pending.digest == *digest);
            }),
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
        settings.retain(|name, value| manifest.settings.get(name).is_some_and(|is| is.kind == value.kind()));
        let capability = Capability {
            grant: grant.clone().resolved(&manifest),
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
            installed_at: *at,
            pending: None,
        };
        self.removed.remove(&name);
        self.capabilities.insert(name.clone(), Arc::new(capability));
        self.note_claims(&name);
        Ok(())
    }

    /// Whether a change can be made now; what is wrong and what to do otherwise.
    pub fn check(&self, change: &RegistryChange) -> Result<(), RegistryError> {
        let known_capability = |name: &CapabilityName| {
            let unknown = || RegistryError::Unknown { kind: "plugin", name: name.to_string() };
            self.capabilities.get(name).ok_or_else(unknown)
        };
        match change {
            RegistryChange::FieldDefined { name, field } => self.check_field(name, field),
            RegistryChange::SourceAssigned { field, source } => {
                if !self.fields.contains_key(field) {
                    return Err(RegistryError::Unknown { kind: "field", name: field.to_string() });
                }
                let Some(source) = source else { return Ok(()) };
                if !known_capability(source)?.grant.sources().contains(field) {
                    return Err(RegistryError::NotDeclared {
                        capability: source.clone(),
                        field: field.clone(),
                    });
                }
                Ok(())
            }
            RegistryChange::SourcesMoved { fields } => {
                let checked = fields.iter().map(|assigned| {
                    let Assigned { field, source, .. } = assigned.clone();
                    self.check(&RegistryChange::SourceAssigned { field, source })
                });
                checked.collect()
            }
            RegistryChange::SettingsChanged { capability, settings } => {
                let capability = known_capability(capability)?;
                for (name, value) in settings {
                    check_setting(&capability.manifest, name, value.as_ref())?;
                }
                Ok(())
            }
            RegistryChange::Released { capability } | RegistryChange::Removed { capability } => {
                known_capability(capability).map(|_| ())
            }
            RegistryChange::TokenMade { name, token } => self.check_token_made(name, token),
            RegistryChange::TokenRevoked { name, .. } => self.check_token_revoked(name),
            RegistryChange::FieldAccepted { name } => self.known_field(name).map(|_| ()),
            RegistryChange::FieldRenamed { from, to } => self.check_rename(from, to),
            RegistryChange::FieldRemoved { name } => self.check_unused(name),
            RegistryChange::Granted { capability, grant } => self.check_grant(capability, grant),
            RegistryChange::UpgradePending { capability, .. } => known_capability(capability).map(|_| ()),
            RegistryChange::UpgradeRejected { capability, digest } => {
                let pending = known_capability(capability)?.pending.as_ref().map(|pending| pending.digest);
                let nothing =
                    RegistryError::NothingPending { capability: capability.clone(), digest: Some(*digest) };
                if pending == Some(*digest) { Ok(()) } else { Err(nothing) }
            }
            RegistryChange::Many { changes } => self.check_many(changes),
            RegistryChange::IdentifierDefined { .. }
            | RegistryChange::Installed { .. }
            | RegistryChange::Quarantined { .. }
            | RegistryChange::AdminTokenMade { .. } => Ok(()),
        }
    }

    fn check_field(&self, name: &FieldName, field: &Field) -> Result<(), RegistryError> {
        let invalid = |why: String| Err(RegistryError::Invalid { name: name.to_string(), why });
        if let Some(identifier) = &field.identifies
            && !self.identifiers.contains_key(identifier)
        {
            return Err(RegistryError::Unknown { kind: "identifier", name: identifier.to_string() });
        }
        if let Err(why) = field.check() {
            return invalid(why);
        }
        self.check_kind(name, field.kind)
    }
}

fn check_setting(manifest: &Manifest, name: &str, value: Option<&Value>) -> Result<(), RegistryError> {
    let Some(setting) = manifest.settings.get(name) else {
        let known: Vec<&str> = manifest.settings.keys().map(String::as_str).collect();
        let why = format!("is no setting of {}; it has: {}", manifest.plugin.name, known.join(", "));
        return Err(RegistryError::Invalid { name: name.to_owned(), why });
    };
    match value {
        Some(value) if value.kind() != setting.kind => {
            let why = format!("must be {}, not {}", setting.kind, value.kind());
            Err(RegistryError::Invalid { name: name.to_owned(), why })
        }
        _ => Ok(()),
    }
}
