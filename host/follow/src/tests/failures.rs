//! What a follower can't do stops that follower, visibly, and nobody else.

use std::sync::atomic::{AtomicUsize, Ordering};

use rand::SeedableRng;

use super::*;
use crate::saved::{Bad, FORMAT_VERSION, Saved};

/// Fails, then panics, at its fifth record until it is mended.
#[derive(Clone, Default)]
struct Failing(Arc<AtomicUsize>);

/// Failures until it works.
const FAILURES: usize = 6;

impl Follower for Failing {
    const NAME: &'static str = "failing";
    const STATE_VERSION: u16 = 1;
    type State = u64;

    fn apply(&mut self, state: &mut u64, _: &Undecoded<'_>) -> Result<(), ApplyError> {
        *state += 1;
        if *state == 5 {
            match self.0.fetch_add(1, Ordering::SeqCst) {
                failed if failed >= FAILURES => {}
                failed if failed % 2 == 0 => return Err("not this one".into()),
                _ => panic!("nor this one"),
            }
        }
        Ok(())
    }

    fn committed(&mut self, state: &u64) {
        assert!(*state == 0 || *state >= 5, "nothing of a batch that failed is told: {state}");
    }
}

#[test]
fn a_record_that_cant_be_applied_is_tried_again_and_counts_once() {
    let mut rng = SmallRng::seed_from_u64(1);
    let (store, log) = memory_log();
    let disk = empty_disk();
    append_some(&log, &mut rng, 30);
    let all = followers(&store, disk.disk());
    let failing = Failing::default();
    let counting = FieldChanges::default();
    let counts = counting.counts();
    all.start(failing.clone()).expect("it starts");
    all.start(counting).expect("it starts");
    until("the other one isn't concerned", || counts.get().is_some_and(|counts| *counts == recount(&store)));
    until("it is told", || all.status()[0].failures > 0);
    until("it goes on", || {
        let status = all.status().remove(0);
        status.error.is_none() && status.lag_records == 0
    });
    let status = all.status().remove(0);
    assert_eq!((status.failures, failing.0.load(Ordering::SeqCst)), (FAILURES as u64, FAILURES + 1));
    drop(all);
    let image = disk.image();
    let saved = Saved::from_bytes(image.file(&dir().join("failing.state")).expect("it is there"));
    let state: u64 = samsyn_journal::decode(&saved.expect("it is whole").state).expect("a number");
    assert_eq!(state, 30, "each record once");
}

#[test]
fn a_full_disk_stops_the_follower_and_room_lets_it_go_on() {
    let mut rng = SmallRng::seed_from_u64(2);
    let (store, log) = memory_log();
    let disk = empty_disk();
    append_some(&log, &mut rng, 10);
    disk.has_room_for(50);
    let counting = Counting::start(&store, disk.disk());
    until("it is told", || counting.status().error.is_some_and(|why| why.contains("can't write")));
    assert!(counting.counts().is_empty(), "nothing is told that isn't durable");
    assert!(counting.status().lag_records >= 10);
    // The log takes records all the same.
    append_some(&log, &mut rng, 10);
    disk.has_room_for(u64::MAX);
    counting.caught_up();
    assert_eq!(counting.counts(), recount(&store));
    assert!(counting.status().failures > 0);
}

#[test]
fn a_follower_that_stands_still_keeps_nobody_waiting() {
    let mut rng = SmallRng::seed_from_u64(3);
    let (store, log) = memory_log();
    let disk = empty_disk();
    let all = followers(&store, disk.disk());
    let gate = Gate::default();
    gate.set(true);
    all.start(Gated(gate.clone())).expect("it starts");
    let counting = FieldChanges::default();
    let counts = counting.counts();
    all.start(counting).expect("it starts");
    append(&log, 0, &decided(&mut rng, Partition(0)));
    until("it stands still in the middle of a record", || gate.arrived() == 1);
    // Records become durable, others follow, and who asks is answered.
    append_some(&log, &mut rng, 200);
    until("the other one follows", || counts.get().is_some_and(|counts| *counts == recount(&store)));
    let status = all.status();
    assert_eq!((status[0].name, status[0].lag_records, status[1].lag_records), ("gated", 201, 0));
    assert_eq!((gate.arrived(), status[0].error.clone()), (1, None));
    gate.set(false);
    until("it catches up", || all.status()[0].lag_records == 0);
    assert_eq!(gate.arrived(), 201);
}

#[test]
fn the_lag_is_how_old_the_oldest_record_is_that_is_not_taken_in() {
    let (store, log) = memory_log();
    let clock = Clock::fixed(NOW);
    let disk = empty_disk();
    let all = Followers::new(Reader::new(store.clone()), disk.disk(), dir(), clock.clone(), PACE);
    let gate = Gate::default();
    gate.set(true);
    all.start(Gated(gate.clone())).expect("it starts");
    append_some(&log, &mut SmallRng::seed_from_u64(4), 5);
    clock.set(Timestamp(NOW.millis() + 90_000));
    let status = all.status().remove(0);
    assert_eq!((status.lag_records, status.lag_ms), (5, 90_000));
    gate.set(false);
    until("it catches up", || all.status()[0].lag_records == 0);
    assert_eq!(all.status()[0].lag_ms, 0);
}

#[test]
fn two_followers_of_one_name_are_refused() {
    let (store, _log) = memory_log();
    let all = followers(&store, empty_disk().disk());
    all.start(FieldChanges::default()).expect("it starts");
    let refused = all.start(FieldChanges::default()).expect_err("its file is the other one's");
    assert!(refused.to_string().contains("field-changes"), "{refused}");
}

#[test]
fn every_flipped_bit_of_a_file_is_noticed_and_the_counts_are_rebuilt() {
    let mut rng = SmallRng::seed_from_u64(5);
    let (store, log) = memory_log();
    let disk = empty_disk();
    append_some(&log, &mut rng, 20);
    let counting = Counting::start(&store, disk.disk());
    counting.caught_up();
    drop(counting);
    let whole = disk.image().file(&file()).expect("it is there").clone();
    for bit in 0..whole.len() * 8 {
        let mut flipped = whole.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(matches!(Saved::from_bytes(&flipped), Err(Bad::Damaged(_))), "bit {bit}");
    }
    for length in 0..whole.len() {
        assert!(matches!(Saved::from_bytes(&whole[..length]), Err(Bad::Damaged(_))), "{length} bytes");
    }
    disk.rot(&file(), |bytes| bytes[30] ^= 1);
    let counting = Counting::start(&store, disk.disk());
    let status = counting.caught_up();
    assert_eq!(counting.counts(), recount(&store), "the log has all of it");
    assert!(
        status.rebuilt.is_some_and(|rebuilt| rebuilt.reason.contains("damaged")) && status.since.is_none()
    );
    assert!(Saved::from_bytes(disk.image().file(&file()).expect("it is there")).is_ok());
}

/// A file as a host writes it that keeps another format, or another state.
fn of_version(whole: &[u8], at: usize, version: u16) -> Vec<u8> {
    let mut bytes = whole.to_vec();
    bytes[at..at + 2].copy_from_slice(&version.to_le_bytes());
    let crc = samsyn_log::checksum(&[&bytes[8..16], &bytes[20..]]);
    bytes[16..20].copy_from_slice(&crc.to_le_bytes());
    bytes
}

#[test]
fn a_file_of_a_newer_host_is_refused_and_left_as_it_is() {
    const STATE_VERSION: u16 = FieldChanges::STATE_VERSION;
    let mut rng = SmallRng::seed_from_u64(6);
    let (store, log) = memory_log();
    let disk = empty_disk();
    append_some(&log, &mut rng, 20);
    let counting = Counting::start(&store, disk.disk());
    counting.caught_up();
    drop(counting);
    let whole = disk.image().file(&file()).expect("it is there").clone();
    for (at, newer) in [(8, FORMAT_VERSION + 1), (10, STATE_VERSION + 1)] {
        let bytes = of_version(&whole, at, newer);
        put(&*disk.disk(), &file(), &bytes);
        let counting = Counting::start(&store, disk.disk());
        until("it is told", || {
            counting.status().error.is_some_and(|why| why.contains("a newer host wrote it"))
        });
        append_some(&log, &mut rng, 5);
        until("it is tried again", || counting.status().failures > 2);
        assert_eq!(
            (disk.image().file(&file()), counting.counts.get()),
            (Some(&bytes), None),
            "unknown is not 0"
        );
        // Moved away, as the message says: it begins again by itself.
        disk.disk().remove(&file()).expect("it can be removed");
        counting.caught_up();
        assert_eq!(counting.counts(), recount(&store));
    }
    // The state of an older host is rebuilt.
    put(&*disk.disk(), &file(), &of_version(&whole, 10, STATE_VERSION - 1));
    let counting = Counting::start(&store, disk.disk());
    let status = counting.caught_up();
    assert_eq!(counting.counts(), recount(&store));
    assert!(status.rebuilt.is_some_and(|rebuilt| rebuilt.reason.contains("another state")));
}
