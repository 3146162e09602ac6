//! One thread's part of the pass: the partitions it follows, with the customers in them.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde::Deserialize;

use super::compare::{Side, compare};
use super::job::ReplayError;
use super::pass::Plan;
use super::revisions::{Fit, Lens, Revision};
use super::shadow::{Came, Delivery, nothing_told};
use super::tally::{Entry, Tally};
use crate::engine::catch_up::items_of;
use crate::engine::decide::Cause;
use crate::engine::route::Target;
use crate::engine::run::{Item, live_generation};
use crate::log::StoredRecord;
use crate::record::{
    Accepted, Adopted, AnswerKind, Cursor, Decided, Outcome, PartitionState, ProfileState, RecordError,
    RecordKind, decode, fold_into,
};
use crate::vocabulary::{FieldName, ItemPosition, Partition, Position, ProfileId, Seq, Timestamp};

/// Why what stands before a partition's first retained `Adopted` isn't replayed.
const UNKNOWN_REVISION: &str = "the registry revision in use then is no longer retained";

/// What a thread knows of its partitions.
pub struct Track<'a> {
    plan: &'a Plan,
    places: HashMap<Partition, Place>,
    customers: HashMap<ProfileId, Customer>,
    /// Customers whose beginning isn't retained.
    unknown: HashSet<ProfileId>,
    tally: Tally,
}

/// A partition.
struct Place {
    state: PartitionState,
    revision: Arc<Revision>,
    /// Items of sampled customers that are not decided yet, in their order.
    waiting: VecDeque<(ItemPosition, Item)>,
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

/// Whose record it is: all that is read of most when only some customers are replayed.
#[derive(Deserialize)]
struct Whose {
    profile: ProfileId,
}

/// What a decision about somebody who isn't replayed does to the partition.
#[derive(Deserialize)]
struct Passing {
    profile: ProfileId,
    through: ItemPosition,
    #[serde(default)]
    cursor: Option<Cursor>,
}

/// How the log came to a decision.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// With all live capabilities, in the order of the log.
    Live,
    /// One delivery of a capability that lags.
    CatchUp,
    /// One delivery that had waited.
    Retry,
    /// None: nobody wanted the item.
    Unwanted,
}

/// An item as it comes by, and what the log says of it.
struct Passed<'a> {
    partition: Partition,
    /// The record that decides it.
    seq: Seq,
    way: Way,
    item: &'a Item,
    cause: Cause,
    cursor: Option<Cursor>,
    at: Timestamp,
    /// Whether its proposals count.
    propose: bool,
    logged: &'a [&'a Outcome],
}

impl<'a> Track<'a> {
    /// Nothing was seen yet.
    pub fn new(plan: &'a Plan) -> Track<'a> {
        Track {
            plan,
            places: HashMap::new(),
            customers: HashMap::new(),
            unknown: HashSet::new(),
            tally: Tally::default(),
        }
    }

    /// The log ends here: everything that was counted.
    pub fn end(mut self) -> Tally {
        let partitions: Vec<Partition> = self.places.keys().copied().collect();
        for partition in partitions {
            self.pass_unwanted(partition);
        }
        self.tally.profiles = self.customers.len() as u64;
        self.tally.profiles_different = self.customers.values().filter(|is| is.differs).count() as u64;
        self.tally.profiles_skipped = self.unknown.len() as u64;
        self.tally
    }

    /// The next record of a partition.
    pub fn record(&mut self, record: &StoredRecord) -> Result<(), ReplayError> {
        let Position { partition, seq } = record.position;
        let unreadable = |cause: RecordError| ReplayError::Record { position: record.position, cause };
        if record.erased {
            self.tally.not_replayed("the record was erased");
            return Ok(());
        }
        if !self.places.contains_key(&partition) {
            let (state, waiting) = (PartitionState::default(), VecDeque::new());
            let revision = self.plan.revisions.at(0)?;
            self.places.insert(partition, Place { state, revision, waiting });
        }
        if record.kind == RecordKind::Accepted as u8 {
            self.accepted(partition, seq, &record.payload).map_err(unreadable)?;
        } else if record.kind == RecordKind::Decided as u8 {
            if !self.plan.share.is_all() {
                let passing: Passing = decode(&record.payload).map_err(unreadable)?;
                if !self.plan.share.takes(passing.profile) {
                    self.passing(partition, &passing);
                    return Ok(());
                }
            }
            let decided: Decided = decode(&record.payload).map_err(unreadable)?;
            self.decided(partition, seq, decided)?;
        } else if record.kind == RecordKind::Adopted as u8 {
            let adopted: Adopted = decode(&record.payload).map_err(unreadable)?;
            self.pass(partition, adopted.through);
            if let Some(place) = self.places.get_mut(&partition) {
                place.revision = self.plan.revisions.at(adopted.revision)?;
                place.state.fold_adopted(seq, &Arc::new(adopted));
            }
        }
        Ok(())
    }

    fn accepted(&mut self, partition: Partition, seq: Seq, payload: &[u8]) -> Result<(), RecordError> {
        if !self.plan.share.is_all() && !self.plan.share.takes(decode::<Whose>(payload)?.profile) {
            return Ok(());
        }
        let accepted: Accepted = decode(payload)?;
        if let Some(place) = self.places.get_mut(&partition) {
            let position = ItemPosition { seq, index: 0 };
            place.waiting.push_back((position, Item::Event(Arc::new(accepted))));
        }
        Ok(())
    }

    /// A decision about somebody who isn't replayed.
    fn passing(&mut self, partition: Partition, passing: &Passing) {
        self.pass(partition, passing.through);
        if let Some(place) = self.places.get_mut(&partition) {
            place.state.through = place.state.through.max(passing.through);
            if let Some(cursor) = &passing.cursor {
                place.state.move_cursor(cursor);
            }
        }
    }

    /// Nobody wanted the items up to this one: perhaps the new version does.
    fn pass(&mut self, partition: Partition, through: ItemPosition) {
        while let Some((position, item)) = self.next_waiting(partition, through) {
            let cause = cause_of(&item, position);
            let at = item.observed_at();
            let passed = Passed {
                partition,
                seq: 0,
                way: Way::Unwanted,
                item: &item,
                cause,
                cursor: None,
                at,
                propose: true,
                logged: &[],
            };
            self.replay(&passed, None);
        }
    }

    /// What nobody wants is passed with the partition's next record, and there is none any more.
    fn pass_unwanted(&mut self, partition: Partition) {
        let unwanted = |place: &Place| {
            let (position, item) = place.waiting.front()?;
            let nobody = item.targets(&place.revision.registry.routing, true).is_empty();
            (nobody && !matches!(item, Item::Event(_))).then_some(*position)
        };
        while let Some(position) = self.places.get(&partition).and_then(unwanted) {
            self.pass(partition, position);
        }
    }

    fn next_waiting(&mut self, partition: Partition, through: ItemPosition) -> Option<(ItemPosition, Item)> {
        let waiting = &mut self.places.get_mut(&partition)?.waiting;
        waiting.pop_front_if(|(position, _)| *position <= through)
    }

    fn decided(&mut self, partition: Partition, seq: Seq, decided: Decided) -> Result<(), ReplayError> {
        let decided = Arc::new(decided);
        let place = self.places.get(&partition).map(|place| place.state.through).unwrap_or_default();
        let way = match &decided.cursor {
            Some(_) => Way::CatchUp,
            None if decided.through >= decided.cause && decided.cause > place => Way::Live,
            None => Way::Retry,
        };
        let live = way == Way::Live;
        self.pass(partition, if live { before(decided.cause) } else { decided.through });
        let waited = if live { self.next_waiting(partition, decided.cause) } else { None };
        // Beyond its budget, what a record emitted is settled with one decision, undelivered.
        while live && self.next_waiting(partition, decided.through).is_some() {}
        if self.known(&decided)? {
            let concerns =
                live || decided.outcomes.iter().any(|outcome| outcome.capability == self.plan.capability);
            let item = match waited {
                Some((_, item)) => Some(item),
                None if concerns && !decided.outcomes.is_empty() => self.read(partition, decided.cause)?,
                None => None,
            };
            self.tally.events += u64::from(live && matches!(item, Some(Item::Event(_))));
            self.replay_decided(partition, seq, way, item.as_ref(), &decided);
        }
        if let Some(place) = self.places.get_mut(&partition) {
            place.state.fold_decided(&decided);
            let indexes = 0..=decided.last_item();
            let items = indexes.filter_map(|index| Some((index, Item::of_decided(&decided, index)?)));
            place.waiting.extend(items.map(|(index, item)| (ItemPosition { seq, index }, item)));
        }
        Ok(())
    }

    /// Whether the customer's whole history is retained; then there is an entry of theirs.
    fn known(&mut self, decided: &Decided) -> Result<bool, ReplayError> {
        if self.customers.contains_key(&decided.profile) {
            return Ok(true);
        }
        if decided.previous.is_some() {
            self.unknown.insert(decided.profile);
            return Ok(false);
        }
        self.plan.control.held(self.plan)?;
        let state = ProfileState::new(decided.profile, decided.at);
        let own = vec![nothing_told(&state); self.plan.candidates.len()];
        self.customers.insert(decided.profile, Customer { state, own, seen: Vec::new(), differs: false });
        Ok(true)
    }

    /// An item that was passed long ago.
    fn read(&self, partition: Partition, position: ItemPosition) -> Result<Option<Item>, ReplayError> {
        let Some(record) = self.plan.log.read(Position { partition, seq: position.seq })? else {
            return Ok(None);
        };
        if record.erased {
            return Ok(None);
        }
        let items = items_of(&record).map_err(|error| ReplayError::Item(error.to_string()))?;
        Ok(items.into_iter().find(|(index, _)| *index == position.index).map(|(_, item)| item))
    }

    /// Makes the plug-in's deliveries of a decision, then folds the decision.
    fn replay_decided(
        &mut self,
        partition: Partition,
        seq: Seq,
        way: Way,
        item: Option<&Item>,
        decided: &Arc<Decided>,
    ) {
        let capability = &self.plan.capability;
        let mine = |outcome: &&Outcome| outcome.capability == *capability;
        let logged: Vec<&Outcome> = decided.outcomes.iter().filter(mine).collect();
        let fold = |customer: &mut Customer| fold_into(&mut customer.state, seq, decided);
        match item {
            Some(item) if way == Way::Live || !logged.is_empty() => {
                let Decided { cause, kind, root, depth, spent, observed_at, .. } = **decided;
                let refused =
                    |answer: &crate::record::Answer| answer.outcome == AnswerKind::PreconditionFailed;
                let passed = Passed {
                    partition,
                    seq,
                    way,
                    item,
                    cause: Cause { item: cause, kind, root, depth, spent, observed_at },
                    cursor: decided.cursor.clone(),
                    at: decided.at,
                    propose: !decided.answers.iter().any(refused),
                    logged: &logged,
                };
                self.replay(&passed, Some(decided));
            }
            _ => {
                for outcome in &logged {
                    let why = format!("the item of a {} is no longer retained", outcome.role);
                    self.tally.not_replayed(&why);
                }
                self.customers.get_mut(&decided.profile).into_iter().for_each(fold);
            }
        }
    }

    /// Runs each candidate on an item, folds the record, and compares.
    fn replay(&mut self, passed: &Passed<'_>, decided: Option<&Arc<Decided>>) {
        let Some(place) = self.places.get(&passed.partition) else { return };
        let Some(customer) = self.customers.get_mut(&passed.item.profile()) else { return };
        let plan = self.plan;
        let mut sides: Vec<Came<'_>> = Vec::with_capacity(2);
        for (index, lens) in place.revision.lenses.iter().enumerate() {
            match lens {
                Lens::Fits(fit) => {
                    let own = &mut customer.own[index];
                    sides.push(deliver(plan, index, fit, place, passed, &mut customer.state, own));
                }
                Lens::Unfit(why) => {
                    passed.logged.iter().for_each(|_| self.tally.not_replayed(why));
                }
                Lens::Absent => {
                    // It was installed, or nothing could be logged of it.
                    passed.logged.iter().for_each(|_| self.tally.not_replayed(UNKNOWN_REVISION));
                }
            }
        }
        if let Some(decided) = decided {
            fold_into(&mut customer.state, passed.seq, decided);
        }
        if sides.len() < plan.candidates.len() {
            return;
        }
        if sides.len() == 1 {
            let base = match decided {
                Some(decided) => Came::of_log(passed.logged, decided, &plan.capability),
                None => Came::default(),
            };
            sides.push(base);
        }
        self.compare(passed, &sides[0], &sides[1]);
    }

    /// Compares the new component's side with the other.
    fn compare(&mut self, passed: &Passed<'_>, new: &Came<'_>, base: &Came<'_>) {
        let nothing = new.outcomes.is_empty() && base.outcomes.is_empty();
        // What was done earlier in this run was compared then.
        if nothing || new.was_done || base.was_done {
            return;
        }
        let plan = self.plan;
        let Some(customer) = self.customers.get_mut(&passed.item.profile()) else { return };
        let Customer { state, own, seen, differs } = customer;
        let told = own.get(1).unwrap_or(state);
        let called_with = called_with(passed.item);
        let item = Position { partition: passed.partition, seq: passed.cause.item.seq };
        let profile = state.id;
        let (base, new) = (Side { came: base, state: told }, Side { came: new, state: &own[0] });
        let mut entry =
            Entry { tally: &mut self.tally, profile, item, called_with: &called_with, seen, differs: false };
        compare(base, new, &plan.capability, &called_with, &mut entry);
        let found = entry.differs;
        *differs |= found;
        let deliveries = base.came.outcomes.len().max(new.came.outcomes.len()) as u64;
        self.tally.deliveries += deliveries;
        self.tally.different += u64::from(found) * deliveries;
        plan.control.deliveries.fetch_add(deliveries, Ordering::Relaxed);
        if let Some(by) = passed.logged.first() {
            let by = self.tally.decided_by.entry(by.digest).or_default();
            *by = (by.0 + deliveries, by.1 + u64::from(found) * deliveries);
        }
    }
}

/// Delivers an item to one candidate, as the log did it.
fn deliver(
    plan: &Plan,
    index: usize,
    fit: &Fit,
    place: &Place,
    passed: &Passed<'_>,
    state: &mut ProfileState,
    own: &mut ProfileState,
) -> Came<'static> {
    let shadow = plan.shadow(index);
    let delivery = Delivery {
        partition: passed.partition,
        place: &place.state,
        seq: passed.seq,
        item: passed.item,
        cause: passed.cause.clone(),
        cursor: passed.cursor.clone(),
        at: passed.at,
        logged: passed.logged,
    };
    if passed.way == Way::Retry {
        return shadow.retry(fit, state, own, &delivery);
    }
    let targets = targets(plan, fit, place, passed);
    shadow.deliver(fit, &targets, state, own, &delivery)
}

/// In which roles, and of which generation, a candidate gets an item.
fn targets(plan: &Plan, fit: &Fit, place: &Place, passed: &Passed<'_>) -> Vec<(Target, u32)> {
    let wanted = passed.item.targets(&fit.routing, passed.propose || passed.way == Way::CatchUp);
    let wanted = wanted.into_iter().filter(|target| target.capability == fit.index);
    let logged = |target: &Target| passed.logged.iter().find(|outcome| outcome.role == target.role);
    if passed.way == Way::CatchUp {
        return wanted.filter_map(|target| Some((target, logged(&target)?.generation))).collect();
    }
    if let Some(generation) = live_generation(&place.state, &plan.capability) {
        return wanted.map(|target| (target, generation)).collect();
    }
    // It lags: what the log delivers to it comes later. What only the candidate hears comes never.
    let Some(generation) = place.state.generation(&plan.capability) else { return Vec::new() };
    let routing = &place.revision.registry.routing;
    let Some((index, _)) = routing.capability(&plan.capability) else { return Vec::new() };
    let comes: Vec<Target> = passed.item.targets(routing, passed.propose);
    let never = |target: &Target| !comes.iter().any(|is| is.capability == index && is.role == target.role);
    wanted.filter(never).map(|target| (target, generation)).collect()
}

fn cause_of(item: &Item, position: ItemPosition) -> Cause {
    let (root, depth) = item.chain(position.seq);
    Cause { item: position, kind: item.kind(), root, depth, spent: 0, observed_at: item.observed_at() }
}

/// What an item is, in a word that says nothing about the customer.
fn called_with(item: &Item) -> String {
    let names = |mut fields: Vec<&FieldName>| {
        fields.sort();
        fields.dedup();
        fields.iter().map(|field| field.as_str()).collect::<Vec<_>>().join(", ")
    };
    match item {
        Item::Event(accepted) => accepted.event.name.to_string(),
        Item::Emitted(decided, index) => {
            let emitted = decided.emitted.get(usize::from(*index) - 1);
            emitted.map(|emitted| emitted.name.to_string()).unwrap_or_default()
        }
        Item::Changes(decided) => {
            format!("change of {}", names(decided.changes.iter().map(|changed| &changed.field).collect()))
        }
        Item::Offered(decided) => {
            format!("proposal of {}", names(decided.offered.iter().map(|held| &held.field).collect()))
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
