//! What a decision is made from, read at one moment, and whether it still holds when the handlers have
//! run.

use std::sync::Arc;

use super::partition::Core;
use super::run::Run;
use super::runtime::Runtime;
use super::{AcceptError, Engine};
use samsyn_decide::decide::{Cause, CompletedInvocation, Decision};
use samsyn_decide::draft::Draft;
use samsyn_decide::item::Item;
use samsyn_journal::{Cursor, PartitionState, ProfileState};
use samsyn_vocabulary::{ItemPosition, Partition};

impl Engine {
    /// Everything that a decision is made from, as of now.
    pub(super) fn decision_input(
        &self,
        partition: Partition,
        position: ItemPosition,
        item: &Item,
    ) -> Result<DecisionInput, AcceptError> {
        let mut core = self.cell(partition).core.lock();
        let before = core.profile(item.profile(), &self.view)?;
        let (root, depth) = item.chain(position.seq);
        let spent = core.roots.spent(root, item);
        let runtime = core.runtime.clone().ok_or(AcceptError::Busy)?;
        let now = self.clock.now();
        let state = before.clone().unwrap_or_else(|| Arc::new(ProfileState::new(item.profile(), now)));
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
    pub fn run<'a>(&'a self, engine: &'a Engine, partition: Partition, item: &'a Item) -> Run<'a> {
        Run {
            engine,
            partition,
            partition_state: &self.partition_state,
            runtime: &self.runtime,
            state: &self.state,
            hurried: false,
            item,
            cause: &self.cause,
        }
    }

    /// Whether the profile and the revision are still the same, so that what ran counts.
    pub fn still_holds(&self, core: &mut Core, engine: &Engine) -> Result<bool, AcceptError> {
        if !core.state.invokes_same_as(&self.partition_state) {
            return Ok(false);
        }
        let head = |state: &Option<Arc<ProfileState>>| state.as_ref().map(|state| state.head);
        Ok(head(&core.profile(self.state.id, &engine.view)?) == head(&self.before))
    }

    /// What follows.
    pub fn decision<'e>(
        &self,
        engine: &Engine,
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
            customer_bytes: engine.plugins.sandbox().limits().customer_bytes,
            at: engine.clock.now(),
        };
        decision.decide()
    }
}
