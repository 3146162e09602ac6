//! Moments and calendar dates, in the forms RFC 3339 gives them.

use std::fmt;
use std::str::FromStr;

use jiff::SignedDuration;
use jiff::civil::DateTime;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Where counting begins.
const EPOCH: DateTime = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);

/// Milliseconds since the Unix epoch, UTC; negative before 1970. In JSON an RFC 3339 text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

/// A text that is no RFC 3339 moment or date.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not {expected}{}", .epoch.map(|epoch| format!("; {epoch}, which can be written")).unwrap_or_default())]
pub struct TimeError {
    text: String,
    expected: &'static str,
    epoch: Option<super::Epoch>,
}

impl Timestamp {
    /// Milliseconds since the Unix epoch.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Reads a moment as hosts did until they read RFC 3339 strictly: with a comma before the fraction,
    /// `+0100` and offsets of up to 25:59, 60 as any minute's second. Only to know again what they took.
    pub fn parse_as_before(text: &str) -> Option<Timestamp> {
        if text.len() < 20 || text.ends_with(']') {
            return None;
        }
        let moment: jiff::Timestamp = text.parse().ok()?;
        Timestamp::from_millis(moment.as_millisecond())
    }

    /// Years 0000 to 9999: what RFC 3339 can write.
    fn in_range(millis: i64) -> bool {
        (-62_167_219_200_000..=253_402_300_799_999).contains(&millis)
    }

    /// The moment, when it lies in the years RFC 3339 can write.
    pub fn from_millis(millis: i64) -> Option<Timestamp> {
        Timestamp::in_range(millis).then_some(Timestamp(millis))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // By the calendar: jiff's own moments end before the year 9999 does.
        match EPOCH.checked_add(SignedDuration::from_millis(self.0)) {
            Ok(moment) => write!(f, "{moment}Z"),
            Err(_) => write!(f, "{} ms since 1970", self.0),
        }
    }
}

impl FromStr for Timestamp {
    type Err = TimeError;

    fn from_str(text: &str) -> Result<Timestamp, TimeError> {
        let error = || TimeError {
            text: text.chars().take(64).collect(),
            expected: "an RFC 3339 time such as 2026-11-21T10:00:00Z",
            epoch: super::Epoch::of(text),
        };
        read_moment(text.as_bytes()).and_then(Timestamp::from_millis).ok_or_else(error)
    }
}

/// Milliseconds since the epoch of an RFC 3339 `date-time`; what is finer is cut. Letters may be small,
/// and a blank may stand for the `T`, as the RFC allows. The second 60 is read as 59, where a leap
/// second can be: at the end of June or December, in UTC.
fn read_moment(text: &[u8]) -> Option<i64> {
    let (date, time) = text.split_at_checked(10)?;
    let date = read_date(date)?;
    let [b'T' | b't' | b' ', h1, h2, b':', m1, m2, b':', s1, s2, rest @ ..] = time else { return None };
    let (hour, minute, second) = (two(*h1, *h2)?, two(*m1, *m2)?, two(*s1, *s2)?);
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let (fraction, zone) = match rest {
        [b'.', rest @ ..] => rest.split_at(rest.iter().position(|byte| !byte.is_ascii_digit())?),
        _ => (&[][..], rest),
    };
    if rest.first() == Some(&b'.') && fraction.is_empty() {
        return None;
    }
    let millis =
        (0..3).fold(0, |sum, at| sum * 10 + fraction.get(at).map_or(0, |byte| i64::from(byte - b'0')));
    let offset_minutes = match zone {
        [b'Z' | b'z'] => 0,
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let (hours, minutes) = (two(*h1, *h2)?, two(*m1, *m2)?);
            if hours > 23 || minutes > 59 {
                return None;
            }
            let offset = hours * 60 + minutes;
            if *sign == b'-' { -offset } else { offset }
        }
        _ => return None,
    };
    let day = date.duration_since(EPOCH.date()).as_secs();
    let seconds = day + hour * 3600 + (minute - offset_minutes) * 60 + second.min(59);
    if second == 60 && !ends_a_half_year(seconds) {
        return None;
    }
    Some(seconds * 1000 + millis)
}

/// Whether the next second begins July or January.
fn ends_a_half_year(seconds: i64) -> bool {
    let next = EPOCH.checked_add(SignedDuration::from_secs(seconds.saturating_add(1)));
    next.is_ok_and(|is| is.day() == 1 && matches!(is.month(), 1 | 7) && is.time() == jiff::civil::Time::MIN)
}

/// RFC 3339 `full-date`, if the calendar has it.
fn read_date(text: &[u8]) -> Option<jiff::civil::Date> {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = text else { return None };
    let year = two(*y1, *y2)? * 100 + two(*y3, *y4)?;
    let (month, day) = (two(*m1, *m2)?, two(*d1, *d2)?);
    jiff::civil::Date::new(year as i16, month as i8, day as i8).ok()
}

fn two(tens: u8, ones: u8) -> Option<i64> {
    let digit = |byte: u8| byte.is_ascii_digit().then(|| i64::from(byte - b'0'));
    Some(digit(tens)? * 10 + digit(ones)?)
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            serializer.serialize_i64(self.0)
        }
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        if deserializer.is_human_readable() {
            let text = String::deserialize(deserializer)?;
            text.parse().map_err(serde::de::Error::custom)
        } else {
            i64::deserialize(deserializer).map(Timestamp)
        }
    }
}

/// A calendar date, `YYYY-MM-DD` (RFC 3339 `full-date`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Date(String);

impl Date {
    /// The text, `YYYY-MM-DD`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first day of a year.
    pub fn of_year(year: u16) -> Date {
        Date(format!("{year:04}-01-01"))
    }

    /// The day's first moment in UTC.
    pub fn start(&self) -> Option<Timestamp> {
        let day = read_date(self.0.as_bytes())?.duration_since(EPOCH.date());
        Timestamp::from_millis(day.as_secs() * 1000)
    }

    /// Reads a date as hosts did until they read it strictly. Only to know again what they took.
    pub fn parse_as_before(text: &str) -> Option<Date> {
        let exact = text.len() == 10 && text.parse::<jiff::civil::Date>().is_ok();
        exact.then(|| Date(text.to_owned()))
    }

    /// Reads a date, for `deserialize_with`: what comes from a log is read without a check.
    pub fn deserialize_checked<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Date, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl FromStr for Date {
    type Err = TimeError;

    fn from_str(text: &str) -> Result<Date, TimeError> {
        let error = || TimeError {
            text: text.chars().take(64).collect(),
            expected: "a date such as 2026-11-21",
            epoch: super::Epoch::of(text),
        };
        read_date(text.as_bytes()).map(|_| Date(text.to_owned())).ok_or_else(error)
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_writes_rfc_3339() {
        let moment: Timestamp = "2026-11-21T11:00:00.250+01:00".parse().unwrap();
        assert_eq!(moment.to_string(), "2026-11-21T10:00:00.25Z");
        assert_eq!("1969-12-31T23:59:59Z".parse::<Timestamp>().unwrap(), Timestamp(-1000));
        for text in [
            "2026-11-21",
            "yesterday",
            "2026-02-30T00:00:00Z",
            "2026-11-21T10:00Z",
            "2026-11-21T10:00:00",
            "",
        ] {
            assert!(text.parse::<Timestamp>().is_err(), "{text}");
        }
    }

    #[test]
    fn every_moment_that_can_be_kept_can_be_written_and_read() {
        for text in [
            "0000-01-01T00:00:00Z",
            "0001-01-01T00:00:00.001Z",
            "1969-12-31T23:59:59.999Z",
            "9999-12-31T23:59:59.999Z",
        ] {
            assert_eq!(text.parse::<Timestamp>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_hosts_took_before_is_read_as_before() {
        for (text, is) in [
            ("2026-11-21T10:00:00+25:59", "2026-11-20T08:01:00Z"),
            ("2026-11-21T10:00:00+0100", "2026-11-21T09:00:00Z"),
            ("2026-11-21T10:00:00,5Z", "2026-11-21T10:00:00.5Z"),
            ("2026-11-21T10:00:60Z", "2026-11-21T10:00:59Z"),
            // Towards 1970 instead of down.
            ("1969-12-31T23:59:59.9999Z", "1970-01-01T00:00:00Z"),
        ] {
            assert_eq!(Timestamp::parse_as_before(text).unwrap().to_string(), is, "{text}");
        }
        assert_eq!("1969-12-31T23:59:59.9999Z".parse::<Timestamp>().unwrap(), Timestamp(-1));
        assert_eq!(Timestamp::parse_as_before("2026-11-21T10:00:00Z[UTC]"), None);
    }

    #[test]
    fn a_day_begins_at_midnight() {
        let start = |text: &str| text.parse::<Date>().unwrap().start().unwrap().to_string();
        assert_eq!(start("1900-01-01"), "1900-01-01T00:00:00Z");
        assert_eq!(start("0000-01-01"), "0000-01-01T00:00:00Z");
    }

    #[test]
    fn a_date_exists_in_the_calendar() {
        assert!("2024-02-29".parse::<Date>().is_ok());
        for text in ["2023-02-29", "2024-2-9", "20240209", "2024-02-29T00:00:00Z"] {
            assert!(text.parse::<Date>().is_err(), "{text}");
        }
    }
}
