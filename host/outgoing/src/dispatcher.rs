//! Keeps a lane for each endpoint that has calls, follows the registry, starts and stops.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use samsyn_egress::Connector;
use samsyn_egress::secret::Scrub;
use samsyn_engine::{Engine, NewCalls};
use samsyn_journal::PendingCall;
use samsyn_registry::Registry;
use samsyn_secrets::Secrets;
use samsyn_telemetry::MetricsText;
use samsyn_vocabulary::{CapabilityName, EndpointName, Seq};
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::time::MissedTickBehavior;

use crate::lane::{Common, Halt, Lane, LaneStatus};

/// How often it asks the view which endpoints have calls, without being woken.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Calls in doubt that are counted of each endpoint.
const UNKNOWN_MAX: usize = 1_000;
/// How often stopping looks whether all have ended.
const STOP_LOOK: Duration = Duration::from_millis(5);

type Lanes = BTreeMap<(CapabilityName, EndpointName), Arc<Lane>>;

/// Sends calls.
pub struct Outgoing {
    common: Arc<Common>,
    lanes: Mutex<Lanes>,
    runtime: Handle,
    look: Notify,
}

/// How an endpoint's calls are doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointStatus {
    /// Whose endpoint.
    pub capability: CapabilityName,
    /// Its name.
    pub endpoint: EndpointName,
    /// Whether calls wait for it.
    pub has_calls: bool,
    /// How its lane is doing.
    pub lane: LaneStatus,
}

impl Outgoing {
    /// Starts sending the calls of an engine.
    pub fn start(engine: Arc<Engine>, secrets: Arc<Secrets>, runtime: &Handle) -> Arc<Outgoing> {
        let scrub =
            Arc::new(AllSecrets { engine: engine.clone(), secrets: secrets.clone(), made: Mutex::default() });
        Outgoing::start_with(engine, secrets, Connector::system(scrub), runtime)
    }

    /// [`start`](Outgoing::start) with a connector of the caller's.
    pub fn start_with(
        engine: Arc<Engine>,
        secrets: Arc<Secrets>,
        connector: Connector,
        runtime: &Handle,
    ) -> Arc<Outgoing> {
        let common = Arc::new(Common {
            engine,
            secrets,
            connector,
            stopping: AtomicBool::new(false),
            attempts: AtomicU64::new(0),
        });
        let lanes = Mutex::new(BTreeMap::new());
        let outgoing = Arc::new(Outgoing { common, lanes, runtime: runtime.clone(), look: Notify::new() });
        // Before any lane asks the view: what comes later is told.
        outgoing.common.engine.calls().follow();
        outgoing.refresh();
        runtime.spawn(outgoing.clone().run());
        outgoing
    }

    /// Follows the registry now: once it returns, nothing leaves that a pause of it holds back. Called after each change.
    pub fn refresh(&self) {
        self.follow_registry();
        self.lanes.lock().values().for_each(|lane| lane.wake());
        self.look.notify_one();
    }

    /// How each endpoint is doing that has, or had, calls.
    pub fn status(&self) -> Vec<EndpointStatus> {
        // A view that can't be read has said so where it is needed.
        let waiting: BTreeSet<_> =
            self.common.engine.calls().endpoints().unwrap_or_default().into_iter().collect();
        let lanes = self.lanes.lock();
        let status = |(name, lane): (&(CapabilityName, EndpointName), &Arc<Lane>)| EndpointStatus {
            capability: name.0.clone(),
            endpoint: name.1.clone(),
            has_calls: waiting.contains(name),
            lane: lane.status(),
        };
        lanes.iter().map(status).collect()
    }

    /// Why nothing is sent to an endpoint; none while it is, or never was.
    pub fn halt(&self, capability: &CapabilityName, endpoint: &EndpointName) -> Option<Halt> {
        let lane = self.lanes.lock().get(&(capability.clone(), endpoint.clone())).cloned();
        lane.and_then(|lane| lane.status().halt)
    }

    /// The registry as it is.
    pub(crate) fn registry(&self) -> Arc<Registry> {
        self.common.engine.registry()
    }

    /// The lane of an endpoint.
    pub(crate) fn lane(&self, capability: &CapabilityName, endpoint: &EndpointName) -> Arc<Lane> {
        self.lane_in(&mut self.lanes.lock(), (capability.clone(), endpoint.clone()))
    }

    fn lane_in(&self, lanes: &mut Lanes, name: (CapabilityName, EndpointName)) -> Arc<Lane> {
        let begun = || {
            let lane = Arc::new(Lane::new(self.common.clone(), name.0.clone(), name.1.clone()));
            self.runtime.spawn(lane.clone().run());
            lane
        };
        lanes.entry(name.clone()).or_insert_with(begun).clone()
    }

    /// Attempts that are under way.
    pub fn under_way(&self) -> usize {
        self.lanes.lock().values().map(|lane| lane.status().under_way).sum()
    }

    /// What it counts, for Prometheus.
    pub fn metrics_text(&self) -> String {
        let mut text = MetricsText::default();
        let attempts = self.common.attempts.load(Ordering::Relaxed) as f64;
        text.counter("samsyn_call_attempts_total", "Attempts to call a system", attempts);
        text.gauge(
            "samsyn_calls_waiting",
            "Calls that wait for their answers",
            self.common.engine.calls().waiting() as f64,
        );
        // A view that can't be read has said so where it is needed.
        let unknown = self.common.engine.calls().unknown(UNKNOWN_MAX).unwrap_or_default();
        text.gauge(
            "samsyn_calls_unknown",
            "Calls of which nobody knows whether they arrived; of each endpoint at most 1000 are counted",
            unknown.into_iter().map(|(_, _, calls)| calls).sum::<usize>() as f64,
        );
        text.gauge("samsyn_calls_under_way", "Attempts that are under way", self.under_way() as f64);
        text.head(
            "samsyn_endpoint_halted_seconds",
            "Time since calls to the endpoint wait; 0 while they are sent",
            "gauge",
        );
        for EndpointStatus { capability, endpoint, lane, .. } in self.status() {
            let labels = format!("capability=\"{capability}\",endpoint=\"{endpoint}\"");
            text.sample("samsyn_endpoint_halted_seconds", &labels, lane.halted_for.as_secs_f64());
        }
        text.0
    }

    /// Begins nothing more, and waits for what is under way. True when all of it ended: nothing is in doubt then.
    pub async fn stop(&self, patience: Duration) -> bool {
        self.common.stopping.store(true, Ordering::SeqCst);
        self.look.notify_one();
        self.lanes.lock().values().for_each(|lane| lane.wake());
        let until = Instant::now() + patience;
        while self.under_way() > 0 {
            if Instant::now() > until {
                return false;
            }
            tokio::time::sleep(STOP_LOOK).await;
        }
        true
    }

    async fn run(self: Arc<Outgoing>) {
        let calls = self.common.engine.calls();
        let mut revision: Seq = 0;
        // What waited before is only in the view.
        self.wake_lanes();
        let mut look = tokio::time::interval(LOOK_EVERY);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while !self.common.stopping.load(Ordering::Relaxed) {
            let now = self.common.engine.registry().revision;
            if now != revision {
                revision = now;
                self.follow_registry();
            }
            tokio::select! {
                new = calls.next_new() => self.take_new(new),
                () = self.look.notified() => self.wake_lanes(),
                _ = look.tick() => self.wake_lanes(),
            }
        }
    }

    fn follow_registry(&self) {
        // Nobody who read the registry earlier says something later.
        let lanes = self.lanes.lock();
        match self.common.engine.registry().outgoing_paused {
            Some(_) => self.common.connector.pause(),
            None => self.common.connector.resume(),
        }
        lanes.values().for_each(|lane| lane.follow());
    }

    /// Gives each lane what began to wait.
    fn take_new(&self, NewCalls { calls, missed }: NewCalls) {
        let mut of_lane: BTreeMap<(CapabilityName, EndpointName), Vec<PendingCall>> = BTreeMap::new();
        for call in calls {
            of_lane.entry((call.capability.clone(), call.endpoint.clone())).or_default().push(call);
        }
        {
            let mut lanes = self.lanes.lock();
            for (name, calls) in of_lane {
                self.lane_in(&mut lanes, name).add(calls);
            }
        }
        if missed {
            self.lanes.lock().values().for_each(|lane| lane.forget_upcoming());
            self.wake_lanes();
        }
    }

    /// Wakes the lanes of all endpoints that have calls, and begins those that aren't there yet.
    fn wake_lanes(&self) {
        let endpoints = match self.common.engine.calls().endpoints() {
            Ok(endpoints) => endpoints,
            Err(error) => {
                tracing::error!(%error, "the calls that wait can't be read");
                return;
            }
        };
        let mut lanes = self.lanes.lock();
        for (capability, endpoint) in endpoints {
            self.lane_in(&mut lanes, (capability, endpoint)).wake();
        }
    }
}

/// Takes the values of all secrets out of what a system or a library says.
struct AllSecrets {
    engine: Arc<Engine>,
    secrets: Arc<Secrets>,
    made: Mutex<Option<(Seq, Arc<samsyn_secrets::Scrub>)>>,
}

impl Scrub for AllSecrets {
    fn scrub(&self, bytes: Vec<u8>) -> Vec<u8> {
        let registry = self.engine.registry();
        let scrub = {
            let mut made = self.made.lock();
            match &*made {
                Some((revision, scrub)) if *revision == registry.revision => scrub.clone(),
                _ => {
                    let scrub = Arc::new(self.secrets.scrub(registry.secrets.keys()));
                    *made = Some((registry.revision, scrub.clone()));
                    scrub
                }
            }
        };
        scrub.bytes(&bytes).into_owned()
    }
}
