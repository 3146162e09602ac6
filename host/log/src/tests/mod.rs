//! The log as a whole: appending, reading, rolling, ending. (Crashes and rot: `survival`.)

use std::collections::HashMap;
use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};
use std::sync::mpsc;

use tempfile::TempDir;

use super::*;

mod ahead;
mod conformance;
mod crash_states;
mod erasing;
mod repair;
mod retention;
mod survival;

/// The smallest segments there can be, so that a few records fill several.
pub(super) const SMALL: Options = Options {
    segment_bytes: 1 << 10,
    frame_bytes_max: 1 << 10,
    queue_bytes_max: 1 << 20,
    commit_interval_us: 0,
    // Where a segment ends then depends on how fast a thread is.
    zero_ahead: false,
};

pub(super) fn entry(partition: u16, payload: &str) -> Entry<usize> {
    Entry {
        partition: Partition(partition),
        expected_head: None,
        relies_on: None,
        kind: 7,
        appended_at: Timestamp(1_700_000_000_000),
        payload: Payload::new(payload.as_bytes()),
        attachment: payload.len(),
    }
}

pub(super) fn position(partition: u16, seq: Seq) -> Position {
    Position { partition: Partition(partition), seq }
}

/// A started log whose commits can be awaited.
pub(super) struct Started {
    pub log: LocalLog<usize>,
    pub recovered: Recovered,
    pub commits: mpsc::Receiver<Commit<usize>>,
}

impl Started {
    pub fn open(dir: &Path, options: Options) -> Started {
        let (log, recovered) = LocalLog::open(dir, options).expect("the log opens");
        let (send, commits) = mpsc::channel();
        log.start(move |commit| send.send(commit).unwrap_or_default(), |_| {}).expect("it starts");
        Started { log, recovered, commits }
    }

    /// Appends, and waits until it is durable: one frame a call.
    pub fn commit(&self, entries: Vec<Entry<usize>>) -> Vec<Committed<usize>> {
        self.log.append_all(entries).expect("it appends");
        self.commits.recv().expect("it commits").records
    }
}

pub(super) fn log_dir(dir: &Path) -> files::LogDir {
    files::LogDir::new(samsyn_disk::local(), dir)
}

pub(super) fn segment_files(dir: &Path) -> Vec<PathBuf> {
    let numbers = log_dir(dir).segment_numbers().expect("a directory");
    numbers.into_iter().map(|number| files::segment_path(dir, number)).collect()
}

/// What a crash now would leave on the disk.
pub(super) fn crash_image(dir: &Path) -> TempDir {
    let image = TempDir::new().expect("a directory");
    for file in segment_files(dir) {
        fs::copy(&file, image.path().join(file.file_name().unwrap())).expect("a copy");
    }
    image
}

/// Every record, as position and payload, in the order of the log.
pub(super) fn records(reader: &LogReader) -> Vec<(Position, String)> {
    let mut scan = reader.scan_all(ScanFrom::Start);
    let mut records = Vec::new();
    while let Some(record) = scan.next().expect("it reads") {
        records.push((record.position, String::from_utf8_lossy(record.payload).into_owned()));
    }
    assert_eq!(scan.progress().bytes_done, scan.progress().bytes_total);
    records
}

#[test]
fn what_is_appended_reads_back_now_and_after_a_start() {
    let dir = TempDir::new().unwrap();
    let started = Started::open(dir.path(), Options::default());
    assert!(started.recovered.clean && started.recovered.heads.is_empty());
    let committed = started.commit(vec![entry(1, "one"), entry(2, "two"), entry(1, "three")]);
    let committed_records: Vec<_> =
        committed.iter().map(|c| (c.position, &c.payload[..], c.attachment)).collect();
    assert_eq!(
        committed_records,
        [
            (position(1, 1), &b"one"[..], 3),
            (position(2, 1), &b"two"[..], 3),
            (position(1, 2), &b"three"[..], 5)
        ]
    );
    let head = started.log.head(Partition(1));
    assert_eq!((head, started.log.durable_head(Partition(1))), (head, head));
    started.log.close().unwrap();
    drop(started);

    let Started { log, recovered, .. } = Started::open(dir.path(), Options::default());
    assert!(recovered.clean && recovered.tail.is_none());
    assert_eq!((recovered.records, recovered.heads[&Partition(1)]), (3, head));
    let record = log.read(position(1, 2)).unwrap().unwrap();
    assert_eq!(
        (record.kind, record.appended_at.0, &record.payload[..]),
        (7, 1_700_000_000_000, &b"three"[..])
    );
    assert_eq!(record.chain, head.chain);
    assert_eq!(log.read(position(1, 3)).unwrap(), None);
    assert_eq!(log.read(position(9, 1)).unwrap(), None);
    assert_eq!(log.read(position(1, 0)).unwrap(), None);
    let expected = [(position(1, 1), "one"), (position(2, 1), "two"), (position(1, 2), "three")];
    assert_eq!(records(&log), expected.map(|(position, text)| (position, text.to_owned())));
}

#[test]
fn segments_roll_and_are_read_across() {
    let dir = TempDir::new().unwrap();
    let mut expected = Vec::new();
    for start in 0..3u64 {
        let Started { log, commits, recovered } = Started::open(dir.path(), SMALL);
        assert_eq!(recovered.records, start * 20);
        for n in 0..20 {
            // The third partition is new late and rare: some segments know it and hold none of it.
            let partition = if start > 0 && n == 10 { 3 } else { n % 2 };
            let payload = "x".repeat(200 + n as usize);
            log.append(entry(partition, &payload)).unwrap();
            expected
                .extend(commits.recv().unwrap().records.into_iter().map(|c| (c.position, payload.clone())));
        }
        log.close().unwrap();
    }
    let Started { log, recovered, .. } = Started::open(dir.path(), SMALL);
    assert!(recovered.segments > 10, "{}", recovered.segments);
    assert_eq!(records(&log), expected);
    for (position, payload) in &expected {
        let record = log.read(*position).unwrap().unwrap();
        assert_eq!(&record.payload[..], payload.as_bytes());
        let rest: Vec<_> = log.scan(position.partition, position.seq).map(Result::unwrap).collect();
        let wanted: Vec<_> = expected
            .iter()
            .filter(|(other, _)| other.partition == position.partition && other.seq >= position.seq)
            .map(|(position, _)| *position)
            .collect();
        assert_eq!(rest.iter().map(|record| record.position).collect::<Vec<_>>(), wanted);
    }
    let from = ScanFrom::Seqs(HashMap::from([(Partition(0), 25), (Partition(1), 99), (Partition(3), 2)]));
    let mut scan = log.scan_all(from);
    let mut seqs = Vec::new();
    while let Some(record) = scan.next().unwrap() {
        seqs.push((record.position.partition.0, record.position.seq));
    }
    let wanted = expected.iter().map(|(position, _)| (position.partition.0, position.seq));
    assert_eq!(seqs, wanted.filter(|at| (at.0 == 0 && at.1 >= 25) || *at == (3, 2)).collect::<Vec<_>>());
    drop(log);
    let report = verify(dir.path(), |_| {}).unwrap();
    assert_eq!((report.problem, report.records, report.clean), (None, 60, true));
}

#[test]
fn records_of_any_length_read_back() {
    let dir = TempDir::new().unwrap();
    let started = Started::open(dir.path(), Options::default());
    let lengths = [0, 1, 919, 920, 921, 1024, 70_000];
    let payload = |length| "x".repeat(length);
    started.commit(lengths.iter().map(|length| entry(1, &payload(*length))).collect());
    for (seq, length) in (1..).zip(lengths) {
        let record = started.log.read(position(1, seq)).unwrap().unwrap();
        assert_eq!(&record.payload[..], payload(length).as_bytes());
    }
    let scanned: Vec<usize> = records(&started.log).iter().map(|(_, payload)| payload.len()).collect();
    assert_eq!(scanned, lengths);
}

#[test]
fn a_stale_owner_is_fenced_and_changes_nothing() {
    let dir = TempDir::new().unwrap();
    let started = Started::open(dir.path(), Options::default());
    let fenced = |partition, expected| Entry { expected_head: Some(expected), ..entry(partition, "x") };
    started.commit(vec![fenced(1, 0), fenced(1, 1)]);
    let refused = started.log.append(fenced(1, 1)).unwrap_err();
    assert!(matches!(refused, AppendError::Fenced { expected: 1, head: 2, .. }), "{refused}");
    let refused = started.log.append_all(vec![fenced(2, 0), fenced(1, 2), fenced(1, 2)]).unwrap_err();
    assert!(matches!(refused, AppendError::Fenced { expected: 2, head: 3, .. }), "{refused}");
    assert_eq!(started.log.head(Partition(1)).seq, 2);
    assert_eq!(started.log.head(Partition(2)).seq, 0);
    assert_eq!(started.log.append(fenced(1, 2)).unwrap().position, position(1, 3));
}

#[test]
fn a_log_is_held_by_one() {
    let dir = TempDir::new().unwrap();
    let first = Started::open(dir.path(), Options::default());
    let second = LocalLog::<()>::open(dir.path(), Options::default());
    assert!(matches!(second, Err(LogError::Locked(_))));
    let again = first.log.start(|_| {}, |_| {});
    assert!(matches!(again, Err(LogError::Started)));
    drop(first);
    assert!(LocalLog::<()>::open(dir.path(), Options::default()).is_ok());
}

#[test]
fn appends_of_many_threads_are_gapless_and_whole() {
    const THREADS: usize = 4;
    const APPENDS: usize = 200;
    let dir = TempDir::new().unwrap();
    let Started { log, commits, .. } = Started::open(dir.path(), SMALL);
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let log = &log;
            scope.spawn(move || {
                for n in 0..APPENDS {
                    let (a, b) = ((n % 3) as u16, ((n + thread) % 3) as u16);
                    let pair = format!("{thread}/{n}");
                    log.append_all(vec![entry(a, &pair), entry(b, &pair)]).unwrap();
                }
            });
        }
        // Meanwhile somebody follows a partition, over segments that are sealed under its feet.
        let mut next = 1;
        while next <= 500 {
            for record in log.scan(Partition(0), next) {
                assert_eq!(record.unwrap().position.seq, next);
                next += 1;
            }
            std::thread::yield_now();
        }
    });
    log.close().unwrap();
    let reader = log.reader().clone();
    drop(log);
    let mut heads: HashMap<Partition, Seq> = HashMap::new();
    let mut durable = Vec::new();
    for commit in commits {
        assert!(commit.bytes <= SMALL.frame_bytes_max + format::FRAME_HEADER_BYTES);
        // Both records of an append come in the same commit, one after the other.
        assert!(commit.records.chunks(2).all(|pair| pair[0].payload == pair[1].payload));
        for record in commit.records {
            let head = heads.entry(record.position.partition).or_default();
            *head += 1;
            assert_eq!(record.position.seq, *head);
            durable.push((record.position, String::from_utf8(record.payload.to_vec()).unwrap()));
        }
    }
    assert_eq!(durable.len(), THREADS * APPENDS * 2);
    assert_eq!(records(&reader), durable);
    assert_eq!(verify(dir.path(), |_| {}).unwrap().problem, None);
}

#[test]
fn the_queue_says_when_it_is_full_and_one_append_fits_one_frame() {
    let dir = TempDir::new().unwrap();
    let options = Options { queue_bytes_max: 500, ..SMALL };
    let (log, _) = LocalLog::open(dir.path(), options).unwrap();
    log.append(entry(1, &"x".repeat(300))).unwrap();
    assert!(!log.is_full());
    log.append(entry(1, &"x".repeat(300))).unwrap();
    assert!(log.is_full() && log.queued_bytes() == 2 * 404);
    let refused = log.append(entry(1, &"x".repeat(1000))).unwrap_err();
    assert!(matches!(refused, AppendError::TooLarge { bytes: 1104, max: 1024 }));
    let (send, commits) = mpsc::channel();
    log.start(move |commit| send.send(commit.records.len()).unwrap(), |_| {}).unwrap();
    log.wait_for_room();
    assert_eq!(commits.iter().take(1).sum::<usize>(), 2);
    log.close().unwrap();
    assert!(matches!(log.append(entry(1, "late")), Err(AppendError::Closed)));
}

/// Appends to a log whose writer writes to `device`; answers what failed.
fn fail_on(device: &str) -> Failure {
    let dir = TempDir::new().unwrap();
    let (log, _) = LocalLog::open(dir.path(), Options::default()).unwrap();
    log.write_to(OpenOptions::new().write(true).open(device).unwrap());
    let (send, failed) = mpsc::channel();
    log.append(entry(1, "never durable")).unwrap();
    let commit = |_| panic!("a commit was told that isn't durable");
    log.start(commit, move |failure| send.send(failure.clone()).unwrap()).unwrap();
    let failure = failed.recv().unwrap();
    for _ in 0..2 {
        assert!(matches!(log.append(entry(1, "late")), Err(AppendError::Failed(_))));
    }
    assert!(log.failed().is_some());
    assert_eq!(log.read(position(1, 1)).unwrap(), None);
    assert_eq!(log.durable_head(Partition(1)).seq, 0);
    assert_eq!(log.queued_bytes(), 0);
    assert!(log.close().is_err());
    failure
}

#[test]
fn a_failed_write_or_sync_ends_the_log() {
    let full = fail_on("/dev/full");
    assert_eq!((full.action, full.cause.kind()), ("write to", std::io::ErrorKind::StorageFull));
    // The null device takes every byte and can't sync.
    let unsynced = fail_on("/dev/null");
    assert_eq!(unsynced.action, "sync");
}

#[test]
fn a_panic_in_the_callback_ends_the_log() {
    let dir = TempDir::new().unwrap();
    let (log, _) = LocalLog::open(dir.path(), Options::default()).unwrap();
    let (send, failed) = mpsc::channel();
    log.start(|_| panic!("a fault of the caller's"), move |failure| send.send(failure.clone()).unwrap())
        .unwrap();
    log.append(entry(1, "x")).unwrap();
    assert!(failed.recv().unwrap().to_string().contains("panicked"));
    assert!(matches!(log.append(entry(1, "late")), Err(AppendError::Failed(_))));
}

#[test]
fn who_reads_a_stopped_log_alone_changes_no_byte_and_keeps_others_out() {
    let dir = TempDir::new().unwrap();
    let started = Started::open(dir.path(), SMALL);
    (0..9).for_each(|number| drop(started.commit(vec![entry(1, &format!("number {number}"))])));
    assert!(matches!(StoppedLog::open_alone(dir.path()), Err(LogError::Locked(_))));
    started.log.close().unwrap();
    // A crash cut the last frame short.
    let last = segment_files(dir.path()).pop().unwrap();
    let length = fs::metadata(&last).unwrap().len();
    OpenOptions::new().write(true).open(&last).unwrap().set_len(length - FRAME_CLOSED_BYTES - 3).unwrap();
    let bytes =
        || -> Vec<Vec<u8>> { segment_files(dir.path()).iter().map(|file| fs::read(file).unwrap()).collect() };
    let before = bytes();
    let alone = StoppedLog::open_alone(dir.path()).unwrap();
    assert_eq!(records(alone.reader()).len(), 8);
    assert!(alone.torn().is_some());
    assert!(matches!(StoppedLog::open(dir.path()), Err(LogError::Locked(_))));
    assert!(matches!(LocalLog::<()>::open(dir.path(), SMALL), Err(LogError::Locked(_))));
    drop(alone);
    assert_eq!(bytes(), before);
    let (one, two) = (StoppedLog::open(dir.path()).unwrap(), StoppedLog::open(dir.path()).unwrap());
    assert!(matches!(StoppedLog::open_alone(dir.path()), Err(LogError::Locked(_))));
    drop((one, two));
    assert_eq!(bytes(), before);
}

/// The empty frame that a clean close writes.
const FRAME_CLOSED_BYTES: u64 = format::FRAME_HEADER_BYTES as u64;
