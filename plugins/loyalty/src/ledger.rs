//! What is remembered of one customer, and how it grows: orders, what was refunded of them,
//! redemptions. Pure, bounded, and the same whatever the order in which events arrive.
//!
//! What is bounded, and what is then no longer recognised:
//!
//! - The newest [`ORDERS_MAX`] orders, by the event's time, are known by id. Older ones are *settled*:
//!   their points stay, by day as long as the day counts for the tier, and a refund or a
//!   cancellation no longer reaches them. A new order as old as a settled one is refused,
//!   because it can't be told from a repeat; so a repeat never counts twice.
//! - Refunds that came before their order wait, the latest [`AWAITED_MAX`] orders to be so
//!   announced. When an older one's order comes after all, it counts in full.
//! - The latest [`SEEN_MAX`] partial refunds and redemptions are known by id. A repeat of an
//!   older one counts again; a refund then still takes back no more than its order gave.
//!
//! Ids are kept as 64-bit hashes: with 200 ids, two of one customer's collide once in 10^15
//! customers.

mod bytes;

use samsyn_plugin::{Date, Timestamp};

use crate::key::Key;
use crate::money::{Amount, Rate};
use crate::refused::Refused;
use crate::tier::{Thresholds, Tier, is_counted};

/// Orders known by id: almost four a week for a year. Each takes about 18 bytes, at most 39.
pub const ORDERS_MAX: usize = 192;
/// Orders whose refund came first. Each takes at most 16 bytes.
pub const AWAITED_MAX: usize = 64;
/// Partial refunds and redemptions known by id. Each takes at most 18 bytes.
pub const SEEN_MAX: usize = 96;

/// One customer's ledger.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    /// The newest time of any event taken: the "now" of the tier.
    newest: Option<Timestamp>,
    /// The day of the earliest order.
    member_since: Option<Date>,
    /// The tier last announced.
    tier: Tier,
    /// Points spent, ever.
    redeemed: u64,
    /// Points of settled orders, ever.
    settled: u64,
    /// The newest settled order. No known order is as old.
    horizon: Option<(Timestamp, Key)>,
    /// Points of settled orders by day, in the order of days; only days that count for the tier.
    days: Vec<(Date, u64)>,
    /// In the order of (at, key).
    orders: Vec<Order>,
    /// In the order of arrival.
    awaited: Vec<Awaited>,
    /// In the order of arrival.
    seen: Vec<Seen>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Order {
    at: Timestamp,
    key: Key,
    amount: Amount,
    /// In [`Amount::raw`]'s unit, at most the amount.
    refunded: u64,
    /// The rate when the order came: a refund takes back what it gave, whatever the rate is now.
    rate: Rate,
}

impl Order {
    fn points(&self) -> u64 {
        self.rate.points(self.amount.raw().saturating_sub(self.refunded))
    }
}

/// A refund that came before its order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Awaited {
    key: Key,
    refunded: Amount,
}

/// A partial refund or a redemption that counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Seen {
    key: Key,
    /// The amount or the points: a repeat says the same.
    value: u64,
}

/// What the customer's fields show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Earned and not spent.
    pub points: i64,
    /// By points earned over 365 days, on the newest day known.
    pub tier: Tier,
    /// The first day with a lower tier if nothing more is earned; none when it can't drop.
    pub tier_until: Option<Date>,
    /// The day of the earliest order.
    pub member_since: Date,
}

impl Ledger {
    /// Counts an order, with the refunds that came before it. A repeat changes nothing.
    pub fn complete(&mut self, key: Key, amount: Amount, rate: Rate, at: Timestamp) -> Result<(), Refused> {
        if let Some(order) = self.orders.iter().find(|order| order.key == key) {
            if order.amount != amount {
                return Err(Refused::OrderAlreadyCounted);
            }
            self.pass(at);
            return Ok(());
        }
        if self.horizon.is_some_and(|horizon| (at, key) <= horizon) {
            return Err(Refused::OrderTooOld);
        }
        let early = self.awaited.iter().position(|awaited| awaited.key == key);
        let refunded = early.map_or(0, |index| self.awaited.remove(index).refunded.min(amount).raw());
        let place = self.orders.partition_point(|order| (order.at, order.key) < (at, key));
        self.orders.insert(place, Order { at, key, amount, refunded, rate });
        self.member_since = Some(self.member_since.map_or(at.date(), |since| since.min(at.date())));
        if self.orders.len() > ORDERS_MAX {
            self.settle_oldest();
        }
        self.pass(at);
        Ok(())
    }

    /// Takes back part of an order, known or to come. `id` tells this refund from the order's others.
    pub fn refund(&mut self, key: Key, id: Key, amount: Amount, at: Timestamp) -> Result<(), Refused> {
        match self.seen.iter().find(|seen| seen.key == id) {
            Some(seen) if seen.value != amount.raw() => return Err(Refused::RefundAlreadyCounted),
            Some(_) => {}
            None => {
                self.take_back(key, amount);
                self.see(id, amount.raw());
            }
        }
        self.pass(at);
        Ok(())
    }

    /// Takes back a whole order, known or to come.
    pub fn cancel(&mut self, key: Key, at: Timestamp) {
        self.take_back(key, Amount::MAX);
        self.pass(at);
    }

    /// Spends points. `id` tells this redemption from others.
    pub fn redeem(&mut self, id: Key, points: i64, at: Timestamp) -> Result<(), Refused> {
        let spent = u64::try_from(points).ok().filter(|points| *points > 0).ok_or(Refused::Points)?;
        match self.seen.iter().find(|seen| seen.key == id) {
            Some(seen) if seen.value != spent => return Err(Refused::AlreadyRedeemed),
            Some(_) => {}
            None if points > self.points() => return Err(Refused::NotEnoughPoints),
            None => {
                self.redeemed = self.redeemed.saturating_add(spent);
                self.see(id, spent);
            }
        }
        self.pass(at);
        Ok(())
    }

    /// The tier the customer had just before an event at `at`: what was announced, or less when
    /// it has run out by then.
    pub fn tier_before(&self, at: Timestamp, thresholds: Thresholds) -> Tier {
        let now = self.newest.map_or(at, |newest| newest.max(at));
        self.tier.min(thresholds.standing(self.earned(), now.date()).0)
    }

    /// Where the customer stands, and from now on has been told so; none before the first order.
    pub fn announce(&mut self, thresholds: Thresholds) -> Option<Standing> {
        let (member_since, newest) = (self.member_since?, self.newest?);
        let (tier, tier_until) = thresholds.standing(self.earned(), newest.date());
        self.tier = tier;
        Some(Standing { points: self.points(), tier, tier_until, member_since })
    }

    /// Earned and not spent. Below zero when points were spent and their order then refunded:
    /// the next orders pay that back first.
    fn points(&self) -> i64 {
        let known: u128 = self.orders.iter().map(|order| u128::from(order.points())).sum();
        // Both sides are at most a few hundred times 2^64, so neither leaves 128 bits.
        let balance = (known + u128::from(self.settled)) as i128 - i128::from(self.redeemed);
        balance.clamp(i64::MIN.into(), i64::MAX.into()) as i64
    }

    /// Points earned, in the order of days: what is settled is older than what is known.
    fn earned(&self) -> impl Iterator<Item = (Date, u64)> + Clone {
        let known = self.orders.iter().map(|order| (order.at.date(), order.points()));
        self.days.iter().copied().chain(known)
    }

    /// Partial refunds add up to at most the order: what is beyond it has no points to take.
    fn take_back(&mut self, key: Key, amount: Amount) {
        if let Some(order) = self.orders.iter_mut().find(|order| order.key == key) {
            order.refunded = order.refunded.saturating_add(amount.raw()).min(order.amount.raw());
        } else if let Some(awaited) = self.awaited.iter_mut().find(|awaited| awaited.key == key) {
            let sum = awaited.refunded.raw().saturating_add(amount.raw());
            awaited.refunded = Amount::try_from(sum).unwrap_or(Amount::MAX);
        } else {
            self.awaited.push(Awaited { key, refunded: amount });
            if self.awaited.len() > AWAITED_MAX {
                self.awaited.remove(0);
            }
        }
    }

    fn see(&mut self, key: Key, value: u64) {
        self.seen.push(Seen { key, value });
        if self.seen.len() > SEEN_MAX {
            self.seen.remove(0);
        }
    }

    /// Time passes; days that no longer count for the tier are let go.
    fn pass(&mut self, at: Timestamp) {
        let newest = self.newest.map_or(at, |newest| newest.max(at));
        self.newest = Some(newest);
        self.days.retain(|(day, _)| is_counted(*day, newest.date()));
    }

    fn settle_oldest(&mut self) {
        let order = self.orders.remove(0);
        let (day, points) = (order.at.date(), order.points());
        self.settled = self.settled.saturating_add(points);
        self.horizon = Some((order.at, order.key));
        match self.days.last_mut() {
            Some((last, sum)) if *last == day => *sum = sum.saturating_add(points),
            _ => self.days.push((day, points)),
        }
    }

    /// Whether the rules hold that every method relies on; bytes from outside may break them.
    pub fn is_sound(&self) -> bool {
        let place = |order: &Order| (order.at, order.key);
        let horizon =
            self.horizon.is_none_or(|horizon| self.orders.first().is_none_or(|first| horizon < place(first)));
        self.orders.len() <= ORDERS_MAX
            && self.awaited.len() <= AWAITED_MAX
            && self.seen.len() <= SEEN_MAX
            && self.orders.is_sorted_by(|a, b| place(a) < place(b))
            && self.orders.iter().all(|order| order.refunded <= order.amount.raw())
            && self.days.is_sorted_by(|a, b| a.0 < b.0)
            && self
                .days
                .iter()
                .all(|(day, _)| self.newest.is_some_and(|newest| is_counted(*day, newest.date())))
            && self.days.last().is_none_or(|(day, _)| self.horizon.is_some_and(|(at, _)| *day <= at.date()))
            && horizon
    }
}

#[cfg(test)]
mod tests;
