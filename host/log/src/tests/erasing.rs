//! A record whose content was erased is still a record: it is numbered, linked, and read as one.

use tempfile::TempDir;

use super::*;
use crate::erasing::erase;

#[test]
fn an_erased_record_says_nothing_and_the_chain_still_holds() {
    let dir = TempDir::new().unwrap();
    let started = Started::open(dir.path(), SMALL);
    let payloads: Vec<String> = (0..40).map(|number| format!("payload {number}")).collect();
    for some in payloads.chunks(3) {
        started.commit(some.iter().map(|payload| entry(1, payload)).collect());
    }
    let before: Vec<_> = started.log.scan(Partition(1), 1).map(|record| record.unwrap()).collect();
    started.log.close().unwrap();
    drop(started);
    // In a sealed segment, in the middle of a frame, and the last one there is.
    let erased = [2, 17, 40];
    for seq in erased {
        assert!(erase(dir.path(), position(1, seq)).unwrap());
    }
    assert!(!erase(dir.path(), position(1, 41)).unwrap() && !erase(dir.path(), position(2, 1)).unwrap());
    let report = verify(dir.path(), |_| {}).unwrap();
    assert_eq!((report.problem, report.records), (None, 40));
    let again = Started::open(dir.path(), SMALL);
    for (record, before) in again.log.scan(Partition(1), 1).zip(&before) {
        let record = record.unwrap();
        let is_erased = erased.contains(&record.position.seq);
        let payload = if is_erased { vec![0; before.payload.len()] } else { before.payload.to_vec() };
        assert_eq!(record, StoredRecord { erased: is_erased, payload: payload.into(), ..before.clone() });
    }
    assert_eq!(again.commit(vec![entry(1, "next")])[0].position, position(1, 41));
}
