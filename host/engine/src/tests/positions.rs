//! Names of records are full positions. A customer's records may name one of another partition, as they will after
//! a merge: it is read where it stands. Where it is another customer's record it is refused.

use std::sync::atomic::Ordering;

use super::*;
use samsyn_decide::draft::Draft;
use samsyn_journal::{Decided, Encoded, HeldProposal, InvocationStatus, Outcome, ProfileState, Record};
use samsyn_replay::{Control, Input, Share, own_sandbox, replay};
use samsyn_sandbox::Package;
use samsyn_state::view::{CommittedRecord, View};

/// A customer of another partition than this one's.
fn stranger_to(bench: &Bench, customer: &str) -> String {
    let home = |customer: &str| bench.profile(customer).home;
    let mut others = (0..64).map(|number| format!("stranger-{number}"));
    let is_elsewhere = |other: &String| {
        bench.script(other, &["text probe.note mine"]);
        bench.settle();
        home(other) != home(customer)
    };
    others.find(is_elsewhere).expect("one of so many lives elsewhere")
}

/// Appends a decision about a customer, changed like this, and folds it.
fn commit(bench: &Bench, customer: &str, cause: FullPosition, change: impl FnOnce(&mut Decided)) -> Decided {
    let (engine, read) = (&bench.engine, bench.profile(customer));
    let mut core = engine.lanes.core(read.home);
    let before = core.profile(read.state.id, engine.view()).expect("it can be read").expect("it is known");
    let mut decided = Decided {
        through: core.state.through,
        previous: before.head,
        revision: engine.registry().revision,
        ..Decided::nothing(before.id, cause, engine.clock().now())
    };
    change(&mut decided);
    engine
        .lanes
        .commit(read.home, &mut core, Some(&before), Draft::of(decided.clone()), None)
        .expect("it is appended");
    drop(core);
    bench.settle();
    decided
}

/// An invocation of the probe that failed, with the item that it waits with.
fn parked(bench: &Bench, customer: &str, item: FullPosition) {
    let failure = Failure { kind: FailureKind::Error, message: "no".to_owned(), backtrace: Vec::new() };
    waits(bench, customer, item, InvocationStatus::Parked(failure));
}

/// An invocation of the probe that waits with an item.
fn waits(bench: &Bench, customer: &str, item: FullPosition, result: InvocationStatus) {
    let home = bench.profile(customer).home;
    let probe = capability("probe");
    let outcome = Outcome {
        generation: bench.engine.view().applied(home).partition.generation(&probe).expect("it is installed"),
        digest: bench.engine.registry().capabilities[&probe].digest,
        capability: probe,
        role: Role::Subscriber,
        settings: 0,
        result,
        claims: Vec::new(),
        refusals: Vec::new(),
        memory: None,
        actions: Vec::new(),
        calls: Vec::new(),
    };
    commit(bench, customer, item, |decided| decided.outcomes.push(outcome));
}

/// An event of a customer in a partition that isn't their home. No worker is told of it.
fn event_in(bench: &Bench, partition: Partition, customer: &str, commands: &[&str]) -> Position {
    let engine = &bench.engine;
    let accepted = bench.script(customer, commands);
    bench.settle();
    let record = engine.records().read(accepted.position).expect("it can be read").expect("it is there");
    let Ok(Record::Accepted(mut accepted)) = record.record() else { panic!("it is an event") };
    accepted.event.id = "elsewhere".to_owned();
    let accepted = Arc::new(accepted);
    let encoded = Encoded::of(partition, accepted.as_ref());
    let record = CommittedRecord::accepted(accepted);
    engine.sequencer.append_in_order(partition, encoded, record).expect("it is appended")
}

fn waiting(bench: &Bench) -> Vec<ParkedItem> {
    bench.engine.parked().list(&ParkedFilter::default(), None, 1_000).expect("it can be read").items
}

/// The same in a view that is folded anew from the log, in one from a snapshot, and live.
fn is_the_same_wherever_it_is_folded(bench: &Bench, states: &[Arc<ProfileState>]) {
    let engine = &bench.engine;
    engine.maintenance().make_snapshot().expect("it is made");
    let (config, ids) = (ViewConfig::default(), engine.shared.config.event_ids());
    for from_snapshot in [false, true] {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let mut shelf = engine.maintenance.shelf.bases(engine.log());
        let bases = || if from_snapshot { shelf() } else { None };
        let (log, homes) = (engine.log(), engine.homes());
        let opened = View::open_from(directory.path(), log, homes, &config, ids, bases, |_| {});
        let (view, opened) = opened.expect("it folds");
        assert_eq!(opened.base.is_some(), from_snapshot);
        for state in states {
            assert_eq!(view.profile(state.id).expect("it can be read").as_ref(), Some(state));
        }
        assert_eq!(view.compare(engine.view()).expect("they can be compared").differences, 0);
    }
}

#[test]
fn a_retry_runs_nothing_of_another_customers_record() {
    let mut bench = Bench::new();
    bench.install("probe", USUAL);
    bench.script("anna", &["text probe.note mine"]);
    bench.settle();
    let stranger = stranger_to(&bench, "anna");
    let theirs = bench.script(&stranger, &["text probe.note stolen"]).position;
    bench.settle();
    parked(&bench, "anna", theirs.item(0));
    let calls = || bench.engine.metrics().capability(&capability("probe")).done.load(Ordering::Relaxed);
    let done = calls();
    let [item] = &waiting(&bench)[..] else { panic!("one waits") };
    assert_eq!(item.blocked.item, theirs.item(0));
    assert_ne!(item.blocked.item.partition, item.partition);

    assert_eq!(bench.engine.parked().retry(&ParkedFilter::default()).expect("it can be asked for"), 1);
    bench.settle();
    assert_eq!(calls(), done, "nothing was called");
    assert_eq!(bench.text("anna", "probe.note").as_deref(), Some("mine"));
    let [item] = &waiting(&bench)[..] else { panic!("it waits on") };
    let failure = item.blocked.failure.clone().expect("it is parked");
    assert_eq!(
        failure.message,
        format!("{} belongs to another customer, so it is not run; skip it", theirs.item(0))
    );
    // The timeline says so, and shows nothing of the event.
    let entries = bench.engine.query().timeline(&bench.profile("anna"), None, 10).expect("it can be read");
    assert!(entries[..2].iter().all(|entry| entry.event.is_none()), "{entries:?}");
    let results: Vec<_> = entries[0].decided.outcomes.iter().map(|outcome| &outcome.result).collect();
    assert_eq!(results, [&InvocationStatus::Parked(failure)]);
    let decisions = bench.engine.query().decisions(theirs).expect("it can be read").expect("it is there");
    assert_eq!((decisions.decided.len(), decisions.blocked), (1, false), "it is nobody's affair but theirs");

    is_the_same_wherever_it_is_folded(&bench, &[bench.profile("anna").state]);
    bench.restart();
    bench.settle();
    assert_eq!(waiting(&bench)[0].blocked.item, theirs.item(0), "after a start");

    // It can be given up like any other.
    bench.engine.parked().skip(&ParkedFilter::default(), "not ours").expect("it can be asked for");
    bench.settle();
    assert!(waiting(&bench).is_empty());
    assert_eq!(bench.text("anna", "probe.note").as_deref(), Some("mine"));

    // Nor does a replay run it.
    let of_host = bench.engine.registrar.plugins.sandbox();
    let sandbox = own_sandbox(of_host.limits()).expect("a sandbox can be made").with_code_of(of_host);
    let new = Package::read(&probe_with(&manifest("probe", USUAL)), sandbox.limits()).expect("a component");
    let log = bench.engine.log().clone();
    let (share, profiles_max) = (Share::default(), 1_000);
    let input = Input { log, sandbox, new, against: None, share, profiles_max, lower_priority: false };
    let report = replay(input, &Arc::new(Control::default())).expect("it can be replayed");
    assert!(report.is_same() && !report.not_replayed.is_empty(), "{report:#?}");
}

#[test]
fn a_retry_reads_the_record_where_its_full_position_says() {
    let bench = Bench::new();
    bench.install("probe", USUAL);
    bench.script("anna", &["text probe.note near"]);
    bench.settle();
    let elsewhere = bench.profile(&stranger_to(&bench, "anna")).home;
    let far = event_in(&bench, elsewhere, "anna", &["text probe.note far"]);
    bench.script("anna", &["text probe.note near"]);
    bench.settle();
    // The record with the same number in their own partition is another one.
    parked(&bench, "anna", far.item(0));
    bench.engine.parked().retry(&ParkedFilter::default()).expect("it can be asked for");
    bench.settle();
    assert!(waiting(&bench).is_empty());
    assert_eq!(bench.text("anna", "probe.note").as_deref(), Some("far"));
    let read = bench.profile("anna");
    let (name, registry) = (field("probe.note"), bench.engine.registry());
    let visible = read.state.visible(&name, &registry.fields[&name], &read.partition.adopted.visible);
    assert_eq!(visible.expect("there is a value").cause, far.item(0));
    let entries = bench.engine.query().timeline(&read, None, 2).expect("it can be read");
    for entry in &entries {
        let event = entry.event.as_ref().expect("it answers an event");
        assert_eq!((event.id.as_str(), entry.decided.cause), ("elsewhere", far.item(0)));
    }
    let decisions = bench.engine.query().decisions(far).expect("it can be read").expect("it is there");
    assert_eq!(decisions.decided.len(), 2, "parked, and run again");
    is_the_same_wherever_it_is_folded(&bench, &[read.state]);
}

/// More are held than are listed, and their records stand in another partition: they are found and run in their
/// order.
#[test]
fn what_is_held_runs_in_its_order_wherever_its_records_stand() {
    let bench = Bench::new();
    bench.install("probe", USUAL);
    bench.script("anna", &["text probe.note near"]);
    bench.settle();
    let elsewhere = bench.profile(&stranger_to(&bench, "anna")).home;
    let numbers = 0..samsyn_journal::BLOCKED_MAX + 6;
    let event = |number: usize| {
        event_in(&bench, elsewhere, "anna", &["add probe.count", &format!("text probe.note n{number}")])
    };
    let events: Vec<Position> = numbers.map(event).collect();
    let so_far = events.len() as i64;
    parked(&bench, "anna", events[0].item(0));
    for event in &events[1..] {
        waits(&bench, "anna", event.item(0), InvocationStatus::Held);
    }
    let own = bench.profile("anna").state;
    let more = own.capabilities[0].held_more.expect("not all of them are listed");
    assert_eq!(
        (more.count, more.first.partition, more.last),
        (6, elsewhere, events[events.len() - 1].item(0))
    );
    let items: Vec<FullPosition> = waiting(&bench).iter().map(|item| item.blocked.item).collect();
    assert_eq!(items, events.iter().map(|event| event.item(0)).collect::<Vec<_>>());
    bench.engine.parked().retry(&ParkedFilter::default()).expect("it can be asked for");
    bench.settle();
    assert!(waiting(&bench).is_empty());
    assert_eq!(bench.value("anna", "probe.count"), Some(Value::Integer(2 * so_far)), "each once");
    assert_eq!(bench.text("anna", "probe.note"), Some(format!("n{}", so_far - 1)), "the last one last");
    is_the_same_wherever_it_is_folded(&bench, &[bench.profile("anna").state]);
}

#[test]
fn a_timeline_goes_on_in_another_partition_and_never_with_another_customer() {
    let bench = Bench::new();
    bench.install("probe", USUAL);
    bench.script("anna", &["text probe.note one"]);
    bench.settle();
    let stranger = bench.profile(&stranger_to(&bench, "anna"));
    let theirs = stranger.state.head.expect("something was decided");
    // A record of Anna's own, in the other partition.
    let own = {
        let engine = &bench.engine;
        let read = bench.profile("anna");
        let event = read.state.head.expect("something was decided").item(0);
        let decided = Decided {
            through: engine.view().applied(stranger.home).partition.through,
            ..Decided::nothing(read.state.id, event, engine.clock().now())
        };
        // What it folds into is of no interest here: it is read from the log.
        let encoded = Encoded::of(stranger.home, &decided);
        engine
            .sequencer
            .append_in_order(stranger.home, encoded, CommittedRecord::Late)
            .expect("it is appended")
    };
    bench.settle();
    let cause = bench.profile("anna").state.head.expect("something was decided").item(0);
    commit(&bench, "anna", cause, |decided| decided.previous = Some(own));
    let read = bench.profile("anna");
    let entries = bench.engine.query().timeline(&read, None, 10).expect("it can be read");
    let positions: Vec<Position> = entries.iter().map(|entry| entry.position).collect();
    assert_eq!(positions, [read.state.head.expect("it has one"), own]);
    let rest = bench.engine.query().timeline(&read, Some(positions[0]), 10).expect("it can be read");
    assert_eq!(rest.iter().map(|entry| entry.position).collect::<Vec<_>>(), [own], "a page begins there too");

    commit(&bench, "anna", cause, |decided| decided.previous = Some(theirs));
    let refused =
        bench.engine.query().timeline(&bench.profile("anna"), None, 10).expect_err("it names a stranger's");
    assert_eq!(
        refused.to_string(),
        format!(
            "record {theirs} belongs to another customer than {}, for whom it was to be read",
            read.state.id
        )
    );
    let others = bench.engine.query().timeline(&stranger, None, 10).expect("it can be read");
    assert!(!others.is_empty(), "everybody else's goes on");
}

#[test]
fn what_waits_holds_records_of_other_partitions_from_retention() {
    let bench = super::retention::keeping_nothing();
    bench.install("probe", USUAL);
    bench.script("anna", &["text probe.note mine"]);
    bench.settle();
    let stranger = stranger_to(&bench, "anna");
    let theirs = bench.script(&stranger, &["text probe.note old"]).position;
    bench.settle();
    for number in 0..40 {
        bench.script(&stranger, &[&format!("text probe.note n{number}")]);
        bench.settle();
    }
    let held = |holder: &dyn Fn(&Holder) -> bool| {
        bench.engine.maintenance().make_snapshot().expect("it is made");
        for number in 0..20 {
            bench.script("bo", &[&format!("text probe.note n{number}")]);
            bench.settle();
        }
        bench.engine.maintenance().make_snapshot().expect("it is made");
        let report = bench.engine.maintenance().apply_retention(true).expect("it can be planned");
        let mut by = report.held_by.iter().filter(|(is, _)| holder(is));
        by.next().map(|(_, position)| *position)
    };
    parked(&bench, "anna", theirs.item(0));
    assert_eq!(held(&|holder| matches!(holder, Holder::Parked { .. })), Some(Some(theirs)));
    bench.engine.parked().skip(&ParkedFilter::default(), "no").expect("it can be asked for");
    bench.settle();
    assert_eq!(held(&|holder| matches!(holder, Holder::Parked { .. })), None);
    let proposal = HeldProposal {
        by: "app:tests".parse().expect("a speaker"),
        field: field("nobodys"),
        value: text("x"),
        at: bench.engine.clock().now(),
        event: Some(theirs),
    };
    let cause = bench.profile("anna").state.head.expect("something was decided").item(0);
    commit(&bench, "anna", cause, |decided| decided.held.push(proposal));
    assert_eq!(held(&|holder| matches!(holder, Holder::Proposals { .. })), Some(Some(theirs)));
}
