//! Customers' stories, through the manifest.

use samsyn_plugin::testing::{Customer, Host, Run, event};
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
