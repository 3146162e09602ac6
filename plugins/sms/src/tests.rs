//! Whole deliveries, as a host makes them.

use samsyn_plugin::testing::{Customer, Host, change, event, profile, proposal};
use samsyn_plugin::{Proposal, Timestamp, Value};

use super::Sms;

const MANIFEST: &str = include_str!("../plugin.toml");
const NOON: &str = "2026-11-21T12:00:00Z";
const ONE: &str = "2026-11-21T13:00:00Z";
const TWO: &str = "2026-11-21T14:00:00Z";

fn receive(customer: &mut Customer<'_>, at: &str, message: &str) -> samsyn_plugin::testing::Run {
    let run = customer.on_event::<Sms>(&event("sms.received").at(at).property("text", message));
    assert_eq!(run.result, Ok(()));
    // The host refuses a wish that is older than the one in force, and nothing else.
    assert!(host_codes(&run).iter().all(|code| *code == "protective.outdated"), "{:?}", run.host_refusals);
    run
}

fn host_codes(run: &samsyn_plugin::testing::Run) -> Vec<&str> {
    run.host_refusals.iter().map(|refusal| refusal.code.as_str()).collect()
}

fn opted_out(customer: &Customer<'_>) -> Option<bool> {
    customer.value("sms.opted_out").and_then(Value::as_boolean)
}

fn moment(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[test]
fn every_default_stop_word_stops() {
    let words = "STOP STOPP STOPALL UNSUBSCRIBE END QUIT CANCEL REVOKE OPTOUT AVSLUTA AVREGISTRERA SLUTA";
    let host = Host::from_manifest(MANIFEST);
    for word in words.split(' ') {
        let mut anna = host.customer();
        receive(&mut anna, NOON, &word.to_lowercase());
        assert_eq!(opted_out(&anna), Some(true), "{word}");
    }
}

#[test]
fn an_opt_out_ends_by_start_alone() {
    let host = Host::from_manifest(MANIFEST);
    let mut anna = host.customer();
    receive(&mut anna, NOON, "STOP");
    receive(&mut anna, ONE, "start again please");
    assert_eq!(opted_out(&anna), Some(true));
    receive(&mut anna, TWO, "Starta!");
    assert_eq!(opted_out(&anna), Some(false));
}

#[test]
fn the_newest_wish_counts_whatever_arrives_last() {
    let host = Host::from_manifest(MANIFEST);
    for (first, second, expected) in [
        ((NOON, "STOP"), (ONE, "START"), false),
        ((ONE, "START"), (NOON, "STOP"), false),
        ((ONE, "STOP"), (NOON, "START"), true),
        ((ONE, "STOP"), (ONE, "START"), true),
        ((ONE, "START"), (ONE, "STOP"), true),
    ] {
        let mut anna = host.customer();
        receive(&mut anna, first.0, first.1);
        receive(&mut anna, second.0, second.1);
        assert_eq!(opted_out(&anna), Some(expected), "{first:?} {second:?}");
    }
}

#[test]
fn a_fast_clock_doesn_t_outlast_the_next_stop() {
    let host = Host::from_manifest(MANIFEST);
    let mut anna = host.customer();
    let early = event("sms.received").at("2027-06-01T00:00:00Z").received_at(NOON).property("text", "START");
    anna.on_event::<Sms>(&early);
    assert_eq!(anna.value("sms.last_reply_at"), Some(&moment(NOON).into()));
    receive(&mut anna, ONE, "STOP");
    assert_eq!(opted_out(&anna), Some(true));
}

#[test]
fn nothing_is_remembered() {
    let host = Host::from_manifest(MANIFEST);
    let mut anna = host.customer();
    for hour in 0..24 {
        let at = format!("2026-11-21T{hour:02}:00:00Z");
        receive(&mut anna, &at, if hour % 2 == 0 { "STOP" } else { "START" });
    }
    assert_eq!(anna.memory_bytes(), None);
    assert_eq!(opted_out(&anna), Some(false));
}

#[test]
fn a_message_that_only_contains_a_stop_word_is_for_a_person() {
    let host = Host::from_manifest(MANIFEST);
    let mut anna = host.customer();
    let run = receive(&mut anna, NOON, "Can you please stop sending these");
    assert_eq!(run.emitted("sms.stop_suspected"), [[("word".to_owned(), Value::from("STOP"))]]);
    assert_eq!(opted_out(&anna), None);
    assert!(receive(&mut anna, ONE, "Thanks!").emitted("sms.stop_suspected").is_empty());
}

#[test]
fn the_last_reply_is_the_newest_not_the_last_to_arrive() {
    let host = Host::from_manifest(MANIFEST);
    let mut anna = host.customer();
    receive(&mut anna, ONE, "Thanks!");
    receive(&mut anna, NOON, "Hello");
    assert_eq!(anna.value("sms.last_reply_at"), Some(&moment(ONE).into()));
    receive(&mut anna, TWO, "STOP");
    assert_eq!(anna.value("sms.last_reply_at"), Some(&moment(TWO).into()));
}

#[test]
fn the_stop_words_are_a_setting() {
    let host = Host::from_manifest(MANIFEST).setting("stop_words", vec!["PARAR".to_owned()]);
    let mut anna = host.customer();
    receive(&mut anna, NOON, "quit");
    assert_eq!(opted_out(&anna), None);
    receive(&mut anna, ONE, "parar");
    assert_eq!(opted_out(&anna), Some(true));
}

#[test]
fn the_country_follows_the_number_s_prefix() {
    let host = Host::from_manifest(MANIFEST);
    let mut anna = host.customer();
    let mut before: Option<Value> = None;
    for (number, country) in [
        (Some("+46701234567"), Some("SE")),
        (Some("+16045550123"), Some("CA")),
        (Some("+18005550123"), None),
        (Some("+77012345678"), Some("KZ")),
        (None, None),
    ] {
        let after = number.map(Value::from);
        let run = anna.on_change::<Sms>(&[change("phone", before.take(), after.clone())], NOON);
        assert_eq!(run.result, Ok(()));
        assert_eq!(run.claim("country"), country.map(Value::from).as_ref(), "{number:?}");
        assert_eq!(run.cleared("country"), country.is_none());
        before = after;
    }
}

#[test]
fn a_new_number_leaves_the_opt_out() {
    let host = Host::from_manifest(MANIFEST);
    let mut anna = host.customer();
    receive(&mut anna, NOON, "STOP");
    anna.on_change::<Sms>(&[change("phone", None, Some("+46701234567".into()))], ONE);
    assert_eq!(opted_out(&anna), Some(true));
}

#[test]
fn a_number_from_before_the_plug_in_counts_at_the_next_message() {
    let host = Host::from_manifest(MANIFEST);
    let mut anna = host.customer_with(profile().point("phone", "+447781123456"));
    let run = receive(&mut anna, NOON, "Hello");
    assert_eq!(run.claim("country"), Some(&"GG".into()));
    assert_eq!(receive(&mut anna, ONE, "Hello").claim("country"), None);
}

#[test]
fn an_app_may_opt_a_customer_out_and_not_in() {
    let host = Host::from_manifest(MANIFEST);
    let at = |at: &str, value: bool| Proposal { at: moment(at), ..proposal("sms.opted_out", value) };
    let mut anna = host.customer();
    assert_eq!(anna.on_proposal::<Sms>(&[at(ONE, true)]).claim("sms.opted_out"), Some(&true.into()));
    // Said again, also from before: that is how it is.
    assert_eq!(anna.on_proposal::<Sms>(&[at(NOON, true)]).claim("sms.opted_out"), Some(&true.into()));
    let needed = [(Some("sms.opted_out"), "sms.start-needed")];
    assert_eq!(anna.on_proposal::<Sms>(&[at(TWO, false)]).refusals(), needed);
    assert_eq!(anna.on_proposal::<Sms>(&[proposal("sms.opted_out", None)]).refusals(), needed);
    assert_eq!(opted_out(&anna), Some(true));

    receive(&mut anna, TWO, "START");
    let late = anna.on_proposal::<Sms>(&[at(ONE, true)]);
    assert_eq!(host_codes(&late), ["protective.outdated"]);
    assert_eq!(opted_out(&anna), Some(false));
}

#[test]
fn an_opt_out_ends_with_a_consent_that_says_when_and_where_from() {
    let host = Host::from_manifest(MANIFEST);
    let mut anna = host.customer();
    receive(&mut anna, NOON, "STOP");
    let consent = |origin: &str| event("sms.consented").property("origin", origin);
    let given = |origin: &str| consent(origin).at(ONE).received_at(TWO);
    for before in ["2026-11-21T11:00:00Z", NOON] {
        let run = anna.on_event::<Sms>(&consent("till in Solna").at(before).received_at(TWO));
        assert_eq!(host_codes(&run), ["protective.outdated"]);
        assert_eq!(opted_out(&anna), Some(true), "{before}");
    }
    for (event, code) in [
        (given(" "), "sms.consent-origin"),
        (given("\u{200b}-"), "sms.consent-origin"),
        (consent("till in Solna").at(TWO).received_at(TWO), "sms.consent-time"),
    ] {
        let run = anna.on_event::<Sms>(&event);
        assert_eq!(run.refusals(), [(Some("sms.opted_out"), code)]);
        assert_eq!(opted_out(&anna), Some(true), "{code}");
    }
    let run = anna.on_event::<Sms>(&given("till in Solna"));
    assert_eq!(run.refusals(), []);
    assert_eq!(opted_out(&anna), Some(false));
    assert_eq!(anna.value("sms.last_reply_at"), Some(&moment(NOON).into()), "a consent is no reply");
    // Told again, and from before: the same.
    for again in [given("till in Solna"), consent("web").at("2026-11-21T12:30:00Z").received_at(TWO)] {
        assert_eq!(anna.on_event::<Sms>(&again).refusals(), []);
        assert_eq!(opted_out(&anna), Some(false));
    }
    // Dated tomorrow, it counts as today's; so a stop ends it at once.
    anna.on_event::<Sms>(&consent("web").at("2026-12-24T12:00:00Z").received_at(TWO));
    receive(&mut anna, "2026-11-21T15:00:00Z", "STOP");
    assert_eq!(opted_out(&anna), Some(true));
}

#[test]
fn a_refused_opt_in_names_the_event_to_send() {
    let host = Host::from_manifest(MANIFEST);
    for value in [Some(false), None] {
        let value = value.map(Value::from);
        let run = host.on_proposal::<Sms>(&[proposal("sms.opted_out", value)], &profile());
        assert_eq!(run.refusals(), [(Some("sms.opted_out"), "sms.start-needed")]);
        assert!(format!("{:?}", run.effects).contains("sms.consented"));
    }
}

#[test]
fn what_is_observed_can_t_be_proposed() {
    let host = Host::from_manifest(MANIFEST);
    let run = host.on_proposal::<Sms>(
        &[proposal("sms.last_reply_at", moment(NOON)), proposal("country", "SE")],
        &profile(),
    );
    assert_eq!(run.refusals(), [(Some("sms.last_reply_at"), "sms.observed-only")]);
    assert_eq!(run.claim("country"), None);
    assert_eq!(run.result, Ok(()));
}
