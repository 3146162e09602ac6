//! The registry as it was at each revision, and as it would have been with another component.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;

use super::error::ReplayError;
use super::input::Candidate;
use samsyn_decide::access::access;
use samsyn_journal::{Reader, Record, RegistryRecord};
use samsyn_registry::{Install, Manifest, Registry, RegistryChange, Routing};
use samsyn_sandbox::Access;
use samsyn_vocabulary::{CapabilityName, Digest, Partition, Seq};

/// Revisions that are kept though no partition uses them: partitions take the same ones into use
/// within a moment of each other.
const UNUSED_KEPT_MAX: usize = 16;

/// Every revision of a log's registry.
pub struct Revisions {
    capability: CapabilityName,
    candidates: Arc<[Candidate]>,
    changes: Arc<[(Seq, RegistryChange)]>,
    known: Mutex<BTreeMap<Seq, Arc<Revision>>>,
}

/// One revision.
pub struct Revision {
    /// As the log has it.
    pub registry: Registry,
    /// As each candidate would have had it.
    pub lenses: Vec<Lens>,
}

/// A candidate in a revision.
pub enum Lens {
    /// The plug-in was not installed.
    Absent,
    /// The component could not have been installed then.
    Unfit(String),
    /// It is installed.
    Fits(Fit),
}

/// A candidate that is installed.
pub struct Fit {
    /// The tables of the revision.
    pub routing: Arc<Routing>,
    pub revision: Seq,
    /// The plug-in in the tables.
    pub index: usize,
    /// What it may say and read.
    pub access: Arc<Access>,
}

impl Revisions {
    /// Reads the registry's partition.
    pub fn read(
        records: &Reader,
        capability: CapabilityName,
        candidates: Arc<[Candidate]>,
    ) -> Result<Revisions, ReplayError> {
        let mut changes = Vec::new();
        for record in records.scan(Partition::REGISTRY, 1) {
            let record = record?;
            let position = record.position;
            if changes.is_empty() && position.seq != 1 {
                return Err(ReplayError::NoBeginning { first: position });
            }
            let read = record.record();
            if let Record::Registry(RegistryRecord { change, .. }) =
                read.map_err(|cause| ReplayError::Record { position, cause })?
            {
                changes.push((position.seq, change));
            }
        }
        Ok(Revisions { capability, candidates, changes: changes.into(), known: nothing_known() })
    }

    /// The same with nothing in common that is counted at every record.
    pub fn beside(&self) -> Revisions {
        let (capability, changes) = (self.capability.clone(), self.changes.clone());
        Revisions { capability, candidates: self.candidates.clone(), changes, known: nothing_known() }
    }

    /// The newest revision.
    pub fn newest(&self) -> Result<Arc<Revision>, ReplayError> {
        self.at(self.changes.last().map_or(0, |(seq, _)| *seq))
    }

    /// The registry as it was from this record of its partition on.
    pub fn at(&self, revision: Seq) -> Result<Arc<Revision>, ReplayError> {
        let mut known = self.known.lock();
        if let Some(known) = known.get(&revision) {
            return Ok(known.clone());
        }
        let nearest = known.range(..revision).next_back();
        let mut registry = nearest.map(|(_, nearest)| nearest.registry.clone()).unwrap_or_default();
        let from = self.changes.partition_point(|(seq, _)| *seq <= registry.revision);
        for (seq, change) in self.changes[from..].iter().take_while(|(seq, _)| *seq <= revision) {
            registry = registry.apply(*seq, change)?;
        }
        let lenses = self.candidates.iter().map(|candidate| self.lens(&registry, candidate)).collect();
        let new = Arc::new(Revision { registry, lenses });
        known.insert(revision, new.clone());
        self.forget_unused(&mut known);
        Ok(new)
    }

    /// Forgets the oldest revisions that nobody uses. The empty one stays: all follow from it.
    fn forget_unused(&self, known: &mut BTreeMap<Seq, Arc<Revision>>) {
        let unused = |(seq, known): (&Seq, &Arc<Revision>)| {
            (*seq > 0 && Arc::strong_count(known) == 1).then_some(*seq)
        };
        let unused: Vec<Seq> = known.iter().filter_map(unused).collect();
        let excess = unused.len().saturating_sub(UNUSED_KEPT_MAX);
        unused[..excess].iter().for_each(|seq| drop(known.remove(seq)));
    }

    fn lens(&self, registry: &Registry, candidate: &Candidate) -> Lens {
        let Some(installed) = registry.capabilities.get(&self.capability) else { return Lens::Absent };
        if installed.digest == candidate.digest() {
            return self.fit(registry);
        }
        let plan = match registry.plan_install(&candidate.manifest, candidate.digest(), true) {
            Ok(plan) => plan,
            Err(error) => return Lens::Unfit(error.to_string()),
        };
        let install = Install {
            manifest_text: candidate.manifest_text.clone(),
            roles: candidate.plugin.roles().iter().copied().collect(),
            generation: installed.generation,
            from_start: installed.from_start,
            deliver_while_catching_up: installed.deliver_while_catching_up,
            at: installed.installed_at,
        };
        let change = plan.change(&candidate.manifest, install);
        match registry.apply(registry.revision, &change) {
            Ok(registry) => self.fit(&registry),
            Err(error) => Lens::Unfit(error.to_string()),
        }
    }

    fn fit(&self, registry: &Registry) -> Lens {
        let Some((index, routed)) = registry.routing.capability(&self.capability) else {
            return Lens::Absent;
        };
        Lens::Fits(Fit {
            routing: registry.routing.clone(),
            revision: registry.revision,
            index,
            access: Arc::new(access(registry, &routed.capability)),
        })
    }

    /// The version of each component of the plug-in that was ever installed.
    pub fn versions(&self) -> BTreeMap<Digest, String> {
        let mut versions = BTreeMap::new();
        for (_, change) in self.changes.iter() {
            note_versions(change, &self.capability, &mut versions);
        }
        versions
    }
}

/// Only the revision that all follow from: nothing is registered.
fn nothing_known() -> Mutex<BTreeMap<Seq, Arc<Revision>>> {
    let none = Revision { registry: Registry::default(), lenses: Vec::new() };
    Mutex::new([(0, Arc::new(none))].into())
}

fn note_versions(
    change: &RegistryChange,
    capability: &CapabilityName,
    versions: &mut BTreeMap<Digest, String>,
) {
    match change {
        RegistryChange::Installed { digest, manifest, .. } => {
            if let Ok(manifest) = Manifest::parse(manifest)
                && manifest.plugin.name == *capability
            {
                versions.insert(*digest, manifest.plugin.version);
            }
        }
        RegistryChange::Many { changes } => {
            changes.iter().for_each(|change| note_versions(change, capability, versions));
        }
        _ => {}
    }
}
