//! Records get their place here, and only here: the only caller of the journal's `append`.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::{Mutex, MutexGuard};

use super::durable::InFlight;
use super::fault::{Fault, StopCause};
use super::shared::Shared;
use super::work::Work;
use crate::way::Way;
use samsyn_decide::item::Item;
use samsyn_identity::full_lines;
use samsyn_journal::{
    Accepted, Body, CallRecord, Decided, Due, Encoded, LINE_POSITIONS_MAX, Linked, NewRecord, ProfileState,
    ProfileStep, step_call,
};
use samsyn_state::view::CommittedRecord;
use samsyn_vocabulary::{Partition, Position, ProfileId, Seq};

/// Links appended in one go, so that they fit into a frame.
const LINKS_AN_APPEND: usize = 1_000;

/// A notice in its place, and the profile after it.
type Appended = (Arc<Decided>, Arc<ProfileState>);

/// Gives records their place. A partition's lock is held while a record gets its number and is handed to the
/// lane, so that the lane's order is the log's; nothing else is locked meanwhile but the queue.
pub struct Sequencer {
    shared: Arc<Shared>,
    order: Vec<Mutex<()>>,
    /// Events accepted and not decided.
    pub(super) undecided: AtomicUsize,
}

impl Sequencer {
    /// For the partitions of this engine.
    pub fn new(shared: Arc<Shared>) -> Sequencer {
        let order = shared.partitions().map(|_| Mutex::default()).collect();
        Sequencer { shared, order, undecided: AtomicUsize::new(0) }
    }

    /// Stops others from appending to a partition until the guard is dropped.
    pub(super) fn order(&self, partition: Partition) -> MutexGuard<'_, ()> {
        self.order[usize::from(partition.0)].lock()
    }

    fn entry(&self, encoded: Encoded, record: CommittedRecord) -> NewRecord<InFlight> {
        encoded.entry(self.shared.clock.now(), record.into())
    }

    /// Appends links in one go, or in several when they don't fit. What they say relies on this record of
    /// another partition.
    pub(super) fn append_links(
        &self,
        links: &[Linked],
        relies_on: Option<Position>,
    ) -> Result<(), StopCause> {
        let entry = |linked: &Linked| {
            let record = CommittedRecord::Linked(Arc::new(linked.clone()));
            self.entry(Encoded::of(Partition::IDENTITY, linked), record).relying_on(relies_on)
        };
        for links in links.chunks(LINKS_AN_APPEND) {
            self.shared.journal.append_all(links.iter().map(entry).collect())?;
        }
        for name in full_lines(links) {
            tracing::warn!(identifier = %name, "{LINE_POSITIONS_MAX} customers share one value: no more are noted");
        }
        Ok(())
    }

    /// Puts an event into its partition, behind its copies for everybody else, and the links that it brings
    /// into theirs. The event is first: a link says that there is somebody, and an event that lacks its links
    /// gets them when it is decided. Of more copies than fit into one frame the first stand there before.
    pub(super) fn accept_into_log(
        &self,
        links: &[Linked],
        everybody: &[ProfileId],
        accepted: Accepted,
        way: Way,
    ) -> Result<Position, StopCause> {
        let others: Vec<ProfileId> =
            everybody.iter().filter(|profile| **profile != accepted.profile).copied().collect();
        if !others.is_empty() {
            let size = Encoded::bytes_max(&accepted);
            // Half a frame, since the event itself stands in it as well.
            let copies_max = (self.shared.journal.append_bytes_max() / 2 / size).max(1);
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
        let _order = self.order(partition);
        let position = self.shared.journal.append(own)?;
        self.append_links(links, Some(position))?;
        // Behind the links, so that what is decided of it is behind them as well.
        self.schedule_accepted(position, accepted, way);
        Ok(position)
    }

    /// All of these stand in the log or none. The last one brings the links.
    fn accept_shared_into_log(
        &self,
        links: &[Linked],
        accepted: Vec<Accepted>,
        way: Way,
    ) -> Result<Position, StopCause> {
        let (mut partitions, mut events, mut entries) = (Vec::new(), Vec::new(), Vec::new());
        for accepted in accepted {
            let (partition, accepted, entry) = self.accepted_entry(accepted);
            partitions.push(partition);
            events.push(accepted);
            entries.push(entry);
        }
        // Several are locked in the order of their numbers, so that two who do it never wait for each other.
        partitions.sort_unstable();
        partitions.dedup();
        let _order: Vec<_> = partitions.iter().map(|partition| self.order(*partition)).collect();
        let appended = self.shared.journal.append_all(entries)?;
        let own = appended.last().copied().ok_or(Fault::Bug("an append of no records"))?;
        self.append_links(links, Some(own))?;
        for (position, accepted) in appended.iter().zip(events) {
            self.schedule_accepted(*position, accepted, way);
        }
        Ok(own)
    }

    fn accepted_entry(&self, accepted: Accepted) -> (Partition, Arc<Accepted>, NewRecord<InFlight>) {
        let partition = self.shared.home(accepted.profile);
        let encoded = Encoded::of(partition, &accepted);
        let accepted = Arc::new(accepted);
        let record = CommittedRecord::accepted(accepted.clone());
        (partition, accepted, self.entry(encoded, record))
    }

    fn schedule_accepted(&self, position: Position, accepted: Arc<Accepted>, mut way: Way) {
        way.sequenced();
        self.undecided.fetch_add(1, Ordering::Relaxed);
        let work = Work::Accepted { seq: position.seq, accepted, way };
        self.shared.schedule.push(position.partition, work);
    }

    /// Puts a decision into its partition, behind the bodies of its requests; its links are appended already. The state it folds into goes with
    /// it, so that nobody folds it again.
    pub(super) fn append_decided(
        &self,
        partition: Partition,
        before: Option<&ProfileState>,
        (bodies, decided): (Vec<Body>, Decided),
        mut way: Option<Way>,
    ) -> Result<(Seq, Arc<Decided>, Arc<ProfileState>), StopCause> {
        let encoded = Encoded::of(partition, &decided);
        let step = ProfileStep::begin(before, &decided);
        let _order = self.order(partition);
        way.iter_mut().for_each(Way::locked);
        let first = self.shared.journal.head(partition) + 1;
        let seq = first + bodies.len() as Seq;
        let (state, stepped) = step.end_beside(before, Position { partition, seq }, &decided);
        let (decided, state) = (Arc::new(decided), Arc::new(state));
        let record = CommittedRecord::decided(decided.clone(), state.clone(), stepped);
        let own = encoded.entry(decided.at, InFlight { record, way }).numbered(seq);
        let own = own.relying_on(self.links_of(&decided));
        if bodies.is_empty() {
            self.shared.journal.append(own)?;
        } else {
            // All of them stand in the log or none.
            let bodies =
                bodies.iter().map(|body| self.entry(Encoded::of(partition, body), CommittedRecord::Due));
            self.shared.journal.append_all(bodies.chain([own]).collect())?;
        }
        if decided.derives() {
            self.shared.schedule.push(partition, Work::Derived { seq, decided: decided.clone() });
        }
        Ok((seq, decided, state))
    }

    /// The newest link, when the decision names identifiers: nobody makes their links again once it is there. A
    /// conflict names one as well: without the other's link it would be nobody's.
    fn links_of(&self, decided: &Decided) -> Option<Position> {
        let Decided { identifiers, retired, conflicts, .. } = decided;
        let names_any = !(identifiers.is_empty() && retired.is_empty() && conflicts.is_empty());
        let seq = names_any.then(|| self.shared.journal.head(Partition::IDENTITY)).filter(|seq| *seq > 0)?;
        Some(Position { partition: Partition::IDENTITY, seq })
    }

    /// Puts the firing of a timer into its partition, and has it decided in its turn.
    pub(super) fn append_due(&self, partition: Partition, due: Due) -> Result<(), StopCause> {
        let encoded = Encoded::of(partition, &due);
        let _order = self.order(partition);
        let position = self.append_plain(encoded, CommittedRecord::Due)?;
        debug_assert!(!due.in_passing, "it is decided by whoever fires it");
        self.undecided.fetch_add(1, Ordering::Relaxed);
        self.shared.schedule.push(partition, Work::Due { seq: position.seq, due: Arc::new(due) });
        Ok(())
    }

    /// Puts a record about a call into its partition, and has the item that it brings decided in its turn.
    pub(super) fn append_call(
        &self,
        partition: Partition,
        before: &ProfileState,
        record: CallRecord,
        item: Option<Item>,
    ) -> Result<(Position, Arc<ProfileState>), StopCause> {
        let encoded = Encoded::of_call(partition, &record);
        let _order = self.order(partition);
        let seq = self.shared.journal.head(partition) + 1;
        let mut state = before.clone();
        let pending = step_call(&mut state, seq, &record);
        let state = Arc::new(state);
        let (record, after) = (Arc::new(record), Some(state.clone()));
        let entry = self.entry(encoded, CommittedRecord::Call { record, state: after, pending });
        let position = self.shared.journal.append(entry.numbered(seq))?;
        if let Some(item) = item {
            self.undecided.fetch_add(1, Ordering::Relaxed);
            self.shared.schedule.push(partition, Work::OfCall { seq, item });
        }
        Ok((position, state))
    }

    /// Puts decisions of several customers into their partition in one append. None of them may
    /// change a value that identifies.
    pub(super) fn append_notices(
        &self,
        partition: Partition,
        notices: Vec<(Arc<ProfileState>, Decided)>,
    ) -> Result<Vec<Appended>, StopCause> {
        if notices.is_empty() {
            return Ok(Vec::new());
        }
        let encoded: Vec<Encoded> =
            notices.iter().map(|(_, decided)| Encoded::of(partition, decided)).collect();
        let _order = self.order(partition);
        let first = self.shared.journal.head(partition) + 1;
        let (mut entries, mut appended) = (Vec::with_capacity(notices.len()), Vec::new());
        for (seq, ((before, decided), encoded)) in (first..).zip(notices.into_iter().zip(encoded)) {
            let step = ProfileStep::begin(Some(&before), &decided);
            let (state, stepped) = step.end_beside(Some(&before), Position { partition, seq }, &decided);
            let (decided, state) = (Arc::new(decided), Arc::new(state));
            appended.push((decided.clone(), state.clone()));
            let record = CommittedRecord::decided(decided.clone(), state, stepped);
            entries.push(encoded.entry(decided.at, record.into()).numbered(seq));
        }
        self.shared.journal.append_all(entries)?;
        for (seq, (decided, _)) in (first..).zip(&appended) {
            if decided.derives() {
                self.shared.schedule.push(partition, Work::Derived { seq, decided: decided.clone() });
            }
        }
        Ok(appended)
    }

    /// Puts any other record into its partition.
    pub(super) fn append_plain(
        &self,
        encoded: Encoded,
        record: CommittedRecord,
    ) -> Result<Position, StopCause> {
        Ok(self.shared.journal.append(self.entry(encoded, record))?)
    }

    /// Puts any other record into a partition of customers, in the order of its lane.
    pub(super) fn append_in_order(
        &self,
        partition: Partition,
        encoded: Encoded,
        record: CommittedRecord,
    ) -> Result<Position, StopCause> {
        let _order = self.order(partition);
        self.append_plain(encoded, record)
    }
}
