//! Decimal numbers as canonical text: the host compares and stores them, it never calculates.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The longest decimal taken, in characters of its canonical form.
const DECIMAL_CHARS_MAX: usize = 64;

/// A decimal number in canonical form: no exponent, no plus sign, no leading or trailing zeros,
/// no negative zero. Equal numbers have equal text: `12`, `12.0` and `1.2e1` are all `12`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Decimal(String);

impl Decimal {
    /// Reads a decimal or JSON number without loss; `None` when it is no number or its canonical
    /// form is longer than 64 characters.
    pub fn parse(text: &str) -> Option<Decimal> {
        let (negative, unsigned) = match text.as_bytes().first()? {
            b'-' => (true, &text[1..]),
            b'+' => (false, &text[1..]),
            _ => (false, text),
        };
        let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
            Some(at) => (&unsigned[..at], unsigned[at + 1..].parse::<i32>().ok()?),
            None => (unsigned, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !all_digits(whole) || !all_digits(fraction) {
            return None;
        }
        if mantissa.ends_with('.') || mantissa.len() > 4 * DECIMAL_CHARS_MAX {
            return None;
        }
        if exponent == 0 && is_canonical(whole, fraction) && text.len() <= DECIMAL_CHARS_MAX {
            let zero = whole == "0" && fraction.is_empty();
            if !zero && !text.starts_with('+') {
                return Some(Decimal(text.to_owned()));
            }
        }
        canonical(negative, whole, fraction, exponent)
    }

    /// The canonical text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the number has no fraction.
    pub fn is_whole(&self) -> bool {
        !self.0.contains('.')
    }
}

fn is_canonical(whole: &str, fraction: &str) -> bool {
    (whole == "0" || !whole.starts_with('0')) && !fraction.ends_with('0')
}

/// Moves the point by `exponent`, strips zeros, and puts the sign back.
fn canonical(negative: bool, whole: &str, fraction: &str, exponent: i32) -> Option<Decimal> {
    let digits = format!("{whole}{fraction}");
    let significant = digits.trim_start_matches('0');
    if significant.is_empty() {
        return Some(Decimal("0".to_owned()));
    }
    let leading_zeros = (digits.len() - significant.len()) as i64;
    let significant = significant.trim_end_matches('0');
    // Where the point stands, counted in digits from the start of `significant`.
    let point = whole.len() as i64 - leading_zeros + i64::from(exponent);
    if point.unsigned_abs() as usize > DECIMAL_CHARS_MAX {
        return None;
    }
    let length = significant.len() as i64;
    let mut text = String::from(if negative { "-" } else { "" });
    if point <= 0 {
        text.push_str("0.");
        text.extend(std::iter::repeat_n('0', -point as usize));
        text.push_str(significant);
    } else if point >= length {
        text.push_str(significant);
        text.extend(std::iter::repeat_n('0', (point - length) as usize));
    } else {
        text.push_str(&significant[..point as usize]);
        text.push('.');
        text.push_str(&significant[point as usize..]);
    }
    (text.len() <= DECIMAL_CHARS_MAX).then_some(Decimal(text))
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
}
