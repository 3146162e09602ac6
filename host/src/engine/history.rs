//! The registry's history in words: what each change made of what.

use super::QueryError;
use crate::log::LogReader;
use crate::record::{Record, RegistryRecord};
use crate::registry::{Registry, Told};
use crate::vocabulary::{Partition, Seq};

/// These revisions' records, oldest first, each told with what it changed from and to. A record says only
/// what is from then on, so the registry is folded from its beginning: some microseconds a revision.
pub fn told(log: &LogReader, wanted: &[Seq]) -> Result<Vec<(Seq, RegistryRecord, Told)>, QueryError> {
    let Some(last) = wanted.iter().max() else { return Ok(Vec::new()) };
    let mut registry = Registry::default();
    let mut all = Vec::with_capacity(wanted.len());
    for stored in log.scan(Partition::REGISTRY, 1) {
        let stored = stored?;
        let seq = stored.position.seq;
        if seq > *last {
            break;
        }
        let Record::Registry(record) = Record::from_bytes(stored.kind, &stored.payload)? else { continue };
        let told = wanted.contains(&seq).then(|| record.change.told_after(&registry));
        // A host that can't fold a change doesn't start; the rest is told all the same.
        let _ = registry.take_in(seq, &record.change);
        if let Some(told) = told {
            all.push((seq, record, told));
        }
    }
    Ok(all)
}
