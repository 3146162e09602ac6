//! What status and metrics say of events, refusals and what waits: never more than there is.

use serde_json::Value;

use super::{Bench, USUAL};
use crate::ParkedFilter;

/// The status as it is answered.
fn status(bench: &Bench) -> Value {
    serde_json::to_value(bench.engine.status()).expect("it is JSON")
}

fn sample(bench: &Bench, name: &str) -> Option<f64> {
    let text = bench.engine.metrics_text();
    let line = text.lines().find(|line| line.split(' ').next() == Some(name))?;
    line.rsplit(' ').next()?.parse().ok()
}

/// What was said no to of the probe's invocations.
fn refusals(bench: &Bench, by: &str) -> Option<f64> {
    refusals_of(bench, "probe", by)
}

fn refusals_of(bench: &Bench, capability: &str, by: &str) -> Option<f64> {
    sample(bench, &format!("samsyn_refusals_total{{capability=\"{capability}\",by=\"{by}\"}}"))
}

#[test]
fn refusals_are_counted_by_whom() {
    let bench = Bench::new();
    bench.install("probe", USUAL);
    assert_eq!((refusals(&bench, "host"), refusals(&bench, "capability")), (Some(0.0), Some(0.0)));
    bench.script("anna", &["refuse not this one"]);
    bench.script("anna", &["refuse nor this", "add probe.count"]);
    bench.settle();
    assert_eq!((refusals(&bench, "host"), refusals(&bench, "capability")), (Some(0.0), Some(2.0)));
    // A value of another type than the field's is the host's to refuse.
    bench.script("bo", &["text probe.count many"]);
    bench.settle();
    assert_eq!((refusals(&bench, "host"), refusals(&bench, "capability")), (Some(1.0), Some(2.0)));
}

#[test]
fn refusals_are_those_of_the_records_however_often_a_handler_ran() {
    const EACH: usize = 20;
    let bench = Bench::new();
    bench.install("probe", USUAL);
    // What it is sent never fits: the host says so, and doesn't call it.
    bench.install("picky", "[subscribes.\"probe.*\"]\nscript = { type = \"integer\", required = true }\n");
    // All of one customer, from several senders at once.
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                for _ in 0..EACH {
                    bench.script("anna", &["refuse no", "add probe.count"]);
                }
            });
        }
    });
    bench.settle();
    let (mut own, mut hosts) = (0, 0);
    let timeline =
        bench.engine.query().timeline(&bench.profile("anna"), None, 1_000).expect("it can be read");
    for outcome in timeline.iter().flat_map(|entry| &entry.decided.outcomes) {
        match outcome.capability.as_str() {
            "probe" => own += outcome.refusals.len(),
            _ => hosts += outcome.refusals.len(),
        }
    }
    assert_eq!((own, hosts), (3 * EACH, 3 * EACH));
    let told = |capability, by| refusals_of(&bench, capability, by);
    assert_eq!((told("probe", "capability"), told("probe", "host")), (Some(60.0), Some(0.0)));
    assert_eq!((told("picky", "capability"), told("picky", "host")), (Some(0.0), Some(60.0)));
}

#[test]
fn no_more_events_are_decided_than_accepted_whatever_follows_from_them() {
    let mut bench = Bench::new();
    bench.install("probe", USUAL);
    bench.install("hears", "[subscribes.\"probe.pinged\"]\nscript = { type = \"texts\" }\n");
    for number in 0..20 {
        bench.script(&format!("customer-{number}"), &["emit probe.pinged again", "add probe.count"]);
        let now = status(&bench);
        assert!(now["decided"].as_u64() <= now["accepted"].as_u64(), "{now}");
    }
    bench.settle();
    let now = status(&bench);
    assert_eq!((&now["accepted"], &now["decided"]), (&Value::from(20), &Value::from(20)), "{now}");
    assert_eq!(sample(&bench, "samsyn_events_decided_total"), Some(20.0));
    assert!(sample(&bench, "samsyn_decisions_total") > Some(20.0), "what follows is decided as well");

    // What was taken before a start is decided after it, and counts as accepted there.
    let taken: Vec<_> = (0..200).map(|_| bench.script("anna", &["add probe.count"]).position).collect();
    bench.restart();
    let left = taken.len() as u64;
    let now = status(&bench);
    assert!(now["decided"].as_u64() <= now["accepted"].as_u64(), "{now}");
    bench.settle();
    let now = status(&bench);
    assert_eq!(now["decided"], now["accepted"], "{now}");
    assert!(now["accepted"].as_u64() <= Some(left), "{now}");
}

#[test]
fn what_waits_is_what_waits_now() {
    let mut bench = Bench::new();
    bench.install("probe", USUAL);
    let waits = |bench: &Bench| {
        let now = status(bench);
        (now["waiting"]["parked"].clone(), now["waiting"]["held"].clone())
    };
    assert_eq!(waits(&bench), (0.into(), 0.into()));
    bench.script("anna", &["fail on purpose"]);
    bench.script("anna", &["add probe.count"]);
    bench.script("bo", &["fail on purpose"]);
    bench.settle();
    for restarted in [false, true] {
        if restarted {
            bench.restart();
            bench.settle();
        }
        assert_eq!(waits(&bench), (2.into(), 1.into()));
        assert_eq!(sample(&bench, "samsyn_waiting_deliveries{state=\"parked\"}"), Some(2.0));
        assert_eq!(sample(&bench, "samsyn_waiting_deliveries{state=\"held\"}"), Some(1.0));
    }
    bench.engine.parked().skip(&ParkedFilter::default(), "a test").expect("they are given up");
    bench.settle();
    assert_eq!(waits(&bench), (0.into(), 0.into()));
    // How often invocations failed since the start is another thing, and called so.
    let deliveries = status(&bench)["deliveries"].clone();
    assert!(deliveries["parked"].is_null() && deliveries["failed"].is_u64(), "{deliveries}");
}

#[test]
fn what_begins_anew_with_the_process_says_so() {
    let bench = Bench::new();
    bench.install("probe", USUAL);
    bench.script("anna", &["add probe.count"]);
    bench.settle();
    let text = bench.engine.metrics_text();
    let kinds = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
    for (name, kind) in kinds {
        let help =
            text.lines().find(|line| line.starts_with(&format!("# HELP {name} "))).expect("it has help");
        assert_eq!(help.ends_with(", since the process started."), kind != "gauge", "{help} ({kind})");
    }
}
