//! Dates and times after a pattern of `strptime` directives, read strictly.
//!
//! jiff reads what a directive allows, which is much: `%Y` takes `26` for the year 26, `%H` with
//! `%p` leaves the afternoon out, and of a month that is said twice the last counts. A file's dates
//! are somebody's history, so a pattern is checked once when the mapping is read, and every text
//! against it: a year has its digits, numbers that touch have all of theirs, nothing is said twice.

use jiff::fmt::strtime::{self, BrokenDownTime};

use super::zone::within_a_day;

/// A pattern that says a whole date or moment, each part of it once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    format: String,
    pieces: Vec<Piece>,
    /// The first of the hundred years that two digits stand for.
    two_digit_years_from: i16,
}

/// A directive, or text between two.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Piece {
    format: String,
    part: Option<Part>,
    digits: Digits,
}

/// How many digits a directive takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Digits {
    /// It is no number, or one of any length.
    Any,
    /// Up to so many; exactly so many where other digits touch it. Blanks may pad some.
    UpTo {
        count: usize,
        padded: bool,
    },
    Exactly(usize),
}

/// What a directive says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Year,
    Month,
    Day,
    DayOfYear,
    WeekYear,
    IsoWeek,
    SundayWeek,
    MondayWeek,
    Weekday,
    Hour24,
    Hour12,
    Half,
    Minute,
    Second,
    Fraction,
    Offset,
    Zone,
    Unix,
}

/// POSIX's first year of two digits.
const POSIX_TWO_DIGIT_YEARS_FROM: i16 = 1969;

impl Pattern {
    /// Reads a pattern, and checks that it says what a date needs, once.
    pub fn parse(format: &str, two_digit_years_from: Option<i16>) -> Result<Pattern, String> {
        let mut pieces = Vec::new();
        split(format, &mut pieces)?;
        let pattern = Pattern {
            format: format.to_owned(),
            pieces,
            two_digit_years_from: two_digit_years_from.unwrap_or(POSIX_TWO_DIGIT_YEARS_FROM),
        };
        if two_digit_years_from.is_some_and(|year| !(0..=9900).contains(&year)) {
            return Err("two_digit_years_from must be a year from 0 to 9900, such as 1930".to_owned());
        }
        if two_digit_years_from.is_some() && !pattern.has_two_digit_year() {
            return Err(format!("two_digit_years_from needs %y, which {format:?} doesn't have"));
        }
        pattern.check().map_err(|problem| format!("the format {format:?} {problem}"))?;
        Ok(pattern)
    }

    fn says(&self, part: Part) -> bool {
        self.pieces.iter().any(|piece| piece.part == Some(part))
    }

    fn has_two_digit_year(&self) -> bool {
        self.pieces.iter().any(|piece| piece.digits == Digits::Exactly(2))
    }

    /// Whether it says a time of the day.
    pub fn has_time(&self) -> bool {
        self.says(Part::Hour24) || self.says(Part::Hour12) || self.says(Part::Unix)
    }

    fn check(&self) -> Result<(), &'static str> {
        let parts: Vec<Part> = self.pieces.iter().filter_map(|piece| piece.part).collect();
        if parts.iter().enumerate().any(|(at, part)| parts[..at].contains(part)) {
            return Err("has the same part twice");
        }
        let says = |part: Part| parts.contains(&part);
        if says(Part::Unix) {
            return if parts.len() == 1 { Ok(()) } else { Err("has more than %s, which is complete") };
        }
        let ways: [&[Part]; 5] = [
            &[Part::Year, Part::Month, Part::Day],
            &[Part::Year, Part::DayOfYear],
            &[Part::WeekYear, Part::IsoWeek, Part::Weekday],
            &[Part::Year, Part::SundayWeek, Part::Weekday],
            &[Part::Year, Part::MondayWeek, Part::Weekday],
        ];
        let Some(way) = ways.iter().find(|way| way.iter().all(|part| says(*part))) else {
            return Err("has no day: add %Y, %m and %d");
        };
        let of_a_day = |part: &Part| ways.iter().any(|way| way.contains(part)) && *part != Part::Weekday;
        if parts.iter().any(|part| of_a_day(part) && !way.contains(part)) {
            return Err("has the day in two forms");
        }
        if says(Part::Hour24) && (says(Part::Hour12) || says(Part::Half)) {
            return Err("has %p, which needs %I; %H goes to 23 without it");
        }
        if says(Part::Hour12) != says(Part::Half) {
            return Err("needs both %I and %p: the hour up to 12, and AM or PM");
        }
        let hour = says(Part::Hour24) || says(Part::Hour12);
        let chain = [hour, says(Part::Minute), says(Part::Second), says(Part::Fraction)];
        if chain.windows(2).any(|pair| pair[1] && !pair[0]) {
            return Err("has minutes without hours, seconds without minutes or a fraction without seconds");
        }
        Ok(())
    }

    /// What a text says.
    pub fn read(&self, text: &str) -> Result<BrokenDownTime, String> {
        let bytes = text.as_bytes();
        let mut at = 0;
        for (number, piece) in self.pieces.iter().enumerate() {
            let rest = &bytes[at..];
            let (_, used) =
                BrokenDownTime::parse_prefix(&piece.format, rest).map_err(|cause| cause.to_string())?;
            let (before, after) = (at.checked_sub(1).map(|at| bytes[at]), bytes.get(at + used).copied());
            let digit = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_digit());
            let numeric = |piece: Option<&Piece>| piece.is_some_and(|piece| piece.digits != Digits::Any);
            let touches = digit(before)
                || digit(after)
                || numeric(number.checked_sub(1).and_then(|number| self.pieces.get(number)))
                || numeric(self.pieces.get(number + 1));
            piece.check(&rest[..used], touches)?;
            at += used;
        }
        let mut parts = strtime::parse(&self.format, text).map_err(|cause| cause.to_string())?;
        if parts.offset().is_some_and(|offset| !within_a_day(offset)) {
            return Err("its offset is more than 23:59".to_owned());
        }
        if self.says(Part::Offset) && self.says(Part::Zone) && parts.iana_time_zone().is_none() {
            return Err("it has two offsets".to_owned());
        }
        if self.has_two_digit_year() {
            let from = self.two_digit_years_from;
            let year_of = |year: i16| from + (year - from).rem_euclid(100);
            let out_of_range = |cause: jiff::Error| cause.to_string();
            if self.says(Part::Year) {
                let year = parts.year().map(year_of);
                parts.set_year(year).map_err(out_of_range)?;
            } else {
                let year = parts.iso_week_year().map(year_of);
                parts.set_iso_week_year(year).map_err(out_of_range)?;
            }
        }
        Ok(parts)
    }
}

impl Piece {
    fn check(&self, span: &[u8], touches: bool) -> Result<(), String> {
        let digits = span.trim_ascii_start();
        let all_digits = digits.iter().all(u8::is_ascii_digit);
        let shown = || String::from_utf8_lossy(span).into_owned();
        if self.part == Some(Part::Second) && digits == b"60" {
            return Err("second 60 is not supported: leap seconds have no time of their own".to_owned());
        }
        match self.digits {
            Digits::Any => Ok(()),
            Digits::Exactly(count) if all_digits && digits.len() == count => Ok(()),
            Digits::Exactly(count) => {
                Err(format!("{} is for a year of {count} digits, and {:?} is none", self.format, shown()))
            }
            Digits::UpTo { count, padded } => {
                let whole = digits.len() >= count || (padded && span.len() >= count);
                if whole || !touches {
                    return Ok(());
                }
                Err(format!(
                    "{} needs {count} digits next to other digits, and {:?} has fewer",
                    self.format,
                    shown()
                ))
            }
        }
    }
}

/// Takes a format apart into directives and what stands between them.
fn split(format: &str, pieces: &mut Vec<Piece>) -> Result<(), String> {
    let mut rest = format;
    while !rest.is_empty() {
        let Some(after) = rest.strip_prefix('%') else {
            let length = rest.find('%').unwrap_or(rest.len());
            pieces.push(Piece { format: rest[..length].to_owned(), part: None, digits: Digits::Any });
            rest = &rest[length..];
            continue;
        };
        let flags = after.len() - after.trim_start_matches(['-', '_', '0', '^', '#']).len();
        let widths = after[flags..].trim_start_matches(|c: char| c.is_ascii_digit() || c == ':' || c == '.');
        let Some(directive) = widths.chars().next() else {
            return Err(format!("the format {format:?} ends within a directive; %% is the character"));
        };
        let length = rest.len() - widths.len() + directive.len_utf8();
        let whole = &rest[..length];
        rest = &rest[length..];
        let expanded = match directive {
            'D' => "%m/%d/%y",
            'F' => "%Y-%m-%d",
            'T' => "%H:%M:%S",
            'R' => "%H:%M",
            _ => {
                pieces.push(piece(whole, directive)?);
                continue;
            }
        };
        split(expanded, pieces)?;
    }
    Ok(())
}

fn piece(whole: &str, directive: char) -> Result<Piece, String> {
    let width: Option<usize> = {
        let digits = whole.trim_start_matches(['%', '-', '_', '0', '^', '#']);
        digits.chars().take_while(char::is_ascii_digit).collect::<String>().parse().ok()
    };
    let blanks = whole.contains('_') || whole.contains('-');
    let count = |usual: usize| if blanks { usual } else { usual.max(width.unwrap_or(0)) };
    let up_to = |usual: usize, padded: bool| Digits::UpTo { count: count(usual), padded: padded || blanks };
    let (part, digits) = match directive {
        'Y' => (Part::Year, Digits::Exactly(count(4))),
        'y' => (Part::Year, Digits::Exactly(2)),
        'G' => (Part::WeekYear, Digits::Exactly(count(4))),
        'g' => (Part::WeekYear, Digits::Exactly(2)),
        'm' => (Part::Month, up_to(2, false)),
        'b' | 'B' | 'h' => (Part::Month, Digits::Any),
        'd' => (Part::Day, up_to(2, false)),
        'e' => (Part::Day, up_to(2, true)),
        'j' => (Part::DayOfYear, up_to(3, false)),
        'V' => (Part::IsoWeek, up_to(2, false)),
        'U' => (Part::SundayWeek, up_to(2, false)),
        'W' => (Part::MondayWeek, up_to(2, false)),
        'a' | 'A' => (Part::Weekday, Digits::Any),
        'u' | 'w' => (Part::Weekday, up_to(1, false)),
        'H' => (Part::Hour24, up_to(2, false)),
        'k' => (Part::Hour24, up_to(2, true)),
        'I' => (Part::Hour12, up_to(2, false)),
        'l' => (Part::Hour12, up_to(2, true)),
        'p' | 'P' => (Part::Half, Digits::Any),
        'M' => (Part::Minute, up_to(2, false)),
        'S' => (Part::Second, up_to(2, false)),
        'f' | 'N' => (Part::Fraction, Digits::Any),
        'z' => (Part::Offset, Digits::Any),
        'Q' => (Part::Zone, Digits::Any),
        's' => (Part::Unix, Digits::Any),
        'n' | 't' | '%' => {
            return Ok(Piece { format: whole.to_owned(), part: None, digits: Digits::Any });
        }
        'Z' => {
            return Err(format!(
                "{whole} is not supported, because an abbreviation such as CST means several zones: leave the text \
                 out of the format, or set the zone with zone = \"Europe/Stockholm\""
            ));
        }
        'C' => return Err(format!("{whole} is not supported: write the whole year, %Y")),
        _ => return Err(format!("unsupported directive {whole}; docs/import.md lists the supported ones")),
    };
    Ok(Piece { format: whole.to_owned(), part: Some(part), digits })
}
