//! Zones, and the hours that summer time skips or doubles.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::fmt::strtime;
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};
use serde::Deserialize;

/// Offsets of RFC 3339 stay within a day.
const OFFSET_SECONDS_MAX: i32 = 23 * 3600 + 59 * 60 + 59;
/// Names of the tz database that people write for one of a zone's two offsets.
const ABBREVIATIONS: &[&str] = &["CET", "MET", "EET", "WET", "EST", "MST", "HST"];

/// Which moment is meant by a local time that a zone doesn't have once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Choice {
    /// Neither: the row is refused.
    #[default]
    Refuse,
    /// The earlier of the two moments it may be.
    Earlier,
    /// The later of the two.
    Later,
}

/// Where local times were written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone {
    name: String,
    zone: TimeZone,
    /// For times of the hour that comes twice when summer time ends.
    pub ambiguous: Choice,
    /// For times of the hour that is left out when summer time begins.
    pub skipped: Choice,
}

impl Default for Zone {
    fn default() -> Self {
        Zone {
            name: "UTC".to_owned(),
            zone: TimeZone::UTC,
            ambiguous: Choice::default(),
            skipped: Choice::default(),
        }
    }
}

impl Zone {
    /// `UTC`, an offset such as `+01:00`, or a name of the tz database such as `Europe/Stockholm`.
    pub fn called(&self, name: &str) -> Result<Zone, String> {
        let zone = match offset(name) {
            Some(offset) => TimeZone::fixed(offset),
            None => database(name)?,
        };
        Ok(Zone { name: name.to_owned(), zone, ..self.clone() })
    }

    /// The zone that a name of the tz database in a cell says, with the same choices.
    pub fn named(&self, name: &str) -> Result<Zone, String> {
        let zone = database(name)?;
        Ok(Zone { name: name.to_owned(), zone, ..self.clone() })
    }

    /// The moment of a local time.
    pub fn moment(&self, local: DateTime) -> Result<Timestamp, String> {
        let moment = self.zone.to_ambiguous_timestamp(local);
        let (key, choice, what) = match moment.offset() {
            AmbiguousOffset::Unambiguous { .. } => return moment.unambiguous().map_err(out_of_range),
            AmbiguousOffset::Fold { .. } => {
                ("ambiguous", self.ambiguous, "occurs twice, when summer time ends")
            }
            AmbiguousOffset::Gap { .. } => {
                ("skipped", self.skipped, "does not exist: summer time begins then")
            }
        };
        match choice {
            Choice::Earlier => moment.earlier().map_err(out_of_range),
            Choice::Later => moment.later().map_err(out_of_range),
            Choice::Refuse => {
                Err(format!("in {} this time {what}; set {key} = \"earlier\" or \"later\"", self.name))
            }
        }
    }

    /// The moment a day begins.
    pub fn first_moment(&self, day: Date) -> Result<Timestamp, String> {
        day.to_zoned(self.zone.clone()).map(|start| start.timestamp()).map_err(out_of_range)
    }

    /// The day that a moment lies in.
    pub fn day(&self, moment: Timestamp) -> Date {
        self.zone.to_datetime(moment).date()
    }

    /// The moment of a local time that says its offset beside the zone.
    pub fn moment_at(&self, local: DateTime, offset: Offset) -> Result<Timestamp, String> {
        let moment = offset.to_timestamp(local).map_err(out_of_range)?;
        if self.zone.to_offset(moment) == offset {
            return Ok(moment);
        }
        Err(format!("in {} the offset at that time is not {offset}", self.name))
    }
}

fn out_of_range(_: jiff::Error) -> String {
    "it is out of range".to_owned()
}

fn database(name: &str) -> Result<TimeZone, String> {
    let hint = "write a name such as Europe/Stockholm, UTC, or an offset such as +01:00";
    if ABBREVIATIONS.iter().any(|abbreviation| name.eq_ignore_ascii_case(abbreviation)) {
        return Err(format!("{name} is ambiguous about summer time: {hint}"));
    }
    match TimeZone::get(name) {
        Ok(zone) if !zone.is_unknown() => Ok(zone),
        _ => Err(format!("invalid time zone {name:?}: {hint}")),
    }
}

/// `UTC`, `Z`, `+01:00`, `-0530`, within a day.
fn offset(text: &str) -> Option<Offset> {
    if matches!(text, "UTC" | "Z") {
        return Some(Offset::UTC);
    }
    let parts = strtime::parse("%z", text).or_else(|_| strtime::parse("%:z", text)).ok()?;
    parts.offset().filter(|offset| within_a_day(*offset))
}

/// Whether RFC 3339 could write the offset.
pub fn within_a_day(offset: Offset) -> bool {
    offset.seconds().abs() <= OFFSET_SECONDS_MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_is_a_zone_without_summer_time() {
        assert_eq!(offset("-0530").unwrap().seconds(), -(5 * 3600 + 30 * 60));
        assert_eq!(offset("+23:59").unwrap().seconds(), 23 * 3600 + 59 * 60);
        assert!(offset("+24:00").is_none() && offset("Europe/Stockholm").is_none());
    }

    #[test]
    fn the_zones_are_in_the_program() {
        // No system's files are needed: an image may have none.
        assert!(Zone::default().called("Europe/Stockholm").is_ok());
        assert!(Zone::default().called("America/Argentina/Buenos_Aires").is_ok());
    }
}
