//! All of it together: the values of the secrets that the registry names.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;
use samsyn_disk::Disk;
use samsyn_telemetry::MetricsText;
use samsyn_vocabulary::SecretName;
use serde::{Deserialize, Serialize};

use crate::files::{Files, StoreError};
use crate::key::{KeyError, KeySource, KeySources, Keys};
use crate::mounted::Mounted;
use crate::scrub::Scrub;
use crate::seal;
use crate::unusable::Unusable;
use crate::value::SecretValue;

/// Where values and their key come from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SecretsConfig {
    /// The file of the sealing key; empty: the systemd credential, or the environment.
    pub key_file: PathBuf,
    /// A directory of mounted values; empty: none.
    pub mounted: PathBuf,
}

/// Which secrets there are: the registry's word. It is asked at each use.
pub trait Named: Send + Sync {
    /// The live versions of a secret, oldest first; empty when nobody has set it, none when there is no such
    /// secret.
    fn versions(&self, name: &SecretName) -> Option<Vec<u32>>;

    /// Whether this version was live and is no more.
    fn has_ended(&self, name: &SecretName, version: u32) -> bool;

    /// All names, in order.
    fn names(&self) -> Vec<SecretName>;
}

/// A value that is in use.
#[derive(Clone)]
pub struct Live {
    /// Its version; none of a mounted one, which has no number.
    pub version: Option<u32>,
    /// It.
    pub value: Arc<SecretValue>,
}

/// A value that was kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Its short name under this host's key.
    pub fingerprint: String,
}

/// How a secret is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// Its value is a mounted file.
    pub is_mounted: bool,
    /// Whether the newest value can be used.
    pub newest: Result<(), Unusable>,
    /// The same of each live version, oldest first; of a mounted one there are none.
    pub versions: Vec<(u32, Result<(), Unusable>)>,
    /// The short name of a mounted value under this host's key.
    pub fingerprint: Option<String>,
    /// There is a mounted file besides, which doesn't count: the value that was set does.
    pub ignores_mounted: bool,
}

/// The values of the secrets that the registry names.
pub struct Secrets {
    keys: Result<(Keys, KeySource), KeyError>,
    key_file: Option<PathBuf>,
    files: Files,
    mounted: Option<Mounted>,
    named: Arc<dyn Named>,
    /// Sealed values that were opened: one is used at each call.
    opened: Mutex<BTreeMap<SecretName, BTreeMap<u32, Arc<SecretValue>>>>,
}

impl Secrets {
    /// The secrets of a data directory. It can't fail: what is missing is missing, and told when it is asked for.
    pub fn open(
        config: &SecretsConfig,
        sources: &KeySources,
        disk: Arc<dyn Disk>,
        dir: PathBuf,
        named: Arc<dyn Named>,
    ) -> Secrets {
        Secrets {
            keys: Keys::from(sources),
            key_file: sources.file.clone(),
            files: Files::new(disk, dir),
            mounted: Mounted::new(&config.mounted),
            named,
            opened: Mutex::default(),
        }
    }

    /// At a start: removes files of versions that ended, and says in the log which files the registry doesn't
    /// name and which values are missing.
    pub fn tidy_and_tell(&self) {
        match self.files.list() {
            Ok(versions) => versions.iter().for_each(|(name, version)| self.tidy(name, *version)),
            Err(cause) => {
                tracing::error!(dir = %self.files.dir().display(), %cause, "the directory of secrets can't be read");
            }
        }
        if self.keys.is_ok() && self.is_key_beside_them() {
            tracing::warn!(
                "the sealing key lies in the data directory: whoever copies that has the key too; move it"
            );
        }
        for (name, why) in self.unusable() {
            let next = why.next_step(&name);
            tracing::error!(secret = %name, %why, %next, "the host has no value of this secret");
        }
    }

    fn tidy(&self, name: &SecretName, version: u32) {
        let live = self.named.versions(name).unwrap_or_default();
        if live.contains(&version) {
            return;
        }
        if self.named.has_ended(name, version) {
            self.end(name, version);
            return;
        }
        let file = self.files.path(name, version);
        tracing::warn!(
            secret = %name, version, file = %file.display(),
            "the registry doesn't name this version: the host ignores its file, which a change that wasn't finished left"
        );
    }

    /// Whether the key was read from the data directory, where its copies would have it.
    fn is_key_beside_them(&self) -> bool {
        let whole = |path: &Path| path.canonicalize().ok();
        let (file, data) =
            (self.key_file.as_deref().and_then(whole), self.files.dir().parent().and_then(whole));
        file.zip(data).is_some_and(|(file, data)| file.starts_with(data))
    }

    /// Where the sealing key came from, or why there is none.
    pub fn key(&self) -> Result<KeySource, String> {
        self.keys.as_ref().map(|(_, source)| *source).map_err(ToString::to_string)
    }

    fn keys(&self) -> Result<&Keys, Unusable> {
        self.keys.as_ref().map(|(keys, _)| keys).map_err(|why| Unusable::NoKey { why: why.to_string() })
    }

    /// The newest value of a secret: what is sent.
    pub fn newest(&self, name: &SecretName) -> Result<Live, Unusable> {
        let versions = self.named.versions(name).ok_or(Unusable::Unknown)?;
        match versions.last() {
            Some(version) => self.version(name, *version),
            None => self.mounted(name)?.ok_or(Unusable::NotSet),
        }
    }

    /// Every live value that can be used, the newest first: what is accepted. Fails when there is none.
    pub fn live(&self, name: &SecretName) -> Result<Vec<Live>, Unusable> {
        let versions = self.named.versions(name).ok_or(Unusable::Unknown)?;
        let (newest, older) = match versions.split_last() {
            Some((newest, older)) => {
                let older: Vec<_> = older.iter().rev().map(|version| self.version(name, *version)).collect();
                (self.version(name, *newest), older)
            }
            None => {
                let previous = self.mounted.as_ref().map_or(Ok(None), |mounted| mounted.previous(name));
                let previous = previous.transpose().map(|value| value.map(of_a_file));
                let newest = self.mounted(name).and_then(|live| live.ok_or(Unusable::NotSet));
                (newest, previous.into_iter().collect())
            }
        };
        let why = newest.as_ref().err().cloned();
        let live: Vec<Live> = std::iter::once(newest).chain(older).flatten().collect();
        match why {
            Some(why) if live.is_empty() => Err(why),
            _ => Ok(live),
        }
    }

    fn mounted(&self, name: &SecretName) -> Result<Option<Live>, Unusable> {
        let value = self.mounted.as_ref().map_or(Ok(None), |mounted| mounted.newest(name))?;
        Ok(value.map(of_a_file))
    }

    fn version(&self, name: &SecretName, version: u32) -> Result<Live, Unusable> {
        let known = self.opened.lock().get(name).and_then(|versions| versions.get(&version)).cloned();
        if let Some(value) = known {
            return Ok(Live { version: Some(version), value });
        }
        let value = Arc::new(self.read(name, version)?);
        self.opened.lock().entry(name.clone()).or_default().insert(version, value.clone());
        Ok(Live { version: Some(version), value })
    }

    /// Opens a version's file as it is on the disk now.
    fn read(&self, name: &SecretName, version: u32) -> Result<SecretValue, Unusable> {
        let file = self.files.read(name, version).map_err(|cause| Unusable::Unreadable {
            file: self.files.path(name, version).display().to_string(),
            cause: cause.to_string(),
        })?;
        // A file that isn't there is missing whatever the key: a restored host has often neither.
        let file = file.ok_or(Unusable::FileMissing { version })?;
        seal::open(self.keys()?, name, version, &file)
    }

    /// How a secret is now, on the disk: what is in memory doesn't count.
    pub fn state(&self, name: &SecretName) -> State {
        let has_file = self.mounted.as_ref().is_some_and(|mounted| mounted.has(name));
        let versions = self.named.versions(name);
        let is_known = versions.is_some();
        let versions: Vec<(u32, Result<(), Unusable>)> = versions
            .unwrap_or_default()
            .into_iter()
            .map(|version| (version, self.read(name, version).map(drop)))
            .collect();
        if let Some((_, newest)) = versions.last() {
            let newest = newest.clone();
            return State {
                is_mounted: false,
                newest,
                versions,
                fingerprint: None,
                ignores_mounted: has_file,
            };
        }
        let mounted = self.mounted(name);
        let fingerprint = match (&mounted, self.keys()) {
            (Ok(Some(live)), Ok(keys)) => Some(keys.fingerprint(&live.value)),
            _ => None,
        };
        let newest = mounted.and_then(|live| {
            live.map(drop).ok_or(if is_known { Unusable::NotSet } else { Unusable::Unknown })
        });
        State { is_mounted: has_file, newest, versions, fingerprint, ignores_mounted: false }
    }

    /// The secrets whose newest value can't be used, and why.
    pub fn unusable(&self) -> Vec<(SecretName, Unusable)> {
        let names = self.named.names().into_iter();
        names.filter_map(|name| self.state(&name).newest.err().map(|why| (name, why))).collect()
    }

    /// Keeps a version's value, sealed and lasting. Only then the registry may name the version.
    pub fn keep(&self, name: &SecretName, version: u32, value: &SecretValue) -> Result<Kept, StoreError> {
        let keys = match &self.keys {
            Ok((keys, _)) => keys,
            Err(why) => return Err(StoreError::NoKey(why.to_string())),
        };
        let sealed = seal::seal(keys, name, version, value).ok_or(StoreError::NoRandomness)?;
        // A change that wasn't finished may have left another value of this number.
        self.forget(name, version);
        self.files.write(name, version, &sealed)?;
        Ok(Kept { fingerprint: keys.fingerprint(value) })
    }

    /// Forgets and removes the value of a version that the registry names no more, or never will. Where its file
    /// can't be removed, the next start tries again.
    pub fn end(&self, name: &SecretName, version: u32) {
        self.forget(name, version);
        match self.files.remove(name, version) {
            Ok(()) => {
                tracing::info!(secret = %name, version, "the value of a version that ended was removed")
            }
            Err(cause) => {
                tracing::warn!(secret = %name, version, %cause, "the value of a version that ended can't be removed");
            }
        }
    }

    fn forget(&self, name: &SecretName, version: u32) {
        if let Some(versions) = self.opened.lock().get_mut(name) {
            versions.remove(&version);
        }
    }

    /// Removes the live values of these secrets from what a peer answers.
    pub fn scrub<'a>(&self, names: impl IntoIterator<Item = &'a SecretName>) -> Scrub {
        let live = names.into_iter().flat_map(|name| {
            let values = self.live(name).unwrap_or_default();
            values.into_iter().map(move |live| (name.clone(), live.value))
        });
        Scrub::of(live)
    }

    /// Metrics: how many secrets there are, and of how many the host has no value.
    pub fn metrics_text(&self) -> String {
        let mut text = MetricsText::default();
        text.gauge("samsyn_secrets", "Secrets that the registry names", self.named.names().len() as f64);
        let help = "Secrets whose newest value the host doesn't have: see `samsyn secret list`";
        text.gauge("samsyn_secrets_unusable", help, self.unusable().len() as f64);
        text.0
    }
}

fn of_a_file(value: SecretValue) -> Live {
    Live { version: None, value: Arc::new(value) }
}

#[cfg(test)]
mod tests;
