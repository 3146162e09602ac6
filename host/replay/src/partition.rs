//! A partition as a replay follows it: its cursors, and the items that wait for their decision.

use std::collections::VecDeque;
use std::sync::Arc;

use super::revisions::{Lens, Revision};
use samsyn_decide::item::Item;
use samsyn_decide::route::{route, targets_of};
use samsyn_journal::{Decided, Due, KeptAccepted, PartitionState, RecordError};
use samsyn_vocabulary::{ItemPosition, Seq};

/// A partition.
pub struct FollowedPartition {
    /// Its cursors, and whose claims count.
    pub state: PartitionState,
    /// The registry revision in use.
    pub revision: Arc<Revision>,
    /// Items of sampled customers that are not decided yet, in their order.
    waiting: VecDeque<(ItemPosition, Waiting)>,
}

/// An item that waits for its decision.
enum Waiting {
    /// An event, read when it is decided.
    Accepted(KeptAccepted),
    /// An item of a decision.
    Derived(Item),
}

impl FollowedPartition {
    /// A partition of which there was no record yet.
    pub fn new(revision: Arc<Revision>) -> FollowedPartition {
        FollowedPartition { state: PartitionState::default(), revision, waiting: VecDeque::new() }
    }

    /// An event was accepted.
    pub fn accepted(&mut self, seq: Seq, event: KeptAccepted) {
        self.waiting.push_back((ItemPosition { seq, index: 0 }, Waiting::Accepted(event)));
    }

    /// A timer fired.
    pub fn due(&mut self, seq: Seq, due: Due) {
        let item = Item::Timer(Arc::new(due));
        self.waiting.push_back((ItemPosition { seq, index: 0 }, Waiting::Derived(item)));
    }

    /// A call was answered, or is in doubt.
    pub fn of_call(&mut self, seq: Seq, item: Item) {
        self.waiting.push_back((ItemPosition { seq, index: 0 }, Waiting::Derived(item)));
    }

    /// A decision was folded, which has items of its own.
    pub fn decided(&mut self, seq: Seq, decided: &Arc<Decided>) {
        self.state.fold_decided(decided);
        let indexes = 0..=decided.last_item();
        let items = indexes.filter_map(|index| Some((index, Item::of_decided(decided, index)?)));
        self.waiting.extend(items.map(|(index, item)| (ItemPosition { seq, index }, Waiting::Derived(item))));
    }

    /// The next item that waits, up to and with this one.
    pub fn next(&mut self, through: ItemPosition) -> Option<(ItemPosition, Result<Item, RecordError>)> {
        let (position, waiting) = self.waiting.pop_front_if(|(position, _)| *position <= through)?;
        Some((position, waiting.item()))
    }

    /// The next item, when it is one of a decision that nobody wants.
    pub fn unwanted(&self) -> Option<ItemPosition> {
        match self.waiting.front()? {
            (_, Waiting::Derived(Item::Timer(_) | Item::Answer(_) | Item::Doubt(_))) => None,
            (position, Waiting::Derived(item)) => {
                let nobody = route(item, &self.revision.registry.routing, true).is_empty();
                nobody.then_some(*position)
            }
            (_, Waiting::Accepted(_)) => None,
        }
    }

    /// Whether any candidate would hear of an item that nobody decided.
    pub fn hears(&self, item: &Item) -> bool {
        self.revision.lenses.iter().any(|lens| match lens {
            Lens::Fits(fit) => targets_of(item, &fit.routing, fit.index, true).next().is_some(),
            Lens::Unfit(_) | Lens::Absent => false,
        })
    }
}

impl Waiting {
    fn item(self) -> Result<Item, RecordError> {
        match self {
            Waiting::Derived(item) => Ok(item),
            Waiting::Accepted(event) => Ok(Item::Event(Arc::new(event.to_invoke()?))),
        }
    }
}
