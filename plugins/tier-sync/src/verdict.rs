//! What an answer means.

use samsyn_plugin::{Answer, Response};

/// An hour, in seconds.
pub const HOUR: i64 = 60 * 60;
/// A day, in seconds.
pub const DAY: i64 = 24 * HOUR;
/// Characters of a code in a trouble, at most.
const CODE_CHARS_MAX: usize = 64;

/// What an answer means, whatever it was about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The system has what it was sent.
    Confirmed,
    /// It asks for the values again after so many seconds.
    Wait(i64),
    /// It doesn't know the member.
    NotKnown,
    /// Nothing was sent: the system has what it had. Why.
    NotSent(String),
    /// It isn't known what the system has now. Why, and after how many seconds to send the values again.
    Unknown(String, i64),
    /// It refused. Why.
    Refused(String),
}

impl Verdict {
    /// What this answer means.
    pub fn of(answer: &Answer) -> Verdict {
        match answer {
            Answer::Response(response) => Verdict::of_response(response),
            Answer::NotSent(why) => Verdict::NotSent(format!("not-sent: {}", code(why))),
            Answer::Unknown(why) => Verdict::Unknown(format!("unknown: {}", code(why)), HOUR),
        }
    }

    fn of_response(response: &Response) -> Verdict {
        let status = response.status;
        match (status, response.header("retry-after").map(seconds)) {
            (202 | 409 | 423, Some(wait)) => Verdict::Wait(wait),
            (200..=299, _) => Verdict::Confirmed,
            (404, _) => Verdict::NotKnown,
            // The host has tried these several times.
            (408 | 425 | 429 | 500..=599, wait) => {
                let why = format!("{status}: the system can't answer");
                Verdict::Unknown(why, wait.unwrap_or(HOUR).max(HOUR))
            }
            _ => Verdict::Refused(format!("{status}: the system rejected it")),
        }
    }
}

/// How long to wait, at most a day. A time of day can't be compared without a clock: an hour then.
fn seconds(retry_after: &str) -> i64 {
    let text = retry_after.trim();
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    // A number that doesn't fit is longer than a day.
    if is_number { text.parse().unwrap_or(DAY).min(DAY) } else { HOUR }
}

/// The code before the sentence.
fn code(why: &str) -> String {
    let code = why.split(':').next().unwrap_or_default().trim();
    code.chars().filter(|char| !char.is_control()).take(CODE_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(status: u16, retry_after: Option<&str>) -> Answer {
        let headers = retry_after.map(|value| ("retry-after".to_owned(), value.to_owned()));
        Answer::Response(Response { status, headers: headers.into_iter().collect(), body: Vec::new() })
    }

    #[test]
    fn the_table_of_answers() {
        let unknown =
            |status: u16, wait| Verdict::Unknown(format!("{status}: the system can't answer"), wait);
        for (status, retry_after, verdict) in [
            (200, None, Verdict::Confirmed),
            (200, Some("30"), Verdict::Confirmed),
            (201, None, Verdict::Confirmed),
            (204, None, Verdict::Confirmed),
            (202, None, Verdict::Confirmed),
            (202, Some("30"), Verdict::Wait(30)),
            (409, Some(" 5 "), Verdict::Wait(5)),
            (423, Some("0"), Verdict::Wait(0)),
            (423, Some("Wed, 21 Oct 2026 07:28:00 GMT"), Verdict::Wait(HOUR)),
            (423, Some("-5"), Verdict::Wait(HOUR)),
            (423, Some(""), Verdict::Wait(HOUR)),
            (202, Some("99999999999999999999999"), Verdict::Wait(DAY)),
            (404, None, Verdict::NotKnown),
            (404, Some("30"), Verdict::NotKnown),
            (409, None, Verdict::Refused("409: the system rejected it".into())),
            (422, None, Verdict::Refused("422: the system rejected it".into())),
            (400, Some("30"), Verdict::Refused("400: the system rejected it".into())),
            (301, None, Verdict::Refused("301: the system rejected it".into())),
            (429, None, unknown(429, HOUR)),
            (429, Some("7200"), unknown(429, 2 * HOUR)),
            (503, Some("1"), unknown(503, HOUR)),
            (500, None, unknown(500, HOUR)),
        ] {
            assert_eq!(Verdict::of(&response(status, retry_after)), verdict, "{status} {retry_after:?}");
        }
        let not_sent = Answer::NotSent("dns: the name has no address".into());
        assert_eq!(Verdict::of(&not_sent), Verdict::NotSent("not-sent: dns".into()));
        let unknown = Answer::Unknown("timeout: no answer in 30 s".into());
        assert_eq!(Verdict::of(&unknown), Verdict::Unknown("unknown: timeout".into(), HOUR));
    }

    #[test]
    fn a_reason_is_short_whatever_it_says() {
        let Verdict::Unknown(why, _) = Verdict::of(&Answer::Unknown("x\n".repeat(10_000))) else {
            panic!("another verdict")
        };
        assert!(why.len() <= 80 && !why.contains('\n'), "{why:?}");
    }
}
