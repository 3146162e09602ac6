//! A cell's text as a value: its type, how it is written, and what an empty one means.

use jiff::civil::Date;
use serde::Deserialize;
use serde_json::Value as Json;

use super::exact_json;
use super::number::NumberFormat;
use super::pattern::Pattern;
use super::serial::{self, DateSystem};
use super::value_map::ValueMap;
use super::zone::Zone;
use samsyn_vocabulary::{Epoch, EpochUnit, Timestamp, Type, Value};

/// What an empty cell becomes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Empty {
    /// Nothing: the member isn't there.
    #[default]
    LeaveOut,
    /// JSON null; in `proposes` that proposes to clear the field.
    Null,
    /// The empty text.
    Keep,
}

/// How times and dates are written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum TimeFormat {
    /// As RFC 3339 has them.
    #[default]
    Rfc3339,
    /// Seconds since 1970.
    Unix,
    /// Milliseconds since 1970.
    UnixMillis,
    /// Days of a spreadsheet.
    Serial(DateSystem),
    /// After a pattern of `strptime` directives.
    Pattern(Pattern),
}

impl TimeFormat {
    /// `rfc3339`, `unix`, `unix-ms`, `excel`, `excel-1904` or a pattern.
    pub fn parse(text: &str, two_digit_years_from: Option<i16>) -> Result<TimeFormat, String> {
        let format = match text {
            "rfc3339" => TimeFormat::Rfc3339,
            "unix" => TimeFormat::Unix,
            "unix-ms" => TimeFormat::UnixMillis,
            "excel" => TimeFormat::Serial(DateSystem::From1900),
            "excel-1904" => TimeFormat::Serial(DateSystem::From1904),
            pattern => return Pattern::parse(pattern, two_digit_years_from).map(TimeFormat::Pattern),
        };
        match two_digit_years_from {
            Some(_) => Err(format!("two_digit_years_from needs %y, which the format {text:?} doesn't have")),
            None => Ok(format),
        }
    }
}

/// How a text is read.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// The type it should have.
    pub kind: Type,
    /// How times and dates are written.
    pub format: TimeFormat,
    /// Where times without an offset were written.
    pub zone: Zone,
    /// How numbers are written.
    pub numbers: NumberFormat,
    /// What texts stand for, instead of being read.
    pub values: Option<ValueMap>,
    /// What an empty text becomes.
    pub empty: Empty,
    /// For `texts`: what stands between them.
    pub separator: String,
}

impl Default for Reading {
    fn default() -> Self {
        Reading {
            kind: Type::Text,
            format: TimeFormat::default(),
            zone: Zone::default(),
            numbers: NumberFormat::default(),
            values: None,
            empty: Empty::default(),
            separator: ",".to_owned(),
        }
    }
}

impl Reading {
    /// Whether an empty text stands for a value.
    pub fn lists_empty(&self) -> bool {
        self.values.as_ref().is_some_and(ValueMap::lists_empty)
    }

    /// The text as JSON of the type; none when it is to be left out.
    pub fn read(&self, text: &str) -> Result<Option<Json>, String> {
        let trimmed = text.trim();
        if let Some(values) = &self.values
            && let Some(value) = values.find(trimmed)?
        {
            return Ok(Some(value));
        }
        if trimmed.is_empty() {
            return Ok(match self.empty {
                Empty::LeaveOut => None,
                Empty::Null => Some(Json::Null),
                Empty::Keep => Some(Json::String(String::new())),
            });
        }
        let value = match self.kind {
            Type::Text => return Ok(Some(Json::String(text.to_owned()))),
            Type::Timestamp => {
                let moment = self.moment(trimmed).map_err(|cause| self.not_read("time", trimmed, &cause))?;
                Value::Timestamp(moment)
            }
            Type::Date => {
                let date = self.date(trimmed).map_err(|cause| self.not_read("date", trimmed, &cause))?;
                return Ok(Some(Json::String(date.to_string())));
            }
            Type::Boolean => match trimmed.to_ascii_lowercase().as_str() {
                "true" | "1" => Value::Boolean(true),
                "false" | "0" => Value::Boolean(false),
                _ => {
                    return Err(format!(
                        "{trimmed:?} is not true, false, 1 or 0; map it with \
                         values = {{ yes = true, no = false }}"
                    ));
                }
            },
            Type::Texts => Value::Texts(
                trimmed.split(self.separator.as_str()).map(|item| item.trim().to_owned()).collect(),
            ),
            Type::Json => return exact_json::read(trimmed).map(Some),
            Type::Integer | Type::Number | Type::Decimal => Value::Text(self.numbers.plain(trimmed)?)
                .coerce(self.kind)
                .map_err(|_| format!("{trimmed:?} is not a valid {}", self.kind))?,
        };
        Ok(Some(value.to_json()))
    }

    /// What is wrong with a text that is no time or date as the format has them, and what reads it when it
    /// is a count since 1970.
    fn not_read(&self, what: &str, text: &str, cause: &str) -> String {
        let hint = Epoch::of(text).map(|epoch| match epoch.unit {
            EpochUnit::Seconds if !text.contains('.') => format!("; {epoch}: set format = \"unix\""),
            EpochUnit::Milliseconds => format!("; {epoch}: set format = \"unix-ms\""),
            // Neither format reads a fraction or something finer.
            EpochUnit::Seconds => {
                format!("; {epoch}: write it without a fraction, and set format = \"unix\"")
            }
            _ => format!("; {epoch}: write it in milliseconds, and set format = \"unix-ms\""),
        });
        format!("invalid {what} {text:?}: {cause}{}", hint.unwrap_or_default())
    }

    fn moment(&self, text: &str) -> Result<Timestamp, String> {
        let moment = match &self.format {
            TimeFormat::Rfc3339 => {
                return match text.parse() {
                    Ok(moment) if offset_within_a_day(text) => Ok(moment),
                    _ => Err("RFC 3339 has times such as 2026-11-21T10:00:00+01:00".to_owned()),
                };
            }
            TimeFormat::Unix => return count(text, 1_000),
            TimeFormat::UnixMillis => return count(text, 1),
            TimeFormat::Serial(system) => {
                self.zone.moment(serial::local_time(&self.numbers.plain(text)?, *system)?)?
            }
            TimeFormat::Pattern(pattern) => self.moment_after(pattern, text)?,
        };
        in_range(moment.as_millisecond())
    }

    fn moment_after(&self, pattern: &Pattern, text: &str) -> Result<jiff::Timestamp, String> {
        let failed = |cause: jiff::Error| cause.to_string();
        let parts = pattern.read(text)?;
        if let Some(moment) = parts.timestamp() {
            return Ok(moment);
        }
        let date = parts.to_date().map_err(failed)?;
        // A date without a time is its midnight.
        let local = date.to_datetime(parts.to_time().map_err(failed)?);
        let named = parts.iana_time_zone().map(|name| self.zone.named(name)).transpose()?;
        let zone = named.as_ref().unwrap_or(&self.zone);
        match (parts.offset(), &named) {
            (Some(offset), Some(zone)) => zone.moment_at(local, offset),
            (Some(offset), None) => offset.to_timestamp(local).map_err(failed),
            (None, _) if pattern.has_time() => zone.moment(local),
            (None, _) => zone.first_moment(date),
        }
    }

    fn date(&self, text: &str) -> Result<Date, String> {
        let failed = |cause: jiff::Error| cause.to_string();
        let moment = match &self.format {
            TimeFormat::Rfc3339 => {
                let parts = Pattern::parse("%Y-%m-%d", None)?.read(text)?;
                return parts.to_date().map_err(failed);
            }
            TimeFormat::Serial(system) => {
                return serial::local_time(&self.numbers.plain(text)?, *system).map(|time| time.date());
            }
            TimeFormat::Unix => count(text, 1_000)?,
            TimeFormat::UnixMillis => count(text, 1)?,
            TimeFormat::Pattern(pattern) => {
                let parts = pattern.read(text)?;
                if let Some(moment) = parts.timestamp() {
                    return Ok(self.zone.day(moment));
                }
                parts.to_time().map_err(failed)?;
                return parts.to_date().map_err(failed);
            }
        };
        let moment = jiff::Timestamp::from_millisecond(moment.millis()).map_err(failed)?;
        Ok(self.zone.day(moment))
    }
}

/// A count of units since 1970, each of so many milliseconds.
fn count(text: &str, unit: i64) -> Result<Timestamp, String> {
    let count: i64 = text.parse().map_err(|_| "an integer is expected".to_owned())?;
    in_range(count.checked_mul(unit).ok_or("it is out of range")?)
}

fn in_range(millis: i64) -> Result<Timestamp, String> {
    Timestamp::from_millis(millis).ok_or_else(|| "it is out of range".to_owned())
}

/// Whether the offset at the end of an RFC 3339 time, if it has one, has at most 23 hours.
fn offset_within_a_day(text: &str) -> bool {
    let offset = text.rfind(['+', '-']).filter(|at| *at > "2026-11-21".len()).map(|at| &text[at + 1..]);
    offset.is_none_or(|offset| offset.get(..2).is_some_and(|hours| hours < "24"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(kind: Type, format: Option<&str>, text: &str) -> Result<Option<Json>, String> {
        let format = TimeFormat::parse(format.unwrap_or("rfc3339"), None)?;
        Reading { kind, format, ..Reading::default() }.read(text)
    }

    #[test]
    fn types_are_read_without_loss_or_refused() {
        assert_eq!(read(Type::Text, None, "00042").unwrap().unwrap(), "00042");
        assert_eq!(read(Type::Integer, None, " 7 ").unwrap().unwrap(), 7);
        assert_eq!(read(Type::Decimal, None, "12.00").unwrap().unwrap(), "12");
        assert_eq!(read(Type::Boolean, None, "TRUE").unwrap().unwrap(), true);
        assert_eq!(read(Type::Texts, None, "a, b").unwrap().unwrap(), serde_json::json!(["a", "b"]));
        for (kind, text) in
            [(Type::Integer, "7.5"), (Type::Decimal, "7,5"), (Type::Boolean, "yes"), (Type::Json, "{")]
        {
            assert!(read(kind, None, text).is_err(), "{kind} {text}");
        }
    }

    #[test]
    fn times_come_in_many_forms() {
        for (format, text, moment) in [
            (None, "2026-11-21T10:00:00Z", "2026-11-21T10:00:00Z"),
            (Some("%Y%m%d"), "19970101", "1997-01-01T00:00:00Z"),
            (Some("%d/%m/%Y %H:%M"), "21/11/2026 10:30", "2026-11-21T10:30:00Z"),
            (Some("%Y-%m-%d %H:%M:%S %z"), "2026-11-21 11:00:00 +0100", "2026-11-21T10:00:00Z"),
            (Some("unix"), "852076800", "1997-01-01T00:00:00Z"),
            (Some("unix-ms"), "852076800001", "1997-01-01T00:00:00.001Z"),
        ] {
            assert_eq!(read(Type::Timestamp, format, text).unwrap().unwrap(), moment, "{format:?}");
        }
        assert!(read(Type::Timestamp, Some("%Y%m%d"), "19970231").is_err());
        assert_eq!(read(Type::Date, Some("%Y%m%d"), "19970101").unwrap().unwrap(), "1997-01-01");
    }

    #[test]
    fn a_local_time_is_read_at_its_offset() {
        let reading = Reading {
            kind: Type::Timestamp,
            format: TimeFormat::parse("%Y%m%d", None).unwrap(),
            zone: Zone::default().called("+01:00").unwrap(),
            ..Reading::default()
        };
        assert_eq!(reading.read("19970101").unwrap().unwrap(), "1996-12-31T23:00:00Z");
    }

    #[test]
    fn an_empty_column_is_what_the_mapping_says() {
        let read = |empty| Reading { empty, ..Reading::default() }.read(" ").unwrap();
        assert_eq!(read(Empty::LeaveOut), None);
        assert_eq!(read(Empty::Null), Some(Json::Null));
        assert_eq!(read(Empty::Keep), Some(Json::String(String::new())));
    }
}
