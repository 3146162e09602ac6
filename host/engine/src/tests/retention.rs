//! Old segments leave the log, and nothing that is needed leaves with them; a host whose log begins
//! late starts, answers and goes on as before.

use std::fs;

use super::*;
use crate::Holder;
use crate::{RetentionConfig, SnapshotConfig};

/// A log of small segments, all of which should leave.
pub(super) fn keeping_nothing() -> Bench {
    let keeping = Keeping {
        log: samsyn_log::Options { segment_bytes: 4 << 10, commit_interval_us: 0, ..Default::default() },
        snapshots: SnapshotConfig { every_bytes: 0, ..SnapshotConfig::default() },
        retention: RetentionConfig { bytes: 1, days: 0 },
        ..Keeping::default()
    };
    let config = EngineConfig { partitions: 4, workers: 2, quarantine_after: 3, ..EngineConfig::default() };
    Bench::keeping(config, Limits::default(), keeping)
}

fn text_of(number: usize) -> String {
    format!("text probe.note n{number}")
}

impl Bench {
    /// Some events of some customers, a commit each.
    fn busy(&self, customers: std::ops::Range<usize>) {
        for customer in customers {
            self.script(&customer.to_string(), &[&text_of(customer)]);
            self.settle();
        }
    }

    /// Two snapshots, with something between them; so that what came before the first may leave.
    fn two_snapshots(&self) {
        self.engine.maintenance().make_snapshot().expect("it is made");
        // More than a segment, so that the newer one covers more.
        self.busy(90..98);
        self.engine.maintenance().make_snapshot().expect("it is made");
    }

    fn held_by(&self) -> Vec<Holder> {
        let report = self.engine.maintenance().apply_retention(false).expect("it can be planned");
        report.held_by.into_iter().map(|(holder, _)| holder).collect()
    }
}

#[test]
fn who_asked_for_a_snapshot_sees_it_when_that_is_answered() {
    let bench = Bench::with_log(samsyn_log::Options::default());
    bench.install("probe", USUAL);
    for round in 1..=20 {
        bench.script("anna", &[&text_of(round)]);
        bench.settle();
        let cut = bench.engine.log().cut().place;
        // The second may come while the first is made, which then covers less than it asks for.
        let asked =
            [bench.engine.maintenance().ask_for_snapshot(), bench.engine.maintenance().ask_for_snapshot()];
        assert_eq!(asked, [2 * round as u64 - 1, 2 * round as u64]);
        for asked in asked {
            super::failure::wait_until(|| bench.engine.maintenance().snapshots().answered >= asked);
            let snapshots = bench.engine.maintenance().snapshots();
            let newest = snapshots.items[0].1.as_ref().expect("it can be used");
            assert!(newest.place >= cut, "{snapshots:?}");
        }
    }
    let snapshots = bench.engine.maintenance().snapshots();
    assert_eq!((snapshots.making, snapshots.failed), (None, 0));
}

#[test]
fn what_leaves_is_not_missed() {
    let mut bench = keeping_nothing();
    bench.install("probe", USUAL);
    let first = NewEvent { id: Some("first".to_owned()), ..scripted("0", &["text probe.note old"]) };
    let taken = bench.engine.accepting().accept(first.clone()).unwrap();
    bench.settle();
    let decided = bench.decisions(&taken);
    assert_eq!(decided.len(), 1);
    bench.busy(0..30);
    let registry = bench.engine.registry();
    bench.two_snapshots();
    let plan = bench.engine.maintenance().apply_retention(true).unwrap();
    assert!(plan.wanted > plan.removable && plan.removable > 3 && plan.removed == 0, "{plan:?}");
    assert!(matches!(plan.held_by[..], [(Holder::Snapshots { covering: 1 }, None), ..]), "{plan:?}");
    let done = bench.engine.maintenance().apply_retention(false).unwrap();
    // It may have made a snapshot more, and then more may leave.
    assert!(done.removed >= plan.removable, "{done:?}");
    assert!(bench.engine.query().oldest_retained().unwrap().is_some());
    let live = bench.engine.view().dump().unwrap();
    for view_is_there in [true, false] {
        if !view_is_there {
            bench.engine.stop();
            fs::remove_dir_all(bench.directory.path().join("view")).unwrap();
        }
        bench.restart();
        bench.settle();
        assert_eq!(bench.engine.view().dump().unwrap().profiles, live.profiles);
        assert_eq!(bench.engine.registry().revision, registry.revision);
        assert_eq!(bench.text("7", "probe.note"), Some("n7".to_owned()));
        let changes =
            samsyn_audit::changes(bench.engine.records(), &Default::default(), None, 1_000).unwrap();
        assert_eq!(changes.items.len() as u64, registry.revision, "every change can be told");
        assert!(bench.engine.query().is_removed(taken.position));
        assert_eq!(bench.engine.accepting().event(&app("tests"), "first").unwrap(), Some(taken.position));
        assert!(bench.engine.query().decisions(taken.position).unwrap().is_none());
        let again = bench.engine.accepting().accept(first.clone()).unwrap();
        assert!(again.duplicate && again.position == taken.position && again.profile == taken.profile);
        let stranger = NewEvent { id: Some("first".to_owned()), ..scripted("nobody", &[]) };
        let refused = bench.engine.accepting().accept(stranger).unwrap_err();
        assert!(
            matches!(refused, AcceptError::EventIdReused { position } if position == taken.position),
            "{refused:?}"
        );
        let timeline = bench.engine.query().timeline_page(&bench.profile("0"), None, 10).unwrap();
        assert!(timeline.is_cut && timeline.entries.is_empty(), "{timeline:?}");
    }
    // And it goes on, for the next segments too.
    bench.busy(0..10);
    bench.two_snapshots();
    assert!(bench.engine.maintenance().apply_retention(false).unwrap().removed > 0);
    assert_eq!(bench.text("9", "probe.note"), Some("n9".to_owned()));
    let timeline = bench.engine.query().timeline(&bench.profile("92"), None, 10).unwrap();
    assert!(!timeline.is_empty());
}

#[test]
fn a_new_generation_starts_from_the_oldest_that_is_kept() {
    let bench = keeping_nothing();
    bench.install("probe", USUAL);
    bench.busy(0..30);
    bench.two_snapshots();
    assert!(bench.engine.maintenance().apply_retention(false).unwrap().removed > 0);
    bench.busy(100..104);
    let options = InstallOptions { from_start: true, approve: true, ..InstallOptions::default() };
    let tables = USUAL.replace("probe.", "other.").replace("other.*", "probe.*");
    let component = embed_manifest(&fixture(), &manifest("other", &tables)).unwrap();
    let plan = bench.engine.registrar().plan_install(&component, options).unwrap();
    assert!(plan.warnings.iter().any(|warning| warning.contains("retention")), "{:?}", plan.warnings);
    bench.engine.registrar().install(&component, options, app("tests")).unwrap();
    // Every partition has taken it into use; then it catches up.
    bench.settle();
    let until = std::time::Instant::now() + PATIENCE;
    while bench.engine.lanes.lags(&capability("other")) {
        assert!(std::time::Instant::now() < until, "it never caught up");
        std::thread::sleep(Duration::from_millis(1));
    }
    bench.settle();
    assert_eq!(bench.engine.lag(&capability("other")), 0);
    let calls = bench.engine.metrics().capability(&capability("other")).latency.count();
    assert!((4..30).contains(&calls), "it heard of what is kept: {calls}");
}

/// A call waits until its endpoint can be called: by then its request must still be there.
#[test]
fn a_call_that_waits_keeps_its_request_and_is_named() {
    let mut bench = keeping_nothing();
    let tables = "[calls.system]\nreason = \"Tests\"\nmethods = [\"PUT\"]\n";
    let component = crate::testing::calling_probe_with(&manifest("probe", &format!("{tables}{USUAL}")));
    let options = InstallOptions { approve: true, ..InstallOptions::default() };
    bench.engine.registrar().install(&component, options, app("tests")).unwrap();
    let binding = serde_json::json!({ "url": "https://system.example.com/", "auth": "none" });
    let binding = Box::new(serde_json::from_value(binding).unwrap());
    let bind = samsyn_registry::endpoint::EndpointChange::Bind(binding);
    bench.engine.registrar().change_endpoint("probe", "system", bind, None, app("tests")).unwrap();
    bench.script("anna", &["call system PUT /m hello"]);
    bench.settle();
    bench.busy(0..30);
    bench.two_snapshots();
    bench.two_snapshots();
    let calls = Holder::Calls { capability: capability("probe") };
    assert!(bench.held_by().contains(&calls));
    bench.restart();
    assert!(bench.held_by().contains(&calls));
    let waiting = bench.engine.calls().list(samsyn_journal::CallState::Waiting, None, 10).unwrap();
    let exchange =
        bench.engine.calls().exchange(&waiting[0].pending.id()).unwrap().expect("its request is there");
    assert_eq!(exchange.body.as_deref(), Some(&b"hello"[..]));
}

#[test]
fn what_waits_for_somebody_stays_and_is_named() {
    let mut bench = keeping_nothing();
    bench.install("probe", USUAL);
    bench.script("parked", &["fail on purpose"]);
    bench.script("parked", &["text probe.note behind"]);
    bench.settle();
    bench.busy(0..30);
    bench.two_snapshots();
    bench.two_snapshots();
    let probe = Holder::Parked { capability: capability("probe") };
    assert!(bench.held_by().contains(&probe));
    let before = bench.engine.log().segments().len();
    // Also with no view: what waits is in the snapshot.
    bench.engine.stop();
    fs::remove_dir_all(bench.directory.path().join("view")).unwrap();
    bench.restart();
    assert!(bench.held_by().contains(&probe));
    assert_eq!(bench.engine.log().segments().len(), before);
    assert_eq!(bench.engine.parked().skip(&ParkedFilter::default(), "a test").unwrap(), 2);
    let until = std::time::Instant::now() + PATIENCE;
    while bench.engine.parked().count(&capability("probe")) > 0 {
        assert!(std::time::Instant::now() < until, "it is never delivered");
        std::thread::sleep(Duration::from_millis(1));
    }
    bench.settle();
    assert_eq!(bench.text("parked", "probe.note"), Some("behind".to_owned()));
    assert!(bench.engine.maintenance().apply_retention(false).unwrap().removed > 0);
}

#[test]
fn a_proposal_that_waits_for_a_source_and_a_cursor_that_stands_still_hold() {
    let bench = keeping_nothing();
    bench.install("probe", USUAL);
    bench.change(RegistryChange::SourceAssigned { field: field("probe.note"), source: None });
    bench.propose("held", &[("probe.note", text("x"))]);
    bench.settle();
    bench.busy(0..20);
    bench.two_snapshots();
    bench.two_snapshots();
    let proposals = Holder::Proposals { field: field("probe.note") };
    assert!(bench.held_by().contains(&proposals));
    bench.change(RegistryChange::SourceAssigned {
        field: field("probe.note"),
        source: Some(capability("probe")),
    });
    bench.settle();
    let until = std::time::Instant::now() + PATIENCE;
    while bench.held_by().contains(&proposals) {
        assert!(std::time::Instant::now() < until, "it is never answered");
        std::thread::sleep(Duration::from_millis(1));
    }
    // Three failures in a row of three customers: from then on the cursor stands still.
    for customer in ["a", "b", "c"] {
        bench.script(customer, &["panic on purpose"]);
        bench.settle();
    }
    let until = std::time::Instant::now() + PATIENCE;
    while !bench.engine.registry().capabilities[&capability("probe")].is_quarantined() {
        assert!(std::time::Instant::now() < until, "it is never quarantined");
        std::thread::sleep(Duration::from_millis(1));
    }
    bench.engine.parked().skip(&ParkedFilter::default(), "a test").unwrap();
    bench.busy(20..60);
    bench.two_snapshots();
    bench.two_snapshots();
    let holders = bench.held_by();
    let stands = |holder: &Holder| matches!(holder, Holder::Cursor { capability: is, .. } if *is == capability("probe"));
    assert!(holders.iter().any(stands), "{holders:?}");
    assert!(holders.iter().any(|holder| holder.in_words().contains("samsyn plugin show probe")));
}

#[test]
fn a_quiet_partition_holds_nothing_and_a_backup_does() {
    let bench = keeping_nothing();
    bench.install("probe", USUAL);
    // Every partition has a customer whose change nobody hears of; then only one of them goes on.
    bench.busy(0..12);
    for _ in 0..30 {
        bench.busy(3..4);
    }
    bench.two_snapshots();
    bench.two_snapshots();
    let hold = samsyn_log::hold(&bench.directory.path().join("log")).unwrap();
    let held = bench.engine.maintenance().apply_retention(false).unwrap();
    assert_eq!(held.removed, 0);
    assert!(held.held_by.iter().any(|(holder, _)| *holder == Holder::Reader), "{held:?}");
    drop(hold);
    let done = bench.engine.maintenance().apply_retention(false).unwrap();
    assert!(done.removed > 5, "{done:?}");
    assert!(done.held_by.iter().all(|(holder, _)| matches!(holder, Holder::Snapshots { .. })), "{done:?}");
}
