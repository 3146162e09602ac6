//! Times and dates, with the arithmetic that plug-ins need. All in UTC: a sandbox has no time zones.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

const MILLIS_PER_DAY: i64 = 86_400_000;

/// Milliseconds since the Unix epoch, UTC; negative before 1970.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

/// A day of the Gregorian calendar, from year 0000 to 9999.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Date {
    /// Days since 1970-01-01: order and distance are then those of integers.
    days: i32,
}

/// The text is not a valid time or date.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not {expected}")]
pub struct TimeError {
    expected: &'static str,
}

impl Timestamp {
    /// The time this many milliseconds after 1970-01-01T00:00:00Z.
    pub const fn from_millis(millis: i64) -> Timestamp {
        Timestamp(millis)
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// The day in UTC.
    pub const fn date(self) -> Date {
        Date { days: self.0.div_euclid(MILLIS_PER_DAY) as i32 }
    }

    /// This many days of 24 hours later, or earlier when negative.
    #[must_use]
    pub const fn add_days(self, days: i64) -> Timestamp {
        Timestamp(self.0.saturating_add(days.saturating_mul(MILLIS_PER_DAY)))
    }

    /// Milliseconds from `earlier` to this time; negative when `earlier` is later.
    pub const fn millis_since(self, earlier: Timestamp) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// Full days of 24 hours from `earlier` to this time, rounded down.
    pub const fn days_since(self, earlier: Timestamp) -> i64 {
        self.millis_since(earlier).div_euclid(MILLIS_PER_DAY)
    }
}

impl Date {
    /// The day, if it exists: there is no 30 February.
    pub fn new(year: i32, month: u32, day: u32) -> Option<Date> {
        let exists = (0..=9999).contains(&year)
            && (1..=12).contains(&month)
            && (1..=days_in_month(year, month)).contains(&day);
        exists.then(|| Date { days: days_from_civil(year, month, day) })
    }

    /// Year, month from 1, day from 1.
    pub const fn ymd(self) -> (i32, u32, u32) {
        civil_from_days(self.days)
    }

    /// The year.
    pub const fn year(self) -> i32 {
        self.ymd().0
    }

    /// Midnight UTC at the day's start.
    pub const fn start(self) -> Timestamp {
        Timestamp(self.days as i64 * MILLIS_PER_DAY)
    }

    /// This many days later, or earlier when negative.
    #[must_use]
    pub const fn add_days(self, days: i32) -> Date {
        Date { days: self.days.saturating_add(days) }
    }

    /// The same day this many years later, or earlier when negative; 29 February becomes
    /// 28 February in a year that has no 29 February.
    #[must_use]
    pub const fn add_years(self, years: i32) -> Date {
        let (year, month, day) = self.ymd();
        let year = year.saturating_add(years);
        let last = days_in_month(year, month);
        Date { days: days_from_civil(year, month, if day < last { day } else { last }) }
    }

    /// Days from `earlier` to this day; negative when `earlier` is later.
    pub const fn days_since(self, earlier: Date) -> i32 {
        self.days.saturating_sub(earlier.days)
    }
}

const fn days_in_month(year: i32, month: u32) -> u32 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Days before the first day of a year, counting from 1 March of year 0, so that leap days come
/// last in their year and every formula is a division.
const fn days_before_march(year: i64) -> i64 {
    year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400)
}

/// 1970-01-01 in days since 1 March of year 0.
const EPOCH_SINCE_MARCH_0: i64 = 719_468;

const fn days_from_civil(year: i32, month: u32, day: u32) -> i32 {
    let (year, month) = if month > 2 { (year as i64, month - 3) } else { (year as i64 - 1, month + 9) };
    // Months from March have 31, 30, 31, 30, 31 days again and again: 153 days in five.
    let day_of_year = (153 * month as i64 + 2) / 5 + day as i64 - 1;
    (days_before_march(year) + day_of_year - EPOCH_SINCE_MARCH_0) as i32
}

const fn civil_from_days(days: i32) -> (i32, u32, u32) {
    let since_march_0 = days as i64 + EPOCH_SINCE_MARCH_0;
    // 400 years have 146,097 days. The estimate can be a year too late, never too early.
    let mut year = (since_march_0 * 400 + 591).div_euclid(146_097);
    if days_before_march(year) > since_march_0 {
        year -= 1;
    }
    let day_of_year = since_march_0 - days_before_march(year);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    if month < 10 {
        (year as i32, month as u32 + 3, day as u32)
    } else {
        (year as i32 + 1, month as u32 - 9, day as u32)
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.ymd();
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

impl fmt::Debug for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Date {
    type Err = TimeError;

    fn from_str(text: &str) -> Result<Date, TimeError> {
        parse_date(text.as_bytes()).ok_or(TimeError { expected: "a date such as 2026-11-21" })
    }
}

/// RFC 3339 in UTC, with milliseconds only if they are not zero.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = self.0.rem_euclid(MILLIS_PER_DAY);
        let (seconds, fraction) = (millis / 1000, millis % 1000);
        write!(f, "{}T{:02}:{:02}:{:02}", self.date(), seconds / 3600, seconds / 60 % 60, seconds % 60)?;
        if fraction > 0 { write!(f, ".{fraction:03}Z") } else { f.write_str("Z") }
    }
}

/// RFC 3339, in the years 0000 to 9999; digits beyond the millisecond are cut. `t` and `z` may be
/// lower case, and a space may replace the `T`. The second 60 is read as 59 where a leap second can
/// be: at the end of June or December, in UTC.
impl FromStr for Timestamp {
    type Err = TimeError;

    fn from_str(text: &str) -> Result<Timestamp, TimeError> {
        parse_timestamp(text).ok_or(TimeError { expected: "an RFC 3339 time such as 2026-11-21T10:00:00Z" })
    }
}

fn digits(bytes: &[u8]) -> Option<u32> {
    bytes
        .iter()
        .try_fold(0, |sum: u32, byte| byte.is_ascii_digit().then(|| sum * 10 + u32::from(byte - b'0')))
}

fn parse_date(bytes: &[u8]) -> Option<Date> {
    match bytes {
        [year @ .., b'-', m1, m2, b'-', d1, d2] if year.len() == 4 => {
            Date::new(digits(year)? as i32, digits(&[*m1, *m2])?, digits(&[*d1, *d2])?)
        }
        _ => None,
    }
}

fn parse_timestamp(text: &str) -> Option<Timestamp> {
    let bytes = text.as_bytes();
    if bytes.len() < 20 || !matches!(bytes[10], b'T' | b't' | b' ') {
        return None;
    }
    let date = parse_date(&bytes[..10])?;
    let [h1, h2, b':', m1, m2, b':', s1, s2, rest @ ..] = &bytes[11..] else { return None };
    let (hour, minute, second) = (digits(&[*h1, *h2])?, digits(&[*m1, *m2])?, digits(&[*s1, *s2])?);
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
            let (hours, minutes) = (digits(&[*h1, *h2])?, digits(&[*m1, *m2])?);
            if hours > 23 || minutes > 59 {
                return None;
            }
            let offset = i64::from(hours * 60 + minutes);
            if *sign == b'-' { -offset } else { offset }
        }
        _ => return None,
    };
    let seconds = i64::from(hour * 3600 + minute * 60 + second.min(59)) - offset_minutes * 60;
    let moment = Timestamp(date.start().0 + seconds * 1000 + millis);
    if second == 60 && !ends_a_half_year(moment) {
        return None;
    }
    let range = FIRST_MILLIS..=LAST_MILLIS;
    range.contains(&moment.0).then_some(moment)
}

/// The years 0000 to 9999, which RFC 3339 can write.
const FIRST_MILLIS: i64 = -62_167_219_200_000;
const LAST_MILLIS: i64 = 253_402_300_799_999;

/// Whether the next second starts July or January.
fn ends_a_half_year(moment: Timestamp) -> bool {
    let next = Timestamp(moment.0 - moment.0.rem_euclid(1000) + 1000);
    let (_, month, day) = next.date().ymd();
    next.0.rem_euclid(MILLIS_PER_DAY) == 0 && day == 1 && matches!(month, 1 | 7)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_of_ten_thousand_years_reads_back() {
        let first = Date::new(0, 1, 1).unwrap();
        let last = Date::new(9999, 12, 31).unwrap();
        let mut before = (-1, 12, 31);
        for days in first.days..=last.days {
            let (year, month, day) = civil_from_days(days);
            assert_eq!(days_from_civil(year, month, day), days);
            assert!(day <= days_in_month(year, month));
            let next_day = (year, month, day - 1) == before;
            let next_month = day == 1 && (month == before.1 + 1 || (month == 1 && year == before.0 + 1));
            assert!(next_day || next_month, "{before:?} then {year}-{month}-{day}");
            before = (year, month, day);
        }
        assert_eq!(Date::new(1970, 1, 1).unwrap().days, 0);
        assert_eq!(last.days - first.days + 1, 3_652_425);
    }

    #[test]
    fn dates_read_write_and_add() {
        let leap: Date = "2024-02-29".parse().unwrap();
        assert_eq!(leap.add_years(1).to_string(), "2025-02-28");
        assert_eq!(leap.add_years(4).to_string(), "2028-02-29");
        assert_eq!(leap.add_days(1).to_string(), "2024-03-01");
        assert_eq!(leap.add_days(-366).days_since(leap), -366);
        assert_eq!("0007-01-01".parse::<Date>().unwrap().to_string(), "0007-01-01");
        for text in ["2023-02-29", "2024-2-9", "20240209", "2024-02-29T00:00:00Z", "", "+024-02-29"] {
            assert!(text.parse::<Date>().is_err(), "{text}");
        }
    }

    #[test]
    fn moments_read_and_write_rfc_3339() {
        for (text, written) in [
            ("2026-11-21T11:00:00.250+01:00", "2026-11-21T10:00:00.250Z"),
            ("1969-12-31T23:59:59Z", "1969-12-31T23:59:59Z"),
            ("2026-11-21T10:00:00.1239Z", "2026-11-21T10:00:00.123Z"),
            ("2026-11-21t00:30:00-01:30", "2026-11-21T02:00:00Z"),
        ] {
            assert_eq!(text.parse::<Timestamp>().unwrap().to_string(), written);
        }
        for text in [
            "2026-11-21",
            "2026-02-30T00:00:00Z",
            "2026-11-21T10:00Z",
            "2026-11-21T10:00:00",
            "2026-11-21T10:00:00.Z",
            "2026-11-21T24:00:00Z",
        ] {
            assert!(text.parse::<Timestamp>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_day_starts_at_midnight_utc_also_before_1970() {
        let moment: Timestamp = "1969-12-31T23:59:59Z".parse().unwrap();
        assert_eq!(moment.date().to_string(), "1969-12-31");
        assert_eq!(moment.add_days(1).days_since(moment), 1);
        assert_eq!(moment.date().start().days_since(moment), -1);
    }
}
