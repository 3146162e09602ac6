//! What must hold for every sequence: a prefix folded and then the rest equals all folded, the rebuilt view
//! equals the live one, every invocation has exactly one final outcome, and no sequence of effects makes a
//! non-source's value visible.

use proptest::prelude::*;

use std::collections::BTreeMap;

use super::*;
use samsyn_journal::{InvocationStatus, Pattern, Record};
use samsyn_log::ScanFrom;
use samsyn_registry::assignment::{Mode, Request};
use samsyn_state::view::View;

/// Something that happens to one of three customers.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Script(u8, Vec<&'static str>),
    Propose(u8, &'static str),
    Assign(Option<&'static str>),
    Move(&'static str, Option<&'static str>, Mode),
    Anew(&'static str),
    Retry,
    Skip,
    Restart,
}

pub(super) fn steps() -> impl Strategy<Value = Vec<Step>> {
    let command = prop::sample::select(vec![
        "text note a",
        "text note b",
        "clear note",
        "remember x",
        "forget",
        "recall note",
        "fail no",
        "panic no",
        "emit probe.pinged text note pinged",
        "boolean out true",
        "boolean out false",
        "clear out",
    ]);
    let step = prop_oneof![
        6 => (0..3u8, prop::collection::vec(command, 0..4)).prop_map(|(customer, script)| Step::Script(customer, script)),
        4 => (0..3u8, prop::sample::select(vec!["x", "!refuse", "!shout y", "!silent", "!panic"]))
            .prop_map(|(customer, value)| Step::Propose(customer, value)),
        2 => prop::sample::select(vec![None, Some("one"), Some("two")]).prop_map(Step::Assign),
        4 => (
            prop::sample::select(vec!["note", "out"]),
            prop::sample::select(vec![None, Some("one"), Some("two")]),
            prop::sample::select(vec![Mode::Inherit, Mode::Clear]),
        ).prop_map(|(field, to, mode)| Step::Move(field, to, mode)),
        1 => prop::sample::select(vec!["one", "two"]).prop_map(Step::Anew),
        1 => Just(Step::Retry),
        1 => Just(Step::Skip),
        1 => Just(Step::Restart),
    ];
    prop::collection::vec(step, 1..25)
}

pub(super) const TABLES: &str = "[subscribes.\"probe.*\"]\nscript = { type = \"texts\" }\n\
    [emits.\"probe.pinged\"]\nscript = { type = \"texts\" }\n\
    [sources]\nnote = { type = \"text\" }\nout = { type = \"boolean\", protective = true }\n";

/// Is told of every change of the note.
pub(super) const WATCH: &str = "[sources]\n\"probe.seen\" = { type = \"text\" }\n\
    [consumes]\nnote = { purposes = [\"service\"], notify = true }\n";

pub(super) fn play(steps: &[Step]) -> Bench {
    let config =
        EngineConfig { partitions: 2, workers: 2, quarantine_after: u32::MAX, ..EngineConfig::default() };
    let mut bench = Bench::with(config, Limits::default());
    bench.install("one", TABLES);
    bench.install("two", TABLES);
    bench.install("watch", WATCH);
    for step in steps {
        match step {
            Step::Script(customer, script) => drop(bench.script(&customer.to_string(), script)),
            Step::Propose(customer, value) => {
                drop(bench.propose(&customer.to_string(), &[("note", text(value))]))
            }
            Step::Assign(source) => {
                let source = source.map(capability);
                bench.change(RegistryChange::SourceAssigned { field: field("note"), source });
            }
            Step::Move(name, to, mode) => {
                let request = Request { fields: vec![field(name)], to: to.map(capability), mode: *mode };
                bench.engine.registrar().assign(&request, None, app("tests")).unwrap();
            }
            Step::Anew(name) => {
                let options = InstallOptions { from_start: true, approve: true, ..InstallOptions::default() };
                bench.install_with(name, TABLES, options);
            }
            Step::Retry => drop(bench.engine.parked().retry(&ParkedFilter::default())),
            Step::Skip => drop(bench.engine.parked().skip(&ParkedFilter::default(), "no")),
            Step::Restart => bench.restart(),
        }
    }
    bench.settle();
    wait_until_caught_up(&bench);
    bench
}

/// The counters are what counting the profiles gives.
fn check_counters(bench: &Bench, profiles: &BTreeMap<ProfileId, ProfileState>) -> Result<(), TestCaseError> {
    for partition in (0..bench.config.partitions).map(Partition) {
        let mut counted: BTreeMap<(FieldName, String), u64> = BTreeMap::new();
        for state in profiles.values().filter(|state| bench.engine.shared.home(state.id) == partition) {
            for name in ["note", "out", "probe.seen"].map(field) {
                if let Some(pattern) = Pattern::of(state, &name) {
                    *counted.entry((name, format!("{pattern:?}"))).or_default() += 1;
                }
            }
        }
        let kept: BTreeMap<(FieldName, String), u64> =
            bench.engine.view().with_claim_stats(partition, |patterns| {
                let of = |name: &FieldName| {
                    let tallies = patterns
                        .of(name)
                        .map(|(pattern, tally)| ((name.clone(), format!("{pattern:?}")), tally.profiles));
                    tallies.collect::<Vec<_>>()
                };
                patterns.fields().flat_map(of).collect()
            });
        prop_assert_eq!(kept, counted);
    }
    Ok(())
}

/// The watcher's last word on the note is what everybody sees, whatever moved: it heard of each
/// change, and of none twice.
fn check_told(bench: &Bench, records: &[(Position, Record)]) -> Result<(), TestCaseError> {
    let registry = bench.engine.registry();
    let mut heard: BTreeMap<ProfileId, Option<Value>> = BTreeMap::new();
    for (_, record) in records {
        let Record::Decided(decided) = record else { continue };
        for changed in decided.changes.iter().filter(|changed| changed.field == field("note")) {
            let last = heard.insert(decided.profile, changed.after.clone()).flatten();
            prop_assert_eq!(&last, &changed.before, "the changes don't join: {:?}", decided);
        }
    }
    for (profile, last) in heard {
        let read = bench.engine.query().profile(profile).unwrap().unwrap();
        let generations = &read.partition.adopted.visible;
        let now = visible(&read.state, generations, &registry, "note");
        prop_assert_eq!(&now, &last, "somebody wasn't told of {}: {:?}", profile, read.state);
        let seen = visible(&read.state, generations, &registry, "probe.seen");
        let shown = now.map_or("-".to_owned(), |now| match now {
            Value::Text(text) => text,
            other => format!("{other:?}"),
        });
        prop_assert_eq!(seen, text(&format!("note={shown}")));
    }
    Ok(())
}

fn wait_until_caught_up(bench: &Bench) {
    let until = std::time::Instant::now() + PATIENCE;
    let lags = || ["one", "two"].iter().any(|name| bench.engine.lanes.lags(&capability(name)));
    while lags() {
        assert!(std::time::Instant::now() < until, "it never caught up");
        std::thread::sleep(Duration::from_millis(1));
    }
    bench.settle();
}

/// What a snapshot of the log up to its end folds into, with nothing else.
fn from_a_snapshot(bench: &Bench) -> samsyn_state::view::Dump {
    bench.engine.maintenance().make_snapshot().unwrap();
    let directory = tempfile::tempdir().unwrap();
    let config = ViewConfig { cache_bytes: 4 << 20, ..ViewConfig::default() };
    let log = bench.engine.log();
    let bases = bench.engine.maintenance.shelf.bases(log);
    let path = directory.path().join("view");
    let (view, opened) = View::open_from(
        &path,
        log,
        bench.engine.homes(),
        &config,
        bench.engine.shared.config.event_ids(),
        bases,
        |_| {},
    )
    .unwrap();
    assert!(opened.base.is_some() && opened.folded == 0, "{opened:?}");
    view.dump().unwrap()
}

pub(super) fn rebuilt(bench: &Bench) -> samsyn_state::view::Dump {
    let directory = tempfile::tempdir().unwrap();
    let config = ViewConfig { cache_bytes: 4 << 20, ..ViewConfig::default() };
    let opened = View::open(
        &directory.path().join("view"),
        bench.engine.log(),
        bench.engine.homes(),
        &config,
        bench.engine.shared.config.event_ids(),
        |_| {},
    );
    opened.unwrap().0.dump().unwrap()
}

pub(super) fn records(bench: &Bench) -> Vec<(Position, Record)> {
    let mut records = Vec::new();
    let mut scan = bench.engine.records().scan_all(ScanFrom::Start);
    while let Some(record) = scan.next().unwrap() {
        records.push((record.position, record.record().unwrap()));
    }
    records
}

fn check_outcomes(records: &[(Position, Record)]) -> Result<(), TestCaseError> {
    let mut finals = std::collections::HashMap::new();
    for (position, record) in records {
        let Record::Decided(decided) = record else { continue };
        for outcome in decided.outcomes.iter().filter(|outcome| outcome.result.is_final()) {
            let who = (outcome.capability.clone(), outcome.generation, outcome.role);
            let invocation = (position.partition, decided.cause, who);
            *finals.entry(invocation).or_insert(0) += 1;
        }
    }
    for (invocation, count) in finals {
        prop_assert_eq!(count, 1, "{:?} has more than one final outcome", invocation);
    }
    Ok(())
}

/// Every change of a visible value was a claim of the field's source at that revision.
fn check_sources(records: &[(Position, Record)]) -> Result<(), TestCaseError> {
    let mut sources: BTreeMap<(Seq, FieldName), Vec<CapabilityName>> = BTreeMap::new();
    for (position, record) in records {
        if let Record::Registry(change) = record {
            match &change.change {
                RegistryChange::SourceAssigned { field, source } => {
                    sources.insert((position.seq, field.clone()), source.iter().cloned().collect());
                }
                RegistryChange::SourcesMoved { fields } => {
                    for is in fields {
                        let who = is.source.iter().chain(&is.inherits).cloned().collect();
                        sources.insert((position.seq, is.field.clone()), who);
                    }
                }
                RegistryChange::Installed { assigned, manifest, .. } => {
                    let name = samsyn_registry::Manifest::parse(manifest).unwrap().plugin.name;
                    for field in assigned {
                        // Former sources stand in for a new one as they did before.
                        let known = sources.iter().rfind(|((_, is), _)| is == field);
                        let former = known.map(|(_, who)| who.clone()).unwrap_or_default();
                        let who = [vec![name.clone()], former].concat();
                        sources.insert((position.seq, field.clone()), who);
                    }
                }
                _ => {}
            }
        }
    }
    for (_, record) in records {
        let Record::Decided(decided) = record else { continue };
        // What a moved source changes is nobody's claim of now.
        for changed in decided.changes.iter().filter(|_| !decided.notifies) {
            let mut known = sources
                .iter()
                .filter(|((seq, field), _)| *seq <= decided.revision && *field == changed.field);
            let who = known.next_back().map(|(_, who)| who.as_slice()).unwrap_or_default();
            prop_assert!(who.contains(&changed.by), "{:?}", decided);
            let claimed = decided.outcomes.iter().any(|outcome| {
                outcome.capability == changed.by
                    && outcome.result == InvocationStatus::Done
                    && outcome
                        .claims
                        .iter()
                        .any(|(field, value)| *field == changed.field && *value == changed.after)
            });
            prop_assert!(claimed, "a change without a claim: {:?}", decided);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_the_log_is_the_truth(steps in steps()) {
        let mut bench = play(&steps);
        let live = bench.engine.view().dump().unwrap();
        prop_assert_eq!(&live, &rebuilt(&bench));
        prop_assert_eq!(&live, &from_a_snapshot(&bench));
        let records = records(&bench);
        check_outcomes(&records)?;
        check_sources(&records)?;
        check_counters(&bench, &live.profiles)?;
        check_told(&bench, &records)?;
        // A prefix folded, and then the rest: what a restart does.
        bench.restart();
        bench.settle();
        prop_assert_eq!(live.profiles, bench.engine.view().dump().unwrap().profiles);
    }
}
