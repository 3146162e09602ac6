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
//! "t" capability 0x00 generation:4 fires at:8 profile id:16 name → nothing   a timer that is set: timer_index.rs
//! "o" state:1 capability 0x00 endpoint 0x00 at:8 profile id:16 generation:4 number:4 → nothing   a call that is listed: call_index.rs
//! "w" partition:2 profile id:16      → nothing                 a profile that waits for something
//! ```

use samsyn_journal::{CallState, LinePosition, Linked, Pattern, PendingCall, PendingTimer, decode, encode};
use samsyn_vocabulary::{
    Application, CapabilityName, EndpointName, FieldName, IdentifierName, Partition, ProfileId, TimerName,
    Timestamp,
};

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
/// The prefix of every timer that is set.
pub const TIMERS: &[u8] = b"t";
/// The prefix of every call that is listed.
pub const CALLS: &[u8] = b"o";
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

/// How the keys of a generation's timers begin.
pub fn timers_of(capability: &CapabilityName, generation: u32) -> Vec<u8> {
    joined(&[TIMERS, capability.as_str().as_bytes(), &[0], &generation.to_be_bytes()])
}

/// [`timers_of`] with the time: the keys of all that fire then or later follow.
pub fn timers_from(capability: &CapabilityName, generation: u32, fires_at: Timestamp) -> Vec<u8> {
    joined(&[&timers_of(capability, generation), &ordered(fires_at)])
}

/// The key of a timer that is set; those of a generation are in the order in which they fire.
pub fn timer(timer: &PendingTimer) -> Vec<u8> {
    let PendingTimer { fires_at, profile, capability, generation, name } = timer;
    let begins = timers_from(capability, *generation, *fires_at);
    joined(&[&begins, profile.0.as_bytes(), name.as_str().as_bytes()])
}

/// Reads a timer's key.
pub fn parse_timer(key: &[u8]) -> Option<PendingTimer> {
    let rest = key.strip_prefix(TIMERS)?;
    let end = rest.iter().position(|byte| *byte == 0)?;
    let (generation, more) = rest[end + 1..].split_first_chunk::<4>()?;
    let (fires_at, more) = more.split_first_chunk::<8>()?;
    let (profile, name) = more.split_first_chunk::<16>()?;
    Some(PendingTimer {
        fires_at: Timestamp(i64::from_be_bytes(*fires_at) ^ i64::MIN),
        profile: parse_profile(profile)?,
        capability: CapabilityName::new(std::str::from_utf8(&rest[..end]).ok()?).ok()?,
        generation: u32::from_be_bytes(*generation),
        name: TimerName::new(std::str::from_utf8(name).ok()?).ok()?,
    })
}

/// How the keys of calls in one state begin.
pub fn calls_in(state: CallState) -> Vec<u8> {
    joined(&[CALLS, &[state as u8]])
}

/// [`calls_in`] of one endpoint.
pub fn calls_of(state: CallState, capability: &CapabilityName, endpoint: &EndpointName) -> Vec<u8> {
    let (capability, endpoint) = (capability.as_str().as_bytes(), endpoint.as_str().as_bytes());
    joined(&[CALLS, &[state as u8], capability, &[0], endpoint, &[0]])
}

/// Behind the keys of an endpoint's calls, which begin so, that are to be tried by this time.
pub fn calls_until(begin: &[u8], by: Timestamp) -> Vec<u8> {
    match by.millis().checked_add(1) {
        Some(beyond) => joined(&[begin, &ordered(Timestamp(beyond))]),
        None => behind_all(begin),
    }
}

/// The key of a call that is listed; those of an endpoint are in the order in which they are to be tried.
pub fn call(call: &PendingCall) -> Vec<u8> {
    let PendingCall { state, capability, endpoint, at, profile, generation, number } = call;
    joined(&[
        &calls_of(*state, capability, endpoint),
        &ordered(*at),
        profile.0.as_bytes(),
        &generation.to_be_bytes(),
        &number.to_be_bytes(),
    ])
}

/// Reads a call's key.
pub fn parse_call(key: &[u8]) -> Option<PendingCall> {
    let (state, rest) = key.strip_prefix(CALLS)?.split_first()?;
    let state = CallState::ALL.into_iter().find(|known| *known as u8 == *state)?;
    let (capability, rest) = text_before_zero(rest)?;
    let (endpoint, rest) = text_before_zero(rest)?;
    let (at, rest) = rest.split_first_chunk::<8>()?;
    let (profile, rest) = rest.split_first_chunk::<16>()?;
    let (generation, rest) = rest.split_first_chunk::<4>()?;
    Some(PendingCall {
        state,
        capability: CapabilityName::new(capability).ok()?,
        endpoint: EndpointName::new(endpoint).ok()?,
        at: Timestamp(i64::from_be_bytes(*at) ^ i64::MIN),
        profile: parse_profile(profile)?,
        generation: u32::from_be_bytes(*generation),
        number: u32::from_be_bytes(rest.try_into().ok()?),
    })
}

fn text_before_zero(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let end = bytes.iter().position(|byte| *byte == 0)?;
    Some((std::str::from_utf8(&bytes[..end]).ok()?, &bytes[end + 1..]))
}

/// A time as bytes that are ordered as times are: before 1970 comes before 1970, too.
fn ordered(at: Timestamp) -> [u8; 8] {
    (at.millis() ^ i64::MIN).to_be_bytes()
}

/// A key behind all keys of timers or calls that begin so: no name, and no time that one can have, begins with these
/// bits.
pub fn behind_all(begin: &[u8]) -> Vec<u8> {
    joined(&[begin, &[u8::MAX; 9]])
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

    #[test]
    fn calls_are_in_the_order_in_which_they_are_tried_and_read_back() {
        let call = |at, id: u128, endpoint: &str, number| PendingCall {
            state: CallState::Waiting,
            capability: "crm".parse().unwrap(),
            endpoint: endpoint.parse().unwrap(),
            at: Timestamp(at),
            profile: ProfileId(uuid::Uuid::from_u128(id)),
            generation: 1,
            number,
        };
        let failed = PendingCall { state: CallState::Failed, ..call(0, 0, "a", 1) };
        let calls = [
            call(i64::MIN, 9, "a", 1),
            call(0, 1, "a", 7),
            call(0, 1, "a", 256),
            call(1, 0, "a", 1),
            call(0, 0, "a-b", 1),
            failed,
        ];
        let keys = calls.clone().map(|one| super::call(&one));
        assert!(keys.is_sorted(), "{keys:?}");
        assert_eq!(keys.map(|key| parse_call(&key).unwrap()), calls);
    }

    #[test]
    fn timers_are_in_the_order_in_which_they_fire_and_read_back() {
        let timer = |fires_at, id: u128, capability: &str, name: &str| PendingTimer {
            fires_at: Timestamp(fires_at),
            profile: ProfileId(uuid::Uuid::from_u128(id)),
            capability: capability.parse().unwrap(),
            generation: 7,
            name: name.parse().unwrap(),
        };
        let timers = [
            timer(i64::MIN, 9, "a", "z"),
            timer(-1, 9, "a", "z"),
            timer(0, 1, "a", "a"),
            timer(0, 2, "a", "a"),
            timer(1, 0, "a", "a"),
            timer(1, 0, "a", "a:b"),
            timer(i64::MAX, 0, "a", "a"),
            timer(1, 0, "a-b", "0"),
        ];
        let keys = timers.clone().map(|one| super::timer(&one));
        assert!(keys.is_sorted(), "{keys:?}");
        let read = keys.map(|key| parse_timer(&key).unwrap());
        assert_eq!(read, timers);
    }
}
