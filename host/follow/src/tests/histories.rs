//! A log that isn't the one a follower had read: another, a shorter one, or one that went another way.

use rand::SeedableRng;

use super::*;
use samsyn_log::{LocalLog, Options};

/// Segments of a few records.
pub const OPTIONS: Options = Options {
    segment_bytes: 1 << 10,
    frame_bytes_max: 8 << 10,
    queue_bytes_max: 1 << 20,
    commit_interval_us: 0,
    zero_ahead: false,
};

pub fn open(disk: &Memory<()>) -> LocalLog<()> {
    let (log, _) = LocalLog::open_on(disk.disk(), Path::new("/data/log"), OPTIONS).expect("it opens");
    log.start(|_| {}, |_| {}).expect("it starts");
    log
}

/// A follower's file on a log that is given, and how it goes on there.
fn goes_on(disk: &Memory<()>, log: &LocalLog<()>, bytes: &[u8], why: Option<&str>) {
    put(&*disk.disk(), &file(), bytes);
    let counting = Counting::start(log.reader(), disk.disk());
    let status = counting.caught_up();
    assert_eq!(counting.counts(), recount(log.reader()));
    let reason = status.rebuilt.map(|rebuilt| rebuilt.reason);
    match (&reason, why) {
        (None, None) => {}
        (Some(reason), Some(why)) => assert!(reason.contains(why), "{reason}"),
        other => panic!("{other:?}"),
    }
    // Said once more after the next start: it stands in the file.
    drop(counting);
    let again = Counting::start(log.reader(), disk.disk());
    assert_eq!(again.caught_up().rebuilt.map(|rebuilt| rebuilt.reason), reason);
    assert_eq!(again.counts(), recount(log.reader()));
}

#[test]
fn a_log_that_was_put_back_or_copied_is_noticed() {
    let mut rng = SmallRng::seed_from_u64(7);
    let disk = empty_disk();
    let log = open(&disk);
    append_some(&log, &mut rng, 20);
    log.close().expect("it closes");
    drop(log);
    // The log of a backup, and the follower of later.
    let backed_up = disk.image();
    let log = open(&disk);
    append_some(&log, &mut rng, 20);
    let counting = Counting::start(log.reader(), disk.disk());
    counting.caught_up();
    drop(counting);
    let bytes = disk.image().file(&file()).expect("it is there").clone();
    log.close().expect("it closes");

    let shorter = Memory::new(backed_up.clone());
    goes_on(&shorter, &open(&shorter), &bytes, Some("ends earlier"));

    let other_way = Memory::new(backed_up.clone());
    let log = open(&other_way);
    append_some(&log, &mut rng, 60);
    goes_on(&other_way, &log, &bytes, Some("another record"));

    let another = empty_disk();
    let log = open(&another);
    append_some(&log, &mut rng, 60);
    goes_on(&another, &log, &bytes, Some("another log"));

    // A copy of everything, and a file that is older than the log, go on where they were.
    let copy = Memory::new(disk.image());
    goes_on(&copy, &open(&copy), &bytes, None);
    let log = open(&copy);
    append_some(&log, &mut rng, 20);
    goes_on(&copy, &log, &bytes, None);
}
