//! How keys and small values look in the store. All numbers are big-endian.
//!
//! ```text
//! "a" partition:2                    → Applied                 where the partition's fold is
//! "c" partition:2 field 0x00 Pattern → Count              how many profiles have a pattern of claims
//! "e" number:8                       → block of event ids      which were seen: event_index.rs
//! "i" number:8                       → block of links          whose identifiers are: link_index.rs
//! "m"                                → Meta                    which log, which fold
//! "p" profile id:16                  → ProfileState            a profile
//! "q" profile id:16 capability 0x00 generation:4 → CapabilityState        the part of a profile too large to stand in it
//! "z" key number:4                   → bytes                   a part of an entry too large for one
//! "w" partition:2 profile id:16      → nothing                 a profile that waits for something
//! ```

use samsyn_journal::{LinePosition, Linked, Pattern, decode, encode};
use samsyn_vocabulary::{Application, FieldName, IdentifierName, Partition, ProfileId};

/// The prefix of every block of event ids.
pub const EVENTS: &[u8] = b"e";
/// The prefix of every waiting profile.
pub const WAITING: &[u8] = b"w";
/// The prefix of every partition's place.
pub const APPLIED: &[u8] = b"a";
/// The prefix of every counter.
pub const COUNTERS: &[u8] = b"c";
/// The prefix of every profile.
pub const PROFILES: &[u8] = b"p";
/// The prefix of every block of links.
pub const LINKS: &[u8] = b"i";
/// The key of what the view is a fold of.
pub const META: &[u8] = b"m";

/// (Application, event id) as 16 bytes of BLAKE3: ids may be long, and may be personal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EventKey(pub [u8; 16]);

impl EventKey {
    /// The key of an application's event id.
    pub fn of(application: &Application, id: &str) -> EventKey {
        EventKey(shortened(&hashed(application.as_str(), id)))
    }

    /// The key of an event that was accepted. One that no application sent has none: nobody sends it again.
    pub fn of_accepted(application: Option<&Application>, id: &str) -> EventKey {
        application.map_or(EventKey::NONE, |application| EventKey::of(application, id))
    }

    /// The key of what no application sent, and nobody asks for.
    pub const NONE: EventKey = EventKey([0; 16]);

    /// The half of it that the index keeps.
    pub fn fingerprint(self) -> u64 {
        first_half(self.0)
    }
}

/// (Identifier, normal form) as 16 bytes of BLAKE3: the form is personal, and may be long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkKey(pub [u8; 16]);

impl LinkKey {
    /// The key of a link.
    pub fn of_link(linked: &Linked) -> LinkKey {
        LinkKey::at(&linked.identifier, &linked.normal, linked.line_position)
    }

    /// The key of an identifier's normal form.
    pub fn of(name: &IdentifierName, normal: &str) -> LinkKey {
        LinkKey(shortened(&hashed(name.as_str(), normal)))
    }

    /// The key of a place in the line for an identifier, or of the identifier itself.
    pub fn at(name: &IdentifierName, normal: &str, line_position: Option<LinePosition>) -> LinkKey {
        let Some(LinePosition { line, number }) = line_position else { return LinkKey::of(name, normal) };
        let mut hasher = hashed(name.as_str(), normal);
        // A normal form has no control characters, so that this is no other form's key.
        hasher.update(&[0, line as u8]);
        hasher.update(&number.to_be_bytes());
        LinkKey(shortened(&hasher))
    }
}

impl std::hash::Hash for LinkKey {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        // A hash already: the half of it will do.
        state.write_u64(first_half(self.0));
    }
}

fn hashed(name: &str, value: &str) -> blake3::Hasher {
    let mut hasher = blake3::Hasher::new();
    hasher.update(name.as_bytes());
    hasher.update(&[0]);
    hasher.update(value.as_bytes());
    hasher
}

fn shortened(hasher: &blake3::Hasher) -> [u8; 16] {
    let mut key = [0; 16];
    key.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    key
}

fn first_half(key: [u8; 16]) -> u64 {
    key.iter().take(8).fold(0, |half, byte| half << 8 | u64::from(*byte))
}

fn joined(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

/// The key of a profile.
pub fn profile(id: ProfileId) -> Vec<u8> {
    joined(&[PROFILES, id.0.as_bytes()])
}

/// The key of a piece of an entry that is too large for one.
pub fn piece(key: &[u8], number: u32) -> Vec<u8> {
    [b"z", key, &number.to_be_bytes()].concat()
}

/// The key of a part of a profile that is too large to stand in it.
pub fn capability_state(id: ProfileId, capability: &str, generation: u32) -> Vec<u8> {
    joined(&[b"q", id.0.as_bytes(), capability.as_bytes(), &[0], &generation.to_be_bytes()])
}

/// The key of a block of event ids.
pub fn event_block(number: u64) -> Vec<u8> {
    joined(&[EVENTS, &number.to_be_bytes()])
}

/// The key of a block of links.
pub fn link_block(number: u64) -> Vec<u8> {
    joined(&[LINKS, &number.to_be_bytes()])
}

/// The key of a waiting profile.
pub fn waiting(partition: Partition, id: ProfileId) -> Vec<u8> {
    joined(&[WAITING, &partition.0.to_be_bytes(), id.0.as_bytes()])
}

/// The key of a partition's place.
pub fn applied(partition: Partition) -> Vec<u8> {
    joined(&[APPLIED, &partition.0.to_be_bytes()])
}

/// The key of a counter.
pub fn counter(partition: Partition, field: &FieldName, pattern: &Pattern) -> Vec<u8> {
    joined(&[COUNTERS, &partition.0.to_be_bytes(), field.as_str().as_bytes(), &[0], &encode(pattern)])
}

/// Reads the rest of a counter's key.
pub fn parse_counter(rest: &[u8]) -> Option<(Partition, FieldName, Pattern)> {
    let (partition, rest) = rest.split_first_chunk::<2>()?;
    let end = rest.iter().position(|byte| *byte == 0)?;
    let field = FieldName::new(std::str::from_utf8(&rest[..end]).ok()?).ok()?;
    Some((Partition(u16::from_be_bytes(*partition)), field, decode(&rest[end + 1..]).ok()?))
}

/// The first key that may follow this one.
pub fn behind(key: &[u8]) -> Vec<u8> {
    joined(&[key, &[0]])
}

/// Reads the rest of a waiting profile's key.
pub fn parse_waiting(rest: &[u8]) -> Option<(Partition, ProfileId)> {
    let (partition, id) = rest.split_first_chunk::<2>()?;
    Some((Partition(u16::from_be_bytes(*partition)), parse_profile(id)?))
}

/// Reads a profile id.
pub fn parse_profile(bytes: &[u8]) -> Option<ProfileId> {
    uuid::Uuid::from_slice(bytes).ok().map(ProfileId)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_and_an_application_can_not_run_into_each_other() {
        let app = |name| Application::new(name).unwrap();
        assert_ne!(EventKey::of(&app("web"), "1"), EventKey::of(&app("we"), "b1"));
    }
}
