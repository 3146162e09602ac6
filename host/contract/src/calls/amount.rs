//! Durations, sizes and rates, as people write them: `30s`, `64 KiB`, `100 per 10s`.
//!
//! Each amount has one text, so that a file that is exported and applied again changes nothing.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{RATE_COUNT_MAX, RATE_SPAN_MAX};

/// The most digits of a number in an amount: more is a typing error, and can't overflow.
const DIGITS_MAX: usize = 9;
/// How much of a wrong text a message repeats, in characters.
const SHOWN_CHARS_MAX: usize = 40;

/// Why a text is no amount.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not {what}; {next}")]
pub struct AmountError {
    text: String,
    what: &'static str,
    next: String,
}

impl AmountError {
    fn of(text: &str, what: &'static str, next: impl Into<String>) -> AmountError {
        AmountError { text: text.chars().take(SHOWN_CHARS_MAX).collect(), what, next: next.into() }
    }
}

/// A whole number at the start of a text, and what follows it. One space may stand between them.
fn number(text: &str) -> Option<(u64, &str)> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    if !(1..=DIGITS_MAX).contains(&digits) {
        return None;
    }
    let (number, unit) = text.split_at(digits);
    Some((number.parse().ok()?, unit.strip_prefix(' ').unwrap_or(unit)))
}

/// A duration in whole seconds: `30s`, `2min`, `24h`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span(u64);

impl Span {
    /// So many seconds.
    pub const fn seconds(seconds: u64) -> Span {
        Span(seconds)
    }

    /// The duration in seconds.
    pub const fn as_seconds(self) -> u64 {
        self.0
    }

    /// The same as the standard library has it.
    pub const fn as_duration(self) -> Duration {
        Duration::from_secs(self.0)
    }
}

/// Units of a duration, with their seconds; the largest that divides it is written.
const SPAN_UNITS: [(&str, u64); 3] = [("h", 3600), ("min", 60), ("s", 1)];

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // 90s stays 90s, and two minutes are shorter as such.
        let fits = |unit: &u64| self.0 > 0 && self.0.is_multiple_of(*unit);
        let (name, unit) = SPAN_UNITS.into_iter().find(|(_, unit)| fits(unit)).unwrap_or(("s", 1));
        write!(f, "{}{name}", self.0 / unit)
    }
}

impl FromStr for Span {
    type Err = AmountError;

    fn from_str(text: &str) -> Result<Span, AmountError> {
        let wrong = |next: &str| AmountError::of(text, "a duration", next);
        let (number, unit) =
            number(text).ok_or_else(|| wrong("write a whole number and s, min or h, such as 30s"))?;
        let (_, seconds) =
            SPAN_UNITS.into_iter().find(|(name, _)| *name == unit).ok_or_else(|| match unit {
                "m" => wrong("write minutes as min, such as 2min"),
                "ms" => wrong("the smallest unit is a second, such as 1s"),
                "" => wrong("a unit is missing: s, min or h, such as 30s"),
                _ => wrong("the units are s, min and h, such as 30s"),
            })?;
        if number == 0 {
            return Err(wrong("it must be longer than nothing"));
        }
        Ok(Span(number * seconds))
    }
}

/// A size in bytes: `512 B`, `64 KiB`, `1 MiB`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Size(u64);

/// Units of a size, with their bytes; the largest that divides it is written.
const SIZE_UNITS: [(&str, u64); 3] = [("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)];

impl Size {
    /// So many times 1,024 bytes.
    pub const fn kib(kib: u64) -> Size {
        Size(kib << 10)
    }

    /// The size in bytes.
    pub const fn as_bytes(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fits = |unit: &u64| self.0 > 0 && self.0.is_multiple_of(*unit);
        let (name, unit) = SIZE_UNITS.into_iter().find(|(_, unit)| fits(unit)).unwrap_or(("B", 1));
        write!(f, "{} {name}", self.0 / unit)
    }
}

impl FromStr for Size {
    type Err = AmountError;

    fn from_str(text: &str) -> Result<Size, AmountError> {
        let wrong = |next: &str| AmountError::of(text, "a size", next);
        let (number, unit) =
            number(text).ok_or_else(|| wrong("write a whole number and B, KiB or MiB, such as 64 KiB"))?;
        let (_, bytes) =
            SIZE_UNITS.into_iter().find(|(name, _)| *name == unit).ok_or_else(|| match unit {
                "kB" | "KB" | "kb" | "K" | "k" => wrong("write KiB, which is 1,024 bytes, such as 64 KiB"),
                "MB" | "Mb" | "M" => wrong("write MiB, which is 1,048,576 bytes, such as 1 MiB"),
                "" => wrong("a unit is missing: B, KiB or MiB, such as 64 KiB"),
                _ => wrong("the units are B, KiB and MiB, such as 64 KiB"),
            })?;
        if number == 0 {
            return Err(wrong("it must be larger than nothing"));
        }
        Ok(Size(number * bytes))
    }
}

/// How many requests in which time: `100 per 10s`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rate {
    count: u32,
    per: Span,
}

/// The rate, if the manifest doesn't say: what a small system stands.
pub const RATE_DEFAULT: Rate = Rate { count: 100, per: Span::seconds(1) };

impl Rate {
    /// Requests in [`Rate::per`].
    pub const fn count(self) -> u32 {
        self.count
    }

    /// The time.
    pub const fn per(self) -> Span {
        self.per
    }

    /// Whether it allows more than another, in the long run.
    pub fn exceeds(self, other: Rate) -> bool {
        let by = |rate: Rate, span: Span| u128::from(rate.count) * u128::from(span.as_seconds());
        by(self, other.per) > by(other, self.per)
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} per {}", self.count, self.per)
    }
}

impl FromStr for Rate {
    type Err = AmountError;

    fn from_str(text: &str) -> Result<Rate, AmountError> {
        let wrong = |next: String| AmountError::of(text, "a rate", next);
        let form = || wrong("write a number, per and a duration, such as 100 per 10s".to_owned());
        let (count, per) = text.split_once(" per ").ok_or_else(form)?;
        let (count, rest) = number(count).ok_or_else(form)?;
        if !rest.is_empty() {
            return Err(form());
        }
        let count = u32::try_from(count).ok().filter(|count| (1..=RATE_COUNT_MAX).contains(count));
        let count = count.ok_or_else(|| wrong(format!("the number must be 1 to {RATE_COUNT_MAX}")))?;
        let per: Span = per.parse().map_err(|error: AmountError| wrong(error.next))?;
        if per > RATE_SPAN_MAX {
            return Err(wrong(format!("the duration can be {RATE_SPAN_MAX} at the most")));
        }
        Ok(Rate { count, per })
    }
}

/// Reads and writes a type as its text, and describes that.
macro_rules! as_text {
    ($($type:ident as $name:literal $description:literal $pattern:literal;)*) => {
        $(impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<$type, D::Error> {
                let text = Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }

        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                $name.into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "description": $description, "pattern": $pattern })
            }
        })*
    };
}

as_text! {
    Span as "Duration" "A duration: a whole number and `s`, `min` or `h`, such as `30s`."
        r"^0{0,8}[1-9][0-9]{0,8} ?(s|min|h)$";
    Size as "Size" "A size: a whole number and `B`, `KiB` or `MiB`, such as `64 KiB`."
        r"^0{0,8}[1-9][0-9]{0,8} ?(B|KiB|MiB)$";
    Rate as "Rate" "How many requests in which time, such as `100 per 10s`."
        r"^[0-9]{1,9} per [0-9]{1,9} ?(s|min|h)$";
}
