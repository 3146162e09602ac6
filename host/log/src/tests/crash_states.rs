//! Power cuts at any moment: the log runs on a disk that notes every operation; what a cut after
//! each of them might have left is opened, and must be a prefix of what was appended with
//! everything in it that was acknowledged.

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

use super::super::*;
use super::{SMALL, entry};
use crate::verify::verify_on;
use samsyn_testkit::crash::Replay;
use samsyn_testkit::image::Image;
use samsyn_testkit::memory::{Memory, Op};
use samsyn_testkit::{Seed, survival_json};

const DIR: &str = "/data/log";
/// Steps of one process's life.
const STEPS: usize = 24;
/// Lives of one disk, each after a crash of the one before.
const LIVES: usize = 4;
/// States that are opened of a life: as many worlds are made as it takes to open all.
const STATES_A_LIFE: usize = 250;
/// States that `make test` opens.
const STATES: u64 = 10_000;
/// Partitions that are written to.
const PARTITIONS: u16 = 5;

/// What the test notes between the operations.
#[derive(Clone, Debug)]
enum Note {
    /// The log was opened and answers reads: what it found counts as acknowledged, and what
    /// follows is another list of records.
    Opened { list: usize, acknowledged: usize },
    /// So many records, those that left included, are told to be durable.
    Acknowledged(usize),
    /// So many of the oldest records may have left.
    MayLack(usize),
}

/// Every record in the order of appends, and where appends end.
#[derive(Clone, Default)]
struct Appended {
    records: Vec<(Position, String)>,
    ends: Vec<usize>,
}

impl Appended {
    fn heads(&self) -> HashMap<Partition, Seq> {
        self.records.iter().map(|(position, _)| (position.partition, position.seq)).collect()
    }
}

/// One disk, and what is known of what was written to it.
struct World {
    rng: SmallRng,
    memory: Memory<Note>,
    /// A list for each time the log was opened, with what that one found at its start.
    lists: Vec<Appended>,
    acknowledged: usize,
    may_lack: usize,
    counter: usize,
}

/// A log that runs.
struct Running {
    log: LocalLog<usize>,
    commits: mpsc::Receiver<usize>,
    /// Records appended and not yet told to be durable.
    under_way: usize,
}

impl World {
    fn new(seed: u64) -> World {
        World {
            rng: SmallRng::seed_from_u64(seed),
            memory: Memory::new(Image::default()),
            lists: vec![Appended::default()],
            acknowledged: 0,
            may_lack: 0,
            counter: 0,
        }
    }

    fn list(&mut self) -> &mut Appended {
        self.lists.last_mut().expect("there is a list from the start")
    }

    /// Starts a process on the disk.
    fn open(&mut self) -> Running {
        // Most of them have segments that are zeroed ahead, and all go on with what the others left.
        let options = Options { zero_ahead: self.rng.random_range(0..4) > 0, ..SMALL };
        let (log, recovered) =
            LocalLog::open_on(self.memory.disk(), Path::new(DIR), options).expect("it opens");
        let found = recovered.heads.values().map(|head| head.seq as usize).sum();
        let mut list = self.list().clone();
        list.records.truncate(found);
        list.ends.retain(|end| *end <= found);
        self.lists.push(list);
        self.acknowledged = found;
        self.memory.mark(Note::Opened { list: self.lists.len() - 1, acknowledged: found });
        let (send, commits) = mpsc::channel();
        let (memory, mut acknowledged) = (self.memory.clone(), found);
        let on_durable = move |commit: Commit<usize>| {
            acknowledged += commit.records.len();
            memory.mark(Note::Acknowledged(acknowledged));
            // Nobody listens any more when the process is about to be killed.
            let _ = send.send(commit.records.len());
        };
        log.start(on_durable, |_| {}).expect("it starts");
        Running { log, commits, under_way: 0 }
    }

    fn append(&mut self, running: &mut Running) {
        let count = self.rng.random_range(1..=3);
        let mut heads = self.list().heads();
        let mut entries = Vec::new();
        for _ in 0..count {
            let partition = self.rng.random_range(0..PARTITIONS);
            self.counter += 1;
            let payload = format!("{}:{}", self.counter, "x".repeat(self.rng.random_range(0..160)));
            let seq = heads.entry(Partition(partition)).or_default();
            *seq += 1;
            let position = Position { partition: Partition(partition), seq: *seq };
            self.list().records.push((position, payload.clone()));
            entries.push(entry(partition, &payload));
        }
        let end = self.list().records.len();
        self.list().ends.push(end);
        if running.log.append_all(entries).is_ok() {
            running.under_way += count;
        }
    }

    /// Waits until all is told; false when the log failed.
    fn await_all(&mut self, running: &mut Running) -> bool {
        while running.under_way > 0 {
            let Ok(records) = running.commits.recv() else { return false };
            running.under_way -= records;
            self.acknowledged += records;
        }
        true
    }

    fn remove_some(&mut self, running: &Running) {
        let sealed = running.log.sealed(Partition(0));
        if sealed.is_empty() {
            return;
        }
        let leave = self.rng.random_range(0..sealed.len());
        let last_of = |partition| running.log.sealed(Partition(partition))[leave].last as usize;
        self.may_lack = self.may_lack.max((0..PARTITIONS).map(last_of).sum());
        self.memory.mark(Note::MayLack(self.may_lack));
        running.log.remove_before(sealed[leave].number + 1).expect("it removes");
    }

    /// Ends the process as `kill -9` does, with appends under way.
    fn kill(&mut self, mut running: Running) {
        for _ in 0..self.rng.random_range(0..3) {
            self.append(&mut running);
        }
        self.memory.kill();
        drop(running);
        self.memory.restart();
    }

    /// One process's life and death after another, on one disk.
    fn live(&mut self) {
        let mut running = self.open();
        for _ in 0..STEPS {
            match self.rng.random_range(0..20) {
                0 => {
                    running.log.close().expect("it closes");
                    drop(running);
                    self.memory.restart();
                    running = self.open();
                }
                1 => {
                    self.kill(running);
                    running = self.open();
                }
                2 => {
                    self.memory.fail_sync_after(self.rng.random_range(0..3));
                    while self.await_all(&mut running) && running.log.failed().is_none() {
                        self.append(&mut running);
                    }
                    self.kill(running);
                    running = self.open();
                }
                3 => running.log.seal_before_next(),
                4 | 5 => self.remove_some(&running),
                6..12 => self.append(&mut running),
                _ => {
                    self.append(&mut running);
                    self.await_all(&mut running);
                }
            }
        }
        if self.rng.random_range(0..3) == 0 {
            running.log.close().expect("it closes");
        }
        self.kill(running);
    }

    /// Opens what power cuts in this life might have left; goes on with one of them.
    fn cut(&mut self, before: Known, states: usize) -> Opened {
        let (base, ops) = self.memory.history();
        let mut replay = Replay::new(&base);
        let mut known = before;
        let a_state = |states: usize| states as f64 / ops.len() as f64;
        let mut opened = Opened::default();
        let goes_on = self.rng.random_range(ops.len() / 2..ops.len());
        let mut next = None;
        for (at, op) in ops.iter().enumerate() {
            replay.apply(op);
            known.note(op);
            let wanted = (a_state(states) * (at + 1) as f64) as u64;
            while opened.all < wanted {
                let image = replay.cut(&mut self.rng);
                known.check(&self.lists, &image).unwrap_or_else(|why| {
                    panic!("after operation {at} of {}, {op:?}: {why}", ops.len());
                });
                opened.all += 1;
                opened.zeroed += u64::from(goes_on_with_zeros(&image));
            }
            if at == goes_on {
                next = Some((replay.cut(&mut self.rng), known.clone()));
            }
        }
        let (image, known) = next.expect("it goes on somewhere");
        self.memory = Memory::new(image);
        let list = self.lists[known.list].clone();
        (self.lists, self.acknowledged, self.may_lack) = (vec![list], known.acknowledged, known.may_lack);
        opened
    }

    fn known(&self) -> Known {
        Known { list: 0, acknowledged: self.acknowledged, may_lack: self.may_lack }
    }
}

/// What is known at one moment.
#[derive(Clone, Debug)]
struct Known {
    list: usize,
    acknowledged: usize,
    may_lack: usize,
}

impl Known {
    fn note(&mut self, op: &Op<Note>) {
        match op {
            Op::Mark(Note::Opened { list, acknowledged }) => {
                (self.list, self.acknowledged) = (*list, *acknowledged);
            }
            Op::Mark(Note::Acknowledged(records)) => self.acknowledged = *records,
            Op::Mark(Note::MayLack(records)) => self.may_lack = *records,
            _ => {}
        }
    }

    /// Opens what is left, twice, goes on, and checks all of it.
    fn check(&self, lists: &[Appended], image: &Image) -> Result<(), String> {
        let appended = &lists[self.list];
        let memory: Memory<()> = Memory::new(image.clone());
        let open = || {
            LocalLog::<usize>::open_on(memory.disk(), Path::new(DIR), SMALL)
                .map_err(|error| format!("it is refused: {error}"))
        };
        let looked = look(&memory)?;
        let (log, recovered) = open()?;
        let found = super::records(&log);
        if looked != (found.clone(), recovered.tail.is_some()) {
            return Err("a reader finds something else than a start".to_owned());
        }
        let end: usize = recovered.heads.values().map(|head| head.seq as usize).sum();
        let start = end.checked_sub(found.len()).ok_or("there are more records than the heads say")?;
        if end < self.acknowledged {
            return Err(format!("{} were acknowledged, {end} are there", self.acknowledged));
        }
        if start > self.may_lack {
            return Err(format!("{start} of the oldest are gone, {} may be", self.may_lack));
        }
        if appended.records.get(start..end) != Some(&found[..]) {
            return Err(format!("records {start} to {end} are not a stretch of what was appended"));
        }
        if end > 0 && end != appended.records.len() && !appended.ends.contains(&end) {
            return Err(format!("an append was cut in two at {end}"));
        }
        if let Some(tail) = &recovered.tail {
            let kept = samsyn_disk::read(&*memory.disk(), &tail.kept_in);
            if kept.map(|kept| kept.len() as u64).ok() != Some(tail.bytes) {
                return Err("the tail isn't kept".to_owned());
            }
        }
        drop(log);
        let (log, again) = open()?;
        if (&again.heads, super::records(&log)) != (&recovered.heads, found) || again.tail.is_some() {
            return Err("a second start finds something else".to_owned());
        }
        log.start(|_| {}, |_| {}).map_err(|error| error.to_string())?;
        log.append_all(vec![entry(0, "goes on"), entry(1, "goes on")]).map_err(|error| error.to_string())?;
        log.close().map_err(|failure| failure.to_string())?;
        let report =
            verify_on(memory.disk(), Path::new(DIR), None, |_| {}).map_err(|error| error.to_string())?;
        match report.problem {
            None if report.clean && report.records as usize == end - start + 2 => Ok(()),
            None => Err(format!("it didn't go on: {report:?}")),
            Some(problem) => Err(format!("what was appended after it doesn't hold: {problem}")),
        }
    }
}

/// States that were opened, and those of them whose last segment goes on with zeros.
#[derive(Clone, Copy, Debug, Default)]
struct Opened {
    all: u64,
    zeroed: u64,
}

/// Whether a segment was zeroed ahead and has room behind what was written.
fn goes_on_with_zeros(image: &Image) -> bool {
    let segments = image.names.keys().filter(|path| path.extension().is_some_and(|is| is == "segment"));
    segments.filter_map(|path| image.file(path)).any(|bytes| bytes.ends_with(&[0; 64]))
}

/// What a reader finds, and whether the end is torn. It must write nothing.
fn look(memory: &Memory<()>) -> Result<(Vec<(Position, String)>, bool), String> {
    let looked = match StoppedLog::open_on(memory.disk(), Path::new(DIR)) {
        Ok(log) => (super::records(log.reader()), log.torn().is_some()),
        Err(LogError::Io { cause, .. }) if cause.kind() == std::io::ErrorKind::NotFound => {
            (Vec::new(), false)
        }
        Err(error) => return Err(format!("a reader is refused: {error}")),
    };
    match memory.history().1.len() {
        0 => Ok(looked),
        _ => Err("a reader wrote something".to_owned()),
    }
}

/// Lives and power cuts of one disk; counts the states that were opened.
fn run_world(seed: u64, counted: &Counted) {
    let mut world = World::new(seed);
    for _ in 0..LIVES {
        let before = world.known();
        world.live();
        let opened = world.cut(before, STATES_A_LIFE);
        counted.all.fetch_add(opened.all, Ordering::Relaxed);
        counted.zeroed.fetch_add(opened.zeroed, Ordering::Relaxed);
    }
}

/// [`Opened`], counted by several threads.
#[derive(Default)]
struct Counted {
    all: AtomicU64,
    zeroed: AtomicU64,
}

/// Opens so many states, on as many threads as `make test` may take.
fn run(seed: Seed, states: u64) -> Opened {
    let counted = Counted::default();
    let world = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while counted.all.load(Ordering::Relaxed) < states {
                    let number = world.fetch_add(1, Ordering::Relaxed);
                    run_world(seed.of(number), &counted);
                }
            });
        }
    });
    Opened { all: counted.all.into_inner(), zeroed: counted.zeroed.into_inner() }
}

#[test]
fn whatever_a_power_cut_leaves_is_a_prefix_with_everything_acknowledged() {
    let seed = Seed::of_run("crash_prefix");
    let opened = run(seed, STATES);
    assert!(opened.all >= STATES);
    assert!(opened.zeroed > 0, "no segment was ever made ready ahead");
    survival_json::record(
        "crash_prefix",
        serde_json::json!({
            "states": opened.all, "zeroed_ahead": opened.zeroed, "refused": 0, "lost": 0,
            "seed": seed.to_string(),
        }),
    );
}

/// For `make torture`: as many rounds of as many states, each with a seed of its own.
#[test]
#[ignore = "runs as long as SAMSYN_ROUNDS says"]
fn torture_crash_states() {
    let seed = Seed::of_run("crash_prefix");
    for round in 0..samsyn_testkit::rounds() {
        let opened = run(Seed(seed.of(round)), STATES);
        println!("round {round}: {opened:?} states, none refused, nothing lost");
    }
}
