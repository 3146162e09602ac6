//! A count since 1970 where a time belongs: which time it means, for the message.
//!
//! Such a number is never taken: whether it counts seconds or milliseconds is a guess, and a guess is
//! good enough for a hint and not for data.

use std::fmt;

use super::Timestamp;

/// From here to the end of 2099 a count of seconds is guessed at, in milliseconds: March 1973. Below it lie
/// the dates that are written as digits, such as 20261121.
const SECONDS_FROM_MILLIS: f64 = 100_000_000_000.0;
/// From here on one of smaller units is: 1990. Below it lie dates with hours and minutes in digits.
const OTHERS_FROM_MILLIS: f64 = 631_152_000_000.0;
/// The end of 2099.
const TO_MILLIS: f64 = 4_102_444_800_000.0;
/// The longest text that is looked at, in bytes: nanoseconds have 19 digits.
const TEXT_BYTES_MAX: usize = 32;

/// What is counted since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EpochUnit {
    /// `1732183200`.
    Seconds,
    /// `1732183200000`.
    Milliseconds,
    /// `1732183200000000`.
    Microseconds,
    /// `1732183200000000000`.
    Nanoseconds,
}

impl EpochUnit {
    const ALL: [(EpochUnit, f64); 4] = [
        (EpochUnit::Seconds, 1e3),
        (EpochUnit::Milliseconds, 1.0),
        (EpochUnit::Microseconds, 1e-3),
        (EpochUnit::Nanoseconds, 1e-6),
    ];

    /// The unit in words.
    pub fn as_str(self) -> &'static str {
        match self {
            EpochUnit::Seconds => "seconds",
            EpochUnit::Milliseconds => "milliseconds",
            EpochUnit::Microseconds => "microseconds",
            EpochUnit::Nanoseconds => "nanoseconds",
        }
    }
}

/// A text that looks like a count since 1970. Its `Display` says what it is: `as seconds since 1970 it
/// is 2024-11-21T10:00:00Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Epoch {
    /// What it seems to count.
    pub unit: EpochUnit,
    /// The moment.
    pub at: Timestamp,
}

impl Epoch {
    /// Whether the text looks like one, quotation marks around it or not.
    pub fn of(text: &str) -> Option<Epoch> {
        let text = text.trim().trim_matches('"').trim();
        let is_number = |byte: u8| byte.is_ascii_digit() || b".eE+".contains(&byte);
        if text.len() > TEXT_BYTES_MAX || !text.bytes().all(is_number) {
            return None;
        }
        let count: f64 = text.parse().ok()?;
        EpochUnit::ALL.into_iter().find_map(|(unit, millis)| {
            let from = if unit == EpochUnit::Seconds { SECONDS_FROM_MILLIS } else { OTHERS_FROM_MILLIS };
            let millis = Some(count * millis).filter(|millis| (from..TO_MILLIS).contains(millis))?;
            Timestamp::from_millis(millis.round() as i64).map(|at| Epoch { unit, at })
        })
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "as {} since 1970 it is {}", self.unit.as_str(), self.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_a_count_is_one_and_nothing_else() {
        for (text, unit, at) in [
            ("1732183200", EpochUnit::Seconds, "2024-11-21T10:00:00Z"),
            ("\"1732183200\"", EpochUnit::Seconds, "2024-11-21T10:00:00Z"),
            ("1732183200.25", EpochUnit::Seconds, "2024-11-21T10:00:00.25Z"),
            ("1732183200250", EpochUnit::Milliseconds, "2024-11-21T10:00:00.25Z"),
            ("1732183200000001", EpochUnit::Microseconds, "2024-11-21T10:00:00Z"),
            ("1732183200000000000", EpochUnit::Nanoseconds, "2024-11-21T10:00:00Z"),
            ("852076800", EpochUnit::Seconds, "1997-01-01T00:00:00Z"),
            ("500000000", EpochUnit::Seconds, "1985-11-05T00:53:20Z"),
        ] {
            assert_eq!(
                Epoch::of(text).map(|is| (is.unit, is.at.to_string())),
                Some((unit, at.into())),
                "{text}"
            );
        }
        for text in [
            "",
            "0",
            "12",
            "-1732183200",
            "20261121",
            "20261121100000",
            "202611211000",
            "1e999",
            "yesterday",
            "e",
        ] {
            assert_eq!(Epoch::of(text), None, "{text}");
        }
    }
}
