//! Installing a capability: what that would change, compiling and keeping its component, and the change.

use super::registrar::{ChangeError, Registrar};
use samsyn_journal::{Record, RegistryRecord};
use samsyn_registry::{
    Attribution, Install, InstallPlan, Manifest, ManifestError, Registry, RegistryChange, RegistryError,
    Rejection,
};
use samsyn_sandbox::{Package, PackageError};
use samsyn_vocabulary::{CapabilityName, Digest, Partition, Position, Role, Seq};

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
    /// An administrator has seen what it asks for and agrees. An upgrade that wants more than is
    /// granted waits without it.
    pub approve: bool,
    /// Fields that it brings are defined ones at once, whatever the host is set to.
    pub accept_fields: bool,
}

/// What became of a component that was sent.
#[derive(Clone, Debug)]
pub struct Installed {
    /// What it changes.
    pub plan: InstallPlan,
    /// The registry's record.
    pub seq: Seq,
    /// It wants more than is granted and waits for approval; what ran before runs on.
    pub pending: bool,
}

struct Judged {
    package: Package,
    manifest: Manifest,
    plan: InstallPlan,
}

impl Registrar {
    /// What installing this component would change. Compiles nothing.
    pub fn plan_install(&self, bytes: &[u8], options: InstallOptions) -> Result<InstallPlan, InstallError> {
        Ok(self.judge(bytes, options)?.plan)
    }

    /// Installs a component: compiles it, keeps it, and writes the change. Takes seconds for a
    /// large one. The answer's change isn't durable before [`Engine::durable`](crate::Engine::durable) says so.
    pub fn install(
        &self,
        bytes: &[u8],
        options: InstallOptions,
        by: impl Into<Attribution>,
    ) -> Result<Installed, InstallError> {
        let Judged { package, .. } = self.judge(bytes, options)?;
        let plugin = self.plugins.load(&package)?;
        self.plugins.keep(package.digest(), bytes)?;
        let _changing = self.changing.lock();
        // Judged again: another change may have come in between.
        let judged = self.judge(bytes, options)?;
        let pending = judged.plan.needs_approval() && !options.approve;
        let change = if pending {
            self.upgrade_pending(&judged, options)
        } else {
            self.installation(&judged, options, plugin.roles().iter().copied().collect())
        };
        let seq = self.append_change_locked(change, by.into())?;
        Ok(Installed { plan: judged.plan, seq, pending })
    }

    /// Installs the version of a capability that waits for approval, as it was asked for. With
    /// `accept_fields` those that it brings are defined ones at once.
    pub fn approve(
        &self,
        capability: &CapabilityName,
        digest: Option<Digest>,
        accept_fields: bool,
        by: impl Into<Attribution>,
    ) -> Result<Installed, InstallError> {
        let registry = self.shared.registry();
        let pending = registry.pending(capability, digest)?;
        let options = InstallOptions {
            from_start: pending.from_start,
            deliver: pending.deliver_while_catching_up,
            approve: true,
            accept_fields,
        };
        let bytes = self.plugins.bytes(pending.digest).map_err(ChangeError::Load)?;
        self.install(&bytes, options, by)
    }

    fn judge(&self, bytes: &[u8], options: InstallOptions) -> Result<Judged, InstallError> {
        let package = Package::read(bytes, self.plugins.sandbox().limits())?;
        let manifest = Manifest::parse(package.manifest())?;
        fit(&manifest, &package)?;
        let accept = options.accept_fields || self.registry_config.accept_new_fields;
        let registry = self.shared.registry();
        let mut plan = registry.plan_install(&manifest, package.digest(), accept)?;
        if let Some(rejected) = self.rejection(&registry, &plan.capability, plan.digest) {
            plan.note_rejection(rejected);
        }
        if options.from_start {
            plan.note_start();
        }
        // When the log can't be read, installing will say so.
        if options.from_start
            && let Ok(Some(oldest)) = self.shared.oldest_retained()
        {
            plan.warnings.push(format!(
                "it starts from the oldest event that is kept, of {oldest}: what came before has left the log by retention"
            ));
        }
        Ok(Judged { package, manifest, plan })
    }

    /// Who rejected a component, when and why; none when nobody did, or installed it since.
    pub fn rejection(
        &self,
        registry: &Registry,
        capability: &CapabilityName,
        digest: Digest,
    ) -> Option<Rejection> {
        let revision = *registry.rejected.get(capability)?.get(&digest)?;
        let position = Position { partition: Partition::REGISTRY, seq: revision };
        // A plan is needed also when the log can't be read; whatever else needs it says so.
        let stored = self.shared.records().read(position).ok()??;
        let Ok(Record::Registry(record)) = stored.record() else {
            return None;
        };
        let RegistryRecord { by, reason, at, .. } = record;
        Some(Rejection { revision, by, at, reason })
    }

    fn installation(&self, judged: &Judged, options: InstallOptions, roles: Vec<Role>) -> RegistryChange {
        // A plug-in that comes back goes on where it was removed; only one that starts from the
        // oldest event starts with nothing.
        let before = self.shared.registry().generation(&judged.plan.capability);
        let install = Install {
            manifest_text: judged.package.manifest().to_owned(),
            roles,
            generation: (before + u32::from(options.from_start)).max(1),
            from_start: options.from_start,
            deliver_while_catching_up: options.deliver,
            at: self.shared.clock.now(),
        };
        judged.plan.change(&judged.manifest, install)
    }

    fn upgrade_pending(&self, judged: &Judged, options: InstallOptions) -> RegistryChange {
        RegistryChange::UpgradePending {
            capability: judged.plan.capability.clone(),
            digest: judged.plan.digest,
            manifest: judged.package.manifest().to_owned(),
            from_start: options.from_start,
            deliver_while_catching_up: options.deliver,
            at: self.shared.clock.now(),
        }
    }
}

/// Whether the component has the roles its manifest needs. Who sources fields can claim them in any role, and who
/// calls a system needn't hear its answers.
pub fn fit(manifest: &Manifest, package: &Package) -> Result<(), InstallError> {
    for role in Role::ALL.into_iter().filter(|role| !matches!(role, Role::Source | Role::Caller)) {
        let (needed, wanted) = manifest.declares(role);
        if needed && !package.roles().contains(&role) {
            return Err(InstallError::RoleMissing { wanted, role });
        }
    }
    Ok(())
}
