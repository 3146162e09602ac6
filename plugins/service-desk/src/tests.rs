//! Whole deliveries, as a host makes them.

use samsyn_plugin::Value;
use samsyn_plugin::testing::{Host, event, profile, proposal};

use super::ServiceDesk;

const MANIFEST: &str = include_str!("../plugin.toml");

fn text(text: &str) -> Value {
    text.into()
}

#[test]
fn a_card_that_an_agent_saved_becomes_claims() {
    let host = Host::from_manifest(MANIFEST);
    let card = event("card.updated")
        .property("name", "von Essen, ANNA")
        .property("email", "Anna@EXAMPLE.se")
        .property("phone", "070-123 45 67")
        .property("country", "se")
        .property("marketing", false);
    let run = host.on_event::<ServiceDesk>(&card, &profile());
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
    let run = host.on_event::<ServiceDesk>(
        &event("card.updated").property("phone", "406 12 345").property("country", "Norway"),
        &known,
    );
    // The known country is the number's home when the card's can't be used.
    assert_eq!(run.claim("phone"), Some(&text("+4740612345")));
    assert_eq!(run.refusals(), [(Some("country"), "card.country")]);
    assert_eq!(run.claim("first_name"), None);
    let run = host.on_event::<ServiceDesk>(&event("card.updated").property("name", "Anna"), &known);
    assert_eq!((run.claim("first_name"), run.claim("last_name")), (Some(&text("Anna")), None));
    let run = host.on_event::<ServiceDesk>(&event("card.updated").property("name", " "), &known);
    assert_eq!(run.refusals(), [(Some("first_name"), "card.empty")]);
}

/// The whole name in one box, and what is claimed of it; empty where nothing is.
#[test]
fn a_suffix_belongs_to_the_last_name_and_is_never_a_first_name() {
    let host = Host::from_manifest(MANIFEST);
    for (name, first, last) in [
        ("Berg, PhD", "", "Berg, PhD"),
        ("Berg, MD, PhD", "", "Berg, MD, PhD"),
        ("Berg, MD PhD", "", "Berg, MD PhD"),
        ("Berg, Ph. D.", "", "Berg, Ph. D."),
        ("Smith, Ph. D. Jr.", "", "Smith, Ph. D. Jr."),
        ("von Essen, Ph.D.", "", "von Essen, Ph.D."),
        ("Anna Berg, Jr.", "Anna", "Berg, Jr."),
        ("Anna Berg , PhD", "Anna", "Berg, PhD"),
        ("Anna Karin Berg, M.Sc., Ph.D.", "Anna Karin", "Berg, M.Sc., Ph.D."),
        ("Anna von Essen, MBA", "Anna", "von Essen, MBA"),
        ("Prof. Hilma Mraz, Ph.D.", "Hilma", "Mraz, Ph.D."),
        ("John Doe III, M.D.", "John", "Doe III, M.D."),
        ("Kevin Mitnick, CISSP, CISM", "Kevin", "Mitnick, CISSP, CISM"),
        ("Anna Berg，PhD", "Anna", "Berg, PhD"),
        // With a first name of its own behind a comma.
        ("Berg, Anna, PhD", "Anna", "Berg, PhD"),
        ("Berg, PhD, Anna", "Anna", "Berg, PhD"),
        ("Berg, Anna PhD", "Anna", "Berg, PhD"),
        ("King, Martin Luther, Jr.", "Martin Luther", "King, Jr."),
        ("Berg Jr., Anna", "Anna", "Berg Jr."),
        ("Berg, Anna, M.A.", "Anna", "Berg, M.A."),
        ("Berg, Anna, Maria", "Anna, Maria", "Berg"),
        // Without a comma.
        ("Martin Luther King Jr.", "Martin Luther", "King Jr."),
        ("John A Smith DDS", "John A", "Smith DDS"),
        ("Anna Berg MD", "Anna", "Berg MD"),
        ("Anna Berg, PhD MD", "Anna", "Berg, PhD MD"),
        ("Thurston Howell III", "Thurston", "Howell III"),
        ("Berg PhD", "", "Berg PhD"),
        ("Louis XIV", "Louis XIV", ""),
        ("LOUIS XIV", "Louis XIV", ""),
        // Shouted and whispered.
        ("BERG, PHD", "", "Berg, PhD"),
        ("ANNA BERG, JR.", "Anna", "Berg, Jr."),
        ("anna berg, phd", "Anna", "Berg, PhD"),
        ("BERG, ANNA, MD", "Anna", "Berg, MD"),
        ("HOWELL, THURSTON III", "Thurston", "Howell, III"),
        // Titles behind a comma go, as they do in front.
        ("Berg, Dr.", "", "Berg"),
        ("John Smith, Dr.", "John", "Smith"),
        ("Berg, Dr. Anna", "Anna", "Berg"),
        ("BERG, MRS", "", "Berg"),
        // First names that only look like a suffix.
        ("Rahman, Md", "Md", "Rahman"),
        ("Rahman, Md.", "Md.", "Rahman"),
        ("RAHMAN, MD", "Md", "Rahman"),
        ("Okeke, Mba", "Mba", "Okeke"),
        ("Li, Ma", "Ma", "Li"),
        ("Nguyen, Vi", "Vi", "Nguyen"),
        ("BERG, LIV", "Liv", "Berg"),
        ("Salinger, J.D.", "J.D.", "Salinger"),
        ("Tolkien, J.R.R.", "J.R.R.", "Tolkien"),
        ("García Márquez, G. J.", "G. J.", "García Márquez"),
        // Last names that only look like one.
        ("Jack MA", "Jack", "MA"),
        ("Anh Thi DO", "Anh Thi", "DO"),
        ("Malcolm X", "Malcolm", "X"),
        ("Esquivel, Laura", "Laura", "Esquivel"),
    ] {
        let run = host.on_event::<ServiceDesk>(&event("card.updated").property("name", name), &profile());
        let claim = |field| run.claim(field).and_then(Value::as_text).unwrap_or_default().to_owned();
        assert_eq!((claim("first_name"), claim("last_name")), (first.to_owned(), last.to_owned()), "{name}");
        assert!(run.refusals().is_empty(), "{name}: {:?}", run.refusals());
    }
    for name in ["Berg, ", ", PhD", " , "] {
        let run = host.on_event::<ServiceDesk>(&event("card.updated").property("name", name), &profile());
        assert_eq!(run.refusals(), [(Some("first_name"), "card.empty")], "{name}");
    }
}

#[test]
fn proposals_are_decided_by_its_own_habits() {
    let host = Host::from_manifest(MANIFEST);
    let run = host.on_proposal::<ServiceDesk>(
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
    let run = host.on_proposal::<ServiceDesk>(
        &[proposal("phone", "20 12 34 56"), proposal("country", "Denmark"), proposal("email", None)],
        &profile().point("email", "anna@example.se"),
    );
    assert_eq!(run.refusals(), [(Some("phone"), "card.phone-country"), (Some("country"), "card.country")]);
    assert!(run.cleared("email"));
}

#[test]
fn an_opt_out_is_ended_by_the_customer_s_word_to_an_agent_only() {
    let host = Host::from_manifest(MANIFEST);
    let out = profile().point("marketing_opted_out", true);
    let run = host.on_proposal::<ServiceDesk>(&[proposal("marketing_opted_out", true)], &profile());
    assert_eq!(run.claim("marketing_opted_out"), Some(&true.into()));
    for value in [Some(Value::from(false)), None] {
        let run = host.on_proposal::<ServiceDesk>(&[proposal("marketing_opted_out", value)], &out);
        assert_eq!(run.refusals(), [(Some("marketing_opted_out"), "card.opted-out")]);
    }
    let run = host.on_event::<ServiceDesk>(&event("card.updated").property("marketing", true), &out);
    assert_eq!(run.claim("marketing_opted_out"), Some(&false.into()));
}
