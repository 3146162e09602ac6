//! How often each field's visible value changed: the first follower, and an example of one.
//!
//! It counts what everybody sees. A claim of a capability that isn't the source, and a claim of a generation that
//! catches up and isn't visible yet, are no changes. A value that changes because its source moved counts when
//! the customer's consumers are notified of it; the host records no change for a field that nobody consumes.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;

use samsyn_journal::Undecoded;
use samsyn_vocabulary::{FieldName, Partition};

use crate::{ApplyError, Follower};

/// Changes by field, those that are durable.
type Counts = BTreeMap<FieldName, u64>;

/// Counts changes of visible values.
#[derive(Default)]
pub struct FieldChanges {
    counts: FieldCounts,
}

/// What [`FieldChanges`] counted. A clone shows the same.
///
/// Only what is durable is shown: so a count never goes back when the process is killed.
#[derive(Clone, Default)]
pub struct FieldCounts(Arc<Mutex<Option<Arc<Counts>>>>);

impl FieldCounts {
    /// How often each field changed. Also fields that the dictionary no longer has, and no field that never
    /// changed. None while the follower's file can't be read: a count that isn't known is not 0.
    pub fn get(&self) -> Option<Arc<BTreeMap<FieldName, u64>>> {
        self.0.lock().clone()
    }
}

impl FieldChanges {
    /// Where the counts can be read.
    pub fn counts(&self) -> FieldCounts {
        self.counts.clone()
    }
}

impl Follower for FieldChanges {
    const NAME: &'static str = "field-changes";
    const STATE_VERSION: u16 = 1;
    type State = Counts;

    fn follows(partition: Partition) -> bool {
        partition.holds_customers()
    }

    fn apply(&mut self, counts: &mut Counts, record: &Undecoded<'_>) -> Result<(), ApplyError> {
        for change in record.changes()?.into_iter().filter(|change| change.is_visible()) {
            *counts.entry(change.field).or_default() += 1;
        }
        Ok(())
    }

    fn committed(&mut self, counts: &Counts) {
        *self.counts.0.lock() = Some(Arc::new(counts.clone()));
    }
}
