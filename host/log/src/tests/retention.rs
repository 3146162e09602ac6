//! What leaves, what stays provable, and what a noted head shows.

use std::fs;

use tempfile::TempDir;

use super::super::*;
use super::{SMALL, Started, crash_image, entry, log_dir, records, segment_files};

/// A log of several segments whose records of partition 1 come one a commit.
fn several(dir: &TempDir, records: usize) -> Started {
    let started = Started::open(dir.path(), SMALL);
    for n in 0..records {
        started.commit(vec![entry(1, &format!("{n}:{}", "x".repeat(150))), entry(2, "y")]);
    }
    started
}

#[test]
fn the_oldest_segments_leave_and_what_stays_can_still_be_checked() {
    let dir = TempDir::new().unwrap();
    let started = several(&dir, 12);
    let before = records(&started.log);
    let sealed = started.log.sealed(Partition(1));
    assert!(sealed.len() >= 4);
    assert_eq!(started.log.remove_before(sealed[0].number).unwrap(), 0);
    assert_eq!(started.log.remove_before(sealed[2].number).unwrap(), 2);
    let last_gone = sealed[1].last;
    let kept = records(&started.log);
    assert!(before.ends_with(&kept) && kept.len() < before.len());
    assert_eq!(started.log.scan(Partition(1), 1).next().unwrap().unwrap().position.seq, last_gone + 1);
    assert!(started.log.read(super::position(1, last_gone)).unwrap().is_none());
    started.commit(vec![entry(1, "goes on")]);
    started.log.close().unwrap();
    let head = started.log.head(Partition(1));
    drop(started);

    let report = verify(dir.path(), |_| {}).unwrap();
    assert_eq!(report.problem, None);
    assert_eq!(report.heads[0], (Partition(1), head));
    let again = Started::open(dir.path(), SMALL);
    assert_eq!(again.recovered.heads[&Partition(1)], head);
    // What is left of the growing segment can be asked to leave as well.
    again.log.seal_before_next();
    again.commit(vec![entry(2, "z")]);
    let all = again.log.sealed(Partition(1));
    assert_eq!(again.log.remove_before(u64::MAX).unwrap(), all.len());
    assert_eq!(records(&again.log).len(), 1);
    again.log.close().unwrap();
    drop(again);
    assert_eq!(verify(dir.path(), |_| {}).unwrap().problem, None);
    assert_eq!(Started::open(dir.path(), SMALL).recovered.heads[&Partition(1)], head);
}

#[test]
fn a_partition_that_is_silent_behind_the_floor_reads_from_its_oldest_record() {
    let dir = TempDir::new().unwrap();
    let started = Started::open(dir.path(), SMALL);
    started.commit(vec![entry(7, "leaves"), entry(7, "leaves too")]);
    for _ in 0..12 {
        started.commit(vec![entry(1, &"x".repeat(150))]);
    }
    started.commit(vec![entry(7, "stays")]);
    let sealed = started.log.sealed(Partition(1));
    started.log.remove_before(sealed[1].number).unwrap();
    let left: Vec<_> = started.log.scan(Partition(7), 1).map(|record| record.unwrap().position.seq).collect();
    assert_eq!(left, [3]);
    assert_eq!(started.log.read(super::position(7, 2)).unwrap(), None);
}

#[test]
fn a_crash_while_segments_are_removed_is_finished_at_the_next_start() {
    let dir = TempDir::new().unwrap();
    let started = several(&dir, 12);
    let image = crash_image(dir.path());
    let sealed = started.log.sealed(Partition(1));
    started.log.remove_before(sealed[2].number).unwrap();
    // The floor was written, the files are all still there.
    fs::copy(floor::path(dir.path()), floor::path(image.path())).unwrap();
    assert_eq!(verify(image.path(), |_| {}).unwrap().problem, None);
    let again = Started::open(image.path(), SMALL);
    assert_eq!(records(&again.log), records(&started.log));
    assert_eq!(segment_files(image.path()).len(), segment_files(dir.path()).len());
}

#[test]
fn a_segment_that_is_gone_without_retention_is_damage_also_behind_the_floor() {
    let dir = TempDir::new().unwrap();
    let started = several(&dir, 12);
    let sealed = started.log.sealed(Partition(1));
    started.log.remove_before(sealed[1].number).unwrap();
    let image = crash_image(dir.path());
    let copy_floor = || fs::copy(floor::path(dir.path()), floor::path(image.path())).unwrap();
    copy_floor();
    fs::remove_file(files::segment_path(image.path(), sealed[1].number)).unwrap();
    let damaged = |image: &TempDir| {
        let problem = verify(image.path(), |_| {}).unwrap().problem.expect("it is found");
        assert!(matches!(LocalLog::<usize>::open(image.path(), SMALL), Err(LogError::Damaged(_))));
        problem.cause
    };
    assert!(damaged(&image).contains("missing"));
    // A floor that says other heads than the segments go on from is found too.
    let image = crash_image(dir.path());
    let mut floor = floor::Floor::read(&log_dir(dir.path())).unwrap().unwrap();
    floor.heads.values_mut().for_each(|head| head.chain.0[0] ^= 1);
    floor.write(&log_dir(image.path())).unwrap();
    assert!(verify(image.path(), |_| {}).unwrap().problem.unwrap().cause.contains("linked"));
    fs::remove_file(floor::path(image.path())).unwrap();
    assert!(damaged(&image).contains("missing"));
}

fn noted(cut: &Cut) -> Noted {
    Noted { place: cut.place, digest: cut.digest(), heads: cut.heads.clone() }
}

fn compared(dir: &TempDir, noted: &Noted) -> NotedResult {
    let report = verify_noted(dir.path(), noted, |_| {}).unwrap();
    assert_eq!(report.problem, None);
    report.noted.expect("it was compared")
}

#[test]
fn a_noted_head_stays_true_while_the_log_grows_and_segments_leave() {
    let dir = TempDir::new().unwrap();
    let started = Started::open(dir.path(), SMALL);
    let mut cuts = vec![started.log.cut()];
    for n in 0..12 {
        started.commit(vec![entry(n % 3, &"x".repeat(150))]);
        cuts.push(started.log.cut());
    }
    started.log.close().unwrap();
    let end = verify(dir.path(), |_| {}).unwrap().end.unwrap();
    assert_eq!(end.digest(), cuts.last().unwrap().digest());
    cuts.push(end);
    drop(started);
    for cut in &cuts {
        assert_eq!(compared(&dir, &noted(cut)), NotedResult::Holds, "{cut:?}");
    }
    let started = Started::open(dir.path(), SMALL);
    let sealed = started.log.sealed(Partition(0));
    started.log.remove_before(sealed[2].number).unwrap();
    started.log.close().unwrap();
    let results: Vec<_> = cuts.iter().map(|cut| compared(&dir, &noted(cut))).collect();
    assert!(results.iter().all(|result| matches!(result, NotedResult::Holds | NotedResult::NotKept)));
    assert_eq!((&results[0], results.last().unwrap()), (&NotedResult::NotKept, &NotedResult::Holds));
}

#[test]
fn a_history_that_was_written_anew_with_a_valid_chain_is_found() {
    let dir = TempDir::new().unwrap();
    let started = Started::open(dir.path(), SMALL);
    started.commit(vec![entry(1, "what everybody agrees on")]);
    let fork = crash_image(dir.path());
    started.commit(vec![entry(1, "what happened"), entry(2, "also")]);
    let cut = started.log.cut();
    drop(started);
    // The same log, another second record, and more after it.
    let forged = Started::open(fork.path(), SMALL);
    assert_eq!(forged.log.cut().log_id, cut.log_id);
    forged.commit(vec![entry(1, "what happaned"), entry(2, "also")]);
    for _ in 0..8 {
        forged.commit(vec![entry(1, "and so on")]);
    }
    forged.log.close().unwrap();
    drop(forged);
    let NotedResult::Differs(why) = compared(&fork, &noted(&cut)) else { panic!("it isn't found") };
    assert!(why.contains("partition 1 stood at 2 ") && why.contains("stands at 2 "), "{why}");
    // The line alone is enough to find it.
    let line = Noted { heads: Vec::new(), ..noted(&cut) };
    assert!(matches!(compared(&fork, &line), NotedResult::Differs(_)));
    // A log that was cut back is shorter than it was.
    let dir = TempDir::new().unwrap();
    drop(several(&dir, 1));
    let NotedResult::Differs(why) =
        compared(&dir, &noted(&Cut { place: LogPlace::from_number(1 << 20), ..cut }))
    else {
        panic!()
    };
    assert!(why.contains("cut off"), "{why}");
}
