//! What must hold for every sequence: a prefix folded and then the rest equals all folded, the
//! rebuilt view equals the live one, every delivery has exactly one final outcome, and no sequence
//! of effects makes a non-source's value visible.

use proptest::prelude::*;

use super::*;
use crate::log::ScanFrom;
use crate::record::{DeliveryResult, Record};
use crate::view::View;

/// Something that happens to one of three customers.
#[derive(Clone, Debug)]
enum Step {
    Script(u8, Vec<&'static str>),
    Propose(u8, &'static str),
    Assign(Option<&'static str>),
    Retry,
    Skip,
    Restart,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
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
        1 => Just(Step::Retry),
        1 => Just(Step::Skip),
        1 => Just(Step::Restart),
    ];
    prop::collection::vec(step, 1..25)
}

const TABLES: &str = "[subscribes.\"probe.*\"]\nscript = { type = \"texts\" }\n\
    [emits.\"probe.pinged\"]\nscript = { type = \"texts\" }\n\
    [sources]\nnote = { type = \"text\" }\nout = { type = \"boolean\", protective = true }\n";

fn play(steps: &[Step]) -> Bench {
    let config =
        EngineConfig { partitions: 2, workers: 2, quarantine_after: u32::MAX, ..EngineConfig::default() };
    let mut bench = Bench::with(config, Limits::default());
    bench.install("one", TABLES);
    bench.install("two", TABLES);
    bench.install("watch", "[sources]\n\"probe.seen\" = { type = \"text\" }\n[consumes]\nnote = { purposes = [\"service\"], notify = true }\n");
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
            Step::Retry => drop(bench.engine.retry(&ParkedFilter::default())),
            Step::Skip => drop(bench.engine.skip(&ParkedFilter::default(), "no")),
            Step::Restart => bench.restart(),
        }
    }
    bench.settle();
    bench
}

fn rebuilt(bench: &Bench) -> crate::view::Dump {
    let directory = tempfile::tempdir().unwrap();
    let config = ViewConfig { cache_bytes: 4 << 20, ..ViewConfig::default() };
    let opened =
        View::open(&directory.path().join("view"), bench.engine.log(), &config, &bench.engine.config, |_| {});
    opened.unwrap().0.dump().unwrap()
}

fn records(bench: &Bench) -> Vec<(Position, Record)> {
    let mut records = Vec::new();
    let mut scan = bench.engine.log().scan_all(ScanFrom::Start);
    while let Some(record) = scan.next().unwrap() {
        records.push((record.position, Record::from_bytes(record.kind, record.payload).unwrap()));
    }
    records
}

fn check_outcomes(records: &[(Position, Record)]) -> Result<(), TestCaseError> {
    let mut finals = std::collections::HashMap::new();
    for (position, record) in records {
        let Record::Decided(decided) = record else { continue };
        for outcome in decided.outcomes.iter().filter(|outcome| outcome.result.is_final()) {
            let delivery = (position.partition, decided.cause, outcome.capability.clone(), outcome.role);
            *finals.entry(delivery).or_insert(0) += 1;
        }
    }
    for (delivery, count) in finals {
        prop_assert_eq!(count, 1, "{:?} has more than one final outcome", delivery);
    }
    Ok(())
}

/// Every change of a visible value was a claim of the field's source at that revision.
fn check_sources(records: &[(Position, Record)]) -> Result<(), TestCaseError> {
    let mut sources = std::collections::BTreeMap::new();
    for (position, record) in records {
        if let Record::Registry(change) = record {
            match &change.change {
                RegistryChange::SourceAssigned { field, source } => {
                    sources.insert((position.seq, field.clone()), source.clone());
                }
                RegistryChange::Installed { assigned, manifest, .. } => {
                    let name = crate::registry::Manifest::parse(manifest).unwrap().plugin.name;
                    for field in assigned {
                        sources.insert((position.seq, field.clone()), Some(name.clone()));
                    }
                }
                _ => {}
            }
        }
    }
    for (_, record) in records {
        let Record::Decided(decided) = record else { continue };
        for changed in &decided.changes {
            let mut known = sources
                .iter()
                .filter(|((seq, field), _)| *seq <= decided.revision && *field == changed.field);
            let source = known.next_back().and_then(|(_, source)| source.clone());
            prop_assert_eq!(Some(&changed.by), source.as_ref(), "{:?}", decided);
            let claimed = decided.outcomes.iter().any(|outcome| {
                outcome.capability == changed.by
                    && outcome.result == DeliveryResult::Done
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
        let records = records(&bench);
        check_outcomes(&records)?;
        check_sources(&records)?;
        // A prefix folded, and then the rest: what a restart does.
        bench.restart();
        bench.settle();
        prop_assert_eq!(live.profiles, bench.engine.view().dump().unwrap().profiles);
    }
}
