//! Records about calls, by the worker of the customer's partition: each is appended only if the profile says that it
//! can be so, and the answer comes to its handler in its turn.

use std::sync::atomic::Ordering;

use super::fault::StopCause;
use super::lanes::Lanes;
use samsyn_decide::item::Item;
use samsyn_journal::CallRecord;
use samsyn_vocabulary::{ItemPosition, Partition, Position, Seq};

impl Lanes {
    /// Appends a record about a call; none when the call isn't as the record takes it to be.
    pub(super) fn call_record(
        &self,
        partition: Partition,
        record: CallRecord,
    ) -> Result<Option<Position>, StopCause> {
        let mut core = self.core(partition);
        let Some(before) = core.profile(record.profile(), &self.shared.view)? else { return Ok(None) };
        let call = record.call();
        let calls = before.calls(&call.capability, call.generation);
        if !calls.is_some_and(|calls| calls.fits(&record)) {
            return Ok(None);
        }
        let item = Item::of_call(&record);
        let (position, state) = self.sequencer.append_call(partition, &before, record, item)?;
        let profiles_max = self.shared.config.cached_profiles / self.shared.partition_count();
        core.put(state, profiles_max, || self.shared.view.applied(partition).seq);
        Ok(Some(position))
    }

    /// Decides an item about a call.
    pub(super) fn decide_of_call(
        &self,
        partition: Partition,
        seq: Seq,
        item: &Item,
    ) -> Result<(), StopCause> {
        let decided = self.decide_live(partition, ItemPosition { seq, index: 0 }, item, None);
        self.sequencer.undecided.fetch_sub(1, Ordering::Relaxed);
        decided
    }
}
