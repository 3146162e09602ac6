//! Decimals at the border: the contract's canonical text in, the same text out.

use crate::Decimal;

/// Reads canonical text. More digits than a [`Decimal`] holds is an error, never a rounding.
#[cfg(any(target_family = "wasm", test))]
pub(crate) fn read(text: &str) -> Result<Decimal, String> {
    Decimal::from_str_exact(text).map_err(|_| {
        format!("the decimal has {} characters; a plug-in's Decimal holds 28 digits", text.len())
    })
}

/// Writes canonical text: no exponent, no trailing zeros, no negative zero.
pub(crate) fn write(decimal: Decimal) -> String {
    decimal.normalize().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_canonical() {
        for (text, canonical) in
            [("12.50", "12.5"), ("100", "100"), ("-0.00", "0"), ("0.10", "0.1"), ("-3", "-3")]
        {
            assert_eq!(write(read(text).unwrap()), canonical);
        }
        assert_eq!(write(Decimal::MAX), "79228162514264337593543950335");
        assert_eq!(write(read("0.0000000000000000000000000001").unwrap()), "0.0000000000000000000000000001");
    }

    #[test]
    fn what_would_be_rounded_is_refused() {
        assert!(read("0.12345678901234567890123456789").is_err());
        assert!(read("99999999999999999999999999999999").is_err());
        assert!(read("ten").is_err());
    }
}
