//! The registry's history in words: what each change made of what.

use super::QueryError;
use crate::log::LogReader;
use crate::record::{Record, RegistryRecord};
use crate::registry::{ChangeSummary, Registry};
use crate::vocabulary::{Partition, Seq};

/// These revisions' records, oldest first, each told with what it changed from and to. A record says only
/// what is from then on, so the registry is folded from its beginning: some microseconds a revision.
pub fn summaries(
    log: &LogReader,
    wanted: &[Seq],
) -> Result<Vec<(Seq, RegistryRecord, ChangeSummary)>, QueryError> {
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
        let summary = wanted.contains(&seq).then(|| record.change.summary_after(&registry));
        // A host that can't fold a change doesn't start; the rest is told all the same.
        let _ = registry.take_in(seq, &record.change);
        if let Some(summary) = summary {
            all.push((seq, record, summary));
        }
    }
    Ok(all)
}
