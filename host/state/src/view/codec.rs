//! How a profile stands in the store: one entry, and one more for each part too large to be in it. What
//! would still be larger than an entry may be stands in pieces.
//!
//! Fields go by their order here, not by their names as in the log: the view is folded again when a
//! type changes, and half the bytes are half the work of the store. So no type in a profile may
//! leave out a field that isn't its last. Positions stand without their partition where that is the profile's home.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::keys;
use super::store::{Puts, Store, StoreError, VALUE_BYTES_MAX};
use samsyn_contract::customer_bytes;
use samsyn_journal::{CapabilityState, ProfileState, decode_at, with_encoded_in_order_at};
use samsyn_vocabulary::{CapabilityName, Homes, ProfileId};

/// What one capability told is kept in an entry of its own from this many bytes on, so that the
/// profile's entry stays far below [`VALUE_BYTES_MAX`](super::VALUE_BYTES_MAX).
const APART_BYTES: usize = 4 * 1024;
/// What an entry that stands in several begins with: no MessagePack does.
const IN_PIECES: u8 = 0xC1;
/// The most that all capabilities together put into the profile's entry, in bytes.
const INLINE_BYTES_MAX: usize = 32 * 1024;

#[derive(Deserialize)]
struct Stored {
    profile: ProfileState,
    #[serde(default)]
    apart: Vec<(CapabilityName, u32)>,
}

/// [`Stored`] as it is written: borrowed, for the usual profile is written as it is.
#[derive(Serialize)]
struct Writing<'a> {
    profile: &'a ProfileState,
    apart: Vec<(CapabilityName, u32)>,
}

/// Roughly how many bytes a part takes.
pub(super) fn capability_state_size(capability_state: &CapabilityState) -> usize {
    let claims = capability_state.claims.iter().map(|claim| (&claim.field, claim.value.as_ref()));
    let kept = customer_bytes(claims, capability_state.memory.as_ref().map_or(0, |memory| memory.0.len()));
    let blocked: usize = capability_state
        .blocked
        .iter()
        .map(|blocked| {
            96 + blocked
                .failure
                .as_ref()
                .map_or(0, |failure| failure.message.len() + 64 * failure.backtrace.len())
        })
        .sum();
    kept + blocked
}

/// Writes a profile.
pub(super) fn write_profile(
    to: &mut impl Puts,
    homes: Homes,
    state: &ProfileState,
) -> Result<(), StoreError> {
    let home = homes.of(state.id);
    let size: usize = state.capabilities.iter().map(|own| capability_state_size(own)).sum();
    if size <= APART_BYTES {
        let stored = Writing { profile: state, apart: Vec::new() };
        return with_encoded_in_order_at(home, &stored, |bytes| {
            put_whole(to, &keys::profile(state.id), bytes)
        });
    }
    let mut profile = state.clone();
    let mut apart = Vec::new();
    let mut room = INLINE_BYTES_MAX;
    profile.capabilities.retain(|capability_state| {
        let size = capability_state_size(capability_state);
        if size < APART_BYTES && size <= room {
            room -= size;
            return true;
        }
        apart.push(capability_state.clone());
        false
    });
    for capability_state in &apart {
        let key = keys::capability_state(
            state.id,
            capability_state.capability.as_str(),
            capability_state.generation,
        );
        with_encoded_in_order_at(home, capability_state.as_ref(), |bytes| put_whole(to, &key, bytes))?;
    }
    let apart = apart.iter().map(|own| (own.capability.clone(), own.generation)).collect();
    with_encoded_in_order_at(home, &Writing { profile: &profile, apart }, |bytes| {
        put_whole(to, &keys::profile(state.id), bytes)
    })
}

/// Puts an entry of any size. What is decided today fits into one entry of the store; what older hosts
/// took may not.
fn put_whole(to: &mut impl Puts, key: &[u8], bytes: &[u8]) -> Result<(), StoreError> {
    if bytes.len() <= VALUE_BYTES_MAX {
        return to.put_entry(key, bytes);
    }
    let mut pieces = 0_u32;
    for piece in bytes.chunks(VALUE_BYTES_MAX) {
        to.put_entry(&keys::piece(key, pieces), piece)?;
        pieces += 1;
    }
    let [a, b, c, d] = pieces.to_be_bytes();
    to.put_entry(key, &[IN_PIECES, a, b, c, d])
}

/// An entry as it was put; `None` when a piece of it is missing.
fn whole<'a>(store: &Store, key: &[u8], entry: &'a [u8]) -> Result<Option<Cow<'a, [u8]>>, StoreError> {
    let [IN_PIECES, count @ ..] = entry else { return Ok(Some(Cow::Borrowed(entry))) };
    let Ok(count) = count.try_into().map(u32::from_be_bytes) else { return Ok(None) };
    let mut bytes = Vec::new();
    for number in 0..count {
        let Some(piece) = store.get(&keys::piece(key, number))? else { return Ok(None) };
        bytes.extend_from_slice(&piece);
    }
    Ok(Some(Cow::Owned(bytes)))
}

/// Reads a profile with all its parts.
pub(super) fn read_profile(
    store: &Store,
    homes: Homes,
    id: ProfileId,
) -> Result<Option<Arc<ProfileState>>, StoreError> {
    let Some(bytes) = store.get(&keys::profile(id))? else {
        return Ok(None);
    };
    decode_profile(store, homes, id, &bytes).map(Some)
}

/// Reads a profile's entry, and the parts that aren't in it.
pub(super) fn decode_profile(
    store: &Store,
    homes: Homes,
    id: ProfileId,
    bytes: &[u8],
) -> Result<Arc<ProfileState>, StoreError> {
    let home = homes.of(id);
    let damaged = |why: &dyn std::fmt::Display| store.damaged(format!("profile {id}: {why}"));
    let missing = || damaged(&"a part of it is missing");
    let bytes = whole(store, &keys::profile(id), bytes)?.ok_or_else(missing)?;
    let Stored { mut profile, apart } = decode_at(home, &bytes).map_err(|error| damaged(&error))?;
    for (capability, generation) in apart {
        let key = keys::capability_state(id, capability.as_str(), generation);
        let entry = store.get(&key)?.ok_or_else(missing)?;
        let bytes = whole(store, &key, &entry)?.ok_or_else(missing)?;
        profile.capabilities.push(decode_at(home, &bytes).map_err(|error| damaged(&error))?);
    }
    Ok(Arc::new(profile))
}

/// Every profile of the store; for comparing two views.
pub(super) fn all_profiles(
    store: &Store,
    homes: Homes,
) -> Result<HashMap<ProfileId, Arc<ProfileState>>, StoreError> {
    let mut profiles = HashMap::new();
    for entry in store.scan(keys::PROFILES) {
        let (key, _) = entry?;
        if let Some(id) = keys::parse_profile(&key)
            && let Some(profile) = read_profile(store, homes, id)?
        {
            profiles.insert(id, profile);
        }
    }
    Ok(profiles)
}

#[cfg(test)]
mod tests {
    use super::super::store::Batch;
    use super::*;
    use samsyn_journal::{Blocked, CauseKind, Claim, HeldProposal, Latch, MemoryBytes};
    use samsyn_vocabulary::{Failure, FailureKind, Partition, Position, Role, Timestamp, Value};

    fn homes() -> Homes {
        Homes::among(4)
    }

    /// A record of a profile that became this one stands in another partition than its own do.
    fn at(partition: u16, seq: u64) -> Position {
        Position { partition: Partition(partition), seq }
    }

    fn capability_state(capability: &str, text: &str, backtrace: Vec<String>) -> Arc<CapabilityState> {
        let cause = at(1, 7).item(2);
        let claim = |field: &str, value| Claim {
            field: field.parse().unwrap(),
            value,
            observed_at: Timestamp(5),
            cause,
        };
        let blocked = |failure| Blocked {
            item: cause,
            kind: CauseKind::Emitted,
            role: Role::Observer,
            since: Timestamp(9),
            failure,
            root: at(2, 3),
            depth: 1,
        };
        let failure = Failure { kind: FailureKind::Trap, message: "it broke".to_owned(), backtrace };
        Arc::new(CapabilityState {
            capability: capability.parse().unwrap(),
            generation: 2,
            claims: vec![
                claim("first_name", Some(Value::Text(text.to_owned()))),
                claim("tags", Some(Value::Texts(vec!["a".to_owned()]))),
                claim("email", None),
            ],
            memory: None,
            blocked: vec![blocked(None), blocked(Some(failure))],
            held_more: None,
            timers: None,
            calls: None,
        })
    }

    #[test]
    fn a_profile_reads_as_it_was_written_whatever_it_holds() {
        let mut profile = ProfileState::new(ProfileId::random(), Timestamp(1));
        profile.head = Some(at(1, 12));
        profile.identifiers.push(samsyn_vocabulary::Identifier {
            name: "email".parse().unwrap(),
            value: "anna@example.com".to_owned(),
        });
        profile.capabilities.push(capability_state("crm", "Anna", Vec::new()));
        profile.capabilities.push(capability_state(
            "large",
            &"x".repeat(2 * APART_BYTES),
            vec!["main".to_owned()],
        ));
        let mut remembers = capability_state("loyalty", "gold", vec!["main".to_owned()]);
        Arc::make_mut(&mut remembers).memory = Some(MemoryBytes(vec![0, 255]));
        profile.capabilities.push(remembers);
        // Read by its place: none that is missing may move another.
        for (name, timers, calls) in [("a", false, true), ("b", true, false), ("c", true, true)] {
            let mut own = capability_state(name, "Anna", Vec::new());
            Arc::make_mut(&mut own).timers = timers.then(Box::default);
            Arc::make_mut(&mut own).calls = calls.then(Box::default);
            profile.capabilities.push(own);
        }
        profile.late = 7;
        profile.held.push(HeldProposal {
            by: "app:web".parse().unwrap(),
            field: "phone".parse().unwrap(),
            value: None,
            at: Timestamp(4),
            event: Some(at(3, 1)),
        });
        profile.latched.push(Latch {
            field: "sms.opted_out".parse().unwrap(),
            by: "sms".parse().unwrap(),
            observed_at: Timestamp(2),
            cause: at(1, 1).item(0),
        });
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path(), 1 << 20).unwrap();
        let mut batch = Batch::default();
        write_profile(&mut batch, homes(), &profile).unwrap();
        store.apply(batch).unwrap();
        let mut read = Arc::unwrap_or_clone(read_profile(&store, homes(), profile.id).unwrap().unwrap());
        // A part that stands apart comes last.
        read.capabilities.sort_by(|one, other| one.capability.cmp(&other.capability));
        profile.capabilities.sort_by(|one, other| one.capability.cmp(&other.capability));
        assert_eq!(read, profile);
    }

    /// Writes a profile and reads it again, with the sizes of the entries it took.
    fn written(profile: &ProfileState) -> (ProfileState, Vec<usize>) {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path(), 1 << 20).unwrap();
        let mut batch = Batch::default();
        write_profile(&mut batch, homes(), profile).unwrap();
        store.apply(batch).unwrap();
        let sizes = store.scan(b"").map(|entry| entry.unwrap().1.len()).collect();
        (Arc::unwrap_or_clone(read_profile(&store, homes(), profile.id).unwrap().unwrap()), sizes)
    }

    /// Whatever older hosts took, or a log says: no entry is larger than the store takes.
    #[test]
    fn what_is_too_large_for_one_entry_stands_in_several() {
        let mut profile = ProfileState::new(ProfileId::random(), Timestamp(1));
        for number in 0..2_000 {
            profile.identifiers.push(samsyn_vocabulary::Identifier {
                name: "device".parse().unwrap(),
                value: format!("{number:0>100}"),
            });
        }
        let mut waits = capability_state("crm", "Anna", vec!["main".to_owned(); 16]);
        let blocked = waits.blocked.clone();
        Arc::make_mut(&mut waits).blocked = (0..500).flat_map(|_| blocked.clone()).collect();
        profile.capabilities.push(waits);
        profile.capabilities.push(capability_state("large", &"x".repeat(3 * VALUE_BYTES_MAX), Vec::new()));
        let (read, sizes) = written(&profile);
        assert_eq!(read, profile);
        assert!(sizes.len() > 8, "{sizes:?}");
        assert!(sizes.iter().all(|size| *size <= VALUE_BYTES_MAX), "{sizes:?}");
    }

    /// What is counted where it is decided is what is written, so that the bound there is one here.
    #[test]
    fn as_much_as_one_capability_may_keep_fits_into_one_entry() {
        use samsyn_contract::CUSTOMER_BYTES_MAX;
        let long = "l".repeat(60);
        let shapes: [(usize, Value); 4] = [
            (0, Value::Boolean(true)),
            (0, Value::Text("\u{1F600}".to_owned())),
            (0, Value::Texts(vec![String::new(); 40])),
            (32 << 10, Value::Integer(i64::MIN)),
        ];
        for (memory, value) in shapes {
            let mut full = Arc::unwrap_or_clone(capability_state("crm", "", Vec::new()));
            full.blocked.clear();
            full.claims.clear();
            full.memory = Some(MemoryBytes(vec![255; memory]));
            let bytes = |full: &CapabilityState| {
                let claims = full.claims.iter().map(|claim| (&claim.field, claim.value.as_ref()));
                customer_bytes(claims, memory) as u64
            };
            for number in 0.. {
                let claim = Claim {
                    field: format!("f{number}.{long}").chars().take(64).collect::<String>().parse().unwrap(),
                    value: Some(value.clone()),
                    observed_at: Timestamp(i64::MAX),
                    cause: at(u16::MAX, u64::MAX).item(u16::MAX),
                };
                full.claims.push(claim);
                if bytes(&full) > CUSTOMER_BYTES_MAX {
                    full.claims.pop();
                    break;
                }
            }
            assert!(full.claims.len() > 50);
            let mut encoded = 0;
            with_encoded_in_order_at(Partition(0), &full, |bytes| {
                encoded = bytes.len();
                Ok::<(), StoreError>(())
            })
            .unwrap();
            assert!(encoded <= VALUE_BYTES_MAX, "{encoded} bytes of {} claims", full.claims.len());
        }
    }

    #[test]
    fn the_store_takes_no_entry_that_is_too_large() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path(), 1 << 20).unwrap();
        let (most, more) = (vec![7; VALUE_BYTES_MAX], vec![7; VALUE_BYTES_MAX + 1]);
        let mut batch = Batch::default();
        batch.put(b"pa", &most);
        store.apply(batch).unwrap();
        let mut batch = Batch::default();
        batch.put(b"pb", &most);
        batch.put(b"pc", &more);
        assert!(store.apply(batch).is_err_and(|error| error.to_string().contains("49153 bytes")));
        assert!((&store).put_entry(b"pd", &more).is_err());
        assert_eq!(store.scan(b"p").count(), 1, "nothing of a batch that is refused");
    }
}
