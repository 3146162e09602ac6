//! What is replayed: a component, ready to be called.

use super::error::ReplayError;
use crate::registry::Manifest;
use crate::sandbox::{Package, Plugin, Sandbox};
use crate::vocabulary::Digest;

/// A component that is compiled and read.
pub struct Candidate {
    /// Ready to be called.
    pub plugin: Plugin,
    /// What it asks for.
    pub manifest: Manifest,
    /// The same as it stands in the component.
    pub manifest_text: String,
}

impl Candidate {
    /// Compiles a component unless its code is kept.
    pub fn load(package: &Package, sandbox: &Sandbox) -> Result<Candidate, ReplayError> {
        Ok(Candidate {
            manifest: Manifest::parse(package.manifest())?,
            manifest_text: package.manifest().to_owned(),
            plugin: sandbox.load(package)?,
        })
    }

    /// The component's hash.
    pub fn digest(&self) -> Digest {
        self.plugin.digest()
    }
}
