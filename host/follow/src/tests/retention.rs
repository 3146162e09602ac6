//! What leaves the log before a follower has read it.

use rand::SeedableRng;

use super::histories::open;
use super::*;
use samsyn_log::LocalLog;

/// Removes all sealed segments; how many records of each partition have left then.
fn remove_sealed(log: &LocalLog<()>) -> BTreeMap<Partition, Seq> {
    let last = log.segments().last().expect("some are sealed").number;
    log.remove_before(last + 1).expect("they can be removed");
    let gone = |partition| (Partition(partition), log.oldest(Partition(partition)) - 1);
    (0..PARTITIONS).map(gone).collect()
}

fn sum(one: &Counts, other: &Counts) -> Counts {
    let mut sum = one.clone();
    other.iter().for_each(|(field, count)| *sum.entry(field.clone()).or_default() += count);
    sum
}

#[test]
fn one_behind_retention_says_what_it_missed_and_goes_on() {
    let mut rng = SmallRng::seed_from_u64(8);
    let disk = empty_disk();
    let log = open(&disk);
    append_some(&log, &mut rng, 20);
    let counting = Counting::start(log.reader(), disk.disk());
    counting.caught_up();
    let before = counting.counts();
    let had: BTreeMap<Partition, Seq> =
        (0..PARTITIONS).map(Partition).map(|it| (it, log.durable_head(it).seq)).collect();
    drop(counting);
    append_some(&log, &mut rng, 60);
    let gone = remove_sealed(&log);
    // A partition whose records have all left, and that gets no more, holds up nothing.
    let left = recount(log.reader());
    let counting = Counting::start(log.reader(), disk.disk());
    let status = counting.caught_up();
    assert_eq!(counting.counts(), sum(&before, &left));
    let missed: BTreeMap<Partition, (Seq, Seq)> =
        status.missed.ranges.iter().map(|range| (range.partition, (range.first, range.last))).collect();
    let wanted: BTreeMap<Partition, (Seq, Seq)> = had
        .iter()
        .filter(|(partition, had)| gone[partition] > **had)
        .map(|(partition, had)| (*partition, (had + 1, gone[partition])))
        .collect();
    assert!(!wanted.is_empty());
    assert_eq!(missed, wanted);
    assert_eq!(status.missed.records, wanted.values().map(|(first, last)| last - first + 1).sum::<u64>());
    assert_eq!((status.since, status.rebuilt), (None, None), "what it has it still has");
    // It is said as long as the counts are kept.
    drop(counting);
    let again = Counting::start(log.reader(), disk.disk()).caught_up();
    assert_eq!(again.missed, status.missed);
}

#[test]
fn one_that_stands_still_while_records_leave_says_so_as_well() {
    let mut rng = SmallRng::seed_from_u64(9);
    let disk = empty_disk();
    let log = open(&disk);
    append_some(&log, &mut rng, 40);
    let all = followers(log.reader(), disk.disk());
    let gate = Gate::default();
    gate.set(true);
    all.start(Gated(gate.clone())).expect("it starts");
    until("it stands still", || gate.arrived() == 1);
    append_some(&log, &mut rng, 200);
    let gone = remove_sealed(&log);
    gate.set(false);
    until("it goes on", || all.status()[0].lag_records == 0);
    let status = all.status().remove(0);
    let removed: u64 = gone.values().sum();
    assert!(status.missed.records > 0 && status.missed.records < removed, "{status:?} of {removed}");
    assert_eq!(
        (gate.arrived() as u64 + status.missed.records, status.failures),
        (240, 0),
        "each once or named"
    );
}

#[test]
fn a_first_start_says_since_when_it_counts() {
    let mut rng = SmallRng::seed_from_u64(10);
    let disk = empty_disk();
    let log = open(&disk);
    append_some(&log, &mut rng, 60);
    remove_sealed(&log);
    let counting = Counting::start(log.reader(), disk.disk());
    let status = counting.caught_up();
    assert_eq!(counting.counts(), recount(log.reader()));
    assert_eq!((status.since, status.missed.records, status.rebuilt), (Some(NOW), 0, None));
    drop(counting);
    // Damaged, it is rebuilt from what the log has, and says so.
    append_some(&log, &mut rng, 60);
    remove_sealed(&log);
    disk.rot(&file(), |bytes| bytes[40] ^= 1);
    let counting = Counting::start(log.reader(), disk.disk());
    let status = counting.caught_up();
    assert_eq!(counting.counts(), recount(log.reader()));
    assert!(status.since.is_some() && status.rebuilt.is_some());
}

#[test]
fn records_that_are_carried_on_are_read_though_their_segment_left() {
    const CHANGES: u64 = 10;
    let mut rng = SmallRng::seed_from_u64(11);
    let disk = empty_disk();
    let log = open(&disk);
    for _ in 0..CHANGES {
        append(&log, Partition::REGISTRY.0, &decided(&mut rng, Partition::REGISTRY));
        append_some(&log, &mut rng, 3);
    }
    let all = followers(log.reader(), disk.disk());
    let gate = Gate::default();
    all.start(Gated(gate.clone())).expect("it starts");
    until("it has read some", || all.status()[0].lag_records == 0);
    drop(all);
    for _ in 0..CHANGES {
        append(&log, Partition::REGISTRY.0, &decided(&mut rng, Partition::REGISTRY));
        append_some(&log, &mut rng, 3);
    }
    let raw = log.raw(Partition::REGISTRY, 2 * CHANGES).expect("they can be read");
    let read = gate.arrived();
    remove_sealed(&log);
    log.carry(Partition::REGISTRY, raw).expect("they can be carried");
    assert!(log.oldest(Partition::REGISTRY) > CHANGES + 1, "some that it hasn't read have left");
    for fresh in [false, true] {
        if fresh {
            disk.disk().remove(&dir().join("gated.state")).expect("it can be removed");
        }
        let all = followers(log.reader(), disk.disk());
        all.start(Gated(gate.clone())).expect("it starts");
        until("it goes on", || all.status()[0].lag_records == 0);
        let missed = all.status().remove(0).missed;
        let is_registry = |partition: Partition| partition == Partition::REGISTRY;
        assert!(missed.ranges.iter().all(|range| !is_registry(range.partition)), "{missed:?}");
        assert_eq!(missed.records == 0, fresh, "a first start misses nothing");
    }
    let kept: u64 =
        (0..PARTITIONS).map(Partition).map(|it| log.durable_head(it).seq + 1 - log.oldest(it)).sum();
    assert_eq!(gate.arrived() as u64 - read as u64, CHANGES + kept + 2 * CHANGES + kept);
}
