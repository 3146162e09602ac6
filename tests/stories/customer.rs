//! A customer: four real plug-ins make one profile of what four departments know of her.

use serde_json::{Value, json};

use samsyn_harness::caller::outcome;
use samsyn_harness::components;
use samsyn_harness::world::World;

/// A host with the four plug-ins.
pub fn shop() -> World {
    let world = World::new();
    for name in ["crm", "email", "loyalty", "sms"] {
        world.install(&components::plugin(name));
    }
    world
}

#[track_caller]
fn refusal(event: &Value, field: &str) -> String {
    let answer = &event["fields"][field];
    assert_eq!(answer["outcome"], "refused", "{field}: {event}");
    let message = answer["message"].as_str().unwrap_or_default();
    assert!(message.ends_with('.') && message.contains(' '), "no sentence: {message:?}");
    answer["code"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn a_customer_of_four_departments() {
    let mut world = shop();
    she_says_who_she_is(&world);
    she_makes_mistakes(&world);
    she_buys(&world);
    she_stops_and_starts_messages(&world);
    her_mail_arrives_or_not(&world);
    she_complains(&world);
    assert_nothing_forgotten(&mut world);
}

fn she_says_who_she_is(world: &World) {
    let proposed = json!({"first_name": "  Anna   Karin ", "last_name": "von der Leyen-Åkesson",
                      "email": " Anna@RÄKSMÖRGÅS.SE", "phone": "070-174 06 05", "country": "Sweden"});
    let decided = world.propose("anna", proposed);
    for field in ["first_name", "email", "phone", "country"] {
        assert_eq!(decided["fields"][field]["outcome"], "accepted-in-another-form", "{field}: {decided}");
    }
    assert_eq!(decided["fields"]["last_name"]["outcome"], "accepted");
    world.settle();
    let kept = json!({"first_name": "Anna Karin", "last_name": "von der Leyen-Åkesson",
                      "email": "Anna@xn--rksmrgs-5wao1o.se", "phone": "+46701740605", "country": "SE"});
    assert_eq!(world.fields("anna"), kept);
    let meta = &world.profile("anna")["meta"]["phone"];
    assert_eq!((&meta["source"], &meta["cause"]), (&json!("crm"), &decided["position"]));
    // What identifies her links: she is found by what the register made of it.
    for known in [json!({"email": "anna@xn--rksmrgs-5wao1o.se"}), json!({"phone": "+46 70 174 06 05"})] {
        assert_eq!(world.json("POST", "/v1/profiles/lookup", &known).of(200)["id"], decided["profile"]);
    }
}

fn she_makes_mistakes(world: &World) {
    let before = world.fields("anna");
    let wrong = json!({"first_name": " ", "last_name": "<b>Anna</b>", "email": "anna@example", "phone": "12",
                       "country": "Narnia"});
    let wrong = world.propose("anna", wrong);
    assert_eq!(refusal(&wrong, "first_name"), "name.empty");
    assert_eq!(refusal(&wrong, "last_name"), "name.invalid");
    assert_eq!(refusal(&wrong, "email"), "email.invalid");
    assert_eq!(refusal(&wrong, "phone"), "phone.invalid");
    assert_eq!(refusal(&wrong, "country"), "country.unknown");
    assert_eq!(world.fields("anna"), before);
    let from_nowhere = world.propose("bo", json!({"first_name": "Bo", "phone": "070-174 06 05"}));
    assert_eq!(refusal(&from_nowhere, "phone"), "phone.country-unknown");
    assert_eq!(from_nowhere["fields"]["first_name"]["outcome"], "accepted", "the good beside the bad");
    let opted_in = world.propose("anna", json!({"sms.opted_out": false}));
    assert_eq!(refusal(&opted_in, "sms.opted_out"), "sms.start-needed");
}

fn she_buys(world: &World) {
    let order = |id: &str, amount: Value| {
        let properties = json!({"order_id": id, "amount": amount, "currency": "USD"});
        world.happens_at("anna", "2025-06-01T10:00:00Z", "order.completed", properties)
    };
    let points = || world.fields("anna")["loyalty.points"].clone();
    let first = order("A1", json!(120.90));
    assert_eq!(outcome(&first, "loyalty")["emitted"], json!(["loyalty.tier_reached"]), "{first}");
    let fields = world.fields("anna");
    assert_eq!((&fields["loyalty.points"], &fields["loyalty.tier"]), (&json!(120), &json!("silver")));
    assert_eq!(fields["loyalty.member_since"], "2025-06-01");
    order("A1", json!("120.90"));
    assert_eq!(points(), 120, "a repeated order counts once");
    let other = order("A1", json!(99));
    assert_eq!(outcome(&other, "loyalty")["refusals"][0]["code"], "order.already-counted", "{other}");
    let kronor = json!({"order_id": "A2", "amount": 900, "currency": "SEK"});
    let kronor = world.happens("anna", "order.completed", kronor);
    assert_eq!(outcome(&kronor, "loyalty")["refusals"][0]["code"], "order.currency", "{kronor}");
    world.happens_at("anna", "2025-06-02T10:00:00Z", "order.refunded", json!({"order_id": "A3"}));
    order("A3", json!(50));
    assert_eq!(points(), 120, "a refund that came first is remembered");
    order("A4", json!(200));
    assert_eq!(world.fields("anna")["loyalty.tier"], "gold");
    world.happens_at("anna", "2025-06-03T10:00:00Z", "loyalty.redeemed", json!({"points": 300}));
    let fields = world.fields("anna");
    assert_eq!(
        (&fields["loyalty.points"], &fields["loyalty.tier"]),
        (&json!(20), &json!("gold")),
        "spending doesn't downgrade"
    );
    // Data that doesn't fit the declared type never gets to the plug-in, and holds nothing up.
    let untyped = world.happens("anna", "order.completed", json!({"order_id": "A5", "amount": "a lot"}));
    let refusal = &outcome(&untyped, "loyalty")["refusals"][0];
    assert_eq!((&untyped["state"], &refusal["code"]), (&json!("decided"), &json!("property.type")));
    assert!(refusal["message"].as_str().is_some_and(|message| message.contains("amount")), "{untyped}");
}

fn she_stops_and_starts_messages(world: &World) {
    let texts = |at: &str, text: &str| {
        let event = world.happens_at("anna", at, "sms.received", json!({ "text": text }));
        (world.fields("anna")["sms.opted_out"].clone(), outcome(&event, "sms")["emitted"].clone())
    };
    assert_eq!(texts("2025-06-01T10:00:00Z", "Hej!").0, Value::Null);
    assert_eq!(texts("2025-06-01T10:01:00Z", "Stopp!!").0, true);
    assert_eq!(texts("2025-06-01T10:02:00Z", "Jag vill ha mer").0, true, "only START undoes it");
    assert_eq!(texts("2025-06-01T10:03:00Z", "start").0, false);
    let (opted_out, emitted) = texts("2025-06-01T10:04:00Z", "please do not ever stop writing to me");
    assert_eq!((opted_out, emitted), (json!(false), json!(["sms.stop_suspected"])));
    assert_eq!(world.fields("anna")["sms.last_reply_at"], "2025-06-01T10:04:00Z");
}

fn her_mail_arrives_or_not(world: &World) {
    let mail = |name: &str, address: &str| {
        let properties = json!({"address": address, "bounce": "hard"});
        world.happens_at("anna", "2025-06-01T10:00:00Z", name, properties);
        let fields = world.fields("anna");
        (fields["email.deliverable"].clone(), fields["email.engagement"].clone())
    };
    let first = "anna@xn--rksmrgs-5wao1o.se";
    assert_eq!(mail("email.delivered", first), (json!(true), Value::Null));
    let opened = mail("email.opened", first).1.as_i64().unwrap_or(0);
    let clicked = mail("email.clicked", first).1.as_i64().unwrap_or(0);
    assert!(opened > 0 && clicked - opened > opened, "clicks outweigh opens: {opened}, then {clicked}");
    assert_eq!(mail("email.bounced", "old@example.com").0, true, "not her address");
    let moved = world.propose("anna", json!({"email": "anna@example.com"}));
    assert_eq!(moved["fields"]["email"]["outcome"], "accepted");
    world.settle();
    let fields = world.fields("anna");
    for field in ["email.deliverable", "email.engagement", "email.last_engaged_at"] {
        assert_eq!(fields[field], Value::Null, "a changed address starts afresh: {fields}");
    }
    assert_eq!(mail("email.bounced", first), (Value::Null, Value::Null), "the old address is hers no more");
    assert_eq!(mail("email.bounced", "anna@example.com").0, false);
    let old = world.json("POST", "/v1/profiles/lookup", &json!({"email": first}));
    assert_eq!(old.problem(), "unknown-profile", "the old address leads to nobody");
    let new = world.json("POST", "/v1/profiles/lookup", &json!({"email": "anna@example.com"})).of(200);
    assert_eq!(new["id"], moved["profile"]);
}

fn she_complains(world: &World) {
    let opted_out = || world.fields("anna")["email.opted_out"].clone();
    assert_eq!(opted_out(), Value::Null);
    world.happens("anna", "email.complained", json!({}));
    assert_eq!(opted_out(), true);
    assert_eq!(world.fields("anna")["email.deliverable"], false, "it says nothing of deliverability");
    // A second vendor of e-mail comes, and knows nothing of it.
    let tables = "[subscribes.\"vendor.asked\"]\nscript = { type = \"texts\" }\n\
        [sources]\n\"email.opted_out\" = { type = \"boolean\", protective = true }\n";
    world.install(&components::probe("vendor", tables));
    for source in [json!("vendor"), Value::Null, json!("vendor")] {
        world.assign("email.opted_out", source.clone());
        assert_eq!(opted_out(), true, "assigned to {source}");
    }
    let removed = world.send("DELETE", "/v1/capabilities/email?force=true", &[], b"");
    assert_eq!(removed.status, 204, "{removed:?}");
    world.settle();
    assert_eq!(opted_out(), true, "its source is gone");
}

/// The log alone brings all of it back: values, claims of removed plug-ins, who said what and why.
fn assert_nothing_forgotten(world: &mut World) {
    let everything = |world: &World| {
        let timeline = world.get("/v1/profiles/customer_id:anna/timeline?limit=1000").of(200);
        let registry = ["fields", "identifiers", "capabilities", "parked"];
        (world.profile("anna"), timeline, registry.map(|list| world.get(&format!("/v1/{list}")).of(200)))
    };
    let before = everything(world);
    world.kill();
    std::fs::remove_dir_all(world.data().join("view")).expect("the view is a directory");
    world.start();
    world.settle();
    assert_eq!(everything(world), before);
}
