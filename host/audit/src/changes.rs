//! The audit of changes: the registry's own records, newest first.

use super::query::{AuditQueryError, names};
use samsyn_journal::history::summaries;
use samsyn_journal::{Reader, Record, RegistryRecord};
use samsyn_log::ReadLog;
use samsyn_registry::ChangeSummary;
use samsyn_vocabulary::{Partition, Position, Seq, Timestamp};

/// Records looked at for one page.
const RECORDS_LOOKED_AT_MAX: usize = 5_000;

/// Which changes are asked for: those that fit everything that is given.
#[derive(Clone, Debug, Default)]
pub struct ChangeFilter {
    /// The application that changed it.
    pub by: Option<String>,
    /// The kind of change, such as `source-assigned`.
    pub kind: Option<String>,
    /// A field it is about.
    pub field: Option<String>,
    /// The capability it is about.
    pub capability: Option<String>,
    /// Not before.
    pub since: Option<Timestamp>,
    /// Before.
    pub until: Option<Timestamp>,
}

impl ChangeFilter {
    fn fits(&self, record: &RegistryRecord) -> bool {
        let summary = record.change.summary();
        let field = |wanted: &String| summary.fields.iter().any(|name| name.as_str() == wanted);
        let capability = |wanted: &String| summary.capabilities.iter().any(|name| name.as_str() == wanted);
        self.by.as_ref().is_none_or(|by| names(&record.by, None, by))
            && self.kind.as_ref().is_none_or(|kind| summary.kind == kind)
            && self.field.as_ref().is_none_or(field)
            && self.capability.as_ref().is_none_or(capability)
            && self.since.is_none_or(|since| record.at >= since)
            && self.until.is_none_or(|until| record.at < until)
    }
}

/// Some changes, newest first.
#[derive(Debug, Default)]
pub struct ChangePage {
    /// They, each with the registry's revision it made, and told with what it changed.
    pub items: Vec<(Seq, RegistryRecord, ChangeSummary)>,
    /// There may be more, before this revision.
    pub next: Option<Seq>,
}

/// The newest changes before a revision that fit, at most `limit`. A page may be short and still
/// have a next one.
pub fn changes(
    records: &Reader<impl ReadLog>,
    filter: &ChangeFilter,
    before: Option<Seq>,
    limit: usize,
) -> Result<ChangePage, AuditQueryError> {
    let mut found = Vec::new();
    let mut next = None;
    let mut seq = before.unwrap_or_else(|| records.log().durable_head(Partition::REGISTRY).seq + 1);
    for _ in 0..RECORDS_LOOKED_AT_MAX {
        seq = seq.saturating_sub(1);
        let Some(stored) = records.read(Position { partition: Partition::REGISTRY, seq })? else {
            next = None;
            break;
        };
        next = Some(seq).filter(|seq| *seq > 1);
        let Record::Registry(record) = stored.record()? else { continue };
        if !filter.fits(&record) {
            continue;
        }
        found.push(seq);
        if found.len() == limit {
            break;
        }
    }
    let mut items = summaries(records, &found)?;
    items.reverse();
    Ok(ChangePage { items, next })
}
