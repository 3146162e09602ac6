//! Changes of the registry: checked, written, and taken into use everywhere, one at a time.

use std::sync::Arc;

use parking_lot::Mutex;

use super::RegistryConfig;
use super::fault::StopCause;
use super::runtime::{LoadError, Plugins};
use super::sequencer::Sequencer;
use super::shared::Shared;
use samsyn_journal::{Encoded, RegistryRecord};
use samsyn_registry::{
    Attribution, FileError, IdentifierKind, ManifestError, Normaliser, Registry, RegistryChange,
    RegistryError,
};
use samsyn_state::view::CommittedRecord;
use samsyn_vocabulary::{Application, IdentifierName, Partition, Position, Seq};

/// Why a change of the registry isn't made.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// It can't be.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The host is stopping, or can't write its log.
    #[error(transparent)]
    Stopped(#[from] StopCause),
    /// What it needs can't be loaded.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The manifest of an installed plug-in can't be read.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The registry can't become what a file says.
    #[error(transparent)]
    File(#[from] FileError),
}

/// Changes the registry. Installing, assigning and registry files each have a file of their own.
pub struct Registrar {
    pub(super) shared: Arc<Shared>,
    pub(super) sequencer: Arc<Sequencer>,
    pub(super) plugins: Arc<Plugins>,
    pub(super) registry_config: RegistryConfig,
    /// One change at a time. The outermost lock of a change.
    pub(super) changing: Mutex<()>,
}

impl Registrar {
    /// Makes a change that depends on what the registry is, and waits until it is on the disk.
    /// `change` is asked while nobody else can change the registry.
    pub async fn change_registry_with(
        &self,
        change: impl FnOnce(&Registry) -> Result<RegistryChange, RegistryError>,
        by: impl Into<Attribution>,
    ) -> Result<Seq, ChangeError> {
        let seq = {
            let _changing = self.changing.lock();
            let change = change(&self.shared.registry())?;
            self.append_change_locked(change, by.into())?
        };
        self.shared.durable(Position { partition: Partition::REGISTRY, seq }).await?;
        Ok(seq)
    }

    /// Makes a change that needs something done first, such as a file that must be there before the registry
    /// names it. `change` does it while nobody else can change the registry. The change isn't durable before
    /// [`Engine::durable`](crate::Engine::durable) says so.
    pub fn append_change_with<E: From<ChangeError>>(
        &self,
        change: impl FnOnce(&Registry) -> Result<RegistryChange, E>,
        by: impl Into<Attribution>,
    ) -> Result<Seq, E> {
        let _changing = self.changing.lock();
        let change = change(&self.shared.registry())?;
        Ok(self.append_change_locked(change, by.into())?)
    }

    /// Changes the registry and waits until that is on the disk.
    pub async fn change_registry(
        &self,
        change: RegistryChange,
        by: impl Into<Attribution>,
    ) -> Result<Seq, ChangeError> {
        let seq = self.append_change(change, by)?;
        self.shared.durable(Position { partition: Partition::REGISTRY, seq }).await?;
        Ok(seq)
    }

    /// Changes the registry. Everybody uses the new revision from a place of their own in the log.
    pub(super) fn append_change(
        &self,
        change: RegistryChange,
        by: impl Into<Attribution>,
    ) -> Result<Seq, ChangeError> {
        let _changing = self.changing.lock();
        self.append_change_locked(change, by.into())
    }

    pub(super) fn append_change_locked(
        &self,
        change: RegistryChange,
        by: Attribution,
    ) -> Result<Seq, ChangeError> {
        let registry = self.shared.registry();
        registry.check(&change)?;
        let next = registry.apply(registry.revision + 1, &change)?;
        let runtime = self.plugins.runtime(Arc::new(next), &self.shared.metrics)?;
        let record = RegistryRecord { change, by: by.by, reason: by.reason, at: self.shared.clock.now() };
        let position = self
            .sequencer
            .append_plain(Encoded::of(Partition::REGISTRY, &record), CommittedRecord::Registry)?;
        debug_assert_eq!(position.seq, runtime.registry.revision);
        for (name, capability) in &runtime.registry.capabilities {
            let before = registry.capabilities.get(name);
            if before.is_some_and(|before| before.is_quarantined() && !capability.is_quarantined()) {
                self.shared
                    .metrics
                    .capability(name)
                    .failures_in_a_row
                    .store(0, std::sync::atomic::Ordering::Relaxed);
            }
        }
        self.shared.newest.store(Arc::new(runtime));
        self.shared.adopt_everywhere();
        Ok(position.seq)
    }

    /// Quarantines it, if that is still due.
    pub(super) fn quarantine(&self, change: RegistryChange, by: &Application) {
        let RegistryChange::Quarantined { capability, digest, reason } = &change else { return };
        let registry = self.shared.registry();
        let due = registry
            .capabilities
            .get(capability)
            .is_some_and(|installed| !installed.is_quarantined() && installed.digest == *digest);
        if due {
            tracing::error!(%capability, %reason, "quarantined: release it or install another version");
            if let Err(error) = self.append_change(change.clone(), by) {
                tracing::error!(%error, "the quarantine could not be written");
            }
        }
    }

    /// The identifiers that every new data directory knows.
    pub(super) fn define_first_identifiers(&self) -> Result<(), ChangeError> {
        if self.shared.registry().revision > 0 {
            return Ok(());
        }
        let Ok(host) = Application::new("host") else { return Ok(()) };
        let first = [
            ("customer_id", Normaliser::Exact, 100),
            ("user_id", Normaliser::Exact, 90),
            ("email", Normaliser::Email, 50),
            ("phone", Normaliser::Phone, 40),
            ("anonymous_id", Normaliser::Exact, 10),
        ];
        for (name, normaliser, strength) in first {
            if let Ok(name) = IdentifierName::new(name) {
                let kind = IdentifierKind::new(normaliser, strength);
                self.append_change(RegistryChange::identifier(name, kind), &host)?;
            }
        }
        Ok(())
    }
}
