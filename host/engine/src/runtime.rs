//! One registry revision with its components loaded: all that routing and calling need.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;

use super::metrics::{CapabilityMetrics, Metrics};
use samsyn_decide::access::access;
use samsyn_disk::durable_file;
use samsyn_disk::failpoint::{Step, step};
use samsyn_disk::{self as disk, Disk};
use samsyn_registry::Registry;
use samsyn_sandbox::{Access, Package, PackageError, Plugin, Sandbox};
use samsyn_vocabulary::Digest;

/// A registry revision, ready to run.
pub struct Runtime {
    pub registry: Arc<Registry>,
    /// For each of the routing's capabilities, in its order, what is called.
    pub callees: Vec<Callee>,
}

/// An installed capability, ready to be called.
#[derive(Clone)]
pub struct Callee {
    /// Its compiled component.
    pub plugin: Arc<Plugin>,
    /// What it may say and read.
    pub access: Arc<Access>,
    /// What is counted of its invocations.
    pub metrics: Arc<CapabilityMetrics>,
}

/// Compiled components by digest, kept as long as a revision names them.
pub struct Plugins {
    sandbox: Sandbox,
    disk: Arc<dyn Disk>,
    components: std::path::PathBuf,
    loaded: Mutex<HashMap<Digest, Arc<Plugin>>>,
}

/// Why a component that the log names can't be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// Its file can't be read.
    #[error(
        "the component {digest} can't be read from the data directory: {cause}; put the file back or remove the plug-in"
    )]
    Missing { digest: Digest, cause: std::io::Error },
    /// Its file holds other bytes than those that were installed.
    #[error(
        "the component {digest} is damaged: its file is {found} now; put the file back from a backup or from where it was built"
    )]
    Damaged {
        digest: Digest,
        /// What is there.
        found: Digest,
    },
    /// It can't be taken.
    #[error(transparent)]
    Package(#[from] PackageError),
}

impl Plugins {
    /// Components kept in this directory.
    pub fn new(sandbox: Sandbox, disk: Arc<dyn Disk>, components: std::path::PathBuf) -> Plugins {
        Plugins { sandbox, disk, components, loaded: Mutex::default() }
    }

    /// The sandbox they run in.
    pub fn sandbox(&self) -> &Sandbox {
        &self.sandbox
    }

    /// The file of a component.
    pub fn file(&self, digest: Digest) -> std::path::PathBuf {
        self.components.join(format!("{digest}.wasm"))
    }

    /// The bytes of a component that is kept; it is the one of this digest.
    pub fn bytes(&self, digest: Digest) -> Result<Vec<u8>, LoadError> {
        let read = disk::read(&*self.disk, &self.file(digest));
        let bytes = read.map_err(|cause| LoadError::Missing { digest, cause })?;
        match Digest::of(&bytes) {
            found if found == digest => Ok(bytes),
            found => Err(LoadError::Damaged { digest, found }),
        }
    }

    /// Keeps a component where the log's digest finds it, before the log names it. One that seems
    /// to be there is written again: an earlier attempt may have failed to make it last.
    pub fn keep(&self, digest: Digest, bytes: &[u8]) -> std::io::Result<()> {
        step(Step::ComponentKeep, || durable_file::write_on(&*self.disk, &self.file(digest), bytes))
    }

    /// Compiles a component, or takes what is compiled already.
    pub fn load(&self, package: &Package) -> Result<Arc<Plugin>, PackageError> {
        if let Some(plugin) = self.loaded.lock().get(&package.digest()) {
            return Ok(plugin.clone());
        }
        let plugin = Arc::new(self.sandbox.load(package)?);
        self.loaded.lock().insert(package.digest(), plugin.clone());
        Ok(plugin)
    }

    /// The plug-in of a digest that the registry names.
    pub fn get(&self, digest: Digest) -> Result<Arc<Plugin>, LoadError> {
        if let Some(plugin) = self.loaded.lock().get(&digest) {
            return Ok(plugin.clone());
        }
        let bytes = self.bytes(digest)?;
        let package = Package::read(&bytes, self.sandbox.limits())?;
        Ok(self.load(&package)?)
    }

    /// A revision, ready to run.
    pub fn runtime(&self, registry: Arc<Registry>, metrics: &Metrics) -> Result<Runtime, LoadError> {
        let mut callees = Vec::new();
        for routed in &registry.routing.capabilities {
            let plugin = self.get(routed.capability.digest)?;
            let access = Arc::new(access(&registry, &routed.capability));
            callees.push(Callee { plugin, access, metrics: metrics.capability(&routed.name) });
        }
        let used: Vec<Digest> = registry.capabilities.values().map(|capability| capability.digest).collect();
        self.loaded.lock().retain(|digest, _| used.contains(digest));
        Ok(Runtime { registry, callees })
    }
}
