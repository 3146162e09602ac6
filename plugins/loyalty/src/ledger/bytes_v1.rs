//! Reads the ledgers that version 1 of the memory wrote. It knew no time of a cancellation: a
//! cancelled order was one with everything refunded.
//!
//! ```text
//! flags to orders       as in version 2
//! awaited       varint  how many; each: key, varint refunded, from 1
//! seen          varint  how many; each: key, varint value
//! ```

use super::bytes::{
    HAS_HORIZON, HAS_MEMBER_SINCE, HAS_NEWEST, Reader, TIER_BITS, TIERS, read_days, read_plain_orders,
};
use super::seen::{Seen, What};
use super::{AWAITED_MAX, Awaited, Ledger, SEEN_MAX};
use crate::money::Amount;

impl Ledger {
    /// Reads the bytes of version 1; `None` when they are none, or more. Whether the ledger's
    /// rules hold is another question: [`Ledger::is_sound`].
    pub fn from_bytes_v1(bytes: &[u8]) -> Option<Ledger> {
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
            orders: read_plain_orders(&mut input)?,
            awaited: input.list(AWAITED_MAX, |input| {
                let (key, refunded) = (input.key()?, Amount::try_from(input.varint()?).ok()?);
                Some(Awaited { key, refunded: refunded.raw(), cancelled: None })
            })?,
            seen: input.list(SEEN_MAX, |input| {
                Some(Seen { key: input.key()?, value: input.varint()?, what: What::Plain })
            })?,
            returns: Vec::new(),
        };
        input.0.is_empty().then_some(ledger)
    }
}
