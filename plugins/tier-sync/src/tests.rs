//! Customers' stories, through the manifest.

use proptest::prelude::*;
use samsyn_plugin::testing::{Customer, Host, Run, SentCall, change, profile};
use samsyn_plugin::{Answer, Response, Timestamp, Value};

use super::TierSync;
use crate::state::{OPTED_OUT, TIER, TIER_BYTES_MAX};

const MANIFEST: &str = include_str!("../plugin.toml");
const SINCE: &str = "tier_sync.in_agreement_since";
const TROUBLE: &str = "tier_sync.trouble";

fn host() -> Host {
    Host::from_manifest(MANIFEST)
}

fn member(host: &Host) -> Customer<'_> {
    host.customer_with(profile().identifier("customer_id", "00042"))
}

fn answer(status: u16, retry_after: Option<&str>) -> Answer {
    let headers = retry_after.map(|value| ("retry-after".to_owned(), value.to_owned()));
    Answer::Response(Response { status, headers: headers.into_iter().collect(), body: Vec::new() })
}

fn ok() -> Answer {
    answer(200, None)
}

fn becomes(customer: &mut Customer, field: &str, value: impl Into<Value>, at: &str) -> Run {
    let before = customer.value(field).cloned();
    fine(customer.on_change::<TierSync>(&[change(field, before, Some(value.into()))], at))
}

fn tier(customer: &mut Customer, tier: &str, at: &str) -> Run {
    becomes(customer, TIER, tier, at)
}

fn answered(customer: &mut Customer, answer: &Answer, at: &str) -> Run {
    fine(customer.answer::<TierSync>("membership", answer, at))
}

/// The only timer fires, if it is due.
fn fired(customer: &mut Customer, now: &str) -> Option<Run> {
    let mut runs = customer.fire_timers::<TierSync>(now);
    assert!(runs.len() < 2, "{runs:?}");
    runs.pop().map(fine)
}

#[track_caller]
fn fine(run: Run) -> Run {
    assert!(run.result.is_ok() && run.host_refusals.is_empty(), "{run:?}");
    run
}

/// The bodies that a run sends.
fn sent(run: &Run) -> Vec<String> {
    let body =
        |call: &SentCall| call.body.clone().map(|(_, body)| String::from_utf8(body).expect("it is text"));
    run.calls("membership").into_iter().map(|call| body(call).expect("a call has a body")).collect()
}

fn since(customer: &Customer) -> Option<Timestamp> {
    customer.value(SINCE).and_then(Value::as_timestamp)
}

fn trouble<'a>(customer: &'a Customer) -> &'a str {
    customer.value(TROUBLE).and_then(Value::as_text).unwrap_or_default()
}

fn moment(text: &str) -> Timestamp {
    text.parse().unwrap()
}

const GOLD: &str = r#"{"tier":"gold","opted_out":null}"#;
const SILVER: &str = r#"{"tier":"silver","opted_out":null}"#;

#[test]
fn a_change_is_sent_and_its_answer_makes_agreement() {
    let host = host();
    let mut anna = member(&host);
    let run = tier(&mut anna, "gold", "2026-11-21T10:00:00Z");
    assert_eq!(sent(&run), [GOLD]);
    let call = run.calls("membership")[0];
    assert_eq!(
        (call.path.as_str(), call.body.as_ref().unwrap().0.as_str()),
        ("members/00042", "application/json")
    );
    assert_eq!((since(&anna), trouble(&anna)), (None, ""));

    let run = answered(&mut anna, &ok(), "2026-11-21T10:00:01Z");
    assert!(sent(&run).is_empty());
    assert_eq!((since(&anna), trouble(&anna)), (Some(moment("2026-11-21T10:00:01Z")), ""));

    // The opt-out is sent with the tier.
    let run = becomes(&mut anna, OPTED_OUT, true, "2026-11-22T10:00:00Z");
    assert_eq!(sent(&run), [r#"{"tier":"gold","opted_out":true}"#]);
    assert!(run.cleared(SINCE));
    answered(&mut anna, &ok(), "2026-11-22T10:00:01Z");
    assert_eq!(since(&anna), Some(moment("2026-11-22T10:00:01Z")));
    assert_eq!(anna.timer("again"), None);
}

#[test]
fn what_is_known_already_has_no_effect_at_all() {
    let host = host();
    let mut anna = member(&host);
    tier(&mut anna, "gold", "2026-11-21T10:00:00Z");
    // Before the answer, and after it.
    assert!(tier(&mut anna, "gold", "2026-11-21T10:00:00Z").effects.is_empty());
    answered(&mut anna, &ok(), "2026-11-21T10:00:01Z");
    assert!(tier(&mut anna, "gold", "2026-11-23T10:00:00Z").effects.is_empty());
    // Also when the answer was bad: the same again would be as bad.
    tier(&mut anna, "silver", "2026-11-24T10:00:00Z");
    answered(&mut anna, &answer(422, None), "2026-11-24T10:00:01Z");
    assert!(tier(&mut anna, "silver", "2026-11-25T10:00:00Z").effects.is_empty());
    assert_eq!(anna.timer("again"), None);
}

#[test]
fn the_table_of_answers() {
    let at = "2026-11-21T10:00:00Z";
    for (answer, agrees, said, again) in [
        (answer(200, None), true, "", None),
        (answer(204, None), true, "", None),
        (answer(202, None), true, "", None),
        (answer(202, Some("30")), false, "", Some("2026-11-21T10:00:30Z")),
        (answer(409, Some("60")), false, "", Some("2026-11-21T10:01:00Z")),
        (answer(423, Some("0")), false, "", Some("2026-11-21T10:00:01Z")),
        (answer(423, Some("9999999")), false, "", Some("2026-11-22T10:00:00Z")),
        (answer(404, None), false, "404: the system doesn't know the member", Some("2026-11-22T10:00:00Z")),
        (answer(409, None), false, "409: the system rejected it", None),
        (answer(422, Some("30")), false, "422: the system rejected it", None),
        (answer(301, None), false, "301: the system rejected it", None),
        (answer(503, Some("30")), false, "503: the system can't answer", Some("2026-11-21T11:00:00Z")),
        (Answer::NotSent("dns: no such name".into()), false, "not-sent: dns", Some("2026-11-21T11:00:00Z")),
        (Answer::Unknown("timeout: late".into()), false, "unknown: timeout", Some("2026-11-21T11:00:00Z")),
    ] {
        let host = host();
        let mut anna = member(&host);
        tier(&mut anna, "gold", "2026-11-21T09:00:00Z");
        let run = answered(&mut anna, &answer, at);
        assert!(sent(&run).is_empty(), "{answer:?}");
        assert_eq!(since(&anna), agrees.then(|| moment(at)), "{answer:?}");
        assert_eq!(trouble(&anna), said, "{answer:?}");
        assert_eq!(anna.timer("again"), again.map(moment), "{answer:?}");
        // What comes again by a timer is what is true then; and a good answer ends every trouble.
        if again.is_some() {
            let run = fired(&mut anna, "2026-11-22T10:00:00Z").expect("the timer is due");
            assert_eq!(sent(&run), [GOLD], "{answer:?}");
            assert_eq!(trouble(&anna), said, "it stays until there is another answer: {answer:?}");
            answered(&mut anna, &ok(), "2026-11-22T10:00:05Z");
            assert_eq!((since(&anna), trouble(&anna)), (Some(moment("2026-11-22T10:00:05Z")), ""));
            assert_eq!(anna.timer("again"), None);
        }
    }
}

#[test]
fn several_changes_before_an_answer_are_one_call_each() {
    let host = host();
    let mut anna = member(&host);
    for (at, tier_now) in ["gold", "silver", "gold", "bronze"].into_iter().enumerate() {
        let run = tier(&mut anna, tier_now, &format!("2026-11-21T10:00:0{at}Z"));
        assert_eq!(sent(&run), [format!(r#"{{"tier":"{tier_now}","opted_out":null}}"#)]);
    }
    assert_eq!(anna.calls().len(), 4);
    // Answers to older calls, good and bad, decide nothing: the newest is on its way.
    for old in [ok(), answer(404, None), answer(423, Some("30"))] {
        let run = answered(&mut anna, &old, "2026-11-21T10:01:00Z");
        assert!(sent(&run).is_empty() && since(&anna).is_none() && anna.timer("again").is_none(), "{old:?}");
    }
    answered(&mut anna, &ok(), "2026-11-21T10:02:00Z");
    assert_eq!((since(&anna), trouble(&anna)), (Some(moment("2026-11-21T10:02:00Z")), ""));
}

#[test]
fn what_is_visible_again_is_confirmed_only_by_the_newest_answer() {
    let host = host();
    let mut anna = member(&host);
    tier(&mut anna, "gold", "2026-11-21T10:00:00Z");
    answered(&mut anna, &ok(), "2026-11-21T10:00:01Z");
    tier(&mut anna, "silver", "2026-11-21T10:00:02Z");
    let back = tier(&mut anna, "gold", "2026-11-21T10:00:03Z");
    assert_eq!(sent(&back), [GOLD], "silver is on its way, so gold must follow it");
    answered(&mut anna, &ok(), "2026-11-21T10:00:04Z");
    assert_eq!(since(&anna), None);
    answered(&mut anna, &answer(400, None), "2026-11-21T10:00:05Z");
    assert_eq!((since(&anna), trouble(&anna)), (None, "400: the system rejected it"));
}

#[test]
fn what_was_never_sent_needs_no_taking_back() {
    let host = host();
    let mut anna = member(&host);
    tier(&mut anna, "gold", "2026-11-21T10:00:00Z");
    answered(&mut anna, &ok(), "2026-11-21T10:00:01Z");
    tier(&mut anna, "silver", "2026-11-21T11:00:00Z");
    answered(&mut anna, &Answer::NotSent("refused: no".into()), "2026-11-21T11:00:01Z");
    assert!(anna.timer("again").is_some());
    let back = tier(&mut anna, "gold", "2026-11-21T11:10:00Z");
    assert!(sent(&back).is_empty());
    assert_eq!((since(&anna), trouble(&anna)), (Some(moment("2026-11-21T11:10:00Z")), ""));
    assert_eq!(anna.timer("again"), None);
    // After an unknown end nobody knows what the system has, so it is sent.
    tier(&mut anna, "silver", "2026-11-21T12:00:00Z");
    answered(&mut anna, &Answer::Unknown("reset: gone".into()), "2026-11-21T12:00:01Z");
    assert_eq!(sent(&tier(&mut anna, "gold", "2026-11-21T12:10:00Z")), [GOLD]);
}

#[test]
fn while_the_system_asks_for_patience_changes_wait_and_the_last_one_is_sent() {
    let host = host();
    let mut anna = member(&host);
    tier(&mut anna, "gold", "2026-11-21T10:00:00Z");
    answered(&mut anna, &answer(423, Some("600")), "2026-11-21T10:00:01Z");
    assert!(sent(&tier(&mut anna, "bronze", "2026-11-21T10:01:00Z")).is_empty());
    assert!(sent(&tier(&mut anna, "silver", "2026-11-21T10:02:00Z")).is_empty());
    assert!(fired(&mut anna, "2026-11-21T10:10:00Z").is_none());
    let run = fired(&mut anna, "2026-11-21T10:10:01Z").expect("it is due");
    assert_eq!(sent(&run), [SILVER]);
}

#[test]
fn a_new_opt_out_waits_for_nothing() {
    let host = host();
    let mut anna = member(&host);
    tier(&mut anna, "gold", "2026-11-21T10:00:00Z");
    answered(&mut anna, &answer(423, Some("86400")), "2026-11-21T10:00:01Z");
    let run = becomes(&mut anna, OPTED_OUT, true, "2026-11-21T10:01:00Z");
    assert_eq!(sent(&run), [r#"{"tier":"gold","opted_out":true}"#]);
    assert_eq!(anna.timer("again"), None, "the answer says when to send again");
    answered(&mut anna, &answer(423, Some("86400")), "2026-11-21T10:01:01Z");
    // Nothing else is as urgent: not the tier, and not the end of the opt-out.
    assert!(sent(&tier(&mut anna, "silver", "2026-11-21T10:02:00Z")).is_empty());
    assert!(sent(&becomes(&mut anna, OPTED_OUT, false, "2026-11-21T10:03:00Z")).is_empty());
    let run = fired(&mut anna, "2026-11-22T10:01:01Z").expect("it is due");
    assert_eq!(sent(&run), [r#"{"tier":"silver","opted_out":false}"#]);
}

#[test]
fn nothing_is_invented_for_an_opt_out() {
    let host = host();
    let mut anna = member(&host);
    // Nobody said anything: not false.
    assert_eq!(sent(&tier(&mut anna, "gold", "2026-11-21T10:00:00Z")), [GOLD]);
    let mut bo = member(&host);
    let run = becomes(&mut bo, OPTED_OUT, true, "2026-11-21T10:00:00Z");
    assert_eq!(sent(&run), [r#"{"tier":null,"opted_out":true}"#]);
    // It has no effect on the field itself: the plug-in reads it.
    assert_eq!(run.claim(OPTED_OUT), None);
}

#[test]
fn a_system_that_asks_for_the_next_second_again_and_again_is_asked_less_and_less() {
    let host = host();
    let mut anna = member(&host);
    tier(&mut anna, "gold", "2026-11-21T00:00:00Z");
    let mut now = moment("2026-11-21T00:00:00Z");
    let mut waits = Vec::new();
    for _ in 0..8 {
        answered(&mut anna, &answer(202, Some("1")), &at(now));
        let again = anna.timer("again").expect("it is sent again");
        waits.push(again.millis_since(now) / 1_000);
        now = again;
        assert_eq!(fired(&mut anna, &at(now)).map(|run| sent(&run).len()), Some(1));
    }
    assert_eq!(waits, [1, 5, 25, 125, 625, 3_125, 3_600, 3_600]);
    // A longer wait is the system's.
    answered(&mut anna, &answer(202, Some("7200")), &at(now));
    assert_eq!(anna.timer("again").map(|again| again.millis_since(now)), Some(7_200_000));
    // After a good answer the waits are short again.
    now = anna.timer("again").expect("it is sent again");
    fired(&mut anna, &at(now));
    answered(&mut anna, &ok(), &at(now));
    tier(&mut anna, "silver", &at(now));
    answered(&mut anna, &answer(202, Some("1")), &at(now));
    assert_eq!(anna.timer("again").map(|again| again.millis_since(now)), Some(1_000));
}

/// RFC 3339, of a time in November 2026.
fn at(time: Timestamp) -> String {
    let (year, month, day) = time.date().ymd();
    let seconds = time.millis_since(time.date().start()) / 1_000;
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[test]
fn to_an_unknown_member_it_is_sent_a_day_later_seven_times() {
    let host = host();
    let mut anna = member(&host);
    tier(&mut anna, "gold", "2026-11-01T10:00:00Z");
    for day in 1..=7 {
        answered(&mut anna, &answer(404, None), &format!("2026-11-{day:02}T10:00:00Z"));
        assert_eq!(anna.timer("again"), Some(moment(&format!("2026-11-{:02}T10:00:00Z", day + 1))));
        let run = fired(&mut anna, &format!("2026-11-{:02}T10:00:00Z", day + 1)).expect("it is due");
        assert_eq!(sent(&run), [GOLD]);
    }
    answered(&mut anna, &answer(404, None), "2026-11-08T10:00:00Z");
    assert_eq!((anna.timer("again"), since(&anna)), (None, None));
    assert_eq!(trouble(&anna), "404: the system doesn't know the member");
    // After a change there are seven more, and it doesn't wait for the next day.
    assert_eq!(sent(&tier(&mut anna, "silver", "2026-11-09T10:00:00Z")), [SILVER]);
    answered(&mut anna, &answer(404, None), "2026-11-09T10:00:01Z");
    assert!(anna.timer("again").is_some());
    assert_eq!(sent(&tier(&mut anna, "gold", "2026-11-09T12:00:00Z")), [GOLD]);
    assert_eq!(anna.timer("again"), None);
}

#[test]
fn a_customer_without_an_id_is_not_sent() {
    let host = host();
    let mut nobody = host.customer();
    let run = tier(&mut nobody, "gold", "2026-11-21T10:00:00Z");
    assert!(sent(&run).is_empty());
    assert_eq!(trouble(&nobody), "not-called: the customer has no customer_id");
    assert!(tier(&mut nobody, "gold", "2026-11-21T11:00:00Z").effects.is_empty());
    // Once there is one, the next change is sent.
    let known = nobody.profile().clone().identifier("customer_id", "a b/ü");
    let mut known = host.customer_with(known);
    let run = tier(&mut known, "silver", "2026-11-21T12:00:00Z");
    assert_eq!(run.calls("membership")[0].path, "members/a%20b%2F%C3%BC");
    assert_eq!(trouble(&known), "");
}

#[test]
fn another_id_is_another_member() {
    let host = host();
    let mut anna = member(&host);
    tier(&mut anna, "gold", "2026-11-21T10:00:00Z");
    answered(&mut anna, &ok(), "2026-11-21T10:00:01Z");
    let memory = anna.memory_bytes().expect("it remembers");
    let other = profile().identifier("customer_id", "00043").memory_bytes(memory);
    let run = tier(&mut host.customer_with(other), "gold", "2026-11-21T11:00:00Z");
    assert_eq!(run.calls("membership")[0].path, "members/00043");
}

#[test]
fn an_id_that_no_path_can_have_is_a_trouble_and_no_failure() {
    let host = host();
    let mut dots = host.customer_with(profile().identifier("customer_id", ".."));
    let run = dots.on_change::<TierSync>(&[change(TIER, None, Some("gold".into()))], "2026-11-21T10:00:00Z");
    assert_eq!((&run.result, run.host_refusals[0].code.as_str()), (&Ok(()), "call.path"));
    assert_eq!((trouble(&dots), dots.timer("again")), ("not-called: call.path", None));
}

#[test]
fn a_tier_that_is_too_long_is_a_trouble() {
    let host = host();
    let mut anna = member(&host);
    tier(&mut anna, "gold", "2026-11-21T10:00:00Z");
    answered(&mut anna, &answer(404, None), "2026-11-21T10:00:01Z");
    let run = tier(&mut anna, &"x".repeat(TIER_BYTES_MAX + 1), "2026-11-21T11:00:00Z");
    assert!(sent(&run).is_empty());
    assert_eq!((trouble(&anna), anna.timer("again")), ("not-called: the tier is too long", None));
    // The retry that was cancelled is made up for.
    assert_eq!(sent(&tier(&mut anna, "gold", "2026-11-21T12:00:00Z")), [GOLD]);
    assert_eq!(trouble(&anna), "");
}

#[test]
fn thirty_two_calls_wait_and_the_state_after_them_is_sent_by_an_answer() {
    let host = host();
    let mut anna = member(&host);
    for number in 0..32 {
        tier(&mut anna, &format!("tier {number}"), "2026-11-21T10:00:00Z");
    }
    let run = anna.on_change::<TierSync>(&[change(TIER, None, Some("gold".into()))], "2026-11-21T10:00:01Z");
    assert_eq!((&run.result, run.host_refusals[0].code.as_str()), (&Ok(()), "call.too-many"));
    assert_eq!((anna.calls().len(), trouble(&anna)), (32, ""));
    // There is room for it as soon as one is answered.
    assert_eq!(sent(&answered(&mut anna, &ok(), "2026-11-21T10:00:02Z")), [GOLD]);
    for _ in 0..31 {
        assert!(sent(&answered(&mut anna, &ok(), "2026-11-21T10:00:03Z")).is_empty());
        assert_eq!(since(&anna), None);
    }
    answered(&mut anna, &ok(), "2026-11-21T10:00:04Z");
    assert_eq!(since(&anna), Some(moment("2026-11-21T10:00:04Z")));
}

#[test]
fn the_largest_memory_and_note_are_small() {
    let host = host();
    let id = "ü".repeat(128);
    let mut anna = host.customer_with(profile().identifier("customer_id", &id));
    for tier_now in ["\"".repeat(TIER_BYTES_MAX), "\n".repeat(TIER_BYTES_MAX)] {
        let run = tier(&mut anna, &tier_now, "2026-11-21T10:00:00Z");
        let note = run.calls("membership")[0].note.as_ref().expect("a call has a note").len();
        assert!(note < 2_048, "{note}");
        answered(&mut anna, &answer(202, Some("1")), "2026-11-21T10:00:01Z");
        fired(&mut anna, "2026-11-21T10:00:02Z");
        answered(&mut anna, &ok(), "2026-11-21T10:00:03Z");
    }
    let bytes = anna.memory_bytes().map_or(0, <[u8]>::len);
    assert!((100..4_096).contains(&bytes), "{bytes}");
}

#[test]
fn an_answer_without_a_note_parks() {
    let host = host();
    for note in [None, Some("".as_bytes()), Some(b"x y z =")] {
        let run = host.on_answer::<TierSync>("membership", &ok(), note, "2026-11-21T10:00:00Z", &profile());
        assert!(run.result.is_err() && run.effects.is_empty(), "{run:?}");
    }
}

/// What can happen to a customer.
#[derive(Clone, Debug)]
enum Happens {
    Tier(&'static str),
    OptedOut(bool),
    Answered(Answer),
    DayPasses,
}

fn anything() -> impl Strategy<Value = Happens> {
    let answers = vec![
        ok(),
        answer(202, Some("3")),
        answer(423, Some("90")),
        answer(404, None),
        answer(422, None),
        answer(503, None),
        Answer::NotSent("dns: no".into()),
        Answer::Unknown("timeout: late".into()),
    ];
    prop_oneof![
        prop::sample::select(vec!["bronze", "silver", "gold"]).prop_map(Happens::Tier),
        any::<bool>().prop_map(Happens::OptedOut),
        prop::sample::select(answers).prop_map(Happens::Answered),
        Just(Happens::DayPasses),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// A system that has what it last took without a doubt: whenever the plug-in says that it agrees, it does.
    /// And with good answers it agrees in the end.
    #[test]
    fn it_never_says_agreement_without_one(story in prop::collection::vec(anything(), 1..40)) {
        let host = host();
        let mut anna = member(&host);
        let mut has: Option<Vec<u8>> = None;
        let mut now = moment("2026-01-01T00:00:00Z");
        let mut answer_next = |anna: &mut Customer, answer: &Answer, now: Timestamp| {
            let Some(call) = anna.calls().first().cloned() else { return };
            let is_waiting = matches!(answer, Answer::Response(response) if response.status == 202);
            match answer.success() {
                Some(_) if !is_waiting => has = call.body.map(|(_, body)| body),
                // The worst case of what isn't known: it has something else.
                _ if !matches!(answer, Answer::NotSent(_)) => has = None,
                _ => {}
            }
            answered(anna, answer, &at(now));
            if since(anna).is_some() {
                assert_eq!(has.as_deref(), Some(visible(anna).as_bytes()));
            }
        };
        for happens in story {
            now = Timestamp::from_millis(now.millis() + 1_000);
            match happens {
                Happens::Tier(name) => drop(tier(&mut anna, name, &at(now))),
                Happens::OptedOut(value) => drop(becomes(&mut anna, OPTED_OUT, value, &at(now))),
                Happens::Answered(answer) => answer_next(&mut anna, &answer, now),
                Happens::DayPasses => {
                    now = now.add_days(1);
                    fired(&mut anna, &at(now));
                }
            }
        }
        // A new state, and from now on every answer is good.
        now = now.add_days(1);
        fired(&mut anna, &at(now));
        tier(&mut anna, "platinum", &at(now));
        for _ in 0..3 {
            now = now.add_days(1);
            fired(&mut anna, &at(now));
            while !anna.calls().is_empty() {
                answer_next(&mut anna, &ok(), now);
            }
        }
        prop_assert!(since(&anna).is_some() && trouble(&anna).is_empty(), "{:?}", anna);
    }
}

/// What is visible, as the plug-in sends it.
fn visible(customer: &Customer) -> String {
    let tier = customer.value(TIER).and_then(Value::as_text);
    let tier = tier.map_or("null".to_owned(), |tier| format!("\"{tier}\""));
    let opted_out = customer.value(OPTED_OUT).and_then(Value::as_boolean);
    format!("{{\"tier\":{tier},\"opted_out\":{}}}", opted_out.map_or("null".to_owned(), |it| it.to_string()))
}
