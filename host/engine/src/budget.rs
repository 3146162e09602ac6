//! What one accepted event may cause: so many invocations, so many generations. Plug-ins that set each
//! other off for ever are ended here, whether they move with the partition or lag behind it.

use std::collections::VecDeque;

use rustc_hash::FxHashMap;

use super::lanes::Lanes;
use super::run::Run;
use samsyn_decide::decide::{Cause, CompletedInvocation, InvocationResult};
use samsyn_decide::item::Item;
use samsyn_decide::route::Target;
use samsyn_journal::Decided;
use samsyn_vocabulary::{FullPosition, ItemPosition, Position, ProfileId};

/// Roots of a partition whose spending is remembered for lagging capabilities, which come to what
/// was caused when the partition is long past it. The oldest are forgotten first.
const ROOTS_REMEMBERED_MAX: usize = 1_024;

/// What came of one item, or of it and the rest of its record.
pub struct Within {
    /// How each invocation went.
    pub completed: Vec<CompletedInvocation>,
    /// The last item that is settled by it.
    pub through: ItemPosition,
}

impl Lanes {
    /// Calls the item's handlers while the event at its root has budget left. When it hasn't, the item and
    /// the emitted events after it in the same record are recorded as undeliverable together: a record for
    /// each would make a thousand invocations a quarter of a million records.
    pub(super) fn run_within_budget(&self, run: &Run<'_>, targets: &[(Target<'_>, u32)]) -> Within {
        let FullPosition { seq, index, .. } = run.cause.item;
        let position = ItemPosition { seq, index };
        let Some(bound) = self.bound_spent(run.cause, targets.len()) else {
            return Within { completed: run.invoke(targets), through: position };
        };
        let through = last_of_the_rest(run.item, position);
        let more = match through.index - position.index {
            0 => String::new(),
            more => format!("; nor are the {more} events emitted after it"),
        };
        let reason = format!("{bound}{more}");
        tracing::error!(profile = %run.state.id, root = %run.cause.root, %reason, "not delivered");
        let undeliverable = targets.iter().map(|(target, generation)| CompletedInvocation {
            capability: target.capability,
            generation: *generation,
            role: target.role(),
            result: InvocationResult::Undeliverable(reason.clone()),
        });
        Within { completed: undeliverable.collect(), through }
    }

    /// Which bound these invocations would go beyond.
    fn bound_spent(&self, cause: &Cause, invocations: usize) -> Option<String> {
        let Cause { depth, spent, .. } = *cause;
        if depth > self.shared.config.depth_max {
            let most = self.shared.config.depth_max;
            return Some(format!(
                "the event at its root has caused {depth} generations; {most} are the most"
            ));
        }
        let most = self.shared.config.derived_max;
        let too_many = depth > 0 && spent.saturating_add(invocations as u32) > most;
        too_many.then(|| format!("the event at its root has caused {spent} deliveries; {most} are the most"))
    }
}

/// The last emitted event of the item's record; the item itself when it is none.
fn last_of_the_rest(item: &Item, position: ItemPosition) -> ItemPosition {
    match item {
        Item::Emitted(decided, index) => {
            ItemPosition { index: (decided.emitted.len() as u16).max(*index), ..position }
        }
        _ => position,
    }
}

/// What accepted events of one partition have spent, while something of theirs is to be decided.
#[derive(Default)]
pub struct Roots {
    // By customer as well: a job that notifies many has one root.
    by_root: FxHashMap<(Position, ProfileId), Root>,
    /// Those that stay when nothing is pending, oldest first.
    remembered: VecDeque<(Position, ProfileId)>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Root {
    /// Derived invocations so far.
    spent: u32,
    /// Records of its that have items to be decided.
    pending: u32,
    /// It stays when nothing is pending: a lagging capability may come to what it caused.
    remembered: bool,
}

impl Roots {
    /// What a root has spent, as far as it is known here or stood in the item's own record.
    pub fn spent(&self, root: Position, customer: ProfileId, item: &Item) -> u32 {
        self.by_root.get(&(root, customer)).map_or(0, |root| root.spent).max(item.spent())
    }

    /// A record is appended: what it has spent counts, and its items are to be decided.
    pub fn add(&mut self, decided: &Decided) {
        let late = decided.depth > 0 && decided.cursor.is_some();
        let key = (decided.root, decided.profile);
        if !decided.derives() && !late && !self.by_root.contains_key(&key) {
            return;
        }
        let root = self.by_root.entry(key).or_default();
        root.spent = root.spent.max(decided.spent);
        root.pending += u32::from(decided.derives());
        if late && !root.remembered {
            root.remembered = true;
            self.remembered.push_back(key);
            self.forget_one_too_many();
        }
    }

    /// All items of a record are decided.
    pub fn end(&mut self, decided: &Decided) {
        let key = (decided.root, decided.profile);
        if let Some(root) = self.by_root.get_mut(&key) {
            root.pending = root.pending.saturating_sub(1);
            if root.pending == 0 && !root.remembered {
                self.by_root.remove(&key);
            }
        }
    }

    fn forget_one_too_many(&mut self) {
        if self.remembered.len() <= ROOTS_REMEMBERED_MAX {
            return;
        }
        let Some(oldest) = self.remembered.pop_front() else { return };
        if let Some(root) = self.by_root.get_mut(&oldest) {
            root.remembered = false;
            if root.pending == 0 {
                self.by_root.remove(&oldest);
            }
        }
    }
}
