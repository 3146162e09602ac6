//! Moments and calendar dates, in the forms RFC 3339 gives them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Milliseconds since the Unix epoch, UTC; negative before 1970. In JSON an RFC 3339 text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

/// A text that is no RFC 3339 moment or date.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not {expected}")]
pub struct TimeError {
    text: String,
    expected: &'static str,
}

impl Timestamp {
    /// Milliseconds since the Unix epoch.
    pub const fn millis(self) -> i64 {
        self.0
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
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(moment) => write!(f, "{moment}"),
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
        };
        // jiff also reads forms RFC 3339 doesn't have (a zone in brackets, no seconds).
        if text.len() < 20 || text.ends_with(']') {
            return Err(error());
        }
        let moment: jiff::Timestamp = text.parse().map_err(|_| error())?;
        Timestamp::from_millis(moment.as_millisecond()).ok_or_else(error)
    }
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
}

impl FromStr for Date {
    type Err = TimeError;

    fn from_str(text: &str) -> Result<Date, TimeError> {
        let exact = text.len() == 10 && text.parse::<jiff::civil::Date>().is_ok();
        if exact {
            return Ok(Date(text.to_owned()));
        }
        Err(TimeError { text: text.chars().take(64).collect(), expected: "a date such as 2026-11-21" })
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
    fn a_date_exists_in_the_calendar() {
        assert!("2024-02-29".parse::<Date>().is_ok());
        for text in ["2023-02-29", "2024-2-9", "20240209", "2024-02-29T00:00:00Z"] {
            assert!(text.parse::<Date>().is_err(), "{text}");
        }
    }
}
