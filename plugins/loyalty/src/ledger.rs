//! What is remembered of one customer, and how it grows: orders, what was refunded of them,
//! redemptions. Pure, bounded, and the same whatever the order in which events arrive.
//!
//! What is bounded, and what is then no longer recognised:
//!
//! - The newest [`ORDERS_MAX`] orders, by the event's time, are known by id. Older ones are
//!   *settled*: their points stay, by day as long as the day counts for the tier, and a refund or a
//!   cancellation no longer reaches them. A new order as old as a settled one is refused, because
//!   it can't be told from a repeat; so a repeat never counts twice.
//! - Refunds and cancellations that came before their order wait, the latest [`AWAITED_MAX`]
//!   orders to be so announced. When an older one's order comes after all, it counts in full.
//! - The latest [`SEEN_MAX`] partial refunds, redemptions and parts given back are known by id. A
//!   repeat of an older one counts again; a refund then still takes back no more than its order
//!   gave. An older redemption can't be given back any more.
//! - Cancellations that came before their redemption wait, the latest [`RETURNS_MAX`] of them.
//!   When an older one's redemption comes after all, it spends in full.
//!
//! Ids are kept as 64-bit hashes: with 200 ids, two of one customer's collide once in 10^15
//! customers.

mod bytes;
mod bytes_v1;
mod order;
mod seen;

use samsyn_plugin::{Date, Timestamp};

use crate::key::Key;
use crate::money::{Amount, Rate};
use crate::refused::Refused;
use crate::tier::{Thresholds, Tier, is_counted};
use order::Order;
use seen::{Seen, What};

/// Orders known by id: almost four a week for a year. Each takes about 18 bytes, at most 65.
pub const ORDERS_MAX: usize = 192;
/// Orders whose refund or cancellation came first. Each takes at most 25 bytes.
pub const AWAITED_MAX: usize = 64;
/// Partial refunds, redemptions and parts given back known by id. Each takes at most 35 bytes.
pub const SEEN_MAX: usize = 96;
/// Redemptions whose cancellation came first. Each takes at most 18 bytes.
pub const RETURNS_MAX: usize = 32;

/// One customer's ledger.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    /// The newest time of any event taken: the "now" of the tier.
    newest: Option<Timestamp>,
    /// The day of the earliest order.
    member_since: Option<Date>,
    /// The tier last announced.
    tier: Tier,
    /// Points spent and not given back, ever.
    redeemed: u64,
    /// Points of settled orders, ever.
    settled: u64,
    /// The newest settled order. No known order is as old.
    horizon: Option<(Timestamp, Key)>,
    /// Points of settled orders by day, in the order of days; only days that count for the tier.
    days: Vec<(Date, u64)>,
    /// In the order of their places.
    orders: Vec<Order>,
    /// In the order of arrival.
    awaited: Vec<Awaited>,
    /// In the order of arrival.
    seen: Vec<Seen>,
    /// In the order of arrival.
    returns: Vec<Return>,
}

/// Refunds and a cancellation that came before their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Awaited {
    key: Key,
    /// In [`Amount::raw`]'s unit, at most [`Amount::MAX`].
    refunded: u64,
    /// The latest cancellation.
    cancelled: Option<Timestamp>,
}

/// The cancellation of a redemption, whole or in parts, that came before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Return {
    key: Key,
    /// At most so many.
    points: u64,
}

/// How a redemption is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RedemptionKeys {
    /// As cancellations call it: its id, else its event's.
    pub called: Key,
    /// As it is known when it has no id of its own.
    pub by_event: Key,
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
    /// Counts an order, with the refunds that came before it; and once more when it is later than
    /// the order's cancellation. A repeat changes nothing. What comes back is to be told to the
    /// sender though the completion was learned: nothing is left of the order by its refunds,
    /// unless its cancellation is still to come.
    pub fn complete(
        &mut self,
        key: Key,
        amount: Amount,
        rate: Rate,
        at: Timestamp,
    ) -> Result<Option<Refused>, Refused> {
        let told = match self.orders.iter().position(|order| order.key == key) {
            Some(index) => self.complete_known(index, amount, rate, at)?,
            None => {
                self.complete_new(key, amount, rate, at)?;
                None
            }
        };
        self.member_since = Some(self.member_since.map_or(at.date(), |since| since.min(at.date())));
        self.pass(at);
        Ok(told)
    }

    fn complete_new(&mut self, key: Key, amount: Amount, rate: Rate, at: Timestamp) -> Result<(), Refused> {
        if self.horizon.is_some_and(|horizon| (at, key) <= horizon) {
            return Err(Refused::OrderTooOld);
        }
        let early = self.awaited.iter().position(|awaited| awaited.key == key);
        let early = early.map(|index| self.awaited.remove(index));
        let refunded = early.map_or(0, |early| early.refunded.min(amount.raw()));
        let cancelled = early.and_then(|early| early.cancelled);
        self.place(Order { key, first: at, last: at, cancelled, amount, refunded, rate });
        if self.orders.len() > ORDERS_MAX {
            self.settle_oldest();
        }
        Ok(())
    }

    /// A completion of an order that is known: a repeat, one that was cancelled since, or the
    /// order once more.
    fn complete_known(
        &mut self,
        index: usize,
        amount: Amount,
        rate: Rate,
        at: Timestamp,
    ) -> Result<Option<Refused>, Refused> {
        let known = self.orders[index];
        let mut order = known;
        let was_cancelled = known.cancels(at);
        if known.is_cancelled() && !was_cancelled {
            (order.amount, order.rate) = (amount, rate);
        } else if known.amount != amount && (known.is_cancelled() || !was_cancelled) {
            return Err(Refused::OrderAlreadyCounted);
        }
        order.learn_completion(at);
        // As old as what is settled it can't be placed; what is known of it stays.
        if self.horizon.is_none_or(|horizon| order.place() > horizon) {
            self.replace(index, order);
        }
        let nothing_left = !known.is_cancelled() && known.refunded == known.amount.raw();
        Ok((nothing_left && at > known.at()).then_some(Refused::OrderRefunded))
    }

    /// Takes back part of an order, known or to come. `id` tells this refund from the order's
    /// others.
    pub fn refund(&mut self, key: Key, id: Key, amount: Amount, at: Timestamp) -> Result<(), Refused> {
        match self.seen.iter().find(|seen| seen.key == id) {
            Some(seen) if seen.value != amount.raw() => return Err(Refused::RefundAlreadyCounted),
            Some(_) => {}
            None => {
                self.take_back(key, amount, at);
                self.see(Seen { key: id, value: amount.raw(), what: What::Refund { order: key, at } });
            }
        }
        self.pass(at);
        Ok(())
    }

    /// Takes back a whole order, known or to come, as it was completed until then.
    pub fn cancel(&mut self, key: Key, at: Timestamp) {
        if let Some(index) = self.orders.iter().position(|order| order.key == key) {
            let mut order = self.orders[index];
            order.cancelled = order.cancelled.max(Some(at));
            self.replace(index, order);
        } else {
            let awaited = self.awaited_mut(key);
            awaited.cancelled = awaited.cancelled.max(Some(at));
        }
        self.pass(at);
    }

    /// Spends points, less those that were given back before it came. `keys` tells this redemption
    /// from others; `has_id` when it has an id of its own.
    pub fn redeem(
        &mut self,
        keys: RedemptionKeys,
        has_id: bool,
        points: i64,
        at: Timestamp,
    ) -> Result<(), Refused> {
        let spent = u64::try_from(points).ok().filter(|points| *points > 0).ok_or(Refused::Points)?;
        let id = if has_id { keys.called } else { keys.by_event };
        match self.seen.iter().find(|seen| seen.key == id) {
            Some(seen) if seen.value != spent => return Err(Refused::AlreadyRedeemed),
            Some(seen) if seen.is_another_after_cancelled(at) => return Err(Refused::RedemptionCancelled),
            Some(_) => {}
            None => {
                let early = self.returns.iter().position(|early| early.key == keys.called);
                let given_back = early.map_or(0, |index| self.returns[index].points.min(spent));
                let net = spent - given_back;
                if net > 0 && i128::from(net) > i128::from(self.points()) {
                    return Err(Refused::NotEnoughPoints);
                }
                if let Some(index) = early {
                    self.returns.remove(index);
                }
                self.redeemed = self.redeemed.saturating_add(net);
                self.see(Seen { key: id, value: spent, what: What::Redemption { at: Some(at), given_back } });
            }
        }
        self.pass(at);
        Ok(())
    }

    /// Gives back what a redemption spent, known or to come: all of it, or a part that `id` tells
    /// from other parts. What is beyond the redemption was never spent.
    pub fn give_back(
        &mut self,
        keys: RedemptionKeys,
        part: Option<(Key, i64)>,
        at: Timestamp,
    ) -> Result<(), Refused> {
        let mut points = u64::MAX;
        if let Some((id, part)) = part {
            points = u64::try_from(part).ok().filter(|points| *points > 0).ok_or(Refused::Points)?;
            if let Some(seen) = self.seen.iter().find(|seen| seen.key == id) {
                if seen.value != points {
                    return Err(Refused::AlreadyGivenBack);
                }
                self.pass(at);
                return Ok(());
            }
        }
        let of = |key: Key| self.seen.iter().position(|seen| seen.key == key);
        if let Some(index) = of(keys.called).or_else(|| of(keys.by_event)) {
            let given = self.seen[index].give_back(points);
            self.redeemed = self.redeemed.saturating_sub(given);
        } else if let Some(early) = self.returns.iter_mut().find(|early| early.key == keys.called) {
            early.points = early.points.saturating_add(points);
        } else {
            self.returns.push(Return { key: keys.called, points });
            if self.returns.len() > RETURNS_MAX {
                self.returns.remove(0);
            }
        }
        if let Some((key, _)) = part {
            self.see(Seen { key, value: points, what: What::Plain });
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
        let known = self.orders.iter().map(|order| (order.at().date(), order.points()));
        self.days.iter().copied().chain(known)
    }

    fn place(&mut self, order: Order) {
        let place = self.orders.partition_point(|other| other.place() < order.place());
        self.orders.insert(place, order);
    }

    /// Keeps what is now known of an order. When another completion counts from now on, so do only
    /// the refunds after it.
    fn replace(&mut self, index: usize, mut order: Order) {
        let known = self.orders.remove(index);
        if order.is_again() && (!known.is_again() || known.last != order.last) {
            let of_it = |seen: &&Seen| match seen.what {
                What::Refund { order: key, at } => key == order.key && order.takes_refund(at),
                What::Plain | What::Redemption { .. } => false,
            };
            let sum = self.seen.iter().filter(of_it).fold(0u64, |sum, seen| sum.saturating_add(seen.value));
            order.refunded = sum.min(order.amount.raw());
        }
        self.place(order);
    }

    /// Partial refunds add up to at most the order: what is beyond it has no points to take.
    fn take_back(&mut self, key: Key, amount: Amount, at: Timestamp) {
        if let Some(order) = self.orders.iter_mut().find(|order| order.key == key) {
            if order.takes_refund(at) {
                order.refunded = order.refunded.saturating_add(amount.raw()).min(order.amount.raw());
            }
        } else {
            let awaited = self.awaited_mut(key);
            awaited.refunded = awaited.refunded.saturating_add(amount.raw()).min(Amount::MAX.raw());
        }
    }

    /// What waits for the order: a new place when nothing did.
    fn awaited_mut(&mut self, key: Key) -> &mut Awaited {
        let index = self.awaited.iter().position(|awaited| awaited.key == key).unwrap_or_else(|| {
            if self.awaited.len() == AWAITED_MAX {
                self.awaited.remove(0);
            }
            self.awaited.push(Awaited { key, refunded: 0, cancelled: None });
            self.awaited.len() - 1
        });
        &mut self.awaited[index]
    }

    fn see(&mut self, seen: Seen) {
        self.seen.push(seen);
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
        let (day, points) = (order.at().date(), order.points());
        self.settled = self.settled.saturating_add(points);
        self.horizon = Some(order.place());
        match self.days.last_mut() {
            Some((last, sum)) if *last == day => *sum = sum.saturating_add(points),
            _ => self.days.push((day, points)),
        }
    }

    /// Whether the rules hold that every method relies on; bytes from outside may break them.
    pub fn is_sound(&self) -> bool {
        let first = self.orders.first().map(Order::place);
        let horizon = self.horizon.is_none_or(|horizon| first.is_none_or(|first| horizon < first));
        self.orders.len() <= ORDERS_MAX
            && self.awaited.len() <= AWAITED_MAX
            && self.seen.len() <= SEEN_MAX
            && self.returns.len() <= RETURNS_MAX
            && self.orders.is_sorted_by(|a, b| a.place() < b.place())
            && self
                .orders
                .iter()
                .all(|order| order.refunded <= order.amount.raw() && order.first <= order.last)
            && self.seen.iter().all(|seen| seen.given_back() <= seen.value)
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
