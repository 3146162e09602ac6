//! Positions in bytes: what stands at home has the bytes it always had, and everything else comes back as it was.

use std::sync::Arc;

use proptest::prelude::*;

use super::codec::with_encoded_in_order_at;
use super::*;
use samsyn_log::{ScanFrom, StoppedLog};
use samsyn_vocabulary::{
    Failure, FailureKind, FullPosition, ItemPosition, Partition, Position, ProfileId, Role, Seq, Timestamp,
    Value,
};

const HOME: Partition = Partition(3);

fn home(seq: Seq) -> Position {
    Position { partition: HOME, seq }
}

fn in_order<T: serde::Serialize>(value: &T) -> Vec<u8> {
    with_encoded_in_order_at(HOME, value, <[u8]>::to_vec)
}

/// Everything in a record, and in a profile, that names a record.
#[derive(Clone, Debug)]
struct Named {
    records: Vec<Position>,
    items: Vec<FullPosition>,
}

impl Named {
    fn proposal(&self, event: Option<Position>) -> HeldProposal {
        HeldProposal {
            by: "app:web".parse().unwrap(),
            field: "city".parse().unwrap(),
            value: Some(Value::Text("Bergen".to_owned())),
            at: Timestamp(4),
            event,
        }
    }

    fn decided(&self) -> Decided {
        Decided {
            root: self.records[0],
            depth: 2,
            spent: 9,
            revision: 11,
            through: ItemPosition { seq: 70, index: 1 },
            observed_at: Timestamp(3),
            previous: Some(self.records[1]),
            held: vec![self.proposal(Some(self.records[2])), self.proposal(None)],
            offered: vec![self.proposal(Some(self.records[3]))],
            ..Decided::nothing(ProfileId(uuid::Uuid::nil()), self.items[0], Timestamp(2))
        }
    }

    fn state(&self) -> ProfileState {
        let failure =
            Failure { kind: FailureKind::Trap, message: "it broke".to_owned(), backtrace: Vec::new() };
        let blocked = |item: usize, root: usize, failure| Blocked {
            item: self.items[item],
            kind: CauseKind::Emitted,
            role: Role::Observer,
            since: Timestamp(9),
            failure,
            root: self.records[root],
            depth: 1,
        };
        ProfileState {
            head: Some(self.records[0]),
            capabilities: vec![Arc::new(CapabilityState {
                capability: "crm".parse().unwrap(),
                generation: 2,
                claims: vec![Claim {
                    field: "city".parse().unwrap(),
                    value: None,
                    observed_at: Timestamp(5),
                    cause: self.items[0],
                }],
                memory: None,
                blocked: vec![blocked(1, 1, Some(failure)), blocked(2, 2, None)],
                held_more: Some(HeldMore { count: 3, first: self.items[3], last: self.items[4] }),
                timers: None,
                calls: None,
            })],
            held: vec![self.proposal(Some(self.records[3])), self.proposal(None)],
            latched: vec![Latch {
                field: "sms.opted_out".parse().unwrap(),
                by: "sms".parse().unwrap(),
                observed_at: Timestamp(2),
                cause: self.items[5],
            }],
            ..ProfileState::new(ProfileId(uuid::Uuid::nil()), Timestamp(1))
        }
    }

    /// All of them at home.
    fn at_home() -> Named {
        let records = [5, 1 << 7, 1 << 16, u64::MAX].map(home).to_vec();
        let items = (0..6).map(|number| home(7 << (8 * number)).item(number)).collect();
        Named { records, items }
    }
}

fn named() -> impl Strategy<Value = Named> {
    let partition = prop_oneof![3 => Just(HOME), 3 => (0..6u16).prop_map(Partition), 1 => any::<u16>().prop_map(Partition)];
    let seq = prop_oneof![1..300u64, 1..=u64::MAX];
    let record = (partition, seq).prop_map(|(partition, seq)| Position { partition, seq });
    let item = (record.clone(), any::<u16>()).prop_map(|(record, index)| record.item(index));
    (prop::collection::vec(record, 4), prop::collection::vec(item, 6))
        .prop_map(|(records, items)| Named { records, items })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn positions_come_back_as_they_were_wherever_they_stand(named in named()) {
        let (decided, state) = (named.decided(), named.state());
        let late = Late { profile: decided.profile, about: named.items[0], at: Timestamp(8) };
        let bytes = encode_at(HOME, &decided);
        prop_assert_eq!(&decode_at::<Decided>(HOME, &bytes).unwrap(), &decided);
        prop_assert_eq!(&decode_at::<Late>(HOME, &encode_at(HOME, &late)).unwrap(), &late);
        prop_assert_eq!(&decode_at::<ProfileState>(HOME, &encode_at(HOME, &state)).unwrap(), &state);
        prop_assert_eq!(&decode_at::<ProfileState>(HOME, &in_order(&state)).unwrap(), &state);
        // The fold reads less, and of that the same.
        match PartialRecord::decode(HOME, RecordKind::Decided, &bytes).unwrap() {
            PartialRecord::Decided(read) => {
                let as_read = Decided { offered: Vec::new(), ..decided.clone() };
                prop_assert_eq!(*read, as_read);
            }
            _ => prop_assert!(false, "it is a decision"),
        }
        // Whoever has no home writes all of it, and reads all of it.
        prop_assert_eq!(&decode::<Decided>(&encode(&decided)).unwrap(), &decided);
        prop_assert_eq!(&decode::<ProfileState>(&encode(&state)).unwrap(), &state);
    }

    #[test]
    fn bytes_that_are_no_position_are_refused(named in named(), at in any::<prop::sample::Index>(), byte: u8) {
        for mut bytes in [encode_at(HOME, &named.decided()), in_order(&named.state())] {
            let at = at.index(bytes.len());
            bytes[at] = byte;
            let _ = decode_at::<Decided>(HOME, &bytes);
            let _ = decode_at::<ProfileState>(HOME, &bytes);
            prop_assert!(decode_at::<Decided>(HOME, &bytes[..at]).is_err());
            prop_assert!(decode_at::<ProfileState>(HOME, &bytes[..at]).is_err());
        }
    }
}

/// A partition that is lacking is never made up, and the note of a home is gone with what it was made for.
#[test]
fn nothing_is_read_that_lacks_its_partition() {
    let bytes = encode_at(HOME, &Named::at_home().decided());
    for _ in 0..2 {
        let unread = decode::<Decided>(&bytes).unwrap_err().to_string();
        assert!(unread.contains("lacks its partition"), "{unread}");
        assert!(decode_at::<Decided>(HOME, &bytes[..9]).is_err());
    }
    let elsewhere = decode_at::<Decided>(Partition(4), &bytes).unwrap();
    assert_eq!(elsewhere.cause.partition, Partition(4));
}

/// The shapes before there were full positions.
mod before {
    use super::*;
    use samsyn_vocabulary::{CapabilityName, FieldName, Identifier, Speaker};
    use serde::Serialize;

    #[derive(Serialize)]
    pub struct Held {
        by: Speaker,
        field: FieldName,
        value: Option<Value>,
        at: Timestamp,
        #[serde(skip_serializing_if = "Option::is_none")]
        event: Option<Seq>,
    }

    impl Held {
        fn of(held: &HeldProposal) -> Held {
            let HeldProposal { by, field, value, at, event } = held.clone();
            Held { by, field, value, at, event: event.map(|event| event.seq) }
        }
    }

    #[derive(Serialize)]
    pub struct OldDecided {
        profile: ProfileId,
        cause: ItemPosition,
        kind: CauseKind,
        root: Seq,
        depth: u16,
        spent: u32,
        through: ItemPosition,
        revision: Seq,
        at: Timestamp,
        observed_at: Timestamp,
        previous: Option<Seq>,
        held: Vec<Held>,
        offered: Vec<Held>,
    }

    #[derive(Serialize)]
    struct OldBlocked {
        item: ItemPosition,
        kind: CauseKind,
        role: Role,
        since: Timestamp,
        failure: Option<Failure>,
        root: Seq,
        depth: u16,
    }

    #[derive(Serialize)]
    struct OldClaim {
        field: FieldName,
        value: Option<Value>,
        observed_at: Timestamp,
        cause: ItemPosition,
    }

    #[derive(Serialize)]
    struct OldHeldMore {
        count: u32,
        first: ItemPosition,
        last: ItemPosition,
    }

    #[derive(Serialize)]
    struct Told {
        capability: CapabilityName,
        generation: u32,
        claims: Vec<OldClaim>,
        memory: Option<MemoryBytes>,
        blocked: Vec<OldBlocked>,
        held_more: Option<OldHeldMore>,
        /// Was there when a timer was, and is always there since calls stand behind it.
        timers: Option<()>,
    }

    #[derive(Serialize)]
    struct OldLatch {
        field: FieldName,
        by: CapabilityName,
        observed_at: Timestamp,
        cause: ItemPosition,
    }

    #[derive(Serialize)]
    pub struct OldState {
        id: ProfileId,
        created_at: Timestamp,
        head: Seq,
        identifiers: Vec<Identifier>,
        told: Vec<Told>,
        held: Vec<Held>,
        latched: Vec<OldLatch>,
        conflicts: Vec<Conflict>,
    }

    fn item(item: FullPosition) -> ItemPosition {
        item.within(HOME).expect("it stands at home")
    }

    pub fn decided(is: &Decided) -> OldDecided {
        OldDecided {
            profile: is.profile,
            cause: item(is.cause),
            kind: is.kind,
            root: is.root.seq,
            depth: is.depth,
            spent: is.spent,
            through: is.through,
            revision: is.revision,
            at: is.at,
            observed_at: is.observed_at,
            previous: is.previous.map(|previous| previous.seq),
            held: is.held.iter().map(Held::of).collect(),
            offered: is.offered.iter().map(Held::of).collect(),
        }
    }

    fn told(is: &CapabilityState) -> Told {
        let blocked = |is: &Blocked| OldBlocked {
            item: item(is.item),
            kind: is.kind,
            role: is.role,
            since: is.since,
            failure: is.failure.clone(),
            root: is.root.seq,
            depth: is.depth,
        };
        let claim = |is: &Claim| OldClaim {
            field: is.field.clone(),
            value: is.value.clone(),
            observed_at: is.observed_at,
            cause: item(is.cause),
        };
        Told {
            capability: is.capability.clone(),
            generation: is.generation,
            claims: is.claims.iter().map(claim).collect(),
            memory: is.memory.clone(),
            blocked: is.blocked.iter().map(blocked).collect(),
            held_more: is.held_more.map(|more| OldHeldMore {
                count: more.count,
                first: item(more.first),
                last: item(more.last),
            }),
            timers: None,
        }
    }

    pub fn state(is: &ProfileState) -> OldState {
        let latch = |is: &Latch| OldLatch {
            field: is.field.clone(),
            by: is.by.clone(),
            observed_at: is.observed_at,
            cause: item(is.cause),
        };
        OldState {
            id: is.id,
            created_at: is.created_at,
            head: is.head.map_or(0, |head| head.seq),
            identifiers: is.identifiers.clone(),
            told: is.capabilities.iter().map(|own| told(own)).collect(),
            held: is.held.iter().map(Held::of).collect(),
            latched: is.latched.iter().map(latch).collect(),
            conflicts: is.conflicts.clone(),
        }
    }
}

/// Invocations that are held and not listed may be of both sides of a merge: those of the other profile came first.
#[test]
fn held_invocations_reach_over_a_merge() {
    let other = |seq| Position { partition: Partition(9), seq }.item(0);
    let own = |seq| home(seq).item(0);
    let covers = |more: &HeldMore, item| more.begins_before(item) && more.reaches(item);
    let within = HeldMore { count: 2, first: own(5), last: own(8) };
    let items = [own(4), own(5), own(8), own(9), other(5)];
    assert_eq!(items.map(|item| covers(&within, item)), [false, true, true, false, false]);
    assert_eq!(within.oldest_records().collect::<Vec<_>>(), [home(5)]);
    let over = HeldMore { count: 2, first: other(5), last: own(8) };
    let items = [other(4), other(5), other(900), own(1), own(8), own(9)];
    assert_eq!(items.map(|item| covers(&over, item)), [false, true, true, true, true, false]);
    let neither = Position { partition: Partition(4), seq: 6 }.item(0);
    assert!(!covers(&over, neither));
    assert_eq!(over.oldest_records().collect::<Vec<_>>(), [other(5).record(), home(1)]);
}

#[test]
fn what_stands_at_home_has_the_bytes_that_it_had_before() {
    let named = Named::at_home();
    let (decided, state) = (named.decided(), named.state());
    let (old_decided, old_state) = (before::decided(&decided), before::state(&state));
    assert_eq!(encode_at(HOME, &decided), encode(&old_decided));
    assert_eq!(encode_at(HOME, &state), encode(&old_state));
    assert_eq!(in_order(&state), in_order(&old_state));
    assert_eq!(json_at(HOME, &decided), json_at(HOME, &old_decided), "and is shown as it was");
    // And what was written then has its partition when it is read now.
    assert_eq!(decode_at::<Decided>(HOME, &encode(&old_decided)).unwrap(), decided);
    assert_eq!(decode_at::<ProfileState>(HOME, &in_order(&old_state)).unwrap(), state);
    let nobody = ProfileState::new(state.id, Timestamp(1));
    assert_eq!(encode_at(HOME, &nobody), encode(&before::state(&nobody)));
    assert_eq!(decode_at::<ProfileState>(HOME, &encode_at(HOME, &nobody)).unwrap(), nobody);
}

/// The logs that are kept of older builds: each name of a record gets the partition that it was written in, and
/// what is read is written again as it was.
#[test]
fn names_in_kept_logs_are_read_with_their_partition_and_written_as_they_were() {
    let fixtures = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures");
    for (kept, is_of_this_format) in [("log-0.1.0", true), ("fbc9974-identity", false)] {
        let log = StoppedLog::open(&fixtures.join(kept).join("data/log")).unwrap();
        let (mut decided, mut held) = (0, 0);
        let mut scan = Reader::new(log.reader().clone()).scan_all(ScanFrom::Start);
        while let Some(read) = scan.next().unwrap() {
            let Record::Decided(record) = read.record().unwrap() else { continue };
            let home = read.position.partition;
            let proposals = record.held.iter().chain(&record.offered);
            let events: Vec<Position> = proposals.filter_map(|held| held.event).collect();
            let named = [record.cause.record(), record.root].into_iter().chain(record.previous);
            for named in named.chain(events.iter().copied()) {
                assert_eq!(named.partition, home, "{kept}: {}", read.position);
                assert!(named.seq < read.position.seq, "{kept}: {}", read.position);
            }
            if is_of_this_format {
                assert_eq!(encode_at(home, &record), read.payload, "{kept}: {}", read.position);
            }
            decided += 1;
            held += events.len();
        }
        println!("{kept}: {decided} decisions, {held} held proposals");
        assert!(decided > 20, "{kept}");
    }
}
