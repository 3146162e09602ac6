//! One partition as the deciders see it: the fold of everything appended, durable or not.

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::budget::Roots;
use super::fire::lags;
use super::runtime::Runtime;
use samsyn_decide::item::Item;
use samsyn_decide::route::{live_generation, route};
use samsyn_journal::{EndedTimer, PartitionState, ProfileState};
use samsyn_state::view::{StoreError, View};
use samsyn_vocabulary::{CapabilityName, ItemPosition, ProfileId, Seq};

/// The fold of everything appended to a partition.
#[derive(Default)]
pub struct Core {
    /// Cursors and revision.
    pub state: PartitionState,
    /// The revision in use, with its components.
    pub runtime: Option<Arc<Runtime>>,
    /// What accepted events have spent and what of theirs is still to be decided.
    pub roots: Roots,
    /// Timers that have fired and aren't decided.
    pub firing: Firing,
    cache: Cache,
}

/// Timers whose record is appended, and whose decision isn't: each fires once.
#[derive(Default)]
pub struct Firing(FxHashSet<(ProfileId, CapabilityName, u32, u32)>);

impl Firing {
    fn key(timer: &EndedTimer, profile: ProfileId) -> (ProfileId, CapabilityName, u32, u32) {
        (profile, timer.capability.clone(), timer.generation, timer.number)
    }

    /// Notes a timer of a profile; false when it is noted already.
    pub fn insert(&mut self, timer: EndedTimer, profile: ProfileId) -> bool {
        self.0.insert(Firing::key(&timer, profile))
    }

    /// It is decided.
    pub fn remove(&mut self, timer: &EndedTimer, profile: ProfileId) {
        self.0.remove(&Firing::key(timer, profile));
    }
}

/// Newest states of profiles: two generations of a map. What isn't in the view must stay; the
/// rest goes when it wasn't used for a while.
#[derive(Default)]
struct Cache {
    /// The newest record of all states that were let go.
    let_go: Seq,
    young: FxHashMap<ProfileId, Arc<ProfileState>>,
    old: FxHashMap<ProfileId, Arc<ProfileState>>,
}

impl Core {
    /// The newest state of a profile; none when nothing was ever decided about it.
    pub fn profile(&mut self, id: ProfileId, view: &View) -> Result<Option<Arc<ProfileState>>, StoreError> {
        if let Some(state) = self.cache.young.get(&id) {
            return Ok(Some(state.clone()));
        }
        if let Some(state) = self.cache.old.remove(&id) {
            self.cache.young.insert(id, state.clone());
            return Ok(Some(state));
        }
        let state = view.profile(id)?;
        if let Some(state) = &state {
            self.cache.young.insert(id, state.clone());
        }
        Ok(state)
    }

    /// The newest state of a profile that was `read` from the view when that had applied the
    /// partition's records up to `applied`: a newer one is still kept here, unless one that new was
    /// let go.
    pub fn newest(
        &mut self,
        read: &Arc<ProfileState>,
        applied: Seq,
        view: &View,
    ) -> Result<Option<Arc<ProfileState>>, StoreError> {
        let kept = self.cache.young.get(&read.id).or_else(|| self.cache.old.get(&read.id));
        match kept {
            Some(state) => Ok(Some(state.clone())),
            None if self.cache.let_go <= applied => Ok(Some(read.clone())),
            None => self.profile(read.id, view),
        }
    }

    /// Moves past a derived item that was decided before, or that nobody live wants: most changes
    /// are nobody else's concern. The cursor is written with the next record.
    pub fn passes(&mut self, position: ItemPosition, item: &Item) -> bool {
        let Some(runtime) = &self.runtime else { return false };
        // A timer is decided even if it is nobody's any more, so that it ends; by its owner's thread if it has one.
        if let Item::Timer(due) = item {
            let wanted = position > self.state.through && !lags(due, &self.state);
            if !wanted {
                self.state.through = self.state.through.max(position);
            }
            return !wanted;
        }
        // So is an item of a call.
        if let Some(call) = item.caller() {
            let wanted = position > self.state.through && !self.state.is_lagging(&call.capability);
            if !wanted {
                self.state.through = self.state.through.max(position);
            }
            return !wanted;
        }
        let routing = &runtime.registry.routing;
        let wanted = position > self.state.through
            && route(item, routing, true).iter().any(|target| {
                live_generation(&self.state, &routing.capabilities[target.capability].name).is_some()
            });
        if !wanted {
            self.state.through = self.state.through.max(position);
        }
        !wanted
    }

    /// Takes a new state of a profile. `durable` is the partition's last record in the view.
    pub fn put(&mut self, state: Arc<ProfileState>, profiles_max: usize, durable: impl FnOnce() -> Seq) {
        self.cache.old.remove(&state.id);
        self.cache.young.insert(state.id, state);
        if self.cache.young.len() > profiles_max {
            let durable = durable();
            let Cache { let_go, young, old } = &mut self.cache;
            let mut next = std::mem::take(young);
            for (id, state) in old.drain() {
                let head = state.head.map_or(0, |head| head.seq);
                if head > durable {
                    next.insert(id, state);
                } else {
                    *let_go = head.max(*let_go);
                }
            }
            *old = next;
        }
    }
}
