//! Whether a change of the registry can be made now.

use super::manifest::Manifest;
use super::{Assigned, Field, Registry, RegistryChange, RegistryError};
use samsyn_vocabulary::{CapabilityName, FieldName, Value};

impl Registry {
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
                    self.check_setting(&capability.manifest, name, value.as_ref())?;
                }
                Ok(())
            }
            RegistryChange::Released { capability } => match known_capability(capability)?.is_quarantined() {
                true => Ok(()),
                false => Err(RegistryError::NotQuarantined(capability.clone())),
            },
            RegistryChange::Removed { capability } => known_capability(capability).map(|_| ()),
            RegistryChange::TokenMade { name, token } => self.check_token_made(name, token),
            RegistryChange::TokenRevoked { name, .. } => self.check_token_revoked(name),
            RegistryChange::SecretNamed { name } => self.check_secret_named(name),
            RegistryChange::SecretSet { name, version } => self.check_secret_set(name, version),
            RegistryChange::SecretRotated { name, version } => self.check_secret_rotated(name, version),
            RegistryChange::SecretRetired { name, version } => self.check_secret_retired(name, *version),
            RegistryChange::SecretRemoved { name } => self.check_secret_removed(name),
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
            RegistryChange::IdentifierDefined { name, kind, .. } => {
                kind.check().map_err(|why| RegistryError::Invalid { name: name.to_string(), why })
            }
            RegistryChange::EndpointBound { .. }
            | RegistryChange::EndpointUnbound { .. }
            | RegistryChange::EndpointPaused { .. }
            | RegistryChange::EndpointResumed { .. } => self.check_endpoint(change),
            RegistryChange::OutgoingPaused { .. }
            | RegistryChange::OutgoingResumed {}
            | RegistryChange::IdentifiersNormalised { .. }
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

    fn check_setting(
        &self,
        manifest: &Manifest,
        name: &str,
        value: Option<&Value>,
    ) -> Result<(), RegistryError> {
        let Some(setting) = manifest.settings.get(name) else {
            let known: Vec<&str> = manifest.settings.keys().map(String::as_str).collect();
            let why = format!("is not a setting of {}; it has: {}", manifest.plugin.name, known.join(", "));
            return Err(RegistryError::Invalid { name: name.to_owned(), why });
        };
        match value {
            Some(value) if value.kind() != setting.kind.of_values() => {
                let why = format!("must be {}, not {}", setting.kind, value.kind());
                Err(RegistryError::Invalid { name: name.to_owned(), why })
            }
            Some(Value::Text(text)) if setting.kind.is_secret() => self.check_names_secret(name, text),
            _ => Ok(()),
        }
    }

    /// Whether what an administrator set before fits a version of the plug-in. A text that was set when the
    /// setting held the secret itself is none of a secret's names, and is taken for none.
    pub(super) fn keeps_setting(&self, manifest: &Manifest, name: &str, value: &Value) -> bool {
        self.check_setting(manifest, name, Some(value)).is_ok()
    }
}
