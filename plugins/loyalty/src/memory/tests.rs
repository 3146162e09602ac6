use proptest::prelude::*;
use samsyn_plugin::testing::{Host, Run, event, profile};
use samsyn_plugin::{Decimal, Effects, Event, Settings, Subscriber, Timestamp};

use super::*;
use crate::key::Key;
use crate::ledger::{AWAITED_MAX, ORDERS_MAX, RETURNS_MAX, SEEN_MAX};
use crate::money::{Amount, Rate};

const MANIFEST: &str = include_str!("../../plugin.toml");
/// What a ledger can take at most: it is read and written with every order. The host allows
/// 32 KiB. Until version 2 it was 16 KiB: times of cancellations, refunds and redemptions came.
const MEMORY_BYTES_MAX: usize = 24 * 1024;
/// The first moment that RFC 3339 can write.
const EARLIEST_MILLIS: i64 = -62_167_219_200_000;
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
            // Completed, cancelled and completed again, in another order.
            ledger.cancel(Key::order(&id), at(EARLIEST_MILLIS + 1));
            ledger.complete(Key::order(&id), Amount::MAX, Rate::MAX, at(EARLIEST_MILLIS)).unwrap();
            let when = at(last + 1);
            ledger.refund(Key::order(&id), Key::refund(&id, None, "e"), all_but_a_little, when).unwrap();
        }
    }
    for number in 0..AWAITED_MAX {
        let (id, refund) = (format!("unknown {number}"), Key::refund("u", None, &number.to_string()));
        ledger.cancel(Key::order(&id), at(last));
        ledger.refund(Key::order(&id), refund, Amount::MAX, at(last)).unwrap();
    }
    // Each with a part given back.
    for number in 0..SEEN_MAX / 2 {
        let keys = crate::redemption_keys(&number.to_string());
        let when = at(if number % 2 == 0 { last } else { EARLIEST_MILLIS });
        ledger.redeem(keys, true, 1_000_000_000_000_000, when).unwrap();
        let part = Key::given_back("s", None, &number.to_string());
        ledger.give_back(keys, Some((part, 999_999_999_999_999)), when).unwrap();
    }
    for number in 0..RETURNS_MAX {
        ledger.give_back(crate::redemption_keys(&format!("unknown {number}")), None, at(last)).unwrap();
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
    let head = 1 + 3 + 1 + 10 + 5 + 10 + 10 + (10 + 8) + 6 * 2;
    let (order, day, awaited) = (10 + 8 + 8 + 8 + 5 + 1 + 8 + 8 + 1 + 8, 5 + 10, 8 + 8 + 1 + 8);
    let (seen, early) = (8 + 10 + 1 + 8 + 8, 8 + 10);
    let most =
        head + ORDERS_MAX * order + 365 * day + AWAITED_MAX * awaited + SEEN_MAX * seen + RETURNS_MAX * early;
    assert!(most <= MEMORY_BYTES_MAX, "{most}");
}

#[test]
fn version_2_reads_what_versions_1_and_2_wrote() {
    // Put together outside this code, so that a change of the format can't go unseen.
    let version_1 = [
        1, 35, 12, 128, 176, 131, 197, 152, 104, 218, 195, 2, 0, 0, 0, 1, 209, 29, 140, 2, 49, 42, 38, 93,
        128, 176, 131, 197, 152, 104, 196, 172, 75, 0, 0, 0, 0,
    ];
    // The same, and then that there are no stories and no returns.
    let version_2 = [&[2, 37], &version_1[2..], &[0, 0]].concat();
    let ledger = customer_with_orders(1);
    assert_eq!(echo(&version_1).memory::<Ledger>(), Some(ledger.clone()));
    assert_eq!(echo(&version_2).memory::<Ledger>(), Some(ledger.clone()));
    assert_eq!(bytes_of(&ledger), version_2);
}

#[test]
fn every_kind_of_entry_reads_back() {
    let ledger = fullest();
    let bytes = bytes_of(&ledger);
    assert_eq!(echo(&bytes).memory_bytes(), Some(&bytes[..]));
    // A redemption that version 1 saw, of which something was given back.
    let version_1 =
        [&[1, 17, 4, 0, 12, 0, 0, 0, 0, 1], &Key::redemption(Some("s1"), "").to_bytes()[..], &[5]];
    let mut bytes = version_1.concat();
    bytes[1] = (bytes.len() - 2) as u8;
    let mut ledger = echo(&bytes).memory::<Ledger>().expect("a ledger of version 1");
    ledger.give_back(crate::redemption_keys("s1"), None, at(0)).unwrap();
    assert_eq!(echo(&bytes_of(&ledger)).memory::<Ledger>(), Some(ledger));
}

#[test]
fn damage_and_other_versions_are_errors() {
    for bytes in [bytes_of(&customer_with_orders(3)), bytes_of(&fullest())] {
        for end in (0..bytes.len()).step_by(1 + bytes.len() / 500) {
            assert!(echo(&bytes[..end]).result.is_err(), "cut to {end} bytes");
        }
        assert!(echo(&[&bytes[..], &[0]].concat()).result.is_err(), "a byte too many");
        for version in [0, 3, 255] {
            let other = [&[version], &bytes[1..]].concat();
            assert!(matches!(echo(&other).result, Err(Error::Memory(_))), "version {version}");
        }
        // Neither version reads the other's bytes.
        assert!(echo(&[&[1], &bytes[1..]].concat()).result.is_err());
    }
}

#[test]
fn a_ledger_that_breaks_its_rules_is_an_error() {
    // Of two orders the second ends the bytes, but for the lengths of the four empty lists: its
    // key, the step from the first (five bytes), amount, refunded and rate. Undo the zigzag's sign.
    let mut bytes = bytes_of(&customer_with_orders(2));
    let step = bytes.len() - 4 - (1 + 1 + 3 + 5);
    bytes[step] |= 1;
    let error = echo(&bytes).result.unwrap_err().to_string();
    assert!(error.contains("breaks its own rules"), "{error}");
}

proptest! {
    #[test]
    fn any_bytes_are_a_ledger_or_an_error(
        mut bytes in prop::collection::vec(any::<u8>(), 0..200), version in 0..=Ledger::VERSION,
    ) {
        // 0: whatever stands there.
        if version > 0 && !bytes.is_empty() {
            bytes[0] = version;
        }
        let run = echo(&bytes);
        if run.result.is_ok() {
            let again = run.memory_bytes().expect("the echo remembers").to_vec();
            let twice = echo(&again);
            prop_assert_eq!(twice.memory_bytes(), Some(&again[..]));
        }
    }

    #[test]
    fn a_flipped_byte_never_panics(index in any::<prop::sample::Index>(), flip in 1u8.., few in any::<bool>()) {
        let mut bytes = bytes_of(&if few { customer_with_orders(5) } else { fullest() });
        let place = index.index(bytes.len());
        bytes[place] ^= flip;
        let order = event("order.completed").property("order_id", "new").property("amount", "5");
        let run = Host::from_manifest(MANIFEST).on_event::<crate::Loyalty>(&order, &profile().memory_bytes(bytes));
        prop_assert!(run.result.is_err() || !run.effects.is_empty());
    }
}
