//! The ledger as the host keeps it: the SDK's version byte, then the bytes of `ledger/bytes.rs`
//! with their length. A customer with three orders takes about 72 bytes, none ever more than 16 KiB.

use std::fmt;

use samsyn_plugin::{Error, Memory, Profile};
use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::{Serialize, Serializer};

use crate::ledger::Ledger;

impl Memory for Ledger {
    const VERSION: u8 = 1;
}

impl Serialize for Ledger {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.to_bytes())
    }
}

impl<'de> Deserialize<'de> for Ledger {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Ledger, D::Error> {
        struct Bytes;

        impl Visitor<'_> for Bytes {
            type Value = Ledger;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a ledger's bytes")
            }

            fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Ledger, E> {
                Ledger::from_bytes(bytes).ok_or_else(|| E::custom("no ledger"))
            }
        }
        deserializer.deserialize_bytes(Bytes)
    }
}

/// The customer's ledger; an empty one at first sight.
///
/// # Errors
///
/// When the bytes are no ledger of a version this plug-in knows, or break a ledger's rules.
pub fn recall(profile: &Profile) -> Result<Ledger, Error> {
    let ledger: Ledger = profile.memory()?.unwrap_or_default();
    if ledger.is_sound() {
        return Ok(ledger);
    }
    Err(Error::from("the memory is a ledger that breaks its own rules; start a new generation from the log"))
}

#[cfg(test)]
mod tests;
