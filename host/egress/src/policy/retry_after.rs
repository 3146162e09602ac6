//! `Retry-After`, which a peer may fill with anything (RFC 9110, 10.2.3).

use std::time::{Duration, SystemTime};

/// The longest wait that a peer can ask for.
pub const FLOOR_MAX: Duration = Duration::from_secs(24 * 3600);

/// How long a peer wants us to wait: a number of seconds or an HTTP date. A date is compared with the peer's own
/// `Date`, if it has one, so that its clock may be wrong. What can't be read counts as not said; the past is no wait;
/// more than 24 hours is 24 hours.
pub fn parse(value: &str, date: Option<&str>, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than fit are a very long wait.
        return Some(value.parse().map_or(FLOOR_MAX, Duration::from_secs).min(FLOOR_MAX));
    }
    let until = httpdate::parse_http_date(value).ok()?;
    let from = date.and_then(|date| httpdate::parse_http_date(date.trim()).ok()).unwrap_or(now);
    Some(until.duration_since(from).unwrap_or(Duration::ZERO).min(FLOOR_MAX))
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn whatever_a_peer_writes() {
        let now = UNIX_EPOCH + Duration::from_secs(784_111_777);
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        for (value, wait) in [
            ("0", seconds(0)),
            ("120", seconds(120)),
            (" 7 ", seconds(7)),
            ("007", seconds(7)),
            ("86400", seconds(86_400)),
            ("86401", Some(FLOOR_MAX)),
            ("99999999999999999999999999999999", Some(FLOOR_MAX)),
            ("18446744073709551615", Some(FLOOR_MAX)),
            ("-1", None),
            ("+5", None),
            ("1.5", None),
            ("1e3", None),
            ("NaN", None),
            ("", None),
            ("soon", None),
            ("120, 120", None),
            ("٣", None),
            ("Sun, 06 Nov 1994 08:49:37 GMT", seconds(0)),
            ("Sun, 06 Nov 1994 08:51:37 GMT", seconds(120)),
            ("Sunday, 06-Nov-94 08:51:37 GMT", seconds(120)),
            ("Sun Nov  6 08:51:37 1994", seconds(120)),
            ("Sun, 06 Nov 1994 08:00:00 GMT", seconds(0)),
            ("Thu, 01 Jan 1970 00:00:00 GMT", seconds(0)),
            ("Fri, 31 Dec 9999 23:59:59 GMT", Some(FLOOR_MAX)),
            ("Sun, 99 Nov 1994 08:51:37 GMT", None),
        ] {
            assert_eq!(parse(value, None, now), wait, "{value}");
        }
    }

    #[test]
    fn a_date_is_compared_with_the_peers_clock() {
        let (until, date) = ("Sun, 06 Nov 1994 08:51:37 GMT", "Sun, 06 Nov 1994 08:49:37 GMT");
        let hours_off = UNIX_EPOCH + Duration::from_secs(784_111_777 - 7200);
        assert_eq!(parse(until, Some(date), hours_off), Some(Duration::from_secs(120)));
        assert_eq!(parse(until, Some("garbage"), hours_off), Some(Duration::from_secs(7320)));
    }

    proptest! {
        #[test]
        fn never_more_than_a_day(value in any::<String>(), seconds in any::<u64>(), at in 0_u64..4_000_000_000) {
            let now = UNIX_EPOCH + Duration::from_secs(at);
            for text in [value, seconds.to_string(), format!("-{seconds}")] {
                prop_assert!(parse(&text, Some(&text), now).is_none_or(|wait| wait <= FLOOR_MAX));
            }
        }
    }
}
