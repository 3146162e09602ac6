use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::outcome::{Answer, NotSent, Unknown, UnknownWhy};

const HOUR: Duration = Duration::from_secs(3600);
const KEYED: RetryClass = RetryClass::Keyed { window: Duration::from_secs(24 * 3600) };
const CLASSES: [RetryClass; 4] = [RetryClass::Safe, KEYED, RetryClass::Probe, RetryClass::Once];

fn response(status: u16) -> Outcome {
    Outcome::Response(Answer { status, headers: Vec::new(), body: Vec::new(), took: Duration::ZERO })
}

fn unknown() -> Outcome {
    Outcome::Unknown(Unknown { why: UnknownWhy::Time, status: None })
}

fn too_large() -> Outcome {
    Outcome::Unknown(Unknown { why: UnknownWhy::BodyTooLarge(1), status: Some(200) })
}

/// What is known after the first attempt ended like this.
fn first(outcome: &Outcome) -> History {
    let sent = !matches!(outcome, Outcome::NotSent(_));
    let refused = u32::from(sense(outcome) == Sense::Auth);
    History {
        attempts: 1,
        first_sent: sent.then_some(Duration::ZERO),
        auth_refusals: refused,
        ..History::default()
    }
}

fn next(class: RetryClass, outcome: &Outcome) -> Next {
    after(Rule { class, give_up: GIVE_UP }, Ended::Outcome(outcome), first(outcome))
}

#[derive(Debug, PartialEq, Eq)]
enum Kind {
    Again,
    Final,
    LookUp,
    Stays,
}

fn kind(next: Next) -> Kind {
    match next {
        Next::Again { .. } => Kind::Again,
        Next::Final => Kind::Final,
        Next::InDoubt(Doubt::LookUp { .. }) => Kind::LookUp,
        Next::InDoubt(_) => Kind::Stays,
    }
}

#[test]
fn the_table() {
    use Kind::{Again, Final, LookUp, Stays};
    let dns = Outcome::NotSent(NotSent::Dns { name: "x".to_owned(), why: "y".to_owned() });
    let table: [(Outcome, [Kind; 4]); 19] = [
        (dns, [Again, Again, Again, Again]),
        (Outcome::NotSent(NotSent::Time), [Again, Again, Again, Again]),
        (Outcome::NotSent(NotSent::Paused), [Again, Again, Again, Again]),
        (
            Outcome::NotSent(NotSent::Token { why: String::new(), refused: true }),
            [Again, Again, Again, Again],
        ),
        (Outcome::NotSent(NotSent::Key), [Final, Final, Final, Final]),
        (response(200), [Final, Final, Final, Final]),
        (response(302), [Final, Final, Final, Final]),
        (response(404), [Final, Final, Final, Final]),
        (response(409), [Final, Final, Final, Final]),
        (response(410), [Final, Final, Final, Final]),
        (response(408), [Again, Again, Again, Final]),
        (response(425), [Again, Again, Again, Final]),
        (response(429), [Again, Again, Again, Final]),
        (response(401), [Again, Again, Again, Final]),
        (response(403), [Again, Again, Again, Final]),
        (response(500), [Again, Again, LookUp, Final]),
        (response(503), [Again, Again, LookUp, Final]),
        (unknown(), [Again, Again, LookUp, Stays]),
        (too_large(), [Stays, Stays, LookUp, Stays]),
    ];
    for (outcome, expected) in table {
        for (class, expected) in CLASSES.into_iter().zip(expected) {
            assert_eq!(kind(next(class, &outcome)), expected, "{class:?} {outcome:?}");
        }
    }
}

#[test]
fn a_crash_is_an_unknown_outcome() {
    for class in CLASSES {
        let rule = Rule { class, give_up: GIVE_UP };
        let history = first(&unknown());
        let (crash, seen) =
            (after(rule, Ended::Crashed, history), after(rule, Ended::Outcome(&unknown()), history));
        assert_eq!(crash, seen);
    }
}

#[test]
fn a_key_is_not_used_when_the_peer_may_have_forgotten_it() {
    let rule = Rule { class: KEYED, give_up: 48 * HOUR };
    let history = |since: Duration| History { attempts: 1, first_sent: Some(since), ..History::default() };
    let at = |since| after(rule, Ended::Outcome(&unknown()), history(since));
    assert!(matches!(at(22 * HOUR), Next::Again { .. }));
    assert_eq!(at(23 * HOUR), Next::InDoubt(Doubt::KeyExpired));
    // The peer answered and refused: its answer is the end, nothing is in doubt.
    let later = after(rule, Ended::Outcome(&response(429)), history(23 * HOUR));
    assert_eq!(later, Next::Final);
    // Nothing ever left: there is no key to forget.
    let never = History { attempts: 1, age: 30 * HOUR, ..History::default() };
    let dns = Outcome::NotSent(NotSent::Time);
    assert!(matches!(after(rule, Ended::Outcome(&dns), never), Next::Again { .. }));
    assert_eq!(usable(Duration::from_secs(1800)), Duration::from_secs(900));
    assert_eq!(usable(24 * HOUR), 23 * HOUR);
}

#[test]
fn a_conflict_with_our_own_attempt_is_waited_for() {
    let rule = Rule { class: KEYED, give_up: GIVE_UP };
    let history = History { attempts: 2, in_doubt: true, first_sent: Some(HOUR), ..History::default() };
    assert!(matches!(after(rule, Ended::Outcome(&response(409)), history), Next::Again { .. }));
    assert_eq!(after(rule, Ended::Outcome(&response(422)), history), Next::Final);
    let settled = History { in_doubt: false, ..history };
    assert_eq!(after(rule, Ended::Outcome(&response(409)), settled), Next::Final);
}

#[test]
fn refused_credentials_hold_the_exchange_and_not_one_that_is_refused_itself() {
    let rule = Rule { class: KEYED, give_up: GIVE_UP };
    let refused = |auth_refusals, endpoint_shut| {
        let history = History { attempts: auth_refusals, auth_refusals, endpoint_shut, ..History::default() };
        kind(after(rule, Ended::Outcome(&response(403)), history))
    };
    assert_eq!(refused(2, false), Kind::Again);
    assert_eq!(refused(3, true), Kind::Again, "the endpoint is shut: it waits");
    assert_eq!(refused(3, false), Kind::Final, "others pass: it is this request");
}

#[test]
fn at_the_end_a_doubt_is_told() {
    let rule = Rule { class: RetryClass::Safe, give_up: HOUR };
    let old = History { attempts: 4, age: HOUR, first_sent: Some(HOUR), ..History::default() };
    assert_eq!(after(rule, Ended::Outcome(&response(503)), old), Next::Final);
    assert_eq!(after(rule, Ended::Outcome(&unknown()), old), Next::InDoubt(Doubt::GaveUp));
    let refused = Outcome::NotSent(NotSent::Time);
    assert_eq!(after(rule, Ended::Outcome(&refused), History { first_sent: None, ..old }), Next::Final);
    // The last attempt left nothing, but an earlier one may have.
    let doubtful = History { in_doubt: true, ..old };
    assert_eq!(after(rule, Ended::Outcome(&refused), doubtful), Next::InDoubt(Doubt::GaveUp));
}

/// What the peer and the network may do with one attempt.
fn outcomes() -> impl Strategy<Value = Option<Outcome>> {
    prop_oneof![
        Just(None),
        Just(Some(unknown())),
        Just(Some(too_large())),
        Just(Some(Outcome::NotSent(NotSent::Time))),
        Just(Some(Outcome::NotSent(NotSent::Paused))),
        (200_u16..600).prop_map(|status| Some(response(status))),
        prop_oneof![Just(429_u16), Just(503), Just(500), Just(401), Just(409)]
            .prop_map(|s| Some(response(s))),
    ]
}

proptest! {
    /// A whole exchange, driven as an engine would, with whatever peers do: the claims of each class hold.
    #[test]
    fn the_claims_of_each_class(
        which in 0_usize..4, hours in 1_u64..40, seed in any::<u64>(),
        script in proptest::collection::vec((outcomes(), proptest::option::of(0_u64..200_000), 0_u64..20_000), 1..60),
    ) {
        let class = if which == 1 { RetryClass::Keyed { window: hours as u32 * HOUR } } else { CLASSES[which] };
        let rule = Rule { class, give_up: GIVE_UP };
        let mut history = History { seed, ..History::default() };
        let (mut arrivals, mut ended, mut unsettled) = (0_u32, false, false);
        for (outcome, retry_after, delay) in script {
            // It waits for its turn, and not always as long as it was told.
            if history.attempts > 0 {
                history.age += Duration::from_secs(delay);
                history.first_sent = history.first_sent.map(|since| since + Duration::from_secs(delay));
                if let Some(next) = before(rule, history) {
                    prop_assert_eq!(matches!(next, Next::InDoubt(_)), history.in_doubt);
                    break;
                }
            }
            let sense = outcome.as_ref().map_or(Sense::Doubt, sense);
            let left = !matches!(outcome, Some(Outcome::NotSent(_)));
            if sense != Sense::Paused {
                history.attempts += 1;
            }
            if left {
                arrivals += 1;
                history.first_sent.get_or_insert(Duration::ZERO);
                // A key goes out only while the peer remembers it.
                if let (RetryClass::Keyed { window }, Some(since)) = (class, history.first_sent) {
                    prop_assert!(since <= usable(window));
                }
            }
            history.auth_refusals += u32::from(sense == Sense::Auth);
            history.retry_after = retry_after.map(Duration::from_secs).filter(|_| left);
            let ending = outcome.as_ref().map_or(Ended::Crashed, Ended::Outcome);
            let next = after(rule, ending, history);
            unsettled |= matches!(sense, Sense::Doubt | Sense::DoubtForGood);
            match next {
                Next::Again { wait, counts } => {
                    prop_assert!(wait >= Duration::from_secs(5));
                    prop_assert!(wait >= history.retry_after.unwrap_or_default().min(super::super::retry_after::FLOOR_MAX)
                        || !counts);
                    if class == RetryClass::Once { prop_assert_eq!(arrivals, 0); }
                    if class == RetryClass::Probe { prop_assert!(!unsettled); }
                    prop_assert_eq!(counts, sense != Sense::Paused);
                    if counts {
                        history.age += wait;
                        prop_assert!(history.age <= GIVE_UP, "it is tried in time");
                        history.first_sent = history.first_sent.map(|since| since + wait);
                    }
                    history.in_doubt |= sense == Sense::Doubt;
                }
                Next::Final => {
                    ended = true;
                    // An end that isn't an answer of the peer is told only if nothing can have happened.
                    if !matches!(outcome, Some(Outcome::Response(_))) { prop_assert!(!unsettled); }
                }
                Next::InDoubt(doubt) => {
                    ended = true;
                    prop_assert!(arrivals > 0, "what never left isn't in doubt");
                    if let Doubt::LookUp { wait } = doubt { prop_assert!(wait >= SETTLE); }
                }
            }
            if ended { break; }
        }
        if class == RetryClass::Once { prop_assert!(arrivals <= 1); }
    }
}
