//! Notifying consumers of sources that moved: a job in every partition that adopted the move.
//!
//! ```text
//! Adopted with a job ─▶ one thread reads all profiles once, whatever their partition
//!                    ─▶ those that see another value go to their worker, in small batches
//!                    ─▶ a Decided each, whose changes are routed like any others
//!                    ─▶ Adopted without the job
//! ```
//!
//! No progress is stored: a customer with a record after the `Adopted` has been notified, because any later
//! record of that customer completes the notification ([`samsyn_decide::pending_notifications`]). A job that was
//! killed reads all profiles again, and notifies each customer exactly once.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::fault::{Fault, StopCause};
use super::lanes::Lanes;
use super::partition::Core;
use super::runtime::Runtime;
use super::work::NotifyBatch;
use samsyn_decide::draft::Draft;
use samsyn_decide::pending_notifications::{PendingNotifications, needs_notification, pending_notifications};
use samsyn_decide::visible_claim::has_pending_notifications;
use samsyn_journal::{
    Adopted, CauseKind, Decided, MovedField, PartitionState, ProfileState, ReassignmentJob,
};
use samsyn_vocabulary::{CapabilityName, FieldName, Partition, Position, Seq, Timestamp};

impl Lanes {
    /// The job that a partition's next `Adopted` begins, if consumers may have to be notified.
    pub(super) fn job_of(
        &self,
        partition: Partition,
        before: &PartitionState,
        adopted: &Adopted,
        generations: &BTreeMap<CapabilityName, u32>,
        runtime: &Runtime,
    ) -> Option<ReassignmentJob> {
        // A partition that used no revision yet has shown nobody anything.
        if before.adopted.revision == 0 {
            return None;
        }
        let registry = &runtime.registry;
        let mut fields: Vec<MovedField> = Vec::new();
        for moved in registry.moved_since(before.adopted.revision) {
            let (field, source, inherits) =
                (moved.field.clone(), moved.source.clone(), moved.inherits.clone());
            fields.push(MovedField { field, source, inherits });
        }
        let mut swapped: BTreeMap<CapabilityName, u32> = BTreeMap::new();
        for (name, generation) in generations {
            if adopted.visible.get(name).is_some_and(|now| now != generation) {
                swapped.insert(name.clone(), *generation);
            }
        }
        for (name, field) in registry.fields.iter().filter(|_| !swapped.is_empty()) {
            let counts = swapped.keys().any(|swapped| field.lineage().counts(swapped));
            if counts && !fields.iter().any(|moved| moved.field == *name) {
                let (source, inherits) = (field.source.clone(), field.inherits.clone());
                fields.push(MovedField { field: name.clone(), source, inherits });
            }
        }
        fields.retain(|moved| concerns_anybody(&moved.field, runtime));
        // What customers saw before the jobs under way they saw in the old generations, also of
        // capabilities that no field counts any more.
        let remembers = !swapped.is_empty() && !before.adopted.jobs.is_empty();
        if fields.is_empty() && !remembers {
            return None;
        }
        let revision = registry.revision;
        let job = ReassignmentJob { since: 0, revision, fields, generations: swapped };
        if remembers {
            return Some(job);
        }
        // When the counters know everything there is, they know whether anybody is concerned.
        let applied = self.shared.view.applied(partition).seq;
        if applied == self.shared.journal.head(partition) {
            let after = PartitionState { adopted: Arc::new(adopted.clone()), ..before.clone() };
            let routing = &registry.routing;
            if !self.shared.view.with_claim_stats(partition, |patterns| {
                has_pending_notifications(patterns, &job, &after, routing)
            }) {
                return None;
            }
        }
        Some(job)
    }

    /// A worker notifies the consumers of some customers.
    pub(super) fn notify_source_change(
        &self,
        partition: Partition,
        batch: &NotifyBatch,
    ) -> Result<(), StopCause> {
        let mut core = self.core(partition);
        let runtime = core.runtime.clone().ok_or(Fault::Bug("a partition has no revision in use"))?;
        let routing = &runtime.registry.routing;
        let partition_state = core.state.clone();
        let at = self.shared.clock.now();
        let mut notices = Vec::with_capacity(batch.profiles.len());
        for read in &batch.profiles {
            let Some(state) = core.newest(read, batch.applied, &self.shared.view)? else { continue };
            let pending = pending_notifications(&state, &partition_state, routing);
            if pending.is_empty() {
                continue;
            }
            let notice = notice(partition, &state, &partition_state, &runtime, pending, at);
            let identifies =
                |field: &FieldName| routing.field(field).is_some_and(|field| field.identifies.is_some());
            if notice.changes.iter().any(|changed| identifies(&changed.field)) {
                self.commit(partition, &mut core, Some(&state), Draft::of(notice), None)?;
            } else {
                notices.push((state, notice));
            }
        }
        self.commit_notices(partition, &mut core, notices)
    }

    fn commit_notices(
        &self,
        partition: Partition,
        core: &mut Core,
        notices: Vec<(Arc<ProfileState>, Decided)>,
    ) -> Result<(), StopCause> {
        let profiles_max = self.shared.config.cached_profiles / self.shared.partition_count();
        for (decided, state) in self.sequencer.append_notices(partition, notices)? {
            core.state.fold_decided(&decided);
            core.roots.add(&decided);
            core.put(state, profiles_max, || self.shared.view.applied(partition).seq);
        }
        Ok(())
    }

    /// A worker ends the jobs that began up to here: everybody has been notified. While there are newer
    /// ones they all stay: a customer for whom the older and the newer together make no difference was not
    /// notified, and the newer alone would notify.
    pub(super) fn end_jobs(
        &self,
        partition: Partition,
        through: Seq,
        notified: &AtomicU64,
    ) -> Result<(), StopCause> {
        let mut core = self.core(partition);
        let mut adopted = Adopted::clone(&core.state.adopted);
        if adopted.jobs.last().is_none_or(|newest| newest.since > through) {
            return Ok(());
        }
        adopted.jobs.clear();
        adopted.through = core.state.through;
        adopted.at = self.shared.clock.now();
        let notified_here = core.state.notified;
        self.append_adopted(partition, &mut core, adopted)?;
        notified.fetch_add(notified_here, Ordering::Relaxed);
        Ok(())
    }
}

/// Whether a moved source can be anybody's concern.
fn concerns_anybody(name: &FieldName, runtime: &Runtime) -> bool {
    let routing = &runtime.registry.routing;
    let Some(field) = routing.field(name) else { return false };
    // A source is offered what was held.
    field.source.is_some() || needs_notification(name, field, routing)
}

/// The record that notifies one customer's consumers.
fn notice(
    partition: Partition,
    state: &ProfileState,
    partition_state: &PartitionState,
    runtime: &Runtime,
    pending: PendingNotifications,
    at: Timestamp,
) -> Decided {
    let seq = partition_state.adopted.jobs.last().map_or(0, |job| job.since);
    Decided {
        kind: CauseKind::Assignment,
        through: partition_state.through,
        revision: runtime.registry.revision,
        previous: state.head,
        changes: pending.changes,
        offered: pending.offered,
        notifies: true,
        ..Decided::nothing(state.id, Position { partition, seq }.item(0), at)
    }
}
