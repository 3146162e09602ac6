//! Handlers that fail: parked, held, retried, skipped, quarantined. Everybody else goes on.

use super::*;
use samsyn_journal::{InvocationStatus, Record};

fn results(bench: &Bench, acceptance: &Acceptance) -> Vec<&'static str> {
    let decided = bench.decisions(acceptance);
    let outcomes = decided.iter().flat_map(|decided| &decided.outcomes);
    outcomes
        .map(|outcome| match outcome.result {
            InvocationStatus::Done => "done",
            InvocationStatus::Parked(_) => "parked",
            InvocationStatus::Held => "held",
            InvocationStatus::Skipped { .. } => "skipped",
            InvocationStatus::Undeliverable { .. } => "undeliverable",
        })
        .collect()
}

#[test]
fn a_failure_parks_and_holds_that_customer_and_nobody_else() {
    let bench = Bench::new();
    bench.install("probe", USUAL);
    bench.install("other", "[subscribes.\"probe.asked\"]\n");
    let failed = bench.script("1", &["integer probe.count 1", "panic on purpose"]);
    let behind = bench.script("1", &["integer probe.count 2"]);
    bench.script("2", &["integer probe.count 3"]);
    bench.settle();
    // In the order of names: `other` was fine both times.
    assert_eq!(results(&bench, &failed), ["done", "parked"]);
    assert_eq!(results(&bench, &behind), ["done", "held"]);
    assert_eq!(bench.value("1", "probe.count"), None, "nothing of what a failed handler did happens");
    assert_eq!(bench.value("2", "probe.count"), Some(Value::Integer(3)));
    let page = bench.engine.parked().list(&ParkedFilter::default(), None, 10).unwrap();
    assert_eq!(page.items.len(), 2);
    let failure = page.items[0].blocked.failure.as_ref().expect("the first is parked");
    assert_eq!(failure.kind, FailureKind::Trap);
    assert!(failure.message.contains("on purpose"), "{failure:?}");
    assert!(failure.backtrace.iter().any(|frame| frame.contains("probe")), "{failure:?}");
}

#[test]
fn skipping_the_parked_one_runs_those_behind_it_in_order() {
    let mut bench = Bench::new();
    bench.install("probe", USUAL);
    let failed = bench.script("1", &["fail no"]);
    let second = bench.script("1", &["text probe.note second"]);
    let third = bench.script("1", &["text probe.note third"]);
    bench.settle();
    bench.restart();
    // A retry fails again and changes nothing.
    assert_eq!(bench.engine.parked().retry(&ParkedFilter::default()).unwrap(), 3);
    bench.settle();
    assert_eq!(bench.value("1", "probe.note"), None);
    assert_eq!(bench.engine.parked().skip(&ParkedFilter::default(), "a test event").unwrap(), 3);
    bench.settle();
    assert_eq!(bench.text("1", "probe.note").as_deref(), Some("third"));
    assert_eq!(results(&bench, &failed), ["parked", "parked", "skipped"]);
    assert_eq!(results(&bench, &second), ["held", "done"]);
    assert_eq!(results(&bench, &third), ["held", "done"]);
    assert!(bench.engine.parked().list(&ParkedFilter::default(), None, 10).unwrap().items.is_empty());
}

#[test]
fn changed_settings_run_what_is_parked_again() {
    let bench = Bench::new();
    let tables = format!("{USUAL}[settings]\nlevel = {{ type = \"integer\", default = 1 }}\n");
    bench.install("probe", &tables);
    let failed = bench.script("1", &["fail no"]);
    bench.settle();
    let settings = [("level".to_owned(), Some(Value::Integer(2)))].into();
    bench.change(RegistryChange::SettingsChanged { capability: capability("probe"), settings });
    bench.settle();
    assert_eq!(results(&bench, &failed), ["parked", "parked"], "it ran again, and failed again");
}

#[test]
fn a_timeout_is_tried_again_with_more_time_before_it_parks() {
    let limits = Limits { time_ms: 5, ..Limits::default() };
    let bench = Bench::with(EngineConfig { partitions: 1, workers: 1, ..EngineConfig::default() }, limits);
    bench.install("probe", USUAL);
    let failed = bench.script("1", &["loop"]);
    bench.settle();
    let decided = bench.decisions(&failed);
    let InvocationStatus::Parked(failure) = &decided[0].outcomes[0].result else { panic!("{decided:?}") };
    assert_eq!(failure.kind, FailureKind::Timeout);
    assert_eq!(bench.engine.status().sandboxes, 3);
}

#[test]
fn a_plug_in_that_always_fails_is_quarantined_and_released_without_loss() {
    let config = EngineConfig { partitions: 2, workers: 2, quarantine_after: 5, ..EngineConfig::default() };
    let mut bench = Bench::with(config, Limits::default());
    bench.install("probe", USUAL);
    bench.install("other", "[subscribes.\"probe.asked\"]\n");
    for customer in 0..5 {
        bench.script(&customer.to_string(), &["panic again"]);
    }
    wait_until(|| bench.engine.registry().capabilities["probe"].is_quarantined());
    bench.settle();
    let waiting: Vec<Acceptance> =
        (10..14).map(|customer| bench.script(&customer.to_string(), &["text probe.note x"])).collect();
    bench.settle();
    assert!(
        waiting.iter().all(|acceptance| results(&bench, acceptance) == ["done"]),
        "its cursor stands still"
    );
    bench.restart();
    bench.change(RegistryChange::Released { capability: capability("probe") });
    wait_until(|| !bench.engine.lanes.lags(&capability("probe")));
    bench.settle();
    for acceptance in &waiting {
        assert_eq!(results(&bench, acceptance), ["done", "done"], "each had its delivery, once");
    }
}

/// Looks again and again: what is awaited happens on another thread and tells nobody.
pub(super) fn wait_until(condition: impl Fn() -> bool) {
    let until = std::time::Instant::now() + PATIENCE;
    while !condition() {
        assert!(std::time::Instant::now() < until, "it never came true");
        std::thread::yield_now();
    }
}

#[test]
fn a_new_generation_starts_from_the_oldest_event_and_replaces_the_old_one() {
    let bench = Bench::new();
    for customer in 0..6 {
        for _ in 0..50 {
            bench.script(&customer.to_string(), &["add probe.count"]);
        }
    }
    bench.settle();
    bench.install("probe", USUAL);
    for customer in 0..6 {
        bench.script(&customer.to_string(), &["add probe.count"]);
    }
    bench.settle();
    assert_eq!(bench.value("0", "probe.count"), Some(Value::Integer(1)), "from now on only");
    let options = InstallOptions { from_start: true, ..InstallOptions::default() };
    bench.install_with("probe", USUAL, options);
    wait_until(|| {
        let read = bench.profile("0");
        read.partition.generation(&capability("probe")) == Some(2)
    });
    wait_until(|| !bench.engine.lanes.lags(&capability("probe")));
    bench.settle();
    for customer in 0..6 {
        assert_eq!(bench.value(&customer.to_string(), "probe.count"), Some(Value::Integer(51)), "{customer}");
    }
}

#[test]
fn a_generation_that_starts_while_another_catches_up_is_given_everything() {
    const EVENTS_EACH: i64 = 400;
    let bench =
        Bench::with(EngineConfig { partitions: 1, workers: 1, ..EngineConfig::default() }, Limits::default());
    let customers = ["0", "1", "2", "3"];
    for _ in 0..EVENTS_EACH {
        customers.iter().for_each(|customer| drop(bench.script(customer, &["add probe.count"])));
    }
    bench.settle();
    let options = InstallOptions { from_start: true, approve: true, ..InstallOptions::default() };
    bench.install_with("probe", USUAL, options);
    wait_until(|| {
        let cursor = bench.engine.lanes.cursor_in(Partition(0), &capability("probe"));
        cursor.is_some_and(|(cursor, _)| cursor.through.seq > 100)
    });
    bench.install_with("probe", USUAL, options);
    wait_until(|| {
        let generation = bench.profile("0").partition.generation(&capability("probe"));
        generation == Some(2) && !bench.engine.lanes.lags(&capability("probe"))
    });
    bench.settle();
    for customer in customers {
        let count = bench.value(customer, "probe.count");
        assert_eq!(count, Some(Value::Integer(EVENTS_EACH)), "{customer}");
    }
}

#[test]
fn two_plug_ins_that_set_each_other_off_for_ever_run_out_of_budget() {
    let config = EngineConfig { partitions: 1, workers: 1, depth_max: 5, ..EngineConfig::default() };
    let bench = Bench::with(config, Limits::default());
    let tables = |own: &str, others: &str| {
        format!(
            "[subscribes.\"probe.asked\"]\nscript = {{ type = \"texts\" }}\n\
             [sources]\n\"{own}\" = {{ type = \"text\" }}\n\"probe.seen\" = {{ type = \"text\" }}\n\
             [consumes]\n\"{others}\" = {{ purposes = [\"service\"], notify = true }}\n"
        )
    };
    // Each observes the field that the other one's observer writes, so each change causes another.
    bench.install("ping", &tables("a", "b").replace("\"probe.seen\" = { type = \"text\" }\n", ""));
    bench.install("pong", &tables("b", "a").replace("\"probe.seen\" = { type = \"text\" }\n", ""));
    let accepted = bench.script("1", &["text a 1"]);
    bench.settle();
    assert!(!bench.decisions(&accepted).is_empty());
    assert!(bench.engine.ready().is_ok());
}

/// Plug-ins that emit an event for each one they hear: `more` of the commands for each.
fn who_multiply(bench: &Bench, more: usize) -> Vec<String> {
    for name in ["hare", "rabbit"] {
        bench.install(name, USUAL);
    }
    // A script of one command is what an emitted event carries; each hears what the other emits.
    let again =
        (0..8).fold("text probe.note end".to_owned(), |script, _| format!("emit probe.pinged {script}"));
    vec![again; more]
}

#[test]
fn what_multiplies_has_one_budget_and_the_rest_is_one_record_each() {
    let config = EngineConfig { partitions: 1, workers: 1, derived_max: 50, ..EngineConfig::default() };
    let bench = Bench::with(config, Limits::default());
    let commands = who_multiply(&bench, 100);
    let commands: Vec<&str> = commands.iter().map(String::as_str).collect();
    bench.script("1", &commands);
    bench.settle();
    let status = bench.engine.status();
    // Two invocations of the accepted event, fifty that were caused.
    assert!((50..=52).contains(&status.sandboxes), "{status:?}");
    let undelivered = status.deliveries["undeliverable"];
    assert!((1..=52).contains(&undelivered), "two hundred events weren't delivered: {status:?}");
    // Nobody else's budget is touched.
    bench.script("2", &["emit probe.pinged text probe.note fine"]);
    bench.settle();
    assert_eq!(bench.text("2", "probe.note").as_deref(), Some("fine"));
}

/// A plug-in that never ends costs the first who meets it an invocation's time, not every partition.
#[test]
fn who_was_found_slow_elsewhere_is_not_waited_for() {
    let bench = Bench::new();
    bench.install("probe", USUAL);
    bench.install("other", "[subscribes.\"probe.asked\"]\n");
    bench.settle();
    // As another partition's worker does, before this one takes that into use.
    assert!(bench.engine.lanes.note_slow(&capability("probe")));
    let event = bench.script("1", &["integer probe.count 1"]);
    bench.settle();
    let first = bench.decisions(&event).remove(0);
    let heard: Vec<&str> = first.outcomes.iter().map(|outcome| outcome.capability.as_str()).collect();
    assert_eq!(heard, ["other"]);
    // It hears it on a thread of its own, and is found fast there.
    wait_until(|| bench.value("1", "probe.count") == Some(Value::Integer(1)));
    wait_until(|| !bench.engine.lanes.lags(&capability("probe")));
    assert!(!bench.engine.lanes.is_slow(&capability("probe")));
    let again = bench.script("1", &["integer probe.count 2"]);
    bench.settle();
    assert_eq!(results(&bench, &again), ["done", "done"]);
}

/// One worker, one partition, and calls that are cut off after they were found slow.
fn impatient() -> Bench {
    let slow_call_us = 20_000;
    let config = EngineConfig { partitions: 1, workers: 1, slow_call_us, ..EngineConfig::default() };
    let bench = Bench::with(config, Limits { time_ms: 30, ..Limits::default() });
    bench.install("probe", USUAL);
    bench.install("other", "[subscribes.\"probe.asked\"]\n");
    bench.settle();
    bench
}

fn parked(bench: &Bench) -> usize {
    bench.engine.parked().list(&ParkedFilter::default(), None, 10).unwrap().items.len()
}

#[test]
fn a_retry_that_takes_long_runs_on_the_plug_ins_own_thread() {
    let bench = impatient();
    let endless = bench.script("1", &["loop"]);
    wait_until(|| parked(&bench) == 1);
    assert_eq!(bench.engine.parked().retry(&ParkedFilter::default()).unwrap(), 1);
    let meanwhile = bench.script("2", &["text probe.note x"]);
    bench.settle();
    assert_eq!(results(&bench, &endless), ["done", "parked", "parked"]);
    let seqs = |event: &Acceptance| -> Vec<Seq> {
        let cause = event.position.seq;
        let records = bench.engine.records().scan(Partition(0), 1).map(|record| record.unwrap());
        let decided = records.filter_map(|record| match record.record().unwrap() {
            Record::Decided(decided) if decided.cause.seq == cause => Some(record.position.seq),
            _ => None,
        });
        decided.collect()
    };
    let (endless, meanwhile) = (seqs(&endless), seqs(&meanwhile));
    assert!(meanwhile[0] < endless[2], "the worker went on: {meanwhile:?} {endless:?}");
}

#[test]
fn who_is_slow_for_one_customer_does_not_hold_up_the_worker_when_it_is_handed_over() {
    let bench = impatient();
    // It is thought slow, and so handed over at once when that turns out not to be so, with an event
    // in front of it that it never ends with.
    assert!(bench.engine.lanes.note_slow(&capability("probe")));
    let endless = bench.script("1", &["loop"]);
    wait_until(|| parked(&bench) == 1);
    assert_eq!(results(&bench, &endless), ["done", "parked"]);
    let status = bench.engine.status();
    let probe = status.capabilities.iter().find(|found| found.name == capability("probe")).unwrap();
    assert_eq!(probe.calls, 4, "cut off once on the worker, and tried three times on its own thread");
}

#[test]
fn a_view_that_a_worker_finds_broken_is_told_everywhere() {
    let bench = Bench::new();
    // Its writer, which meets the same disk when its batch is due, knows of nothing yet.
    bench.engine.shared.halt(Fault::ViewStopped("the disk is full".to_owned()).into());
    let refused = bench.engine.accepting().accept(scripted("1", &[])).expect_err("nothing is taken any more");
    assert!(matches!(refused, AcceptError::Stopped(StopCause::Fault(Fault::ViewStopped(_)))), "{refused:?}");
    let says_why = |what: Option<String>| assert!(what.is_some_and(|what| what.contains("the disk is full")));
    says_why(bench.engine.ready().err());
    says_why(bench.engine.fault());
    let status = bench.engine.status();
    assert_eq!((status.view.state, status.log.state), ("failed", "ok"));
    says_why(status.view.reason);
    assert!(bench.engine.metrics_text().contains("samsyn_view_available 0\n"));
}

#[test]
fn a_rotten_profile_ends_deciding_and_the_next_start_folds_the_view_anew() {
    let mut bench = Bench::new();
    bench.install("probe", USUAL);
    bench.script("1", &["integer probe.count 1"]);
    bench.script("2", &["integer probe.count 2"]);
    bench.settle();
    let id = bench.profile("1").state.id;
    // What is at hand in memory hides what lies in the store.
    bench.restart();
    bench.engine.view().spoil(id);
    let behind = bench.script("1", &["text probe.note late"]);
    wait_until(|| bench.engine.fault().is_some());
    let status = bench.engine.status();
    assert_eq!(status.view.state, "failed");
    assert!(status.view.reason.is_some_and(|why| why.contains("the next start rebuilds the view")));
    assert_eq!(bench.value("2", "probe.count"), Some(Value::Integer(2)), "others are read");
    assert!(bench.engine.query().resolve(&identifier_name(), &customer_id("1")).is_ok_and(|id| id.is_some()));
    bench.restart();
    bench.settle();
    assert_eq!(results(&bench, &behind), ["done"]);
    assert_eq!(bench.value("1", "probe.count"), Some(Value::Integer(1)));
    assert_eq!(bench.text("1", "probe.note").as_deref(), Some("late"));
    // Once.
    bench.restart();
    assert_eq!(bench.engine.fault(), None);
    bench.script("1", &["integer probe.count 3"]);
    bench.settle();
    assert_eq!(bench.value("1", "probe.count"), Some(Value::Integer(3)));
}
