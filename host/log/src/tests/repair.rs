//! Mending: what is derived, what is cut, and that the log goes on afterwards.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::super::*;
use super::{SMALL, Started, crash_image, entry, position, records, segment_files};

/// A closed log of several segments.
fn several_segments() -> TempDir {
    let dir = TempDir::new().unwrap();
    let started = Started::open(dir.path(), SMALL);
    for n in 0..12 {
        started.commit(vec![entry(n % 3, &format!("{n}:{}", "x".repeat(150))), entry(3, "y")]);
    }
    started.log.close().unwrap();
    dir
}

fn all(dir: &TempDir) -> Vec<(Position, String)> {
    let log = LocalLog::<usize>::open(dir.path(), SMALL).expect("it opens").0;
    records(&log)
}

fn change(dir: &TempDir, number: u64, at: usize, bytes: &[u8]) {
    let path = files::segment_path(dir.path(), number);
    let mut content = fs::read(&path).unwrap();
    content[at..at + bytes.len()].copy_from_slice(bytes);
    fs::write(path, content).unwrap();
}

fn flip(dir: &TempDir, number: u64, at: usize) {
    let byte = fs::read(files::segment_path(dir.path(), number)).unwrap()[at];
    change(dir, number, at, &[byte ^ 1]);
}

/// Mends a log that can't be opened or doesn't hold; answers what that took.
fn mend(dir: &TempDir) -> RepairPlan {
    assert!(verify(dir.path(), |_| {}).unwrap().problem.is_some());
    let before: Vec<_> = segment_files(dir.path()).iter().map(|file| fs::read(file).unwrap()).collect();
    let repair = Repair::plan(dir.path(), |_| {}).unwrap();
    let after: Vec<_> = segment_files(dir.path()).iter().map(|file| fs::read(file).unwrap()).collect();
    assert_eq!(before, after, "a plan changes nothing");
    let plan = repair.what().clone();
    assert!(!plan.is_empty());
    let aside = repair.apply().unwrap();
    assert!(fs::read_dir(aside).unwrap().count() > 0);
    assert_eq!(verify(dir.path(), |_| {}).unwrap().problem, None);
    assert!(Repair::plan(dir.path(), |_| {}).unwrap().what().is_empty());
    plan
}

fn goes_on(dir: &TempDir, records_there: usize) {
    let started = Started::open(dir.path(), SMALL);
    assert_eq!(started.recovered.records as usize, records_there);
    started.commit(vec![entry(1, "goes on"), entry(3, "goes on")]);
    started.log.close().unwrap();
    drop(started);
    assert_eq!(verify(dir.path(), |_| {}).unwrap().problem, None);
}

#[test]
fn a_whole_log_and_a_torn_tail_need_no_mending() {
    let dir = several_segments();
    assert!(Repair::plan(dir.path(), |_| {}).unwrap().what().is_empty());
    let last = segment_files(dir.path()).pop().unwrap();
    let mut bytes = fs::read(&last).unwrap();
    bytes.extend_from_slice(&[0xA5; 99]);
    fs::write(&last, bytes).unwrap();
    let plan = Repair::plan(dir.path(), |_| {}).unwrap().what().clone();
    assert!(plan.is_empty() && plan.torn_tail && plan.records_kept == 24);
    let held = Started::open(dir.path(), SMALL);
    assert!(matches!(Repair::plan(dir.path(), |_| {}), Err(LogError::Locked(_))));
    drop(held);
}

#[test]
fn headers_and_indexes_are_written_anew_and_nothing_is_lost() {
    let dir = several_segments();
    let good: Vec<_> = segment_files(dir.path()).iter().map(|file| fs::read(file).unwrap()).collect();
    let before = all(&dir);
    for number in 1..good.len() as u64 {
        let damaged = crash_image(dir.path());
        flip(&damaged, number, 20);
        flip(&damaged, number, good[number as usize - 1].len() - 3);
        let plan = mend(&damaged);
        let parts: Vec<_> = plan.rebuilt.iter().map(|rebuilt| rebuilt.part).collect();
        // The first segment's log id is known from the others.
        assert_eq!((parts, plan.cut.is_none()), (vec![Part::Header, Part::Index], true));
        let mended: Vec<_> =
            segment_files(damaged.path()).iter().map(|file| fs::read(file).unwrap()).collect();
        assert_eq!(mended, good, "byte for byte");
        assert_eq!(all(&damaged), before);
    }
    // An index that is cut off altogether, of a segment in the middle.
    let damaged = crash_image(dir.path());
    let second = files::segment_path(damaged.path(), 2);
    let file = fs::File::open(&second).unwrap();
    let sealed = index::SealedSegment::read(&file).unwrap().unwrap();
    fs::File::options().write(true).open(&second).unwrap().set_len(sealed.frames_end).unwrap();
    assert!(mend(&damaged).cut.is_none());
    assert_eq!(all(&damaged), before);
}

#[test]
fn a_log_is_cut_to_its_last_good_prefix_over_all_partitions() {
    let dir = several_segments();
    let before = all(&dir);
    let count = segment_files(dir.path()).len() as u64;
    for number in 1..count {
        let damaged = crash_image(dir.path());
        let scanned = crash_image(dir.path());
        // The second frame of the segment, if it has one, else the first.
        let at = format::SEGMENT_HEADER_BYTES + format::FRAME_HEADER_BYTES + 120;
        flip(&damaged, number, at);
        let plan = mend(&damaged);
        let cut = plan.cut.clone().expect("it is cut");
        assert_eq!((cut.segment, cut.offset), (number, format::SEGMENT_HEADER_BYTES as u64));
        assert_eq!(cut.later, (number + 1..=count).collect::<Vec<_>>());
        let kept = all(&damaged);
        assert_eq!((&kept[..], kept.len() as u64), (&before[..kept.len()], plan.records_kept));
        assert_eq!(cut.records() as usize, before.len() - kept.len(), "all that went is counted");
        for lost in &cut.lost {
            let last = |records: &[(Position, String)]| {
                let mine = records.iter().filter(|(at, _)| at.partition == lost.partition);
                mine.map(|(at, _)| at.seq).max().unwrap_or(0)
            };
            assert_eq!((lost.kept_through, lost.known_through), (last(&kept), last(&before)));
        }
        let lengths =
            |dir: &Path| segment_files(dir).iter().map(|file| fs::metadata(file).unwrap().len()).sum::<u64>();
        assert!(cut.bytes >= lengths(scanned.path()) - lengths(damaged.path()));
        goes_on(&damaged, kept.len());
    }
}

#[test]
fn everything_that_is_taken_out_lies_aside() {
    let dir = several_segments();
    let second = fs::read(files::segment_path(dir.path(), 2)).unwrap();
    let third = fs::read(files::segment_path(dir.path(), 3)).unwrap();
    let at = format::SEGMENT_HEADER_BYTES + 40;
    flip(&dir, 2, at);
    let aside = Repair::plan(dir.path(), |_| {}).unwrap().apply().unwrap();
    let mut damaged = second.clone();
    damaged[at] ^= 1;
    assert_eq!(fs::read(aside.join("0000000002-64.cut")).unwrap(), damaged[64..]);
    assert_eq!(fs::read(files::segment_path(&aside, 3)).unwrap(), third);
    // A second time there is another folder.
    flip(&dir, 1, at);
    let again = Repair::plan(dir.path(), |_| {}).unwrap().apply().unwrap();
    assert_ne!(aside, again);
    goes_on(&dir, 0);
}

#[test]
fn a_missing_segment_ends_the_log_before_it() {
    let dir = several_segments();
    let before = all(&dir);
    fs::remove_file(files::segment_path(dir.path(), 2)).unwrap();
    let plan = mend(&dir);
    let cut = plan.cut.expect("it is cut");
    assert_eq!((cut.segment, cut.offset), (2, 0));
    assert!(cut.damage.cause.contains("missing"));
    // Those of the missing segment are known from the later ones.
    assert_eq!(cut.records() + plan.records_kept, before.len() as u64);
    goes_on(&dir, plan.records_kept as usize);
    fs::remove_file(files::segment_path(dir.path(), 1)).unwrap();
    assert!(matches!(Repair::plan(dir.path(), |_| {}), Err(LogError::Damaged(_))));
}

#[test]
fn a_log_with_a_floor_goes_on_behind_it_even_if_nothing_else_holds() {
    let dir = several_segments();
    let started = Started::open(dir.path(), SMALL);
    let sealed = started.log.sealed(Partition(3));
    let (first, gone) = (sealed[2].number, sealed[1].last);
    started.log.remove_before(first).unwrap();
    started.log.close().unwrap();
    drop(started);
    let damaged = crash_image(dir.path());
    fs::copy(floor::path(dir.path()), floor::path(damaged.path())).unwrap();
    let length = fs::metadata(files::segment_path(damaged.path(), first)).unwrap().len() as usize;
    change(&damaged, first, 0, &vec![0; length]);
    let plan = mend(&damaged);
    assert_eq!(plan.records_kept, 0);
    goes_on(&damaged, 0);
    let log = LocalLog::<usize>::open(damaged.path(), SMALL).unwrap().0;
    assert!(log.read(position(3, gone + 1)).unwrap().is_some(), "sequences go on");
    // Nor is it a matter of the file's length.
    drop(log);
    for length in [0, 10, 63] {
        let path = files::segment_path(damaged.path(), first);
        for later in segment_files(damaged.path()).into_iter().filter(|other| *other != path) {
            fs::remove_file(later).unwrap();
        }
        fs::write(&path, vec![0xA5; length]).unwrap();
        assert_eq!(mend(&damaged).records_kept, 0);
    }
    goes_on(&damaged, 0);
    // What a damaged floor said can't be derived.
    fs::write(floor::path(damaged.path()), b"noise").unwrap();
    assert!(matches!(Repair::plan(damaged.path(), |_| {}), Err(LogError::Damaged(_))));
}
