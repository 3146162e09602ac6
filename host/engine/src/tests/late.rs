//! Records that come late stand in the order of their partition, and everybody passes them: the view, a start,
//! who catches up, a replay, a snapshot. They have no items, and `through` is never moved by one.

use super::*;
use samsyn_journal::{Encoded, Late, Record};
use samsyn_replay::{Control, Input, Share, own_sandbox, replay};
use samsyn_sandbox::Package;
use samsyn_state::view::{CommittedRecord, View};
use samsyn_vocabulary::{ItemPosition, Position};

/// Appends a late record about an event, and checks that it moves nothing.
fn append_late(bench: &Bench, customer: &str, about: Position) {
    let engine = &bench.engine;
    let before = bench.profile(customer);
    let home = engine.shared.home(before.state.id);
    let late = Late { profile: before.state.id, about: about.item(0), at: engine.clock().now() };
    let through = engine.lanes.core(home).state.through;
    let noted = engine.view().applied(home).partition;
    let position = {
        let appended =
            engine.sequencer.append_in_order(home, Encoded::of(home, &late), CommittedRecord::Late);
        appended.expect("it is appended")
    };
    bench.settle();
    assert_eq!(engine.lanes.core(home).state.through, through);
    let applied = engine.view().applied(home);
    assert_eq!((applied.seq, applied.partition), (position.seq, noted), "it is passed at once");
    assert_eq!(bench.profile(customer).state, before.state);
    match engine.records().read(position).expect("it can be read").expect("it is there").record() {
        Ok(Record::Late(read)) => assert_eq!(read, late),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_late_record_is_passed_by_everybody_and_changes_nothing() {
    let mut bench = Bench::new();
    bench.install("probe", USUAL);
    for round in 0..4 {
        for customer in ["anna", "bo", "cy"] {
            let note = format!("text probe.note n{round}");
            let accepted = bench.script(customer, &[&note, "emit probe.pinged text probe.note p"]);
            bench.settle();
            append_late(&bench, customer, accepted.position);
            append_late(&bench, customer, accepted.position);
            // The next event is decided behind them, and is the next item.
            let next = bench.script(customer, &[&note]);
            bench.settle();
            let decided = bench.decisions(&next).remove(0);
            assert_eq!(decided.through, ItemPosition { seq: next.position.seq, index: 0 });
        }
    }
    let states = |bench: &Bench| ["anna", "bo", "cy"].map(|customer| bench.profile(customer).state);
    let before = states(&bench);

    bench.restart();
    bench.settle();
    assert_eq!(states(&bench), before, "after a start");

    let of_anew = tempfile::tempdir().expect("a temporary directory");
    let (config, ids) = (ViewConfig::default(), bench.engine.shared.config.event_ids());
    let (anew, _) =
        View::open(of_anew.path(), bench.engine.log(), bench.engine.homes(), &config, ids, |_| {})
            .expect("it folds");
    for state in &before {
        assert_eq!(anew.profile(state.id).expect("it can be read").as_ref(), Some(state), "folded anew");
    }

    let made = bench.engine.maintenance().make_snapshot().expect("it is made");
    assert_eq!(made.profiles, 3);
    // A view is folded on from it, over the late records behind it and none before.
    let again = bench.script("anna", &["text probe.note last"]);
    bench.settle();
    append_late(&bench, "anna", again.position);
    append_late(&bench, "bo", again.position);
    let before = states(&bench);
    let directory = tempfile::tempdir().expect("a temporary directory");
    let (log, homes) = (bench.engine.log(), bench.engine.homes());
    let bases = bench.engine.maintenance.shelf.bases(log);
    let folded_on = View::open_from(directory.path(), log, homes, &config, ids, bases, |_| {});
    let (folded_on, opened) = folded_on.expect("it folds");
    assert!(opened.base.is_some() && opened.folded >= 4, "{opened:?}");
    for state in &before {
        assert_eq!(folded_on.profile(state.id).expect("it can be read").as_ref(), Some(state), "folded on");
    }
    assert_eq!(folded_on.compare(bench.engine.view()).expect("they can be compared").differences, 0);
    // The view that was there is brought up to date over them, too.
    drop(anew);
    let (config, log) = (ViewConfig::default(), bench.engine.log());
    let path = of_anew.path();
    let behind = View::open_existing(path, log, homes, &config, ids, |_| {}).expect("it can be opened");
    let (behind, folded) = behind.expect("it is a fold of this log");
    assert!(folded >= 4, "{folded}");
    assert_eq!(behind.compare(bench.engine.view()).expect("they can be compared").differences, 0);

    // Who starts from the oldest event passes them too.
    bench.install_with(
        "newcomer",
        USUAL_OF_ANOTHER,
        InstallOptions { approve: true, from_start: true, ..InstallOptions::default() },
    );
    super::failure::wait_until(|| bench.engine.lag(&capability("newcomer")) == 0);
    bench.settle();

    let of_host = bench.engine.registrar.plugins.sandbox();
    let sandbox = own_sandbox(of_host.limits()).expect("a sandbox can be made").with_code_of(of_host);
    let component = probe_with(&manifest("probe", USUAL));
    let new = Package::read(&component, sandbox.limits()).expect("it is a component");
    let log = bench.engine.log().clone();
    let (share, profiles_max) = (Share::default(), 1_000);
    let input = Input { log, sandbox, new, against: None, share, profiles_max, lower_priority: false };
    let report = replay(input, &Arc::new(Control::default())).expect("it can be replayed");
    assert!(report.is_same() && report.not_replayed.is_empty(), "{report:#?}");
    assert!(report.deliveries >= 24, "{report:#?}");
}

/// Hears the same events and claims a field of its own.
const USUAL_OF_ANOTHER: &str = "[subscribes.\"probe.*\"]\nscript = { type = \"texts\" }\n";

/// Late records are passed by every cursor, so they hold no segment, and neither does what they are about.
#[test]
fn late_records_leave_with_their_segment_and_hold_none() {
    let mut bench = super::retention::keeping_nothing();
    bench.install("probe", USUAL);
    let first = bench.script("anna", &["text probe.note first"]);
    bench.settle();
    for number in 0..60 {
        bench.script(["anna", "bo", "cy"][number % 3], &[&format!("text probe.note n{number}")]);
        bench.settle();
        append_late(&bench, "anna", first.position);
    }
    bench.engine.maintenance().make_snapshot().expect("it is made");
    // Nothing but late records: what ends with them is as quiet as if nothing came.
    for _ in 0..60 {
        append_late(&bench, "anna", first.position);
    }
    bench.engine.maintenance().make_snapshot().expect("it is made");
    let done = bench.engine.maintenance().apply_retention(false).expect("it can be planned");
    assert!(done.removed > 3, "{done:?}");
    let by_cursors = |holder: &Holder| matches!(holder, Holder::Undecided | Holder::Cursor { .. });
    assert!(!done.held_by.iter().any(|(holder, _)| by_cursors(holder)), "{done:?}");
    assert!(bench.engine.query().is_removed(first.position));
    let before = bench.engine.view().dump().expect("it can be read").profiles;
    bench.engine.stop();
    std::fs::remove_dir_all(bench.path().join("view")).expect("it can be removed");
    bench.restart();
    bench.settle();
    assert_eq!(bench.engine.view().dump().expect("it can be read").profiles, before, "from the snapshot");
    let next = bench.script("anna", &["text probe.note next"]);
    bench.settle();
    assert_eq!(bench.decisions(&next).len(), 1);
}
