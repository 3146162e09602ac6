//! The ledger as the host keeps it: the SDK's version byte, then the bytes of `ledger/bytes.rs`
//! with their length. A customer with three orders takes about 74 bytes, none ever more than 24
//! KiB.

use std::fmt;

use samsyn_plugin::memory::{self, MemoryError};
use samsyn_plugin::{Error, Memory, Profile};
use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::{Serialize, Serializer};

use crate::ledger::Ledger;

impl Memory for Ledger {
    const VERSION: u8 = 2;

    fn migrate(version: u8, bytes: &[u8]) -> Result<Ledger, MemoryError> {
        match version {
            1 => memory::decode(bytes).map(|Version1(ledger)| ledger),
            _ => Err(MemoryError::Unknown { version }),
        }
    }
}

/// A ledger that version 1 wrote.
struct Version1(Ledger);

impl Serialize for Ledger {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.to_bytes())
    }
}

impl<'de> Deserialize<'de> for Ledger {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Ledger, D::Error> {
        deserializer.deserialize_bytes(Reading(Ledger::from_bytes))
    }
}

impl<'de> Deserialize<'de> for Version1 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Version1, D::Error> {
        deserializer.deserialize_bytes(Reading(Ledger::from_bytes_v1)).map(Version1)
    }
}

/// How a version's bytes become a ledger.
struct Reading(fn(&[u8]) -> Option<Ledger>);

impl Visitor<'_> for Reading {
    type Value = Ledger;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a ledger's bytes")
    }

    fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Ledger, E> {
        (self.0)(bytes).ok_or_else(|| E::custom("no ledger"))
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
