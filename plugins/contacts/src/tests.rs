//! Whole deliveries, as a host makes them.

use samsyn_plugin::Value;
use samsyn_plugin::testing::{Host, event, profile, proposal};

use super::Contacts;

const MANIFEST: &str = include_str!("../plugin.toml");

fn text(text: &str) -> Value {
    text.into()
}

#[test]
fn a_card_that_an_agent_saved_becomes_claims() {
    let host = Host::from_manifest(MANIFEST);
    let card = event("contact.updated")
        .property("name", "von Essen, ANNA")
        .property("email", "Anna@EXAMPLE.se")
        .property("phone", "070-123 45 67")
        .property("country", "se")
        .property("marketing", false);
    let run = host.on_event::<Contacts>(&card, &profile());
    assert_eq!(run.result, Ok(()));
    for (field, kept) in [
        ("first_name", "Anna"),
        ("last_name", "von Essen"),
        ("email", "Anna@example.se"),
        ("phone", "+46701234567"),
        ("country", "SE"),
    ] {
        assert_eq!(run.claim(field), Some(&text(kept)), "{field}");
    }
    assert_eq!(run.claim("marketing_opted_out"), Some(&true.into()));
    assert!(run.refusals().is_empty() && run.host_refusals.is_empty());
}

#[test]
fn what_a_card_leaves_out_stays_and_what_it_gets_wrong_is_refused() {
    let host = Host::from_manifest(MANIFEST);
    let known = profile().point("country", "NO");
    let run = host.on_event::<Contacts>(
        &event("contact.updated").property("phone", "406 12 345").property("country", "Norway"),
        &known,
    );
    // The known country is the number's home when the card's can't be used.
    assert_eq!(run.claim("phone"), Some(&text("+4740612345")));
    assert_eq!(run.refusals(), [(Some("country"), "contact.country")]);
    assert_eq!(run.claim("first_name"), None);
    let run = host.on_event::<Contacts>(&event("contact.updated").property("name", "Anna"), &known);
    assert_eq!((run.claim("first_name"), run.claim("last_name")), (Some(&text("Anna")), None));
    let run = host.on_event::<Contacts>(&event("contact.updated").property("name", " "), &known);
    assert_eq!(run.refusals(), [(Some("first_name"), "contact.empty")]);
}

#[test]
fn proposals_are_decided_by_its_own_habits() {
    let host = Host::from_manifest(MANIFEST);
    let run = host.on_proposal::<Contacts>(
        &[
            proposal("first_name", "ANNA"),
            proposal("last_name", "Dr. Berg"),
            proposal("email", "Anna@RÄKSMÖRGÅS.se"),
            proposal("phone", "20 12 34 56"),
            proposal("country", "dk"),
        ],
        &profile(),
    );
    for (field, kept) in [
        ("first_name", "Anna"),
        ("last_name", "Berg"),
        ("email", "Anna@räksmörgås.se"),
        ("phone", "+4520123456"),
        ("country", "DK"),
    ] {
        assert_eq!(run.claim(field), Some(&text(kept)), "{field}");
    }
    let run = host.on_proposal::<Contacts>(
        &[proposal("phone", "20 12 34 56"), proposal("country", "Denmark"), proposal("email", None)],
        &profile().point("email", "anna@example.se"),
    );
    assert_eq!(
        run.refusals(),
        [(Some("phone"), "contact.phone-country"), (Some("country"), "contact.country")]
    );
    assert!(run.cleared("email"));
}

#[test]
fn an_opt_out_is_ended_by_the_customer_s_word_to_an_agent_only() {
    let host = Host::from_manifest(MANIFEST);
    let out = profile().point("marketing_opted_out", true);
    let run = host.on_proposal::<Contacts>(&[proposal("marketing_opted_out", true)], &profile());
    assert_eq!(run.claim("marketing_opted_out"), Some(&true.into()));
    for value in [Some(Value::from(false)), None] {
        let run = host.on_proposal::<Contacts>(&[proposal("marketing_opted_out", value)], &out);
        assert_eq!(run.refusals(), [(Some("marketing_opted_out"), "contact.opted-out")]);
    }
    let run = host.on_event::<Contacts>(&event("contact.updated").property("marketing", true), &out);
    assert_eq!(run.claim("marketing_opted_out"), Some(&false.into()));
}
