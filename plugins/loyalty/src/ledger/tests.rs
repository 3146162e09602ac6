use proptest::prelude::*;
use samsyn_plugin::Decimal;

use super::*;

const DAY_MILLIS: i64 = 86_400_000;

fn day(days: i64) -> Timestamp {
    Timestamp::from_millis(days * DAY_MILLIS)
}

fn amount(text: &str) -> Amount {
    Amount::rounded(Decimal::from_str_exact(text).unwrap()).unwrap()
}

fn rate(text: &str) -> Rate {
    Rate::exactly(Decimal::from_str_exact(text).unwrap()).unwrap()
}

fn usual() -> Thresholds {
    Thresholds::new(100, 300).unwrap()
}

/// One event of a stream, in units that are short to write.
#[derive(Clone, Debug)]
enum Step {
    /// Order, amount, day.
    Order(u32, String, i64),
    /// Order, refund, amount, day.
    Refund(u32, u32, String, i64),
    /// Order, day.
    Cancel(u32, i64),
    /// Redemption, points, day.
    Redeem(u32, i64, i64),
    /// Redemption, a part and its points or all, day.
    GiveBack(u32, Option<(u32, i64)>, i64),
}
use Step::{Cancel, GiveBack, Redeem, Refund};

fn order(id: u32, amount: &str, day: i64) -> Step {
    Step::Order(id, amount.to_owned(), day)
}

fn refund(id: u32, refund: u32, amount: &str, day: i64) -> Step {
    Refund(id, refund, amount.to_owned(), day)
}

fn take(ledger: &mut Ledger, step: &Step) -> Result<(), Refused> {
    let order_key = |id: &u32| Key::order(&id.to_string());
    let taken = match step {
        Step::Order(id, sum, at) => {
            ledger.complete(order_key(id), amount(sum), rate("1"), day(*at)).map(|_told| ())
        }
        Refund(id, part, sum, at) => {
            let refund_key = Key::refund(&id.to_string(), Some(&part.to_string()), "");
            ledger.refund(order_key(id), refund_key, amount(sum), day(*at))
        }
        Cancel(id, at) => {
            ledger.cancel(order_key(id), day(*at));
            Ok(())
        }
        Redeem(id, points, at) => {
            ledger.redeem(crate::redemption_keys(&id.to_string()), true, *points, day(*at))
        }
        GiveBack(id, part, at) => {
            let id = id.to_string();
            let part_key = |part: &u32| Key::given_back(&id, Some(&part.to_string()), "");
            let part = part.as_ref().map(|(part, points)| (part_key(part), *points));
            ledger.give_back(crate::redemption_keys(&id), part, day(*at))
        }
    };
    assert!(ledger.is_sound(), "{step:?}");
    taken
}

/// The standing after the steps, none of which may be refused.
fn after(steps: &[Step]) -> Option<Standing> {
    let mut ledger = Ledger::default();
    for step in steps {
        take(&mut ledger, step).unwrap_or_else(|refused| panic!("{step:?}: {refused}"));
    }
    ledger.announce(usual())
}

fn points_after(steps: &[Step]) -> i64 {
    after(steps).expect("a member").points
}

#[test]
fn points_are_what_is_left_of_every_order_rounded_down() {
    for (steps, points) in [
        (&[order(1, "29.99", 0)][..], 29),
        (&[order(1, "29.99", 0), order(2, "0.99", 0)], 29),
        (&[order(1, "29.99", 0), refund(1, 1, "0.99", 1)], 29),
        (&[order(1, "29.99", 0), refund(1, 1, "1", 1)], 28),
        (&[order(1, "30", 0), refund(1, 1, "0.01", 1)], 29),
        (&[order(1, "30", 0), refund(1, 1, "10", 1), refund(1, 2, "10", 1)], 10),
        (&[order(1, "30", 0), refund(1, 1, "20", 1), refund(1, 2, "20", 1)], 0),
        (&[order(1, "30", 0), refund(2, 1, "20", 1)], 30),
        (&[order(1, "30", 0), Cancel(1, 1)], 0),
        (&[order(1, "30", 0), Cancel(1, 1), Cancel(1, 2), refund(1, 1, "5", 3)], 0),
        (&[Cancel(1, 1), order(1, "30", 0)], 0),
        (&[refund(1, 1, "20", 1), order(1, "30", 0)], 10),
        (&[refund(1, 1, "20", 1), refund(1, 2, "20", 1), order(1, "30", 0)], 0),
        (&[order(1, "30", 0), Redeem(1, 10, 1)], 20),
        (&[order(1, "30", 0), Redeem(1, 30, 1), Cancel(1, 2)], -30),
        (&[order(1, "30", 0), Redeem(1, 30, 1), Cancel(1, 2), order(2, "50", 3)], 20),
    ] {
        assert_eq!(points_after(steps), points, "{steps:?}");
    }
}

#[test]
fn a_refund_takes_back_what_the_order_gave_whatever_the_rate_is_now() {
    let mut ledger = Ledger::default();
    let (first, second) = (Key::order("1"), Key::order("2"));
    ledger.complete(first, amount("10"), rate("5"), day(0)).unwrap();
    ledger.complete(second, amount("10"), rate("1"), day(0)).unwrap();
    assert_eq!(ledger.points(), 60);
    ledger.refund(first, Key::refund("1", None, "e1"), amount("4"), day(1)).unwrap();
    assert_eq!(ledger.points(), 40);
    ledger.cancel(first, day(1));
    assert_eq!(ledger.points(), 10);
}

#[test]
fn what_makes_no_sense_is_refused_and_changes_nothing() {
    let mut ledger = Ledger::default();
    for step in [order(1, "30", 0), refund(1, 1, "5", 1), Redeem(1, 5, 1)] {
        take(&mut ledger, &step).unwrap();
    }
    for (step, refused) in [
        (order(1, "31", 9), Refused::OrderAlreadyCounted),
        (refund(1, 1, "6", 9), Refused::RefundAlreadyCounted),
        (Redeem(1, 6, 9), Refused::AlreadyRedeemed),
        (Redeem(2, 21, 9), Refused::NotEnoughPoints),
        (Redeem(2, 0, 9), Refused::Points),
        (Redeem(2, -5, 9), Refused::Points),
        (Redeem(2, i64::MIN, 9), Refused::Points),
    ] {
        let before = ledger.clone();
        assert_eq!(take(&mut ledger, &step), Err(refused), "{step:?}");
        assert_eq!(ledger, before, "{step:?}");
    }
    assert_eq!(take(&mut ledger, &Redeem(2, 20, 9)), Ok(()));
}

#[test]
fn nobody_is_a_member_before_the_first_order() {
    assert_eq!(after(&[refund(1, 1, "5", 0), Cancel(2, 0)]), None);
    let mut ledger = Ledger::default();
    assert_eq!(take(&mut ledger, &Redeem(1, 1, 0)), Err(Refused::NotEnoughPoints));
    // The earliest order by its own time, even when it came late and was cancelled.
    let standing = after(&[order(1, "5", 9), order(2, "5", 3), Cancel(2, 4)]).unwrap();
    assert_eq!(standing.member_since, day(3).date());
}

#[test]
fn the_tier_follows_what_was_earned_not_what_is_left() {
    let steps = [order(1, "100", 0), order(2, "200", 10), Redeem(1, 300, 11)];
    let standing = after(&steps).unwrap();
    assert_eq!((standing.points, standing.tier), (0, Tier::Gold));
    assert_eq!(standing.tier_until, Some(day(365).date()));
    let refunded = after(&[&steps[..2], &[refund(2, 1, "0.5", 12)]].concat()).unwrap();
    assert_eq!((refunded.points, refunded.tier), (299, Tier::Silver));
    assert_eq!(refunded.tier_until, Some(day(375).date()));
}

#[test]
fn a_tier_runs_out_by_event_time() {
    let mut ledger = Ledger::default();
    take(&mut ledger, &order(1, "300", 0)).unwrap();
    assert_eq!(ledger.announce(usual()).unwrap().tier, Tier::Gold);
    assert_eq!(ledger.tier_before(day(364), usual()), Tier::Gold);
    assert_eq!(ledger.tier_before(day(365), usual()), Tier::Bronze);
    // A late event doesn't turn time back.
    take(&mut ledger, &order(2, "1", 400)).unwrap();
    assert_eq!(ledger.tier_before(day(10), usual()), Tier::Bronze);
    assert_eq!(ledger.announce(usual()).unwrap().tier, Tier::Bronze);
    // Lower thresholds don't announce themselves: what was told is what counts as before.
    assert_eq!(ledger.tier_before(day(400), Thresholds::new(1, 300).unwrap()), Tier::Bronze);
}

#[test]
fn time_passes_with_a_repeat_too() {
    let first = [order(1, "300", 0), refund(1, 1, "0.5", 0), order(2, "1", 0), Redeem(1, 5, 0)];
    for later in [order(1, "300", 365), refund(1, 1, "0.5", 365), Cancel(2, 365), Redeem(1, 5, 365)] {
        assert_eq!(after(&first).unwrap().tier, Tier::Gold);
        let steps = [&first[..], std::slice::from_ref(&later)].concat();
        assert_eq!(after(&steps).unwrap().tier, Tier::Bronze, "{later:?}");
    }
}

#[test]
fn orders_beyond_the_bound_keep_their_points_and_never_count_twice() {
    let mut ledger = Ledger::default();
    let settled = 40;
    let many = ORDERS_MAX as u32 + settled;
    for id in 0..many {
        take(&mut ledger, &order(id, "2.5", i64::from(id))).unwrap();
    }
    let standing = ledger.announce(usual()).unwrap();
    assert_eq!(standing.points, 2 * i64::from(many));
    assert_eq!((standing.tier, standing.member_since), (Tier::Gold, day(0).date()));
    // 464 points; the 83rd to leave makes it 298.
    assert_eq!(standing.tier_until, Some(day(82 + 365).date()));

    // Settled: a repeat is refused, a refund reaches nothing.
    assert_eq!(take(&mut ledger, &order(0, "2.5", 0)), Err(Refused::OrderTooOld));
    take(&mut ledger, &Cancel(0, 1)).unwrap();
    // Known: a repeat is a repeat, a refund takes back.
    assert_eq!(take(&mut ledger, &order(settled, "2.5", i64::from(settled))), Ok(()));
    take(&mut ledger, &Cancel(settled, i64::from(many))).unwrap();
    assert_eq!(ledger.points(), 2 * i64::from(many) - 2);

    // A year on, settled days count no more for the tier, and take no room.
    take(&mut ledger, &order(many, "2.5", i64::from(many) + 365)).unwrap();
    assert!(ledger.days.is_empty());
    assert_eq!(ledger.points(), 2 * i64::from(many));
    assert_eq!(ledger.announce(usual()).unwrap().tier, Tier::Bronze);
}

#[test]
fn what_waits_and_what_was_seen_is_bounded() {
    let mut ledger = Ledger::default();
    for id in 0..=AWAITED_MAX as u32 {
        take(&mut ledger, &Cancel(id, 0)).unwrap();
    }
    // The first announcement is forgotten, the second is not.
    take(&mut ledger, &order(0, "5", 0)).unwrap();
    assert_eq!(ledger.points(), 5);
    take(&mut ledger, &order(1, "5", 0)).unwrap();
    assert_eq!(ledger.points(), 5);

    take(&mut ledger, &order(1_000, "1000", 0)).unwrap();
    for id in 0..=SEEN_MAX as u32 {
        take(&mut ledger, &refund(1_000, id, "1", 0)).unwrap();
    }
    let once = ledger.points();
    take(&mut ledger, &refund(1_000, 1, "1", 0)).unwrap();
    assert_eq!(ledger.points(), once);
    take(&mut ledger, &refund(1_000, 0, "1", 0)).unwrap();
    assert_eq!(ledger.points(), once - 1);
}

#[test]
fn returns_that_wait_are_bounded() {
    let mut ledger = Ledger::default();
    take(&mut ledger, &order(1, "1000", 0)).unwrap();
    for id in 0..=RETURNS_MAX as u32 {
        take(&mut ledger, &GiveBack(id, None, 0)).unwrap();
    }
    // The first is forgotten: its redemption spends. The second is not.
    take(&mut ledger, &Redeem(0, 10, 0)).unwrap();
    assert_eq!(ledger.points(), 990);
    take(&mut ledger, &Redeem(1, 10, 0)).unwrap();
    assert_eq!(ledger.points(), 990);
    // A redemption that is no longer known by id isn't given back.
    for id in 0..SEEN_MAX as u32 {
        take(&mut ledger, &Redeem(1_000 + id, 1, 0)).unwrap();
    }
    let before = ledger.points();
    take(&mut ledger, &GiveBack(0, None, 0)).unwrap();
    assert_eq!(ledger.points(), before);
}

#[test]
fn an_order_that_left_the_known_ones_counts_no_second_time() {
    let mut ledger = Ledger::default();
    take(&mut ledger, &order(0, "5", 0)).unwrap();
    take(&mut ledger, &Cancel(0, 1)).unwrap();
    for id in 1..=ORDERS_MAX as u32 {
        take(&mut ledger, &order(id, "1", i64::from(id))).unwrap();
    }
    // Settled as cancelled. Nobody knows that it was, and it counts as the order it now is.
    let before = ledger.points();
    assert_eq!(take(&mut ledger, &order(0, "5", 0)), Err(Refused::OrderTooOld));
    take(&mut ledger, &order(0, "5", 1_000)).unwrap();
    assert_eq!(ledger.points(), before + 5);
    // A late first completion, as old as what is settled, moves nothing.
    take(&mut ledger, &order(0, "5", 1)).unwrap();
    assert_eq!(ledger.points(), before + 5);
}

/// Orders that differ, some of them completed twice; refunds and cancellations of some of them and
/// of others. A refund takes less than a fifth of an order that is completed twice, so that its
/// refunds never use it up.
fn stream() -> impl Strategy<Value = Vec<Step>> {
    let days = || -400i64..400;
    let orders =
        prop::collection::btree_map(0u32..20, (20u32..30_000, days(), prop::option::of(days())), 0..15);
    let refunds = prop::collection::btree_map((0u32..25, 0u32..4), (1u32..20_000, days()), 0..15);
    let cancels = prop::collection::vec((0u32..25, days()), 0..10);
    let money = |cents: u32| format!("{}.{:02}", cents / 100, cents % 100);
    (orders, refunds, cancels).prop_map(move |(orders, refunds, cancels)| {
        let completed = orders.iter().flat_map(|(id, (cents, at, again))| {
            let days = std::iter::once(*at).chain(*again);
            days.map(|day| Step::Order(*id, money(*cents), day)).collect::<Vec<_>>()
        });
        let refunds = refunds.iter().map(|((id, part), (cents, at))| {
            let most = match orders.get(id) {
                Some((order, _, Some(_))) => order / 5 - 1,
                _ => u32::MAX,
            };
            Refund(*id, *part, money((*cents).min(most).max(1)), *at)
        });
        let cancels = cancels.iter().map(|(id, at)| Cancel(*id, *at));
        completed.chain(refunds).chain(cancels).collect()
    })
}

/// Redemptions that differ, and cancellations of some of them and of others.
fn redemptions() -> impl Strategy<Value = Vec<Step>> {
    let redeemed = prop::collection::btree_map(0u32..12, (1i64..1_000, 0i64..400), 0..10);
    let parts = prop::collection::btree_map((0u32..15, 0u32..4), (1i64..1_000, 0i64..400), 0..15);
    let whole = prop::collection::vec((0u32..15, 0i64..400), 0..6);
    (redeemed, parts, whole).prop_map(|(redeemed, parts, whole)| {
        let redeemed = redeemed.into_iter().map(|(id, (points, at))| Redeem(id, points, at));
        let parts =
            parts.into_iter().map(|((id, part), (points, at))| GiveBack(id, Some((part, points)), at));
        let whole = whole.into_iter().map(|(id, at)| GiveBack(id, None, at));
        redeemed.chain(parts).chain(whole).collect()
    })
}

fn any_step() -> impl Strategy<Value = Step> {
    let sum =
        prop_oneof![Just("0.01".to_owned()), Just("29.99".to_owned()), Just("1000000000000".to_owned())];
    let at = prop_oneof![-500i64..500, Just(-700_000i64), Just(2_900_000i64)];
    prop_oneof![
        4 => (0u32..400, sum.clone(), at.clone()).prop_map(|(id, sum, at)| Step::Order(id, sum, at)),
        2 => (0u32..400, 0u32..5, sum, at.clone()).prop_map(|(id, part, sum, at)| Refund(id, part, sum, at)),
        1 => (0u32..400, at.clone()).prop_map(|(id, at)| Cancel(id, at)),
        1 => (0u32..40, -1i64..50, at.clone()).prop_map(|(id, points, at)| Redeem(id, points, at)),
        1 => (0u32..50, prop::option::of((0u32..5, -1i64..50)), at).prop_map(|(id, part, at)| GiveBack(id, part, at)),
    ]
}

proptest! {
    #[test]
    fn arrival_order_does_not_matter(
        (steps, shuffled) in stream().prop_flat_map(|steps| (Just(steps.clone()), Just(steps).prop_shuffle())),
    ) {
        prop_assert_eq!(after(&steps), after(&shuffled));
    }

    #[test]
    fn arrival_order_does_not_matter_to_redemptions(
        (steps, shuffled) in redemptions().prop_flat_map(|steps| (Just(steps.clone()), Just(steps).prop_shuffle())),
    ) {
        let spent = steps.iter().map(|step| if let Redeem(_, points, _) = step { *points } else { 0 }).sum::<i64>();
        // What was earned is enough for all, so that none is refused.
        let earned = [order(1, "10000", 0)];
        let points = points_after(&[&earned[..], &steps].concat());
        prop_assert_eq!(points, points_after(&[&earned[..], &shuffled].concat()));
        // Nothing is given back that wasn't spent.
        prop_assert!((10_000 - spent..=10_000).contains(&points), "{}", points);
    }

    #[test]
    fn a_redemption_s_repeat_changes_nothing(steps in redemptions(), repeated in any::<prop::sample::Index>()) {
        let mut ledger = Ledger::default();
        take(&mut ledger, &order(1, "10000", 400)).unwrap();
        for step in &steps {
            take(&mut ledger, step).unwrap();
        }
        if !steps.is_empty() {
            let before = ledger.clone();
            let step = repeated.get(&steps);
            take(&mut ledger, step).unwrap();
            prop_assert_eq!(ledger, before, "{:?}", step);
        }
    }

    #[test]
    fn a_repeat_changes_nothing(steps in stream(), repeated in any::<prop::sample::Index>()) {
        let mut ledger = Ledger::default();
        for step in &steps {
            take(&mut ledger, step).unwrap();
        }
        if !steps.is_empty() {
            let before = ledger.clone();
            take(&mut ledger, repeated.get(&steps)).unwrap();
            // A cancellation that waits is told again, and waits in the same place.
            prop_assert_eq!(ledger, before);
        }
    }

    #[test]
    fn no_sequence_breaks_the_rules_or_counts_an_order_twice(steps in prop::collection::vec(any_step(), 0..700)) {
        let mut ledger = Ledger::default();
        let mut most = std::collections::BTreeMap::new();
        for step in &steps {
            let before = ledger.clone();
            match take(&mut ledger, step) {
                Err(_) => prop_assert_eq!(&ledger, &before),
                Ok(()) => if let Step::Order(id, sum, _) = step {
                    // Once its cancellation is known it may come again with another amount.
                    let points = i128::from(rate("1").points(amount(sum).raw()));
                    most.entry(*id).and_modify(|most: &mut i128| *most = points.max(*most)).or_insert(points);
                },
            }
            // Announcing tells what is, and nothing else.
            let standing = ledger.announce(usual());
            prop_assert_eq!(standing, ledger.announce(usual()));
        }
        prop_assert!(i128::from(ledger.points()) <= most.values().sum::<i128>());
    }
}
