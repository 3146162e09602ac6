//! Decimal numbers as canonical text: the host compares and stores them, it never calculates.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::numeral::Numeral;

/// The longest decimal that is kept, in characters of its canonical form.
const DECIMAL_CHARS_MAX: usize = 64;
/// The most digits of a decimal that is taken from outside, on both sides of the point together: every
/// number of so many digits fits into the decimal of a plug-in, wherever its point stands.
pub const DECIMAL_DIGITS_MAX: usize = 28;
/// The largest coefficient of a plug-in's decimal: it has 96 bits, so some numbers of 29 digits fit.
const COEFFICIENT_MAX: u128 = (1 << 96) - 1;

/// A decimal number in canonical form: no exponent, no plus sign, no leading or trailing zeros,
/// no negative zero. Equal numbers have equal text: `12`, `12.0` and `1.2e1` are all `12`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Decimal(String);

impl Decimal {
    /// Reads a decimal or JSON number without loss; `None` when it is no number or its canonical
    /// form is longer than 64 characters.
    pub fn parse(text: &str) -> Option<Decimal> {
        if text.len() <= DECIMAL_CHARS_MAX && is_canonical(text) {
            return Some(Decimal(text.to_owned()));
        }
        Numeral::parse(text)?.plain(DECIMAL_CHARS_MAX).map(Decimal)
    }

    /// The canonical text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the number has no fraction.
    pub fn is_whole(&self) -> bool {
        !self.0.contains('.')
    }

    /// Whether it has at most [`DECIMAL_DIGITS_MAX`] digits: what an application may send.
    pub fn is_within_limit(&self) -> bool {
        let (whole, fraction) = self.parts();
        let whole = if whole == "0" { "" } else { whole };
        whole.len() + fraction.len() <= DECIMAL_DIGITS_MAX
    }

    /// Whether a plug-in's decimal holds it. Beyond [`Decimal::is_within_limit`] these are numbers of
    /// one digit more that a plug-in has come to itself: a third of ten is 3.3333333333333333333333333333.
    pub fn fits_a_plug_in(&self) -> bool {
        let (whole, fraction) = self.parts();
        let coefficient = format!("{whole}{fraction}").parse::<u128>();
        fraction.len() <= DECIMAL_DIGITS_MAX && coefficient.is_ok_and(|is| is <= COEFFICIENT_MAX)
    }

    /// The digits before the point and behind it.
    fn parts(&self) -> (&str, &str) {
        let unsigned = self.0.strip_prefix('-').unwrap_or(&self.0);
        unsigned.split_once('.').unwrap_or((unsigned, ""))
    }
}

/// Whether a text is what [`Numeral::plain`] would make of it; most are.
fn is_canonical(text: &str) -> bool {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let whole_is = whole == "0" || !whole.starts_with('0');
    let fraction_is = !unsigned.contains('.') || !fraction.ends_with('0');
    digits(whole) && digits(fraction) && whole_is && fraction_is && text != "-0"
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_numbers_have_equal_text() {
        for (text, canonical) in [
            ("12", "12"),
            ("12.0", "12"),
            ("1.2e1", "12"),
            ("+012.50", "12.5"),
            ("-0", "0"),
            ("0.0", "0"),
            ("-0.050", "-0.05"),
            ("1e3", "1000"),
            ("125E-3", "0.125"),
            ("12.5e1", "125"),
            ("29.33", "29.33"),
            ("00.10", "0.1"),
            ("100", "100"),
            ("0", "0"),
            ("0.00", "0"),
        ] {
            assert_eq!(Decimal::parse(text).expect(text).as_str(), canonical, "{text}");
        }
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in
            ["", "-", ".5", "5.", "1e", "NaN", "inf", "1_000", "1e999999999999", "1e100", "0x1", " 1", "١"]
        {
            assert!(Decimal::parse(text).is_none(), "{text:?}");
        }
    }

    #[test]
    fn the_limit_is_28_digits_and_a_plug_in_may_come_to_29() {
        let digits = |count: usize| "1234567890".repeat(4)[..count].to_owned();
        for (text, within, fits) in [
            (digits(28), true, true),
            (format!("-{}", digits(28)), true, true),
            (format!("0.{}", digits(28)), true, true),
            (format!("12.{}", digits(26)), true, true),
            (digits(29), false, true),
            (format!("1.{}", digits(28)), false, true),
            (format!("0.{}", digits(29)), false, false),
            ("79228162514264337593543950335".to_owned(), false, true),
            ("-7.9228162514264337593543950335".to_owned(), false, true),
            ("79228162514264337593543950336".to_owned(), false, false),
            (digits(40), false, false),
            ("9".repeat(64), false, false),
        ] {
            let decimal = Decimal::parse(&text).expect(&text);
            assert_eq!((decimal.is_within_limit(), decimal.fits_a_plug_in()), (within, fits), "{text}");
        }
    }
}
