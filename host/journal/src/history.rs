//! The registry's history in words: what each change made of what.

use crate::{ReadError, Reader, Record, RegistryRecord};
use samsyn_log::ReadLog;
use samsyn_registry::{ChangeSummary, Registry};
use samsyn_vocabulary::{Partition, Seq};

/// These revisions' records, oldest first, each told with what it changed from and to. A record says only
/// what is from then on, so the registry is folded from its beginning: some microseconds a revision.
pub fn summaries(
    records: &Reader<impl ReadLog>,
    wanted: &[Seq],
) -> Result<Vec<(Seq, RegistryRecord, ChangeSummary)>, ReadError> {
    let Some(last) = wanted.iter().max() else { return Ok(Vec::new()) };
    let mut registry = Registry::default();
    let mut all = Vec::with_capacity(wanted.len());
    for stored in records.scan(Partition::REGISTRY, 1) {
        let stored = stored?;
        let seq = stored.position.seq;
        if seq > *last {
            break;
        }
        let Record::Registry(record) = stored.record()? else { continue };
        let summary = wanted.contains(&seq).then(|| record.change.summary_after(&registry));
        // A host that can't fold a change doesn't start; the rest is told all the same.
        let _ = registry.take_in(seq, &record.change);
        if let Some(summary) = summary {
            all.push((seq, record, summary));
        }
    }
    Ok(all)
}
