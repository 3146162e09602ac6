//! Replays: the same component over what it decided differs in nothing, whatever happened; and what
//! another one would have done otherwise is told.

use std::sync::atomic::{AtomicU64, Ordering};

use proptest::prelude::*;

use super::properties::{TABLES, WATCH, play, records, steps};
use super::*;
use samsyn_journal::Record;
use samsyn_replay::{
    Control, Finding, Input, Kind, ReplayError, ReplayReport, Severity, Share, own_sandbox, replay,
};
use samsyn_sandbox::{Package, guests};
use samsyn_testkit::survival_json;

/// The probe under this name, with these tables.
fn probe(name: &str, tables: &str) -> Vec<u8> {
    embed_manifest(&fixture(), &manifest(name, tables)).expect("the manifest can be embedded")
}

fn input(bench: &Bench, new: &[u8], against: Option<&[u8]>) -> Input {
    let of_host = bench.engine.registrar.plugins.sandbox();
    let sandbox = own_sandbox(of_host.limits()).expect("a sandbox can be made").with_code_of(of_host);
    let read = |bytes: &[u8]| Package::read(bytes, sandbox.limits()).expect("it is a component");
    let (new, against) = (read(new), against.map(read));
    let log = bench.engine.log().clone();
    Input { log, sandbox, new, against, share: Share::default(), profiles_max: 1_000, lower_priority: false }
}

fn replayed(bench: &Bench, new: &[u8], against: Option<&[u8]>) -> ReplayReport {
    replay(input(bench, new, against), &Arc::new(Control::default())).expect("it can be replayed")
}

/// Each finding as `severity what name kind count`.
fn told(report: &ReplayReport) -> Vec<String> {
    let told = |Finding { severity, what, name, kind, count, .. }: &Finding| {
        format!("{severity:?} {what} {name} {kind:?} {count}").replace("  ", " ").to_lowercase()
    };
    report.findings.iter().map(told).collect()
}

/// The plug-in of these tables, replayed, decides what the log has.
pub(super) fn replayed_without_difference(bench: &Bench, name: &str, tables: &str) {
    let report = replayed(bench, &probe(name, tables), None);
    assert!(report.is_same() && report.not_replayed.is_empty(), "{:?}: {report:?}", told(&report));
}

/// What was replayed by all cases of the property.
static DELIVERIES: AtomicU64 = AtomicU64::new(0);

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Rule 3: a handler is pure, so the same component decides the same again.
    #[test]
    fn a_replay_of_what_decided_differs_in_nothing(steps in steps()) {
        let bench = play(&steps);
        let records = records(&bench);
        for (name, tables) in [("one", TABLES), ("two", TABLES), ("watch", WATCH)] {
            let component = probe(name, tables);
            let report = replayed(&bench, &component, None);
            prop_assert_eq!(told(&report), Vec::<String>::new(), "{}: {:#?}", name, report);
            prop_assert!(report.is_same() && report.not_replayed.is_empty(), "{:?}", report);
            // And it was all of them.
            let outcomes = records.iter().filter_map(|(_, record)| match record {
                Record::Decided(decided) => Some(&decided.outcomes),
                _ => None,
            });
            let mine = outcomes.flatten().filter(|outcome| outcome.capability == capability(name)).count();
            prop_assert_eq!(report.deliveries, mine as u64, "{}", name);
            DELIVERIES.fetch_add(report.deliveries, Ordering::Relaxed);
            // Two runs of it differ in nothing either.
            let twice = replayed(&bench, &component, Some(&component));
            prop_assert!(twice.is_same(), "{:?}", twice);
        }
        let counts = serde_json::json!({ "decisions": DELIVERIES.load(Ordering::Relaxed), "differences": 0 });
        survival_json::record("replay_properties", counts);
    }
}

/// A customer whose note was set twice, and one whose script fails.
fn history() -> Bench {
    let bench = Bench::new();
    bench.install("one", TABLES);
    bench.script("anna", &["text note a", "remember x"]);
    bench.script("anna", &["text note b", "emit probe.pinged text note p"]);
    bench.script("bo", &["fail no"]);
    bench.script("bo", &["text note late"]);
    bench.propose("cy", &[("note", text("!refuse"))]);
    bench.settle();
    bench
}

#[test]
fn a_version_that_says_less_is_told_field_by_field_and_event_by_event() {
    let bench = history();
    // It wants what no event has, so the host refuses every invocation of a script.
    let stricter = TABLES.replacen("[emits", "other = { type = \"text\", required = true }\n[emits", 1);
    let report = replayed(&bench, &probe("one", &stricter), None);
    let told = told(&report);
    for finding in [
        "warning field note gone 2",
        "warning event probe.pinged gone 1",
        "warning refusal property.missing refused 2",
        "note memory gone 1",
        "note delivery probe.asked mended 2",
    ] {
        assert!(told.iter().any(|line| line == finding), "{finding}: {told:#?}\n{report:#?}");
    }
    assert_eq!(told.len(), 5, "{told:#?}");
    assert_eq!((report.different, report.profiles_different), (4, 2), "{report:#?}");
    assert!(report.decided_by.iter().all(|by| by.different == 4), "{report:#?}");
    let sample =
        &report.findings.iter().find(|finding| finding.name == "note").expect("it is found").samples[0];
    assert_eq!((&sample.before, &sample.after), (&Some("a".into()), &None), "{sample:?}");
    assert_eq!(sample.on, "probe.asked");
    let hidden = report.without_values();
    assert!(
        hidden.findings.iter().flat_map(|finding| &finding.samples).all(|finding| finding.before.is_none())
    );
}

#[test]
fn invocations_that_failed_and_would_no_longer_are_mended() {
    let bench = history();
    // Without its script the probe has nothing to fail at.
    let deaf = TABLES.replacen("script = { type = \"texts\" }", "other = { type = \"texts\" }", 1);
    let report = replayed(&bench, &probe("one", &deaf), None);
    let mended: Vec<u64> = report
        .findings
        .iter()
        .filter(|finding| finding.kind == Kind::Mended)
        .map(|finding| finding.count)
        .collect();
    assert_eq!(mended, [2], "the one that failed, and the one held behind it: {report:#?}");
}

#[test]
fn invocations_that_only_the_new_version_hears_are_added() {
    let bench = history();
    bench.install("deaf", "[sources]\nother = { type = \"text\" }\n");
    bench.script("anna", &["text note c", "emit probe.pinged text note q"]);
    // Whatever nobody wanted is passed with the next record.
    bench.script("anna", &[]);
    bench.settle();
    let hears = TABLES.replace("[sources]", "[sources]\nother = { type = \"text\" }");
    let report = replayed(&bench, &probe("deaf", &hears), None);
    let told = told(&report);
    // The script of the event, which everybody hears, and that of the event that another emitted.
    for finding in [
        "note delivery probe.asked added 2",
        "note delivery probe.pinged added 1",
        "note field note added 2",
        "note event probe.pinged added 1",
    ] {
        assert!(told.iter().any(|line| line == finding), "{finding}: {told:#?}\n{report:#?}");
    }
    assert_eq!(report.wants, ["receiving probe.*", "making claims for note", "making claims for out"]);
}

#[test]
fn a_version_that_fails_or_never_ends_is_an_error_and_doesnt_take_for_ever() {
    let limits = Limits { time_ms: 5, ..Limits::default() };
    let config = EngineConfig { partitions: 4, workers: 2, ..EngineConfig::default() };
    let bench = Bench::with(config, limits);
    bench.install("one", TABLES);
    for customer in 0..40 {
        bench.script(&customer.to_string(), &["text note a"]);
    }
    bench.settle();
    let guest = |body: &str| {
        embed_manifest(&guests::subscriber(body, ""), &manifest("one", TABLES)).expect("it can be embedded")
    };
    let fails = replayed(&bench, &guest("unreachable"), None);
    assert_eq!(told(&fails), ["error delivery probe.asked failed 40"], "{fails:#?}");
    assert_eq!(fails.findings[0].severity, Severity::Error);
    assert_eq!(fails.findings[0].samples.len(), 5);
    let stuck = replayed(&bench, &guest("(loop $again (br $again))"), None);
    assert!(stuck.gave_up.is_some() && !stuck.is_same(), "{stuck:#?}");
    assert!(stuck.deliveries < 40, "{stuck:#?}");
}

#[test]
fn two_components_can_be_compared_with_each_other() {
    let bench = history();
    let stricter = TABLES.replacen("[emits", "other = { type = \"text\", required = true }\n[emits", 1);
    let (v1, v2) = (probe("one", TABLES), probe("one", &stricter));
    bench.script("dee", &["boolean out true"]);
    bench.settle();
    let report = replayed(&bench, &v2, Some(&v1));
    assert_eq!(told(&report)[0], "error field out gone 1", "an opt-out: {report:#?}");
    let back = replayed(&bench, &v1, Some(&v2));
    assert!(told(&back).contains(&"note field out added 1".to_owned()), "{back:#?}");
    assert_eq!(replayed(&bench, &v2, None).findings.len(), report.findings.len(), "v1 is what decided");
    assert!(report.against.is_some());
    let other = input(&bench, &v1, Some(&probe("two", TABLES)));
    let refused = replay(other, &Arc::new(Control::default())).unwrap_err();
    assert!(matches!(refused, ReplayError::Another { .. }), "{refused}");
    let stranger = input(&bench, &probe("two", TABLES), None);
    let refused = replay(stranger, &Arc::new(Control::default())).unwrap_err();
    assert!(matches!(refused, ReplayError::NeverInstalled(_)), "{refused}");
}

#[test]
fn a_share_is_of_whole_customers_and_too_many_are_refused_with_what_fits() {
    let bench = Bench::new();
    bench.install("one", TABLES);
    for customer in 0..60 {
        for _ in 0..3 {
            bench.script(&customer.to_string(), &["text note a", "remember x"]);
        }
    }
    bench.settle();
    let component = probe("one", TABLES);
    let part = |share: &str, profiles_max| {
        let input = Input { share: share.parse().unwrap(), profiles_max, ..input(&bench, &component, None) };
        replay(input, &Arc::new(Control::default()))
    };
    let half = part("50%", 1_000).unwrap();
    assert!((10..50).contains(&half.profiles), "{half:#?}");
    assert_eq!((half.deliveries, half.events), (half.profiles * 3, half.profiles * 3), "{half:#?}");
    assert!(half.is_same());
    assert_eq!(part("50%", 1_000).unwrap().profiles, half.profiles);
    let error = part("100%", 20).unwrap_err();
    assert!(matches!(error, ReplayError::TooMany { max: 20, .. }), "{error}");
}

#[test]
fn a_host_replays_in_the_background_one_at_a_time() {
    let bench = history();
    let component = probe("one", TABLES);
    let started = bench.engine.replays().start(&component, None, None).unwrap();
    let until = std::time::Instant::now() + PATIENCE;
    let ended = loop {
        let now = bench.engine.replays().get(&started.id).unwrap();
        if now.ended_at.is_some() {
            break now;
        }
        assert!(std::time::Instant::now() < until, "{now:?}");
        std::thread::sleep(Duration::from_millis(1));
    };
    let crate::ReplayState::Done(report) = &ended.state else { panic!("{ended:?}") };
    assert!(report.is_same() && report.deliveries > 0, "{report:#?}");
    assert_eq!(ended.bytes.0, ended.bytes.1);
    assert_eq!(bench.engine.replays().list().len(), 1);
    assert!(matches!(bench.engine.replays().get("other"), Err(ReplayError::Unknown(_))));
    let stranger = bench.engine.replays().start(&probe("two", TABLES), None, None);
    assert!(matches!(stranger, Err(ReplayError::NeverInstalled(_))));
}
