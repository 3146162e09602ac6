//! What is read from anybody, as functions of bytes that must never panic: for the fuzzer (`fuzz/`,
//! see docs/hostile.md) and, for a short time with a stored corpus, for ordinary tests.
//!
//! Each belongs to the floor it tries; only for tests and with the feature `fuzz`.

#[cfg(test)]
mod made;
#[cfg(test)]
mod tests;

use crate::record::{PartitionState, Record, fold_profile};
use crate::registry::Registry;
use crate::registry::manifest::Manifest;

pub use crate::api::fuzz::{cursor, event, header};
pub use crate::log::fuzz::segment;
pub use crate::sandbox::fuzz::{component, effects};

/// Something that reads bytes, and panics when it breaks a promise.
pub type Target = fn(&[u8]);

/// Every target by its name, which is also its corpus's in `fuzz/corpus`.
pub const TARGETS: [(&str, Target); 8] = [
    ("segment", segment),
    ("record", record),
    ("event", event),
    ("effects", effects),
    ("manifest", manifest),
    ("component", component),
    ("header", header),
    ("cursor", cursor),
];

/// A record's payload after its kind: read, folded, and written again as it was.
pub fn record(data: &[u8]) {
    let Some((kind, payload)) = data.split_first() else { return };
    let Ok(record) = Record::from_bytes(*kind, payload) else { return };
    match record {
        Record::Decided(decided) => {
            let once = fold_profile(None, 7, &decided);
            assert_eq!(fold_profile(Some(&once), 8, &decided).id, decided.profile);
            PartitionState::default().fold_decided(&decided);
            let _ = (decided.derives(), decided.last_item());
            let written = crate::record::encode(&decided);
            let again = Record::from_bytes(*kind, &written).expect("what was read can be written and read");
            assert_eq!(written, crate::record::encode(&again_decided(again)), "written alike");
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
        Record::Accepted(_) | Record::Linked(_) => {}
    }
}

fn again_decided(record: Record) -> crate::record::Decided {
    match record {
        Record::Decided(decided) => decided,
        other => panic!("a decision became {other:?}"),
    }
}

/// A manifest's text: read, and its install planned.
pub fn manifest(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(manifest) = Manifest::parse(text) {
        let digest = crate::vocabulary::Digest::of(data);
        let _ = Registry::default().plan_install(&manifest, digest, true);
    }
}
