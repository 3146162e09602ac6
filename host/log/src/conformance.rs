//! What a backend of the log has to pass: the promises of [`PartitionedLog`] and [`ReadLog`], as tests.
//!
//! A backend's own tests implement [`Backend`] and say `samsyn_log::conformance_tests!(make)`, where `make(seed)`
//! gives an empty log: each check becomes a test. Nothing here knows how a log keeps its records.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

use super::{
    AppendError, Appended, Commit, Entry, Failure, Head, LogPlace, PartitionedLog, Payload, ReadLog,
    ScanFrom, ScanLog, StoredRecord,
};
use samsyn_vocabulary::{Partition, Position, Seq, Timestamp};

/// How long a record may take to be durable, or a failure to be told.
const PATIENCE: Duration = Duration::from_secs(20);
/// Partitions that are written to.
const PARTITIONS: u16 = 4;

/// One log and the processes that have it open, one after the other.
pub trait Backend {
    /// A log of it. What is attached to a record is the number that its payload holds too.
    type Log: PartitionedLog<u64> + 'static;

    /// A process opens the log; it isn't started yet.
    fn open(&mut self) -> Self::Log;

    /// Another process opens the log while this one is alive; none when it is refused.
    fn take_over(&mut self) -> Option<Self::Log>;

    /// The process dies: what it was doing fails or not, and what wasn't durable may be gone.
    fn crash(&mut self, log: Self::Log);

    /// From now on nothing can be made durable.
    fn fail(&mut self);
}

/// Makes a test of each check. `make` is a function from a seed to a [`Backend`] with an empty log.
#[macro_export]
macro_rules! conformance_tests {
    ($make:expr) => {
        $crate::conformance_tests!($make;
            what_is_appended_reads_back
            who_is_no_longer_at_the_head_is_fenced
            a_second_owner_ends_the_first_or_is_refused
            an_append_is_whole_or_nothing
            numbers_have_no_gap_however_many_append
            readers_see_a_growing_beginning
            durable_is_told_once_in_order_and_when_it_can_be_read
            who_follows_is_woken_and_reads_each_record_once
            a_cut_says_where_every_partition_ends
            a_failure_is_told_once_and_ends_appending
            a_closed_log_takes_nothing_and_has_everything
            a_crash_leaves_a_beginning_with_all_that_was_told
            what_a_record_relies_on_is_there_after_a_crash
        );
    };
    ($make:expr; $($check:ident)*) => {
        $(
            #[test]
            fn $check() {
                $crate::conformance::$check($make);
            }
        )*
    };
}

/// A record as it was appended.
fn entry(partition: u16, number: u64) -> Entry<u64> {
    Entry {
        partition: Partition(partition),
        expected_head: None,
        relies_on: None,
        kind: (number % 200) as u8,
        appended_at: Timestamp(1_700_000_000_000 + number as i64),
        payload: Payload::new(payload(number)),
        attachment: number,
    }
}

/// Of different lengths, and to be told apart.
fn payload(number: u64) -> Vec<u8> {
    let mut bytes = number.to_le_bytes().to_vec();
    bytes.resize(8 + (number % 90) as usize, number as u8);
    bytes
}

fn number_of(payload: &[u8]) -> u64 {
    u64::from_le_bytes(*payload.first_chunk().expect("a payload begins with its number"))
}

/// A record that was told to be durable.
struct Told {
    position: Position,
    number: u64,
    /// Whether it could be read at that moment.
    seen: bool,
}

/// A started log.
struct Running<L> {
    log: L,
    durable: mpsc::Receiver<Told>,
    failed: mpsc::Receiver<String>,
}

impl<L: PartitionedLog<u64> + 'static> Running<L> {
    fn start(log: L) -> Running<L> {
        let (tell, durable) = mpsc::channel();
        let (tell_failed, failed) = mpsc::channel();
        let reader = log.reader().clone();
        let on_durable = move |commit: Commit<u64>| {
            for record in commit.records {
                let head = reader.durable_head(record.position.partition);
                let read = reader.read(record.position).ok().flatten();
                let same = read.is_some_and(|read| {
                    (read.payload, read.chain, read.kind, read.appended_at)
                        == (record.payload.clone(), record.chain, record.kind, record.appended_at)
                });
                assert_eq!(record.attachment, number_of(&record.payload), "each has its own attachment");
                let seen = same && head.seq >= record.position.seq;
                // Nobody listens any more when the process is about to die.
                let _ = tell.send(Told { position: record.position, number: record.attachment, seen });
            }
        };
        let on_failed = move |failure: &Failure| drop(tell_failed.send(failure.to_string()));
        log.start(on_durable, on_failed).expect("a log is started once");
        Running { log, durable, failed }
    }

    /// Waits until so many more are told.
    fn wait(&self, records: usize) -> Vec<Told> {
        let durable = |_| self.durable.recv_timeout(PATIENCE).expect("what is appended becomes durable");
        (0..records).map(durable).collect()
    }

    fn commit(&self, entries: Vec<Entry<u64>>) -> Vec<Appended> {
        let appended = self.log.append_all(entries).expect("it appends");
        self.wait(appended.len());
        appended
    }
}

fn records<R: ReadLog>(reader: &R, partition: u16, from: Seq) -> Vec<StoredRecord> {
    reader.scan(Partition(partition), from).map(|record| record.expect("it can be read")).collect()
}

/// Positions and numbers of all records, as a scan of all partitions gives them.
fn all<R: ReadLog>(reader: &R, from: ScanFrom) -> Vec<(Position, u64)> {
    let mut scan = reader.scan_all(from);
    let (mut all, mut place) = (Vec::new(), LogPlace::START);
    while let Some(record) = scan.next().expect("it can be read") {
        all.push((record.position, number_of(record.payload)));
        let now = scan.place();
        assert!(now >= place, "a scan goes forwards");
        place = now;
    }
    let progress = scan.progress();
    assert_eq!(progress.bytes_done, progress.bytes_total, "it is at its end");
    all
}

fn position(partition: u16, seq: Seq) -> Position {
    Position { partition: Partition(partition), seq }
}

pub fn what_is_appended_reads_back<B: Backend>(make: impl Fn(u64) -> B) {
    let mut backend = make(1);
    let running = Running::start(backend.open());
    let id = running.log.reader().log_id();
    assert!(running.log.reader().durable_heads().is_empty() && running.log.reader().is_whole());
    let one = running.log.append(entry(1, 7)).expect("it appends");
    assert_eq!(one.position, position(1, 1));
    running.wait(1);
    let more = running.commit(vec![entry(2, 8), entry(1, 9), entry(1, 200)]);
    let wanted = [position(2, 1), position(1, 2), position(1, 3)];
    assert_eq!(more.iter().map(|is| is.position).collect::<Vec<_>>(), wanted);
    let appended = [vec![one], more].concat();
    let check = |log: &B::Log| {
        let reader = log.reader();
        assert_eq!(reader.log_id(), id, "a log keeps its id");
        for (Appended { position, chain }, number) in appended.iter().zip([7, 8, 9, 200]) {
            let read = reader.read(*position).expect("it can be read").expect("it is there");
            let wanted = entry(position.partition.0, number);
            assert_eq!((read.position, read.chain, read.erased), (*position, *chain, false));
            assert_eq!((read.kind, read.appended_at), (wanted.kind, wanted.appended_at));
            assert_eq!(read.payload[..], payload(number)[..]);
            assert_eq!(reader.chain_at(*position).expect("it can be read"), Some(*chain));
        }
        let nowhere = [position(1, 0), position(1, 4), position(3, 1)];
        assert!(nowhere.iter().all(|no| reader.read(*no).expect("it can be asked").is_none()));
        let numbers = |partition, from| -> Vec<u64> {
            records(reader, partition, from).iter().map(|record| number_of(&record.payload)).collect()
        };
        assert_eq!((numbers(1, 0), numbers(1, 2), numbers(1, 4)), (vec![7, 9, 200], vec![9, 200], vec![]));
        assert_eq!((numbers(2, 1), numbers(3, 1), reader.oldest(Partition(1))), (vec![8], vec![], 1));
        let everything = all(reader, ScanFrom::Start);
        assert_eq!(everything.iter().map(|(_, number)| *number).collect::<Vec<_>>(), [7, 8, 9, 200]);
        let later = all(reader, ScanFrom::Seqs(HashMap::from([(Partition(1), 3), (Partition(2), 2)])));
        assert_eq!(later, [(position(1, 3), 200)]);
        let last = appended.last().expect("there are some");
        assert_eq!(log.head(Partition(1)), Head { seq: 3, chain: last.chain });
        assert_eq!(reader.durable_head(Partition(1)), log.head(Partition(1)));
    };
    check(&running.log);
    running.log.close().expect("it closes");
    drop(running);
    let again = Running::start(backend.open());
    check(&again.log);
    assert_eq!(again.commit(vec![entry(1, 300)])[0].position, position(1, 4), "it goes on");
}

pub fn who_is_no_longer_at_the_head_is_fenced<B: Backend>(make: impl Fn(u64) -> B) {
    let running = Running::start(make(2).open());
    let log = &running.log;
    let at =
        |partition, expected, number| Entry { expected_head: Some(expected), ..entry(partition, number) };
    // It counts at once, and not only when it is durable.
    log.append(at(0, 0, 1)).expect("it is at the head");
    log.append(at(0, 1, 2)).expect("it is at the head");
    for wrong in [0, 1, 3, Seq::MAX] {
        match log.append(at(0, wrong, 3)) {
            Err(AppendError::Fenced { partition, expected, head }) => {
                assert_eq!((partition, expected, head), (Partition(0), wrong, 2));
            }
            other => panic!("at {wrong}: {other:?}"),
        }
    }
    // Counted after the entries before it in the same append.
    log.append_all(vec![at(0, 2, 4), at(1, 0, 5), at(0, 3, 6), at(1, 1, 7)]).expect("each is at the head");
    assert_eq!((log.head(Partition(0)).seq, log.head(Partition(1)).seq), (4, 2));
    running.wait(6);
    assert_eq!(records(log.reader(), 0, 1).len() + records(log.reader(), 1, 1).len(), 6);
}

pub fn a_second_owner_ends_the_first_or_is_refused<B: Backend>(make: impl Fn(u64) -> B) {
    let mut backend = make(3);
    let first = Running::start(backend.open());
    first.commit(vec![entry(0, 1), entry(1, 2)]);
    let Some(second) = backend.take_over() else {
        first.commit(vec![entry(0, 3)]);
        return;
    };
    let second = Running::start(second);
    second.commit(vec![entry(0, 3)]);
    let known = first.log.head(Partition(1)).seq;
    for stale in [entry(0, 4), entry(1, 5), Entry { expected_head: Some(known), ..entry(1, 6) }] {
        let refused = first.log.append(stale);
        let is_told = matches!(refused, Err(AppendError::Fenced { .. } | AppendError::Failed(_)));
        assert!(is_told, "the first owner isn't one any more: {refused:?}");
    }
    second.commit(vec![entry(1, 7)]);
    let numbers = all(second.log.reader(), ScanFrom::Start);
    assert_eq!(numbers.iter().map(|(_, number)| *number).collect::<Vec<_>>(), [1, 2, 3, 7]);
}

pub fn an_append_is_whole_or_nothing<B: Backend>(make: impl Fn(u64) -> B) {
    let running = Running::start(make(4).open());
    let log = &running.log;
    running.commit(vec![entry(0, 1), entry(1, 2)]);
    let heads = [log.head(Partition(0)), log.head(Partition(1))];
    let fenced = Entry { expected_head: Some(9), ..entry(1, 5) };
    let refused = log.append_all(vec![entry(0, 3), entry(1, 4), fenced, entry(0, 6)]);
    assert!(matches!(refused, Err(AppendError::Fenced { expected: 9, head: 2, .. })), "{refused:?}");
    let max = log.append_bytes_max();
    let large = |bytes| Entry { payload: Payload::new(vec![7; bytes]), ..entry(0, 7) };
    for too_large in [vec![large(max + 1)], vec![entry(1, 8), large(max)]] {
        let refused = log.append_all(too_large);
        assert!(matches!(refused, Err(AppendError::TooLarge { .. })), "{refused:?}");
    }
    assert_eq!([log.head(Partition(0)), log.head(Partition(1))], heads, "nothing was taken");
    assert!(log.append_all(Vec::new()).expect("nothing is an append too").is_empty());
    running.commit(vec![entry(0, 9)]);
    let numbers = all(log.reader(), ScanFrom::Start);
    assert_eq!(numbers.iter().map(|(_, number)| *number).collect::<Vec<_>>(), [1, 2, 9]);
}

pub fn numbers_have_no_gap_however_many_append<B: Backend>(make: impl Fn(u64) -> B) {
    const THREADS: u64 = 4;
    const APPENDS: u64 = 60;
    let running = Running::start(make(5).open());
    let log = &running.log;
    // What each thread appended, in its order.
    let appended: Vec<Vec<(Position, u64)>> = std::thread::scope(|scope| {
        let append = |thread: u64| {
            let mut rng = SmallRng::seed_from_u64(thread);
            let mut own = Vec::new();
            for turn in 0..APPENDS {
                let numbers: Vec<u64> =
                    (0..rng.random_range(1..=3)).map(|i| thread << 32 | turn << 8 | i).collect();
                let partition = |_: &u64| rng.random_range(0..PARTITIONS);
                let partitions: Vec<u16> = numbers.iter().map(partition).collect();
                let entries = partitions.iter().zip(&numbers).map(|(partition, is)| entry(*partition, *is));
                log.wait_for_room();
                let appended = log.append_all(entries.collect()).expect("it appends");
                own.extend(appended.iter().map(|appended| appended.position).zip(numbers));
            }
            own
        };
        let threads: Vec<_> = (0..THREADS).map(|thread| scope.spawn(move || append(thread))).collect();
        threads.into_iter().map(|thread| thread.join().expect("it appends")).collect()
    });
    running.wait(appended.iter().map(Vec::len).sum());
    let found: BTreeMap<Position, u64> = all(log.reader(), ScanFrom::Start).into_iter().collect();
    let wanted: BTreeMap<Position, u64> = appended.iter().flatten().copied().collect();
    assert_eq!(found, wanted, "each stands where its appender was told");
    for partition in 0..PARTITIONS {
        let own = records(log.reader(), partition, 1);
        let seqs: Vec<Seq> = own.iter().map(|record| record.position.seq).collect();
        assert_eq!(seqs, (1..=own.len() as Seq).collect::<Vec<_>>(), "no number is left out");
        assert_eq!(log.head(Partition(partition)).seq, own.len() as Seq);
        for appended in &appended {
            let of_one = appended.iter().filter(|(position, _)| position.partition == Partition(partition));
            assert!(of_one.map(|(position, _)| position.seq).is_sorted(), "each thread's are in its order");
        }
    }
}

pub fn readers_see_a_growing_beginning<B: Backend>(make: impl Fn(u64) -> B) {
    const APPENDS: u64 = 300;
    let running = Running::start(make(6).open());
    let (log, done) = (&running.log, AtomicBool::new(false));
    std::thread::scope(|scope| {
        let reader = log.reader().clone();
        let done = &done;
        let looking = scope.spawn(move || {
            let (mut seen, mut looks) = (HashMap::<u16, usize>::new(), 0);
            while !done.load(Ordering::Acquire) || looks < 3 {
                let heads: HashMap<Partition, Head> = reader.durable_heads().into_iter().collect();
                for partition in 0..PARTITIONS {
                    let own = records(&reader, partition, 1);
                    let whole = own.iter().zip(1..).all(|(record, seq)| record.position.seq == seq);
                    assert!(whole, "partition {partition} has no gap");
                    let head = heads.get(&Partition(partition)).map_or(0, |head| head.seq);
                    assert!(own.len() as Seq >= head, "what was durable is read");
                    let before = seen.insert(partition, own.len()).unwrap_or(0);
                    assert!(own.len() >= before, "nothing disappears");
                }
                // Every append has its numbers in a row: none is seen without those before it.
                let numbers: Vec<u64> = all(&reader, ScanFrom::Start).iter().map(|(_, is)| *is).collect();
                let mut of_appends = BTreeMap::<u64, Vec<u64>>::new();
                numbers.iter().for_each(|is| of_appends.entry(is / 10).or_default().push(is % 10));
                let beginning = |own: &Vec<u64>| own.iter().copied().eq(0..own.len() as u64);
                assert!(of_appends.values().all(beginning), "{of_appends:?}");
                looks += 1;
            }
        });
        let mut rng = SmallRng::seed_from_u64(6);
        let mut appended = 0;
        for turn in 0..APPENDS {
            let entries: Vec<_> = (0..rng.random_range(1..=3))
                .map(|index| entry(rng.random_range(0..PARTITIONS), turn * 10 + index))
                .collect();
            appended += entries.len();
            log.wait_for_room();
            log.append_all(entries).expect("it appends");
        }
        running.wait(appended);
        done.store(true, Ordering::Release);
        looking.join().expect("readers see no gap");
    });
}

pub fn durable_is_told_once_in_order_and_when_it_can_be_read<B: Backend>(make: impl Fn(u64) -> B) {
    let running = Running::start(make(7).open());
    let mut rng = SmallRng::seed_from_u64(7);
    let mut appended = BTreeMap::new();
    for number in 0..200 {
        let one = running.log.append(entry(rng.random_range(0..PARTITIONS), number)).expect("it appends");
        appended.insert(one.position, number);
    }
    let durable = running.wait(appended.len());
    assert!(durable.iter().all(|durable| durable.seen), "what is told can be read");
    let mut heads = HashMap::<Partition, Seq>::new();
    for Told { position, number, .. } in &durable {
        let head = heads.entry(position.partition).or_default();
        *head += 1;
        assert_eq!((position.seq, appended.get(position)), (*head, Some(number)), "each once, in order");
    }
    assert!(running.durable.try_recv().is_err(), "nothing is told twice");
    assert!(running.log.start(|_| {}, |_| {}).is_err(), "it is started once");
}

pub fn who_follows_is_woken_and_reads_each_record_once<B: Backend>(make: impl Fn(u64) -> B) {
    const APPENDS: u64 = 300;
    /// It ends with this one.
    const LAST: u64 = 1_000;
    let running = Running::start(make(12).open());
    let (log, reader) = (&running.log, running.log.reader().clone());
    // Some are there when it begins.
    for number in 0..20 {
        running.commit(vec![entry((number % 3) as u16, number)]);
    }
    std::thread::scope(|scope| {
        let follows = scope.spawn(move || {
            let growth = reader.growth();
            let waiter = growth.waiter();
            let mut scan = reader.scan_all(ScanFrom::Start);
            let (mut found, mut heads) = (Vec::new(), HashMap::<Partition, Seq>::new());
            loop {
                let seen = growth.commits();
                scan.extend();
                while let Some(record) = scan.next().expect("it can be read") {
                    let head = heads.entry(record.position.partition).or_default();
                    *head += 1;
                    assert_eq!(record.position.seq, *head, "each once and in order");
                    found.push(number_of(record.payload));
                }
                let progress = scan.progress();
                assert_eq!(progress.bytes_done, progress.bytes_total, "it is at its end");
                if found.last() == Some(&LAST) {
                    return found;
                }
                waiter.wait(seen, || false);
            }
        });
        let mut waits = 0;
        for number in 20..APPENDS {
            log.wait_for_room();
            log.append(entry((number % u64::from(PARTITIONS)) as u16, number)).expect("it appends");
            waits += 1;
            if number % 50 == 0 {
                // It reads to the end and sleeps now and then.
                running.wait(std::mem::take(&mut waits));
            }
        }
        log.append(entry(0, LAST)).expect("it appends");
        let wanted: Vec<u64> = (0..APPENDS).chain([LAST]).collect();
        assert_eq!(follows.join().expect("it reads to the end"), wanted);
    });
}

pub fn a_cut_says_where_every_partition_ends<B: Backend>(make: impl Fn(u64) -> B) {
    let mut backend = make(8);
    let running = Running::start(backend.open());
    let reader = running.log.reader();
    let mut before = reader.cut();
    assert_eq!(before.log_id, reader.log_id());
    for number in 0..40 {
        running.commit(vec![entry((number % 3) as u16, number)]);
        let cut = reader.cut();
        assert!(cut.place > before.place && cut.place.bytes_since(before.place) > 0, "it is later");
        assert_eq!(before.place.bytes_since(cut.place), 0);
        assert_eq!(cut.heads, reader.durable_heads());
        assert!(cut.heads.is_sorted_by_key(|(partition, _)| *partition));
        assert!(cut.digest() != before.digest(), "it is of other records");
        assert_eq!(reader.cut(), cut, "nothing was appended in between");
        assert_eq!(LogPlace::from_number(cut.place.number()), cut.place, "a file can keep it");
        before = cut;
    }
    running.log.close().expect("it closes");
    drop(running);
    let again = backend.open();
    let cut = again.reader().cut();
    assert!(cut.place >= before.place && cut.heads == before.heads, "and the next process finds it");
}

pub fn a_failure_is_told_once_and_ends_appending<B: Backend>(make: impl Fn(u64) -> B) {
    let mut backend = make(9);
    let running = Running::start(backend.open());
    running.commit(vec![entry(0, 1), entry(0, 2)]);
    assert!(running.log.failed().is_none());
    backend.fail();
    // Whether this one is taken or refused: it never becomes durable.
    let _ = running.log.append(entry(0, 3));
    running.failed.recv_timeout(PATIENCE).expect("the failure is told");
    let durable: Vec<u64> = running.durable.try_iter().map(|durable| durable.number).collect();
    assert!(durable.is_empty(), "{durable:?} can't be durable");
    assert!(running.log.failed().is_some());
    let refused = running.log.append(entry(0, 4));
    assert!(matches!(refused, Err(AppendError::Failed(_))), "{refused:?}");
    assert_eq!(running.log.reader().durable_head(Partition(0)).seq, 2);
    assert_eq!(records(running.log.reader(), 0, 1).len(), 2, "what was durable is read still");
    running.log.wait_for_room();
    assert!(running.log.close().is_err(), "closing says it as well");
    assert!(running.failed.try_recv().is_err(), "it is told once");
}

pub fn a_closed_log_takes_nothing_and_has_everything<B: Backend>(make: impl Fn(u64) -> B) {
    let mut backend = make(10);
    let running = Running::start(backend.open());
    let appended: Vec<Position> =
        (0..50).map(|is| running.log.append(entry(1, is)).expect("it appends").position).collect();
    running.log.close().expect("it closes");
    assert_eq!(running.durable.try_iter().count(), appended.len(), "what was queued is durable and told");
    let refused = running.log.append(entry(1, 50));
    assert!(matches!(refused, Err(AppendError::Closed)), "{refused:?}");
    drop(running);
    let again = backend.open();
    assert_eq!(again.head(Partition(1)).seq, 50);
    assert_eq!(records(again.reader(), 1, 1).len(), 50);
}

pub fn a_crash_leaves_a_beginning_with_all_that_was_told<B: Backend>(make: impl Fn(u64) -> B) {
    /// Logs, and processes that die one after the other on each.
    const LOGS: u64 = 12;
    const LIVES: u64 = 5;
    for seed in 100..100 + LOGS {
        let mut backend = make(seed);
        let mut rng = SmallRng::seed_from_u64(seed);
        // What is surely there: all that was told, and all that a process found.
        let mut sure: BTreeMap<Position, u64> = BTreeMap::new();
        for life in 0..LIVES {
            let log = Running::start(backend.open());
            let mut appends: Vec<Vec<(Position, u64)>> = Vec::new();
            for turn in 0..rng.random_range(0..25) {
                let entries: Vec<_> = (0..rng.random_range(1..=3))
                    .map(|index| entry(rng.random_range(0..PARTITIONS), life << 32 | turn << 8 | index))
                    .collect();
                let numbers: Vec<u64> = entries.iter().map(|entry| entry.attachment).collect();
                let appended = log.log.append_all(entries).expect("it appends");
                appends.push(appended.iter().map(|appended| appended.position).zip(numbers).collect());
                if rng.random_range(0..6) == 0 {
                    sure.extend(log.wait(1).iter().map(|durable| (durable.position, durable.number)));
                }
            }
            let Running { log, durable, .. } = log;
            backend.crash(log);
            sure.extend(durable.try_iter().map(|durable| (durable.position, durable.number)));
            let found = look(&mut backend);
            for (position, number) in &sure {
                assert_eq!(found.get(position), Some(number), "seed {seed}: {position} was told");
            }
            let wanted: BTreeMap<Position, u64> = sure
                .iter()
                .map(|(is, number)| (*is, *number))
                .chain(appends.iter().flatten().copied())
                .collect();
            for (position, number) in &found {
                assert_eq!(wanted.get(position), Some(number), "seed {seed}: {position} was never appended");
            }
            for append in &appends {
                let there: Vec<bool> = append.iter().map(|(is, _)| found.contains_key(is)).collect();
                assert!(there.is_sorted_by(|one, next| one >= next), "seed {seed}: {append:?}: {there:?}");
            }
            sure = found;
        }
    }
}

pub fn what_a_record_relies_on_is_there_after_a_crash<B: Backend>(make: impl Fn(u64) -> B) {
    const LOGS: u64 = 24;
    let mut kept = 0;
    for seed in 200..200 + LOGS {
        let mut backend = make(seed);
        let mut rng = SmallRng::seed_from_u64(seed);
        let log = Running::start(backend.open());
        let mut positions: Vec<Position> = Vec::new();
        let mut relying: Vec<(Position, Position)> = Vec::new();
        for number in 0..40 {
            let relies_on = match positions.len() {
                0 => None,
                count => Some(positions[rng.random_range(0..count)]),
            };
            let new = Entry { relies_on, ..entry(rng.random_range(0..PARTITIONS), number) };
            let position = log.log.append(new).expect("it appends").position;
            relying.extend(relies_on.map(|relies_on| (position, relies_on)));
            positions.push(position);
            if number == 20 {
                log.wait(1);
            }
        }
        backend.crash(log.log);
        let found = look(&mut backend);
        for (position, relies_on) in relying.iter().filter(|(position, _)| found.contains_key(position)) {
            kept += 1;
            assert!(found.contains_key(relies_on), "seed {seed}: {position} is there without {relies_on}");
        }
    }
    assert!(kept > 0, "a crash leaves some");
}

/// What the next process finds; partitions are whole from their first record on.
fn look<B: Backend>(backend: &mut B) -> BTreeMap<Position, u64> {
    let log = backend.open();
    let found: BTreeMap<Position, u64> = all(log.reader(), ScanFrom::Start).into_iter().collect();
    for partition in 0..PARTITIONS {
        let own = records(log.reader(), partition, 1);
        let head =
            own.last().map_or(Head::default(), |last| Head { seq: last.position.seq, chain: last.chain });
        assert!(own.iter().zip(1..).all(|(record, seq)| record.position.seq == seq), "there is no gap");
        assert_eq!((log.head(Partition(partition)), head.seq), (head, own.len() as Seq));
        assert!(own.iter().all(|record| found.get(&record.position) == Some(&number_of(&record.payload))));
    }
    drop(log);
    found
}
