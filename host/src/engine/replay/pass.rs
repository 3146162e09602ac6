//! One read of the log, dealt to threads by partition.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::time::{Duration, Instant};

use super::batch::Batch;
use super::error::ReplayError;
use super::report::ReplayReport;
use super::revisions::Revisions;
use super::shadow::Shadow;
use super::share::Share;
use super::tally::Tally;
use super::track::Track;
use crate::log::{LogReader, Progress, ScanFrom};
use crate::niceness::{self, give_way, spare_of};
use crate::registry::Manifest;
use crate::sandbox::{Limits, Package, Plugin, Sandbox, SandboxError, work_as};
use crate::vocabulary::{CapabilityName, Digest, Partition};

/// Threads that replay; a partition belongs to one of them. Two: a host has other things to do.
const THREADS_MAX: usize = 2;
/// Records dealt at once, and how many such batches may wait for a thread: what is dealt should still
/// be in a processor's cache when it is read.
const BATCH_RECORDS: usize = 128;
const BATCHES_WAITING_MAX: usize = 4;
/// Calls that spent their time, each three times over, after which the run is given up: the rest of
/// such a component would take days.
const TIMEOUTS_MAX: u64 = 20;
/// Calls at the same moment in an engine: one a thread, for code that is too large to be there once for
/// each, and one for trying a component out.
const SLOTS: u32 = THREADS_MAX as u32 + 1;

/// What is replayed.
pub struct Input {
    /// The log; up to what is durable when the run begins.
    pub log: LogReader,
    /// Where components are compiled and run: one of [`own_sandbox`], for a run must not take the slots
    /// of the calls that matter now.
    pub sandbox: Sandbox,
    /// The component.
    pub new: Package,
    /// What it is compared with: another component of the same plug-in, else what the log has.
    pub against: Option<Package>,
    /// Which customers.
    pub share: Share,
    /// Customers that are held in memory at most.
    pub profiles_max: u64,
    /// Whether to give way to everything else on this machine.
    pub give_way: bool,
}

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
    /// The component's hash.
    pub fn digest(&self) -> Digest {
        self.plugin.digest()
    }
}

/// How far a run is, and how to end it. Shared with whoever started it.
#[derive(Debug, Default)]
pub struct Control {
    stopped: AtomicBool,
    gave_up: AtomicBool,
    timeouts: AtomicU64,
    profiles: AtomicU64,
    /// Bytes of the log that were read.
    pub bytes_done: AtomicU64,
    /// Bytes there are; 0 until they are known.
    pub bytes_total: AtomicU64,
    /// Records that were read.
    pub records: AtomicU64,
    /// Deliveries that were compared.
    pub deliveries: AtomicU64,
    /// Calls of components.
    pub calls: AtomicU64,
}

impl Control {
    /// Ends the run soon.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    /// Whether it was told to end.
    pub fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    fn has_read(&self, progress: Progress) {
        self.records.store(progress.records, Ordering::Relaxed);
        self.bytes_done.store(progress.bytes_done, Ordering::Relaxed);
        self.bytes_total.store(progress.bytes_total, Ordering::Relaxed);
    }

    /// A call spent all its time.
    pub(super) fn timed_out(&self) {
        if self.timeouts.fetch_add(1, Ordering::Relaxed) + 1 >= TIMEOUTS_MAX {
            self.gave_up.store(true, Ordering::Relaxed);
            self.stop();
        }
    }

    /// Another customer is held in memory.
    pub(super) fn held(&self, plan: &Plan) -> Result<(), ReplayError> {
        if self.profiles.fetch_add(1, Ordering::Relaxed) < plan.profiles_max {
            return Ok(());
        }
        let (done, total) =
            (self.bytes_done.load(Ordering::Relaxed), self.bytes_total.load(Ordering::Relaxed));
        // As far as the log was read it was full; the rest will hold others.
        let fits = plan.share.as_percent() * done as f64 / total.max(1) as f64;
        Err(ReplayError::TooMany { max: plan.profiles_max, percent: fits.clamp(0.1, 99.0) })
    }
}

/// Everything a thread needs. What is used at every record each has for itself: two threads that count
/// who uses the same thing slow each other down.
pub(super) struct Plan {
    pub capability: CapabilityName,
    pub candidates: Arc<[Candidate]>,
    pub share: Share,
    pub revisions: Revisions,
    pub log: LogReader,
    pub control: Arc<Control>,
    pub time: Duration,
    pub profiles_max: u64,
    pub give_way: bool,
}

impl Plan {
    /// The same for another thread.
    fn beside(&self) -> Plan {
        Plan {
            capability: self.capability.clone(),
            candidates: self.candidates.clone(),
            revisions: self.revisions.beside(),
            log: self.log.clone(),
            control: self.control.clone(),
            ..*self
        }
    }

    /// A candidate's run, which counts its calls.
    pub fn shadow<'a>(&'a self, index: usize, calls: &'a Cell<u64>) -> Shadow<'a> {
        Shadow {
            candidate: &self.candidates[index],
            capability: &self.capability,
            control: &self.control,
            time: self.time,
            calls,
        }
    }
}

/// A sandbox for a replay, within these limits but for how many calls there may be at once.
pub fn own_sandbox(limits: &Limits) -> Result<Sandbox, SandboxError> {
    Sandbox::for_workers(&Limits { concurrent_calls: SLOTS, ..limits.clone() }, THREADS_MAX)
}

/// Replays a log. Takes as long as the log is; `control` says how far it is.
pub fn replay(input: Input, control: &Arc<Control>) -> Result<ReplayReport, ReplayError> {
    let plan = plan(input, control)?;
    let newest = plan.revisions.newest()?;
    let ever = plan.revisions.versions();
    if ever.is_empty() {
        return Err(ReplayError::NeverInstalled(plan.capability.clone()));
    }
    let started = Instant::now();
    let tally = read(&plan)?;
    if plan.control.is_stopped() && !plan.control.gave_up.load(Ordering::Relaxed) {
        return Err(ReplayError::Stopped);
    }
    let mut report = ReplayReport::new(&plan, &newest.registry, &ever, tally, started.elapsed());
    if plan.control.gave_up.load(Ordering::Relaxed) {
        report.gave_up =
            Some(format!("{TIMEOUTS_MAX} calls spent all their time: the rest of the log was left out"));
    }
    Ok(report)
}

fn plan(input: Input, control: &Arc<Control>) -> Result<Plan, ReplayError> {
    let Input { log, sandbox, new, against, share, profiles_max, give_way } = input;
    let mut candidates = Vec::new();
    for package in [Some(new), against].into_iter().flatten() {
        candidates.push(Candidate {
            manifest: Manifest::parse(package.manifest())?,
            manifest_text: package.manifest().to_owned(),
            plugin: sandbox.load(&package)?,
        });
    }
    let capability = candidates[0].manifest.plugin.name.clone();
    if let Some(other) = candidates.iter().find(|is| is.manifest.plugin.name != capability) {
        let other = other.manifest.plugin.name.clone();
        return Err(ReplayError::Another { capability, other });
    }
    let candidates: Arc<[Candidate]> = candidates.into();
    let revisions = Revisions::read(&log, capability.clone(), candidates.clone())?;
    Ok(Plan {
        capability,
        candidates,
        share,
        revisions,
        log,
        control: control.clone(),
        time: Duration::from_millis(sandbox.limits().time_ms),
        profiles_max,
        give_way,
    })
}

/// Reads the log once and counts on several threads.
fn read(plan: &Plan) -> Result<Tally, ReplayError> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    // Beside a host that serves, a core is left to it, see [`Turns`](crate::engine::turns).
    let free = if plan.give_way { spare_of(cores) } else { cores };
    let threads = free.min(THREADS_MAX);
    let others: Vec<Plan> = (1..threads).map(|_| plan.beside()).collect();
    std::thread::scope(|scope| {
        let mut lanes = Vec::new();
        let mut followers = Vec::new();
        for (worker, plan) in others.iter().chain([plan]).enumerate() {
            let (sender, batches) = sync_channel(BATCHES_WAITING_MAX);
            let (back, used) = channel();
            lanes.push(Lane { next: Batch::default(), sender, used });
            followers.push(scope.spawn(move || {
                work_as(worker);
                follow(plan, &batches, &back)
            }));
        }
        let dealt = deal(plan, lanes);
        let mut tally = Tally::default();
        let mut failed = None;
        for follower in followers {
            match follower.join() {
                Ok(Ok(counted)) => tally.add(counted),
                Ok(Err(error)) => failed = Some(error),
                Err(_) => failed = Some(ReplayError::Item("a thread that replays panicked".to_owned())),
            }
        }
        // A follower that failed is why there was nobody to deal to.
        match failed {
            Some(error) => Err(error),
            None => dealt.map(|()| tally),
        }
    })
}

/// The way to a thread that replays.
struct Lane {
    /// What is dealt to it next.
    next: Batch,
    sender: SyncSender<Batch>,
    /// Batches it is done with.
    used: Receiver<Batch>,
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
    if plan.give_way {
        give_way(niceness::LEAST);
    }
    // No segment leaves before it is read.
    let _hold = plan.log.hold()?;
    let mut scan = plan.log.scan_all(ScanFrom::Start);
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

fn follow(plan: &Plan, batches: &Receiver<Batch>, back: &Sender<Batch>) -> Result<Tally, ReplayError> {
    if plan.give_way {
        give_way(niceness::LEAST);
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
