//! The timers of one capability for one customer: set and cancelled by what its handlers ask for, ended by the
//! decision of their [`Due`].
//!
//! A timer has a number, so that a [`Due`] that was written before the plug-in set the timer again, or cancelled it,
//! is known to be of no use when its turn comes.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Decided, Due, ProfileState};
use samsyn_contract::{TIMER_CANCEL, TIMER_DELAY_MS, TIMER_SET, TIMERS_MAX};
use samsyn_vocabulary::{Action, CapabilityName, Position, ProfileId, Seq, TimerName, Timestamp, Value};

/// After this time a timer begins a chain of causes of its own: a customer who is visited once a day for years never
/// spends the budget of the event that began it.
const CHAIN_MS: i64 = 60 * 60 * 1_000;

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// The most timers of a capability that fire for one customer within a day, by UTC.
pub const TIMERS_A_DAY_MAX: u32 = 1_000;

/// A timer that is set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timer {
    pub name: TimerName,
    /// Counts the timers that the capability has set for this customer: no two have one number.
    pub number: u32,
    /// The time that the plug-in set.
    pub due: Timestamp,
    /// When it was set: when the host decided that, or of a generation that catches up when that happened which
    /// it came to.
    pub set_at: Timestamp,
    /// The accepted event at the root of what set it.
    #[serde(with = "crate::home::record")]
    pub root: Position,
    /// Generations of cause between the root and the record that set it.
    pub depth: u16,
    /// Derived invocations that the root had spent then.
    pub spent: u32,
    /// The registry revision in use then.
    pub revision: Seq,
}

impl Timer {
    /// When it fires: not earlier than a second after it was set.
    pub fn fires_at(&self) -> Timestamp {
        self.due.max(Timestamp(self.set_at.millis().saturating_add(TIMER_DELAY_MS)))
    }
}

/// All timers of a capability for a customer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timers {
    /// The number of the newest.
    last: u32,
    /// Those that are set.
    set: Vec<Timer>,
    /// The newest day on which one fired, counted from the epoch, by UTC.
    day: i64,
    /// How many fired on that day.
    fired: u32,
}

impl Timers {
    /// Those that are set.
    pub fn set(&self) -> &[Timer] {
        &self.set
    }

    /// The one with this name.
    pub fn get(&self, name: &TimerName) -> Option<&Timer> {
        self.set.iter().find(|timer| timer.name == *name)
    }

    /// How many fired on the day of this moment, by UTC.
    pub fn fired_on_day_of(&self, at: Timestamp) -> u32 {
        if self.day == day_of(at) { self.fired } else { 0 }
    }

    /// Folds an action; others than timers' change nothing.
    pub(super) fn act(&mut self, action: &Action, decided: &Decided) {
        let Ok(name) = TimerName::new(&action.subject) else { return };
        match (action.name.as_str(), &action.value) {
            (TIMER_SET, Some(Value::Timestamp(due))) => {
                self.set.retain(|timer| timer.name != name);
                self.last = self.last.wrapping_add(1);
                // The rule of the effect holds it; a profile has a bound in any case.
                if self.set.len() >= TIMERS_MAX {
                    self.set.remove(0);
                }
                let Decided { at, observed_at, root, depth, spent, revision, .. } = *decided;
                // A generation that catches up lives in the time of what it comes to.
                let catches_up = decided.cursor.as_ref().is_some_and(|cursor| cursor.catching_up);
                let set_at = if catches_up { observed_at } else { at };
                let (due, number) = (*due, self.last);
                self.set.push(Timer { name, number, due, set_at, root, depth, spent, revision });
            }
            (TIMER_CANCEL, _) => self.set.retain(|timer| timer.name != name),
            _ => {}
        }
    }

    /// Folds the end of a timer.
    pub(super) fn end(&mut self, ended: &EndedTimer, at: Timestamp) {
        self.set.retain(|timer| timer.number != ended.number || timer.name != ended.name);
        if ended.how == TimerEnd::Fired {
            (self.day, self.fired) = (day_of(at), self.fired_on_day_of(at) + 1);
        }
    }

    /// Takes a timer for ended whatever its number is: a replay's own timers are counted otherwise than the log's.
    pub(super) fn forget(&mut self, name: &TimerName) {
        self.set.retain(|timer| timer.name != *name);
    }
}

fn day_of(at: Timestamp) -> i64 {
    at.millis().div_euclid(DAY_MS)
}

/// Whether an action sets or cancels a timer.
pub(super) fn is_of_timers(action: &Action) -> bool {
    matches!(action.name.as_str(), TIMER_SET | TIMER_CANCEL)
}

/// The timer whose [`Due`] a decision answers, and how it ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndedTimer {
    pub capability: CapabilityName,
    pub generation: u32,
    pub name: TimerName,
    pub number: u32,
    #[serde(default, skip_serializing_if = "TimerEnd::is_fired")]
    pub how: TimerEnd,
}

/// How a timer ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TimerEnd {
    /// Its handler was invoked, or waits to be.
    #[default]
    Fired,
    /// The plug-in had set it again, or cancelled it, when its turn came.
    Cancelled,
    /// Its capability, or the generation that set it, is no longer there.
    Removed,
}

impl TimerEnd {
    fn is_fired(&self) -> bool {
        *self == TimerEnd::Fired
    }
}

impl Due {
    /// The firing of a timer, now. What follows from it soon is of the chain of causes that set it.
    pub fn of(
        timer: &Timer,
        profile: ProfileId,
        capability: &CapabilityName,
        generation: u32,
        at: Timestamp,
    ) -> Due {
        let is_of_chain = at.millis().saturating_sub(timer.set_at.millis()) < CHAIN_MS;
        Due {
            profile,
            capability: capability.clone(),
            generation,
            name: timer.name.clone(),
            number: timer.number,
            due: timer.due,
            at,
            root: is_of_chain.then_some(timer.root),
            depth: if is_of_chain { timer.depth } else { 0 },
            spent: if is_of_chain { timer.spent } else { 0 },
            in_passing: false,
        }
    }

    /// What its decision says of the timer.
    pub fn ended(&self, how: TimerEnd) -> EndedTimer {
        let Due { capability, generation, name, number, .. } = self.clone();
        EndedTimer { capability, generation, name, number, how }
    }

    /// The timer, while it is still set.
    pub fn timer<'s>(&self, state: &'s ProfileState) -> Option<&'s Timer> {
        let timers = state.timers(&self.capability, self.generation)?;
        timers.get(&self.name).filter(|timer| timer.number == self.number)
    }
}

/// A timer that is set, by when it fires: how an index of them all orders them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PendingTimer {
    pub fires_at: Timestamp,
    pub profile: ProfileId,
    pub capability: CapabilityName,
    pub generation: u32,
    pub name: TimerName,
}

/// What a record does to the index of all timers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimerMove {
    pub timer: PendingTimer,
    /// Whether it is set since; else it no longer is.
    pub is_set: bool,
}

/// All timers of a customer.
pub fn pending_timers(state: &ProfileState) -> impl Iterator<Item = PendingTimer> {
    let profile = state.id;
    state.capabilities.iter().flat_map(move |own| {
        let timers = own.timers.iter().flat_map(|timers| &timers.set);
        timers.map(move |timer| PendingTimer {
            fires_at: timer.fires_at(),
            profile,
            capability: own.capability.clone(),
            generation: own.generation,
            name: timer.name.clone(),
        })
    })
}

/// What differs between a customer's timers before a record and after it.
pub(super) fn timer_moves(before: Vec<PendingTimer>, after: &ProfileState) -> Vec<TimerMove> {
    let after: Vec<PendingTimer> = pending_timers(after).collect();
    if before.is_empty() && after.is_empty() {
        return Vec::new();
    }
    let (before, after): (BTreeSet<_>, BTreeSet<_>) =
        (before.into_iter().collect(), after.into_iter().collect());
    let ended = before.difference(&after).map(|timer| TimerMove { timer: timer.clone(), is_set: false });
    let set = after.difference(&before).map(|timer| TimerMove { timer: timer.clone(), is_set: true });
    ended.chain(set).collect()
}
