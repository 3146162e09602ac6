//! Changes of the registry, as the log keeps them.

use super::*;
use crate::record::{Record, RegistryRecord};
use crate::registry::{Attribution, Field};

fn registry_records(bench: &Bench) -> Vec<RegistryRecord> {
    bench.settle();
    let records = bench.engine.log().scan(Partition::REGISTRY, 1);
    let read = records.map(|record| {
        let record = record.expect("it can be read");
        Record::from_bytes(record.kind, &record.payload).expect("it is a record")
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
    bench.engine.append_change(change.clone(), by).expect("it is possible");
    bench.change(change);
    let records = registry_records(&bench);
    let last: Vec<_> = records.iter().rev().take(2).collect();
    assert_eq!((last[1].by.as_str(), &last[1].reason), ("anna", &reason));
    assert_eq!((last[0].by.as_str(), &last[0].reason), ("tests", &None));
}
