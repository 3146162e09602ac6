//! The ledger as bytes, written by hand because every order reads and writes all of it: a
//! derived encoding was measured to take five times as long and a fifth more room. Version 2;
//! `bytes_v1.rs` reads what came before:
//!
//! ```text
//! flags         u8      bits 0-1 tier, 2 newest follows, 3 member_since, 4 horizon, others 0
//! newest        step    milliseconds since 1970
//! member_since  step    days since 1970
//! redeemed      varint  points
//! settled       varint  points
//! horizon       step    milliseconds since 1970, then the key
//! days          varint  how many; each: step days from the one before, varint points
//! orders        varint  how many; each: key, step milliseconds from the one before, varint amount,
//!                       varint refunded, varint rate xor the rate before (at first 1 point)
//! stories       varint  how many, of orders that were completed or cancelled more than once; each:
//!                       varint orders passed over since the last, steps from the order's time
//!                       to the first and to the last completion, u8 whether cancelled, when it
//!                       is: step from the order's time
//! awaited       varint  how many; each: key, varint refunded, u8 whether cancelled, when it is: step
//!                       milliseconds since 1970
//! seen          varint  how many; each: key, varint value, u8 kind: 0 plain; 1 refund: key of the
//!                       order, step milliseconds from the refund or redemption before; 2 redemption:
//!                       step likewise, varint given back; 3 redemption: varint given back
//! returns       varint  how many; each: key, varint points
//! ```
//!
//! A varint is LEB128 of 64 bits in its shortest form; a step is a zigzag varint, and the first
//! of a list steps from 0; a key is eight bytes.

use samsyn_plugin::{Date, Timestamp};

use super::order::Order;
use super::seen::{Seen, What};
use super::{AWAITED_MAX, Awaited, Ledger, ORDERS_MAX, RETURNS_MAX, Return, SEEN_MAX};
use crate::key::Key;
use crate::money::{Amount, Rate};
use crate::tier::{Tier, WINDOW_DAYS};

const EPOCH: Date = Timestamp::from_millis(0).date();
pub(super) const TIERS: [Tier; 3] = [Tier::Bronze, Tier::Silver, Tier::Gold];
pub(super) const TIER_BITS: u8 = 0b11;
pub(super) const HAS_NEWEST: u8 = 1 << 2;
pub(super) const HAS_MEMBER_SINCE: u8 = 1 << 3;
pub(super) const HAS_HORIZON: u8 = 1 << 4;
/// What an ordinary order takes; a fuller one grows the buffer.
const ORDER_BYTES: usize = 24;
const PLAIN: u8 = 0;
const REFUND: u8 = 1;
const REDEMPTION: u8 = 2;
const REDEMPTION_OF_UNKNOWN_TIME: u8 = 3;

impl Ledger {
    /// The bytes of version 2.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Writer(Vec::with_capacity(64 + ORDER_BYTES * self.orders.len()));
        let flag = |bit, there: bool| if there { bit } else { 0 };
        out.0.push(
            self.tier as u8
                | flag(HAS_NEWEST, self.newest.is_some())
                | flag(HAS_MEMBER_SINCE, self.member_since.is_some())
                | flag(HAS_HORIZON, self.horizon.is_some()),
        );
        if let Some(newest) = self.newest {
            out.step(0, newest.millis());
        }
        if let Some(since) = self.member_since {
            out.step(0, since.days_since(EPOCH).into());
        }
        out.varint(self.redeemed);
        out.varint(self.settled);
        if let Some((at, key)) = self.horizon {
            out.step(0, at.millis());
            out.key(key);
        }
        self.write_days(&mut out);
        self.write_orders(&mut out);
        self.write_stories(&mut out);
        out.varint(self.awaited.len() as u64);
        for awaited in &self.awaited {
            out.key(awaited.key);
            out.varint(awaited.refunded);
            out.moment_opt(0, awaited.cancelled);
        }
        self.write_seen(&mut out);
        out.varint(self.returns.len() as u64);
        for early in &self.returns {
            out.key(early.key);
            out.varint(early.points);
        }
        out.0
    }

    fn write_days(&self, out: &mut Writer) {
        out.varint(self.days.len() as u64);
        let mut before = 0;
        for (day, points) in &self.days {
            let day = i64::from(day.days_since(EPOCH));
            out.step(before, day);
            out.varint(*points);
            before = day;
        }
    }

    fn write_orders(&self, out: &mut Writer) {
        out.varint(self.orders.len() as u64);
        let (mut at, mut rate) = (0, Rate::ONE.raw());
        for order in &self.orders {
            out.key(order.key);
            out.step(at, order.at().millis());
            out.varint(order.amount.raw());
            out.varint(order.refunded);
            out.varint(rate ^ order.rate.raw());
            (at, rate) = (order.at().millis(), order.rate.raw());
        }
    }

    fn write_stories(&self, out: &mut Writer) {
        let has_story = |order: &Order| order.first != order.last || order.cancelled.is_some();
        out.varint(self.orders.iter().filter(|order| has_story(order)).count() as u64);
        let mut passed = 0;
        for order in &self.orders {
            if !has_story(order) {
                passed += 1;
                continue;
            }
            let at = order.at().millis();
            out.varint(passed);
            out.step(at, order.first.millis());
            out.step(at, order.last.millis());
            out.moment_opt(at, order.cancelled);
            passed = 0;
        }
    }

    fn write_seen(&self, out: &mut Writer) {
        out.varint(self.seen.len() as u64);
        let mut before = 0;
        for seen in &self.seen {
            out.key(seen.key);
            out.varint(seen.value);
            match seen.what {
                What::Plain => out.0.push(PLAIN),
                What::Refund { order, at } => {
                    out.0.push(REFUND);
                    out.key(order);
                    out.step(before, at.millis());
                    before = at.millis();
                }
                What::Redemption { at: Some(at), given_back } => {
                    out.0.push(REDEMPTION);
                    out.step(before, at.millis());
                    out.varint(given_back);
                    before = at.millis();
                }
                What::Redemption { at: None, given_back } => {
                    out.0.push(REDEMPTION_OF_UNKNOWN_TIME);
                    out.varint(given_back);
                }
            }
        }
    }

    /// Reads the bytes of version 2; `None` when they are none, or more. Whether the ledger's
    /// rules hold is another question: [`Ledger::is_sound`].
    pub fn from_bytes(bytes: &[u8]) -> Option<Ledger> {
        let mut input = Reader(bytes);
        let flags = input.byte()?;
        if flags & !(TIER_BITS | HAS_NEWEST | HAS_MEMBER_SINCE | HAS_HORIZON) != 0 {
            return None;
        }
        let has = |bit: u8| flags & bit != 0;
        let ledger = Ledger {
            tier: *TIERS.get(usize::from(flags & TIER_BITS))?,
            newest: if has(HAS_NEWEST) { Some(input.moment(0)?) } else { None },
            member_since: if has(HAS_MEMBER_SINCE) { Some(input.day(0)?) } else { None },
            redeemed: input.varint()?,
            settled: input.varint()?,
            horizon: if has(HAS_HORIZON) { Some((input.moment(0)?, input.key()?)) } else { None },
            days: read_days(&mut input)?,
            orders: read_orders(&mut input)?,
            awaited: input.list(AWAITED_MAX, read_awaited)?,
            seen: read_seen(&mut input)?,
            returns: input
                .list(RETURNS_MAX, |input| Some(Return { key: input.key()?, points: input.varint()? }))?,
        };
        input.0.is_empty().then_some(ledger)
    }
}

pub(super) fn read_days(input: &mut Reader) -> Option<Vec<(Date, u64)>> {
    let mut before = 0;
    input.list(WINDOW_DAYS as usize, |input| {
        let day = input.day(before)?;
        before = day.days_since(EPOCH).into();
        Some((day, input.varint()?))
    })
}

fn read_orders(input: &mut Reader) -> Option<Vec<Order>> {
    let mut orders = read_plain_orders(input)?;
    let mut next = 0;
    for _ in 0..input.count(orders.len())? {
        let index = usize::try_from(input.varint()?).ok()?.checked_add(next)?;
        let order = orders.get_mut(index)?;
        let at = order.first;
        order.first = input.moment(at.millis())?;
        order.last = input.moment(at.millis())?;
        order.cancelled = input.moment_opt(at.millis())?;
        // It is written of these orders only, and from the time that counts.
        if order.at() != at || (order.first == order.last && order.cancelled.is_none()) {
            return None;
        }
        next = index + 1;
    }
    Some(orders)
}

/// Orders that were completed once, as version 1 knew them all.
pub(super) fn read_plain_orders(input: &mut Reader) -> Option<Vec<Order>> {
    let (mut before, mut rate) = (0, Rate::ONE.raw());
    input.list(ORDERS_MAX, |input| {
        let key = input.key()?;
        let at = input.moment(before)?;
        let amount = Amount::try_from(input.varint()?).ok()?;
        let refunded = input.varint()?;
        rate ^= input.varint()?;
        before = at.millis();
        let rate = Rate::try_from(rate).ok()?;
        Some(Order { key, first: at, last: at, cancelled: None, amount, refunded, rate })
    })
}

fn read_awaited(input: &mut Reader) -> Option<Awaited> {
    let (key, refunded) = (input.key()?, input.varint()?);
    Some(Awaited { key, refunded, cancelled: input.moment_opt(0)? })
}

fn read_seen(input: &mut Reader) -> Option<Vec<Seen>> {
    let mut before = 0;
    input.list(SEEN_MAX, |input| {
        let (key, value) = (input.key()?, input.varint()?);
        let kind = input.byte()?;
        let what = match kind {
            PLAIN => What::Plain,
            REFUND => What::Refund { order: input.key()?, at: input.moment(before)? },
            REDEMPTION => What::Redemption { at: Some(input.moment(before)?), given_back: input.varint()? },
            REDEMPTION_OF_UNKNOWN_TIME => What::Redemption { at: None, given_back: input.varint()? },
            _ => return None,
        };
        if let What::Refund { at, .. } | What::Redemption { at: Some(at), .. } = what {
            before = at.millis();
        }
        Some(Seen { key, value, what })
    })
}

struct Writer(Vec<u8>);

impl Writer {
    fn varint(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
    }

    fn step(&mut self, from: i64, to: i64) {
        let step = to.wrapping_sub(from);
        self.varint((step << 1) as u64 ^ (step >> 63) as u64);
    }

    fn moment_opt(&mut self, from: i64, at: Option<Timestamp>) {
        self.0.push(u8::from(at.is_some()));
        if let Some(at) = at {
            self.step(from, at.millis());
        }
    }

    fn key(&mut self, key: Key) {
        self.0.extend_from_slice(&key.to_bytes());
    }
}

pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl Reader<'_> {
    pub(super) fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    pub(super) fn varint(&mut self) -> Option<u64> {
        let mut number = 0u64;
        for shift in (0..u64::BITS).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            // Bits beyond the 64th, or a last byte that adds nothing: not the shortest form.
            if (bits << shift) >> shift != bits || (byte == 0 && shift > 0) {
                return None;
            }
            number |= bits << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    fn step(&mut self, from: i64) -> Option<i64> {
        let zigzag = self.varint()?;
        let step = (zigzag >> 1) as i64 ^ -((zigzag & 1) as i64);
        Some(from.wrapping_add(step))
    }

    pub(super) fn moment(&mut self, from: i64) -> Option<Timestamp> {
        Some(Timestamp::from_millis(self.step(from)?))
    }

    pub(super) fn day(&mut self, from: i64) -> Option<Date> {
        Some(EPOCH.add_days(i32::try_from(self.step(from)?).ok()?))
    }

    pub(super) fn key(&mut self) -> Option<Key> {
        let (key, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(Key::from_bytes(*key))
    }

    fn moment_opt(&mut self, from: i64) -> Option<Option<Timestamp>> {
        match self.byte()? {
            0 => Some(None),
            1 => Some(Some(self.moment(from)?)),
            _ => None,
        }
    }

    fn count(&mut self, most: usize) -> Option<usize> {
        usize::try_from(self.varint()?).ok().filter(|count| *count <= most)
    }

    pub(super) fn list<T>(
        &mut self,
        most: usize,
        mut read: impl FnMut(&mut Self) -> Option<T>,
    ) -> Option<Vec<T>> {
        let count = self.count(most)?;
        // One more, because what reads a ledger mostly adds to it.
        let mut list = Vec::with_capacity(if count == 0 { 0 } else { count + 1 });
        for _ in 0..count {
            list.push(read(self)?);
        }
        Some(list)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn varints_have_one_form() {
        for (bytes, number) in [
            (&[0][..], Some(0)),
            (&[0x7f], Some(127)),
            (&[0x80, 1], Some(128)),
            (&[0x80, 0], None),
            (&[0xff; 9], None),
            (&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1], Some(u64::MAX)),
            (&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2], None),
            (&[0xff; 11], None),
            (&[], None),
        ] {
            assert_eq!(Reader(bytes).varint(), number, "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn numbers_read_back(number: u64, from: i64, to: i64) {
            let mut out = Writer(Vec::new());
            out.varint(number);
            out.step(from, to);
            let mut input = Reader(&out.0);
            prop_assert_eq!((input.varint(), input.step(from)), (Some(number), Some(to)));
            prop_assert!(input.0.is_empty());
        }

        #[test]
        fn bytes_that_read_are_the_bytes_that_are_written(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            if let Some(ledger) = Ledger::from_bytes(&bytes) {
                prop_assert_eq!(ledger.to_bytes(), bytes);
            }
        }
    }
}
