//! Records get their place here, and only here: the only caller of the journal's `append`.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::durable::InFlight;
use super::work::Work;
use super::{AcceptError, Engine};
use crate::way::Way;
use samsyn_journal::{Accepted, Decided, Encoded, Linked, NewRecord, ProfileState, ProfileStep};
use samsyn_log::AppendError;
use samsyn_state::view::CommittedRecord;
use samsyn_vocabulary::{Partition, Position, ProfileId, Seq};

/// A notice in its place, and the profile after it.
type Appended = (Arc<Decided>, Arc<ProfileState>);

impl From<AppendError> for AcceptError {
    fn from(error: AppendError) -> AcceptError {
        match error {
            AppendError::Closed => AcceptError::Stopping,
            error => AcceptError::Unavailable(error.to_string()),
        }
    }
}

impl From<super::QueryError> for AcceptError {
    fn from(error: super::QueryError) -> AcceptError {
        match error {
            super::QueryError::View(error) => error.into(),
            super::QueryError::Log(error) => error.into(),
            error @ (super::QueryError::Record(_) | super::QueryError::AnothersRecord { .. }) => {
                AcceptError::Unreadable(error.to_string())
            }
        }
    }
}

impl From<samsyn_state::view::StoreError> for AcceptError {
    fn from(error: samsyn_state::view::StoreError) -> AcceptError {
        AcceptError::ViewFailed(error.to_string())
    }
}

impl Engine {
    fn entry(&self, encoded: Encoded, record: CommittedRecord) -> NewRecord<InFlight> {
        encoded.entry(self.clock.now(), record.into())
    }

    pub(super) fn link_entry(&self, linked: &Linked) -> NewRecord<InFlight> {
        let record = CommittedRecord::Linked(Arc::new(linked.clone()));
        self.entry(Encoded::of(Partition::IDENTITY, linked), record)
    }

    /// Puts an event into its partition, behind the links it relies on and its copies for everybody else. All
    /// of it stands in the log or nothing; of more copies than fit into one frame the first stand there before.
    pub(super) fn accept_into_log(
        &self,
        links: &[Linked],
        everybody: &[ProfileId],
        accepted: Accepted,
        way: Way,
    ) -> Result<Position, AcceptError> {
        let others: Vec<ProfileId> =
            everybody.iter().filter(|profile| **profile != accepted.profile).copied().collect();
        if !others.is_empty() {
            let size = Encoded::bytes_max(&accepted);
            // Half a frame, since the links of the event stand in it as well.
            let copies_max = (self.journal.append_bytes_max() / 2 / size).max(1);
            let copies = |profiles: &[ProfileId]| -> Vec<Accepted> {
                profiles.iter().map(|profile| accepted.copy_for(*profile)).collect()
            };
            let (first, last) = others.split_at(others.len().saturating_sub(copies_max));
            for profiles in first.chunks(copies_max) {
                self.accept_shared_into_log(&[], copies(profiles), way)?;
            }
            let mut events = copies(last);
            events.push(accepted);
            return self.accept_shared_into_log(links, events, way);
        }
        let (partition, accepted, own) = self.accepted_entry(accepted);
        let _order = self.cell(partition).sequencer.lock();
        let position = if links.is_empty() {
            self.journal.append(own)?
        } else {
            let mut entries: Vec<NewRecord<InFlight>> =
                links.iter().map(|linked| self.link_entry(linked)).collect();
            entries.push(own);
            let appended = self.journal.append_all(entries)?;
            appended.last().copied().ok_or(AcceptError::Busy)?
        };
        self.schedule_accepted(position, accepted, way);
        Ok(position)
    }

    fn accept_shared_into_log(
        &self,
        links: &[Linked],
        accepted: Vec<Accepted>,
        way: Way,
    ) -> Result<Position, AcceptError> {
        let mut entries: Vec<NewRecord<InFlight>> =
            links.iter().map(|linked| self.link_entry(linked)).collect();
        let (mut partitions, mut events) = (Vec::new(), Vec::new());
        for accepted in accepted {
            let (partition, accepted, entry) = self.accepted_entry(accepted);
            partitions.push(partition);
            events.push(accepted);
            entries.push(entry);
        }
        // Several are locked in the order of their numbers, so that two who do it never wait for each other.
        partitions.sort_unstable();
        partitions.dedup();
        let _order: Vec<_> =
            partitions.iter().map(|partition| self.cell(*partition).sequencer.lock()).collect();
        let appended = self.journal.append_all(entries)?;
        for (position, accepted) in appended.iter().skip(links.len()).zip(events) {
            self.schedule_accepted(*position, accepted, way);
        }
        appended.last().copied().ok_or(AcceptError::Busy)
    }

    fn accepted_entry(&self, accepted: Accepted) -> (Partition, Arc<Accepted>, NewRecord<InFlight>) {
        let partition = self.home(accepted.profile);
        let encoded = Encoded::of(partition, &accepted);
        let accepted = Arc::new(accepted);
        let record = CommittedRecord::accepted(accepted.clone());
        (partition, accepted, self.entry(encoded, record))
    }

    fn schedule_accepted(&self, position: Position, accepted: Arc<Accepted>, mut way: Way) {
        way.sequenced();
        self.undecided.fetch_add(1, Ordering::Relaxed);
        let work = Work::Accepted { seq: position.seq, accepted, way };
        self.schedule.push(position.partition, work);
    }

    /// Puts a decision into its partition, behind the links that its values make. The state it
    /// folds into goes with it, so that nobody folds it again.
    pub(super) fn append_decided(
        &self,
        partition: Partition,
        before: Option<&samsyn_journal::ProfileState>,
        links: &[Linked],
        decided: Decided,
        mut way: Option<Way>,
    ) -> Result<(Seq, Arc<Decided>, Arc<samsyn_journal::ProfileState>), AcceptError> {
        let encoded = Encoded::of(partition, &decided);
        let step = ProfileStep::begin(before, &decided);
        let _order = self.cell(partition).sequencer.lock();
        way.iter_mut().for_each(Way::locked);
        let seq = self.journal.head(partition) + 1;
        let (state, stepped) = step.end_beside(before, Position { partition, seq }, &decided);
        let (decided, state) = (Arc::new(decided), Arc::new(state));
        let record = CommittedRecord::decided(decided.clone(), state.clone(), stepped);
        let own = encoded.entry(decided.at, InFlight { record, way }).numbered(seq);
        if links.is_empty() {
            self.journal.append(own)?;
        } else {
            let mut entries: Vec<NewRecord<InFlight>> =
                links.iter().map(|linked| self.link_entry(linked)).collect();
            entries.push(own);
            self.journal.append_all(entries)?;
        }
        if decided.derives() {
            self.schedule.push(partition, Work::Derived { seq, decided: decided.clone() });
        }
        Ok((seq, decided, state))
    }

    /// Puts decisions of several customers into their partition in one append. None of them may
    /// change a value that identifies.
    pub(super) fn append_notices(
        &self,
        partition: Partition,
        notices: Vec<(Arc<ProfileState>, Decided)>,
    ) -> Result<Vec<Appended>, AcceptError> {
        if notices.is_empty() {
            return Ok(Vec::new());
        }
        let encoded: Vec<Encoded> =
            notices.iter().map(|(_, decided)| Encoded::of(partition, decided)).collect();
        let _order = self.cell(partition).sequencer.lock();
        let first = self.journal.head(partition) + 1;
        let (mut entries, mut appended) = (Vec::with_capacity(notices.len()), Vec::new());
        for (seq, ((before, decided), encoded)) in (first..).zip(notices.into_iter().zip(encoded)) {
            let step = ProfileStep::begin(Some(&before), &decided);
            let (state, stepped) = step.end_beside(Some(&before), Position { partition, seq }, &decided);
            let (decided, state) = (Arc::new(decided), Arc::new(state));
            appended.push((decided.clone(), state.clone()));
            let record = CommittedRecord::decided(decided.clone(), state, stepped);
            entries.push(encoded.entry(decided.at, record.into()).numbered(seq));
        }
        self.journal.append_all(entries)?;
        for (seq, (decided, _)) in (first..).zip(&appended) {
            if decided.derives() {
                self.schedule.push(partition, Work::Derived { seq, decided: decided.clone() });
            }
        }
        Ok(appended)
    }

    /// Puts any other record into its partition.
    pub(super) fn append_plain(
        &self,
        encoded: Encoded,
        record: CommittedRecord,
    ) -> Result<Position, AcceptError> {
        Ok(self.journal.append(self.entry(encoded, record))?)
    }
}
