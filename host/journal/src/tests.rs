//! Records go into a log and come out of it, whichever backend keeps it.

use super::*;
use samsyn_log::memory::{MemoryLog, MemoryStore};
use samsyn_log::{AppendError, ReadLog, ScanFrom};
use samsyn_registry::RegistryChange;
use samsyn_vocabulary::{FullPosition, Partition, Position, ProfileId, Timestamp};

const PARTITION: Partition = Partition(3);

fn accepted() -> Accepted {
    testing::accepted(ProfileId(uuid::Uuid::from_u128(7)), "one")
}

fn call() -> CallNumber {
    CallNumber { capability: "loyalty".parse().unwrap(), generation: 2, number: 3 }
}

/// One of each kind.
fn one_of_each() -> Vec<Record> {
    let cause = Position { partition: PARTITION, seq: 1 }.item(0);
    let change = RegistryChange::SourceAssigned { field: "note".parse().unwrap(), source: None };
    vec![
        Record::Accepted(accepted()),
        Record::Decided(Decided::nothing(accepted().profile, cause, Timestamp(3))),
        Record::Adopted(Adopted { revision: 4, ..Adopted::default() }),
        Record::Linked(Linked {
            identifier: "email".parse().unwrap(),
            normal: "a@b.se".to_owned(),
            profile: accepted().profile,
            retired: false,
            line_position: None,
            version: 1,
        }),
        Record::Registry(RegistryRecord {
            change,
            by: "tests".parse().unwrap(),
            reason: None,
            at: Timestamp(5),
        }),
        Record::Late(Late {
            profile: accepted().profile,
            about: FullPosition { partition: Partition(9), seq: 8, index: 7 },
            at: Timestamp(6),
        }),
        Record::Due(Due {
            profile: accepted().profile,
            capability: "loyalty".parse().unwrap(),
            generation: 2,
            name: "inactive".parse().unwrap(),
            number: 3,
            due: Timestamp(7),
            at: Timestamp(8),
            root: Some(Position { partition: Partition(9), seq: 8 }),
            depth: 1,
            spent: 4,
            in_passing: true,
        }),
        Record::Body(Body {
            profile: accepted().profile,
            digest: samsyn_vocabulary::Digest::of(b"{}"),
            bytes: b"{}".to_vec(),
        }),
        Record::Call(CallRecord::Sending(Sending {
            profile: accepted().profile,
            call: call(),
            attempt: 1,
            binding: samsyn_vocabulary::Digest::of(b"binding"),
            at: Timestamp(9),
        })),
        Record::Call(CallRecord::Retrying(Retrying {
            profile: accepted().profile,
            call: call(),
            attempt: 1,
            how: AttemptEnd::Unknown { code: "crashed".to_owned(), reason: "the host died".to_owned() },
            begun: Timestamp(9),
            next: Timestamp(99),
            counts: true,
            look_up: true,
            row: RowStep::Freed { at_most: 250 },
            at: Timestamp(10),
        })),
        Record::Call(CallRecord::Answered(Box::new(Answered {
            profile: accepted().profile,
            call: call(),
            endpoint: "crm".parse().unwrap(),
            answer: samsyn_vocabulary::CallAnswer::Response {
                status: 200,
                headers: vec![("etag".to_owned(), "\"1\"".to_owned())],
                body: vec![0, 255],
            },
            note: Some(Note(vec![7])),
            attempts: 2,
            looks_up: Some(1),
            at: Timestamp(100),
            root: Some(Position { partition: Partition(9), seq: 8 }),
            depth: 1,
            spent: 4,
        }))),
        Record::Call(CallRecord::Settled(Settled {
            profile: accepted().profile,
            call: call(),
            verdict: Verdict::Again,
            by: "tests".parse().unwrap(),
            reason: "the system has none".parse().unwrap(),
            at: Timestamp(101),
        })),
        Record::Call(CallRecord::Doubted(Box::new(Doubted {
            profile: accepted().profile,
            call: call(),
            endpoint: "crm".parse().unwrap(),
            note: None,
            at: Timestamp(102),
            root: None,
            depth: 0,
            spent: 0,
        }))),
        Record::Call(CallRecord::Framed(Box::new(Framed {
            profile: accepted().profile,
            call: call(),
            batch: samsyn_vocabulary::Digest::of(b"batch"),
            place: Place::Leads(vec![RowId { profile: accepted().profile, generation: 2, number: 7 }]),
            at: Timestamp(103),
        }))),
    ]
}

/// A log in memory with these records, all durable.
fn written(records: &[Record]) -> (MemoryStore, Reader<MemoryStore>) {
    let store = MemoryStore::new();
    let journal = Appender::<(), MemoryLog<()>>::new(store.open());
    journal.start(|_| {}, |_| {}).unwrap();
    let new = |record: &Record| {
        let encoded = Encoded::of_record(PARTITION, record).expect("it isn't erased");
        encoded.entry(Timestamp(10), ())
    };
    let appended = journal.append_all(records.iter().map(new).collect()).unwrap();
    assert_eq!(appended.len(), records.len());
    assert_eq!(journal.head(PARTITION), records.len() as u64);
    journal.close().unwrap();
    (store.clone(), Reader::new(store))
}

fn read(reader: &Reader<MemoryStore>) -> Vec<Record> {
    reader.scan(PARTITION, 1).map(|record| record.unwrap().record().unwrap()).collect()
}

fn text(records: &[Record]) -> Vec<String> {
    records.iter().map(|record| format!("{record:?}")).collect()
}

#[test]
fn records_come_out_as_they_went_in() {
    let records = one_of_each();
    assert_eq!(records.iter().map(Record::kind).collect::<Vec<_>>(), RecordKind::ALL.map(Some));
    let (_, reader) = written(&records);
    assert_eq!(text(&read(&reader)), text(&records));
    let mut scan = reader.scan_all(ScanFrom::Start);
    for (record, seq) in records.iter().zip(1..) {
        let undecoded = scan.next().unwrap().unwrap();
        assert_eq!(undecoded.position, Position { partition: PARTITION, seq });
        assert_eq!((undecoded.kind().ok(), undecoded.is_erased()), (record.kind(), false));
        let is_decided = matches!(record, Record::Decided(_));
        assert_eq!(undecoded.decided().unwrap().is_some(), is_decided);
        assert_eq!(undecoded.passing().unwrap().is_some(), is_decided);
        let event = undecoded.keep_accepted().map(|kept| kept.to_invoke().unwrap().event);
        assert_eq!(event, matches!(record, Record::Accepted(_)).then(|| accepted().event));
        assert_eq!(undecoded.accepted_for().unwrap(), event.map(|_| accepted().profile));
    }
    assert!(scan.next().unwrap().is_none());
}

/// After a merge a profile's records name those of the other one, which stand in another partition.
#[test]
fn a_record_names_records_of_other_partitions() {
    let other = |seq| Position { partition: Partition(9), seq };
    let held = HeldProposal {
        by: "app:web".parse().unwrap(),
        field: "city".parse().unwrap(),
        value: None,
        at: Timestamp(2),
        event: Some(other(6)),
    };
    let decided = Decided {
        root: other(5),
        previous: Some(other(7)),
        held: vec![held.clone()],
        offered: vec![held],
        ..Decided::nothing(accepted().profile, other(8).item(2), Timestamp(3))
    };
    let (_, reader) = written(&[Record::Decided(decided.clone())]);
    let stored = reader.read(Position { partition: PARTITION, seq: 1 }).unwrap().unwrap();
    assert_eq!(stored.decided().unwrap().as_ref(), Some(&decided));
    let PartialRecord::Decided(partial) = stored.undecoded().partial().unwrap() else {
        panic!("it is a decision");
    };
    let names = |of: &Decided| (of.cause, of.root, of.previous, of.held.clone());
    assert_eq!(names(&partial), names(&decided));
}

#[test]
fn an_erased_record_says_nothing_to_anybody() {
    let records = one_of_each();
    let (store, reader) = written(&records);
    let mut batch = RecordBatch::default();
    for seq in 1..=records.len() as u64 {
        assert!(store.erase(Position { partition: PARTITION, seq }));
    }
    let mut scan = reader.scan_all(ScanFrom::Start);
    while let Some(undecoded) = scan.next().unwrap() {
        batch.push(&undecoded);
    }
    assert_eq!(batch.len(), records.len());
    for (undecoded, record) in batch.iter().zip(&records) {
        assert_eq!((undecoded.kind().ok(), undecoded.is_erased()), (record.kind(), true));
        assert!(matches!(undecoded.record(), Ok(Record::Erased)));
        assert!(matches!(undecoded.partial(), Ok(PartialRecord::Erased)));
        assert!(undecoded.decided().unwrap().is_none() && undecoded.passing().unwrap().is_none());
        assert!(undecoded.keep_accepted().is_none() && undecoded.accepted_for().unwrap().is_none());
    }
    assert!(read(&reader).iter().all(|record| matches!(record, Record::Erased)));
    assert!(Encoded::of_record(PARTITION, &Record::Erased).is_none(), "nobody appends one");
    // The links are those of what was appended.
    assert_eq!(reader.log().durable_head(PARTITION).seq, records.len() as u64);
}

#[test]
fn a_record_that_must_have_another_number_is_refused() {
    let store = MemoryStore::new();
    let journal = Appender::<(), MemoryLog<()>>::new(store.open());
    journal.start(|_| {}, |_| {}).unwrap();
    let record = || Encoded::of(PARTITION, &accepted()).entry(Timestamp(1), ());
    assert_eq!(journal.append(record().numbered(1)).unwrap().seq, 1);
    let refused = journal.append(record().numbered(1));
    assert!(matches!(refused, Err(AppendError::Fenced { expected: 0, head: 1, .. })), "{refused:?}");
    let both = journal.append_all(vec![record().numbered(2), record().numbered(4)]);
    assert!(matches!(both, Err(AppendError::Fenced { expected: 3, head: 2, .. })), "{both:?}");
    assert_eq!(journal.head(PARTITION), 1);
}

#[test]
fn a_kind_of_tomorrow_is_refused_by_its_number() {
    let undecoded = Undecoded {
        position: Position { partition: PARTITION, seq: 1 },
        appended_at: Timestamp(1),
        chain: Default::default(),
        kind: 15,
        erased: false,
        payload: &[],
    };
    assert!(undecoded.record().is_err_and(|error| error.to_string().contains("kind 15")));
    assert!(undecoded.partial().is_err() && undecoded.kind().is_err());
}
