//! A record's payload as a function of bytes that must never panic, for the fuzzer.

use super::codec::encode_at;
use super::{PartitionState, Record, Undecoded, fold_profile};
use samsyn_registry::Registry;
use samsyn_vocabulary::{Partition, Position};

const HOME: Partition = Partition(0);

fn read(kind: u8, payload: &[u8]) -> Option<Record> {
    let position = Position { partition: HOME, seq: 1 };
    let (appended_at, chain) = Default::default();
    Undecoded { position, appended_at, chain, kind, erased: false, payload }.record().ok()
}

/// A record's payload after its kind: read, folded, and written again as it was.
pub fn record(data: &[u8]) {
    let Some((kind, payload)) = data.split_first() else { return };
    let Some(record) = read(*kind, payload) else { return };
    match record {
        Record::Decided(decided) => {
            let at = |seq| Position { partition: HOME, seq };
            let once = fold_profile(None, at(7), &decided);
            assert_eq!(fold_profile(Some(&once), at(8), &decided).id, decided.profile);
            PartitionState::default().fold_decided(&decided);
            let _ = (decided.derives(), decided.last_item());
            let written = encode_at(HOME, &decided);
            match read(*kind, &written).expect("what was read can be written and read") {
                Record::Decided(again) => assert_eq!(written, encode_at(HOME, &again), "written alike"),
                other => panic!("a decision became {other:?}"),
            }
        }
        Record::Adopted(adopted) => {
            PartitionState::default().fold_adopted(9, &std::sync::Arc::new(adopted));
        }
        Record::Registry(record) => {
            let registry = Registry::default();
            if registry.check(&record.change).is_ok() {
                // What the check lets through is applied, or says why not.
                let _ = registry.apply(1, &record.change);
            }
        }
        Record::Accepted(_)
        | Record::Linked(_)
        | Record::Late(_)
        | Record::Due(_)
        | Record::Body(_)
        | Record::Erased => {}
        Record::Call(record) => {
            let mut state = super::ProfileState::new(record.profile(), samsyn_vocabulary::Timestamp(1));
            super::fold_call(&mut state, 9, &record);
        }
    }
}
