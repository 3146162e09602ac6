//! The thread that finds the customers whose consumers must hear of a source that moved, and the progress
//! of that. What it finds goes to the partitions' lanes ([`super::notify_source_change`]).

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;

use super::lanes::Lanes;
use super::runtime::Runtime;
use super::shared::Shared;
use super::work::{NotifyBatch, Work};
use samsyn_decide::pending_notifications::pending_notifications;
use samsyn_decide::visible_claim::has_pending_notifications;
use samsyn_journal::{PartitionState, Record};
use samsyn_state::view::StoreError;
use samsyn_vocabulary::{FieldName, Partition, Position, Seq, Timestamp};

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
    /// Customers that the lanes have notified in the pass of `now`, of partitions that ended their jobs.
    notified: Arc<AtomicU64>,
    ended: VecDeque<JobReport>,
}

impl ReassignmentProgress {
    fn now(&self) -> Option<JobReport> {
        let now = self.now.clone()?;
        Some(JobReport { notified: Some(self.notified.load(Ordering::Relaxed)), ..now })
    }
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

/// Notifies the consumers of sources that moved.
pub struct Notifier {
    pub(super) shared: Arc<Shared>,
    pub(super) lanes: Arc<Lanes>,
    reassignments: Mutex<ReassignmentProgress>,
}

impl Notifier {
    /// With nothing to do yet.
    pub fn new(shared: Arc<Shared>, lanes: Arc<Lanes>) -> Notifier {
        Notifier { shared, lanes, reassignments: Mutex::default() }
    }

    /// Starts the notifying thread if there is a job and none runs.
    pub(super) fn start(self: &Arc<Self>) {
        if !self.lanes.has_jobs() {
            return;
        }
        let mut reassignments = self.reassignments.lock();
        if reassignments.running {
            return;
        }
        reassignments.running = true;
        let notifier = self.clone();
        if let Err(error) = self.shared.spawn("notifier".to_owned(), move || notifier.run()) {
            reassignments.running = false;
            tracing::error!(%error, "no thread to tell consumers of moved sources; it is tried again");
        }
    }

    fn run(&self) {
        while !self.shared.is_stopping() {
            match self.notify_everybody() {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => {
                    tracing::error!(%error, "telling consumers of moved sources stopped; the next start goes on");
                    // Nobody would see that they are not notified, and trying at once would fail in the
                    // same way.
                    self.shared.halt(error.into());
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
        let notified = self.begin_report(&partition_states);
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
            self.shared.view.with_claim_stats(*partition, |patterns| {
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
            self.shared
                .schedule
                .push(*partition, Work::EndJobs { through: *through, notified: notified.clone() });
        }
        // Those of a partition where newer ones began meanwhile end with these: in the next pass.
        let ended = |(partition, through): &(Partition, Seq)| {
            let core = self.lanes.core(*partition);
            core.state.adopted.jobs.last().is_none_or(|newest| newest.since > *through)
        };
        while !ends.iter().all(ended) && !self.shared.is_stopping() {
            std::thread::sleep(ROOM_PAUSE);
        }
        self.end_report();
        Ok(true)
    }

    fn partitions_with_jobs(&self) -> HashMap<Partition, (PartitionState, Arc<Runtime>)> {
        let all = self.shared.partitions();
        let with_jobs = all.filter_map(|partition| {
            let core = self.lanes.core(partition);
            let runtime = core.runtime.clone().filter(|_| !core.state.adopted.jobs.is_empty())?;
            Some((partition, (core.state.clone(), runtime)))
        });
        with_jobs.collect()
    }

    fn wait_until_applied(&self, position: Position) {
        let behind = || self.shared.view.applied(position.partition).seq < position.seq;
        while behind() && !self.shared.is_stopping() {
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
            let applied = |partition: &Partition| (*partition, self.shared.view.applied(*partition).seq);
            let applied: HashMap<Partition, Seq> = partition_states.keys().map(applied).collect();
            let profiles = self.shared.view.profiles_after(after, PROFILES_A_SCAN)?;
            after = profiles.last().map(|last| last.id);
            for state in &profiles {
                let partition = self.shared.home(state.id);
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
                if self.shared.is_stopping() {
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
        let full = || self.shared.schedule.len() >= QUEUED_MAX || self.shared.journal.is_full();
        while full() && !self.shared.is_stopping() {
            std::thread::sleep(ROOM_PAUSE);
        }
        self.shared.schedule.push(partition, Work::NotifySourceChange { batch });
    }

    /// Begins the report of a pass, and says where the customers that are notified are added up.
    fn begin_report(
        &self,
        partition_states: &HashMap<Partition, (PartitionState, Arc<Runtime>)>,
    ) -> Arc<AtomicU64> {
        let jobs =
            || partition_states.values().flat_map(|(partition_state, _)| &partition_state.adopted.jobs);
        let report = JobReport {
            revision: jobs().map(|job| job.revision).max().unwrap_or_default(),
            fields: jobs().flat_map(|job| &job.fields).map(|moved| moved.field.clone()).collect(),
            ..self.report_of(self.shared.clock.now())
        };
        let mut reassignments = self.reassignments.lock();
        reassignments.now = Some(report);
        reassignments.notified = Arc::default();
        reassignments.notified.clone()
    }

    fn report_of(&self, started_at: Timestamp) -> JobReport {
        let (fields, total) = (BTreeSet::new(), self.shared.view.profiles());
        JobReport { revision: 0, fields, done: 0, total, notified: Some(0), started_at, ended_at: None }
    }

    fn end_report(&self) {
        let mut reassignments = self.reassignments.lock();
        let Some(mut report) = reassignments.now() else { return };
        reassignments.now = None;
        report.ended_at = Some(self.shared.clock.now());
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
        for partition in self.shared.partitions() {
            let core = self.lanes.core(partition);
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
        let now = reassignments.now().or(begun);
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
        let registry = self.shared.registry();
        let revision = registry.moves.last()?.revision;
        let moved = registry.moves.iter().rev().take_while(|moved| moved.revision == revision);
        let fields: BTreeSet<FieldName> = moved.map(|moved| moved.before.field.clone()).collect();
        let position = Position { partition: Partition::REGISTRY, seq: revision };
        let stored = self.shared.records().read(position).ok()??;
        let Ok(Record::Registry(record)) = stored.record() else {
            return None;
        };
        let notified = (record.at >= self.shared.started_at).then_some(0);
        let ended_at = (adopted >= revision).then_some(record.at);
        Some(JobReport { revision, fields, done: 0, total: 0, notified, started_at: record.at, ended_at })
    }
}
