//! A family shares an address and a number: each stays a customer of their own, and what concerns the
//! number or the address reaches all of them.

use serde_json::{Value, json};

use crate::customer::shop;
use samsyn_harness::world::World;

const PHONE: &str = "+46701740605";
const EMAIL: &str = "fam@example.com";

fn event(world: &World, event: &Value) -> Value {
    let headers = [("content-type", "application/json"), ("prefer", "wait=30")];
    let answer = world.send("POST", "/v1/events", &headers, event.to_string().as_bytes()).of(200);
    world.settle();
    answer
}

/// Two who show the same number and address, and one who doesn't.
fn family() -> World {
    let world = shop();
    for customer in ["anna", "bo"] {
        world.propose(
            customer,
            json!({"phone": "070-174 06 05", "email": "Fam@Example.com", "country": "SE"}),
        );
        world.settle();
    }
    world.propose("stranger", json!({"phone": "+46701740606", "email": "other@example.com"}));
    world.settle();
    world
}

#[test]
fn each_of_a_family_is_a_customer() {
    let world = family();
    let (anna, bo) = (world.profile("anna"), world.profile("bo"));
    assert_ne!(anna["id"], bo["id"]);
    assert_eq!(bo["fields"]["phone"], PHONE);
    assert_eq!(bo["identifiers"], json!({"customer_id": ["bo"]}));
    assert_eq!(bo["conflicts"].as_array().map(Vec::len), Some(2), "{bo}");
    assert_eq!(bo["conflicts"][0]["belongs_to"], anna["id"]);
    // Orders of one earn the other nothing, whatever else their events carry.
    let order = |id: &str, customer: &str| {
        json!({"name": "order.completed", "identifiers": {"customer_id": customer, "email": EMAIL},
               "properties": {"order_id": id, "amount": 30, "currency": "USD"}})
    };
    event(&world, &order("A1", "anna"));
    event(&world, &order("B1", "bo"));
    event(&world, &order("C1", "cleo"));
    for customer in ["anna", "bo", "cleo"] {
        assert_eq!(world.fields(customer)["loyalty.points"], 30, "{customer}");
    }
    let listed = world.run(&["identifier", "conflicts"]).ok();
    assert!(listed.out.contains(PHONE) && listed.out.contains(EMAIL), "{listed:?}");
    let shown = world.run(&["profile", "get", "customer_id:bo"]).ok();
    assert!(shown.out.contains(&format!("conflict: phone {PHONE} leads to")), "{shown:?}");
}

#[test]
fn a_stop_from_a_shared_number_reaches_all_who_show_it() {
    let world = family();
    let stop = json!({"id": "S1", "name": "sms.received", "identifiers": {"phone": "tel:+46-70-174-06-05"},
                      "properties": {"text": "STOP\r\nSent from my phone"}});
    event(&world, &stop);
    event(&world, &stop);
    for customer in ["anna", "bo"] {
        assert_eq!(world.fields(customer)["sms.opted_out"], true, "{customer}");
    }
    assert_eq!(world.fields("stranger")["sms.opted_out"], Value::Null);
    // A START is the word of the customer whom the number finds; nobody consents for somebody else.
    event(
        &world,
        &json!({"name": "sms.received", "identifiers": {"phone": PHONE}, "properties": {"text": "start"}}),
    );
    assert_eq!(world.fields("anna")["sms.opted_out"], false);
    assert_eq!(world.fields("bo")["sms.opted_out"], true);
}

#[test]
fn what_becomes_of_a_shared_address_is_everybodys_who_shows_it() {
    let world = family();
    let mail = |name: &str, properties: Value| json!({"name": name, "identifiers": {"email": "FAM@example.com"}, "properties": properties});
    event(&world, &mail("email.bounced", json!({"address": EMAIL, "bounce": "hard"})));
    for customer in ["anna", "bo"] {
        assert_eq!(world.fields(customer)["email.deliverable"], false, "{customer}");
    }
    event(&world, &mail("email.complained", json!({})));
    for (customer, opted_out) in [("anna", json!(true)), ("bo", json!(true)), ("stranger", Value::Null)] {
        assert_eq!(world.fields(customer)["email.opted_out"], opted_out, "{customer}");
    }
}

#[test]
fn a_number_that_its_owner_gives_up_is_the_next_ones() {
    let world = family();
    world.propose("anna", json!({"phone": "+46701740607"}));
    world.settle();
    let found = world.json("POST", "/v1/profiles/lookup", &json!({"phone": PHONE})).of(200);
    assert_eq!(found["id"], world.profile("bo")["id"]);
    let profiles = world.status()["profiles"].clone();
    event(
        &world,
        &json!({"name": "sms.received", "identifiers": {"phone": PHONE}, "properties": {"text": "STOP"}}),
    );
    assert_eq!(world.fields("bo")["sms.opted_out"], true);
    assert_eq!(world.fields("anna")["sms.opted_out"], Value::Null);
    assert_eq!(world.status()["profiles"], profiles, "nobody new came of it");
}

#[test]
fn an_old_file_ends_no_newer_opt_out_and_an_admin_hears_of_refused_ones() {
    let world = family();
    world.propose("anna", json!({"marketing_opted_out": true, "email.opted_out": true}));
    let rows = [
        r#"{"id":"1","name":"crm.exported","at":"2025-03-01T00:00:00Z","identifiers":{"customer_id":"anna"},"proposes":{"marketing_opted_out":false}}"#,
        r#"{"id":"2","name":"email.consented","at":"2025-03-01T00:00:00Z","identifiers":{"customer_id":"anna"},"properties":{"origin":"web"}}"#,
    ];
    let file = world.file("crm.jsonl", rows.join("\n"));
    world.run(&["event", "import", &file]).ok();
    world.settle();
    for field in ["marketing_opted_out", "email.opted_out"] {
        assert_eq!(world.fields("anna")[field], true, "{field}");
    }
    let first = world.run(&["event", "show", "1"]).ok();
    assert!(first.out.contains("protective.outdated"), "{first:?}");
    // A consent of today, and an opt-out of before it that comes late.
    event(
        &world,
        &json!({"name": "email.consented", "at": "2026-01-02T00:00:00Z", "identifiers": {"customer_id": "bo"},
                "properties": {"origin": "shop"}}),
    );
    let late = json!({"name": "late", "at": "2026-01-01T00:00:00Z", "identifiers": {"customer_id": "bo"},
                      "proposes": {"email.opted_out": true}});
    assert_eq!(event(&world, &late)["fields"]["email.opted_out"]["code"], "protective.outdated");
    let report = world.get("/v1/registry/report").of(200);
    let findings = report["findings"].as_array().expect("findings");
    let finding = findings.iter().find(|finding| finding["code"] == "opt-out-refused").expect("it is told");
    assert_eq!(finding["fields"], json!(["email.opted_out"]));
    let bo = world.profile("bo")["id"].as_str().expect("an id").to_owned();
    assert!(finding["command"].as_str().is_some_and(|command| command.contains(&bo)), "{finding}");
    // An auditor learns that there are such opt-outs, and not whose.
    let made =
        world.json("POST", "/v1/tokens", &json!({"name": "auditor", "scopes": ["audit:read"]})).of(201);
    let mut auditor = (*world).clone();
    made["secret"].as_str().expect("a secret is told").clone_into(&mut auditor.token);
    let report = auditor.get("/v1/registry/report");
    assert!(report.text.contains("1 opt-outs of email.opted_out were rejected: they"), "{report:?}");
    assert!(!report.text.contains(&bo), "{report:?}");
}
