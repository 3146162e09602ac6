//! What a customer's mail does to their profile, told as stories.

use samsyn_plugin::testing::{Customer, EventBuilder, Host, change, event, profile, proposal};
use samsyn_plugin::{Memory, MemoryError};

use crate::Email;
use crate::mailbox::{Mailbox, SOFT_BOUNCES_KEPT};

const ANNA: &str = "Anna@Example.com";

fn host() -> Host {
    Host::from_manifest(include_str!("../plugin.toml"))
}

fn anna(host: &Host) -> Customer<'_> {
    host.customer_with(profile().point("email", ANNA))
}

fn mail(name: &str, at: &str) -> EventBuilder {
    event(name).at(at).property("address", ANNA)
}

fn bounce(kind: &str, at: &str) -> EventBuilder {
    mail("email.bounced", at).property("bounce", kind)
}

fn day(day: u32) -> String {
    format!("2026-03-{day:02}T10:00:00Z")
}

#[test]
fn a_hard_bounce_counts_until_mail_arrives_later() {
    let host = host();
    let mut anna = anna(&host);
    anna.on_event::<Email>(&mail("email.delivered", &day(1)));
    assert_eq!(anna.value("email.deliverable"), Some(&true.into()));
    anna.on_event::<Email>(&bounce("hard", &day(3)));
    assert_eq!(anna.value("email.deliverable"), Some(&false.into()));
    // A report that comes late is about the time before the bounce.
    anna.on_event::<Email>(&mail("email.delivered", &day(2)));
    assert_eq!(anna.value("email.deliverable"), Some(&false.into()));
    anna.on_event::<Email>(&mail("email.delivered", &day(4)));
    assert_eq!(anna.value("email.deliverable"), Some(&true.into()));
    // And so is a bounce that comes late.
    anna.on_event::<Email>(&bounce("hard", &day(2)));
    assert_eq!(anna.value("email.deliverable"), Some(&true.into()));
}

#[test]
fn only_the_current_address_counts_in_any_case_of_letters() {
    let host = host();
    let mut anna = anna(&host);
    let other = event("email.bounced").property("address", "old@example.com").property("bounce", "hard");
    assert!(anna.on_event::<Email>(&other).effects.is_empty());
    let same = event("email.bounced").property("address", " anna@EXAMPLE.com").property("bounce", "hard");
    assert_eq!(anna.on_event::<Email>(&same).claim("email.deliverable"), Some(&false.into()));
    let nobody = host.on_event::<Email>(&same, &profile());
    assert_eq!(nobody.result, Ok(()));
    assert!(nobody.effects.is_empty());
}

#[test]
fn a_report_may_spell_the_address_otherwise() {
    let host = host();
    for (current, told) in [
        ("anna@xn--rksmrgs-5wao1o.se", "anna@räksmörgås.se"),
        ("anna@räksmörgås.se", "ANNA@XN--RKSMRGS-5WAO1O.SE"),
        ("jörg@example.de", "jo\u{308}rg@example.de"),
        ("anna@example.com", "<anna@example.com>"),
        ("anna@example.com", "mailto:Anna@example.com"),
        ("anna@example.com", "anna@ex\u{ad}ample.com"),
        ("νίκος@example.gr", "ΝΊΚΟΣ@example.gr"),
    ] {
        let mut customer = host.customer_with(profile().point("email", current));
        let bounced = event("email.bounced").property("address", told).property("bounce", "hard");
        let run = customer.on_event::<Email>(&bounced);
        assert_eq!(run.claim("email.deliverable"), Some(&false.into()), "{current} {told}");
        let spelling = change("email", Some(current.into()), Some(told.into()));
        assert!(customer.on_change::<Email>(&[spelling], &day(2)).effects.is_empty(), "{current} {told}");
    }
    for (current, told) in [
        ("strasse@example.de", "straße@example.de"),
        ("anna@strasse.de", "anna@straße.de"),
        ("mike@example.com", "m\u{131}ke@example.com"),
        ("anna@example.com", "anna+news@example.com"),
    ] {
        let mut customer = host.customer_with(profile().point("email", current));
        let bounced = event("email.bounced").property("address", told).property("bounce", "hard");
        assert!(customer.on_event::<Email>(&bounced).effects.is_empty(), "{current} {told}");
    }
}

#[test]
fn soft_bounces_in_a_row_count_and_mail_that_arrives_forgives_them() {
    let host = host().setting("soft_bounces_max", 3);
    let mut anna = anna(&host);
    for at in [5, 3, 4] {
        assert_eq!(anna.value("email.deliverable"), None, "before the bounce of day {at}");
        anna.on_event::<Email>(&bounce("soft", &day(at)));
    }
    assert_eq!(anna.value("email.deliverable"), Some(&false.into()));
    // Mail arrived on day 3 after all, so only two bounces in a row are left.
    anna.on_event::<Email>(&mail("email.opened", &day(3)));
    assert_eq!(anna.value("email.deliverable"), Some(&true.into()));
}

/// How many soft bounces in a row these are for a customer who hears of them in this order.
fn in_a_row(events: &[EventBuilder]) -> i64 {
    let counts = |most: &i64| {
        let host = host().setting("soft_bounces_max", *most);
        let mut anna = anna(&host);
        for event in events {
            assert_eq!(anna.on_event::<Email>(event).result, Ok(()));
        }
        anna.value("email.deliverable") == Some(&false.into())
    };
    (1..=SOFT_BOUNCES_KEPT as i64).take_while(counts).last().unwrap_or(0)
}

/// A soft bounce of that message, or of one that isn't named.
fn soft(message: &str, at: &str) -> EventBuilder {
    let event = bounce("soft", at);
    if message.is_empty() { event } else { event.property("message_id", message) }
}

#[test]
fn one_bounce_told_many_times_counts_once() {
    let second = |second: u32| format!("2026-03-01T10:{:02}:{:02}Z", second / 60, second % 60);
    let cases: [(&str, Vec<EventBuilder>, i64); 11] = [
        ("told five times", vec![soft("", &day(1)); 5], 1),
        ("told five times with its message", vec![soft("<m1@mail.example>", &day(1)); 5], 1),
        ("an id with and without its brackets", vec![soft("<m1@x>", &day(1)), soft(" m1@x ", &day(2))], 1),
        ("one message tried for five days", (1..=5).map(|at| soft("m1", &day(at))).collect(), 1),
        ("five messages at one moment", (1..=5).map(|id| soft(&format!("m{id}"), &day(1))).collect(), 5),
        ("five messages on five days", (1..=5).map(|at| soft("", &day(at))).collect(), 5),
        ("two clocks some seconds apart", [0, 7, 30, 59].map(|at| soft("", &second(at))).to_vec(), 1),
        ("a minute is another bounce", [0, 60, 120].map(|at| soft("", &second(at))).to_vec(), 3),
        ("two systems, one knows the message", vec![soft("m1", &second(10)), soft("", &second(0))], 1),
        (
            "a blank id is none",
            vec![bounce("soft", &day(1)).property("message_id", " "), soft("", &day(1))],
            1,
        ),
        (
            "two messages, one tried again",
            vec![soft("m1", &day(1)), soft("m2", &day(1)), soft("m1", &day(2))],
            2,
        ),
    ];
    for (name, events, count) in cases {
        assert_eq!(in_a_row(&events), count, "{name}");
        let backwards: Vec<EventBuilder> = events.into_iter().rev().collect();
        assert_eq!(in_a_row(&backwards), count, "{name}, backwards");
    }
}

#[test]
fn a_message_that_is_tried_again_after_mail_arrived_bounces_again() {
    let host = host().setting("soft_bounces_max", 2);
    let mut anna = anna(&host);
    let story =
        [soft("m1", &day(1)), soft("m1", &day(3)), mail("email.delivered", &day(2)), soft("m2", &day(4))];
    for event in story {
        anna.on_event::<Email>(&event);
    }
    assert_eq!(anna.value("email.deliverable"), Some(&false.into()));
    anna.on_event::<Email>(&mail("email.delivered", &day(5)));
    assert_eq!(anna.value("email.deliverable"), Some(&true.into()));
}

#[test]
fn one_click_told_many_times_counts_once() {
    let host = host();
    let score = |events: &[EventBuilder]| {
        let mut anna = anna(&host);
        events.iter().for_each(|event| drop(anna.on_event::<Email>(event)));
        anna.value("email.engagement").and_then(samsyn_plugin::Value::as_integer)
    };
    let told = |name: &str, message: &str, at: u32| mail(name, &day(at)).property("message_id", message);
    let click = told("email.clicked", "m1", 1);
    let once = score(std::slice::from_ref(&click));
    assert_eq!(once, Some(28));
    assert_eq!(score(&[click.clone(), click.clone(), click.clone(), click.clone(), click.clone()]), once);
    for other in
        [told("email.clicked", "m2", 1), told("email.clicked", "m1", 2), told("email.opened", "m1", 1)]
    {
        assert!(score(&[click.clone(), other]) > once);
    }
}

#[test]
fn soft_bounces_that_were_counted_twice_are_one_once_read() {
    let host = host().setting("soft_bounces_max", 2);
    for (bounces, deliverable) in [(vec![1, 1, 1, 1], None), (vec![1, 2], Some(false.into()))] {
        let soft_bounces = bounces.iter().map(|at| day(*at).parse().unwrap()).collect();
        let old = OldMailbox { soft_bounces, ..OldMailbox::of(ANNA) };
        let remembering = profile().point("email", ANNA).memory(&old);
        let run = host.on_event::<Email>(&soft("", &day(1)), &remembering);
        assert_eq!(run.claim("email.deliverable").cloned(), deliverable, "{bounces:?}");
        assert_eq!(run.memory_bytes().map(|bytes| bytes[0]), Some(2), "it is written as it is now");
    }
}

#[test]
fn a_bounce_of_no_known_kind_is_refused() {
    let host = host();
    let run = anna(&host).on_event::<Email>(&bounce("squashy", &day(1)));
    assert_eq!(run.result, Ok(()));
    assert_eq!(run.refusals(), [(None, "bounce.unknown")]);
    assert_eq!(run.effects.len(), 1);
}

#[test]
fn a_complaint_is_an_opt_out_and_says_nothing_of_deliverability() {
    let host = host();
    let mut anna = anna(&host);
    let run = anna.on_event::<Email>(&event("email.complained"));
    assert_eq!(run.claim("email.opted_out"), Some(&true.into()));
    assert_eq!(run.effects.len(), 1);
    anna.on_change::<Email>(&[change("email", Some(ANNA.into()), Some("new@example.com".into()))], &day(2));
    assert_eq!(anna.value("email.opted_out"), Some(&true.into()));
}

#[test]
fn an_unsubscription_is_an_opt_out_whichever_address_it_names() {
    let host = host();
    for event in [
        event("email.unsubscribed"),
        mail("email.unsubscribed", &day(1)),
        event("email.unsubscribed").property("address", "old@example.com"),
    ] {
        let mut anna = anna(&host);
        let run = anna.on_event::<Email>(&event);
        assert_eq!(run.claim("email.opted_out"), Some(&true.into()));
        assert_eq!(run.effects.len(), 1);
        let mut nobody = host.customer();
        assert_eq!(nobody.on_event::<Email>(&event).claim("email.opted_out"), Some(&true.into()));
    }
}

#[test]
fn an_app_may_opt_a_customer_out_and_not_in() {
    let host = host();
    let mut anna = anna(&host);
    let out = anna.on_proposal::<Email>(&[proposal("email.opted_out", true)]);
    assert_eq!(out.claim("email.opted_out"), Some(&true.into()));
    let needed = [(Some("email.opted_out"), "email.consent-needed")];
    for value in [Some(false), None] {
        let value = value.map(samsyn_plugin::Value::from);
        let run = anna.on_proposal::<Email>(&[proposal("email.opted_out", value)]);
        assert_eq!(run.refusals(), needed);
        assert!(format!("{:?}", run.effects).contains("email.consented"), "it names the event to send");
    }
    assert_eq!(anna.value("email.opted_out"), Some(&true.into()));
}

#[test]
fn what_is_observed_can_t_be_proposed() {
    let host = host();
    let at: samsyn_plugin::Timestamp = day(1).parse().unwrap();
    for proposed in [
        proposal("email.deliverable", true),
        proposal("email.engagement", 99),
        proposal("email.last_engaged_at", at),
        proposal("email.deliverable", None),
    ] {
        let run = host.on_proposal::<Email>(std::slice::from_ref(&proposed), &profile());
        assert_eq!(run.refusals(), [(Some(proposed.field.as_str()), "email.observed-only")]);
        assert_eq!(run.effects.len(), 1);
    }
}

#[test]
fn an_opt_out_ends_with_a_consent_that_says_when_and_where_from() {
    let host = host();
    let mut anna = anna(&host);
    anna.on_event::<Email>(&event("email.unsubscribed").at(&day(1)));
    let consent = |origin: &str| event("email.consented").property("origin", origin);
    let given = |origin: &str| consent(origin).at(&day(3)).received_at(&day(4));
    for (event, code) in [
        (given(" "), "email.consent-origin"),
        (given("\u{200b}-"), "email.consent-origin"),
        (consent("preference page").at(&day(4)).received_at(&day(4)), "email.consent-time"),
    ] {
        let run = anna.on_event::<Email>(&event);
        assert_eq!(run.refusals(), [(Some("email.opted_out"), code)]);
        assert_eq!(anna.value("email.opted_out"), Some(&true.into()), "{code}");
    }
    let run = anna.on_event::<Email>(&given("preference page, double opt-in"));
    assert_eq!(run.refusals(), []);
    assert_eq!(anna.value("email.opted_out"), Some(&false.into()));
}

#[test]
fn clicks_outweigh_opens_and_a_machine_is_no_reader() {
    let host = host();
    let score =
        |event: &EventBuilder| anna(&host).on_event::<Email>(event).claim("email.engagement").cloned();
    assert_eq!(score(&mail("email.opened", &day(1))), Some(9.into()));
    assert_eq!(score(&mail("email.clicked", &day(1))), Some(28.into()));
    let scanner = anna(&host).on_event::<Email>(&mail("email.clicked", &day(1)).property("machine", true));
    assert_eq!(scanner.claim("email.engagement"), None);
    assert_eq!(scanner.claim("email.deliverable"), Some(&true.into()));
}

#[test]
fn engagement_halves_in_thirty_days_and_stays_under_a_hundred() {
    let host = host();
    let mut anna = anna(&host);
    anna.on_event::<Email>(&mail("email.clicked", "2026-01-01T00:00:00Z"));
    // 20 of the click are left and the open adds 10: 30 of 130.
    let run = anna.on_event::<Email>(&mail("email.opened", "2026-01-31T00:00:00Z"));
    assert_eq!(run.claim("email.engagement"), Some(&23.into()));
    for _ in 0..2000 {
        anna.on_event::<Email>(&mail("email.clicked", "2026-01-31T00:00:00Z"));
    }
    assert_eq!(anna.value("email.engagement"), Some(&99.into()));
}

#[test]
fn the_order_of_arrival_makes_no_difference() {
    let host = host();
    let story = [
        mail("email.opened", &day(1)),
        mail("email.clicked", &day(20)),
        bounce("soft", &day(11)),
        mail("email.delivered", &day(12)),
        bounce("hard", &day(13)),
        mail("email.opened", &day(9)),
    ];
    let end = |order: &mut dyn Iterator<Item = &EventBuilder>| {
        let mut anna = anna(&host);
        for event in order {
            anna.on_event::<Email>(event);
        }
        let fields = ["email.deliverable", "email.engagement", "email.last_engaged_at"];
        fields.map(|field| anna.value(field).cloned())
    };
    let forwards = end(&mut story.iter());
    assert_eq!(forwards[0], Some(true.into()));
    assert_eq!(forwards[2], Some(day(20).parse::<samsyn_plugin::Timestamp>().unwrap().into()));
    assert_eq!(end(&mut story.iter().rev()), forwards);
    assert_eq!(end(&mut story.iter().skip(3).chain(story.iter().take(3))), forwards);
}

#[test]
fn a_changed_address_starts_afresh_another_spelling_does_not() {
    let host = host();
    let mut anna = anna(&host);
    anna.on_event::<Email>(&mail("email.clicked", &day(1)));
    let spelling = change("email", Some(ANNA.into()), Some("anna@example.com".into()));
    assert!(anna.on_change::<Email>(&[spelling], &day(2)).effects.is_empty());
    let moved = change("email", Some(ANNA.into()), Some("anna@new.example".into()));
    anna.on_change::<Email>(&[moved], &day(3));
    for field in ["email.deliverable", "email.engagement", "email.last_engaged_at"] {
        assert_eq!(anna.value(field), None, "{field}");
    }
    assert_eq!(anna.memory_bytes(), None);
}

#[test]
fn a_change_nobody_told_of_starts_afresh_too() {
    let host = host();
    let mut before = anna(&host);
    let run = before.on_event::<Email>(&bounce("hard", &day(5)));
    let remembered = run.memory_bytes().unwrap();
    let moved = profile().point("email", "anna@new.example").memory_bytes(remembered);
    let delivered = event("email.delivered").at(&day(4)).property("address", "anna@new.example");
    assert_eq!(host.on_event::<Email>(&delivered, &moved).claim("email.deliverable"), Some(&true.into()));
}

#[test]
fn memory_is_bounded_and_a_newer_one_is_an_error() {
    let host = host();
    let mut anna = anna(&host);
    for hour in 0..3 * SOFT_BOUNCES_KEPT {
        let at = format!("2026-03-{:02}T{:02}:00:00Z", 1 + hour / 24, hour % 24);
        anna.on_event::<Email>(&bounce("soft", &at));
    }
    let bytes = anna.memory_bytes().unwrap();
    assert!(bytes.len() <= 300, "{} bytes", bytes.len());
    assert_eq!(bytes[0], Mailbox::VERSION);
    let newer = profile().point("email", ANNA).memory_bytes([Mailbox::VERSION + 1, 0]);
    let run = host.on_event::<Email>(&mail("email.opened", &day(1)), &newer);
    let error = MemoryError::Newer { found: Mailbox::VERSION + 1, known: Mailbox::VERSION };
    assert_eq!(run.result, Err(error.into()));
}

/// What the plug-in remembered of one hard bounce on 5 March before addresses were compared by
/// `email-addresses`: the hash was of the address in lower case as the profile showed it.
#[test]
fn memory_of_an_address_s_former_hash_is_still_its_own() {
    let host = host();
    for (shown_then, shown_now) in [
        (ANNA, ANNA),
        (ANNA, "anna@example.com"),
        ("anna@räksmörgås.se", "anna@räksmörgås.se"),
        ("anna@räksmörgås.se", "anna@xn--rksmrgs-5wao1o.se"),
        ("Anna@xn--rksmrgs-5wao1o.se", "anna@räksmörgås.se"),
        ("ΝΊΚΟΣ@example.gr", "ΝΊΚΟΣ@example.gr"),
        ("no address", "No address"),
    ] {
        let old = OldMailbox { bounced_at: Some(day(5).parse().unwrap()), ..OldMailbox::of(shown_then) };
        let remembering = profile().point("email", shown_now).memory(&old);
        let delivered = event("email.delivered").at(&day(4)).property("address", shown_now);
        let run = host.on_event::<Email>(&delivered, &remembering);
        assert_eq!(run.claim("email.deliverable"), Some(&false.into()), "{shown_then} {shown_now}");
    }
}

#[derive(serde::Serialize, serde::Deserialize)]
struct OldMailbox {
    address: u64,
    reached_at: Option<samsyn_plugin::Timestamp>,
    bounced_at: Option<samsyn_plugin::Timestamp>,
    soft_bounces: Vec<samsyn_plugin::Timestamp>,
    warmth: f64,
    engaged_at: Option<samsyn_plugin::Timestamp>,
}

impl OldMailbox {
    fn of(address: &str) -> OldMailbox {
        let step =
            |hash: u64, letter: char| (hash ^ u64::from(u32::from(letter))).wrapping_mul(0x100_0000_01b3);
        OldMailbox {
            address: address.chars().flat_map(char::to_lowercase).fold(0xcbf2_9ce4_8422_2325, step),
            reached_at: None,
            bounced_at: None,
            soft_bounces: Vec::new(),
            warmth: 0.0,
            engaged_at: None,
        }
    }
}

impl Memory for OldMailbox {
    const VERSION: u8 = 1;
}
