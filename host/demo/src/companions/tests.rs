//! Stories told from seeds, read back.

use super::*;
use std::collections::{BTreeMap, HashSet};

/// 1997-01-01.
const START: Seconds = 852_076_800;

fn customers(count: i64) -> Vec<Customer> {
    let purchase = |customer: i64, number: i64| Purchase {
        at: START + (customer % 90 + number * 30) * DAY,
        order_id: format!("{customer:05}-{number}"),
        cents: 4_000 + number,
    };
    (1..=count)
        .map(|customer| Customer {
            id: format!("{customer:05}"),
            purchases: (0..3).map(|number| purchase(customer, number)).collect(),
        })
        .collect()
}

fn events(seed: u64, count: i64) -> (Vec<(Sender, Value)>, Cast) {
    let mut script = Script::default();
    let cast = invent(seed, &customers(count), &mut script);
    let mut events = Vec::new();
    for span in script.spans(30 * DAY) {
        for sender in Sender::ALL {
            events.extend(span.of(sender).map(|text| (sender, serde_json::from_str(text).unwrap())));
        }
    }
    (events, cast)
}

#[test]
fn the_same_seed_invents_the_same_and_another_something_else() {
    let texts =
        |seed| events(seed, 200).0.into_iter().map(|(_, event)| event.to_string()).collect::<Vec<_>>();
    assert_eq!(texts(1), texts(1));
    assert_ne!(texts(1), texts(2));
}

#[test]
fn fewer_customers_have_the_same_stories() {
    let of_first = |events: Vec<(Sender, Value)>| {
        let own = |event: &Value| event["identifiers"]["customer_id"] == "00001";
        events.into_iter().map(|(_, event)| event).filter(own).collect::<Vec<_>>()
    };
    assert_eq!(of_first(events(1, 10).0), of_first(events(1, 500).0));
}

#[test]
fn every_event_is_labelled_and_has_an_id_of_its_own() {
    let (events, _) = events(1, 500);
    let mut ids = HashSet::new();
    for (_, event) in &events {
        let id = event["id"].as_str().unwrap();
        assert!(id.starts_with("synthetic:1:") && ids.insert(id.to_owned()), "{id}");
        assert_eq!(event["properties"]["synthetic"], true);
    }
}

#[test]
fn everything_the_plug_ins_listen_for_happens() {
    let (events, cast) = events(1, 4_000);
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    for (sender, event) in &events {
        *counts
            .entry(format!("{} {}", sender.application(), event["name"].as_str().unwrap()))
            .or_default() += 1;
    }
    for expected in [
        "web customer.registered",
        "web customer.updated",
        "web preferences.saved",
        "shop order.refunded",
        "shop order.cancelled",
        "shop loyalty.redeemed",
        "mail-gateway email.delivered",
        "mail-gateway email.opened",
        "mail-gateway email.clicked",
        "mail-gateway email.bounced",
        "mail-gateway email.complained",
        "sms-gateway sms.received",
    ] {
        assert!(counts.contains_key(expected), "{expected} is not in {counts:?}");
    }
    assert_eq!(counts.len(), 12);
    assert!(!cast.stars.is_empty() && !cast.divided.is_empty() && !cast.refused.is_empty());
}

#[test]
fn mail_goes_to_the_address_of_its_time() {
    let (events, _) = events(3, 2_000);
    let mut current: BTreeMap<String, String> = BTreeMap::new();
    let mut sorted: Vec<&Value> = events.iter().map(|(_, event)| event).collect();
    sorted.sort_by_key(|event| event["at"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap());
    let mut checked = 0;
    let local = |address: &str| address.split('@').next().unwrap().to_owned();
    for event in sorted {
        let customer = event["identifiers"]["customer_id"].as_str().unwrap().to_owned();
        if let Some(proposed) = event["proposes"]["email"].as_str() {
            current.insert(customer, local(proposed));
        } else if event["name"] == "email.delivered" {
            checked += 1;
            assert_eq!(current[&customer], local(event["properties"]["address"].as_str().unwrap()));
        }
    }
    assert!(checked > 500);
}
