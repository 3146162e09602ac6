//! Records about calls, by the worker of the customer's partition: each is appended only if the profile says that it
//! can be so, and the answer comes to its handler in its turn.

use std::sync::atomic::Ordering;

use super::fault::StopCause;
use super::lanes::Lanes;
use samsyn_decide::item::Item;
use samsyn_journal::{CallRecord, Calls, Framed, Place, Probe, Row};
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
        if !calls.is_some_and(|calls| fits(calls, &record)) {
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

/// Whether a record says something that can be so of the calls as they are.
fn fits(calls: &Calls, record: &CallRecord) -> bool {
    let waiting = calls.get(record.call().number);
    match record {
        CallRecord::Sending(sending) => {
            waiting.is_some_and(|call| call.begun.is_none() && call.attempts + 1 == sending.attempt)
        }
        // Of an attempt that changes nothing at the system there is no record that it began.
        CallRecord::Retrying(retrying) => {
            waiting.is_some_and(|call| retrying.attempt == call.attempts + u32::from(call.begun.is_none()))
        }
        CallRecord::Answered(_) => waiting.is_some(),
        CallRecord::Doubted(_) => waiting.is_some_and(|call| call.probe == Probe::Due),
        CallRecord::Framed(framed) => waiting.is_some_and(|call| {
            let nothing_left = call.begun.is_none() && call.sent_since.is_none();
            nothing_left && call.row.as_ref().is_some_and(|row| can_be_put(row, framed))
        }),
        CallRecord::Settled(settled) => calls.past().iter().any(|past| past.number == settled.call.number),
    }
}

/// Whether a row can be put into a request: it is in none, or in one that is made anew.
fn can_be_put(row: &Row, framed: &Framed) -> bool {
    match (row, &framed.place) {
        (Row::Free { .. }, _) => row.can_join(),
        (Row::Leads { ended, .. }, Place::Leads(_)) => !ended,
        (Row::In { leader, .. }, Place::In(new)) => leader == new,
        _ => false,
    }
}
