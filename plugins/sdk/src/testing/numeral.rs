//! Numbers as they are written, taken apart exactly, as a host does it.

/// A number without its spelling: `digits` × 10^`exponent`, so `10`, `10.00` and `1e1` are one.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Numeral {
    negative: bool,
    /// Without zeros at either end; empty for zero.
    digits: String,
    exponent: i64,
}

/// The most significant digits that a double has when it is written exactly.
const DOUBLE_DIGITS_MAX: usize = 767;

/// Beyond this no number is of a type that a plug-in knows.
const EXPONENT_MAX: i64 = 1_000_000;

impl Numeral {
    /// Reads a number as JSON or a text has it; `None` when it is none.
    pub(super) fn parse(text: &str) -> Option<Numeral> {
        let (negative, unsigned) = sign(text);
        let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
        let (smaller, power) = sign(exponent);
        if [whole, fraction, power]
            .iter()
            .any(|part| part.is_empty() || !part.bytes().all(|is| is.is_ascii_digit()))
        {
            return None;
        }
        let all = format!("{whole}{fraction}");
        let significant = all.trim_end_matches('0');
        let digits = significant.trim_start_matches('0').to_owned();
        if digits.is_empty() {
            return Some(Numeral { negative: false, digits, exponent: 0 });
        }
        let shift = (all.len() - significant.len()) as i64 - fraction.len() as i64;
        let power: i64 = power.parse().unwrap_or(i64::MAX).min(EXPONENT_MAX);
        Some(Numeral { negative, digits, exponent: shift + if smaller { -power } else { power } })
    }

    /// The double that the text says: exactly, or rounded or cut to the digits that it has.
    pub(super) fn double(&self, text: &str) -> Option<f64> {
        let double: f64 = text.parse().ok()?;
        if !double.is_finite() {
            return None;
        }
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
        let cut = &mantissa[..digits + usize::from(digits > 1) + usize::from(double < 0.0)];
        let cut = format!("{cut}e{exponent}");
        let is_same = |spelling: &str| Numeral::parse(spelling).is_some_and(|is| is == *self);
        [rounded, cut, exact].iter().any(|spelling| is_same(spelling)).then_some(double)
    }

    /// How many digits stand on both sides of the point together when it is written without an exponent.
    pub(super) fn places(&self) -> usize {
        let digits = self.digits.len() as i64;
        let whole = (digits + self.exponent).max(0);
        let fraction = (-self.exponent).max(0);
        (whole + fraction) as usize
    }

    /// The number without an exponent.
    pub(super) fn plain(&self) -> String {
        let sign = if self.negative { "-" } else { "" };
        let zeros = |count: i64| "0".repeat(count.max(0) as usize);
        let digits = self.digits.len() as i64;
        let point = digits + self.exponent;
        if self.exponent >= 0 {
            let whole = format!("{}{}", self.digits, zeros(self.exponent));
            return format!("{sign}{}", if whole.is_empty() { "0" } else { &whole });
        }
        if point <= 0 {
            return format!("{sign}0.{}{}", zeros(-point), self.digits);
        }
        let (whole, fraction) = self.digits.split_at(point as usize);
        format!("{sign}{whole}.{fraction}")
    }
}

fn sign(text: &str) -> (bool, &str) {
    match text.strip_prefix('-') {
        Some(unsigned) => (true, unsigned),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    }
}
