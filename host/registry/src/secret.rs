//! The secrets there are: names, versions and who set them. Never a value.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Registry, RegistryError};
use samsyn_vocabulary::{Application, CapabilityName, EndpointName, SecretName, Timestamp, Value};

/// The most secrets: each is looked at for a status.
pub const SECRETS_MAX: usize = 1_000;
/// The most versions of a secret that are in use: the newest, and the one before while it is rotated.
const LIVE_MAX: usize = 2;

/// A version of a secret: when who set it, and a short name of its value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretVersion {
    /// Counts from 1. A number is never used again.
    pub version: u32,
    /// The value's short name under the host's key: equal values have equal ones, and nothing can be read from it.
    pub fingerprint: String,
    /// When it was set.
    pub at: Timestamp,
    /// The application that set it.
    pub by: Application,
}

/// A secret, without its value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SecretEntry {
    /// Its versions in use, oldest first: none while nobody has set it, or when its value is a mounted file.
    pub versions: Vec<SecretVersion>,
    /// The newest version there ever was; 0 when there was none.
    pub last: u32,
}

/// What uses a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretUse {
    /// A setting of a plug-in, which names it.
    Setting {
        /// The plug-in.
        capability: CapabilityName,
        /// The setting.
        setting: String,
    },
    /// An endpoint that is bound with it.
    Endpoint {
        /// The plug-in.
        capability: CapabilityName,
        /// The endpoint.
        name: EndpointName,
    },
}

impl SecretUse {
    /// The plug-in that needs it.
    pub fn capability(&self) -> &CapabilityName {
        match self {
            SecretUse::Setting { capability, .. } | SecretUse::Endpoint { capability, .. } => capability,
        }
    }
}

impl fmt::Display for SecretUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SecretUse::Setting { capability, setting } => write!(f, "setting {setting} of {capability}"),
            SecretUse::Endpoint { capability, name } => write!(f, "endpoint {name} of {capability}"),
        }
    }
}

impl SecretEntry {
    /// The version that is sent.
    pub fn newest(&self) -> Option<&SecretVersion> {
        self.versions.last()
    }

    /// The version before it, while the secret is rotated.
    pub fn previous(&self) -> Option<&SecretVersion> {
        self.versions.iter().rev().nth(1)
    }
}

impl Registry {
    /// The number of a secret's next version. Names that were removed count on.
    pub fn next_secret_version(&self, name: &SecretName) -> u32 {
        let last = self.secrets.get(name).map(|known| known.last);
        last.or_else(|| self.removed_secrets.get(name).copied()).unwrap_or(0).saturating_add(1)
    }

    /// Everything that uses a secret.
    pub fn uses_of_secret(&self, name: &SecretName) -> Vec<SecretUse> {
        let names = |value: &Value| matches!(value, Value::Text(text) if text == name.as_str());
        let settings = self.capabilities.iter().flat_map(|(capability, installed)| {
            let secret = installed.manifest.settings.iter().filter(|(_, setting)| setting.kind.is_secret());
            let named =
                secret.filter(move |(setting, _)| installed.settings.get(*setting).is_some_and(names));
            named.map(move |(setting, _)| SecretUse::Setting {
                capability: capability.clone(),
                setting: setting.clone(),
            })
        });
        let bound = self
            .endpoints()
            .filter(|endpoint| endpoint.bound.is_some_and(|bound| bound.binding.secrets().contains(name)));
        let bound = bound.map(|endpoint| SecretUse::Endpoint {
            capability: endpoint.capability.clone(),
            name: endpoint.name.clone(),
        });
        settings.chain(bound).collect()
    }

    pub(super) fn check_secret_named(&self, name: &SecretName) -> Result<(), RegistryError> {
        if self.secrets.contains_key(name) {
            return Err(secret_error(name, "is known already"));
        }
        if self.secrets.len() >= SECRETS_MAX {
            let why = format!(
                "can't be added: there are {SECRETS_MAX} secrets, which is the limit; remove one first"
            );
            return Err(secret_error(name, why));
        }
        Ok(())
    }

    pub(super) fn check_secret_set(
        &self,
        name: &SecretName,
        version: &SecretVersion,
    ) -> Result<(), RegistryError> {
        if !self.secrets.contains_key(name) {
            self.check_secret_named(name)?;
        }
        self.check_secret_number(name, version)
    }

    pub(super) fn check_secret_rotated(
        &self,
        name: &SecretName,
        version: &SecretVersion,
    ) -> Result<(), RegistryError> {
        let known = self.known_secret(name)?;
        if known.versions.is_empty() {
            return Err(secret_error(
                name,
                format!("has no value yet: samsyn secret set {name} --file FILE"),
            ));
        }
        if known.versions.len() >= LIVE_MAX {
            let why = "is being rotated: two versions are in use; when everybody uses the newest, end the other with";
            return Err(secret_error(name, format!("{why} `samsyn secret retire {name}`")));
        }
        self.check_secret_number(name, version)
    }

    fn check_secret_number(&self, name: &SecretName, version: &SecretVersion) -> Result<(), RegistryError> {
        match self.next_secret_version(name) {
            next if next == version.version => Ok(()),
            next => {
                Err(secret_error(name, format!("has {next} as its next version, not {}", version.version)))
            }
        }
    }

    pub(super) fn check_secret_retired(&self, name: &SecretName, version: u32) -> Result<(), RegistryError> {
        let known = self.known_secret(name)?;
        match known.previous() {
            Some(previous) if previous.version == version => Ok(()),
            Some(previous) => {
                let why = format!("has {} as its version before the newest, not {version}", previous.version);
                Err(secret_error(name, why))
            }
            None => {
                let why = "has no version before the newest; to remove the secret itself use";
                Err(secret_error(name, format!("{why} `samsyn secret retire {name} --all`")))
            }
        }
    }

    pub(super) fn check_secret_removed(&self, name: &SecretName) -> Result<(), RegistryError> {
        self.known_secret(name)?;
        let uses: Vec<String> = self.uses_of_secret(name).iter().map(ToString::to_string).collect();
        if uses.is_empty() {
            return Ok(());
        }
        Err(secret_error(name, format!("is in use: {}; name another secret there first", uses.join(", "))))
    }

    fn known_secret(&self, name: &SecretName) -> Result<&SecretEntry, RegistryError> {
        let unknown = || RegistryError::Unknown { kind: "secret", name: name.to_string() };
        self.secrets.get(name).map(Arc::as_ref).ok_or_else(unknown)
    }

    /// Whether a setting may have this text as the name of a secret.
    pub(super) fn check_names_secret(&self, setting: &str, text: &str) -> Result<(), RegistryError> {
        let invalid = |why: String| Err(RegistryError::Invalid { name: setting.to_owned(), why });
        // What isn't a name may be the secret itself, so it is not repeated.
        let Ok(name) = SecretName::new(text) else {
            return invalid(
                "must be the name of a secret, such as crm_token, never its value; see `samsyn secret list`"
                    .to_owned(),
            );
        };
        if self.secrets.contains_key(&name) {
            return Ok(());
        }
        invalid(
            "must be the name of a secret that there is; set one first with `samsyn secret set NAME`, or see \
             `samsyn secret list`"
                .to_owned(),
        )
    }

    pub(super) fn name_secret(&mut self, name: &SecretName) {
        let last = self.removed_secrets.remove(name).unwrap_or(0);
        self.secrets
            .entry(name.clone())
            .or_insert_with(|| Arc::new(SecretEntry { versions: Vec::new(), last }));
    }

    /// A version is in use from now on; of those before it only the newest, if `keep` says so.
    pub(super) fn add_secret_version(&mut self, name: &SecretName, version: &SecretVersion, keep: bool) {
        self.name_secret(name);
        if let Some(known) = self.secrets.get_mut(name) {
            let known = Arc::make_mut(known);
            let kept = if keep { LIVE_MAX - 1 } else { 0 };
            known.versions.drain(..known.versions.len().saturating_sub(kept));
            known.versions.push(version.clone());
            known.last = version.version;
        }
    }

    pub(super) fn retire_secret_version(&mut self, name: &SecretName, version: u32) {
        if let Some(known) = self.secrets.get_mut(name) {
            Arc::make_mut(known).versions.retain(|known| known.version != version);
        }
    }

    pub(super) fn remove_secret(&mut self, name: &SecretName) {
        if let Some(known) = self.secrets.remove(name) {
            self.removed_secrets.insert(name.clone(), known.last);
        }
    }
}

fn secret_error(name: &SecretName, why: impl Into<String>) -> RegistryError {
    RegistryError::Secret { name: name.clone(), why: why.into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RegistryChange;

    fn name(text: &str) -> SecretName {
        SecretName::new(text).unwrap()
    }

    fn version(version: u32) -> SecretVersion {
        let by = Application::new("anna").unwrap();
        SecretVersion { version, fingerprint: "0123456789ab".to_owned(), at: Timestamp(0), by }
    }

    fn set(number: u32) -> RegistryChange {
        RegistryChange::SecretSet { name: name("crm"), version: version(number) }
    }

    fn rotated(number: u32) -> RegistryChange {
        RegistryChange::SecretRotated { name: name("crm"), version: version(number) }
    }

    fn retired(number: u32) -> RegistryChange {
        RegistryChange::SecretRetired { name: name("crm"), version: number }
    }

    fn after(registry: &Registry, change: &RegistryChange) -> Registry {
        registry.check(change).unwrap_or_else(|error| panic!("{change:?}: {error}"));
        registry.apply(registry.revision + 1, change).unwrap()
    }

    fn live(registry: &Registry) -> Vec<u32> {
        registry.secrets[&name("crm")].versions.iter().map(|version| version.version).collect()
    }

    #[test]
    fn at_most_two_versions_are_in_use_and_a_number_never_comes_again() {
        let registry = after(&Registry::default(), &set(1));
        assert!(registry.check(&rotated(1)).is_err() && registry.check(&rotated(3)).is_err());
        assert!(registry.check(&retired(1)).unwrap_err().to_string().contains("--all"));
        let registry = after(&registry, &rotated(2));
        assert_eq!(live(&registry), [1, 2]);
        assert!(registry.check(&rotated(3)).unwrap_err().to_string().contains("samsyn secret retire crm"));
        assert!(registry.check(&retired(2)).is_err(), "the newest isn't the one before");
        let registry = after(&registry, &retired(1));
        assert_eq!(live(&registry), [2]);
        let registry = after(&registry, &set(3));
        assert_eq!(live(&registry), [3], "after a restore it is set anew");
        let removed = after(&registry, &RegistryChange::SecretRemoved { name: name("crm") });
        assert!(removed.secrets.is_empty());
        assert!(removed.check(&rotated(4)).is_err() && removed.check(&set(1)).is_err());
        let named = after(&removed, &RegistryChange::SecretNamed { name: name("crm") });
        assert!(named.check(&rotated(4)).unwrap_err().to_string().contains("samsyn secret set crm"));
        assert_eq!(live(&after(&named, &set(4))), [4]);
        assert_eq!(live(&after(&removed, &set(4))), [4]);
    }

    #[test]
    fn there_is_a_limit_of_names_and_none_comes_twice() {
        let mut registry = Registry::default();
        for number in 0..SECRETS_MAX {
            registry.name_secret(&name(&format!("s{number}")));
        }
        assert!(registry.check(&RegistryChange::SecretNamed { name: name("s0") }).is_err());
        assert!(registry.check(&set(1)).unwrap_err().to_string().contains("1000"));
        let known = RegistryChange::SecretSet { name: name("s0"), version: version(1) };
        assert!(registry.check(&known).is_ok());
    }

    #[test]
    fn what_is_no_name_of_a_secret_is_refused_and_not_repeated() {
        let mut registry = Registry::default();
        registry.name_secret(&name("crm_token"));
        assert!(registry.check_names_secret("api_key", "crm_token").is_ok());
        for text in ["sk_live_51H/x+y", "hunter2", "", "crm_token "] {
            let error = registry.check_names_secret("api_key", text).unwrap_err().to_string();
            assert!(error.contains("samsyn secret") && (text.is_empty() || !error.contains(text)), "{error}");
        }
    }

    #[test]
    fn what_is_written_has_no_value_and_stays_readable() {
        for (change, written) in [
            (RegistryChange::SecretNamed { name: name("crm") }, r#"{"secret-named":{"name":"crm"}}"#),
            (
                rotated(2),
                r#"{"secret-rotated":{"name":"crm","version":{"version":2,"fingerprint":"0123456789ab","at":"1970-01-01T00:00:00Z","by":"anna"}}}"#,
            ),
            (retired(1), r#"{"secret-retired":{"name":"crm","version":1}}"#),
            (RegistryChange::SecretRemoved { name: name("crm") }, r#"{"secret-removed":{"name":"crm"}}"#),
        ] {
            assert_eq!(serde_json::to_string(&change).unwrap(), written);
            let read: RegistryChange = serde_json::from_str(written).unwrap();
            assert_eq!(serde_json::to_string(&read).unwrap(), written);
        }
    }
}
