//! The log's sync, of one that appends and one whose segments are zeroed ahead, commit by commit in turn
//! beside the same other writes: so both meet the same disk.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use samsyn::log::{Commit, Entry, LocalLog, Options, Payload};
use samsyn::vocabulary::{Partition, Timestamp};

use crate::report::Figure;
use crate::run::Bench;
use crate::subject::{Failure, Scratch};

/// The figures.
pub const NAMES: &[&str] = &["log.sync_p50", "log.sync_p99", "log.sync_p999", "log.sync_max"];

/// Commits of each log: as many that a thousandth of them is more than a few.
const COMMITS: u64 = 20_000;
/// From one pair of commits to the next: 400 a second, as the figures of hostile plug-ins have it.
const PAIR_EVERY: Duration = Duration::from_micros(2_500);
/// Bytes of a record: an event and its decision.
const RECORD_BYTES: usize = 1_500;
/// What is written beside it, 20 MB a second, and synced as the view's store is.
const OTHER_BYTES: usize = 1 << 20;
const OTHER_EVERY: Duration = Duration::from_millis(50);
const OTHER_SYNC_EVERY: u64 = 40;
const OTHER_FILE_BYTES: u64 = 512 << 20;
/// Commits in which the first segment must be left for one that is zeroed.
const WARM_COMMITS_MAX: u64 = 200_000;

/// `log.sync_*`.
pub fn measure(bench: &Bench) -> Result<Vec<Figure>, Failure> {
    let scratch = Scratch::new(&bench.data, "sync")?;
    let appending = Log::open(&scratch.path().join("appending"), false)?;
    let ahead = Log::open(&scratch.path().join("ahead"), true)?;
    ahead.reach_zeros()?;
    let commits = bench.scale(COMMITS, 1_000);
    let done = AtomicBool::new(false);
    let (mut grown, mut in_place) = (Times::default(), Times::default());
    std::thread::scope(|scope| -> Result<(), Failure> {
        let other = scope.spawn(|| write_beside(&scratch.path().join("other"), &done));
        let measured = (|| -> Result<(), Failure> {
            let start = Instant::now();
            for number in 0..commits {
                std::thread::sleep((PAIR_EVERY * number as u32).saturating_sub(start.elapsed()));
                // In turn the first, so that neither always follows the other.
                if number.is_multiple_of(2) {
                    grown.add(&appending.commit()?);
                    in_place.add(&ahead.commit()?);
                } else {
                    in_place.add(&ahead.commit()?);
                    grown.add(&appending.commit()?);
                }
            }
            Ok(())
        })();
        done.store(true, Ordering::Relaxed);
        other.join().map_err(|_| "who writes beside it panicked")??;
        measured
    })?;
    let shares = [0.5, 0.99, 0.999, 1.0];
    let note = format!(
        "{commits} commits of {RECORD_BYTES} bytes into zeros and as many appended, in turn, beside other writes of \
         20 MB a second\nthe writes before the syncs: p99 {:.3}, at most {:.3} ms; appending {:.3} and {:.3}",
        at(&mut in_place.writes, 0.99),
        at(&mut in_place.writes, 1.0),
        at(&mut grown.writes, 0.99),
        at(&mut grown.writes, 1.0)
    );
    let figures = NAMES.iter().zip(shares).map(|(name, share)| {
        let (value, baseline) = (at(&mut in_place.syncs, share), at(&mut grown.syncs, share));
        bench.say(&format!("{name}: {value:.3} ms, appending {baseline:.3} ms"));
        let figure = Figure::new(name, value, "ms").against(baseline, value / baseline);
        if share == 0.5 { figure.note(note.clone()) } else { figure }
    });
    Ok(figures.collect())
}

/// How long commits took.
#[derive(Default)]
struct Times {
    writes: Vec<Duration>,
    syncs: Vec<Duration>,
}

impl Times {
    fn add(&mut self, commit: &Commit<()>) {
        self.writes.push(commit.write_time);
        self.syncs.push(commit.sync_time);
    }
}

/// The time in milliseconds below which this share lies.
fn at(times: &mut [Duration], share: f64) -> f64 {
    times.sort();
    let index = ((times.len() as f64 * share) as usize).min(times.len().saturating_sub(1));
    times.get(index).map_or(f64::NAN, |time| time.as_secs_f64() * 1e3)
}

/// A log whose commits are awaited one by one.
struct Log {
    log: LocalLog<()>,
    commits: Receiver<Commit<()>>,
}

impl Log {
    fn open(dir: &Path, zero_ahead: bool) -> Result<Log, Failure> {
        let options = Options { zero_ahead, commit_interval_us: 0, ..Options::default() };
        let (log, _) = LocalLog::open(dir, options)?;
        let (send, commits) = channel();
        // Who measured is gone at the end.
        log.start(move |commit| drop(send.send(commit)), |_| {})?;
        Ok(Log { log, commits })
    }

    /// Appends a record and waits for its sync.
    fn commit(&self) -> Result<Commit<()>, Failure> {
        self.log.append(Entry {
            partition: Partition(0),
            expected_head: None,
            relies_on: None,
            kind: 0,
            appended_at: Timestamp(0),
            payload: Payload::new(vec![0x5a; RECORD_BYTES]),
            attachment: (),
        })?;
        Ok(self.commits.recv().map_err(|_| "the log failed")?)
    }

    /// Commits until the segment is one that was zeroed ahead.
    fn reach_zeros(&self) -> Result<(), Failure> {
        for _ in 0..WARM_COMMITS_MAX {
            if !self.log.segments().is_empty() {
                return Ok(());
            }
            self.commit()?;
        }
        Err("no segment was made ready ahead".into())
    }
}

fn write_beside(path: &Path, done: &AtomicBool) -> std::io::Result<()> {
    let file = File::create(path)?;
    let piece = vec![0xa5; OTHER_BYTES];
    let start = Instant::now();
    for number in 0u64.. {
        if done.load(Ordering::Relaxed) {
            break;
        }
        file.write_all_at(&piece, number * OTHER_BYTES as u64 % OTHER_FILE_BYTES)?;
        if number % OTHER_SYNC_EVERY == OTHER_SYNC_EVERY - 1 {
            file.sync_all()?;
        }
        std::thread::sleep((OTHER_EVERY * (number as u32 + 1)).saturating_sub(start.elapsed()));
    }
    Ok(())
}
