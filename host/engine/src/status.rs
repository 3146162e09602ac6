//! How the host is doing, as one answer and as Prometheus' text.

use std::sync::atomic::Ordering;

use serde::Serialize;

use super::fault::Fault;
use super::metrics::OUTCOMES;
use super::parked::Waiting;
use super::slowest::{SlowEvent, SlowestEvents};
use super::{Engine, EventIdsStatus, StopCause, TimersStatus};
use crate::way::STAGES;
use samsyn_registry::EndpointState;
use samsyn_telemetry::MetricsText;
use samsyn_vocabulary::{CapabilityName, Partition, Seq, Timestamp};

/// How the host is doing.
#[derive(Clone, Debug, Serialize)]
pub struct Status {
    /// Of the host.
    pub version: &'static str,
    /// Since when it runs.
    pub started_at: Timestamp,
    /// Profiles there are.
    pub profiles: u64,
    /// Events taken since the start, with those that were taken and not decided when it came.
    pub accepted: u64,
    /// Those of them that are decided; what follows from an event is part of it.
    pub decided: u64,
    /// Decisions since the start: of events, and of what follows from them.
    pub decisions: u64,
    /// Events accepted and not decided.
    pub undecided: usize,
    /// Nothing is under way: all that was taken, and all that followed from it, is decided, durable and
    /// can be read. What a lagging capability has yet to look at doesn't count.
    pub settled: bool,
    /// Fresh sandboxes since the start.
    pub sandboxes: u64,
    /// Invocations since the start, by result: `done`, `failed` (and parked then), `held` (behind one that
    /// was), `skipped`, `undeliverable`.
    pub deliveries: std::collections::BTreeMap<&'static str, u64>,
    /// What waits now.
    pub waiting: Waiting,
    /// The registry's newest revision.
    pub registry_revision: Seq,
    /// What waits for workers.
    pub queue: QueueStatus,
    /// What is remembered of the ids of events.
    pub event_ids: EventIdsStatus,
    /// Whether the log can be written: else no event is accepted.
    pub log: DiskStatus,
    /// Whether the view can be written: else no event is accepted.
    pub view: DiskStatus,
    /// All but one in a hundred events took less from being taken to their decision's being durable, in
    /// microseconds; 5000001 stands for more than 5 s.
    pub accept_to_decided_p99_us: u64,
    /// The slowest events since the start, and where they waited.
    pub slowest: SlowestEvents,
    /// Each capability.
    pub capabilities: Vec<CapabilityStatus>,
    /// Timers; none when the view can't be read.
    #[serde(skip)]
    pub timers: Option<TimersStatus>,
    /// Memory of the process in bytes; 0 where the system doesn't tell.
    pub rss_bytes: u64,
}

/// What waits for workers.
#[derive(Clone, Debug, Serialize)]
pub struct QueueStatus {
    /// Events that wait.
    pub depth: usize,
    /// How many may.
    pub limit: usize,
}

/// Whether something can be written to its disk.
#[derive(Clone, Debug, Serialize)]
pub struct DiskStatus {
    /// `ok`, or `failed`: then no event is accepted until the disk is fixed and the host started again.
    pub state: &'static str,
    /// Why it failed.
    pub reason: Option<String>,
}

impl DiskStatus {
    fn of(reason: Option<String>) -> DiskStatus {
        DiskStatus { state: if reason.is_none() { "ok" } else { "failed" }, reason }
    }
}

/// How a capability is doing.
#[derive(Clone, Debug, Serialize)]
pub struct CapabilityStatus {
    /// Which.
    pub name: CapabilityName,
    /// Calls since the start.
    pub calls: u64,
    /// Half of the invocations took less, in microseconds; 5000001 stands for more than 5 s.
    pub p50_us: u64,
    /// All but one in a hundred took less, likewise.
    pub p99_us: u64,
    /// Invocations that failed since the start.
    pub failures: u64,
    /// Records it has yet to look at, in all partitions.
    pub lag: u64,
}

impl Engine {
    /// How the host is doing.
    pub fn status(&self) -> Status {
        let load = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
        let metrics = &self.shared.metrics;
        let undecided = self.sequencer.undecided.load(Ordering::Relaxed);
        // Looked at before what was accepted, so that it is never more.
        let decided = metrics.decided.load(Ordering::Acquire);
        let capabilities = metrics.capabilities().into_iter().map(|(name, counters)| {
            let latency = counters.latency.snapshot();
            CapabilityStatus {
                calls: latency.count(),
                p50_us: latency.quantile_us(0.5),
                p99_us: latency.quantile_us(0.99),
                failures: load(&counters.failed),
                lag: self.lanes.lag(&name),
                name,
            }
        });
        let capabilities = capabilities.collect();
        Status {
            version: env!("CARGO_PKG_VERSION"),
            started_at: self.shared.started_at,
            profiles: self.shared.view.profiles(),
            accepted: load(&metrics.accepted),
            decided,
            decisions: load(&metrics.decisions),
            undecided,
            sandboxes: metrics.sandboxes(),
            deliveries: OUTCOMES.iter().copied().zip(metrics.outcomes.iter().map(load)).collect(),
            waiting: self.parked.waiting_now(),
            registry_revision: self.shared.registry().revision,
            queue: QueueStatus { depth: undecided, limit: self.shared.config.undecided_max },
            event_ids: self.accepting.event_ids(),
            log: DiskStatus::of(self.shared.journal.failed().map(|failure| failure.to_string())),
            view: DiskStatus::of(self.view_failure().map(|fault| fault.cause())),
            accept_to_decided_p99_us: metrics.accept_to_decided.snapshot().quantile_us(0.99),
            slowest: SlowestEvents::of(&metrics.ways.slowest()),
            // Looked at after the lag: who caught up in between has what it caused counted.
            settled: self.is_settled(),
            timers: self.timers.status().ok(),
            capabilities,
            rss_bytes: resident_bytes(),
        }
    }

    fn timers_text(&self, text: &mut MetricsText) {
        let fired = self.shared.metrics.timers_fired.load(Ordering::Relaxed) as f64;
        text.counter("samsyn_timers_fired_total", "Timers that fired", fired);
        // A view that can't be read has stopped the host, which says so elsewhere.
        let Ok(timers) = self.timers.status() else { return };
        text.gauge("samsyn_timers_pending", "Timers that are set", timers.pending as f64);
        let late = timers.late_ms as f64 / 1_000.0;
        text.gauge("samsyn_timers_late_seconds", "Time since the oldest pending timer was due", late);
        let held = f64::from(u8::from(timers.held.is_some()));
        text.gauge("samsyn_timers_held", "1 while no timer fires: see `samsyn status`", held);
    }

    /// Whether nothing is under way, see [`Status::settled`].
    pub fn is_settled(&self) -> bool {
        let own = self.shared.partitions();
        let partitions: Vec<Partition> = own.chain([Partition::IDENTITY, Partition::REGISTRY]).collect();
        let heads = || partitions.iter().map(|partition| self.shared.journal.head(*partition));
        let before: Vec<Seq> = heads().collect();
        let can_be_read = partitions
            .iter()
            .zip(&before)
            .all(|(partition, head)| self.shared.view.applied(*partition).seq >= *head);
        let is_busy = || {
            self.sequencer.undecided.load(Ordering::Relaxed) > 0
                || self.shared.schedule.is_busy()
                || !self.lanes.left_retries.lock().is_settled()
                || self.lanes.has_jobs()
        };
        // What was done between the looks left a record.
        can_be_read && !is_busy() && heads().eq(before)
    }

    /// Records a lagging capability has yet to look at, in all partitions; 0 when it doesn't lag.
    pub fn lag(&self, capability: &CapabilityName) -> u64 {
        self.lanes.lag(capability)
    }

    /// Whether events are accepted; why not otherwise.
    pub fn ready(&self) -> Result<(), String> {
        if let Some(failure) = self.shared.journal.failed() {
            return Err(format!("the log can't be written: {failure}"));
        }
        if self.shared.is_stopping() {
            return Err(self.shared.why_stopped().to_string());
        }
        match self.view_failure() {
            Some(failure) => Err(failure.to_string()),
            None => Ok(()),
        }
    }

    /// Why the view can't be kept, as its writer found it, or a lane that met the same disk first.
    fn view_failure(&self) -> Option<Fault> {
        let met = || match self.shared.halted.get() {
            Some(StopCause::Fault(fault @ (Fault::View(_) | Fault::ViewStopped(_)))) => Some(fault.clone()),
            _ => None,
        };
        self.shared.view.failure().map(Fault::ViewStopped).or_else(met)
    }

    /// The fault that ended accepting and deciding, of the log, the view or anything else; none while all
    /// is well, and none in a host that stops because it was told to.
    pub fn fault(&self) -> Option<String> {
        let halted = self.shared.halted.get().map(StopCause::to_string);
        let failed = || self.shared.journal.failed().map(|failure| Fault::LogFailed(failure).to_string());
        let view = || self.view_failure().map(|fault| fault.to_string());
        halted.or_else(failed).or_else(view)
    }

    /// Everything that is counted, in Prometheus' text format 0.0.4.
    pub fn metrics_text(&self) -> String {
        let mut text = MetricsText::default();
        let metrics = &self.shared.metrics;
        let load = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed) as f64;
        // As in the status: never more decided than accepted.
        let decided = metrics.decided.load(Ordering::Acquire) as f64;
        let help = "Events that are durable, with those that were not decided when it started";
        text.counter("samsyn_events_accepted_total", help, load(&metrics.accepted));
        text.counter("samsyn_events_decided_total", "Events of those whose decision is durable", decided);
        text.counter("samsyn_events_duplicate_total", "Events sent again", load(&metrics.duplicates));
        text.counter("samsyn_decisions_total", "Decisions that are durable", load(&metrics.decisions));
        text.counter("samsyn_sandboxes_total", "Fresh sandboxes started", metrics.sandboxes() as f64);
        text.counter("samsyn_log_commits_total", "Group commits of the log", load(&metrics.commits));
        text.counter("samsyn_log_bytes_total", "Bytes written to the log", load(&metrics.log_bytes));
        text.counter("samsyn_log_records_total", "Records written to the log", load(&metrics.records));
        let undecided = self.sequencer.undecided.load(Ordering::Relaxed) as f64;
        text.gauge("samsyn_queue_depth", "Events taken and not decided", undecided);
        self.timers_text(&mut text);
        text.gauge(
            "samsyn_log_queued_bytes",
            "Bytes waiting to be written",
            self.shared.journal.queued_bytes() as f64,
        );
        let available = |failed: bool| f64::from(u8::from(!failed));
        text.gauge(
            "samsyn_log_available",
            "1 while the log can be written",
            available(self.shared.journal.failed().is_some()),
        );
        text.gauge(
            "samsyn_view_available",
            "1 while the view can be written",
            available(self.view_failure().is_some()),
        );
        text.gauge("samsyn_profiles", "Profiles", self.shared.view.profiles() as f64);
        text.gauge(
            "samsyn_registry_revision",
            "The registry's newest revision",
            self.shared.registry().revision as f64,
        );
        let registry = self.shared.registry();
        let paused = f64::from(u8::from(registry.outgoing_paused.is_some()));
        text.gauge("samsyn_outgoing_paused", "1 while nothing is sent to any endpoint", paused);
        let name = "samsyn_endpoints";
        text.head(name, "Endpoints that plug-ins request, by state", "gauge");
        for (state, label) in [
            (EndpointState::Requested, "requested"),
            (EndpointState::Revoked, "revoked"),
            (EndpointState::Bound, "bound"),
            (EndpointState::Paused, "paused"),
        ] {
            let count = registry.endpoints().filter(|endpoint| endpoint.state == state).count();
            text.sample(name, &format!("state=\"{label}\""), count as f64);
        }
        text.gauge("samsyn_resident_bytes", "Memory of the process", resident_bytes() as f64);
        let waiting = self.parked.waiting_now();
        let help = "Customers of whom a delivery or a proposal waits";
        text.gauge("samsyn_waiting_customers", help, waiting.customers as f64);
        let name = "samsyn_waiting_deliveries";
        text.head(name, "Deliveries of the first thousand of them that wait now, by state", "gauge");
        text.sample(name, "state=\"parked\"", waiting.parked as f64);
        text.sample(name, "state=\"held\"", waiting.held as f64);
        text.head("samsyn_deliveries_total", "Deliveries by result", "counter");
        for (result, count) in OUTCOMES.iter().zip(&metrics.outcomes) {
            text.sample("samsyn_deliveries_total", &format!("result=\"{result}\""), load(count));
        }
        for (name, help, latency) in [
            ("samsyn_log_sync_seconds", "Time of a commit's sync", &metrics.sync),
            ("samsyn_log_write_seconds", "Time of a commit's write", &metrics.write),
            (
                "samsyn_accept_to_decided_seconds",
                "From an event's being taken to its decision's being durable",
                &metrics.accept_to_decided,
            ),
        ] {
            text.head(name, help, "histogram");
            text.histogram(name, "", &latency.snapshot());
        }
        let name = "samsyn_event_wait_seconds";
        text.head(
            name,
            "Where events waited, from their acceptance until their decision was reported",
            "histogram",
        );
        for (stage, waited) in STAGES.iter().zip(&metrics.ways.stages) {
            text.histogram(name, &format!("stage=\"{stage}\""), &waited.snapshot());
        }
        self.capability_metrics(&mut text);
        text.0
    }

    /// The slowest events since somebody took them last, the slowest first, and where they waited.
    pub fn take_slowest(&self) -> Vec<SlowEvent> {
        self.shared.metrics.ways.take_slowest()
    }

    fn capability_metrics(&self, text: &mut MetricsText) {
        let capabilities = self.shared.metrics.capabilities();
        let load = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed) as f64;
        let label = |name: &CapabilityName| format!("capability=\"{name}\"");
        text.head("samsyn_call_seconds", "Time of a plug-in's call in a fresh sandbox", "histogram");
        for (name, counters) in &capabilities {
            text.histogram("samsyn_call_seconds", &label(name), &counters.latency.snapshot());
        }
        text.head("samsyn_calls_total", "Deliveries by capability and result", "counter");
        for (name, counters) in &capabilities {
            let results = [("done", &counters.done), ("failed", &counters.failed), ("held", &counters.held)];
            for (result, count) in results {
                text.sample(
                    "samsyn_calls_total",
                    &format!("{},result=\"{result}\"", label(name)),
                    load(count),
                );
            }
        }
        let help =
            "What was said no to of a capability's deliveries, by the host or by the capability itself";
        text.head("samsyn_refusals_total", help, "counter");
        for (name, counters) in &capabilities {
            for (by, count) in
                [("host", &counters.refused_by_host), ("capability", &counters.refused_by_itself)]
            {
                text.sample("samsyn_refusals_total", &format!("{},by=\"{by}\"", label(name)), load(count));
            }
        }
        text.head("samsyn_lag_records", "Records a capability has yet to look at", "gauge");
        for name in self.shared.registry().capabilities.keys() {
            text.sample("samsyn_lag_records", &label(name), self.lanes.lag(name) as f64);
        }
    }
}

/// The process's memory, as Linux tells it: the second number of `statm`, in pages of 4 KiB.
fn resident_bytes() -> u64 {
    const PAGE_BYTES: u64 = 4096;
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    statm.split_whitespace().nth(1).and_then(|pages| pages.parse::<u64>().ok()).unwrap_or(0) * PAGE_BYTES
}
