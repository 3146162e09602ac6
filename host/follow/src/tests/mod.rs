//! Followers over logs in memory and on disks that forget.

mod crashes;
mod failures;
mod histories;
mod retention;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use rand::RngExt;
use rand::rngs::SmallRng;

use samsyn_disk::Disk;
use samsyn_journal::{Changed, Decided, Encoded, Reader, Undecoded};
use samsyn_log::memory::{MemoryLog, MemoryStore};
use samsyn_log::{PartitionedLog, ReadLog, ScanFrom};
use samsyn_machine::clock::Clock;
use samsyn_testkit::image::Image;
use samsyn_testkit::memory::Memory;
use samsyn_vocabulary::{CapabilityName, FieldName, Partition, Position, ProfileId, Seq, Timestamp, Value};

use crate::{ApplyError, FieldChanges, FieldCounts, Follower, FollowerStatus, Followers, Pace};

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// Partitions with customers.
const PARTITIONS: u16 = 3;
const FIELDS: [&str; 4] = ["email", "first_name", "loyalty.points", "sms.opted_out"];
const NOW: Timestamp = Timestamp(1_700_000_000_000);
/// Small batches and short pauses, so that much happens in little time.
const PACE: Pace = Pace {
    commit_every: Duration::ZERO,
    records_max: 7,
    retry_first: Duration::from_millis(1),
    retry_max: Duration::from_millis(4),
};

type Counts = BTreeMap<FieldName, u64>;

fn until(what: &str, holds: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < deadline, "it never came about: {what}");
        std::thread::sleep(Duration::from_micros(200));
    }
}

fn dir() -> PathBuf {
    PathBuf::from("/data/followers")
}

fn file() -> PathBuf {
    dir().join("field-changes.state")
}

/// A decision that changes some fields; of some of them only what is said, not what is seen.
fn decided(rng: &mut SmallRng, partition: Partition) -> Decided {
    let change = |rng: &mut SmallRng| {
        let before = rng.random_range(0..3);
        let value = |number: i32| (number > 0).then(|| Value::Text(format!("v{number}")));
        Changed {
            by: CapabilityName::new("crm").expect("a name"),
            field: FieldName::new(FIELDS[rng.random_range(0..FIELDS.len())]).expect("a name"),
            before: value(before),
            after: value(rng.random_range(0..3)),
            protective: false,
        }
    };
    let changes = (0..rng.random_range(0..4)).map(|_| change(rng)).collect();
    Decided { changes, ..Decided::nothing(ProfileId::random(), Position { partition, seq: 1 }.item(0), NOW) }
}

fn append<L: PartitionedLog<()>>(log: &L, partition: u16, decided: &Decided) -> Position {
    let entry = Encoded::of(Partition(partition), decided).entry(NOW, ()).into_entry();
    log.append(entry).expect("it appends").position
}

/// Appends so many decisions and waits until they are durable.
fn append_some<L: PartitionedLog<()>>(log: &L, rng: &mut SmallRng, count: usize) {
    for _ in 0..count {
        let partition = rng.random_range(0..PARTITIONS);
        append(log, partition, &decided(rng, Partition(partition)));
    }
    let heads = |partition| (log.head(partition).seq, log.reader().durable_head(partition).seq);
    until("it is durable", || {
        (0..PARTITIONS).all(|partition| {
            let (head, durable) = heads(Partition(partition));
            head == durable
        })
    });
}

/// The changes that the log has, counted in another way; of each partition those up to a record.
fn recount_through<R: ReadLog>(log: &R, through: impl Fn(Partition) -> Seq) -> Counts {
    let reader = Reader::new(log.clone());
    let mut scan = reader.scan_all(ScanFrom::Start);
    let mut counts = Counts::new();
    while let Some(record) = scan.next().expect("it can be read") {
        let Position { partition, seq } = record.position;
        if !partition.holds_customers() || seq > through(partition) {
            continue;
        }
        let changes = record.decided().expect("it can be decoded").map(|decided| decided.changes);
        for change in changes.into_iter().flatten().filter(|change| change.before != change.after) {
            *counts.entry(change.field).or_default() += 1;
        }
    }
    counts
}

fn recount<R: ReadLog>(log: &R) -> Counts {
    recount_through(log, |_| Seq::MAX)
}

/// A log in memory, started.
fn memory_log() -> (MemoryStore, MemoryLog<()>) {
    let store = MemoryStore::new();
    let log = store.open();
    PartitionedLog::start(&log, |_| {}, |_| {}).expect("it starts");
    (store, log)
}

fn empty_disk() -> Memory<()> {
    Memory::new(Image::default())
}

/// The counting follower on a log.
struct Counting<R: ReadLog> {
    followers: Followers<R>,
    counts: FieldCounts,
}

impl<R: ReadLog> Counting<R> {
    fn start(log: &R, disk: Arc<dyn Disk>) -> Counting<R> {
        let follower = FieldChanges::default();
        let counts = follower.counts();
        let followers = followers(log, disk);
        followers.start(follower).expect("it starts");
        Counting { followers, counts }
    }

    fn status(&self) -> FollowerStatus {
        self.followers.status().remove(0)
    }

    fn caught_up(&self) -> FollowerStatus {
        until("it has caught up", || {
            let status = self.status();
            status.lag_records == 0 && status.error.is_none()
        });
        self.status()
    }

    fn counts(&self) -> Counts {
        self.counts.get().map(|counts| Counts::clone(&counts)).unwrap_or_default()
    }
}

fn followers<R: ReadLog>(log: &R, disk: Arc<dyn Disk>) -> Followers<R> {
    Followers::new(Reader::new(log.clone()), disk, dir(), Clock::fixed(NOW), PACE)
}

/// Puts a file onto a disk.
fn put(disk: &dyn Disk, path: &Path, bytes: &[u8]) {
    samsyn_disk::durable_file::write_on(disk, path, bytes).expect("it can be written");
}

/// A gate that a follower stands at while it is closed.
#[derive(Clone, Default)]
struct Gate(Arc<(Mutex<GateState>, Condvar)>);

#[derive(Default)]
struct GateState {
    closed: bool,
    arrived: usize,
}

impl Gate {
    fn set(&self, closed: bool) {
        self.0.0.lock().closed = closed;
        self.0.1.notify_all();
    }

    fn arrived(&self) -> usize {
        self.0.0.lock().arrived
    }

    fn pass(&self) {
        let mut state = self.0.0.lock();
        state.arrived += 1;
        while state.closed {
            self.0.1.wait(&mut state);
        }
    }
}

/// Counts records, behind a gate.
struct Gated(Gate);

impl Follower for Gated {
    const NAME: &'static str = "gated";
    const STATE_VERSION: u16 = 1;
    type State = u64;

    fn apply(&mut self, state: &mut u64, _: &Undecoded<'_>) -> Result<(), ApplyError> {
        self.0.pass();
        *state += 1;
        Ok(())
    }
}
