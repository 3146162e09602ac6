//! Customers' stories, through the manifest.

use samsyn_plugin::testing::{Customer, EventBuilder, Host, Run, event, profile};
use samsyn_plugin::{Date, Value};

use super::Loyalty;

const MANIFEST: &str = include_str!("../plugin.toml");

fn host() -> Host {
    Host::from_manifest(MANIFEST)
}

fn order(customer: &mut Customer, id: &str, amount: &str, at: &str) -> Run {
    let order = event("order.completed").at(at).property("order_id", id).property("amount", amount);
    customer.on_event::<Loyalty>(&order.property("currency", "USD"))
}

fn cancel(customer: &mut Customer, id: &str, at: &str) -> Run {
    customer.on_event::<Loyalty>(&event("order.cancelled").at(at).property("order_id", id))
}

fn redeem(customer: &mut Customer, event_id: &str, points: i64) -> Run {
    let redemption =
        event("loyalty.redeemed").id(event_id).at("1997-06-01T12:00:00Z").property("points", points);
    customer.on_event::<Loyalty>(&redemption)
}

/// Points, tier, tier_until, member_since; empty where there is none.
fn fields(customer: &Customer) -> (Option<i64>, String, String, String) {
    let text = |field| match customer.value(field) {
        Some(Value::Date(date)) => date.to_string(),
        Some(Value::Text(text)) => text.clone(),
        _ => String::new(),
    };
    let points = customer.value("loyalty.points").and_then(Value::as_integer);
    (points, text("loyalty.tier"), text("loyalty.tier_until"), text("loyalty.member_since"))
}

fn shows(customer: &Customer, points: i64, tier: &str, until: &str, since: &str) {
    assert_eq!(fields(customer), (Some(points), tier.to_owned(), until.to_owned(), since.to_owned()));
}

fn reached(run: &Run) -> Vec<(String, String)> {
    let text = |properties: &[(String, Value)], name| {
        let found = properties.iter().find(|(known, _)| known == name);
        found.and_then(|(_, value)| value.as_text()).unwrap_or_default().to_owned()
    };
    let events = run.emitted("loyalty.tier_reached");
    events.iter().map(|properties| (text(properties, "tier"), text(properties, "previous"))).collect()
}

fn pair(tier: &str, previous: &str) -> Vec<(String, String)> {
    vec![(tier.to_owned(), previous.to_owned())]
}

#[test]
fn a_customer_over_two_years() {
    let host = host();
    let mut anna = host.customer();
    assert_eq!(reached(&order(&mut anna, "1", "29.33", "1997-01-12T00:00:00Z")), []);
    shows(&anna, 29, "bronze", "", "1997-01-12");
    let second = order(&mut anna, "2", "75.50", "1997-02-01T00:00:00Z");
    assert_eq!(reached(&second), pair("silver", "bronze"));
    shows(&anna, 104, "silver", "1998-01-12", "1997-01-12");
    assert_eq!(reached(&order(&mut anna, "3", "30", "1997-03-01T00:00:00Z")), []);
    shows(&anna, 134, "silver", "1998-02-01", "1997-01-12");
    // Spending costs points, not the tier.
    assert_eq!(redeem(&mut anna, "r1", 100).result, Ok(()));
    shows(&anna, 34, "silver", "1998-02-01", "1997-01-12");
    // The tier ran out in between, so it is reached again.
    let later = order(&mut anna, "4", "120", "1998-06-01T00:00:00Z");
    assert_eq!(reached(&later), pair("silver", "bronze"));
    shows(&anna, 154, "silver", "1999-06-01", "1997-01-12");
    // From bronze over silver to gold is one reach.
    let mut bo = host.customer();
    assert_eq!(reached(&order(&mut bo, "1", "512", "1998-06-01T00:00:00Z")), pair("gold", "bronze"));
    // Falling is no reach.
    assert_eq!(reached(&cancel(&mut bo, "1", "1998-06-02T00:00:00Z")), []);
    shows(&bo, 0, "bronze", "", "1998-06-01");
}

#[test]
fn a_repeat_has_no_effects_at_all() {
    let host = host();
    let mut anna = host.customer();
    order(&mut anna, "1", "250", "1997-01-12T00:00:00Z");
    assert!(order(&mut anna, " 1 ", "250.00", "1997-01-12T00:00:00Z").effects.is_empty());
    cancel(&mut anna, "1", "1997-01-13T00:00:00Z");
    assert!(cancel(&mut anna, "1", "1997-01-13T00:00:00Z").effects.is_empty());
    assert!(order(&mut anna, "1", "250", "1997-01-12T00:00:00Z").effects.is_empty());
    order(&mut anna, "2", "50", "1997-01-14T00:00:00Z");
    redeem(&mut anna, "r1", 20);
    assert!(redeem(&mut anna, "r1", 20).effects.is_empty());
    assert_eq!(fields(&anna).0, Some(30));
}

#[test]
fn a_refund_may_come_before_its_order() {
    let host = host();
    let mut anna = host.customer();
    let early = event("order.refunded").property("order_id", "1").property("amount", "10");
    let run = anna.on_event::<Loyalty>(&early);
    assert!(run.memory_bytes().is_some());
    assert_eq!(fields(&anna), (None, String::new(), String::new(), String::new()));
    order(&mut anna, "1", "30", "2025-12-24T18:00:00Z");
    shows(&anna, 20, "bronze", "", "2025-12-24");
    // Without an amount it is the whole order.
    anna.on_event::<Loyalty>(&event("order.refunded").property("order_id", "1"));
    shows(&anna, 0, "bronze", "", "2025-12-24");
}

#[test]
fn refunds_are_told_apart_by_their_id_else_by_their_events() {
    let host = host();
    let mut anna = host.customer();
    order(&mut anna, "1", "100", "2025-12-24T18:00:00Z");
    let refund = |event_id, refund_id: Option<&str>| {
        let refund = event("order.refunded").id(event_id).property("order_id", "1").property("amount", "10");
        refund_id.map_or(refund.clone(), |id| refund.property("refund_id", id))
    };
    for (refund, points) in [
        (refund("e1", Some("r1")), 90),
        (refund("e2", Some("r1")), 90),
        (refund("e3", Some("r2")), 80),
        (refund("e4", None), 70),
        (refund("e4", None), 70),
        (refund("e5", None), 60),
    ] {
        anna.on_event::<Loyalty>(&refund);
        assert_eq!(fields(&anna).0, Some(points), "{refund:?}");
    }
}

#[test]
fn bad_data_is_refused_and_changes_nothing() {
    let host = host();
    let mut anna = host.customer();
    order(&mut anna, "1", "30", "1997-01-12T00:00:00Z");
    let completed =
        |id: &str, amount: &str| event("order.completed").property("order_id", id).property("amount", amount);
    let refunded =
        |amount: &str| event("order.refunded").property("order_id", "1").property("amount", amount);
    for (event, code) in [
        (completed(" ", "5"), "order.id"),
        (completed("2", "0"), "order.amount"),
        (completed("2", "-5"), "order.amount"),
        (completed("2", "0.00001"), "order.amount"),
        (completed("2", "5").property("currency", "EUR"), "order.currency"),
        (completed("2", "5").property("currency", ""), "order.currency"),
        (completed("1", "31"), "order.already-counted"),
        (refunded("0"), "order.amount"),
        (refunded("-1"), "order.amount"),
        (refunded("1").property("currency", "SEK"), "order.currency"),
        (event("order.cancelled").property("order_id", ""), "order.id"),
        (event("loyalty.redeemed").property("points", 0), "loyalty.points"),
        (event("loyalty.redeemed").property("points", 31), "loyalty.not-enough-points"),
    ] {
        let run = anna.on_event::<Loyalty>(&event);
        assert_eq!((&run.result, run.refusals()), (&Ok(()), vec![(None, code)]), "{event:?}");
        assert_eq!(run.effects.len(), 1, "{event:?}");
    }
    shows(&anna, 30, "bronze", "", "1997-01-12");
}

#[test]
fn currency_and_rate_are_settings() {
    let host = host().setting("currency", "SEK").setting("points_per_unit", "0.1");
    let mut anna = host.customer();
    let order = event("order.completed").property("order_id", "1").property("amount", "1299.90");
    anna.on_event::<Loyalty>(&order.clone().property("currency", "sek "));
    assert_eq!(fields(&anna).0, Some(129));
    // Without a currency the setting's is meant.
    anna.on_event::<Loyalty>(&order.property("order_id", "2"));
    assert_eq!(fields(&anna).0, Some(258));
}

#[test]
fn settings_that_cant_be_right_park_the_delivery() {
    for (name, value) in
        [("points_per_unit", "-1"), ("points_per_unit", "1001"), ("silver_at", "301"), ("gold_at", "-1")]
    {
        let host = host().setting(name, value);
        let run = order(&mut host.customer(), "1", "30", "1997-01-12T00:00:00Z");
        let reason = run.result.expect_err(name).to_string();
        assert!(reason.contains(name), "{reason}");
        assert!(run.effects.is_empty());
    }
}

#[test]
fn only_what_changes_is_claimed() {
    let host = host();
    let mut anna = host.customer();
    assert_eq!(
        order(&mut anna, "1", "30", "1997-01-12T00:00:00Z").claim("loyalty.tier"),
        Some(&"bronze".into())
    );
    let second = order(&mut anna, "2", "30", "1997-01-13T00:00:00Z");
    assert_eq!(second.claim("loyalty.points"), Some(&60.into()));
    assert_eq!((second.claim("loyalty.tier"), second.claim("loyalty.member_since")), (None, None));
    assert!(!second.cleared("loyalty.tier_until"));
    // An older order arrives late: a member for longer.
    let late = order(&mut anna, "3", "30", "1996-12-30T00:00:00Z");
    assert_eq!(late.claim("loyalty.member_since"), Date::new(1996, 12, 30).map(Value::from).as_ref());
}

fn completed(id: &str, amount: &str, at: &str) -> EventBuilder {
    event("order.completed").at(at).property("order_id", id).property("amount", amount)
}

fn cancelled(id: &str, at: &str) -> EventBuilder {
    event("order.cancelled").at(at).property("order_id", id)
}

fn refunded(id: &str, refund_id: &str, amount: &str, at: &str) -> EventBuilder {
    let refund = event("order.refunded").at(at).property("order_id", id).property("amount", amount);
    refund.property("refund_id", refund_id)
}

fn redeemed(id: &str, points: i64, at: &str) -> EventBuilder {
    event("loyalty.redeemed").at(at).property("points", points).property("redemption_id", id)
}

/// By the redemption's id; the event's id is `event_id`.
fn given_back(id: &str, event_id: &str) -> EventBuilder {
    event("loyalty.redemption_cancelled").id(event_id).property("redemption_id", id)
}

/// Every order in which the events can arrive.
fn arrivals(events: &[EventBuilder]) -> Vec<Vec<EventBuilder>> {
    if events.len() < 2 {
        return vec![events.to_vec()];
    }
    let mut all = Vec::new();
    for (index, first) in events.iter().enumerate() {
        let mut rest = events.to_vec();
        rest.remove(index);
        for mut tail in arrivals(&rest) {
            tail.insert(0, first.clone());
            all.push(tail);
        }
    }
    all
}

/// What a customer shows after the events, in whatever order they arrive; none may be refused.
fn in_any_order(host: &Host, events: &[EventBuilder]) -> (Option<i64>, String, String, String) {
    in_any_order_but(host, events, &[])
}

/// The same, where a refusal with these codes may be told.
fn in_any_order_but(
    host: &Host,
    events: &[EventBuilder],
    codes: &[&str],
) -> (Option<i64>, String, String, String) {
    let mut shown = None;
    for arrival in arrivals(events) {
        let mut customer = host.customer();
        for event in &arrival {
            let run = customer.on_event::<Loyalty>(event);
            let fine = run.refusals().iter().all(|(_, code)| codes.contains(code));
            assert!(run.result.is_ok() && fine, "{event:?} of {arrival:?}: {run:?}");
        }
        let found = fields(&customer);
        assert_eq!(*shown.get_or_insert_with(|| found.clone()), found, "{arrival:?}");
    }
    shown.expect("an arrival")
}

#[test]
fn an_order_completed_again_after_its_cancellation_counts_again() {
    let host = host();
    let first = completed("1", "120", "2025-01-01T10:00:00Z");
    let off = cancelled("1", "2025-02-01T10:00:00Z");
    let again = completed("1", "120", "2025-03-01T10:00:00Z");
    let shown = in_any_order(&host, &[first.clone(), off.clone(), again.clone()]);
    // On the day when it was completed again, by a member since the first time.
    let expected = (Some(120), "silver".to_owned(), "2026-03-01".to_owned(), "2025-01-01".to_owned());
    assert_eq!(shown, expected);
    // Cancelled again, it is gone; before, it was there.
    let off_again = cancelled("1", "2025-04-01T10:00:00Z");
    assert_eq!(in_any_order(&host, &[first.clone(), off.clone(), again.clone(), off_again]).0, Some(0));
    // A whole refund is a cancellation; one at the very moment of a completion, too.
    let whole = event("order.refunded").at("2025-02-01T10:00:00Z").property("order_id", "1");
    assert_eq!(in_any_order(&host, &[first.clone(), whole, again.clone()]).0, Some(120));
    let at_once = cancelled("1", "2025-03-01T10:00:00Z");
    assert_eq!(in_any_order(&host, &[first.clone(), at_once, again.clone()]).0, Some(0));
    // A cancellation that comes first waits for the order it is later than.
    assert_eq!(in_any_order(&host, &[first.clone(), off.clone()]).0, Some(0));
    assert_eq!(in_any_order(&host, &[off.clone(), again.clone()]).0, Some(120));

    // With another amount when it was cancelled before; without it is the mistake it always was.
    let mut anna = host.customer();
    anna.on_event::<Loyalty>(&first);
    let dearer = completed("1", "150", "2025-03-01T10:00:00Z");
    assert_eq!(anna.on_event::<Loyalty>(&dearer).refusals(), [(None, "order.already-counted")]);
    anna.on_event::<Loyalty>(&off);
    assert!(anna.on_event::<Loyalty>(&dearer).refusals().is_empty());
    assert_eq!(fields(&anna).0, Some(150));
    // Repeats of either change nothing.
    for repeat in [&first, &dearer, &off] {
        assert!(anna.on_event::<Loyalty>(repeat).effects.is_empty(), "{repeat:?}");
    }
}

#[test]
fn refunds_belong_to_the_completion_before_them() {
    let host = host();
    let events = [
        completed("1", "100", "2025-01-01T10:00:00Z"),
        refunded("1", "r1", "20", "2025-01-05T10:00:00Z"),
        cancelled("1", "2025-02-01T10:00:00Z"),
        completed("1", "100", "2025-03-01T10:00:00Z"),
        refunded("1", "r2", "5", "2025-03-05T10:00:00Z"),
    ];
    assert_eq!(in_any_order(&host, &events).0, Some(95));
    // Refunds that come while it is cancelled were made for what was there before.
    let late = refunded("1", "r3", "100", "2025-02-05T10:00:00Z");
    let events = [events[0].clone(), events[2].clone(), late, events[3].clone()];
    // Without its cancellation it is an order that is refunded and completed again: told, and made
    // good by the cancellation.
    assert_eq!(in_any_order_but(&host, &events, &["order.refunded"]).0, Some(100));
}

#[test]
fn an_order_refunded_to_the_last_and_completed_again_is_refused_with_a_code() {
    let host = host();
    let mut anna = host.customer();
    for event in [
        completed("1", "30", "2025-01-01T10:00:00Z"),
        refunded("1", "r1", "10", "2025-01-02T10:00:00Z"),
        refunded("1", "r2", "20", "2025-01-03T10:00:00Z"),
    ] {
        assert!(anna.on_event::<Loyalty>(&event).refusals().is_empty());
    }
    let again = anna.on_event::<Loyalty>(&completed("1", "30", "2025-01-04T10:00:00Z"));
    assert_eq!(again.refusals(), [(None, "order.refunded")]);
    // A repeat of the first is a repeat.
    assert!(anna.on_event::<Loyalty>(&completed("1", "30", "2025-01-01T10:00:00Z")).effects.is_empty());
    assert_eq!(fields(&anna).0, Some(0));
}

#[test]
fn redeemed_points_are_given_back_when_their_order_is_refunded() {
    let host = host();
    let mut anna = host.customer();
    for event in [
        completed("1", "100", "2025-01-01T10:00:00Z"),
        // The second order is paid with points, and sent back.
        redeemed("R-2", 60, "2025-02-01T10:00:00Z"),
        completed("2", "40", "2025-02-01T10:00:01Z"),
        event("order.refunded").at("2025-02-10T10:00:00Z").property("order_id", "2"),
    ] {
        assert!(anna.on_event::<Loyalty>(&event).refusals().is_empty());
    }
    assert_eq!(fields(&anna).0, Some(40));
    let run = anna.on_event::<Loyalty>(&given_back("R-2", "g1").at("2025-02-10T10:00:01Z"));
    assert_eq!((run.refusals(), run.claim("loyalty.points")), (vec![], Some(&100.into())));
    // Told again, under whatever event id, it is known.
    assert!(anna.on_event::<Loyalty>(&given_back("R-2", "g1").at("2025-02-10T10:00:01Z")).effects.is_empty());
    assert!(anna.on_event::<Loyalty>(&given_back("R-2", "g2").at("2025-02-10T10:00:01Z")).effects.is_empty());
    // The tier isn't touched.
    assert_eq!(fields(&anna).1, "silver");
}

#[test]
fn parts_of_a_redemption_are_given_back_once_and_never_more_than_was_spent() {
    let host = host();
    let mut anna = host.customer();
    anna.on_event::<Loyalty>(&completed("1", "100", "2025-01-01T10:00:00Z"));
    anna.on_event::<Loyalty>(&redeemed("s1", 60, "2025-02-01T10:00:00Z"));
    let part = |event_id: &str, points: i64, id: Option<&str>| {
        let part = given_back("s1", event_id).property("points", points);
        id.map_or(part.clone(), |id| part.property("cancellation_id", id))
    };
    for (step, points, code) in [
        (part("g1", 10, None), 50, None),
        (part("g1", 10, None), 50, None),
        (part("g2", 10, None), 60, None),
        (part("g3", 10, Some("c1")), 70, None),
        (part("g4", 10, Some("c1")), 70, None),
        (part("g5", 11, Some("c1")), 70, Some("loyalty.already-given-back")),
        (part("g6", 0, None), 70, Some("loyalty.points")),
        (part("g6", -5, None), 70, Some("loyalty.points")),
        (given_back(" ", "g7"), 70, Some("loyalty.redemption-id")),
        (part("g8", 500, None), 100, None),
        (part("g9", 5, None), 100, None),
        (given_back("s1", "g10"), 100, None),
        // Another redemption's points stay spent, and nothing comes of nothing.
        (redeemed("s2", 30, "2025-03-01T10:00:00Z"), 70, None),
        (part("g11", 5, None), 70, None),
        (given_back("unknown", "g12"), 70, None),
    ] {
        let run = anna.on_event::<Loyalty>(&step);
        let codes: Vec<&str> = run.refusals().into_iter().map(|(_, code)| code).collect();
        assert_eq!((fields(&anna).0, codes), (Some(points), code.into_iter().collect()), "{step:?}");
    }
}

#[test]
fn a_cancelled_redemption_comes_in_any_order() {
    let host = host();
    let earned = completed("1", "100", "2025-01-01T10:00:00Z");
    let spent = redeemed("s1", 60, "2025-02-01T10:00:00Z");
    let part = |points: i64, id: &str| {
        let at = "2025-02-02T10:00:00Z";
        given_back("s1", id).at(at).property("points", points).property("cancellation_id", id)
    };
    for (parts, points) in [
        (vec![given_back("s1", "g1")], 100),
        (vec![part(20, "a")], 60),
        (vec![part(20, "a"), part(30, "b")], 90),
        (vec![part(50, "a"), part(30, "b")], 100),
        (vec![part(20, "a"), given_back("s1", "g1")], 100),
    ] {
        for arrival in arrivals(&[&[spent.clone()][..], &parts].concat()) {
            let mut anna = host.customer();
            anna.on_event::<Loyalty>(&earned);
            for event in &arrival {
                assert!(anna.on_event::<Loyalty>(event).refusals().is_empty(), "{arrival:?}");
            }
            assert_eq!(fields(&anna).0, Some(points), "{arrival:?}");
        }
    }
    // What is given back already needs no balance.
    let mut bo = host.customer();
    bo.on_event::<Loyalty>(&completed("1", "10", "2025-01-01T10:00:00Z"));
    bo.on_event::<Loyalty>(&part(55, "a"));
    assert!(bo.on_event::<Loyalty>(&spent).refusals().is_empty());
    assert_eq!(fields(&bo).0, Some(5));
}

#[test]
fn a_redemption_without_an_id_is_named_by_its_event() {
    let host = host();
    let spent = event("loyalty.redeemed").id("e7").at("2025-02-01T10:00:00Z").property("points", 60);
    for arrival in arrivals(&[spent, given_back("e7", "g1")]) {
        let mut anna = host.customer();
        anna.on_event::<Loyalty>(&completed("1", "100", "2025-01-01T10:00:00Z"));
        for event in &arrival {
            assert!(anna.on_event::<Loyalty>(event).refusals().is_empty(), "{arrival:?}");
        }
        assert_eq!(fields(&anna).0, Some(100), "{arrival:?}");
    }
}

#[test]
fn a_cancelled_redemption_s_id_isn_t_used_again() {
    let host = host();
    let mut anna = host.customer();
    anna.on_event::<Loyalty>(&completed("1", "100", "2025-01-01T10:00:00Z"));
    anna.on_event::<Loyalty>(&redeemed("s1", 60, "2025-02-01T10:00:00Z"));
    anna.on_event::<Loyalty>(&given_back("s1", "g1"));
    // The same redemption told again, and another one under its id.
    assert!(anna.on_event::<Loyalty>(&redeemed("s1", 60, "2025-02-01T10:00:00Z")).effects.is_empty());
    let again = anna.on_event::<Loyalty>(&redeemed("s1", 60, "2025-03-01T10:00:00Z"));
    assert_eq!(again.refusals(), [(None, "loyalty.redemption-cancelled")]);
    assert_eq!(fields(&anna).0, Some(100));
}

/// Written by version 1 of the memory: order A of 100 with 20 refunded, B cancelled, C of 50, a
/// refund of 5 waiting for D and a cancellation for E, redemptions of 40 (id s1) and 7 (event e9).
const VERSION_1: [u8; 145] = [
    1, 142, 1, 13, 128, 164, 225, 128, 174, 101, 242, 185, 2, 47, 0, 0, 3, 64, 0, 13, 9, 140, 199, 80, 236,
    128, 180, 246, 148, 132, 101, 192, 132, 61, 192, 154, 12, 0, 14, 110, 195, 23, 224, 159, 145, 26, 128,
    144, 169, 250, 19, 232, 206, 18, 232, 206, 18, 0, 11, 132, 108, 14, 194, 192, 44, 249, 128, 192, 144,
    131, 18, 160, 194, 30, 0, 0, 2, 35, 20, 183, 117, 142, 201, 14, 200, 208, 134, 3, 153, 83, 96, 223, 49,
    27, 211, 163, 128, 128, 132, 254, 166, 222, 225, 17, 4, 137, 154, 79, 62, 226, 81, 60, 221, 192, 154, 12,
    74, 221, 140, 139, 86, 128, 106, 144, 208, 134, 3, 135, 215, 238, 128, 175, 94, 157, 134, 40, 167, 170,
    87, 53, 5, 101, 236, 222, 7,
];

#[test]
fn a_memory_of_version_1_goes_on() {
    let host = host();
    // The balance then: 80 + 0 + 50 - 47.
    for (step, points, code) in [
        (redeemed("s3", 1, "2025-04-01T10:00:00Z"), Some(82), None),
        (given_back("s1", "g1"), Some(123), None),
        (given_back("e9", "g1"), Some(90), None),
        (completed("A", "100", "2025-01-01T10:00:00Z"), None, None),
        (refunded("A", "r1", "20", "2025-03-02T10:00:00Z"), None, None),
        (refunded("A", "r2", "10", "2025-03-09T10:00:00Z"), Some(73), None),
        (cancelled("A", "2025-03-09T10:00:00Z"), Some(3), None),
        // What was waiting still waits.
        (completed("D", "30", "2025-03-01T10:00:00Z"), Some(108), None),
        (completed("E", "30", "2025-03-01T10:00:00Z"), Some(83), None),
        // When B was cancelled isn't known: it isn't silent.
        (completed("B", "30.50", "2025-04-01T10:00:00Z"), None, Some("order.refunded")),
        (completed("B", "30.50", "2025-02-01T10:00:00Z"), None, None),
        (completed("C", "50", "2025-04-01T10:00:00Z"), None, None),
    ] {
        let mut anna = host.customer_with(profile().memory_bytes(VERSION_1));
        let run = anna.on_event::<Loyalty>(&step);
        let codes: Vec<&str> = run.refusals().into_iter().map(|(_, code)| code).collect();
        assert_eq!((&run.result, codes), (&Ok(()), code.into_iter().collect()), "{step:?}");
        let shown = run.claim("loyalty.points").and_then(Value::as_integer);
        assert!(points.is_none() || shown == points, "{step:?}: {shown:?}");
    }
}
