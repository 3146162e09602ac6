//! Records that come late stand in the order of their partition, and everybody passes them: the view, a start,
//! who catches up, a replay, a snapshot. They have no items, and `through` is never moved by one.

use super::*;
use crate::replay::{Control, Input, Share, own_sandbox, replay};
use samsyn_journal::{Encoded, Late, Record};
use samsyn_sandbox::Package;
use samsyn_state::view::{CommittedRecord, View};
use samsyn_vocabulary::{ItemPosition, Position};

/// Appends a late record about an event, and checks that it moves nothing.
fn append_late(bench: &Bench, customer: &str, about: Position) {
    let engine = &bench.engine;
    let before = bench.profile(customer);
    let home = engine.home(before.state.id);
    let late = Late { profile: before.state.id, about: about.item(0), at: engine.clock().now() };
    let through = engine.cell(home).core.lock().state.through;
    let noted = engine.view().applied(home).partition;
    let position = {
        let _order = engine.cell(home).sequencer.lock();
        engine.append_plain(Encoded::of(home, &late), CommittedRecord::Late).expect("it is appended")
    };
    bench.settle();
    assert_eq!(engine.cell(home).core.lock().state.through, through);
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

    let directory = tempfile::tempdir().expect("a temporary directory");
    let (config, ids) = (ViewConfig::default(), bench.engine.config.event_ids());
    let (anew, _) =
        View::open(directory.path(), bench.engine.log(), bench.engine.homes(), &config, ids, |_| {})
            .expect("it folds");
    for state in &before {
        assert_eq!(anew.profile(state.id).expect("it can be read").as_ref(), Some(state), "folded anew");
    }

    let made = bench.engine.make_snapshot().expect("it is made");
    assert_eq!(made.profiles, 3);

    // Who starts from the oldest event passes them too.
    bench.install_with(
        "newcomer",
        USUAL_OF_ANOTHER,
        InstallOptions { approve: true, from_start: true, ..InstallOptions::default() },
    );
    super::failure::wait_until(|| bench.engine.lag(&capability("newcomer")) == 0);
    bench.settle();

    let of_host = bench.engine.plugins.sandbox();
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
