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

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::partition::Core;
use super::runtime::Runtime;
use super::work::{NotifyBatch, Work};
use super::{AcceptError, Engine};
use samsyn_decide::draft::Draft;
use samsyn_decide::pending_notifications::{PendingNotifications, needs_notification, pending_notifications};
use samsyn_decide::visible_claim::has_pending_notifications;
use samsyn_journal::{
    Adopted, CauseKind, Decided, MovedField, PartitionState, ProfileState, ReassignmentJob, Record,
};
use samsyn_state::view::StoreError;
use samsyn_vocabulary::{CapabilityName, FieldName, ItemPosition, Partition, Position, Seq, Timestamp};

/// Customers notified in one append: the log's writer takes them together, and an event that arrives
/// meanwhile waits some hundred microseconds.
const PROFILES_A_BATCH: usize = 32;
/// Profiles read from the view in one go.
const PROFILES_A_SCAN: usize = 8_192;
/// Work that may wait in a worker's queue before more customers are notified: some milliseconds of it.
const QUEUED_MAX: usize = 256;
/// How long to wait before looking whether there is room.
const ROOM_PAUSE: Duration = Duration::from_micros(500);
/// Jobs that are remembered after their end.
const ENDED_KEPT_MAX: usize = 20;

/// The job that runs, and those that ended since the host started.
#[derive(Default)]
pub struct ReassignmentProgress {
    running: bool,
    now: Option<JobReport>,
    ended: VecDeque<JobReport>,
}

/// Progress of notifying the consumers of moved sources.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobReport {
    /// The newest revision that moved them.
    pub revision: Seq,
    pub fields: BTreeSet<FieldName>,
    /// Customers looked at.
    pub done: u64,
    /// Customers there are.
    pub total: u64,
    /// Customers whose consumers were notified; none when that was before the host's last start.
    pub notified: Option<u64>,
    /// When it began, or went on after a start of the host.
    pub started_at: Timestamp,
    /// When it ended; none while it runs.
    pub ended_at: Option<Timestamp>,
}

#[derive(Clone, Debug)]
pub struct Jobs {
    /// Newest first; the first may run. The last move is always among them.
    pub jobs: Vec<JobReport>,
    /// The revision that every partition uses: jobs of newer ones have yet to begin.
    pub adopted: Seq,
}

impl Engine {
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
        let applied = self.view.applied(partition).seq;
        if applied == self.journal.head(partition) {
            let after = PartitionState { adopted: Arc::new(adopted.clone()), ..before.clone() };
            let routing = &registry.routing;
            if !self.view.with_claim_stats(partition, |patterns| {
                has_pending_notifications(patterns, &job, &after, routing)
            }) {
                return None;
            }
        }
        Some(job)
    }

    /// Starts the notifying thread if there is a job and none runs.
    pub(super) fn start_notifying(self: &Arc<Self>) {
        if self.partitions.iter().all(|cell| cell.core.lock().state.adopted.jobs.is_empty()) {
            return;
        }
        let mut reassignments = self.reassignments.lock();
        if reassignments.running {
            return;
        }
        reassignments.running = true;
        let engine = self.clone();
        let thread = std::thread::Builder::new().name("notifier".to_owned());
        match thread.spawn(move || engine.run_notifier()) {
            Ok(thread) => self.threads.lock().push(thread),
            Err(error) => {
                reassignments.running = false;
                tracing::error!(%error, "no thread to tell consumers of moved sources; it is tried again");
            }
        }
    }

    fn run_notifier(&self) {
        while !self.stopping.load(Ordering::Relaxed) {
            match self.notify_everybody() {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => {
                    tracing::error!(%error, "telling consumers of moved sources stopped; the next start goes on");
                    // Nobody would see that they are not notified, and trying at once would fail in the
                    // same way.
                    self.halt(error.into());
                    return;
                }
            }
        }
        self.reassignments.lock().running = false;
    }

    /// One pass over all profiles for the jobs that are known when it begins; false when there
    /// are none.
    fn notify_everybody(&self) -> Result<bool, StoreError> {
        let mut partition_states = self.partitions_with_jobs();
        if partition_states.is_empty() {
            return Ok(false);
        }
        self.begin_report(&partition_states);
        for (partition, (partition_state, _)) in &partition_states {
            let since = partition_state.adopted.jobs.last().map_or(0, |job| job.since);
            self.wait_until_applied(Position { partition: *partition, seq: since });
        }
        let ends: Vec<(Partition, Seq)> = partition_states
            .iter()
            .map(|(partition, (partition_state, _))| {
                (*partition, partition_state.adopted.jobs.last().map_or(0, |job| job.since))
            })
            .collect();
        // What nobody is concerned by ends without a look at the profiles.
        partition_states.retain(|partition, (partition_state, runtime)| {
            let routing = &runtime.registry.routing;
            self.view.with_claim_stats(*partition, |patterns| {
                partition_state
                    .adopted
                    .jobs
                    .iter()
                    .any(|job| has_pending_notifications(patterns, job, partition_state, routing))
            })
        });
        if !partition_states.is_empty() {
            self.notify_profiles(&partition_states)?;
        }
        for (partition, through) in &ends {
            self.schedule.push(*partition, Work::EndJobs { through: *through });
        }
        // Those of a partition where newer ones began meanwhile end with these: in the next pass.
        let ended = |(partition, through): &(Partition, Seq)| {
            let core = self.cell(*partition).core.lock();
            core.state.adopted.jobs.last().is_none_or(|newest| newest.since > *through)
        };
        while !ends.iter().all(ended) && !self.stopping.load(Ordering::Relaxed) {
            std::thread::sleep(ROOM_PAUSE);
        }
        self.end_report();
        Ok(true)
    }

    fn partitions_with_jobs(&self) -> HashMap<Partition, (PartitionState, Arc<Runtime>)> {
        let all = (0..self.partitions.len() as u16).map(Partition);
        let with_jobs = all.filter_map(|partition| {
            let core = self.cell(partition).core.lock();
            let runtime = core.runtime.clone().filter(|_| !core.state.adopted.jobs.is_empty())?;
            Some((partition, (core.state.clone(), runtime)))
        });
        with_jobs.collect()
    }

    fn wait_until_applied(&self, position: Position) {
        let behind = || self.view.applied(position.partition).seq < position.seq;
        while behind() && !self.stopping.load(Ordering::Relaxed) {
            std::thread::sleep(ROOM_PAUSE);
        }
    }

    fn notify_profiles(
        &self,
        partition_states: &HashMap<Partition, (PartitionState, Arc<Runtime>)>,
    ) -> Result<(), StoreError> {
        let mut batches: HashMap<Partition, NotifyBatch> = HashMap::new();
        let mut after = None;
        loop {
            let applied = |partition: &Partition| (*partition, self.view.applied(*partition).seq);
            let applied: HashMap<Partition, Seq> = partition_states.keys().map(applied).collect();
            let profiles = self.view.profiles_after(after, PROFILES_A_SCAN)?;
            after = profiles.last().map(|last| last.id);
            for state in &profiles {
                let partition = self.home(state.id);
                let Some((partition_state, runtime)) = partition_states.get(&partition) else { continue };
                if pending_notifications(state, partition_state, &runtime.registry.routing).is_empty() {
                    continue;
                }
                let batch = batches.entry(partition).or_default();
                if batch.profiles.is_empty() {
                    batch.applied = applied[&partition];
                }
                batch.profiles.push(state.clone());
                if batch.profiles.len() >= PROFILES_A_BATCH {
                    self.push_when_room(partition, std::mem::take(batch));
                }
                if self.stopping.load(Ordering::Relaxed) {
                    return Ok(());
                }
            }
            if let Some(now) = &mut self.reassignments.lock().now {
                now.done += profiles.len() as u64;
            }
            if profiles.len() < PROFILES_A_SCAN {
                break;
            }
        }
        for (partition, batch) in batches {
            self.push_when_room(partition, batch);
        }
        Ok(())
    }

    fn push_when_room(&self, partition: Partition, batch: NotifyBatch) {
        let full = || self.schedule.len() >= QUEUED_MAX || self.journal.is_full();
        while full() && !self.stopping.load(Ordering::Relaxed) {
            std::thread::sleep(ROOM_PAUSE);
        }
        self.schedule.push(partition, Work::NotifySourceChange { batch });
    }

    /// A worker notifies the consumers of some customers.
    pub(super) fn notify_source_change(
        &self,
        partition: Partition,
        batch: &NotifyBatch,
    ) -> Result<(), AcceptError> {
        let mut core = self.cell(partition).core.lock();
        let runtime = core.runtime.clone().ok_or(AcceptError::Busy)?;
        let routing = &runtime.registry.routing;
        let partition_state = core.state.clone();
        let at = self.clock.now();
        let mut notices = Vec::with_capacity(batch.profiles.len());
        for read in &batch.profiles {
            let Some(state) = core.newest(read, batch.applied, &self.view)? else { continue };
            let pending = pending_notifications(&state, &partition_state, routing);
            if pending.is_empty() {
                continue;
            }
            let notice = notice(&state, &partition_state, &runtime, pending, at);
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
    ) -> Result<(), AcceptError> {
        let profiles_max = self.config.cached_profiles / self.partitions.len();
        for (decided, state) in self.append_notices(partition, notices)? {
            core.state.fold_decided(&decided);
            core.roots.add(&decided);
            core.put(state, profiles_max, || self.view.applied(partition).seq);
        }
        Ok(())
    }

    /// A worker ends the jobs that began up to here: everybody has been notified. While there are newer
    /// ones they all stay: a customer for whom the older and the newer together make no difference was not
    /// notified, and the newer alone would notify.
    pub(super) fn end_jobs(&self, partition: Partition, through: Seq) -> Result<(), AcceptError> {
        let mut core = self.cell(partition).core.lock();
        let mut adopted = Adopted::clone(&core.state.adopted);
        if adopted.jobs.last().is_none_or(|newest| newest.since > through) {
            return Ok(());
        }
        adopted.jobs.clear();
        adopted.through = core.state.through;
        adopted.at = self.clock.now();
        let notified = core.state.notified;
        self.append_adopted(partition, &mut core, adopted)?;
        if let Some(now) = &mut self.reassignments.lock().now {
            now.notified = now.notified.map(|before| before + notified);
        }
        Ok(())
    }

    fn begin_report(&self, partition_states: &HashMap<Partition, (PartitionState, Arc<Runtime>)>) {
        let jobs =
            || partition_states.values().flat_map(|(partition_state, _)| &partition_state.adopted.jobs);
        let report = JobReport {
            revision: jobs().map(|job| job.revision).max().unwrap_or_default(),
            fields: jobs().flat_map(|job| &job.fields).map(|moved| moved.field.clone()).collect(),
            ..self.report_of(self.clock.now())
        };
        self.reassignments.lock().now = Some(report);
    }

    fn report_of(&self, started_at: Timestamp) -> JobReport {
        let (fields, total) = (BTreeSet::new(), self.view.profiles());
        JobReport { revision: 0, fields, done: 0, total, notified: Some(0), started_at, ended_at: None }
    }

    fn end_report(&self) {
        let mut reassignments = self.reassignments.lock();
        let Some(mut report) = reassignments.now.take() else { return };
        report.ended_at = Some(self.clock.now());
        report.done = report.total.max(report.done);
        report.total = report.done;
        tracing::info!(
            revision = report.revision,
            notified = report.notified.unwrap_or_default(),
            "consumers were notified of moved sources"
        );
        reassignments.ended.push_front(report);
        reassignments.ended.truncate(ENDED_KEPT_MAX);
    }

    /// Progress of notifying the consumers of moved sources.
    pub fn jobs(&self) -> Jobs {
        let (mut adopted, mut notified) = (Seq::MAX, 0);
        let mut begun: Option<JobReport> = None;
        for cell in &self.partitions {
            let core = cell.core.lock();
            adopted = adopted.min(core.state.adopted.revision);
            notified += core.state.notified;
            for job in &core.state.adopted.jobs {
                let report = begun.get_or_insert_with(|| self.report_of(core.state.adopted.at));
                report.revision = report.revision.max(job.revision);
                report.fields.extend(job.fields.iter().map(|moved| moved.field.clone()));
            }
        }
        let reassignments = self.reassignments.lock();
        // One that has begun in the log runs, though its thread may have yet to start.
        let now = reassignments.now.clone().or(begun);
        let now = now.map(|now| JobReport { notified: now.notified.map(|before| before + notified), ..now });
        let mut jobs: Vec<JobReport> = now.into_iter().chain(reassignments.ended.iter().cloned()).collect();
        drop(reassignments);
        let newest = jobs.first().map_or(0, |job| job.revision);
        if let Some(last) = self.last_move(adopted).filter(|last| last.revision > newest) {
            jobs.insert(0, last);
        }
        Jobs { jobs, adopted }
    }

    /// The last move of sources, as a job that had nobody to notify: whoever moved one wants to see it
    /// here, also when it concerned nobody, or was before the host's last start.
    fn last_move(&self, adopted: Seq) -> Option<JobReport> {
        let registry = self.registry();
        let revision = registry.moves.last()?.revision;
        let moved = registry.moves.iter().rev().take_while(|moved| moved.revision == revision);
        let fields: BTreeSet<FieldName> = moved.map(|moved| moved.before.field.clone()).collect();
        let position = Position { partition: Partition::REGISTRY, seq: revision };
        let stored = self.records().read(position).ok()??;
        let Ok(Record::Registry(record)) = stored.record() else {
            return None;
        };
        let notified = (record.at >= self.started_at).then_some(0);
        let ended_at = (adopted >= revision).then_some(record.at);
        Some(JobReport { revision, fields, done: 0, total: 0, notified, started_at: record.at, ended_at })
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
        previous: (state.head > 0).then_some(state.head),
        changes: pending.changes,
        offered: pending.offered,
        notifies: true,
        ..Decided::nothing(state.id, ItemPosition { seq, index: 0 }, at)
    }
}
