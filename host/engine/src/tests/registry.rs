//! Changes of the registry, as the log keeps them.

use super::*;
use samsyn_journal::{Record, RegistryRecord};
use samsyn_registry::{Attribution, Field, Grant, RegistryError};

fn registry_records(bench: &Bench) -> Vec<RegistryRecord> {
    bench.settle();
    let records = bench.engine.records().scan(Partition::REGISTRY, 1);
    let read = records.map(|record| {
        let record = record.expect("it can be read");
        record.record().expect("it is a record")
    });
    let registry = read.filter_map(|record| match record {
        Record::Registry(record) => Some(record),
        _ => None,
    });
    registry.collect()
}

#[test]
fn who_changed_what_and_why_is_in_the_log() {
    let bench = Bench::new();
    let change = RegistryChange::FieldDefined { name: field("size"), field: Field::of(Type::Text) };
    let reason = Reason::new("CRM-12").ok();
    let by = Attribution { by: app("anna"), reason: reason.clone() };
    bench.engine.registrar().append_change(change.clone(), by).expect("it is possible");
    bench.change(change);
    let records = registry_records(&bench);
    let last: Vec<_> = records.iter().rev().take(2).collect();
    assert_eq!((last[1].by.as_str(), &last[1].reason), ("anna", &reason));
    assert_eq!((last[0].by.as_str(), &last[0].reason), ("tests", &None));
}

/// Hears events of its own, reads a nickname, and sources two fields.
const READER: &str = "[subscribes.\"probe.*\"]\nscript = { type = \"texts\" }\n\
    [sources]\n\"probe.note\" = { type = \"text\" }\n\"probe.seen\" = { type = \"text\" }\n\
    [consumes]\nnickname = { purposes = [\"service\"] }\n";

fn regrant(bench: &Bench, name: &str, give: Grant, take: Grant) {
    let change = bench.engine.registry().regrant(capability(name), &give, &take);
    bench.change(change.expect("it is asked for"));
}

#[test]
fn the_very_next_call_no_longer_sees_what_was_taken_back() {
    let bench = Bench::new();
    bench.install("keeper", "[sources]\nnickname = { type = \"text\" }\n");
    bench.install("reader", READER);
    bench.propose("1", &[("nickname", text("Kim"))]);
    bench.script("1", &["copy nickname probe.seen"]);
    bench.settle();
    assert_eq!(bench.text("1", "probe.seen").as_deref(), Some("Kim"));
    let nickname = || Grant { reads: vec![field("nickname")], ..Grant::default() };
    regrant(&bench, "reader", Grant::default(), nickname());
    bench.script("1", &["copy nickname probe.seen"]);
    bench.settle();
    assert_eq!(bench.text("1", "probe.seen").as_deref(), Some("-"));
    regrant(&bench, "reader", nickname(), Grant::default());
    bench.script("1", &["copy nickname probe.seen"]);
    bench.settle();
    assert_eq!(bench.text("1", "probe.seen").as_deref(), Some("Kim"));
    let identifier = Grant { identifiers: vec![identifier_name()], ..Grant::default() };
    bench.script("1", &["see probe.seen"]);
    bench.settle();
    assert!(bench.text("1", "probe.seen").is_some_and(|seen| seen.contains("customer_id")));
    regrant(&bench, "reader", Grant::default(), identifier);
    bench.script("1", &["clear probe.seen"]);
    bench.script("1", &["see probe.seen"]);
    bench.settle();
    assert!(bench.text("1", "probe.seen").is_some_and(|seen| !seen.contains("customer_id")));
    let heard = Grant { hears: vec![EventPattern::new("probe.*").unwrap()], ..Grant::default() };
    regrant(&bench, "reader", Grant::default(), heard);
    let unheard = bench.script("1", &["text probe.note unheard"]);
    bench.settle();
    assert_eq!(bench.decisions(&unheard)[0].outcomes, []);
}

#[test]
fn claims_that_may_no_longer_be_made_are_refused_and_a_source_stays_one() {
    let mut bench = Bench::new();
    bench.install("keeper", "[sources]\n\"probe.note\" = { type = \"text\" }\n");
    bench.install("reader", READER);
    let note = || Grant { sources: Some(vec![field("probe.note")]), ..Grant::default() };
    let seen = Grant { sources: Some(vec![field("probe.seen")]), ..Grant::default() };
    regrant(&bench, "reader", Grant::default(), note());
    let refused = bench.script("1", &["text probe.note mine"]);
    bench.settle();
    let decided = &bench.decisions(&refused)[0];
    assert!(decided.outcomes[0].claims.is_empty());
    assert!(bench.text("1", "probe.note").is_none());
    // Nobody asks it any more either.
    let proposed = bench.propose("1", &[("probe.note", text("proposed"))]);
    bench.settle();
    let asked: Vec<String> =
        bench.decisions(&proposed)[0].outcomes.iter().map(|outcome| outcome.capability.to_string()).collect();
    assert_eq!(asked, ["keeper"]);
    let registry = bench.engine.registry();
    let taken = registry.regrant(capability("reader"), &Grant::default(), &seen).unwrap();
    assert!(matches!(registry.check(&taken), Err(RegistryError::IsSource { .. })));
    let beyond = Grant { reads: vec![field("probe.count")], ..Grant::default() };
    let given = registry.regrant(capability("reader"), &beyond, &Grant::default()).unwrap();
    assert!(matches!(registry.check(&given), Err(RegistryError::NotRequested { .. })));
    let before = registry.capabilities[&capability("reader")].grant.clone();
    bench.restart();
    assert_eq!(bench.engine.registry().capabilities[&capability("reader")].grant, before);
}

#[test]
fn an_upgrade_that_wants_more_waits_while_the_old_one_runs() {
    let mut bench = Bench::new();
    bench.install("keeper", "[sources]\nnickname = { type = \"text\" }\n");
    bench.install("reader", &READER.replace("[consumes]\nnickname = { purposes = [\"service\"] }\n", ""));
    let running = bench.engine.registry().capabilities[&capability("reader")].digest;
    let upgrade = |bench: &Bench| {
        let component = embed_manifest(&fixture(), &manifest("reader", READER)).unwrap();
        bench.engine.registrar().install(&component, InstallOptions::default(), app("ci")).unwrap()
    };
    let sent = upgrade(&bench);
    assert!(sent.pending && sent.plan.wants.reads == [field("nickname")], "{:?}", sent.plan);
    bench.propose("1", &[("nickname", text("Kim"))]);
    bench.script("1", &["copy nickname probe.seen"]);
    bench.settle();
    assert_eq!(bench.text("1", "probe.seen").as_deref(), Some("-"), "the old one runs and sees nothing new");
    let reader = |bench: &Bench| bench.engine.registry().capabilities[&capability("reader")].clone();
    let waiting = reader(&bench).pending.clone().expect("it waits").digest;
    let name = capability("reader");
    bench.change(RegistryChange::UpgradeRejected { capability: name.clone(), digest: waiting });
    assert!(reader(&bench).pending.is_none());
    assert!(
        bench.engine.registrar().approve(&name, None, false, app("anna")).is_err(),
        "nothing waits any more"
    );
    upgrade(&bench);
    bench.restart();
    assert_eq!(
        (reader(&bench).digest, reader(&bench).pending.is_some()),
        (running, true),
        "it waits after a restart"
    );
    let other = Some(Digest::of(b"another"));
    assert!(
        bench.engine.registrar().approve(&name, other, false, app("anna")).is_err(),
        "only what was looked at is approved"
    );
    bench.engine.registrar().approve(&name, Some(waiting), false, app("anna")).expect("it can be installed");
    bench.script("1", &["copy nickname probe.seen"]);
    bench.settle();
    assert_eq!(bench.text("1", "probe.seen").as_deref(), Some("Kim"));
    assert_eq!((reader(&bench).digest, reader(&bench).pending.is_none()), (waiting, true));
}

#[test]
fn an_older_hosts_installation_makes_claims_for_all_it_sources() {
    let bench = Bench::new();
    bench.install("reader", READER);
    let records = registry_records(&bench);
    let installed = records.iter().find(|record| matches!(record.change, RegistryChange::Installed { .. }));
    let mut old = serde_json::to_value(&installed.expect("it was installed").change).unwrap();
    let grant = &mut old["installed"]["grant"];
    assert!(grant.as_object_mut().and_then(|grant| grant.remove("sources")).is_some(), "{old}");
    old["installed"].as_object_mut().unwrap().remove("proposed");
    let old: RegistryChange = serde_json::from_value(old).unwrap();
    let registry = samsyn_registry::Registry::default().apply(1, &old).unwrap();
    let reader = &registry.capabilities[&capability("reader")];
    assert_eq!(reader.grant.sources(), [field("probe.note"), field("probe.seen")]);
    assert!(registry.fields.values().all(|field| field.status.is_defined()));
}
