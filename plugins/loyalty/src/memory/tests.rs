use proptest::prelude::*;
use samsyn_plugin::testing::{Host, Run, event, profile};
use samsyn_plugin::{Decimal, Effects, Event, Settings, Subscriber, Timestamp};

use super::*;
use crate::key::Key;
use crate::ledger::{AWAITED_MAX, ORDERS_MAX, SEEN_MAX};
use crate::money::{Amount, Rate};

const MANIFEST: &str = include_str!("../../plugin.toml");
/// What a ledger can take at most: it is read and written with every order.
const MEMORY_BYTES_MAX: usize = 16 * 1024;
const DAY_MILLIS: i64 = 86_400_000;

/// Recalls the ledger and remembers it again.
struct Echo;

impl Subscriber for Echo {
    fn on_event(_: &Event, profile: &Profile, _: &Settings, effects: &mut Effects) -> Result<(), Error> {
        effects.remember(&recall(profile)?)
    }
}

fn echo(bytes: &[u8]) -> Run {
    let any_event = event("order.cancelled").property("order_id", "1");
    Host::from_manifest(MANIFEST).on_event::<Echo>(&any_event, &profile().memory_bytes(bytes))
}

/// The ledger as the host would keep it.
fn bytes_of(ledger: &Ledger) -> Vec<u8> {
    let any_event = event("order.cancelled").property("order_id", "1");
    let run = Host::from_manifest(MANIFEST).on_event::<Echo>(&any_event, &profile().memory(ledger));
    assert_eq!(run.memory::<Ledger>().as_ref(), Some(ledger), "{run:?}");
    run.memory_bytes().expect("the echo remembers").to_vec()
}

fn amount(text: &str) -> Amount {
    Amount::rounded(Decimal::from_str_exact(text).unwrap()).unwrap()
}

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

fn customer_with_orders(count: i64) -> Ledger {
    let mut ledger = Ledger::default();
    for number in 0..count {
        let when = at(1_790_000_000_000 + number * 30 * DAY_MILLIS);
        let rate = Rate::exactly(Decimal::ONE).unwrap();
        ledger.complete(Key::order(&number.to_string()), amount("123.45"), rate, when).unwrap();
    }
    ledger
}

/// Everything full, every number as long as it can be.
fn fullest() -> Ledger {
    let mut ledger = Ledger::default();
    // The last days that RFC 3339 can write, so that moments and days take the most bytes.
    let last = 253_402_300_799_999;
    let orders = ORDERS_MAX as i64 + 365;
    for number in 0..orders {
        // A year of settled orders, one a day, then the known ones on the last day.
        let when = at(last - (364 - number).max(0) * DAY_MILLIS);
        let id = number.to_string();
        ledger.complete(Key::order(&id), Amount::MAX, Rate::MAX, when).unwrap();
        let all_but_a_little = Amount::try_from(Amount::MAX.raw() - 1).unwrap();
        if number >= 365 {
            ledger.refund(Key::order(&id), Key::refund(&id, None, "e"), all_but_a_little, when).unwrap();
        }
    }
    for number in 0..AWAITED_MAX {
        ledger.cancel(Key::order(&format!("unknown {number}")), at(last));
    }
    for number in 0..SEEN_MAX {
        ledger.redeem(Key::redemption(None, &number.to_string()), 1_000_000_000_000_000, at(last)).unwrap();
    }
    ledger
}

#[test]
fn typical_customers_take_little() {
    for (orders, bytes_max) in [(1, 50), (3, 100), (10, 250), (50, 1_100)] {
        let bytes = bytes_of(&customer_with_orders(orders)).len();
        assert!(bytes <= bytes_max, "{orders} orders take {bytes} bytes");
    }
}

#[test]
fn the_fullest_ledger_fits() {
    let bytes = bytes_of(&fullest()).len();
    assert!((MEMORY_BYTES_MAX / 2..=MEMORY_BYTES_MAX).contains(&bytes), "{bytes}");
    // Whatever the numbers are: a varint of 64 bits takes at most ten bytes, of 32 bits five, and
    // an amount eight.
    let head = 1 + 3 + 1 + 10 + 5 + 10 + 10 + (10 + 8) + 4 * 2;
    let (order, day, awaited, seen) = (10 + 8 + 8 + 8 + 5, 5 + 10, 8 + 8, 8 + 10);
    let most = head + ORDERS_MAX * order + 365 * day + AWAITED_MAX * awaited + SEEN_MAX * seen;
    assert!(most <= MEMORY_BYTES_MAX, "{most}");
}

#[test]
fn version_1_reads_what_version_1_wrote() {
    // Put together outside this code, so that a change of the format can't go unseen.
    let kept = [
        1, 35, 12, 128, 176, 131, 197, 152, 104, 218, 195, 2, 0, 0, 0, 1, 209, 29, 140, 2, 49, 42, 38, 93,
        128, 176, 131, 197, 152, 104, 196, 172, 75, 0, 0, 0, 0,
    ];
    let ledger = customer_with_orders(1);
    assert_eq!(echo(&kept).memory::<Ledger>(), Some(ledger.clone()));
    assert_eq!(bytes_of(&ledger), kept);
}

#[test]
fn damage_and_other_versions_are_errors() {
    let bytes = bytes_of(&customer_with_orders(3));
    for end in 0..bytes.len() {
        assert!(echo(&bytes[..end]).result.is_err(), "cut to {end} bytes");
    }
    assert!(echo(&[&bytes[..], &[0]].concat()).result.is_err(), "a byte too many");
    for version in [0, 2, 255] {
        let other = [&[version], &bytes[1..]].concat();
        assert!(matches!(echo(&other).result, Err(Error::Memory(_))), "version {version}");
    }
}

#[test]
fn a_ledger_that_breaks_its_rules_is_an_error() {
    // Of two orders the second ends the bytes, but for the lengths of the two empty lists: its
    // key, the step from the first (five bytes), amount, refunded and rate. Undo the zigzag's sign.
    let mut bytes = bytes_of(&customer_with_orders(2));
    let step = bytes.len() - 2 - (1 + 1 + 3 + 5);
    bytes[step] |= 1;
    let error = echo(&bytes).result.unwrap_err().to_string();
    assert!(error.contains("breaks its own rules"), "{error}");
}

proptest! {
    #[test]
    fn any_bytes_are_a_ledger_or_an_error(
        mut bytes in prop::collection::vec(any::<u8>(), 0..200), versioned in any::<bool>(),
    ) {
        if versioned && !bytes.is_empty() {
            bytes[0] = Ledger::VERSION;
        }
        let run = echo(&bytes);
        if run.result.is_ok() {
            let again = run.memory_bytes().expect("the echo remembers").to_vec();
            let twice = echo(&again);
            prop_assert_eq!(twice.memory_bytes(), Some(&again[..]));
        }
    }

    #[test]
    fn a_flipped_byte_never_panics(index in any::<prop::sample::Index>(), flip in 1u8..) {
        let mut bytes = bytes_of(&customer_with_orders(5));
        let place = index.index(bytes.len());
        bytes[place] ^= flip;
        let order = event("order.completed").property("order_id", "new").property("amount", "5");
        let run = Host::from_manifest(MANIFEST).on_event::<crate::Loyalty>(&order, &profile().memory_bytes(bytes));
        prop_assert!(run.result.is_err() || !run.effects.is_empty());
    }
}
