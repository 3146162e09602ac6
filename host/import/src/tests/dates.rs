//! Dates and times: what is written in another way than the format says is refused, never guessed.

use proptest::prelude::*;

use super::cell;

fn moment(format: &str, text: &str) -> Result<String, String> {
    let rule = format!("{{ column = \"cell\", type = \"timestamp\", format = {format:?} }}");
    cell(&rule, text).map(|value| value.as_str().expect("a time is a text").to_owned())
}

fn date(format: &str, text: &str) -> Result<String, String> {
    let rule = format!("{{ column = \"cell\", type = \"date\", format = {format:?} }}");
    cell(&rule, text).map(|value| value.as_str().expect("a date is a text").to_owned())
}

#[test]
fn a_year_has_four_digits() {
    for (format, text) in [
        ("%Y-%m-%d", "26-11-21"),
        ("%Y-%m-%d", "6-11-21"),
        ("%Y-%m-%d", "126-11-21"),
        ("%Y-%m-%d", "12026-11-21"),
        ("%Y-%m-%d", "-2026-11-21"),
        ("%Y-%m-%d", "+2026-11-21"),
        ("%Y-%m-%d", "-001-11-21"),
        ("%d/%m/%Y", "21/11/26"),
        ("%d/%m/%Y", "21/11/026"),
        ("%d.%m.%Y %H:%M", "21.11.26 10:00"),
        ("%F", "26-11-21"),
        ("%-Y-%m-%d", "26-11-21"),
        ("%_Y-%m-%d", "26-11-21"),
        ("%G-W%V-%u", "26-W47-6"),
        ("%b %d, %Y", "Nov 21, 26"),
        ("%d/%m/%Y", "21/11/ 26"),
        ("%y-%m-%d", "6-11-21"),
        ("%y-%m-%d", "2026-11-21"),
        ("%d/%m/%y", "21/11/6"),
        ("%D", "11/21/6"),
    ] {
        assert!(date(format, text).is_err(), "date {format} {text}: {:?}", date(format, text));
        assert!(moment(format, text).is_err(), "{format} {text}: {:?}", moment(format, text));
    }
    for (format, text) in [
        ("%Y-%m-%d", "2026-11-21"),
        ("%Y-%m-%d", "2026-11- 21"),
        ("%d/%m/%Y", "21/11/2026"),
        ("%F", "2026-11-21"),
        ("%Y%m%d", "20261121"),
        ("%y%m%d", "261121"),
        ("%d/%m/%y", "21/11/26"),
        ("%G-W%V-%u", "2026-W47-6"),
        ("%Y %j", "2026 325"),
        ("%A, %d %B %Y", "saturday, 21 november 2026"),
        ("%a %e %b %Y", "Sat 21 Nov 2026"),
        ("%Y年%m月%d日", "2026年11月21日"),
    ] {
        assert_eq!(date(format, text).as_deref(), Ok("2026-11-21"), "{format} {text}");
        assert_eq!(moment(format, text).as_deref(), Ok("2026-11-21T00:00:00Z"), "{format} {text}");
    }
    let plain = |text: &str| cell("{ column = \"cell\", type = \"date\" }", text);
    assert_eq!(plain("2026-1-5").unwrap(), "2026-01-05");
    for text in ["26-01-05", "126-01-05", "2026-02-30", "2026-00-00", "0000-00-00", "2026-01-05x"] {
        assert!(plain(text).is_err(), "{text}");
    }
}

#[test]
fn two_digits_of_a_year_mean_what_the_mapping_says() {
    let rule = |more: &str| format!("{{ column = \"cell\", type = \"date\", format = \"%d/%m/%y\"{more} }}");
    // As POSIX has it.
    for (text, date) in [("1/2/68", "2068-02-01"), ("1/2/69", "1969-02-01"), ("1/2/00", "2000-02-01")] {
        assert_eq!(cell(&rule(""), text).unwrap(), date);
    }
    let born = rule(", two_digit_years_from = 1926");
    for (text, date) in [("1/2/25", "2025-02-01"), ("1/2/26", "1926-02-01"), ("29/2/28", "1928-02-29")] {
        assert_eq!(cell(&born, text).unwrap(), date);
    }
    assert!(
        cell(&rule(", two_digit_years_from = 12000"), "1/2/25").unwrap_err().contains("two_digit_years_from")
    );
    let four = "{ column = \"cell\", type = \"date\", format = \"%d/%m/%Y\", two_digit_years_from = 1926 }";
    assert!(cell(four, "1/2/2025").unwrap_err().contains("%y"), "it changes nothing there");
}

#[test]
fn packed_numbers_have_all_their_digits() {
    for (format, text) in [
        ("%Y%m%d", "2026111"),
        ("%Y%m%d", "202611 1"),
        ("%d%m%Y", "1112026"),
        ("%H%M", "930"),
        ("%Y-%m-%d %H%M", "2026-11-21 930"),
        ("%Y-%m-%d %H:%M", "2026-11-210:30"),
        ("%Y%j", "202632"),
        ("%Y-%m-%dT%H%M%S", "2026-11-21T10305"),
        ("%Y-%m-%d %H:%M:%S%f", "2026-11-21 10:30:15"),
    ] {
        assert!(moment(format, text).is_err(), "{format} {text}: {:?}", moment(format, text));
    }
    assert_eq!(moment("%Y%m%d%H%M%S", "20261121103015").unwrap(), "2026-11-21T10:30:15Z");
    assert_eq!(moment("%d/%m/%Y %H:%M", "1/2/2026 9:05").unwrap(), "2026-02-01T09:05:00Z");
}

#[test]
fn a_zones_name_in_the_cell_is_the_times_zone() {
    for format in ["%Y-%m-%d %H:%M %Q", "%Y-%m-%d %H:%M %:Q"] {
        for (text, utc) in [
            ("2026-07-01 12:00 Europe/Stockholm", "2026-07-01T10:00:00Z"),
            ("2026-12-01 12:00 Europe/Stockholm", "2026-12-01T11:00:00Z"),
            ("2026-07-01 12:00 America/New_York", "2026-07-01T16:00:00Z"),
            ("2026-07-01 12:00 Asia/Kathmandu", "2026-07-01T06:15:00Z"),
            ("2026-07-01 12:00 UTC", "2026-07-01T12:00:00Z"),
            ("2026-07-01 12:00 Etc/GMT+5", "2026-07-01T17:00:00Z"),
        ] {
            assert_eq!(moment(format, text).as_deref(), Ok(utc), "{format} {text}");
        }
        for text in [
            "2026-07-01 12:00 Europe/Atlantis",
            "2026-07-01 12:00 CEST",
            "2026-07-01 12:00 CET",
            "2026-07-01 12:00 EST",
            "2026-07-01 12:00 PST",
            "2026-07-01 12:00 Etc/Unknown",
            "2026-07-01 12:00 Z",
        ] {
            assert!(moment(format, text).is_err(), "{format} {text}: {:?}", moment(format, text));
        }
    }
    assert_eq!(moment("%Y-%m-%d %H:%M %Q", "2026-07-01 12:00 +0200").unwrap(), "2026-07-01T10:00:00Z");
    assert_eq!(moment("%Y-%m-%d %H:%M %:Q", "2026-07-01 12:00 +02:00").unwrap(), "2026-07-01T10:00:00Z");
    // The zone of the mapping is for times that have none of their own.
    let rule = "{ column = \"cell\", type = \"timestamp\", format = \"%F %R %Q\", zone = \"+09:00\" }";
    assert_eq!(cell(rule, "2026-07-01 12:00 Europe/Stockholm").unwrap(), "2026-07-01T10:00:00Z");
    // A date in a zone is its midnight there.
    assert_eq!(moment("%F %Q", "2026-07-01 Europe/Stockholm").unwrap(), "2026-06-30T22:00:00Z");
    // Both are said and differ, or agree.
    let both = "%F %R %z %Q";
    assert!(moment(both, "2026-07-01 12:00 +0100 Europe/Stockholm").is_err());
    assert_eq!(moment(both, "2026-07-01 12:00 +0200 Europe/Stockholm").unwrap(), "2026-07-01T10:00:00Z");
    assert!(moment(both, "2026-07-01 12:00 +0200 +0100").is_err());
}

#[test]
fn hours_of_a_skipped_or_doubled_hour_in_the_cell_are_no_guess() {
    let text = |hour: &str, day: &str| format!("2026-{day} {hour} Europe/Stockholm");
    assert!(moment("%F %R %Q", &text("02:30", "03-29")).is_err());
    assert!(moment("%F %R %Q", &text("02:30", "10-25")).is_err());
    // The offset beside it tells which of the two it was.
    for (offset, utc) in [("+0200", "2026-10-25T00:30:00Z"), ("+0100", "2026-10-25T01:30:00Z")] {
        let text = format!("2026-10-25 02:30 {offset} Europe/Stockholm");
        assert_eq!(moment("%F %R %z %Q", &text).unwrap(), utc);
    }
}

#[test]
fn halves_of_a_day_belong_to_twelve_hours() {
    for format in ["%F %I:%M %p", "%F %l:%M %P"] {
        for (text, utc) in [
            ("2026-11-21 10:30 PM", "2026-11-21T22:30:00Z"),
            ("2026-11-21 12:30 am", "2026-11-21T00:30:00Z"),
            ("2026-11-21 12:30 pm", "2026-11-21T12:30:00Z"),
        ] {
            assert_eq!(moment(format, text).as_deref(), Ok(utc), "{format} {text}");
        }
    }
    for (format, text) in [
        ("%F %H:%M %p", "2026-11-21 10:30 PM"),
        ("%F %p", "2026-11-21 PM"),
        ("%F %I:%M", "2026-11-21 10:30"),
        ("%F %l", "2026-11-21 10"),
        ("%F %I:%M %p", "2026-11-21 13:30 PM"),
        ("%F %I:%M %p", "2026-11-21 0:30 PM"),
        ("%F %T", "2026-11-21 10:15:60"),
        ("%F %T", "2026-11-21 24:00:00"),
    ] {
        assert!(moment(format, text).is_err(), "{format} {text}: {:?}", moment(format, text));
    }
}

#[test]
fn a_format_that_says_a_thing_twice_or_not_at_all_is_no_format() {
    for (format, text) in [
        ("%C%y-%m-%d", "1926-11-21"),
        ("%C-%m-%d", "19-11-21"),
        ("%Y-%m-%d %y", "1926-11-21 26"),
        ("%F %j", "2026-11-21 001"),
        ("%F %G-W%V", "2026-11-21 1999-W01"),
        ("%F %U", "2026-11-21 01"),
        ("%d.%m.%Y %e", "21.11.2026 3"),
        ("%m %b %d %Y", "11 Dec 21 2026"),
        ("%s %F", "0 2026-11-21"),
        ("%F %H:%M %I %p", "2026-11-21 10:30 04 pm"),
        ("%F %T.%f %N", "2026-11-21 10:30:15.5 6"),
        ("%H:%M", "10:30"),
        ("%m/%d", "11/21"),
        ("%Y", "2026"),
        ("%Y %U", "2026 01"),
        ("%F %M", "2026-11-21 30"),
        ("%F %Z", "2026-11-21 CET"),
        ("%c", "Sat Nov 21 10:30:15 2026"),
        ("%F %", "2026-11-21"),
        ("%F %L", "2026-11-21 5"),
        ("", "2026-11-21"),
    ] {
        assert!(moment(format, text).is_err(), "{format} {text}: {:?}", moment(format, text));
    }
    // It is the mapping that is wrong, and it says so before the first row.
    let rule = "{ column = \"cell\", type = \"timestamp\", format = \"%F %H:%M %p\" }";
    assert!(cell(rule, "").unwrap_err().starts_with("properties.value: "), "{:?}", cell(rule, ""));
    // The seconds since 1970 may be written as a directive too.
    assert_eq!(moment("%s", "852076800").unwrap(), "1997-01-01T00:00:00Z");
    assert_eq!(moment("@%s", "@-1").unwrap(), "1969-12-31T23:59:59Z");
}

#[test]
fn a_weekday_that_contradicts_is_refused() {
    assert!(moment("%a %F", "Sun 2026-11-21").is_err());
    assert!(moment("%u %F", "1 2026-11-21").is_err());
    assert_eq!(moment("%u %F", "6 2026-11-21").unwrap(), "2026-11-21T00:00:00Z");
}

#[test]
fn an_offset_lies_within_a_day() {
    for (format, text) in [
        ("%F %R %z", "2026-11-21 10:00 +2400"),
        ("%F %R %z", "2026-11-21 10:00 -2430"),
        ("%F %R %:z", "2026-11-21 10:00 +25:00"),
        ("%F %R %:::z", "2026-11-21 10:00 -24"),
        ("%F %R %Q", "2026-11-21 10:00 +2500"),
        ("rfc3339", "2026-11-21T10:00:00+24:00"),
        ("rfc3339", "2026-11-21T10:00:00-25:59"),
        ("rfc3339", "2026-11-21T10:00:00.5+24:30"),
    ] {
        assert!(moment(format, text).is_err(), "{format} {text}: {:?}", moment(format, text));
    }
    assert_eq!(moment("%F %R %z", "2026-11-21 10:00 -2359").unwrap(), "2026-11-22T09:59:00Z");
    assert_eq!(moment("rfc3339", "2026-11-21T10:00:00+23:59").unwrap(), "2026-11-20T10:01:00Z");
    for zone in ["+24:00", "-2500", "+99:00", "+1:00", "1", ""] {
        let rule = format!("{{ column = \"cell\", type = \"timestamp\", format = \"%F\", zone = {zone:?} }}");
        assert!(cell(&rule, "2026-11-21").is_err(), "{zone:?}");
    }
}

#[test]
fn a_date_can_come_of_any_moment() {
    assert_eq!(date("rfc3339", "2026-11-21").unwrap(), "2026-11-21");
    assert_eq!(date("unix", "852076799").unwrap(), "1996-12-31");
    assert_eq!(date("unix-ms", "852076800000").unwrap(), "1997-01-01");
    let rule = "{ column = \"cell\", type = \"date\", format = \"unix\", zone = \"+01:00\" }";
    assert_eq!(cell(rule, "852076799").unwrap(), "1997-01-01");
}

/// Formats of dates and times that say a whole moment, each item apart from the next.
const FORMATS: &[&str] = &[
    "%Y-%m-%d %H:%M:%S",
    "%d.%m.%Y %H:%M:%S",
    "%m/%d/%Y %I:%M:%S %p",
    "%Y%m%dT%H%M%S",
    "%A %e %B %Y, %T",
    "%G-W%V-%u %T",
    "%Y-%j %T",
    "%F %T %z",
    "%F %T %:Q",
];

proptest! {
    /// What a format writes it reads back, and a text with a character less or more of a year is
    /// another moment's or none: never the same format's with another year.
    #[test]
    fn what_a_format_writes_it_reads(second in -30_000_000_000_i64..100_000_000_000, format in 0..FORMATS.len()) {
        let format = FORMATS[format];
        let moment_of = jiff::Timestamp::from_second(second).unwrap().to_zoned(jiff::tz::TimeZone::UTC);
        let text = jiff::fmt::strtime::format(format, &moment_of).unwrap();
        prop_assert_eq!(moment(format, &text), Ok(moment_of.timestamp().to_string()), "{}", text);
        let year = format!("{:04}", moment_of.year());
        if !format.contains("%G") && text.contains(&year) {
            for shorter in [&year[1..], &year[2..], &year[3..]] {
                let short = text.replacen(&year, shorter, 1);
                prop_assert!(moment(format, &short).is_err(), "{} {}: {:?}", format, short, moment(format, &short));
            }
        }
    }
}

#[test]
fn a_count_since_1970_that_isnt_expected_says_which_format_reads_it() {
    let time = "2024-11-21T10:00:00Z";
    for (text, reads) in [("1732183200", "unix"), ("1732183200000", "unix-ms"), ("1732183200.5", "unix")] {
        for format in ["rfc3339", "%Y-%m-%d", "%d/%m/%Y %H:%M"] {
            for problem in [moment(format, text), date(format, text)] {
                let problem = problem.expect_err("it isn't guessed");
                assert!(problem.contains("2024-11-21T10:00:00"), "{format} {text}: {problem}");
                assert!(problem.contains(&format!("format = \"{reads}\"")), "{format} {text}: {problem}");
            }
        }
    }
    let millis = moment("unix", "1732183200000").expect_err("no such year");
    assert!(millis.contains("format = \"unix-ms\"") && millis.contains(time), "{millis}");
    // What only looks so is no count.
    for text in ["19970231", "12", "20261121100000", "yesterday"] {
        let problem = moment("rfc3339", text).expect_err("it is no time");
        assert!(!problem.contains("since 1970"), "{text}: {problem}");
    }
}
