//! A column's text as a value: types, times, and what an empty column means.

use jiff::civil::{DateTime, Time};
use jiff::fmt::strtime;
use jiff::tz::{Offset, TimeZone};
use serde::Deserialize;
use serde_json::Value as Json;

use super::exact_json;
use crate::vocabulary::{Timestamp, Type, Value};

/// What an empty column becomes.
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

/// How a text is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// The type it should have.
    pub kind: Type,
    /// For times and dates: `strptime` directives, `unix`, `unix-ms`; none for RFC 3339.
    pub format: Option<String>,
    /// For times without an offset: the offset of the place they were written in.
    pub offset: Offset,
    /// What an empty text becomes.
    pub empty: Empty,
    /// For `texts`: what stands between them.
    pub separator: String,
}

impl Default for Reading {
    fn default() -> Self {
        Reading {
            kind: Type::Text,
            format: None,
            offset: Offset::UTC,
            empty: Empty::default(),
            separator: ",".to_owned(),
        }
    }
}

impl Reading {
    /// The text as JSON of the type; none when it is to be left out.
    pub fn read(&self, text: &str) -> Result<Option<Json>, String> {
        let trimmed = text.trim();
        if trimmed.is_empty() {
            return Ok(match self.empty {
                Empty::LeaveOut => None,
                Empty::Null => Some(Json::Null),
                Empty::Keep => Some(Json::String(String::new())),
            });
        }
        let value = match self.kind {
            Type::Text => return Ok(Some(Json::String(text.to_owned()))),
            Type::Timestamp => Value::Timestamp(self.moment(trimmed)?),
            Type::Date => return self.date(trimmed).map(Some),
            Type::Boolean => match trimmed.to_ascii_lowercase().as_str() {
                "true" | "1" => Value::Boolean(true),
                "false" | "0" => Value::Boolean(false),
                _ => return Err(format!("{trimmed:?} is not true, false, 1 or 0")),
            },
            Type::Texts => Value::Texts(
                trimmed.split(self.separator.as_str()).map(|item| item.trim().to_owned()).collect(),
            ),
            Type::Json => {
                return exact_json::read(trimmed).map(Some);
            }
            Type::Integer | Type::Number | Type::Decimal => Value::Text(trimmed.to_owned())
                .coerce(self.kind)
                .map_err(|_| format!("{trimmed:?} can't be read as {}", self.kind))?,
        };
        Ok(Some(value.to_json()))
    }

    fn moment(&self, text: &str) -> Result<Timestamp, String> {
        let bad = |cause: String| format!("{text:?} is no time: {cause}");
        let count = |unit: i64| {
            let count: i64 = text.parse().map_err(|_| bad("a whole number is expected".to_owned()))?;
            let millis = count.checked_mul(unit).and_then(Timestamp::from_millis);
            millis.ok_or_else(|| bad("it is out of range".to_owned()))
        };
        match self.format.as_deref() {
            None | Some("rfc3339") => {
                text.parse().map_err(|cause: crate::vocabulary::TimeError| cause.to_string())
            }
            Some("unix") => count(1_000),
            Some("unix-ms") => count(1),
            Some(format) => {
                let parts = strtime::parse(format, text).map_err(|cause| bad(cause.to_string()))?;
                let moment = if parts.offset().is_some() {
                    parts.to_timestamp().map_err(|cause| bad(cause.to_string()))?
                } else {
                    let local = self.local(&parts).map_err(|cause| bad(cause.to_string()))?;
                    let zone = TimeZone::fixed(self.offset);
                    zone.to_timestamp(local).map_err(|cause| bad(cause.to_string()))?
                };
                Timestamp::from_millis(moment.as_millisecond())
                    .ok_or_else(|| bad("it is out of range".to_owned()))
            }
        }
    }

    /// A date without a time is its midnight.
    fn local(&self, parts: &strtime::BrokenDownTime) -> Result<DateTime, jiff::Error> {
        if parts.hour().is_some() {
            parts.to_datetime()
        } else {
            Ok(parts.to_date()?.to_datetime(Time::midnight()))
        }
    }

    fn date(&self, text: &str) -> Result<Json, String> {
        let format = self.format.as_deref().unwrap_or("%Y-%m-%d");
        strtime::parse(format, text)
            .and_then(|parts| parts.to_date())
            .map(|date| Json::String(date.to_string()))
            .map_err(|cause| format!("{text:?} is no date: {cause}"))
    }
}

/// `UTC`, `+01:00`, `-0530`. Zones with summer time are not known here: a file that mixes the two
/// can't say which of two hours it means.
pub fn offset(text: &str) -> Option<Offset> {
    if matches!(text, "UTC" | "Z") {
        return Some(Offset::UTC);
    }
    strtime::parse("%z", text).or_else(|_| strtime::parse("%:z", text)).ok()?.offset()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(kind: Type, format: Option<&str>, text: &str) -> Result<Option<Json>, String> {
        Reading { kind, format: format.map(str::to_owned), ..Reading::default() }.read(text)
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
            format: Some("%Y%m%d".into()),
            offset: offset("+01:00").unwrap(),
            ..Reading::default()
        };
        assert_eq!(reading.read("19970101").unwrap().unwrap(), "1996-12-31T23:00:00Z");
        assert_eq!(offset("-0530").unwrap().seconds(), -(5 * 3600 + 30 * 60));
        assert!(offset("Europe/Stockholm").is_none());
    }

    #[test]
    fn an_empty_column_is_what_the_mapping_says() {
        let read = |empty| Reading { empty, ..Reading::default() }.read(" ").unwrap();
        assert_eq!(read(Empty::LeaveOut), None);
        assert_eq!(read(Empty::Null), Some(Json::Null));
        assert_eq!(read(Empty::Keep), Some(Json::String(String::new())));
    }
}
