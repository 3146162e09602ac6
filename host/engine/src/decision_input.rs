//! What a decision is made from, read at one moment, and whether it still holds when the handlers have
//! run.

use std::sync::Arc;

use super::fault::{Fault, StopCause};
use super::fire::ended_timer;
use super::lanes::Lanes;
use super::partition::Core;
use super::run::Run;
use super::runtime::Runtime;
use samsyn_decide::decide::{Cause, CompletedInvocation, Decision};
use samsyn_decide::draft::Draft;
use samsyn_decide::item::Item;
use samsyn_journal::{Cursor, PartitionState, ProfileState};
use samsyn_vocabulary::{FullPosition, ItemPosition, ProfileId};

impl Lanes {
    /// Everything that a decision for a customer about the item at a position is made from, as of now. The item may
    /// have been another profile's that became this one.
    pub(super) fn decision_input(
        &self,
        customer: ProfileId,
        position: FullPosition,
        item: &Item,
    ) -> Result<DecisionInput, StopCause> {
        let mut core = self.core(self.shared.home(customer));
        let before = core.profile(customer, &self.shared.view)?;
        let (root, depth) = item.chain(position.record());
        let spent = core.roots.spent(root, customer, item);
        let runtime = core.runtime.clone().ok_or(Fault::Bug("a partition has no revision in use"))?;
        let now = self.shared.clock.now();
        let state = before.clone().unwrap_or_else(|| Arc::new(ProfileState::new(customer, now)));
        let timer = ended_timer(item, &state, &core.state, &runtime.registry);
        Ok(DecisionInput {
            partition_state: core.state.clone(),
            runtime,
            before,
            state,
            cause: Cause {
                item: position,
                kind: item.kind(),
                root,
                depth,
                spent,
                observed_at: item.observed_at(),
                shared: item.is_copy(),
                timer,
                call: match item {
                    Item::Answer(answered) => Some(Box::new(answered.ended())),
                    _ => None,
                },
                doubt: item.doubt(),
            },
        })
    }
}

/// When an item is decided, from the partition's point of view.
pub enum When {
    /// In the order of the log, for all live capabilities, with the items up to this one.
    Live { through: ItemPosition },
    /// Later, for one invocation that had waited.
    Retried,
    /// Later, for a lagging capability, whose cursor moves to here.
    CatchingUp(Cursor),
}

impl When {
    fn cursor(self) -> Option<Cursor> {
        match self {
            When::CatchingUp(cursor) => Some(cursor),
            When::Live { .. } | When::Retried => None,
        }
    }
}

/// Everything that a decision is made from, as it was at one moment.
pub struct DecisionInput {
    /// Cursors and revision.
    pub partition_state: PartitionState,
    /// The revision with its components.
    pub runtime: Arc<Runtime>,
    /// The profile; none when it is new.
    pub before: Option<Arc<ProfileState>>,
    /// The profile, or an empty one.
    pub state: Arc<ProfileState>,
    pub cause: Cause,
}

impl DecisionInput {
    /// A run of the item's handlers on it.
    pub fn run<'a>(&'a self, lanes: &'a Lanes, item: &'a Item) -> Run<'a> {
        Run {
            lanes,
            partition_state: &self.partition_state,
            runtime: &self.runtime,
            state: &self.state,
            hurried: false,
            item,
            cause: &self.cause,
        }
    }

    /// Whether the profile and the revision are still the same, so that what ran counts.
    pub fn still_holds(&self, core: &mut Core, lanes: &Lanes) -> Result<bool, StopCause> {
        if !core.state.invokes_same_as(&self.partition_state) {
            return Ok(false);
        }
        let head = |state: &Option<Arc<ProfileState>>| state.as_ref().map(|state| (state.head, state.late));
        Ok(head(&core.profile(self.state.id, &lanes.shared.view)?) == head(&self.before))
    }

    /// What follows.
    pub fn decision<'e>(
        &self,
        lanes: &Lanes,
        item: &'e Item,
        completed: Vec<CompletedInvocation>,
        precondition_met: bool,
        when: When,
    ) -> Draft<'e> {
        let accepted = match item {
            Item::Event(accepted) => Some(accepted.as_ref()),
            _ => None,
        };
        let decision = Decision {
            cause: self.cause.clone(),
            routing: &self.runtime.registry.routing,
            revision: self.runtime.registry.revision,
            partition: &self.partition_state,
            state: &self.state,
            accepted,
            proposals: &item.proposals(),
            precondition_met,
            completed,
            late: !matches!(when, When::Live { .. }),
            through: match when {
                When::Live { through } => Some(through),
                When::Retried | When::CatchingUp(_) => None,
            },
            cursor: when.cursor(),
            customer_bytes: lanes.limits.customer_bytes,
            at: lanes.shared.clock.now(),
        };
        decision.decide()
    }
}
