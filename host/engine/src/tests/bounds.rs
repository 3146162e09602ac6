//! What of one customer can grow without end is bounded: what waits behind a parked invocation, and the
//! identifiers of a profile.

use super::*;
use samsyn_journal::{BLOCKED_MAX, IDENTIFIERS_MAX, InvocationStatus, Record};
use samsyn_vocabulary::Partition;

/// Behind the first, which fails.
const BEHIND: usize = 3 * BLOCKED_MAX + 7;

/// Of one partition and worker, with everything that one customer waits for.
fn jammed(fails_later: Option<usize>) -> (Bench, Vec<Acceptance>) {
    let config = EngineConfig { partitions: 1, workers: 1, ..EngineConfig::default() };
    let bench = Bench::with(config, Limits::default());
    bench.install("probe", USUAL);
    bench.install("other", "[subscribes.\"probe.asked\"]\n");
    let mut events = vec![bench.script("1", &["fail no"])];
    for number in 0..BEHIND {
        let note = format!("text probe.note {number}");
        let commands =
            if fails_later == Some(number) { ["fail later", &note] } else { ["add probe.count", &note] };
        events.push(bench.script("1", &commands));
    }
    bench.settle();
    (bench, events)
}

/// In which order the probe's invocations ended, by their events.
fn ended(bench: &Bench) -> Vec<u64> {
    let records = bench.engine.records().scan(Partition(0), 1).map(|record| record.unwrap());
    let decided = records.filter_map(|record| match record.record().unwrap() {
        Record::Decided(decided) => Some(decided),
        _ => None,
    });
    let done = |decided: &samsyn_journal::Decided| {
        let mut of_probe =
            decided.outcomes.iter().filter(|outcome| outcome.capability == capability("probe"));
        of_probe.any(|outcome| matches!(outcome.result, InvocationStatus::Done)).then_some(decided.cause.seq)
    };
    decided.filter_map(|decided| done(&decided)).collect()
}

/// What of the probe's stands in the profile, and how many wait in all.
fn listed(bench: &Bench) -> (usize, usize) {
    let profile = bench.profile("1");
    let state = profile.state.capability_state(&capability("probe"), 1).expect("it said something");
    (state.blocked.len(), bench.engine.parked().count(&capability("probe")))
}

#[test]
fn what_waits_behind_a_parked_delivery_is_not_all_kept_in_the_profile_and_runs_in_order_once() {
    let (mut bench, events) = jammed(None);
    assert_eq!(listed(&bench), (BLOCKED_MAX, BEHIND + 1));
    let filter = ParkedFilter { capability: Some(capability("probe")), ..ParkedFilter::default() };
    assert_eq!(bench.engine.parked().list(&filter, None, 10_000).unwrap().items.len(), BEHIND + 1);
    let last = events.last().unwrap();
    assert!(bench.engine.query().decisions(last.position).unwrap().unwrap().blocked, "it says that it waits");
    // The next waits, too, and a restart forgets nothing.
    bench.restart();
    let one_more = bench.script("1", &["add probe.count", "text probe.note last"]);
    bench.settle();
    assert_eq!(listed(&bench), (BLOCKED_MAX, BEHIND + 2));
    assert_eq!(bench.engine.parked().skip(&filter, "a test event").unwrap(), BEHIND + 2);
    bench.settle();
    assert_eq!(listed(&bench), (0, 0));
    assert_eq!(bench.value("1", "probe.count"), Some(Value::Integer(BEHIND as i64 + 1)));
    assert_eq!(bench.text("1", "probe.note").as_deref(), Some("last"));
    let expected: Vec<u64> = events[1..].iter().chain([&one_more]).map(|event| event.position.seq).collect();
    assert_eq!(ended(&bench), expected);
    assert!(!bench.engine.query().decisions(last.position).unwrap().unwrap().blocked);
    // And what comes afterwards waits for nobody.
    bench.script("1", &["add probe.count"]);
    bench.settle();
    assert_eq!(bench.value("1", "probe.count"), Some(Value::Integer(BEHIND as i64 + 2)));
}

#[test]
fn one_of_those_that_are_not_listed_can_fail_too() {
    let fails = 2 * BLOCKED_MAX;
    let (mut bench, events) = jammed(Some(fails));
    let filter = ParkedFilter::default();
    bench.engine.parked().skip(&filter, "a test event").unwrap();
    bench.settle();
    assert_eq!(bench.value("1", "probe.count"), Some(Value::Integer(fails as i64)));
    let (_, waiting) = listed(&bench);
    assert_eq!(waiting, BEHIND - fails, "it and all behind it");
    bench.restart();
    assert_eq!(listed(&bench).1, waiting);
    let parked = bench.engine.parked().list(&filter, None, 10_000).unwrap().items;
    let failed: Vec<_> = parked.iter().filter(|item| item.blocked.failure.is_some()).collect();
    assert_eq!(failed.len(), 1);
    assert_eq!(failed[0].blocked.item.seq, events[fails + 1].position.seq);
    // A retry fails again; one that is given up lets the rest go on.
    bench.engine.parked().retry(&filter).unwrap();
    bench.settle();
    assert_eq!(listed(&bench).1, waiting);
    bench.engine.parked().skip(&filter, "a test event").unwrap();
    bench.settle();
    assert_eq!(bench.value("1", "probe.count"), Some(Value::Integer(BEHIND as i64 - 1)));
    assert_eq!(listed(&bench), (0, 0));
    let mut order = ended(&bench);
    assert_eq!(order.len(), BEHIND - 1);
    order.dedup();
    assert!(order.is_sorted() && order.len() == BEHIND - 1, "in order, each once");
}

#[test]
fn a_view_that_is_folded_anew_has_the_same_of_what_waits() {
    let (mut bench, _) = jammed(None);
    let before = bench.profile("1").state.clone();
    bench.engine.stop();
    std::fs::remove_dir_all(bench.path().join("view")).unwrap();
    bench.restart();
    bench.settle();
    assert_eq!(bench.profile("1").state, before);
}

#[test]
fn a_profile_takes_so_many_identifiers_and_says_so_of_the_next() {
    let bench = Bench::new();
    let email = |number: usize| Identifier {
        name: IdentifierName::new("email").unwrap(),
        value: format!("anna{number}@example.com"),
    };
    let with = |number: usize| {
        let mut event = new_event("1", "page.seen");
        event.identifiers.push(email(number));
        event
    };
    // One is the customer's number.
    for number in 1..IDENTIFIERS_MAX {
        bench.engine.accepting().accept(with(number)).unwrap();
    }
    bench.settle();
    let refused = bench.engine.accepting().accept(with(IDENTIFIERS_MAX)).expect_err("it is one too many");
    assert!(
        matches!(&refused, AcceptError::TooManyIdentifiers(name) if name.as_str() == "email"),
        "{refused:?}"
    );
    // What is linked already goes on finding the customer, and so does an event without a new one.
    let known = bench.engine.accepting().accept(with(7)).unwrap();
    assert_eq!(known.profile, bench.script("1", &[]).profile);
    // Nothing of the refused event was linked.
    assert_eq!(bench.engine.query().resolve(&email(0).name, &email(IDENTIFIERS_MAX).value).unwrap(), None);
    bench.settle();
    assert_eq!(bench.profile("1").state.identifiers.len(), IDENTIFIERS_MAX);
}

#[test]
fn what_a_capability_keeps_of_a_customer_has_the_bound_that_is_set() {
    let note = format!("text probe.note {}", "n".repeat(300));
    for (customer_bytes, result) in [(Limits::default().customer_bytes, "done"), (300, "parked")] {
        let config = EngineConfig { partitions: 1, workers: 1, ..EngineConfig::default() };
        let bench = Bench::with(config, Limits { customer_bytes, ..Limits::default() });
        bench.install("probe", USUAL);
        let first = bench.script("1", &["integer probe.count 1"]);
        let second = bench.script("1", &[&note]);
        bench.settle();
        let outcome = |event: &Acceptance| bench.decisions(event)[0].outcomes[0].result.clone();
        assert!(matches!(outcome(&first), InvocationStatus::Done));
        match (outcome(&second), result) {
            (InvocationStatus::Done, "done") => {}
            (InvocationStatus::Parked(failure), "parked") => {
                assert_eq!(failure.kind, FailureKind::Limit);
                // Both claims: 48 bytes each, their fields' names, a number and the note.
                let total = 2 * 48 + "probe.count".len() + "probe.note".len() + 8 + 300;
                let told = format!("would take {total} bytes; 300 are the most");
                assert!(failure.message.ends_with(&told), "{}", failure.message);
            }
            (other, _) => panic!("{customer_bytes}: {other:?}"),
        }
    }
}
