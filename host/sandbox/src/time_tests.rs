//! The limit of time: CPU time of the invocation's own thread, looked at when the epoch's deadline comes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::*;
use crate::guests;
use crate::tests::{access, event, failure_of, limits, load_within, package, projection};
use crate::thread_clock::{ThreadClock, of_this_thread as sandbox_clock};
use samsyn_vocabulary::{FailureKind, HeardEvent};

#[test]
fn an_endless_loop_times_out() {
    let limits = Limits { time_ms: 10, ..limits() };
    let failure = failure_of(&limits, "(loop $again (br $again))", "");
    assert_eq!(failure.kind, FailureKind::Timeout);
    assert_eq!(failure.message, "it used more than 10 ms of CPU time (time_ms)");
    assert_eq!(failure.backtrace, ["on_event"]);
}

/// A clock of threads that have one of so many parts of the time that passes: a busy machine.
struct OnePartOf {
    parts: u32,
    since: Instant,
}

impl ThreadClock for OnePartOf {
    fn used(&self) -> Duration {
        self.since.elapsed().checked_div(self.parts).unwrap_or_default()
    }
}

/// A clock by which a thread has used a millisecond more each time it is asked.
#[derive(Default)]
struct EachTimeAMillisecond(AtomicU64);

impl ThreadClock for EachTimeAMillisecond {
    fn used(&self) -> Duration {
        Duration::from_millis(self.0.fetch_add(1, Ordering::SeqCst))
    }
}

/// An endless loop with so much time, by that clock.
fn endless_by(clock: Arc<dyn ThreadClock>, time: Duration) -> InvocationReport {
    let sandbox = Sandbox::new(&limits()).unwrap().timed_by(clock);
    let plugin =
        sandbox.load(&package(&guests::subscriber("(loop $again (br $again))", "")).unwrap()).unwrap();
    let event = event();
    plugin.invoke_within(
        &access(),
        HandlerInput::Event { event: &HeardEvent::from(&event), profile: &projection() },
        time,
    )
}

#[test]
fn a_call_has_its_time_however_little_of_it_a_busy_machine_gives() {
    let time = Duration::from_millis(10);
    for parts in [1, 3, 8] {
        let report = endless_by(Arc::new(OnePartOf { parts, since: Instant::now() }), time);
        let failure = report.result.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Timeout);
        assert_eq!(failure.message, "it used more than 10 ms of CPU time (time_ms)");
        // The first two milliseconds count whole.
        let at_least = (time - Duration::from_millis(2)) * parts;
        assert!(report.duration >= at_least, "{parts}: {:?}", report.duration);
        assert!(report.cpu >= time && report.cpu <= report.duration, "{parts}: {:?}", report.cpu);
    }
}

#[test]
fn a_call_goes_on_while_there_is_some_of_its_time_left() {
    let clock = Arc::new(EachTimeAMillisecond::default());
    let failure = endless_by(clock.clone(), Duration::from_millis(7)).result.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Timeout);
    let asked = clock.0.load(Ordering::SeqCst);
    assert!(
        (8..=10).contains(&asked),
        "first, at each of seven milliseconds more and at the end, not {asked} times"
    );
}

#[test]
fn a_call_that_gets_no_time_at_all_ends_and_the_machine_is_blamed() {
    let report =
        endless_by(Arc::new(OnePartOf { parts: 0, since: Instant::now() }), Duration::from_millis(1));
    let failure = report.result.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Timeout);
    assert_eq!(
        failure.message,
        "it got 0 of its 1 ms of CPU time (time_ms) within 100 ms: this machine is too busy"
    );
    assert!(report.duration >= Duration::from_millis(100), "{:?}", report.duration);
    assert_eq!(report.cpu, Duration::ZERO);
}

#[test]
fn a_threads_own_clock_counts_what_it_computes_and_not_what_it_waits() {
    let clock = sandbox_clock();
    // In this order: what is computed between the two counts as passed, not as computed.
    let began = Instant::now();
    let before = clock.used();
    let mut sum = 0_u64;
    while clock.used() < before + Duration::from_millis(5) {
        sum = std::hint::black_box(sum.wrapping_mul(31).wrapping_add(1));
    }
    assert!(began.elapsed() >= Duration::from_millis(5), "nobody computes for longer than time passes");
    // Another thread's work is not its own.
    let (own, other) = (clock.used(), std::thread::spawn(|| sandbox_clock().used()).join().unwrap());
    assert!(other < own, "{other:?} {own:?}");
}

#[test]
fn the_clock_starts_again_after_an_idle_time() {
    let plugin = load_within(&limits(), "(loop $again (br $again))", "");
    let invoke = |millis| {
        let event = event();
        let input = HandlerInput::Event { event: &HeardEvent::from(&event), profile: &projection() };
        plugin.invoke_within(&access(), input, Duration::from_millis(millis))
    };
    for millis in [1, 20] {
        let report = invoke(millis);
        assert_eq!(report.result.unwrap_err().kind, FailureKind::Timeout);
        assert!(report.duration >= Duration::from_millis(millis), "{:?}", report.duration);
    }
}
