//! Numbers as they are written, taken apart exactly: no double, no limit of digits. So two spellings
//! can be compared, whatever reads the number later.

/// A number without its spelling: `10`, `10.00` and `1e1` are one, and so are `0` and `-0.0`.
///
/// It is `digits` × 10^`exponent`, the digits read as an integer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Numeral {
    negative: bool,
    /// Without zeros at either end; empty for zero.
    digits: String,
    exponent: Exponent,
}

/// A power of ten.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Exponent {
    /// One that can be calculated with.
    Known(i128),
    /// One of more than [`EXPONENT_DIGITS_MAX`] digits, as it was written, and what the point's place
    /// adds to it.
    Written { negative: bool, digits: String, shift: i64 },
}

/// The most significant digits that a double has when it is written exactly.
const DOUBLE_DIGITS_MAX: usize = 767;

/// The digits of an exponent that fit into the integer it is calculated with, with room for the shift.
const EXPONENT_DIGITS_MAX: usize = 36;

impl Numeral {
    /// Reads a number of JSON's grammar; leading zeros and a plus sign are taken, too, as decimals in
    /// texts have them. `None` when it is no number.
    pub fn parse(text: &str) -> Option<Numeral> {
        let (negative, unsigned) = sign(text);
        let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
            Some(at) => (&unsigned[..at], Some(&unsigned[at + 1..])),
            None => (unsigned, None),
        };
        let (whole, fraction) = match mantissa.split_once('.') {
            Some((_, "")) => return None,
            Some(parts) => parts,
            None => (mantissa, ""),
        };
        if whole.is_empty() || !all_digits(whole) || !all_digits(fraction) {
            return None;
        }
        let (exponent_negative, exponent) = sign(exponent.unwrap_or("0"));
        if exponent.is_empty() || !all_digits(exponent) {
            return None;
        }
        let mut digits = String::with_capacity(whole.len() + fraction.len());
        digits.push_str(whole);
        digits.push_str(fraction);
        let significant = digits.trim_end_matches('0').len();
        let shift = (digits.len() - significant) as i64 - fraction.len() as i64;
        digits.truncate(significant);
        let leading_zeros = significant - digits.trim_start_matches('0').len();
        digits.drain(..leading_zeros);
        if digits.is_empty() {
            return Some(Numeral { negative: false, digits, exponent: Exponent::Known(0) });
        }
        let written = exponent.trim_start_matches('0');
        let exponent = if written.len() <= EXPONENT_DIGITS_MAX {
            let power: i128 = if written.is_empty() { 0 } else { written.parse().ok()? };
            Exponent::Known(if exponent_negative { -power } else { power } + i128::from(shift))
        } else {
            Exponent::Written { negative: exponent_negative, digits: written.to_owned(), shift }
        };
        Some(Numeral { negative, digits, exponent })
    }

    /// The double that the text says, when it says one: exactly, or rounded or cut to the digits that it
    /// has. `0.1`, `0.10000000000000001` and all 55 digits of that double are one; `9007199254740993` is
    /// none, for what it would be read as ends in 2. `text` is what this numeral was parsed from.
    pub fn double(&self, text: &str) -> Option<f64> {
        let double: f64 = text.parse().ok()?;
        if !double.is_finite() {
            return None;
        }
        // The shortest form that no other double has: what most are written as.
        if Numeral::parse(&double.to_string())? == *self {
            return Some(double);
        }
        let digits = self.digits.len();
        if digits == 0 || double == 0.0 || digits > DOUBLE_DIGITS_MAX {
            return None;
        }
        let rounded = format!("{double:.*e}", digits - 1);
        let exact = format!("{double:.*e}", DOUBLE_DIGITS_MAX - 1);
        let (mantissa, exponent) = exact.split_once('e')?;
        // The point and a sign stand among the digits.
        let cut = &mantissa[..digits + usize::from(digits > 1) + usize::from(double < 0.0)];
        let cut = format!("{cut}e{exponent}");
        let is_same = |spelling: &str| Numeral::parse(spelling).is_some_and(|is| is == *self);
        [rounded, cut, exact].iter().any(|spelling| is_same(spelling)).then_some(double)
    }

    /// Whether it has no fraction.
    pub fn is_whole(&self) -> bool {
        self.digits.is_empty() || matches!(self.exponent, Exponent::Known(exponent) if exponent >= 0)
    }

    /// How many digits stand before the point and how many behind it when it is written without an
    /// exponent; a lone zero before the point doesn't count. `None` beyond what fits into memory.
    pub fn places(&self) -> Option<(usize, usize)> {
        let Exponent::Known(exponent) = self.exponent else { return None };
        let exponent = i64::try_from(exponent).ok()?;
        let digits = self.digits.len() as i64;
        let whole = usize::try_from(digits.saturating_add(exponent).max(0)).ok()?;
        let fraction = usize::try_from(exponent.saturating_neg().max(0)).ok()?;
        Some((whole, fraction))
    }

    /// The number without an exponent, a plus sign or needless zeros, when that takes at most
    /// `chars_max` characters.
    pub fn plain(&self, chars_max: usize) -> Option<String> {
        if self.digits.is_empty() {
            return Some("0".to_owned());
        }
        let (whole, fraction) = self.places()?;
        let sign = if self.negative { "-" } else { "" };
        let point = if fraction > 0 { 1 } else { 0 };
        let length = whole.max(1).checked_add(fraction)?.checked_add(sign.len() + point)?;
        if length > chars_max {
            return None;
        }
        let digits = &self.digits;
        let mut text = String::with_capacity(length);
        text.push_str(sign);
        if fraction == 0 {
            text.push_str(digits);
            text.extend(std::iter::repeat_n('0', whole - digits.len()));
        } else if whole == 0 {
            text.push_str("0.");
            text.extend(std::iter::repeat_n('0', fraction - digits.len()));
            text.push_str(digits);
        } else {
            text.push_str(&digits[..whole]);
            text.push('.');
            text.push_str(&digits[whole..]);
        }
        Some(text)
    }

    /// Appends the number so that equal ones, and no others, append the same bytes.
    pub fn write(&self, bytes: &mut Vec<u8>) {
        bytes.push(u8::from(self.negative));
        text(&self.digits, bytes);
        match &self.exponent {
            Exponent::Known(power) => {
                bytes.push(0);
                bytes.extend_from_slice(&power.to_be_bytes());
            }
            Exponent::Written { negative, digits, shift } => {
                bytes.push(if *negative { 2 } else { 1 });
                bytes.extend_from_slice(&shift.to_be_bytes());
                text(digits, bytes);
            }
        }
    }
}

fn text(text: &str, bytes: &mut Vec<u8>) {
    bytes.extend_from_slice(&(text.len() as u64).to_be_bytes());
    bytes.extend_from_slice(text.as_bytes());
}

fn sign(text: &str) -> (bool, &str) {
    match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    }
}

fn all_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numeral(text: &str) -> Numeral {
        Numeral::parse(text).unwrap_or_else(|| panic!("{text} is a number"))
    }

    #[test]
    fn spellings_of_one_number_are_equal_and_write_the_same() {
        for spellings in [
            &["10", "10.0", "10.00", "1e1", "1E+1", "100e-1", "0.1e2", "+010"][..],
            &["0", "-0", "0.0", "0e99", "-0.00e-99", "0e99999999999999999999999999999999999999999999"],
            &["-1.5", "-1.50", "-15e-1", "-0.15e1"],
            &["1e400", "10e399", "0.1e401"],
            &["12345678901234567890123", "12345678901234567890123.0"],
        ] {
            for (one, other) in spellings.iter().zip(&spellings[1..]) {
                assert_eq!(numeral(one), numeral(other), "{one} {other}");
                let bytes = |text: &str| {
                    let mut bytes = Vec::new();
                    numeral(text).write(&mut bytes);
                    bytes
                };
                assert_eq!(bytes(one), bytes(other), "{one} {other}");
            }
        }
        for (one, other) in [("10", "1"), ("1", "-1"), ("1e400", "1e401"), ("1.5", "15"), ("0.1", "0.01")] {
            assert_ne!(numeral(one), numeral(other), "{one} {other}");
        }
    }

    #[test]
    fn the_plain_text_has_no_exponent_and_a_bound() {
        for (text, plain) in [
            ("1e3", Some("1000")),
            ("125E-3", Some("0.125")),
            ("12.5e1", Some("125")),
            ("-0.050", Some("-0.05")),
            ("00.10", Some("0.1")),
            ("1e-7", Some("0.0000001")),
            ("-12.50", Some("-12.5")),
            ("1234567890", Some("1234567890")),
            ("12345678901", None),
            ("-1234567890", None),
            ("1e10", None),
            ("1e-9", None),
            ("1e99999999999999999999999999999999999999999999", None),
            ("1e-170141183460469231731687303715884105727", None),
        ] {
            assert_eq!(numeral(text).plain(10).as_deref(), plain, "{text}");
        }
        assert_eq!(numeral("12345678901234.5678").places(), Some((14, 4)));
        assert_eq!((numeral("0.001").places(), numeral("0").places()), (Some((0, 3)), Some((0, 0))));
    }

    #[test]
    fn a_double_is_known_by_any_spelling_of_it() {
        let mut random = rand::rng();
        let spelled = |double: f64, text: &str| {
            assert_eq!(numeral(text).double(text), Some(double), "{text}");
        };
        let some =
            [0.1, 1e100, 2.2e-308, 5e-324, f64::MAX, f64::MIN_POSITIVE, 9_007_199_254_740_993.0, 1.0 / 3.0];
        let any = std::iter::repeat_with(|| f64::from_bits(rand::RngExt::random(&mut random)))
            .filter(|double| double.is_finite() && *double != 0.0);
        let all: Vec<f64> = some.into_iter().chain(any.take(500)).collect();
        for double in all.into_iter().flat_map(|double| [double, -double]) {
            spelled(double, &format!("{double}"));
            spelled(double, &format!("{double:e}"));
            // Rounded to any number of digits from which the double is read again, and exactly.
            for digits in [16, 17, 20, 40, DOUBLE_DIGITS_MAX - 1] {
                spelled(double, &format!("{double:.digits$e}"));
            }
            let exact = format!("{double:.*e}", DOUBLE_DIGITS_MAX - 1);
            let (mantissa, exponent) = exact.split_once('e').unwrap();
            for digits in [19, 25, 100] {
                spelled(double, &format!("{}E{exponent}", &mantissa[..digits + 2]));
            }
        }
        for none in [
            "9007199254740993",
            "29.330000000000000000001",
            "1e400",
            "1e-400",
            "3e-324",
            "0.100000000000000009",
        ] {
            assert_eq!(numeral(none).double(none), None, "{none}");
        }
        let endless = format!("0.1{}1", "0".repeat(30_000));
        assert_eq!(numeral(&endless).double(&endless), None);
        let zeros = format!("0.1{}", "0".repeat(30_000));
        assert_eq!(numeral(&zeros).double(&zeros), Some(0.1));
    }

    #[test]
    fn a_whole_number_is_one_in_any_spelling() {
        for whole in ["0", "-0.0", "12.0", "1.2e1", "1e400", "0e-5"] {
            assert!(numeral(whole).is_whole(), "{whole}");
        }
        for fraction in ["0.5", "12e-1", "1e-400"] {
            assert!(!numeral(fraction).is_whole(), "{fraction}");
        }
    }

    #[test]
    fn what_is_no_number_is_none() {
        for text in [
            "", "-", "+", ".5", "5.", "1e", "1e+", "NaN", "inf", "1_000", "0x1", " 1", "1 ", "١", "1.2.3",
            "1e2e3", "--1",
        ] {
            assert!(Numeral::parse(text).is_none(), "{text:?}");
        }
    }
}
