//! Whether every reader reads the same from a JSON text.

use std::collections::HashSet;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// Why not every plug-in's JSON library can read the text, or some read something else than was meant: a
/// number that no double holds, a key twice in an object, more than 127 lists and objects in each other.
/// None when all read it alike.
pub(crate) fn unreadable(json: &str) -> Option<&'static str> {
    let error = serde_json::from_str::<Readable>(json).err()?;
    let message = error.to_string();
    Some(if error.is_data() {
        "JSON with a key twice in an object"
    } else if message.starts_with("number out of range") {
        "JSON with a number that no double holds"
    } else if message.starts_with("recursion limit") {
        "JSON that is nested too deep"
    } else {
        "no JSON"
    })
}

/// Any JSON that every reader reads alike.
struct Readable;

impl<'de> Deserialize<'de> for Readable {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Readable, D::Error> {
        deserializer.deserialize_any(Readable)
    }
}

impl<'de> Visitor<'de> for Readable {
    type Value = Readable;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Readable, E> {
        Ok(Readable)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Readable, E> {
        Ok(Readable)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Readable, E> {
        Ok(Readable)
    }

    // serde_json refuses what no double holds.
    fn visit_f64<E>(self, _: f64) -> Result<Readable, E> {
        Ok(Readable)
    }

    fn visit_str<E>(self, _: &str) -> Result<Readable, E> {
        Ok(Readable)
    }

    fn visit_unit<E>(self) -> Result<Readable, E> {
        Ok(Readable)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Readable, A::Error> {
        while list.next_element::<Readable>()?.is_some() {}
        Ok(Readable)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Readable, A::Error> {
        let mut keys = HashSet::new();
        while let Some(key) = map.next_key::<String>()? {
            if !keys.insert(key) {
                return Err(A::Error::custom("a key stands there twice"));
            }
            map.next_value::<Readable>()?;
        }
        Ok(Readable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readers_agree_about_it() {
        for json in [
            "1",
            "-1e308",
            "18446744073709551615",
            "123456789012345678901234567890",
            "null",
            "\"a\"",
            "[true,{\"a\":{\"a\":1}}]",
            "{\"a\":1,\"A\":2}",
        ] {
            assert_eq!(unreadable(json), None, "{json}");
        }
        let (key, number) = ("JSON with a key twice in an object", "JSON with a number that no double holds");
        let long = format!("{{\"a\":[{}]}}", "1".repeat(400));
        for (json, why) in [
            ("1e309", number),
            ("[-1e400]", number),
            (long.as_str(), number),
            ("{\"a\":1,\"\\u0061\":2}", key),
            ("[{\"a\":{\"b\":1,\"b\":1}}]", key),
            ("", "no JSON"),
            ("{", "no JSON"),
        ] {
            assert_eq!(unreadable(json), Some(why), "{json}");
        }
        assert!(unreadable(&format!("{}{}", "[".repeat(128), "]".repeat(128))).is_some());
        assert_eq!(unreadable(&format!("{}{}", "[".repeat(127), "]".repeat(127))), None);
    }
}
