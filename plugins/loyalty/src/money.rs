//! What an order is worth: exact fixed-point numbers and the two places where they round.
//!
//! An amount is rounded once, when it comes in, to four decimals, half away from zero. Four is
//! the most that any currency of ISO 4217 has, so real prices pass untouched, and the noise of a
//! sender that adds prices as doubles (`87.99000000000001`) is gone before it costs a point.
//! Points are rounded once an order, down: what is left of the order times the rate.

use samsyn_plugin::Decimal;

/// Decimals kept of an amount.
const AMOUNT_DECIMALS: u32 = 4;
/// Decimals a rate may have: enough for a point per million units.
const RATE_DECIMALS: u32 = 6;

const AMOUNT_SCALE: u64 = 10u64.pow(AMOUNT_DECIMALS);
const RATE_SCALE: u64 = 10u64.pow(RATE_DECIMALS);
const POINT_SCALE: u64 = AMOUNT_SCALE * RATE_SCALE;

/// Money, more than zero, at most [`Amount::MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Amount {
    /// In ten-thousandths of the currency's unit.
    raw: u64,
}

/// Points for one unit of currency, at most [`Rate::MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// In millionths of a point.
    raw: u64,
}

/// A number that is no amount or rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("out of range")]
pub struct OutOfRange;

impl Amount {
    /// A million million units: above any order in any currency, and small enough that a
    /// thousand orders' points fit 64 bits at the highest rate.
    pub const MAX: Amount = Amount { raw: 1_000_000_000_000 * AMOUNT_SCALE };

    /// The amount rounded to four decimals, half away from zero. `None` when that is zero,
    /// negative or above [`Amount::MAX`].
    pub fn rounded(decimal: Decimal) -> Option<Amount> {
        let mantissa = u128::try_from(decimal.mantissa()).ok()?;
        let raw = match decimal.scale().checked_sub(AMOUNT_DECIMALS) {
            None => mantissa.checked_mul(10u128.pow(AMOUNT_DECIMALS - decimal.scale()))?,
            Some(0) => mantissa,
            Some(excess) => {
                let divisor = 10u128.checked_pow(excess)?;
                mantissa / divisor + u128::from(mantissa % divisor >= divisor / 2)
            }
        };
        Amount::try_from(u64::try_from(raw).ok()?).ok()
    }

    /// In ten-thousandths of the currency's unit.
    pub fn raw(self) -> u64 {
        self.raw
    }
}

impl TryFrom<u64> for Amount {
    type Error = OutOfRange;

    fn try_from(raw: u64) -> Result<Amount, OutOfRange> {
        if (1..=Amount::MAX.raw).contains(&raw) { Ok(Amount { raw }) } else { Err(OutOfRange) }
    }
}

impl Rate {
    /// A thousand points for one unit.
    pub const MAX: Rate = Rate { raw: 1_000 * RATE_SCALE };

    /// A point for one unit.
    pub const ONE: Rate = Rate { raw: RATE_SCALE };

    /// Exactly that rate. `None` when it is negative, above [`Rate::MAX`] or has more than six
    /// decimals: a setting isn't rounded behind its author's back.
    pub fn exactly(decimal: Decimal) -> Option<Rate> {
        let decimal = decimal.normalize();
        let mantissa = u128::try_from(decimal.mantissa()).ok()?;
        let missing = RATE_DECIMALS.checked_sub(decimal.scale())?;
        let raw = mantissa.checked_mul(10u128.pow(missing))?;
        Rate::try_from(u64::try_from(raw).ok()?).ok()
    }

    /// In millionths of a point.
    pub fn raw(self) -> u64 {
        self.raw
    }

    /// Points for an amount in ten-thousandths of a unit, rounded down.
    pub fn points(self, raw_amount: u64) -> u64 {
        // Ordinary orders fit 64 bits, where wasm divides in one instruction.
        match raw_amount.checked_mul(self.raw) {
            Some(product) => product / POINT_SCALE,
            None => {
                let points = u128::from(raw_amount) * u128::from(self.raw) / u128::from(POINT_SCALE);
                u64::try_from(points).unwrap_or(u64::MAX)
            }
        }
    }
}

impl TryFrom<u64> for Rate {
    type Error = OutOfRange;

    fn try_from(raw: u64) -> Result<Rate, OutOfRange> {
        if raw <= Rate::MAX.raw { Ok(Rate { raw }) } else { Err(OutOfRange) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decimal(text: &str) -> Decimal {
        Decimal::from_str_exact(text).unwrap()
    }

    #[test]
    fn amounts_round_to_four_decimals_half_away_from_zero() {
        for (text, raw) in [
            ("29.33", Some(293_300)),
            ("12", Some(120_000)),
            ("0.0001", Some(1)),
            ("87.99000000000001", Some(879_900)),
            ("28.999999999999996", Some(290_000)),
            ("0.00005", Some(1)),
            ("1.00015", Some(10_002)),
            ("1.00025", Some(10_003)),
            ("0.000049999", None),
            ("0.0000000000000000000000000001", None),
            ("0", None),
            ("0.00", None),
            ("-0.01", None),
            ("1000000000000", Some(Amount::MAX.raw)),
            ("1000000000000.0001", None),
            ("79228162514264337593543950335", None),
        ] {
            assert_eq!(Amount::rounded(decimal(text)).map(Amount::raw), raw, "{text}");
        }
    }

    #[test]
    fn rates_are_exact_or_refused() {
        for (text, raw) in [
            ("1", Some(1_000_000)),
            ("1.50", Some(1_500_000)),
            ("0.000001", Some(1)),
            ("0.0000010", Some(1)),
            ("0.0000001", None),
            ("0", Some(0)),
            ("-1", None),
            ("1000", Some(Rate::MAX.raw)),
            ("1000.000001", None),
            ("79228162514264337593543950335", None),
        ] {
            assert_eq!(Rate::exactly(decimal(text)).map(|rate| rate.raw), raw, "{text}");
        }
    }

    #[test]
    fn points_round_down() {
        for (amount, rate, points) in [
            ("29.33", "1", 29),
            ("29.99", "1", 29),
            ("29.99", "1.5", 44),
            ("0.9999", "1", 0),
            ("10", "0.333333", 3),
            ("50", "0", 0),
            ("1000000000000", "1000", 1_000_000_000_000_000),
        ] {
            let amount_raw = Amount::rounded(decimal(amount)).unwrap().raw;
            assert_eq!(
                Rate::exactly(decimal(rate)).unwrap().points(amount_raw),
                points,
                "{amount} at {rate}"
            );
        }
    }

    proptest! {
        #[test]
        fn both_widths_agree(amount in 0..=Amount::MAX.raw, rate in 0..=Rate::MAX.raw) {
            let wide = u128::from(amount) * u128::from(rate) / u128::from(POINT_SCALE);
            prop_assert_eq!(u128::from(Rate { raw: rate }.points(amount)), wide);
        }
    }
}
