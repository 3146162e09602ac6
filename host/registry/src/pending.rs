//! A version of a plug-in that wants more than is granted, until an administrator has looked at it.

use super::manifest::{Manifest, ManifestError};
use super::{Capability, Grant, Registry, RegistryChange, RegistryError};
use samsyn_vocabulary::{CapabilityName, Digest, Timestamp};

/// An upgrade that waits. Its component is kept; the old one runs.
#[derive(Clone, Debug)]
pub struct Pending {
    /// The component.
    pub digest: Digest,
    /// What it is and asks for.
    pub manifest: Manifest,
    /// It would start from the oldest event.
    pub from_start: bool,
    /// Whether what it emits meanwhile would be delivered.
    pub deliver_while_catching_up: bool,
    /// When it was sent.
    pub at: Timestamp,
}

impl Registry {
    /// The upgrade of a capability that waits, if it is this one.
    pub fn pending(
        &self,
        capability: &CapabilityName,
        digest: Option<Digest>,
    ) -> Result<&Pending, RegistryError> {
        let unknown = || RegistryError::Unknown { kind: "plugin", name: capability.to_string() };
        let pending = self.capabilities.get(capability).ok_or_else(unknown)?.pending.as_deref();
        let meant = pending.filter(|pending| digest.is_none_or(|digest| pending.digest == digest));
        meant.ok_or_else(|| RegistryError::NothingPending { capability: capability.clone(), digest })
    }
}

impl Pending {
    /// What a change has waiting; none when it has nothing.
    pub(super) fn of(change: &RegistryChange) -> Result<Option<Pending>, ManifestError> {
        let RegistryChange::UpgradePending {
            digest,
            manifest,
            from_start,
            deliver_while_catching_up,
            at,
            ..
        } = change
        else {
            return Ok(None);
        };
        Ok(Some(Pending {
            digest: *digest,
            manifest: Manifest::parse(manifest)?,
            from_start: *from_start,
            deliver_while_catching_up: *deliver_while_catching_up,
            at: *at,
        }))
    }

    /// What it asks for beyond what is granted now.
    pub fn wants(&self, installed: &Capability) -> Grant {
        installed.wants_more(&self.manifest)
    }
}
