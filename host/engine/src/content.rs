//! What an event says, as a number: the same id may come again with the same content, never with another.
//!
//! Content is the event's name, its `at` and `profile` when they were sent, its identifiers as they were
//! sent, its properties, and the values it proposes. JSON is compared by what it says, see
//! [`write_canonical`]; identifiers and strings character by character; a time by its millisecond. The
//! order of identifiers, properties and proposals is no content. What the host fills in is none, either.

use super::NewEvent;
use samsyn_journal::encode;
use samsyn_vocabulary::{FieldName, Identifier, Property, Value, write_canonical};

/// Says apart what later hosts may count otherwise.
const VERSION: &str = "content 2";

/// A hash of what was sent.
pub(super) fn hash(new: &NewEvent) -> u64 {
    let mut bytes =
        encode(&(VERSION, &new.name, new.at, new.profile, in_order(&new.identifiers), new.properties.len()));
    for property in by_name(&new.properties) {
        write_name(&property.name, &mut bytes);
        write(Some(&property.value), &mut bytes);
    }
    let mut proposals: Vec<(&FieldName, Option<&Value>)> =
        new.proposals.iter().map(|proposal| (&proposal.field, proposal.value.as_ref())).collect();
    proposals.sort_by_key(|(field, _)| *field);
    for (field, value) in proposals {
        write_name(field.as_str(), &mut bytes);
        write(value, &mut bytes);
    }
    digest(&bytes)
}

/// The hash of hosts up to fbc9974, which compared JSON as it is written. What they took is in the log
/// with it.
pub(super) fn hash_before(new: &NewEvent) -> u64 {
    let proposals: Vec<_> = new.proposals.iter().map(|proposal| (&proposal.field, &proposal.value)).collect();
    let (identifiers, properties) = (in_order(&new.identifiers), by_name(&new.properties));
    digest(&encode(&(&new.name, new.at, new.profile, identifiers, properties, proposals)))
}

fn write_name(name: &str, bytes: &mut Vec<u8>) {
    bytes.extend_from_slice(&(name.len() as u64).to_be_bytes());
    bytes.extend_from_slice(name.as_bytes());
}

fn write(value: Option<&Value>, bytes: &mut Vec<u8>) {
    match value {
        Some(Value::Json(json)) => write_canonical(json, bytes),
        // Others have one spelling. JSON never begins with this character.
        other => {
            bytes.push(b'v');
            bytes.extend_from_slice(&encode(&other));
        }
    }
}

fn in_order(identifiers: &[Identifier]) -> Vec<&Identifier> {
    let mut identifiers: Vec<&Identifier> = identifiers.iter().collect();
    identifiers.sort();
    identifiers
}

fn by_name(properties: &[Property]) -> Vec<&Property> {
    let mut properties: Vec<&Property> = properties.iter().collect();
    properties.sort_by(|one, other| one.name.cmp(&other.name));
    properties
}

fn digest(bytes: &[u8]) -> u64 {
    let hash = blake3::hash(bytes);
    u64::from_be_bytes(hash.as_bytes()[..8].try_into().unwrap_or_default())
}
