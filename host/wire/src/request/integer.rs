//! Integers as JSON writes them, for `deserialize_with`.

use serde::de::{Deserialize, Deserializer};

/// Largest integer an f64 holds exactly.
pub const INTEGER_MAX: u64 = (1 << 53) - 1;

/// [`integer`] for a larger number that may be left out.
pub fn integer_or_none<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let Some(number) = Option::<f64>::deserialize(deserializer)? else { return Ok(None) };
    let integer = number as u64;
    if integer <= INTEGER_MAX && integer as f64 == number {
        return Ok(Some(integer));
    }
    let expected = format!("an integer from 0 to {INTEGER_MAX}");
    Err(serde::de::Error::invalid_value(serde::de::Unexpected::Float(number), &expected.as_str()))
}

/// Reads an integer, for `deserialize_with`: JSON has one kind of number, so `5.0` is 5.
pub fn integer<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let number = f64::deserialize(deserializer)?;
    // A double holds every integer of 32 bits.
    let integer = number as u32;
    if f64::from(integer) == number {
        return Ok(integer);
    }
    let expected = format!("an integer from 0 to {}", u32::MAX);
    Err(serde::de::Error::invalid_value(serde::de::Unexpected::Float(number), &expected.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_integer_may_be_written_with_a_point() {
        let read = |json: &str| integer(&mut serde_json::Deserializer::from_str(json));
        for (json, number) in [("5", 5), ("5.0", 5), ("0", 0), ("4.294967295e9", u32::MAX), ("-0.0", 0)] {
            assert_eq!(read(json).unwrap(), number, "{json}");
        }
        for bad in ["5.5", "-1", "4294967296", "1e400", "\"5\"", "null", "true"] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
