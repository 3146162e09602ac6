//! What an outcome says: about the endpoint, and about the exchange.

use crate::outcome::{NotSent, Outcome};

/// What an outcome says about the endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// It works: it answered, whatever it thinks of the request.
    Good,
    /// It doesn't: no connection, no complete answer, or a server's error.
    Bad,
    /// It refuses the host's credentials.
    Auth,
    /// Nothing: the call was refused here, or the peer is busy and says so.
    Silent,
}

/// What an outcome says about the exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sense {
    /// It is over: the answer is the plug-in's.
    Answered,
    /// The peer refused it for now, before it did anything: 408, 425, 429.
    Later,
    /// The peer failed: it may have done something before. 5xx.
    Failed,
    /// The host's credentials were refused: 401, 403, and 407 of a proxy.
    Auth,
    /// Nothing was sent, and another time it may be.
    NotSent,
    /// Nothing was sent, and never will be: the request itself is refused.
    Refused,
    /// Nothing was sent because nobody may send now. It was no attempt.
    Paused,
    /// Nobody knows.
    Doubt,
    /// Nobody knows, and the same request would end in the same way.
    DoubtForGood,
}

/// What this outcome says about its exchange.
pub fn sense(outcome: &Outcome) -> Sense {
    match outcome {
        Outcome::NotSent(NotSent::Paused) => Sense::Paused,
        Outcome::NotSent(NotSent::Token { refused: true, .. } | NotSent::Credential(_)) => Sense::Auth,
        Outcome::NotSent(why) if why.is_final() => Sense::Refused,
        Outcome::NotSent(_) => Sense::NotSent,
        Outcome::Unknown(unknown) if unknown.why.is_final() => Sense::DoubtForGood,
        Outcome::Unknown(_) => Sense::Doubt,
        Outcome::Response(answer) => match answer.status {
            401 | 403 | 407 => Sense::Auth,
            408 | 425 | 429 => Sense::Later,
            500..=599 => Sense::Failed,
            // A redirect is an answer as well: nobody follows it.
            _ => Sense::Answered,
        },
    }
}

/// What this outcome says about its endpoint.
pub fn health(outcome: &Outcome) -> Health {
    match sense(outcome) {
        Sense::Answered => Health::Good,
        Sense::Auth => Health::Auth,
        Sense::Failed | Sense::NotSent | Sense::Doubt => Health::Bad,
        // It answers, but more than it may.
        Sense::DoubtForGood => Health::Good,
        Sense::Refused | Sense::Paused => Health::Silent,
        Sense::Later => match outcome {
            // It waited for the request in vain.
            Outcome::Response(answer) if answer.status == 408 => Health::Bad,
            _ => Health::Silent,
        },
    }
}

/// Was this outcome a 429? Then the endpoint's bucket is halved.
pub fn is_too_many(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Response(answer) if answer.status == 429)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::outcome::{Answer, Unknown, UnknownWhy};

    fn response(status: u16) -> Outcome {
        Outcome::Response(Answer { status, headers: Vec::new(), body: Vec::new(), took: Duration::ZERO })
    }

    #[test]
    fn every_status_has_its_sense() {
        for status in 200..600 {
            let (sense, health) = (sense(&response(status)), health(&response(status)));
            let expected = match status {
                408 => (Sense::Later, Health::Bad),
                425 | 429 => (Sense::Later, Health::Silent),
                401 | 403 | 407 => (Sense::Auth, Health::Auth),
                500.. => (Sense::Failed, Health::Bad),
                _ => (Sense::Answered, Health::Good),
            };
            assert_eq!((sense, health), expected, "{status}");
        }
    }

    #[test]
    fn without_an_answer_it_counts_how_far_it_came() {
        let unknown = |why| Outcome::Unknown(Unknown { why, status: None });
        for (outcome, expected) in [
            (Outcome::NotSent(NotSent::Paused), (Sense::Paused, Health::Silent)),
            (Outcome::NotSent(NotSent::Key), (Sense::Refused, Health::Silent)),
            (Outcome::NotSent(NotSent::Time), (Sense::NotSent, Health::Bad)),
            (Outcome::NotSent(NotSent::Credential("x")), (Sense::Auth, Health::Auth)),
            (
                Outcome::NotSent(NotSent::Token { why: String::new(), refused: true }),
                (Sense::Auth, Health::Auth),
            ),
            (
                Outcome::NotSent(NotSent::Token { why: String::new(), refused: false }),
                (Sense::NotSent, Health::Bad),
            ),
            (unknown(UnknownWhy::Time), (Sense::Doubt, Health::Bad)),
            (unknown(UnknownWhy::Cut(String::new())), (Sense::Doubt, Health::Bad)),
            (unknown(UnknownWhy::Malformed(String::new())), (Sense::Doubt, Health::Bad)),
            (unknown(UnknownWhy::BodyTooLarge(1)), (Sense::DoubtForGood, Health::Good)),
        ] {
            assert_eq!((sense(&outcome), health(&outcome)), expected, "{outcome:?}");
        }
    }
}
