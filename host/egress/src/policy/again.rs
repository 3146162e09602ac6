//! What follows an attempt, by the endpoint's retry class.
//!
//! | | not sent | 408, 425, 429 | 5xx | 401, 403 | other answers | unknown, or a crash before the answer |
//! |---|---|---|---|---|---|---|
//! | `safe` | again | again | again | again | final | again |
//! | `keyed` | again | again, in the window | again, in the window | again | final | again with the same key, in the window |
//! | `probe` | again | again | in doubt: look up | again | final | in doubt: look up |
//! | `once` | again | final | final | final | final | in doubt for good |
//!
//! `Again` never comes after `give_up`. Then the last answer is final; without one, or while an earlier attempt may
//! have had an effect that nobody saw, the exchange is in doubt.

use std::time::Duration;

use super::backoff;
use super::circuit::AUTH_MAX;
use super::classify::{Sense, sense};
use crate::outcome::Outcome;

/// How long an exchange is tried if its endpoint doesn't say.
pub const GIVE_UP: Duration = Duration::from_secs(24 * 3600);
/// So long before a peer forgets a key, nothing is sent with it any more: clocks differ and requests take time. Of a
/// short window it is half.
const KEY_MARGIN: Duration = Duration::from_secs(3600);
/// How long a look-up after a doubt waits at least: what is in doubt may still be under way at the peer.
pub const SETTLE: Duration = Duration::from_secs(60);

/// How an endpoint's requests may be repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryClass {
    /// They change nothing at the peer.
    Safe,
    /// The peer takes requests with one key for one, for this long.
    Keyed {
        /// How long the peer remembers a key.
        window: Duration,
    },
    /// A look-up at the peer tells whether a request arrived.
    Probe,
    /// They arrive at most once.
    Once,
}

/// The endpoint's rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its class.
    pub class: RetryClass,
    /// How long an exchange is tried.
    pub give_up: Duration,
}

/// What is known of an exchange when an attempt ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// Attempts, this one included. Pauses and open circuits are none.
    pub attempts: u32,
    /// Since its intent, without the time in which the endpoint was shut or outgoing was paused.
    pub age: Duration,
    /// An earlier attempt ended unknown, and no answer since has settled it.
    pub in_doubt: bool,
    /// How long ago the first attempt began that may have arrived, this one included. None: nothing has left yet.
    pub first_sent: Option<Duration>,
    /// Answers 401, 403 or 407, this one included.
    pub auth_refusals: u32,
    /// The endpoint is shut because its credentials were refused.
    pub endpoint_shut: bool,
    /// What the answer asked for ([`super::retry_after::parse`]).
    pub retry_after: Option<Duration>,
    /// The exchange's seed for chance.
    pub seed: u64,
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug)]
pub enum Ended<'a> {
    /// With this outcome.
    Outcome(&'a Outcome),
    /// The host died between the intent and the answer.
    Crashed,
}

/// What follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Another attempt with the same bytes and key, after this wait.
    Again {
        /// From now.
        wait: Duration,
        /// Whether this attempt counts. One in a pause doesn't.
        counts: bool,
    },
    /// The outcome is the exchange's answer.
    Final,
    /// Nobody knows whether the request had its effect.
    InDoubt(Doubt),
}

/// What is done about a doubt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// The prober looks it up, after this wait.
    LookUp {
        /// From now.
        wait: Duration,
    },
    /// It stays: the class is `once`.
    Once,
    /// It stays: the peer may have forgotten the key.
    KeyExpired,
    /// It stays: there is no time for another attempt.
    GaveUp,
    /// It stays: the answer is larger than the endpoint may answer, and would be again.
    AnswerTooLarge,
}

/// May the next attempt begin now? Asked right before each attempt but the first: since [`after`] said `Again`, the
/// exchange may have waited for a slot, a circuit or the end of a pause. `Some` is what follows instead; `Final` is
/// then the last attempt's outcome.
pub fn before(rule: Rule, history: History) -> Option<Next> {
    let over = |doubt| if history.in_doubt { Next::InDoubt(doubt) } else { Next::Final };
    if history.age > rule.give_up {
        return Some(over(Doubt::GaveUp));
    }
    match (rule.class, history.first_sent) {
        (RetryClass::Keyed { window }, Some(since)) if since > usable(window) => {
            Some(over(Doubt::KeyExpired))
        }
        _ => None,
    }
}

/// What follows this attempt.
pub fn after(rule: Rule, ended: Ended<'_>, history: History) -> Next {
    let sense = match ended {
        Ended::Outcome(outcome) => sense(outcome),
        Ended::Crashed => Sense::Doubt,
    };
    let again = || again(rule, sense, history);
    match (sense, rule.class) {
        (Sense::Paused, _) => Next::Again { wait: backoff::wait(1, None, history.seed), counts: false },
        (Sense::Refused, _) => {
            if history.in_doubt {
                Next::InDoubt(Doubt::GaveUp)
            } else {
                Next::Final
            }
        }
        // A peer that dedupes may answer a repetition with 409 while the first is under way.
        (Sense::Answered, RetryClass::Keyed { .. }) if history.in_doubt && is_conflict(ended) => again(),
        (Sense::Answered, _) => Next::Final,
        (Sense::NotSent, _) => again(),
        // It arrived, so it is answered: an answer of any kind is the end.
        (Sense::Later | Sense::Failed, RetryClass::Once) => Next::Final,
        (Sense::Auth, RetryClass::Once) if history.first_sent.is_some() => Next::Final,
        // Others pass at this endpoint, so it isn't the credentials: it is this request.
        (Sense::Auth, _) if history.auth_refusals >= AUTH_MAX && !history.endpoint_shut => settled(history),
        (Sense::Auth | Sense::Later, _) => again(),
        (Sense::Failed, RetryClass::Probe) => look_up(),
        (Sense::Failed, _) => again(),
        (Sense::DoubtForGood, RetryClass::Probe) => look_up(),
        (Sense::DoubtForGood, _) => Next::InDoubt(Doubt::AnswerTooLarge),
        (Sense::Doubt, RetryClass::Safe | RetryClass::Keyed { .. }) => again(),
        (Sense::Doubt, RetryClass::Probe) => look_up(),
        (Sense::Doubt, RetryClass::Once) => Next::InDoubt(Doubt::Once),
    }
}

fn again(rule: Rule, sense: Sense, history: History) -> Next {
    let wait = backoff::wait(history.attempts.max(1), history.retry_after, history.seed);
    let in_doubt = history.in_doubt || sense == Sense::Doubt;
    let over = |doubt| if in_doubt { Next::InDoubt(doubt) } else { Next::Final };
    if history.age.saturating_add(wait) > rule.give_up {
        return over(Doubt::GaveUp);
    }
    if let (RetryClass::Keyed { window }, Some(since)) = (rule.class, history.first_sent)
        && since.saturating_add(wait) > usable(window)
    {
        return over(Doubt::KeyExpired);
    }
    Next::Again { wait, counts: true }
}

/// How long a key is sent, of the time that the peer remembers it.
pub fn usable(window: Duration) -> Duration {
    window - KEY_MARGIN.min(window / 2)
}

fn settled(history: History) -> Next {
    if history.in_doubt { Next::InDoubt(Doubt::GaveUp) } else { Next::Final }
}

fn look_up() -> Next {
    Next::InDoubt(Doubt::LookUp { wait: SETTLE })
}

fn is_conflict(ended: Ended<'_>) -> bool {
    matches!(ended, Ended::Outcome(Outcome::Response(answer)) if answer.status == 409)
}

#[cfg(test)]
mod tests;
