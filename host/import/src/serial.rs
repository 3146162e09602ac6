//! Serial dates of spreadsheets: days since an epoch, and fractions of a day.

use jiff::civil::{Date, DateTime, Time, date};

const MILLIS_PER_DAY: i128 = 86_400_000;
/// More digits than a fraction of a day needs, and few enough to be calculated with.
const FRACTION_DIGITS_MAX: usize = 18;

/// Which day is which number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DateSystem {
    /// 1 is 1 January 1900, and 60 is 29 February 1900, which never was: Excel keeps a mistake of
    /// Lotus 1-2-3.
    From1900,
    /// 0 is 1 January 1904: Excel's on old Macs.
    From1904,
}

/// The local time that a serial number stands for, to the millisecond. The text is a plain decimal
/// number: digits, perhaps a point and digits.
pub fn local_time(number: &str, system: DateSystem) -> Result<DateTime, String> {
    let no_serial = || "a spreadsheet's serial date is a number of days such as 45000.5".to_owned();
    let (days, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if days.is_empty() || !digits(days) || !digits(fraction) {
        return Err(no_serial());
    }
    let days: i64 = days.parse().map_err(|_| no_serial())?;
    let fraction = &fraction[..fraction.len().min(FRACTION_DIGITS_MAX)];
    let scale = 10_i128.pow(u32::try_from(fraction.len()).map_err(|_| no_serial())?);
    let part: i128 = if fraction.is_empty() { 0 } else { fraction.parse().map_err(|_| no_serial())? };
    // A double has no exact seconds: the nearest millisecond is the one that was meant.
    let millis = (part * MILLIS_PER_DAY * 2 + scale) / (2 * scale);
    let (days, millis) = if millis == MILLIS_PER_DAY { (days.saturating_add(1), 0) } else { (days, millis) };
    let day = day(days, system)?;
    let time = i64::try_from(millis).map_err(|_| no_serial())?;
    let span = jiff::Span::new().try_milliseconds(time).map_err(|_| no_serial())?;
    day.to_datetime(Time::midnight()).checked_add(span).map_err(|_| no_serial())
}

fn day(number: i64, system: DateSystem) -> Result<Date, String> {
    let (epoch, first) = match system {
        DateSystem::From1900 if number == 60 => {
            return Err("it is Excel's 29 February 1900, a day that does not exist".to_owned());
        }
        DateSystem::From1900 if number < 60 => (date(1899, 12, 31), 1),
        DateSystem::From1900 => (date(1899, 12, 30), 1),
        DateSystem::From1904 => (date(1904, 1, 1), 0),
    };
    let span = jiff::Span::new().try_days(number).ok().filter(|_| number >= first);
    span.and_then(|span| epoch.checked_add(span).ok())
        .ok_or_else(|| "the serial date is out of range".to_owned())
}
