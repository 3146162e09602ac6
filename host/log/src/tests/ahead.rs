//! Segments that were filled with zeros and synced before they are written to: what the disk is asked
//! for, and what the zeros behind the last frame are to a start, a check, a reader and a backup.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use rand::SeedableRng;
use rand::rngs::SmallRng;

use super::super::*;
use super::{SMALL, Started, entry, flips};
use crate::format::{FRAME_HEADER_BYTES, SEGMENT_HEADER_BYTES};
use crate::verify::verify_on;
use samsyn_disk::{self as disk, Disk, Faults, Faulty};
use samsyn_testkit::Seed;
use samsyn_testkit::image::Image;
use samsyn_testkit::memory::{Memory, Op};

const DIR: &str = "/data/log";
/// Commits in which the next segment must have been made ready, however slow the machine is.
const COMMITS_MAX: usize = 4_000;
/// Commits between two looks, which read all of the disk.
const LOOK_EVERY: usize = 16;
/// A dozen records each, so that there is time to make the next one ready.
const OPTIONS: Options =
    Options { segment_bytes: 4 << 10, frame_bytes_max: 4 << 10, zero_ahead: true, ..SMALL };

/// A log on a disk in memory whose commits are awaited one by one.
struct World {
    memory: Memory<()>,
    log: Option<LocalLog<usize>>,
    commits: std::sync::mpsc::Receiver<Commit<usize>>,
    recovered: Recovered,
}

impl World {
    fn new() -> World {
        World::on(Memory::new(Image::default()))
    }

    fn on(memory: Memory<()>) -> World {
        let (log, recovered) = LocalLog::open_on(memory.disk(), Path::new(DIR), OPTIONS).expect("it opens");
        let (send, commits) = std::sync::mpsc::channel();
        log.start(move |commit| send.send(commit).unwrap_or_default(), |_| {}).expect("it starts");
        World { memory, log: Some(log), commits, recovered }
    }

    fn log(&self) -> &LocalLog<usize> {
        self.log.as_ref().expect("it runs")
    }

    fn commit(&self, number: usize) {
        let payload = format!("{number}:{}", "x".repeat(120));
        self.log()
            .append_all(vec![entry(1, &payload), entry(number as u16 % 3 + 2, "y")])
            .expect("it appends");
        self.commits.recv().expect("it commits");
    }

    /// Commits until `seen` says that there is what a test is about.
    fn commit_until(&self, what: &str, seen: impl Fn(&World) -> bool) {
        for number in 0..COMMITS_MAX {
            if number.is_multiple_of(LOOK_EVERY) && seen(self) {
                return;
            }
            self.commit(number);
            std::thread::yield_now();
        }
        panic!("it never came about: {what}");
    }

    /// As `kill -9` ends it, and the next process finds the disk.
    fn kill(mut self) -> Memory<()> {
        self.memory.kill();
        drop(self.log.take());
        self.memory.restart();
        self.memory
    }

    fn close(mut self) -> Memory<()> {
        self.log().close().expect("it closes");
        drop(self.log.take());
        self.memory
    }
}

fn segments(disk: &Arc<dyn Disk>) -> Vec<(PathBuf, Vec<u8>)> {
    let names = disk.list(Path::new(DIR)).expect("it lists");
    let mut paths: Vec<PathBuf> = names.into_iter().map(|name| Path::new(DIR).join(name)).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "segment"));
    paths.sort();
    let read = |path: PathBuf| (path.clone(), disk::read(&**disk, &path).expect("it reads"));
    paths.into_iter().map(read).collect()
}

/// Zeros at the end of a file.
fn zeros_behind(bytes: &[u8]) -> usize {
    bytes.iter().rev().take_while(|byte| **byte == 0).count()
}

/// Whether the last segment goes on with zeros, more than a frame could end in.
fn ends_in_zeros(world: &World) -> bool {
    let (_, last) = segments(&world.memory.disk()).pop().expect("there is one");
    zeros_behind(&last) > 512
}

/// Writes of frames to a log's segments: those that lay in bytes that were there and synced before, and
/// those that made a file longer.
fn writes(memory: &Memory<()>) -> (usize, usize) {
    let (_, ops) = memory.history();
    let mut lengths: Vec<(u64, u64)> = Vec::new();
    let (mut in_place, mut longer) = (0, 0);
    for op in ops {
        match op {
            Op::Create(_, inode) => lengths.resize(lengths.len().max(inode + 1), (0, 0)),
            Op::Sync(inode) => lengths[inode].1 = lengths[inode].0,
            Op::Write(inode, offset, bytes) => {
                let end = offset + bytes.len() as u64;
                let (length, synced) = &mut lengths[inode];
                if bytes.iter().any(|byte| *byte != 0) && bytes.starts_with(b"SFRM") {
                    in_place += usize::from(end <= *synced);
                    longer += usize::from(end > *length);
                }
                *length = end.max(*length);
            }
            _ => {}
        }
    }
    (in_place, longer)
}

#[test]
fn frames_go_where_zeros_were_synced_before() {
    let world = World::new();
    world.commit_until("frames are written in place", |world| writes(&world.memory).0 >= 100);
    let memory = world.close();
    assert_eq!(verify_on(memory.disk(), Path::new(DIR), None, |_| {}).unwrap().problem, None);
}

#[test]
fn after_a_kill_the_zeros_behind_the_last_frame_are_neither_tail_nor_damage() {
    let world = World::new();
    world.commit_until("the last segment goes on with zeros", ends_in_zeros);
    let records = super::records(world.log());
    let memory = world.kill();
    let report = verify_on(memory.disk(), Path::new(DIR), None, |_| {}).unwrap();
    assert_eq!((report.problem, report.clean, report.records), (None, false, records.len() as u64));
    let looked = StoppedLog::open_on(memory.disk(), Path::new(DIR)).unwrap();
    assert_eq!((super::records(looked.reader()), looked.torn()), (records.clone(), None));
    drop(looked);
    let plan = Repair::plan_on(memory.disk(), Path::new(DIR), |_| {}).unwrap().what().clone();
    assert!(plan.is_empty() && !plan.torn_tail && plan.records_kept == records.len() as u64, "{plan:?}");

    let world = World::on(memory);
    assert!(world.recovered.tail.is_none() && !world.recovered.clean, "{:?}", world.recovered);
    assert_eq!(super::records(world.log()), records);
    assert!(world.memory.disk().list(Path::new(DIR)).unwrap().iter().all(|name| {
        !name.to_string_lossy().ends_with(".tail") && !name.to_string_lossy().ends_with(".new")
    }));
    world.commit(7);
    world.close();
}

#[test]
fn segments_that_are_sealed_and_logs_that_are_closed_hold_no_zeros_behind_what_was_written() {
    let world = World::new();
    world.commit_until("the last segment goes on with zeros", ends_in_zeros);
    let last = segments(&world.memory.disk()).pop().expect("there is one").0;
    world.commit_until("it is sealed", |world| {
        segments(&world.memory.disk()).pop().is_some_and(|(path, _)| path != last)
    });
    world.commit_until("the next one goes on with zeros as well", ends_in_zeros);
    let memory = world.close();
    let all = segments(&memory.disk());
    assert!(all.len() > 2);
    for (path, bytes) in &all {
        assert!(zeros_behind(bytes) < 8, "{} goes on with {} zeros", path.display(), zeros_behind(bytes));
    }
    let report = verify_on(memory.disk(), Path::new(DIR), None, |_| {}).unwrap();
    assert_eq!((report.problem, report.clean), (None, true));
    assert_eq!(report.bytes, all.iter().map(|(_, bytes)| bytes.len() as u64).sum::<u64>());
    let names = memory.disk().list(Path::new(DIR)).unwrap();
    assert!(names.iter().all(|name| !name.to_string_lossy().ends_with(".new")), "{names:?}");
}

/// The last segment of a log of several that was killed while zeros were behind its last frame, and where its
/// mark of the end stands.
fn killed() -> (Memory<()>, PathBuf, usize) {
    let world = World::new();
    world.commit_until("there are several segments, and the last goes on with zeros", |world| {
        // On a fast machine the second one may be ready already.
        segments(&world.memory.disk()).len() > 2 && ends_in_zeros(world)
    });
    let end = world.log().cut().place.number();
    let memory = world.kill();
    let (path, bytes) = segments(&memory.disk()).pop().expect("there is one");
    let base = format::SegmentHeader::decode(&bytes).expect("a header").base;
    (memory, path, (end - base) as usize)
}

#[test]
fn zeros_without_the_mark_and_anything_behind_it_are_what_a_torn_write_leaves() {
    let (memory, path, mark) = killed();
    let whole = memory.image();
    let length = whole.file(&path).expect("it is there").len();
    type Spoil = fn(&mut [u8]);
    let zeros: Spoil = |bytes| bytes.fill(0);
    let bit: Spoil = |bytes| bytes[0] ^= 0x10;
    let end = mark + FRAME_HEADER_BYTES;
    for (range, spoil) in
        [(mark..end, zeros), (mark..end, bit), (end..length, bit), (length - 1..length, bit)]
    {
        let mut image = whole.clone();
        spoil(&mut image.file_mut(&path).expect("it is there")[range.clone()]);
        let memory: Memory<()> = Memory::new(image);
        let problem = verify_on(memory.disk(), Path::new(DIR), None, |_| {}).unwrap().problem;
        assert_eq!(problem.expect("it is found").offset as usize, mark, "{range:?}");
        let world = World::on(memory);
        let tail = world.recovered.tail.clone().expect("a tail");
        assert_eq!(tail.offset as usize, mark, "{range:?}");
        assert!(tail.bytes > 0, "what shows it is kept");
        world.commit(1);
        let memory = world.close();
        assert_eq!(verify_on(memory.disk(), Path::new(DIR), None, |_| {}).unwrap().problem, None);
    }
}

#[test]
fn a_last_frame_that_turned_into_zeros_is_found_with_or_without_its_mark() {
    let (memory, path, mark) = killed();
    let whole = memory.image();
    let bytes = whole.file(&path).expect("it is there").clone();
    // Where each frame of the segment starts.
    let header = format::SegmentHeader::decode(&bytes).expect("a header");
    let (mut starts, mut at) = (Vec::new(), SEGMENT_HEADER_BYTES);
    while at < mark {
        starts.push(at);
        let frame = format::FrameHeader::decode(&bytes[at..], header.log_id, header.base + at as u64);
        at += frame.expect("a frame").frame_bytes();
    }
    let last = *starts.last().expect("it has a frame");
    for end in [mark, mark + FRAME_HEADER_BYTES] {
        let mut image = whole.clone();
        image.file_mut(&path).expect("it is there")[last..end].fill(0);
        let memory: Memory<()> = Memory::new(image);
        let problem = verify_on(memory.disk(), Path::new(DIR), None, |_| {}).unwrap().problem;
        assert_eq!(problem.expect("it is found").offset as usize, last, "zeros from {last} to {end}");
        let opened = LocalLog::<usize>::open_on(memory.disk(), Path::new(DIR), OPTIONS);
        assert!(opened.unwrap().1.tail.is_some(), "nobody takes it for the end");
    }
}

#[test]
fn bits_and_blocks_that_rot_in_a_segment_that_was_zeroed_ahead_are_found() {
    let seed = Seed::of_run("bit_flips");
    let (memory, ..) = killed();
    let mut rng = SmallRng::seed_from_u64(seed.of(9));
    let flipped = flips::flip(&memory.image(), Path::new(DIR), 300, &mut rng);
    assert_eq!(flipped.refused + flipped.kept_aside + flipped.found_later, flipped.tried);
}

#[test]
fn a_disk_that_is_full_while_zeros_are_written_hurts_nobody() {
    for fault in [
        "write ahead full",
        "write ahead short",
        "sync ahead io",
        "create ahead readonly",
        "room log full",
        "room log io",
    ] {
        let memory: Memory<()> = Memory::new(Image::default());
        let faulty = Faulty::new(memory.disk(), Faults::default());
        faulty.faults().set(fault);
        let (log, _) = LocalLog::open_on(Arc::new(faulty), Path::new(DIR), OPTIONS).unwrap();
        let (send, commits) = std::sync::mpsc::channel();
        log.start(move |commit: Commit<usize>| send.send(commit).unwrap(), |failure| panic!("{failure}"))
            .unwrap();
        for number in 0..200 {
            log.append(entry(1, &format!("{number}:{}", "x".repeat(150)))).unwrap();
            assert_eq!(commits.recv().unwrap().records.len(), 1, "{fault}");
        }
        log.close().unwrap();
        let report = verify_on(memory.disk(), Path::new(DIR), None, |_| {}).unwrap();
        assert_eq!((report.problem, report.records), (None, 200), "{fault}");
        let left = memory.disk().list(Path::new(DIR)).unwrap();
        assert!(left.iter().all(|name| !name.to_string_lossy().contains("ahead")), "{fault}: {left:?}");
    }
}

#[test]
fn where_there_is_little_room_it_is_left_to_the_frames() {
    const RECORDS: u64 = 20;
    // What a log without zeros ahead takes of the disk.
    let fill = |memory: &Memory<()>, options: Options| {
        let (log, _) = LocalLog::open_on(memory.disk(), Path::new(DIR), options).unwrap();
        let (send, commits) = std::sync::mpsc::channel();
        let failed = send.clone();
        log.start(
            move |commit: Commit<usize>| send.send(commit.records.len()).unwrap(),
            move |_| failed.send(0).unwrap(),
        )
        .unwrap();
        let mut durable = 0;
        for number in 0..RECORDS {
            if log.append(entry(1, &format!("{number}:{}", "x".repeat(150)))).is_err() {
                break;
            }
            match commits.recv().unwrap() {
                0 => break,
                records => durable += records as u64,
            }
        }
        let _ = log.close();
        durable
    };
    let roomy: Memory<()> = Memory::new(Image::default());
    assert_eq!(fill(&roomy, Options { zero_ahead: false, ..OPTIONS }), RECORDS);
    let takes: usize = segments(&roomy.disk()).iter().map(|(_, bytes)| bytes.len()).sum();
    let tight: Memory<()> = Memory::new(Image::default());
    tight.has_room_for(takes as u64 + 64);
    assert_eq!(fill(&tight, OPTIONS), RECORDS, "the zeros took the room of what was to be kept");
}

#[test]
fn whoever_reads_beside_the_writer_finds_everything_acknowledged_and_nothing_amiss() {
    const LOOKS: usize = 60;
    let dir = tempfile::TempDir::new().unwrap();
    let Started { log, commits, .. } =
        Started::open(dir.path(), Options { segment_bytes: 64 << 10, ..OPTIONS });
    let (acknowledged, done) = (AtomicU64::new(0), AtomicBool::new(false));
    std::thread::scope(|scope| {
        let (log, acknowledged, done) = (&log, &acknowledged, &done);
        scope.spawn(move || {
            for number in 0u64.. {
                if done.load(Ordering::Relaxed) {
                    break;
                }
                let payload = format!("{number}:{}", "x".repeat(number as usize % 900));
                log.append(entry(1, &payload)).expect("it appends");
                commits.recv().expect("it commits");
                acknowledged.store(number + 1, Ordering::SeqCst);
            }
        });
        for look in 0..LOOKS {
            let before = acknowledged.load(Ordering::SeqCst);
            let prefix = prefix(dir.path()).unwrap_or_else(|error| panic!("look {look}: {error}"));
            let heads = &prefix.end().heads;
            let found = heads.iter().find(|(at, _)| *at == Partition(1)).map_or(0, |(_, head)| head.seq);
            assert!(found >= before, "{before} were acknowledged, {found} are copied");
            prefix.segments().iter().for_each(|segment| drop(prefix.read(segment).expect("it reads")));
            let report = verify(dir.path(), |_| {}).unwrap();
            assert_eq!(report.problem, None, "look {look}");
            assert!(report.records >= found);
        }
        done.store(true, Ordering::Relaxed);
    });
    log.close().unwrap();
}
