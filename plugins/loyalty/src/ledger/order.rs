//! One order, and what its events say of it by their own times.

use samsyn_plugin::Timestamp;

use crate::key::Key;
use crate::money::{Amount, Rate};

/// An order that is known by id.
///
/// It may be completed, cancelled and completed again. Of its completions the earliest and the
/// latest are known, of its cancellations the latest, and these three say what holds, in
/// whatever order they arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Order {
    pub(super) key: Key,
    /// The earliest completion.
    pub(super) first: Timestamp,
    /// The latest completion; the first when there is one.
    pub(super) last: Timestamp,
    /// The latest cancellation.
    pub(super) cancelled: Option<Timestamp>,
    pub(super) amount: Amount,
    /// In [`Amount::raw`]'s unit, at most the amount.
    pub(super) refunded: u64,
    /// The rate when the order came: a refund takes back what it gave, whatever the rate is now.
    pub(super) rate: Rate,
}

impl Order {
    /// When it was completed, as far as that counts: once it was cancelled, a later time than the
    /// first.
    pub(super) fn at(&self) -> Timestamp {
        if self.was_cancelled() { self.last } else { self.first }
    }

    /// Its place among the orders.
    pub(super) fn place(&self) -> (Timestamp, Key) {
        (self.at(), self.key)
    }

    /// The last word is a cancellation. At one moment it counts more than a completion.
    pub(super) fn is_cancelled(&self) -> bool {
        self.cancelled.is_some_and(|cancelled| cancelled >= self.last)
    }

    /// Completed again after a cancellation: what was refunded until then was of the order as it
    /// was before.
    pub(super) fn is_again(&self) -> bool {
        self.was_cancelled() && !self.is_cancelled()
    }

    /// Whether a completion at this time was cancelled later.
    pub(super) fn cancels(&self, at: Timestamp) -> bool {
        self.cancelled.is_some_and(|cancelled| cancelled >= at)
    }

    fn was_cancelled(&self) -> bool {
        self.cancels(self.first)
    }

    /// Whether a refund of this time takes something of what counts.
    pub(super) fn takes_refund(&self, at: Timestamp) -> bool {
        !self.is_again() || at > self.last
    }

    /// What is left of it × its rate, rounded down.
    pub(super) fn points(&self) -> u64 {
        if self.is_cancelled() {
            return 0;
        }
        self.rate.points(self.amount.raw().saturating_sub(self.refunded))
    }

    /// Learns of a completion.
    pub(super) fn learn_completion(&mut self, at: Timestamp) {
        // One more after the one that counts is a repeat of it, and the earlier is the one.
        self.last = if self.is_again() && !self.cancels(at) { self.last.min(at) } else { self.last.max(at) };
        self.first = self.first.min(at);
    }
}
