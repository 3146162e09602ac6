//! Replays of a running host: one at a time, in the background, giving way to everything else.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use parking_lot::Mutex;

use super::runtime::Plugins;
use super::shared::Shared;
use samsyn_machine::clock::Clock;
use samsyn_registry::Manifest;
use samsyn_replay::{Control, Input, ReplayError, ReplayReport, Share, own_sandbox, replay};
use samsyn_sandbox::Package;
use samsyn_vocabulary::{CapabilityName, Timestamp};

/// Replays that are remembered, the one that runs included.
const KEPT_MAX: usize = 8;
/// Of the customers that may be held in memory, the share that a run without a share of its own is
/// planned for: more may come while it reads.
const FILL_PERCENT: f64 = 90.0;

/// The replays of a host.
pub struct Replays {
    shared: Arc<Shared>,
    plugins: Arc<Plugins>,
    jobs: Mutex<VecDeque<Arc<Job>>>,
}

/// One that runs or ended.
struct Job {
    id: String,
    capability: CapabilityName,
    share: Share,
    control: Arc<Control>,
    started_at: Timestamp,
    end: Mutex<Option<End>>,
}

struct End {
    at: Timestamp,
    result: Result<Arc<ReplayReport>, ReplayError>,
}

/// How a replay is.
#[derive(Clone, Debug)]
pub struct Replay {
    /// What it is asked for by.
    pub id: String,
    /// The plug-in.
    pub capability: CapabilityName,
    /// Which customers.
    pub share: Share,
    /// Where it is.
    pub state: ReplayState,
    /// Bytes of the log that were read, and bytes there are; 0 of 0 while components are compiled.
    pub bytes: (u64, u64),
    /// Invocations that were compared.
    pub deliveries: u64,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended; none while it runs.
    pub ended_at: Option<Timestamp>,
}

/// Where a replay is.
#[derive(Clone, Debug)]
pub enum ReplayState {
    /// It runs.
    Running,
    /// It has a report.
    Done(Arc<ReplayReport>),
    /// It was stopped.
    Stopped,
    /// It can't go on, for this reason.
    Failed(String),
}

impl Job {
    fn status(&self) -> Replay {
        let end = self.end.lock();
        let state = match end.as_ref().map(|end| &end.result) {
            None => ReplayState::Running,
            Some(Ok(report)) => ReplayState::Done(report.clone()),
            Some(Err(ReplayError::Stopped)) => ReplayState::Stopped,
            Some(Err(error)) => ReplayState::Failed(error.to_string()),
        };
        let control = &self.control;
        Replay {
            id: self.id.clone(),
            capability: self.capability.clone(),
            share: self.share,
            state,
            bytes: (control.bytes_done.load(Ordering::Relaxed), control.bytes_total.load(Ordering::Relaxed)),
            deliveries: control.compared.load(Ordering::Relaxed),
            started_at: self.started_at,
            ended_at: end.as_ref().map(|end| end.at),
        }
    }

    fn runs(&self) -> bool {
        self.end.lock().is_none()
    }

    fn run(&self, input: Input, clock: &Clock) {
        // Whatever happens, it ends: another one may begin only then.
        let result = catch_unwind(AssertUnwindSafe(|| replay(input, &self.control)));
        let result = result.unwrap_or_else(|_| Err(ReplayError::Item("the replay panicked".to_owned())));
        match &result {
            Ok(report) => tracing::info!(
                id = %self.id, capability = %self.capability, deliveries = report.deliveries,
                different = report.different, seconds = report.seconds, "replayed"
            ),
            Err(error) => {
                tracing::warn!(id = %self.id, capability = %self.capability, %error, "not replayed");
            }
        }
        *self.end.lock() = Some(End { at: clock.now(), result: result.map(Arc::new) });
    }
}

impl Replays {
    /// None yet.
    pub(crate) fn new(shared: Arc<Shared>, plugins: Arc<Plugins>) -> Replays {
        Replays { shared, plugins, jobs: Mutex::default() }
    }

    /// Takes a place for a run, unless one runs already.
    fn begin(&self, job: Job) -> Result<Arc<Job>, ReplayError> {
        let mut all = self.jobs.lock();
        if let Some(running) = all.iter().find(|job| job.runs()) {
            return Err(ReplayError::Running {
                id: running.id.clone(),
                capability: running.capability.clone(),
            });
        }
        let job = Arc::new(job);
        all.push_front(job.clone());
        all.truncate(KEPT_MAX);
        Ok(job)
    }

    fn find(&self, id: &str) -> Result<Arc<Job>, ReplayError> {
        let found = self.jobs.lock().iter().find(|job| job.id == id).cloned();
        found.ok_or_else(|| ReplayError::Unknown(id.to_owned()))
    }

    /// Ends whatever runs, soon.
    pub fn stop_all(&self) {
        self.jobs.lock().iter().for_each(|job| job.control.stop());
    }
}

impl Replays {
    /// Starts a replay of this component over the log, compared with another component or with what
    /// the log has. Without a share it is everybody, or as many as may be held in memory.
    pub fn start(
        &self,
        new: &[u8],
        against: Option<&[u8]>,
        share: Option<Share>,
    ) -> Result<Replay, ReplayError> {
        let sandbox = self.plugins.sandbox();
        let read = |bytes: &[u8]| Package::read(bytes, sandbox.limits());
        let (new, against) = (read(new)?, against.map(read).transpose()?);
        let capability = Manifest::parse(new.manifest())?.plugin.name;
        if let Some(against) = &against {
            let other = Manifest::parse(against.manifest())?.plugin.name;
            if other != capability {
                return Err(ReplayError::Another { capability, other });
            }
        }
        if self.shared.registry().generation(&capability) == 0 {
            return Err(ReplayError::NeverInstalled(capability));
        }
        let profiles_max = self.shared.config.replay_profiles_max;
        let share = share.unwrap_or_else(|| fitting(self.shared.view.profiles(), profiles_max));
        let job = self.begin(Job {
            id: uuid::Uuid::new_v4().to_string(),
            capability,
            share,
            control: Arc::default(),
            started_at: self.shared.clock.now(),
            end: Mutex::new(None),
        })?;
        let own = own_sandbox(sandbox.limits()).map(|own| own.with_code_of(sandbox));
        let begun = own.map_err(ReplayError::from).and_then(|sandbox| {
            let log = self.shared.log().clone();
            let input = Input { log, sandbox, new, against, share, profiles_max, lower_priority: true };
            let (running, clock) = (job.clone(), self.shared.clock.clone());
            let thread = std::thread::Builder::new().name("replay".to_owned());
            let spawned = thread.spawn(move || running.run(input, &clock));
            spawned.map(drop).map_err(|error| ReplayError::Item(format!("no thread to replay on: {error}")))
        });
        if let Err(error) = begun {
            *job.end.lock() = Some(End { at: self.shared.clock.now(), result: Err(error) });
        }
        Ok(job.status())
    }

    /// A replay that runs or ended since the host started.
    pub fn get(&self, id: &str) -> Result<Replay, ReplayError> {
        Ok(self.find(id)?.status())
    }

    /// All that are remembered, newest first.
    pub fn list(&self) -> Vec<Replay> {
        self.jobs.lock().iter().map(|job| job.status()).collect()
    }

    /// Has a replay end; one that ended stays as it is.
    pub fn stop(&self, id: &str) -> Result<Replay, ReplayError> {
        let job = self.find(id)?;
        job.control.stop();
        Ok(job.status())
    }
}

/// Everybody, or as many as may be held.
fn fitting(profiles: u64, profiles_max: u64) -> Share {
    if profiles <= profiles_max {
        return Share::default();
    }
    Share::percent(FILL_PERCENT * profiles_max as f64 / profiles as f64).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_share_it_is_everybody_or_as_many_as_fit() {
        assert!(fitting(100, 100).is_all());
        assert_eq!(fitting(1_000, 100).as_percent(), 9.0);
    }
}
