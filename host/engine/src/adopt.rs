//! Adopting a registry revision: each partition starts to use it at one position in its log.

use super::fault::StopCause;
use super::lanes::Lanes;
use samsyn_journal::{Adopted, Cursor};
use samsyn_vocabulary::{CapabilityName, ItemPosition, Partition};

impl Lanes {
    /// A partition starts to use the newest revision, at its position in the log.
    pub(super) fn adopt(&self, partition: Partition) -> Result<(), StopCause> {
        let runtime = self.shared.newest.load_full();
        let mut core = self.core(partition);
        let slow = self.slow.lock().now().clone();
        let mut adopted = Adopted::clone(&core.state.adopted);
        adopted.through = core.state.through;
        adopted.revision = runtime.registry.revision;
        adopted.at = self.shared.clock.now();
        // The generation of one that was removed stays known: fields may inherit from it.
        adopted.lagging.retain(|cursor| runtime.registry.capabilities.contains_key(&cursor.capability));
        let generations = adopted.visible.clone();
        for (name, capability) in &runtime.registry.capabilities {
            let stands_still = capability.is_quarantined() || slow.contains(name);
            adopt_capability(&mut adopted, name, capability, stands_still);
        }
        let job = self.job_of(partition, &core.state, &adopted, &generations, &runtime);
        let has_job = job.is_some();
        adopted.jobs.extend(job);
        let changed =
            core.runtime.as_ref().map(|before| changed_capabilities(before, &runtime)).unwrap_or_default();
        let released = core.runtime.as_ref().is_some_and(|before| ended_quarantine(before, &runtime));
        let same = core.state.adopted.revision == adopted.revision
            && core.state.adopted.visible == adopted.visible
            && core.state.adopted.lagging == adopted.lagging;
        core.runtime = Some(runtime.clone());
        if !same {
            self.append_adopted(partition, &mut core, adopted)?;
        }
        drop(core);
        if has_job {
            self.shared.requests.look();
        }
        self.retry_changed(partition, &changed);
        if released {
            self.resume_held(partition)?;
        }
        Ok(())
    }

    /// A worker writes down where the partition's cursors are.
    pub(super) fn note_cursor(&self, partition: Partition) -> Result<(), StopCause> {
        let mut core = self.core(partition);
        let mut adopted = Adopted::clone(&core.state.adopted);
        adopted.through = core.state.through;
        adopted.at = self.shared.clock.now();
        self.append_adopted(partition, &mut core, adopted)
    }
}

/// What a revision makes of one capability in one partition.
fn adopt_capability(
    adopted: &mut Adopted,
    name: &CapabilityName,
    capability: &samsyn_registry::Capability,
    stands_still: bool,
) {
    let generation = capability.generation;
    let lagging =
        adopted.lagging.iter().any(|cursor| cursor.capability == *name && cursor.generation == generation);
    let visible = adopted.visible.get(name).copied();
    if visible != Some(generation) && !lagging {
        // A generation that is older than the newest is not waited for any more.
        adopted.lagging.retain(|cursor| cursor.capability != *name);
        if capability.from_start {
            let (capability, through) = (name.clone(), ItemPosition::default());
            adopted.lagging.push(Cursor { capability, generation, through, catching_up: true });
            adopted.visible.entry(name.clone()).or_insert(generation);
            return;
        }
        adopted.visible.insert(name.clone(), generation);
    }
    let lags = adopted.lagging.iter().any(|cursor| cursor.capability == *name);
    if stands_still && !lags {
        let (capability, through) = (name.clone(), adopted.through);
        adopted.lagging.push(Cursor { capability, generation, through, catching_up: false });
    }
}

/// Whether a capability that stood still runs again.
fn ended_quarantine(before: &super::runtime::Runtime, now: &super::runtime::Runtime) -> bool {
    now.registry.capabilities.iter().any(|(name, capability)| {
        let stood_still =
            before.registry.capabilities.get(name).is_some_and(|before| before.is_quarantined());
        stood_still && !capability.is_quarantined()
    })
}

/// Capabilities whose component or settings are others now: what is parked of them runs again.
fn changed_capabilities(
    before: &super::runtime::Runtime,
    now: &super::runtime::Runtime,
) -> Vec<CapabilityName> {
    let changed = now.registry.capabilities.iter().filter(|(name, capability)| {
        before.registry.capabilities.get(*name).is_some_and(|before| {
            before.digest != capability.digest || before.settings_revision != capability.settings_revision
        })
    });
    changed.map(|(name, _)| name.clone()).collect()
}
