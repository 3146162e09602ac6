//! A follower that is killed at any moment neither loses nor repeats a record.

use rand::SeedableRng;

use super::*;
use crate::saved::Saved;
use samsyn_testkit::crash::Replay;
use samsyn_testkit::seed::Seed;
use samsyn_testkit::survival_json;

/// What a power cut may leave, after each operation on the disk.
const CUTS_AN_OPERATION: usize = 4;
/// Kills in a row of one follower.
const KILLS: usize = 60;

/// What a file says is what its cursors cover, no more and no less.
fn check_file<R: ReadLog>(log: &R, image: &Image) {
    let Some(bytes) = image.file(&file()) else { return };
    let saved = Saved::from_bytes(bytes).expect("it is there whole or not at all");
    let counts: Counts = samsyn_journal::decode(&saved.state).expect("it can be decoded");
    assert_eq!(counts, recount_through(log, |partition| saved.progress.seq(partition)));
}

#[test]
fn counts_are_those_of_the_log_and_an_erased_record_counts_for_nothing() {
    let mut rng = SmallRng::seed_from_u64(Seed::of_run("followers").of(0));
    let (store, log) = memory_log();
    let disk = empty_disk();
    append_some(&log, &mut rng, 40);
    // Records of others stand in between.
    let other = Encoded::of(Partition(1), &samsyn_journal::Adopted::default());
    log.append(other.entry(NOW, ()).into_entry()).expect("it appends");
    assert!(store.erase(Position { partition: Partition(0), seq: 2 }));
    let counting = Counting::start(&store, disk.disk());
    append_some(&log, &mut rng, 40);
    let status = counting.caught_up();
    assert_eq!(counting.counts(), recount(&store));
    assert_eq!((status.since, status.missed.records, status.rebuilt), (None, 0, None));
    // Nothing is read twice after a stop.
    let stopped = counting.counts();
    drop(counting);
    let again = Counting::start(&store, disk.disk());
    assert_eq!(again.counts(), stopped, "and whoever asks at once finds no less");
    again.caught_up();
    assert_eq!(again.counts(), stopped);
}

#[test]
fn whatever_a_power_cut_leaves_is_gone_on_from() {
    let mut rng = SmallRng::seed_from_u64(Seed::of_run("followers_cuts").of(0));
    let (store, log) = memory_log();
    let disk = empty_disk();
    let counting = Counting::start(&store, disk.disk());
    for _ in 0..25 {
        append_some(&log, &mut rng, 3);
        counting.caught_up();
    }
    drop(counting);
    let wanted = recount(&store);
    let (base, ops) = disk.history();
    let (mut replay, mut tried) = (Replay::new(&base), 0);
    for op in &ops {
        replay.apply(op);
        for _ in 0..CUTS_AN_OPERATION {
            let left = replay.cut(&mut rng);
            check_file(&store, &left);
            let counting = Counting::start(&store, Memory::<()>::new(left).disk());
            let status = counting.caught_up();
            assert_eq!((counting.counts(), status.rebuilt), (wanted.clone(), None), "after {op:?}");
            tried += 1;
        }
    }
    assert!(tried > 300, "{tried}");
    survival_json::record("follower_cuts", serde_json::json!({"tried": tried, "lost": 0, "duplicated": 0}));
}

#[test]
fn killed_sixty_times_while_records_come_it_neither_loses_nor_repeats_one() {
    let seed = Seed::of_run("follower_kills");
    let mut rng = SmallRng::seed_from_u64(seed.of(0));
    let (store, log) = memory_log();
    let mut disk = empty_disk();
    let (mut began, mut behind) = (0, 0);
    for kill in 0..KILLS {
        let counting = Counting::start(&store, disk.disk());
        std::thread::scope(|scope| {
            let mut rng = SmallRng::seed_from_u64(seed.of(kill as u64 + 1));
            let log = &log;
            scope.spawn(move || append_some(log, &mut rng, 30));
        });
        // The process ends here, with what the disk had by chance: an earlier moment is as good.
        let (base, ops) = disk.history();
        disk.kill();
        drop(counting);
        let mut replay = Replay::new(&base);
        ops[..rng.random_range(0..=ops.len())].iter().for_each(|op| replay.apply(op));
        let left = replay.cut(&mut rng);
        check_file(&store, &left);
        began += usize::from(left.file(&file()).is_some());
        let seen = |partition| store.durable_head(Partition(partition)).seq;
        behind += usize::from((0..PARTITIONS).any(|partition| seen(partition) > 0));
        disk = Memory::new(left);
    }
    let counting = Counting::start(&store, disk.disk());
    let status = counting.caught_up();
    assert_eq!(counting.counts(), recount(&store));
    assert_eq!((status.rebuilt, status.missed.records, status.failures), (None, 0, 0));
    assert!(began > KILLS / 2 && behind == KILLS, "{began} of {KILLS} had a file");
    survival_json::record(
        "follower_kills",
        serde_json::json!({"tried": KILLS, "lost": 0, "duplicated": 0, "seed": seed.0}),
    );
}
