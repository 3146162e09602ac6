//! What the records of one profile fold into: every capability's claims and memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Calls, CauseKind, Conflict, EndedTimer, HeldProposal, Outcome, Timers};
use samsyn_registry::{Field, Lineage};
use samsyn_vocabulary::{
    CapabilityName, Failure, FieldName, FullPosition, Identifier, Position, ProfileId, Role, Seq, Timestamp,
    Value,
};

/// One customer, as the log says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProfileState {
    pub id: ProfileId,
    /// When the host first decided something about them.
    pub created_at: Timestamp,
    /// Their newest record; the timeline starts here. None: nothing was decided yet.
    #[serde(with = "crate::home::head")]
    pub head: Option<Position>,
    /// What they go by, as it was sent.
    #[serde(default)]
    pub identifiers: Vec<Identifier>,
    /// What each capability said, keeps and waits for. Shared between the states of two records,
    /// so that a fold copies only what it changes.
    #[serde(rename = "told", default)]
    pub capabilities: Vec<Arc<CapabilityState>>,
    /// Proposals of fields that had no source.
    #[serde(default)]
    pub held: Vec<HeldProposal>,
    /// Opt-outs in force. Kept apart from claims, because no missing claim may end one.
    #[serde(default)]
    pub latched: Vec<Latch>,
    /// Identifiers that it came with or shows, and that were another profile's when it did; the newest
    /// [`CONFLICTS_MAX`].
    #[serde(default)]
    pub conflicts: Vec<Conflict>,
    /// The newest record that changed it without a decision: one about a call; 0: none did.
    #[serde(default, skip_serializing_if = "is_none_late")]
    pub late: Seq,
}

/// The most conflicts that a profile keeps: its entry in the view has a bound.
pub const CONFLICTS_MAX: usize = 64;

/// The most identifiers that events can give one profile. A customer with more is a value that many
/// customers share, or a client that makes a new one each time.
pub const IDENTIFIERS_MAX: usize = 250;

/// How many invocations of a capability that wait are listed in the profile; more are counted.
pub const BLOCKED_MAX: usize = 64;

/// What one generation of a capability claims and remembers of this customer, and the invocations that wait for it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CapabilityState {
    pub capability: CapabilityName,
    pub generation: u32,
    /// Its newest claim of each field.
    #[serde(default)]
    pub claims: Vec<Claim>,
    /// Its private bytes.
    #[serde(default)]
    pub memory: Option<MemoryBytes>,
    /// Its invocations that wait, oldest first; of those that are held at most [`BLOCKED_MAX`].
    #[serde(default)]
    pub blocked: Vec<Blocked>,
    /// Those that are held behind these.
    #[serde(default)]
    pub held_more: Option<HeldMore>,
    /// Its timers; none when it never set one. Written even then: in order, what is behind it needs its place.
    #[serde(default)]
    pub timers: Option<Box<Timers>>,
    /// Its calls; none when it never began one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calls: Option<Box<Calls>>,
}

/// Invocations that are held and not listed: the records of the profile between two places tell which
/// ([`crate::engine`] reads them there when their turn comes).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldMore {
    pub count: u32,
    /// The item of the first, or of the last one that was completed or parked since.
    #[serde(with = "crate::home::item")]
    pub first: FullPosition,
    /// The item of the last.
    #[serde(with = "crate::home::item")]
    pub last: FullPosition,
}

/// A capability's private bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemoryBytes(#[serde(with = "super::bytes")] pub Vec<u8>);

/// What a capability says about a field.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Claim {
    pub field: FieldName,
    /// Its value; none is a tombstone: the claim that there is no value.
    pub value: Option<Value>,
    /// When what it follows from happened.
    pub observed_at: Timestamp,
    /// The item it follows from.
    #[serde(with = "crate::home::item")]
    pub cause: FullPosition,
}

/// An invocation that waits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Blocked {
    #[serde(with = "crate::home::item")]
    pub item: FullPosition,
    /// What kind of item it is.
    pub kind: CauseKind,
    pub role: Role,
    pub since: Timestamp,
    /// Why it is parked; none when it is held behind a parked one.
    pub failure: Option<Failure>,
    /// The accepted event at its root.
    #[serde(with = "crate::home::record")]
    pub root: Position,
    /// Generations of cause since.
    pub depth: u16,
}

/// An opt-out in force.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Latch {
    /// The protective field.
    pub field: FieldName,
    /// Whose claim it was.
    pub by: CapabilityName,
    /// When what it follows from happened.
    pub observed_at: Timestamp,
    /// The item it follows from.
    #[serde(with = "crate::home::item")]
    pub cause: FullPosition,
}

/// A visible value.
#[derive(Clone, Debug, PartialEq)]
pub struct Visible<'a> {
    pub value: &'a Value,
    /// Whose claim it is.
    pub by: &'a CapabilityName,
    /// When what it follows from happened.
    pub observed_at: Timestamp,
    /// The item it follows from.
    pub cause: FullPosition,
}

const OPTED_OUT: Value = Value::Boolean(true);

fn is_none_late(late: &Seq) -> bool {
    *late == 0
}

impl ProfileState {
    /// A customer of whom nothing is known yet.
    pub fn new(id: ProfileId, created_at: Timestamp) -> ProfileState {
        ProfileState {
            id,
            created_at,
            head: None,
            identifiers: Vec::new(),
            capabilities: Vec::new(),
            held: Vec::new(),
            latched: Vec::new(),
            conflicts: Vec::new(),
            late: 0,
        }
    }

    /// The state that this generation of a capability has here.
    pub fn capability_state(&self, capability: &CapabilityName, generation: u32) -> Option<&CapabilityState> {
        let capability_state = self
            .capabilities
            .iter()
            .find(|own| own.generation == generation && own.capability == *capability);
        capability_state.map(Arc::as_ref)
    }

    /// The state of an outcome's capability, to be changed by the outcome; created when there is none. When
    /// another state shares it, it is copied without the values that are replaced anyway.
    pub(super) fn capability_state_to_change(&mut self, outcome: &Outcome) -> &mut CapabilityState {
        let (capability, generation) = (&outcome.capability, outcome.generation);
        let same = |own: &Arc<CapabilityState>| own.generation == generation && own.capability == *capability;
        let index = self.capabilities.iter().position(same).unwrap_or_else(|| {
            self.capabilities.push(Arc::new(CapabilityState {
                capability: capability.clone(),
                generation,
                claims: Vec::new(),
                memory: None,
                blocked: Vec::new(),
                held_more: None,
                timers: None,
                calls: None,
            }));
            self.capabilities.len() - 1
        });
        let capability_state = &mut self.capabilities[index];
        if Arc::get_mut(capability_state).is_none() {
            *capability_state = Arc::new(capability_state.without_replaced(outcome));
        }
        Arc::make_mut(capability_state)
    }

    /// The timers that this generation of a capability has here; none when it never set one.
    pub fn timers(&self, capability: &CapabilityName, generation: u32) -> Option<&Timers> {
        self.capability_state(capability, generation)?.timers.as_deref()
    }

    /// The calls that this generation of a capability has here; none when it never began one.
    pub fn calls(&self, capability: &CapabilityName, generation: u32) -> Option<&Calls> {
        self.capability_state(capability, generation)?.calls.as_deref()
    }

    pub(super) fn calls_to_change(
        &mut self,
        capability: &CapabilityName,
        generation: u32,
    ) -> Option<&mut Calls> {
        self.own_to_change(capability, generation, |own| own.calls.is_some())?.calls.as_deref_mut()
    }

    fn timers_of_ended(&mut self, ended: &EndedTimer) -> Option<&mut Timers> {
        self.own_to_change(&ended.capability, ended.generation, |own| own.timers.is_some())?
            .timers
            .as_deref_mut()
    }

    /// The state of a generation that has something: without it, nothing shared is copied.
    fn own_to_change(
        &mut self,
        capability: &CapabilityName,
        generation: u32,
        has: impl Fn(&CapabilityState) -> bool,
    ) -> Option<&mut CapabilityState> {
        let same = |own: &&mut Arc<CapabilityState>| {
            own.generation == generation && own.capability == *capability && has(own)
        };
        self.capabilities.iter_mut().find(same).map(Arc::make_mut)
    }

    /// A timer ended at this moment.
    pub(super) fn end_timer(&mut self, ended: &EndedTimer, at: Timestamp) {
        if let Some(timers) = self.timers_of_ended(ended) {
            timers.end(ended, at);
        }
    }

    /// Takes a timer for ended whatever its number is: a replay's own timers are counted otherwise than the log's.
    pub fn forget_timer(&mut self, ended: &EndedTimer) {
        if let Some(timers) = self.timers_of_ended(ended) {
            timers.forget(&ended.name);
        }
    }

    /// The value everybody sees: the latched opt-out, else the claim of the assigned source, else
    /// that of the former sources the field inherits from.
    pub fn visible<'a>(
        &'a self,
        name: &FieldName,
        field: &'a Field,
        generations: &BTreeMap<CapabilityName, u32>,
    ) -> Option<Visible<'a>> {
        self.visible_by(name, field.lineage(), generations)
    }

    /// The value everybody sees when these claims count.
    pub fn visible_by<'a>(
        &'a self,
        name: &FieldName,
        lineage: Lineage<'a>,
        generations: &BTreeMap<CapabilityName, u32>,
    ) -> Option<Visible<'a>> {
        if lineage.protective
            && let Some(latch) = self.latched.iter().find(|latch| latch.field == *name)
        {
            let Latch { by, observed_at, cause, .. } = latch;
            return Some(Visible { value: &OPTED_OUT, by, observed_at: *observed_at, cause: *cause });
        }
        let says = |by: &'a CapabilityName| {
            let claim = self.capability_state(by, *generations.get(by)?)?.claim(name)?;
            let value = claim.value.as_ref();
            Some(value.map(|value| (value, claim)))
        };
        let (by, (value, claim)) = lineage.pick(says)?;
        Some(Visible { value, by, observed_at: claim.observed_at, cause: claim.cause })
    }

    /// Whether this opt-out is in force.
    pub fn is_latched(&self, field: &FieldName) -> bool {
        self.latched.iter().any(|latch| latch.field == *field)
    }

    /// Whether any invocation of this customer waits, or any proposal is held.
    pub fn waits(&self) -> bool {
        !self.held.is_empty() || self.capabilities.iter().any(|own| own.waits())
    }
}

impl HeldMore {
    /// Whether the item stands not before the first, as far as their places can be compared.
    pub fn begins_before(&self, item: FullPosition) -> bool {
        item.partition != self.first.partition || self.first <= item
    }

    /// Whether the item stands not behind the last. When the last came after a merge, the first may stand in the
    /// partition of the other profile: what stands there came before.
    pub fn reaches(&self, item: FullPosition) -> bool {
        match item.partition == self.last.partition {
            true => item <= self.last,
            false => item.partition == self.first.partition,
        }
    }

    /// The oldest record of each partition in which one of them may stand.
    pub fn oldest_records(&self) -> impl Iterator<Item = Position> {
        let (first, last) = (self.first.record(), self.last.record());
        // Nothing says where those behind a merge begin.
        let behind = (last.partition != first.partition).then_some(Position { seq: 1, ..last });
        [first].into_iter().chain(behind)
    }
}

impl CapabilityState {
    fn without_replaced(&self, outcome: &Outcome) -> CapabilityState {
        let replaced = |claim: &Claim| outcome.claims.iter().any(|(field, _)| *field == claim.field);
        let claims = self.claims.iter().map(|claim| match replaced(claim) {
            true => Claim { field: claim.field.clone(), value: None, ..*claim },
            false => claim.clone(),
        });
        CapabilityState {
            capability: self.capability.clone(),
            generation: self.generation,
            claims: claims.collect(),
            memory: self.memory.as_ref().filter(|_| outcome.memory.is_none()).cloned(),
            blocked: self.blocked.clone(),
            held_more: self.held_more,
            timers: self.timers.clone(),
            calls: self.calls.clone(),
        }
    }

    /// Whether any invocation of it waits, so that the next one has to.
    pub fn waits(&self) -> bool {
        !self.blocked.is_empty() || self.held_more.is_some()
    }

    /// How many invocations of it wait.
    pub fn waiting(&self) -> usize {
        self.blocked.len() + self.held_more.map_or(0, |more| more.count as usize)
    }

    /// The records that must be there when what waits is run; of several in a row the oldest.
    pub fn records_waited_for(&self) -> impl Iterator<Item = Position> {
        let more = self.held_more.iter().flat_map(HeldMore::oldest_records);
        self.blocked.iter().map(|blocked| blocked.item.record()).chain(more)
    }

    /// Whether the invocation of an item in a role waits. Of those that aren't listed, one that was
    /// completed since the first counts as waiting.
    pub fn may_wait(&self, item: FullPosition, role: Role) -> bool {
        self.blocked.iter().any(|blocked| blocked.item == item && blocked.role == role)
            || self.held_more.is_some_and(|more| more.begins_before(item) && more.reaches(item))
    }

    /// An invocation waits that isn't listed yet.
    pub(super) fn wait(&mut self, blocked: Blocked) {
        let is_held = blocked.failure.is_none();
        match &mut self.held_more {
            // One of these was tried, and failed.
            Some(more) if !is_held && more.reaches(blocked.item) => {
                self.pass(blocked.item);
                self.blocked.insert(0, blocked);
            }
            Some(more) => {
                more.count = more.count.saturating_add(1);
                more.last = blocked.item;
            }
            None if is_held && self.blocked.len() >= BLOCKED_MAX => {
                self.held_more = Some(HeldMore { count: 1, first: blocked.item, last: blocked.item });
            }
            None => self.blocked.push(blocked),
        }
    }

    /// One of those that aren't listed no longer waits like them.
    pub(super) fn pass(&mut self, item: FullPosition) {
        let Some(more) = &mut self.held_more else { return };
        more.first = item;
        more.count = more.count.saturating_sub(1);
        if more.count == 0 {
            self.held_more = None;
        }
    }

    /// The same with no more listed than are today: what a host before kept may be longer.
    pub fn bounded(mut self) -> CapabilityState {
        if self.held_more.is_none()
            && let [first, .., last] = self.blocked.get(BLOCKED_MAX..).unwrap_or_default()
        {
            let (first, last) = (first.item, last.item);
            self.held_more = Some(HeldMore { count: (self.blocked.len() - BLOCKED_MAX) as u32, first, last });
            self.blocked.truncate(BLOCKED_MAX);
        }
        self
    }

    /// The newest claim of a field.
    pub fn claim(&self, field: &FieldName) -> Option<&Claim> {
        self.claims.iter().find(|claim| claim.field == *field)
    }
}
