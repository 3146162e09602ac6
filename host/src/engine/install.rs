//! Changes of the registry: checked, written, and taken into use everywhere.

use std::path::Path;
use std::sync::Arc;

use super::runtime::LoadError;
use super::{AcceptError, Engine};
use crate::durable_file;
use crate::record::{RecordKind, RegistryRecord, encode};
use crate::registry::{
    Attribution, Install, InstallPlan, Manifest, ManifestError, RegistryChange, RegistryError,
};
use crate::sandbox::{Package, PackageError};
use crate::view::Folded;
use crate::vocabulary::{Digest, Partition, Position, Role, Seq};

/// Why a change of the registry isn't made.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// It can't be.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The log can't be written.
    #[error(transparent)]
    Unavailable(#[from] AcceptError),
    /// What it needs can't be loaded.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The manifest of an installed plug-in can't be read.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
}

/// Why a component isn't installed.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// The component can't be taken.
    #[error(transparent)]
    Package(#[from] PackageError),
    /// Its manifest can't be taken.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// It doesn't fit the registry.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// Manifest and component don't fit each other.
    #[error(
        "plugin.toml asks for {wanted}, but the component doesn't export the role {role}; export it or remove the request"
    )]
    RoleMissing {
        /// What the manifest asks for.
        wanted: &'static str,
        /// The role that is missing.
        role: Role,
    },
    /// It can't be kept.
    #[error("the component can't be kept in the data directory: {0}")]
    Store(#[from] std::io::Error),
    /// The change can't be made.
    #[error(transparent)]
    Change(#[from] ChangeError),
}

/// How to install.
#[derive(Clone, Copy, Debug, Default)]
pub struct InstallOptions {
    /// As a new generation that starts from the oldest event.
    pub from_start: bool,
    /// Deliver what it emits while it catches up.
    pub deliver: bool,
}

struct Judged {
    package: Package,
    manifest: Manifest,
    plan: InstallPlan,
}

impl Engine {
    /// What installing this component would change. Compiles nothing.
    pub fn plan_install(&self, bytes: &[u8]) -> Result<InstallPlan, InstallError> {
        Ok(self.judge(bytes)?.plan)
    }

    /// Installs a component: compiles it, keeps it, and writes the change. Takes seconds for a
    /// large one. The answer's change isn't durable before [`Engine::durable`] says so.
    pub fn install(
        &self,
        bytes: &[u8],
        options: InstallOptions,
        by: impl Into<Attribution>,
    ) -> Result<(InstallPlan, Seq), InstallError> {
        let Judged { package, .. } = self.judge(bytes)?;
        let plugin = self.plugins.load(&package)?;
        keep(&self.plugins.file(package.digest()), bytes)?;
        let _changing = self.changing.lock();
        // Judged again: another change may have come in between.
        let Judged { manifest, plan, package } = self.judge(bytes)?;
        // A plug-in that comes back goes on where it was removed; only one that starts from the
        // oldest event starts with nothing.
        let before = self.registry().generation(&plan.capability);
        let generation = (before + u32::from(options.from_start)).max(1);
        let install = Install {
            manifest_text: package.manifest().to_owned(),
            roles: plugin.roles().iter().copied().collect(),
            generation,
            from_start: options.from_start,
            deliver_while_catching_up: options.deliver,
            at: self.clock.now(),
        };
        let change = plan.change(&manifest, install);
        let seq = self.append_change_locked(change, by.into())?;
        Ok((plan, seq))
    }

    fn judge(&self, bytes: &[u8]) -> Result<Judged, InstallError> {
        let package = Package::read(bytes, self.plugins.sandbox().limits())?;
        let manifest = Manifest::parse(package.manifest())?;
        fit(&manifest, &package)?;
        let plan = self.registry().plan_install(&manifest, package.digest())?;
        Ok(Judged { package, manifest, plan })
    }

    /// Changes the registry and waits until that is on the disk.
    pub async fn change_registry(
        &self,
        change: RegistryChange,
        by: impl Into<Attribution>,
    ) -> Result<Seq, ChangeError> {
        let seq = self.append_change(change, by)?;
        self.durable(Position { partition: Partition::REGISTRY, seq }).await?;
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
        let registry = self.registry();
        registry.check(&change)?;
        let next = registry.apply(registry.revision + 1, &change)?;
        let runtime = self.plugins.runtime(Arc::new(next), &self.metrics)?;
        let record = RegistryRecord { change, by: by.by, reason: by.reason, at: self.clock.now() };
        let position =
            self.append_plain(Partition::REGISTRY, RecordKind::Registry, encode(&record), Folded::Registry)?;
        debug_assert_eq!(position.seq, runtime.registry.revision);
        for (name, capability) in &runtime.registry.capabilities {
            let before = registry.capabilities.get(name);
            if before.is_some_and(|before| before.is_quarantined() && !capability.is_quarantined()) {
                self.metrics
                    .capability(name)
                    .failures_in_a_row
                    .store(0, std::sync::atomic::Ordering::Relaxed);
            }
        }
        self.newest.store(Arc::new(runtime));
        self.adopt_everywhere();
        Ok(position.seq)
    }
}

/// Whether the component has the roles its manifest needs.
fn fit(manifest: &Manifest, package: &Package) -> Result<(), InstallError> {
    let needs = [
        (!manifest.subscribes.is_empty(), "[subscribes]", Role::Subscriber),
        (manifest.consumes.values().any(|consumed| consumed.notify), "notify = true", Role::Observer),
    ];
    for (needed, wanted, role) in needs {
        if needed && !package.roles().contains(&role) {
            return Err(InstallError::RoleMissing { wanted, role });
        }
    }
    Ok(())
}

/// Writes a component where the log's digest finds it, before the log names it.
fn keep(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    if std::fs::read(path).is_ok_and(|kept| Digest::of(&kept) == Digest::of(bytes)) {
        return Ok(());
    }
    durable_file::write(path, bytes)
}
