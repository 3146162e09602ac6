//! Segments that were filled with zeros and synced before they are written to: what the disk is asked
//! for, and what the zeros behind the last frame are to a start, a check, a reader and a backup.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::super::*;
use super::{SMALL, entry};
use crate::disk::image::Image;
use crate::disk::memory::{Memory, Op};
use crate::disk::{self, Disk};
use crate::log::verify::verify_on;

const DIR: &str = "/data/log";
/// Commits in which the next segment must have been made ready, however slow the machine is.
const COMMITS_MAX: usize = 4_000;
/// Commits between two looks, which read all of the disk.
const LOOK_EVERY: usize = 16;
/// A dozen records each, so that there is time to make the next one ready.
const OPTIONS: Options = Options { segment_bytes: 4 << 10, frame_bytes_max: 4 << 10, ..SMALL };

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
