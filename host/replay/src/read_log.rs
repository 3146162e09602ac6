//! One read of the log, dealt to threads by partition.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::time::Instant;

use super::control::Control;
use super::error::ReplayError;
use super::follow::Track;
use super::input::{Input, Plan};
use super::report::Counts;
use super::report::ReplayReport;
use samsyn_journal::RecordBatch;
use samsyn_log::ScanFrom;
use samsyn_machine::niceness::{self, lower_priority, spare_of};
use samsyn_sandbox::{Limits, Sandbox, SandboxError, work_as};
use samsyn_vocabulary::Partition;

/// Threads that replay; a partition belongs to one of them. Two: a host has other things to do.
const THREADS_MAX: usize = 2;
/// Records dealt at once, and how many such batches may wait for a thread: what is dealt should still
/// be in a processor's cache when it is read.
const BATCH_RECORDS: usize = 128;
const BATCHES_WAITING_MAX: usize = 4;
/// Calls at the same moment in an engine: one a thread, for code that is too large to be there once for
/// each, and one for trying a component out.
const SLOTS: u32 = THREADS_MAX as u32 + 1;

/// A sandbox for a replay, within these limits but for how many invocations there may be at once. The last
/// of the threads calls in the engine that is for everybody.
pub fn own_sandbox(limits: &Limits) -> Result<Sandbox, SandboxError> {
    Sandbox::for_workers(&Limits { concurrent_calls: SLOTS, ..limits.clone() }, THREADS_MAX - 1)
}

/// Replays a log. Takes as long as the log is; `control` says how far it is.
pub fn replay(input: Input, control: &Arc<Control>) -> Result<ReplayReport, ReplayError> {
    let plan = Plan::new(input, control)?;
    let newest = plan.revisions.newest()?;
    let ever = plan.revisions.versions();
    if ever.is_empty() {
        return Err(ReplayError::NeverInstalled(plan.capability.clone()));
    }
    let started = Instant::now();
    let counts = read(&plan)?;
    let gave_up = control.gave_up();
    if control.is_stopped() && gave_up.is_none() {
        return Err(ReplayError::Stopped);
    }
    let report = ReplayReport::new(&plan, &newest.registry, &ever, counts, started.elapsed());
    Ok(ReplayReport { gave_up, ..report })
}

/// Reads the log once and counts on several threads.
fn read(plan: &Plan) -> Result<Counts, ReplayError> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    // Beside a host that serves, a core is left to it, see `samsyn_machine::fair_share`.
    let free = if plan.lower_priority { spare_of(cores) } else { cores };
    let threads = free.min(THREADS_MAX);
    let others: Vec<Plan> = (1..threads).map(|_| plan.beside()).collect();
    std::thread::scope(|scope| {
        let mut lanes = Vec::new();
        let mut followers = Vec::new();
        for (worker, plan) in others.iter().chain([plan]).enumerate() {
            let (sender, batches) = sync_channel(BATCHES_WAITING_MAX);
            let (back, used) = channel();
            lanes.push(Lane { next: RecordBatch::default(), sender, used });
            followers.push(scope.spawn(move || {
                work_as(worker);
                follow(plan, &batches, &back)
            }));
        }
        let dealt = deal(plan, lanes);
        let mut counts = Counts::default();
        let mut failed = None;
        for follower in followers {
            match follower.join() {
                Ok(Ok(counted)) => counts.add(counted),
                Ok(Err(error)) => failed = Some(error),
                Err(_) => failed = Some(ReplayError::Item("a thread that replays panicked".to_owned())),
            }
        }
        // A follower that failed is why there was nobody to deal to.
        match failed {
            Some(error) => Err(error),
            None => dealt.map(|()| counts),
        }
    })
}

/// The way to a thread that replays.
struct Lane {
    /// What is dealt to it next.
    next: RecordBatch,
    sender: SyncSender<RecordBatch>,
    /// Batches it is done with.
    used: Receiver<RecordBatch>,
}

impl Lane {
    /// Sends what was collected; false when nobody listens any more.
    fn send(&mut self) -> bool {
        let empty = self.used.try_recv().unwrap_or_default();
        self.sender.send(std::mem::replace(&mut self.next, empty)).is_ok()
    }
}

/// Reads the log and deals it out.
fn deal(plan: &Plan, mut lanes: Vec<Lane>) -> Result<(), ReplayError> {
    if plan.lower_priority {
        lower_priority(niceness::LEAST);
    }
    // No segment leaves before it is read.
    let _hold = plan.records.log().hold()?;
    let mut scan = plan.records.scan_all(ScanFrom::Start);
    let control = &plan.control;
    let count = lanes.len();
    while let Some(record) = scan.next()? {
        let Partition(number) = record.position.partition;
        if matches!(record.position.partition, Partition::REGISTRY | Partition::IDENTITY) {
            continue;
        }
        let lane = &mut lanes[usize::from(number) % count];
        lane.next.push(&record);
        if lane.next.len() < BATCH_RECORDS {
            continue;
        }
        let sent = lane.send();
        control.has_read(scan.progress());
        if control.is_stopped() || !sent {
            return Ok(());
        }
    }
    for lane in &mut lanes {
        // Who doesn't listen any more has failed and says so itself.
        lane.send();
    }
    control.has_read(scan.progress());
    Ok(())
}

fn follow(
    plan: &Plan,
    batches: &Receiver<RecordBatch>,
    back: &Sender<RecordBatch>,
) -> Result<Counts, ReplayError> {
    if plan.lower_priority {
        lower_priority(niceness::LEAST);
    }
    let mut track = Track::new(plan);
    for mut batch in batches {
        for record in batch.iter() {
            if plan.control.is_stopped() {
                return track.end();
            }
            track.record(record)?;
        }
        track.say();
        batch.clear();
        // Who reads may be at the end and want no more.
        let _ = back.send(batch);
    }
    track.end()
}
