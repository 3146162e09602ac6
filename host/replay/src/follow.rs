//! One thread's part of the pass: the partitions it follows, with the customers in them.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use rustc_hash::{FxHashMap, FxHashSet};

use super::compare::{Side, compare};
use super::error::ReplayError;
use super::input::Plan;
use super::partition::FollowedPartition;
use super::replayed_item::{LoggedItem, When};
use super::report::{Counts, Entry};
use super::revisions::Lens;
use super::shadow::{ItemOutcome, without_capabilities};
use samsyn_decide::decide::Cause;
use samsyn_decide::item::Item;
use samsyn_decide::item::items_of;
use samsyn_identity::belongs_to;
use samsyn_journal::{
    AnswerKind, CallNumber, CallRecord, Decided, Outcome, Passing, ProfileState, Record, RecordError,
    RecordKind, TimerEnd, Undecoded, fold_call, fold_into, forget_call,
};
use samsyn_vocabulary::{ItemPosition, Partition, Position, ProfileId, Seq};

/// Why what stands before a partition's first retained `Adopted` isn't replayed.
const UNKNOWN_REVISION: &str = "the registry revision in use then is no longer retained";

/// Calls after which the run's progress is told: what several threads count together costs more than
/// what one counts alone.
const UNREPORTED_MAX: u64 = 32;

/// What a thread knows of its partitions.
pub struct Track<'a> {
    plan: &'a Plan,
    /// By number; none of those it doesn't follow.
    partitions: Vec<Option<FollowedPartition>>,
    customers: Vec<Customer>,
    /// Where each of the customers is.
    known: FxHashMap<ProfileId, usize>,
    /// Customers whose beginning isn't retained.
    unknown: FxHashSet<ProfileId>,
    counts: Counts,
    /// Calls, and invocations compared, that aren't told of yet.
    invocations: Cell<u64>,
    compared: u64,
}

/// A customer.
struct Customer {
    /// As the log has them.
    state: ProfileState,
    /// What each shadow run told.
    own: Vec<ProfileState>,
    /// Which differences were found.
    seen: Vec<(super::What, super::Kind)>,
    differs: bool,
}

impl<'a> Track<'a> {
    /// Nothing was seen yet.
    pub fn new(plan: &'a Plan) -> Track<'a> {
        Track {
            plan,
            partitions: Vec::new(),
            customers: Vec::new(),
            known: FxHashMap::default(),
            unknown: FxHashSet::default(),
            counts: Counts::default(),
            invocations: Cell::new(0),
            compared: 0,
        }
    }

    /// The log ends here: everything that was counted.
    pub fn end(mut self) -> Result<Counts, ReplayError> {
        for number in 0..self.partitions.len() {
            self.pass_unwanted(Partition(number as u16))?;
        }
        self.say();
        self.counts.profiles = self.customers.len() as u64;
        self.counts.profiles_different =
            self.customers.iter().filter(|customer| customer.differs).count() as u64;
        self.counts.profiles_skipped = self.unknown.len() as u64;
        Ok(self.counts)
    }

    /// Tells how far it is.
    pub fn say(&mut self) {
        let control = &self.plan.control;
        control.invocations.fetch_add(self.invocations.take(), Ordering::Relaxed);
        control.compared.fetch_add(std::mem::take(&mut self.compared), Ordering::Relaxed);
    }

    fn followed(&mut self, partition: Partition) -> Option<&mut FollowedPartition> {
        self.partitions.get_mut(usize::from(partition.0))?.as_mut()
    }

    /// The next record of a partition.
    pub fn record(&mut self, record: Undecoded<'_>) -> Result<(), ReplayError> {
        let Position { partition, seq } = record.position;
        let unreadable = |cause: RecordError| ReplayError::Record { position: record.position, cause };
        if record.is_erased() {
            self.counts.not_replayed("the record was erased");
            return Ok(());
        }
        self.arrive(partition)?;
        // A host of tomorrow may know more kinds.
        let Ok(kind) = record.kind() else { return Ok(()) };
        match kind {
            RecordKind::Accepted => self.accepted(&record).map_err(unreadable)?,
            RecordKind::Decided => {
                if !self.plan.share.is_all()
                    && let Some(passing) = record.passing().map_err(unreadable)?
                    && !self.plan.share.takes(passing.profile)
                {
                    return self.passing(partition, &passing);
                }
                if let Some(decided) = record.decided().map_err(unreadable)? {
                    self.decided(partition, seq, decided)?;
                }
            }
            RecordKind::Adopted => {
                let Record::Adopted(adopted) = record.record().map_err(unreadable)? else { return Ok(()) };
                self.pass(partition, adopted.through)?;
                let revision = self.plan.revisions.at(adopted.revision)?;
                if let Some(followed) = self.followed(partition) {
                    followed.revision = revision;
                    followed.state.fold_adopted(seq, &Arc::new(adopted));
                }
            }
            RecordKind::Due => {
                if let Record::Due(due) = record.record().map_err(unreadable)?
                    && !due.in_passing
                    && self.plan.share.takes(due.profile)
                    && let Some(followed) = self.followed(partition)
                {
                    followed.due(seq, due);
                }
            }
            RecordKind::Sending
            | RecordKind::Retrying
            | RecordKind::Answered
            | RecordKind::Settled
            | RecordKind::Doubted
            | RecordKind::Framed => {
                if let Record::Call(call) = record.record().map_err(unreadable)?
                    && self.plan.share.takes(call.profile())
                {
                    self.call(partition, seq, call);
                }
            }
            RecordKind::Linked | RecordKind::Registry | RecordKind::Late | RecordKind::Body => {}
        }
        Ok(())
    }

    /// Makes room for a partition of which there was no record yet.
    fn arrive(&mut self, partition: Partition) -> Result<(), ReplayError> {
        let number = usize::from(partition.0);
        if self.partitions.len() <= number {
            self.partitions.resize_with(number + 1, || None);
        }
        if self.partitions[number].is_none() {
            self.partitions[number] = Some(FollowedPartition::new(self.plan.revisions.at(0)?));
        }
        Ok(())
    }

    fn accepted(&mut self, record: &Undecoded<'_>) -> Result<(), RecordError> {
        if !self.plan.share.is_all()
            && record.accepted_for()?.is_none_or(|profile| !self.plan.share.takes(profile))
        {
            return Ok(());
        }
        let Position { partition, seq } = record.position;
        if let (Some(followed), Some(event)) = (self.followed(partition), record.keep_accepted()) {
            followed.accepted(seq, event);
        }
        Ok(())
    }

    /// Something about a call: what was answered is a fact for every version, and so is that it waits no more.
    fn call(&mut self, partition: Partition, seq: Seq, call: CallRecord) {
        if let Some(customer) = self.known.get(&call.profile()) {
            let customer = &mut self.customers[*customer];
            fold_call(&mut customer.state, seq, &call);
            if let CallRecord::Answered(answered) = &call {
                let CallNumber { capability, generation, .. } = &answered.call;
                for own in &mut customer.own {
                    forget_call(own, capability, *generation, &answered.endpoint);
                }
            }
        }
        if let (Some(item), Some(followed)) = (Item::of_call(&call), self.followed(partition)) {
            followed.of_call(seq, item);
        }
    }

    /// A decision about somebody who isn't replayed.
    fn passing(&mut self, partition: Partition, passing: &Passing) -> Result<(), ReplayError> {
        self.pass(partition, passing.through)?;
        if let Some(followed) = self.followed(partition) {
            followed.state.through = followed.state.through.max(passing.through);
            if let Some(cursor) = &passing.cursor {
                followed.state.move_cursor(cursor);
            }
        }
        Ok(())
    }

    /// Nobody wanted the items up to this one: perhaps the new version does.
    fn pass(&mut self, partition: Partition, through: ItemPosition) -> Result<(), ReplayError> {
        while let Some((position, item)) = self.next_waiting(partition, through)? {
            // A timer, or an item of a call, that nobody was invoked for is one of a generation that lags: its own
            // decision comes later.
            if matches!(item, Item::Timer(_) | Item::Answer(_) | Item::Doubt(_))
                || !self.followed(partition).is_some_and(|followed| followed.hears(&item))
            {
                continue;
            }
            let logged_item = LoggedItem::unwanted(partition, position, &item);
            if let Some(customer) = self.known.get(&item.profile()).copied() {
                self.replay(customer, &logged_item, None);
            }
        }
        Ok(())
    }

    /// What nobody wants is passed with the partition's next record, and there is none any more.
    fn pass_unwanted(&mut self, partition: Partition) -> Result<(), ReplayError> {
        while let Some(position) = self.followed(partition).and_then(|followed| followed.unwanted()) {
            self.pass(partition, position)?;
        }
        Ok(())
    }

    fn next_waiting(
        &mut self,
        partition: Partition,
        through: ItemPosition,
    ) -> Result<Option<(ItemPosition, Item)>, ReplayError> {
        let next = self.followed(partition).and_then(|followed| followed.next(through));
        let Some((position, item)) = next else { return Ok(None) };
        let position_in_log = Position { partition, seq: position.seq };
        let item = item.map_err(|cause| ReplayError::Record { position: position_in_log, cause })?;
        Ok(Some((position, item)))
    }

    fn decided(&mut self, partition: Partition, seq: Seq, decided: Decided) -> Result<(), ReplayError> {
        let decided = Arc::new(decided);
        let followed = self.followed(partition).map(|followed| followed.state.through).unwrap_or_default();
        // Where the item is in this partition when it is decided in its turn.
        let turn = decided
            .cause
            .within(partition)
            .filter(|item| decided.cursor.is_none() && decided.through >= *item && *item > followed);
        let way = match (&decided.cursor, turn) {
            (Some(_), _) => When::CatchUp,
            (None, Some(_)) => When::Live,
            (None, None) => When::Retry,
        };
        let live = way == When::Live;
        self.pass(partition, turn.map_or(decided.through, before))?;
        let waited = match turn {
            Some(item) => self.next_waiting(partition, item)?,
            None => None,
        };
        // Beyond its budget, what a record emitted is settled with one decision, as undeliverable.
        while live && self.next_waiting(partition, decided.through)?.is_some() {}
        if let Some(customer) = self.customer(&decided)? {
            let concerns =
                live || decided.outcomes.iter().any(|outcome| outcome.capability == self.plan.capability);
            let item = match waited {
                Some((_, item)) => Some(item),
                None if concerns && !decided.outcomes.is_empty() => self.read(&decided)?,
                None => None,
            };
            self.counts.events += u64::from(live && matches!(item, Some(Item::Event(_))));
            self.replay_decided(customer, Position { partition, seq }, way, item.as_ref(), &decided);
        }
        if let Some(followed) = self.followed(partition) {
            followed.decided(seq, &decided);
        }
        Ok(())
    }

    /// Where the customer is; none when their whole history isn't retained.
    fn customer(&mut self, decided: &Decided) -> Result<Option<usize>, ReplayError> {
        if let Some(customer) = self.known.get(&decided.profile) {
            return Ok(Some(*customer));
        }
        if decided.previous.is_some() {
            self.unknown.insert(decided.profile);
            return Ok(None);
        }
        self.plan.holds_another()?;
        let state = ProfileState::new(decided.profile, decided.at);
        let own = vec![without_capabilities(&state); self.plan.candidates.len()];
        let customer = self.customers.len();
        self.known.insert(decided.profile, customer);
        self.customers.push(Customer { state, own, seen: Vec::new(), differs: false });
        Ok(Some(customer))
    }

    /// The item of a decision, passed long ago; none when it isn't retained, or is another customer's.
    fn read(&self, decided: &Decided) -> Result<Option<Item>, ReplayError> {
        let Some(record) = self.plan.records.read(decided.cause.record())? else {
            return Ok(None);
        };
        let items = items_of(&record).map_err(|error| ReplayError::Item(error.to_string()))?;
        let item = items.into_iter().find(|(index, _)| *index == decided.cause.index).map(|(_, item)| item);
        Ok(item.filter(|item| belongs_to(item.profile(), decided.profile)))
    }

    /// Makes the plug-in's invocations of a decision, then folds the decision.
    fn replay_decided(
        &mut self,
        customer: usize,
        at: Position,
        way: When,
        item: Option<&Item>,
        decided: &Decided,
    ) {
        let capability = &self.plan.capability;
        let mine = |outcome: &&Outcome| outcome.capability == *capability;
        let logged: Vec<&Outcome> = decided.outcomes.iter().filter(mine).collect();
        // A timer that was no longer set was nobody's.
        let fires = decided.timer.as_ref().is_none_or(|timer| timer.how == TimerEnd::Fired);
        match item.filter(|_| fires) {
            Some(item) if way == When::Live || !logged.is_empty() => {
                let Decided { cause, kind, root, depth, spent, observed_at, .. } = *decided;
                let refused =
                    |answer: &samsyn_journal::Answer| answer.outcome == AnswerKind::PreconditionFailed;
                let logged_item = LoggedItem {
                    partition: at.partition,
                    way,
                    item,
                    cause: Cause {
                        item: cause,
                        kind,
                        root,
                        depth,
                        spent,
                        observed_at,
                        shared: item.is_copy(),
                        timer: decided.timer.clone(),
                        call: decided.call.clone(),
                        doubt: decided.doubt.clone(),
                    },
                    cursor: decided.cursor.clone(),
                    at: decided.at,
                    propose: !decided.answers.iter().any(refused),
                    logged: &logged,
                };
                self.replay(customer, &logged_item, Some((at, decided)));
            }
            _ => {
                for outcome in &logged {
                    let why = format!("the item of a {} is no longer retained", outcome.role);
                    self.counts.not_replayed(&why);
                }
                fold_into(&mut self.customers[customer].state, at, decided);
            }
        }
    }

    /// Runs each candidate on an item, folds the record, and compares.
    fn replay(&mut self, number: usize, logged_item: &LoggedItem<'_>, decided: Option<(Position, &Decided)>) {
        let Some(Some(followed)) = self.partitions.get(usize::from(logged_item.partition.0)) else { return };
        let customer = &mut self.customers[number];
        let plan = self.plan;
        let mut sides: Vec<ItemOutcome<'_>> = Vec::with_capacity(2);
        for (index, lens) in followed.revision.lenses.iter().enumerate() {
            match lens {
                Lens::Fits(fit) => {
                    let own = &mut customer.own[index];
                    let shadow = plan.shadow(index, &self.invocations);
                    sides.push(logged_item.invoke(&shadow, fit, followed, &mut customer.state, own));
                }
                Lens::Unfit(why) => {
                    logged_item.logged.iter().for_each(|_| self.counts.not_replayed(why));
                }
                Lens::Absent => {
                    // It was installed, or nothing could be logged of it.
                    logged_item.logged.iter().for_each(|_| self.counts.not_replayed(UNKNOWN_REVISION));
                }
            }
        }
        if let Some((at, decided)) = decided {
            fold_into(&mut customer.state, at, decided);
        }
        if sides.len() < plan.candidates.len() {
            return;
        }
        if sides.len() == 1 {
            let base = match decided {
                Some((_, decided)) => ItemOutcome::of_log(logged_item.logged, decided, &plan.capability),
                None => ItemOutcome::default(),
            };
            sides.push(base);
        }
        self.compare(number, logged_item, &sides[0], &sides[1]);
    }

    /// Compares the new component's side with the other.
    fn compare(
        &mut self,
        customer: usize,
        logged_item: &LoggedItem<'_>,
        new: &ItemOutcome<'_>,
        base: &ItemOutcome<'_>,
    ) {
        let nothing = new.outcomes.is_empty() && base.outcomes.is_empty();
        // What was done earlier in this run was compared then.
        if nothing || new.was_done || base.was_done {
            return;
        }
        let Customer { state, own, seen, differs } = &mut self.customers[customer];
        let decided = own.get(1).unwrap_or(state);
        let input = logged_item.input();
        let item = logged_item.cause.item.record();
        let profile = state.id;
        let (base, new) = (Side { outcome: base, state: decided }, Side { outcome: new, state: &own[0] });
        let mut entry =
            Entry { counts: &mut self.counts, profile, item, input: &input, seen, differs: false };
        compare(base, new, &self.plan.capability, &input, &mut entry);
        let found = entry.differs;
        *differs |= found;
        let compared = base.outcome.outcomes.len().max(new.outcome.outcomes.len()) as u64;
        self.counts.compared += compared;
        self.counts.different += u64::from(found) * compared;
        self.compared += compared;
        if let Some(by) = logged_item.logged.first() {
            let by = self.counts.decided_by.entry(by.digest).or_default();
            *by = (by.0 + compared, by.1 + u64::from(found) * compared);
        }
        if self.invocations.get() >= UNREPORTED_MAX {
            self.say();
        }
    }
}

/// The place before an item.
fn before(position: ItemPosition) -> ItemPosition {
    match position.index.checked_sub(1) {
        Some(index) => ItemPosition { index, ..position },
        None => ItemPosition { seq: position.seq.saturating_sub(1), index: u16::MAX },
    }
}
