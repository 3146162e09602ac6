//! Partial refunds, redemptions and what was given back of them, known by id.

use samsyn_plugin::Timestamp;

use crate::key::Key;

/// One of them, that counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) key: Key,
    /// The amount or the points: a repeat says the same.
    pub(super) value: u64,
    pub(super) what: What,
}

/// What more must be known of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// Nothing: a part that was given back, or something that version 1 of the memory saw.
    Plain,
    /// A refund of this order, at this time: it may turn out to be of the order before it was
    /// cancelled.
    Refund {
        /// The order.
        order: Key,
        /// When it was refunded.
        at: Timestamp,
    },
    /// A redemption.
    Redemption {
        /// When; none when version 1 of the memory saw it.
        at: Option<Timestamp>,
        /// Of its points, at most all.
        given_back: u64,
    },
}

impl Seen {
    /// The points given back of a redemption.
    pub(super) fn given_back(&self) -> u64 {
        match self.what {
            What::Redemption { given_back, .. } => given_back,
            What::Plain | What::Refund { .. } => 0,
        }
    }

    /// Gives back up to so many points of a redemption, and says how many.
    pub(super) fn give_back(&mut self, points: u64) -> u64 {
        let given = points.min(self.value.saturating_sub(self.given_back()));
        let at = match self.what {
            What::Redemption { at, .. } => at,
            What::Plain | What::Refund { .. } => None,
        };
        self.what = What::Redemption { at, given_back: self.given_back().saturating_add(given) };
        given
    }

    /// Whether all of a redemption was given back, and `at` isn't the time of that redemption.
    pub(super) fn is_another_after_cancelled(&self, at: Timestamp) -> bool {
        match self.what {
            What::Redemption { at: known, given_back } => given_back >= self.value && known != Some(at),
            What::Plain | What::Refund { .. } => false,
        }
    }
}
